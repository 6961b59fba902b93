//! UNION ALL: rows of several branches in an order that does not depend on which branch was quicker.
//!
//! ```text
//!  by row       branch 0: rows 1, 4     branch 1: rows 1, 3       ->   1 (0), 1 (1), 3 (1), 4 (0)
//!  by window    branch 0: [0, 10)       branch 1: [0, 5), [5, 10) ->   [0, 5) (1), [0, 10) (0), [5, 10) (1)
//!  in turn      branch 0 to its end, then branch 1
//!  as they come for windows above it: their order is the windows' own matter
//! ```
//!
//! Invariants: rows of one branch keep their order. A watermark is the word that every branch has delivered
//! what belongs before it: the frame calls `on_watermark` once all branches have sent theirs for a block, and
//! rows wait until then.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

use super::time_column::Times;
use super::window::MAX_ROWS;
use super::{Operator, Output, Watermark};
use crate::data::{Batch, Position};
use crate::error::{Error, Result};
use crate::time::is_closed;

/// What to run: how rows of several branches are put in order.
#[derive(Debug, Clone)]
pub struct UnionSpec {
    /// Number of branches.
    pub branches: usize,
    /// The order.
    pub order: UnionOrder,
    /// The output; every branch has its columns in this order.
    pub schema: SchemaRef,
}

/// The order of the rows of several branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnionOrder {
    /// By position, then branch: row branches over one source.
    ByRow,
    /// By `window_end`, `window_start`, then branch: windowed branches.
    ByWindow {
        /// The column of `window_start`.
        start_column: usize,
        /// The column of `window_end`.
        end_column: usize,
    },
    /// One branch after the other: several finite inputs.
    InTurn,
    /// At once: whoever is above puts rows in order by their times.
    AsTheyCome,
}

/// The running operator.
#[derive(Debug, Clone)]
pub struct UnionOperator {
    spec: UnionSpec,
    waiting: Vec<Vec<Batch>>,
    /// Windows that another branch may still precede.
    held: Vec<Vec<Batch>>,
}

impl UnionOperator {
    /// An operator before its first row.
    pub fn new(spec: UnionSpec) -> Self {
        UnionOperator {
            waiting: vec![Vec::new(); spec.branches],
            held: Vec::new(),
            spec,
        }
    }

    /// All rows that wait, branch after branch.
    fn take_waiting(&mut self) -> Vec<Batch> {
        self.waiting.iter_mut().flat_map(std::mem::take).collect()
    }

    /// Takes the windows aside that end behind the watermark.
    fn hold_open(&mut self, end_column: usize, watermark: i64) -> Result<()> {
        self.held = vec![Vec::new(); self.spec.branches];
        for (waiting, held) in self.waiting.iter_mut().zip(&mut self.held) {
            for batch in std::mem::take(waiting) {
                let ends = Times::of(&batch.columns, end_column)?;
                let closed: Vec<bool> = (0..batch.num_rows())
                    .map(|row| ends.get(row).is_none_or(|end| is_closed(end, watermark)))
                    .collect();
                let open: Vec<bool> = closed.iter().map(|closed| !closed).collect();
                let (closed, open) = (batch.filter(&closed.into())?, batch.filter(&open.into())?);
                if !closed.is_empty() {
                    waiting.push(closed);
                }
                if !open.is_empty() {
                    held.push(open);
                }
            }
        }
        Ok(())
    }

    /// Emits the rows that wait, in order of what `key` says of a row of a batch, then branch.
    fn emit_by<K: Ord>(
        &mut self,
        keys: impl Fn(&Batch) -> Result<Vec<K>>,
        out: &mut Output,
    ) -> Result<()> {
        let waiting = self.take_waiting();
        if let [_] = waiting.as_slice() {
            // Rows of one branch are in order.
            waiting.into_iter().for_each(|batch| out.batch(batch));
            return Ok(());
        }
        let all = joined(&waiting, &self.spec.schema)?;
        let mut row_keys = Vec::with_capacity(all.num_rows());
        for batch in &waiting {
            row_keys.extend(keys(batch)?);
        }
        let mut rows: Vec<u32> = (0..all.num_rows() as u32).collect();
        // Stable: branches stand one after the other.
        rows.sort_by(|&a, &b| row_keys[a as usize].cmp(&row_keys[b as usize]));
        for part in rows.chunks(MAX_ROWS) {
            out.batch(all.take(part)?);
        }
        Ok(())
    }
}

/// The columns of a branch, whatever it calls them, under the names of the union.
fn renamed(columns: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(columns.num_rows()));
    let arrays = columns.columns().to_vec();
    Ok(RecordBatch::try_new_with_options(
        schema.clone(),
        arrays,
        &options,
    )?)
}

/// Batches as one. Watermarks stay only if all have them.
fn joined(batches: &[Batch], schema: &SchemaRef) -> Result<Batch> {
    let columns: Result<Vec<_>> = batches
        .iter()
        .map(|batch| renamed(&batch.columns, schema))
        .collect();
    let columns = concat_batches(schema, columns?.iter())?;
    let positions: Vec<Position> = batches
        .iter()
        .flat_map(|b| b.positions.iter().copied())
        .collect();
    let watermarks: Option<Vec<&[i64]>> = (batches.iter())
        .map(|batch| batch.watermarks.as_ref().map(|watermarks| &watermarks[..]))
        .collect();
    let mut all = Batch::new(columns, positions.into());
    all.watermarks = watermarks.map(|parts| parts.concat().into());
    Ok(all)
}

