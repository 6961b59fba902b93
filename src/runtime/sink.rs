//! What a run needs from whoever takes its results, and what it tells while it goes on.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::commit::{LateRow, RejectedRow};
use super::output::RowWriter;
use super::progress::Progress;
use super::summary::Summary;
use crate::connect::Notice;
use crate::error::Result;
use crate::exec::graph::Graph;
use crate::plan::SourcePlan;

/// Where the results of a run go. A run has a root for each statement that runs in it, numbered from 0.
pub trait Sink {
    /// Takes result rows of a root, in order.
    ///
    /// # Errors
    /// They cannot be written.
    fn rows(&mut self, root: usize, rows: &RecordBatch) -> Result<()>;

    /// What makes text of rows in the place of [`Sink::rows`], if their text depends on nothing else.
    fn row_writer(&self, root: usize) -> Option<Arc<dyn RowWriter>>;

    /// Takes the text of result rows from that, in order.
    ///
    /// # Errors
    /// It cannot be written.
    fn text(&mut self, root: usize, text: &[u8]) -> Result<()>;

    /// Hands out what was taken: the input would make us wait.
    ///
    /// # Errors
    /// It cannot be written.
    fn flush(&mut self) -> Result<()>;

    /// Keeps a row that was left out because it was late.
    ///
    /// # Errors
    /// It cannot be written.
    fn late(&mut self, row: &LateRow<'_>) -> Result<()>;

    /// Keeps a record that could not be used.
    ///
    /// # Errors
    /// It cannot be written.
    fn rejected(&mut self, row: &RejectedRow<'_>) -> Result<()>;

    /// Nothing has come in or out for a while: the user may wonder.
    fn waiting(&mut self, state: &Waiting);

    /// A source has gone quiet, and its event time goes on with the clock.
    fn paused(&mut self, pause: &Pause<'_>);

    /// Somebody asked how the run stands.
    fn status(&mut self, status: &Status);

    /// A connector has something to say.
    fn said(&mut self, notice: Notice);

    /// True if somebody watches the run, and wants [`Sink::progress`].
    fn watches(&self) -> bool {
        false
    }

    /// How the run goes, some times a second. `open` gives what would come out if the input ended now.
    ///
    /// # Errors
    /// It cannot be shown.
    fn progress(&mut self, _progress: &Progress, _open: OpenRows<'_>) -> Result<()> {
        Ok(())
    }

    /// A signal ended the run. `open` gives the rows of the windows that it left open.
    ///
    /// # Errors
    /// They cannot be shown.
    fn left_open(&mut self, _open: OpenRows<'_>) -> Result<()> {
        Ok(())
    }
}

/// Gives the rows of windows that are open, in order, each batch with its root.
pub type OpenRows<'a> = &'a mut dyn FnMut() -> Result<Vec<(usize, RecordBatch)>>;

/// How a run stands when nothing comes in or out.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Records that were read.
    pub rows_read: u64,
    /// Result rows that came out.
    pub rows_out: u64,
    /// True if the query has windows that a later row closes.
    pub has_windows: bool,
    /// The window that closes next, if that is known.
    pub next: Option<NextWindow>,
}

/// What a window waits for. Times are in the unit of the source's time column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextWindow {
    /// The source that is furthest behind.
    pub source: usize,
    /// The newest time of its rows.
    pub newest: i64,
    /// Where the window ends.
    pub end: i64,
    /// The watermark stays behind the newest time by this.
    pub delay: i64,
}

/// How a run stands, for who asks.
#[derive(Debug, Clone)]
pub struct Status {
    /// What was counted so far.
    pub summary: Summary,
    /// Windows (or totals) that are open.
    pub open_windows: usize,
    /// Bytes that the operators keep.
    pub state_bytes: usize,
    /// Per source: its watermark; `i64::MIN` before the first, or where it has none.
    pub watermarks: Vec<i64>,
}

impl Status {
    pub(super) fn of(graph: &Graph, summary: &Summary, reached: &[i64]) -> Self {
        Status {
            summary: summary.clone(),
            open_windows: graph.open_windows(),
            state_bytes: graph.size_bytes(),
            watermarks: reached.to_vec(),
        }
    }
}

/// A source that has gone quiet.
#[derive(Debug, Clone)]
pub struct Pause<'a> {
    /// The source.
    pub source: &'a SourcePlan,
    /// Its number.
    pub number: usize,
    /// The newest time that a row had.
    pub newest: i64,
}
