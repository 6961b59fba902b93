//! The host of a session on the command line: shows results, gives standard input, says notes.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::display::{self, Display};
use super::messages::Messages;
use super::settings::Settings;
use crate::connect::{ByteSource, Reason, StdinSource};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::RowWriter;
use crate::session::{Host, Note, ResultInfo};

/// Bytes that are written at once, where nobody waits for them.
const BUFFER_BYTES: usize = 64 << 10;

enum Out {
    Stdout(io::Stdout),
    /// A query that cannot be planned leaves the file of `-o` as it is.
    Unopened {
        path: PathBuf,
        append: bool,
    },
    File(PathBuf, File),
}

/// Standard output (or the file of `-o`) and standard error.
pub struct Terminal<'a> {
    out: Out,
    buffer: Vec<u8>,
    format: &'static display::Format,
    options: display::Options,
    display: Option<Box<dyn Display>>,
    messages: &'a Messages,
    stdin_taken: bool,
}

impl<'a> Terminal<'a> {
    /// Opens the output.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn new(settings: &Settings, messages: &'a Messages) -> Result<Self> {
        let said = &settings.output;
        let is_terminal = said.file.is_none() && io::stdout().is_terminal();
        let out = match &said.file {
            None => Out::Stdout(io::stdout()),
            Some(path) => Out::Unopened {
                path: path.clone(),
                append: said.append,
            },
        };
        let format = match said.format {
            Some(format) => format,
            None => display::format_named(if is_terminal { "table" } else { "csv" })?,
        };
        let width = is_terminal.then(terminal_width).flatten();
        Ok(Terminal {
            out,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            format,
            options: display::Options {
                null_value: said.null_value.clone(),
                header: said.header,
                streaming: true,
                max_rows: said.max_rows,
                width,
                color: false,
            },
            display: None,
            messages,
            stdin_taken: false,
        })
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

    /// Opens the file of `-o`, once a result begins.
    fn open(&mut self) -> Result<()> {
        let Out::Unopened { path, append } = &self.out else {
            return Ok(());
        };
        let mut open = OpenOptions::new();
        open.create(true).write(true);
        let open = if *append {
            open.append(true)
        } else {
            open.truncate(true)
        };
        let file = open.open(path).map_err(|error| {
            Error::outside(format!("cannot write {}", path.display()), Reason(&error))
        })?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        self.options.header &= !(*append && length > 0);
        self.out = Out::File(path.clone(), file);
        Ok(())
    }

    fn write_buffer(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let written = self.write(&buffer);
        buffer.clear();
        self.buffer = buffer;
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.open()?;
        let (written, name) = match &mut self.out {
            Out::Stdout(stdout) => {
                let mut lock = stdout.lock();
                (
                    lock.write_all(bytes).and_then(|()| lock.flush()),
                    String::from("stdout"),
                )
            }
            Out::File(path, file) => (file.write_all(bytes), path.display().to_string()),
            Out::Unopened { path, .. } => (Ok(()), path.display().to_string()),
        };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::new(ErrorKind::Closed, "the reader has left"),
            _ => Error::outside(format!("cannot write {name}"), Reason(&error)),
        })
    }

    fn written(&mut self) -> Result<()> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_buffer()
        } else {
            Ok(())
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
        self.open()?;
        if self.display.is_none() {
            let options = display::Options {
                streaming: !info.finite,
                ..self.options.clone()
            };
            self.display = Some((self.format.display)(options));
        }
        if let Some(display) = &mut self.display {
            display.begin(schema, &mut self.buffer)?;
        }
        self.written()
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        if let Some(display) = &mut self.display {
            display.rows(rows, &mut self.buffer)?;
        }
        self.written()
    }

    fn flush(&mut self) -> Result<()> {
        self.write_buffer()
    }

    fn end(&mut self) -> Result<()> {
        if let Some(display) = &mut self.display {
            display.end(&mut self.buffer);
        }
        self.written()
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        self.display.as_ref()?.row_writer()
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        if text.len() >= BUFFER_BYTES {
            self.write_buffer()?;
            return self.write(text);
        }
        self.buffer.extend_from_slice(text);
        self.written()
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
            Note::Unseen(text) => self.messages.warning(&super::messages::Warning::new(text)),
        }
    }
}
