//! Leaves out the records of a source that are older than what is wanted: `--from TIME`.
//!
//! ```text
//!   11:59:58 a    left out
//!     at line 3   left out: what has no time goes with the record before it
//!   12:00:00 b    the first that is wanted
//!     at line 9   kept
//! ```
//!
//! Invariant: what is left out depends on the records of its file alone, never on how they came in blocks.

use std::sync::atomic::Ordering;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{DataType, Int64Type};

use super::merge::{FileState, Run};
use crate::error::Result;
use crate::plan::SourcePlan;

/// The time from which on records are wanted.
pub(super) struct Since {
    /// The place of their time in what was read and computed.
    column: usize,
    /// In its unit.
    time: i64,
}

impl Since {
    /// That of a source, if it has one.
    pub(super) fn of(plan: &SourcePlan) -> Option<Self> {
        let table = &plan.table;
        let column = table.columns.get(table.time.as_ref()?.column)?;
        Some(Since {
            column: plan.schema.index_of(&column.name).ok()?,
            time: table.since?,
        })
    }

    /// Per record of a block whether it is left out, good ones and bad ones; `None` if none is.
    pub(super) fn older(
        &self,
        run: &Run,
        columns: &RecordBatch,
        file: &FileState,
    ) -> Result<Option<Vec<bool>>> {
        let times = compute::cast(columns.column(self.column), &DataType::Int64)?;
        let times = times.as_primitive::<Int64Type>();
        let mut rows = run.records.iter().enumerate().peekable();
        let mut is_older = file.is_older.load(Ordering::Relaxed);
        let mut older = vec![false; run.record_count as usize];
        for (record, left_out) in older.iter_mut().enumerate() {
            let row = rows.next_if(|(_, of_row)| **of_row as usize == record);
            if let Some((row, _)) = row.filter(|(row, _)| times.is_valid(*row)) {
                is_older = times.value(row) < self.time;
            }
            *left_out = is_older;
        }
        file.is_older.store(is_older, Ordering::Relaxed);
        Ok(older.contains(&true).then_some(older))
    }
}
