//! Writes results in one format to standard output, a file or a socket.
//!
//! ```text
//!   rows ─► display ─► buffer ─► stdout, FILE, socket       handed out when the buffer is full or nothing more comes
//! ```
//!
//! Invariants: a file is created, a socket connected when its first result begins; an error names it. Each write
//! is whole rows.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::display::{self, Display};
use super::output_file;
use crate::connect::{Notice, Outlet, Outside, Packer, Reason, RecordEnds, SocketSink};
use crate::data::print::text::write_visible_lines;
use crate::error::{Error, Result};
use crate::runtime::{ForSinks, RowWriter};
use crate::session::{ResultInfo, ResultSink, SinkSpec};

/// Bytes that are written at once, where nobody waits for them.
const BUFFER_BYTES: usize = 64 << 10;

enum Out {
    /// A query that cannot be planned leaves a file as it is.
    Unopened(Place, Box<dyn Outside>),
    Open(Box<Outlet>, Option<Box<Packer>>),
    Socket(Box<SocketSink>),
}

enum Place {
    Stdout,
    File { path: PathBuf, append: bool },
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
        let out = Out::Unopened(Place::Stdout, Box::new(ForSinks(None)));
        Writer::new(out, format, options)
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
        output_file::packer_of(&path, format)?;
        let place = Place::File { path, append };
        let out = Out::Unopened(place, Box::new(ForSinks(None)));
        Ok(Writer::new(out, format, options))
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

    /// Hears of the world before anything is written.
    pub(super) fn listen(&mut self, to: Box<dyn Outside>) {
        if let Out::Unopened(_, outside) = &mut self.out {
            *outside = to;
        }
    }

    /// Opens the output, once a result with this header begins.
    fn open(&mut self, header: &[u8]) -> Result<&mut Out> {
        if let Out::Unopened(place, outside) = &mut self.out {
            let outside = std::mem::replace(outside, Box::new(ForSinks(None)));
            let ends = record_ends(self.format);
            let (outlet, packer) = match place {
                Place::Stdout => (Outlet::stdout(ends, outside)?, None),
                Place::File { path, append } => {
                    let packer = output_file::packer_of(path, self.format)?;
                    let (file, is_begun) = match append {
                        true => output_file::open_behind(path, self.format, header)?,
                        false => (output_file::create(path)?, false),
                    };
                    self.options.header &= !is_begun;
                    let ends = ends.filter(|_| packer.is_none());
                    (Outlet::file(path, file, ends, outside), packer)
                }
            };
            self.out = Out::Open(Box::new(outlet), packer.map(Box::new));
        }
        Ok(&mut self.out)
    }

    /// The line that tells the columns of a result, where the format has one.
    fn header(&self, schema: &SchemaRef, info: &ResultInfo) -> Result<Vec<u8>> {
        let mut header = Vec::new();
        if self.options.header && matches!(self.format.name, "csv" | "tsv") {
            (self.format.display)(self.options.clone()).begin(schema, info, &mut header)?;
        }
        Ok(header)
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

    /// On a terminal nothing in the data moves the cursor; formats that are drawn take care of that themselves.
    fn for_people<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let is_plain = matches!(self.format.name, "csv" | "tsv");
        match std::str::from_utf8(bytes) {
            Ok(lines) if is_plain && self.options.on_terminal => {
                let mut shown = Vec::with_capacity(bytes.len());
                write_visible_lines(lines, &mut shown);
                Cow::Owned(shown)
            }
            _ => Cow::Borrowed(bytes),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let bytes = self.for_people(bytes);
        let bytes = bytes.as_ref();
        match self.open(&[])? {
            Out::Open(outlet, None) => outlet.write(bytes),
            Out::Open(outlet, Some(packer)) => {
                let packed = packer.write(bytes).map_err(cannot_compress)?;
                outlet.write(&packed)
            }
            Out::Socket(socket) => socket.write(bytes),
            Out::Unopened(..) => Err(Error::internal("an output that is not open")),
        }
    }

    /// Writes what a packer still has.
    fn pack(&mut self, give: impl FnOnce(&mut Packer) -> std::io::Result<Vec<u8>>) -> Result<()> {
        match &mut self.out {
            Out::Open(outlet, Some(packer)) => {
                let packed = give(packer).map_err(cannot_compress)?;
                outlet.write(&packed)
            }
            _ => Ok(()),
        }
    }

    fn written(&mut self) -> Result<()> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_buffer()
        } else {
            Ok(())
        }
    }
}

fn cannot_compress(error: std::io::Error) -> Error {
    Error::outside("cannot compress the result", Reason(&error))
}

/// Where the records of a format end; `None` if they are no lines.
fn record_ends(format: &display::Format) -> Option<RecordEnds> {
    match format.name {
        "csv" => Some(RecordEnds::Quoted),
        _ if format.is_binary => None,
        _ => Some(RecordEnds::Newline),
    }
}

impl ResultSink for Writer {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        let header = self.header(schema, info)?;
        self.open(&header)?;
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
        self.write_buffer()?;
        self.pack(Packer::flush)
    }

    fn end(&mut self) -> Result<()> {
        if let Some(display) = &mut self.display {
            display.end(&mut self.buffer)?;
        }
        match &self.out {
            Out::Socket(_) => {
                self.write_buffer()?;
                if let Out::Socket(socket) = &mut self.out {
                    socket.finish();
                }
                Ok(())
            }
            Out::Open(_, Some(_)) => {
                self.write_buffer()?;
                self.pack(Packer::end)
            }
            _ => self.written(),
        }
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
        None => match output_file::format_of(&spec.path)? {
            Some(format) => format,
            None => display::format_named("csv")?,
        },
    };
    let mut writer = Writer::file(&spec.path, spec.append, format, of_file(spec, options))?;
    writer.listen(outside);
    Ok(Box::new(writer))
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
