//! The rows of a batch as text, for `_raw`, rejects and late rows: what has no text of its own gets an object of JSON.
//!
//! Invariant: a row's text depends on its values alone.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StructArray};
use arrow::datatypes::Field;

use super::decoder::plain;
use crate::data::print::{Style, ValueWriter};
use crate::error::Result;

/// The rows of a batch as people see them: an object of JSON each.
pub struct RowTexts {
    writer: ValueWriter,
    rows: StructArray,
}

impl RowTexts {
    /// Those of `batch`.
    ///
    /// # Errors
    /// Values that cannot be shown.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        let mut fields = Vec::with_capacity(batch.num_columns());
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let column = plain(column)?;
            fields.push(Arc::new(Field::new(
                field.name(),
                column.data_type().clone(),
                true,
            )));
            columns.push(column);
        }
        let rows =
            StructArray::try_new_with_length(fields.into(), columns, None, batch.num_rows())?;
        let field = Field::new("", rows.data_type().clone(), true);
        let writer = ValueWriter::new(&field, Style::Json)?;
        Ok(RowTexts { writer, rows })
    }

    /// Appends the text of a row.
    ///
    /// # Errors
    /// As [`RowTexts::new`].
    pub fn write(&self, row: usize, text: &mut Vec<u8>) -> Result<()> {
        self.writer.column(&self.rows)?.write(row, text);
        Ok(())
    }
}
