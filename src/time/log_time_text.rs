//! Reads the times that log files write and ISO 8601 does not: month names, slashes, and no year at all.
//!
//! ```text
//! 10/Oct/2000:13:55:36 -0700         access logs
//! Oct 11 22:14:15                    syslog: the year is not said
//! Wed Oct 11 14:32:52.123456 2000    Apache's error log
//! 2009/01/23 01:23:23                Go, nginx; also with an offset, as all of these
//! 11 Oct 2026 22:14:15.123           Redis; with `-` Tomcat and BIND; with a weekday RFC 2822
//! 1011 22:14:15.123456               klog: the year is not said
//! ```
//!
//! Invariant: a time without a year counts from the beginning of a year, [`YEAR_UNSAID`]; whoever reads it
//! puts it into the year that is meant ([`in_first_year_from`]).

use super::timestamp_text::{
    Clock, TextTime, days_from_civil, days_of_month, read_clock_prefix, read_offset, two_digits,
};

/// The leap year that stands for a year that is not said.
const YEAR_UNSAID: i64 = 2000;
const DAY_SECONDS: i64 = 86_400;
const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];
const WEEKDAYS: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// The time that the whole of `text` names in one of these ways; `None` if it names none.
pub fn read_log_time(text: &[u8]) -> Option<TextTime> {
    let text = without_weekday(text.trim_ascii());
    match text {
        [first, ..] if first.is_ascii_alphabetic() => month_first(text),
        [_, _, _, _, b'/', ..] => year_first(text),
        [_, _, _, _, b' ', ..] => klog(text),
        _ => day_first(text),
    }
}

/// `Wed ` or `Wed, ` taken away.
fn without_weekday(text: &[u8]) -> &[u8] {
    let Some((name, rest)) = text.split_first_chunk::<3>() else {
        return text;
    };
    let rest = match rest {
        [b',', b' ', rest @ ..] | [b' ', rest @ ..] => rest,
        _ => return text,
    };
    let is_weekday = WEEKDAYS.iter().any(|day| day.eq_ignore_ascii_case(name));
    if is_weekday { rest } else { text }
}

/// `Oct 11 22:14:15`, also with a year before or behind the clock.
fn month_first(text: &[u8]) -> Option<TextTime> {
    let (month, rest) = month(text)?;
    let rest = rest.strip_prefix(b" ")?;
    // A day of one digit has a blank in front of it.
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let (day, rest) = day(rest)?;
    let rest = rest.strip_prefix(b" ")?;
    let (mut said, rest) = match year(rest) {
        Some((year, [b' ', rest @ ..])) => (Some(year), rest),
        _ => (None, rest),
    };
    let (clock, mut rest) = with_seconds(rest)?;
    if let [b' ', behind @ ..] = rest
        && let (None, Some((year, after))) = (said, year(behind))
    {
        (said, rest) = (Some(year), after);
    }
    time(said, month, day, &clock, rest)
}

