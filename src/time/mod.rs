//! Event time: units, intervals, zones, texts, windows and watermarks.
//!
//! Times are `i64` in the unit of their column (ms, µs or ns) since 1970-01-01T00:00, negative before it.
//! This folder uses nothing of ours but `error`; the clock is read in `clock.rs` alone.

mod calendar;
mod clock;
mod grid;
mod interval;
mod interval_text;
mod log_time_text;
mod minute_memo;
mod time_reader;
mod timestamp_text;
mod unit;
mod watermark;
mod window;
mod written_as;

pub use clock::{elapsed, now, now_microseconds};
pub use interval::Interval;
pub use interval_text::{is_interval_unit, parse_interval, parse_interval_with_unit};
pub use log_time_text::{in_first_year_from, in_last_year_until, read_log_time};
pub use minute_memo::MinuteMemo;
pub use time_reader::{EpochUnit, TimeFormat, TimeReader, check_strftime, strftime_names_instants};
pub use timestamp_text::{TextTime, read_iso, read_iso_clock, read_iso_date};
pub use unit::{Unit, Zone, nearest_zone};
pub use watermark::{Observed, WatermarkState};
pub use window::{MAX_WINDOWS_PER_ROW, WindowAssigner, WindowSpec, is_closed};
pub use written_as::formats_of;
