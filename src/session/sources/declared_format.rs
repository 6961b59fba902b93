//! How the records of a table of `CREATE TABLE` are written: as it says, as its path ends, as its first bytes look.
//!
//! ```text
//!   WITH (format = 'csv')        csv
//!   path = 'a.ndjson.gz'         ndjson
//!   {"ts": …                     ndjson, by its bytes
//!   TS;Door                      csv by `;`, whose header spells the columns ts and door
//! ```
//!
//! Invariant: the declared columns stay as they are; a header only says under which spelling they are found.

use super::definition::Definition;
use crate::catalog::{Guess, Header, Hints, guess, json_format, place_of_name};
use crate::connect::Compression;
use crate::error::Result;
use crate::format::{CsvOptions, Format, csv_header, parse_format_name};

/// How the records of a declared table are written: as it says, as its path ends, as its bytes look.
pub(super) fn declared_format(
    definition: &Definition,
    sample: &[u8],
    at_end: bool,
    source: &str,
) -> Result<Format> {
    let hints = &definition.hints;
    let by_ending = || {
        // An ending such as `.go` or `.lines` says nothing about how records are written.
        let ending = Compression::inner_path(source).rsplit_once('.')?.1;
        let name = parse_format_name(ending).ok()?;
        matches!(name, "csv" | "tsv" | "ndjson" | "json").then(|| String::from(name))
    };
    let by_expression = hints.regex.is_some().then(|| String::from("regex"));
    let name = match hints.format.clone().or(by_expression).or_else(by_ending) {
        // Nothing is of any format; no row will come of it.
        Some(name) if !is_parted(&name) && sample.trim_ascii().is_empty() => String::from("ndjson"),
        Some(name) => name,
        None if sample.trim_ascii().is_empty() => String::from("ndjson"),
        None => guess(sample, at_end, hints)
            .map_err(|error| error.note(format!("in {source}")))?
            .format
            .name()
            .to_string(),
    };
    let declared: Vec<String> = definition.columns.keys().cloned().collect();
    if let Some(format) = json_format(Some(&name), sample, at_end, hints) {
        return Ok(format);
    }
    if !is_parted(&name) {
        let lines = lines_format(name, sample, at_end, hints);
        return lines.map_err(|error| error.note(format!("in {source}")));
    }
    let delimiter = match (hints.delimiter, name.as_str()) {
        (Some(delimiter), _) => delimiter,
        (None, "tsv") => b'\t',
        (None, _) => guessed_delimiter(sample, at_end, hints),
    };
    let header = csv_header(sample, delimiter, true, hints.encoding)
        .map(|(names, _)| names)
        .unwrap_or_default();
    let is_declared = |name: &String| {
        declared
            .iter()
            .any(|column| column.eq_ignore_ascii_case(name))
    };
    let has_header = match hints.header {
        Header::Yes => true,
        Header::No => false,
        // Names among names are a header; a record has a value where the name would be.
        Header::Auto => header.iter().any(is_declared),
    };
    let header_fields = if has_header {
        header
    } else {
        definition.declared.clone().unwrap_or_default()
    };
    Ok(Format::Csv(CsvOptions {
        header: has_header,
        nulls: hints.nulls.clone(),
        encoding: hints.encoding,
        max_record_bytes: hints.max_record_bytes,
        ..CsvOptions::new(delimiter, header_fields)
    }))
}

/// A format of lines, with what the sample shows of it.
fn lines_format(name: String, sample: &[u8], at_end: bool, hints: &Hints) -> Result<Format> {
    let hints = Hints {
        format: Some(name),
        ..hints.clone()
    };
    Ok(guess(sample, at_end, &hints)?.format)
}

/// True for fields between delimiters.
fn is_parted(name: &str) -> bool {
    matches!(name, "csv" | "tsv")
}

fn guessed_delimiter(sample: &[u8], at_end: bool, hints: &Hints) -> u8 {
    match guess(sample, at_end, hints) {
        Ok(Guess {
            format: Format::Csv(options),
            ..
        }) => options.delimiter,
        _ => b',',
    }
}

/// Spells the columns of a declared table as the header does.
pub(super) fn bind_header(definition: &mut Definition, format: &Format) {
    let names = match format {
        Format::Csv(options) => options.header_fields.clone(),
        Format::Lines(options) => options.layout.column_names().unwrap_or_default(),
        Format::Columnar(columns) => {
            let fields = columns.schema.fields().iter();
            fields.map(|field| field.name().clone()).collect()
        }
        Format::Ndjson(_) | Format::Json(..) => return,
    };
    for (name, column) in &mut definition.columns {
        if let Some(place) = place_of_name(names.iter().map(String::as_str), name) {
            column.source = names[place].clone();
        }
    }
}
