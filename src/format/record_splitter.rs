//! Cuts an input into blocks of whole records: lines, or CSV records with newlines inside of quotes.
//!
//! ```text
//! ␠BOM│header⏎│a,1⏎b,"x⏎y"⏎│c,2⏎d,│       Head(BOM, header)  Block(a…c)  More
//! a,1⏎│b,"x⏎│…1,000 lines, no quote        Block(a, first line of b): the decoder finds the quote open
//! ```
//!
//! Invariants: where blocks are cut depends on the bytes alone as far as records go: a record comes out
//! the same however its bytes arrived. A record whose quote does not close in time is cut behind its
//! first line, which is the last of its block; reading resumes at the next line.

use memchr::{memchr, memrchr};

use super::csv::record::{Walk, blank_line, walk_record};
use super::{Split, Splitter, TooLong};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const LONGEST_BEGINNING: usize = 200;

/// What a record looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordShape {
    /// A line.
    Lines,
    /// A line with quoted fields, which may hold newlines.
    Csv { delimiter: u8 },
}

/// See the module.
#[derive(Debug)]
pub(super) struct RecordSplitter {
    shape: RecordShape,
    max_record_bytes: usize,
    /// No byte of the input was consumed yet.
    at_start: bool,
    /// The first record is a header and has not come yet.
    expects_header: bool,
    /// The beginning of the record that is too long and being skipped.
    skipping: Option<Vec<u8>>,
}

/// One record, as far as the bytes at hand show it.
enum Extent {
    /// It ends before this place.
    Whole(usize, u64),
    /// Its quote does not close: its first line ends before this place.
    FirstLine(usize),
    TooLong,
    More,
}

impl RecordSplitter {
    /// A splitter at the beginning of an input.
    pub(super) fn new(shape: RecordShape, expects_header: bool, max_record_bytes: usize) -> Self {
        RecordSplitter {
            shape,
            max_record_bytes,
            at_start: true,
            expects_header,
            skipping: None,
        }
    }

    /// The record at the beginning of `bytes`, which are not empty.
    fn extent(&self, bytes: &[u8], at_end: bool) -> Extent {
        let walk = match self.shape {
            RecordShape::Csv { delimiter } => walk_record(bytes, delimiter, |_, _| ()),
            RecordShape::Lines => match memchr(b'\n', bytes) {
                Some(end) => Walk::Whole {
                    end,
                    next: end + 1,
                    lines: 1,
                },
                None => Walk::Unfinished,
            },
        };
        let most = self.max_record_bytes;
        match walk {
            Walk::Whole { next, lines, .. } if next - 1 <= most => Extent::Whole(next, lines),
            Walk::Unfinished if bytes.len() <= most && at_end => Extent::Whole(bytes.len(), 1),
            Walk::Unfinished | Walk::Open if bytes.len() <= most && !at_end => Extent::More,
            _ => match memchr(b'\n', bytes) {
                Some(end) if end <= most => Extent::FirstLine(end + 1),
                None if bytes.len() <= most => Extent::FirstLine(bytes.len()),
                _ => Extent::TooLong,
            },
        }
    }

    /// The byte order mark and the header; `None` if there is neither.
    fn split_head(&mut self, bytes: &[u8], at_end: bool) -> Option<Split> {
        if bytes.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(bytes) && !at_end {
            return Some(Split::More);
        }
        let mut at = if bytes.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        let mut lines = 0;
        if self.expects_header {
            while let Some(length) = blank_line(&bytes[at..]) {
                at += length;
                lines += 1;
            }
            if at == bytes.len() && !at_end {
                return Some(Split::More);
            }
            match self.extent(&bytes[at..], at_end) {
                Extent::Whole(length, lines_of_header) => {
                    at += length;
                    lines += lines_of_header;
                }
                Extent::FirstLine(length) => {
                    at += length;
                    lines += 1;
                }
                Extent::More => return Some(Split::More),
                Extent::TooLong => {}
            }
        }
        self.at_start = false;
        (at > 0).then_some(Split::Head { bytes: at, lines })
    }

    fn split_skipped(&mut self, bytes: &[u8], at_end: bool) -> Split {
        let (length, lines) = match memchr(b'\n', bytes) {
            Some(end) => (end + 1, 1),
            None if at_end => (bytes.len(), 0),
            None if bytes.is_empty() => return Split::More,
            None => return Split::Skip(bytes.len(), None),
        };
        let beginning = self.skipping.take().unwrap_or_default();
        Split::Skip(length, Some(TooLong { beginning, lines }))
    }

    /// The end of the last whole line, where lines are sure to be whole records.
    fn last_line_end(&self, bytes: &[u8], at_end: bool) -> Option<usize> {
        let has_quotes = self.shape != RecordShape::Lines && memchr(b'"', bytes).is_some();
        if has_quotes || bytes.len() > self.max_record_bytes {
            return None;
        }
        Some(if at_end {
            bytes.len()
        } else {
            memrchr(b'\n', bytes).map_or(0, |end| end + 1)
        })
    }
}

impl Splitter for RecordSplitter {
    fn split(&mut self, bytes: &[u8], at_end: bool) -> Split {
        if self.skipping.is_some() {
            return self.split_skipped(bytes, at_end);
        }
        if bytes.is_empty() {
            return Split::More;
        }
        if self.at_start
            && let Some(split) = self.split_head(bytes, at_end)
        {
            return split;
        }
        let block = |end| {
            if end == 0 {
                Split::More
            } else {
                Split::Block(end)
            }
        };
        if let Some(end) = self.last_line_end(bytes, at_end) {
            return block(end);
        }
        let mut at = 0;
        while at < bytes.len() {
            match self.extent(&bytes[at..], at_end) {
                Extent::Whole(length, _) => at += length,
                Extent::FirstLine(length) => return Split::Block(at + length),
                Extent::More => break,
                Extent::TooLong if at > 0 => break,
                Extent::TooLong => {
                    let shown = LONGEST_BEGINNING.min(self.max_record_bytes);
                    self.skipping = Some(bytes[..shown].to_vec());
                    return self.split_skipped(bytes, at_end);
                }
            }
        }
        block(at)
    }
}
