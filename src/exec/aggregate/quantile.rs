//! Exact quantiles: `median`, `percentile_cont`, `quantile(x, q)`, `p50` … `p99`. All values are kept.
//!
//! ```text
//!   values  [ 10  20  40 ]    quantile 0.75: rank 0.75 · 2 = 1.5  ──►  20 + 0.5 · (40 − 20) = 30
//! ```
//!
//! NULLs take no part; NaN is the greatest value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::ScalarValue;

use super::groups::{Kind, Rows};
use super::{AggregateSpec, Argument};
use crate::error::{Error, Result};
use crate::exec::keys::canonical_double;

/// Keeps the values of a group.
pub(super) struct Quantile {
    /// Which one, from 0 to 1.
    pub(super) fraction: f64,
}

/// The quantile that a call asks for: the constant of argument 1, turned around where the values of
/// `WITHIN GROUP` are in descending order.
///
/// Fails if it is no constant from 0 to 1.
pub(super) fn fraction_of(spec: &AggregateSpec) -> Result<f64> {
    let wrong = |what: String| {
        Error::plan(what).help("write a number from 0 to 1, such as 0.99 for the 99th percentile")
    };
    let fraction = match spec.arguments.get(1) {
        Some(Argument::Literal(value)) => match value.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(Some(fraction))) => fraction,
            _ => return Err(wrong(format!("{value} is no quantile"))),
        },
        _ => {
            return Err(wrong(format!(
                "the quantile of `{}` is not a constant",
                spec.display
            )));
        }
    };
    if !(0.0..=1.0).contains(&fraction) {
        return Err(wrong(format!("{fraction} is no quantile")));
    }
    let descending = spec
        .order_by
        .first()
        .is_some_and(|(_, options)| options.descending);
    Ok(if descending { 1.0 - fraction } else { fraction })
}

/// The two ranks around a quantile of `count` values, and how far it is from the lower to the upper one.
pub(super) fn ranks(fraction: f64, count: usize) -> (usize, usize, f64) {
    let last = count.saturating_sub(1);
    let rank = fraction * last as f64;
    let lower = (rank.floor() as usize).min(last);
    (lower, (lower + 1).min(last), rank - rank.floor())
}

/// The value `part` of the way from `lower` to `upper`.
pub(super) fn between(lower: f64, upper: f64, part: f64) -> f64 {
    if part == 0.0 || lower == upper {
        return lower;
    }
    let distance = upper - lower;
    if distance.is_infinite() && lower.is_finite() && upper.is_finite() {
        return lower * (1.0 - part) + upper * part;
    }
    lower + distance * part
}

impl Quantile {
    fn finish(&self, state: &[f64]) -> Option<f64> {
        if state.is_empty() {
            return None;
        }
        let mut values = state.to_vec();
        let (lower, upper, part) = ranks(self.fraction, values.len());
        let (_, &mut low, rest) = values.select_nth_unstable_by(lower, f64::total_cmp);
        let next = rest.iter().copied().min_by(f64::total_cmp);
        let high = next.filter(|_| upper > lower).unwrap_or(low);
        Some(between(low, high, part))
    }
}

impl Kind for Quantile {
    type State = Vec<f64>;
    const NO_HEAP: bool = false;

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let column = rows.argument(0, &DataType::Float64)?;
        let values = column.as_primitive::<Float64Type>();
        rows.each(values.nulls(), |row, group| {
            states[group].push(canonical_double(values.value(row)));
        });
        Ok(())
    }

    fn merge(&self, from: &Self::State, into: &mut Self::State) {
        into.extend_from_slice(from);
    }

    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef> {
        let values = states.iter().map(|state| self.finish(state));
        Ok(Arc::new(values.collect::<Float64Array>()))
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.capacity() * size_of::<f64>()
    }
}
