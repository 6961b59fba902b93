//! One input of records read block by block: bytes in, blocks of whole records out.
//!
//! ```text
//!   buffer  [ consumed | whole records │ begun record |        free        ]
//!                      start           └ splitter     end
//!                       a block         copied to the next buffer
//! ```
//!
//! An input that comes and goes may break, and the query goes on: its whole records count, and the one that it
//! broke within is a reject.
//!
//! Invariants: a block goes out as soon as nothing more can be read without waiting; the buffer holds
//! at most a block and the longest record that is allowed.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use arrow::buffer::Buffer;
use memchr::memchr_iter;

use super::block::{Block, Contents, Records, Spare, Unread};
use super::metadata::{MetadataPlan, Origin};
use super::reader::{Input, Opened, Patience, Read};
use super::wait::Waiter;
use crate::connect::{ByteSource, Ending, LONGEST_MESSAGE_BYTES, Reason, cannot_read};
use crate::error::{Error, Result};
use crate::format::{ColumnarKind, DecodeSpec, Decoder, Format, Split, Splitter};
use crate::time::now_microseconds;

/// Blocks shorter than this are copied out of the buffer, which stays.
const SHORT_BYTES: usize = 1 << 16;

/// Room for what is read at once of one among many inputs, until it shows that it fills that.
const FIRST_ROOM_BYTES: usize = 1 << 14;

/// Reads one file.
pub(super) struct RecordReader {
    source: Box<dyn ByteSource>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// Why there is no more: told behind the whole records before it.
    failed: Option<Error>,
    format: Arc<Format>,
    splitter: Box<dyn Splitter>,
    decoder: Option<Arc<dyn Decoder>>,
    decode: DecodeSpec,
    /// When the input was written last, in seconds since 1970; now, if it is being written.
    written: i64,
    /// Lines that belong to no record and come before the next block.
    head_lines: u64,
    keep_texts: bool,
    metadata: Arc<MetadataPlan>,
    /// Where the next block is from.
    origin: Origin,
    counts_lines: bool,
    reads_clock: bool,
    block_bytes: usize,
    /// How much is read at once: it grows to a block.
    room_bytes: usize,
    spare: Spare,
    /// The query goes on when it breaks.
    may_break: bool,
    /// It broke because its bytes cannot be had for what they are.
    is_damaged: bool,
    ending: Ending,
    /// Each read gives whole records.
    in_messages: bool,
    /// Records that end within so many bytes are left out.
    old_bytes: u64,
}

impl RecordReader {
    pub(super) fn new(opened: Opened, input: &Input, spare: &Spare) -> Result<Self> {
        let end = opened.bytes.len();
        let written = opened.source.written_seconds();
        let reads_clock = input.metadata.arrival().is_some();
        Ok(RecordReader {
            origin: Origin::of(opened.source.name(), reads_clock),
            written: written.unwrap_or(input.now_seconds),
            in_messages: opened.source.gives_messages(),
            old_bytes: opened.source.old_bytes(),
            source: opened.source,
            buffer: opened.bytes,
            start: 0,
            end,
            at_end: opened.at_end,
            failed: None,
            splitter: input.format.splitter()?,
            format: Arc::new(input.format.clone()),
            decoder: None,
            decode: input.decode.clone(),
            head_lines: 0,
            keep_texts: input.keep_texts,
            metadata: Arc::clone(&input.metadata),
            counts_lines: input.keep_texts || input.metadata.needs_lines(),
            reads_clock,
            block_bytes: input.block_bytes,
            room_bytes: input.block_bytes,
            spare: spare.clone(),
            may_break: false,
            is_damaged: false,
            ending: Ending::Whole,
        })
    }

    /// A reader of one input among others, which may break while the query goes on.
    pub(super) fn of_live(opened: Opened, input: &Input, spare: &Spare) -> Result<Self> {
        Ok(RecordReader {
            may_break: true,
            room_bytes: FIRST_ROOM_BYTES.min(input.block_bytes),
            ..RecordReader::new(opened, input, spare)?
        })
    }

