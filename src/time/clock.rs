//! The one reader of the clock: `now()` is fixed when a session begins.

use chrono::{DateTime, Utc};

/// The present moment.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
