//! Which partial of a windowed GROUP BY a row belongs to: its slice, and the first of its windows that is open.
//!
//! ```text
//!  HOP slide 2, size 4, watermark 2 before all rows
//!  rows of a batch    time 1   time 3   time 1   time −9
//!  chosen             (slice 0, window ends at 4): rows 0, 2
//!                     (slice 2, window ends at 4): row 1            row 3 is late
//! ```
//!
//! Invariants: what is chosen for a row depends on its time and its watermark alone (or on the windows that
//! it carries), so batches may be sorted on any thread, in any order. The windows of a partial are all open
//! windows of its slice: the same wherever the partial comes up.

use super::aggregate::{WindowAggregateSpec, WindowSource};
use super::lateness;
use crate::data::{Batch, Event};
use crate::error::Result;
use crate::exec::Output;
use crate::exec::time_column::Times;
use crate::time::{WindowAssigner, is_closed};

/// The start of a slice, the end of the first window that was open. For attached windows start and end.
pub(super) type PartialKey = (i64, i64);

/// The rows of a batch that belong to one partial.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) key: PartialKey,
    /// The windows of the partial as (end, start), by rising end.
    pub(super) windows: Vec<(i64, i64)>,
    /// The numbers of the rows, rising.
    pub(super) rows: Vec<u32>,
}

/// Where rows go: found once, it holds for all rows of the slice under much the same watermark.
#[derive(Debug, Clone, Copy)]
struct Target {
    /// Times in `[from, to)` …
    from: i64,
    to: i64,
    /// … under watermarks in `[low, high)`.
    low: i64,
    high: i64,
    /// The entry in `Choice::chosen`; `None` for late rows.
    entry: Option<usize>,
    /// Some windows were closed.
    partly_late: bool,
}

/// Sorts the rows of batches by partial.
#[derive(Debug)]
pub(super) struct Chooser {
    source: WindowSource,
    delay: i64,
    assigner: Option<WindowAssigner>,
}

/// The choice for a batch under construction.
#[derive(Default)]
struct Choice {
    recent: Vec<Target>,
    chosen: Vec<Chosen>,
    entries: hashbrown::HashMap<PartialKey, usize, foldhash::fast::FixedState>,
    windows: Vec<(i64, i64)>,
}

impl Choice {
    fn recall(&self, time: i64, watermark: i64) -> Option<Target> {
        let holds = |target: &&Target| {
            (target.from <= time && time < target.to)
                && (target.low <= watermark && watermark < target.high)
        };
        self.recent.iter().rev().find(holds).copied()
    }

    fn remember(&mut self, target: Target) {
        // Rows come nearly in order: a few slices are in use at a time.
        const RECENT: usize = 4;
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(target);
    }

    /// The entry of a partial whose windows are `windows`, given as (start, end).
    fn entry(&mut self, key: PartialKey, windows: &[(i64, i64)]) -> usize {
        *self.entries.entry(key).or_insert_with(|| {
            self.chosen.push(Chosen {
                key,
                windows: windows.iter().map(|&(start, end)| (end, start)).collect(),
                rows: Vec::new(),
            });
            self.chosen.len() - 1
        })
    }

    /// Finds the slice of a time and the first of its windows that is open.
    fn find_target(&mut self, assigner: &WindowAssigner, time: i64, watermark: i64) -> Target {
        let (from, to) = assigner.slice_of(time);
        let mut windows = std::mem::take(&mut self.windows);
        windows.clear();
        assigner.windows_of(time, &mut windows);
        let closed = windows.partition_point(|&(_, end)| is_closed(end, watermark));
        let low = match closed.checked_sub(1) {
            Some(last) => windows[last].1.saturating_sub(1),
            None => i64::MIN,
        };
        let mut target = Target {
            from,
            to,
            low,
            high: i64::MAX,
            entry: None,
            partly_late: closed > 0,
        };
        if let Some(&(_, first_end)) = windows.get(closed) {
            target.high = first_end.saturating_sub(1);
            target.entry = Some(self.entry((from, first_end), &windows[closed..]));
        }
        self.windows = windows;
        self.remember(target);
        target
    }
}

impl Chooser {
    /// A chooser for the windows of `spec`.
    ///
    /// # Errors
    /// Windows that cannot be had in the unit (see [`WindowAssigner::new`]).
    pub(super) fn new(spec: &WindowAggregateSpec) -> Result<Self> {
        let assigner = match &spec.source {
            WindowSource::Assigned {
                window, unit, zone, ..
            } => Some(WindowAssigner::new(window, *unit, *zone)?),
            WindowSource::Attached { .. } => None,
        };
        Ok(Chooser {
            source: spec.source.clone(),
            delay: spec.delay,
            assigner,
        })
    }

