//! The one reader of the clock: `now()` is fixed when a session begins; `_arrival` is read with each read of bytes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// The present moment.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The present moment in microseconds since 1970.
pub fn now_microseconds() -> i64 {
    now().timestamp_micros()
}

/// Time that has passed since the program first asked: never goes back, whatever becomes of the clock.
pub fn elapsed() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let now = Instant::now();
    now.duration_since(*FIRST.get_or_init(|| now))
}
