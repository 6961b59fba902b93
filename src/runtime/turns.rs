//! Which of several sources is read next.
//!
//! ```text
//!   all of them end      the one that is furthest behind in event time; without event time one after the other
//!   one is endless       those that have something, in turn; then all of them are waited for at once
//! ```
//!
//! Invariant: where all sources end, their order depends on their rows alone.

use std::sync::MutexGuard;

use super::records::Records;
use super::source::Source;
use super::wait::{Awaited, Idle, ReadyOnes, Waiter, Woken};
use crate::error::Result;
use crate::plan::SourcePlan;

/// Who is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The source of that number, and whether it may make us wait.
    Of(usize, bool),
    /// None has anything: all are waited for.
    OfNone,
}

impl Turn {
    /// True if it may be found out that a source has nothing for now.
    pub(super) fn may_wait_for(self, number: usize) -> bool {
        match self {
            Turn::Of(of, may_wait) => of == number && may_wait,
            Turn::OfNone => true,
        }
    }
}

/// The order of sources.
pub(super) struct Turns {
    has_endless: bool,
    /// Per source: when it last gave something, as `given` counts.
    last_given: Vec<u64>,
    given: u64,
    /// Per source: it has nothing, since the others gave something.
    is_dry: Vec<bool>,
}

impl Turns {
    pub(super) fn new(plans: &[SourcePlan]) -> Self {
        Turns {
            has_endless: plans.len() > 1 && plans.iter().any(|plan| plan.table.endless),
            last_given: vec![0; plans.len()],
            given: 0,
            is_dry: vec![false; plans.len()],
        }
    }

    /// Whose turn it is; `None` if all have ended.
    pub(super) fn next(&self, sources: &[Option<Source>]) -> Option<Turn> {
        if !self.has_endless {
            return furthest_behind(sources).map(|number| Turn::Of(number, true));
        }
        let mut open = (0..sources.len()).filter(|number| sources[*number].is_some());
        let first = open.next()?;
        let mut all = std::iter::once(first).chain(open.clone());
        if open.next().is_none() {
            return Some(Turn::Of(first, true));
        }
        let turns = all.by_ref().filter(|number| !self.is_dry[*number]);
        let next = turns.min_by_key(|number| (self.last_given[*number], *number));
        Some(next.map_or(Turn::OfNone, |number| Turn::Of(number, false)))
    }

    /// A source gave something, and others may have got something meanwhile.
    pub(super) fn gave(&mut self, number: usize) {
        self.given += 1;
        self.last_given[number] = self.given;
        self.begin_anew();
    }

    /// A source has nothing for now.
    pub(super) fn gave_nothing(&mut self, number: usize) {
        self.is_dry[number] = true;
    }

    /// Any of them may have something.
    pub(super) fn begin_anew(&mut self) {
        if self.has_endless {
            self.is_dry.fill(false);
        }
    }
}

/// The source that is furthest behind in event time; without event time one after the other.
pub(super) fn furthest_behind(sources: &[Option<Source>]) -> Option<usize> {
    let open = sources.iter().enumerate();
    let open = open.filter_map(|(number, source)| Some((source.as_ref()?.watermark(), number)));
    open.min().map(|(_, number)| number)
}

/// Waits until one of several sources has something, or for another reason.
///
/// # Errors
/// Those of `idle`, and of the system.
pub(super) fn wait_for_any(
    sources: &mut [Option<Source>],
    waiter: &mut Waiter<'_>,
    idle: &mut dyn FnMut(Idle) -> Result<()>,
) -> Result<Woken<ReadyOnes>> {
    let open = sources.iter().flatten();
    let mut records: Vec<MutexGuard<'_, Records>> = open.map(Source::records).collect();
    for records in &mut records {
        records.tell(idle)?;
    }
    let mut all = Awaited::default();
    for records in &records {
        records.await_too(&mut all);
    }
    waiter.wait_any(&all, idle)
}
