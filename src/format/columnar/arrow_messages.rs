//! Arrow IPC as it comes: bytes cut into messages, and of those the batches of rows.
//!
//! ```text
//!   [ARROW1␀␀]  │FF FF FF FF│length│ metadata │ body │  │FF FF FF FF│length│ … │FF FF FF FF│0│  [index, ARROW1]
//!    of a file    └──────────── a message ─────────┘                              end
//! ```
//!
//! A message is a schema, a dictionary (read at once: batches behind it refer to it) or a batch (which any
//! thread reads). Behind the end of a stream another one with the same columns may follow, as `cat` leaves it.
//!
//! Invariants: nothing is looked at before its message is whole; a message is at most [`MOST_BYTES`] long, also
//! when it is decompressed, and has no more rows than its bytes may hold.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Message, MessageHeader, root_as_message};

use super::guard::guarded;
use crate::error::{Error, Result};

const FILE_MAGIC: &[u8] = b"ARROW1\0\0";
const CONTINUATION: [u8; 4] = [0xFF; 4];
/// The largest message: offsets of texts are 32 bits wide, and so are most batches.
const MOST_BYTES: u64 = 2 << 30;
/// Rows that a batch may have beyond one in each bit of it.
const FREE_ROWS: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct ArrowMessages {
    part: Part,
    /// What has come of it.
    bytes: Vec<u8>,
    is_file: bool,
    schema: Option<SchemaRef>,
    dictionaries: Arc<HashMap<i64, ArrayRef>>,
}

/// What comes next.
#[derive(Debug)]
enum Part {
    /// Eight bytes, which may be the magic of a file.
    Beginning,
    /// Four bytes: a continuation, or a length as old writers put it.
    Prefix,
    Length,
    Metadata(usize),
    Body(Buffer, usize),
    /// Of a file: nothing that we need.
    Index,
}

/// The rows of a batch, still to be read.
#[derive(Debug)]
pub struct ArrowBatch {
    metadata: Buffer,
    body: Buffer,
    schema: SchemaRef,
    dictionaries: Arc<HashMap<i64, ArrayRef>>,
    /// As its message says; reading it finds out.
    row_count: u32,
}

impl Default for ArrowMessages {
    fn default() -> Self {
        ArrowMessages {
            part: Part::Beginning,
            bytes: Vec::new(),
            is_file: false,
            schema: None,
            dictionaries: Arc::default(),
        }
    }
}

impl ArrowMessages {
    /// The columns, once they have come.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Takes bytes from the front of `input` until it is empty or a batch is whole.
    ///
    /// # Errors
    /// They are no Arrow.
    pub fn take(&mut self, input: &mut &[u8]) -> Result<Option<ArrowBatch>> {
        loop {
            let wanted = self.part.length();
            // Four bytes of it came with its length, where that is no continuation: more than it may have.
            let length = wanted.saturating_sub(self.bytes.len()).min(input.len());
            let (now, later) = input.split_at(length);
            *input = later;
            if matches!(self.part, Part::Index) {
                return Ok(None);
            }
            self.bytes.extend_from_slice(now);
            if self.bytes.len() < wanted {
                return Ok(None);
            }
            let bytes = std::mem::take(&mut self.bytes);
            if let Some(batch) = self.step(bytes)? {
                return Ok(Some(batch));
            }
        }
    }

    /// True if the first bytes of an input show a whole batch, or that something is wrong. The part that they end
    /// within is not copied: whoever looks again at each read does not look at its bytes.
    pub fn show_rows(bytes: &[u8]) -> bool {
        let (mut messages, mut rest) = (ArrowMessages::default(), bytes);
        loop {
            let missing = (messages.part.length()).saturating_sub(messages.bytes.len());
            let Some((mut part, behind)) = rest.split_at_checked(missing) else {
                return false;
            };
            rest = behind;
            if !matches!(messages.take(&mut part), Ok(None)) {
                return true;
            }
        }
    }

    /// All bytes have come.
    ///
    /// # Errors
    /// More should have.
    pub fn end(&self) -> Result<()> {
        let is_between = self.bytes.is_empty() && matches!(self.part, Part::Prefix);
        let is_nothing = self.bytes.is_empty() && matches!(self.part, Part::Beginning);
        match self.part {
            Part::Index => Ok(()),
            // A stream may end without saying so.
            _ if is_nothing || (is_between && !self.is_file) => Ok(()),
            _ if self.schema.is_none() => Err(Error::data(
                "it is no Arrow IPC, or ends in the middle of its columns",
            )),
            _ => Err(Error::data("it ends in the middle: the rest is missing")),
        }
    }

    /// What a whole part makes of it.
    fn step(&mut self, bytes: Vec<u8>) -> Result<Option<ArrowBatch>> {
        let part = std::mem::replace(&mut self.part, Part::Prefix);
        match part {
            Part::Beginning if bytes == FILE_MAGIC => self.is_file = true,
            Part::Beginning => {
                let (prefix, length) = bytes.split_at(4);
                if prefix == CONTINUATION {
                    self.begin_message(length)?;
                } else {
                    self.begin_message(prefix)?;
                    self.bytes = length.to_vec();
                }
            }
            Part::Prefix if bytes == CONTINUATION => self.part = Part::Length,
            Part::Prefix | Part::Length => self.begin_message(&bytes)?,
            Part::Metadata(_) => {
                let metadata = Buffer::from_vec(bytes);
                let length = body_length(&metadata)?;
                if length > 0 {
                    self.part = Part::Body(metadata, length);
                } else {
                    return self.message(metadata, Buffer::default());
                }
            }
            Part::Body(metadata, _) => return self.message(metadata, Buffer::from_vec(bytes)),
            Part::Index => self.part = Part::Index,
        }
        Ok(None)
    }

