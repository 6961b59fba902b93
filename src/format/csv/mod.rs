//! CSV and TSV: fields between delimiters, one header for all records of an input.
//!
//! ```text
//! header  ts,host,status,bytes      read: status, ts
//! record  12:00:03,web1,200,512
//! record  12:00:04,web1          ─► reject: has 2 fields, the header has 4
//! record  12:00:05,web2,500,0
//!
//! chunk   structure: where fields and lines begin ─► records ─► all of status ─► all of ts
//! ```
//!
//! A block is decoded in chunks of whole records: first the places of all fields, then column by column.
//!
//! Invariants: only the fields that are read are looked at; a record counts its fields all the same. What
//! is wrong with a record does not depend on chunks: too few fields before a value that does not fit, and
//! of those the one in the first field. A block whose last quote stays open ends with the first line of a
//! broken record (the splitter cut it there): that line is the reject.

mod chunk;
pub(in crate::format) mod header;
pub(in crate::format) mod record;
mod structure;

use arrow::buffer::Buffer;
use hashbrown::HashMap;

use self::chunk::{CsvChunk, CsvShape};
use self::structure::LONGEST_CHUNK;
use crate::error::{Error, Result};
use crate::format::columns::column_writer::ColumnPlan;
use crate::format::columns::rows::{RowMisfit, RowPlan, Rows, shown_text};
use crate::format::encoding::Encoding;
use crate::format::spec::DEFAULT_MAX_RECORD_BYTES;
use crate::format::{DecodeSpec, Decoded, Decoder};

/// What stands for NULL in columns of numbers, times and truth values, if `--nulls` does not say.
pub const DEFAULT_NULLS: [&str; 6] = ["NA", "N/A", "NULL", "null", "\\N", "-"];

const MOST_COLUMNS: usize = 10_000;

/// Text that is decoded at once: it stays in the nearest caches from column to column.
const CHUNK_BYTES: usize = 64 << 10;

/// The words that stand for NULL; an empty field always does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Nulls {
    /// [`DEFAULT_NULLS`], in columns that hold no text.
    #[default]
    Default,
    /// The words of `--nulls`, in all columns.
    Words(Vec<String>),
}

impl Nulls {
    /// True if there may be words that look like values.
    #[inline]
    pub(in crate::format) fn has_words(&self) -> bool {
        matches!(self, Nulls::Words(words) if !words.is_empty())
    }

    /// True if `text` is NULL in a column of text.
    #[inline]
    pub(in crate::format) fn holds_for_text(&self, text: &[u8]) -> bool {
        match self {
            Nulls::Default => false,
            Nulls::Words(words) => words.iter().any(|word| word.as_bytes() == text),
        }
    }

    /// True if `text` is NULL in a column of something else.
    #[inline]
    pub fn holds_for_values(&self, text: &[u8]) -> bool {
        match self {
            // Most values begin with a digit.
            Nulls::Default if text.first().is_some_and(u8::is_ascii_digit) => false,
            Nulls::Default => DEFAULT_NULLS.iter().any(|word| word.as_bytes() == text),
            Nulls::Words(_) => self.holds_for_text(text),
        }
    }
}

/// How an input of CSV is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// What parts fields; a tab for TSV.
    pub delimiter: u8,
    /// True if the first record names the columns.
    pub header: bool,
    /// The names of all columns of the input in order, each once.
    pub header_fields: Vec<String>,
    /// What stands for NULL.
    pub nulls: Nulls,
    /// What becomes of bytes that are not UTF-8.
    pub encoding: Encoding,
    /// The longest record.
    pub max_record_bytes: usize,
}

impl CsvOptions {
    /// Columns of these names with a header and everything else as usual.
    pub fn new(delimiter: u8, header_fields: Vec<String>) -> Self {
        CsvOptions {
            delimiter,
            header: true,
            header_fields,
            nulls: Nulls::default(),
            encoding: Encoding::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        }
    }
}

/// Decodes blocks of CSV; see the module.
#[derive(Debug)]
pub(in crate::format) struct CsvDecoder {
    shape: CsvShape,
    nulls: Nulls,
    plan: RowPlan,
    /// True if there are columns of text.
    has_texts: bool,
    /// (field of the record, column of the plan), by rising field.
    reads: Vec<(usize, usize)>,
}

