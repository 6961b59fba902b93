//! JSON: an object for each row, a line each (`ndjson`) or as the elements of one array (`json-array`).
//!
//! `ndjson` of several results runs on; of `json-array` each result is an array.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Display, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;

/// Shows rows as JSON objects.
pub(super) struct Json {
    is_array: bool,
    /// What stands in front of each value: `{"ts":`, `,"host":`.
    keys: Vec<Vec<u8>>,
    writers: Vec<ValueWriter>,
    rows: u64,
}

impl Json {
    /// An object a line.
    pub(super) fn lines() -> Self {
        Json {
            is_array: false,
            keys: Vec::new(),
            writers: Vec::new(),
            rows: 0,
        }
    }

    /// One array.
    pub(super) fn array() -> Self {
        Json {
            is_array: true,
            ..Json::lines()
        }
    }
}

impl Display for Json {
    fn begin(&mut self, schema: &SchemaRef, out: &mut Vec<u8>) -> Result<()> {
        self.writers = writers(schema, Style::Json, None)?;
        self.rows = 0;
        self.keys.clear();
        for (place, field) in schema.fields().iter().enumerate() {
            let mut key = vec![if place == 0 { b'{' } else { b',' }];
            text::write_json(field.name(), &mut key);
            key.push(b':');
            self.keys.push(key);
        }
        if self.is_array {
            out.push(b'[');
        }
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = columns(&self.writers, rows)?;
        for row in 0..rows.num_rows() {
            if self.is_array {
                out.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
            }
            self.rows += 1;
            if columns.is_empty() {
                out.push(b'{');
            }
            for (key, column) in self.keys.iter().zip(&columns) {
                out.extend_from_slice(key);
                column.write(row, out);
            }
            out.push(b'}');
            if !self.is_array {
                out.push(b'\n');
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.is_array {
            out.extend_from_slice(if self.rows == 0 { b"]\n" } else { b"\n]\n" });
        }
    }
}
