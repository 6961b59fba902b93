//! What people are told on stderr: errors, warnings, and at the end the summary of what was left out.
//!
//! ```text
//! warning: 312 of 10,000 rows were late and left out (worst 45.2s); --delay 46s keeps them all, --late FILE saves them
//! ```
//!
//! Invariants: errors are always said, warnings unless `-q`, notes only to a terminal or with `-v`; a run
//! with nothing to say writes nothing.

use std::io::{IsTerminal, Write};

use crate::data::print::number::thousands;
use crate::data::print::text::visible;
use crate::error::Error;
use crate::runtime::{FirstReject, Summary};
use crate::time::Interval;

use super::screen;
use super::snippet::{self, Look, Script};

/// When escape codes are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Also into a pipe.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether a stream may get escape codes. `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb` are honoured.
    pub fn on(self, is_terminal: bool) -> bool {
        self.decide(is_terminal, |name| std::env::var(name).ok())
    }

    fn decide(self, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto
                if variable("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0") =>
            {
                true
            }
            Color::Auto => is_terminal && variable("TERM").as_deref() != Some("dumb"),
        }
    }
}

/// How errors are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ErrorFormat {
    /// Drawn for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Something that people should know although the run goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warning {
    /// What is the matter.
    pub message: String,
    /// A file and line, if the matter has one.
    pub place: Option<(String, u64)>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// Things to do about it.
    pub helps: Vec<String>,
}

impl Warning {
    /// A warning without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Warning {
            message: message.into(),
            ..Warning::default()
        }
    }

    /// Shows one of the records that it is about.
    fn with_example(mut self, first: Option<&FirstReject>) -> Self {
        if let Some(first) = first {
            self.place = Some((first.source.clone(), first.line));
            self.notes.push(first.reason.clone());
            self.helps.extend(first.help.clone());
        }
        self
    }

    /// In the shape of an error, folded for a terminal of so many columns; ends with a newline.
    fn draw(&self, color: bool, columns: Option<usize>) -> String {
        let name = "warning: ";
        let room = columns.map(|columns| columns.saturating_sub(name.len()));
        let message = snippet::folded(&visible(&self.message), room);
        let message = message.replace('\n', &format!("\n{}", " ".repeat(name.len())));
        let paint = |codes: &str, text: &str| screen::painted(codes, text, color);
        let (yellow, blue, bold) = ("1;33", "1;34", "1");
        let mut out = format!("{}: {message}\n", paint(yellow, "warning"));
        if let Some((source, line)) = &self.place {
            let arrow = paint(blue, "-->");
            out.push_str(&format!("  {arrow} {}:{line}\n", visible(source)));
        }
        let sign = paint(blue, "=");
        for note in &self.notes {
            out.push_str(&format!("   {sign} {}\n", visible(note)));
        }
        for help in &self.helps {
            let name = paint(bold, "help");
            out.push_str(&format!("   {sign} {name}: {}\n", visible(help)));
        }
        out
    }

    fn json(&self) -> String {
        let object = serde_json::json!({
            "level": "warning",
            "message": self.message,
            "source": self.place.as_ref().map(|(source, _)| source),
            "line": self.place.as_ref().map(|(_, line)| line),
            "notes": self.notes,
            "helps": self.helps,
        });
        format!("{object}\n")
    }
}

/// Writes messages to stderr as the flags say.
#[derive(Debug, Clone, Copy)]
pub struct Messages {
    format: ErrorFormat,
    color: bool,
    quiet: bool,
    notes: bool,
    is_terminal: bool,
}

impl Messages {
    /// `verbose` is `-v`: notes also if stderr is no terminal.
    pub fn new(format: ErrorFormat, color: Color, quiet: bool, verbose: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let color = color.on(is_terminal);
        Messages {
            format,
            color,
            quiet,
            notes: !quiet && (verbose || is_terminal),
            is_terminal,
        }
    }

