//! A result that comes as a whole: collected, then laid out at once.
//!
//! Invariant: at most `max_rows` rows are kept and shown; the others are counted.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::{BOLD, Head, Options, PLAIN};
use crate::data::print::number::thousands;
use crate::error::Result;

/// Collects a result and draws it at its end.
pub(super) struct FiniteTable {
    options: Options,
    head: Head,
    cells: Vec<Vec<String>>,
    rows: usize,
}

impl FiniteTable {
    pub(super) fn new(options: Options) -> Self {
        FiniteTable {
            options,
            head: Head::default(),
            cells: Vec::new(),
            rows: 0,
        }
    }

    /// The terminal has so many columns now.
    pub(super) fn resize(&mut self, columns: u16) {
        self.options.width = Some(columns);
    }

    pub(super) fn begin(&mut self, schema: &SchemaRef) -> Result<()> {
        self.head = Head::new(schema, &self.options)?;
        self.cells.clear();
        self.rows = 0;
        Ok(())
    }

    pub(super) fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        let room = self.options.max_rows.saturating_sub(self.cells.len());
        let shown = rows.slice(0, room.min(rows.num_rows()));
        self.cells.extend(self.head.cells(&shown)?);
        self.rows += rows.num_rows();
        Ok(())
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
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
            let cells = self.head.names.iter().zip(&self.head.is_number);
            table.set_header(
                cells.map(|(name, &number)| Cell::new(name).set_alignment(align(number))),
            );
        }
        for row in &self.cells {
            let cells = row.iter().zip(&self.head.is_number);
            table
                .add_row(cells.map(|(cell, &number)| Cell::new(cell).set_alignment(align(number))));
        }
        let mut is_header = self.options.header && self.options.color;
        for (place, line) in table.to_string().lines().enumerate() {
            is_header &= !line.starts_with('╞');
            let line = match is_header && place > 0 {
                true => format!("{BOLD}{line}{PLAIN}\n"),
                false => format!("{line}\n"),
            };
            out.extend_from_slice(line.as_bytes());
        }
        let more = self.rows - self.cells.len();
        if more > 0 {
            let (count, rows) = (
                thousands(more as u64),
                if more == 1 { "row" } else { "rows" },
            );
            let all = self.rows;
            let note = format!("… {count} more {rows}; --max-rows {all} shows all\n");
            out.extend_from_slice(note.as_bytes());
        }
        self.cells.clear();
    }
}
