//! The host of a session on the command line: shows results, gives standard input, says notes.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::display::{self, Format};
use super::messages::Messages;
use super::output_file;
use super::screen;
use super::script_file::read_text;
use super::settings::Settings;
use super::watch::{ProgressWhen, Watch};
use super::writer::{self, Writer};
use crate::connect::{ByteSource, StdinSource};
use crate::error::{Error, Result};
use crate::runtime::interrupt::Interrupts;
use crate::runtime::{ForSinks, RowWriter};
use crate::session::{Host, Note, OpenRows, ResultInfo, ResultSink, RunProgress, SinkSpec};

/// Standard output (or a file) and standard error.
pub struct Terminal<'a> {
    shown: Shown,
    how: How,
    messages: &'a Messages,
    stdin_taken: bool,
    interrupts: Option<Arc<Interrupts>>,
    /// The guesses that the user has been told of: once is enough.
    told: BTreeSet<String>,
    /// Standard input is where statements are typed.
    at_prompt: bool,
}

/// Where results go, and how they are shown there.
pub struct Shown {
    writer: Writer,
    options: display::Options,
    watch: Watch,
    /// Windows that a signal leaves open are shown, marked as such.
    shows_open: bool,
}

/// What flags say of how results are shown, wherever they go.
struct How {
    options: display::Options,
    /// Colors, where results go to a terminal.
    color: bool,
    live: bool,
    progress: ProgressWhen,
    quiet: bool,
}

/// Where results go, and in which format.
#[derive(Debug, Clone, Copy)]
pub struct Target<'t> {
    /// `None` is standard output.
    pub file: Option<&'t Path>,
    /// The file is appended to.
    pub append: bool,
    /// `None` for what suits the place.
    pub format: Option<&'static Format>,
}

impl<'a> Terminal<'a> {
    /// Chooses the output.
    ///
    /// # Errors
    /// Its format is not for a terminal, or cannot be appended to.
    pub fn new(settings: &Settings, messages: &'a Messages) -> Result<Self> {
        let said = &settings.output;
        if let (None, Some(path)) = (said.format, &said.file)
            && let Some(remark) = output_file::remark(path)
        {
            messages.note(&remark);
        }
        let how = How {
            options: display::Options {
                null_value: said.null_value.clone(),
                header: said.header,
                max_rows: said.max_rows,
                ..display::Options::default()
            },
            color: settings.messages.color.on(true),
            live: said.live,
            progress: settings.messages.progress,
            quiet: settings.messages.quiet,
        };
        Ok(Terminal {
            shown: how.shown(&said.target())?,
            how,
            messages,
            stdin_taken: false,
            interrupts: None,
            told: BTreeSet::new(),
            at_prompt: false,
        })
    }

    /// Sends the results that follow to another place, or anew to the same. Gives where they went before, for
    /// [`Terminal::restore`].
    ///
    /// # Errors
    /// As [`Terminal::new`].
    pub fn write_to(&mut self, target: &Target<'_>) -> Result<Shown> {
        let mut shown = self.how.shown(target)?;
        let outside = ForSinks(self.interrupts.clone());
        shown.writer.listen(Box::new(outside));
        Ok(std::mem::replace(&mut self.shown, shown))
    }

    /// Sends the results that follow to where they went before.
    pub fn restore(&mut self, before: Shown) {
        self.shown = before;
    }

    /// The user has been told of a guess.
    pub fn know_guess(&mut self, text: &str) {
        self.told.insert(guess_text(text));
    }

    /// Standard input is where statements are typed, and no input of theirs.
    pub fn begin_prompt(&mut self) {
        (self.at_prompt, self.stdin_taken) = (true, true);
    }

    /// The run has ended that read so many rows in so long, if that is to be told.
    pub fn end_progress(&mut self, rows: u64, elapsed: Duration) {
        self.shown.watch.end(rows, elapsed);
    }

    /// Takes what shows how a run goes from the screen.
    pub fn erase(&mut self) {
        self.shown.watch.erase();
    }

    /// Listens to signals while an output takes no more.
    pub fn listen(&mut self, interrupts: Arc<Interrupts>) {
        let outside = ForSinks(Some(Arc::clone(&interrupts)));
        self.shown.writer.listen(Box::new(outside));
        self.interrupts = Some(interrupts);
    }

    /// SQL from standard input, which is taken then.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_sql(&mut self) -> Result<String> {
        self.stdin_taken = true;
        read_text(io::stdin().lock(), "SQL from stdin")
    }
}

impl How {
    /// What writes to the target.
    fn shown(&self, target: &Target<'_>) -> Result<Shown> {
        let is_terminal = target.file.is_none() && io::stdout().is_terminal();
        let format = match target.format {
            Some(format) => format,
            None => display::format_named(if is_terminal { "table" } else { "csv" })?,
        };
        if format.is_binary && is_terminal {
            return Err(
                Error::usage(format!("{} is not for a terminal", format.name))
                    .help("write it to a file with -o, or to a program with |"),
            );
        }
        let options = display::Options {
            width: is_terminal.then(terminal_width).flatten(),
            on_terminal: is_terminal,
            color: is_terminal && self.color,
            ..self.options.clone()
        };
        let to_people = is_terminal && !format.is_binary;
        Ok(Shown {
            writer: match target.file {
                None => Writer::stdout(format, options.clone()),
                Some(path) => Writer::file(path, target.append, format, options.clone())?,
            },
            options,
            watch: Watch::new(self.live, self.progress, to_people, self.quiet, self.color),
            shows_open: to_people,
        })
    }
}

