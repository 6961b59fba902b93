//! `line`: each value on a line of its own, for rows that are too wide for a table.
//!
//! ```text
//!     ts = 2026-01-01 12:00:00
//! status = 200
//! ```
//!
//! An empty line stands between rows, and between results.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use unicode_width::UnicodeWidthStr;

use super::{Display, Options, ResultInfo, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;

/// Shows each value on its line.
pub(super) struct Line {
    null_value: Option<String>,
    header: bool,
    /// What stands in front of each value, all of one width.
    names: Vec<String>,
    writers: Vec<ValueWriter>,
    rows: u64,
}

impl Line {
    pub(super) fn new(options: Options) -> Self {
        let (null_value, header) = (options.null_value, options.header);
        Line {
            null_value,
            header,
            names: Vec::new(),
            writers: Vec::new(),
            rows: 0,
        }
    }
}

impl Display for Line {
    fn begin(&mut self, schema: &SchemaRef, _: &ResultInfo, _: &mut Vec<u8>) -> Result<()> {
        self.writers = writers(schema, Style::Table, self.null_value.as_deref())?;
        let fields = schema.fields().iter();
        self.names = fields.map(|field| text::visible(field.name())).collect();
        let widest = self
            .names
            .iter()
            .map(|name| name.width())
            .max()
            .unwrap_or(0);
        for name in &mut self.names {
            let blanks = " ".repeat(widest - name.width());
            *name = if self.header {
                format!("{blanks}{name} = ")
            } else {
                String::new()
            };
        }
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = columns(&self.writers, rows)?;
        for row in 0..rows.num_rows() {
            if self.rows > 0 {
                out.push(b'\n');
            }
            self.rows += 1;
            for (name, column) in self.names.iter().zip(&columns) {
                out.extend_from_slice(name.as_bytes());
                column.write(row, out);
                out.push(b'\n');
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
