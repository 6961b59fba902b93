//! GROUP BY over windows of event time: every row updates one slice, a window merges its slices at closing.
//!
//! ```text
//!  HOP slide 2, size 4     0     2     4     6     8
//!  windows                 [───────────)                     closed at watermark 3
//!                                [───────────)               the first open one at watermark 4
//!                                      [───────────)
//!  slices                  [ A  )[  B  )[  C  )
//!
//!  row at 1, watermark 2:  partial (A, first open window ends at 4)
//!  row at 3, watermark 4:  partial (B, first open window ends at 6): its window [0, 4) is closed without it
//! ```
//!
//! A *partial* holds the rows of a slice that found the same windows closed, so it depends on the rows
//! alone. A window that ends at `e` is the merge of the partials of its slices whose first open window ends
//! at or before `e`. Of CUMULATE windows the merge replaces its parts: all later windows hold them too.
//!
//! Invariants: a window comes out once. A row none of whose windows is open is late and changes nothing. A
//! partial goes when its last window closes.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, SchemaRef};

use super::{MAX_ROWS, ResultRows, lateness};
use crate::data::{Batch, Event, Position};
use crate::error::Result;
use crate::exec::aggregate::AggregateSpec;
use crate::exec::grouped::Grouped;
use crate::exec::time_column::{Times, time_array};
use crate::exec::{Operator, Output, Watermark};
use crate::time::{Unit, WindowAssigner, WindowSpec, Zone, is_closed};

/// Where the windows of a row come from.
#[derive(Debug, Clone)]
pub enum WindowSource {
    /// From its time.
    Assigned {
        /// The windows.
        window: WindowSpec,
        /// The time column.
        time_column: usize,
        /// The unit of the time column.
        unit: Unit,
        /// The local clock of instants; `None` for wall-clock times.
        zone: Option<Zone>,
    },
    /// From columns that it already has.
    Attached {
        /// `window_start`.
        start_column: usize,
        /// `window_end`.
        end_column: usize,
        /// The time column of the rows, for their lateness; without it `window_end` - 1 unit counts.
        time_column: Option<usize>,
    },
}

/// What to run: a GROUP BY over windows.
#[derive(Debug, Clone)]
pub struct WindowAggregateSpec {
    /// The windows.
    pub source: WindowSource,
    /// How far the watermark stays behind the newest time, for the lateness that is reported.
    pub delay: i64,
    /// The input columns to group by, besides the window.
    pub keys: Vec<usize>,
    /// The fields of the keys in the input.
    pub key_fields: Vec<FieldRef>,
    /// The aggregate calls.
    pub aggregates: Vec<AggregateSpec>,
    /// The output: `window_start`, `window_end`, `window_time`, keys, aggregates.
    pub schema: SchemaRef,
}

/// The running operator.
pub struct WindowAggregateOperator {
    spec: WindowAggregateSpec,
    assigner: Option<WindowAssigner>,
    partials: BTreeMap<PartialKey, Partial>,
    /// The windows with rows that are still to come out, as (end, start).
    open: BTreeSet<(i64, i64)>,
    /// The last watermark that came as a message.
    watermark: i64,
    arrived: u64,
    choice: Choice,
}

/// The start of a slice, the end of the first window that was open. For attached windows start and end.
type PartialKey = (i64, i64);

struct Partial {
    groups: Grouped,
    /// The last window that holds the partial, as (end, start).
    last_window: (i64, i64),
}

/// Where rows of a batch go: found once, it holds for all rows of the slice under much the same watermark.
#[derive(Debug, Clone, Copy)]
struct Target {
    /// Times in `[from, to)` …
    from: i64,
    to: i64,
    /// … under watermarks in `[low, high)`.
    low: i64,
    high: i64,
    /// The entry in `Choice::rows`; `None` for late rows.
    entry: Option<usize>,
    /// Some windows were closed.
    partly_late: bool,
}

/// The rows of one batch by partial; kept only for its memory.
#[derive(Default)]
struct Choice {
    recent: Vec<Target>,
    rows: Vec<(PartialKey, Vec<u32>)>,
    entries: hashbrown::HashMap<PartialKey, usize, foldhash::fast::FixedState>,
    windows: Vec<(i64, i64)>,
}

impl Choice {
    fn clear(&mut self) {
        self.recent.clear();
        self.rows.clear();
        self.entries.clear();
    }

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

    fn entry(&mut self, key: PartialKey) -> usize {
        *self.entries.entry(key).or_insert_with(|| {
            self.rows.push((key, Vec::new()));
            self.rows.len() - 1
        })
    }
}

