//! The layouts of lines: one variant each, with what it knows about its columns.

use super::access_log::{AccessLog, AccessLogWalk};
use super::blank_header::MAY_BE_TEXT;
use super::blank_table::{BlankTable, BlankTableWalk};
use super::drawn_table::{DrawnTable, DrawnTableWalk};
use super::fields_header::{FieldsHeader, FieldsHeaderWalk};
use super::logfmt::LogfmtWalk;
use super::pattern::{Pattern, PatternWalk};
use super::plain::PlainWalk;
use super::syslog::{SYSLOG_COLUMNS, SyslogWalk};
use super::walk::{Walk, sample_lines};

/// Lines of a sample that are looked at for what is not read.
const MOST_LINES: usize = 500;

/// What a line looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Anything: one column `line`.
    Lines,
    /// `key=value` pairs.
    Logfmt,
    /// The common and combined logs of web servers.
    AccessLog(AccessLog),
    /// RFC 3164, RFC 5424, and what rsyslog writes.
    Syslog,
    /// A regular expression with named groups.
    Pattern(Pattern),
    /// A header and rows whose columns are parted by blanks.
    Blanks(BlankTable),
    /// A header and rows whose columns drawn lines part.
    Drawn(DrawnTable),
    /// Rows whose columns a `#Fields:` or `#fields` line names.
    FieldsHeader(FieldsHeader),
}

/// What is known about a column before its values are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, whatever it looks like.
    Text,
    /// An integer.
    Integer,
    /// A number that may have a fraction.
    Double,
    /// What its values in the sample say.
    Shown,
}

impl Layout {
    /// Its name for `--input-format` and `WITH (format = …)`.
    pub fn name(&self) -> &str {
        match self {
            Layout::Lines => "lines",
            Layout::Logfmt => "logfmt",
            Layout::AccessLog(log) if log.combined => "combined",
            Layout::AccessLog(_) => "clf",
            Layout::Syslog => "syslog",
            Layout::Pattern(pattern) => pattern.name(),
            Layout::Blanks(_) => "columns",
            Layout::Drawn(_) => "table",
            Layout::FieldsHeader(header) => header.name(),
        }
    }

    /// The columns of every line in order; `None` if each line names its own.
    pub fn column_names(&self) -> Option<Vec<String>> {
        Some(match self {
            Layout::Lines => vec!["line".to_owned()],
            Layout::Logfmt => return None,
            Layout::AccessLog(log) => log.columns(),
            Layout::Syslog => SYSLOG_COLUMNS.map(str::to_owned).to_vec(),
            Layout::Pattern(pattern) => pattern.columns(),
            Layout::Blanks(table) => table.names.clone(),
            Layout::Drawn(table) => table.names.clone(),
            Layout::FieldsHeader(header) => header.columns(),
        })
    }

    /// What is known about the type of a column.
    pub fn kind(&self, column: &str) -> ColumnKind {
        match self {
            Layout::Lines => ColumnKind::Text,
            Layout::AccessLog(log) => log.kind(column),
            Layout::Syslog if column == "time" => ColumnKind::Shown,
            Layout::Syslog => ColumnKind::Text,
            Layout::Pattern(pattern) => pattern.kind(column),
            Layout::FieldsHeader(header) => header.kind(column),
            Layout::Logfmt | Layout::Blanks(_) | Layout::Drawn(_) => ColumnKind::Shown,
        }
    }

    /// True if a column is known to hold texts that look like numbers in some rows.
    pub fn may_hold_text(&self, column: &str) -> bool {
        matches!(self, Layout::Blanks(_)) && MAY_BE_TEXT.contains(&column)
    }

    /// The column that the format says is the time.
    pub fn time_column(&self) -> Option<&str> {
        match self {
            Layout::AccessLog(_) | Layout::Syslog => Some("time"),
            Layout::Pattern(pattern) => pattern.time_column(),
            Layout::FieldsHeader(header) => header.time_column(),
            Layout::Lines | Layout::Logfmt | Layout::Blanks(_) | Layout::Drawn(_) => None,
        }
    }

    /// A column that counts seconds since a beginning that the lines do not say.
    pub fn seconds_column(&self) -> Option<&str> {
        match self {
            Layout::Pattern(pattern) => pattern.seconds_column(),
            _ => None,
        }
    }

    /// The name of a zone that stands behind the times of a sample and is not read: `CET` is no offset for sure.
    pub fn unread_zone(&self, sample: &[u8]) -> Option<&'static str> {
        match self {
            Layout::Pattern(pattern) => {
                let mut lines = sample_lines(sample).take(MOST_LINES);
                lines.find_map(|line| pattern.unread_zone(line))
            }
            _ => None,
        }
    }

    /// The same for another file whose bytes begin with `beginning`, where the columns of a table may stand
    /// elsewhere. `None` if more bytes are needed to see that.
    pub(in crate::format) fn bound_to(&self, beginning: &[u8], at_end: bool) -> Option<Layout> {
        Some(match self {
            Layout::Blanks(table) => Layout::Blanks(table.bound_to(beginning, at_end)?),
            other => other.clone(),
        })
    }

    /// Something that walks over lines and finds the columns `names`, which the layout has.
    pub(super) fn walk<'a>(&'a self, names: &'a [String]) -> Box<dyn Walk + 'a> {
        match self {
            Layout::Lines => Box::new(PlainWalk {
                columns: names.len(),
            }),
            Layout::Logfmt => Box::new(LogfmtWalk { names }),
            Layout::AccessLog(log) => Box::new(AccessLogWalk::new(log, names)),
            Layout::Syslog => Box::new(SyslogWalk::new(names)),
            Layout::Pattern(pattern) => Box::new(PatternWalk::new(pattern, names)),
            Layout::Blanks(table) => Box::new(BlankTableWalk::new(table, names)),
            Layout::Drawn(table) => Box::new(DrawnTableWalk::new(table, names)),
            Layout::FieldsHeader(header) => Box::new(FieldsHeaderWalk::new(header, names)),
        }
    }
}

/// Per place of a layout's columns: the columns that are read from there. Most places are read by one or none.
#[derive(Debug)]
pub(super) struct Reads {
    of_place: Vec<Vec<usize>>,
}

impl Reads {
    /// The places of `names` among `columns`.
    pub(super) fn new<T: AsRef<str>>(columns: &[T], names: &[String]) -> Self {
        let reads = columns.iter().map(|column| {
            let same = |(_, name): &(usize, &String)| *name == column.as_ref();
            let columns = names.iter().enumerate().filter(same);
            columns.map(|(number, _)| number).collect()
        });
        Reads {
            of_place: reads.collect(),
        }
    }

    /// The columns that are read from a place.
    #[inline]
    pub(super) fn at(&self, place: usize) -> &[usize] {
        self.of_place.get(place).map_or(&[], Vec::as_slice)
    }
}
