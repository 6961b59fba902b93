//! One input of columns read batch by batch: Arrow as it comes, Parquet once all of it is there.
//!
//! ```text
//!   Arrow    bytes as they come ─► messages ─► batch ─┐
//!   Parquet  file, or all of a pipe ─► rows ─► batch ─┴► block ─► columns of the query    any thread
//! ```
//!
//! Invariants: a batch goes out as soon as its last byte is there. Of Parquet, where its rows are stands at its
//! end; until then what comes through a pipe is kept (`whole.rs`).

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::block::{Block, Chunk, Known, Unread};
use super::metadata::{MetadataPlan, Origin};
use super::reader::{Input, Opened, Patience, Read};
use super::texts::Texts;
use super::wait::Waiter;
use super::whole::Gathering;
use crate::connect::{Ending, Reason, cannot_read};
use crate::error::{Error, Result};
use crate::format::{
    ArrowBatch, ArrowMessages, ColumnarDecoder, ColumnarKind, DecodeSpec, Decoded, ParquetFile,
    ParquetRows, RowTexts,
};
use crate::time::now_microseconds;

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 18;

/// A batch of rows as it was read.
pub(super) struct Columns {
    rows: Rows,
    /// The columns of what cannot be read, if the query goes on then.
    refused: Option<SchemaRef>,
    pub(super) origin: Box<Origin>,
    metadata: Arc<MetadataPlan>,
    keep_texts: bool,
}

enum Rows {
    Arrow(Arc<ColumnarDecoder>, ArrowBatch),
    Parquet(Arc<ColumnarDecoder>, RecordBatch),
    /// What an input broke within.
    Unread(String),
}

/// Reads a file of columns.
pub(super) struct ColumnReader {
    /// What was read of it is still to be looked at, from `start` on.
    opened: Opened,
    start: usize,
    /// Why there is no more: told behind the whole batches before it.
    failed: Option<Error>,
    kind: Kind,
    /// What has come of a Parquet file, until all has.
    gathering: Gathering,
    decode: DecodeSpec,
    decoder: Option<Arc<ColumnarDecoder>>,
    /// True if rows have texts, of all their columns.
    whole_rows: bool,
    keep_texts: bool,
    metadata: Arc<MetadataPlan>,
    /// Where the next batch is from. Its lines are rows.
    origin: Origin,
    reads_clock: bool,
    /// The query goes on when it breaks.
    may_break: bool,
    ending: Ending,
    /// There is nothing behind what it broke within.
    is_over: bool,
}

enum Kind {
    Arrow(ArrowMessages),
    Parquet(Option<ParquetRows>),
}

impl Rows {
    /// The columns of the query, and the texts of the rows if they are needed.
    fn decode(&self, needs_texts: bool) -> Result<(Decoded, Texts)> {
        let (decoder, batch) = match self {
            Rows::Arrow(decoder, batch) => (decoder, batch.read(decoder.columns())?),
            Rows::Parquet(decoder, batch) => (decoder, batch.clone()),
            Rows::Unread(reason) => return Err(Error::data(reason.clone())),
        };
        let texts = match needs_texts {
            true => texts(&batch)?,
            false => Texts::unmade(batch.num_rows()),
        };
        Ok((decoder.decode(&batch)?, texts))
    }

    fn count(&self) -> u32 {
        match self {
            Rows::Arrow(_, batch) => batch.row_count(),
            Rows::Parquet(_, batch) => batch.num_rows() as u32,
            Rows::Unread(_) => 1,
        }
    }
}

impl Columns {
    pub(super) fn len(&self) -> usize {
        match &self.rows {
            Rows::Arrow(_, batch) => batch.byte_count(),
            Rows::Parquet(_, batch) => batch.get_array_memory_size(),
            Rows::Unread(_) => 0,
        }
    }

    pub(super) fn decode(self) -> Result<Chunk> {
        let keep_texts = self.keep_texts;
        let needs_texts = keep_texts || self.metadata.needs_raw();
        let (decoded, texts) = match (self.rows.decode(needs_texts), self.refused) {
            (Ok(decoded), _) => decoded,
            (Err(error), None) => return Err(in_file(error, &self.origin.file)),
            (Err(error), Some(schema)) => {
                let unread = Unread {
                    reason: error.message().to_owned(),
                    text: Vec::new(),
                    lines: u64::from(self.rows.count()),
                    schema,
                };
                let texts = keep_texts.then(|| Arc::new(Texts::unmade(1)));
                return unread.reject(&self.metadata, 0, texts, *self.origin);
            }
        };
        let known = Known {
            head_lines: 0,
            texts: Some(texts),
            keep_texts,
            origin: *self.origin,
        };
        Chunk::of(decoded, known, &self.metadata)
    }
}

/// The texts of all rows of a batch.
fn texts(batch: &RecordBatch) -> Result<Texts> {
    let rows = RowTexts::new(batch)?;
    let (mut text, mut ranges) = (Vec::new(), Vec::with_capacity(batch.num_rows()));
    for row in 0..batch.num_rows() {
        let start = text.len();
        rows.write(row, &mut text)?;
        ranges.push(start..text.len());
    }
    Ok(Texts::made(text, ranges))
}

