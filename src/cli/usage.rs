//! Mistakes on the command line, explained: typos, flags of other tools, values that do not exist.

use clap::error::{ContextKind, ContextValue, ErrorKind as Kind};

use crate::error::{Error, Result};

/// Flags of other tools, and ours that does the same.
const FOREIGN: &[(&str, &str)] = &[
    ("--lateness", "--delay DURATION"),
    ("--allowed-lateness", "--delay DURATION"),
    ("--grace", "--delay DURATION"),
    ("--watermark", "--delay DURATION"),
    ("--watermark-delay", "--delay DURATION"),
    ("--time-column", "--ts COL"),
    ("--time-field", "--ts COL"),
    ("--timestamp", "--ts COL"),
    ("--timezone", "--tz ZONE"),
    ("--output-format", "--format FORMAT"),
    ("--jsonl", "--ndjson"),
    ("--separator", "-d CHAR"),
    ("--query", "-c SQL"),
    ("--execute", "-c SQL"),
    ("--noheader", "-H"),
    ("-noheader", "-H"),
    ("-csv", "--csv"),
    ("-tsv", "--tsv"),
    ("-json", "--json"),
    ("-jsonlines", "--ndjson"),
    ("-table", "--table"),
    ("-line", "--format line"),
    ("-markdown", "--format markdown"),
    ("-separator", "-d CHAR"),
];

/// Refuses flags of other tools that begin with one dash, which would be read as several short ones.
///
/// # Errors
/// Of the kind `Usage`, with our flag.
pub(super) fn check_foreign(word: &str) -> Result<()> {
    match word.starts_with("--") {
        false => foreign(word).map_or(Ok(()), Err),
        true => Ok(()),
    }
}

fn foreign(flag: &str) -> Option<Error> {
    if flag == "--limit" {
        return Some(
            Error::usage("unknown flag `--limit`")
                .help("LIMIT stands in the SQL: SELECT … LIMIT 3")
                .help("--max-rows N says how many rows a table shows"),
        );
    }
    let (_, ours) = FOREIGN.iter().find(|(theirs, _)| *theirs == flag)?;
    Some(Error::usage(format!("unknown flag `{flag}`")).help(format!("the flag is {ours}")))
}

/// What clap says, as text to show (help, version) or as an error of ours.
///
/// # Errors
/// Of the kind `Usage`.
pub(super) fn show_or_explain(error: &clap::Error, command: &clap::Command) -> Result<String> {
    match error.kind() {
        Kind::DisplayHelp | Kind::DisplayVersion => Ok(error.render().to_string()),
        Kind::UnknownArgument => Err(unknown_flag(
            &context(error, ContextKind::InvalidArg),
            command,
        )),
        Kind::InvalidValue | Kind::ValueValidation => Err(bad_value(error)),
        Kind::NoEquals | Kind::TooFewValues => Err(bad_value(error)),
        Kind::MissingRequiredArgument => {
            let (program, missing) = (command.get_name(), context(error, ContextKind::InvalidArg));
            Err(Error::usage(format!("`{program}` needs {missing}"))
                .help(format!("`{program} --help` shows how it is called")))
        }
        _ => Err(in_words_of_clap(error)),
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}

fn unknown_flag(flag: &str, command: &clap::Command) -> Error {
    if let Some(error) = foreign(flag) {
        return error;
    }
    let program = command.get_name();
    if !flag.starts_with('-') {
        return Error::usage(format!("unexpected argument `{flag}`"))
            .help(format!("`{program} --help` shows how it is called"));
    }
    let error = Error::usage(format!("unknown flag `{flag}`"));
    let long = |arg: &clap::Arg| arg.get_long().map(|long| format!("--{long}"));
    let flags: Vec<String> = command.get_arguments().filter_map(long).collect();
    let labelled = match flag.starts_with("--") {
        true => error.suggest(flag, flags.iter().map(String::as_str)),
        false => error,
    };
    match labelled.label_text() {
        Some(_) => labelled,
        None => labelled.help(format!("`{program} --help` lists the flags")),
    }
}

fn bad_value(error: &clap::Error) -> Error {
    let flag = context(error, ContextKind::InvalidArg);
    let value = context(error, ContextKind::InvalidValue);
    // `--delay <DURATION>` names the flag and what it takes, `[SHELL]` an argument.
    let name = flag.trim_start_matches(['[', '<']);
    let name = name.split([' ', '=', '[', ']', '>']).next();
    let name = name.unwrap_or_default();
    if value.is_empty() {
        return Error::usage(format!("{name} needs a value")).help(flag.clone());
    }
    let refused = Error::usage(format!("`{value}` is no value of {name}"));
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => refused
            .suggest(&value, values.iter().map(String::as_str))
            .note(format!("values: {}", values.join(", "))),
        _ => match std::error::Error::source(error) {
            Some(source) => refused.cause(source),
            None => refused,
        },
    }
}

/// The first paragraph of clap's own message.
fn in_words_of_clap(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let message = first
        .strip_prefix("error: ")
        .unwrap_or(first)
        .trim()
        .replace('\'', "`");
    Error::usage(message).help("`tumble --help` lists the flags")
}
