//! One source of a query as the loop sees it: steps of prepared rows, in the order of their records.
//!
//! ```text
//!   files ─► blocks ──── decode, compute ────► watermark ──── filter, project, gather ────► step
//!            in order    any thread            in order       any thread                    in order
//! ```
//!
//! The thread of the loop brings blocks itself while no step is ready. What comes in large blocks is shared
//! with the other threads; what comes in small pieces is done at once, and nobody is woken.
//!
//! Invariant: steps come in the order of blocks, and what is in them does not depend on threads.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::pipeline::{Pipeline, Taken, Work};
use super::quiet::{Closing, Quiet};
use super::reader::{Input, Patience};
use super::records::Records;
use super::timeline::{RowPlan, Step, Timeline};
use super::wait::{Idle, Waiter};
use super::workers::Workers;
use crate::error::Result;
use crate::exec::Watermark;
use crate::exec::parallel::Ahead;
use crate::plan::SourcePlan;
use crate::time;

/// Blocks of less than this share of a full one are not worth another thread.
const SMALL_SHARE: usize = 16;

/// A source that is being read.
pub(super) struct Source {
    pipeline: Arc<Pipeline>,
    has_watermark: bool,
    /// The last watermark that was given.
    last: i64,
    /// How far that stays behind the clock, where the clock is event time.
    behind_clock: Option<i64>,
    /// How long nothing has come, if that means something.
    quiet: Option<Quiet>,
}

/// Event time that went on without a row.
pub(super) struct WentOn {
    pub(super) watermark: Watermark,
    /// The newest time of a row.
    pub(super) newest: i64,
    /// The source has just gone quiet.
    pub(super) begins: bool,
    /// For the first time.
    pub(super) is_first: bool,
}

/// What a source gives.
pub(super) enum Given {
    Step(Step),
    End,
    Stop,
    /// Nothing came until the alarm.
    Alarm,
    /// Nothing is there, and it may not wait.
    Nothing,
}

impl Source {
    /// The source of that number, to be read by `threads`.
    pub(super) fn new(
        number: u16,
        plan: &SourcePlan,
        input: Input,
        ahead: Arc<Ahead>,
        threads: usize,
        waiter: &mut Waiter<'_>,
    ) -> Result<Self> {
        let small_bytes = input.block_bytes / SMALL_SHARE;
        let records = Records::new(input, waiter)?;
        let (rows, timeline) = (RowPlan::new(plan), Timeline::new(number, plan));
        let pipeline = Pipeline::new(rows, ahead, timeline, records, small_bytes, threads);
        Ok(Source {
            pipeline: Arc::new(pipeline),
            has_watermark: plan.watermark.is_some(),
            last: i64::MIN,
            behind_clock: (plan.watermark.as_ref())
                .filter(|_| plan.reads_clock_as_time())
                .map(|watermark| watermark.delay),
            quiet: Quiet::of(plan, time::elapsed()),
        })
    }

    /// The last watermark; that of a source without event time stays at the beginning.
    pub(super) fn watermark(&self) -> i64 {
        self.last
    }

    /// The watermark of the clock, if that is event time and has come further: nothing that was read before
    /// `now`, in microseconds since 1970, is still to come.
    pub(super) fn pass_time(&mut self, now: i64) -> Option<Watermark> {
        let behind = self.behind_clock?;
        let time = self.pipeline.arrive(now)?.saturating_sub(behind);
        if time <= self.last {
            return None;
        }
        self.last = time;
        Some(Watermark {
            time,
            ..Watermark::default()
        })
    }

    /// Event time as it has gone on because nothing came for so long.
    pub(super) fn go_on(&mut self) -> Option<WentOn> {
        let quiet = self.quiet.as_mut()?;
        let passed = quiet.passed(time::elapsed())?;
        let (newest, time) = self.pipeline.go_on(passed)?;
        if time <= self.last {
            return None;
        }
        self.last = time;
        let (begins, is_first) = quiet.went_on();
        Some(WentOn {
            watermark: Watermark {
                time,
                ..Watermark::default()
            },
            newest,
            begins,
            is_first,
        })
    }

    /// After how long event time goes on though nothing comes, if it does.
    pub(super) fn next_quiet(&self, closing: impl FnOnce() -> Closing) -> Option<Duration> {
        let quiet = self.quiet.as_ref()?;
        Some(quiet.alarm(time::elapsed(), self.last, closing()))
    }

    /// True if event time goes on with the clock.
    pub(super) fn goes_by_clock(&self) -> bool {
        self.behind_clock.is_some()
    }

    /// What is read.
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.pipeline.records()
    }

    /// The next rows. Waiting for them, if it may, ends with the alarm of `waiter`.
    pub(super) fn next(
        &mut self,
        workers: &Workers,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
        may_wait: bool,
    ) -> Result<Given> {
        loop {
            if waiter.stopped().is_some() {
                return Ok(Given::Stop);
            }
            match self.pipeline.take() {
                Taken::Step(mut step) => {
                    if let Some(quiet) = &mut self.quiet {
                        quiet.heard(time::elapsed());
                    }
                    if self.has_watermark {
                        // The clock may have come further while nothing was read.
                        if self.behind_clock.is_some() {
                            step.watermark.time = step.watermark.time.max(self.last);
                        }
                        self.last = step.watermark.time;
                    }
                    // There is room for another block.
                    self.share(workers);
                    return Ok(Given::Step(step));
                }
                Taken::End(end) => return end.map(|()| Given::End),
                Taken::NotYet => {}
            }
            let patience: Patience<'_> = match may_wait {
                true => Some(&mut *idle),
                false => None,
            };
            match self.pipeline.find_work(waiter, patience) {
                Work::Begun(begun) => {
                    self.share(workers);
                    self.pipeline.advance(begun);
                }
                Work::Timed(timed) => self.pipeline.prepare(timed),
                Work::Nothing if !may_wait && self.pipeline.is_empty() => {
                    return Ok(Given::Nothing);
                }
                Work::Nothing if waiter.has_rung() && self.pipeline.is_empty() => {
                    return Ok(Given::Alarm);
                }
                Work::Nothing => self.pipeline.wait(),
                Work::Stop => return Ok(Given::Stop),
            }
        }
    }

    /// Has other threads help, as many as find something to do.
    fn share(&self, workers: &Workers) {
        while self.pipeline.hires(workers.count() - 1) {
            let pipeline = Arc::clone(&self.pipeline);
            workers.repeat(move || pipeline.help());
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.pipeline.close();
    }
}