impl ColumnReader {
    pub(super) fn new(opened: Opened, kind: ColumnarKind, input: &Input) -> Self {
        let reads_clock = input.metadata.arrival().is_some();
        ColumnReader {
            origin: Origin::of(opened.source.name(), reads_clock),
            opened,
            start: 0,
            failed: None,
            kind: match kind {
                ColumnarKind::Arrow => Kind::Arrow(ArrowMessages::default()),
                ColumnarKind::Parquet => Kind::Parquet(None),
            },
            gathering: Gathering::default(),
            decode: input.decode.clone(),
            decoder: None,
            whole_rows: input.keep_texts || input.metadata.needs_raw(),
            keep_texts: input.keep_texts,
            metadata: Arc::clone(&input.metadata),
            reads_clock,
            may_break: false,
            ending: Ending::Whole,
            is_over: false,
        }
    }

    /// A reader of one input among others, which may break while the query goes on.
    pub(super) fn of_live(opened: Opened, kind: ColumnarKind, input: &Input) -> Self {
        ColumnReader {
            may_break: true,
            ..ColumnReader::new(opened, kind, input)
        }
    }

    /// What to wait for before reading.
    pub(super) fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        self.opened.source.wait_for()
    }

    /// Until when nothing may come, if not for ever.
    pub(super) fn quiet_until(&mut self, now: Duration) -> Option<Duration> {
        self.opened.source.quiet_until(now)
    }

    /// How it ended, once it has.
    pub(super) fn ending(&self) -> &Ending {
        &self.ending
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.origin.file)
    }

    /// The next rows; waits only when there are none, and only with `patience`.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Read> {
        loop {
            if waiter.stopped().is_some() {
                return Ok(Read::Stop);
            }
            if self.is_over {
                return Ok(Read::End);
            }
            let step = match self.kind {
                Kind::Arrow(_) => self.next_message(),
                Kind::Parquet(_) => self.next_rows(),
            };
            let step = match step {
                Err(error) if self.may_break => return Ok(self.refuse(&error)),
                step => step.map_err(|error| in_file(error, &self.origin.file))?,
            };
            match step {
                Step::Block(block) => return Ok(Read::Block(block)),
                Step::End => return Ok(Read::End),
                Step::More => {}
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if let Some(instead) = waiter.before_reading(self.opened.source.as_ref(), patience)? {
                return Ok(instead);
            }
            self.fill();
        }
    }

    fn fill(&mut self) {
        match self.opened.read_some(READ_BYTES) {
            Ok(_) => {}
            Err(error) if self.may_break => {
                self.opened.at_end = true;
                self.ending = Ending::Broken(Reason(&error).to_string());
            }
            Err(error) => self.failed = Some(cannot_read(self.opened.source.name(), &error)),
        }
        self.read_clock();
    }

    fn read_clock(&mut self) {
        if self.reads_clock {
            self.origin.arrival = now_microseconds();
        }
    }

    fn next_message(&mut self) -> Result<Step> {
        let Kind::Arrow(messages) = &mut self.kind else {
            return Err(Error::internal("messages of another format"));
        };
        let bytes = &mut self.opened.bytes;
        let mut input = &bytes[self.start..];
        let batch = messages.take(&mut input)?;
        self.start = bytes.len() - input.len();
        if let (None, Some(schema)) = (&self.decoder, messages.schema()) {
            let decoder = ColumnarDecoder::new(schema, &self.decode, self.whole_rows)?;
            self.decoder = Some(Arc::new(decoder));
        }
        if let (Some(batch), Some(decoder)) = (batch, self.decoder.clone()) {
            return Ok(Step::Block(self.block(Rows::Arrow(decoder, batch))));
        }
        bytes.clear();
        self.start = 0;
        match self.opened.at_end {
            true => messages.end().map(|()| Step::End),
            false => Ok(Step::More),
        }
    }

    fn next_rows(&mut self) -> Result<Step> {
        if let Kind::Parquet(None) = self.kind {
            let Opened {
                source,
                bytes,
                at_end,
            } = &mut self.opened;
            let Some(whole) = self.gathering.whole(source, bytes, *at_end)? else {
                return Ok(Step::More);
            };
            let file = ParquetFile::open(whole)?;
            let decoder = ColumnarDecoder::new(file.schema(), &self.decode, self.whole_rows)?;
            self.kind = Kind::Parquet(Some(file.rows(decoder.columns())?));
            self.decoder = Some(Arc::new(decoder));
        }
        let (Kind::Parquet(Some(rows)), Some(decoder)) = (&mut self.kind, &self.decoder) else {
            return Err(Error::internal("rows of another format"));
        };
        let decoder = Arc::clone(decoder);
        let Some(batch) = rows.next_batch()? else {
            return Ok(Step::End);
        };
        self.read_clock();
        Ok(Step::Block(self.block(Rows::Parquet(decoder, batch))))
    }

    /// What cannot be read of an input is one reject, and its end.
    fn refuse(&mut self, error: &Error) -> Read {
        self.is_over = true;
        let reason = match &self.ending {
            Ending::Broken(why) => format!("{why} within a batch"),
            Ending::Whole => error.message().to_owned(),
        };
        if self.ending == Ending::Whole {
            self.ending = Ending::Broken(String::from("its bytes cannot be read"));
        }
        Read::Block(self.block(Rows::Unread(reason)))
    }

    fn block(&mut self, rows: Rows) -> Block {
        let origin = self.origin.clone();
        self.origin.lines += u64::from(rows.count());
        Block::Columns(Columns {
            refused: self.may_break.then(|| self.decode.schema()),
            rows,
            origin: Box::new(origin),
            metadata: Arc::clone(&self.metadata),
            keep_texts: self.keep_texts,
        })
    }
}

enum Step {
    Block(Block),
    End,
    /// More bytes are needed.
    More,
}

/// An error about the bytes of a file.
fn in_file(error: Error, name: &str) -> Error {
    error.note(format!("in {name}"))
}
