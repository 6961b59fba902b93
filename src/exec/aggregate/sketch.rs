//! Approximate quantiles: `approx_quantile`, `approx_percentile_cont`, `approx_median`, within 1 % of a value.
//!
//! ```text
//!   buckets    … [1, 1 1/64) [1 1/64, 1 2/64) … [2, 2 2/64) …      64 per power of two, both signs
//!   each keeps   count, least and greatest value
//! ```
//!
//! A bucket is the leading bits of a DOUBLE, so no logarithm is taken and every machine has the same ones.
//! Counts, least and greatest values merge in any order. The answer is the middle of least and greatest of
//! the bucket, hence exact where a bucket has one value: at most half of 1/64 off.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};

use super::groups::{Kind, Rows};
use super::quantile::{between, ranks};
use crate::error::Result;
use crate::exec::keys::canonical_double;

/// Bits of a DOUBLE that do not choose the bucket: 52 of the fraction but for 6.
const BUCKET_SHIFT: u32 = 46;

/// Keeps a group's values by buckets.
pub(super) struct Sketch {
    /// Which quantile, from 0 to 1.
    pub(super) fraction: f64,
}

/// What a bucket keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    count: u64,
    least: f64,
    greatest: f64,
}

impl Bucket {
    fn of(value: f64) -> Self {
        Bucket {
            count: 1,
            least: value,
            greatest: value,
        }
    }

    fn merge(&mut self, other: &Bucket) {
        self.count += other.count;
        if other.least.total_cmp(&self.least).is_lt() {
            self.least = other.least;
        }
        if other.greatest.total_cmp(&self.greatest).is_gt() {
            self.greatest = other.greatest;
        }
    }

    fn middle(&self) -> f64 {
        between(self.least, self.greatest, 0.5)
    }
}

/// The number of the bucket of a value; they rise with the values.
fn bucket_of(value: f64) -> i32 {
    let bits = value.to_bits();
    let magnitude = ((bits & !(1 << 63)) >> BUCKET_SHIFT) as i32;
    if value.is_sign_negative() {
        !magnitude
    } else {
        magnitude
    }
}

impl Sketch {
    fn finish(&self, buckets: &BTreeMap<i32, Bucket>) -> Option<f64> {
        let count: u64 = buckets.values().map(|bucket| bucket.count).sum();
        if count == 0 {
            return None;
        }
        let (lower, upper, part) = ranks(self.fraction, count as usize);
        let value_at = |rank: usize| {
            let mut before = 0;
            for bucket in buckets.values() {
                before += bucket.count as usize;
                if rank < before {
                    return Some(bucket.middle());
                }
            }
            None
        };
        Some(between(value_at(lower)?, value_at(upper)?, part))
    }
}

impl Kind for Sketch {
    type State = BTreeMap<i32, Bucket>;
    const NO_HEAP: bool = false;

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let column = rows.argument(0, &DataType::Float64)?;
        let values = column.as_primitive::<Float64Type>();
        rows.each(values.nulls(), |row, group| {
            let value = canonical_double(values.value(row));
            (states[group].entry(bucket_of(value)))
                .and_modify(|bucket| bucket.merge(&Bucket::of(value)))
                .or_insert_with(|| Bucket::of(value));
        });
        Ok(())
    }

    fn merge(&self, from: &Self::State, into: &mut Self::State) {
        for (number, bucket) in from {
            (into.entry(*number))
                .and_modify(|kept| kept.merge(bucket))
                .or_insert(*bucket);
        }
    }

    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef> {
        let values = states.iter().map(|state| self.finish(state));
        Ok(Arc::new(values.collect::<Float64Array>()))
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.len() * (size_of::<Bucket>() + 2 * size_of::<i32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_within_one_percent() {
        for fraction in [0.0, 0.01, 0.5, 0.9, 0.999, 1.0] {
            let mut buckets = BTreeMap::new();
            for step in 0..10_000 {
                let value = f64::from(step - 2000) * 0.37;
                (buckets.entry(bucket_of(value)))
                    .and_modify(|b: &mut Bucket| b.merge(&Bucket::of(value)))
                    .or_insert(Bucket::of(value));
            }
            let exact = (fraction * 9999.0 - 2000.0) * 0.37;
            let found = Sketch { fraction }
                .finish(&buckets)
                .expect("there are values");
            assert!(
                (found - exact).abs() <= 0.01 * exact.abs(),
                "{fraction}: {found} {exact}"
            );
        }
    }
}
