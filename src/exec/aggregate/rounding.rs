//! Exact numbers to DOUBLE, rounded once: the last step of exact sums and averages.
//!
//! A number is a row of 64-bit limbs, least significant first, times a power of two. Ties go to the even
//! neighbor, as IEEE 754 says, also below the normal range.

/// Divides the limbs by `divisor` in place; true if something was left over.
pub(super) fn divide(limbs: &mut [u64], divisor: u64) -> bool {
    let mut rest = 0u128;
    for limb in limbs.iter_mut().rev() {
        let dividend = (rest << 64) | u128::from(*limb);
        *limb = (dividend / u128::from(divisor)) as u64;
        rest = dividend % u128::from(divisor);
    }
    rest != 0
}

/// The DOUBLE nearest to `limbs * 2^exponent`; `more` says that a little was cut off behind the last bit.
/// Infinite if it is too large.
///
/// The lowest bit must lie below what the result keeps: at least one bit under its last, and under 2^-1074.
pub(super) fn round(limbs: &[u64], exponent: i32, more: bool) -> f64 {
    let Some(last) = limbs.iter().rposition(|limb| *limb != 0) else {
        return 0.0;
    };
    let top = (last as i32) * 64 + 63 - limbs[last].leading_zeros() as i32;
    // The value of the last bit that the result keeps.
    let unit = (top + exponent - 52).max(-1074);
    if unit > 971 {
        return f64::INFINITY;
    }
    let cut = unit - exponent;
    debug_assert!(cut > 0, "bits below the result are needed to round it");
    let cut = cut.max(1) as usize;
    let mut mantissa = bits_from(limbs, cut);
    let half = bits_from(limbs, cut - 1) & 1 == 1;
    let sticky = more || any_below(limbs, cut - 1);
    if half && (sticky || mantissa & 1 == 1) {
        mantissa += 1;
    }
    // A mantissa of 2^53 carries into the exponent, one under 2^52 takes the subnormal exponent.
    let biased = (unit + 1075) as u64;
    f64::from_bits(((biased - 1) << 52) + mantissa)
}

/// The 64 bits from bit `start` on.
fn bits_from(limbs: &[u64], start: usize) -> u64 {
    let limb = |index: usize| limbs.get(index).copied().unwrap_or(0);
    let (index, offset) = (start / 64, start % 64);
    let low = limb(index) >> offset;
    if offset == 0 {
        low
    } else {
        low | (limb(index + 1) << (64 - offset))
    }
}

/// True if a bit under bit `end` is set.
fn any_below(limbs: &[u64], end: usize) -> bool {
    let (index, offset) = (end / 64, end % 64);
    limbs.iter().take(index).any(|limb| *limb != 0)
        || limbs
            .get(index)
            .is_some_and(|limb| limb & ((1 << offset) - 1) != 0)
}

/// The DOUBLE nearest to `sum / count`.
pub(super) fn integer_average(sum: i128, count: u64) -> f64 {
    const EXACT: u128 = 1 << 53;
    let magnitude = sum.unsigned_abs();
    let quotient = if magnitude <= EXACT && u128::from(count) <= EXACT {
        magnitude as f64 / count as f64
    } else {
        let mut limbs = [0, 0, magnitude as u64, (magnitude >> 64) as u64];
        let more = divide(&mut limbs, count);
        round(&limbs, -128, more)
    };
    if sum < 0 { -quotient } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limbs_round_to_the_nearest_double() {
        let check = |limbs: &[u64], exponent, more, expected: f64| {
            assert_eq!(
                round(limbs, exponent, more),
                expected,
                "{limbs:?} {exponent}"
            );
        };
        check(&[0, 0], -1138, false, 0.0);
        check(&[0, 1], -64, false, 1.0);
        check(&[0, 3], -64, false, 3.0);
        check(&[0, (1 << 53) + 1], -64, false, 9007199254740992.0);
        check(&[0, (1 << 53) + 1], -64, true, 9007199254740994.0);
        check(&[0, (1 << 53) + 3], -64, false, 9007199254740996.0);
        check(&[0, u64::MAX], -64, false, 18446744073709551616.0);
        check(&[0, 1], -1138, false, f64::from_bits(1));
        check(&[1 << 63, 0], -1138, false, 0.0);
        check(&[1 << 63, 0], -1138, true, f64::from_bits(1));
        check(&[1 << 63, 1], -1138, false, f64::from_bits(2));
        check(
            &[0, (1 << 52) - 1],
            -1138,
            false,
            f64::MIN_POSITIVE - f64::from_bits(1),
        );
        check(&[1 << 63, (1 << 52) - 1], -1138, false, f64::MIN_POSITIVE);
        check(&[0, u64::MAX << 11], 896, false, f64::MAX);
        check(&[0, u64::MAX << 10], 896, false, f64::INFINITY);
        check(&[0, 0, 1], 896, false, f64::INFINITY);
    }

    #[test]
    fn averages_of_integers_are_nearest() {
        let check = |sum, count, expected: f64| assert_eq!(integer_average(sum, count), expected);
        check(7, 2, 3.5);
        check(-7, 2, -3.5);
        check((1 << 54) + 2, 2, 9007199254740992.0);
        check((1 << 54) + 6, 2, 9007199254740996.0);
        check(i128::from(i64::MAX) * 3, 3, 9223372036854775807.0);
        check(i128::MIN, 1, -170141183460469231731687303715884105728.0);
        check(1, u64::MAX, 1.0 / 18446744073709551615.0);
    }
}
