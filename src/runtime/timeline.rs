//! The blocks of one source in order: their rows get numbers and the watermark before each of them.
//!
//! ```text
//!   rows of block 8 ─┐ in order of blocks
//!   rows of block 7 ─┴► positions 300 … 599, watermarks ─► step, batch      any thread, one at a time
//! ```
//!
//! Invariant: what a block gets depends on the blocks before it alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::block::{Block, Rejected};
use super::commit::Noted;
use super::merge::{FileState, Run};
use super::metadata::{Origin, Place};
use super::since::Since;
use super::summary::FirstReject;
use super::texts::Texts;
use crate::data::{Batch, Event, Metadata, Position, position, record_of_position};
use crate::error::Result;
use crate::exec::expression::{Expression, Failures};
use crate::exec::parallel::Prepared;
use crate::exec::watermark::WatermarkOperator;
use crate::exec::{Message, Operator, Output, Watermark};
use crate::plan::SourcePlan;

/// How rows are made of records: the same for all blocks.
pub(super) struct RowPlan {
    read_fields: usize,
    /// The column of the time of reading.
    pub(super) arrival: Option<usize>,
    computed: Vec<Expression>,
    schema: SchemaRef,
}

/// Records with their computed columns.
pub(super) struct Rows {
    run: Run,
    /// With the computed columns.
    columns: RecordBatch,
    failures: Failures,
}

impl RowPlan {
    pub(super) fn new(plan: &SourcePlan) -> Self {
        RowPlan {
            read_fields: plan.read.len() + plan.metadata.len(),
            arrival: (plan.metadata.iter())
                .position(|one| *one == Metadata::Arrival)
                .map(|place| plan.read.len() + place),
            computed: plan.computed.clone(),
            schema: Arc::clone(&plan.schema),
        }
    }

    /// The rows of a block.
    pub(super) fn read(&self, block: Block) -> Result<Rows> {
        self.compute(Run::of(block.decode()?))
    }

    /// Adds the computed columns, each over those before it.
    pub(super) fn compute(&self, run: Run) -> Result<Rows> {
        let mut failures = Failures::new();
        let fields: Vec<FieldRef> = self.schema.fields().iter().cloned().collect();
        let mut columns: Vec<ArrayRef> = run.rows.columns().to_vec();
        let options = RecordBatchOptions::new().with_row_count(Some(run.rows.num_rows()));
        for (number, expression) in self.computed.iter().enumerate() {
            let known = Arc::new(Schema::new(fields[..self.read_fields + number].to_vec()));
            let batch = RecordBatch::try_new_with_options(known, columns.clone(), &options)?;
            columns.push(expression.column(&batch, &mut failures)?);
        }
        let schema = Arc::clone(&self.schema);
        Ok(Rows {
            columns: RecordBatch::try_new_with_options(schema, columns, &options)?,
            run,
            failures,
        })
    }
}

/// Rows of a source and what happened on the way to them.
#[derive(Default)]
pub(super) struct Step {
    /// The rows, as far as any thread can bring them.
    pub prepared: Option<Prepared>,
    /// The watermark behind them.
    pub watermark: Watermark,
    /// What happened, in any order.
    pub noted: Vec<Noted>,
    /// The number of the first record behind the step.
    pub next_record: u64,
    /// The texts of the records, if they are wanted.
    pub texts: Option<StepTexts>,
}

/// The texts of the records of a step.
pub(super) struct StepTexts {
    texts: Arc<Texts>,
    origin: Origin,
    first_position: Position,
    first_record: u32,
}

impl StepTexts {
    /// The number in the block of the record at `position`; `None` for one of another step.
    fn record(&self, position: Position) -> Option<u32> {
        let record = position.checked_sub(self.first_position)?;
        let record = (self.first_record).checked_add(u32::try_from(record).ok()?)?;
        (record < self.texts.count()).then_some(record)
    }

    /// The text of the record at `position`; empty for one of another step.
    pub(super) fn get(&self, position: Position) -> &[u8] {
        (self.record(position)).map_or(&[], |record| self.texts.get(record))
    }

    /// Where the record at `position` is; `None` for one of another step.
    pub(super) fn place(&self, position: Position) -> Option<Place> {
        let record = self.record(position)?;
        Some(Place {
            file: Arc::clone(&self.origin.file),
            line: self.origin.lines + self.texts.lines_before(record) + 1,
            offset: (self.texts.bytes_before(record)).map(|bytes| self.origin.offset + bytes),
        })
    }
}

/// Where a source stands behind the last block that came through.
pub(super) struct Timeline {
    number: u16,
    name: String,
    watermark: Option<WatermarkOperator>,
    since: Option<Since>,
    next_record: u64,
}

impl Timeline {
    /// That of the source of that number, before its first block.
    pub(super) fn new(number: u16, plan: &SourcePlan) -> Self {
        Timeline {
            number,
            name: plan.table.name.clone(),
            watermark: plan.watermark.clone().map(WatermarkOperator::new),
            since: Since::of(plan),
            next_record: 0,
        }
    }

