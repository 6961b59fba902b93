//! ORDER BY: all rows at the end, or, where the first key rises by itself, those that a watermark completes.
//!
//! ```text
//!  ORDER BY window_end, n DESC      10 a 1, 10 b 5, watermark   ->   10 b 5, 10 a 1
//!                                   20 a 3, watermark           ->   20 a 3
//! ```
//!
//! Invariants: rows of equal keys stay in the order in which they came. −0 equals 0, and all NaNs are one
//! value, the greatest. Streaming, rows keep their positions: what closed their window placed them. A full
//! sort comes out at the end, whose position is `Position::MAX`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices};
use arrow::datatypes::{DataType, Float32Type, Float64Type};

use super::window::MAX_ROWS;
use super::{Operator, Output, Watermark};
use crate::data::{Batch, Position};
use crate::error::{Error, Result};

/// What to run: ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortSpec {
    /// Input columns and directions, the first key first.
    pub keys: Vec<(usize, SortOptions)>,
    /// The first key never goes back from one watermark to the next: sort what each completes. Otherwise
    /// everything waits for the end.
    pub streaming: bool,
}

/// The running operator.
#[derive(Debug)]
pub struct SortOperator {
    spec: SortSpec,
    waiting: Vec<Batch>,
}

impl SortOperator {
    /// An operator before its first row.
    pub fn new(spec: SortSpec) -> Self {
        SortOperator {
            spec,
            waiting: Vec::new(),
        }
    }

    /// Emits the rows that wait, sorted.
    fn emit(&mut self, out: &mut Output) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let Some(first) = waiting.first() else {
            return Ok(());
        };
        let columns = concat_batches(&first.schema(), waiting.iter().map(|b| &b.columns))?;
        let rows = u32::try_from(columns.num_rows()).map_err(|_| {
            Error::new(
                crate::error::ErrorKind::Limit,
                "ORDER BY over more than 4,294,967,295 rows",
            )
            .help("add a window, a filter or a LIMIT inside a subquery")
        })?;
        let mut positions: Vec<Position> = Vec::with_capacity(rows as usize);
        for batch in &waiting {
            positions.extend_from_slice(&batch.positions);
        }
        let mut keys: Vec<SortColumn> = Vec::with_capacity(self.spec.keys.len() + 1);
        for &(column, options) in &self.spec.keys {
            keys.push(SortColumn {
                values: comparable(columns.column(column)),
                options: Some(options),
            });
        }
        keys.push(SortColumn {
            values: Arc::new(UInt32Array::from_iter_values(0..rows)),
            options: None,
        });
        let order = lexsort_to_indices(&keys, None)?;
        let all = Batch::new(columns, positions.into());
        for part in order.values().chunks(MAX_ROWS) {
            let mut sorted = all.take(part)?;
            if !self.spec.streaming {
                sorted.positions = vec![Position::MAX; part.len()].into();
            }
            out.batch(sorted);
        }
        Ok(())
    }
}

/// The column with one zero and one NaN.
fn comparable(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => {
            let one = |x: f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            Arc::new(
                column
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(one),
            ) as ArrayRef
        }
        DataType::Float32 => {
            let one = |x: f32| if x.is_nan() { f32::NAN } else { x + 0.0 };
            Arc::new(
                column
                    .as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(one),
            ) as ArrayRef
        }
        _ => column.clone(),
    }
}

impl Operator for SortOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, _out: &mut Output) -> Result<()> {
        self.waiting.push(batch);
        Ok(())
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        if self.spec.streaming || watermark.time == Watermark::END {
            self.emit(out)?;
        }
        out.watermark(watermark.clone());
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        let bytes = |batch: &Batch| batch.columns.get_array_memory_size();
        self.waiting.iter().map(bytes).sum()
    }
}
