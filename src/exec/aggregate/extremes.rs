//! `min` and `max` of numbers, times and text: the one value is kept. NaN is the greatest, −0 equals 0.
//!
//! Types that are not here are compared as rows (`best`).

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, AsArray, Float64Array, PrimitiveArray, StringViewArray,
};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float64Type};

use super::groups::{Kind, Rows};
use crate::error::Result;
use crate::exec::keys::canonical_double;

/// The order that takes the place of the value kept: `Less` for `min`, `Greater` for `max`.
pub(super) const MIN: Ordering = Ordering::Less;
/// See [`MIN`].
pub(super) const MAX: Ordering = Ordering::Greater;

/// The least or greatest value of a type with a native form, other than floating-point numbers.
pub(super) struct Extreme<T: ArrowPrimitiveType> {
    wins: Ordering,
    data_type: DataType,
    native: std::marker::PhantomData<fn() -> T>,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    /// Keeps the value that compares as `wins` to all others.
    pub(super) fn new(wins: Ordering, data_type: &DataType) -> Self {
        Extreme {
            wins,
            data_type: data_type.clone(),
            native: std::marker::PhantomData,
        }
    }
}

impl<T: ArrowPrimitiveType> Kind for Extreme<T> {
    type State = Option<T::Native>;

    fn reads_in_place(&self, arguments: &[ArrayRef]) -> bool {
        arguments[0].data_type() == &self.data_type
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let column = rows.argument(0, &self.data_type)?;
        let values = column.as_primitive::<T>();
        let numbers = values.values();
        rows.each(values.nulls(), |row, group| {
            let (value, state) = (numbers[row], &mut states[group]);
            if state.is_none_or(|kept| value.compare(kept) == self.wins) {
                *state = Some(value);
            }
        });
        Ok(())
    }

    fn merge(&self, from: &Self::State, into: &mut Self::State) {
        if let Some(value) = *from
            && into.is_none_or(|kept| value.compare(kept) == self.wins)
        {
            *into = Some(value);
        }
    }

    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef> {
        let values: PrimitiveArray<T> = states.iter().map(|state| **state).collect();
        Ok(Arc::new(values.with_data_type(self.data_type.clone())))
    }
}

/// The least or greatest number of a floating-point type, as DOUBLE.
pub(super) struct ExtremeDouble {
    /// Every bit, so that the least key becomes the greatest for `min`; none for `max`.
    flip: i64,
}

/// The greatest key so far; see [`ExtremeDouble::key`].
#[derive(Clone)]
pub(super) struct GreatestKey(i64);

/// The key of a NaN that is never kept: before the first value.
const NO_KEY: i64 = i64::MIN;

impl Default for GreatestKey {
    fn default() -> Self {
        GreatestKey(NO_KEY)
    }
}

impl ExtremeDouble {
    /// Keeps the number that compares as `wins` to all others.
    pub(super) fn new(wins: Ordering) -> Self {
        ExtremeDouble {
            flip: if wins == MIN { !0 } else { 0 },
        }
    }

    /// An integer for each number, in their order or its reverse.
    fn key(&self, value: f64) -> i64 {
        flip_magnitude(canonical_double(value).to_bits().cast_signed()) ^ self.flip
    }

    fn value(&self, key: i64) -> f64 {
        f64::from_bits(flip_magnitude(key ^ self.flip).cast_unsigned())
    }
}

/// Negative numbers have their magnitude reversed, so that integers are in the order of the doubles; its own
/// inverse.
fn flip_magnitude(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

impl Kind for ExtremeDouble {
    type State = GreatestKey;

    fn reads_in_place(&self, arguments: &[ArrayRef]) -> bool {
        arguments[0].data_type() == &DataType::Float64
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [GreatestKey]) -> Result<()> {
        let column = rows.argument(0, &DataType::Float64)?;
        let values = column.as_primitive::<Float64Type>();
        let numbers = values.values();
        rows.each(values.nulls(), |row, group| {
            let state = &mut states[group];
            state.0 = state.0.max(self.key(numbers[row]));
        });
        Ok(())
    }

    fn merge(&self, from: &GreatestKey, into: &mut GreatestKey) {
        into.0 = into.0.max(from.0);
    }

    fn evaluate(&self, states: &[&GreatestKey]) -> Result<ArrayRef> {
        let value = |state: &&GreatestKey| (state.0 != NO_KEY).then(|| self.value(state.0));
        Ok(Arc::new(states.iter().map(value).collect::<Float64Array>()))
    }
}

/// The least or greatest text, by bytes.
pub(super) struct ExtremeText {
    /// See [`MIN`].
    pub(super) wins: Ordering,
}

impl Kind for ExtremeText {
    type State = Option<String>;
    const NO_HEAP: bool = false;

    fn reads_in_place(&self, arguments: &[ArrayRef]) -> bool {
        arguments[0].data_type() == &DataType::Utf8View
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let column = rows.argument(0, &DataType::Utf8View)?;
        let values = column.as_string_view();
        rows.each(values.nulls(), |row, group| {
            offer(&mut states[group], values.value(row), self.wins);
        });
        Ok(())
    }

    fn merge(&self, from: &Self::State, into: &mut Self::State) {
        if let Some(value) = from {
            offer(into, value, self.wins);
        }
    }

    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef> {
        let values: StringViewArray = states.iter().map(|state| state.as_deref()).collect();
        Ok(Arc::new(values))
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, String::capacity)
    }
}

fn offer(state: &mut Option<String>, value: &str, wins: Ordering) {
    match state {
        None => *state = Some(value.to_owned()),
        Some(kept) => {
            if value.cmp(kept.as_str()) == wins {
                kept.clear();
                kept.push_str(value);
            }
        }
    }
}