    fn begin_message(&mut self, length: &[u8]) -> Result<()> {
        let length = length.try_into().map(u32::from_le_bytes).unwrap_or(0);
        if length == 0 {
            // Zeros behind the magic fill up to where the writer lets messages begin.
            if self.is_file && self.schema.is_some() {
                self.part = Part::Index;
            }
            return Ok(());
        }
        if u64::from(length) > MOST_BYTES {
            return Err(too_long());
        }
        self.part = Part::Metadata(length as usize);
        Ok(())
    }

    fn message(&mut self, metadata: Buffer, body: Buffer) -> Result<Option<ArrowBatch>> {
        let (kind, rows) = guarded(|| {
            let message = message_of(&metadata)?;
            let rows = message
                .header_as_record_batch()
                .map_or(0, |batch| batch.length());
            Ok((message.header_type(), rows))
        })?;
        match kind {
            MessageHeader::Schema => self.begin_stream(&metadata)?,
            MessageHeader::DictionaryBatch => self.read_dictionary(&metadata, &body)?,
            MessageHeader::RecordBatch => {
                return Ok(Some(ArrowBatch {
                    schema: self.known_schema()?,
                    metadata,
                    body,
                    dictionaries: Arc::clone(&self.dictionaries),
                    row_count: u32::try_from(rows).unwrap_or(0),
                }));
            }
            _ => {}
        }
        Ok(None)
    }

    fn begin_stream(&mut self, metadata: &Buffer) -> Result<()> {
        let schema = guarded(|| {
            let message = message_of(metadata)?;
            let schema = message.header_as_schema().ok_or_else(broken)?;
            Ok(Arc::new(fb_to_schema(schema)))
        })?;
        let is_other = |known: &SchemaRef| known.fields() != schema.fields();
        if self.schema.as_ref().is_some_and(is_other) {
            return Err(Error::data("its columns change on the way"));
        }
        self.schema = Some(schema);
        self.dictionaries = Arc::default();
        Ok(())
    }

    fn known_schema(&self) -> Result<SchemaRef> {
        let missing = || Error::data("rows come before their columns");
        self.schema.clone().ok_or_else(missing)
    }

    fn read_dictionary(&mut self, metadata: &Buffer, body: &Buffer) -> Result<()> {
        let schema = self.known_schema()?;
        let dictionaries = Arc::make_mut(&mut self.dictionaries);
        guarded(|| {
            let message = message_of(metadata)?;
            let dictionary = message.header_as_dictionary_batch().ok_or_else(broken)?;
            check_size(dictionary.data().ok_or_else(broken)?, body)?;
            read_dictionary(body, dictionary, &schema, dictionaries, &message.version())
                .map_err(unreadable)
        })
    }
}

impl Part {
    /// How many bytes it has.
    fn length(&self) -> usize {
        match self {
            Part::Beginning => FILE_MAGIC.len(),
            Part::Prefix | Part::Length => 4,
            Part::Metadata(length) | Part::Body(_, length) => *length,
            Part::Index => usize::MAX,
        }
    }
}

impl ArrowBatch {
    /// How many bytes it came in.
    pub fn byte_count(&self) -> usize {
        self.body.len()
    }

    /// How many rows it has, if it can be read.
    pub fn row_count(&self) -> u32 {
        self.row_count
    }

    /// The columns of these numbers, rising.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, columns: &[usize]) -> Result<RecordBatch> {
        guarded(|| {
            let message = message_of(&self.metadata)?;
            let batch = message.header_as_record_batch().ok_or_else(broken)?;
            check_size(batch, &self.body)?;
            let (schema, version) = (Arc::clone(&self.schema), message.version());
            let dictionaries = &self.dictionaries;
            read_record_batch(
                &self.body,
                batch,
                schema,
                dictionaries,
                Some(columns),
                &version,
            )
            .map_err(unreadable)
        })
    }
}

fn message_of(metadata: &Buffer) -> Result<Message<'_>> {
    root_as_message(metadata).map_err(|error| broken().cause(error))
}

fn body_length(metadata: &Buffer) -> Result<usize> {
    let length = guarded(|| Ok(message_of(metadata)?.bodyLength()))?;
    match u64::try_from(length) {
        Ok(length) if length <= MOST_BYTES => Ok(length as usize),
        Ok(_) => Err(too_long()),
        Err(_) => Err(broken()),
    }
}

/// Refuses a batch that would take more memory than its bytes account for.
fn check_size(batch: arrow_ipc::RecordBatch<'_>, body: &Buffer) -> Result<()> {
    let mut bytes = body.len() as u64;
    if batch.compression().is_some() {
        // Each buffer begins with its length before it was compressed; -1: it was not.
        for buffer in batch.buffers().iter().flatten() {
            let from = usize::try_from(buffer.offset()).map_err(|_| broken())?;
            let prefix = body.get(from..).and_then(|rest| rest.first_chunk::<8>());
            let length = prefix.map_or(0, |prefix| i64::from_le_bytes(*prefix));
            bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(0));
        }
    }
    if bytes > MOST_BYTES {
        return Err(too_long());
    }
    match u64::try_from(batch.length()) {
        Ok(rows) if rows <= FREE_ROWS + 8 * bytes => Ok(()),
        _ => Err(broken()),
    }
}

fn too_long() -> Error {
    Error::data("a batch of it is larger than 2 GiB").help("write it in smaller batches")
}

fn broken() -> Error {
    Error::data("a message of it is broken")
}

fn unreadable(error: ArrowError) -> Error {
    Error::data("a batch of it cannot be read").cause(error)
}
