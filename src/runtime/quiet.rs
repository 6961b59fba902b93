//! A source that has gone quiet: `--idle-timeout` lets its event time go on with the clock.
//!
//! ```text
//!   idle timeout 30s         newest      watermark
//!   12:00:46 comes           12:00:46    12:00:41     as always: newest - delay
//!   30s later                12:00:46    12:00:46     nothing older is waited for any longer
//!   44s later                12:00:46    12:01:00     closes the window that ends here
//!   12:00:58 comes           12:00:58    12:01:00     late; the watermark follows rows again, and never goes back
//! ```
//!
//! Invariants: before the first row there is no time to go on from; what is there to be read is read before it
//! is said that nothing came. Time is that of [`crate::time::elapsed`]: setting the clock moves nothing.

use std::time::Duration;

use crate::plan::SourcePlan;
use crate::time::Unit;

/// While nothing comes, event time goes on no more often than this, and no less.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);
/// After this it goes on where no operator knows what closes next.
const UNKNOWN: Duration = Duration::from_millis(20);

/// How long a source has been quiet.
pub(super) struct Quiet {
    timeout: Duration,
    unit: Unit,
    /// When its last rows came, or it was opened.
    heard: Duration,
    /// Time has gone on since then.
    has_begun: bool,
    is_told: bool,
}

/// What closes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// Nothing.
    Never,
    /// The window that ends here.
    At(i64),
    Unknown,
}

impl Quiet {
    /// That of a source which has an idle timeout and uses event time.
    pub(super) fn of(plan: &SourcePlan, now: Duration) -> Option<Self> {
        let watermark = plan.watermark.as_ref()?;
        let timeout = plan.idle_timeout?.fixed_nanoseconds()?;
        let time = plan.schema.field(watermark.time_column);
        Some(Quiet {
            timeout: Duration::from_nanos(u64::try_from(timeout).unwrap_or(u64::MAX)),
            unit: Unit::of(time.data_type())?,
            heard: now,
            has_begun: false,
            is_told: false,
        })
    }

    /// Rows have come.
    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.has_begun = false;
    }

    /// By how many steps of the time column event time is behind the newest time, if it goes on by itself.
    pub(super) fn passed(&self, now: Duration) -> Option<i64> {
        let quiet = now.saturating_sub(self.heard);
        let passed = quiet.checked_sub(self.timeout)?.as_nanos();
        let steps = passed / u128::from(self.unit.nanoseconds().unsigned_abs());
        Some(i64::try_from(steps).unwrap_or(i64::MAX))
    }

    /// Notes that event time has gone on; whether that begins a pause, and whether it is the first one.
    pub(super) fn went_on(&mut self) -> (bool, bool) {
        let begins = !std::mem::replace(&mut self.has_begun, true);
        let is_first = begins && !std::mem::replace(&mut self.is_told, true);
        (begins, is_first)
    }

    /// After how long event time shall go on, if nothing comes. It stands at `watermark`.
    pub(super) fn alarm(&self, now: Duration, watermark: i64, closing: Closing) -> Duration {
        let quiet = now.saturating_sub(self.heard);
        let left = self.timeout.saturating_sub(quiet);
        if !left.is_zero() {
            return left;
        }
        let left = match closing {
            Closing::Never => LONGEST,
            Closing::Unknown => UNKNOWN,
            Closing::At(end) => {
                let steps = u64::try_from(end.saturating_sub(watermark)).unwrap_or(0);
                let step = self.unit.nanoseconds().unsigned_abs();
                Duration::from_nanos(steps.saturating_mul(step))
            }
        };
        left.clamp(SHORTEST, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn quiet(timeout: Duration) -> Quiet {
        Quiet {
            timeout,
            unit: Unit::Millisecond,
            heard: SECOND,
            has_begun: false,
            is_told: false,
        }
    }

    #[test]
    fn goes_on_behind_the_timeout() {
        let mut quiet = quiet(3 * SECOND);
        assert_eq!(quiet.passed(3 * SECOND), None);
        assert_eq!(quiet.passed(4 * SECOND), Some(0));
        assert_eq!(quiet.passed(4 * SECOND + SECOND / 2), Some(500));
        assert_eq!(quiet.went_on(), (true, true));
        assert_eq!(quiet.went_on(), (false, false));
        quiet.heard(5 * SECOND);
        assert_eq!(quiet.passed(7 * SECOND), None);
        assert_eq!(quiet.went_on(), (true, false));
    }

    #[test]
    fn wakes_when_a_window_closes() {
        let quiet = quiet(3 * SECOND);
        let alarm = |now: Duration, closing| quiet.alarm(now, 10_000, closing);
        assert_eq!(alarm(2 * SECOND, Closing::At(0)), 2 * SECOND);
        assert_eq!(alarm(4 * SECOND, Closing::At(10_700)), SECOND * 7 / 10);
        assert_eq!(alarm(4 * SECOND, Closing::At(90_000)), LONGEST);
        assert_eq!(alarm(4 * SECOND, Closing::At(0)), SHORTEST);
        assert_eq!(alarm(4 * SECOND, Closing::At(i64::MAX)), LONGEST);
        assert_eq!(alarm(4 * SECOND, Closing::Unknown), UNKNOWN);
        assert_eq!(alarm(4 * SECOND, Closing::Never), LONGEST);
    }
}