impl WindowAggregateOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// Windows that cannot be had in the unit (see [`WindowAssigner::new`]).
    pub fn new(spec: WindowAggregateSpec) -> Result<Self> {
        let assigner = match &spec.source {
            WindowSource::Assigned {
                window, unit, zone, ..
            } => Some(WindowAssigner::new(window, *unit, *zone)?),
            WindowSource::Attached { .. } => None,
        };
        Ok(WindowAggregateOperator {
            spec,
            assigner,
            partials: BTreeMap::new(),
            open: BTreeSet::new(),
            watermark: i64::MIN,
            arrived: 0,
            choice: Choice::default(),
        })
    }

    /// Sorts the rows of a batch by partial, from their times.
    fn choose_by_time(
        &mut self,
        batch: &Batch,
        assigner: &WindowAssigner,
        time_column: usize,
        out: &mut Output,
    ) -> Result<()> {
        let times = Times::of(&batch.columns, time_column)?;
        for (row, &position) in batch.positions.iter().enumerate() {
            let Some(time) = times.get(row) else {
                out.event(Event::Untimed { position });
                continue;
            };
            let watermark = self.watermark_of(batch, row);
            let target = match self.choice.recall(time, watermark) {
                Some(target) => target,
                None => self.find_target(assigner, time, watermark)?,
            };
            let Some(entry) = target.entry else {
                let mut windows = Vec::new();
                assigner.windows_of(time, &mut windows);
                out.event(Event::Late {
                    position,
                    time,
                    watermark,
                    lateness: lateness(watermark, self.spec.delay, time),
                    windows,
                });
                continue;
            };
            if target.partly_late {
                out.event(Event::PartlyLate {
                    position,
                    lateness: lateness(watermark, self.spec.delay, time),
                });
            }
            self.choice.rows[entry].1.push(row as u32);
        }
        Ok(())
    }

    /// Finds the slice of a time and the first of its windows that is open; opens them.
    fn find_target(
        &mut self,
        assigner: &WindowAssigner,
        time: i64,
        watermark: i64,
    ) -> Result<Target> {
        let (from, to) = assigner.slice_of(time);
        let mut windows = std::mem::take(&mut self.choice.windows);
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
        if let (Some(&(_, first_end)), Some(&(last_start, last_end))) =
            (windows.get(closed), windows.last())
        {
            let key = (from, first_end);
            target.high = first_end.saturating_sub(1);
            target.entry = Some(self.choice.entry(key));
            self.open_partial(key, (last_end, last_start), &windows[closed..])?;
        }
        self.choice.windows = windows;
        self.choice.remember(target);
        Ok(target)
    }

    fn open_partial(
        &mut self,
        key: PartialKey,
        last_window: (i64, i64),
        windows: &[(i64, i64)],
    ) -> Result<()> {
        if !self.partials.contains_key(&key) {
            let groups = Grouped::new(&self.spec.key_fields, &self.spec.aggregates)?;
            let partial = Partial {
                groups,
                last_window,
            };
            self.partials.insert(key, partial);
            self.open
                .extend(windows.iter().map(|&(start, end)| (end, start)));
        }
        Ok(())
    }

    /// Sorts the rows of a batch by partial, from the windows that they carry.
    fn choose_by_columns(
        &mut self,
        batch: &Batch,
        columns: (usize, usize),
        time_column: Option<usize>,
        out: &mut Output,
    ) -> Result<()> {
        let starts = Times::of(&batch.columns, columns.0)?;
        let ends = Times::of(&batch.columns, columns.1)?;
        let times = time_column
            .map(|column| Times::of(&batch.columns, column))
            .transpose()?;
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
                let watermark = self.watermark_of(batch, row);
                if is_closed(end, watermark) {
                    let time = times.as_ref().and_then(|times| times.get(row));
                    late = Some((time.unwrap_or(end.saturating_sub(1)), watermark));
                    closed.push((start, end));
                    continue;
                }
                let key = (start, end);
                self.open_partial(key, (end, start), &[key])?;
                let entry = self.choice.entry(key);
                self.choice.rows[entry].1.push(row as u32);
            }
            if let Some((time, watermark)) = late {
                let lateness = lateness(watermark, self.spec.delay, time);
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
        Ok(())
    }

    /// The watermark of the rows before a row. Below another window operator it is the last that came.
    fn watermark_of(&self, batch: &Batch, row: usize) -> i64 {
        (batch.watermarks.as_ref()).map_or(self.watermark, |watermarks| watermarks[row])
    }

    /// Adds the chosen rows of a batch to their partials.
    fn update(&mut self, batch: &Batch) -> Result<()> {
        let (aggregates, keys) = (&self.spec.aggregates, &self.spec.keys);
        for (key, rows) in &self.choice.rows {
            let (Some(partial), Some(&first), Some(&last)) =
                (self.partials.get_mut(key), rows.first(), rows.last())
            else {
                continue;
            };
            let arrived = self.arrived;
            let groups = &mut partial.groups;
            if (last - first) as usize + 1 == rows.len() {
                let part = batch.slice(first as usize, rows.len());
                let arrival = |row| arrived + u64::from(first) + row as u64;
                groups.update(aggregates, keys, &part, arrival)?;
            } else {
                let arrival = |row: usize| arrived + u64::from(rows[row]);
                groups.update(aggregates, keys, &batch.take(rows)?, arrival)?;
            }
        }
        self.arrived += batch.num_rows() as u64;
        Ok(())
    }

    /// Emits a window, and frees what no later one needs.
    fn close(
        &mut self,
        (end, start): (i64, i64),
        position: Position,
        rows: &mut ResultRows,
        out: &mut Output,
    ) -> Result<()> {
        let members = self.members(start, end);
        let merged = match members.as_slice() {
            [_] => None,
            _ => {
                let mut merged = Grouped::new(&self.spec.key_fields, &self.spec.aggregates)?;
                for key in &members {
                    merged.merge(&self.partials[key].groups)?;
                }
                Some(merged)
            }
        };
        let groups = match (&merged, members.first()) {
            (Some(merged), _) => merged,
            (None, Some(only)) => &self.partials[only].groups,
            (None, None) => return Ok(()),
        };
        let bounds = [start, end, end.saturating_sub(1)];
        for ids in groups.in_order().chunks(MAX_ROWS) {
            let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.spec.schema.fields().len());
            for (bound, field) in bounds.iter().zip(self.spec.schema.fields()) {
                columns.push(time_array(vec![*bound; ids.len()], field.data_type())?);
            }
            columns.extend(groups.columns(&self.spec.aggregates, ids, position, out)?);
            rows.add(columns, ids.iter().map(|_| position), out)?;
        }
        self.free((end, start), &members, merged)
    }

    /// The partials that a window is made of.
    fn members(&self, start: i64, end: i64) -> Vec<PartialKey> {
        if self.assigner.is_none() {
            return vec![(start, end)];
        }
        let slices = self.partials.range((start, i64::MIN)..(end, i64::MIN));
        slices
            .map(|(key, _)| *key)
            .filter(|key| key.1 <= end)
            .collect()
    }

    /// Drops the partials whose last window was `window`; folds the others of a CUMULATE into one.
    fn free(
        &mut self,
        window: (i64, i64),
        members: &[PartialKey],
        merged: Option<Grouped>,
    ) -> Result<()> {
        let cumulative = (self.assigner.as_ref()).filter(|assigner| assigner.is_cumulative());
        let mut folded = None;
        for key in members {
            let last_window = self.partials[key].last_window;
            if last_window == window || cumulative.is_some() {
                let partial = self.partials.remove(key);
                if last_window != window {
                    folded = partial.or(folded);
                }
            }
        }
        let (Some(assigner), Some(mut folded)) = (cumulative, folded) else {
            return Ok(());
        };
        if let Some(merged) = merged {
            folded.groups = merged;
        }
        let (end, start) = window;
        let mut windows = Vec::new();
        assigner.windows_of(start, &mut windows);
        let next = windows.iter().find(|window| window.1 > end);
        let key = (start, next.map_or(folded.last_window.0, |window| window.1));
        match self.partials.get_mut(&key) {
            Some(existing) => existing.groups.merge(&folded.groups),
            None => {
                self.partials.insert(key, folded);
                Ok(())
            }
        }
    }
}