    /// The columns of the terminal that stderr is, if it is one.
    fn columns(&self) -> Option<usize> {
        let size = screen::size(std::io::stderr()).filter(|_| self.is_terminal);
        size.map(|(columns, _)| columns)
    }

    /// Says an error; `script` is the text that its span counts in.
    pub fn error(&self, error: &Error, script: Option<Script>) {
        let look = Look {
            color: self.color,
            columns: self.columns(),
        };
        say(&match self.format {
            ErrorFormat::Text => snippet::draw(error, script, look),
            ErrorFormat::Json => snippet::json(error, script),
        });
    }

    /// Says a warning, unless `-q`.
    pub fn warning(&self, warning: &Warning) {
        if !self.quiet {
            say(&match self.format {
                ErrorFormat::Text => warning.draw(self.color, self.columns()),
                ErrorFormat::Json => warning.json(),
            });
        }
    }

    /// Says how the run stands, to who asked.
    pub fn status(&self, text: &str) {
        self.answer("status", text);
    }

    /// Says what the user wants to know: of the kind `level`, in one line.
    pub fn answer(&self, level: &str, text: &str) {
        // It stands in the place of the `^C` that the terminal has shown.
        let begin = if self.is_terminal { "\r" } else { "" };
        say(&match self.format {
            ErrorFormat::Text => format!("{begin}{level}: {text}\n"),
            ErrorFormat::Json => {
                let line = serde_json::json!({"level": level, "message": text});
                format!("{line}\n")
            }
        });
    }

    /// Says who speaks, to a terminal.
    pub fn greet(&self, text: &str) {
        if self.is_terminal && !self.quiet && self.format == ErrorFormat::Text {
            say(&format!("{text}\n"));
        }
    }

    /// Says a note (a guess, a unit) to a terminal or with `-v`.
    pub fn note(&self, text: &str) {
        if self.notes {
            say(&match self.format {
                ErrorFormat::Text => format!("note: {text}\n"),
                ErrorFormat::Json => {
                    format!(
                        "{}\n",
                        serde_json::json!({"level": "note", "message": text})
                    )
                }
            });
        }
    }

    /// Says at the end of a run what was left out.
    pub fn summary(&self, summary: &Summary, saved: Saved) {
        if summary.older > 0 {
            // They were not asked for.
            let rows = of_rows(summary.older, summary);
            self.note(&format!("{rows} older than --from and left out"));
        }
        for warning in warnings(summary, saved) {
            self.warning(&warning);
        }
    }
}

/// If stderr is closed there is nobody to tell.
fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Which of the rows that were left out are saved already.
#[derive(Debug, Clone, Copy, Default)]
pub struct Saved {
    /// `--late` was given.
    pub late: bool,
    /// `--rejects` was given.
    pub rejects: bool,
    /// Flags are not to be had: settings are.
    pub at_prompt: bool,
}

impl Saved {
    /// How what is left out can be saved, if it is not.
    fn rejects_hint(self) -> &'static str {
        match self.rejects || self.at_prompt {
            true => "",
            false => "; --rejects FILE saves them",
        }
    }
}

