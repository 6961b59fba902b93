//! The records of a chunk of CSV: which lines they are, and where the values of each column stand.
//!
//! ```text
//!  1,web1,200⏎          fields 0…   as many as the header has: taken by the structure of its line
//!  2,web1⏎              reject      too few
//!  3,"a,⏎b",500⏎        careful 0   walked byte by byte, over both lines
//! ```
//!
//! A line without quotes is a record, and its fields are what lies between its delimiters. A line with a
//! quote, or with bytes that are not text as they are, is walked over by the record machine; what it
//! finds is kept as cells. Both ways give the same for a record that either could read.
//!
//! Invariants: a chunk ends with a whole record. Rows are in the order of their records.

use memchr::memchr;

use super::record::{FieldRanges, Walk, blank_line, field_text, text_between_quotes, walk_record};
use super::structure::Structure;
use crate::format::columns::cells::{Cell, CellKind, Texts};
use crate::format::columns::rows::Rows;
use crate::format::encoding::{BlockText, Encoding, RecordText};

/// How records are written, and which fields of them are read.
#[derive(Debug)]
pub(in crate::format) struct CsvShape {
    pub(in crate::format) delimiter: u8,
    /// True if it was a header that named the columns.
    pub(in crate::format) header: bool,
    pub(in crate::format) field_count: usize,
    pub(in crate::format) encoding: Encoding,
    /// The fields that are read, rising; one may be read by several columns.
    pub(in crate::format) fields: Vec<usize>,
    /// True if every record is walked over: in tests.
    pub(in crate::format) only_carefully: bool,
}

/// The records of a chunk; reused from chunk to chunk.
#[derive(Debug, Default)]
pub(in crate::format) struct CsvChunk {
    structure: Structure,
    /// Per row the number of its first field in the structure, or [`CAREFUL`] and its number in `careful`.
    rows: Vec<u32>,
    careful: Vec<CarefulRow>,
    /// The cells of the careful rows, row by row.
    careful_cells: Vec<Cell>,
    /// Texts of theirs that do not stand in the chunk.
    aside: Vec<u8>,
    /// Lines of the block before the chunk.
    first_line: u64,
    ranges: FieldRanges,
    scratch: Vec<u8>,
}

/// A row that was walked over.
#[derive(Debug)]
struct CarefulRow {
    /// The line of the chunk that it begins on.
    line: usize,
    /// Its record, as a range of the chunk.
    start: usize,
    end: usize,
}

const CAREFUL: u32 = 1 << 31;

/// What a line turned out to be.
enum Seen {
    /// Nothing but its end.
    Blank,
    /// A record up to before this line, told to the rows.
    Record(usize),
    /// The beginning of a record that ends behind the chunk.
    Unfinished,
}

impl CsvChunk {
    /// Finds the records at the beginning of `text`, tells `rows` of them, and returns how many bytes they
    /// are: 0 if there is no whole one. `at_end` says that the block ends with the text.
    pub(in crate::format) fn find_records(
        &mut self,
        shape: &CsvShape,
        text: &[u8],
        at_end: bool,
        rows: &mut Rows<'_>,
    ) -> usize {
        self.rows.clear();
        self.careful.clear();
        self.careful_cells.clear();
        self.aside.clear();
        self.first_line = rows.line;
        self.structure.find(text, shape.delimiter, at_end);
        let lines = self.structure.line_count();
        let text = &text[..self.structure.line_start(lines).min(text.len())];
        let mut texts = if self.structure.is_ascii() {
            BlockText::of_ascii(shape.encoding)
        } else {
            BlockText::new(text, shape.encoding)
        };
        let is_plain = !self.structure.has_quotes()
            && texts.is_as_it_is()
            && !shape.only_carefully
            && shape.field_count > 1;
        let mut line = 0;
        while line < lines {
            if is_plain {
                line = self.plain_lines(shape, line, rows);
                if line == lines {
                    break;
                }
            }
            rows.line = self.first_line + line as u64;
            match self.careful_line(shape, line, text, at_end, &mut texts, rows) {
                Seen::Blank => line += 1,
                Seen::Record(next) => line = next,
                Seen::Unfinished => break,
            }
        }
        rows.line = self.first_line + line as u64;
        self.structure.line_start(line).min(text.len())
    }