/// `10/Oct/2000:13:55:36 -0700`, with any of `/`, `-` and blanks between its parts.
fn day_first(text: &[u8]) -> Option<TextTime> {
    let (day, rest) = day(text)?;
    let (separator, rest) = rest.split_first()?;
    if !matches!(separator, b'/' | b'-' | b' ') {
        return None;
    }
    let (month, rest) = month(rest)?;
    let (year, rest) = year(rest.strip_prefix(&[*separator])?)?;
    let rest = match rest {
        [b':' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (clock, rest) = with_seconds(rest)?;
    time(Some(year), month, day, &clock, rest)
}

/// `2009/01/23 01:23:23`
fn year_first(text: &[u8]) -> Option<TextTime> {
    let (year, rest) = year(text)?;
    let [b'/', m0, m1, b'/', d0, d1, b' ', rest @ ..] = rest else {
        return None;
    };
    let (month, day) = (two_digits(*m0, *m1)?, two_digits(*d0, *d1)?);
    let (clock, rest) = with_seconds(rest)?;
    time(Some(year), month, day, &clock, rest)
}

/// `1011 22:14:15.123456`
fn klog(text: &[u8]) -> Option<TextTime> {
    let [m0, m1, d0, d1, b' ', rest @ ..] = text else {
        return None;
    };
    let (month, day) = (two_digits(*m0, *m1)?, two_digits(*d0, *d1)?);
    let (clock, rest) = with_seconds(rest)?;
    (clock.fraction_digits > 0 && rest.is_empty()).then_some(())?;
    time(None, month, day, &clock, rest)
}

fn month(text: &[u8]) -> Option<(i64, &[u8])> {
    let (name, rest) = text.split_first_chunk::<3>()?;
    let lower = name.to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| month[..] == lower[..])?;
    Some((place as i64 + 1, rest))
}

fn day(text: &[u8]) -> Option<(i64, &[u8])> {
    match text {
        [d0, d1, rest @ ..] if d1.is_ascii_digit() => Some((two_digits(*d0, *d1)?, rest)),
        [d1, rest @ ..] => Some((two_digits(b'0', *d1)?, rest)),
        [] => None,
    }
}

fn year(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<4>()?;
    let [y0, y1, y2, y3] = *digits;
    let year = two_digits(y0, y1)? * 100 + two_digits(y2, y3)?;
    (!rest.first().is_some_and(u8::is_ascii_digit)).then_some((year, rest))
}

fn with_seconds(text: &[u8]) -> Option<(Clock, &[u8])> {
    // The seconds are always there.
    (text.get(5) == Some(&b':')).then_some(())?;
    read_clock_prefix(text)
}

fn time(year: Option<i64>, month: i64, day: i64, clock: &Clock, offset: &[u8]) -> Option<TextTime> {
    let counted = year.unwrap_or(YEAR_UNSAID);
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(counted, month) {
        return None;
    }
    let offset_seconds = match offset {
        [] => None,
        offset => Some(read_offset(offset)?),
    };
    Some(TextTime {
        local_seconds: days_from_civil(counted, month, day) * DAY_SECONDS + clock.seconds,
        nanoseconds: clock.nanoseconds,
        offset_seconds,
        fraction_digits: clock.fraction_digits,
        date_only: false,
        year_unsaid: year.is_none(),
    })
}

/// A time whose year is not said, given as its `local_seconds`, in the first year in which it does not come
/// before `from`. The 29th of February waits for a leap year.
pub fn in_first_year_from(unsaid_seconds: i64, from: i64) -> Option<i64> {
    let of_year = unsaid_seconds - days_from_civil(YEAR_UNSAID, 1, 1) * DAY_SECONDS;
    let (day_of_year, clock) = (of_year.div_euclid(DAY_SECONDS), of_year % DAY_SECONDS);
    let (month, day) = month_and_day(day_of_year);
    let first_year = year_of(from);
    (first_year..first_year + 10).find_map(|year| {
        let is_there = day <= days_of_month(year, month);
        let seconds = days_from_civil(year, month, day) * DAY_SECONDS + clock;
        (is_there && seconds >= from).then_some(seconds)
    })
}

/// The latest of the years in which a time whose year is not said does not come behind `until`: where times
/// of a file begin if its first one is this and it was written until then.
pub fn in_last_year_until(unsaid_seconds: i64, until: i64) -> Option<i64> {
    (1..=10).find_map(|years| {
        let from = until - years * 366 * DAY_SECONDS;
        let mut found = None;
        let mut next = in_first_year_from(unsaid_seconds, from);
        while let Some(seconds) = next.filter(|seconds| *seconds <= until) {
            found = Some(seconds);
            next = in_first_year_from(unsaid_seconds, seconds + 1);
        }
        found
    })
}

fn month_and_day(mut day_of_leap_year: i64) -> (i64, i64) {
    for month in 1..12 {
        let days = days_of_month(YEAR_UNSAID, month);
        if day_of_leap_year < days {
            return (month, day_of_leap_year + 1);
        }
        day_of_leap_year -= days;
    }
    (12, day_of_leap_year + 1)
}

/// The year of a time: the estimate is never too late by more than one.
fn year_of(seconds: i64) -> i64 {
    let days = seconds.div_euclid(DAY_SECONDS);
    let mut year = 1970 + days.div_euclid(366).min(days.div_euclid(365)) - 1;
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    year
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::read_iso;

    fn seconds(iso: &str) -> i64 {
        read_iso(iso.as_bytes()).unwrap().local_seconds
    }

    #[test]
    fn texts() {
        let check = |text: &str, same: &str| {
            let time = read_log_time(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            let iso = read_iso(same.as_bytes()).unwrap();
            assert_eq!(
                time,
                TextTime {
                    year_unsaid: time.year_unsaid,
                    ..iso
                },
                "{text}"
            );
            assert_eq!(time.year_unsaid, same.starts_with("2000-10"), "{text}");
        };
        check("10/Oct/2001:13:55:36 -0700", "2001-10-10T13:55:36-0700");
        check("Oct 11 22:14:15", "2000-10-11T22:14:15");
        check("Oct  1 22:14:15.5", "2000-10-01T22:14:15.5");
        check("Oct 11 2026 22:14:15", "2026-10-11T22:14:15");
        check(
            "Wed Oct 11 14:32:52.123456 2006",
            "2006-10-11T14:32:52.123456",
        );
        check("2009/01/23 01:23:23", "2009-01-23T01:23:23");
        check("2009/01/23 01:23:23Z", "2009-01-23T01:23:23Z");
        check("2009/01/23 01:23:23 +0100", "2009-01-23T01:23:23+01:00");
        check(
            "Wed Oct 11 14:32:52.123456 2006 -0700",
            "2006-10-11T14:32:52.123456-07:00",
        );
        check("11 Oct 2026 22:14:15.123", "2026-10-11T22:14:15.123");
        check("26-Jan-2026 10:00:00.123", "2026-01-26T10:00:00.123");
        check("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z");
        check("1011 22:14:15.123456", "2000-10-11T22:14:15.123456");
    }

    #[test]
    fn no_times() {
        for text in [
            "",
            "Oct",
            "Oct 32 22:14:15",
            "31/Feb/2000:13:55:36 -0700",
            "10/Oct/2000",
            "Okt 11 22:14:15",
            "Oct 11 22:14",
            "2009/13/01 00:00:00",
            "1011 22:14:15",
            "10/Oct/2000:25:55:36 -0700",
            "Oct 11 22:14:15 host",
            "10 Oct 20260 10:00:00",
        ] {
            assert_eq!(read_log_time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn years() {
        let unsaid = |text: &str| read_log_time(text.as_bytes()).unwrap().local_seconds;
        let first = |text, from| in_first_year_from(unsaid(text), seconds(from));
        assert_eq!(
            first("Dec 31 23:59:59", "2025-06-01"),
            Some(seconds("2025-12-31T23:59:59"))
        );
        assert_eq!(
            first("Jan  1 00:00:00", "2025-06-01"),
            Some(seconds("2026-01-01T00:00:00"))
        );
        assert_eq!(
            first("Jun  1 00:00:00", "2025-06-01"),
            Some(seconds("2025-06-01T00:00:00"))
        );
        assert_eq!(
            first("Feb 29 12:00:00", "2025-06-01"),
            Some(seconds("2028-02-29T12:00:00"))
        );
        let last = |text, until| in_last_year_until(unsaid(text), seconds(until));
        assert_eq!(
            last("Dec 31 23:59:59", "2026-01-02"),
            Some(seconds("2025-12-31T23:59:59"))
        );
        assert_eq!(
            last("Jan  2 00:00:00", "2026-01-02"),
            Some(seconds("2026-01-02T00:00:00"))
        );
        assert_eq!(
            last("Jan  2 00:00:01", "2026-01-02"),
            Some(seconds("2025-01-02T00:00:01"))
        );
        assert_eq!(
            last("Feb 29 12:00:00", "2026-06-01"),
            Some(seconds("2024-02-29T12:00:00"))
        );
        for year in [1, 1899, 1900, 1969, 1970, 1971, 2000, 2100, 9999] {
            for (month, day) in [(1, 1), (2, 28), (12, 31)] {
                assert_eq!(
                    year_of(days_from_civil(year, month, day) * DAY_SECONDS),
                    year
                );
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), from: i32) {
            if let Some(time) = read_log_time(&text) {
                in_first_year_from(time.local_seconds, i64::from(from) * 100);
            }
        }

        #[test]
        fn the_first_year_is_the_first(day in 0_i64..366, clock in 0_i64..86_400, from in -10_000_000_000_i64..100_000_000_000) {
            let unsaid = days_from_civil(YEAR_UNSAID, 1, 1) * DAY_SECONDS + day * DAY_SECONDS + clock;
            let found = in_first_year_from(unsaid, from).unwrap();
            assert!(found >= from);
            assert!(day == 59 || found < from + 367 * DAY_SECONDS);
            assert!(day == 59 || in_last_year_until(unsaid, found) == Some(found));
        }
    }
}
