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
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, SchemaRef};

use super::local::LocalWindows;
use super::slices::{Chooser, Chosen, PartialKey};
use super::spans::{Piece, Spans};
use super::{MAX_ROWS, ResultRows};
use crate::data::{Batch, Position};
use crate::error::{Error, Result};
use crate::exec::aggregate::AggregateSpec;
use crate::exec::grouped::{Accumulators, Grouped};
use crate::exec::parallel::{Local, Parallel, Partials, TwoPhase};
use crate::exec::time_column::time_array;
use crate::exec::{Operator, Output, Watermark};
use crate::time::{Unit, WindowSpec, Zone, is_closed};

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
#[derive(Clone)]
pub struct WindowAggregateOperator {
    spec: Arc<WindowAggregateSpec>,
    chooser: Arc<Chooser>,
    partials: BTreeMap<PartialKey, Partial>,
    /// Neighbouring slices already merged, where windows share many.
    spans: Option<Spans>,
    /// The windows with rows that are still to come out, as (end, start).
    open: BTreeSet<(i64, i64)>,
    /// The last watermark that came as a message.
    watermark: i64,
    arrived: u64,
}

#[derive(Clone)]
struct Partial {
    groups: Grouped,
    /// The last window that holds the partial, as (end, start).
    last_window: (i64, i64),
}

