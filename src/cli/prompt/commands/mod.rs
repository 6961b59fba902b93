//! The dot commands: one list, from which help, completion, suggestions and tests are made.
//!
//! ```text
//!  .mode csv      \o out.csv      \d orders
//!  └name └argument └ the spelling of psql
//! ```
//!
//! To add one: one entry in [`COMMANDS`].

mod help;
mod look;
mod show;
mod system;
mod view;

pub use help::TOPICS;

use super::{Next, Prompt};
use crate::error::{Error, Result};

/// A dot command.
pub struct Command {
    /// Its name, with the dot.
    pub name: &'static str,
    /// What else it is called, psql's spelling among them.
    pub spellings: &'static [&'static str],
    /// What stands behind it, as the help shows it.
    pub arguments: &'static str,
    /// What stands behind it, for completion.
    pub takes: Takes,
    /// What it does, in one line.
    pub help: &'static str,
    /// Does it.
    pub run: fn(&mut Prompt<'_>, Call<'_>) -> Result<Next>,
}

/// What a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// The name of an output format.
    Format,
    /// A path.
    Path,
    /// `on` or `off`.
    Switch,
    /// A table, a view or a quoted path.
    Table,
    /// The name of a function, or a part of it.
    Function,
    /// The name of a setting.
    Setting,
    /// A topic of the help.
    Topic,
    /// Whatever a shell takes.
    Line,
}

/// A command as it was typed.
#[derive(Clone, Copy)]
pub struct Call<'t> {
    /// The spelling that was used.
    pub name: &'t str,
    /// What stands behind it, without blanks around it.
    pub argument: &'t str,
}

/// All dot commands, in the order of the help.
pub const COMMANDS: &[Command] = &[
    Command {
        name: ".help",
        spellings: &["\\?", "\\h", ".h"],
        arguments: "[TOPIC]",
        takes: Takes::Topic,
        help: "this list, or a topic with an example",
        run: help::help,
    },
    Command {
        name: ".tables",
        spellings: &["\\dt"],
        arguments: "",
        takes: Takes::Nothing,
        help: "tables and views",
        run: look::tables,
    },
    Command {
        name: ".schema",
        spellings: &["\\d"],
        arguments: "[TABLE]",
        takes: Takes::Table,
        help: "how a table or 'path' is made; or all tables",
        run: look::schema,
    },
    Command {
        name: ".functions",
        spellings: &["\\df"],
        arguments: "[PATTERN]",
        takes: Takes::Function,
        help: "functions, those like PATTERN",
        run: look::functions,
    },
    Command {
        name: ".mode",
        spellings: &["\\x"],
        arguments: "[FORMAT]",
        takes: Takes::Format,
        help: "how results are shown; \\x: `line` on, off",
        run: view::mode,
    },
    Command {
        name: ".output",
        spellings: &["\\o"],
        arguments: "[FILE]",
        takes: Takes::Path,
        help: "write results to FILE, or to the terminal",
        run: view::output,
    },
    Command {
        name: ".once",
        spellings: &[],
        arguments: "FILE",
        takes: Takes::Path,
        help: "write the next results to FILE",
        run: view::once,
    },
    Command {
        name: ".timer",
        spellings: &["\\timing"],
        arguments: "[on|off]",
        takes: Takes::Switch,
        help: "tell rows and time of each statement",
        run: view::timer,
    },
    Command {
        name: ".read",
        spellings: &["\\i"],
        arguments: "FILE",
        takes: Takes::Path,
        help: "run the statements and commands in FILE",
        run: system::read,
    },
    Command {
        name: ".edit",
        spellings: &["\\e"],
        arguments: "[FILE]",
        takes: Takes::Path,
        help: "edit the last statement, or FILE",
        run: system::edit,
    },
    Command {
        name: ".shell",
        spellings: &["\\!", ".system"],
        arguments: "[COMMAND]",
        takes: Takes::Line,
        help: "run COMMAND, or a shell",
        run: system::shell,
    },
    Command {
        name: ".show",
        spellings: &["\\set"],
        arguments: "[SETTING]",
        takes: Takes::Setting,
        help: "settings, and where values come from",
        run: show::show,
    },
    Command {
        name: ".status",
        spellings: &[],
        arguments: "",
        takes: Takes::Nothing,
        help: "what the last statement counted",
        run: show::status,
    },
    Command {
        name: ".quit",
        spellings: &["\\q", ".exit", ".q"],
        arguments: "",
        takes: Takes::Nothing,
        help: "leave, as Ctrl-D does",
        run: |_, _| Ok(Next::Leave),
    },
];

