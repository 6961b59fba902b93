//! SESSION with aggregates: rows of a key that are at most a gap apart, grouped and counted.
//!
//! ```text
//!  gap 5, GROUP BY user     a at 0, a at 3, b at 4, watermark 9
//!  out                      [0, 8) a 2    [4, 9) b 1
//! ```
//!
//! Sessions form by the partition columns; within a session rows group by the further keys.
//!
//! Invariants: which rows make a session depends on the rows and their watermarks alone (see
//! `open_sessions`). Sessions come out in order of end, then start, then first row; one that came out
//! never opens again.

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, SchemaRef};

use super::closed_groups::{ClosedGroup, ClosedGroups, causes};
use super::open_sessions::{OpenSessions, Place, are_mostly_gone};
use super::slots::{Member, Members, Slots};
use super::{MAX_ROWS, ResultRows, lateness};
use crate::data::{Batch, Event};
use crate::error::Result;
use crate::exec::aggregate::AggregateSpec;
use crate::exec::grouped::{FirstRow, columns_of};
use crate::exec::keys::GroupKeys;
use crate::exec::time_column::{Times, time_array};
use crate::exec::{Operator, Output, Watermark};

/// What to run: a GROUP BY over sessions.
#[derive(Debug, Clone)]
pub struct SessionSpec {
    /// The longest pause in a session, in the unit of the time column.
    pub gap: i64,
    /// The time column.
    pub time_column: usize,
    /// How far the watermark stays behind the newest time, for the lateness that is reported.
    pub delay: i64,
    /// The input columns by which sessions form.
    pub partition: Vec<usize>,
    /// Their fields in the input.
    pub partition_fields: Vec<FieldRef>,
    /// Further columns to group by within a session.
    pub keys: Vec<usize>,
    /// Their fields in the input.
    pub key_fields: Vec<FieldRef>,
    /// The aggregate calls.
    pub aggregates: Vec<AggregateSpec>,
    /// The output: `window_start`, `window_end`, `window_time`, partition, keys, aggregates.
    pub schema: SchemaRef,
}

/// The running operator.
#[derive(Clone)]
pub struct SessionOperator {
    spec: SessionSpec,
    partitions: GroupKeys,
    keys: GroupKeys,
    sessions: OpenSessions<Members>,
    slots: Slots,
    watermark: i64,
    arrived: u64,
    pending: Pending,
    /// Groups on their way out; kept only for its memory.
    closed: ClosedGroups,
}

/// Rows of the batch at hand that are not in their slots yet.
#[derive(Clone, Default)]
struct Pending {
    rows: Vec<u32>,
    slots: Vec<u32>,
}

