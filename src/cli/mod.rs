//! The terminal: flags, messages, how rows are shown. The only folder that prints.
//!
//! ```text
//! words ──► args ──► settings ──► session ──► display ──► stdout
//!                        └──────── messages ────────────► stderr
//! ```

pub mod args;
mod config;
pub mod display;
pub mod exit;
pub mod generate;
mod manual;
pub mod messages;
mod one_shot;
mod origin;
mod output_file;
mod prompt;
mod screen;
mod script_file;
pub mod settings;
pub mod snippet;
mod stats;
mod terminal;
mod usage;
mod watch;
mod writer;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::connect::check_stdout;
use crate::error::{Error, Result};
use crate::runtime::interrupt::Questions;
use args::Request;
use messages::{Color, ErrorFormat, Messages};
use settings::Settings;

/// Runs the command line `words` (without the name of the program).
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let questions = Questions::install();
    let words: Vec<OsString> = words.into_iter().collect();
    let messages = Messages::new(error_format_of(&words), Color::Auto, false, false);
    match questions.and_then(|questions| run_request(words, questions)) {
        Ok(code) => code,
        Err(error) => {
            messages.error(&error, None);
            ExitCode::from(exit::of_error(&error))
        }
    }
}

fn run_request(words: Vec<OsString>, questions: Questions) -> Result<ExitCode> {
    match args::parse(words)? {
        Request::Show(text) => show(&text),
        Request::Generate(args) => {
            check_stdout()?;
            generate::run(&args, &mut io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Request::Run(args) => {
            let mut args = args;
            if !args.no_config {
                args.user_formats = config::user_formats()?;
            }
            args.at_terminal = io::stdin().is_terminal();
            let settings = Settings::new(*args)?;
            Ok(match &settings.prompt {
                Some(prompt) => prompt::run(&settings, prompt, questions),
                None => one_shot::run(&settings, questions),
            })
        }
    }
}

/// Writes a text to stdout; a reader that leaves is no error.
fn show(text: &str) -> Result<ExitCode> {
    check_stdout()?;
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::outside("cannot write to stdout", error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// How errors are written while the flags are not yet understood.
fn error_format_of(words: &[OsString]) -> ErrorFormat {
    let is = |word: &OsString, text: &str| word == text;
    let one = words.iter().any(|word| is(word, "--error-format=json"));
    let two = words
        .windows(2)
        .any(|pair| is(&pair[0], "--error-format") && is(&pair[1], "json"));
    let variable = std::env::var_os("TUMBLE_ERROR_FORMAT").is_some_and(|value| value == "json");
    if one || two || variable {
        ErrorFormat::Json
    } else {
        ErrorFormat::Text
    }
}
