//! Times as text: dates, times of day, timestamps, instants and lengths of time.
//!
//! ```text
//! 2026-01-01T12:00:00    2026-01-01T12:00:00.250Z    2026-01-01T13:00:00+01:00    P1M2DT3H0.5S
//! ```
//!
//! Invariants: wall-clock times need no library call; every `i64` in every unit prints; a fraction has 3,
//! 6 or 9 digits. Years beyond 9999 and before 0 carry a sign.

use std::cell::Cell;

use arrow::array::timezone::Tz;
use chrono::{DateTime, Offset, TimeZone};

use super::number::write_integer;
use super::short::append;

const DAY_SECONDS: i64 = 86_400;

/// Whether a time shows its fraction of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// Where it is not zero.
    Needed,
    /// Never: the bounds of windows whose size and offset are whole seconds.
    Never,
    /// Always: the bounds of windows of parts of a second.
    Always,
}

/// What stands behind the time of a timestamp.
#[derive(Debug, Clone, Copy)]
pub enum Suffix {
    /// Nothing: wall-clock time.
    Wall,
    /// `Z`.
    Utc,
    /// The offset of the zone at that instant.
    Zoned(Tz),
}

/// How the timestamps of a column are written.
#[derive(Debug, Clone, Copy)]
pub struct Timestamps {
    /// Steps in a second.
    pub per_second: i64,
    /// Whether the fraction shows.
    pub fraction: Fraction,
    /// `T` or a blank.
    pub separator: u8,
    /// What stands behind.
    pub suffix: Suffix,
}

/// The minute of the time written before, and its text: times of a column are mostly near each other.
#[derive(Debug, Default)]
pub struct LastMinute {
    /// The first time of the minute.
    start: Cell<Option<i64>>,
    text: Cell<[u8; MINUTE_ROOM_BYTES]>,
}

/// `2026-01-01T12:00:`
const MINUTE_BYTES: usize = 17;
/// The text of a minute and what follows, rounded up to what is quickly copied.
const MINUTE_ROOM_BYTES: usize = 32;

impl Timestamps {
    /// Appends the time `value`, the next of a column.
    #[inline]
    pub fn write_after(&self, last: &LastMinute, value: i64, out: &mut Vec<u8>) {
        if let Some(start) = last.start.get()
            && let Some(steps) = value.checked_sub(start)
            && (0..60 * self.per_second).contains(&steps)
        {
            return self.write_second(last.text.get(), steps.unsigned_abs(), out);
        }
        self.write_minute(last, value, out);
    }

    /// Appends the text of a minute with a second of it, and what stands behind that.
    #[inline]
    fn write_second(&self, mut text: [u8; MINUTE_ROOM_BYTES], steps: u64, out: &mut Vec<u8>) {
        // By constants: a division by what is in a variable costs more than all the rest.
        let (second, nanoseconds) = match self.per_second {
            1_000_000_000 => (steps / 1_000_000_000, steps % 1_000_000_000),
            1_000_000 => (steps / 1_000_000, steps % 1_000_000 * 1_000),
            1_000 => (steps / 1_000, steps % 1_000 * 1_000_000),
            _ => (steps, 0),
        };
        let mut behind = two_digits(second);
        let mut length = 2;
        let is_whole = self.fraction == Fraction::Never
            || (self.fraction == Fraction::Needed && nanoseconds == 0);
        let is_fine = !is_whole && nanoseconds % 1_000_000 != 0;
        if !is_whole && !is_fine {
            let thousandths = nanoseconds / 1_000_000;
            behind |= u64::from(b'.') << 16
                | (thousandths / 100 + u64::from(b'0')) << 24
                | two_digits(thousandths % 100) << 32;
            length = 6;
        }
        let is_utc = matches!(self.suffix, Suffix::Utc);
        if is_utc && !is_fine {
            behind |= u64::from(b'Z') << (8 * length);
            length += 1;
        }
        text[MINUTE_BYTES..MINUTE_BYTES + 8].copy_from_slice(&behind.to_le_bytes());
        append(&text, MINUTE_BYTES + length, out);
        if is_fine {
            write_fraction(nanoseconds.cast_signed(), self.fraction, out);
            if is_utc {
                out.push(b'Z');
            }
        }
    }

