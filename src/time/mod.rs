//! Event time: units, intervals, zones, texts, windows and watermarks.
//!
//! Times are `i64` in the unit of their column (ms, µs or ns) since 1970-01-01T00:00, negative before it.
//! This folder uses nothing of ours but `error`; the clock is read in `clock.rs` alone.

mod interval;
mod interval_text;
mod unit;

pub use interval::Interval;
pub use interval_text::{is_interval_unit, parse_interval, parse_interval_with_unit};
pub use unit::{Unit, Zone};
