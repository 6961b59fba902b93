//! Gathers the rows that closed windows make into batches of a useful size.
//!
//! Many windows may close at once with a row each, or one with a million: rows come out in batches of at
//! most [`MAX_ROWS`], in the order in which they were added.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;

use crate::data::{Batch, Position};
use crate::error::Result;
use crate::exec::Output;

/// The most rows of a batch that an operator makes.
pub(in crate::exec) const MAX_ROWS: usize = 8192;

/// Rows on their way out.
pub(in crate::exec) struct ResultRows {
    schema: SchemaRef,
    parts: Vec<Vec<ArrayRef>>,
    positions: Vec<Position>,
}

impl ResultRows {
    /// No rows yet.
    pub(in crate::exec) fn new(schema: SchemaRef) -> Self {
        ResultRows {
            schema,
            parts: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Adds rows with their positions, at most [`MAX_ROWS`] of them.
    pub(in crate::exec) fn add(
        &mut self,
        columns: Vec<ArrayRef>,
        positions: impl ExactSizeIterator<Item = Position>,
        out: &mut Output,
    ) -> Result<()> {
        if self.positions.len() + positions.len() > MAX_ROWS {
            self.flush(out)?;
        }
        self.positions.extend(positions);
        self.parts.push(columns);
        Ok(())
    }

    /// Emits what was added.
    pub(in crate::exec) fn flush(&mut self, out: &mut Output) -> Result<()> {
        let positions = std::mem::take(&mut self.positions);
        let parts = std::mem::take(&mut self.parts);
        if positions.is_empty() {
            return Ok(());
        }
        let columns: Result<Vec<ArrayRef>> = (0..self.schema.fields().len())
            .map(|column| match parts.as_slice() {
                [only] => Ok(only[column].clone()),
                _ => {
                    let arrays: Vec<&dyn arrow::array::Array> =
                        parts.iter().map(|part| part[column].as_ref()).collect();
                    Ok(concat(&arrays)?)
                }
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(positions.len()));
        let columns = RecordBatch::try_new_with_options(self.schema.clone(), columns?, &options)?;
        out.batch(Batch::new(columns, positions.into()));
        Ok(())
    }
}