impl Operator for WindowAggregateOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        self.choice.clear();
        match (&self.spec.source, self.assigner.take()) {
            (WindowSource::Assigned { time_column, .. }, Some(assigner)) => {
                let time_column = *time_column;
                let chosen = self.choose_by_time(&batch, &assigner, time_column, out);
                self.assigner = Some(assigner);
                chosen?;
            }
            (
                &WindowSource::Attached {
                    start_column,
                    end_column,
                    time_column,
                },
                _,
            ) => self.choose_by_columns(&batch, (start_column, end_column), time_column, out)?,
            (WindowSource::Assigned { .. }, None) => {}
        }
        self.update(&batch)
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark.time);
        let mut rows = ResultRows::new(self.spec.schema.clone());
        while let Some(&(end, start)) = self.open.first()
            && is_closed(end, watermark.time)
        {
            self.open.pop_first();
            let position = watermark.caused_by(end.saturating_sub(1));
            self.close((end, start), position, &mut rows, out)?;
        }
        rows.flush(out)?;
        out.watermark(watermark.clone());
        Ok(())
    }

    fn open_windows(&self) -> usize {
        self.open.len()
    }

    fn size_bytes(&self) -> usize {
        let partials = self.partials.values();
        partials
            .map(|partial| partial.groups.size_bytes())
            .sum::<usize>()
            + self.open.len() * size_of::<(i64, i64)>()
    }
}
