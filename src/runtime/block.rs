//! A block of whole records on its way from bytes to rows: any thread may decode it.
//!
//! ```text
//!   Reader ─► Block ── decode ─► Chunk: rows, rejects, texts       the buffer goes back to the reader
//! ```
//!
//! A block of an input that holds columns is a batch of rows in the place of bytes.
//!
//! Invariant: a chunk is a function of its block alone; where the block lies in its file is added afterwards,
//! in order.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;

use super::column_reader::Columns;
use super::metadata::{MetadataPlan, Origin};
use super::texts::Texts;
use crate::error::Result;
use crate::format::{Decoded, Decoder, Format, LeftOut, Reject, TooLong};

/// What is read at once and decoded by any thread.
pub(super) enum Block {
    Records(Records),
    Columns(Columns),
}

/// Whole records as they came, or one that was not read.
pub(super) struct Records {
    pub(super) contents: Contents,
    pub(super) format: Arc<Format>,
    /// Lines before it that belong to no record.
    pub(super) head_lines: u64,
    pub(super) keep_texts: bool,
    /// The columns of metadata behind those of the decoder.
    pub(super) metadata: Arc<MetadataPlan>,
    pub(super) origin: Box<Origin>,
    pub(super) spare: Spare,
}

/// What a block holds.
pub(super) enum Contents {
    Records(Arc<dyn Decoder>, Buffer),
    Unread(Box<Unread>),
}

/// A record that no decoder sees.
pub(super) struct Unread {
    /// Why.
    pub(super) reason: String,
    /// Its beginning.
    pub(super) text: Vec<u8>,
    /// Lines that it is.
    pub(super) lines: u64,
    /// The columns of the decoder, were there one.
    pub(super) schema: SchemaRef,
}

/// Decoded records.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The good ones.
    pub(super) rows: RecordBatch,
    /// Per good one: its number in the chunk.
    pub(super) records: Vec<u32>,
    /// The bad ones: number in the chunk, and what is wrong.
    pub(super) rejects: Vec<(u32, Rejected)>,
    /// How many records, good and bad.
    pub(super) record_count: u32,
    /// The numbers of records that were mended.
    pub(super) mended: Vec<u32>,
    /// Rows of which keys were left out, with the column.
    pub(super) left_out: Vec<(u32, LeftOut)>,
    /// The first good one with a time that cannot be read: its number, and the time.
    pub(super) untimed: Option<(u32, Rejected)>,
    /// The texts of the records, if they are wanted.
    pub(super) texts: Option<Arc<Texts>>,
    /// Where it is from.
    pub(super) origin: Origin,
    /// Lines before it that belong to no record, and its own.
    pub(super) line_count: u64,
}

/// A record that could not be decoded.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    /// The line it begins on, from 1: of its chunk, until [`Chunk::number_lines`].
    pub(super) line: u64,
    pub(super) reason: String,
    pub(super) help: Option<String>,
    pub(super) text: Vec<u8>,
}

/// What is known of the records of a block besides their fields.
pub(super) struct Known {
    /// Lines before them that belong to no record.
    pub(super) head_lines: u64,
    /// Where they are; only if the metadata needs it, or they are kept.
    pub(super) texts: Option<Texts>,
    pub(super) keep_texts: bool,
    pub(super) origin: Origin,
}

impl Block {
    /// Bytes in it.
    pub(super) fn len(&self) -> usize {
        match self {
            Block::Records(records) => match &records.contents {
                Contents::Records(_, bytes) => bytes.len(),
                Contents::Unread(_) => 0,
            },
            Block::Columns(columns) => columns.len(),
        }
    }

    /// Where it is from.
    pub(super) fn origin(&mut self) -> &mut Origin {
        match self {
            Block::Records(records) => &mut records.origin,
            Block::Columns(columns) => &mut columns.origin,
        }
    }

    /// Its records.
    ///
    /// # Errors
    /// Those of the decoder; a bad record is none.
    pub(super) fn decode(self) -> Result<Chunk> {
        match self {
            Block::Records(records) => records.decode(),
            Block::Columns(columns) => columns.decode(),
        }
    }
}