/// A guess as it is compared with others.
fn guess_text(text: &str) -> String {
    text.trim_end_matches([';', '\n']).to_owned()
}

impl Terminal<'_> {
    /// Lays out what comes for the terminal as it is now.
    fn fit(&mut self) {
        if let Some(columns) = self.shown.options.width.and_then(|_| terminal_width()) {
            self.shown.writer.resize(columns);
        }
    }
}

/// The columns of the terminal.
fn terminal_width() -> Option<u16> {
    let (columns, _) = screen::size(io::stdout())?;
    u16::try_from(columns).ok()
}

impl Host for Terminal<'_> {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        self.shown.watch.begin(schema, info)?;
        self.shown.writer.begin(schema, info)
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        self.shown.watch.erase();
        self.shown.watch.rows(rows)?;
        self.shown.writer.rows(rows)
    }

    fn flush(&mut self) -> Result<()> {
        if self.shown.writer.has_news() {
            self.shown.watch.erase();
        }
        self.shown.writer.flush()
    }

    fn end(&mut self) -> Result<()> {
        self.shown.watch.erase();
        self.fit();
        self.shown.writer.end()
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        // What is drawn beside open windows needs the rows themselves.
        match self.shown.watch.is_live() {
            true => None,
            false => self.shown.writer.row_writer(),
        }
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.shown.watch.erase();
        self.shown.writer.text(text)
    }

    fn sink(&mut self, spec: &SinkSpec) -> Result<Box<dyn ResultSink>> {
        if (&spec.format, &spec.socket) == (&None, &None)
            && let Ok(None) = output_file::format_of(&spec.path)
            && let Some(remark) = output_file::remark(&spec.path)
        {
            self.messages.note(&remark);
        }
        let outside = ForSinks(self.interrupts.clone());
        writer::sink(spec, self.shown.options.clone(), Box::new(outside))
    }

    fn stdin(&mut self) -> Option<Box<dyn ByteSource>> {
        if self.stdin_taken || io::stdin().is_terminal() {
            return None;
        }
        self.stdin_taken = true;
        Some(Box::new(StdinSource::new()))
    }

    fn no_stdin(&self) -> Error {
        let what = "the query reads `stdin`, and standard input is a terminal";
        if self.at_prompt {
            return Error::usage(what)
                .help("quote a path in FROM: SELECT * FROM 'app.log'")
                .help("FILEs behind `tumble` are the table `input`: tumble app.log");
        }
        Error::usage(what)
            .help("pipe records into it, name a FILE behind the query, or quote a path in FROM")
    }

    fn note(&mut self, note: Note) {
        self.shown.watch.erase();
        match note {
            Note::Guess(text) => {
                if self.told.insert(guess_text(&text)) {
                    let note = format!("guessed from the first bytes:\n{text}");
                    self.messages.note(&note);
                }
            }
            Note::Remark(text) => self.messages.note(&text),
            Note::Waiting(text) => self.messages.note(&text),
            Note::Status(text) => self.messages.status(&text),
            Note::Said(notice) if notice.is_warning => {
                let warning = super::messages::Warning::new(notice.text);
                self.messages.warning(&warning);
            }
            Note::Said(notice) => self.messages.note(&notice.text),
            Note::Unseen(text) => self.messages.warning(&super::messages::Warning::new(text)),
        }
    }

    fn watches(&self) -> bool {
        self.shown.watch.is_wanted()
    }

    fn progress(&mut self, progress: &RunProgress, open: OpenRows<'_>) -> Result<()> {
        self.fit();
        let writer = &self.shown.writer;
        (self.shown.watch).draw(progress, open, &|rows| writer.preview(rows))
    }

    fn left_open(&mut self, open: OpenRows<'_>) -> Result<()> {
        if !self.shown.shows_open {
            return Ok(());
        }
        self.shown.watch.erase();
        if self.at_prompt {
            // The first of them stands in the place of the `^C` that the terminal has shown.
            self.shown.writer.text(b"\r")?;
        }
        for rows in open()? {
            self.shown.writer.settle(&rows)?;
            let shown = self.shown.writer.preview(&rows)?;
            let color = self.shown.options.color;
            let mark = |row: String| screen::dim(&format!("{row}  (open)"), color) + "\n";
            let head = shown.head.into_iter().map(|line| line + "\n");
            let lines: String = head.chain(shown.rows.into_iter().map(mark)).collect();
            self.shown.writer.text(lines.as_bytes())?;
        }
        self.shown.writer.flush()
    }
}
