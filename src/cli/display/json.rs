//! JSON: an object for each row, a line each (`ndjson`) or as the elements of one array (`json-array`).
//!
//! `ndjson` of several results runs on; of `json-array` each result is an array.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Display, ResultInfo, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;
use crate::runtime::RowWriter;

/// Shows rows as JSON objects.
pub(super) struct Json {
    is_array: bool,
    objects: Arc<Objects>,
    rows: u64,
}

/// Makes objects of rows.
#[derive(Default)]
struct Objects {
    /// What stands in front of each value: `{"ts":`, `,"host":`.
    keys: Vec<Vec<u8>>,
    writers: Vec<ValueWriter>,
}

impl Objects {
    /// Writes the rows, `before` in front of each and `behind` after it; both get the number of the row.
    fn write_all(
        &self,
        rows: &RecordBatch,
        before: impl Fn(usize) -> &'static [u8],
        behind: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let columns = columns(&self.writers, rows)?;
        for row in 0..rows.num_rows() {
            out.extend_from_slice(before(row));
            if columns.is_empty() {
                out.push(b'{');
            }
            for (key, column) in self.keys.iter().zip(&columns) {
                out.extend_from_slice(key);
                column.write(row, out);
            }
            out.push(b'}');
            out.extend_from_slice(behind);
        }
        Ok(())
    }
}

/// For so many bytes an object there is room from the start.
const OBJECT_BYTES: usize = 128;

/// A line for each.
impl RowWriter for Objects {
    fn write(&self, rows: &RecordBatch, text: &mut Vec<u8>) -> Result<()> {
        text.reserve(rows.num_rows() * OBJECT_BYTES);
        self.write_all(rows, |_| b"", b"\n", text)
    }
}

impl Json {
    /// An object a line.
    pub(super) fn lines() -> Self {
        Json {
            is_array: false,
            objects: Arc::default(),
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
    fn begin(&mut self, schema: &SchemaRef, _: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        let mut keys = Vec::with_capacity(schema.fields().len());
        for (place, field) in schema.fields().iter().enumerate() {
            let mut key = vec![if place == 0 { b'{' } else { b',' }];
            text::write_json(field.name(), &mut key);
            key.push(b':');
            keys.push(key);
        }
        self.objects = Arc::new(Objects {
            keys,
            writers: writers(schema, Style::Json, None)?,
        });
        self.rows = 0;
        if self.is_array {
            out.push(b'[');
        }
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        if !self.is_array {
            return self.objects.write(rows, out);
        }
        let is_first = self.rows == 0;
        self.rows += rows.num_rows() as u64;
        let before = |row| match is_first && row == 0 {
            true => &b"\n"[..],
            false => b",\n",
        };
        self.objects.write_all(rows, before, b"", out)
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        let objects = Arc::clone(&self.objects) as Arc<dyn RowWriter>;
        (!self.is_array).then_some(objects)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.is_array {
            out.extend_from_slice(if self.rows == 0 { b"]\n" } else { b"\n]\n" });
        }
        Ok(())
    }
}
