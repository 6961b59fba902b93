//! What a table is read from, and one input of it read: records block by block, or columns batch by batch.
//!
//! ```text
//!   Input ─► files or what comes and goes ─► Reader ─► blocks
//!                                             ├ records   record_reader.rs
//!                                             └ columns   column_reader.rs
//! ```

use std::io;
use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use super::block::{Block, Spare};
use super::column_reader::ColumnReader;
use super::live_sample::Live;
use super::metadata::MetadataPlan;
use super::record_reader::RecordReader;
use super::wait::{Idle, Waiter};
use crate::connect::{self, ByteSource, Compression, Ending, open_file};
use crate::error::Result;
use crate::exec::expression::Expression;
use crate::format::{DecodeSpec, Format};

/// What a table is read from.
#[derive(Debug)]
pub struct Input {
    /// Where its records are.
    pub inputs: Inputs,
    /// How their bytes are compressed.
    pub compression: Compression,
    /// How their records are written.
    pub format: Format,
    /// The columns to decode.
    pub decode: DecodeSpec,
    /// The time over those, by which several files are merged.
    pub merge_by: Option<Expression>,
    /// How many bytes are decoded at once, where that many are there.
    pub block_bytes: usize,
    /// True if the texts of records are wanted, for `--late` and `--rejects`.
    pub keep_texts: bool,
    /// When the session began, in seconds since 1970.
    pub now_seconds: i64,
    /// The columns of what else is known of records.
    pub metadata: Arc<MetadataPlan>,
}

/// Where the records of a table are.
#[derive(Debug)]
pub enum Inputs {
    /// Files in order.
    Files(Vec<InputFile>),
    /// What comes and goes while the query runs.
    Live(Live),
}

impl Inputs {
    /// How many bytes there are to be read, if all are files that lie there whole.
    pub(super) fn size_bytes(&self) -> Option<u64> {
        let Inputs::Files(files) = self else {
            return None;
        };
        let size = |file: &InputFile| {
            let path = match file {
                InputFile::Path(path) => path,
                InputFile::Opened(opened) => match opened.source.path() {
                    Some(path) => path,
                    None => return opened.source.whole().map(|whole| whole.length()),
                },
            };
            connect::size_bytes(path)
        };
        files.iter().map(size).sum()
    }
}

impl Default for Inputs {
    fn default() -> Self {
        Inputs::Files(Vec::new())
    }
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

/// The first bytes of a table, by which its format and columns are guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// True if their input has ended behind them.
    pub at_end: bool,
    /// The name of that input.
    pub source: String,
}

impl std::fmt::Debug for InputFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InputFile::Path(path) => write!(f, "Path({path})"),
            InputFile::Opened(opened) => write!(f, "Opened({})", opened.source.name()),
        }
    }
}

impl Opened {
    /// Nothing of `source` has been read.
    pub fn new(source: Box<dyn ByteSource>) -> Self {
        Opened {
            source,
            bytes: Vec::new(),
            at_end: false,
        }
    }

    /// Reads once, at most so many bytes, behind what was read; how many those were, 0 at the end. `None` if nothing
    /// came of what was there, or a signal came.
    ///
    /// # Errors
    /// Those of the input.
    pub fn read_some(&mut self, room_bytes: usize) -> io::Result<Option<usize>> {
        let length = self.bytes.len();
        self.bytes.resize(length + room_bytes, 0);
        let read = self.source.read(&mut self.bytes[length..]);
        self.bytes.truncate(length + read.as_ref().unwrap_or(&0));
        match read {
            Ok(count) => {
                self.at_end = count == 0;
                Ok(Some(count))
            }
            Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl InputFile {
    /// The open file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(self, compression: Compression) -> Result<Opened> {
        match self {
            InputFile::Opened(opened) => Ok(opened),
            InputFile::Path(path) => Ok(Opened::new(open_file(&path, compression)?)),
        }
    }
}

/// What reading gives.
pub(super) enum Read {
    Block(Block),
    End,
    Stop,
    /// It would have to wait, and nobody allowed that.
    Later,
}

/// Whether reading may wait for input; then who hears of it.
pub(super) type Patience<'a> = Option<&'a mut dyn FnMut(Idle) -> Result<()>>;

/// Reads one input.
pub(super) enum Reader {
    Records(Box<RecordReader>),
    Columns(Box<ColumnReader>),
}

impl Reader {
    /// A reader from the beginning of a file.
    ///
    /// # Errors
    /// Those of its format.
    pub(super) fn new(opened: Opened, input: &Input, spare: &Spare) -> Result<Self> {
        Ok(match &input.format {
            Format::Columnar(format) => {
                Reader::Columns(Box::new(ColumnReader::new(opened, format.kind, input)))
            }
            _ => Reader::Records(Box::new(RecordReader::new(opened, input, spare)?)),
        })
    }

    /// A reader of one input among others, which may break while the query goes on.
    ///
    /// # Errors
    /// Those of its format.
    pub(super) fn of_live(opened: Opened, input: &Input, spare: &Spare) -> Result<Self> {
        Ok(match &input.format {
            Format::Columnar(format) => {
                Reader::Columns(Box::new(ColumnReader::of_live(opened, format.kind, input)))
            }
            _ => Reader::Records(Box::new(RecordReader::of_live(opened, input, spare)?)),
        })
    }

    /// What to wait for before reading.
    pub(super) fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Reader::Records(reader) => reader.wait_for(),
            Reader::Columns(reader) => reader.wait_for(),
        }
    }

    /// Until when nothing may come, if not for ever.
    pub(super) fn quiet_until(&mut self, now: Duration) -> Option<Duration> {
        match self {
            Reader::Records(reader) => reader.quiet_until(now),
            Reader::Columns(reader) => reader.quiet_until(now),
        }
    }

    /// How it ended, once it has.
    pub(super) fn ending(&self) -> &Ending {
        match self {
            Reader::Records(reader) => reader.ending(),
            Reader::Columns(reader) => reader.ending(),
        }
    }

    /// How much is here of a record that has not ended.
    pub(super) fn begun_bytes(&self) -> usize {
        match self {
            Reader::Records(reader) => reader.begun_bytes(),
            Reader::Columns(_) => 0,
        }
    }

    /// Ends it as if it broke within the record that it has begun.
    pub(super) fn give_up(&mut self, reason: String) {
        match self {
            Reader::Records(reader) => reader.give_up(reason),
            Reader::Columns(_) => {}
        }
    }

    /// What messages call it.
    pub(super) fn name(&self) -> Arc<str> {
        match self {
            Reader::Records(reader) => reader.name(),
            Reader::Columns(reader) => reader.name(),
        }
    }

    /// The next block; waits only when there is none, and only with `patience`.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Read> {
        match self {
            Reader::Records(reader) => reader.next(waiter, patience),
            Reader::Columns(reader) => reader.next(waiter, patience),
        }
    }
}
