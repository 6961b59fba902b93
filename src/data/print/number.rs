//! Numbers as text: integers, DOUBLE as ECMAScript prints it, DECIMAL without an exponent.
//!
//! ```text
//! 1.0 -> 1    1.5 -> 1.5    1e21 -> 1e+21    1e-7 -> 1e-7    -0.0 -> 0    DECIMAL(5,2) 1250 -> 12.50
//! ```
//!
//! Invariants: a DOUBLE gets the fewest digits that read back as the same value; plain notation from
//! 1e-6 up to below 1e21, an exponent beyond; nothing is allocated.

use super::short::{SHORT_NUMBERS, append_number};

/// A number with `,` between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Appends an integer of a column: most are short.
#[inline]
pub fn write_word(value: i64, out: &mut Vec<u8>) {
    match u32::try_from(value) {
        Ok(short) if short < SHORT_NUMBERS => append_number(short, out),
        _ => write_integer(value, out),
    }
}

/// Appends an integer.
pub fn write_integer<I: itoa::Integer>(value: I, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a DOUBLE; `NaN`, `Infinity` and `-Infinity` in words.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.abs() < EXACT && value.trunc() == value {
        // Also turns -0 into 0.
        return write_word(value as i64, out);
    }
    match word_for(value) {
        Some(word) => out.extend_from_slice(word.as_bytes()),
        None => lay_out(zmij::Buffer::new().format_finite(value), out),
    }
}

/// Appends a FLOAT with the fewest digits that read back as the same FLOAT.
pub fn write_float(value: f32, out: &mut Vec<u8>) {
    match word_for(f64::from(value)) {
        Some(word) => out.extend_from_slice(word.as_bytes()),
        None if value == 0.0 => out.push(b'0'),
        None => lay_out(zmij::Buffer::new().format_finite(value), out),
    }
}

fn word_for(value: f64) -> Option<&'static str> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some("NaN")
    } else if value > 0.0 {
        Some("Infinity")
    } else {
        Some("-Infinity")
    }
}

/// Rewrites shortest digits in any notation (`12.0`, `1.5e-7`, `1e16`) in ECMAScript's.
fn lay_out(shortest: &str, out: &mut Vec<u8>) {
    let (sign, shortest) = match shortest.strip_prefix('-') {
        Some(rest) => (&b"-"[..], rest),
        None => (&b""[..], shortest),
    };
    out.extend_from_slice(sign);
    let (mantissa, exponent) = match shortest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or(0)),
        None => (shortest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // All digits without the point, and where the point stands in them.
    let mut digits = [0u8; 40];
    let mut count = 0;
    for byte in whole.bytes().chain(fraction.bytes()).take(digits.len()) {
        digits[count] = byte;
        count += 1;
    }
    let mut digits = &digits[..count];
    let mut point = whole.len() as i32 + exponent;
    while let [b'0', rest @ ..] = digits {
        digits = rest;
        point -= 1;
    }
    while let [rest @ .., b'0'] = digits {
        digits = rest;
    }
    place_point(digits, point, out);
}

/// `digits` (no zero at either end) with the decimal point before digit number `point`.
fn place_point(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    let count = digits.len() as i32;
    match point {
        _ if digits.is_empty() => out.push(b'0'),
        1..=21 if count <= point => {
            out.extend_from_slice(digits);
            out.extend(std::iter::repeat_n(b'0', (point - count) as usize));
        }
        1..=21 => {
            let (whole, fraction) = digits.split_at(point as usize);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        -5..=0 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', -point as usize));
            out.extend_from_slice(digits);
        }
        _ => {
            out.push(digits[0]);
            if count > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.extend_from_slice(if point > 0 { b"e+" } else { b"e-" });
            write_integer((point - 1).unsigned_abs(), out);
        }
    }
}

/// Appends a DECIMAL, given its digits as an integer in text and the number of them behind the point.
/// A negative scale stands for zeros in front of the point.
pub fn write_decimal(unscaled: &str, scale: i8, out: &mut Vec<u8>) {
    let (negative, digits) = match unscaled.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, unscaled),
    };
    if negative {
        out.push(b'-');
    }
    let digits = digits.as_bytes();
    let behind = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits);
        if digits != b"0" {
            out.extend(std::iter::repeat_n(b'0', behind));
        }
    } else if digits.len() > behind {
        let (whole, fraction) = digits.split_at(digits.len() - behind);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', behind - digits.len()));
        out.extend_from_slice(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        write_double(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The cases are those of `String(x)` in a JavaScript engine.
    #[test]
    fn doubles_print_as_ecmascript_prints_numbers() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-6, "0.000001"),
            (1.5e-6, "0.0000015"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (-1.25e-9, "-1.25e-9"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (123456789012345680000.0, "123456789012345680000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (-1e21, "-1e+21"),
            (9007199254740991.0, "9007199254740991"),
            (9007199254740992.0, "9007199254740992"),
            (9007199254740993.0, "9007199254740992"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
            (12345.678, "12345.678"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(value), expected);
        }
    }

    #[test]
    fn floats_print_their_own_shortest_digits() {
        for (value, expected) in [(0.1f32, "0.1"), (-0.0, "0"), (16777216.0, "16777216")] {
            let mut out = Vec::new();
            write_float(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn decimals_are_plain() {
        for (digits, scale, expected) in [
            ("1250", 2, "12.50"),
            ("-5", 2, "-0.05"),
            ("0", 2, "0.00"),
            ("12", 0, "12"),
            ("12", -3, "12000"),
            ("0", -3, "0"),
            ("100", 3, "0.100"),
        ] {
            let mut out = Vec::new();
            write_decimal(digits, scale, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn doubles_read_back(bits in proptest::num::u64::ANY) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                proptest::prop_assert_eq!(double(value).parse::<f64>().unwrap(), value);
            }
        }
    }
}
