//! Remembers the minute that the times of a column lie in, so that most of them need no calendar.
//!
//! ```text
//! 2026-01-01T12:00:03.250    a minute that was not read yet: the calendar
//! 2026-01-01T12:00:03.250    once more: its beginning is worth remembering
//! 2026-01-01T12:00:04.125Z   another way to write times: the calendar
//! └──── 16 bytes ───┘        the same 16 bytes: its beginning and seconds, digit by digit
//! ```
//!
//! Invariant: a minute is remembered only if its last second is 59 seconds after its first one. Then no
//! clock was changed in between, as no zone changes its clocks twice within a minute.

use super::Unit;

/// See the module; of times that are read into columns of one unit.
#[derive(Debug, Default)]
pub struct MinuteMemo {
    known: Option<Minute>,
    /// What the last time that had to be read with a calendar began with.
    last: Option<MinuteText>,
}

#[derive(Debug)]
struct Minute {
    text: MinuteText,
    start: i64,
    per_second: i64,
    fraction_digits: usize,
}

/// The text of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MinuteText {
    /// `2026-01-01T12:00`.
    text: [u8; LENGTH],
    /// True if a `Z` follows the seconds, false if nothing does.
    zulu: bool,
}

const LENGTH: usize = 16;
/// Tens to the power of the place.
const POWERS: [i64; 10] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

impl MinuteMemo {
    /// The time that a text names, if that is within the minute that is known.
    #[inline(always)]
    pub(super) fn read(&self, text: &[u8]) -> Option<i64> {
        let minute = self.known.as_ref()?;
        let (begin, rest) = text.split_first_chunk::<LENGTH>()?;
        let [b':', tens, ones, rest @ ..] = rest else {
            return None;
        };
        let (rest, zulu) = match rest {
            [rest @ .., b'Z'] => (rest, true),
            rest => (rest, false),
        };
        let same = u128::from_ne_bytes(*begin) == u128::from_ne_bytes(minute.text.text);
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        if !same || zulu != minute.text.zulu || tens > 5 || ones > 9 {
            return None;
        }
        let second = i64::from(tens * 10 + ones);
        let fraction = match rest {
            [] => 0,
            [b'.' | b',', digits @ ..] => minute.fraction(digits)?,
            _ => return None,
        };
        minute
            .start
            .checked_add(second * minute.per_second + fraction)
    }

    /// Takes notice of a text that had to be read with a calendar, by `read`.
    pub(super) fn notice(&mut self, text: &[u8], unit: Unit, read: impl Fn(&[u8]) -> Option<i64>) {
        let Some(text) = MinuteText::of(text) else {
            return;
        };
        // Times in no order shall not be read three times each.
        if self.last != Some(text) {
            self.last = Some(text);
            return;
        }
        let (Some(first), Some(last)) = (read(&text.at(b"00")), read(&text.at(b"59"))) else {
            return;
        };
        let per_second = unit.per_second();
        if last.checked_sub(first) == Some(59 * per_second) {
            self.known = Some(Minute {
                text,
                start: first,
                per_second,
                fraction_digits: per_second.ilog10() as usize,
            });
        }
    }
}

impl Minute {
    /// One to nine digits behind the point, cut to the unit.
    #[inline(always)]
    fn fraction(&self, digits: &[u8]) -> Option<i64> {
        if digits.len().wrapping_sub(1) >= 9 {
            return None;
        }
        let mut fraction = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            fraction = fraction * 10 + i64::from(digit);
        }
        Some(match self.fraction_digits.checked_sub(digits.len()) {
            Some(missing) => fraction * POWERS[missing],
            None => fraction / POWERS[digits.len() - self.fraction_digits],
        })
    }
}

impl MinuteText {
    /// That of a time with seconds; blanks before it make it another text.
    fn of(text: &[u8]) -> Option<MinuteText> {
        let (begin, rest) = text.split_first_chunk::<LENGTH>()?;
        (begin[0].is_ascii_digit() && rest.first() == Some(&b':')).then_some(MinuteText {
            text: *begin,
            zulu: rest.ends_with(b"Z"),
        })
    }

    /// The text of one of its seconds.
    fn at(&self, second: &[u8; 2]) -> Vec<u8> {
        let zulu: &[u8] = if self.zulu { b"Z" } else { b"" };
        [&self.text, b":".as_slice(), second, zulu].concat()
    }
}
