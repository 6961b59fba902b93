//! Result rows on their way out: any thread makes text of them, one hands it on in order.
//!
//! ```text
//!   operators ─► rows 7 ─► text of 7 (any thread) ─► sink      in the order of rows
//! ```
//!
//! Few rows are made text of at once, and so are all where the text of rows depends on those before (a table).
//! What is taken stays in memory until reading would wait, or a buffer is full. An input that never makes us wait
//! while few rows come of it would keep them for ever: of one that is live they go out soon.
//!
//! Invariant: before the sink is flushed, and whenever a run ends, everything has been handed on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;

use super::sink::Sink;
use super::workers::{Pending, Workers};
use crate::error::Result;
use crate::time;

/// For so many bytes of a block a row: fewer rows than that are not worth waking another thread.
const BLOCK_BYTES_PER_ROW: usize = 512;

/// For so long rows of what is live are kept while reading does not wait.
const KEPT: Duration = Duration::from_millis(30);

/// Makes text of result rows. What it makes depends on nothing but the rows.
pub trait RowWriter: Send + Sync {
    /// Appends the text of the rows.
    ///
    /// # Errors
    /// For columns of another type than it was made for.
    fn write(&self, rows: &RecordBatch, text: &mut Vec<u8>) -> Result<()>;
}

/// What stands between the operators and the sink.
pub(super) struct Output<'a> {
    sink: &'a mut dyn Sink,
    /// Of each root.
    writers: Vec<Option<Arc<dyn RowWriter>>>,
    few_rows: usize,
    /// Texts that are being made, in order, with their roots.
    pending: VecDeque<(usize, Pending<Result<Vec<u8>>>)>,
    /// The memory of texts that were handed on: fresh memory costs a page fault each 4 KiB.
    spare: Vec<Vec<u8>>,
    /// Somebody may watch an input come.
    is_live: bool,
    /// Since when rows of it are kept.
    kept_since: Option<Duration>,
}

impl<'a> Output<'a> {
    /// What leads to `sink`, in a run of so many roots whose inputs are read in blocks of that size. `is_live`: not
    /// all of them lie there whole.
    pub(super) fn new(
        sink: &'a mut dyn Sink,
        roots: usize,
        block_bytes: usize,
        is_live: bool,
    ) -> Self {
        Output {
            few_rows: block_bytes / BLOCK_BYTES_PER_ROW,
            writers: (0..roots).map(|root| sink.row_writer(root)).collect(),
            sink,
            pending: VecDeque::new(),
            spare: Vec::new(),
            is_live,
            kept_since: None,
        }
    }

    /// Where everything but rows goes.
    pub(super) fn sink(&mut self) -> &mut dyn Sink {
        self.sink
    }

    /// Takes result rows of a root, in order.
    pub(super) fn rows(&mut self, root: usize, rows: RecordBatch, workers: &Workers) -> Result<()> {
        if self.is_live {
            self.kept_since.get_or_insert_with(time::elapsed);
        }
        let writer = (self.writers[root].as_ref())
            .filter(|_| workers.count() > 1)
            .filter(|_| rows.num_rows() >= self.few_rows);
        match writer.map(Arc::clone) {
            Some(writer) => {
                let mut text = self.spare.pop().unwrap_or_default();
                let write = move || writer.write(&rows, &mut text).map(|()| text);
                self.pending.push_back((root, workers.spawn(write)));
                self.hand_on(workers, 2 * workers.count())
            }
            None => {
                self.hand_on(workers, 0)?;
                self.sink.rows(root, &rows)
            }
        }
    }

    /// True if rows have been kept for long enough.
    pub(super) fn is_due(&self) -> bool {
        self.kept_since
            .is_some_and(|since| time::elapsed() >= since + KEPT)
    }

    /// Hands out what was taken.
    pub(super) fn flush(&mut self, workers: &Workers) -> Result<()> {
        self.kept_since = None;
        self.hand_on(workers, 0)?;
        self.sink.flush()
    }

    /// Hands on what is left of a run that failed: the rows before the failure are out.
    pub(super) fn settle(&mut self, workers: &Workers) {
        // The failure of the run is what is told.
        let _ = self.hand_on(workers, 0);
    }

    /// Hands on what is ready, and waits until at most `most` texts are not.
    fn hand_on(&mut self, workers: &Workers, most: usize) -> Result<()> {
        while let Some((root, first)) = self.pending.front() {
            let done = workers.done();
            match first.take() {
                Some(text) => {
                    let root = *root;
                    self.pending.pop_front();
                    let handed = text.and_then(|text| self.sink.text(root, &text).map(|()| text));
                    match handed {
                        Ok(mut text) => {
                            text.clear();
                            self.spare.push(text);
                        }
                        Err(error) => {
                            // No rows come out behind a gap.
                            self.pending.clear();
                            return Err(error);
                        }
                    }
                }
                None if self.pending.len() > most => workers.help(done),
                None => break,
            }
        }
        Ok(())
    }
}
