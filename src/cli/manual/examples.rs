//! `tumble examples`: the cookbook as text, whole or one recipe of it, without a network.
//!
//! ````text
//!  ### 7. sessions: visits of each user        7. sessions: visits of each user
//!                                              --------------------------------
//!  Requests of a user that are …         ──►   Requests of a user that are …
//!  ```console
//!  $ tumble "SELECT …                              $ tumble "SELECT …
//!  ```
//! ````
//!
//! Invariant: a recipe begins with a heading of three `#`, its number, its name and a title.

use std::ffi::OsString;

use clap::{ArgAction, Parser};
use unicode_width::UnicodeWidthStr;

use crate::error::{Error, Result};

const COOKBOOK: &str = include_str!("../../../samples/cookbook.md");
/// Where paragraphs are broken.
const COLUMNS: usize = 80;

/// Print the cookbook: recipes with their results, every one of them run by the tests.
#[derive(Debug, Parser)]
#[command(
    name = "tumble examples",
    hide_possible_values = true,
    disable_help_flag = true,
    max_term_width = 100
)]
pub(super) struct ExamplesArgs {
    /// Name or number of a recipe; `list` names them all [default: the whole cookbook]
    recipe: Option<String>,
    /// Show this help
    #[arg(short, long, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

/// A recipe of the cookbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recipe<'a> {
    number: &'a str,
    name: &'a str,
    title: &'a str,
    /// With its heading.
    text: &'a str,
}

/// What the words ask for.
///
/// # Errors
/// Of the kind `Usage`, with names that could be meant.
pub(super) fn print(words: Vec<OsString>) -> Result<String> {
    super::read(words, |args: &ExamplesArgs| match args.recipe.as_deref() {
        None => Ok(plain(COOKBOOK)),
        Some("list") => Ok(list()),
        Some(wanted) => find(wanted).map(|recipe| plain(recipe.text)),
    })
}

/// The names of the recipes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once("list").chain(recipes().map(|recipe| recipe.name))
}

fn recipes() -> impl Iterator<Item = Recipe<'static>> {
    let starts = COOKBOOK.match_indices("\n### ").map(|(start, _)| start + 1);
    starts.filter_map(|start| recipe(&COOKBOOK[start..]))
}

/// The recipe with which a text begins.
fn recipe(text: &str) -> Option<Recipe<'_>> {
    let end = [text.find("\n## "), text.find("\n### ")];
    let end = end.into_iter().flatten().min().unwrap_or(text.len());
    let text = text[..end].trim_end();
    let heading = text.lines().next()?.strip_prefix("### ")?;
    let (number, rest) = heading.split_once(". ")?;
    let (name, title) = rest.split_once(": ")?;
    Some(Recipe {
        number,
        name,
        title,
        text,
    })
}

fn find(wanted: &str) -> Result<Recipe<'static>> {
    if let Some(recipe) = recipes().find(|recipe| [recipe.name, recipe.number].contains(&wanted)) {
        return Ok(recipe);
    }
    let lower = wanted.to_lowercase();
    let mentions = |recipe: &Recipe<'_>| recipe.text.to_lowercase().contains(&lower);
    let mentioning: Vec<&str> = recipes()
        .filter(mentions)
        .map(|recipe| recipe.name)
        .collect();
    let error = Error::usage(format!("there is no recipe `{wanted}`"))
        .suggest(wanted, names())
        .help("`tumble examples list` names them all");
    Err(match mentioning.is_empty() {
        true => error,
        false => error.note(format!("it stands in: {}", mentioning.join(", "))),
    })
}

fn list() -> String {
    let line = |recipe: Recipe<'_>| {
        let Recipe {
            number,
            name,
            title,
            ..
        } = recipe;
        format!("{number:>3}  {name:<20} {title}\n")
    };
    recipes().map(line).collect()
}

/// Markdown as a text for a terminal: fences and `#` are gone, commands and what they print are indented.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            text.push_str(format!("    {line}").trim_end());
            text.push('\n');
        } else if let Some((marks, heading)) = heading(line) {
            let rule = if marks < 3 { "=" } else { "-" };
            text.push_str(&format!("{heading}\n{}\n", rule.repeat(heading.width())));
        } else {
            wrap(&without_links(line), &mut text);
        }
    }
    text
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let heading = rest.strip_prefix(' ')?;
    (rest.len() < line.len()).then_some((line.len() - rest.len(), heading))
}

/// `[words](address)` becomes `words`, but within backticks.
fn without_links(line: &str) -> String {
    let parts = line.split('`').enumerate();
    let parts: Vec<String> = parts
        .map(|(place, part)| match place % 2 {
            0 => words_of_links(part),
            _ => part.to_owned(),
        })
        .collect();
    parts.join("`")
}

fn words_of_links(mut text: &str) -> String {
    let mut words = String::new();
    while let Some((before, link)) = text.split_once('[') {
        words.push_str(before);
        let parts = link.split_once("](");
        let parts = parts.and_then(|(name, rest)| Some((name, rest.split_once(')')?.1)));
        let (name, behind) = parts.unwrap_or(("[", link));
        words.push_str(name);
        text = behind;
    }
    words + text
}

fn wrap(line: &str, text: &mut String) {
    let mut columns = 0;
    for word in line.split(' ') {
        if columns > 0 && columns + 1 + word.width() > COLUMNS {
            text.push('\n');
            columns = 0;
        } else if columns > 0 {
            text.push(' ');
            columns += 1;
        }
        text.push_str(word);
        columns += word.width();
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_are_numbered_and_named_once() {
        let all: Vec<Recipe<'_>> = recipes().collect();
        assert!(all.len() >= 25, "{}", all.len());
        assert_eq!(COOKBOOK.matches("\n### ").count(), all.len());
        for (place, recipe) in all.iter().enumerate() {
            assert_eq!(recipe.number, (place + 1).to_string(), "{}", recipe.name);
            assert!(recipe.text.contains("```"), "{} shows nothing", recipe.name);
            let same = all.iter().filter(|other| other.name == recipe.name);
            assert_eq!(same.count(), 1, "{}", recipe.name);
            assert_eq!(find(recipe.name).unwrap(), *recipe);
            assert_eq!(find(recipe.number).unwrap(), *recipe);
        }
    }

    #[test]
    fn other_names_are_explained() {
        let error = find("error-rat").unwrap_err().to_string();
        assert!(error.contains("there is no recipe `error-rat`"), "{error}");
        assert!(error.contains("did you mean `error-rate`?"), "{error}");
        let error = find("journalctl").unwrap_err().to_string();
        assert!(error.contains("it stands in: "), "{error}");
        assert!(!find("qqq").unwrap_err().to_string().contains("stands in"));
        assert!(find("0").is_err());
    }

    #[test]
    fn markdown_becomes_text() {
        let markdown = "## Ten\n\n### 7. a: b\nSee [the page](x.md) and `a[1](2)`.\n\n```console\n$ echo '# [a](b)'\n\n# [a](b)\n```\n";
        let text = "Ten\n===\n\n7. a: b\n-------\nSee the page and `a[1](2)`.\n\n    $ echo '# [a](b)'\n\n    # [a](b)\n";
        assert_eq!(plain(markdown), text);
        let mut text = String::new();
        wrap(&"word ".repeat(40), &mut text);
        assert!(text.lines().all(|line| line.len() <= COLUMNS));
        assert_eq!(text.split_whitespace().count(), 40);
    }
}
