//! `CASE WHEN … THEN … ELSE … END`: each result is evaluated on exactly the rows that take its branch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute;
use arrow::datatypes::DataType;
use datafusion_expr::ColumnarValue;

use super::logic::select;
use super::{Expression, Failures};
use crate::error::Result;

/// The value of the first branch whose condition is true, row by row.
pub(super) fn case(
    branches: &[(Expression, Expression)],
    otherwise: Option<&Expression>,
    data_type: &DataType,
    batch: &RecordBatch,
    failures: &mut Failures,
) -> Result<ColumnarValue> {
    // Part 0 is one NULL; part n + 1 holds the results of the n-th branch that any row took.
    let mut parts: Vec<ArrayRef> = vec![new_null_array(data_type, 1)];
    let mut picks = vec![(0, 0); batch.num_rows()];
    let mut open: Vec<u32> = (0..batch.num_rows() as u32).collect();
    for (when, then) in branches {
        if open.is_empty() {
            break;
        }
        let part = select(batch, &open)?;
        let mask = failures.within(&open, |failures| when.mask(&part, failures))?;
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for (index, &row) in open.iter().enumerate() {
            let holds = mask.is_valid(index) && mask.value(index);
            if holds { &mut taken } else { &mut left }.push(row);
        }
        take_branch(then, &taken, batch, failures, &mut parts, &mut picks)?;
        open = left;
    }
    if let Some(otherwise) = otherwise {
        take_branch(otherwise, &open, batch, failures, &mut parts, &mut picks)?;
    }
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
    Ok(ColumnarValue::Array(compute::interleave(&parts, &picks)?))
}

fn take_branch(
    result: &Expression,
    rows: &[u32],
    batch: &RecordBatch,
    failures: &mut Failures,
    parts: &mut Vec<ArrayRef>,
    picks: &mut [(usize, usize)],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let part = select(batch, rows)?;
    let values = failures.within(rows, |failures| result.column(&part, failures))?;
    if values.data_type() == &DataType::Null {
        return Ok(());
    }
    for (index, &row) in rows.iter().enumerate() {
        picks[row as usize] = (parts.len(), index);
    }
    parts.push(Arc::clone(&values));
    Ok(())
}
