//! A call that runs SQL and ends: from the settings to the exit code.
//!
//! ```text
//! Settings ─► Session ─► Terminal (the session's host) ─► display ─► buffer ─► stdout or -o FILE
//!                             └ notes, warnings, errors ─► messages ─► stderr
//! ```
//!
//! Invariants: rows go to the output and everything else to stderr; whole lines only; a reader that has
//! left ends the run without a word; a signal ends the process as that signal does.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::ScriptArg;
use super::exit;
use super::messages::{Messages, Saved};
use super::script_file::read_script;
use super::settings::Settings;
use super::snippet::Script;
use super::stats::StatsFile;
use super::terminal::Terminal;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::Summary;
use crate::runtime::interrupt::{Interrupts, Questions};
use crate::session::{self, Session};
use crate::time;

/// A script with the name that messages give it.
struct Source {
    name: String,
    text: String,
}

/// Runs what the settings say.
pub fn run(settings: &Settings, questions: Questions) -> ExitCode {
    let said = &settings.messages;
    let messages = Messages::new(said.format, said.color, said.quiet, said.verbose);
    let stats = match StatsFile::open(said.stats.as_deref()) {
        Ok(stats) => stats,
        Err(error) => return failed(&error, None, &messages),
    };
    run_with(settings, &messages, &stats, questions).unwrap_or_else(|error| {
        // Nothing was read; if it is these counters that cannot be written, that is what is told.
        let written = stats.write(&Summary::default(), exit::of_error(&error));
        drop(written);
        failed(&error, None, &messages)
    })
}

/// # Errors
/// What failed before the first script, or the counters cannot be written.
fn run_with(
    settings: &Settings,
    messages: &Messages,
    stats: &StatsFile,
    questions: Questions,
) -> Result<ExitCode> {
    let mut terminal = Terminal::new(settings, messages)?;
    let scripts = scripts(settings, &mut terminal)?;
    let mut session = Session::new(settings.options.clone());
    let interrupts = Arc::new(Interrupts::install(questions)?);
    terminal.listen(Arc::clone(&interrupts));
    session.listen(interrupts);
    let began = time::elapsed();
    let outcome = run_all(settings, &scripts, &mut session, &mut terminal);
    let summary = session.summary().clone();
    if !settings.explain && !settings.describe {
        terminal.end_progress(summary.rows_read, time::elapsed().saturating_sub(began));
    }
    if matches!(&outcome, Err((error, _)) if error.kind() == ErrorKind::Closed) {
        stats.write(&summary, 0)?;
        return Ok(ExitCode::SUCCESS);
    }
    let saved = Saved {
        late: settings.output.late.is_some(),
        rejects: settings.output.rejects.is_some(),
        at_prompt: false,
    };
    messages.summary(&summary, saved);
    let stopped = session.stopped();
    // What it made on the machine (a socket's file) goes with it.
    drop(session);
    if let Some(signal) = stopped {
        if let Err(error) = stats.write(&summary, signal.exit_code()) {
            messages.error(&error, None);
        }
        signal.raise_default();
    }
    match outcome.and_then(|()| judge(&summary, settings).map_err(|error| (error, None))) {
        Ok(()) => stats.write(&summary, 0).map(|()| ExitCode::SUCCESS),
        Err((error, script)) => {
            let code = failed(&error, script.map(|number| &scripts[number]), messages);
            stats.write(&summary, exit::of_error(&error)).map(|()| code)
        }
    }
}

fn judge(summary: &Summary, settings: &Settings) -> Result<()> {
    exit::check_run(summary, settings.gates.strict, settings.gates.expect)
}

/// Runs the scripts in order; an error comes with the number of its script.
fn run_all(
    settings: &Settings,
    scripts: &[Source],
    session: &mut Session,
    terminal: &mut Terminal<'_>,
) -> Result<(), (Error, Option<usize>)> {
    if scripts.is_empty() {
        let described = session.describe(None, terminal);
        let flushed = session::Host::flush(terminal);
        return described.and(flushed).map_err(|error| (error, None));
    }
    for (number, script) in scripts.iter().enumerate() {
        let done = if settings.explain {
            session.explain(&script.text, terminal)
        } else if settings.describe {
            session.describe(Some(&script.text), terminal)
        } else {
            session.execute(&script.text, terminal).map(drop)
        };
        // What came out before an error stays out.
        let flushed = session::Host::flush(terminal);
        done.and(flushed).map_err(|error| (error, Some(number)))?;
        if session.stopped().is_some() {
            break;
        }
    }
    session::Host::flush(terminal).map_err(|error| (error, None))
}

fn failed(error: &Error, script: Option<&Source>, messages: &Messages) -> ExitCode {
    if error.kind() == ErrorKind::Closed {
        return ExitCode::SUCCESS;
    }
    let script = script.map(|source| Script {
        name: &source.name,
        text: &source.text,
    });
    messages.error(error, script);
    ExitCode::from(exit::of_error(error))
}

/// The texts to run, in order. None with `--describe` and no SQL.
fn scripts(settings: &Settings, terminal: &mut Terminal<'_>) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for script in &settings.scripts {
        sources.push(match script {
            ScriptArg::Text(text) => Source {
                name: String::from("query"),
                text: text.clone(),
            },
            ScriptArg::File(path) if path.as_os_str() == "-" => Source {
                name: String::from("stdin"),
                text: terminal.read_sql()?,
            },
            ScriptArg::File(path) => {
                let name = path.display().to_string();
                let text = read_script(path)?;
                Source {
                    name,
                    text: without_shebang(text),
                }
            }
        });
    }
    if sources.is_empty() && !settings.describe {
        if std::io::stdin().is_terminal() {
            // Without --explain it is the prompt.
            return Err(Error::usage("there is no SQL to explain")
                .help("tumble --explain \"SELECT * FROM 'app.log'\""));
        }
        let text = terminal.read_sql()?;
        refuse_data(&text)?;
        sources.push(Source {
            name: String::from("stdin"),
            text: without_shebang(text),
        });
    }
    Ok(sources)
}

/// `#!/usr/bin/env -S tumble -f` is for the system: it becomes blanks, so that places stay.
fn without_shebang(text: String) -> String {
    if !text.starts_with("#!") {
        return text;
    }
    let end = text.find('\n').unwrap_or(text.len());
    " ".repeat(end) + &text[end..]
}

/// SQL that came through a pipe and looks like records, or like the name of a file.
fn refuse_data(text: &str) -> Result<()> {
    let first = text.trim_start();
    let word = first.trim();
    if !word.is_empty()
        && !word.contains(char::is_whitespace)
        && std::path::Path::new(word).is_file()
    {
        return Err(Error::usage(format!("`{word}` is a file, not SQL"))
            .help(format!("to run it: tumble -f {word}")));
    }
    let line = first.lines().next().unwrap_or_default();
    let looks_like = if line.starts_with('{') {
        "ndjson"
    } else if line.split(',').count() > 2 && !line.contains([' ', '(', ';']) {
        "csv"
    } else {
        return Ok(());
    };
    Err(
        Error::usage(format!("this looks like {looks_like}, not SQL"))
            .help("try: tumble \"SELECT * FROM stdin LIMIT 5\""),
    )
}
