//! `table`: columns for people, drawn row by row or, for a finite result, as a whole.
//!
//! ```text
//! window_start        │ host │ count
//! ────────────────────┼──────┼──────
//! 2026-01-01 12:00:00 │ web1 │    12
//! ```
//!
//! Invariants: a streaming table keeps nothing: its widths are settled by the names and the first batch,
//! and a later value that is wider widens its own cell only. A finite one keeps at most `max_rows` rows.
//! Nothing in the data reaches the terminal as a control character.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use super::{Display, Options, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;

/// Rows of the first batch that settle the widths: about a screen.
const SCREEN_ROWS: usize = 200;
/// The first screen widens no column beyond this.
const WIDEST: usize = 60;

const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// What both tables know of their columns.
#[derive(Default)]
struct Head {
    names: Vec<String>,
    writers: Vec<ValueWriter>,
    is_number: Vec<bool>,
}

impl Head {
    fn new(schema: &SchemaRef, options: &Options) -> Result<Self> {
        let fields = schema.fields();
        Ok(Head {
            names: fields
                .iter()
                .map(|field| text::visible(field.name()))
                .collect(),
            writers: writers(schema, Style::Table, options.null_value.as_deref())?,
            is_number: fields
                .iter()
                .map(|field| is_number(field.data_type()))
                .collect(),
        })
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Draws rows as they come.
pub(super) struct StreamingTable {
    options: Options,
    head: Head,
    /// Empty until the first rows.
    widths: Vec<usize>,
    results: usize,
}

impl StreamingTable {
    pub(super) fn new(options: Options) -> Self {
        StreamingTable {
            options,
            head: Head::default(),
            widths: Vec::new(),
            results: 0,
        }
    }

    /// Settles the widths by the names and the cells, and draws the header.
    fn open(&mut self, cells: &[Vec<String>], out: &mut Vec<u8>) {
        let header = self.options.header;
        let names = self
            .head
            .names
            .iter()
            .map(|name| if header { name.width() } else { 0 });
        self.widths = names.collect();
        for row in cells.iter().take(SCREEN_ROWS) {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width().min(WIDEST));
            }
        }
        if !header {
            return;
        }
        if self.options.color {
            out.extend_from_slice(BOLD.as_bytes());
        }
        self.draw(&self.head.names, out);
        if self.options.color {
            let newline = out.pop();
            out.extend_from_slice(PLAIN.as_bytes());
            out.extend(newline);
        }
        for (place, &width) in self.widths.iter().enumerate() {
            let last = place + 1 == self.widths.len();
            let sides = usize::from(place > 0) + usize::from(!last);
            if place > 0 {
                out.extend_from_slice("┼".as_bytes());
            }
            out.extend_from_slice("─".repeat(width + sides).as_bytes());
        }
        out.push(b'\n');
    }

    /// One line; no blanks at its end.
    fn draw(&self, cells: &[String], out: &mut Vec<u8>) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(" │ ".as_bytes());
            }
            let blanks = self.widths[place].saturating_sub(cell.width());
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

impl Display for StreamingTable {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<()> {
        self.head = Head::new(schema, &self.options)?;
        self.widths.clear();
        if self.results > 0 {
            out.push(b'\n');
        }
        self.results += 1;
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        // In pieces, so that the cells of a large batch are not all in memory at once.
        let mut start = 0;
        while start < rows.num_rows() {
            let piece = rows.slice(start, SCREEN_ROWS.min(rows.num_rows() - start));
            start += piece.num_rows();
            let cells = cells(&self.head.writers, &piece)?;
            if self.widths.is_empty() {
                self.open(&cells, out);
            }
            for row in &cells {
                self.draw(row, out);
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.widths.is_empty() {
            self.open(&[], out);
        }
        Ok(())
    }
}

/// The texts of all cells.
fn cells(writers: &[ValueWriter], rows: &RecordBatch) -> Result<Vec<Vec<String>>> {
    let columns = columns(writers, rows)?;
    let cell = |column: &crate::data::print::Column, row: usize| {
        let mut text = Vec::new();
        column.write(row, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    };
    let row = |row| columns.iter().map(|column| cell(column, row)).collect();
    Ok((0..rows.num_rows()).map(row).collect())
}

/// Collects a result and draws it at its end.
pub(super) struct FiniteTable {
    options: Options,
    head: Head,
    cells: Vec<Vec<String>>,
    rows: usize,
    results: usize,
}

impl FiniteTable {
    pub(super) fn new(options: Options) -> Self {
        FiniteTable {
            options,
            head: Head::default(),
            cells: Vec::new(),
            rows: 0,
            results: 0,
        }
    }
}

impl Display for FiniteTable {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<()> {
        self.head = Head::new(schema, &self.options)?;
        self.cells.clear();
        self.rows = 0;
        if self.results > 0 {
            out.push(b'\n');
        }
        self.results += 1;
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, _: &mut Vec<u8>) -> Result<()> {
        let room = self.options.max_rows.saturating_sub(self.cells.len());
        let shown = rows.slice(0, room.min(rows.num_rows()));
        self.cells.extend(cells(&self.head.writers, &shown)?);
        self.rows += rows.num_rows();
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        if let Some(width) = self.options.width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        let align = |is_number: bool| match is_number {
            true => CellAlignment::Right,
            false => CellAlignment::Left,
        };
        if self.options.header {
            table.set_header(self.head.names.iter().map(Cell::new));
        }
        for row in &self.cells {
            let cells = row.iter().zip(&self.head.is_number);
            table
                .add_row(cells.map(|(cell, &number)| Cell::new(cell).set_alignment(align(number))));
        }
        out.extend_from_slice(table.to_string().as_bytes());
        out.push(b'\n');
        if self.rows > self.cells.len() {
            let more = crate::data::print::number::thousands((self.rows - self.cells.len()) as u64);
            let note = format!("… {more} more rows; --max-rows {} shows all\n", self.rows);
            out.extend_from_slice(note.as_bytes());
        }
        self.cells.clear();
        Ok(())
    }
}
