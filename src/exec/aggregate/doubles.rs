//! `sum` and `avg` of DOUBLE: exact inside, rounded once at the end, so the order of rows cannot matter.
//!
//! ```text
//!   high + low                       the exact sum of most groups: two doubles, added by two TwoSums
//!       │ a third part is needed
//!       ▼
//!   wide  ……0000 1011 0010 0000……    a fixed-point number of 2176 bits that holds any sum of doubles
//! ```
//!
//! Invariants: `high + low`, or `wide` where there is one, is the exact sum of the finite values. Infinities
//! and NaN are counted apart. A sum of finite values beyond DOUBLE is NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};

use super::groups::{Kind, Rows};
use super::rounding::{divide, round};
use crate::error::Result;

/// Adds doubles.
pub(super) struct Doubles {
    /// Divide by the number of values.
    pub(super) average: bool,
}

/// The exact sum of a group.
#[derive(Clone, Default)]
pub(super) struct State {
    high: f64,
    low: f64,
    wide: Option<Box<Wide>>,
    count: u64,
    /// Which values that are no numbers were seen.
    special: u8,
}

const POSITIVE_INFINITY: u8 = 1;
const NEGATIVE_INFINITY: u8 = 2;
const NOT_A_NUMBER: u8 = 4;

impl State {
    fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.special |= match value {
                f64::INFINITY => POSITIVE_INFINITY,
                f64::NEG_INFINITY => NEGATIVE_INFINITY,
                _ => NOT_A_NUMBER,
            };
            return;
        }
        if let Some(wide) = &mut self.wide {
            wide.add(value);
            return;
        }
        let (high, first_rest) = two_sum(self.high, value);
        let (low, second_rest) = two_sum(self.low, first_rest);
        // An overflow on the way makes the rest NaN.
        if second_rest == 0.0 && high.is_finite() && low.is_finite() {
            (self.high, self.low) = (high, low);
        } else {
            self.widen().add(value);
        }
    }

    fn widen(&mut self) -> &mut Wide {
        let (high, low) = (self.high, self.low);
        self.wide.get_or_insert_with(|| {
            let mut wide = Box::<Wide>::default();
            wide.add(high);
            wide.add(low);
            wide
        })
    }

    /// What infinities and NaN make of the sum.
    fn special_sum(&self) -> Option<f64> {
        match self.special {
            0 => None,
            POSITIVE_INFINITY => Some(f64::INFINITY),
            NEGATIVE_INFINITY => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    fn sum(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let finite = || match &self.wide {
            Some(wide) => wide.rounded(1),
            None => self.high + self.low,
        };
        match self.special_sum() {
            Some(special) => Some(special),
            // −0 prints 0.
            None => Some(finite() + 0.0).filter(|sum| sum.is_finite()),
        }
    }

    fn average(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        if let Some(special) = self.special_sum() {
            return Some(special);
        }
        let average = match &self.wide {
            Some(wide) => wide.rounded(self.count),
            // Both exact: one division rounds once.
            None if self.low == 0.0 && self.count <= 1 << 53 => self.high / self.count as f64,
            None => quotient(self.high, self.low, self.count).unwrap_or_else(|| {
                let mut wide = Wide::default();
                wide.add(self.high);
                wide.add(self.low);
                wide.rounded(self.count)
            }),
        };
        Some(average + 0.0)
    }
}

/// `(high + low) / count` rounded once; `None` where a few operations on doubles do not settle it.
///
/// The quotient of `high` leaves an exact rest, which says how much is to be added. That addend is known to 51
/// bits: if the result is the same a little above and below, it is the result.
fn quotient(high: f64, low: f64, count: u64) -> Option<f64> {
    const ROOM: std::ops::Range<f64> = 1e-200..1e200;
    if !ROOM.contains(&high.abs()) || count > 1 << 53 {
        return None;
    }
    let divisor = count as f64;
    let first = high / divisor;
    let rest = (-first).mul_add(divisor, high);
    let addend = (rest + low) / divisor;
    let (sum, cut_off) = two_sum(first, addend);
    let doubt = addend.abs() * f64::EPSILON * 4.0 + cut_off.abs() * f64::EPSILON * 4.0;
    (sum + (cut_off + doubt) == sum && sum + (cut_off - doubt) == sum).then_some(sum)
}

/// The rounded sum, and what rounding cut off: both together are exact.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// A signed fixed-point number in units of 2^-1074 that holds the sum of 2^64 doubles.
#[derive(Clone)]
struct Wide {
    limbs: [u64; LIMBS],
}

/// 2098 bits of a DOUBLE, 64 for the count, a sign.
const LIMBS: usize = 34;
const UNIT_EXPONENT: i32 = -1074;

impl Default for Wide {
    fn default() -> Self {
        Wide { limbs: [0; LIMBS] }
    }
}

impl Wide {
    fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = ((bits >> 52) & 0x7ff) as usize;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, shift) = match exponent {
            0 => (fraction, 0),
            _ => (fraction | (1 << 52), exponent - 1),
        };
        let (limb, offset) = (shift / 64, shift % 64);
        let shifted = u128::from(mantissa) << offset;
        let parts = [shifted as u64, (shifted >> 64) as u64];
        if value.is_sign_negative() {
            self.subtract_parts(limb, parts);
        } else {
            self.add_parts(limb, parts);
        }
    }

    fn add_parts(&mut self, at: usize, parts: [u64; 2]) {
        let mut carry = false;
        for (index, limb) in self.limbs.iter_mut().enumerate().skip(at) {
            let part = parts.get(index - at).copied().unwrap_or(0);
            if index >= at + 2 && !carry {
                return;
            }
            let (sum, first) = limb.overflowing_add(part);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
    }

    fn subtract_parts(&mut self, at: usize, parts: [u64; 2]) {
        let mut borrow = false;
        for (index, limb) in self.limbs.iter_mut().enumerate().skip(at) {
            let part = parts.get(index - at).copied().unwrap_or(0);
            if index >= at + 2 && !borrow {
                return;
            }
            let (rest, first) = limb.overflowing_sub(part);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, first || second);
        }
    }

    fn merge(&mut self, other: &Wide) {
        let mut carry = false;
        for (limb, part) in self.limbs.iter_mut().zip(&other.limbs) {
            let (sum, first) = limb.overflowing_add(*part);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
    }

    /// The number divided by `count`, rounded once.
    fn rounded(&self, count: u64) -> f64 {
        let negative = self.limbs[LIMBS - 1] >> 63 == 1;
        // One limb below: quotients of tiny numbers keep bits to round by.
        let mut magnitude = [0u64; LIMBS + 1];
        let mut carry = negative;
        for (limb, &part) in magnitude[1..].iter_mut().zip(&self.limbs) {
            let part = if negative { !part } else { part };
            (*limb, carry) = part.overflowing_add(u64::from(carry));
        }
        let more = count != 1 && divide(&mut magnitude, count);
        let value = round(&magnitude, UNIT_EXPONENT - 64, more);
        if negative { -value } else { value }
    }
}

