//! Attempts to connect again: how many, and after which pauses: each twice as long, and not all at the same moment.
//!
//! ```text
//!   connected ─► broke ─ 100 ms ─► attempt 1 fails ─ 200 ms ─► attempt 2 fails ─ … ─► attempt 10 fails ─► given up
//!                ▲                    └ connected, and for long enough: counting begins anew
//! ```
//!
//! Invariants: nobody who never was there is tried again, but with `reconnect = 'always'`, which never gives up.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use super::Reconnect;

/// Failed attempts in a row after which nobody is there any more.
pub(super) const MOST_ATTEMPTS: u32 = 10;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// What became of the attempts to connect to one address.
pub(super) struct Attempts {
    reconnect: Reconnect,
    /// A connection was made once.
    was_there: bool,
    /// Failures in a row: that it broke, and attempts behind that.
    failures: u32,
}

impl Attempts {
    /// None yet.
    pub(super) fn new(reconnect: Reconnect) -> Self {
        Attempts {
            reconnect,
            was_there: false,
            failures: 0,
        }
    }

    /// A connection was made.
    pub(super) fn made(&mut self) {
        self.was_there = true;
    }

    /// True if one was made, ever.
    pub(super) fn was_there(&self) -> bool {
        self.was_there
    }

    /// The connection was a good one: counting failures begins anew.
    pub(super) fn begin_anew(&mut self) {
        self.failures = 0;
    }

    /// It broke or could not be made: the pause before the next attempt; `None` if there is to be none.
    pub(super) fn failed(&mut self) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let goes_on = match self.reconnect {
            Reconnect::Always => true,
            Reconnect::Broken => self.was_there && self.failures <= MOST_ATTEMPTS,
            Reconnect::Never => false,
        };
        goes_on.then(|| pause(self.failures))
    }

    /// True if that was the first failure in a row, of which the user is told.
    pub(super) fn is_first_failure(&self) -> bool {
        self.failures == 1
    }
}

/// The pause behind that many failures in a row: between half and all of 100 ms, 200 ms, … 30 s.
fn pause(failures: u32) -> Duration {
    let whole = SHORTEST
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST);
    // Each state of the hasher is keyed anew, at random.
    let random = RandomState::new().build_hasher().finish();
    whole / 2 + (whole / 2).mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many attempts fail behind a connection that broke until there is to be none.
    fn attempts_behind_a_break(attempts: &mut Attempts) -> u32 {
        // The first failure is the break itself.
        (0..1_000)
            .find(|_| attempts.failed().is_none())
            .unwrap_or(1_000)
    }

    #[test]
    fn ten_attempts_follow_a_break() {
        let mut attempts = Attempts::new(Reconnect::Broken);
        assert!(attempts.failed().is_none(), "nobody was there");
        attempts.begin_anew();
        attempts.made();
        assert_eq!(attempts_behind_a_break(&mut attempts), MOST_ATTEMPTS);
        attempts.begin_anew();
        assert_eq!(attempts_behind_a_break(&mut attempts), 10);
        let mut always = Attempts::new(Reconnect::Always);
        assert_eq!(attempts_behind_a_break(&mut always), 1_000);
        let mut never = Attempts::new(Reconnect::Never);
        never.made();
        assert_eq!(attempts_behind_a_break(&mut never), 0);
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        for (failures, most) in [
            (1, 100),
            (2, 200),
            (5, 1_600),
            (9, 25_600),
            (10, 30_000),
            (99, 30_000),
        ] {
            for _ in 0..50 {
                let pause = pause(failures).as_millis();
                assert!((most / 2..=most).contains(&pause), "{failures}: {pause}");
            }
        }
        let many: std::collections::BTreeSet<_> = (0..50).map(|_| pause(9)).collect();
        assert!(many.len() > 40, "not all at the same moment");
    }
}
