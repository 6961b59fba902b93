//! Tables whose columns are parted by blanks, as df, ps, docker and kubectl print them: which words of a row are
//! of which column.
//!
//! ```text
//!  CONTAINER ID   IMAGE   STATUS       PORTS   NAMES      a word is of the name that it stands below, or behind;
//!  1f2e3d4c5b6a   redis   Up 3 hours           cache      nothing stands below PORTS: NULL
//!
//!   r  b    free   buff                                   1234567 is too wide and has moved what is behind it:
//!   1  0 1234567   8900                                   as many words as names are taken in order
//! ```
//!
//! Where that does not tell, as many words as names, or texts two blanks apart, are taken in order; of narrow
//! tables (ps) the last column has the rest. What fits no way is a reject, as is a row without the numbers that
//! the sample has, and one of which half is missing.
//!
//! Where the header comes again, or a line of titles (`procs ---memory---`) does, that is no record.

use std::borrow::Cow;

use memchr::{memchr, memrchr};

use super::blank_header::MOST_LINES;
use super::layout::Reads;
use super::walk::{Fields, Walk, Walked, sample_lines};

/// The header of a table, and what its sample shows of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlankTable {
    /// Its columns, each once.
    pub names: Vec<String>,
    /// Per column, where its name stands: from this character to that.
    pub(super) places: Vec<(usize, usize)>,
    /// True if two blanks part all names, so that one may stand within values.
    pub(super) is_wide: bool,
    /// Columns that hold numbers in the first row of a table that is not wide; `None` before it was seen.
    pub(super) numbers: Option<Vec<usize>>,
    /// The words of the header, and how many of them each name has.
    pub(super) header: Vec<String>,
    pub(super) word_counts: Vec<usize>,
    /// The line above the header.
    pub(super) title: Option<Vec<u8>>,
}

/// A word: its bytes in the line, and its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) bytes: (usize, usize),
    pub(super) chars: (usize, usize),
}

/// Words that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) bytes: (usize, usize),
    pub(super) chars: (usize, usize),
    words: usize,
    /// The most blanks between two of them.
    widest_gap: usize,
    is_numbers: bool,
}

/// A row taken apart; reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) words: Vec<Word>,
    /// Per column.
    pub(super) values: Vec<Option<Value>>,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Finds the words of a line.
pub(super) fn find_words(line: &[u8], words: &mut Vec<Word>) {
    words.clear();
    let is_ascii = line.is_ascii();
    let (mut at, mut chars) = (0, 0);
    let count = |part: &[u8]| match is_ascii {
        true => part.len(),
        // A character has one byte that goes on with none.
        false => part.iter().filter(|byte| **byte & 0xC0 != 0x80).count(),
    };
    while at < line.len() {
        if is_blank(line[at]) {
            (at, chars) = (at + 1, chars + 1);
            continue;
        }
        let length = line[at..]
            .iter()
            .take_while(|byte| !is_blank(**byte))
            .count();
        let width = count(&line[at..at + length]);
        words.push(Word {
            bytes: (at, at + length),
            chars: (chars, chars + width),
        });
        (at, chars) = (at + length, chars + width);
    }
}

impl Value {
    fn of(word: Word, line: &[u8]) -> Value {
        Value {
            bytes: word.bytes,
            chars: word.chars,
            words: 1,
            widest_gap: 0,
            is_numbers: is_number(&line[word.bytes.0..word.bytes.1]),
        }
    }

    /// The same with another word.
    fn and(self, word: Word, line: &[u8]) -> Value {
        Value {
            bytes: (self.bytes.0, word.bytes.1),
            chars: (self.chars.0, word.chars.1),
            words: self.words + 1,
            widest_gap: self.widest_gap.max(word.chars.0 - self.chars.1),
            is_numbers: self.is_numbers && is_number(&line[word.bytes.0..word.bytes.1]),
        }
    }
}

/// Puts words together that less than two blanks part.
pub(super) fn cells(words: &[Word], line: &[u8]) -> Vec<Value> {
    let mut cells: Vec<Value> = Vec::new();
    for word in words {
        match cells.last_mut() {
            Some(last) if word.chars.0 - last.chars.1 < 2 => *last = last.and(*word, line),
            _ => cells.push(Value::of(*word, line)),
        }
    }
    cells
}

/// True for a number, also with a unit or `%` behind it: `12`, `-0.5`, `104Mi`; no address, no time.
pub(super) fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let is_digit = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let (number, unit) = text.split_at(text.iter().take_while(is_digit).count());
    number.iter().any(u8::is_ascii_digit)
        && memchr::memchr_iter(b'.', number).count() < 2
        && unit.len() <= 3
        && unit
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || *byte == b'%')
}

