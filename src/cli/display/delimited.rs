//! csv and tsv: a header line, then a line for each row.
//!
//! Several results are parted by an empty line, each with a header of its own.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Display, Options, ResultInfo, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;
use crate::runtime::RowWriter;

/// Shows rows as csv or tsv.
pub(super) struct Delimited {
    style: Style,
    delimiter: u8,
    null_value: String,
    header: bool,
    lines: Arc<Lines>,
    results: usize,
}

/// Makes lines of rows.
#[derive(Default)]
struct Lines {
    delimiter: u8,
    writers: Vec<ValueWriter>,
}

/// For so many bytes a row there is room from the start.
const ROW_BYTES: usize = 64;

impl RowWriter for Lines {
    fn write(&self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = columns(&self.writers, rows)?;
        out.reserve(rows.num_rows() * ROW_BYTES);
        for row in 0..rows.num_rows() {
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    out.push(self.delimiter);
                }
                column.write(row, out);
            }
            out.push(b'\n');
        }
        Ok(())
    }
}

impl Delimited {
    /// `style` is `Csv` or `Tsv`.
    pub(super) fn new(style: Style, options: Options) -> Self {
        Delimited {
            style,
            delimiter: if style == Style::Csv { b',' } else { b'\t' },
            null_value: options.null_value.unwrap_or_default(),
            header: options.header,
            lines: Arc::default(),
            results: 0,
        }
    }
}

impl Display for Delimited {
    fn begin(&mut self, schema: &SchemaRef, _: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        self.lines = Arc::new(Lines {
            delimiter: self.delimiter,
            writers: writers(schema, self.style, Some(&self.null_value))?,
        });
        if self.results > 0 {
            out.push(b'\n');
        }
        self.results += 1;
        if !self.header {
            return Ok(());
        }
        for (place, field) in schema.fields().iter().enumerate() {
            if place > 0 {
                out.push(self.delimiter);
            }
            match self.style {
                // A name is never NULL, so it needs quotes only for its characters.
                Style::Csv if !field.name().is_empty() => text::write_csv(field.name(), b"", out),
                Style::Csv => {}
                _ => text::write_tsv(field.name(), out),
            }
        }
        out.push(b'\n');
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        self.lines.write(rows, out)
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        Some(Arc::clone(&self.lines) as Arc<dyn RowWriter>)
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
