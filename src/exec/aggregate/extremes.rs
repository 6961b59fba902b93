//! `min` and `max` of numbers, times and text: the one value is kept. NaN is the greatest, −0 equals 0.
//!
//! Types that are not here are compared as rows (`best`).

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, StringViewArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType};

use super::groups::{Kind, Rows};
use crate::error::Result;
use crate::exec::keys::canonical;

/// The order that takes the place of the value kept: `Less` for `min`, `Greater` for `max`.
pub(super) const MIN: Ordering = Ordering::Less;
/// See [`MIN`].
pub(super) const MAX: Ordering = Ordering::Greater;

/// The least or greatest value of a type with a native form.
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

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let column = canonical(&rows.argument(0, &self.data_type)?);
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

/// The least or greatest text, by bytes.
pub(super) struct ExtremeText {
    /// See [`MIN`].
    pub(super) wins: Ordering,
}

impl Kind for ExtremeText {
    type State = Option<String>;
    const NO_HEAP: bool = false;

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
