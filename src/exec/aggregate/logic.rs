//! `bool_and`, `bool_or`, `bit_and`, `bit_or`, `bit_xor`: one operation that does not mind any order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};

use super::groups::{Kind, Rows};
use crate::error::Result;

/// What to do with two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// Both.
    And,
    /// One or both.
    Or,
    /// Exactly one.
    Xor,
}

impl Operation {
    fn apply(self, left: i64, right: i64) -> i64 {
        match self {
            Operation::And => left & right,
            Operation::Or => left | right,
            Operation::Xor => left ^ right,
        }
    }
}

/// Combines integers bit by bit, or BOOLEAN values.
pub(super) struct Logic {
    /// How.
    pub(super) operation: Operation,
    /// The type of the argument: BOOLEAN or an integer.
    pub(super) data_type: DataType,
}

impl Kind for Logic {
    type State = Option<i64>;

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let combine = |state: &mut Option<i64>, value| {
            *state = Some(state.map_or(value, |kept| self.operation.apply(kept, value)));
        };
        if self.data_type == DataType::UInt64 {
            // The bits count, not the sign.
            let values = rows.arguments[0].as_primitive::<UInt64Type>();
            rows.each(values.nulls(), |row, group| {
                combine(&mut states[group], values.value(row).cast_signed());
            });
            return Ok(());
        }
        let column = rows.argument(0, &DataType::Int64)?;
        let values = column.as_primitive::<Int64Type>();
        rows.each(values.nulls(), |row, group| {
            combine(&mut states[group], values.value(row))
        });
        Ok(())
    }

    fn merge(&self, from: &Self::State, into: &mut Self::State) {
        if let Some(value) = *from {
            *into = Some(into.map_or(value, |kept| self.operation.apply(kept, value)));
        }
    }

    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef> {
        let values = states.iter().map(|state| **state);
        Ok(match self.data_type {
            DataType::Boolean => Arc::new(
                values
                    .map(|value| value.map(|v| v != 0))
                    .collect::<BooleanArray>(),
            ),
            DataType::UInt64 => {
                let values: Int64Array = values.collect();
                Arc::new(values.unary::<_, UInt64Type>(i64::cast_unsigned))
            }
            _ => Arc::new(values.collect::<Int64Array>()),
        })
    }
}
