//! Finds the header of a table of blanks in a sample, and which of its words are one name.
//!
//! ```text
//!  Active Internet connections (only servers)                the one line above a header is a title, no record
//!  Proto Recv-Q Send-Q Local Address    Foreign Address      names of two words: they are known, or stand as
//!                                                            `NETWORK ID     NAME` does, with a value below both
//!                total   used   free                         no name above the first values: c1
//!  Mem:       24731708   1013   2228
//! ```
//!
//! Invariant: a table is one only if its names look like names and most rows fit; what the user names is one
//! whatever it looks like.

use std::collections::HashSet;

use super::blank_table::{
    BlankTable, Row, Value, Word, cells, find_words, is_clock, is_number, is_title, places,
};
use super::walk::sample_lines;

/// Names of several words that programs are known to print.
const NAMES_WITH_BLANKS: [&str; 30] = [
    "Mounted on",
    "Local Address",
    "Foreign Address",
    "Peer Address",
    "Local Address:Port",
    "Peer Address:Port",
    "Peer Address:PortProcess",
    "NOMINATED NODE",
    "READINESS GATES",
    "LAST SEEN",
    "LAST SCHEDULE",
    "ACCESS MODES",
    "RECLAIM POLICY",
    "CONTAINER ID",
    "IMAGE ID",
    "NETWORK ID",
    "VOLUME NAME",
    "DISK USAGE",
    "CONTENT SIZE",
    "MANAGER STATUS",
    "ENGINE VERSION",
    "DESIRED STATE",
    "CURRENT STATE",
    "DOCKER ENDPOINT",
    "CPU %",
    "MEM %",
    "MEM USAGE / LIMIT",
    "NET I/O",
    "BLOCK I/O",
    "APP VERSION",
];
/// Columns that hold text although one row may show a number: `3 (2d ago)`, `latest`.
pub(super) const MAY_BE_TEXT: [&str; 25] = [
    "RESTARTS",
    "TAG",
    "VERSION",
    "REVISION",
    "CONTAINER ID",
    "IMAGE ID",
    "NETWORK ID",
    "ID",
    "IMAGE",
    "NAME",
    "NAMES",
    "LABELS",
    "PORTS",
    "USER",
    "UID",
    "COMMAND",
    "CMD",
    "NODE",
    "DEVICE",
    "SIZE/OFF",
    "Mounted on",
    "PR",
    "VIRT",
    "RES",
    "SHR",
];
const MOST_COLUMNS: usize = 200;
/// Lines of titles above the header.
const MOST_TITLES: usize = 6;
/// Rows that are looked at.
const MOST_ROWS: usize = 20;
/// Lines with text that may hold a header.
pub(super) const MOST_LINES: usize = MOST_TITLES + 1;

impl BlankTable {
    /// The table at the beginning of a sample, if there is one: a header and rows that fit it. With `named`
    /// the user says so, and the first line is the header whatever it looks like.
    pub(super) fn of_sample(sample: &[u8], named: bool) -> Option<BlankTable> {
        let lines = sample_lines(sample).filter(|line| !line.trim_ascii().is_empty());
        let lines: Vec<&[u8]> = lines.take(MOST_LINES + MOST_ROWS).collect();
        let tables = (0..lines.len().min(MOST_LINES)).filter_map(|place| {
            let (titles, rest) = lines.split_at(place);
            let (header, rows) = rest.split_first()?;
            let rows: Vec<&[u8]> = (rows.iter().copied())
                .filter(|row| !is_title(row) && row != header)
                .take(MOST_ROWS)
                .collect();
            let header_table = (!is_title(header)).then(|| of_header(header, &rows));
            let mut table = header_table.flatten()?;
            // One line is a title; several are text before the table, which is told.
            table.title = titles
                .first()
                .filter(|_| place == 1)
                .map(|title| title.to_vec());
            let is_ruled = rest.get(1).is_some_and(|line| is_title(line));
            let fits = is_plausible(&mut table, header, &rows, (place == 0, is_ruled));
            Some((table, fits))
        });
        let tables: Vec<(BlankTable, bool)> = tables.collect();
        let found = tables
            .iter()
            .position(|(_, fits)| *fits)
            .or(named.then_some(0));
        tables.into_iter().nth(found?).map(|(table, _)| table)
    }
}

