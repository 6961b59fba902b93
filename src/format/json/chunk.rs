//! The records of a chunk of NDJSON: which lines are records, and where their values stand.
//!
//! ```text
//!  chunk   {"n":1}⏎{"n":2}⏎  ⏎{"n":x}⏎ │ {"n":4}⏎{"n":5}⏎         cut into two parts behind a line
//!  rows       0       1                │    0       1
//!  rejects                    2        │                          numbers of records in the part
//!  blank lines              1          │
//! ```
//!
//! Records of a known shape are read two at a time, one of each part; what is of no known shape is read
//! carefully, one by one, and shows the next shape.
//!
//! Invariants: parts are read and written in order; a record is a row or a reject of its part.

use std::array;

use memchr::memchr;

use super::JsonReads;
use super::cells::JsonCells;
use super::marks::{LONGEST_CHUNK, Marks};
use super::scanner::JsonError;
use super::shape::{ChunkText, MarkedChunk, Shape};
use super::value::JsonValue;
use crate::format::columns::cells::Texts;
use crate::format::columns::column_writer::ColumnPlan;
use crate::format::columns::rows::{RowMisfit, RowPlan, Rows};
use crate::format::columns::value_parsers::Misfit;
use crate::format::encoding::{BlockText, RecordText};

/// Marks do not pay in shorter chunks.
pub(in crate::format) const SHORTEST_MARKED: usize = 1_024;

const PARTS: usize = 2;
const MOST_SHAPES: usize = 8;
/// To learn a shape costs about as much as to read two records carefully.
const LEARNED_PER_CHUNK: usize = 4;

/// The records of one chunk after the other, of the same block.
pub(in crate::format) struct JsonChunk<'a> {
    reads: &'a JsonReads,
    text: &'a [u8],
    parts: [Part; PARTS],
    /// Per part.
    rows: [JsonCells; PARTS],
    shapes: Shapes,
    space: Option<MarkSpace>,
    values: Vec<JsonValue<'a>>,
    scratch: Vec<u8>,
}

/// Whole lines of a chunk.
#[derive(Debug, Default)]
struct Part {
    start: usize,
    end: usize,
    /// What was read ends here.
    at: usize,
    /// Records that were no rows, by their number in the part.
    rejects: Vec<(usize, JsonError)>,
    /// Records that were mended.
    mended: Vec<usize>,
    blank_lines: usize,
}

/// What only long chunks need.
struct MarkSpace {
    marks: Marks,
    /// A copy of a chunk at the end of its block, behind which nothing can be read.
    padded: Box<ChunkText>,
}

/// The shapes of late.
struct Shapes {
    known: Vec<Shape>,
    /// The one that fitted last.
    recent: usize,
    /// The one that the next new shape replaces.
    oldest: usize,
    /// How many may still be learned: records that are all different are not worth it.
    budget: usize,
}

impl Part {
    fn is_unread(&self) -> bool {
        self.at < self.end
    }
}

