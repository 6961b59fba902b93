//! The formats by name, and from a format its splitter and decoder.

use std::sync::Arc;

use super::columnar::ColumnarFormat;
use super::csv::{CsvDecoder, CsvOptions};
use super::json::{
    JsonWrapping, NdjsonDecoder, NdjsonOptions, PartsSplitter, ValuesSplitter, WrappedDecoder,
};
use super::lines::{Layout, LinesDecoder, LinesOptions, known_pattern_names};
use super::record_splitter::{RecordShape, RecordSplitter};
use super::{DecodeSpec, Decoder, Splitter};
use crate::error::{Error, Result};

/// The formats that can be read, each with its other spellings. Messages and flags read this list.
pub const FORMATS: &[(&str, &[&str])] = &[
    ("csv", &[]),
    ("tsv", &[]),
    ("ndjson", &["jsonl"]),
    ("json", &[]),
    ("prefixed-json", &[]),
    ("cri", &[]),
    ("docker-json", &[]),
    ("journal-json", &[]),
    ("logfmt", &[]),
    ("clf", &["common"]),
    ("combined", &[]),
    ("syslog", &[]),
    ("regex", &[]),
    ("columns", &[]),
    ("table", &["markdown"]),
    ("lines", &["text"]),
    ("w3c", &["iis"]),
    ("zeek", &[]),
    ("parquet", &[]),
    ("arrow", &["arrow-ipc", "ipc"]),
];

/// The name in [`FORMATS`] of a spelling, ignoring case; an error with the known names if there is none.
pub fn parse_format_name(text: &str) -> Result<&'static str> {
    let wanted = text.to_ascii_lowercase();
    for (name, spellings) in FORMATS {
        if *name == wanted || spellings.contains(&wanted.as_str()) {
            return Ok(name);
        }
    }
    if let Some(name) = known_pattern_names().find(|name| *name == wanted) {
        return Ok(name);
    }
    let known = FORMATS
        .iter()
        .flat_map(|(name, more)| std::iter::once(name).chain(*more))
        .copied()
        .chain(known_pattern_names());
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let logs: Vec<&str> = known_pattern_names().collect();
    Err(Error::usage(format!("`{text}` is no input format"))
        .note(format!("formats: {}", names.join(", ")))
        .note(format!("logs of: {}", logs.join(", ")))
        .suggest(&wanted, known))
}

/// A format with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Fields between delimiters: csv, tsv, and their like.
    Csv(CsvOptions),
    /// One JSON object per line.
    Ndjson(NdjsonOptions),
    /// JSON objects that stand otherwise.
    Json(JsonWrapping, NdjsonOptions),
    /// Lines of text: logs, tables of blanks, anything.
    Lines(LinesOptions),
    /// Columns, which have no records: see [`super::ColumnarDecoder`].
    Columnar(ColumnarFormat),
}

impl Format {
    /// Its name, as [`parse_format_name`] or the user's formats have it.
    pub fn name(&self) -> &str {
        match self {
            Format::Csv(options) if options.delimiter == b'\t' => "tsv",
            Format::Csv(_) => "csv",
            Format::Ndjson(_) => "ndjson",
            Format::Json(wrapping, _) => wrapping.name(),
            Format::Lines(options) => options.layout.name(),
            Format::Columnar(format) => format.kind.name(),
        }
    }

    /// The longest record.
    pub fn max_record_bytes(&self) -> usize {
        match self {
            Format::Csv(options) => options.max_record_bytes,
            Format::Ndjson(options) | Format::Json(_, options) => options.max_record_bytes,
            Format::Lines(options) => options.max_record_bytes,
            Format::Columnar(_) => usize::MAX,
        }
    }

    /// How its JSON objects stand, if not one on each line.
    pub fn json_wrapping(&self) -> Option<JsonWrapping> {
        match self {
            Format::Json(wrapping, _) => Some(*wrapping),
            Format::Csv(_) | Format::Ndjson(_) | Format::Lines(_) | Format::Columnar(_) => None,
        }
    }

    /// True if every record has the same columns, so that a name that the sample lacks is an error.
    pub fn has_fixed_columns(&self) -> bool {
        match self {
            Format::Csv(_) | Format::Columnar(_) => true,
            Format::Ndjson(_) | Format::Json(..) => false,
            Format::Lines(options) => options.layout != Layout::Logfmt,
        }
    }

    /// A splitter for one input, from its beginning. Fails for columns, which have no records.
    pub fn splitter(&self) -> Result<Box<dyn Splitter>> {
        let lines = |most| RecordSplitter::new(RecordShape::Lines, false, most);
        Ok(match self {
            Format::Csv(options) => {
                let shape = RecordShape::Csv {
                    delimiter: options.delimiter,
                };
                let most = options.max_record_bytes;
                Box::new(RecordSplitter::new(shape, options.header, most))
            }
            Format::Ndjson(options)
            | Format::Json(JsonWrapping::Prefix | JsonWrapping::Journal, options) => {
                Box::new(lines(options.max_record_bytes))
            }
            Format::Lines(options) => Box::new(lines(options.max_record_bytes)),
            Format::Columnar(_) => return Err(Error::internal("columns have no records")),
            Format::Json(JsonWrapping::Values, options) => {
                Box::new(ValuesSplitter::new(options.max_record_bytes))
            }
            Format::Json(wrapping, options) => {
                let most = options.max_record_bytes;
                Box::new(PartsSplitter::new(Box::new(lines(most)), *wrapping, most))
            }
        })
    }

    /// A decoder for blocks of an input with these options. Fails for a column that the header lacks and
    /// for a type that cannot be read.
    pub fn decoder(&self, spec: &DecodeSpec) -> Result<Arc<dyn Decoder>> {
        Ok(match self {
            Format::Csv(options) => Arc::new(CsvDecoder::new(options, &spec.steps_only())?),
            Format::Ndjson(options) => Arc::new(NdjsonDecoder::new(options, spec)?),
            Format::Json(wrapping, options) => {
                Arc::new(WrappedDecoder::new(*wrapping, options, spec)?)
            }
            Format::Lines(options) => Arc::new(LinesDecoder::new(options, &spec.steps_only())?),
            Format::Columnar(_) => return Err(Error::internal("columns have no records")),
        })
    }

    /// The same format for another file of the table, whose bytes begin with `beginning`: a CSV header may
    /// have other columns in another order there, and times without a year are of the years before it was
    /// `written`, in seconds since 1970. `None` if more bytes are needed to see that.
    pub fn bound_to(&self, beginning: &[u8], at_end: bool, written: i64) -> Option<Format> {
        match self {
            Format::Csv(options) if options.header => {
                let (header_fields, _) =
                    super::csv_header(beginning, options.delimiter, at_end, options.encoding)?;
                Some(Format::Csv(CsvOptions {
                    header_fields,
                    ..options.clone()
                }))
            }
            Format::Lines(options) => Some(Format::Lines(LinesOptions {
                layout: options.layout.bound_to(beginning, at_end)?,
                years_from: Some(options.years_from(beginning, at_end, written)?),
                ..options.clone()
            })),
            other => Some(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(parse_format_name("JSONL").unwrap(), "ndjson");
        assert_eq!(parse_format_name("tsv").unwrap(), "tsv");
        let label = |text| {
            parse_format_name(text)
                .unwrap_err()
                .label_text()
                .map(str::to_owned)
        };
        assert_eq!(label("cvs").as_deref(), Some("did you mean `csv`?"));
        assert_eq!(label("ndjsom").as_deref(), Some("did you mean `ndjson`?"));
        assert_eq!(label("excel"), None);
    }
}