impl CsvDecoder {
    /// Finds the columns of `spec` in the header; an error names one that it lacks.
    pub(in crate::format) fn new(options: &CsvOptions, spec: &DecodeSpec) -> Result<Self> {
        if matches!(options.delimiter, b'"' | b'\n' | b'\r') {
            return Err(Error::usage("a quote or a newline cannot part fields"));
        }
        if options.header_fields.len() > MOST_COLUMNS {
            let count = options.header_fields.len();
            return Err(Error::data(format!(
                "the header names {count} columns, more than {MOST_COLUMNS}"
            )));
        }
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(options.header_fields.len());
        for (place, name) in options.header_fields.iter().enumerate() {
            places.entry(name).or_insert(place);
        }
        let find = |source: &str| {
            let place = places.get(source).copied();
            place.ok_or_else(|| no_field(&options.header_fields, source))
        };
        let columns = spec.columns.iter().chain(&spec.checked);
        let mut reads = columns
            .enumerate()
            .map(|(column, read)| Ok((find(&read.source)?, column)))
            .collect::<Result<Vec<_>>>()?;
        reads.sort_unstable();
        let plan = RowPlan::new(spec)?;
        Ok(CsvDecoder {
            shape: CsvShape {
                delimiter: options.delimiter,
                header: options.header,
                field_count: options.header_fields.len(),
                encoding: options.encoding,
                fields: reads.iter().map(|(field, _)| *field).collect(),
                only_carefully: false,
            },
            nulls: options.nulls.clone(),
            has_texts: plan.columns.iter().any(ColumnPlan::is_text),
            plan,
            reads,
        })
    }
}

impl Decoder for CsvDecoder {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema.clone()
    }

    fn decode(&self, block: &Buffer) -> Result<Decoded> {
        self.decode_by(block, CHUNK_BYTES)
    }
}

impl CsvDecoder {
    /// Decodes a block in chunks of about `chunk_bytes`, which changes nothing but the speed.
    fn decode_by(&self, block: &[u8], chunk_bytes: usize) -> Result<Decoded> {
        let mut rows = Rows::new(&self.plan, block.len() / 64 + 1);
        let mut chunk = CsvChunk::default();
        let (mut rest, mut window) = (block, chunk_bytes);
        while !rest.is_empty() {
            let at_end = window >= rest.len();
            let text = &rest[..window.min(rest.len())];
            let used = chunk.find_records(&self.shape, text, at_end, &mut rows);
            if used == 0 && (at_end || window >= LONGEST_CHUNK) {
                return Err(Error::unsupported("a record is longer than 2 GiB"));
            }
            // A record longer than the chunk needs a larger one.
            window = if used == 0 { window * 2 } else { chunk_bytes };
            self.write_columns(&chunk, &text[..used], &mut rows);
            rest = &rest[used..];
        }
        rows.finish()
    }

    /// Writes the rows of a chunk column by column.
    fn write_columns(&self, chunk: &CsvChunk, text: &[u8], rows: &mut Rows<'_>) {
        let (mut misfits, mut cells) = (Vec::new(), Vec::new());
        let texts = chunk.texts(text, self.has_texts);
        for (read, &(_, column)) in self.reads.iter().enumerate() {
            chunk.cells(&self.shape, read, text, &mut cells);
            let plan = &self.plan.columns[column];
            let mut misfit = |row: usize, misfit| {
                misfits.push(RowMisfit {
                    row,
                    column,
                    misfit,
                    shown: shown_text(texts.get(cells[row])),
                });
            };
            rows.columns[column].write_cells(plan, &self.nulls, texts, &cells, &mut misfit);
        }
        rows.settle(misfits, |row| chunk.record(row, text));
    }
}

fn no_field(header_fields: &[String], source: &str) -> Error {
    let error = Error::data(format!("the header has no column `{source}`"))
        .note(format!("columns: {}", header_fields.join(", ")));
    let nearest = header_fields
        .iter()
        .min_by_key(|name| strsim::damerau_levenshtein(name, source));
    match nearest {
        Some(nearest) if strsim::damerau_levenshtein(nearest, source) <= 2 => {
            error.label(format!("did you mean `{nearest}`?"))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
