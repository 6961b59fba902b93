//! Delimiter, header and fields of a CSV sample.
//!
//! The delimiter is the one that cuts the records of the sample most evenly.

use super::header::Names;
use super::hints::{Header, Hints};
use super::sample::{Record, SampleColumn, SampleValue, sample_value};
use crate::error::{Error, Result};
use crate::format::{CsvOptions, FORMATS, Format, SampleField, csv_header, csv_records};

const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
const MOST_RECORDS: usize = 1_000;

/// The format and the columns of the sample. `is_asked_for` takes text of one column for CSV, too.
pub(super) fn columns(
    sample: &[u8],
    sample_is_whole_input: bool,
    delimiter: Option<u8>,
    is_asked_for: bool,
    hints: &Hints,
) -> Result<(Format, Vec<SampleColumn>)> {
    // Of a pipe, the sample is its first record whether or not more may come.
    let at_end = sample_is_whole_input;
    if !is_asked_for && sample.trim_ascii_start().starts_with(b"[") {
        return Err(unknown_format(sample));
    }
    let delimiter = match delimiter.or_else(|| sniff_delimiter(sample, at_end)) {
        Some(delimiter) => delimiter,
        None if is_asked_for || one_column_is_plausible(sample, at_end, hints) => b',',
        None => return Err(unknown_format(sample)),
    };
    let mut records = read_records(sample, delimiter, at_end);
    if !is_asked_for && is_prose(&records, hints) {
        return Err(unknown_format(sample));
    }
    let header = match (hints.header, records.split_first()) {
        (Header::Yes, _) => true,
        (Header::No, _) => false,
        (Header::Auto, Some((first, rest))) => {
            let most = if hints.from_pipe { 1 } else { rest.len() };
            Names::of(first, &rest[..most.min(rest.len())], hints).are_a_header()
        }
        (Header::Auto, None) => true,
    };
    let names = match (header, records.first()) {
        (true, _) => csv_header(sample, delimiter, at_end, hints.encoding).map(|(names, _)| names),
        (false, Some(first)) => Some((1..=first.len()).map(|n| format!("c{n}")).collect()),
        (false, None) => None,
    };
    let names = names.unwrap_or_default();
    if header && !records.is_empty() {
        records.remove(0);
    }
    if hints.from_pipe {
        records.truncate(1);
    }
    records.retain(|record| record.len() == names.len());
    let sampled = names.iter().enumerate().map(|(place, name)| SampleColumn {
        name: name.clone(),
        values: column_values(&records, place, hints),
    });
    let sampled = sampled.collect();
    Ok((
        Format::Csv(csv_options(delimiter, header, names, hints)),
        sampled,
    ))
}

fn read_records(sample: &[u8], delimiter: u8, at_end: bool) -> Vec<Record> {
    let records = csv_records(sample, delimiter, at_end, usize::MAX);
    records.into_iter().map(|(fields, _)| fields).collect()
}

/// The delimiter that gives most records the field count of the first; `None` if none is plausible.
fn sniff_delimiter(sample: &[u8], at_end: bool) -> Option<u8> {
    let mut best: Option<(usize, usize, u8)> = None;
    for delimiter in DELIMITERS {
        let records = csv_records(sample, delimiter, at_end, MOST_RECORDS);
        let Some((first, _)) = records.first() else {
            continue;
        };
        let even = records
            .iter()
            .filter(|(fields, _)| fields.len() == first.len())
            .count();
        let percent = even * 100 / records.len();
        if first.len() < 2 || (percent < 80 && !first.iter().all(is_word)) {
            continue;
        }
        if best.is_none_or(|(p, n, _)| (percent, first.len()) > (p, n)) {
            best = Some((percent, first.len(), delimiter));
        }
    }
    best.map(|(_, _, delimiter)| delimiter)
}

