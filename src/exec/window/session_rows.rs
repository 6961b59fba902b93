//! Reading the rows of SESSION without aggregating them: each comes out with its bounds when its session closes.
//!
//! ```text
//!  gap 5     0 x   3 y   20 z     watermark 9     ->   0 x [0, 8)   3 y [0, 8)
//! ```
//!
//! Invariants: sessions come out in order of what closed them, then end, start and first row; the rows of a
//! session in input order. Nothing is dropped but untimed rows: a row that is too late for every session
//! makes one of its own, which closes at once and takes no other row.

use std::collections::BTreeMap;

use arrow::compute::interleave_record_batch;
use arrow::datatypes::{FieldRef, SchemaRef};

use super::MAX_ROWS;
use super::assign::with_windows;
use super::open_sessions::{OpenSessions, Place};
use crate::data::{Batch, Event, Position};
use crate::error::Result;
use crate::exec::grouped::columns_of;
use crate::exec::keys::GroupKeys;
use crate::exec::time_column::Times;
use crate::exec::{Operator, Output, Watermark};

/// What to run: sessions row by row.
#[derive(Debug, Clone)]
pub struct SessionRowsSpec {
    /// The longest pause in a session, in the unit of the time column.
    pub gap: i64,
    /// The time column.
    pub time_column: usize,
    /// The input columns by which sessions form.
    pub partition: Vec<usize>,
    /// Their fields in the input.
    pub partition_fields: Vec<FieldRef>,
    /// The output: the input's columns, then `window_start`, `window_end`, `window_time`.
    pub schema: SchemaRef,
}

/// The running operator.
#[derive(Clone)]
pub struct SessionRowsOperator {
    spec: SessionRowsSpec,
    partitions: GroupKeys,
    sessions: OpenSessions<Vec<Stored>>,
    /// The batches that rows still wait in, by number, with how many of their rows do.
    batches: BTreeMap<u64, (Batch, usize)>,
    next_batch: u64,
    watermark: i64,
}

/// A row that waits: number of its batch, number in it. In this order rows came.
type Stored = (u64, u32);

/// A session on its way out.
struct Closed {
    cause: Position,
    end: i64,
    start: i64,
    rows: Vec<Stored>,
}

impl SessionRowsOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// A key that cannot be compared.
    pub fn new(spec: SessionRowsSpec) -> Result<Self> {
        Ok(SessionRowsOperator {
            partitions: GroupKeys::new(&spec.partition_fields)?,
            sessions: OpenSessions::new(spec.gap, 0),
            spec,
            batches: BTreeMap::new(),
            next_batch: 0,
            watermark: i64::MIN,
        })
    }

    /// The sessions that a watermark closes, in order.
    fn close(&mut self, watermark: &Watermark) -> Vec<Closed> {
        let mut closed: Vec<Closed> = Vec::new();
        let (batches, gap) = (&self.batches, self.spec.gap);
        self.sessions.expire(watermark.time, |mut session| {
            session.payload.sort_unstable();
            let first = session.payload.first();
            let first = first.and_then(|(batch, row)| {
                let (batch, _) = batches.get(batch)?;
                batch.positions.get(*row as usize).copied()
            });
            let end = session.end(gap);
            // A session that was closed from the start came out because of its row.
            let cause = watermark
                .caused_by(end.saturating_sub(1))
                .max(first.unwrap_or(0));
            closed.push(Closed {
                cause,
                end,
                start: session.start,
                rows: session.payload,
            });
        });
        closed.sort_unstable_by(|a, b| {
            let key = |c: &Closed| (c.cause, c.end, c.start, c.rows.first().copied());
            key(a).cmp(&key(b))
        });
        closed
    }

    /// Emits the rows of closed sessions.
    fn emit(&mut self, closed: &[Closed], out: &mut Output) -> Result<()> {
        let rows: Vec<(Stored, &Closed)> = closed
            .iter()
            .flat_map(|session| session.rows.iter().map(move |&row| (row, session)))
            .collect();
        for part in rows.chunks(MAX_ROWS) {
            let mut numbers: Vec<u64> = part.iter().map(|((batch, _), _)| *batch).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let batches: Vec<_> = (numbers.iter())
                .filter_map(|number| self.batches.get(number).map(|(batch, _)| &batch.columns))
                .collect();
            let indices: Vec<(usize, usize)> = part
                .iter()
                .map(|((batch, row), _)| (numbers.partition_point(|n| n < batch), *row as usize))
                .collect();
            let columns = interleave_record_batch(&batches, &indices)?;
            let positions = part.iter().map(|(_, session)| session.cause).collect();
            let windows: Vec<_> = part.iter().map(|(_, s)| (s.start, s.end)).collect();
            let all: Vec<u32> = (0..part.len() as u32).collect();
            let batch = Batch::new(columns, positions);
            out.batch(with_windows(&batch, &all, &windows, &self.spec.schema)?);
        }
        for ((number, _), _) in rows {
            if let Some((_, waiting)) = self.batches.get_mut(&number) {
                *waiting -= 1;
                if *waiting == 0 {
                    self.batches.remove(&number);
                }
            }
        }
        Ok(())
    }
}

impl Operator for SessionRowsOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        let times = Times::of(&batch.columns, self.spec.time_column)?;
        let mut partitions = Vec::new();
        let columns = columns_of(&batch, &self.spec.partition);
        self.partitions
            .intern(&columns, batch.num_rows(), &mut partitions)?;
        let number = self.next_batch;
        self.next_batch += 1;
        let mut waiting = 0;
        for (row, &position) in batch.positions.iter().enumerate() {
            let Some(time) = times.get(row) else {
                out.event(Event::Untimed { position });
                continue;
            };
            let watermark = batch.watermarks.as_ref().map_or(self.watermark, |w| w[row]);
            let stored = (number, row as u32);
            waiting += 1;
            match self.sessions.place(partitions[row], time, watermark) {
                Place::Late | Place::New => {
                    self.sessions.open(partitions[row], time, vec![stored]);
                }
                Place::Joined(session, absorbed) => {
                    if let Some(session) = self.sessions.get_mut(session) {
                        session.payload.extend(absorbed.into_iter().flatten());
                        session.payload.push(stored);
                    }
                }
            }
        }
        if waiting > 0 {
            self.batches.insert(number, (batch, waiting));
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark.time);
        let closed = self.close(watermark);
        if !closed.is_empty() {
            self.emit(&closed, out)?;
            self.sessions.forget_keys(&mut self.partitions)?;
        }
        out.watermark(watermark.clone());
        Ok(())
    }

    fn open_windows(&self) -> usize {
        self.sessions.len()
    }

    fn size_bytes(&self) -> usize {
        let batches = self.batches.values();
        batches
            .map(|(batch, _)| batch.columns.get_array_memory_size())
            .sum::<usize>()
            + self.sessions.size_bytes()
            + self.partitions.size_bytes()
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}
