//! CSV and TSV: fields between delimiters, one header for all records of an input.
//!
//! ```text
//! header  ts,host,status,bytes      read: status, ts
//! record  12:00:03,web1,200,512  ─► walk to field 2, count the rest ─► 200, 12:00:03
//! record  12:00:04,web1          ─► reject: has 2 fields, the header has 4
//! ```
//!
//! Invariants: only the fields that are read are looked at; a record counts its fields all the same. A
//! block whose last quote stays open ends with the first line of a broken record (the splitter cut it
//! there): that line is the reject.

use arrow::buffer::Buffer;
use memchr::{memchr, memchr_iter};

use super::csv_record::{FieldRanges, Walk, blank_line, field_text, walk_record};
use super::encoding::{BlockText, Encoding, RecordText};
use super::rows::{RowPlan, Rows, shown_text};
use super::spec::DEFAULT_MAX_RECORD_BYTES;
use super::{DecodeSpec, Decoded, Decoder};
use crate::error::{Error, Result};

/// What stands for NULL in columns of numbers, times and truth values, if `--nulls` does not say.
pub const DEFAULT_NULLS: [&str; 6] = ["NA", "N/A", "NULL", "null", "\\N", "-"];

const MOST_COLUMNS: usize = 10_000;

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
    /// True if `text` is NULL in a column of text.
    #[inline]
    pub(super) fn holds_for_text(&self, text: &[u8]) -> bool {
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
pub(super) struct CsvDecoder {
    delimiter: u8,
    header: bool,
    field_count: usize,
    nulls: Nulls,
    encoding: Encoding,
    plan: RowPlan,
    /// (field of the record, column of the plan), by rising field.
    reads: Vec<(usize, usize)>,
}

impl CsvDecoder {
    /// Finds the columns of `spec` in the header; an error names one that it lacks.
    pub(super) fn new(options: &CsvOptions, spec: &DecodeSpec) -> Result<Self> {
        if matches!(options.delimiter, b'"' | b'\n' | b'\r') {
            return Err(Error::usage("a quote or a newline cannot part fields"));
        }
        if options.header_fields.len() > MOST_COLUMNS {
            let count = options.header_fields.len();
            return Err(Error::data(format!(
                "the header names {count} columns, more than {MOST_COLUMNS}"
            )));
        }
        let columns = spec.columns.iter().chain(&spec.checked);
        let mut reads = columns
            .enumerate()
            .map(|(column, read)| Ok((find_field(&options.header_fields, &read.source)?, column)))
            .collect::<Result<Vec<_>>>()?;
        reads.sort_unstable();
        Ok(CsvDecoder {
            delimiter: options.delimiter,
            header: options.header,
            field_count: options.header_fields.len(),
            nulls: options.nulls.clone(),
            encoding: options.encoding,
            plan: RowPlan::new(spec)?,
            reads,
        })
    }

    /// Writes a record without quotes; true if it is a row, else it was rejected.
    #[inline]
    fn plain_record(&self, rows: &mut Rows<'_>, text: &[u8], raw: &[u8]) {
        let (mut field, mut start, mut misfit) = (0, 0, None);
        // Where the current field ends; found at most once for each.
        let mut end = None;
        for &(wanted, column) in &self.reads {
            while field < wanted {
                let stop = end.take().unwrap_or_else(|| self.field_end(text, start));
                if stop == text.len() {
                    return self.reject_ragged(rows, field + 1, raw);
                }
                start = stop + 1;
                field += 1;
            }
            let stop = *end.get_or_insert_with(|| self.field_end(text, start));
            let value = &text[start..stop];
            let plan = &self.plan.columns[column];
            if let Err(why) = rows.columns[column].write_field(plan, &self.nulls, value, false) {
                misfit.get_or_insert((column, why, value));
            }
        }
        let count = field + 1 + memchr_iter(self.delimiter, &text[start..]).count();
        if count != self.field_count {
            return self.reject_ragged(rows, count, raw);
        }
        match misfit {
            None => rows.accept(),
            Some((column, why, value)) => rows.reject_misfit(column, why, &shown_text(value), raw),
        }
    }

    #[inline]
    fn field_end(&self, text: &[u8], start: usize) -> usize {
        memchr(self.delimiter, &text[start..]).map_or(text.len(), |length| start + length)
    }

    /// Writes a record with quotes whose fields are known.
    fn quoted_record(
        &self,
        rows: &mut Rows<'_>,
        text: &[u8],
        ranges: &FieldRanges,
        raw: &[u8],
        scratch: &mut Vec<u8>,
    ) {
        if ranges.len() != self.field_count {
            return self.reject_ragged(rows, ranges.len(), raw);
        }
        let mut misfit = None;
        for &(field, column) in &self.reads {
            let (start, end) = ranges[field];
            let (value, quoted) = field_text(&text[start..end], scratch);
            let plan = &self.plan.columns[column];
            if let Err(why) = rows.columns[column].write_field(plan, &self.nulls, value, quoted) {
                misfit.get_or_insert_with(|| (column, why, shown_text(value)));
            }
        }
        match misfit {
            None => rows.accept(),
            Some((column, why, shown)) => rows.reject_misfit(column, why, &shown, raw),
        }
    }

    #[cold]
    fn reject_ragged(&self, rows: &mut Rows<'_>, count: usize, raw: &[u8]) {
        let fields = |count| {
            if count == 1 {
                "1 field".to_owned()
            } else {
                format!("{count} fields")
            }
        };
        let whole = if self.header {
            "the header"
        } else {
            "the first record"
        };
        let reason = format!("has {}, {whole} has {}", fields(count), self.field_count);
        rows.reject(reason, None, raw);
    }
}

impl Decoder for CsvDecoder {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema.clone()
    }

    fn decode(&self, block: &Buffer) -> Result<Decoded> {
        let block = block.as_slice();
        let mut texts = BlockText::new(block, self.encoding);
        let mut rows = Rows::new(&self.plan, block.len() / 64 + 1);
        let block_has_quotes = memchr(b'"', block).is_some();
        let (mut scratch, mut ranges, mut at) = (Vec::new(), FieldRanges::new(), 0);
        while at < block.len() {
            if let Some(length) = blank_line(&block[at..]) {
                at += length;
                rows.line += 1;
                continue;
            }
            let rest = &block[at..];
            let line_end = memchr(b'\n', rest).unwrap_or(rest.len());
            let mut raw = &rest[..line_end];
            let has_quotes = block_has_quotes && memchr(b'"', raw).is_some();
            let (mut next, mut lines, mut is_open) = ((line_end + 1).min(rest.len()), 1, false);
            if has_quotes {
                ranges.clear();
                match walk_record(rest, self.delimiter, |start, end| ranges.push((start, end))) {
                    Walk::Whole {
                        end,
                        next: behind,
                        lines: spanned,
                    } => {
                        (raw, next, lines) = (&rest[..end], behind, spanned);
                    }
                    Walk::Unfinished => {
                        lines = memchr_iter(b'\n', rest).count() as u64 + 1;
                        (raw, next) = (rest, rest.len());
                    }
                    Walk::Open | Walk::TooManyLines => is_open = true,
                }
            }
            // At the end of the input, a carriage return may stand for the newline that is missing.
            raw = raw
                .strip_suffix(b"\r")
                .filter(|_| !has_quotes)
                .unwrap_or(raw);
            if is_open {
                let reason = "a quote opens in this line and does not close";
                rows.reject(reason.into(), None, raw);
            } else {
                match texts.of_record(raw) {
                    RecordText::NotUtf8 => rows.reject(
                        "is not UTF-8".into(),
                        Some("--encoding lossy or --encoding latin1 reads it".into()),
                        raw,
                    ),
                    RecordText::AsIs if has_quotes => {
                        self.quoted_record(&mut rows, raw, &ranges, raw, &mut scratch);
                    }
                    RecordText::AsIs => self.plain_record(&mut rows, raw, raw),
                    RecordText::Changed { text, mended } => {
                        if mended {
                            rows.mend();
                        }
                        ranges.clear();
                        walk_record(text, self.delimiter, |start, end| ranges.push((start, end)));
                        self.quoted_record(&mut rows, text, &ranges, raw, &mut scratch);
                    }
                }
            }
            at += next;
            rows.line += lines;
        }
        rows.finish()
    }
}

