//! What each operator of a run did, for EXPLAIN ANALYZE: rows, late rows, time and state.
//!
//! ```text
//!   Graph::meter(clock) ─► Arc<Meters> ─► the graph and its shares add to them ─► whoever explains reads them
//! ```
//!
//! Invariants: a run without meters pays a comparison for each batch; with them, what comes out is the same.
//! Operators have no clock: time is measured around them, by a clock that is given.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::Output;
use crate::data::Event;

/// What one operator did.
#[derive(Debug, Default)]
pub struct Meter {
    rows_in: AtomicU64,
    rows_out: AtomicU64,
    late: AtomicU64,
    nanoseconds: AtomicU64,
    peak_bytes: AtomicUsize,
}

/// The same as plain numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Rows that it was given.
    pub rows_in: u64,
    /// Rows that it gave.
    pub rows_out: u64,
    /// Rows that it left out because they were late.
    pub late: u64,
    /// Time that it worked, on all threads together.
    pub time: Duration,
    /// The most bytes of state that it kept.
    pub peak_bytes: usize,
}

/// What all operators of a graph did.
#[derive(Debug)]
pub struct Meters {
    clock: fn() -> Duration,
    /// By number of the operator.
    pub(super) operators: Vec<Meter>,
    /// By number of the read.
    pub(super) reads: Vec<Meter>,
}

impl Meters {
    /// Those of so many operators and reads.
    pub(super) fn new(clock: fn() -> Duration, operators: usize, reads: usize) -> Self {
        let meters = |count: usize| (0..count).map(|_| Meter::default()).collect();
        Meters {
            clock,
            operators: meters(operators),
            reads: meters(reads),
        }
    }

    /// What the operator of that number did.
    pub fn operator(&self, number: usize) -> Measured {
        self.operators
            .get(number)
            .map(Meter::read)
            .unwrap_or_default()
    }

    /// What was read at that place.
    pub fn read(&self, number: usize) -> Measured {
        self.reads.get(number).map(Meter::read).unwrap_or_default()
    }

    /// Does some work of an operator and measures it.
    pub(super) fn measure<T>(&self, operator: usize, work: impl FnOnce() -> T) -> T {
        let began = (self.clock)();
        let done = work();
        let time = (self.clock)().saturating_sub(began);
        if let Some(meter) = self.operators.get(operator) {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            meter.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        }
        done
    }

    /// Counts what an operator made beyond the messages and events that were there before.
    pub(super) fn made(&self, operator: usize, out: &Output, messages: usize, events: usize) {
        let Some(meter) = self.operators.get(operator) else {
            return;
        };
        let rows = |message: &super::Message| match message {
            super::Message::Batch(batch) => batch.num_rows() as u64,
            super::Message::Watermark(_) => 0,
        };
        let rows: u64 = out.messages.iter().skip(messages).map(rows).sum();
        meter.rows_out.fetch_add(rows, Ordering::Relaxed);
        let is_late = |event: &&Event| matches!(event, Event::Late { .. });
        let late = out.events.iter().skip(events).filter(is_late).count();
        meter.late.fetch_add(late as u64, Ordering::Relaxed);
    }
}

/// Does some work of an operator, and measures it if there are meters.
pub(super) fn measured<T>(meters: Option<&Meters>, operator: usize, work: impl FnOnce() -> T) -> T {
    match meters {
        Some(meters) => meters.measure(operator, work),
        None => work(),
    }
}

impl Meter {
    /// Counts rows that it was given.
    pub(super) fn takes(&self, rows: usize) {
        self.rows_in.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Notes how many bytes of state it keeps.
    pub(super) fn keeps(&self, bytes: usize) {
        self.peak_bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    fn read(&self) -> Measured {
        Measured {
            rows_in: self.rows_in.load(Ordering::Relaxed),
            rows_out: self.rows_out.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
            peak_bytes: self.peak_bytes.load(Ordering::Relaxed),
        }
    }
}