/// `procs -----------memory---------- ---swap--`, `--  -----`
pub(super) fn is_title(line: &[u8]) -> bool {
    let mut words = line
        .split(|byte| is_blank(*byte))
        .filter(|word| !word.is_empty());
    let is_dashed = |word: &[u8]| word.starts_with(b"-") && word.ends_with(b"-");
    let first = words.next().unwrap_or_default();
    let mut rest = words.peekable();
    let is_ruled = |word: &&[u8]| word.starts_with(b"--") && word.len() > 2;
    let has_dashes = first.starts_with(b"--") || rest.peek().is_some_and(is_ruled);
    has_dashes && rest.all(is_dashed) && !first.iter().any(u8::is_ascii_digit)
}

impl BlankTable {
    /// Takes a row apart.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn place(&self, line: &[u8], row: &mut Row) -> Result<(), Cow<'static, str>> {
        find_words(line, &mut row.words);
        if self.by_place(line, row) && (self.is_wide || self.has_numbers(line, row, false)) {
            return Ok(());
        }
        let columns = self.names.len();
        let is_lost = |numbers: &Vec<usize>| numbers.is_empty();
        let has_rest = !self.is_wide && !self.numbers.as_ref().is_some_and(is_lost);
        let taken = if row.words.len() == columns {
            row.words
                .iter()
                .map(|word| Value::of(*word, line))
                .collect()
        } else {
            let cells = cells(&row.words, line);
            match cells.len() == columns {
                true => cells,
                false if row.words.len() > columns && has_rest => {
                    with_rest(&row.words, columns, line)
                }
                false => Vec::new(),
            }
        };
        row.values = taken.into_iter().map(Some).collect();
        if row.values.len() == columns && self.has_numbers(line, row, true) {
            return Ok(());
        }
        let count = row.words.len();
        Err(match count < columns {
            true => format!("has {count} of the {columns} columns of the header").into(),
            false => "its values do not stand below the names of the header".into(),
        })
    }

    /// Puts the words to the names that they stand below; false if that leaves a doubt.
    fn by_place(&self, line: &[u8], row: &mut Row) -> bool {
        row.values.clear();
        row.values.resize(self.names.len(), None);
        // Nobody knows how wide a tab is.
        if memchr(b'\t', line).is_some() {
            return false;
        }
        // The first column whose name does not end in front of the word.
        let mut column = 0;
        for word in &row.words {
            let (start, end) = word.chars;
            while self
                .places
                .get(column)
                .is_some_and(|place| place.1 <= start)
            {
                column += 1;
            }
            let begins_before =
                |column: usize| (self.places.get(column)).is_some_and(|place| place.0 < end);
            if begins_before(column + 1) {
                return false;
            }
            let target = match column.checked_sub(1) {
                _ if begins_before(column) => column,
                None => 0,
                // A number ends where its name ends: what is behind it is of the next column.
                Some(left)
                    if column < self.names.len() && self.ends_with_name(row.values[left], left) =>
                {
                    column
                }
                Some(left) => left,
            };
            let value = &mut row.values[target];
            *value =
                Some(value.map_or_else(|| Value::of(*word, line), |value| value.and(*word, line)));
        }
        self.is_plain(row)
    }

    fn ends_with_name(&self, value: Option<Value>, column: usize) -> bool {
        let (start, end) = self.places[column];
        value.is_some_and(|value| value.chars.1 == end && value.chars.0 != start)
    }

    /// True if values stand apart from each other and from the names of empty columns.
    fn is_plain(&self, row: &Row) -> bool {
        let last = self.names.len() - 1;
        let least_gap = if self.is_wide { 2 } else { 1 };
        let mut filled = 0;
        // Nothing may stand before this character.
        let mut free_from = 0;
        let last_filled = row.values.iter().rposition(Option::is_some).unwrap_or(0);
        for (column, value) in row.values.iter().enumerate() {
            let (start, end) = self.places[column];
            match value {
                Some(value) => {
                    let is_torn = value.widest_gap > 1 && (self.is_wide || column < last);
                    let are_two = value.words > 1 && value.is_numbers;
                    // What begins where its name does may stand close to what is before it.
                    let needed = free_from
                        - usize::from(self.is_wide && value.chars.0 == start && free_from > 0);
                    if value.chars.0 < needed || is_torn || are_two {
                        return false;
                    }
                    filled += 1;
                    free_from = value.chars.1 + least_gap;
                }
                None if column > last_filled => {}
                None if start > 0 && free_from > start => return false,
                None => free_from = free_from.max(end + 1),
            }
        }
        filled * 2 >= self.names.len()
    }

    /// True if most of the columns that hold numbers do so in this row, and at least one does if that is needed.
    fn has_numbers(&self, line: &[u8], row: &Row, needs_one: bool) -> bool {
        let Some(numbers) = &self.numbers else {
            return true;
        };
        let (mut good, mut bad) = (0, 0);
        for column in numbers {
            let Some(value) = row.values.get(*column).copied().flatten() else {
                continue;
            };
            match &line[value.bytes.0..value.bytes.1] {
                b"-" | b"?" | b"*" => {}
                text if is_number(text) => good += 1,
                _ => bad += 1,
            }
        }
        match (good, bad) {
            (0, 0) => numbers.is_empty() || !needs_one,
            _ => good > bad,
        }
    }

    /// The same table where its header stands otherwise, as in another file. `None` if more bytes are needed.
    pub(super) fn bound_to(&self, beginning: &[u8], at_end: bool) -> Option<BlankTable> {
        let whole = match memrchr(b'\n', beginning) {
            _ if at_end => beginning,
            Some(end) => &beginning[..=end],
            None => &[],
        };
        let mut words = Vec::new();
        let mut count = 0;
        for line in sample_lines(whole).take(MOST_LINES) {
            count += 1;
            find_words(line, &mut words);
            if self.is_header(line, &words) {
                let mut table = self.clone();
                table.places = places(&words, &self.word_counts, self.places[0].1);
                return Some(table);
            }
        }
        (at_end || count == MOST_LINES).then(|| self.clone())
    }

    /// True if a line is the header once more, perhaps at another time.
    fn is_header(&self, line: &[u8], words: &[Word]) -> bool {
        let same = |(word, name): (&Word, &String)| {
            let text = &line[word.bytes.0..word.bytes.1];
            text == name.as_bytes() || (is_clock(text) && is_clock(name.as_bytes()))
        };
        words.len() == self.header.len() && words.iter().zip(&self.header).all(same)
    }
}