fn find_field(header_fields: &[String], source: &str) -> Result<usize> {
    if let Some(place) = header_fields.iter().position(|name| name == source) {
        return Ok(place);
    }
    let error = Error::data(format!("the header has no column `{source}`"))
        .note(format!("columns: {}", header_fields.join(", ")));
    let nearest = header_fields
        .iter()
        .min_by_key(|name| strsim::damerau_levenshtein(name, source));
    Err(match nearest {
        Some(nearest) if strsim::damerau_levenshtein(nearest, source) <= 2 => {
            error.label(format!("did you mean `{nearest}`?"))
        }
        _ => error,
    })
}

/// The names in the header at the beginning of an input, and the bytes up to its end; a repeated name gets
/// `_1`, `_2`, an empty one is `c` and its number. `None` if the header is not whole yet.
pub fn csv_header(bytes: &[u8], delimiter: u8, at_end: bool) -> Option<(Vec<String>, usize)> {
    let (fields, end) = csv_records(bytes, delimiter, at_end, 1).pop()?;
    let names = fields.into_iter().enumerate().map(|(place, field)| {
        let name = String::from_utf8_lossy(&field.text).trim().to_owned();
        if name.is_empty() {
            format!("c{}", place + 1)
        } else {
            name
        }
    });
    Some((distinct_names(names.collect()), end))
}

