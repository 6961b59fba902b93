//! COUNT_WINDOW: every `size` rows of a key, moved on by `slide` rows.
//!
//! ```text
//!  size 3, slide 2     a: 5 1 2 | 7 9      windows of a      [0, 3) sum 8    [2, 5) sum 18
//!                      row 0 1 2   3 4
//! ```
//!
//! Invariants: a window comes out at the row that fills it, in the order of those rows, and carries that
//! row's position. What is not full at the end is no window, and its rows are counted. There is no time here: nothing is late.

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{FieldRef, SchemaRef};
use std::sync::Arc;

use super::slots::{Member, Members, Slots};
use super::{MAX_ROWS, ResultRows};
use crate::data::{Batch, Event, Position};
use crate::error::{Error, Result};
use crate::exec::aggregate::AggregateSpec;
use crate::exec::grouped::{FirstRow, columns_of};
use crate::exec::keys::GroupKeys;
use crate::exec::{Operator, Output, Watermark};
use crate::time::MAX_WINDOWS_PER_ROW;

/// What to run: a GROUP BY over windows of rows.
#[derive(Debug, Clone)]
pub struct CountWindowSpec {
    /// Rows in a window, at least 1.
    pub size: u64,
    /// Rows between two starts, at least 1.
    pub slide: u64,
    /// The input columns by which rows are counted.
    pub partition: Vec<usize>,
    /// Their fields in the input.
    pub partition_fields: Vec<FieldRef>,
    /// Further columns to group by within a window.
    pub keys: Vec<usize>,
    /// Their fields in the input.
    pub key_fields: Vec<FieldRef>,
    /// The aggregate calls.
    pub aggregates: Vec<AggregateSpec>,
    /// The output: `window_start` and `window_end` as BIGINT, partition, keys, aggregates.
    pub schema: SchemaRef,
}

/// The running operator.
#[derive(Clone)]
pub struct CountWindowOperator {
    spec: CountWindowSpec,
    partitions: GroupKeys,
    keys: GroupKeys,
    counters: Vec<Counter>,
    slots: Slots,
    arrived: u64,
}

/// The rows of a key so far, and its windows that are not full, oldest first.
#[derive(Clone, Default)]
struct Counter {
    rows: u64,
    open: std::collections::VecDeque<OpenWindow>,
}

#[derive(Clone)]
struct OpenWindow {
    start: u64,
    members: Members,
}

/// A window on its way out.
struct Full {
    start: u64,
    partition: u32,
    members: Members,
    position: Position,
}

