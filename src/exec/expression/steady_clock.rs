//! Remembers by how much two clocks differ within a quarter of an hour, so that most times need no calendar.
//!
//! ```text
//! 2026-07-01T12:03:00    a quarter that was not met yet: the calendar
//! 2026-07-01T12:04:30    once more: its beginning is worth remembering, 10:00 UTC
//! 2026-07-01T12:05:10    five minutes and ten seconds behind that: 10:05:10 UTC
//! ```
//!
//! Invariant: a quarter is remembered only if its last second is 899 seconds after its first one. Then no clock was
//! changed in between, as no zone changes its clocks twice within that time.

use arrow::datatypes::TimeUnit;

/// Reads times of one clock by another; see the module.
pub(super) struct SteadyClock<F> {
    read: F,
    nanoseconds_per_step: i64,
    last: Option<i64>,
    /// A quarter and the time of its beginning.
    known: Option<(i64, i64)>,
}

impl<F: Fn(i64, u32) -> Option<i64>> SteadyClock<F> {
    const QUARTER_SECONDS: i64 = 900;

    /// A clock that counts in `unit` and is read by `read`: seconds and nanoseconds.
    pub(super) fn new(unit: TimeUnit, read: F) -> Self {
        let nanoseconds_per_step = match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        };
        SteadyClock {
            read,
            nanoseconds_per_step,
            last: None,
            known: None,
        }
    }

    /// The time, in the unit.
    #[inline]
    pub(super) fn read(&mut self, seconds: i64, nanoseconds: u32) -> Option<i64> {
        let quarter = seconds.div_euclid(Self::QUARTER_SECONDS);
        if let Some((known, start)) = self.known
            && known == quarter
        {
            let within = seconds.rem_euclid(Self::QUARTER_SECONDS);
            let steps = within * (1_000_000_000 / self.nanoseconds_per_step)
                + i64::from(nanoseconds) / self.nanoseconds_per_step;
            return start.checked_add(steps);
        }
        if self.last.replace(quarter) == Some(quarter) {
            self.remember(quarter);
        }
        (self.read)(seconds, nanoseconds)
    }

    fn remember(&mut self, quarter: i64) -> Option<()> {
        let first = quarter.checked_mul(Self::QUARTER_SECONDS)?;
        let last = first + (Self::QUARTER_SECONDS - 1);
        let (start, end) = ((self.read)(first, 0)?, (self.read)(last, 0)?);
        let steps = (Self::QUARTER_SECONDS - 1) * (1_000_000_000 / self.nanoseconds_per_step);
        if end.checked_sub(start)? == steps {
            self.known = Some((quarter, start));
        }
        Some(())
    }
}
