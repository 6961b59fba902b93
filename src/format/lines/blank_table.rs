//! Tables whose columns are parted by blanks, as vmstat, ps, df and kubectl print them.
//!
//! ```text
//!  NAME      CPU(cores)   MEMORY(bytes)         PID TTY          TIME CMD
//!  web-7f9   12m          104Mi                   1 ?        00:00:02 /sbin/init splash
//!  └ columns NAME, CPU(cores), MEMORY(bytes)      the last column may hold blanks
//! ```
//!
//! The header names the columns; where it comes again, or a line of titles (`procs ---memory---`) does, that is
//! no record. A table whose columns stand at least three blanks apart (docker, kubectl) may have single blanks
//! within its values.

use std::collections::HashSet;

use super::layout::Reads;
use super::walk::{Fields, Walk, Walked, sample_lines};

/// Names of two words that no blank parts in truth.
const NAMES_WITH_BLANKS: [(&str, &str); 6] = [
    ("Mounted", "on"),
    ("NOMINATED", "NODE"),
    ("READINESS", "GATES"),
    ("LAST", "SEEN"),
    ("Local", "Address"),
    ("Peer", "Address"),
];
const MOST_COLUMNS: usize = 200;
/// Lines of titles above the header.
const MOST_TITLES: usize = 3;

/// The header of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlankTable {
    /// Its columns, each once.
    pub names: Vec<String>,
    /// True if three blanks part columns, and one or two do not.
    pub wide: bool,
    /// The names as the header has them.
    header: Vec<String>,
}

impl BlankTable {
    /// The table at the beginning of a sample, if there is one: a header and rows that fit it. With `named`
    /// the user says so, and the first line is the header whatever it looks like.
    pub(super) fn of_sample(sample: &[u8], named: bool) -> Option<BlankTable> {
        let mut lines = sample_lines(sample).filter(|line| !line.trim_ascii().is_empty());
        let mut header = lines.next()?;
        let mut titles = 0;
        while is_title(header) && titles < MOST_TITLES {
            header = lines.next()?;
            titles += 1;
        }
        let rows: Vec<&[u8]> = lines.take(20).collect();
        let narrow = BlankTable::of_header(header, false)?;
        let wide = BlankTable::of_header(header, true)?;
        let is_wide = has_single_blanks(header)
            && wide.names.len() >= 2
            && !rows.is_empty()
            && rows
                .iter()
                .all(|row| places(row, true, usize::MAX).len() == wide.names.len());
        let table = if is_wide { wide } else { narrow };
        (named || table.is_plausible(header, &rows)).then_some(table)
    }

    fn of_header(header: &[u8], wide: bool) -> Option<BlankTable> {
        let words = places(header, wide, usize::MAX);
        let mut words: Vec<String> = words
            .into_iter()
            .map(|(start, end)| String::from_utf8_lossy(&header[start..end]).into_owned())
            .collect();
        if words.is_empty() || words.len() > MOST_COLUMNS {
            return None;
        }
        let header_words = words.clone();
        let joined = |pair: &[String]| {
            NAMES_WITH_BLANKS
                .iter()
                .any(|(a, b)| pair[0] == *a && pair[1] == *b)
        };
        while let Some(place) = words.windows(2).position(joined) {
            let second = words.remove(place + 1);
            words[place] = format!("{} {second}", words[place]);
        }
        Some(BlankTable {
            names: distinct(words),
            wide,
            header: header_words,
        })
    }

    /// True if a header of words stands above rows that have a value for each, and one of the columns holds
    /// numbers.
    fn is_plausible(&self, header: &[u8], rows: &[&[u8]]) -> bool {
        let is_name = |name: &String| {
            let first = name.bytes().next().unwrap_or(b' ');
            (first.is_ascii_alphanumeric() || matches!(first, b'%' | b'#'))
                && name.bytes().any(|byte| byte.is_ascii_alphabetic())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"%()/-_+#. ".contains(&byte))
                && !name.ends_with('.')
        };
        let aligned =
            |line: &[u8]| line.windows(2).any(|pair| pair == b"  ") || line.first() == Some(&b' ');
        let is_row = |row: &&&[u8]| {
            let values = self.values(row);
            let count = values.len() == self.names.len();
            count
                && values
                    .iter()
                    .any(|(start, end)| is_number(&row[*start..*end]))
        };
        let fit = rows.iter().filter(is_row).count();
        self.names.len() >= 2
            && self.names.iter().all(is_name)
            && (aligned(header) || rows.first().is_some_and(|row| aligned(row)))
            && fit > 0
            && fit * 10 >= rows.len() * 8
    }

    /// Where the values of a row stand; the last one goes to its end.
    fn values(&self, row: &[u8]) -> Vec<(usize, usize)> {
        places(row, self.wide, self.names.len())
    }
}

