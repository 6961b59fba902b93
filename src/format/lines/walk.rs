//! What a format of lines is asked for: where the fields of a line stand.
//!
//! ```text
//!  line    10.0.0.1 - ann […] "say \"hi\""      columns   host      user   request
//!  cells   0..8, 11..14, aside 0..8             aside     say "hi"
//! ```
//!
//! Invariants: a walk names only columns below the count that it was made for, and places within the line;
//! what it does not name is NULL. Places count from the beginning of the line until [`Fields::shift`].

use std::borrow::Cow;

use memchr::memchr;

use crate::format::Layout;
use crate::format::columns::cells::{Cell, CellKind};

/// Walks over lines of one layout.
pub(super) trait Walk {
    /// Says where the columns of a line stand.
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked;
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// A record.
    Record,
    /// A header, a comment: no record, and nothing wrong.
    NoRecord,
    /// A line that does not fit, and why.
    Reject(Cow<'static, str>),
}

impl Walked {
    /// A line that does not fit.
    pub(super) fn reject(reason: &'static str) -> Self {
        Walked::Reject(Cow::Borrowed(reason))
    }
}

/// The fields of the current line, and the texts of all lines of a chunk that do not stand in it.
#[derive(Debug)]
pub(super) struct Fields {
    cells: Vec<Cell>,
    aside: Vec<u8>,
}

const NULL: Cell = Cell {
    start: 0,
    length: 0,
    kind: CellKind::Null,
    aside: false,
};

impl Fields {
    pub(super) fn new(columns: usize) -> Self {
        Fields {
            cells: vec![NULL; columns],
            aside: Vec::new(),
        }
    }

    /// Every column is NULL.
    pub(super) fn clear(&mut self) {
        self.cells.fill(NULL);
    }

    pub(super) fn forget_aside(&mut self) {
        self.aside.clear();
    }

    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(super) fn aside(&self) -> &[u8] {
        &self.aside
    }

    /// The column is what stands from `start` to `end`.
    #[inline]
    pub(super) fn put(&mut self, column: usize, (start, end): (usize, usize)) {
        self.put_as(column, (start, end), CellKind::Field);
    }

    /// The same, but text even if it is empty.
    #[inline]
    pub(super) fn put_text(&mut self, column: usize, place: (usize, usize)) {
        self.put_as(column, place, CellKind::QuotedField);
    }

    #[inline]
    fn put_as(&mut self, column: usize, (start, end): (usize, usize), kind: CellKind) {
        self.cells[column] = Cell {
            start: start as u32,
            length: (end - start) as u32,
            kind,
            aside: false,
        };
    }

    /// The column is what stands there between quotes, with `\"`, `\\`, `\n` and `\t` read.
    #[inline]
    pub(super) fn put_quoted(&mut self, column: usize, line: &[u8], place: (usize, usize)) {
        let inside = &line[place.0..place.1];
        if memchr(b'\\', inside).is_none() {
            return self.put_text(column, place);
        }
        let start = self.aside.len();
        unescape(inside, &mut self.aside);
        self.mark_aside(column, start);
    }

    /// The column is a text of our own.
    #[inline]
    pub(super) fn put_copy(&mut self, column: usize, parts: &[&[u8]]) {
        let start = self.aside.len();
        for part in parts {
            self.aside.extend_from_slice(part);
        }
        self.mark_aside(column, start);
    }

    fn mark_aside(&mut self, column: usize, start: usize) {
        self.cells[column] = Cell {
            start: start as u32,
            length: (self.aside.len() - start) as u32,
            kind: CellKind::QuotedField,
            aside: true,
        };
    }

    /// The line begins at `start` in its chunk.
    #[inline]
    pub(super) fn shift(&mut self, start: usize) {
        for cell in &mut self.cells {
            if !cell.aside {
                cell.start += start as u32;
            }
        }
    }

    /// The line stands in no chunk: it is kept aside.
    pub(super) fn set_aside(&mut self, line: &[u8]) {
        let start = self.aside.len();
        self.aside.extend_from_slice(line);
        for cell in &mut self.cells {
            if !cell.aside {
                cell.start += start as u32;
                cell.aside = true;
            }
        }
    }

    fn text(&self, cell: Cell, line: &[u8]) -> Vec<u8> {
        let text = if cell.aside { &self.aside } else { line };
        let start = cell.start as usize;
        text[start..start + cell.length as usize].to_vec()
    }
}

/// Reads the escapes of quoted text; an unknown one stays as it is.
fn unescape(text: &[u8], into: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(place) = memchr(b'\\', rest) {
        into.extend_from_slice(&rest[..place]);
        let escaped = match rest.get(place + 1) {
            Some(byte @ (b'"' | b'\\')) => *byte,
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            _ => {
                into.push(b'\\');
                rest = &rest[place + 1..];
                continue;
            }
        };
        into.push(escaped);
        rest = &rest[place + 2..];
    }
    into.extend_from_slice(rest);
}

/// The place behind the quote that closes a text which begins at `start`, and whether there is one.
#[inline]
pub(super) fn closing_quote(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let length = memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at + length] == b'"' {
            return Some(at + length);
        }
        at += length + 2;
    }
}

/// A field of a line of a sample: its text, or `None` for NULL, and whether it stood in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineField {
    /// What it says.
    pub text: Vec<u8>,
    /// True if it is text even if it is empty.
    pub quoted: bool,
}

/// The columns `names` of each line of a sample that is a record, at most `most` of them.
pub fn sample_fields(
    layout: &Layout,
    names: &[String],
    sample: &[u8],
    most: usize,
) -> Vec<Vec<Option<LineField>>> {
    let mut walk = layout.walk(names);
    let mut fields = Fields::new(names.len());
    let mut records = Vec::new();
    for line in sample_lines(sample) {
        if records.len() == most {
            break;
        }
        fields.clear();
        fields.forget_aside();
        let text = String::from_utf8_lossy(line);
        if walk.walk(text.as_bytes(), &mut fields) != Walked::Record {
            continue;
        }
        let field = |cell: &Cell| match cell.kind {
            CellKind::Null => None,
            kind => Some(LineField {
                text: fields.text(*cell, text.as_bytes()),
                quoted: kind == CellKind::QuotedField,
            }),
        };
        records.push(fields.cells.iter().map(field).collect());
    }
    records
}

/// The lines of a sample that are not empty, without their newlines.
pub(super) fn sample_lines(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    sample
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
}
