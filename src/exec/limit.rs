//! LIMIT, OFFSET and LIMIT n BY: the first rows of all, or of each key.
//!
//! ```text
//!  LIMIT 2 OFFSET 1               a b c d   ->   b c     (finished by c)
//!  LIMIT 1 BY window_start        10 a, 10 b, 20 c   ->   10 a, 20 c
//! ```
//!
//! Invariants: rows are counted in the order in which they come. After the last row nothing more comes out.

use arrow::array::BooleanArray;
use arrow::datatypes::FieldRef;

use super::grouped::columns_of;
use super::keys::GroupKeys;
use super::{Operator, Output, Watermark};
use crate::data::{Batch, Position};
use crate::error::Result;

/// What to run: how many rows of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSpec {
    /// Rows to leave out first.
    pub offset: u64,
    /// Rows to let through then; `None` for all.
    pub limit: Option<u64>,
}

/// The running LIMIT.
#[derive(Debug, Clone)]
pub struct LimitOperator {
    skip: u64,
    left: Option<u64>,
    finished: Option<Position>,
}

impl LimitOperator {
    /// An operator before its first row.
    pub fn new(spec: LimitSpec) -> Self {
        LimitOperator {
            skip: spec.offset,
            left: spec.limit,
            finished: (spec.limit == Some(0)).then_some(0),
        }
    }
}

impl Operator for LimitOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        if self.finished.is_some() {
            return Ok(());
        }
        let rows = batch.num_rows() as u64;
        let skipped = self.skip.min(rows);
        self.skip -= skipped;
        let mut through = rows - skipped;
        if let Some(left) = &mut self.left {
            through = through.min(*left);
            *left -= through;
        }
        let part = batch.slice(skipped as usize, through as usize);
        if self.left == Some(0) {
            self.finished = part.positions.last().copied();
        }
        out.batch(part);
        Ok(())
    }

    /// The position of the row that gave the last row of the limit: what comes behind it changes nothing any
    /// more. `Position::MAX` if the end of input did. With LIMIT 0 it is 0 before any row came.
    fn finished(&self) -> Option<Position> {
        self.finished
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

/// What to run: how many rows of each key.
#[derive(Debug, Clone)]
pub struct LimitBySpec {
    /// Rows of a key to let through.
    pub limit: u64,
    /// The key columns.
    pub keys: Vec<usize>,
    /// Their fields in the input.
    pub key_fields: Vec<FieldRef>,
    /// The keys hold a bound of windows that come out whole between two watermarks: counts are forgotten
    /// at each watermark.
    pub by_window: bool,
}

/// The running LIMIT n BY.
#[derive(Clone)]
pub struct LimitByOperator {
    spec: LimitBySpec,
    keys: GroupKeys,
    counts: Vec<u64>,
}

impl LimitByOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// A key that cannot be compared.
    pub fn new(spec: LimitBySpec) -> Result<Self> {
        Ok(LimitByOperator {
            keys: GroupKeys::new(&spec.key_fields)?,
            spec,
            counts: Vec::new(),
        })
    }
}

impl Operator for LimitByOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        let mut ids = Vec::with_capacity(batch.num_rows());
        let columns = columns_of(&batch, &self.spec.keys);
        self.keys.intern(&columns, batch.num_rows(), &mut ids)?;
        self.counts.resize(self.keys.len(), 0);
        let mut keep = Vec::with_capacity(ids.len());
        for id in ids {
            let count = &mut self.counts[id as usize];
            keep.push(*count < self.spec.limit);
            *count += 1;
        }
        out.batch(batch.filter(&BooleanArray::from(keep))?);
        Ok(())
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        if self.spec.by_window {
            self.keys.clear();
            self.counts.clear();
        }
        out.watermark(watermark.clone());
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        self.keys.size_bytes() + self.counts.capacity() * size_of::<u64>()
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Int64Type};

    use super::*;
    use crate::exec::Message;

    /// The values that come through when `values` come in batches of a size, at positions from 0.
    fn run(operator: &mut dyn Operator, values: &[i64], size: usize) -> Vec<i64> {
        let mut out = Output::default();
        for (at, part) in values.chunks(size).enumerate() {
            let column = Arc::new(Int64Array::from(part.to_vec())) as _;
            let columns = RecordBatch::try_from_iter([("x", column)]).expect("columns");
            let first = (at * size) as u64;
            let batch = Batch::new(columns, (first..first + part.len() as u64).collect());
            operator.on_batch(0, batch, &mut out).expect("runs");
        }
        let values = out.messages.iter().flat_map(|message| match message {
            Message::Batch(batch) => batch
                .columns
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec(),
            Message::Watermark(_) => Vec::new(),
        });
        values.collect()
    }

    #[test]
    fn limits_rows() {
        let check = |offset, limit, expected: &[i64], finished| {
            for size in [1, 2, 10] {
                let mut operator = LimitOperator::new(LimitSpec { offset, limit });
                assert_eq!(run(&mut operator, &[7, 8, 9, 10], size), expected);
                assert_eq!(operator.finished(), finished);
            }
        };
        check(0, Some(2), &[7, 8], Some(1));
        check(1, Some(2), &[8, 9], Some(2));
        check(3, Some(2), &[10], None);
        check(9, Some(2), &[], None);
        check(2, None, &[9, 10], None);
        check(0, Some(0), &[], Some(0));
    }

    #[test]
    fn limits_rows_of_a_key() {
        for size in [1, 3, 10] {
            let spec = LimitBySpec {
                limit: 2,
                keys: vec![0],
                key_fields: vec![Arc::new(Field::new("x", DataType::Int64, true))],
                by_window: true,
            };
            let mut operator = LimitByOperator::new(spec).expect("an operator");
            assert_eq!(run(&mut operator, &[1, 1, 2, 1, 2, 2], size), [1, 1, 2, 2]);
        }
    }
}