impl<'a> JsonChunk<'a> {
    /// No records yet.
    pub(in crate::format) fn new(reads: &'a JsonReads) -> Self {
        JsonChunk {
            reads,
            text: &[],
            parts: array::from_fn(|_| Part::default()),
            rows: array::from_fn(|_| JsonCells::new(reads.slot_count)),
            shapes: Shapes::new(),
            space: None,
            values: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Reads the lines that are the first `length` bytes of `rest`, the rest of the block.
    pub(in crate::format) fn read(&mut self, rest: &'a [u8], length: usize) {
        self.text = &rest[..length];
        for rows in &mut self.rows {
            rows.clear();
        }
        if length < self.reads.shortest_marked || length > LONGEST_CHUNK {
            self.cut(length);
            let mut texts = BlockText::new(self.text, self.reads.encoding);
            return self.read_parts(None, &mut texts);
        }
        let mut space = self.space.take().unwrap_or_else(MarkSpace::new);
        space.marks.find(self.text);
        let mut texts = if space.marks.is_ascii() {
            BlockText::of_ascii(self.reads.encoding)
        } else {
            BlockText::new(self.text, self.reads.encoding)
        };
        let is_plain = texts.is_as_it_is();
        self.cut(if is_plain { length / PARTS } else { length });
        let marked = is_plain.then_some(MarkedChunk {
            length,
            marks: &space.marks,
            text: match rest.first_chunk() {
                Some(text) => text,
                None => {
                    space.padded[..length].copy_from_slice(self.text);
                    &space.padded
                }
            },
        });
        self.shapes.budget += LEARNED_PER_CHUNK;
        self.read_parts(marked, &mut texts);
        self.space = Some(space);
    }

    /// Cuts the chunk into parts, the first of about this length.
    fn cut(&mut self, about: usize) {
        let length = self.text.len();
        let newline = memchr(b'\n', &self.text[about..]);
        let cut = newline.map_or(length, |end| about + end + 1);
        for (part, (start, end)) in self.parts.iter_mut().zip([(0, cut), (cut, length)]) {
            *part = Part {
                start,
                end,
                at: start,
                ..Part::default()
            };
        }
    }

    fn read_parts(&mut self, marked: Option<MarkedChunk<'_>>, texts: &mut BlockText) {
        if let Some(chunk) = marked {
            while self.parts.iter().all(Part::is_unread) {
                self.read_pairs(chunk);
                for part in 0..PARTS {
                    self.read_record(part, marked, texts);
                }
            }
        }
        for part in 0..PARTS {
            while self.parts[part].is_unread() {
                self.read_record(part, marked, texts);
            }
        }
    }

    /// Reads records of the shape that fitted last, one of each part at once, as long as they are.
    #[inline(never)]
    fn read_pairs(&mut self, chunk: MarkedChunk<'_>) {
        let Some(shape) = self.shapes.known.get(self.shapes.recent) else {
            return;
        };
        let mut at = [self.parts[0].at, self.parts[1].at];
        let ends = [self.parts[0].end, self.parts[1].end];
        while at[0] < ends[0] && at[1] < ends[1] {
            match shape.take(chunk, at, &mut self.rows) {
                Some(next) => at = next,
                None => break,
            }
        }
        for (part, at) in self.parts.iter_mut().zip(at) {
            part.at = at;
        }
    }

    /// Reads the next line of a part, if there is one.
    fn read_record(&mut self, part: usize, marked: Option<MarkedChunk<'_>>, texts: &mut BlockText) {
        let Part { at, end, .. } = self.parts[part];
        if at >= end {
            return;
        }
        if let Some(chunk) = marked
            && let Some(next) = self.shapes.take(chunk, at, &mut self.rows[part])
        {
            self.parts[part].at = next;
            return;
        }
        let line_end = memchr(b'\n', &self.text[at..end]).map_or(end, |length| at + length + 1);
        self.parts[part].at = line_end;
        let is_row = self.read_carefully(part, record_of(&self.text[at..line_end]), texts);
        if is_row && marked.is_some() {
            self.shapes.learn(&self.text[at..line_end], self.reads);
        }
    }

    /// Reads a record by the scanner; true if it is a row.
    fn read_carefully(&mut self, part: usize, record: &'a [u8], texts: &mut BlockText) -> bool {
        let (reads, rows) = (self.reads, &mut self.rows[part]);
        let part = &mut self.parts[part];
        if is_blank(record) {
            part.blank_lines += 1;
            return false;
        }
        let number = rows.row_count() + part.rejects.len();
        let read = match texts.of_record(record) {
            RecordText::NotUtf8 => Err(NOT_UTF8),
            RecordText::AsIs => reads
                .read(record, &mut self.values, &mut self.scratch)
                .map(|()| {
                    for (slot, value) in self.values.iter().enumerate() {
                        rows.put_value(slot, *value, self.text);
                    }
                }),
            RecordText::Changed { text, mended } => {
                if mended {
                    part.mended.push(number);
                }
                // The values of the other records cannot point into this copy.
                let mut values = Vec::new();
                reads.read(text, &mut values, &mut self.scratch).map(|()| {
                    for (slot, value) in values.iter().enumerate() {
                        rows.put_copy(slot, *value);
                    }
                })
            }
        };
        match read {
            Ok(()) => rows.end_row(),
            Err(error) => part.rejects.push((number, error)),
        }
        read.is_ok()
    }

    /// Writes what was read.
    pub(in crate::format) fn write(&self, plan: &RowPlan, rows: &mut Rows<'_>) {
        let has_texts = plan.columns.iter().any(ColumnPlan::is_text);
        let texts = Texts::new(self.text, &[], has_texts);
        for (part, cells) in self.parts.iter().zip(&self.rows) {
            let first_line = rows.line;
            self.tell_records(part, cells.row_count(), rows);
            let texts = texts.with_aside(cells.aside());
            let mut misfits: Vec<(usize, usize, Misfit)> = Vec::new();
            for (column, plan) in plan.columns.iter().enumerate() {
                let cells = cells.column(self.reads.slots[column]);
                let mut misfit = |row, why| misfits.push((row, column, why));
                let nulls = &self.reads.nulls;
                rows.columns[column].write_cells(plan, nulls, texts, cells, &mut misfit);
            }
            self.reads.tell_keys(cells, texts, rows);
            if misfits.is_empty() {
                rows.settle(Vec::new(), |_| (0, &[]));
            } else {
                self.settle(part, first_line, misfits, rows);
            }
        }
    }

    /// Tells of rows and rejects in the order of their records.
    fn tell_records(&self, part: &Part, row_count: usize, rows: &mut Rows<'_>) {
        if part.rejects.is_empty() && part.mended.is_empty() {
            rows.add_rows(row_count);
            rows.line += (row_count + part.blank_lines) as u64;
            return;
        }
        let mut rejects = part.rejects.iter().peekable();
        let mut mended = part.mended.iter().peekable();
        let mut number = 0;
        for line in lines(&self.text[part.start..part.end]) {
            let record = record_of(line);
            if !is_blank(record) {
                if mended.next_if_eq(&&number).is_some() {
                    rows.mend();
                }
                match rejects.next_if(|(reject, _)| *reject == number) {
                    Some((_, error)) => {
                        let help = error.help.map(str::to_owned);
                        rows.reject(error.reason.into(), help, record);
                    }
                    None => rows.add_row(),
                }
                number += 1;
            }
            rows.line += 1;
        }
    }

    /// Rejects the rows with values that did not fit: (row of the part, column, why), column by column.
    #[cold]
    fn settle(
        &self,
        part: &Part,
        first_line: u64,
        mut misfits: Vec<(usize, usize, Misfit)>,
        rows: &mut Rows<'_>,
    ) {
        let records = self.row_records(part);
        // Keys that are left out of a value hide nothing that is wrong with another, nor does a time.
        let told = |(row, column, why): &(usize, usize, Misfit)| {
            let hides_nothing = matches!(why, Misfit::Unnamed | Misfit::Untimed);
            (*row, hides_nothing.then_some(*column))
        };
        misfits.sort_by_key(told);
        misfits.dedup_by_key(|misfit| told(misfit));
        let misfits = misfits.into_iter().map(|(row, column, misfit)| RowMisfit {
            row,
            column,
            misfit,
            shown: self.shown(records[row].1, self.reads.slots[column]),
        });
        rows.settle(misfits.collect(), |row| {
            let (line, record) = records[row];
            (first_line + line as u64, record)
        });
    }

    /// The lines of the part that are rows: their numbers and their records.
    fn row_records(&self, part: &Part) -> Vec<(usize, &'a [u8])> {
        let lines = lines(&self.text[part.start..part.end]).map(record_of);
        let records = lines.enumerate().filter(|(_, record)| !is_blank(record));
        let mut rejects = part.rejects.iter().map(|(number, _)| *number).peekable();
        let rows = records.enumerate();
        let rows = rows.filter(|(number, _)| rejects.next_if_eq(number).is_none());
        rows.map(|(_, record)| record).collect()
    }

    /// A value of a record that is a row, as messages show it.
    fn shown(&self, record: &[u8], slot: usize) -> String {
        let mut texts = BlockText::new(record, self.reads.encoding);
        let text = match texts.of_record(record) {
            RecordText::Changed { text, .. } => text,
            RecordText::AsIs | RecordText::NotUtf8 => record,
        };
        let mut values = Vec::new();
        match self.reads.read(text, &mut values, &mut Vec::new()) {
            Ok(()) => values[slot].shown(),
            Err(error) => error.reason.to_owned(),
        }
    }
}

impl MarkSpace {
    fn new() -> Self {
        MarkSpace {
            marks: Marks::new(),
            padded: Box::new([0; LONGEST_CHUNK + 16]),
        }
    }
}

impl Shapes {
    fn new() -> Self {
        Shapes {
            known: Vec::new(),
            recent: 0,
            oldest: 0,
            budget: MOST_SHAPES,
        }
    }

    /// Reads the record at a place by any of the shapes; returns where it ends.
    fn take(&mut self, chunk: MarkedChunk<'_>, at: usize, rows: &mut JsonCells) -> Option<usize> {
        let rows = array::from_mut(rows);
        for turn in 0..self.known.len() {
            let number = (self.recent + turn) % self.known.len();
            if let Some([next]) = self.known[number].take(chunk, [at], rows) {
                self.recent = number;
                return Some(next);
            }
        }
        None
    }

    /// Learns the shape of a line that is a row.
    fn learn(&mut self, line: &[u8], reads: &JsonReads) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        let Some(shape) = Shape::of(line, &reads.keys, reads.slot_count) else {
            return;
        };
        if self.known.len() < MOST_SHAPES {
            self.recent = self.known.len();
            self.known.push(shape);
        } else {
            self.recent = self.oldest;
            self.known[self.oldest] = shape;
            self.oldest = (self.oldest + 1) % MOST_SHAPES;
        }
    }
}

pub(in crate::format) const NOT_UTF8: JsonError = JsonError {
    reason: "is not UTF-8",
    help: Some("--encoding lossy or --encoding latin1 reads it"),
};

/// A line without its end.
fn record_of(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_blank(record: &[u8]) -> bool {
    record
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// The lines of a text with their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, behind) = rest.split_at(end);
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}
