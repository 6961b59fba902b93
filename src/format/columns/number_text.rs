//! Numbers from their decimal texts, exactly: integers, doubles, decimals.
//!
//! ```text
//! text     BIGINT   DOUBLE   DECIMAL(5,2)
//! 12       12       12       12.00
//! 1e2      100      100      100.00
//! 1.0      1        1        1.00
//! 1.005    -        1.005    1.01      (half away from zero)
//! ```
//!
//! Invariants: no text panics; what does not fit is `None`, never a wrapped or rounded integer.

/// A finite decimal number, `mantissa * 10^exponent`.
struct Decimal {
    negative: bool,
    mantissa: u128,
    exponent: i32,
}

const MOST_DIGITS: usize = 38;

/// The integer that a text stands for, also as `1.0` or `1e2`.
#[inline]
pub(in crate::format) fn integer(text: &[u8]) -> Option<i128> {
    if let Some(small) = small_integer(text) {
        return Some(small.into());
    }
    let number = Decimal::read(text)?.without_trailing_zeros();
    let power = 10u128.checked_pow(u32::try_from(number.exponent).ok()?)?;
    let magnitude = i128::try_from(number.mantissa.checked_mul(power)?).ok()?;
    Some(if number.negative {
        -magnitude
    } else {
        magnitude
    })
}

/// An integer of at most 18 digits.
#[inline]
pub(in crate::format) fn small_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// The integer of the first `length` bytes of `text`, if those are at most 8 digits.
#[inline(always)]
pub(in crate::format) fn quick_integer(text: &[u8], length: usize) -> Option<i64> {
    if text.first() == Some(&b'-') {
        let magnitude = eight_digits(first_eight(&text[1..]), length.wrapping_sub(1))?;
        return Some(-i64::from(magnitude));
    }
    eight_digits(first_eight(text), length).map(i64::from)
}

/// The double nearest to the first `length` bytes of `text`, if those are at most 8 digits and a point.
#[inline(always)]
pub(in crate::format) fn quick_double(text: &[u8], length: usize) -> Option<f64> {
    if text.first() == Some(&b'-') {
        return quick_magnitude(&text[1..], length.wrapping_sub(1)).map(|magnitude| -magnitude);
    }
    quick_magnitude(text, length)
}

#[inline(always)]
fn quick_magnitude(text: &[u8], length: usize) -> Option<f64> {
    const POWERS: [f64; 8] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];
    if length.wrapping_sub(1) >= 8 {
        return None;
    }
    let word = first_eight(text);
    // The highest bit of the lowest byte that is a point; what is wrong above does not matter.
    let others = word ^ repeated(b'.');
    let points = others.wrapping_sub(repeated(1)) & !others & repeated(0x80);
    let place = (points.trailing_zeros() / 8) as usize;
    if place >= length {
        return eight_digits(word, length).map(f64::from);
    }
    // Both the digits and the power of ten are exact doubles, so that one division rounds right.
    let before = (1 << (8 * place)) - 1;
    let digits = (word & before) | (word >> 8 & !before);
    let mantissa = eight_digits(digits, length - 1)?;
    Some(f64::from(mantissa) / POWERS[(length - 1 - place) & 7])
}

/// The first eight bytes of a text, the first one lowest; zeros where it is shorter.
#[inline(always)]
fn first_eight(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => text
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The number that the `length` lowest bytes of a word are the digits of, the first one lowest; `None` if
/// they are none, too many or no digits.
#[inline(always)]
fn eight_digits(word: u64, length: usize) -> Option<u32> {
    if length.wrapping_sub(1) >= 8 {
        return None;
    }
    // Zeros in front of them, so that there are always eight.
    let shift = 64 - 8 * length;
    let digits = (word << shift) ^ (repeated(b'0') << shift);
    // A byte above 9 gets its highest bit; a carry out of it can only come where it has.
    if (digits.wrapping_add(repeated(0x76)) | digits) & repeated(0x80) != 0 {
        return None;
    }
    // Neighbours become two digits, then four, then eight.
    let two = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF;
    let four = two.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    Some((four.wrapping_mul(10_000 << 32 | 1) >> 32) as u32)
}

/// A word of eight such bytes.
const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The double nearest to a text. Words for infinity and not-a-number count; finite texts beyond the range
/// do not.
#[inline]
pub(in crate::format) fn double(text: &[u8]) -> Option<f64> {
    if let Some(value) = short_double(text) {
        return Some(value);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let has_digits = text.iter().any(u8::is_ascii_digit);
    (value.is_finite() || !has_digits).then_some(value)
}

/// Up to 15 digits with a point among them: both the digits and the power of ten are exact doubles, so
/// that one division rounds right.
#[inline]
fn short_double(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 16 || !digits[0].is_ascii_digit() {
        return None;
    }
    let (mut mantissa, mut point) = (0u64, None);
    for (place, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(place),
            _ => return None,
        }
    }
    let fraction = point.map_or(0, |place| digits.len() - place - 1);
    if digits.len() - usize::from(point.is_some()) > 15 {
        return None;
    }
    let value = mantissa as f64 / POWERS[fraction];
    Some(if negative { -value } else { value })
}

/// True if the text is an integer that no double holds: reading it as one would round it.
pub(in crate::format) fn is_integer_beyond_double(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.len() <= 15 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    match integer(text) {
        // A double of this size is an integer, and converts back without loss below 2^127.
        Some(value) => (value as f64) as i128 != value,
        None => true,
    }
}

/// The decimal of `scale` fractional digits nearest to a text, as the integer of its digits.
pub(in crate::format) fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let number = Decimal::read(text)?;
    let shift = number.exponent.checked_add(scale.into())?;
    let magnitude = match u32::try_from(shift) {
        Ok(_) if number.mantissa == 0 => 0,
        Ok(shift) => number.mantissa.checked_mul(10u128.checked_pow(shift)?)?,
        Err(_) => match 10u128.checked_pow(shift.unsigned_abs()) {
            Some(power) => {
                (number.mantissa / power) + u128::from(number.mantissa % power >= power / 2)
            }
            None => 0,
        },
    };
    if magnitude >= 10u128.checked_pow(precision.into())? {
        return None;
    }
    let magnitude = i128::try_from(magnitude).ok()?;
    Some(if number.negative {
        -magnitude
    } else {
        magnitude
    })
}