    /// Takes lines as rows, up to the first one whose number of fields is not the usual one.
    #[inline]
    fn plain_lines(&mut self, shape: &CsvShape, from: usize, rows: &mut Rows<'_>) -> usize {
        let fields = &self.structure.first_fields()[from..];
        for (number, pair) in fields.windows(2).enumerate() {
            if (pair[1] - pair[0]) as usize != shape.field_count {
                return from + number;
            }
            self.rows.push(pair[0]);
            rows.add_row();
        }
        from + fields.len() - 1
    }

    /// Looks at a line that may be anything.
    fn careful_line(
        &mut self,
        shape: &CsvShape,
        line: usize,
        text: &[u8],
        at_end: bool,
        texts: &mut BlockText,
        rows: &mut Rows<'_>,
    ) -> Seen {
        let start = self.structure.line_start(line);
        let rest = &text[start..];
        if blank_line(rest).is_some() {
            return Seen::Blank;
        }
        let line_end = self.structure.line_start(line + 1) - 1 - start;
        let first_line = &rest[..line_end];
        let mut next_line = line + 1;
        let has_quotes = self.structure.has_quotes() && memchr(b'"', first_line).is_some();
        // The record for people, and how much of it is fields. At the end of the input, a carriage return
        // may stand for the newline that is missing.
        let mut raw = first_line.strip_suffix(b"\r").unwrap_or(first_line);
        let mut content = raw.len();
        if has_quotes {
            self.ranges.clear();
            let ranges = &mut self.ranges;
            let walk = walk_record(rest, shape.delimiter, |from, to| ranges.push((from, to)));
            match walk {
                Walk::Whole { end, next, .. } => {
                    raw = &rest[..end];
                    content = end;
                    while self.structure.line_start(next_line) < start + next {
                        next_line += 1;
                    }
                }
                Walk::Unfinished if at_end => {
                    raw = rest;
                    content = self.ranges.last().map_or(0, |(_, end)| *end);
                    next_line = self.structure.line_count();
                }
                Walk::Open | Walk::Unfinished if !at_end => return Seen::Unfinished,
                _ => {
                    let reason = "a quote opens in this line and does not close";
                    rows.reject(reason.into(), None, first_line);
                    return Seen::Record(next_line);
                }
            }
        }
        let fields = Fields {
            line,
            start,
            raw,
            content,
            has_quotes,
        };
        self.add_record(shape, &fields, texts, rows);
        Seen::Record(next_line)
    }

    /// Makes a row of a record, or rejects it.
    fn add_record(
        &mut self,
        shape: &CsvShape,
        record: &Fields<'_>,
        texts: &mut BlockText,
        rows: &mut Rows<'_>,
    ) {
        let raw = record.raw;
        match texts.of_record(raw) {
            RecordText::NotUtf8 => rows.reject(
                "is not UTF-8".into(),
                Some("--encoding lossy or --encoding latin1 reads it".into()),
                raw,
            ),
            RecordText::AsIs if record.has_quotes => {
                self.add_walked(shape, record, &raw[..record.content], true, rows);
            }
            RecordText::AsIs if shape.only_carefully => {
                self.walk_again(shape, &raw[..record.content]);
                self.add_walked(shape, record, &raw[..record.content], true, rows);
            }
            RecordText::AsIs => {
                let first = self.structure.first_field(record.line);
                let count = self.structure.first_field(record.line + 1) - first;
                if count == shape.field_count {
                    self.rows.push(first as u32);
                    rows.add_row();
                } else {
                    reject_ragged(shape, rows, count, raw);
                }
            }
            RecordText::Changed { text, mended } => {
                if mended {
                    rows.mend();
                }
                let text = &text[..text.len() - (raw.len() - record.content)];
                self.walk_again(shape, text);
                self.add_walked(shape, record, text, false, rows);
            }
        }
    }

    /// Finds the fields of a record that is known to be whole.
    fn walk_again(&mut self, shape: &CsvShape, text: &[u8]) {
        // A carriage return at the end of the text is data.
        let mut line = std::mem::take(&mut self.scratch);
        line.clear();
        line.extend_from_slice(text);
        line.extend_from_slice(b"\r\n");
        self.ranges.clear();
        let ranges = &mut self.ranges;
        walk_record(&line, shape.delimiter, |from, to| ranges.push((from, to)));
        self.scratch = line;
    }

