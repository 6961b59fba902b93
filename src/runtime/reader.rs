//! One input file read record by record: bytes in, decoded chunks out.
//!
//! ```text
//!   buffer  [ consumed | whole records │ begun record |        free        ]
//!                      start           └ splitter     end
//! ```
//!
//! Invariants: a chunk is decoded as soon as nothing more can be read without waiting; the buffer holds
//! at most a block and the longest record that is allowed.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::wait::{Idle, Ready, Waiter};
use crate::connect::{ByteSource, FileSource};
use crate::error::{Error, Result};
use crate::format::{DecodeSpec, Decoder, Format, Split, Splitter, TooLong, csv_records};

/// Bytes that are decoded at once, where that many are there.
const BLOCK_BYTES: usize = 1 << 20;

/// What a table is read from.
#[derive(Debug)]
pub struct Input {
    /// Its files in order.
    pub files: Vec<InputFile>,
    /// How their records are written.
    pub format: Format,
    /// The columns to decode.
    pub decode: DecodeSpec,
    /// The number of the time column among those, by which several files are merged.
    pub merge_by: Option<usize>,
    /// True if the texts of records are wanted, for `--late` and `--rejects`.
    pub keep_texts: bool,
}

/// A file of an input.
pub enum InputFile {
    /// Still to be opened.
    Path(String),
    /// Open, with what was read for the guess.
    Opened(Opened),
}

/// An open input and its first bytes.
pub struct Opened {
    /// The input.
    pub source: Box<dyn ByteSource>,
    /// What has been read and not consumed.
    pub bytes: Vec<u8>,
    /// True if that is all.
    pub at_end: bool,
}

impl std::fmt::Debug for InputFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InputFile::Path(path) => write!(f, "Path({path})"),
            InputFile::Opened(opened) => write!(f, "Opened({})", opened.source.name()),
        }
    }
}

impl InputFile {
    /// The open file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(self) -> Result<Opened> {
        match self {
            InputFile::Opened(opened) => Ok(opened),
            InputFile::Path(path) => Ok(Opened {
                source: Box::new(FileSource::open(&path)?),
                bytes: Vec::new(),
                at_end: false,
            }),
        }
    }
}

/// Decoded records.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The good ones.
    pub rows: RecordBatch,
    /// Per good one: its number in the chunk.
    pub records: Vec<u32>,
    /// The bad ones: number in the chunk, and what is wrong.
    pub rejects: Vec<(u32, Rejected)>,
    /// How many records, good and bad.
    pub record_count: u32,
    /// The numbers of records that were mended.
    pub mended: Vec<u32>,
    /// The texts of the records, if they are wanted.
    pub texts: Option<Arc<Texts>>,
}

/// A record that could not be decoded.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    /// The line it begins on, from 1.
    pub line: u64,
    pub reason: String,
    pub help: Option<String>,
    pub text: Vec<u8>,
}

/// The texts of the records of a chunk.
#[derive(Debug)]
pub(super) struct Texts {
    block: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Texts {
    /// The text of a record by its number in the chunk, without its newline.
    pub(super) fn get(&self, record: u32) -> &[u8] {
        let range = self.ranges.get(record as usize).cloned().unwrap_or(0..0);
        let text = self.block[range].trim_ascii_end();
        // Blank lines before a record are nobody's.
        let begin = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
        &text[begin.unwrap_or(text.len())..]
    }
}

/// What reading gives.
pub(super) enum Read {
    Chunk(Chunk),
    End,
    Stop,
}

/// Reads one file.
pub(super) struct Reader {
    source: Box<dyn ByteSource>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    format: Format,
    splitter: Box<dyn Splitter>,
    decoder: Option<Arc<dyn Decoder>>,
    decode: DecodeSpec,
    lines: u64,
    keep_texts: bool,
}

impl Reader {
    pub(super) fn new(opened: Opened, input: &Input) -> Self {
        let end = opened.bytes.len();
        Reader {
            source: opened.source,
            buffer: opened.bytes,
            start: 0,
            end,
            at_end: opened.at_end,
            splitter: input.format.splitter(),
            format: input.format.clone(),
            decoder: None,
            decode: input.decode.clone(),
            lines: 0,
            keep_texts: input.keep_texts,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.source.name()
    }

    /// The next records; waits only when there are none.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Read> {
        loop {
            if waiter.stopped().is_some() {
                return Ok(Read::Stop);
            }
            if self.has_decoder()? {
                let bytes = &self.buffer[self.start..self.end];
                match self.splitter.split(bytes, self.at_end) {
                    Split::Head { bytes, lines } => {
                        self.start += bytes;
                        self.lines += lines;
                        continue;
                    }
                    Split::Block(length) if length > 0 => {
                        return self.decode(length).map(Read::Chunk);
                    }
                    Split::Skip(length, too_long) => {
                        self.start += length;
                        if let Some(too_long) = too_long {
                            return self.too_long(&too_long).map(Read::Chunk);
                        }
                        if length > 0 {
                            continue;
                        }
                    }
                    Split::Block(_) | Split::More => {}
                }
            }
            if self.at_end {
                return Ok(Read::End);
            }
            if let Ready::Stop(_) = waiter.wait(self.source.as_ref(), idle)? {
                return Ok(Read::Stop);
            }
            self.fill(waiter)?;
        }
    }

