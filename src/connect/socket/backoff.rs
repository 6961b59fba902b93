//! How long to wait before connecting again: twice as long each time, and not all at the same moment.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// The pause behind that many failures in a row: between half and all of 100 ms, 200 ms, … 30 s.
pub(super) fn pause(failures: u32) -> Duration {
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