    /// Lets event time go on to the newest time and `passed` beyond, though no row came: the newest time, and the
    /// watermark then.
    pub(super) fn go_on(&mut self, passed: i64) -> Option<(i64, i64)> {
        let operator = self.watermark.as_mut()?;
        Some((operator.state().newest()?, operator.go_on(passed)?))
    }

    /// Numbers the rows of the next block and lets the watermark follow them. The step lacks its rows, which
    /// are still to be prepared; `None` if the watermark has left all of them out.
    pub(super) fn keep_time(
        &mut self,
        rows: Rows,
        file: &FileState,
    ) -> Result<(Step, Option<Batch>)> {
        let older = match &self.since {
            Some(since) => since.older(&rows.run, &rows.columns, file)?,
            None => None,
        };
        let first = self.next_record;
        let (mut step, mut batch) = self.step(rows, file);
        if let Some(older) = older {
            batch = self.leave_out(&older, first, &mut step.noted, &batch)?;
        }
        let Some(operator) = &mut self.watermark else {
            return Ok((step, Some(batch)));
        };
        let mut out = Output::default();
        operator.on_batch(0, batch, &mut out)?;
        step.noted.extend(out.events.into_iter().map(Noted::Event));
        let mut timed = None;
        for message in out.messages {
            match message {
                Message::Batch(batch) => timed = Some(batch),
                Message::Watermark(watermark) => step.watermark = watermark,
            }
        }
        Ok((step, timed))
    }

    /// The step of a block without its rows, and those with their positions.
    fn step(&mut self, rows: Rows, file: &FileState) -> (Step, Batch) {
        let Rows {
            run,
            columns,
            mut failures,
        } = rows;
        let lines = file.lines.fetch_add(run.line_count, Ordering::Relaxed);
        let first = self.next_record;
        self.next_record += u64::from(run.record_count);
        let at = |offset: u32| position(self.number, first + u64::from(offset));
        let rejects = run.rejects.into_iter();
        let rejects =
            rejects.map(|(offset, reject)| self.rejected(at(offset), &file.name, lines, reject));
        let mut noted: Vec<Noted> = rejects.collect();
        noted.extend(run.untimed.map(|(offset, untimed)| Noted::Unreadable {
            position: at(offset),
            time: self.first_reject(&file.name, lines, untimed),
        }));
        let positions: Vec<Position> = run.records.iter().map(|&offset| at(offset)).collect();
        noted.extend(run.mended.iter().map(|&offset| Noted::Mended {
            position: at(offset),
        }));
        let left_out = run.left_out.into_iter();
        noted.extend(left_out.map(|(offset, what)| Noted::LeftOut {
            position: at(offset),
            what,
        }));
        noted.extend(failures.take().into_iter().map(|(row, what)| {
            Noted::Event(Event::ExpressionError {
                position: positions[row as usize],
                what,
            })
        }));
        let step = Step {
            prepared: None,
            watermark: Watermark::default(),
            noted,
            next_record: self.next_record,
            texts: run.texts.map(|(texts, first_record)| StepTexts {
                texts,
                origin: run.origin,
                first_position: position(self.number, first),
                first_record,
            }),
        };
        (step, Batch::new(columns, positions.into()))
    }

    /// Leaves out the records that are older than what is wanted, of a block that begins with the record `first`,
    /// and what was noted of them.
    fn leave_out(
        &self,
        older: &[bool],
        first: u64,
        noted: &mut Vec<Noted>,
        batch: &Batch,
    ) -> Result<Batch> {
        let is_older = |position: Position| {
            let record = record_of_position(position).checked_sub(first);
            record.is_some_and(|record| older.get(record as usize) == Some(&true))
        };
        noted.retain(|one| !is_older(one.position()));
        let mut records = 0;
        for run in older.chunk_by(|one, next| one == next) {
            records += run.len() as u64;
            if run[0] {
                noted.push(Noted::Older {
                    position: position(self.number, first + records - 1),
                    count: run.len() as u64,
                });
            }
        }
        let wanted = (batch.positions.iter()).map(|position| !is_older(*position));
        batch.filter(&wanted.collect::<Vec<bool>>().into())
    }

    /// A record of a block before which a file has so many lines, as an example.
    fn first_reject(&self, file: &str, lines: u64, reject: Rejected) -> FirstReject {
        FirstReject {
            source: self.shown_name(file),
            line: lines + reject.line,
            reason: reject.reason,
            help: reject.help,
        }
    }

    fn shown_name(&self, file: &str) -> String {
        match file.is_empty() {
            true => self.name.clone(),
            false => file.to_owned(),
        }
    }

    fn rejected(&self, position: Position, file: &str, lines: u64, reject: Rejected) -> Noted {
        Noted::Rejected {
            position,
            file: self.shown_name(file),
            line: lines + reject.line,
            reason: reject.reason,
            help: reject.help,
            text: reject.text,
        }
    }
}

/// The number of a record for people, from 1.
pub(super) fn record_number(position: Position) -> u64 {
    record_of_position(position) + 1
}
