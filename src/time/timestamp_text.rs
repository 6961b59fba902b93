//! Reads the time that an ISO 8601 or RFC 3339 text names, digit by digit, without a calendar library.
//!
//! ```text
//! 2026-01-01                       date only
//! 2026-01-01T12:00                 seconds may be missing
//! 2026-01-01 12:00:03,25           blank for T, fraction after `.` or `,`
//! 2026-01-01T12:00:03.123456789Z   offsets: Z, +02:00, +0200, +02, ` UTC`, ` GMT`
//! ```
//!
//! Invariants: years are 0000 to 9999; days are checked against the month and leap years. A leap second
//! (`:60`) is the first second of the next minute. Digits of the fraction beyond nine are cut.

/// The time that a text names, before a zone is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextTime {
    /// Seconds from 1970-01-01T00:00 to it on the clock that the text shows.
    pub local_seconds: i64,
    /// The fraction of the second, in nanoseconds; never negative.
    pub nanoseconds: u32,
    /// How far that clock is ahead of UTC; `None` if the text does not say.
    pub offset_seconds: Option<i32>,
    /// Digits of the fraction that were written.
    pub fraction_digits: usize,
    /// True if the text is a date without a time of day.
    pub date_only: bool,
    /// True if the text does not say the year; then it counts from the beginning of one that stands for it.
    pub year_unsaid: bool,
}

/// The time that the whole of `text` names; blanks around it do not count. `None` if it is no such text.
pub fn read_iso(text: &[u8]) -> Option<TextTime> {
    let text = text.trim_ascii();
    let (days, rest) = read_date_prefix(text)?;
    let mut time = TextTime {
        local_seconds: days * 86_400,
        nanoseconds: 0,
        offset_seconds: None,
        fraction_digits: 0,
        date_only: true,
        year_unsaid: false,
    };
    let rest = match rest {
        [] => return Some(time),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (clock, rest) = read_clock_prefix(rest)?;
    time.date_only = false;
    time.local_seconds += clock.seconds;
    time.nanoseconds = clock.nanoseconds;
    time.fraction_digits = clock.fraction_digits;
    if !rest.is_empty() {
        time.offset_seconds = Some(read_offset(rest)?);
    }
    Some(time)
}

/// Days from 1970-01-01 to the date `YYYY-MM-DD`; blanks around it do not count.
pub fn read_iso_date(text: &[u8]) -> Option<i32> {
    match read_date_prefix(text.trim_ascii())? {
        (days, []) => i32::try_from(days).ok(),
        _ => None,
    }
}

/// Nanoseconds from midnight to the time of day `HH:MM[:SS[.fraction]]`; blanks around it do not count.
pub fn read_iso_clock(text: &[u8]) -> Option<i64> {
    match read_clock_prefix(text.trim_ascii())? {
        (clock, []) if clock.seconds < 86_400 => {
            Some(clock.seconds * 1_000_000_000 + i64::from(clock.nanoseconds))
        }
        _ => None,
    }
}

pub(super) struct Clock {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    pub(super) fraction_digits: usize,
}

fn read_date_prefix(text: &[u8]) -> Option<(i64, &[u8])> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, rest @ ..] = text else {
        return None;
    };
    let year = two_digits(*y0, *y1)? * 100 + two_digits(*y2, *y3)?;
    let month = two_digits(*m0, *m1)?;
    let day = two_digits(*d0, *d1)?;
    if month == 0 || month > 12 || day == 0 || day > days_of_month(year, month) {
        return None;
    }
    Some((days_from_civil(year, month, day), rest))
}

pub(super) fn read_clock_prefix(text: &[u8]) -> Option<(Clock, &[u8])> {
    let [h0, h1, b':', m0, m1, rest @ ..] = text else {
        return None;
    };
    let mut rest = rest;
    let hour = two_digits(*h0, *h1)?;
    let minute = two_digits(*m0, *m1)?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let mut clock = Clock {
        seconds: hour * 3_600 + minute * 60,
        nanoseconds: 0,
        fraction_digits: 0,
    };
    if let [b':', s0, s1, after @ ..] = rest {
        let second = two_digits(*s0, *s1)?;
        if second > 60 {
            return None;
        }
        clock.seconds += second;
        rest = after;
        if let [b'.' | b',', after @ ..] = rest {
            (clock.nanoseconds, clock.fraction_digits) = read_fraction(after)?;
            rest = &after[clock.fraction_digits..];
        }
    }
    Some((clock, rest))
}