    /// Binds the decoder to the header of this file; false if that has not been read yet.
    fn has_decoder(&mut self) -> Result<bool> {
        if self.decoder.is_some() {
            return Ok(true);
        }
        let bytes = &self.buffer[self.start..self.end];
        if bytes.is_empty() && self.at_end {
            return Ok(false);
        }
        let Some(bound) = self.format.bound_to(bytes, self.at_end) else {
            return Ok(false);
        };
        let decoder = bound
            .decoder(&self.decode)
            .map_err(|error| error.note(format!("in {}", self.source.name())))?;
        self.decoder = Some(decoder);
        self.format = bound;
        Ok(true)
    }

    /// Reads until the block is full or reading would wait.
    fn fill(&mut self, waiter: &Waiter<'_>) -> Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        // A record longer than a block needs more room, and keeps what it has.
        let wanted = BLOCK_BYTES.max(self.end * 2);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    if waiter.stopped().is_some() {
                        break;
                    }
                    continue;
                }
                Err(error) => {
                    let what = format!("cannot read {}", self.source.name());
                    return Err(Error::outside(what, crate::connect::Reason(&error)));
                }
            }
            if !waiter.is_ready(self.source.as_ref()) {
                break;
            }
        }
        Ok(())
    }

    fn decode(&mut self, length: usize) -> Result<Chunk> {
        let decoder = self
            .decoder
            .as_ref()
            .ok_or_else(|| Error::internal("no decoder"))?;
        let block = &self.buffer[self.start..self.start + length];
        let decoded = decoder.decode(block)?;
        let line = self.lines + 1;
        let rejects = decoded
            .rejects
            .into_iter()
            .map(|reject| {
                let rejected = Rejected {
                    line: line + reject.line,
                    reason: reject.reason,
                    help: reject.help,
                    text: reject.text,
                };
                (reject.record, rejected)
            })
            .collect();
        let texts = self
            .keep_texts
            .then(|| Arc::new(texts(&self.format, block)));
        self.start += length;
        self.lines += decoded.line_count;
        Ok(Chunk {
            rows: decoded.rows,
            records: decoded.records,
            rejects,
            record_count: decoded.record_count,
            mended: decoded.mended,
            texts,
        })
    }

    fn too_long(&mut self, too_long: &TooLong) -> Result<Chunk> {
        let decoder = self
            .decoder
            .as_ref()
            .ok_or_else(|| Error::internal("no decoder"))?;
        let limit = self.format.max_record_bytes() >> 20;
        let limit = match limit {
            0 => format!("{} bytes", self.format.max_record_bytes()),
            limit => format!("{limit} MiB"),
        };
        let rejected = Rejected {
            line: self.lines + 1,
            reason: format!("the record is longer than {limit} (--max-record)"),
            help: None,
            text: too_long.beginning.clone(),
        };
        self.lines += too_long.lines;
        Ok(Chunk {
            rows: RecordBatch::new_empty(decoder.schema()),
            records: Vec::new(),
            rejects: vec![(0, rejected)],
            record_count: 1,
            mended: Vec::new(),
            texts: None,
        })
    }
}

/// Finds the texts of the records of a block once more: only where they are asked for.
fn texts(format: &Format, block: &[u8]) -> Texts {
    let mut ranges = Vec::new();
    match format {
        Format::Csv(options) => {
            let mut from = 0;
            for (_, end) in csv_records(block, options.delimiter, true, usize::MAX) {
                ranges.push(from..end);
                from = end;
            }
        }
        Format::Ndjson(_) => {
            let mut from = 0;
            for line in block.split_inclusive(|byte| *byte == b'\n') {
                // What is blank to the decoder.
                if !line
                    .iter()
                    .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
                {
                    ranges.push(from..from + line.len());
                }
                from += line.len();
            }
        }
    }
    Texts {
        block: block.to_vec(),
        ranges,
    }
}
