//! The share of a query's work on rows that needs no state of an operator: any thread may do it, block by block.
//!
//! ```text
//!   source ─► filter ─► project ─► window aggregate ─► …
//!   └────── Ahead: any thread ──────┘ gathers │ merges, in order: Graph::push
//! ```
//!
//! From each read of a source down: filters and projections wholly, then the local phase of an operator that
//! has one. What is behind gets rows or partials in the order of blocks.
//!
//! Invariants: what a share makes of a batch depends on the batch alone. Events stay with the path that they
//! came up on, so that the graph reports them in the order in which one thread would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::graph::Target;
use super::grouped::Grouped;
use super::meter::Meters;
use super::{Message, Output};
use crate::data::{Batch, Event};
use crate::error::{Error, Result};

/// What of an operator's work any thread may do.
pub enum Parallel<'a> {
    /// Nothing: every row needs the state that the rows before it left.
    Nothing,
    /// All of it.
    Whole(Arc<dyn Stateless>),
    /// A first phase.
    Local(&'a mut dyn TwoPhase),
}

/// An operator without state.
pub trait Stateless: Send + Sync {
    /// Takes rows; what it makes goes to `out`.
    ///
    /// # Errors
    /// Those of the operator.
    fn apply(&self, batch: Batch, out: &mut Output) -> Result<()>;
}

/// An operator that can also take rows gathered elsewhere.
pub trait TwoPhase {
    /// The first phase.
    fn local(&self) -> Arc<dyn Local>;

    /// Takes what the first phase made of a batch, in the place of its rows.
    ///
    /// # Errors
    /// Those of `on_batch`.
    fn on_partials(&mut self, partials: Partials, out: &mut Output) -> Result<()>;
}

/// The first phase of an operator.
pub trait Local: Send + Sync {
    /// Gathers the rows of a batch of a source.
    ///
    /// # Errors
    /// Those of `on_batch`.
    fn gather(&self, batch: Batch, out: &mut Output) -> Result<Gathered>;
}

/// What the first phase made of a batch.
pub enum Gathered {
    /// It is of no use here: the operator takes the rows.
    Rows(Batch),
    /// The operator takes this for the rows.
    Partials(Partials),
}

/// The rows of a batch gathered by partial; see `window::local`.
pub struct Partials(pub(super) Vec<Partial>);

/// Groups of the rows of one slice that found the same windows closed; without windows of all rows.
pub(super) struct Partial {
    /// The start of the slice, the end of its first open window.
    pub(super) key: (i64, i64),
    /// Its open windows as (end, start), by rising end.
    pub(super) windows: Vec<(i64, i64)>,
    pub(super) groups: Grouped,
}

/// Whether gathering first is worth it: where nearly every row has a group of its own it only adds work. What
/// comes out is the same either way.
#[derive(Debug, Default)]
pub(super) struct Worth {
    /// Batches to hand on as rows before the next try.
    skipped: AtomicU32,
}

impl Worth {
    const SKIPPED: u32 = 31;

    /// True if the next batch should be gathered.
    pub(super) fn is_given(&self) -> bool {
        let left = self.skipped.load(Ordering::Relaxed);
        if left > 0 {
            // Two threads may count one batch: that only moves the next try.
            self.skipped.store(left - 1, Ordering::Relaxed);
        }
        left == 0
    }

    /// Takes what came of a batch.
    pub(super) fn learn(&self, rows: usize, groups: usize) {
        if groups * 2 > rows {
            self.skipped.store(Self::SKIPPED, Ordering::Relaxed);
        }
    }
}

/// The share of work on the rows of one source; made once for a run.
pub struct Ahead {
    pub(super) paths: Vec<Path>,
}

/// From one read of a source to the first operator with state.
pub(super) struct Path {
    pub(super) columns: Vec<usize>,
    pub(super) schema: SchemaRef,
    /// Each with the number of its operator.
    pub(super) steps: Vec<(usize, Arc<dyn Stateless>)>,
    pub(super) local: Option<Arc<dyn Local>>,
    pub(super) target: Target,
    /// The number of the read.
    pub(super) read: usize,
    pub(super) meters: Option<Arc<Meters>>,
}

/// What the share made of a batch: an entry for each path.
pub struct Prepared(pub(super) Vec<PreparedPath>);

pub(super) struct PreparedPath {
    pub(super) events: Vec<Event>,
    pub(super) gathered: Vec<Gathered>,
}

impl Ahead {
    /// Does the share for a batch of the source. `gather` says whether to run first phases, too: with one
    /// thread there is nothing to be won by them.
    ///
    /// # Errors
    /// Those of the operators.
    pub fn prepare(&self, batch: &Batch, gather: bool) -> Result<Prepared> {
        let paths = self.paths.iter();
        let prepared = paths.map(|path| path.prepare(batch, gather));
        Ok(Prepared(prepared.collect::<Result<_>>()?))
    }
}

impl Path {
    fn prepare(&self, batch: &Batch, gather: bool) -> Result<PreparedPath> {
        let columns = self.columns.iter();
        let columns = columns.map(|&column| Arc::clone(batch.columns.column(column)));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns.collect(),
            &options,
        )?;
        let mut out = Output::default();
        let mut batches = vec![batch.with_columns(columns)];
        if let Some(meters) = &self.meters {
            meters.reads[self.read].takes(batch.num_rows());
        }
        for (operator, step) in &self.steps {
            for batch in std::mem::take(&mut batches) {
                self.apply(*operator, step.as_ref(), batch, &mut out)?;
            }
            for message in out.messages.drain(..) {
                match message {
                    Message::Batch(batch) => batches.push(batch),
                    Message::Watermark(_) => {
                        return Err(Error::internal(
                            "an operator without state made a watermark",
                        ));
                    }
                }
            }
        }
        let mut gathered = Vec::with_capacity(batches.len());
        for batch in batches {
            gathered.push(match self.local.as_ref().filter(|_| gather) {
                Some(local) => self.gather(local.as_ref(), batch, &mut out)?,
                None => Gathered::Rows(batch),
            });
        }
        Ok(PreparedPath {
            events: out.events,
            gathered,
        })
    }

    fn apply(
        &self,
        operator: usize,
        step: &dyn Stateless,
        batch: Batch,
        out: &mut Output,
    ) -> Result<()> {
        let Some(meters) = &self.meters else {
            return step.apply(batch, out);
        };
        let (messages, events) = (out.messages.len(), out.events.len());
        meters.operators[operator].takes(batch.num_rows());
        meters.measure(operator, || step.apply(batch, out))?;
        meters.made(operator, out, messages, events);
        Ok(())
    }

    /// The first phase of the operator that the path leads to.
    fn gather(&self, local: &dyn Local, batch: Batch, out: &mut Output) -> Result<Gathered> {
        let (Some(meters), Target::Node { node, .. }) = (&self.meters, self.target) else {
            return local.gather(batch, out);
        };
        let (rows, events) = (batch.num_rows(), out.events.len());
        let gathered = meters.measure(node, || local.gather(batch, out))?;
        // Rows that come as rows are counted when the operator takes them.
        if matches!(gathered, Gathered::Partials(_)) {
            meters.operators[node].takes(rows);
        }
        meters.made(node, out, out.messages.len(), events);
        Ok(gathered)
    }
}
