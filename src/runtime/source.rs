//! One source of a query: numbered rows with computed columns and watermarks.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::commit::Noted;
use super::merge::{Files, Next, Run};
use super::reader::{Input, Rejected, Texts};
use super::wait::{Idle, Waiter};
use crate::data::{Batch, Position, position, record_of_position};
use crate::error::Result;
use crate::exec::expression::{Expression, Failures};
use crate::exec::watermark::WatermarkOperator;
use crate::exec::{Message, Operator, Output, Watermark};
use crate::plan::SourcePlan;

/// A source that is being read.
pub(super) struct Source {
    number: u16,
    name: String,
    files: Files,
    read_fields: usize,
    computed: Vec<Expression>,
    schema: SchemaRef,
    watermark: Option<WatermarkOperator>,
    last: i64,
    next_record: u64,
}

/// Rows of a source and what happened on the way to them.
pub(super) struct Step {
    /// The rows.
    pub batch: Option<Batch>,
    /// The watermark behind them.
    pub watermark: Watermark,
    /// What happened, in any order.
    pub noted: Vec<Noted>,
    /// The number of the first record behind the step.
    pub next_record: u64,
    /// The records that were mended.
    pub mended: Vec<Position>,
    /// The texts of the records, if they are wanted.
    pub texts: Option<StepTexts>,
}

/// The texts of the records of a step.
pub(super) struct StepTexts {
    texts: Arc<Texts>,
    first_position: Position,
    first_record: u32,
}

impl StepTexts {
    /// The text of the record at `position`; empty for one of another step.
    pub(super) fn get(&self, position: Position) -> &[u8] {
        let record = position
            .checked_sub(self.first_position)
            .and_then(|n| u32::try_from(n).ok());
        record.map_or(&[], |record| {
            self.texts.get(self.first_record.saturating_add(record))
        })
    }
}

/// What a source gives.
pub(super) enum Given {
    Step(Step),
    End,
    Stop,
}

impl Source {
    pub(super) fn new(
        number: u16,
        plan: &SourcePlan,
        input: Input,
        waiter: &mut Waiter<'_>,
    ) -> Result<Self> {
        Ok(Source {
            number,
            name: plan.table.name.clone(),
            files: Files::new(input, waiter)?,
            read_fields: plan.read.len(),
            computed: plan.computed.clone(),
            schema: Arc::clone(&plan.schema),
            watermark: plan.watermark.clone().map(WatermarkOperator::new),
            last: i64::MIN,
            next_record: 0,
        })
    }

    /// The last watermark; that of a source without event time stays at the beginning.
    pub(super) fn watermark(&self) -> i64 {
        self.last
    }

    /// The next rows.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Given> {
        match self.files.next(waiter, idle)? {
            Next::Run(run) => self.step(run).map(Given::Step),
            Next::End => Ok(Given::End),
            Next::Stop => Ok(Given::Stop),
        }
    }

    fn step(&mut self, run: Run) -> Result<Step> {
        let first = self.next_record;
        self.next_record += run.record_count;
        let at = |offset: u64| position(self.number, first + offset);
        let mut noted: Vec<Noted> = run
            .rejects
            .into_iter()
            .map(|(offset, file, reject)| self.rejected(at(offset), file, reject))
            .collect();
        let positions: Vec<Position> = run.offsets.iter().map(|offset| at(*offset)).collect();
        let mut failures = Failures::new();
        let columns = self.compute(&run.rows, &mut failures)?;
        noted.extend(failures.take().into_iter().map(|(row, what)| {
            Noted::Event(crate::data::Event::ExpressionError {
                position: positions[row as usize],
                what,
            })
        }));
        let batch = Batch::new(columns, positions.into());
        let mut step = Step {
            batch: None,
            watermark: Watermark {
                time: i64::MIN,
                trail: Arc::from([]),
            },
            noted,
            next_record: self.next_record,
            mended: run.mended.into_iter().map(at).collect(),
            texts: run.texts.map(|(texts, first_record)| StepTexts {
                texts,
                first_position: position(self.number, first),
                first_record,
            }),
        };
        self.keep_time(batch, &mut step)?;
        Ok(step)
    }

    fn keep_time(&mut self, batch: Batch, step: &mut Step) -> Result<()> {
        let Some(operator) = &mut self.watermark else {
            step.batch = Some(batch);
            return Ok(());
        };
        let mut out = Output::default();
        operator.on_batch(0, batch, &mut out)?;
        step.noted.extend(out.events.into_iter().map(Noted::Event));
        for message in out.messages {
            match message {
                Message::Batch(batch) => step.batch = Some(batch),
                Message::Watermark(watermark) => {
                    self.last = watermark.time;
                    step.watermark = watermark;
                }
            }
        }
        Ok(())
    }

    /// Adds the computed columns, each over those before it.
    fn compute(&self, rows: &RecordBatch, failures: &mut Failures) -> Result<RecordBatch> {
        let fields: Vec<FieldRef> = self.schema.fields().iter().cloned().collect();
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        for (number, expression) in self.computed.iter().enumerate() {
            let known = Arc::new(Schema::new(fields[..self.read_fields + number].to_vec()));
            let batch = RecordBatch::try_new_with_options(known, columns.clone(), &options)?;
            columns.push(expression.column(&batch, failures)?);
        }
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }

    fn rejected(&self, position: Position, file: String, reject: Rejected) -> Noted {
        Noted::Rejected {
            position,
            file: if file.is_empty() {
                self.name.clone()
            } else {
                file
            },
            line: reject.line,
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
