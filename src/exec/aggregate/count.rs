//! `count(*)`, `count(x)`, `count(x, y)` and `count_if(condition)`: how many rows have no NULL among them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use super::groups::{Kind, Rows};
use crate::error::Result;

/// Counts rows whose arguments are all valid; a state is the count.
pub(super) struct Count;

impl Kind for Count {
    type State = i64;

    fn reads_in_place(&self, _arguments: &[ArrayRef]) -> bool {
        true
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [i64]) -> Result<()> {
        let nulls = (rows.arguments.iter()).fold(None, |nulls: Option<NullBuffer>, argument| {
            NullBuffer::union(nulls.as_ref(), argument.logical_nulls().as_ref())
        });
        rows.each(nulls.as_ref(), |_, group| states[group] += 1);
        Ok(())
    }

    fn merge(&self, from: &i64, into: &mut i64) {
        *into += from;
    }

    fn evaluate(&self, states: &[&i64]) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from_iter_values(
            states.iter().map(|&&count| count),
        )))
    }
}

/// Counts rows whose argument is true; a state is the count.
pub(super) struct CountIf;

impl Kind for CountIf {
    type State = i64;

    fn reads_in_place(&self, arguments: &[ArrayRef]) -> bool {
        arguments[0].data_type() == &DataType::Boolean
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [i64]) -> Result<()> {
        let column = rows.argument(0, &DataType::Boolean)?;
        let conditions: &BooleanArray = column.as_boolean();
        rows.each(conditions.nulls(), |row, group| {
            states[group] += i64::from(conditions.value(row));
        });
        Ok(())
    }

    fn merge(&self, from: &i64, into: &mut i64) {
        *into += from;
    }

    fn evaluate(&self, states: &[&i64]) -> Result<ArrayRef> {
        Count.evaluate(states)
    }
}