/// The table of a header in capitals without any rows, if that is all of a sample: docker has nothing to show.
pub(super) fn header_alone(sample: &[u8]) -> Option<BlankTable> {
    let mut lines = sample_lines(sample).filter(|line| !line.trim_ascii().is_empty());
    let (header, rest) = (lines.next()?, lines.next());
    let mut table = of_header(header, &[]).filter(|_| rest.is_none())?;
    let are_names = table
        .names
        .iter()
        .all(|name| is_name(name) && !is_lower(name));
    table.numbers = Some(Vec::new());
    (are_names && table.is_wide && table.names.len() > 2).then_some(table)
}

/// The table of a header, whatever it looks like.
fn of_header(header: &[u8], rows: &[&[u8]]) -> Option<BlankTable> {
    let mut words = Vec::new();
    find_words(header, &mut words);
    if words.is_empty() || words.len() > MOST_COLUMNS {
        return None;
    }
    let rows: Vec<Vec<Word>> = rows.iter().map(|row| words_of(row)).collect();
    let mut word_counts = group(&words, header, &rows);
    let text = |words: &[Word]| {
        let whole = words
            .iter()
            .map(|word| String::from_utf8_lossy(&header[word.bytes.0..word.bytes.1]));
        whole.collect::<Vec<_>>().join(" ")
    };
    let mut rest = words.as_slice();
    let names = word_counts.iter().map(|count| {
        let (own, behind) = rest.split_at(*count);
        rest = behind;
        text(own)
    });
    let mut names: Vec<String> = names.collect();
    if is_clock(names[0].as_bytes()) {
        names[0] = String::from("time");
    }
    let unnamed_end = unnamed_end(words[0], &rows);
    if unnamed_end.is_some() {
        names.insert(0, String::from("c1"));
        word_counts.insert(0, 0);
    }
    let places = places(&words, &word_counts, unnamed_end.unwrap_or(0));
    Some(BlankTable {
        names: distinct(names),
        is_wide: places.windows(2).all(|pair| pair[1].0 >= pair[0].1 + 2),
        places,
        numbers: None,
        header: words.iter().map(|word| text(&[*word])).collect(),
        word_counts,
        title: None,
    })
}

fn words_of(line: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    find_words(line, &mut words);
    words
}

/// Where the first values end, if all of them stand in front of the first name.
fn unnamed_end(first: Word, rows: &[Vec<Word>]) -> Option<usize> {
    let firsts = rows.iter().map(|words| match words.as_slice() {
        [word, _, ..] if word.chars.1 < first.chars.0 => Some(word.chars.1),
        _ => None,
    });
    let ends: Option<Vec<usize>> = firsts.collect();
    ends?.into_iter().max()
}

/// How many words each name has.
fn group(words: &[Word], header: &[u8], rows: &[Vec<Word>]) -> Vec<usize> {
    let names: Vec<&[u8]> = words
        .iter()
        .map(|word| &header[word.bytes.0..word.bytes.1])
        .collect();
    let stands_close = |place: usize| {
        place + 1 < words.len() && words[place + 1].chars.0 - words[place].chars.1 == 1
    };
    let known = |place: usize| {
        let counts = NAMES_WITH_BLANKS.iter().filter_map(|phrase| {
            let parts = || phrase.split(' ').map(str::as_bytes);
            let count = parts().count();
            let same = names[place..].iter().copied().take(count).eq(parts());
            (same && (place..place + count - 1).all(stands_close)).then_some(count)
        });
        counts.max()
    };
    let is_aligned = stand_below_names(&cells(words, header), rows);
    let mut counts = Vec::new();
    let mut place = 0;
    while place < words.len() {
        let mut count = known(place).unwrap_or(1);
        while is_aligned
            && stands_close(place + count - 1)
            && known(place + count).is_none()
            && !stand_apart(words[place + count - 1], words[place + count], rows)
        {
            count += 1;
        }
        counts.push(count);
        place += count;
    }
    counts
}

