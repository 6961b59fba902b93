//! Statements of an entry are run, and what is to be told behind each is told.
//!
//! ```text
//!  entry ─► where results go ─► Session, statement by statement ─► warnings, gates, counters, time
//!                                  └ Ctrl-C: what was read, and the prompt goes on
//! ```

use std::path::PathBuf;
use std::time::Duration;

use super::{Next, Prompt, Source, example};
use crate::cli::exit;
use crate::cli::messages::Saved;
use crate::cli::origin::Origin;
use crate::cli::snippet::Script;
use crate::cli::terminal::Shown;
use crate::data::print::number::thousands;
use crate::error::{ErrorKind, Result, Span};
use crate::runtime::Summary;
use crate::runtime::interrupt::Signal;
use crate::session::{Host, Relation};
use crate::time;

impl Prompt<'_> {
    /// Makes the table `example` if statements name it and nothing else is called so.
    fn make_example(&mut self, text: &str) -> Result<()> {
        let is_made = self.example.is_some() || !example::is_named(text);
        let is_other = |known: &Relation| known.name.eq_ignore_ascii_case(example::NAME);
        if is_made || self.session.relations().iter().any(is_other) {
            return Ok(());
        }
        let (file, path) = example::make()?;
        self.session.add_table(example::NAME, &path);
        self.example = Some(file);
        // Who asks for it need not be told what it is; what is wrong with it the statement says.
        if let Ok(schema) = self.session.schema(example::NAME, &mut self.terminal) {
            self.terminal.know_guess(&schema);
        }
        Ok(())
    }

    /// Runs the statements at a place of a text.
    pub(super) fn run_sql(&mut self, source: Source<'_>, span: Span) -> Result<Next> {
        let text = &source.text[span.start..span.end];
        self.make_example(text)?;
        let before = self.choose_output()?;
        self.interrupts.begin_query();
        let done = self.execute(text);
        let flushed = self.terminal.flush();
        self.terminal.erase();
        let signal = self.interrupts.begin_line();
        if let Some(before) = before {
            self.terminal.restore(before);
            self.session.set_output(self.view.output.clone());
        }
        if let Some(signal) = signal.or(self.session.stopped()) {
            return self.stopped(signal);
        }
        match done.and(flushed) {
            Ok(()) => Ok(Next::Go),
            Err(error) if error.kind() == ErrorKind::Closed => Err(error),
            Err(error) => {
                self.counted = self.session.summary().clone();
                self.messages.summary(&self.counted, self.saved());
                let code = exit::of_error(&error);
                let script = Script {
                    name: source.name,
                    text: source.text,
                };
                self.messages.error(&error.moved(span.start), Some(script));
                self.stats.write(&self.counted, code)?;
                Ok(Next::Stop)
            }
        }
    }

    /// Runs statements, each with what is told behind it.
    fn execute(&mut self, text: &str) -> Result<()> {
        let (messages, saved) = (self.messages, self.saved());
        let (gates, stats) = (&self.settings.gates, &self.stats);
        let (timer, counted) = (self.view.timer, &mut self.counted);
        let mut began = time::elapsed();
        let mut ended = |summary: &Summary| {
            messages.summary(summary, saved);
            let judged = exit::check_run(summary, gates.strict, gates.expect);
            let code = judged.as_ref().map_or_else(exit::of_error, |()| 0);
            for outcome in [judged, stats.write(summary, code)] {
                if let Err(error) = outcome {
                    messages.error(&error, None);
                }
            }
            if timer {
                let now = time::elapsed();
                messages.answer("time", &timing(summary, now.saturating_sub(began)));
                began = now;
            }
            *counted = summary.clone();
        };
        let done = self
            .session
            .execute_each(text, &mut self.terminal, &mut ended);
        for name in self.session.take_set() {
            self.chosen(&name, Origin::Set);
        }
        done
    }

    /// A signal ended a query: Ctrl-C that alone, the others the prompt with it.
    pub(super) fn stopped(&mut self, signal: Signal) -> Result<Next> {
        let summary = self.session.summary().clone();
        self.stats.write(&summary, signal.exit_code())?;
        self.counted = summary.clone();
        if signal != Signal::INTERRUPT {
            self.messages.summary(&summary, self.saved());
            signal.raise_default();
        }
        self.messages.answer("cancelled", &cancelled(&summary));
        // What was open is said.
        let rest = Summary {
            open_windows: 0,
            ..summary
        };
        self.messages.summary(&rest, self.saved());
        Ok(Next::Stop)
    }

    /// Sends the results of the next statements to where the user wants them; for `.once` gives what wrote before.
    fn choose_output(&mut self) -> Result<Option<Shown>> {
        if let Some(once) = self.view.once.take() {
            let before = self.terminal.write_to(&self.view.target(Some(&once))?)?;
            self.session.set_output(Some(once));
            return Ok(Some(before));
        }
        // The results in one file stand behind each other.
        if self.view.output.is_none() {
            self.terminal.write_to(&self.view.target(None)?)?;
        }
        Ok(None)
    }

    /// Sends the results that follow to a file, or to standard output.
    pub(super) fn send_to(&mut self, file: Option<PathBuf>) -> Result<()> {
        self.terminal
            .write_to(&self.view.target(file.as_deref())?)?;
        self.session.set_output(file.clone());
        self.view.output = file;
        Ok(())
    }

    fn saved(&self) -> Saved {
        Saved {
            late: self.settings.output.late.is_some(),
            rejects: self.settings.output.rejects.is_some(),
            at_prompt: true,
        }
    }
}

/// `3 rows, 0.012 s`
fn timing(summary: &Summary, passed: Duration) -> String {
    let rows = match summary.rows_out {
        1 => "row",
        _ => "rows",
    };
    let count = thousands(summary.rows_out);
    format!("{count} {rows}, {:.3} s", passed.as_secs_f64())
}

/// What a query had done that was cancelled.
fn cancelled(summary: &Summary) -> String {
    let read = match summary.rows_read {
        0 => String::from("nothing was read"),
        1 => String::from("1 row read"),
        count => format!("{} rows read", thousands(count)),
    };
    match summary.open_windows {
        0 => read,
        1 => format!("{read}, 1 window or total was open"),
        count => format!("{read}, {} windows or totals were open", thousands(count)),
    }
}