/// The summary of what was left out, one warning for each kind.
pub fn warnings(summary: &Summary, saved: Saved) -> Vec<Warning> {
    let mut warnings = about_time(summary, saved);
    warnings.extend(about_rejects(summary, saved));
    for (what, &count) in &summary.expression_errors {
        let are = if count == 1 { "value is" } else { "values are" };
        let count = thousands(count);
        warnings.push(Warning {
            helps: vec!["--on-error fail stops at the first".to_owned()],
            ..Warning::new(format!(
                "{count} {are} NULL because of an expression error: {what}"
            ))
        });
    }
    if summary.mended > 0 {
        let what = format!(
            "{} not UTF-8 and got U+FFFD in some places",
            of_rows(summary.mended, summary)
        );
        let help = "--encoding latin1 reads them as Latin-1, --encoding strict rejects them";
        warnings.push(Warning {
            helps: vec![help.to_owned()],
            ..Warning::new(what)
        });
    }
    for (column, &count) in &summary.left_out {
        let what = format!(
            "{} read without the keys of `{column}` that its type does not name",
            of_rows(count, summary)
        );
        let help =
            format!("--types {column}=STRING keeps them, as JSON; a path such as a.key reads one");
        warnings.push(Warning {
            helps: vec![help],
            ..Warning::new(what)
        });
    }
    if let [first, ..] = summary.first_new_keys.as_slice() {
        let names: Vec<String> = (summary.first_new_keys.iter())
            .map(|key| format!("`{key}`"))
            .collect();
        let what = format!(
            "{} read without keys for which `*` has no column: {}",
            of_rows(summary.new_keys, summary),
            names.join(", ")
        );
        let help =
            format!("they came too late to be guessed: --types {first}=STRING makes a column");
        warnings.push(Warning {
            helps: vec![help],
            ..Warning::new(what)
        });
    }
    if summary.open_windows > 0 {
        let count = thousands(summary.open_windows);
        let (what, them) = match summary.open_windows {
            1 => ("window or total was", "it"),
            _ => ("windows or totals were", "them"),
        };
        warnings.push(Warning::new(format!(
            "{count} {what} still open and not printed; --on-interrupt emit prints {them}"
        )));
    }
    warnings
}

/// Late, partly late, untimed rows and held jumps.
fn about_time(summary: &Summary, saved: Saved) -> Vec<Warning> {
    let delay = Interval::from_nanoseconds(summary.suggested_delay_nanoseconds);
    let worst = seconds(summary.late_worst_nanoseconds);
    let mut warnings = Vec::new();
    if summary.late > 0 {
        let rows = of_rows(summary.late, summary);
        let save = if saved.late || saved.at_prompt {
            ""
        } else {
            ", --late FILE saves them"
        };
        // What the clock closed is closed however long the delay is.
        let keep = match summary.pauses {
            0 if saved.at_prompt => format!("SET delay = '{delay}' keeps them all"),
            0 => format!("--delay {delay} keeps them all"),
            1 => String::from("its input was quiet once: a longer --idle-timeout waits for them"),
            _ => format!(
                "inputs were quiet {} times: a longer --idle-timeout waits for them",
                thousands(summary.pauses)
            ),
        };
        warnings.push(Warning::new(format!(
            "{rows} late and left out (worst {worst}); {keep}{save}"
        )));
    }
    if summary.partly_late > 0 {
        let rows = of_rows(summary.partly_late, summary);
        warnings.push(Warning::new(format!(
            "{rows} late for some windows and counted in the others (worst {worst}); \
             --delay {delay} counts them in all"
        )));
    }
    if summary.unfilled_rows > 0 {
        let rows = of_rows(summary.unfilled_rows, summary);
        let windows = match summary.unfilled_windows {
            1 => String::from("a count window that was"),
            many => format!("{} count windows that were", thousands(many)),
        };
        warnings.push(Warning::new(format!(
            "{rows} left over at the end, in {windows} not full"
        )));
    }
    if summary.untimed > 0 {
        let rows = of_rows(summary.untimed, summary);
        let save = saved.rejects_hint();
        let warning = Warning::new(format!("{rows} left out for want of a readable time{save}"));
        warnings.push(warning.with_example(summary.first_untimed.as_ref()));
    }
    if summary.jumps > 0 {
        let rows = of_rows(summary.jumps, summary);
        let help = "--max-jump DUR moves the limit, --max-jump 0 lifts it";
        warnings.push(Warning {
            helps: vec![help.to_owned()],
            ..Warning::new(format!(
                "{rows} too far ahead of the others and did not move the watermark"
            ))
        });
    }
    warnings
}