    /// Appends the time `value` and keeps the text of its minute.
    #[inline(never)]
    fn write_minute(&self, last: &LastMinute, value: i64, out: &mut Vec<u8>) {
        let begin = out.len();
        self.write(value, out);
        last.start.set(None);
        // The offset of a zone may change within a minute.
        if matches!(self.suffix, Suffix::Zoned(_)) {
            return;
        }
        // Only where the year has four digits does the text of the minute end here.
        if let Some(text) = out[begin..].first_chunk::<MINUTE_BYTES>()
            && text[4] == b'-'
        {
            let mut room = [0; MINUTE_ROOM_BYTES];
            room[..MINUTE_BYTES].copy_from_slice(text);
            last.text.set(room);
            let steps = value.rem_euclid(60 * self.per_second);
            last.start.set(value.checked_sub(steps));
        }
    }

    /// Appends the time `value`.
    pub fn write(&self, value: i64, out: &mut Vec<u8>) {
        let seconds = value.div_euclid(self.per_second);
        let nanoseconds = value.rem_euclid(self.per_second) * (1_000_000_000 / self.per_second);
        let (suffix, offset) = match self.suffix {
            Suffix::Zoned(zone) => match offset_seconds(zone, seconds) {
                Some(offset) => (self.suffix, offset),
                None => (Suffix::Utc, 0),
            },
            suffix => (suffix, 0),
        };
        let local = seconds.saturating_add(offset);
        write_date(local.div_euclid(DAY_SECONDS), out);
        out.push(self.separator);
        write_clock(local.rem_euclid(DAY_SECONDS), out);
        write_fraction(nanoseconds, self.fraction, out);
        match suffix {
            Suffix::Wall => {}
            Suffix::Utc => out.push(b'Z'),
            Suffix::Zoned(_) => write_offset(offset, out),
        }
    }
}

/// The offset of the zone from UTC; `None` for instants that the calendar library does not reach.
fn offset_seconds(zone: Tz, seconds: i64) -> Option<i64> {
    let utc = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    Some(i64::from(offset.local_minus_utc()))
}

fn write_offset(offset: i64, out: &mut Vec<u8>) {
    out.push(if offset < 0 { b'-' } else { b'+' });
    let offset = offset.abs();
    write_two(offset / 3600, out);
    out.push(b':');
    write_two(offset / 60 % 60, out);
    // Local mean times, before the zones, have seconds.
    if offset % 60 != 0 {
        out.push(b':');
        write_two(offset % 60, out);
    }
}

/// Appends the date that is `days` after 1970-01-01.
pub fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        write_two(year / 100, out);
        write_two(year % 100, out);
    } else {
        out.push(if year < 0 { b'-' } else { b'+' });
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(year.unsigned_abs());
        out.extend(std::iter::repeat_n(
            b'0',
            4usize.saturating_sub(digits.len()),
        ));
        out.extend_from_slice(digits.as_bytes());
    }
    out.push(b'-');
    write_two(month, out);
    out.push(b'-');
    write_two(day, out);
}

/// Appends a time of day, given as steps since midnight.
pub fn write_time(value: i64, per_second: i64, out: &mut Vec<u8>) {
    write_clock(value.div_euclid(per_second), out);
    let nanoseconds = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    write_fraction(nanoseconds, Fraction::Needed, out);
}

fn write_clock(seconds: i64, out: &mut Vec<u8>) {
    write_two(seconds / 3600 % 100, out);
    out.push(b':');
    write_two(seconds / 60 % 60, out);
    out.push(b':');
    write_two(seconds % 60, out);
}