/// True for sentences that are no names: ` 05:59:22 up 5 min,  0 user` has a blank behind each comma and between
/// words, `proc on /proc (rw,relatime)` commas within brackets.
fn is_prose(records: &[Record], hints: &Hints) -> bool {
    let Some((first, rest)) = records.split_first() else {
        return false;
    };
    let has_blank_before = |field: &SampleField| field.text.starts_with(b" ") && !field.quoted;
    let has_words = |field: &SampleField| field.text.trim_ascii().contains(&b' ');
    let count = |field: &SampleField, wanted| memchr::memchr_iter(wanted, &field.text).count();
    let is_torn = |field: &SampleField| {
        !field.quoted
            && (count(field, b'(') != count(field, b')')
                || count(field, b'[') != count(field, b']'))
    };
    let is_sentence =
        first.len() > 1 && first[1..].iter().all(has_blank_before) && first.iter().any(has_words);
    (is_sentence || first.iter().any(is_torn)) && !Names::of(first, rest, hints).are_sure()
}

/// True if the first record is names and nothing else, and the second has a value for each: CSV, whatever its
/// values look like.
pub(super) fn begins_with_names(sample: &[u8], at_end: bool, hints: &Hints) -> bool {
    DELIMITERS.iter().any(|delimiter| {
        let records = csv_records(sample, *delimiter, at_end, 2);
        let records: Vec<Record> = records.into_iter().map(|(fields, _)| fields).collect();
        let Some((first, rest)) = records.split_first() else {
            return false;
        };
        first.len() > 1
            && first.iter().all(is_word)
            && Names::of(first, rest, hints).are_a_header()
            && rest.iter().all(|second| second.len() == first.len())
    })
}

/// True if there is a name above numbers or one that the query uses, or nothing at all: words below a word may be
/// names of files as well.
fn one_column_is_plausible(sample: &[u8], at_end: bool, hints: &Hints) -> bool {
    let records = read_records(sample, b',', at_end);
    let Some((first, rest)) = records.split_first() else {
        // Nothing at all: a table without columns, not an unknown format.
        return sample.trim_ascii().is_empty();
    };
    let is_used = |field: &SampleField| {
        let text = String::from_utf8_lossy(&field.text);
        let mut names = hints.names.iter();
        names.any(|name| name.eq_ignore_ascii_case(text.trim()))
    };
    let is_header = match first.as_slice() {
        [field] if is_word(field) => {
            Names::of(first, rest, hints).are_sure() || (!rest.is_empty() && is_used(field))
        }
        _ => false,
    };
    hints.header != Header::Auto || is_header
}

/// True for what people call columns: a letter first, no blanks.
fn is_word(field: &SampleField) -> bool {
    let text = String::from_utf8_lossy(&field.text);
    let text = text.trim();
    let first = text.chars().next();
    first.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '@' | '#'))
        && text.len() <= 64
        && !text
            .contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']' | '='))
}

fn column_values(records: &[Record], place: usize, hints: &Hints) -> Vec<SampleValue> {
    // Null words count as NULL in a column of text, too: that changes no type.
    records
        .iter()
        .map(|record| sample_value(&record[place], hints))
        .collect()
}

/// The csv options that the hints leave no choice about.
fn csv_options(delimiter: u8, header: bool, names: Vec<String>, hints: &Hints) -> CsvOptions {
    CsvOptions {
        delimiter,
        header,
        header_fields: names,
        nulls: hints.nulls.clone(),
        encoding: hints.encoding,
        max_record_bytes: hints.max_record_bytes,
    }
}

fn unknown_format(sample: &[u8]) -> Error {
    let formats: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let error = Error::data("the format of the input is not plain from its first bytes")
        .note(format!("formats: {}", formats.join(", ")))
        .help("--input-format names the format, --delimiter what parts the fields");
    match sample.trim_ascii_start().first() {
        Some(b'[') => error.help("the elements of a JSON array become records with `jq -c '.[]'`"),
        _ => error,
    }
}
