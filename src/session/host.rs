//! What a session needs from whoever runs it, and the bridge from a run to that.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::side_files::SideFiles;
use crate::connect::ByteSource;
use crate::error::Result;
use crate::runtime::{LateRow, RejectedRow, RowWriter, Sink, Waiting};

/// What displays want to know of a result before its first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultInfo {
    /// All of it comes at the end of input: a table can be laid out at once.
    pub finite: bool,
}

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

    /// Something to know.
    fn note(&mut self, note: Note);
}

/// Leads what a run gives to the host and the files of what was left out.
pub(super) struct RunSink<'a> {
    pub host: &'a mut dyn Host,
    pub side_files: &'a mut SideFiles,
    pub schema: SchemaRef,
}

impl Sink for RunSink<'_> {
    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        // The plan's names are the result's.
        self.host.rows(&super::renamed(&self.schema, rows)?)
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        self.host.row_writer()
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.host.text(text)
    }

    fn flush(&mut self) -> Result<()> {
        self.side_files.flush()?;
        self.host.flush()
    }

    fn late(&mut self, row: &LateRow<'_>) -> Result<()> {
        self.side_files.late(row)
    }

    fn rejected(&mut self, row: &RejectedRow<'_>) -> Result<()> {
        self.side_files.rejected(row)
    }

    fn waiting(&mut self, state: &Waiting) {
        let read = crate::data::print::number::thousands(state.rows_read);
        let text = match (state.rows_read, state.has_windows) {
            (0, _) => String::from("waiting for input: nothing has come yet"),
            (_, true) if state.rows_out == 0 => format!(
                "waiting: {read} rows read, and no window has closed; a window closes with the first row \
                 that is later than its end by the delay, or at the end of input"
            ),
            (_, false) if state.rows_out == 0 => String::from(
                "waiting for the end of input: a total prints only then; for output now add a window",
            ),
            _ => format!("waiting: {read} rows read"),
        };
        self.host.note(Note::Waiting(text));
    }
}
