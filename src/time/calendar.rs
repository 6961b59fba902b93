//! Months as numbers, and the local clock of a zone: what windows need of the calendar.
//!
//! ```text
//!  Europe/Berlin   … │ +1:00            │ +2:00            │ +1:00 …
//!                    2024-03-31T01:00Z  2024-10-27T01:00Z          spans, each with one shift
//! ```
//!
//! Invariants: proleptic Gregorian calendar, any `i64` of days. The spans of a clock cover all of time in
//! order; two neighbors have different shifts; beyond the time zone database the nearest shift holds.

use chrono::{DateTime, Offset, TimeZone};

use super::{Unit, Zone};

const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// The day on which a month begins, both counted from 1970-01.
pub(super) fn first_day_of_month(month: i64) -> i64 {
    let year = 1970 + month.div_euclid(12);
    let month = month.rem_euclid(12);
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let is_leap = leap_days(year) > leap_days(year - 1);
    365 * (year - 1970) + leap_days(year - 1) - leap_days(1969)
        + DAYS_BEFORE_MONTH[month as usize]
        + i64::from(is_leap && month >= 2)
}

/// The month that a day lies in, both counted from 1970-01.
pub(super) fn month_of_day(day: i64) -> i64 {
    // 400 years have 4,800 months and 146,097 days: off by at most one month.
    let mut month = (i128::from(day) * 4_800).div_euclid(146_097) as i64;
    while first_day_of_month(month) > day {
        month -= 1;
    }
    while first_day_of_month(month + 1) <= day {
        month += 1;
    }
    month
}

/// A stretch of time in which the local clock of a zone has one distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockSpan {
    /// The first instant; `i64::MIN` in the first span.
    pub start: i64,
    /// The instant behind the last; `i64::MAX` in the last span.
    pub end: i64,
    /// What the local clock is ahead of UTC.
    pub shift: i64,
}

/// The local clock of a zone, in the unit of a time column.
#[derive(Debug)]
pub(super) struct LocalClock {
    spans: Vec<ClockSpan>,
    largest_change: i64,
}

impl LocalClock {
    /// The clock of `zone`; `None` where it always shows UTC.
    pub(super) fn new(zone: Zone, unit: Unit) -> Option<Self> {
        // The oldest entries of the database are of 1844; the compiled one ends in 2100 at the latest.
        const FIRST: i64 = -4_000_000_000;
        const LAST: i64 = 4_260_000_000;
        const DAY: i64 = 86_400;
        let mut changes = Vec::new();
        let mut shift = shift_at(zone, FIRST);
        let first_shift = shift;
        let mut instant = FIRST;
        while instant < LAST {
            let next = instant + DAY;
            let next_shift = shift_at(zone, next);
            if next_shift != shift {
                changes.push((
                    first_instant_with(zone, next_shift, instant, next),
                    next_shift,
                ));
                shift = next_shift;
            }
            instant = next;
        }
        if changes.is_empty() && first_shift == 0 {
            return None;
        }
        let scale = unit.per_second();
        let mut spans = vec![ClockSpan {
            start: i64::MIN,
            end: i64::MAX,
            shift: first_shift * scale,
        }];
        let mut largest_change = 0;
        for (instant, shift) in changes {
            // Both fit: they lie between 1843 and 2105.
            let (start, shift) = (instant * scale, shift * scale);
            if let Some(before) = spans.last_mut() {
                before.end = start;
                largest_change = largest_change.max((shift - before.shift).abs());
            }
            spans.push(ClockSpan {
                start,
                end: i64::MAX,
                shift,
            });
        }
        Some(LocalClock {
            spans,
            largest_change,
        })
    }

    /// The number of the span that an instant lies in.
    pub(super) fn span_of(&self, instant: i64) -> usize {
        self.spans.partition_point(|span| span.start <= instant) - 1
    }

    /// The span of that number.
    pub(super) fn span(&self, number: usize) -> Option<&ClockSpan> {
        self.spans.get(number)
    }

    /// The farthest that the clock was ever moved.
    pub(super) fn largest_change(&self) -> i64 {
        self.largest_change
    }

    /// What the clock shows at an instant.
    pub(super) fn local(&self, instant: i64) -> i64 {
        instant.saturating_add(self.spans[self.span_of(instant)].shift)
    }

    /// True if the clock already showed `local` in the span before the one of that number.
    pub(super) fn shown_before(&self, number: usize, local: i64) -> bool {
        let Some(before) = number.checked_sub(1).and_then(|before| self.span(before)) else {
            return false;
        };
        local.saturating_sub(before.shift) < before.end
    }
}

/// Seconds that the clock of `zone` is ahead of UTC at an instant in seconds.
fn shift_at(zone: Zone, instant: i64) -> i64 {
    let utc = DateTime::from_timestamp(instant, 0).unwrap_or(DateTime::UNIX_EPOCH);
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc());
    i64::from(offset.fix().local_minus_utc())
}

/// The first second of `(low, high]` from which on the shift is that of `high`.
fn first_instant_with(zone: Zone, shift: i64, mut low: i64, mut high: i64) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if shift_at(zone, middle) == shift {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn months_are_those_of_chrono(day in -90_000_000_i64..90_000_000) {
            let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
            let date = epoch + chrono::Duration::days(day);
            let month = (i64::from(date.year()) - 1970) * 12 + i64::from(date.month0());
            prop_assert_eq!(month_of_day(day), month);
            let first = date.with_day(1).expect("a first day");
            prop_assert_eq!(first_day_of_month(month), (first - epoch).num_days());
        }

        #[test]
        fn months_hold_their_days(day in i64::MIN / 1_000_000..i64::MAX / 1_000_000) {
            let month = month_of_day(day);
            prop_assert!(first_day_of_month(month) <= day);
            prop_assert!(day < first_day_of_month(month + 1));
        }
    }

    #[test]
    fn clocks_are_those_of_the_database() {
        assert!(LocalClock::new(chrono_tz::UTC, Unit::Millisecond).is_none());
        for zone in [
            chrono_tz::Europe::Berlin,
            chrono_tz::Pacific::Apia,
            chrono_tz::Asia::Kolkata,
        ] {
            let clock = LocalClock::new(zone, Unit::Millisecond).expect("a clock");
            let mut instant = -3_000_000_000_i64;
            while instant < 4_000_000_000 {
                let local = instant * 1_000 + shift_at(zone, instant) * 1_000;
                assert_eq!(clock.local(instant * 1_000), local, "{zone} at {instant}");
                instant += 7_777_777;
            }
        }
    }
}
