//! `sum` and `avg` of DECIMAL: 256 bits and a carry inside, so only a final value can overflow (to NULL).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal256Array};
use arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType, Decimal256Type, i256};

use super::groups::{Kind, Rows, cast_to};
use crate::error::Result;

/// Adds decimals of one scale.
pub(super) struct Decimals {
    /// The type of the result, a DECIMAL.
    pub(super) result: DataType,
    /// Digits behind the point of the argument.
    pub(super) scale: i8,
    /// `avg`: digits behind the point of the result.
    pub(super) average_scale: Option<i8>,
}

/// The exact sum `carry * 2^256 + sum`, and how many values it has.
#[derive(Clone, Default)]
pub(super) struct State {
    sum: i256,
    carry: i64,
    count: u64,
}

impl State {
    fn add(&mut self, value: i256) {
        let sum = self.sum.wrapping_add(value);
        if self.sum.is_negative() == value.is_negative() && sum.is_negative() != value.is_negative()
        {
            self.carry += if value.is_negative() { -1 } else { 1 };
        }
        self.sum = sum;
    }
}

impl Decimals {
    fn finish(&self, state: &State) -> Option<i256> {
        if state.count == 0 || state.carry != 0 {
            return None;
        }
        let Some(scale) = self.average_scale else {
            return Some(state.sum);
        };
        let shift = u32::try_from(scale - self.scale).ok()?;
        let dividend = (state.sum).checked_mul(i256::from_i128(10).checked_pow(shift)?)?;
        let divisor = i256::from_i128(i128::from(state.count));
        let (quotient, rest) = (
            dividend.checked_div(divisor)?,
            dividend.checked_rem(divisor)?,
        );
        // Half a unit or more rounds away from zero.
        let up = rest.wrapping_abs().wrapping_add(rest.wrapping_abs()) >= divisor;
        let unit = if dividend.is_negative() {
            i256::MINUS_ONE
        } else {
            i256::ONE
        };
        Some(if up {
            quotient.wrapping_add(unit)
        } else {
            quotient
        })
    }
}

impl Kind for Decimals {
    type State = State;

    fn update(&self, rows: &Rows<'_>, states: &mut [State]) -> Result<()> {
        let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, self.scale);
        let column = rows.argument(0, &wide)?;
        let values = column.as_primitive::<Decimal256Type>();
        rows.each(values.nulls(), |row, group| {
            states[group].count += 1;
            states[group].add(values.value(row));
        });
        Ok(())
    }

    fn merge(&self, from: &State, into: &mut State) {
        into.add(from.sum);
        into.carry += from.carry;
        into.count += from.count;
    }

    fn evaluate(&self, states: &[&State]) -> Result<ArrayRef> {
        let values: Decimal256Array = states.iter().map(|state| self.finish(state)).collect();
        let scale = self.average_scale.unwrap_or(self.scale);
        Ok(Arc::new(values.with_precision_and_scale(
            DECIMAL256_MAX_PRECISION,
            scale,
        )?))
    }

    fn overflowed(&self, state: &State) -> bool {
        let value = self
            .evaluate(&[state])
            .and_then(|value| cast_to(&value, &self.result));
        state.count > 0 && value.is_ok_and(|value| value.is_null(0))
    }
}
