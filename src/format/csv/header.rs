//! The beginning of a CSV input: the names of its header, and records as samples for the guess.

use std::ops::Range;

use memchr::memchr;

use super::record::{FieldRanges, Walk, blank_line, field_text, walk_record};
use crate::format::encoding::Encoding;

/// The names in the header at the beginning of an input, and the bytes up to its end; a repeated name gets
/// `_1`, `_2`, an empty one is `c` and its number. `None` if the header is not whole yet.
pub fn csv_header(
    bytes: &[u8],
    delimiter: u8,
    at_end: bool,
    encoding: Encoding,
) -> Option<(Vec<String>, usize)> {
    let (fields, end) = csv_records(bytes, delimiter, at_end, 1).pop()?;
    let names = fields.into_iter().enumerate().map(|(place, field)| {
        let name = encoding.text_of(&field.text).trim().to_owned();
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
    let mut numbers: hashbrown::HashMap<String, usize> = hashbrown::HashMap::new();
    let distinct = names.into_iter().map(|name| {
        let mut candidate = name.clone();
        if taken.contains(&name) {
            let number = numbers.entry(name.clone()).or_default();
            while taken.contains(&candidate) || given.contains(&candidate) {
                *number += 1;
                candidate = format!("{name}_{number}");
            }
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

/// Where the records of a block of whole records are, each up to the end of its last line; blank lines before
/// it may count to it.
pub fn csv_record_ranges(block: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let has_quotes = memchr(b'"', block).is_some();
    let mut at = 0;
    while at < block.len() {
        let rest = &block[at..];
        if let Some(length) = blank_line(rest) {
            at += length;
            continue;
        }
        let first_line = || memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let length = match has_quotes {
            false => first_line(),
            true => match walk_record(rest, delimiter, |_, _| ()) {
                Walk::Whole { next, .. } => next,
                Walk::Unfinished => rest.len(),
                Walk::Open | Walk::TooManyLines => first_line(),
            },
        };
        ranges.push(at..at + length);
        at += length;
    }
    ranges
}