/// The fraction at the beginning of `text` in nanoseconds, and how many digits it has; at least one.
fn read_fraction(text: &[u8]) -> Option<(u32, usize)> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let nine = text[..digits]
        .iter()
        .chain(std::iter::repeat(&b'0'))
        .take(9);
    let nanoseconds = nine.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some((nanoseconds, digits))
}

/// The offset from UTC in seconds that the whole of `text` names.
pub(super) fn read_offset(text: &[u8]) -> Option<i32> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, hour, minute) = match text {
        [b'Z' | b'z'] => return Some(0),
        _ if text.eq_ignore_ascii_case(b"UTC") || text.eq_ignore_ascii_case(b"GMT") => {
            return Some(0);
        }
        [sign @ (b'+' | b'-'), h0, h1] => (sign, two_digits(*h0, *h1)?, 0),
        [sign @ (b'+' | b'-'), h0, h1, m0, m1] | [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            (sign, two_digits(*h0, *h1)?, two_digits(*m0, *m1)?)
        }
        _ => return None,
    };
    if hour > 23 || minute > 59 {
        return None;
    }
    let seconds = (hour * 3_600 + minute * 60) as i32;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

pub(super) fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years begin in March here, so that
/// the leap day is the last of its year and months have a regular length.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts() {
        let noon = 20_454 * 86_400 + 12 * 3_600;
        let check = |text: &str, expected: Option<(i64, u32, Option<i32>)>| {
            let got = read_iso(text.as_bytes());
            let got = got.map(|t| (t.local_seconds, t.nanoseconds, t.offset_seconds));
            assert_eq!(got, expected, "{text}");
        };
        check("2026-01-01T12:00:00", Some((noon, 0, None)));
        check("2026-01-01 12:00", Some((noon, 0, None)));
        check("2026-01-01t12:00:00z", Some((noon, 0, Some(0))));
        check("2026-01-01T12:00:00.5Z", Some((noon, 500_000_000, Some(0))));
        check("2026-01-01T12:00:00,000000001", Some((noon, 1, None)));
        check(
            "2026-01-01T12:00:00.1234567899",
            Some((noon, 123_456_789, None)),
        );
        check("2026-01-01T12:00:00+02:00", Some((noon, 0, Some(7_200))));
        check("2026-01-01T12:00:00-0130", Some((noon, 0, Some(-5_400))));
        check("2026-01-01 12:00:00 +02", Some((noon, 0, Some(7_200))));
        check("2026-01-01 12:00:00 UTC", Some((noon, 0, Some(0))));
        check(" 2026-01-01 ", Some((noon - 43_200, 0, None)));
        check("2026-01-01T11:59:60", Some((noon, 0, None)));
        check("1969-12-31T23:59:59.5", Some((-1, 500_000_000, None)));
        check("0000-01-01", Some((-719_528 * 86_400, 0, None)));
        check("2024-02-29", Some((19_782 * 86_400, 0, None)));
        for bad in [
            "",
            "2026",
            "2026-1-1",
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-01-01T",
            "2026-01-01T12",
            "2026-01-01T24:00",
            "2026-01-01T12:60",
            "2026-01-01T12:00:61",
            "2026-01-01T12:00:00.",
            "2026-01-01T12:00:00 ZZ",
            "2026-01-01x12:00",
            "2026-01-01T12:00:00+24:00",
            "2026-01-01T12:00:00+2",
            "2026-01-01T12:00:00  Z",
            "20260101",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn clocks() {
        assert_eq!(read_iso_clock(b"00:00"), Some(0));
        assert_eq!(read_iso_clock(b"23:59:59.5"), Some(86_399_500_000_000));
        assert_eq!(read_iso_clock(b"23:59:60"), None);
        assert_eq!(read_iso_clock(b"23:59:59Z"), None);
        assert_eq!(read_iso_date(b"1970-01-02"), Some(1));
        assert_eq!(read_iso_date(b"1970-01-02T00:00"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(seconds in -62_167_219_200i64..253_402_300_800, nanos in 0u32..1_000_000_000) {
            let time = chrono::DateTime::from_timestamp(seconds, nanos).unwrap();
            let text = time.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
            let got = read_iso(text.as_bytes()).unwrap();
            prop_assert_eq!((got.local_seconds, got.nanoseconds), (seconds, nanos));
        }

        #[test]
        fn takes_the_dates_that_chrono_takes(year in 0i32..10_000, month in 0u32..15, day in 0u32..35) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            let known = chrono::NaiveDate::from_ymd_opt(year, month, day);
            prop_assert_eq!(read_iso(text.as_bytes()).is_some(), known.is_some());
        }

        #[test]
        fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            read_iso(&text);
        }
    }
}
