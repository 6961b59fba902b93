//! The operators that a running query is made of, and the contract between them.
//!
//! ```text
//!            Message::Batch, Message::Watermark
//!  source ──► watermark ──► filter ──► window aggregate ──► project ──► sort ──► result
//!                 │                         │
//!                 └──── Event (jump, …) ────┴── Event (late, …) ──► runtime: counters, --late, --rejects
//! ```
//!
//! The order of calls: any number of `on_batch` and `on_watermark`, in the order in which things happened;
//! the last call is `on_watermark` with [`Watermark::END`], which is the end of all inputs. An operator
//! passes a watermark on after the rows that it caused; whoever has several inputs gets the minimum of
//! their watermarks (the frame around an operator takes it).
//!
//! Invariants: pure. No I/O, no clock, no threads, no SQL: time arrives as a message, so every test of an
//! operator is a script and every run can be repeated. How rows are cut into batches changes nothing.
//! DataFusion appears only in `expression/` (scalar functions) and `aggregate/` (accumulators).
//!
//! To add an operator: a file with its spec (what to run: plain data, printable) and its running type, a
//! variant of `plan::StreamPlan`, and the arms that the compiler asks for.

use std::sync::Arc;

use crate::data::{Batch, Event, Position};
use crate::error::Result;
use parallel::Parallel;

pub mod aggregate;
pub mod expression;
pub mod filter;
pub mod graph;
pub mod group;
mod grouped;
pub mod keys;
pub mod limit;
pub mod meter;
pub mod parallel;
pub mod project;
pub mod sort;
mod time_column;
pub mod union;
pub mod watermark;
pub mod window;

/// A running operator.
pub trait Operator: Send {
    /// Takes rows of the input numbered `input` (0 for all but unions).
    fn on_batch(&mut self, input: usize, batch: Batch, out: &mut Output) -> Result<()>;

    /// Takes the news that event time has passed `watermark`: emits what that completes, then passes it on.
    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        out.watermark(watermark.clone());
        Ok(())
    }

    /// What of its work any thread may do.
    fn parallel(&mut self) -> Parallel<'_> {
        Parallel::Nothing
    }

    /// The row with which the operator has given all that it will ever give; `None` for all but limits.
    fn finished(&self) -> Option<Position> {
        None
    }

    /// Windows or groups that have rows and have not come out.
    fn open_windows(&self) -> usize {
        0
    }

    /// The end of the window that closes next, in the unit of its times; `None` if it is not known.
    fn next_end(&self) -> Option<i64> {
        None
    }

    /// Bytes of state that the operator keeps between calls.
    fn size_bytes(&self) -> usize {
        0
    }

    /// The same operator in the same state once more.
    fn copy(&self) -> Box<dyn Operator>;
}

impl Clone for Box<dyn Operator> {
    fn clone(&self) -> Self {
        self.copy()
    }
}

/// What flows between operators.
#[derive(Debug, Clone)]
pub enum Message {
    /// Rows.
    Batch(Batch),
    /// Event time has passed this point: what the windows behind it hold is complete.
    Watermark(Watermark),
}

/// A point of event time, and which rows moved it there.
#[derive(Debug, Clone, PartialEq)]
pub struct Watermark {
    /// In the unit of the time column; `i64::MAX` is the end of the input, `i64::MIN` the beginning.
    pub time: i64,
    /// The steps of the way, for the question which row closed a window: (watermark, position of the row
    /// that moved it there), both strictly rising. May begin anywhere; empty at the end of the input.
    pub trail: Arc<[(i64, Position)]>,
}

impl Default for Watermark {
    /// The beginning.
    fn default() -> Self {
        Watermark {
            time: i64::MIN,
            trail: Arc::from([]),
        }
    }
}

impl Watermark {
    /// The time of the last watermark: the end of all input.
    pub const END: i64 = i64::MAX;

    /// The last watermark.
    pub fn end() -> Self {
        Watermark {
            time: Watermark::END,
            trail: Arc::from([]),
        }
    }

    /// The position of the row that moved the watermark to `time` or beyond it; `Position::MAX` where the
    /// end of the input did.
    pub fn caused_by(&self, time: i64) -> Position {
        let step = self.trail.partition_point(|(reached, _)| *reached < time);
        self.trail.get(step).map_or(Position::MAX, |(_, row)| *row)
    }
}

/// Where an operator puts what it makes; the frame takes it from there.
#[derive(Debug, Default)]
pub struct Output {
    /// For the operators below, in order.
    pub messages: Vec<Message>,
    /// For the runtime.
    pub events: Vec<Event>,
}

impl Output {
    /// Emits rows; an empty batch is dropped.
    pub fn batch(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.messages.push(Message::Batch(batch));
        }
    }

    /// Passes a watermark on.
    pub fn watermark(&mut self, watermark: Watermark) {
        self.messages.push(Message::Watermark(watermark));
    }

    /// Reports what happened to a row.
    pub fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}
