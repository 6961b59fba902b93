//! logfmt: `key=value` pairs, each line with its own keys.
//!
//! ```text
//!  ts=2026-01-01T12:00:00Z level=info msg="started \"now\"" ready took=
//!  ts, level, msg: say "now"          ready: true           took: NULL
//! ```
//!
//! A line is a record if it begins with a pair. Of duplicate keys the last wins; a word that is no key is
//! left over from a value that should have had quotes, and does not count.

use super::walk::{Fields, Walk, Walked, closing_quote, sample_lines};

/// Columns that a sample shows at most.
const MOST_KEYS: usize = 10_000;

/// Finds the values of some keys.
#[derive(Debug)]
pub(super) struct LogfmtWalk<'a> {
    /// The key of each column.
    pub(super) names: &'a [String],
}

/// The value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// From here to there.
    Bare((usize, usize)),
    /// Between quotes.
    Quoted((usize, usize)),
    /// The key stands alone.
    True,
}

impl Walk for LogfmtWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let names = self.names;
        let walked = pairs(line, |key, value| {
            for (column, name) in names.iter().enumerate() {
                if name.as_bytes() != key {
                    continue;
                }
                match value {
                    Value::Bare(place) => fields.put(column, place),
                    Value::Quoted(place) => fields.put_quoted(column, line, place),
                    Value::True => fields.put_copy(column, &[b"true"]),
                }
            }
        });
        match walked {
            Ok(_) => Walked::Record,
            Err(reason) => Walked::reject(reason),
        }
    }
}

/// How many words of a line are pairs, and how many are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Words {
    pub(super) pairs: usize,
    pub(super) others: usize,
}

/// The pairs of a line, in order.
fn pairs<'l>(
    line: &'l [u8],
    mut found: impl FnMut(&'l [u8], Value),
) -> Result<Words, &'static str> {
    let mut words = Words::default();
    let mut at = 0;
    loop {
        at += line[at..]
            .iter()
            .take_while(|byte| is_blank(**byte))
            .count();
        if at == line.len() {
            break;
        }
        let key_end = at + line[at..].iter().take_while(|byte| is_key(**byte)).count();
        let key = &line[at..key_end];
        match line.get(key_end) {
            Some(b'=') if !key.is_empty() => {
                words.pairs += 1;
                if line.get(key_end + 1) == Some(&b'"') {
                    let start = key_end + 2;
                    let end = closing_quote(line, start).ok_or("a quote does not close")?;
                    found(key, Value::Quoted((start, end)));
                    at = end + 1;
                } else {
                    let end = word_end(line, key_end + 1);
                    found(key, Value::Bare((key_end + 1, end)));
                    at = end;
                }
            }
            _ if words.pairs == 0 => return Err("does not begin with key=value"),
            None => {
                words.others += 1;
                found(key, Value::True);
                at = key_end;
            }
            Some(byte) if is_blank(*byte) => {
                words.others += 1;
                found(key, Value::True);
                at = key_end;
            }
            Some(_) => {
                words.others += 1;
                at = word_end(line, key_end);
            }
        }
    }
    if words.pairs == 0 {
        return Err("does not begin with key=value");
    }
    Ok(words)
}

fn word_end(line: &[u8], from: usize) -> usize {
    let length = line[from..].iter().position(|byte| is_blank(*byte));
    length.map_or(line.len(), |length| from + length)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'@' | b':')
        || byte >= 0x80
}

/// The words of a line that may be logfmt.
pub(super) fn words(line: &[u8]) -> Option<Words> {
    pairs(line, |_, _| ()).ok()
}

/// The keys of the lines of a sample, in the order of their first appearance; of at most `most` lines that have
/// any.
pub fn line_keys(sample: &[u8], most: usize) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let mut taken = std::collections::HashSet::new();
    let records = sample_lines(sample).filter(|line| words(line).is_some());
    for line in records.take(most) {
        let read = pairs(line, |key, _| {
            let key = String::from_utf8_lossy(key).into_owned();
            if known.len() < MOST_KEYS && taken.insert(key.clone()) {
                known.push(key);
            }
        });
        debug_assert!(read.is_ok());
    }
    known
}
