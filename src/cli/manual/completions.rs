//! `tumble completions SHELL`: a script with which a shell completes flags, their values, and files.

use std::ffi::OsString;

use clap::{ArgAction, Command, Parser};
use clap_complete::Shell;

use crate::error::{Error, Result};

/// Print a script with which a shell completes flags and their values.
#[derive(Debug, Parser)]
#[command(
    name = "tumble completions",
    hide_possible_values = true,
    disable_help_flag = true,
    max_term_width = 100,
    after_help = PLACES
)]
pub(super) struct CompletionsArgs {
    /// The shell: bash, zsh, fish, powershell, elvish
    shell: Option<Shell>,
    /// Show this help
    #[arg(short, long, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

const PLACES: &str = "\
To install them:
  tumble completions bash > ~/.local/share/bash-completion/completions/tumble
  tumble completions fish > ~/.config/fish/completions/tumble.fish
  tumble completions zsh > ~/.zfunc/_tumble    (in .zshrc: fpath+=~/.zfunc; autoload -U compinit; compinit)
  tumble completions powershell >> $PROFILE";

/// The script that the words ask for.
///
/// # Errors
/// Of the kind `Usage`.
pub(super) fn print(words: Vec<OsString>) -> Result<String> {
    super::read(words, |args: &CompletionsArgs| match args.shell {
        Some(shell) => Ok(script(shell)),
        None => Err(Error::usage("completions for which shell?")
            .help("write it behind: bash, zsh, fish, powershell or elvish")),
    })
}

fn script(shell: Shell) -> String {
    let mut command = super::flags();
    // clap's script for zsh cannot tell a command from a file among the arguments; there the words in front are
    // offered beside the files.
    if shell != Shell::Zsh {
        command = command.subcommands(super::words());
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "tumble", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Zsh => script.replace(ZSH_FILES, &zsh_files_and_words()),
        _ => script.into_owned(),
    }
}

/// How the script for zsh ends the line of the arguments. (A blank in front of a call keeps zsh from adding options.)
const ZSH_FILES: &str = "read standard input:_files'";

fn zsh_files_and_words() -> String {
    let words = super::words();
    let names: Vec<&str> = words.iter().map(Command::get_name).collect();
    let names = names.join(" ");
    format!(
        "read standard input: _alternative \"words:word in front:({names})\" \"files:file:_files\"'"
    )
}