/// `procs -----------memory----------`
fn is_title(line: &[u8]) -> bool {
    line.windows(2).any(|pair| pair == b"--") && !line.iter().any(u8::is_ascii_digit)
}

/// True if there are names that one blank parts, and others that three part.
fn has_single_blanks(header: &[u8]) -> bool {
    let gaps = places(header, false, usize::MAX);
    let gaps: Vec<usize> = gaps.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
    gaps.contains(&1) && gaps.iter().any(|gap| *gap >= 3) && !gaps.contains(&2)
}

/// The places of words, at most this many; the last one goes to the end of the line.
fn places(line: &[u8], wide: bool, most: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    each_place(line, wide, most, |place| found.push(place));
    found
}

/// Tells where words stand, at most `most` of them; the last one goes to the end of the line.
#[inline]
fn each_place(
    line: &[u8],
    wide: bool,
    most: usize,
    mut found: impl FnMut((usize, usize)),
) -> usize {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end_of_line = line.trim_ascii_end().len();
    let (mut at, mut count) = (0, 0);
    while count < most {
        at += line[at..end_of_line]
            .iter()
            .take_while(|byte| is_blank(byte))
            .count();
        if at >= end_of_line {
            break;
        }
        let start = at;
        if count + 1 == most {
            at = end_of_line;
        }
        while at < end_of_line {
            let blanks = line[at..end_of_line]
                .iter()
                .take_while(|byte| is_blank(byte))
                .count();
            if blanks > 0 && (!wide || blanks >= 3 || line[at] == b'\t') {
                break;
            }
            at += blanks.max(1);
        }
        found((start, at));
        count += 1;
    }
    count
}

/// True for a number, also with a unit or `%` behind it.
fn is_number(text: &[u8]) -> bool {
    let digits = text
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    digits > 0 && text.len() - digits <= 3
}

/// Names with `_1`, `_2` behind those that were there before.
pub(super) fn distinct(names: Vec<String>) -> Vec<String> {
    let given: HashSet<String> = names.iter().cloned().collect();
    let mut taken = HashSet::new();
    let distinct = names.into_iter().map(|name| {
        let (mut candidate, mut number) = (name.clone(), 0);
        while taken.contains(&candidate) || (number > 0 && given.contains(&candidate)) {
            number += 1;
            candidate = format!("{name}_{number}");
        }
        taken.insert(candidate.clone());
        candidate
    });
    distinct.collect()
}

/// Finds the columns of a table.
#[derive(Debug)]
pub(super) struct BlankTableWalk<'a> {
    table: &'a BlankTable,
    reads: Reads,
}

impl<'a> BlankTableWalk<'a> {
    pub(super) fn new(table: &'a BlankTable, names: &[String]) -> Self {
        BlankTableWalk {
            table,
            reads: Reads::new(&table.names, names),
        }
    }

    /// True if a line is the header once more.
    fn is_header(&self, line: &[u8]) -> bool {
        let mut same = true;
        let mut known = self.table.header.iter();
        each_place(line, self.table.wide, usize::MAX, |(start, end)| {
            same &= known
                .next()
                .is_some_and(|name| name.as_bytes() == &line[start..end]);
        });
        same && known.next().is_none()
    }
}

impl Walk for BlankTableWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let first = line.trim_ascii_start();
        let may_be_header = self
            .table
            .header
            .first()
            .is_some_and(|name| first.starts_with(name.as_bytes()));
        if (may_be_header && self.is_header(line)) || is_title(line) || first.is_empty() {
            return Walked::NoRecord;
        }
        let mut number = 0;
        let count = each_place(line, self.table.wide, self.table.names.len(), |place| {
            for &column in self.reads.at(number) {
                fields.put(column, place);
            }
            number += 1;
        });
        if count < self.table.names.len() {
            return Walked::Reject(
                format!(
                    "has {count} of the {} columns of the header",
                    self.table.names.len()
                )
                .into(),
            );
        }
        Walked::Record
    }
}