    /// What to wait for before reading.
    pub(super) fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        self.source.wait_for()
    }

    /// Until when nothing may come, if not for ever.
    pub(super) fn quiet_until(&mut self, now: Duration) -> Option<Duration> {
        self.source.quiet_until(now)
    }

    /// How it ended, once it has.
    pub(super) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// How much is here of a record that has not ended.
    pub(super) fn begun_bytes(&self) -> usize {
        self.end - self.start
    }

    /// Ends it as if it broke within the record that it has begun.
    pub(super) fn give_up(&mut self, reason: String) {
        self.at_end = true;
        self.ending = Ending::Broken(reason);
    }

    /// What messages call the file.
    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.origin.file)
    }

    /// The next records; waits only when there are none, and only with `patience`.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Read> {
        loop {
            if waiter.stopped().is_some() {
                return Ok(Read::Stop);
            }
            let decoder = match self.decoder() {
                Err(error) if self.may_break => return Ok(self.refuse(&error)),
                decoder => decoder?,
            };
            if decoder.is_some() && self.origin.offset < self.old_bytes && self.pass_old() {
                continue;
            }
            if let Some(decoder) = decoder {
                let bytes = &self.buffer[self.start..self.end];
                match self.splitter.split(bytes, self.no_more_of_record()) {
                    Split::Head { bytes, lines } => {
                        self.pass(bytes);
                        self.head_lines += lines;
                        continue;
                    }
                    Split::Block(length) if length > 0 => {
                        let origin = self.pass_over(length);
                        let records = Contents::Records(decoder, self.take(length));
                        return Ok(Read::Block(self.block(records, origin)));
                    }
                    Split::Skip(length, too_long) => {
                        let origin = self.pass(length);
                        if let Some(too_long) = too_long {
                            let limit = self.format.max_record_bytes();
                            let unread = Unread::too_long(too_long, limit, decoder.schema());
                            let unread = Contents::Unread(Box::new(unread));
                            return Ok(Read::Block(self.block(unread, origin)));
                        }
                        if length > 0 {
                            continue;
                        }
                    }
                    Split::Block(_) | Split::More => {}
                }
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.at_end {
                return Ok(self.cut().unwrap_or(Read::End));
            }
            if let Some(instead) = waiter.before_reading(self.source.as_ref(), patience)? {
                return Ok(instead);
            }
            if !self.fill(waiter) && patience.is_none() {
                return Ok(Read::Later);
            }
        }
    }

    /// Leaves out records that are older than what is wanted; false if there are none.
    fn pass_old(&mut self) -> bool {
        let rest = usize::try_from(self.old_bytes - self.origin.offset).unwrap_or(usize::MAX);
        let end = self.end.min(self.start.saturating_add(rest));
        let is_last = end == self.end && self.no_more_of_record();
        let bytes = &self.buffer[self.start..end];
        let length = match self.splitter.split(bytes, is_last) {
            Split::Head { bytes, .. } => bytes,
            Split::Block(length) | Split::Skip(length, _) => length,
            Split::More => 0,
        };
        if length == 0 && end < self.end {
            // A record that had begun comes when it ends.
            self.old_bytes = 0;
        }
        self.head_lines += memchr_iter(b'\n', &bytes[..length]).count() as u64;
        self.pass(length);
        length > 0
    }

    /// True if what is there ends with a record: no byte behind it belongs to the last one.
    fn no_more_of_record(&self) -> bool {
        (self.at_end && self.ending == Ending::Whole) || self.in_messages
    }

    /// The record that it broke within, if there is one.
    fn cut(&mut self) -> Option<Read> {
        let Ending::Broken(why) = &self.ending else {
            return None;
        };
        let bytes = &self.buffer[self.start..self.end];
        if std::mem::take(&mut self.is_damaged) && self.origin.offset == 0 && bytes.is_empty() {
            // Something came, and nothing of it can be read.
            let damaged = Unread::cut(why.clone(), &[], self.decode.schema());
            return Some(self.unread(damaged));
        }
        if bytes.trim_ascii().is_empty() {
            // It may have broken within a record that was being skipped.
            let Split::Skip(_, Some(too_long)) = self.splitter.split(&[], true) else {
                return None;
            };
            let limit = self.format.max_record_bytes();
            let unread = Unread::too_long(too_long, limit, self.decode.schema());
            return Some(self.unread(unread));
        }
        let reason = format!("{why} within the record");
        let cut = Unread::cut(reason, bytes, self.decode.schema());
        Some(self.unread(cut))
    }

    /// An input whose beginning cannot be used ends there.
    fn refuse(&mut self, error: &Error) -> Read {
        let bytes = &self.buffer[self.start..self.end];
        let beginning = bytes.split(|byte| *byte == b'\n').next();
        let reason = error.message().to_owned();
        let cut = Unread::cut(reason, beginning.unwrap_or_default(), self.decode.schema());
        self.at_end = true;
        self.ending = Ending::Broken(String::from("its header cannot be used"));
        self.unread(cut)
    }

    /// All that is there as one record that no decoder sees.
    fn unread(&mut self, unread: Unread) -> Read {
        let origin = self.pass(self.end - self.start);
        Read::Block(self.block(Contents::Unread(Box::new(unread)), origin))
    }

    /// Leaves out the first bytes of the buffer, this many; returns where they were.
    fn pass(&mut self, length: usize) -> Origin {
        let origin = self.pass_over(length);
        self.start += length;
        origin
    }

    /// Counts the first bytes of the buffer, this many, as given; returns where they are.
    fn pass_over(&mut self, length: usize) -> Origin {
        let origin = self.origin.clone();
        self.origin.offset += length as u64;
        if self.counts_lines {
            let bytes = &self.buffer[self.start..self.start + length];
            self.origin.lines += memchr_iter(b'\n', bytes).count() as u64;
        }
        origin
    }

    fn block(&mut self, contents: Contents, origin: Origin) -> Block {
        Block::Records(Records {
            contents,
            format: Arc::clone(&self.format),
            head_lines: std::mem::take(&mut self.head_lines),
            keep_texts: self.keep_texts,
            metadata: Arc::clone(&self.metadata),
            origin: Box::new(origin),
            spare: self.spare.clone(),
        })
    }

    /// Takes the first bytes of the buffer, this many, out of it.
    fn take(&mut self, length: usize) -> Buffer {
        let (start, behind) = (self.start, self.start + length);
        if length < SHORT_BYTES {
            self.start = behind;
            return Buffer::from(&self.buffer[start..behind]);
        }
        let mut next = self.spare.take(self.block_bytes);
        let rest = self.end - behind;
        if next.len() < rest {
            next.resize(rest, 0);
        }
        next[..rest].copy_from_slice(&self.buffer[behind..self.end]);
        (self.start, self.end) = (0, rest);
        let full = std::mem::replace(&mut self.buffer, next);
        Buffer::from_vec(full).slice_with_length(start, length)
    }

    /// The decoder, bound to the header of this file; `None` if that has not been read yet.
    fn decoder(&mut self) -> Result<Option<Arc<dyn Decoder>>> {
        if let Some(decoder) = &self.decoder {
            return Ok(Some(Arc::clone(decoder)));
        }
        let bytes = &self.buffer[self.start..self.end];
        if bytes.is_empty() && (self.at_end || self.in_messages) {
            return Ok(None);
        }
        let of_columns = ColumnarKind::of_bytes(bytes);
        if let Some(kind) = of_columns.filter(|_| bytes[0].is_ascii()) {
            let (is, read_as) = (kind.name(), self.format.name());
            let error = Error::data(format!("it is {is}, and the input is read as {read_as}"));
            return Err(error
                .note(format!("in {}", self.source.name()))
                .help("files of several formats are several tables: join them with UNION ALL"));
        }
        let Some(bound) = self
            .format
            .bound_to(bytes, self.no_more_of_record(), self.written)
        else {
            return Ok(None);
        };
        let decoder = bound
            .decoder(&self.decode)
            .map_err(|error| error.note(format!("in {}", self.source.name())))?;
        self.decoder = Some(Arc::clone(&decoder));
        self.format = Arc::new(bound);
        Ok(Some(decoder))
    }

    /// Reads until the block is full or reading would wait; false if nothing came.
    fn fill(&mut self, waiter: &Waiter<'_>) -> bool {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let before = self.end;
        self.make_room();
        while self.has_room() {
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
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if self.may_break => {
                    self.at_end = true;
                    self.is_damaged = error.kind() == std::io::ErrorKind::InvalidData;
                    self.ending = Ending::Broken(Reason(&error).to_string());
                    break;
                }
                Err(error) => {
                    self.failed = Some(cannot_read(self.source.name(), &error));
                    break;
                }
            }
            if self.in_messages && self.may_span_lines(before) {
                break;
            }
            if !waiter.is_ready(self.source.as_ref()) {
                break;
            }
        }
        if self.reads_clock {
            self.origin.arrival = now_microseconds();
        }
        self.end > before || self.at_end || self.failed.is_some()
    }

    fn make_room(&mut self) {
        // A record longer than a block needs more room, and keeps what it has.
        let mut wanted = self.room_bytes.max(self.end * 2);
        if self.in_messages {
            wanted = wanted.max(self.end + LONGEST_MESSAGE_BYTES);
        }
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
    }

    fn has_room(&mut self) -> bool {
        let room = self.buffer.len() - self.end;
        if room == 0 {
            self.room_bytes = (self.room_bytes * 2).min(self.block_bytes);
        }
        match self.in_messages {
            true => room >= LONGEST_MESSAGE_BYTES,
            false => room > 0,
        }
    }

    /// True if a record that begins behind `from` may go on behind a newline: it must not swallow the next
    /// message.
    fn may_span_lines(&self, from: usize) -> bool {
        match self.format.as_ref() {
            Format::Ndjson(_) => false,
            Format::Csv(_) => memchr::memchr(b'"', &self.buffer[from..self.end]).is_some(),
            Format::Json(..) | Format::Lines(_) | Format::Columnar(_) => true,
        }
    }
}
