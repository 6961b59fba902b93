use std::ffi::OsString;

use clap::{Command, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::super::args::{self, Request};
use super::*;

fn text(words: &[&str]) -> Result<String> {
    match args::parse(words.iter().map(OsString::from))? {
        Request::Show(text) => Ok(text),
        other => panic!("{other:?}"),
    }
}

fn long_flags(command: &Command) -> Vec<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown
        .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
        .collect()
}

#[test]
fn the_definition_is_sound() {
    flags().subcommands(words()).debug_assert();
}

/// What is offered is what the help says.
#[test]
fn values_are_those_of_the_help() {
    let command = Args::command();
    for (flag, values) in VALUES {
        let arg = command.get_arguments().find(|arg| arg.get_id() == flag);
        let help = arg.unwrap().get_help().unwrap().to_string();
        let words: Vec<&str> = help.split(|c: char| !c.is_alphanumeric()).collect();
        for value in values {
            assert!(words.contains(value), "{flag}: {value}: {help}");
        }
    }
}

#[test]
fn every_shell_completes_every_flag() {
    for shell in Shell::value_variants() {
        let script = text(&["completions", &shell.to_string()]).unwrap();
        for flag in long_flags(&Args::command()) {
            let name = flag.trim_start_matches("--");
            let fish = format!("-l {name}");
            let found = script.contains(&flag) || *shell == Shell::Fish && script.contains(&fish);
            assert!(found, "{shell}: {flag}");
        }
        for word in ["generate", "examples", "man", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        // The scripts for PowerShell and elvish offer no values.
        let offers_values = !matches!(shell, Shell::PowerShell | Shell::Elvish);
        assert_eq!(script.contains("elasticsearch"), offers_values, "{shell}");
        assert!(
            !script.contains("block-bytes"),
            "{shell}: hidden flags stay hidden"
        );
    }
    assert!(
        text(&["completions", "bash"])
            .unwrap()
            .contains("error-rate")
    );
    let zsh = text(&["completions", "zsh"]).unwrap();
    assert!(
        zsh.contains("(generate examples man completions)") && zsh.contains("'*::arguments"),
        "{zsh}"
    );
}

#[test]
fn the_page_has_every_flag_and_section() {
    let page = text(&["man"]).unwrap();
    // A hyphen that can be searched for is written `\-`.
    let plain = page
        .replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fR", "");
    for flag in long_flags(&Args::command())
        .into_iter()
        .chain(long_flags(&GenerateArgs::command()))
    {
        assert!(plain.contains(&flag), "{flag}");
    }
    for heading in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "INPUT",
        "TIME",
        "COMMANDS",
        "OPTIONS OF GENERATE",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
    ] {
        let quoted = format!(".SH \"{heading}\"");
        assert!(
            page.contains(&quoted) || page.contains(&format!(".SH {heading}\n")),
            "{heading}"
        );
    }
    assert!(!plain.contains("block-bytes"), "hidden flags stay hidden");
}

#[test]
fn words_in_front_are_explained() {
    for (words, message) in [
        (&["completions"][..], "completions for which shell?"),
        (&["completions", "bsh"], "did you mean `bash`?"),
        (&["man", "tumble"], "unexpected argument"),
        (&["examples", "eror-rate"], "did you mean `error-rate`?"),
        (&["examples", "--lst"], "unknown flag `--lst`"),
    ] {
        let error = text(words).unwrap_err().to_string();
        assert!(error.contains(message), "{words:?}: {error}");
    }
    for word in ["completions", "man", "examples"] {
        assert!(
            text(&[word, "--help"]).unwrap().contains("Usage: "),
            "{word}"
        );
    }
}

/// They are words only where they stand in front.
#[test]
fn files_may_have_their_names() {
    for words in [
        &["-f", "examples"][..],
        &["SELECT 1", "man"],
        &["-q", "completions"],
    ] {
        let request = args::parse(words.iter().map(OsString::from)).unwrap();
        assert!(matches!(request, Request::Run(_)), "{words:?}");
    }
}