/// What psql takes without a backslash, alone on a line.
const WITHOUT_A_DOT: [(&str, &str); 3] = [("quit", ".quit"), ("exit", ".quit"), ("help", ".help")];

/// The command that a line is without a dot.
pub fn without_a_dot(line: &str) -> Option<&'static str> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let found = WITHOUT_A_DOT
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(line));
    found.map(|(_, name)| *name)
}

/// Runs a command.
///
/// # Errors
/// There is none of that name; what the command says.
pub fn run(prompt: &mut Prompt<'_>, text: &str) -> Result<Next> {
    let call = call_of(without_a_dot(text).unwrap_or(text));
    let Some(command) = command_named(call.name) else {
        let names = COMMANDS.iter().flat_map(|command| {
            let spellings = command.spellings.iter().copied();
            std::iter::once(command.name).chain(spellings)
        });
        let error = Error::usage(format!("there is no command `{}`", call.name));
        return Err(error
            .suggest(call.name, names)
            .help("`.help` lists the commands"));
    };
    if command.takes == Takes::Nothing && !call.argument.is_empty() {
        let error = Error::usage(format!("`{}` takes nothing behind it", call.name));
        return Err(error.help(format!("write `{}` alone", call.name)));
    }
    (command.run)(prompt, call)
}

/// A command in its parts: `\!ls` is `\!` and `ls`.
fn call_of(text: &str) -> Call<'_> {
    let text = text.trim();
    let end = match text.strip_prefix("\\!") {
        Some(_) => 2,
        None => text.find(char::is_whitespace).unwrap_or(text.len()),
    };
    let (name, argument) = text.split_at(end);
    let is_for_shell = command_named(name).is_some_and(|command| command.takes == Takes::Line);
    let ending = if is_for_shell { "" } else { ";" };
    // Whoever has typed statements ends this with a semicolon, too.
    Call {
        name: name.strip_suffix(ending).unwrap_or(name),
        argument: argument
            .trim()
            .trim_end_matches(|c| ending.contains(c))
            .trim(),
    }
}

/// The command of that name or spelling.
pub fn command_named(name: &str) -> Option<&'static Command> {
    let name = name.strip_suffix(';').unwrap_or(name);
    COMMANDS.iter().find(|command| {
        command.name.eq_ignore_ascii_case(name) || command.spellings.contains(&name)
    })
}

impl Call<'_> {
    /// The argument as a path: quotes around it are left out, `~/` is the home of the user.
    fn path(&self) -> std::path::PathBuf {
        let text = self.argument;
        let quoted = ['\'', '"'].into_iter().find_map(|quote| {
            let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
            Some(inside)
        });
        let text = quoted.unwrap_or(text);
        match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(rest), Some(home)) if quoted.is_none() => {
                std::path::PathBuf::from(home).join(rest)
            }
            _ => std::path::PathBuf::from(text),
        }
    }

    /// Refuses a call without an argument.
    fn needs(&self, what: &str) -> Result<()> {
        match self.argument.is_empty() {
            false => Ok(()),
            true => Err(Error::usage(format!("`{}` needs {what}", self.name))
                .help(format!("write `{} {what}`", self.name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_command() {
        let mut names: Vec<&str> = (COMMANDS.iter())
            .flat_map(|command| std::iter::once(&command.name).chain(command.spellings))
            .copied()
            .collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
        assert!(names.iter().all(|name| name.starts_with(['.', '\\'])));
    }

    #[test]
    fn calls() {
        for (text, name, argument) in [
            (".mode csv", ".mode", "csv"),
            ("  .mode   csv ; ", ".mode", "csv"),
            ("\\q;", "\\q", ""),
            ("\\!ls -l", "\\!", "ls -l"),
            (".shell a; b;", ".shell", "a; b;"),
            (".read 'a b.sql'", ".read", "'a b.sql'"),
            (".MODE csv", ".MODE", "csv"),
            (".", ".", ""),
        ] {
            let call = call_of(text);
            assert_eq!((call.name, call.argument), (name, argument), "{text}");
        }
        assert!(command_named(".MODE").is_some());
        // psql tells `\d` from `\D`.
        assert!(command_named("\\D").is_none());
    }

    #[test]
    fn paths() {
        for (argument, expected) in [
            ("a.csv", "a.csv"),
            ("'a b.csv'", "a b.csv"),
            ("\"a'b\"", "a'b"),
        ] {
            let call = Call {
                name: ".read",
                argument,
            };
            assert_eq!(call.path(), std::path::PathBuf::from(expected));
        }
    }
}
