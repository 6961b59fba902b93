//! Commands that show what is there: tables, their columns, functions.

use super::{Call, Next, Prompt};
use crate::cli::prompt::example;
use crate::error::{Error, Result};
use crate::functions;
use crate::session::Relation;

/// `.tables`
pub fn tables(prompt: &mut Prompt<'_>, _: Call<'_>) -> Result<Next> {
    let mut relations = prompt.session.relations();
    let is_example = |known: &Relation| known.name.eq_ignore_ascii_case(example::NAME);
    if prompt.example.is_some() || !relations.iter().any(is_example) {
        relations.retain(|known| !is_example(known));
        relations.push(Relation {
            name: example::NAME.to_owned(),
            kind: String::from("sample data, for trying: see `.help tumble`"),
            columns: Vec::new(),
            query: None,
        });
    }
    let width = relations.iter().map(|known| known.name.chars().count());
    let width = width.max().unwrap_or(0);
    let mut text = String::new();
    for known in &relations {
        text += &format!("{:width$}  {}\n", known.name, known.kind);
    }
    prompt.answer(&text)?;
    Ok(Next::Go)
}

/// `.schema`
pub fn schema(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let names: Vec<String> = match call.argument {
        "" => (prompt.session.relations().into_iter())
            .map(|known| known.name)
            .collect(),
        name => vec![name.to_owned()],
    };
    for name in names {
        prompt.interrupts.begin_query();
        let text = prompt.session.schema(&name, &mut prompt.terminal);
        if let Some(signal) = prompt.interrupts.begin_line().or(prompt.session.stopped()) {
            return prompt.stopped(signal);
        }
        prompt.answer(&text?)?;
    }
    Ok(Next::Go)
}

/// `.functions`
pub fn functions(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let pattern = call.argument.to_lowercase();
    let mut found: Vec<functions::Signature> = (functions::signatures().into_iter())
        .filter(|function| matches(&pattern, &function.name.to_lowercase()))
        .collect();
    if found.is_empty() {
        let names = functions::signatures().into_iter().map(|known| known.name);
        return Err(
            Error::usage(format!("no function is like `{}`", call.argument))
                .suggest(&pattern, names)
                .help("`.functions` lists all; * stands for any text"),
        );
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let width = found.iter().map(|function| function.call.chars().count());
    let width = width.max().unwrap_or(0);
    let mut text = String::new();
    for function in found {
        // All of them are a list to look through, some are read.
        text += &match pattern.is_empty() {
            true => format!("{}\n", function.call),
            false => format!("{:width$}  {}\n", function.call, function.about),
        };
    }
    prompt.answer(&text)?;
    Ok(Next::Go)
}

/// Whether a name has the parts of a pattern in it, in their order; without `*` anywhere in it.
fn matches(pattern: &str, name: &str) -> bool {
    if !pattern.contains('*') {
        return name.contains(pattern);
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("", "abs", true),
            ("unc", "date_trunc", true),
            ("date*", "date_trunc", true),
            ("*date", "to_date", true),
            ("*date", "date_trunc", false),
            ("to*at*e", "to_date", true),
            ("a*a", "a", false),
            ("regr", "corr", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
