//! Short texts appended without a call: a store of fixed size, of which the first bytes stay.
//!
//! ```text
//!  out  …,web1,│                     length 5, cell 12345678 of 8 bytes
//!  out  …,web1,12345678│             stored whole: one instruction
//!  out  …,web1,12345│                what is behind the text is cut off again
//! ```
//!
//! Most values of a result are a few bytes long: to copy so few costs less than to find out how to.
//!
//! Invariant: what is appended is what the slower twin of each function appends; tests compare them.

/// One in each byte.
const ONES: u128 = u128::MAX / 255;
/// The upper bit of each byte.
const UPPER: u128 = ONES << 7;

/// The longest text that a view holds by itself.
const VIEW_BYTES: usize = 12;

/// Appends the first `length` bytes of a cell.
#[inline]
pub(super) fn append<const N: usize>(cell: &[u8; N], length: usize, out: &mut Vec<u8>) {
    let end = out.len() + length.min(N);
    out.extend_from_slice(cell);
    out.truncate(end);
}

/// Numbers below this have at most eight digits.
pub(super) const SHORT_NUMBERS: u32 = 100_000_000;

/// Appends a number below [`SHORT_NUMBERS`].
#[inline]
pub(super) fn append_number(value: u32, out: &mut Vec<u8>) {
    let digits = eight_digits(value);
    // Zero has one digit, too.
    let leading = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | 0x3030_3030_3030_3030) >> (8 * leading);
    append(&text.to_le_bytes(), 8 - leading as usize, out);
}

/// The eight digits of a number below [`SHORT_NUMBERS`] as bytes from 0 to 9, the first in the lowest: halves of
/// four, two and one digits are parted in all places at once.
#[inline]
fn eight_digits(value: u32) -> u64 {
    let (high, low) = (value / 10_000, value % 10_000);
    let fours = u64::from(high) | u64::from(low) << 32;
    // Multiplied by 2^20 / 100 and 2^10 / 10: exact for numbers of four and of two digits.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - 10 * tens) << 8
}

/// What a text must not hold to be written as it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plain {
    /// No byte up to `,`: among those is all that csv quotes.
    Csv,
    /// No control character and no backslash.
    Tsv,
    /// No control character, quotation mark or backslash.
    Json,
}

/// Appends a text that is within its view, not empty and plain, JSON with quotes; false if it is not.
#[inline]
pub(super) fn append_view(view: u128, plain: Plain, out: &mut Vec<u8>) -> bool {
    let length = view as u32 as usize;
    if length == 0 || length > VIEW_BYTES {
        return false;
    }
    let text = view >> 32;
    // What is behind the text must not look like control characters.
    let bytes = text | u128::MAX << (8 * length);
    let special = match plain {
        Plain::Csv => below(bytes, b',' + 1),
        Plain::Tsv => below(bytes, b' ') | equal(bytes, b'\\'),
        Plain::Json => below(bytes, b' ') | equal(bytes, b'\\') | equal(bytes, b'"'),
    };
    if special != 0 {
        return false;
    }
    match plain {
        Plain::Csv | Plain::Tsv => append(&text.to_le_bytes(), length, out),
        Plain::Json => {
            let quote = u128::from(b'"');
            let quoted = quote | text << 8 | quote << (8 * (length + 1));
            append(&quoted.to_le_bytes(), length + 2, out);
        }
    }
    true
}

/// Not zero if a byte is less than `least`, which is at most 128.
#[inline]
fn below(bytes: u128, least: u8) -> u128 {
    bytes.wrapping_sub(ONES * u128::from(least)) & !bytes & UPPER
}

/// Not zero if a byte is `wanted`.
#[inline]
fn equal(bytes: u128, wanted: u8) -> u128 {
    below(bytes ^ (ONES * u128::from(wanted)), 1)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, StringViewArray};
    use proptest::prelude::*;

    use super::super::text;
    use super::*;

    #[test]
    fn numbers_at_the_edges_of_their_digits() {
        let mut edges = vec![0, SHORT_NUMBERS - 1];
        for digits in 1..8 {
            let power = 10u32.pow(digits);
            edges.extend([power - 1, power, power + 1]);
        }
        for value in edges {
            let mut out = Vec::new();
            append_number(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_the_standard_library_writes_them(value in 0..SHORT_NUMBERS, shrink in 0u32..27) {
            let value = value >> shrink;
            let mut out = b"x".to_vec();
            append_number(value, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("x{value}"));
        }

        #[test]
        fn short_texts_are_written_as_long_ones_are(
            texts in prop::collection::vec("([a-z0-9é]{0,13}|[,\"\\\\\n\r\t \u{0}-\u{ff}]{0,6})", 1..20),
        ) {
            type Slow = fn(&str, &mut Vec<u8>);
            let csv: Slow = |value, out| text::write_csv(value, b"", out);
            let array = StringViewArray::from_iter_values(&texts);
            for (plain, slow) in [(Plain::Csv, csv), (Plain::Tsv, text::write_tsv), (Plain::Json, text::write_json)] {
                for row in 0..array.len() {
                    let (mut quick, mut expected) = (Vec::new(), Vec::new());
                    slow(array.value(row), &mut expected);
                    if append_view(array.views()[row], plain, &mut quick) {
                        prop_assert_eq!(quick, expected);
                    } else {
                        prop_assert!(quick.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn plain_short_texts_take_the_short_way() {
        let array = StringViewArray::from_iter_values(["u26000", "web-068", "twelve-bytes", "é"]);
        for plain in [Plain::Csv, Plain::Tsv, Plain::Json] {
            for view in array.views() {
                assert!(append_view(*view, plain, &mut Vec::new()));
            }
        }
    }
}