/// Two digits of a number from 0 to 99 as text, the first in the lowest byte.
#[inline]
fn two_digits(value: u64) -> u64 {
    value / 10 + ((value % 10) << 8) + 0x3030
}

/// Two digits of a number from 0 to 99.
fn write_two(value: i64, out: &mut Vec<u8>) {
    let value = value.unsigned_abs() % 100;
    out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
}

fn write_fraction(nanoseconds: i64, fraction: Fraction, out: &mut Vec<u8>) {
    if fraction == Fraction::Never || (fraction == Fraction::Needed && nanoseconds == 0) {
        return;
    }
    let (mut rest, digits) = if nanoseconds % 1_000_000 == 0 {
        (nanoseconds / 1_000_000, 3)
    } else if nanoseconds % 1_000 == 0 {
        (nanoseconds / 1_000, 6)
    } else {
        (nanoseconds, 9)
    };
    let mut text = *b".000000000";
    for place in (1..=digits).rev() {
        text[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&text[..=digits]);
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar.
///
/// Counts in eras of 400 years that begin on March 1, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    /// From 0000-03-01 to 1970-01-01.
    const EPOCH_DAYS: i64 = 719_468;
    let days = days.saturating_add(EPOCH_DAYS);
    let era = days.div_euclid(ERA_DAYS);
    let day = days.rem_euclid(ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (
        era * 400 + year + i64::from(month <= 2),
        month,
        day_of_month,
    )
}

/// Appends a length of time in the notation of ISO 8601, such as `P1Y2M3DT4H5M6.500S`; `PT0S` for none.
/// Parts of different signs carry their own, as in `P1M-2D`.
pub fn write_length(months: i64, days: i64, nanoseconds: i128, out: &mut Vec<u8>) {
    const SECOND: i128 = 1_000_000_000;
    let part = |value: i128, name: u8, out: &mut Vec<u8>| {
        if value != 0 {
            write_integer(value, out);
            out.push(name);
        }
    };
    out.push(b'P');
    part(i128::from(months / 12), b'Y', out);
    part(i128::from(months % 12), b'M', out);
    part(i128::from(days), b'D', out);
    if nanoseconds == 0 {
        if months == 0 && days == 0 {
            out.extend_from_slice(b"T0S");
        }
        return;
    }
    out.push(b'T');
    part(nanoseconds / (3600 * SECOND), b'H', out);
    part(nanoseconds / (60 * SECOND) % 60, b'M', out);
    let rest = nanoseconds % (60 * SECOND);
    if rest != 0 {
        if rest < 0 {
            out.push(b'-');
        }
        let rest = rest.unsigned_abs() as i64;
        write_integer(rest / 1_000_000_000, out);
        write_fraction(rest % 1_000_000_000, Fraction::Needed, out);
        out.push(b'S');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp(value: i64, per_second: i64, fraction: Fraction, suffix: Suffix) -> String {
        let mut out = Vec::new();
        let style = Timestamps {
            per_second,
            fraction,
            separator: b'T',
            suffix,
        };
        style.write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn wall_clock_times() {
        use Fraction::*;
        for (value, per_second, fraction, expected) in [
            (0, 1_000, Needed, "1970-01-01T00:00:00"),
            (-1, 1_000, Needed, "1969-12-31T23:59:59.999"),
            (-1, 1_000_000, Needed, "1969-12-31T23:59:59.999999"),
            (
                1_767_268_800_000_000,
                1_000_000,
                Needed,
                "2026-01-01T12:00:00",
            ),
            (
                1_767_268_800_250_000,
                1_000_000,
                Needed,
                "2026-01-01T12:00:00.250",
            ),
            (
                1_767_268_800_250_000,
                1_000_000,
                Never,
                "2026-01-01T12:00:00",
            ),
            (
                1_767_268_800_000_000,
                1_000_000,
                Always,
                "2026-01-01T12:00:00.000",
            ),
            (
                1_767_268_800_000_500,
                1_000_000,
                Always,
                "2026-01-01T12:00:00.000500",
            ),
            (
                1_000_000_001,
                1_000_000_000,
                Needed,
                "1970-01-01T00:00:01.000000001",
            ),
            (951_782_400_000, 1_000, Needed, "2000-02-29T00:00:00"),
            (253_402_300_800_000, 1_000, Needed, "+10000-01-01T00:00:00"),
            (-62_198_755_200_000, 1_000, Needed, "-0001-01-01T00:00:00"),
            (
                i64::MAX,
                1_000_000_000,
                Needed,
                "2262-04-11T23:47:16.854775807",
            ),
            (i64::MIN, 1_000, Needed, "-292275055-05-16T16:47:04.192"),
            (i64::MAX, 1, Never, "+292277026596-12-04T15:30:07"),
        ] {
            assert_eq!(
                timestamp(value, per_second, fraction, Suffix::Wall),
                expected
            );
        }
    }

    #[test]
    fn instants_show_their_offset() {
        for (zone, seconds, expected) in [
            ("UTC", 0, "1970-01-01T00:00:00+00:00"),
            ("Europe/Berlin", 1_767_268_800, "2026-01-01T13:00:00+01:00"),
            ("Europe/Berlin", 1_782_907_200, "2026-07-01T14:00:00+02:00"),
            (
                "America/St_Johns",
                1_767_268_800,
                "2026-01-01T08:30:00-03:30",
            ),
            ("+05:30", 0, "1970-01-01T05:30:00+05:30"),
            (
                "Europe/Berlin",
                -2_500_000_000,
                "1890-10-11T20:26:48+00:53:28",
            ),
        ] {
            let zone: Tz = zone.parse().unwrap();
            let text = timestamp(seconds, 1, Fraction::Needed, Suffix::Zoned(zone));
            assert_eq!(text, expected);
        }
        assert_eq!(
            timestamp(0, 1, Fraction::Needed, Suffix::Utc),
            "1970-01-01T00:00:00Z"
        );
        let far = timestamp(
            i64::MAX,
            1,
            Fraction::Needed,
            Suffix::Zoned("+01:00".parse().unwrap()),
        );
        assert!(far.ends_with('Z'), "{far}");
    }

    #[test]
    fn lengths() {
        const S: i128 = 1_000_000_000;
        for (months, days, nanoseconds, expected) in [
            (0, 0, 0, "PT0S"),
            (14, 0, 0, "P1Y2M"),
            (0, 3, 5 * S, "P3DT5S"),
            (0, 0, 5_445 * S, "PT1H30M45S"),
            (0, 0, S / 2, "PT0.500S"),
            (0, 0, -3 * S / 2, "PT-1.500S"),
            (1, -2, -3600 * S, "P1M-2DT-1H"),
        ] {
            let mut out = Vec::new();
            write_length(months, days, nanoseconds, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_column_is_written_as_its_values(
            first in proptest::prelude::any::<i64>(),
            shrink in 0u32..64,
            steps in proptest::collection::vec(-90_000i64..90_000, 1..40),
            per_second in proptest::sample::select(vec![1, 1_000, 1_000_000, 1_000_000_000]),
        ) {
            let last = LastMinute::default();
            let mut value = first >> shrink;
            for step in steps {
                value = value.saturating_add(step);
                for suffix in [Suffix::Wall, Suffix::Utc] {
                    let style = Timestamps { per_second, fraction: Fraction::Needed, separator: b'T', suffix };
                    let (mut alone, mut after) = (Vec::new(), b"x".to_vec());
                    style.write(value, &mut alone);
                    style.write_after(&last, value, &mut after);
                    proptest::prop_assert_eq!(&alone[..], &after[1..]);
                }
            }
        }

        #[test]
        fn dates_are_those_of_the_calendar(days in -1_000_000i32..3_000_000) {
            let date = chrono::NaiveDate::from_epoch_days(days).unwrap();
            let mut out = Vec::new();
            write_date(i64::from(days), &mut out);
            proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), date.to_string());
        }
    }
}
