//! How many bytes of an input make its sample: of a pipe the first record, of CSV the header and one row; of a
//! file 64 KiB, or its first record if that is an object of JSON that is longer.
//!
//! Invariant: depends on the bytes alone, never on how they were cut on their way.

use super::csv;
use super::hints::{Header, Hints};
use crate::error::ErrorKind;
use crate::format::{
    JsonSample, JsonWrapping, begins_long_object, csv_records, drawn_table, holds_object,
    json_object_fields, json_sample, names_fields, parse_format_name, recognizes_line,
    sample_fields, table_of_blanks,
};

/// Bytes of a regular file that make its sample.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// The line that shows the format of a pipe's sample: the one that ends it.
pub(super) fn last_line(sample: &[u8]) -> &[u8] {
    let lines = sample.trim_ascii_end();
    let start = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
    &lines[start..]
}

/// The length of the sample at the beginning of the `bytes` of a pipe; `None` if more bytes are needed. Records
/// before the first good one belong to it. Only an object of JSON may make it longer than [`SAMPLE_BYTES`].
pub fn live_sample_bytes(bytes: &[u8], at_end: bool, hints: &Hints) -> Option<usize> {
    let head = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let whole = at_end && head.len() == bytes.len();
    match sample_of(head, whole, hints) {
        Some(length) => Some(length),
        None if whole => Some(head.len()),
        None if head.len() == SAMPLE_BYTES => long_object(bytes, at_end, hints),
        None => None,
    }
}

/// The same for the bytes of a file.
pub fn file_sample_bytes(bytes: &[u8], at_end: bool, hints: &Hints) -> Option<usize> {
    match bytes.len() {
        length if length < SAMPLE_BYTES => at_end.then_some(length),
        _ => long_object(bytes, at_end, hints),
    }
}

/// The length of a sample whose first [`SAMPLE_BYTES`] are here: that, or the end of an object which begins
/// before it and ends behind it.
fn long_object(bytes: &[u8], at_end: bool, hints: &Hints) -> Option<usize> {
    let head = &bytes[..SAMPLE_BYTES];
    let name = hints.format.as_deref().map(parse_format_name);
    let may_be_json = match name {
        Some(Ok(name)) => {
            matches!(name, "auto" | "json" | "ndjson") || JsonWrapping::of_name(name).is_some()
        }
        Some(Err(_)) => false,
        None => hints.delimiter.is_none() && hints.regex.is_none(),
    };
    if !may_be_json || bytes.len() == SAMPLE_BYTES && at_end || !begins_long_object(head) {
        return Some(SAMPLE_BYTES);
    }
    if bytes.len() >= hints.max_record_bytes {
        return Some(SAMPLE_BYTES);
    }
    // An object of one line is looked at once, when its line is whole.
    let has_line = |bytes: &[u8]| memchr::memchr(b'\n', bytes).is_some();
    if !has_line(head) && !has_line(&bytes[SAMPLE_BYTES..]) && !at_end {
        return None;
    }
    match json_sample(bytes, at_end, true) {
        JsonSample::Found(_, length) => Some(length),
        JsonSample::Not => Some(SAMPLE_BYTES),
        JsonSample::More => at_end.then_some(SAMPLE_BYTES),
    }
}

