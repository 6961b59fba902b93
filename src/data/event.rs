//! What happens to a row besides being counted: it was late, had no time, failed an expression, jumped.
//!
//! Operators report events with the position of the row and go on; the runtime commits them in arrival
//! order, so that counters, `--late` and `--rejects` are the same however the input was cut.

use std::sync::Arc;

use super::Position;

/// Something that happened to the row at `position`. Times are in the unit of the time column.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Every window of the row was closed: the row was left out.
    Late {
        /// The row.
        position: Position,
        /// Its time.
        time: i64,
        /// The watermark that it was tested against.
        watermark: i64,
        /// How far the row was behind the newest accepted time.
        lateness: i64,
        /// The windows it belongs to, `[start, end)`.
        windows: Vec<(i64, i64)>,
    },
    /// Some of the row's windows were closed: it counts in the others.
    PartlyLate {
        /// The row.
        position: Position,
        /// How far the row was behind the newest accepted time.
        lateness: i64,
    },
    /// The row has no time, or one that cannot be read: it took no part.
    Untimed {
        /// The row.
        position: Position,
    },
    /// A time was too far ahead of all others and was held back from the watermark.
    Jump {
        /// The row that showed it: the row of that time, or the second row where that was the first.
        position: Position,
        /// The time.
        time: i64,
    },
    /// Count windows were not full at the end of the input: their rows are in no result.
    Unfilled {
        /// The end.
        position: Position,
        /// Rows that no window took.
        rows: u64,
        /// The windows that they stood in, of different keys.
        windows: u64,
    },
    /// An expression had no value for the row and gave NULL.
    ExpressionError {
        /// The row.
        position: Position,
        /// What failed, in words such as ``division by zero``; shared by all rows.
        what: Arc<str>,
    },
}

impl Event {
    /// The row that the event happened to.
    pub fn position(&self) -> Position {
        match self {
            Event::Late { position, .. }
            | Event::PartlyLate { position, .. }
            | Event::Untimed { position }
            | Event::Jump { position, .. }
            | Event::Unfilled { position, .. }
            | Event::ExpressionError { position, .. } => *position,
        }
    }
}
