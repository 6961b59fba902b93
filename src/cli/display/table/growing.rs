//! A result that comes bit by bit: the header once, then each row as it comes.
//!
//! ```text
//! window_start        │ host │   count
//! ────────────────────┼──────┼────────
//! 2026-01-01 12:00:00 │ web1 │      12
//! 2026-01-01 12:01:00 │ web1 │       9     a minute later
//! ```
//!
//! The first rows wait until the input does, or a screen is full: they settle the widths. On a terminal the
//! widest columns of text give way until a row fits into a line, and what does not fit into a cell ends in `…`;
//! without one nothing is cut, and a later value that is wider widens its own cell only.
//!
//! Invariant: beyond the rows of the first screen nothing is kept.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use unicode_width::UnicodeWidthStr;

use super::{BOLD, Head, Options, PLAIN, Preview, cut};
use crate::error::Result;

/// Rows that settle the widths: about a screen.
const SCREEN_ROWS: usize = 50;
/// The first screen widens no column beyond this.
const WIDEST: usize = 60;
/// Numbers grow: room for those to come.
const NUMBER_WIDTH: usize = 7;
/// No column gives way beyond this.
const NARROWEST: usize = 8;
/// What stands between two cells.
const BETWEEN: &str = " │ ";

/// Draws rows as they come.
pub(super) struct GrowingTable {
    options: Options,
    head: Head,
    /// Empty until they are settled.
    widths: Vec<usize>,
    /// The rows of the first screen, until then.
    first: Vec<Vec<String>>,
}

impl GrowingTable {
    pub(super) fn new(options: Options) -> Self {
        GrowingTable {
            options,
            head: Head::default(),
            widths: Vec::new(),
            first: Vec::new(),
        }
    }

    /// The terminal has so many columns now.
    pub(super) fn resize(&mut self, columns: u16) {
        self.options.width = Some(columns);
    }

    pub(super) fn begin(&mut self, schema: &SchemaRef) -> Result<()> {
        self.head = Head::new(schema, &self.options)?;
        self.widths.clear();
        self.first.clear();
        Ok(())
    }

    pub(super) fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        // In pieces, so that the cells of a large batch are not all in memory at once.
        let mut start = 0;
        while start < rows.num_rows() {
            let piece = rows.slice(start, SCREEN_ROWS.min(rows.num_rows() - start));
            start += piece.num_rows();
            let cells = self.head.cells(&piece)?;
            if self.widths.is_empty() {
                self.first.extend(cells);
                if self.first.len() >= SCREEN_ROWS {
                    self.open(out);
                }
                continue;
            }
            for row in &cells {
                self.draw(row, &self.widths, out);
            }
        }
        Ok(())
    }

    /// Nothing more comes for now: what is there is shown.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.first.is_empty() {
            self.open(out);
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if self.widths.is_empty() {
            self.open(out);
        }
    }

    /// Settles the widths, draws the header and the rows that waited.
    fn open(&mut self, out: &mut Vec<u8>) {
        let rows = std::mem::take(&mut self.first);
        self.widths = self.widths_of(&rows);
        if self.options.header {
            self.draw_header(&self.widths, out);
        }
        for row in &rows {
            self.draw(row, &self.widths, out);
        }
    }

    /// Settles the widths by rows that may still change, if they are not, and draws the header.
    pub(super) fn settle(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        if self.widths.is_empty() {
            self.widths = self.widths_of(&self.head.cells(rows)?);
            if self.options.header {
                self.draw_header(&self.widths, out);
            }
        }
        Ok(())
    }

    /// The lines of rows that may still change, as they would stand below the others.
    pub(super) fn preview(&self, rows: &RecordBatch) -> Result<Preview> {
        let cells = self.head.cells(rows)?;
        let mut head = Vec::new();
        let widths = match self.widths.is_empty() {
            true => {
                let widths = self.widths_of(&cells);
                self.draw_header(&widths, &mut head);
                widths
            }
            false => self.widths.clone(),
        };
        let line = |row: &Vec<String>| {
            let mut line = Vec::new();
            self.draw(row, &widths, &mut line);
            String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
        };
        Ok(Preview {
            head: String::from_utf8_lossy(&head)
                .lines()
                .map(str::to_owned)
                .collect(),
            rows: cells.iter().map(line).collect(),
        })
    }

    fn widths_of(&self, rows: &[Vec<String>]) -> Vec<usize> {
        let head = self.head.names.iter().zip(&self.head.is_number);
        let mut widths: Vec<usize> = head
            .map(|(name, is_number)| {
                let name = if self.options.header { name.width() } else { 0 };
                name.max(if *is_number { NUMBER_WIDTH } else { 0 })
            })
            .collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width().min(WIDEST));
            }
        }
        if let Some(screen) = self.options.width {
            let between = BETWEEN.width() * widths.len().saturating_sub(1);
            self.fit(&mut widths, usize::from(screen).saturating_sub(between));
        }
        widths
    }

    /// Lets the widest texts give way until all fit, as far as they can.
    fn fit(&self, widths: &mut [usize], room: usize) {
        while widths.iter().sum::<usize>() > room {
            let texts = widths.iter_mut().zip(&self.head.is_text);
            let widest = texts
                .filter(|(width, is_text)| **is_text && **width > NARROWEST)
                .map(|(width, _)| width)
                .max();
            match widest {
                Some(width) => *width -= 1,
                None => return,
            }
        }
    }

    fn draw_header(&self, widths: &[usize], out: &mut Vec<u8>) {
        if self.options.color {
            out.extend_from_slice(BOLD.as_bytes());
        }
        self.draw(&self.head.names, widths, out);
        if self.options.color {
            let newline = out.pop();
            out.extend_from_slice(PLAIN.as_bytes());
            out.extend(newline);
        }
        for (place, &width) in widths.iter().enumerate() {
            let last = place + 1 == widths.len();
            let sides = usize::from(place > 0) + usize::from(!last);
            if place > 0 {
                out.extend_from_slice("┼".as_bytes());
            }
            out.extend_from_slice("─".repeat(width + sides).as_bytes());
        }
        out.push(b'\n');
    }

    /// One line; no blanks at its end.
    fn draw(&self, cells: &[String], widths: &[usize], out: &mut Vec<u8>) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(BETWEEN.as_bytes());
            }
            // A number or time that is cut would be another one.
            let whole = self.options.width.is_none() || !self.head.is_text[place];
            let cut = (!whole).then(|| cut(cell, widths[place]));
            let cell = cut.as_ref().unwrap_or(cell);
            let blanks = widths[place].saturating_sub(cell.width());
            let (before, behind) = match self.head.is_number[place] {
                true => (blanks, 0),
                false if place + 1 == cells.len() => (0, 0),
                false => (0, blanks),
            };
            out.extend(std::iter::repeat_n(b' ', before));
            out.extend_from_slice(cell.as_bytes());
            out.extend(std::iter::repeat_n(b' ', behind));
        }
        out.push(b'\n');
    }
}