impl Records {
    fn decode(self) -> Result<Chunk> {
        let (decoder, bytes) = match self.contents {
            Contents::Records(decoder, bytes) => (decoder, bytes),
            Contents::Unread(unread) => {
                let texts = (self.keep_texts).then(|| Arc::new(Texts::of_unread()));
                return unread.reject(&self.metadata, self.head_lines, texts, *self.origin);
            }
        };
        let decoded = decoder.decode(&bytes)?;
        let wants_texts = self.keep_texts || self.metadata.needs_texts();
        let known = Known {
            head_lines: self.head_lines,
            texts: wants_texts.then(|| Texts::find(&self.format, &bytes)),
            keep_texts: self.keep_texts,
            origin: *self.origin,
        };
        let chunk = Chunk::of(decoded, known, &self.metadata)?;
        self.spare.give_back(bytes);
        Ok(chunk)
    }
}

impl Unread {
    /// The longest text of a cut record that is kept, in bytes.
    const LONGEST_BYTES: usize = 200;

    /// A record that was skipped, because it is longer than `limit_bytes`.
    pub(super) fn too_long(too_long: TooLong, limit_bytes: usize, schema: SchemaRef) -> Self {
        let limit = match limit_bytes >> 20 {
            0 => format!("{limit_bytes} bytes"),
            limit => format!("{limit} MiB"),
        };
        Unread {
            reason: format!("the record is longer than {limit} (--max-record)"),
            text: too_long.beginning,
            lines: too_long.lines,
            schema,
        }
    }

    /// A record of which only `bytes` came.
    pub(super) fn cut(reason: String, bytes: &[u8], schema: SchemaRef) -> Self {
        let text = bytes.trim_ascii_end();
        Unread {
            reason,
            text: text[..text.len().min(Self::LONGEST_BYTES)].to_vec(),
            lines: 1,
            schema,
        }
    }

    /// The one reject that it is.
    pub(super) fn reject(
        self,
        metadata: &MetadataPlan,
        head_lines: u64,
        texts: Option<Arc<Texts>>,
        origin: Origin,
    ) -> Result<Chunk> {
        let rejected = Rejected {
            line: head_lines + 1,
            reason: self.reason,
            help: None,
            text: self.text,
        };
        let rows = RecordBatch::new_empty(self.schema);
        Ok(Chunk {
            rows: metadata.add_to(&rows, &[], Some(&Texts::default()), &origin)?,
            records: Vec::new(),
            rejects: vec![(0, rejected)],
            record_count: 1,
            mended: Vec::new(),
            left_out: Vec::new(),
            untimed: None,
            texts,
            origin,
            line_count: head_lines + self.lines,
        })
    }
}

impl Chunk {
    /// What was decoded of records, and what is known of them.
    pub(super) fn of(decoded: Decoded, known: Known, metadata: &MetadataPlan) -> Result<Self> {
        let numbered = |reject: Reject| {
            let rejected = Rejected {
                line: known.head_lines + 1 + reject.line,
                reason: reject.reason,
                help: reject.help,
                text: reject.text,
            };
            (reject.record, rejected)
        };
        let rejects = decoded.rejects.into_iter().map(numbered);
        let (records, texts) = (&decoded.records, known.texts.as_ref());
        Ok(Chunk {
            rows: metadata.add_to(&decoded.rows, records, texts, &known.origin)?,
            records: decoded.records,
            rejects: rejects.collect(),
            record_count: decoded.record_count,
            mended: decoded.mended,
            left_out: decoded.left_out,
            untimed: decoded.untimed.map(numbered),
            texts: known.texts.filter(|_| known.keep_texts).map(Arc::new),
            origin: known.origin,
            line_count: known.head_lines + decoded.line_count,
        })
    }

    /// Numbers the lines of rejects as those of the file, of which `lines` came before; counts its own to them.
    pub(super) fn number_lines(&mut self, lines: &mut u64) {
        for (_, rejected) in self.rejects.iter_mut().chain(&mut self.untimed) {
            rejected.line += *lines;
        }
        *lines += self.line_count;
    }
}

/// Buffers that nobody needs any more, for the reader to fill again: fresh memory costs a page fault each 4 KiB.
#[derive(Debug, Clone, Default)]
pub(super) struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    const MOST: usize = 4;
    /// A buffer that grew with one long record is not kept.
    const LARGEST_BYTES: usize = 4 << 20;

    /// A buffer of at least `length` bytes, whatever is in them.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_default();
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        buffer
    }

    /// Keeps the memory of a block, if no column refers to it.
    fn give_back(&self, block: Buffer) {
        let Ok(buffer) = block.into_vec::<u8>() else {
            return;
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < Self::MOST && buffer.capacity() <= Self::LARGEST_BYTES {
            kept.push(buffer);
        }
    }
}
