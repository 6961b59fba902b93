//! What the program says of itself: completions for shells, a manual page, the cookbook; words in front, as
//! `generate` is one.
//!
//! ```text
//!  cli/args.rs, the flags ───┬─► completions   tumble completions bash
//!                            └─► man           tumble man | man -l -
//!  samples/cookbook.md ────────► examples      tumble examples 7
//! ```
//!
//! Invariants: all of it is a function of the words; what is said of a flag is said once, where the flag is defined.

mod completions;
mod examples;
mod man;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory, FromArgMatches};

use super::args::Args;
use super::display;
use super::generate::{self, GenerateArgs};
use super::usage;
use crate::error::{Error, Result, closest};
use crate::format;

/// Reads the words behind a word in front and makes the text that they ask for.
pub(super) type Print = fn(Vec<OsString>) -> Result<String>;

const WORDS: [(&str, Print); 3] = [
    ("completions", completions::print),
    ("man", man::print),
    ("examples", examples::print),
];

/// What prints if the command line begins with this word.
pub(super) fn printer(word: &OsStr) -> Option<Print> {
    let found = WORDS.iter().find(|(name, _)| word == *name);
    found.map(|(_, print)| *print)
}

/// Refuses a word in front that is misspelt, and would be taken for SQL.
///
/// # Errors
/// Of the kind `Usage`, with the word that was meant.
pub(super) fn check_word(word: &OsStr) -> Result<()> {
    let Some(typed) = word.to_str().filter(|_| !Path::new(word).exists()) else {
        return Ok(());
    };
    let names = WORDS.iter().map(|(name, _)| *name);
    let names = names.chain(["generate", "help"]);
    match closest(typed, names) {
        // A word in front is one there alone.
        Some(meant) if meant != typed => {
            Err(Error::usage(format!("there is no command `{typed}`"))
                .help(format!("did you mean `tumble {meant}`?")))
        }
        _ => Ok(()),
    }
}

fn read<A: CommandFactory + FromArgMatches>(
    words: Vec<OsString>,
    answer: impl FnOnce(&A) -> Result<String>,
) -> Result<String> {
    let mut command = A::command().no_binary_name(true);
    let args = command
        .try_get_matches_from_mut(words)
        .and_then(|matches| A::from_arg_matches(&matches));
    match args {
        Ok(args) => answer(&args),
        Err(error) => usage::show_or_explain(&error, &command),
    }
}

/// The flags that the help shows, with the values that a shell can offer.
fn flags() -> Command {
    let shown = Args::command();
    let shown = shown.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut command = Command::new("tumble")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(shown);
    let input_formats = format::FORMATS.iter().map(|(name, _)| *name);
    let input_formats = std::iter::once("auto").chain(input_formats);
    let input_formats = input_formats.chain(format::known_pattern_names());
    command = offer(command, "input_format", input_formats.collect());
    let formats = display::FORMATS.iter().map(|format| format.name);
    command = offer(command, "format", formats.collect());
    for (flag, values) in VALUES {
        command = offer(command, flag, values.to_vec());
    }
    command
}

/// The words in front, as commands behind [`flags`].
fn words() -> [Command; 4] {
    let generate = GenerateArgs::command().name("generate");
    let examples = examples::ExamplesArgs::command().name("examples");
    [
        offer(generate, "name", generate::names().collect()),
        offer(examples, "recipe", examples::names().collect()),
        man::ManArgs::command().name("man"),
        completions::CompletionsArgs::command().name("completions"),
    ]
}

/// Values of flags that the session reads, in the order of their help.
const VALUES: [(&str, &[&str]); 6] = [
    ("input_header", &["auto", "yes", "no"]),
    ("encoding", &["strict", "lossy", "latin1"]),
    ("from", &["start", "end"]),
    ("ts_unit", &["s", "ms", "us", "ns"]),
    ("on_error", &["skip", "fail"]),
    ("on_interrupt", &["drop", "emit"]),
];

fn offer(command: Command, flag: &str, values: Vec<&'static str>) -> Command {
    command.mut_arg(flag, |arg| {
        arg.value_parser(PossibleValuesParser::new(values))
    })
}

#[cfg(test)]
mod tests;
