//! Lines that a regular expression with named groups describes: `--regex`, a user's own format, or one of
//! ours (`known.rs`).
//!
//! ```text
//!  ^(?<time>\S+) \[(?<level>\w+)\] (?<message>.*)$      columns time, level, message
//! ```
//!
//! Invariants: an expression has a limit in memory and never backtracks, so that no line is slow. A group that
//! took no part is NULL.

use std::sync::Arc;

use regex::bytes::{CaptureLocations, Regex, RegexBuilder};

use super::known::zone_behind;
use super::layout::ColumnKind;
use super::walk::{Fields, Walk, Walked};
use crate::error::{Error, Result};

/// Memory that a compiled expression may take.
const MOST_BYTES: usize = 10 << 20;
/// A longer text is a mistake.
const MOST_TEXT_BYTES: usize = 64 << 10;

/// A regular expression with named groups.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// `regex`, or the name of the format that it is.
    name: Arc<str>,
    text: Arc<str>,
    regex: Arc<Regex>,
    /// The columns, each with the number of its group.
    groups: Arc<[(String, usize)]>,
    /// Columns that are integers, in a format that is known.
    integers: Arc<[String]>,
    /// True if nothing else is guessed of values but where the format says so.
    is_known: bool,
    /// The column that is the time, if the format says which.
    time: Option<Arc<str>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// The pattern of `text`.
    ///
    /// # Errors
    /// It is no regular expression, has no named group, or is too large.
    pub fn new(name: &str, text: &str) -> Result<Self> {
        if text.len() > MOST_TEXT_BYTES {
            return Err(Error::usage("the regular expression is longer than 64 KiB"));
        }
        let regex = RegexBuilder::new(text)
            .size_limit(MOST_BYTES)
            .build()
            .map_err(|error| refused(text, &error))?;
        let named = regex.capture_names().enumerate();
        let groups: Arc<[(String, usize)]> = named
            .filter_map(|(number, name)| Some((name?.to_owned(), number)))
            .collect();
        if groups.is_empty() {
            return Err(Error::usage("the regular expression has no named group")
                .note(format!("regex: {text}"))
                .help("a column is written (?<name>…): (?<level>\\w+) (?<message>.*)"));
        }
        Ok(Pattern {
            name: name.into(),
            text: text.into(),
            regex: Arc::new(regex),
            groups,
            integers: Arc::new([]),
            is_known: false,
            time: None,
        })
    }

    /// The same as one of the formats that are known, with its columns of integers.
    #[must_use]
    pub(super) fn known(mut self, integers: &[&str]) -> Self {
        self.integers = integers.iter().map(|name| (*name).to_owned()).collect();
        self.is_known = true;
        self.time = self.group("time").map(Arc::from);
        self
    }

    fn group(&self, name: &str) -> Option<&str> {
        let mut names = self.groups.iter().map(|(name, _)| name.as_str());
        names.find(|known| *known == name)
    }

    /// The same with the column that is the time.
    ///
    /// # Errors
    /// There is no such group.
    pub fn with_time(mut self, time: Option<&str>) -> Result<Self> {
        if let Some(time) = time {
            let names = self.groups.iter().map(|(name, _)| name.as_str());
            if !names.clone().any(|name| name == time) {
                return Err(Error::usage(format!(
                    "ts names `{time}`, and the regular expression has no such group"
                ))
                .note(format!(
                    "groups: {}",
                    names.clone().collect::<Vec<_>>().join(", ")
                ))
                .suggest(time, names));
            }
            self.time = Some(time.into());
        }
        Ok(self)
    }

    /// `regex`, or the name of the format that it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The regular expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.groups.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn kind(&self, column: &str) -> ColumnKind {
        if self.integers.iter().any(|name| name == column) {
            ColumnKind::Integer
        } else if self.seconds_column() == Some(column) {
            ColumnKind::Double
        } else if !self.is_known || self.time.as_deref() == Some(column) {
            ColumnKind::Shown
        } else {
            ColumnKind::Text
        }
    }

    pub(super) fn time_column(&self) -> Option<&str> {
        self.time.as_deref()
    }

    /// Seconds since the machine was started, in a known format: a number, and no time.
    pub(super) fn seconds_column(&self) -> Option<&str> {
        self.group("seconds").filter(|_| self.is_known)
    }

    /// The name of a zone behind the time of a line of a known format, which says no offset for sure.
    pub(super) fn unread_zone(&self, line: &[u8]) -> Option<&'static str> {
        let found = self.regex.captures(line).filter(|_| self.is_known)?;
        let time = found.name(self.time_column()?)?;
        zone_behind(&line[time.end()..])
    }

    pub(super) fn is_match(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }
}

/// What is wrong with an expression, with a caret at the place.
fn refused(text: &str, error: &regex::Error) -> Error {
    if let regex::Error::CompiledTooBig(_) = error {
        return Error::usage("the regular expression takes more than 10 MiB when compiled")
            .note(format!("regex: {text}"))
            .help("repeat less: a{1000} stands for a thousand a's");
    }
    let parsed = regex_syntax::Parser::new().parse(text);
    let (what, span) = match parsed {
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), Some(*error.span())),
        Err(regex_syntax::Error::Translate(error)) => {
            (error.kind().to_string(), Some(*error.span()))
        }
        _ => (error.to_string(), None),
    };
    let refused = Error::usage(format!("this is no regular expression: {what}"));
    let Some(span) = span.filter(|_| !text.contains('\n')) else {
        return refused.note(format!("regex: {text}"));
    };
    // The caret stands below the characters, however many bytes they have.
    let before = text
        .get(..span.start.offset)
        .map_or(0, |text| text.chars().count());
    let length = text
        .get(span.start.offset..span.end.offset)
        .map_or(0, |text| text.chars().count());
    let (before, carets) = (" ".repeat(before), "^".repeat(length.max(1)));
    refused.note(format!("regex: {text}\n       {before}{carets}"))
}

/// Finds the groups of an expression.
#[derive(Debug)]
pub(super) struct PatternWalk<'a> {
    pattern: &'a Pattern,
    captures: CaptureLocations,
    /// Per column the number of its group.
    groups: Vec<usize>,
}

impl<'a> PatternWalk<'a> {
    pub(super) fn new(pattern: &'a Pattern, names: &[String]) -> Self {
        let group = |name: &String| {
            let found = pattern.groups.iter().find(|(known, _)| known == name);
            found.map_or(usize::MAX, |(_, group)| *group)
        };
        PatternWalk {
            pattern,
            captures: pattern.regex.capture_locations(),
            groups: names.iter().map(group).collect(),
        }
    }
}

impl Walk for PatternWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let found = self.pattern.regex.captures_read(&mut self.captures, line);
        if found.is_none() {
            return match self.pattern.is_known {
                true => Walked::Reject(format!("is no line of {}", self.pattern.name).into()),
                false => Walked::reject("does not match the regular expression"),
            };
        }
        for (column, group) in self.groups.iter().enumerate() {
            if let Some(place) = self.captures.get(*group) {
                fields.put_text(column, place);
            }
        }
        Walked::Record
    }
}
