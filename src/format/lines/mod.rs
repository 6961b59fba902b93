//! Formats whose record is a line of text: logs, tables of blanks, and plain lines.
//!
//! ```text
//!  10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 512      walked: fields 0, 3 … 9
//!  java.lang.NullPointerException                                           reject: no [time]
//!
//!  block   lines ─► a walk says where the fields of each stand ─► all of status ─► all of time
//! ```
//!
//! What differs between these formats is one thing, where the fields of a line stand ([`walk::Walk`]): a file
//! of this folder for each. Cutting, mending, rejects and columns are here, once for all.
//!
//! Invariants: a line that does not fit is a reject with its reason, never the end; nothing is allocated
//! for a line that fits; what comes out of a line depends on it and the layout alone.

mod access_log;
mod blank_header;
mod blank_table;
mod drawn_table;
mod fields_header;
mod known;
mod layout;
mod logfmt;
mod pattern;
mod plain;
mod recognize;
mod syslog;
mod walk;

pub use known::known_pattern_names;
pub use layout::{ColumnKind, Layout};
pub use logfmt::line_keys;
pub use pattern::Pattern;
pub use recognize::{
    drawn_table, layout_named, names_fields, recognized_layout, recognizes_line, table_of_blanks,
    table_without_rows,
};
pub use walk::{LineField, sample_fields};

use arrow::buffer::Buffer;
use memchr::{memchr, memrchr};

use self::walk::{Fields, Walk, Walked};
use crate::error::{Error, Result};
use crate::format::columns::cells::{Cell, Texts};
use crate::format::columns::column_writer::ColumnPlan;
use crate::format::columns::rows::{RowMisfit, RowPlan, Rows, shown_text};
use crate::format::encoding::{BlockText, Encoding, RecordText};
use crate::format::{DecodeSpec, Decoded, Decoder, Nulls, ReadColumn};

/// Text that is decoded at once: it stays in the nearest caches from column to column.
const CHUNK_BYTES: usize = 64 << 10;

/// Places have 32 bits, and a byte that is mended becomes three.
const LONGEST_RECORD: usize = 1 << 30;

/// How an input of lines is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesOptions {
    /// What a line looks like.
    pub layout: Layout,
    /// What stands for NULL.
    pub nulls: Nulls,
    /// What becomes of bytes that are not UTF-8.
    pub encoding: Encoding,
    /// The longest record.
    pub max_record_bytes: usize,
    /// Where times without a year begin, in seconds since 1970 of the clock that they show.
    pub years_from: Option<i64>,
}

impl LinesOptions {
    /// Where the records of a block stand, good and bad.
    pub fn records(&self, block: &[u8]) -> Vec<std::ops::Range<usize>> {
        let may_be_none = matches!(
            self.layout,
            Layout::Blanks(_) | Layout::Drawn(_) | Layout::FieldsHeader(_)
        );
        let mut walk = self.layout.walk(&[]);
        let mut fields = Fields::new(0);
        let (mut records, mut start) = (Vec::new(), 0);
        while start < block.len() {
            let end = memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length);
            let line = &block[start..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let mut is_record = !line.is_empty() || self.layout == Layout::Lines;
            if is_record && may_be_none {
                let text = String::from_utf8_lossy(line);
                is_record = walk.walk(text.as_bytes(), &mut fields) != Walked::NoRecord;
            }
            if is_record {
                records.push(start..start + line.len());
            }
            start = end + 1;
        }
        records
    }
}

/// Decodes blocks of lines; see the module.
#[derive(Debug)]
pub(in crate::format) struct LinesDecoder {
    options: LinesOptions,
    plan: RowPlan,
    /// Per column of the plan: its name in the lines.
    names: Vec<String>,
    has_texts: bool,
}

impl LinesDecoder {
    /// Finds the columns of `spec` in the layout; an error names one that it lacks.
    pub(in crate::format) fn new(options: &LinesOptions, spec: &DecodeSpec) -> Result<Self> {
        let columns = spec.columns.iter().chain(&spec.checked);
        let names: Vec<String> = columns.map(ReadColumn::spelling).collect();
        if let Some(known) = options.layout.column_names() {
            for name in &names {
                if !known.contains(name) {
                    return Err(Error::data(format!("the lines have no column `{name}`"))
                        .note(format!("columns: {}", known.join(", ")))
                        .suggest(name, known.iter().map(String::as_str)));
                }
            }
        }
        let plan = RowPlan::with_years_from(spec, options.years_from)?;
        Ok(LinesDecoder {
            options: options.clone(),
            has_texts: plan.columns.iter().any(ColumnPlan::is_text),
            plan,
            names,
        })
    }
}

impl Decoder for LinesDecoder {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema.clone()
    }

    fn decode(&self, block: &Buffer) -> Result<Decoded> {
        self.decode_by(block, CHUNK_BYTES)
    }
}

