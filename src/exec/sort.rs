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
#[derive(Debug, Clone)]
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

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, RecordBatch};

    use super::*;
    use crate::exec::Message;

    /// Values of (key, x), with `|` as a watermark between batches; the order of x that comes out.
    #[track_caller]
    fn check(streaming: bool, batches: &[&[(f64, f64)]], descending: bool, expected: &[f64]) {
        let options = SortOptions {
            descending,
            nulls_first: false,
        };
        let mut sort = SortOperator::new(SortSpec {
            keys: vec![(0, options)],
            streaming,
        });
        let mut out = Output::default();
        for (at, batch) in batches.iter().enumerate() {
            let column = |f: fn(&(f64, f64)) -> f64| {
                Arc::new(Float64Array::from_iter_values(batch.iter().map(f))) as ArrayRef
            };
            let columns = [("k", column(|row| row.0)), ("x", column(|row| row.1))];
            let columns = RecordBatch::try_from_iter(columns).expect("columns");
            let batch = Batch::new(columns, vec![7; batch.len()].into());
            sort.on_batch(0, batch, &mut out).expect("runs");
            let time = if at + 1 == batches.len() {
                Watermark::END
            } else {
                at as i64
            };
            let watermark = Watermark {
                time,
                trail: Arc::from([]),
            };
            sort.on_watermark(&watermark, &mut out).expect("runs");
        }
        let mut values = Vec::new();
        for message in &out.messages {
            if let Message::Batch(batch) = message {
                values.extend_from_slice(
                    batch
                        .columns
                        .column(1)
                        .as_primitive::<Float64Type>()
                        .values(),
                );
                let position = if streaming { 7 } else { Position::MAX };
                assert!(batch.positions.iter().all(|&p| p == position));
            }
        }
        assert_eq!(values, expected);
    }

    #[test]
    fn sorts_and_keeps_ties_in_order() {
        let nan = f64::NAN;
        check(
            false,
            &[
                &[(2.0, 1.0), (-nan, 2.0), (0.0, 3.0)],
                &[(-0.0, 4.0), (-1.0, 5.0), (nan, 6.0)],
            ],
            false,
            &[5.0, 3.0, 4.0, 1.0, 2.0, 6.0],
        );
        check(
            false,
            &[&[(1.0, 1.0), (2.0, 2.0), (1.0, 3.0), (2.0, 4.0)]],
            true,
            &[2.0, 4.0, 1.0, 3.0],
        );
        check(
            true,
            &[&[(2.0, 1.0), (1.0, 2.0)], &[(3.0, 3.0), (2.5, 4.0)]],
            false,
            &[2.0, 1.0, 4.0, 3.0],
        );
    }
}
