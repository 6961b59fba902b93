//! One source of a query: numbered rows with computed columns and watermarks, prepared for the operators.
//!
//! ```text
//!   files ─► blocks ──── decode, compute ────► watermark ──── filter, project, gather ────► step
//!            in order    any thread            in order       any thread                    in order
//!   queue    [ reading 9 │ reading 8 │ preparing 7 │ ready 6 ]
//! ```
//!
//! Blocks are read ahead, as many as keep the threads busy; one thread takes them one by one. What comes in
//! small pieces is done at once, without a second thread.
//!
//! Invariant: steps come in the order of blocks, and what is in them does not depend on threads.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::block::{Block, Rejected, Texts};
use super::commit::Noted;
use super::merge::{FileName, Files, Next, Run};
use super::reader::{Input, Patience};
use super::wait::{Idle, Waiter};
use super::workers::{Pending, Workers};
use crate::data::{Batch, Event, Position, position, record_of_position};
use crate::error::Result;
use crate::exec::expression::{Expression, Failures};
use crate::exec::parallel::{Ahead, Prepared};
use crate::exec::watermark::WatermarkOperator;
use crate::exec::{Message, Operator, Output, Watermark};
use crate::plan::SourcePlan;

/// Blocks of less than this share of a full one are not worth waking another thread.
const SMALL_SHARE: usize = 16;

/// Blocks that are read ahead, however many threads there are: their memory is bounded.
const MOST_AHEAD: usize = 66;

/// A source that is being read.
pub(super) struct Source {
    number: u16,
    name: String,
    files: Files,
    rows: Arc<RowPlan>,
    small_bytes: usize,
    ahead: Arc<Ahead>,
    watermark: Option<WatermarkOperator>,
    /// The last watermark that was given.
    last: i64,
    next_record: u64,
    /// The file of the last block, and its lines so far.
    file: Option<FileName>,
    lines: u64,
    queue: VecDeque<Stage>,
    /// How reading ended: what was read before is handed on first.
    end: Option<Result<()>>,
}

/// A block on its way.
enum Stage {
    Reading(Task<Result<Box<Rows>>>, FileName),
    Preparing(Task<Result<Prepared>>, Box<Step>),
    Ready(Box<Step>),
}

/// Work that was done at once, or is done elsewhere.
enum Task<T> {
    Done(Option<T>),
    Elsewhere(Pending<T>),
}

impl<T> Task<T> {
    /// The result, if there is one; once.
    fn take(&mut self) -> Option<T> {
        match self {
            Task::Done(result) => result.take(),
            Task::Elsewhere(pending) => pending.take(),
        }
    }
}

/// How rows are made of records: the same for all blocks.
struct RowPlan {
    read_fields: usize,
    computed: Vec<Expression>,
    schema: SchemaRef,
}

/// Records with their computed columns.
struct Rows {
    run: Run,
    /// With the computed columns.
    columns: RecordBatch,
    failures: Failures,
}

impl RowPlan {
    fn read(&self, block: Block) -> Result<Box<Rows>> {
        self.compute(Run::of(block.decode()?))
    }

    /// Adds the computed columns, each over those before it.
    fn compute(&self, run: Run) -> Result<Box<Rows>> {
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
        Ok(Box::new(Rows {
            columns: RecordBatch::try_new_with_options(schema, columns, &options)?,
            run,
            failures,
        }))
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
        ahead: Arc<Ahead>,
        waiter: &mut Waiter<'_>,
    ) -> Result<Self> {
        Ok(Source {
            number,
            name: plan.table.name.clone(),
            small_bytes: input.block_bytes / SMALL_SHARE,
            files: Files::new(input, waiter)?,
            rows: Arc::new(RowPlan {
                read_fields: plan.read.len(),
                computed: plan.computed.clone(),
                schema: Arc::clone(&plan.schema),
            }),
            ahead,
            watermark: plan.watermark.clone().map(WatermarkOperator::new),
            last: i64::MIN,
            next_record: 0,
            file: None,
            lines: 0,
            queue: VecDeque::new(),
            end: None,
        })
    }

    /// The last watermark; that of a source without event time stays at the beginning.
    pub(super) fn watermark(&self) -> i64 {
        self.last
    }

