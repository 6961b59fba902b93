//! The one reader of the clock: `now()` is fixed when a session begins; `_arrival` is read with each read of bytes.

use chrono::{DateTime, Utc};

/// The present moment.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The present moment in microseconds since 1970.
pub fn now_microseconds() -> i64 {
    now().timestamp_micros()
}
