//! `markdown`: a table to paste into a document; numbers are right-aligned.
//!
//! ```text
//! | host | count |
//! | --- | ---: |
//! | web1 | 12 |
//! ```

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Display, Options, ResultInfo, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;

/// Shows rows as a Markdown table.
pub(super) struct Markdown {
    null_value: Option<String>,
    writers: Vec<ValueWriter>,
    results: usize,
    cell: Vec<u8>,
}

impl Markdown {
    pub(super) fn new(options: Options) -> Self {
        let null_value = options.null_value;
        Markdown {
            null_value,
            writers: Vec::new(),
            results: 0,
            cell: Vec::new(),
        }
    }
}

/// A cell may hold neither a bar nor what Markdown takes for a tag.
fn write_cell(cell: &[u8], out: &mut Vec<u8>) {
    out.push(b' ');
    for &byte in cell {
        match byte {
            b'|' | b'\\' | b'`' | b'*' | b'<' => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
    out.extend_from_slice(b" |");
}

impl Display for Markdown {
    fn begin(&mut self, schema: &SchemaRef, _: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        self.writers = writers(schema, Style::Table, self.null_value.as_deref())?;
        if self.results > 0 {
            out.push(b'\n');
        }
        self.results += 1;
        // A Markdown table cannot be without a header, so `--no-header` changes nothing.
        out.push(b'|');
        for field in schema.fields() {
            write_cell(text::visible(field.name()).as_bytes(), out);
        }
        out.extend_from_slice(b"\n|");
        for field in schema.fields() {
            let numeric = field.data_type().is_numeric();
            out.extend_from_slice(if numeric { b" ---: |" } else { b" --- |" });
        }
        out.push(b'\n');
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = columns(&self.writers, rows)?;
        for row in 0..rows.num_rows() {
            out.push(b'|');
            for column in &columns {
                self.cell.clear();
                column.write(row, &mut self.cell);
                write_cell(&self.cell, out);
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
