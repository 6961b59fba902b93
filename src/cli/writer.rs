//! Writes results in one format to standard output, a file or a socket.
//!
//! ```text
//!   rows ─► display ─► buffer ─► stdout, FILE, socket       handed out when the buffer is full or nothing more comes
//! ```
//!
//! Invariants: a file is created, a socket connected when its first result begins; an error names it. Each write
//! is whole rows.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::display::{self, Display};
use crate::connect::{Notice, Outside, Reason, RecordEnds, SocketSink};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::RowWriter;
use crate::session::{ResultInfo, ResultSink, SinkSpec};

/// Bytes that are written at once, where nobody waits for them.
const BUFFER_BYTES: usize = 64 << 10;

enum Out {
    Stdout(io::Stdout),
    /// A query that cannot be planned leaves the file as it is.
    Unopened {
        path: PathBuf,
        append: bool,
    },
    File(PathBuf, File),
    Socket(Box<SocketSink>),
}

/// A place for results and their format.
pub(super) struct Writer {
    out: Out,
    buffer: Vec<u8>,
    format: &'static display::Format,
    options: display::Options,
    display: Option<Box<dyn Display>>,
}

impl Writer {
    /// What writes to standard output.
    pub(super) fn stdout(format: &'static display::Format, options: display::Options) -> Self {
        Writer::new(Out::Stdout(io::stdout()), format, options)
    }

    /// What writes to a file.
    ///
    /// # Errors
    /// Rows cannot be put behind others in the format.
    pub(super) fn file(
        path: &Path,
        append: bool,
        format: &'static display::Format,
        options: display::Options,
    ) -> Result<Self> {
        if append && format.is_binary {
            let what = format!("{} cannot be appended to", path.display());
            let why = format!("a file of {} has one beginning and one end", format.name);
            return Err(Error::usage(what).note(why).help("write another file"));
        }
        let path = path.to_path_buf();
        let options = display::Options {
            whole_file: path.extension().is_some_and(|ending| ending != "arrows"),
            ..options
        };
        Ok(Writer::new(Out::Unopened { path, append }, format, options))
    }

    fn new(out: Out, format: &'static display::Format, options: display::Options) -> Self {
        Writer {
            out,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            format,
            options,
            display: None,
        }
    }

    /// Opens the file, once a result begins.
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
        let refused =
            |error| Error::outside(format!("cannot write {}", path.display()), Reason(&error));
        let mut file = open.open(path).map_err(refused)?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        if *append && length > 0 && lacks_newline(path) {
            // Rows never go on in a line that somebody left without an end.
            file.write_all(b"\n").map_err(refused)?;
        }
        self.options.header &= !(*append && length > 0);
        self.out = Out::File(path.clone(), file);
        Ok(())
    }

    /// The rows of a result that has no end follow as previews.
    ///
    /// # Errors
    /// For columns of another type.
    pub(super) fn settle(&mut self, rows: &RecordBatch) -> Result<()> {
        match &mut self.display {
            Some(display) => display.settle(rows, &mut self.buffer),
            None => Ok(()),
        }
    }

    /// The terminal that rows go to has so many columns now.
    pub(super) fn resize(&mut self, columns: u16) {
        if let Some(display) = &mut self.display {
            display.resize(columns);
        }
    }

    /// The lines that show rows which may still change, as the result is shown.
    ///
    /// # Errors
    /// For columns of another type.
    pub(super) fn preview(&self, rows: &RecordBatch) -> Result<display::Preview> {
        match &self.display {
            Some(display) => display.preview(rows),
            None => Ok(display::Preview::default()),
        }
    }

    /// True if there is something to be handed out.
    pub(super) fn has_news(&mut self) -> bool {
        if let Some(display) = &mut self.display {
            display.flush(&mut self.buffer);
        }
        !self.buffer.is_empty()
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
            Out::Socket(socket) => return socket.write(bytes),
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

/// True if the last line of a file has no end, as far as that can be read.
fn lacks_newline(path: &Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        io::Result::Ok(last != *b"\n")
    };
    last().unwrap_or(false)
}

impl ResultSink for Writer {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        self.open()?;
        if self.display.is_none() {
            self.display = Some((self.format.display)(self.options.clone()));
        }
        if let Some(display) = &mut self.display {
            display.begin(schema, info, &mut self.buffer)?;
        }
        if let Out::Socket(socket) = &mut self.out {
            // A datagram stands for itself.
            if !socket.sends_messages() {
                socket.greet(&self.buffer);
            }
            self.buffer.clear();
            return socket.open();
        }
        self.written()
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        if let Some(display) = &mut self.display {
            display.rows(rows, &mut self.buffer)?;
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

    fn flush(&mut self) -> Result<()> {
        self.has_news();
        self.write_buffer()
    }

    fn end(&mut self) -> Result<()> {
        if let Some(display) = &mut self.display {
            display.end(&mut self.buffer)?;
        }
        if let Out::Socket(_) = &self.out {
            self.write_buffer()?;
        }
        if let Out::Socket(socket) = &mut self.out {
            socket.finish();
        }
        self.written()
    }

    fn notice(&mut self) -> Option<Notice> {
        match &mut self.out {
            Out::Socket(socket) => socket.notice(),
            _ => None,
        }
    }
}

/// What writes the file or socket of an INSERT.
///
/// # Errors
/// There is no such format, or it cannot be appended to, or not cut into records.
pub(super) fn sink(
    spec: &SinkSpec,
    options: display::Options,
    outside: Box<dyn Outside>,
) -> Result<Box<dyn ResultSink>> {
    if let Some((address, of_socket)) = &spec.socket {
        let format = display::format_named(spec.format.as_deref().unwrap_or("ndjson"))?;
        let ends = match format.name {
            "ndjson" | "tsv" => RecordEnds::Newline,
            "csv" => RecordEnds::Quoted,
            name => {
                let what = format!("`{address}`: {name} is not written to a socket");
                let help = "a socket takes rows one by one: format = 'ndjson', 'csv' or 'tsv'";
                return Err(Error::unsupported(what).help(help));
            }
        };
        let socket = SocketSink::new(address, of_socket, ends, outside)?;
        let options = display::Options {
            header: spec.header && !socket.sends_messages(),
            ..of_file(spec, options)
        };
        return Ok(Box::new(Writer::new(
            Out::Socket(Box::new(socket)),
            format,
            options,
        )));
    }
    let format = match &spec.format {
        Some(name) => display::format_named(name)?,
        None => match display::format_of_file(&spec.path) {
            Some(format) => format,
            None => display::format_named("csv")?,
        },
    };
    let options = of_file(spec, options);
    Ok(Box::new(Writer::file(
        &spec.path,
        spec.append,
        format,
        options,
    )?))
}

/// How rows look where no terminal shows them.
fn of_file(spec: &SinkSpec, options: display::Options) -> display::Options {
    display::Options {
        header: spec.header,
        width: None,
        color: false,
        ..options
    }
}