impl WindowAggregateOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// Windows that cannot be had in the unit (see [`WindowAssigner::new`](crate::time::WindowAssigner::new)).
    pub fn new(spec: WindowAggregateSpec) -> Result<Self> {
        let chooser = Chooser::new(&spec)?;
        let small = Accumulators::new(&spec.aggregates)?.are_small();
        let spans = chooser.assigner().filter(|_| small).and_then(Spans::new);
        Ok(WindowAggregateOperator {
            chooser: Arc::new(chooser),
            spec: Arc::new(spec),
            partials: BTreeMap::new(),
            spans,
            open: BTreeSet::new(),
            watermark: i64::MIN,
            arrived: 0,
        })
    }

    /// The groups of a partial; none yet if it is new.
    fn partial(&mut self, key: PartialKey, windows: &[(i64, i64)]) -> Result<&mut Grouped> {
        if !self.partials.contains_key(&key) {
            let groups = self.no_groups()?;
            self.keep(key, windows, groups);
        }
        let partial = self.partials.get_mut(&key);
        let partial = partial.ok_or_else(|| Error::internal("a partial was not kept"))?;
        Ok(&mut partial.groups)
    }

    /// Keeps a partial that is new: its windows are to come out.
    fn keep(&mut self, key: PartialKey, windows: &[(i64, i64)], groups: Grouped) {
        self.open.extend(windows);
        if let Some(spans) = &mut self.spans {
            spans.note(key);
        }
        let last_window = windows.last().copied().unwrap_or(key);
        let partial = Partial {
            groups,
            last_window,
        };
        self.partials.insert(key, partial);
    }

    /// Adds the chosen rows of a batch to their partials.
    fn update(&mut self, batch: &Batch, chosen: &[Chosen]) -> Result<()> {
        let spec = Arc::clone(&self.spec);
        let arrived = self.arrived;
        for Chosen { key, windows, rows } in chosen {
            let groups = self.partial(*key, windows)?;
            groups.update_rows(&spec.aggregates, &spec.keys, batch, rows, arrived)?;
        }
        self.arrived += batch.num_rows() as u64;
        Ok(())
    }

    /// Emits a window, and frees what no later one needs.
    fn close(
        &mut self,
        window: (i64, i64),
        position: Position,
        rows: &mut ResultRows,
        out: &mut Output,
    ) -> Result<()> {
        let (end, start) = window;
        if let Some(mut spans) = self.spans.take() {
            let merged = self.merge_spans(&mut spans, start, end);
            self.spans = Some(spans);
            self.emit(&merged?, window, position, rows, out)?;
            self.free_slices(window);
            let oldest = self.partials.first_key_value();
            let oldest = oldest.map_or(i64::MAX, |(&(start, _), _)| start);
            if let Some(spans) = &mut self.spans {
                spans.forget_until(oldest);
            }
            return Ok(());
        }
        let members = self.members(start, end);
        let merged = match members.as_slice() {
            [] => return Ok(()),
            [only] => {
                self.emit(&self.partials[only].groups, window, position, rows, out)?;
                None
            }
            _ => {
                let mut merged = self.no_groups()?;
                for key in &members {
                    merged.merge(&self.partials[key].groups)?;
                }
                self.emit(&merged, window, position, rows, out)?;
                Some(merged)
            }
        };
        self.free(window, &members, merged)
    }

    fn no_groups(&self) -> Result<Grouped> {
        Grouped::new(&self.spec.key_fields, &self.spec.aggregates)
    }

    /// Emits the groups of a window.
    fn emit(
        &self,
        groups: &Grouped,
        (end, start): (i64, i64),
        position: Position,
        rows: &mut ResultRows,
        out: &mut Output,
    ) -> Result<()> {
        let bounds = [start, end, end.saturating_sub(1)];
        for ids in groups.in_order().chunks(MAX_ROWS) {
            let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.spec.schema.fields().len());
            for (bound, field) in bounds.iter().zip(self.spec.schema.fields()) {
                columns.push(time_array(vec![*bound; ids.len()], field.data_type())?);
            }
            columns.extend(groups.columns(&self.spec.aggregates, ids, position, out)?);
            rows.add(columns, ids.iter().map(|_| position), out)?;
        }
        Ok(())
    }

    /// The groups of a window of many slices.
    fn merge_spans(&self, spans: &mut Spans, start: i64, end: i64) -> Result<Grouped> {
        while let Some(key) = spans.next_settled(end) {
            if let Some(partial) = self.partials.get(&key) {
                spans.add(key.0, &partial.groups, || self.no_groups())?;
            }
        }
        let mut merged = self.no_groups()?;
        for piece in spans.pieces(start, end) {
            match piece {
                Piece::Span(level, number) => {
                    if let Some(groups) = spans.get(level, number) {
                        merged.merge(groups)?;
                    }
                }
                Piece::Slices(from, to) => {
                    for key in self.members_between(from, to, end) {
                        merged.merge(&self.partials[&key].groups)?;
                    }
                }
            }
        }
        Ok(merged)
    }

    /// Drops the partials whose last window was `window`: those of the oldest slices.
    fn free_slices(&mut self, window: (i64, i64)) {
        while let Some(oldest) = self.partials.first_entry()
            && oldest.get().last_window <= window
        {
            oldest.remove();
        }
    }

    /// The partials that a window is made of.
    fn members(&self, start: i64, end: i64) -> Vec<PartialKey> {
        if self.chooser.assigner().is_none() {
            return vec![(start, end)];
        }
        self.members_between(start, end, end)
    }

    /// The partials of slices that begin in `[from, to)` in a window that ends at `end`.
    fn members_between(&self, from: i64, to: i64, end: i64) -> Vec<PartialKey> {
        let slices = self.partials.range((from, i64::MIN)..(to, i64::MIN));
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
        let chooser = Arc::clone(&self.chooser);
        let cumulative = chooser
            .assigner()
            .filter(|assigner| assigner.is_cumulative());
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
        let chosen = self.chooser.choose(&batch, self.watermark, out)?;
        self.update(&batch, &chosen)
    }

    fn parallel(&mut self) -> Parallel<'_> {
        Parallel::Local(self)
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

    fn next_end(&self) -> Option<i64> {
        self.open.first().map(|(end, _)| *end)
    }

    fn size_bytes(&self) -> usize {
        let partials = self.partials.values();
        partials
            .map(|partial| partial.groups.size_bytes())
            .sum::<usize>()
            + self.open.len() * size_of::<(i64, i64)>()
            + self.spans.as_ref().map_or(0, Spans::size_bytes)
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

impl TwoPhase for WindowAggregateOperator {
    fn local(&self) -> Arc<dyn Local> {
        Arc::new(LocalWindows::new(
            Arc::clone(&self.spec),
            Arc::clone(&self.chooser),
        ))
    }

    fn on_partials(&mut self, partials: Partials, _out: &mut Output) -> Result<()> {
        for partial in partials.0 {
            match self.partials.get_mut(&partial.key) {
                Some(known) => known.groups.merge(&partial.groups)?,
                None => self.keep(partial.key, &partial.windows, partial.groups),
            }
        }
        Ok(())
    }
}
