//! Logs that name their columns in a comment: W3C extended (IIS, CloudFront) and Zeek.
//!
//! ```text
//!  #Fields: date time c-ip cs-method sc-status       W3C: parted by blanks or tabs; times are UTC
//!  2026-01-01 12:00:00 10.0.0.1 GET 200
//!  #fields⇥ts⇥uid⇥id.orig_h                          Zeek: parted by tabs; `#types` says what they are
//!  1767268800.25⇥CHhAvV⇥10.0.0.1
//! ```
//!
//! `-` is NULL. Where W3C has `date` and `time`, the column `time` is both together. Other lines that begin with
//! `#` are no records; one that names other fields than the first is a reject, as are the rows that fit it.

use super::blank_header::distinct;
use super::layout::{ColumnKind, Reads};
use super::walk::{Fields, Walk, Walked, sample_lines};

const MOST_FIELDS: usize = 200;
/// Lines of comments before the one that names the fields.
const MOST_COMMENTS: usize = 20;

/// The fields that a comment names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldsHeader {
    dialect: Dialect,
    names: Vec<String>,
    /// Per field, what `#types` says.
    types: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    W3c,
    Zeek,
}

impl FieldsHeader {
    /// The fields that the comments at the beginning of a sample name.
    pub(super) fn of_sample(sample: &[u8]) -> Option<FieldsHeader> {
        let mut found: Option<FieldsHeader> = None;
        let comments = sample_lines(sample).take_while(|line| line.starts_with(b"#"));
        for line in comments.take(MOST_COMMENTS) {
            if let Some((dialect, names)) = named_fields(line) {
                found = Some(FieldsHeader {
                    dialect,
                    names: distinct(names),
                    types: Vec::new(),
                });
            } else if let (Some(header), Some(types)) = (&mut found, line.strip_prefix(b"#types\t"))
            {
                header.types = words(types, |byte| byte == b'\t');
            }
        }
        found
    }

    pub(super) fn name(&self) -> &'static str {
        match self.dialect {
            Dialect::W3c => "w3c",
            Dialect::Zeek => "zeek",
        }
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.names.clone()
    }

    pub(super) fn kind(&self, column: &str) -> ColumnKind {
        let place = self.names.iter().position(|name| name == column);
        match place
            .and_then(|place| self.types.get(place))
            .map(String::as_str)
        {
            Some("count" | "int" | "port") => ColumnKind::Integer,
            Some("double" | "interval") => ColumnKind::Double,
            Some("time" | "bool") | None => ColumnKind::Shown,
            Some(_) => ColumnKind::Text,
        }
    }

    pub(super) fn time_column(&self) -> Option<&str> {
        let wanted = match self.dialect {
            Dialect::W3c => "time",
            Dialect::Zeek => "ts",
        };
        self.names
            .iter()
            .map(String::as_str)
            .find(|name| *name == wanted)
    }

    fn is_separator(&self, byte: u8) -> bool {
        byte == b'\t' || (byte == b' ' && self.dialect == Dialect::W3c)
    }
}

fn named_fields(line: &[u8]) -> Option<(Dialect, Vec<String>)> {
    let (dialect, names) = if let Some(names) = line.strip_prefix(b"#Fields:") {
        (
            Dialect::W3c,
            words(names, |byte| byte == b' ' || byte == b'\t'),
        )
    } else {
        (
            Dialect::Zeek,
            words(line.strip_prefix(b"#fields\t")?, |byte| byte == b'\t'),
        )
    };
    (!names.is_empty() && names.len() <= MOST_FIELDS).then_some((dialect, names))
}

fn words(text: &[u8], is_separator: impl Fn(u8) -> bool) -> Vec<String> {
    let words = text
        .split(|byte| is_separator(*byte))
        .filter(|word| !word.is_empty());
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// Finds the fields of a line.
#[derive(Debug)]
pub(super) struct FieldsHeaderWalk<'a> {
    header: &'a FieldsHeader,
    reads: Reads,
    /// The places of `date` and `time`, where both are there.
    date_and_time: Option<(usize, usize)>,
}

impl<'a> FieldsHeaderWalk<'a> {
    pub(super) fn new(header: &'a FieldsHeader, names: &[String]) -> Self {
        let place = |wanted: &str| header.names.iter().position(|name| name == wanted);
        let date_and_time = match header.dialect {
            Dialect::W3c => place("date").zip(place("time")),
            Dialect::Zeek => None,
        };
        FieldsHeaderWalk {
            header,
            reads: Reads::new(&header.names, names),
            date_and_time,
        }
    }

    fn comment(&self, line: &[u8]) -> Walked {
        match named_fields(line) {
            Some((_, names)) if distinct(names.clone()) != self.header.names => {
                Walked::Reject(format!("the fields change here, to: {}", names.join(", ")).into())
            }
            _ => Walked::NoRecord,
        }
    }
}

impl Walk for FieldsHeaderWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        if line.starts_with(b"#") {
            return self.comment(line);
        }
        let (mut at, mut number) = (0, 0);
        let (mut date, mut time) = ((0, 0), (0, 0));
        loop {
            let rest = &line[at..];
            let length = rest.iter().position(|byte| self.header.is_separator(*byte));
            let end = length.map_or(line.len(), |length| at + length);
            for &column in self.reads.at(number) {
                match &line[at..end] {
                    b"-" => {}
                    b"(empty)" => fields.put_text(column, (at, at)),
                    _ => fields.put(column, (at, end)),
                }
            }
            if let Some((date_place, time_place)) = self.date_and_time {
                if number == date_place {
                    date = (at, end);
                } else if number == time_place {
                    time = (at, end);
                }
            }
            number += 1;
            if length.is_none() {
                break;
            }
            at = end + 1;
        }
        if number != self.header.names.len() {
            let expected = self.header.names.len();
            return Walked::Reject(format!("has {number} fields, {expected} are named").into());
        }
        if let Some((_, place)) = self.date_and_time {
            for &column in self.reads.at(place) {
                let (date, time) = (&line[date.0..date.1], &line[time.0..time.1]);
                fields.put_copy(column, &[date, b" ", time, b"Z"]);
            }
        }
        Walked::Record
    }
}
