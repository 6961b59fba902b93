//! A length of time as SQL writes it: `INTERVAL '5' SECOND`, `'1h30m'`, `5s`, `1 month`.
//!
//! Months, weeks and exact time are kept apart because windows of them differ: a month is a calendar
//! window, `1 week` starts on Monday, `7 days` on Thursday (days are counted from 1970-01-01).

use std::fmt;

use super::Unit;

/// A length of time, possibly negative (an offset).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interval {
    /// Calendar months; a year is 12.
    pub months: i64,
    /// Weeks that were written as weeks.
    pub weeks: i64,
    /// Everything shorter; a day is 24 hours here.
    pub nanoseconds: i128,
}

const WEEK_NANOSECONDS: i128 = 7 * 86_400 * 1_000_000_000;

impl Interval {
    /// `n` nanoseconds.
    pub fn from_nanoseconds(n: i128) -> Self {
        Interval {
            nanoseconds: n,
            ..Interval::default()
        }
    }

    /// `n` seconds.
    pub fn from_seconds(n: i64) -> Self {
        Interval::from_nanoseconds(i128::from(n) * 1_000_000_000)
    }

    /// True for a length of months or years, whose windows follow the calendar.
    pub fn is_calendar(&self) -> bool {
        self.months != 0
    }

    /// True for no time at all.
    pub fn is_zero(&self) -> bool {
        *self == Interval::default()
    }

    /// True if every part is at least 0 and one is more.
    pub fn is_positive(&self) -> bool {
        self.months >= 0 && self.weeks >= 0 && self.nanoseconds >= 0 && !self.is_zero()
    }

    /// The length without months in nanoseconds; `None` for months or years.
    pub fn fixed_nanoseconds(&self) -> Option<i128> {
        (self.months == 0).then(|| i128::from(self.weeks) * WEEK_NANOSECONDS + self.nanoseconds)
    }

    /// The length without months in steps of `unit`; `None` for months, for what does not fit an `i64`,
    /// and for what is no whole number of steps.
    pub fn in_units(&self, unit: Unit) -> Option<i64> {
        let nanoseconds = self.fixed_nanoseconds()?;
        let step = i128::from(unit.nanoseconds());
        (nanoseconds % step == 0)
            .then(|| i64::try_from(nanoseconds / step).ok())
            .flatten()
    }
}

impl fmt::Display for Interval {
    /// The shortest exact spelling, such as `1h30m`, `5s`, `3mo`, `1w`; `0s` for nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0s");
        }
        if self.months != 0 {
            match (self.months / 12, self.months % 12) {
                (0, months) => write!(f, "{months}mo")?,
                (years, 0) => write!(f, "{years}y")?,
                (years, months) => write!(f, "{years}y{months}mo")?,
            }
        }
        if self.weeks != 0 {
            write!(f, "{}w", self.weeks)?;
        }
        let mut rest = self.nanoseconds;
        if rest < 0 {
            f.write_str("-")?;
            rest = -rest;
        }
        const UNITS: [(&str, i128); 7] = [
            ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ms", 1_000_000),
            ("us", 1_000),
            ("ns", 1),
        ];
        for (name, nanoseconds) in UNITS {
            if rest >= nanoseconds {
                write!(f, "{}{name}", rest / nanoseconds)?;
                rest %= nanoseconds;
            }
        }
        Ok(())
    }
}
