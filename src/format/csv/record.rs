//! The record machine of CSV: where a record ends, where its fields are, what a field says.
//!
//! ```text
//! web1,"a, b",,"say ""hi""\n"   fields  web1 | "a, b" | | "say ""hi""\n"
//!                               say     web1 | a, b   | | say "hi"⏎
//! ```
//!
//! A quote opens only at the beginning of a field; what follows the closing quote is taken as it is. A
//! carriage return counts as part of the newline only right before it; alone it is data. Splitter,
//! decoder and guess share this machine, so that they see the same records.

use memchr::{memchr, memchr2};

/// Lines that a quoted field may span.
pub(in crate::format) const MOST_LINES_IN_A_FIELD: u64 = 1_000;

/// The fields of a record as ranges of the bytes that were walked, quotes included.
pub(in crate::format) type FieldRanges = Vec<(usize, usize)>;

/// What walking over a record found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Walk {
    /// The record ends with a newline: `end` is behind its last field, `next` behind the newline.
    Whole { end: usize, next: usize, lines: u64 },
    /// The bytes ran out outside of quotes: a record only if the input ends here.
    Unfinished,
    /// The bytes ran out inside of quotes.
    Open,
    /// A quoted field spans too many lines.
    TooManyLines,
}

/// Walks over the record at the beginning of `bytes`; `field` gets the range of each field.
#[inline]
pub(in crate::format) fn walk_record(
    bytes: &[u8],
    delimiter: u8,
    mut field: impl FnMut(usize, usize),
) -> Walk {
    let (mut lines, mut start) = (1, 0);
    loop {
        let mut at = start;
        if bytes.get(start) == Some(&b'"') {
            match closing_quote(bytes, start + 1, &mut lines) {
                Ok(close) => at = close + 1,
                Err(walk) => return walk,
            }
        }
        let Some(length) = memchr2(delimiter, b'\n', &bytes[at..]) else {
            // At the end of the input, a carriage return stands for the newline that is missing.
            let end = if bytes.len() > at && bytes.ends_with(b"\r") {
                bytes.len() - 1
            } else {
                bytes.len()
            };
            field(start, end);
            return Walk::Unfinished;
        };
        let end = at + length;
        if bytes[end] == delimiter {
            field(start, end);
            start = end + 1;
            continue;
        }
        let before_return = if end > at && bytes[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        field(start, before_return);
        return Walk::Whole {
            end: before_return,
            next: end + 1,
            lines,
        };
    }
}

/// The place of the quote that closes a field whose text begins at `at`.
fn closing_quote(bytes: &[u8], mut at: usize, lines: &mut u64) -> Result<usize, Walk> {
    let mut lines_of_field = 1;
    while let Some(length) = memchr2(b'"', b'\n', &bytes[at..]) {
        let place = at + length;
        if bytes[place] == b'\n' {
            *lines += 1;
            lines_of_field += 1;
            if lines_of_field > MOST_LINES_IN_A_FIELD {
                return Err(Walk::TooManyLines);
            }
            at = place + 1;
        } else if bytes.get(place + 1) == Some(&b'"') {
            at = place + 2;
        } else {
            return Ok(place);
        }
    }
    Err(Walk::Open)
}

/// The text of a field given with its quotes, and whether it had any.
#[inline]
pub(in crate::format) fn field_text<'a>(
    raw: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> (&'a [u8], bool) {
    let [b'"', inside @ ..] = raw else {
        return (raw, false);
    };
    if let Some(text) = text_between_quotes(raw) {
        return (text, true);
    }
    scratch.clear();
    let mut rest = inside;
    while let Some(place) = memchr(b'"', rest) {
        scratch.extend_from_slice(&rest[..place]);
        rest = &rest[place + 1..];
        match rest {
            [b'"', after @ ..] => {
                scratch.push(b'"');
                rest = after;
            }
            _ => break,
        }
    }
    scratch.extend_from_slice(rest);
    (scratch, true)
}

/// The text of a field that stands between its quotes as it is.
#[inline]
pub(in crate::format) fn text_between_quotes(raw: &[u8]) -> Option<&[u8]> {
    let inside = raw.strip_prefix(b"\"")?;
    let last = inside.len().checked_sub(1)?;
    (memchr(b'"', inside) == Some(last)).then_some(&inside[..last])
}

/// True if the line at the beginning of `bytes` is empty.
#[inline]
pub(in crate::format) fn blank_line(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let check = |text: &str, expected: &[&str], rest: &str| {
            let mut ranges = FieldRanges::new();
            let walk = walk_record(text.as_bytes(), b',', |start, end| {
                ranges.push((start, end))
            });
            let fields: Vec<_> = ranges
                .iter()
                .map(|(start, end)| &text[*start..*end])
                .collect();
            assert_eq!(fields, expected, "{text:?}");
            match walk {
                Walk::Whole { next, .. } => assert_eq!(&text[next..], rest, "{text:?}"),
                other => assert_eq!((other, rest), (Walk::Unfinished, "unfinished"), "{text:?}"),
            }
        };
        check("a,b\nc", &["a", "b"], "c");
        check("a,b\r\nc", &["a", "b"], "c");
        check(",\n", &["", ""], "");
        check("a,b", &["a", "b"], "unfinished");
        check("\"a\nb\",c\n", &["\"a\nb\"", "c"], "");
        check("\"a\"\"\nb\"x,c\n", &["\"a\"\"\nb\"x", "c"], "");
        check("a\"b\nc\"\n", &["a\"b"], "c\"\n");
        check("a\rb,c\n", &["a\rb", "c"], "");
        check("\"\r\n\"\r\n", &["\"\r\n\""], "");
        assert_eq!(walk_record(b"a,\"b\nc,d\n", b',', |_, _| ()), Walk::Open);
    }

    #[test]
    fn texts() {
        let check = |raw: &str, expected: &str, quoted: bool| {
            let mut scratch = Vec::new();
            let got = field_text(raw.as_bytes(), &mut scratch);
            assert_eq!(got, (expected.as_bytes(), quoted), "{raw:?}");
        };
        check("", "", false);
        check("a\"b", "a\"b", false);
        check("\"\"", "", true);
        check("\"a\"", "a", true);
        check("\"a\"\"b\"", "a\"b", true);
        check("\"a\"b\"c", "ab\"c", true);
        check("\"", "", true);
        check("\"\"\"\"", "\"", true);
    }
}
