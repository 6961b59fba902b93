//! Three-valued logic: AND, OR, NOT, IS NULL, IS TRUE.
//!
//! AND and OR look at their right side only for the rows that their left side leaves open, row by row:
//! `n <> 0 AND total / n > 2` never divides by zero, whatever else is in the batch.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, BooleanBuilder, RecordBatch};
use arrow::compute;
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use super::{Expression, Failures, to_array};
use crate::error::Result;

/// `left AND right`.
pub(super) fn and(
    left: &Expression,
    right: &Expression,
    batch: &RecordBatch,
    failures: &mut Failures,
) -> Result<ColumnarValue> {
    let left = left.mask(batch, failures)?;
    let right = mask_where(right, batch, failures, |row| {
        left.is_null(row) || left.value(row)
    })?;
    let result = compute::and_kleene(&left, &right)?;
    Ok(ColumnarValue::Array(Arc::new(result)))
}

/// `left OR right`.
pub(super) fn or(
    left: &Expression,
    right: &Expression,
    batch: &RecordBatch,
    failures: &mut Failures,
) -> Result<ColumnarValue> {
    let left = left.mask(batch, failures)?;
    let right = mask_where(right, batch, failures, |row| {
        left.is_null(row) || !left.value(row)
    })?;
    let result = compute::or_kleene(&left, &right)?;
    Ok(ColumnarValue::Array(Arc::new(result)))
}

/// The condition on the rows that `needed` names; what it says of the others does not matter.
fn mask_where(
    condition: &Expression,
    batch: &RecordBatch,
    failures: &mut Failures,
    needed: impl Fn(usize) -> bool,
) -> Result<BooleanArray> {
    if !condition.can_fail() {
        return condition.mask(batch, failures);
    }
    let rows: Vec<u32> = (0..batch.num_rows() as u32)
        .filter(|&row| needed(row as usize))
        .collect();
    if rows.len() == batch.num_rows() {
        return condition.mask(batch, failures);
    }
    let mut all = vec![None; batch.num_rows()];
    if !rows.is_empty() {
        let part = select(batch, &rows)?;
        let mask = failures.within(&rows, |failures| condition.mask(&part, failures))?;
        for (value, &row) in mask.iter().zip(&rows) {
            all[row as usize] = value;
        }
    }
    Ok(BooleanArray::from(all))
}

/// The rows of a batch by number.
pub(super) fn select(batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch> {
    let indices = arrow::array::UInt32Array::from(rows.to_vec());
    Ok(compute::take_record_batch(batch, &indices)?)
}

/// `NOT input`.
pub(super) fn not(input: &ColumnarValue) -> Result<ColumnarValue> {
    match input {
        ColumnarValue::Scalar(ScalarValue::Boolean(value)) => Ok(ColumnarValue::Scalar(
            ScalarValue::Boolean(value.map(|value| !value)),
        )),
        ColumnarValue::Scalar(_) => Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None))),
        ColumnarValue::Array(array) => match array.as_boolean_opt() {
            Some(array) => Ok(ColumnarValue::Array(Arc::new(compute::not(array)?))),
            None => Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None))),
        },
    }
}

/// `input IS [NOT] NULL`.
pub(super) fn is_null(input: &ColumnarValue, negated: bool) -> Result<ColumnarValue> {
    match input {
        ColumnarValue::Scalar(value) => Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(
            value.is_null() != negated,
        )))),
        ColumnarValue::Array(array) => {
            let result = if negated {
                compute::is_not_null(array)?
            } else {
                compute::is_null(array)?
            };
            Ok(ColumnarValue::Array(Arc::new(result)))
        }
    }
}

/// `input IS [NOT] TRUE|FALSE`: never NULL.
pub(super) fn is(input: &ColumnarValue, wanted: bool, negated: bool) -> Result<ColumnarValue> {
    let rows = match input {
        ColumnarValue::Scalar(_) => 1,
        ColumnarValue::Array(array) => array.len(),
    };
    let array = to_array(input, rows)?;
    let mut result = BooleanBuilder::with_capacity(rows);
    for row in 0..rows {
        let holds = match array.as_boolean_opt() {
            Some(mask) => mask.is_valid(row) && mask.value(row) == wanted,
            None => false,
        };
        result.append_value(holds != negated);
    }
    let result = result.finish();
    match input {
        ColumnarValue::Scalar(_) => Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(
            result.value(0),
        )))),
        ColumnarValue::Array(_) => Ok(ColumnarValue::Array(Arc::new(result))),
    }
}