impl Kind for Doubles {
    type State = State;
    const NO_HEAP: bool = false;
    // Sums that need a wide number are rare.
    const SMALL: bool = true;

    fn reads_in_place(&self, arguments: &[ArrayRef]) -> bool {
        arguments[0].data_type() == &DataType::Float64
    }

    fn update(&self, rows: &Rows<'_>, states: &mut [State]) -> Result<()> {
        let column = rows.argument(0, &DataType::Float64)?;
        let values = column.as_primitive::<Float64Type>();
        let numbers = values.values();
        rows.each(values.nulls(), |row, group| {
            let state = &mut states[group];
            state.count += 1;
            state.add(numbers[row]);
        });
        Ok(())
    }

    fn merge(&self, from: &State, into: &mut State) {
        into.count += from.count;
        into.special |= from.special;
        match &from.wide {
            Some(wide) => into.widen().merge(wide),
            None => {
                into.add(from.high);
                into.add(from.low);
            }
        }
    }

    fn evaluate(&self, states: &[&State]) -> Result<ArrayRef> {
        let finish = if self.average {
            State::average
        } else {
            State::sum
        };
        Ok(Arc::new(
            (states.iter().map(|state| finish(state))).collect::<Float64Array>(),
        ))
    }

    fn overflowed(&self, state: &State) -> bool {
        !self.average && state.count > 0 && state.sum().is_none()
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.wide.as_ref().map_or(0, |_| size_of::<Wide>())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exec::aggregate::rounding::integer_average;

    fn state(values: &[f64]) -> State {
        let mut state = State::default();
        for &value in values {
            state.count += 1;
            state.add(value);
        }
        state
    }

    /// The expected values were computed with rational numbers.
    #[test]
    fn sums_and_averages_are_rounded_once() {
        let check = |values: &[f64], sum: Option<f64>, average: Option<f64>| {
            let state = state(values);
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            assert_eq!(
                bits(state.sum()),
                bits(sum),
                "sum of {values:?}: {:?}",
                state.sum()
            );
            let found = state.average();
            assert_eq!(
                bits(found),
                bits(average),
                "average of {values:?}: {found:?}"
            );
        };
        let (max, tiny) = (f64::MAX, f64::from_bits(1));
        check(&[], None, None);
        check(&[-0.0], Some(0.0), Some(0.0));
        check(&[0.1; 10], Some(1.0), Some(0.1));
        check(&[0.1, 0.2, 0.3], Some(0.6), Some(0.2));
        check(&[1e16, 1.0, 1e-300, -1e16], Some(1.0), Some(0.25));
        check(
            &[1e308, 1e308, -1e308],
            Some(1e308),
            Some(3.333333333333333e307),
        );
        check(&[max, max], None, Some(max));
        check(&[tiny, tiny, tiny], Some(3.0 * tiny), Some(tiny));
        check(&[tiny, 0.0], Some(tiny), Some(0.0));
        check(&[tiny, tiny, tiny, 0.0], Some(3.0 * tiny), Some(tiny));
        check(
            &[1e100, 1.0, -1e100, 1e-100, -1.0],
            Some(1e-100),
            Some(2e-101),
        );
        check(
            &[f64::INFINITY, 1.0],
            Some(f64::INFINITY),
            Some(f64::INFINITY),
        );
        let both = [f64::INFINITY, f64::NEG_INFINITY];
        check(&both, Some(f64::NAN), Some(f64::NAN));
    }

    /// Exact sum by another road: cancel the largest numbers until nothing of them overlaps.
    fn reference(values: &[f64]) -> f64 {
        let mut parts: Vec<f64> = Vec::new();
        for &value in values {
            let (mut carried, mut kept) = (value, Vec::new());
            for part in parts {
                let (sum, rest) = two_sum(carried, part);
                if rest != 0.0 {
                    kept.push(rest);
                }
                carried = sum;
            }
            kept.push(carried);
            parts = kept;
        }
        // Parts do not overlap and rise: add from the top, then look at the sign of what is left.
        let mut total = 0.0;
        while let Some(part) = parts.pop() {
            let (sum, rest) = two_sum(total, part);
            total = sum;
            if rest != 0.0 {
                let next = parts.iter().rev().find(|part| **part != 0.0);
                let doubled = rest * 2.0;
                let exact_half = (total + doubled) - total == doubled;
                if exact_half && next.is_some_and(|next| (*next < 0.0) == (rest < 0.0)) {
                    total += doubled;
                }
                break;
            }
        }
        total + 0.0
    }

    fn doubles() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-1000i32..1000).prop_map(|n| f64::from(n) / 100.0),
            (any::<i32>(), -300i32..250).prop_map(|(n, e)| f64::from(n) * 2f64.powi(e)),
            Just(1e16),
            Just(-1e16),
            Just(1.0),
            Just(2f64.powi(-53)),
        ]
    }

    proptest! {
        #[test]
        fn sums_match_the_reference_in_any_order(
            values in prop::collection::vec(doubles(), 1..60),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = state(&values);
            prop_assert_eq!(whole.sum().map(f64::to_bits), Some(reference(&values).to_bits()));
            let cut = cut.index(values.len());
            let mut merged = state(&values[cut..]);
            Doubles { average: false }.merge(&state(&values[..cut]), &mut merged);
            prop_assert_eq!(whole.sum().map(f64::to_bits), merged.sum().map(f64::to_bits));
            prop_assert_eq!(whole.average().map(f64::to_bits), merged.average().map(f64::to_bits));
        }

        #[test]
        fn quick_quotients_are_those_of_wide_numbers(
            high in doubles(),
            low in doubles(),
            shift in 0i32..120,
            count in prop_oneof![1u64..50, 1u64..(1 << 53)],
        ) {
            let (high, low) = two_sum(high, low * 2f64.powi(-shift));
            let mut wide = Wide::default();
            wide.add(high);
            wide.add(low);
            if let Some(quick) = quotient(high, low, count) {
                prop_assert_eq!(quick.to_bits(), wide.rounded(count).to_bits());
            }
        }

        #[test]
        fn averages_match_those_of_integers(
            numbers in prop::collection::vec(any::<i64>().prop_map(|n| n >> 11), 1..40),
            exponent in -900i32..900,
        ) {
            let unit = 2f64.powi(exponent);
            let values: Vec<f64> = numbers.iter().map(|&n| n as f64 * unit).collect();
            let sum = numbers.iter().map(|&n| i128::from(n)).sum();
            let expected = integer_average(sum, numbers.len() as u64) * unit;
            prop_assert_eq!(state(&values).average(), Some(expected));
        }
    }
}