impl Decimal {
    /// A number as JSON writes it, also with a `+`, leading zeros, or nothing on one side of the point.
    fn read(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let mut number = Decimal {
            negative,
            mantissa: 0,
            exponent: 0,
        };
        let (mut seen, mut significant, mut in_fraction) = (false, 0, false);
        for (place, byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    seen = true;
                    significant += usize::from(significant > 0 || *byte != b'0');
                    if significant > MOST_DIGITS {
                        return None;
                    }
                    number.mantissa = number.mantissa * 10 + u128::from(byte - b'0');
                    number.exponent -= i32::from(in_fraction);
                }
                b'.' if !in_fraction => in_fraction = true,
                b'e' | b'E' if seen => {
                    let power = std::str::from_utf8(&digits[place + 1..]).ok()?;
                    let power: i32 = power.parse().ok()?;
                    number.exponent = number.exponent.checked_add(power)?;
                    return Some(number);
                }
                _ => return None,
            }
        }
        seen.then_some(number)
    }

    fn without_trailing_zeros(mut self) -> Self {
        if self.mantissa == 0 {
            self.exponent = 0;
        }
        while self.exponent < 0 && self.mantissa.is_multiple_of(10) && self.mantissa != 0 {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers() {
        let check = |text: &str, expected: Option<i128>| {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        };
        check("0", Some(0));
        check("-0", Some(0));
        check("007", Some(7));
        check("+7", Some(7));
        check("9223372036854775807", Some(i64::MAX.into()));
        check("-9223372036854775808", Some(i64::MIN.into()));
        check("1.0", Some(1));
        check("1e2", Some(100));
        check("1.50e1", Some(15));
        check("0e-99999", Some(0));
        check("10000000000000000000000000000000000000e-37", Some(1));
        for bad in [
            "",
            "-",
            "+",
            ".",
            "1.5",
            "1e-1",
            "1e99",
            "x",
            "1x",
            "1e",
            "1 2",
            "--1",
            "e1",
            "1e99999999999",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn decimals() {
        let check = |text: &str, expected: Option<i128>| {
            assert_eq!(decimal(text.as_bytes(), 5, 2), expected, "{text}");
        };
        check("1", Some(100));
        check("1.005", Some(101));
        check("-1.005", Some(-101));
        check("1.004999", Some(100));
        check("999.99", Some(99_999));
        check("999.995", None);
        check("1e3", None);
        check("0e99", Some(0));
        check("1e-99", Some(0));
        check("x", None);
    }

    #[test]
    fn exactness() {
        for (text, beyond) in [
            ("9007199254740992", false),
            ("9007199254740993", true),
            ("-9007199254740993", true),
            ("100000000000000000000", false),
            ("99999999999999999999999999999999999999999", true),
            ("9007199254740993.5", false),
            ("12", false),
        ] {
            assert_eq!(is_integer_beyond_double(text.as_bytes()), beyond, "{text}");
        }
        assert_eq!(double(b"1e999"), None);
        assert_eq!(double(b"NaN").map(f64::is_nan), Some(true));
        assert_eq!(double(b"1."), Some(1.0));
        assert_eq!(double(b"."), None);
    }

    proptest! {
        #[test]
        fn doubles_agree_with_the_standard_library(text in "-?[0-9]{1,17}(\\.[0-9]{0,8})?") {
            prop_assert_eq!(double(text.as_bytes()), text.parse().ok());
        }

        #[test]
        fn the_quick_way_agrees(text in "-?-?[0-9]{0,9}\\.?[0-9]{0,5}[-+ .,x0-9]?", behind in "[-,.0-9]{0,9}") {
            let both = format!("{text}{behind}");
            if let Some(value) = quick_integer(both.as_bytes(), text.len()) {
                prop_assert_eq!(integer(text.as_bytes()), Some(value.into()), "{}", text);
            } else {
                let digits = text.strip_prefix('-').unwrap_or(&text);
                prop_assert!(!(1..=8).contains(&digits.len()) || digits.bytes().any(|b| !b.is_ascii_digit()));
            }
            if let Some(value) = quick_double(both.as_bytes(), text.len()) {
                prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{}", text);
            }
        }

        #[test]
        fn never_panics(text in "[-+0-9.eE]{0,50}") {
            integer(text.as_bytes());
            double(text.as_bytes());
            decimal(text.as_bytes(), 38, 10);
            is_integer_beyond_double(text.as_bytes());
        }
    }
}