    /// Makes a row of a record whose fields were walked over; `text` is it, or a copy of it.
    fn add_walked(
        &mut self,
        shape: &CsvShape,
        record: &Fields<'_>,
        text: &[u8],
        in_chunk: bool,
        rows: &mut Rows<'_>,
    ) {
        if self.ranges.len() != shape.field_count {
            return reject_ragged(shape, rows, self.ranges.len(), record.raw);
        }
        for field in &shape.fields {
            let (from, to) = self.ranges[*field];
            let raw = &text[from..to];
            let inside = text_between_quotes(raw);
            let place = |from: usize, text: &[u8], kind, aside| Cell {
                start: from as u32,
                length: text.len() as u32,
                kind,
                aside,
            };
            let cell = match inside {
                None if in_chunk && !raw.starts_with(b"\"") => {
                    place(record.start + from, raw, CellKind::Field, false)
                }
                Some(inside) if in_chunk => place(
                    record.start + from + 1,
                    inside,
                    CellKind::QuotedField,
                    false,
                ),
                _ => {
                    let (said, quoted) = field_text(raw, &mut self.scratch);
                    let start = self.aside.len();
                    self.aside.extend_from_slice(said);
                    let kind = match quoted {
                        true => CellKind::QuotedField,
                        false => CellKind::Field,
                    };
                    place(start, said, kind, true)
                }
            };
            self.careful_cells.push(cell);
        }
        self.rows.push(CAREFUL | self.careful.len() as u32);
        self.careful.push(CarefulRow {
            line: record.line,
            start: record.start,
            end: record.start + record.raw.len(),
        });
        rows.add_row();
    }

    /// The values of a column that is read, one for each row.
    pub(in crate::format) fn cells(
        &self,
        shape: &CsvShape,
        read: usize,
        text: &[u8],
        cells: &mut Vec<Cell>,
    ) {
        let field = shape.fields[read];
        let is_last = field + 1 == shape.field_count;
        let places = self.structure.places();
        cells.clear();
        cells.extend(self.rows.iter().map(|&first| {
            if first & CAREFUL != 0 {
                let row = (first & !CAREFUL) as usize;
                return self.careful_cells[row * shape.fields.len() + read];
            }
            let place = first as usize + field;
            let (start, mut end) = (places[place], places[place + 1] - 1);
            if is_last && end > start && text[end as usize - 1] == b'\r' {
                end -= 1;
            }
            Cell {
                start,
                length: end - start,
                kind: CellKind::Field,
                aside: false,
            }
        }));
    }

    /// What the cells refer to.
    pub(in crate::format) fn texts<'a>(&'a self, text: &'a [u8], has_texts: bool) -> Texts<'a> {
        Texts::new(text, &self.aside, has_texts)
    }

    /// The line of the block that the record of a row begins on, and its text.
    pub(in crate::format) fn record<'t>(&self, row: usize, text: &'t [u8]) -> (u64, &'t [u8]) {
        let first = self.rows[row];
        if first & CAREFUL != 0 {
            let row = &self.careful[(first & !CAREFUL) as usize];
            return (self.first_line + row.line as u64, &text[row.start..row.end]);
        }
        let line = self.structure.first_fields().binary_search(&first);
        let line = line.unwrap_or_else(|line| line);
        let end = self.structure.line_start(line + 1) - 1;
        let raw = &text[self.structure.line_start(line)..end];
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        (self.first_line + line as u64, raw)
    }
}

/// A record that may be anything.
struct Fields<'a> {
    /// The line of the chunk that it begins on.
    line: usize,
    /// Where it begins in the chunk.
    start: usize,
    /// The record as rejects show it.
    raw: &'a [u8],
    /// How many bytes of it are fields.
    content: usize,
    /// True if its fields were walked over.
    has_quotes: bool,
}

#[cold]
fn reject_ragged(shape: &CsvShape, rows: &mut Rows<'_>, count: usize, raw: &[u8]) {
    let fields = |count| {
        if count == 1 {
            "1 field".to_owned()
        } else {
            format!("{count} fields")
        }
    };
    let whole = match shape.header {
        true => "the header",
        false => "the first record",
    };
    let reason = format!("has {}, {whole} has {}", fields(count), shape.field_count);
    rows.reject(reason, None, raw);
}