/// The names with `_1`, `_2` behind those that were there before.
fn distinct_names(names: Vec<String>) -> Vec<String> {
    let mut taken: hashbrown::HashSet<String> = hashbrown::HashSet::new();
    let given: hashbrown::HashSet<String> = names.iter().cloned().collect();
    let distinct = names.into_iter().map(|name| {
        let mut candidate = name.clone();
        let mut number = 0;
        while taken.contains(&candidate) || (number > 0 && given.contains(&candidate)) {
            number += 1;
            candidate = format!("{name}_{number}");
        }
        taken.insert(candidate.clone());
        candidate
    });
    distinct.collect()
}

/// A field of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleField {
    /// What it says.
    pub text: Vec<u8>,
    /// True if it stood in quotes.
    pub quoted: bool,
}

/// The first whole records of an input, at most `most`, each with the bytes up to its end. A byte order
/// mark and blank lines are skipped, a record whose quote stays open ends them.
pub fn csv_records(
    bytes: &[u8],
    delimiter: u8,
    at_end: bool,
    most: usize,
) -> Vec<(Vec<SampleField>, usize)> {
    let mut at = if bytes.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    let (mut records, mut ranges, mut scratch) = (Vec::new(), FieldRanges::new(), Vec::new());
    while at < bytes.len() && records.len() < most {
        let rest = &bytes[at..];
        if let Some(length) = blank_line(rest) {
            at += length;
            continue;
        }
        ranges.clear();
        match walk_record(rest, delimiter, |start, end| ranges.push((start, end))) {
            Walk::Whole { next, .. } => at += next,
            Walk::Unfinished if at_end => at = bytes.len(),
            _ => break,
        }
        let fields = ranges.iter().map(|(start, end)| {
            let (text, quoted) = field_text(&rest[*start..*end], &mut scratch);
            SampleField {
                text: text.to_vec(),
                quoted,
            }
        });
        records.push((fields.collect(), at));
    }
    records
}

#[cfg(test)]
#[path = "csv/tests.rs"]
mod tests;
