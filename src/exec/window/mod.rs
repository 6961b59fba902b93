//! Operators over windows: rows are gathered by window, and come out when the watermark closes it.
//!
//! | file | what it does |
//! |---|---|
//! | `aggregate` | GROUP BY over TUMBLE, HOP, CUMULATE by slices, or over windows that rows already carry; `spans` merges neighbouring slices for windows of many |
//! | `slices`, `local` | its first phase: to which slice a row belongs; the rows of one batch, gathered |
//! | `session`, `session_rows` | SESSION, with aggregates or row by row; `open_sessions` finds a row's session, `expiries` the sessions that may be over, `closed_groups` the order in which they come out |
//! | `assign` | reading a windowed table without aggregating it |
//!
//! row is late is decided by the watermark of the rows before it, which stands in the batch, never by the
//! last message: so how rows were cut into batches changes nothing.

mod aggregate;
mod assign;
mod closed_groups;
mod count;
mod expiries;
mod local;
mod open_sessions;
mod result;
mod session;
mod session_rows;
mod slices;
mod slots;
mod spans;

pub use aggregate::{WindowAggregateOperator, WindowAggregateSpec, WindowSource};
pub use assign::{WindowAssignOperator, WindowAssignSpec};
pub use count::{CountWindowOperator, CountWindowSpec};
pub use session::{SessionOperator, SessionSpec};
pub use session_rows::{SessionRowsOperator, SessionRowsSpec};

pub(super) use result::{MAX_ROWS, ResultRows};

/// How far a row was behind the newest accepted time, given the watermark that it is tested against.
fn lateness(watermark: i64, delay: i64, time: i64) -> i64 {
    watermark.saturating_add(delay).saturating_sub(time)
}

#[cfg(test)]
mod tests;
