//! The host of a session on the command line: shows results, gives standard input, says notes.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::display;
use super::messages::Messages;
use super::output_file;
use super::settings::Settings;
use super::watch::Watch;
use super::writer::{self, Writer};
use crate::connect::{ByteSource, Reason, StdinSource};
use crate::error::{Error, Result};
use crate::runtime::interrupt::Interrupts;
use crate::runtime::{ForSinks, RowWriter};
use crate::session::{Host, Note, OpenRows, ResultInfo, ResultSink, RunProgress, SinkSpec};

/// Standard output (or the file of `-o`) and standard error.
pub struct Terminal<'a> {
    writer: Writer,
    options: display::Options,
    messages: &'a Messages,
    watch: Watch,
    /// Windows that a signal leaves open are shown, marked as such.
    shows_open: bool,
    stdin_taken: bool,
    interrupts: Option<Arc<Interrupts>>,
}

impl<'a> Terminal<'a> {
    /// Chooses the output.
    ///
    /// # Errors
    /// Its format is not for a terminal, or cannot be appended to.
    pub fn new(settings: &Settings, messages: &'a Messages) -> Result<Self> {
        let said = &settings.output;
        let is_terminal = said.file.is_none() && io::stdout().is_terminal();
        let format = match said.format {
            Some(format) => format,
            None => display::format_named(if is_terminal { "table" } else { "csv" })?,
        };
        if format.is_binary && is_terminal {
            return Err(
                Error::usage(format!("{} is not for a terminal", format.name))
                    .help("write it to a file with -o, or to a program with |"),
            );
        }
        if let (None, Some(path)) = (said.format, &said.file)
            && let Some(remark) = output_file::remark(path)
        {
            messages.note(&remark);
        }
        let width = is_terminal.then(terminal_width).flatten();
        let options = display::Options {
            null_value: said.null_value.clone(),
            header: said.header,
            max_rows: said.max_rows,
            width,
            color: is_terminal && settings.messages.color.on(true),
            whole_file: false,
        };
        Ok(Terminal {
            writer: match &said.file {
                None => Writer::stdout(format, options.clone()),
                Some(path) => Writer::file(path, said.append, format, options.clone())?,
            },
            options,
            messages,
            shows_open: is_terminal && !format.is_binary,
            watch: Watch::new(
                said.live,
                settings.messages.progress,
                is_terminal && !format.is_binary,
                settings.messages.quiet,
            ),
            stdin_taken: false,
            interrupts: None,
        })
    }

    /// Listens to signals while an output takes no more.
    pub fn listen(&mut self, interrupts: Arc<Interrupts>) {
        let outside = ForSinks(Some(Arc::clone(&interrupts)));
        self.writer.listen(Box::new(outside));
        self.interrupts = Some(interrupts);
    }

    /// SQL from standard input, which is taken then.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_sql(&mut self) -> Result<String> {
        self.stdin_taken = true;
        let mut text = String::new();
        let read = io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Error::outside("cannot read SQL from stdin", Reason(&error)))?;
        Ok(text)
    }
}

impl Terminal<'_> {
    /// Lays out what comes for the terminal as it is now.
    fn fit(&mut self) {
        if let Some(columns) = self.options.width.and_then(|_| terminal_width()) {
            self.writer.resize(columns);
        }
    }
}

/// The columns of the terminal.
fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| size.ws_col)
        .filter(|n| *n > 0)
}

impl Host for Terminal<'_> {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        self.watch.begin(schema, info)?;
        self.writer.begin(schema, info)
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        self.watch.erase();
        self.watch.rows(rows)?;
        self.writer.rows(rows)
    }

    fn flush(&mut self) -> Result<()> {
        if self.writer.has_news() {
            self.watch.erase();
        }
        self.writer.flush()
    }

    fn end(&mut self) -> Result<()> {
        self.watch.erase();
        self.fit();
        self.writer.end()
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        // What is drawn beside open windows needs the rows themselves.
        match self.watch.is_live() {
            true => None,
            false => self.writer.row_writer(),
        }
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.watch.erase();
        self.writer.text(text)
    }

    fn sink(&mut self, spec: &SinkSpec) -> Result<Box<dyn ResultSink>> {
        if (&spec.format, &spec.socket) == (&None, &None)
            && let Ok(None) = output_file::format_of(&spec.path)
            && let Some(remark) = output_file::remark(&spec.path)
        {
            self.messages.note(&remark);
        }
        let outside = ForSinks(self.interrupts.clone());
        writer::sink(spec, self.options.clone(), Box::new(outside))
    }

    fn stdin(&mut self) -> Option<Box<dyn ByteSource>> {
        if self.stdin_taken || io::stdin().is_terminal() {
            return None;
        }
        self.stdin_taken = true;
        Some(Box::new(StdinSource::new()))
    }

    fn note(&mut self, note: Note) {
        self.watch.erase();
        match note {
            Note::Guess(text) => self
                .messages
                .note(&format!("guessed from the first bytes:\n{text}")),
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
        self.watch.is_wanted()
    }

    fn progress(&mut self, progress: &RunProgress, open: OpenRows<'_>) -> Result<()> {
        self.fit();
        let writer = &self.writer;
        (self.watch).draw(progress, open, &|rows| writer.preview(rows))
    }

    fn left_open(&mut self, open: OpenRows<'_>) -> Result<()> {
        if !self.shows_open {
            return Ok(());
        }
        self.watch.erase();
        for rows in open()? {
            self.writer.settle(&rows)?;
            let shown = self.writer.preview(&rows)?;
            let mark = |row: String| match self.options.color {
                true => format!("\u{1b}[2m{row}  (open)\u{1b}[0m\n"),
                false => format!("{row}  (open)\n"),
            };
            let head = shown.head.into_iter().map(|line| line + "\n");
            let lines: String = head.chain(shown.rows.into_iter().map(mark)).collect();
            self.writer.text(lines.as_bytes())?;
        }
        self.writer.flush()
    }
}
