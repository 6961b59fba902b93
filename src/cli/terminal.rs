//! The host of a session on the command line: shows results, gives standard input, says notes.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::display;
use super::messages::Messages;
use super::settings::Settings;
use super::writer::{self, Writer};
use crate::connect::{ByteSource, Reason, StdinSource};
use crate::error::{Error, Result};
use crate::runtime::interrupt::Interrupts;
use crate::runtime::{ForSinks, RowWriter};
use crate::session::{Host, Note, ResultInfo, ResultSink, SinkSpec};

/// Standard output (or the file of `-o`) and standard error.
pub struct Terminal<'a> {
    writer: Writer,
    options: display::Options,
    messages: &'a Messages,
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
        let width = is_terminal.then(terminal_width).flatten();
        let options = display::Options {
            null_value: said.null_value.clone(),
            header: said.header,
            streaming: true,
            max_rows: said.max_rows,
            width,
            color: false,
            whole_file: false,
        };
        Ok(Terminal {
            writer: match &said.file {
                None => Writer::stdout(format, options.clone()),
                Some(path) => Writer::file(path, said.append, format, options.clone())?,
            },
            options,
            messages,
            stdin_taken: false,
            interrupts: None,
        })
    }

    /// Listens to signals while a socket takes no more.
    pub fn listen(&mut self, interrupts: Arc<Interrupts>) {
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

/// The columns of the terminal.
fn terminal_width() -> Option<u16> {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| size.ws_col)
        .filter(|n| *n > 0)
}

impl Host for Terminal<'_> {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        self.writer.begin(schema, info)
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        self.writer.rows(rows)
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }

    fn end(&mut self) -> Result<()> {
        self.writer.end()
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        self.writer.row_writer()
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.writer.text(text)
    }

    fn sink(&mut self, spec: &SinkSpec) -> Result<Box<dyn ResultSink>> {
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
}