impl SessionOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// A key that cannot be compared, or an aggregate that does not exist.
    pub fn new(spec: SessionSpec) -> Result<Self> {
        Ok(SessionOperator {
            partitions: GroupKeys::new(&spec.partition_fields)?,
            keys: GroupKeys::new(&spec.key_fields)?,
            sessions: OpenSessions::new(spec.gap, spec.delay),
            slots: Slots::new(&spec.aggregates)?,
            spec,
            watermark: i64::MIN,
            arrived: 0,
            pending: Pending::default(),
            closed: ClosedGroups::default(),
        })
    }

    /// Puts a row into the session where it belongs; false if it is late.
    fn add(
        &mut self,
        batch: &Batch,
        row: usize,
        time: i64,
        watermark: i64,
        (partition, key): (u32, u32),
    ) -> Result<bool> {
        let first: FirstRow = (batch.positions[row], self.arrived + row as u64);
        let slot = match self.sessions.place(partition, time, watermark) {
            Place::Late => return Ok(false),
            Place::New => {
                let slot = self.slots.take();
                let member = Member { key, slot, first };
                self.sessions.open(partition, time, Members::One(member));
                slot
            }
            Place::Joined(number, absorbed) => {
                if !absorbed.is_empty() {
                    // The slots that go must have their rows.
                    self.flush(batch)?;
                }
                let Some(session) = self.sessions.get_mut(number) else {
                    return Ok(false);
                };
                for members in &absorbed {
                    session.payload.absorb(members, &mut self.slots)?;
                }
                session.payload.slot_of(key, first, &mut self.slots)
            }
        };
        self.pending.rows.push(row as u32);
        self.pending.slots.push(slot);
        Ok(true)
    }

    /// Adds the rows that wait to the aggregates.
    fn flush(&mut self, batch: &Batch) -> Result<()> {
        let Pending { rows, slots } = &mut self.pending;
        self.slots
            .update(&self.spec.aggregates, batch, rows, slots)?;
        rows.clear();
        slots.clear();
        Ok(())
    }

    /// Emits groups of closed sessions and frees their slots.
    fn emit(
        &mut self,
        closed: &[ClosedGroup],
        watermark: &Watermark,
        out: &mut Output,
    ) -> Result<()> {
        let mut rows = ResultRows::new(self.spec.schema.clone());
        for part in closed.chunks(MAX_ROWS) {
            let bounds = [
                part.iter().map(|group| group.start).collect::<Vec<_>>(),
                part.iter().map(|group| group.end).collect(),
                part.iter()
                    .map(|group| group.end.saturating_sub(1))
                    .collect(),
            ];
            let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.spec.schema.fields().len());
            for (bound, field) in bounds.into_iter().zip(self.spec.schema.fields()) {
                columns.push(time_array(bound, field.data_type())?);
            }
            let partitions: Vec<u32> = part.iter().map(|group| group.partition).collect();
            columns.extend(self.partitions.columns(&partitions)?);
            let keys: Vec<u32> = part.iter().map(|group| group.member.key).collect();
            columns.extend(self.keys.columns(&keys)?);
            let slots: Vec<u32> = part.iter().map(|group| group.member.slot).collect();
            let (specs, accumulators) = (&self.spec.aggregates, &self.slots.accumulators);
            columns.extend(accumulators.evaluate(
                specs,
                &slots,
                |place| watermark.caused_by(part[place].end.saturating_sub(1)),
                out,
            )?);
            rows.add(columns, causes(part, watermark).into_iter(), out)?;
        }
        let slots: Vec<u32> = closed.iter().map(|group| group.member.slot).collect();
        self.slots.give_back(&slots);
        rows.flush(out)
    }

    /// Forgets keys that no session has.
    fn forget_keys(&mut self) -> Result<()> {
        self.sessions.forget_keys(&mut self.partitions)?;
        if self.sessions.len() == 0 {
            self.keys.clear();
        }
        if !are_mostly_gone(self.keys.len(), self.slots.in_use()) {
            return Ok(());
        }
        let mut kept = Vec::with_capacity(self.slots.in_use());
        let mut new_numbers = vec![None; self.keys.len()];
        for session in self.sessions.iter_mut() {
            session.payload.renumber(|key| {
                *new_numbers[key as usize].get_or_insert_with(|| {
                    kept.push(key);
                    kept.len() as u32 - 1
                })
            });
        }
        self.keys.retain(&kept)
    }
}

impl Operator for SessionOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        let times = Times::of(&batch.columns, self.spec.time_column)?;
        let rows = batch.num_rows();
        let (mut partitions, mut keys) = (Vec::new(), Vec::new());
        (self.partitions).intern(
            &columns_of(&batch, &self.spec.partition),
            rows,
            &mut partitions,
        )?;
        self.keys
            .intern(&columns_of(&batch, &self.spec.keys), rows, &mut keys)?;
        for (row, &position) in batch.positions.iter().enumerate() {
            let Some(time) = times.get(row) else {
                out.event(Event::Untimed { position });
                continue;
            };
            let watermark = batch.watermarks.as_ref().map_or(self.watermark, |w| w[row]);
            if !self.add(&batch, row, time, watermark, (partitions[row], keys[row]))? {
                out.event(Event::Late {
                    position,
                    time,
                    watermark,
                    lateness: lateness(watermark, self.spec.delay, time),
                    windows: vec![(time, time.saturating_add(self.spec.gap))],
                });
            }
        }
        self.arrived += rows as u64;
        self.flush(&batch)
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark.time);
        let mut closed = std::mem::take(&mut self.closed);
        let gap = self.spec.gap;
        self.sessions.expire(watermark.time, |session| {
            for &member in session.payload.as_slice() {
                closed.push(ClosedGroup {
                    end: session.end(gap),
                    start: session.start,
                    partition: session.partition,
                    member,
                });
            }
        });
        let groups = closed.sorted();
        if !groups.is_empty() {
            self.emit(groups, watermark, out)?;
            self.forget_keys()?;
            closed.clear();
        }
        self.closed = closed;
        out.watermark(watermark.clone());
        Ok(())
    }

    fn open_windows(&self) -> usize {
        self.sessions.len()
    }

    fn size_bytes(&self) -> usize {
        (self.sessions.size_bytes() + self.slots.size_bytes())
            + self.closed.size_bytes()
            + (self.partitions.size_bytes() + self.keys.size_bytes())
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}