    /// The next rows.
    pub(super) fn next(
        &mut self,
        workers: &Workers,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Given> {
        loop {
            let done = workers.done();
            let most = match workers.count() {
                1 => 1,
                threads => (threads + 2).min(MOST_AHEAD),
            };
            while self.end.is_none() && self.queue.len() < most {
                // Only with nothing under way is there time to wait.
                let mut patience: Patience<'_> = match self.queue.is_empty() {
                    true => Some(idle),
                    false => None,
                };
                match self.files.next(waiter, &mut patience) {
                    Ok(Next::Block(block, name)) => self.read(block, name, workers),
                    Ok(Next::Run(run, name)) => {
                        let rows = Task::Done(Some(self.rows.compute(run)));
                        self.queue.push_back(Stage::Reading(rows, name));
                    }
                    Ok(Next::End) => self.end = Some(Ok(())),
                    Ok(Next::Stop) => return Ok(Given::Stop),
                    Ok(Next::Later) => break,
                    Err(error) => self.end = Some(Err(error)),
                }
            }
            self.advance(workers);
            match self.queue.pop_front() {
                Some(Stage::Ready(step)) => {
                    if self.watermark.is_some() {
                        self.last = step.watermark.time;
                    }
                    return Ok(Given::Step(*step));
                }
                Some(stage) => {
                    self.queue.push_front(stage);
                    workers.help(done);
                }
                None => match self.end.take() {
                    Some(Ok(())) => return Ok(Given::End),
                    Some(Err(error)) => return Err(error),
                    None => {}
                },
            }
        }
    }

    /// Has a block decoded.
    fn read(&mut self, block: Block, name: FileName, workers: &Workers) {
        let rows = Arc::clone(&self.rows);
        let is_small = block.len() < self.small_bytes && self.queue.is_empty();
        let task = match is_small || workers.count() == 1 {
            true => Task::Done(Some(rows.read(block))),
            false => Task::Elsewhere(workers.spawn(move || rows.read(block))),
        };
        self.queue.push_back(Stage::Reading(task, name));
    }

    /// Brings every block as far as it can come: in order through the watermark.
    fn advance(&mut self, workers: &Workers) {
        for place in 0..self.queue.len() {
            match self.bring(place, workers) {
                Ok(true) => {}
                // Those behind it wait for its watermark.
                Ok(false) => return,
                Err(error) => {
                    // What stands before the block that failed is handed on first.
                    self.queue.truncate(place);
                    self.end = Some(Err(error));
                    return;
                }
            }
        }
    }

    /// Brings a block as far as it can come; false if its watermark is not known yet.
    fn bring(&mut self, place: usize, workers: &Workers) -> Result<bool> {
        if let Stage::Reading(task, name) = &mut self.queue[place] {
            let Some(rows) = task.take() else {
                return Ok(false);
            };
            let at_once = matches!(task, Task::Done(_));
            let name = Arc::clone(name);
            self.queue[place] = self.keep_time(*rows?, &name, at_once, workers)?;
        }
        if let Stage::Preparing(task, step) = &mut self.queue[place]
            && let Some(prepared) = task.take()
        {
            let mut step = std::mem::take(step);
            step.prepared = Some(prepared?);
            self.queue[place] = Stage::Ready(step);
        }
        Ok(true)
    }

    /// Numbers the rows of a block and lets the watermark follow them; has them prepared, `at_once` or by
    /// whoever is free.
    fn keep_time(
        &mut self,
        rows: Rows,
        name: &FileName,
        at_once: bool,
        workers: &Workers,
    ) -> Result<Stage> {
        let (mut step, batch) = self.step(rows, name);
        let batch = match &mut self.watermark {
            None => Some(batch),
            Some(operator) => {
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
                timed
            }
        };
        let Some(batch) = batch else {
            return Ok(Stage::Ready(Box::new(step)));
        };
        let ahead = Arc::clone(&self.ahead);
        let task = match at_once || workers.count() == 1 || ahead.is_light() {
            true => Task::Done(Some(ahead.prepare(&batch, false))),
            false => Task::Elsewhere(workers.spawn(move || ahead.prepare(&batch, true))),
        };
        Ok(Stage::Preparing(task, Box::new(step)))
    }

    /// The step of a block without its rows, and those with their positions.
    fn step(&mut self, rows: Rows, name: &FileName) -> (Step, Batch) {
        let Rows {
            run,
            columns,
            mut failures,
        } = rows;
        if !self
            .file
            .as_ref()
            .is_some_and(|file| Arc::ptr_eq(file, name))
        {
            self.file = Some(Arc::clone(name));
            self.lines = 0;
        }
        let lines = self.lines;
        self.lines += run.line_count;
        let first = self.next_record;
        self.next_record += u64::from(run.record_count);
        let at = |offset: u32| position(self.number, first + u64::from(offset));
        let rejects = run.rejects.into_iter();
        let rejects =
            rejects.map(|(offset, reject)| self.rejected(at(offset), name, lines, reject));
        let mut noted: Vec<Noted> = rejects.collect();
        let positions: Vec<Position> = run.records.iter().map(|&offset| at(offset)).collect();
        noted.extend(run.mended.iter().map(|&offset| Noted::Mended {
            position: at(offset),
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
                first_position: position(self.number, first),
                first_record,
            }),
        };
        (step, Batch::new(columns, positions.into()))
    }

    fn rejected(&self, position: Position, file: &str, lines: u64, reject: Rejected) -> Noted {
        Noted::Rejected {
            position,
            file: match file.is_empty() {
                true => self.name.clone(),
                false => file.to_owned(),
            },
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
