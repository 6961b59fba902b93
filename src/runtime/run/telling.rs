//! What a run tells of itself while it goes on: to who watches it, and to who waits for a result.
//!
//! Invariant: telling changes nothing of the run. What is still open is asked of a copy of the operators.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{Input, Run, Status};
use crate::error::Result;
use crate::exec::graph::Graph;
use crate::exec::parallel::Ahead;
use crate::plan::SourcePlan;
use crate::runtime::sink::{NextWindow, Waiting};
use crate::runtime::summary::Summary;
use crate::time;

/// How many bytes all inputs have together, if they are files that lie there whole.
pub(super) fn total_bytes(inputs: &[Input]) -> Option<u64> {
    inputs.iter().map(|input| input.inputs.size_bytes()).sum()
}

/// The rows that would come out if the input ended now, each batch with its root.
fn open_rows(graph: &Graph, aheads: &[Arc<Ahead>]) -> Result<Vec<(usize, RecordBatch)>> {
    let results = graph.results_if_ended(aheads)?;
    let rows = results.batches.into_iter();
    Ok(rows.map(|(root, batch)| (root, batch.columns)).collect())
}

impl Run<'_> {
    /// Tells who watches how the run goes.
    pub(super) fn tell_progress(&mut self) -> Result<()> {
        let began = time::elapsed();
        // What has come out stands before what is still open.
        self.output.flush(&self.workers)?;
        let status = Status::of(&self.graph, self.summary, &self.reached);
        let progress = self.ticks.progress(status);
        let (graph, aheads) = (&self.graph, &self.aheads);
        let mut open = || open_rows(graph, aheads);
        self.output.sink().progress(&progress, &mut open)?;
        self.ticks.told(began);
        Ok(())
    }

    /// Tells which windows a signal leaves open.
    pub(super) fn tell_left_open(&mut self) -> Result<()> {
        self.output.flush(&self.workers)?;
        let (graph, aheads) = (&self.graph, &self.aheads);
        self.output
            .sink()
            .left_open(&mut || open_rows(graph, aheads))
    }
}

/// How a run stands, to be said if somebody asks.
pub(super) struct Standing<'r> {
    pub(super) graph: &'r Graph,
    pub(super) plans: &'r [SourcePlan],
    pub(super) summary: &'r Summary,
    pub(super) reached: &'r [i64],
    pub(super) has_windows: bool,
    /// The source that is furthest behind.
    pub(super) behind: Option<usize>,
}

impl Standing<'_> {
    /// What was counted, and what is open.
    pub(super) fn status(&self) -> Status {
        Status::of(self.graph, self.summary, self.reached)
    }

    /// What is waited for.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting {
            rows_read: self.summary.rows_read - self.summary.rows_before,
            rows_out: self.summary.rows_out,
            has_windows: self.has_windows,
            next: self.next_window(),
        }
    }

    fn next_window(&self) -> Option<NextWindow> {
        let source = self.behind?;
        let delay = self.plans[source].watermark.as_ref()?.delay;
        let reached = self.reached[source];
        let is_time = !matches!(reached, i64::MIN | i64::MAX);
        Some(NextWindow {
            source,
            newest: is_time.then(|| reached.saturating_add(delay))?,
            end: self.graph.next_end()?,
            delay,
        })
    }
}