    /// The windows, where rows do not carry theirs.
    pub(super) fn assigner(&self) -> Option<&WindowAssigner> {
        self.assigner.as_ref()
    }

    /// Sorts the rows of a batch by partial and reports those that are late. Rows without a watermark of their
    /// own, below another window operator, have `watermark` before them.
    pub(super) fn choose(
        &self,
        batch: &Batch,
        watermark: i64,
        out: &mut Output,
    ) -> Result<Vec<Chosen>> {
        let watermark_of = |row: usize| {
            (batch.watermarks.as_ref()).map_or(watermark, |watermarks| watermarks[row])
        };
        match (&self.source, &self.assigner) {
            (WindowSource::Assigned { time_column, .. }, Some(assigner)) => {
                self.by_time(batch, assigner, *time_column, watermark_of, out)
            }
            (
                &WindowSource::Attached {
                    start_column,
                    end_column,
                    time_column,
                },
                _,
            ) => {
                let bounds = (start_column, end_column);
                self.by_columns(batch, bounds, time_column, watermark_of, out)
            }
            (WindowSource::Assigned { .. }, None) => Ok(Vec::new()),
        }
    }

    /// From the times of the rows.
    fn by_time(
        &self,
        batch: &Batch,
        assigner: &WindowAssigner,
        time_column: usize,
        watermark_of: impl Fn(usize) -> i64,
        out: &mut Output,
    ) -> Result<Vec<Chosen>> {
        let times = Times::of(&batch.columns, time_column)?;
        let mut choice = Choice::default();
        for (row, &position) in batch.positions.iter().enumerate() {
            let Some(time) = times.get(row) else {
                out.event(Event::Untimed { position });
                continue;
            };
            let watermark = watermark_of(row);
            let target = match choice.recall(time, watermark) {
                Some(target) => target,
                None => choice.find_target(assigner, time, watermark),
            };
            let Some(entry) = target.entry else {
                let mut windows = Vec::new();
                assigner.windows_of(time, &mut windows);
                out.event(Event::Late {
                    position,
                    time,
                    watermark,
                    lateness: lateness(watermark, self.delay, time),
                    windows,
                });
                continue;
            };
            if target.partly_late {
                out.event(Event::PartlyLate {
                    position,
                    lateness: lateness(watermark, self.delay, time),
                });
            }
            choice.chosen[entry].rows.push(row as u32);
        }
        Ok(choice.chosen)
    }

    /// From the windows that the rows carry.
    fn by_columns(
        &self,
        batch: &Batch,
        (start_column, end_column): (usize, usize),
        time_column: Option<usize>,
        watermark_of: impl Fn(usize) -> i64,
        out: &mut Output,
    ) -> Result<Vec<Chosen>> {
        let starts = Times::of(&batch.columns, start_column)?;
        let ends = Times::of(&batch.columns, end_column)?;
        let times = time_column
            .map(|column| Times::of(&batch.columns, column))
            .transpose()?;
        let mut choice = Choice::default();
        let mut first = 0;
        while first < batch.num_rows() {
            // The copies of an input row in its windows follow each other.
            let position = batch.positions[first];
            let copies = batch.positions[first..]
                .iter()
                .take_while(|&&p| p == position);
            let behind = first + copies.count();
            let mut closed = Vec::new();
            let mut late = None;
            for row in first..behind {
                let (Some(start), Some(end)) = (starts.get(row), ends.get(row)) else {
                    out.event(Event::Untimed { position });
                    continue;
                };
                let watermark = watermark_of(row);
                if is_closed(end, watermark) {
                    let time = times.as_ref().and_then(|times| times.get(row));
                    late = Some((time.unwrap_or(end.saturating_sub(1)), watermark));
                    closed.push((start, end));
                    continue;
                }
                let entry = choice.entry((start, end), &[(start, end)]);
                choice.chosen[entry].rows.push(row as u32);
            }
            if let Some((time, watermark)) = late {
                let lateness = lateness(watermark, self.delay, time);
                out.event(if closed.len() == behind - first {
                    Event::Late {
                        position,
                        time,
                        watermark,
                        lateness,
                        windows: closed,
                    }
                } else {
                    Event::PartlyLate { position, lateness }
                });
            }
            first = behind;
        }
        Ok(choice.chosen)
    }
}