/// `10:12:22`, which sysstat writes above the times of its rows.
pub(super) fn is_clock(text: &[u8]) -> bool {
    let shape = text
        .iter()
        .map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte });
    shape.eq(*b"00:00:00")
}

/// Where names stand that have so many words each. One without any stands in front, up to `unnamed_end`.
pub(super) fn places(
    words: &[Word],
    word_counts: &[usize],
    unnamed_end: usize,
) -> Vec<(usize, usize)> {
    let mut rest = words;
    let places = word_counts.iter().map(|count| {
        let (own, behind) = rest.split_at((*count).min(rest.len()));
        rest = behind;
        match (own.first(), own.last()) {
            (Some(first), Some(last)) => (first.chars.0, last.chars.1),
            _ => (0, unnamed_end),
        }
    });
    places.collect()
}

/// All words in order, the last column with the rest of the line.
fn with_rest(words: &[Word], columns: usize, line: &[u8]) -> Vec<Value> {
    let (first, rest) = words.split_at(columns - 1);
    let mut values: Vec<Value> = first.iter().map(|word| Value::of(*word, line)).collect();
    if let Some((word, rest)) = rest.split_first() {
        let last = rest
            .iter()
            .fold(Value::of(*word, line), |value, word| value.and(*word, line));
        values.push(last);
    }
    values
}

/// Finds the columns of a table.
#[derive(Debug)]
pub(super) struct BlankTableWalk<'a> {
    table: &'a BlankTable,
    reads: Reads,
    row: Row,
}

impl<'a> BlankTableWalk<'a> {
    pub(super) fn new(table: &'a BlankTable, names: &[String]) -> Self {
        BlankTableWalk {
            table,
            reads: Reads::new(&table.names, names),
            row: Row::default(),
        }
    }
}

impl BlankTableWalk<'_> {
    /// True if a line whose words were found is no row, and was not meant to be one.
    fn is_no_record(&self, line: &[u8]) -> bool {
        let words = &self.row.words;
        let is_dashed = |word: &Word| line[word.bytes.0..].starts_with(b"--");
        words.is_empty()
            || self.table.title.as_deref() == Some(line)
            || (words.iter().take(2).any(is_dashed) && is_title(line))
            || self.table.is_header(line, words)
    }
}

impl Walk for BlankTableWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let placed = self.table.place(line, &mut self.row);
        if self.is_no_record(line) {
            return Walked::NoRecord;
        }
        if let Err(reason) = placed {
            return Walked::Reject(reason);
        }
        for (column, value) in self.row.values.iter().enumerate() {
            for &read in self.reads.at(column) {
                if let Some(value) = value {
                    fields.put(read, value.bytes);
                }
            }
        }
        Walked::Record
    }
}