fn sample_of(bytes: &[u8], at_end: bool, hints: &Hints) -> Option<usize> {
    if hints.names_lines() {
        return first_line_that(bytes, at_end, |_, upto| {
            match hints.named_layout(upto) {
                Ok(Some(layout)) => !sample_fields(&layout, &[], upto, 1).is_empty(),
                Ok(None) => false,
                // What is wrong with the hints is said by the guess; a header may still come.
                Err(error) => error.kind() != ErrorKind::Data,
            }
        });
    }
    let format = hints
        .format
        .as_deref()
        .and_then(|name| parse_format_name(name).ok());
    match (format, json_sample(bytes, at_end, true)) {
        (Some("ndjson"), _) => return first_object(bytes, at_end),
        (Some(name), sample) if name == "json" || JsonWrapping::of_name(name).is_some() => {
            return match sample {
                JsonSample::Found(_, length) => Some(length),
                JsonSample::More => None,
                JsonSample::Not => first_object(bytes, at_end),
            };
        }
        (None, sample) if hints.delimiter.is_none() => match sample {
            JsonSample::Found(_, length) => return Some(length),
            JsonSample::More if !hints.only_line => return None,
            JsonSample::More | JsonSample::Not => {}
        },
        _ => {}
    }
    // Blanks alone do not show what follows.
    if bytes.trim_ascii().is_empty() {
        return None;
    }
    let delimiter = match (hints.delimiter, format) {
        (Some(delimiter), _) => delimiter,
        (None, Some("tsv")) => b'\t',
        // Where a record ends depends on the delimiter only next to quotes.
        (None, _) => first_delimiter(bytes)?,
    };
    let is_free = hints.delimiter.is_none() && format.is_none() && hints.header == Header::Auto;
    let wanted = if hints.header == Header::No { 1 } else { 2 };
    let records = csv_records(bytes, delimiter, at_end, wanted);
    let csv_end = records.get(wanted - 1).map(|(_, end)| *end);
    if !is_free {
        return csv_end;
    }
    // A first line that is not whole shows nothing.
    if !at_end && !bytes.contains(&b'\n') {
        return None;
    }
    // The names of a drawn table may look like those of CSV.
    let is_drawn = || drawn_table(first_lines(bytes, 2)).is_some() && !hints.only_line;
    if csv::begins_with_names(first_lines(bytes, 1), true, hints) && !is_drawn() {
        return csv_end;
    }
    first_record(bytes, at_end, csv_end, hints)
}

/// The end of the first record of a format that shows, be it that of `csv_end`.
fn first_record(
    bytes: &[u8],
    at_end: bool,
    csv_end: Option<usize>,
    hints: &Hints,
) -> Option<usize> {
    let is_comment = |line: &[u8]| line.starts_with(b"#");
    let begins_with_comment = is_comment(bytes);
    let mut number = 0;
    first_line_that(bytes, at_end, |line, upto| {
        number += 1;
        if let Some(layout) = drawn_table(upto).filter(|_| !hints.only_line) {
            return !sample_fields(&layout, &[], upto, 1).is_empty();
        }
        if begins_with_comment && names_fields(upto) {
            return !is_comment(line);
        }
        if holds_object(line) || recognizes_line(line) || hints.only_line {
            return true;
        }
        let is_csv = csv_end
            .is_some_and(|end| end <= upto.len() && end > upto.len() - line.len() - 1)
            && csv::columns(upto, false, None, false, hints).is_ok();
        is_csv || (number <= MOST_LINES_OF_A_TABLE && table_of_blanks(upto).is_some())
    })
}

/// A header of blanks with titles above it and a row below shows within so many lines.
const MOST_LINES_OF_A_TABLE: usize = 10;

/// The end of the first line, with its newline, of which `shows` is true; it gets the line without it and all
/// bytes up to its end.
fn first_line_that(
    bytes: &[u8],
    at_end: bool,
    mut shows: impl FnMut(&[u8], &[u8]) -> bool,
) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let end = match memchr::memchr(b'\n', &bytes[at..]) {
            Some(length) => at + length + 1,
            None if at_end => bytes.len(),
            None => return None,
        };
        let line = bytes[at..end]
            .strip_suffix(b"\n")
            .unwrap_or(&bytes[at..end]);
        if shows(line, &bytes[..end]) {
            return Some(end);
        }
        at = end;
    }
    None
}

/// The first lines, this many.
fn first_lines(bytes: &[u8], count: usize) -> &[u8] {
    let ends = memchr::memchr_iter(b'\n', bytes);
    let end = ends.take(count).last();
    end.map_or(bytes, |end| &bytes[..=end])
}

fn first_object(bytes: &[u8], at_end: bool) -> Option<usize> {
    let mut at = if bytes.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (line, length) = match memchr::memchr(b'\n', rest) {
            Some(end) => (&rest[..end], end + 1),
            None if at_end => (rest, rest.len()),
            None => return None,
        };
        at += length;
        if json_object_fields(line).is_some() {
            return Some(at);
        }
    }
    None
}

/// The delimiter that the first line has most of; a comma if it has none.
fn first_delimiter(bytes: &[u8]) -> Option<u8> {
    let line = bytes
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next()?;
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // Of equal counts, the last in this list wins.
    [b'|', b';', b'\t', b','].into_iter().max_by_key(count)
}
