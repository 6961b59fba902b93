//! Adds the watermark to the rows of one input: what stands above every operator that uses event time.
//!
//! ```text
//!   rows in          rows out                            delay 5
//!   ts               ts   watermark of the rows before
//!   10               10   -infinity
//!   NULL             (left out, event Untimed)
//!   17               17   5
//!   12               12   12
//!   block ends       watermark 12, trail (5, row 0) (12, row 2)
//! ```
//!
//! Invariants: rows are judged one by one; where blocks end shows only in when a watermark is passed on,
//! never in its value or trail. One watermark follows every batch, also where it did not move, so that
//! whoever merges branches knows that a block is complete. Watermarks that are passed on never go back:
//! the first row alone passes none, because the second may still change places with it.

use std::sync::Arc;

use arrow::array::BooleanArray;

use super::time_column::Times;
use super::{Operator, Output, Watermark};
use crate::data::{Batch, Event, Position};
use crate::error::Result;
use crate::time::WatermarkState;

/// What to run: whose times move the watermark and how far it stays behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkSpec {
    /// The time column.
    pub time_column: usize,
    /// How far the watermark stays behind the newest time, in the unit of the column.
    pub delay: i64,
    /// The largest jump that is not held back, in the same unit; `None` holds none.
    pub max_jump: Option<i64>,
}

/// The running operator.
#[derive(Debug, Clone)]
pub struct WatermarkOperator {
    spec: WatermarkSpec,
    state: WatermarkState,
}

impl WatermarkOperator {
    /// An operator before its first row.
    pub fn new(spec: WatermarkSpec) -> Self {
        let state = WatermarkState::new(spec.delay, spec.max_jump);
        WatermarkOperator { spec, state }
    }

    /// The watermark between the last row and the next.
    pub fn state(&self) -> &WatermarkState {
        &self.state
    }

    /// Lets event time go on to the newest time and `passed` beyond, though no row came; the watermark then.
    pub fn go_on(&mut self, passed: i64) -> Option<i64> {
        self.state.newest()?;
        self.state.go_on(passed);
        Some(self.state.watermark())
    }

    /// What is passed on after a batch whose steps were `trail`.
    fn passed_on(&self, trail: Vec<(i64, Position)>) -> Watermark {
        if self.state.may_exchange() {
            return Watermark {
                time: i64::MIN,
                trail: Arc::from([]),
            };
        }
        Watermark {
            time: self.state.watermark(),
            trail: trail.into(),
        }
    }
}

impl Operator for WatermarkOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        let times = Times::of(&batch.columns, self.spec.time_column)?;
        let mut watermarks = Vec::with_capacity(batch.num_rows());
        let mut trail = Vec::new();
        let mut reached = self.state.watermark();
        if reached > i64::MIN {
            trail.push((reached, self.state.mover()));
        }
        let mut row = 0;
        while row < batch.num_rows() {
            // Most rows only move the watermark, if they do that.
            if times.nulls.is_none() {
                let (run, positions) = (&times.values[row..], &batch.positions[row..]);
                let state = &mut self.state;
                let taken = state.observe_run(run, positions, &mut watermarks, &mut trail);
                reached = trail.last().map_or(reached, |&(now, _)| reached.max(now));
                row += taken;
                if row == batch.num_rows() {
                    break;
                }
            }
            let position = batch.positions[row];
            let time = times.get(row);
            row += 1;
            let Some(time) = time else {
                out.event(Event::Untimed { position });
                continue;
            };
            let observed = self.state.observe(time, position);
            watermarks.push(observed.before);
            // Of an exchange the first row is held, and the second shows it.
            if let Some((_, time)) = observed.jump {
                out.event(Event::Jump { position, time });
            }
            if observed.exchanged {
                trail.clear();
                reached = i64::MIN;
            }
            let now = self.state.watermark();
            if now > reached {
                trail.push((now, position));
                reached = now;
            }
        }
        let mut timed = match &times.nulls {
            None => batch,
            Some(nulls) => batch.filter(&BooleanArray::new(nulls.inner().clone(), None))?,
        };
        timed.watermarks = Some(watermarks.into());
        out.batch(timed);
        out.watermark(self.passed_on(trail));
        Ok(())
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        // Event time is made here: of what comes from above only the end of the input means anything.
        if watermark.time == Watermark::END {
            out.watermark(Watermark::end());
        }
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}
