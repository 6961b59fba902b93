//! Recognizes the layout of lines: by its name, from a sample, or from one line of a pipe.
//!
//! ```text
//!  starting up, pid 12                       fits nothing
//!  2026-01-01 12:00:00,1 INFO a.B - hello    log4j
//!      at com.example.Main(Main.java:3)      fits nothing: a reject later on
//!  2026-01-01 12:00:01,7 WARN a.B - oops     log4j: 2 lines, so that is it
//! ```
//!
//! Invariants: what fits more lines of the sample wins, of equals the first in the order here, where special
//! layouts come before general ones. Lines that fit nothing do not count: they spoil nothing.

use super::LinesOptions;
use super::access_log::AccessLog;
use super::blank_header::header_alone;
use super::blank_table::BlankTable;
use super::drawn_table::DrawnTable;
use super::fields_header::FieldsHeader;
use super::known::{known_pattern_names, known_patterns};
use super::layout::Layout;
use super::logfmt;
use super::pattern::Pattern;
use super::syslog;
use super::walk::{sample_fields, sample_lines};
use crate::error::{Error, Result};
use crate::time::{in_last_year_until, read_log_time};

/// Lines of a sample that are looked at.
const MOST_LINES: usize = 500;

/// The layout of that name, with what `sample` shows of it. `regex` is that of `--regex`. `None` if it is no
/// layout of lines.
///
/// # Errors
/// It needs a regular expression, or the sample does not show what it needs.
pub fn layout_named(name: &str, sample: &[u8], regex: Option<&str>) -> Result<Option<Layout>> {
    Ok(Some(match name {
        "lines" => Layout::Lines,
        "logfmt" => Layout::Logfmt,
        "syslog" => Layout::Syslog,
        "clf" | "combined" => Layout::AccessLog(access_log(sample, name == "combined")),
        "regex" => match regex {
            Some(text) => Layout::Pattern(Pattern::new("regex", text)?),
            None => {
                return Err(Error::usage("the format regex needs an expression").help(
                    "--regex '(?<level>\\w+) (?<message>.*)' says which part is which column",
                ));
            }
        },
        "columns" => match BlankTable::of_sample(sample, true) {
            Some(table) => Layout::Blanks(table),
            None => return Err(Error::data("the input has no header that names columns")),
        },
        "table" => match drawn_table(sample) {
            Some(layout) => layout,
            None => return Err(Error::data("no line of names stands above a ruler")
                .note("psql writes `id | name` above `----+------`, Markdown `| id | name |` above `|----|------|`")),
        },
        "w3c" | "zeek" => match FieldsHeader::of_sample(sample) {
            Some(header) => Layout::FieldsHeader(header),
            None => {
                return Err(Error::data("no line names the fields")
                    .note("w3c has a line `#Fields: …`, zeek one of `#fields` with tabs"));
            }
        },
        name => {
            let known = known_pattern_names().any(|known| known == name);
            let mut patterns = if known { known_patterns() } else { &[] }.iter();
            let found = patterns.find(|pattern| pattern.name() == name);
            return Ok(found.map(|pattern| Layout::Pattern(pattern.clone())));
        }
    }))
}

/// The shape of an access log of that name, as most lines of the sample have it.
fn access_log(sample: &[u8], combined: bool) -> AccessLog {
    let logs = sample_lines(sample)
        .take(MOST_LINES)
        .filter_map(AccessLog::of_line);
    most_frequent(logs.filter(|log| log.combined == combined)).map_or(
        AccessLog {
            combined,
            ..AccessLog::default()
        },
        |(log, _)| log,
    )
}

fn most_frequent<T: PartialEq>(items: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for item in items {
        match counts.iter_mut().find(|(known, _)| *known == item) {
            Some((_, count)) => *count += 1,
            None => counts.push((item, 1)),
        }
    }
    // Of equal counts the first stays.
    counts
        .into_iter()
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// The layout that most lines of a sample have; `None` if no line has one.
pub fn recognized_layout(sample: &[u8]) -> Option<Layout> {
    if let Some(header) = FieldsHeader::of_sample(sample) {
        return Some(Layout::FieldsHeader(header));
    }
    let lines = sample_lines(sample).take(MOST_LINES);
    most_frequent(lines.filter_map(layout_of_line)).map(|(layout, _)| layout)
}

/// The table of columns parted by blanks that a sample is.
pub fn table_of_blanks(sample: &[u8]) -> Option<Layout> {
    BlankTable::of_sample(sample, false).map(Layout::Blanks)
}

/// The table of which a whole input has no more than the header.
pub fn table_without_rows(input: &[u8]) -> Option<Layout> {
    header_alone(input).map(Layout::Blanks)
}

/// The table with lines drawn between its columns that a sample is.
pub fn drawn_table(sample: &[u8]) -> Option<Layout> {
    DrawnTable::of_sample(sample).map(Layout::Drawn)
}

/// True if the sample begins with a comment that names fields.
pub fn names_fields(sample: &[u8]) -> bool {
    FieldsHeader::of_sample(sample).is_some()
}

/// True if one line shows its layout.
pub fn recognizes_line(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    layout_of_line(line).is_some()
}

/// The layout that a line shows by itself.
fn layout_of_line(line: &[u8]) -> Option<Layout> {
    // Times and addresses have digits; a line without any shows nothing.
    if !line.iter().any(u8::is_ascii_digit) && !line.contains(&b'=') {
        return None;
    }
    if syslog::is_sure(line) {
        return Some(Layout::Syslog);
    }
    if let Some(log) = AccessLog::of_line(line) {
        return Some(Layout::AccessLog(log));
    }
    // What stands in quotes is no time of the line's own.
    if let Some(words) = logfmt::words(line)
        && words.pairs >= 2
        && words.pairs > words.others
    {
        return Some(Layout::Logfmt);
    }
    let pattern = known_patterns()
        .iter()
        .find(|pattern| pattern.is_match(line));
    pattern.map(|pattern| Layout::Pattern(pattern.clone()))
}

impl LinesOptions {
    /// Where the times of an input begin whose lines may lack the year: with its first record, which came at most
    /// a day after `written`, in seconds since 1970. `None` if more bytes are needed to see it.
    pub(in crate::format) fn years_from(
        &self,
        beginning: &[u8],
        at_end: bool,
        written: i64,
    ) -> Option<i64> {
        const DAY_SECONDS: i64 = 86_400;
        /// Rows that came before the first one although they are younger.
        const SLACK_SECONDS: i64 = 30 * DAY_SECONDS;
        const MOST_BYTES: usize = 64 << 10;
        let until = written.saturating_add(DAY_SECONDS);
        let Some(time) = self.layout.time_column().map(str::to_owned) else {
            return Some(until - 365 * DAY_SECONDS);
        };
        // A line that is not whole may not be what it seems.
        let whole = match memchr::memrchr(b'\n', beginning) {
            _ if at_end => beginning,
            Some(end) => &beginning[..end],
            None => &[],
        };
        let first = sample_fields(&self.layout, &[time], whole, 1);
        let Some(first) = first.first() else {
            let enough = at_end || beginning.len() >= MOST_BYTES;
            return enough.then_some(until - 365 * DAY_SECONDS);
        };
        let unsaid = first[0]
            .as_ref()
            .and_then(|field| read_log_time(&field.text))
            .filter(|time| time.year_unsaid);
        let begin = unsaid.and_then(|time| in_last_year_until(time.local_seconds, until));
        Some(begin.map_or(until - 365 * DAY_SECONDS, |begin| begin - SLACK_SECONDS))
    }
}
