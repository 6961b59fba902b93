//! Tables with lines drawn between their columns, as psql, mysql, sqlite3 and Markdown have them, and `--table`.
//!
//! ```text
//!   id |  name           | id | name    |        ┌────┬─────────┐
//!  ----+---------        |----|---------|        │ id │  name   │
//!    1 | ann lee         | 1  | ann lee |        ├────┼─────────┤
//!  (1 row)                                       │ 1  │ ann lee │
//! ```
//!
//! The names stand above the first ruler that has as many columns. Rulers, what stands above the names, and the
//! count of rows below a table are no records; the header may come again.

use super::blank_header::distinct;
use super::layout::Reads;
use super::walk::{Fields, Walk, Walked, sample_lines};

const MOST_COLUMNS: usize = 1_000;
/// Lines up to the ruler below the names.
const MOST_LINES: usize = 6;

/// The header of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnTable {
    /// Its columns, each once.
    pub names: Vec<String>,
    /// What parts columns.
    bar: char,
    /// The line with the names, without blanks around it.
    header: String,
    /// The line above it.
    title: Option<String>,
}

impl DrawnTable {
    /// The table at the beginning of a sample, if there is one.
    pub(super) fn of_sample(sample: &[u8]) -> Option<DrawnTable> {
        let lines = sample_lines(sample).filter(|line| !line.trim_ascii().is_empty());
        let lines = lines.take(MOST_LINES).map(String::from_utf8_lossy);
        let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
        let ends_header = |place: &usize| is_ruler(&lines[*place]) && !is_ruler(&lines[*place - 1]);
        let mut places = (1..lines.len()).filter(ends_header);
        places.find_map(|place| DrawnTable::of_header(&lines, place))
    }

    /// The table whose names stand above the ruler at this place.
    fn of_header(lines: &[String], place: usize) -> Option<DrawnTable> {
        let header = &lines[place - 1];
        let bar = ['|', '│', '┃']
            .into_iter()
            .find(|bar| header.contains(*bar))?;
        let mut table = DrawnTable {
            names: Vec::new(),
            bar,
            header: header.clone(),
            // Rulers are no records in any case. Several lines are text before the table, which is told.
            title: lines.first().filter(|_| place == 2).cloned(),
        };
        let names = table.cells(header).into_iter().enumerate();
        let names = names.map(|(place, (start, end))| match &header[start..end] {
            "" => format!("c{}", place + 1),
            name => name.to_owned(),
        });
        table.names = distinct(names.collect());
        let is_even = columns_of_ruler(&lines[place]) == table.names.len();
        (is_even && table.names.len() <= MOST_COLUMNS).then_some(table)
    }

    /// Where the cells of a line stand, without the blanks around them.
    fn cells(&self, line: &str) -> Vec<(usize, usize)> {
        let mut cells = Vec::new();
        self.each_cell(line, |place| cells.push(place));
        cells
    }

    /// Tells where the cells of a line stand, without the blanks around them; returns how many there are.
    fn each_cell(&self, line: &str, mut found: impl FnMut((usize, usize))) -> usize {
        let inside = line.trim();
        let mut start = line.len() - line.trim_start().len();
        let mut end = start + inside.len();
        if self.header.starts_with(self.bar) {
            start += inside
                .strip_prefix(self.bar)
                .map_or(0, |_| self.bar.len_utf8());
            let rest = &line[start.min(end)..end];
            end -= rest
                .strip_suffix(self.bar)
                .map_or(0, |_| self.bar.len_utf8());
        }
        let mut count = 0;
        let mut at = start.min(end);
        loop {
            let bar = line[at..end]
                .match_indices(self.bar)
                .map(|(place, _)| at + place);
            // Markdown writes a bar within a cell as `\|`.
            let bar = bar.into_iter().find(|bar| !line[at..*bar].ends_with('\\'));
            let cell = &line[at..bar.unwrap_or(end)];
            let first = at + cell.len() - cell.trim_start().len();
            found((first, first + cell.trim().len()));
            count += 1;
            match bar {
                Some(bar) => at = bar + self.bar.len_utf8(),
                None => return count,
            }
        }
    }
}

/// `+----+-----+`, `|----|:---:|`, `----+----`, `├────┼─────┤`
fn is_ruler(line: &str) -> bool {
    let is_drawn = |c: char| {
        matches!(
            c,
            '-' | '=' | '+' | '|' | ':' | ' ' | '\u{2500}'..='\u{257F}'
        )
    };
    let is_stroke = |c: char| matches!(c, '-' | '=' | '─' | '━' | '═' | '╌' | '┄');
    line.chars().all(is_drawn) && line.chars().filter(|c| is_stroke(*c)).count() >= 2
}

/// How many columns a ruler has.
fn columns_of_ruler(line: &str) -> usize {
    let is_stroke = |c: &char| matches!(c, '-' | '=' | ':' | ' ' | '─' | '━' | '═' | '╌' | '┄');
    let parts = line.split(|c: char| !is_stroke(&c));
    parts.filter(|part| !part.trim().is_empty()).count()
}

/// `(2 rows)`
fn counts_rows(line: &str) -> bool {
    let inside = line
        .strip_prefix('(')
        .and_then(|line| line.strip_suffix(')'));
    let count =
        inside.and_then(|inside| inside.strip_suffix(" rows").or(inside.strip_suffix(" row")));
    count.is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Finds the columns of a table.
#[derive(Debug)]
pub(super) struct DrawnTableWalk<'a> {
    table: &'a DrawnTable,
    reads: Reads,
}

impl<'a> DrawnTableWalk<'a> {
    pub(super) fn new(table: &'a DrawnTable, names: &[String]) -> Self {
        DrawnTableWalk {
            table,
            reads: Reads::new(&table.names, names),
        }
    }
}

impl Walk for DrawnTableWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let Ok(text) = std::str::from_utf8(line) else {
            return Walked::reject("is not UTF-8");
        };
        let table = self.table;
        let trimmed = text.trim();
        let is_title = table.title.as_deref() == Some(trimmed);
        if trimmed.is_empty() || trimmed == table.header || is_ruler(trimmed) || is_title {
            return Walked::NoRecord;
        }
        let mut number = 0;
        let count = table.each_cell(text, |place| {
            for &column in self.reads.at(number) {
                match text[place.0..place.1].contains("\\|") {
                    true => {
                        let cell = text[place.0..place.1].replace("\\|", "|");
                        fields.put_copy(column, &[cell.as_bytes()]);
                    }
                    false => fields.put(column, place),
                }
            }
            number += 1;
        });
        let expected = table.names.len();
        match count == expected {
            true => Walked::Record,
            false if counts_rows(trimmed) => Walked::NoRecord,
            false => Walked::Reject(
                format!("has {count} of the {expected} columns of the header").into(),
            ),
        }
    }
}
