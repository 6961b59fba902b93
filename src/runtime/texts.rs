//! Where the records of a block are in it: found once more behind the decoder, only where somebody asks.
//!
//! ```text
//!   a,1⏎⏎"b⏎c",2⏎      records 0: 0..3, line 0      1: 5..12, line 2
//! ```

use std::ops::Range;

use arrow::buffer::Buffer;
use memchr::memchr_iter;

use crate::format::{Format, csv_record_ranges, wrapped_texts};

/// The texts of the records of a block.
///
/// Those of a file of columns are made of its rows. Each of them counts as a line, and none has a place among
/// the bytes.
#[derive(Debug, Default)]
pub(super) struct Texts {
    block: Buffer,
    /// Without newlines.
    ranges: Vec<Range<usize>>,
    /// Lines of the block before each.
    lines: Vec<u32>,
    /// True if the texts are made of rows.
    are_made: bool,
}

impl Texts {
    /// One record of which nothing is kept.
    pub(super) fn of_unread() -> Self {
        Texts {
            block: Buffer::default(),
            ranges: std::iter::once(0..0).collect(),
            lines: vec![0],
            are_made: false,
        }
    }

    /// Those that were made of rows, one behind the other.
    pub(super) fn made(texts: Vec<u8>, ranges: Vec<Range<usize>>) -> Self {
        Texts {
            block: Buffer::from_vec(texts),
            lines: (0..ranges.len() as u32).collect(),
            ranges,
            are_made: true,
        }
    }

    /// Those of rows, without the texts.
    pub(super) fn unmade(rows: usize) -> Self {
        Texts::made(Vec::new(), vec![0..0; rows])
    }

    /// Finds the records of a block.
    pub(super) fn find(format: &Format, block: &Buffer) -> Self {
        let mut ranges = match format {
            Format::Csv(options) => csv_record_ranges(block, options.delimiter),
            Format::Ndjson(_) => line_ranges(block),
            Format::Json(wrapping, _) => wrapped_texts(*wrapping, block),
            Format::Lines(options) => options.records(block),
            // Their texts are made.
            Format::Columnar(_) => Vec::new(),
        };
        let (mut lines, mut line, mut at) = (Vec::with_capacity(ranges.len()), 0, 0);
        for range in &mut ranges {
            *range = trimmed(block, range.clone());
            line += memchr_iter(b'\n', &block[at..range.start]).count() as u32;
            at = range.start;
            lines.push(line);
        }
        Texts {
            block: block.clone(),
            ranges,
            lines,
            are_made: false,
        }
    }

    /// The block.
    pub(super) fn block(&self) -> &Buffer {
        &self.block
    }

    /// Where a record by its number in the block is, without its newline.
    pub(super) fn range(&self, record: u32) -> Range<usize> {
        self.ranges.get(record as usize).cloned().unwrap_or(0..0)
    }

    /// How many records there are.
    pub(super) fn count(&self) -> u32 {
        self.ranges.len() as u32
    }

    /// The text of a record.
    pub(super) fn get(&self, record: u32) -> &[u8] {
        &self.block[self.range(record)]
    }

    /// Bytes of the block before a record, if it is made of bytes.
    pub(super) fn bytes_before(&self, record: u32) -> Option<u64> {
        (!self.are_made).then(|| self.range(record).start as u64)
    }

    /// Lines of the block before a record.
    pub(super) fn lines_before(&self, record: u32) -> u64 {
        u64::from(self.lines.get(record as usize).copied().unwrap_or(0))
    }
}

/// The lines that are not blank to a decoder of lines.
fn line_ranges(block: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut from = 0;
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        if !line.iter().all(is_blank) {
            ranges.push(from..from + line.len());
        }
        from += line.len();
    }
    ranges
}

/// A record without its newline, and without the blank lines before it, which are nobody's.
fn trimmed(block: &[u8], range: Range<usize>) -> Range<usize> {
    let text = &block[range.clone()];
    let end = text.strip_suffix(b"\n").unwrap_or(text);
    let end = end.strip_suffix(b"\r").unwrap_or(end).len();
    let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    let begin = text[..end].iter().position(is_text).unwrap_or(end);
    range.start + begin..range.start + end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{CsvOptions, NdjsonOptions};

    fn found(format: &Format, text: &str) -> Vec<(String, u64, u64)> {
        let texts = Texts::find(format, &Buffer::from(text.as_bytes()));
        (0..texts.ranges.len() as u32)
            .map(|n| {
                let text = String::from_utf8_lossy(texts.get(n)).into_owned();
                (text, texts.lines_before(n), texts.bytes_before(n).unwrap())
            })
            .collect()
    }

    #[test]
    fn records_with_their_places() {
        let csv = Format::Csv(CsvOptions::new(b',', vec!["a".into(), "b".into()]));
        let record = |text: &str, line, offset| (text.to_string(), line, offset);
        assert_eq!(
            found(&csv, "a,1 \r\n\r\n\n\"b\nc\",2\nx,3"),
            [
                record("a,1 ", 0, 0),
                record("\"b\nc\",2", 3, 9),
                record("x,3", 5, 17)
            ]
        );
        assert_eq!(
            found(&csv, "a,1\n\nb,2\n"),
            [record("a,1", 0, 0), record("b,2", 2, 5)]
        );
        let ndjson = Format::Ndjson(NdjsonOptions::default());
        assert_eq!(
            found(&ndjson, " {}\r\n \n{\"a\": 1} \n"),
            [record(" {}", 0, 0), record("{\"a\": 1} ", 2, 7)]
        );
    }
}