/// `3 of 10,000 rows were`.
fn of_rows(count: u64, summary: &Summary) -> String {
    let were = if summary.rows_read == 1 {
        "row was"
    } else {
        "rows were"
    };
    format!(
        "{} of {} {were}",
        thousands(count),
        thousands(summary.rows_read)
    )
}

fn about_rejects(summary: &Summary, saved: Saved) -> Option<Warning> {
    if summary.rejected == 0 {
        return None;
    }
    let rows = of_rows(summary.rejected, summary);
    let save = saved.rejects_hint();
    let warning = Warning::new(format!("{rows} rejected{save}"));
    Some(warning.with_example(summary.first_reject.as_ref()))
}

/// A length of time for people: `45.2s`, `1m15.5s`; milliseconds at most, unless there is less.
fn seconds(nanoseconds: i128) -> String {
    const SECOND: i128 = 1_000_000_000;
    if nanoseconds < SECOND / 1_000 {
        return Interval::from_nanoseconds(nanoseconds).to_string();
    }
    let whole = nanoseconds / SECOND;
    let minutes = match whole / 60 {
        0 => String::new(),
        minutes => Interval::from_nanoseconds(minutes * 60 * SECOND).to_string(),
    };
    let rest = format!("{}.{:03}", whole % 60, nanoseconds % SECOND / 1_000_000);
    let rest = rest.trim_end_matches('0').trim_end_matches('.');
    match (minutes.is_empty(), rest) {
        (false, "0") => minutes,
        _ => format!("{minutes}{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(summary: Summary, saved: Saved, expected: &[&str]) {
        let drawn: Vec<String> = warnings(&summary, saved)
            .iter()
            .map(|w| w.draw(false, None))
            .collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn what_was_left_out_is_told() {
        check(
            Summary {
                rows_read: 5,
                ..Summary::default()
            },
            Saved::default(),
            &[],
        );
        let mut summary = Summary {
            rows_read: 10_000,
            late: 311,
            ..Summary::default()
        };
        summary.late_row(45_200_000_000, 1_000);
        let text = "warning: 312 of 10,000 rows were late and left out (worst 45.2s); --delay 46s keeps them all";
        check(
            summary.clone(),
            Saved::default(),
            &[&format!("{text}, --late FILE saves them\n")],
        );
        check(
            summary,
            Saved {
                late: true,
                ..Saved::default()
            },
            &[&format!("{text}\n")],
        );
        check(
            Summary {
                rows_read: 10,
                rejected: 3,
                first_reject: Some(FirstReject {
                    source: "app.log".into(),
                    line: 17,
                    reason: "column `bytes`: \"1\u{1b}2x\" is no BIGINT".into(),
                    help: Some("--types bytes=STRING".into()),
                }),
                untimed: 1,
                ..Summary::default()
            },
            Saved::default(),
            &[
                "warning: 1 of 10 rows were left out for want of a readable time; --rejects FILE saves them\n",
                "warning: 3 of 10 rows were rejected; --rejects FILE saves them\n  --> app.log:17\n   \
                 = column `bytes`: \"1\\u{1b}2x\" is no BIGINT\n   = help: --types bytes=STRING\n",
            ],
        );
    }

    #[test]
    fn numbers_and_lengths_read_well() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), expected);
        }
        for (ms, expected) in [
            (45_200, "45.2s"),
            (5_000, "5s"),
            (250, "0.25s"),
            (75_500, "1m15.5s"),
            (3_600_000, "1h"),
        ] {
            assert_eq!(seconds(ms * 1_000_000), expected);
        }
        assert_eq!(seconds(1_500), "1us500ns");
    }

    #[test]
    fn colors_follow_the_environment() {
        for (color, terminal, variables, expected) in [
            (Color::Auto, true, &[][..], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            (Color::Auto, true, &[("NO_COLOR", "")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ] {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                color.decide(terminal, find),
                expected,
                "{color:?} {variables:?}"
            );
        }
    }
}
