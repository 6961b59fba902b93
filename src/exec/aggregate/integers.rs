//! `sum` and `avg` of integers, BOOLEAN and durations: 128 bits inside, so only a final value can overflow.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};

use super::groups::{Kind, Rows};
use super::rounding::integer_average;
use crate::error::Result;

/// What comes of the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// The sum, NULL if it is outside of BIGINT.
    Sum,
    /// The average as DOUBLE.
    Average,
    /// The average of durations, toward zero.
    WholeAverage,
}

/// Adds integers.
pub(super) struct Integers {
    /// What comes of the sum.
    pub(super) finish: Finish,
}

/// A sum and how many values it has.
#[derive(Clone, Default)]
pub(super) struct State {
    sum: i128,
    count: u64,
}

impl Kind for Integers {
    type State = State;

    fn reads_in_place(&self, arguments: &[ArrayRef]) -> bool {
        matches!(arguments[0].data_type(), DataType::Int64 | DataType::UInt64)
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [State]) -> Result<()> {
        if rows.arguments[0].data_type() == &DataType::UInt64 {
            let values = rows.arguments[0].as_primitive::<UInt64Type>();
            let numbers = values.values();
            rows.each(values.nulls(), |row, group| {
                states[group].sum += i128::from(numbers[row]);
                states[group].count += 1;
            });
            return Ok(());
        }
        let column = rows.argument(0, &DataType::Int64)?;
        let values = column.as_primitive::<Int64Type>();
        let numbers = values.values();
        rows.each(values.nulls(), |row, group| {
            let state = &mut states[group];
            state.sum += i128::from(numbers[row]);
            state.count += 1;
        });
        Ok(())
    }

    fn merge(&self, from: &State, into: &mut State) {
        into.sum += from.sum;
        into.count += from.count;
    }

    fn evaluate(&self, states: &[&State]) -> Result<ArrayRef> {
        if self.finish == Finish::Sum
            && let Some(sums) = whole_sums(states)
        {
            return Ok(Arc::new(Int64Array::from(sums)));
        }
        let filled = |state: &&&State| state.count > 0;
        let whole = |value: i128| i64::try_from(value).ok();
        Ok(match self.finish {
            Finish::Sum => Arc::new(
                (states.iter())
                    .map(|state| Some(state).filter(filled).and_then(|s| whole(s.sum)))
                    .collect::<Int64Array>(),
            ),
            Finish::Average => Arc::new(
                (states.iter())
                    .map(|state| Some(state).filter(filled))
                    .map(|state| state.map(|s| integer_average(s.sum, s.count)))
                    .collect::<Float64Array>(),
            ),
            Finish::WholeAverage => Arc::new(
                (states.iter())
                    .map(|state| Some(state).filter(filled))
                    .map(|state| state.and_then(|s| whole(s.sum / i128::from(s.count))))
                    .collect::<Int64Array>(),
            ),
        })
    }

    fn overflowed(&self, state: &State) -> bool {
        self.finish == Finish::Sum && i64::try_from(state.sum).is_err()
    }
}

/// The sums, if there are no others than BIGINTs among them: the usual case, without a look at NULLs.
fn whole_sums(states: &[&State]) -> Option<Vec<i64>> {
    let mut sums = Vec::with_capacity(states.len());
    for state in states.iter().filter(|state| state.count > 0) {
        sums.push(i64::try_from(state.sum).ok()?);
    }
    (sums.len() == states.len()).then_some(sums)
}
