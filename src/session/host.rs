//! What a session needs from whoever runs it, and the bridge from a run to that.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::analyze::Analyzed;
use super::result_info::ResultInfo;
use super::side_files::SideFiles;
use super::sinks::SinkSpec;
use super::standing::{status_text, waiting_text};
use super::together::each;
use crate::connect::{ByteSource, Notice};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::{
    self, LateRow, Pause, Progress, RejectedRow, RowWriter, Sink, Status, Waiting,
};

/// Something that the user may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A guess, as a `CREATE TABLE` that can be pasted.
    Guess(String),
    /// A remark on the query.
    Remark(String),
    /// A column that is NULL until it appears.
    Unseen(String),
    /// Nothing has come for a while.
    Waiting(String),
    /// How a run stands, for who asked.
    Status(String),
    /// What a connector says: a port that was chosen, a connection that was refused.
    Said(Notice),
}

/// Who runs a session: takes results and gives standard input.
pub trait Host {
    /// A result with these columns begins.
    ///
    /// # Errors
    /// It cannot be shown or written.
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()>;

    /// Rows of the result.
    ///
    /// # Errors
    /// They cannot be shown or written.
    fn rows(&mut self, rows: &RecordBatch) -> Result<()>;

    /// What makes text of rows in the place of [`Host::rows`], if their text depends on nothing else. Asked for
    /// once a result has begun.
    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        None
    }

    /// Hands out what was taken: nothing more comes for now.
    ///
    /// # Errors
    /// It cannot be written.
    fn flush(&mut self) -> Result<()>;

    /// The result is complete.
    ///
    /// # Errors
    /// It cannot be written.
    fn end(&mut self) -> Result<()>;

    /// Text: of rows, from what [`Host::row_writer`] gave, or what answers a statement (EXPLAIN, DESCRIBE).
    ///
    /// # Errors
    /// It cannot be written.
    fn text(&mut self, text: &[u8]) -> Result<()>;

    /// Standard input, once; `None` if there is none, or it was taken.
    fn stdin(&mut self) -> Option<Box<dyn ByteSource>>;

    /// Why there is no standard input, and what to do.
    fn no_stdin(&self) -> Error {
        Error::usage("the query reads `stdin`, and there is no standard input")
    }

    /// A file that INSERT INTO writes, created or opened when its result begins.
    ///
    /// # Errors
    /// There is no such format, or rows cannot be put behind others in it.
    fn sink(&mut self, spec: &SinkSpec) -> Result<Box<dyn ResultSink>>;

    /// Something to know.
    fn note(&mut self, note: Note);

    /// True if somebody watches how runs go, and wants [`Host::progress`].
    fn watches(&self) -> bool {
        false
    }

    /// How the run goes, some times a second. `open` gives the rows of the result that would come out if the input
    /// ended now.
    ///
    /// # Errors
    /// It cannot be shown.
    fn progress(&mut self, _progress: &RunProgress, _open: OpenRows<'_>) -> Result<()> {
        Ok(())
    }

    /// A signal ended the run. `open` gives the rows of the windows that it left open: they are not the result's.
    ///
    /// # Errors
    /// They cannot be shown.
    fn left_open(&mut self, _open: OpenRows<'_>) -> Result<()> {
        Ok(())
    }
}

/// Gives rows that may still change.
pub type OpenRows<'a> = &'a mut dyn FnMut() -> Result<Vec<RecordBatch>>;

/// How a run goes.
#[derive(Debug, Clone)]
pub struct RunProgress {
    /// What was counted and read.
    pub progress: Progress,
    /// How far event time has come, as text; `None` where there is none.
    pub watermark: Option<String>,
    /// How far that is behind the clock.
    pub behind: Option<Duration>,
    /// What the operators have done so far, if that is wanted.
    pub tree: Option<String>,
}

/// Where the rows of an INSERT go: as the [`Host`] for those of a SELECT.
pub trait ResultSink {
    /// The rows with these columns begin.
    ///
    /// # Errors
    /// They cannot be written.
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()>;

    /// Rows.
    ///
    /// # Errors
    /// They cannot be written.
    fn rows(&mut self, rows: &RecordBatch) -> Result<()>;

    /// What makes text of rows in the place of [`ResultSink::rows`], if their text depends on nothing else.
    fn row_writer(&self) -> Option<Arc<dyn RowWriter>>;

    /// The text of rows, from that.
    ///
    /// # Errors
    /// It cannot be written.
    fn text(&mut self, text: &[u8]) -> Result<()>;

    /// Hands out what was taken: nothing more comes for now.
    ///
    /// # Errors
    /// It cannot be written.
    fn flush(&mut self) -> Result<()>;

    /// The rows are complete.
    ///
    /// # Errors
    /// It cannot be written.
    fn end(&mut self) -> Result<()>;

    /// Something to tell the user, once: that a connection broke.
    fn notice(&mut self) -> Option<Notice> {
        None
    }
}

/// Where the rows of one statement of a run go.
pub(super) struct Root {
    pub schema: SchemaRef,
    /// `None` is the host.
    pub sink: Option<Box<dyn ResultSink>>,
}

/// Leads what a run gives to the host, the sinks of INSERTs and the files of what was left out.
pub(super) struct RunSink<'a> {
    host: &'a mut dyn Host,
    side_files: &'a mut SideFiles,
    roots: Vec<Root>,
    /// The query that is measured.
    analyzed: Option<&'a Analyzed>,
    /// The reader of standard output has left, and the other statements of the run go on.
    host_has_left: bool,
}