impl LinesDecoder {
    /// Decodes a block in chunks of about `chunk_bytes`, which changes nothing but the speed.
    fn decode_by(&self, block: &[u8], chunk_bytes: usize) -> Result<Decoded> {
        let mut rows = Rows::new(&self.plan, block.len() / 128 + 1);
        let mut walk = self.options.layout.walk(&self.names);
        let mut chunk = Chunk::new(self.names.len());
        let mut rest = block;
        while !rest.is_empty() {
            let length = chunk_length(rest, chunk_bytes);
            if length > LONGEST_RECORD {
                return Err(Error::unsupported("a record is longer than 1 GiB"));
            }
            let (text, behind) = rest.split_at(length);
            self.read(text, walk.as_mut(), &mut chunk, &mut rows);
            self.write_columns(text, &mut chunk, &mut rows);
            rest = behind;
        }
        rows.finish()
    }

    /// Walks over the lines of a chunk.
    fn read(&self, text: &[u8], walk: &mut dyn Walk, chunk: &mut Chunk, rows: &mut Rows<'_>) {
        chunk.clear();
        let mut texts = BlockText::new(text, self.options.encoding);
        let mut start = 0;
        while start < text.len() {
            let end = memchr(b'\n', &text[start..]).map_or(text.len(), |length| start + length);
            let line = &text[start..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() || self.options.layout == Layout::Lines {
                self.read_line(line, start, &mut texts, walk, chunk, rows);
            }
            rows.line += 1;
            start = end + 1;
        }
    }

    fn read_line(
        &self,
        line: &[u8],
        start: usize,
        texts: &mut BlockText,
        walk: &mut dyn Walk,
        chunk: &mut Chunk,
        rows: &mut Rows<'_>,
    ) {
        chunk.fields.clear();
        let (walked, mended) = match texts.of_record(line) {
            RecordText::NotUtf8 => {
                let help = "--encoding lossy or --encoding latin1 reads it";
                return rows.reject("is not UTF-8".into(), Some(help.into()), line);
            }
            RecordText::AsIs => {
                let walked = walk.walk(line, &mut chunk.fields);
                chunk.fields.shift(start);
                (walked, false)
            }
            RecordText::Changed { text, mended } => {
                let walked = walk.walk(text, &mut chunk.fields);
                chunk.fields.set_aside(text);
                (walked, mended)
            }
        };
        match walked {
            Walked::Record => {
                if mended {
                    rows.mend();
                }
                chunk.cells.extend_from_slice(chunk.fields.cells());
                chunk.lines.push((rows.line, start, start + line.len()));
                rows.add_row();
            }
            Walked::NoRecord => {}
            Walked::Reject(reason) => rows.reject(reason.into_owned(), None, line),
        }
    }

    /// Writes the rows of a chunk column by column.
    fn write_columns(&self, text: &[u8], chunk: &mut Chunk, rows: &mut Rows<'_>) {
        let mut misfits = Vec::new();
        let texts = Texts::new(text, chunk.fields.aside(), self.has_texts);
        for (column, plan) in self.plan.columns.iter().enumerate() {
            chunk.column.clear();
            let cells = chunk.cells.iter().skip(column).step_by(self.names.len());
            chunk.column.extend(cells);
            let cells = &chunk.column;
            let mut misfit = |row: usize, misfit| {
                misfits.push(RowMisfit {
                    row,
                    column,
                    misfit,
                    shown: shown_text(texts.get(cells[row])),
                });
            };
            rows.columns[column].write_cells(plan, &self.options.nulls, texts, cells, &mut misfit);
        }
        rows.settle(misfits, |row| {
            let (line, start, end) = chunk.lines[row];
            (line, &text[start..end])
        });
    }
}

/// The records of a chunk; reused from chunk to chunk.
struct Chunk {
    fields: Fields,
    /// Record by record, a cell for each column.
    cells: Vec<Cell>,
    /// Per record its line in the block, and where it stands in the chunk.
    lines: Vec<(u64, usize, usize)>,
    /// The cells of one column.
    column: Vec<Cell>,
}

impl Chunk {
    fn new(columns: usize) -> Self {
        Chunk {
            fields: Fields::new(columns),
            cells: Vec::new(),
            lines: Vec::new(),
            column: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.fields.forget_aside();
        self.cells.clear();
        self.lines.clear();
    }
}

/// The whole lines at the beginning of `rest`: as many as there are in `most` bytes, at least one.
fn chunk_length(rest: &[u8], most: usize) -> usize {
    if rest.len() <= most {
        return rest.len();
    }
    let (first, behind) = rest.split_at(most);
    match memrchr(b'\n', first) {
        Some(end) => end + 1,
        None => memchr(b'\n', behind).map_or(rest.len(), |end| most + end + 1),
    }
}

#[cfg(test)]
mod tests;