/// True if texts two blanks apart stand below texts of the header that are so far apart, in every row.
fn stand_below_names(names: &[Value], rows: &[Vec<Word>]) -> bool {
    let starts: Vec<usize> = names.iter().map(|name| name.chars.0).collect();
    let is_below = |row: &Vec<Word>| {
        // A mark in front of a row stands below nothing: `● nginx.service`.
        let is_mark = |word: &Word| word.chars.1 == 1 && starts[0] > 1;
        let row = match row.split_first() {
            Some((first, rest)) if is_mark(first) => rest,
            _ => row.as_slice(),
        };
        let mut firsts = row
            .iter()
            .enumerate()
            .filter(|(place, word)| *place == 0 || word.chars.0 - row[place - 1].chars.1 >= 2);
        firsts.all(|(_, word)| starts.contains(&word.chars.0))
    };
    names.len() > 1 && !rows.is_empty() && rows.iter().all(is_below)
}

/// True if a row has a word of its own below each of two words of the header.
fn stand_apart(first: Word, second: Word, rows: &[Vec<Word>]) -> bool {
    let overlaps =
        |word: &Word, name: Word| word.chars.0 < name.chars.1 && name.chars.0 < word.chars.1;
    rows.iter().any(|row| {
        let is_below_first = |word: &Word| overlaps(word, first) && !overlaps(word, second);
        let is_below_second = |word: &Word| overlaps(word, second) && !overlaps(word, first);
        row.iter().any(is_below_first) && row.iter().any(is_below_second)
    })
}

/// True if a header of words stands above rows that have a value for each, and one of the columns holds
/// numbers; or in capitals above values that begin where the names do, or above a ruler. Marks the columns of
/// numbers.
fn is_plausible(
    table: &mut BlankTable,
    header: &[u8],
    rows: &[&[u8]],
    (is_first, is_ruled): (bool, bool),
) -> bool {
    let least_names = if is_first { 2 } else { 3 };
    let is_aligned =
        |line: &[u8]| line.windows(2).any(|pair| pair == b"  ") || line.first() == Some(&b' ');
    let is_sure = is_first || is_aligned(header.trim_ascii());
    let looks_like_one = table.names.len() >= least_names
        && table.names.iter().all(|name| is_name(name))
        && is_sure
        && (is_aligned(header) || rows.first().is_some_and(|row| is_aligned(row)));
    if !looks_like_one {
        return false;
    }
    let all_words: Vec<Vec<Word>> = rows.iter().map(|row| words_of(row)).collect();
    let names: Vec<Value> = cells(&words_of(header), header);
    let in_capitals = !table.names.iter().any(|name| is_lower(name));
    let is_sure = is_ruled || (in_capitals && stand_below_names(&names, &all_words));
    let (mut row, mut fit, mut numbers) = (Row::default(), 0, None);
    for line in rows {
        if table.place(line, &mut row).is_err() {
            continue;
        }
        let values = row.values.iter().enumerate();
        let values = values.filter_map(|(column, value)| Some((column, (*value)?.bytes)));
        let values = values.map(|(column, (start, end))| (column, &line[start..end]));
        let values: Vec<(usize, &[u8])> = values.collect();
        fit += usize::from(is_sure || values.iter().any(|(_, text)| begins_as_number(text)));
        let of_numbers = values.iter().filter(|(column, text)| {
            !MAY_BE_TEXT.contains(&table.names[*column].as_str()) && is_number(text)
        });
        let of_numbers = of_numbers.map(|(column, _)| *column).collect();
        // The first row shows what a row of this table is, from a file as from a pipe.
        numbers.get_or_insert(of_numbers);
    }
    table.numbers = Some(numbers.filter(|_| !table.is_wide).unwrap_or_default());
    fit > 0 && fit * 10 >= rows.len() * 8
}

fn is_lower(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// A number with little behind it, whatever that is: an address, an ID, `1/1`.
fn begins_as_number(text: &[u8]) -> bool {
    let is_digit = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let digits = text.iter().take_while(is_digit).count();
    digits > 0 && text.len() - digits <= 3
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next().unwrap_or(b' ');
    (first.is_ascii_alphanumeric() || matches!(first, b'%' | b'#'))
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"%()/-_+#. :@".contains(&byte))
        && !name.ends_with(['.', ':'])
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