impl<'a> RunSink<'a> {
    pub(super) fn new(
        host: &'a mut dyn Host,
        side_files: &'a mut SideFiles,
        roots: Vec<Root>,
        analyzed: Option<&'a Analyzed>,
    ) -> Self {
        RunSink {
            host,
            side_files,
            roots,
            analyzed,
            host_has_left: false,
        }
    }

    /// All results are complete.
    ///
    /// # Errors
    /// One cannot be written.
    pub(super) fn end(&mut self) -> Result<()> {
        let ended = each(&mut self.roots, |sink| {
            sink.end().and_then(|()| sink.flush())
        });
        self.tell();
        let has_host = self.roots.iter().any(|root| root.sink.is_none());
        if !has_host {
            return ended;
        }
        ended.and(self.give_host(|host| host.end().and_then(|()| host.flush())))
    }

    /// Hands on what sinks have to say.
    fn tell(&mut self) {
        let sinks = self.roots.iter_mut().filter_map(|root| root.sink.as_mut());
        for sink in sinks {
            while let Some(notice) = sink.notice() {
                self.host.note(Note::Said(notice));
            }
        }
    }

    /// What has come out of a run that failed stays.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn keep(&mut self) -> Result<()> {
        let kept = each(&mut self.roots, |sink| sink.flush());
        self.tell();
        kept
    }

    /// A reader that has left ends a SELECT, but not the INSERTs beside it.
    fn give_host(&mut self, give: impl FnOnce(&mut dyn Host) -> Result<()>) -> Result<()> {
        if self.host_has_left {
            return Ok(());
        }
        match give(self.host) {
            Err(error) if error.kind() == ErrorKind::Closed && self.roots.len() > 1 => {
                self.host_has_left = true;
                Ok(())
            }
            given => given,
        }
    }
}

impl Sink for RunSink<'_> {
    fn rows(&mut self, root: usize, rows: &RecordBatch) -> Result<()> {
        let to = &mut self.roots[root];
        // The plan's names are the result's.
        let rows = super::renamed(&to.schema, rows)?;
        match &mut to.sink {
            Some(sink) => sink.rows(&rows),
            None => self.give_host(|host| host.rows(&rows)),
        }
    }

    fn row_writer(&self, root: usize) -> Option<Arc<dyn RowWriter>> {
        match &self.roots[root].sink {
            Some(sink) => sink.row_writer(),
            None => self.host.row_writer(),
        }
    }

    fn text(&mut self, root: usize, text: &[u8]) -> Result<()> {
        match &mut self.roots[root].sink {
            Some(sink) => sink.text(text),
            None => self.give_host(|host| host.text(text)),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.side_files.flush()?;
        let flushed = each(&mut self.roots, |sink| sink.flush());
        self.tell();
        flushed?;
        self.give_host(|host| host.flush())
    }

    fn late(&mut self, row: &LateRow<'_>) -> Result<()> {
        self.side_files.late(row)
    }

    fn rejected(&mut self, row: &RejectedRow<'_>) -> Result<()> {
        self.side_files.rejected(row)
    }

    fn paused(&mut self, pause: &Pause<'_>) {
        let name = &pause.source.table.name;
        let newest = self.side_files.time(pause.number, pause.newest);
        let timeout = pause.source.idle_timeout.unwrap_or_default();
        let text = format!(
            "nothing of `{name}` for {timeout}: its event time goes on with the clock from {newest} (idle timeout)"
        );
        self.host.note(Note::Said(Notice::warning(text)));
    }

    fn status(&mut self, status: &Status) {
        let text = status_text(status, self.side_files);
        self.host.note(Note::Status(text));
    }

    fn said(&mut self, notice: Notice) {
        self.host.note(Note::Said(notice));
    }

    fn watches(&self) -> bool {
        self.host.watches()
    }

    fn progress(&mut self, progress: &Progress, open: runtime::OpenRows<'_>) -> Result<()> {
        let watermarks = progress.status.watermarks.iter().copied().enumerate();
        // The end of a source is no time, and the one that is behind holds the windows up.
        let known = watermarks.filter(|(_, time)| !matches!(*time, i64::MIN | i64::MAX));
        let least = known.min_by_key(|(_, time)| *time);
        let shown = RunProgress {
            progress: progress.clone(),
            watermark: least.map(|(source, time)| self.side_files.time(source, time)),
            behind: least.and_then(|(source, time)| self.side_files.behind_clock(source, time)),
            tree: self.analyzed.map(Analyzed::tree),
        };
        let roots = &self.roots;
        let mut open = || of_host(roots, open()?);
        self.host.progress(&shown, &mut open)
    }

    fn left_open(&mut self, open: runtime::OpenRows<'_>) -> Result<()> {
        let roots = &self.roots;
        self.host.left_open(&mut || of_host(roots, open()?))
    }

    fn waiting(&mut self, state: &Waiting) {
        let text = waiting_text(state, self.side_files);
        self.host.note(Note::Waiting(text));
    }
}

/// The rows of the statement that is the host's.
fn of_host(roots: &[Root], rows: Vec<(usize, RecordBatch)>) -> Result<Vec<RecordBatch>> {
    let rows = rows.into_iter();
    let rows = rows.filter(|(root, _)| roots[*root].sink.is_none());
    rows.map(|(root, rows)| super::renamed(&roots[root].schema, &rows))
        .collect()
}
