//! How many bytes of a pipe make its sample: the first record, of CSV the header and one row.
//!
//! Invariant: depends on the bytes alone, never on how they were cut on their way.

use super::guess::{Header, Hints};
use crate::format::{
    JsonSample, JsonWrapping, csv_records, json_object_fields, json_sample, parse_format_name,
};

use super::guess::SAMPLE_BYTES;

/// The length of the sample at the beginning of `bytes`; `None` if more bytes are needed. Records before
/// the first good one belong to it. Never longer than [`SAMPLE_BYTES`]: a longer record shows what is there.
pub fn live_sample_bytes(bytes: &[u8], at_end: bool, hints: &Hints) -> Option<usize> {
    let head = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let whole = at_end && head.len() == bytes.len();
    match sample_of(head, whole, hints) {
        Some(length) => Some(length),
        None if whole || head.len() == SAMPLE_BYTES => Some(head.len()),
        None => None,
    }
}

fn sample_of(bytes: &[u8], at_end: bool, hints: &Hints) -> Option<usize> {
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
            JsonSample::More => return None,
            JsonSample::Not => {}
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
    let wanted = if hints.header == Header::No { 1 } else { 2 };
    let records = csv_records(bytes, delimiter, at_end, wanted);
    let (_, end) = records.get(wanted - 1)?;
    Some(*end)
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