impl CountWindowOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// More than [`MAX_WINDOWS_PER_ROW`] windows for a row, a size or slide of 0, a key that cannot be
    /// compared, an aggregate that does not exist.
    pub fn new(spec: CountWindowSpec) -> Result<Self> {
        if spec.size == 0 || spec.slide == 0 {
            return Err(Error::plan(
                "a window of rows needs a size and a slide of at least 1",
            ));
        }
        let windows = spec.size.div_ceil(spec.slide);
        if windows > MAX_WINDOWS_PER_ROW as u64 {
            return Err(Error::plan(format!(
                "with windows of {} rows every {} a row lies in {windows} windows; the limit is {MAX_WINDOWS_PER_ROW}",
                spec.size, spec.slide
            ))
            .help("use a longer slide or shorter windows"));
        }
        Ok(CountWindowOperator {
            partitions: GroupKeys::new(&spec.partition_fields)?,
            keys: GroupKeys::new(&spec.key_fields)?,
            slots: Slots::new(&spec.aggregates)?,
            counters: Vec::new(),
            spec,
            arrived: 0,
        })
    }

    /// Counts a row: adds its slots, one for each of its windows, and gives the window that it fills.
    fn count(
        &mut self,
        (partition, key): (u32, u32),
        first: FirstRow,
        chosen: &mut Vec<u32>,
    ) -> Option<Full> {
        let counter = &mut self.counters[partition as usize];
        let row = counter.rows;
        counter.rows += 1;
        for window in &mut counter.open {
            chosen.push(window.members.slot_of(key, first, &mut self.slots));
        }
        if row.is_multiple_of(self.spec.slide) {
            let slot = self.slots.take();
            let members = Members::One(Member { key, slot, first });
            counter.open.push_back(OpenWindow {
                start: row,
                members,
            });
            chosen.push(slot);
        }
        if counter.open.front()?.start + self.spec.size > counter.rows {
            return None;
        }
        let full = counter.open.pop_front()?;
        Some(Full {
            start: full.start,
            partition,
            members: full.members,
            position: first.0,
        })
    }

    /// Rows that no full window has taken, and the windows in which they stand.
    fn unfilled(&self) -> (u64, u64) {
        let size = self.spec.size;
        let left = |counter: &Counter| {
            let full = counter.rows.checked_sub(size).map_or(0, |behind_first| {
                behind_first / self.spec.slide * self.spec.slide + size
            });
            let open = counter.open.front()?.start.max(full);
            counter.rows.checked_sub(open).filter(|rows| *rows > 0)
        };
        let left = self.counters.iter().filter_map(left);
        left.fold((0, 0), |(rows, windows), left| (rows + left, windows + 1))
    }

    /// Emits full windows and frees their slots.
    fn emit(&mut self, full: &[Full], rows: &mut ResultRows, out: &mut Output) -> Result<()> {
        let mut groups: Vec<(&Full, Member)> = Vec::with_capacity(full.len());
        for window in full {
            let mut members = window.members.as_slice().to_vec();
            members.sort_unstable_by_key(|member| member.first);
            groups.extend(members.into_iter().map(|member| (window, member)));
        }
        for part in groups.chunks(MAX_ROWS) {
            let start = |(window, _): &(&Full, Member)| window.start as i64;
            let starts = Int64Array::from_iter_values(part.iter().map(start));
            let end =
                |group: &(&Full, Member)| start(group).saturating_add_unsigned(self.spec.size);
            let ends = Int64Array::from_iter_values(part.iter().map(end));
            let mut columns: Vec<ArrayRef> = vec![Arc::new(starts), Arc::new(ends)];
            let partitions: Vec<u32> = part.iter().map(|(window, _)| window.partition).collect();
            columns.extend(self.partitions.columns(&partitions)?);
            let keys: Vec<u32> = part.iter().map(|(_, member)| member.key).collect();
            columns.extend(self.keys.columns(&keys)?);
            let slots: Vec<u32> = part.iter().map(|(_, member)| member.slot).collect();
            let (specs, accumulators) = (&self.spec.aggregates, &self.slots.accumulators);
            let cause = |place: usize| part[place].0.position;
            columns.extend(accumulators.evaluate(specs, &slots, cause, out)?);
            rows.add(columns, part.iter().map(|(window, _)| window.position), out)?;
        }
        let slots: Vec<u32> = groups.iter().map(|(_, member)| member.slot).collect();
        self.slots.give_back(&slots);
        Ok(())
    }
}

impl Operator for CountWindowOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        // A row may lie in thousands of windows: what is repeated for each stays small.
        const MANY: usize = 65_536;
        let rows = batch.num_rows();
        let (mut partitions, mut keys) = (Vec::new(), Vec::new());
        (self.partitions).intern(
            &columns_of(&batch, &self.spec.partition),
            rows,
            &mut partitions,
        )?;
        self.keys
            .intern(&columns_of(&batch, &self.spec.keys), rows, &mut keys)?;
        self.counters
            .resize_with(self.partitions.len(), Counter::default);
        let mut result = ResultRows::new(self.spec.schema.clone());
        let (mut repeated, mut chosen, mut full) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            let first = (batch.positions[row], self.arrived + row as u64);
            full.extend(self.count((partitions[row], keys[row]), first, &mut chosen));
            repeated.resize(chosen.len(), row as u32);
            if chosen.len() >= MANY || row + 1 == rows {
                self.slots
                    .update(&self.spec.aggregates, &batch, &repeated, &chosen)?;
                self.emit(&full, &mut result, out)?;
                repeated.clear();
                chosen.clear();
                full.clear();
            }
        }
        self.arrived += rows as u64;
        result.flush(out)
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        if watermark.time == Watermark::END
            && let (rows @ 1.., windows) = self.unfilled()
        {
            out.event(Event::Unfilled {
                position: Position::MAX,
                rows,
                windows,
            });
        }
        out.watermark(watermark.clone());
        Ok(())
    }

    fn size_bytes(&self) -> usize {
        (self.partitions.size_bytes() + self.keys.size_bytes() + self.slots.size_bytes())
            + self.counters.capacity() * size_of::<Counter>()
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}