impl Operator for UnionOperator {
    fn on_batch(&mut self, input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        // Of branches in turn the first may pass at once; the frame reads the others later, or they wait.
        let passes = self.spec.order == UnionOrder::AsTheyCome
            || (self.spec.order == UnionOrder::InTurn && input == 0);
        if passes {
            let columns = renamed(&batch.columns, &self.spec.schema)?;
            out.batch(batch.with_columns(columns));
            return Ok(());
        }
        let branch = self.waiting.get_mut(input);
        let branch = branch.ok_or_else(|| Error::internal(format!("no branch {input}")))?;
        branch.push(batch);
        Ok(())
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        match self.spec.order {
            UnionOrder::ByRow => self.emit_by(|batch| Ok(batch.positions.to_vec()), out)?,
            UnionOrder::AsTheyCome => {}
            UnionOrder::ByWindow {
                start_column,
                end_column,
            } => {
                self.hold_open(end_column, watermark.time)?;
                self.emit_by(
                    |batch| {
                        let starts = Times::of(&batch.columns, start_column)?;
                        let ends = Times::of(&batch.columns, end_column)?;
                        Ok((0..batch.num_rows())
                            .map(|row| (ends.get(row), starts.get(row)))
                            .collect())
                    },
                    out,
                )?;
                self.waiting = std::mem::take(&mut self.held);
            }
            UnionOrder::InTurn => {
                if watermark.time == Watermark::END {
                    for batch in self.take_waiting() {
                        let columns = renamed(&batch.columns, &self.spec.schema)?;
                        out.batch(batch.with_columns(columns));
                    }
                }
            }
        }
        out.watermark(watermark.clone());
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        let batches = self.waiting.iter().flatten();
        batches
            .map(|batch| batch.columns.get_array_memory_size())
            .sum()
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;
    use crate::exec::Message;

    fn schema() -> SchemaRef {
        let field = |name| Field::new(name, DataType::Int64, true);
        Arc::new(Schema::new(vec![field("s"), field("e"), field("x")]))
    }

    /// Batches as `branch: start end value @position, …`, `| time` for a watermark; values that come out.
    #[track_caller]
    fn check(order: UnionOrder, script: &str, expected: &str) {
        let mut union = UnionOperator::new(UnionSpec {
            branches: 2,
            order,
            schema: schema(),
        });
        let mut out = Output::default();
        let steps: Vec<&str> = script.split(';').map(str::trim).collect();
        for (at, step) in steps.iter().enumerate() {
            if let Some(time) = step.strip_prefix('|') {
                let time = match (time.trim().parse(), at + 1 == steps.len()) {
                    (Ok(time), _) => time,
                    (Err(_), true) => Watermark::END,
                    (Err(_), false) => at as i64,
                };
                let watermark = Watermark {
                    time,
                    trail: Arc::from([]),
                };
                union.on_watermark(&watermark, &mut out).expect("runs");
                continue;
            }
            let (branch, rows) = step.split_once(':').expect("a branch");
            let rows: Vec<Vec<i64>> = rows
                .split(',')
                .map(|row| {
                    row.split_whitespace()
                        .map(|n| n.parse().expect("a number"))
                        .collect()
                })
                .collect();
            let column =
                |n: usize| Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r[n]))) as _;
            let columns = RecordBatch::try_new(schema(), vec![column(0), column(1), column(2)]);
            let positions = rows.iter().map(|row| row[3] as u64).collect();
            let batch = Batch::new(columns.expect("columns"), positions);
            union
                .on_batch(branch.parse().expect("a branch"), batch, &mut out)
                .expect("runs");
        }
        let words: Vec<String> = out
            .messages
            .iter()
            .flat_map(|message| match message {
                Message::Batch(batch) => {
                    let values = batch.columns.column(2).as_primitive::<Int64Type>().values();
                    values.iter().map(i64::to_string).collect()
                }
                Message::Watermark(_) => vec!["|".to_string()],
            })
            .collect();
        assert_eq!(words.join(" "), expected, "{script}");
    }

    #[test]
    fn rows_come_in_the_order_of_their_kind() {
        check(
            UnionOrder::ByRow,
            "1: 0 0 10 1, 0 0 11 3; 0: 0 0 20 1, 0 0 21 4; |; 0: 0 0 22 5; |",
            "20 10 11 21 | 22 |",
        );
        let by_window = UnionOrder::ByWindow {
            start_column: 0,
            end_column: 1,
        };
        check(
            by_window,
            "0: 0 10 1 9; 1: 0 5 2 9, 5 10 3 9; | 9; |",
            "2 1 3 | |",
        );
        // Another branch may still have windows that end before 10.
        check(
            by_window,
            "0: 0 10 1 9; 1: 0 5 2 9, 5 10 3 9; | 4; |",
            "2 | 1 3 |",
        );
        check(
            by_window,
            "1: 0 10 2 9; 0: 0 10 1 9, 0 10 3 9; |",
            "1 3 2 |",
        );
        check(
            UnionOrder::InTurn,
            "1: 0 0 1 0; |; 0: 0 0 2 0; |",
            "| 2 1 |",
        );
    }
}
