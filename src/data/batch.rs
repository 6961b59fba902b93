//! A batch of rows as it flows through a query: columns, and what a streaming system must know of each row.
//!
//! ```text
//! columns:    ts        host  status     position   watermark (of the rows before this one)
//!             12:00:03  web1  200        0          -infinity
//!             12:00:01  web2  500        1          11:59:58
//!             12:00:09  web1  200        2          11:59:58
//! ```
//!
//! Invariants: all parts have one entry per row. Positions rise within a batch that comes straight from
//! one input; a row that an operator makes (a closed window) carries the position of the input row that
//! caused it, `u64::MAX` if that was the end of input. Watermarks are in the unit of the time column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, RecordBatch, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt32Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute;
use arrow::datatypes::{DataType, SchemaRef};

use crate::error::Result;
use crate::time::Unit;

/// Where a row stands in the arrival order: the number of its input in the upper 16 bits, the number of
/// its record in that input in the lower 48.
pub type Position = u64;

const RECORD_BITS: u32 = 48;

/// The position of record `record` of input `input`.
pub fn position(input: u16, record: u64) -> Position {
    (u64::from(input) << RECORD_BITS) | record
}

/// The input that a position belongs to.
pub fn input_of_position(position: Position) -> u16 {
    (position >> RECORD_BITS) as u16
}

/// The number of the record in its input, from 0, that a position stands for.
pub fn record_of_position(position: Position) -> u64 {
    position & ((1 << RECORD_BITS) - 1)
}

/// Rows with their positions and watermarks; see the module.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The columns.
    pub columns: RecordBatch,
    /// Per row: where it stands in the arrival order.
    pub positions: ScalarBuffer<Position>,
    /// Per row: the watermark of the rows before it. `None` below a query that keeps no event time.
    pub watermarks: Option<ScalarBuffer<i64>>,
}

impl Batch {
    /// A batch whose rows carry no watermark.
    pub fn new(columns: RecordBatch, positions: ScalarBuffer<Position>) -> Self {
        debug_assert_eq!(columns.num_rows(), positions.len());
        Batch {
            columns,
            positions,
            watermarks: None,
        }
    }

    /// Number of rows.
    pub fn num_rows(&self) -> usize {
        self.positions.len()
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The schema of the columns.
    pub fn schema(&self) -> SchemaRef {
        self.columns.schema()
    }

    /// The same rows with other columns.
    ///
    /// `columns` must have as many rows as this batch.
    #[must_use]
    pub fn with_columns(&self, columns: RecordBatch) -> Self {
        debug_assert_eq!(columns.num_rows(), self.num_rows());
        Batch {
            columns,
            positions: self.positions.clone(),
            watermarks: self.watermarks.clone(),
        }
    }

    /// The rows from `offset`, `length` of them, without a copy.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        Batch {
            columns: self.columns.slice(offset, length),
            positions: self.positions.slice(offset, length),
            watermarks: self.watermarks.as_ref().map(|w| w.slice(offset, length)),
        }
    }

    /// The rows whose entry in `keep` is true (not false, not null).
    pub fn filter(&self, keep: &BooleanArray) -> Result<Self> {
        if keep.true_count() == keep.len() {
            return Ok(self.clone());
        }
        let columns = compute::filter_record_batch(&self.columns, keep)?;
        let kept = |row: &usize| keep.is_valid(*row) && keep.value(*row);
        let rows: Vec<usize> = (0..self.num_rows()).filter(kept).collect();
        Ok(Batch {
            columns,
            positions: rows.iter().map(|&row| self.positions[row]).collect(),
            watermarks: (self.watermarks.as_ref()).map(|w| rows.iter().map(|&r| w[r]).collect()),
        })
    }

    /// The rows named by `rows`, in that order; a row may be named several times.
    pub fn take(&self, rows: &[u32]) -> Result<Self> {
        let indices = UInt32Array::from(rows.to_vec());
        Ok(Batch {
            columns: compute::take_record_batch(&self.columns, &indices)?,
            positions: rows.iter().map(|&r| self.positions[r as usize]).collect(),
            watermarks: (self.watermarks.as_ref())
                .map(|w| rows.iter().map(|&r| w[r as usize]).collect()),
        })
    }
}

/// One time as a column of `data_type`, a timestamp in `unit`.
pub fn times(value: i64, unit: Unit, data_type: &DataType) -> ArrayRef {
    let zone = match data_type {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    match unit {
        Unit::Millisecond => {
            Arc::new(TimestampMillisecondArray::from(vec![value]).with_timezone_opt(zone))
        }
        Unit::Microsecond => {
            Arc::new(TimestampMicrosecondArray::from(vec![value]).with_timezone_opt(zone))
        }
        Unit::Nanosecond => {
            Arc::new(TimestampNanosecondArray::from(vec![value]).with_timezone_opt(zone))
        }
    }
}
