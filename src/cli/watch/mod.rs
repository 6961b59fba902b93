//! What a terminal shows of a run while it goes on, below the rows that are out.
//!
//! ```text
//!   window_start        │ host │ requests
//!   ────────────────────┼──────┼──────────
//!   2026-01-01 12:00:00 │ web1 │     1204      rows that are out: they stay
//!   2026-01-01 12:01:00 │ web1 │      377  ▂▅█▃   the region: windows that are open (--live), drawn anew in
//!   1.2M rows · 310k rows/s · 2 open · 24.0 MB/s     place, and how the run goes (--progress)
//! ```
//!
//! Invariants: the region is gone before anything else is written, so nothing of it stays in the scroll-back, but for
//! lines that a terminal breaks in two as it becomes narrower, of which their beginnings may stay; rows that are out
//! never go with it; it is never higher than the terminal; where there is no terminal, there is no region.

mod line;
mod sparks;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use unicode_width::UnicodeWidthStr;

use super::display::{Preview, cut};
use super::screen;
use crate::error::Result;
use crate::session::{OpenRows, ResultInfo, RunProgress};
use sparks::Sparks;

/// How a run goes is told from then on.
const PATIENCE: Duration = Duration::from_secs(1);
/// And to what is no terminal only so often.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

/// When `--progress` tells how a run goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressWhen {
    /// On a terminal.
    #[default]
    Auto,
    /// Also where stderr is none, in lines, and at the end.
    Always,
    /// Never.
    Never,
}

/// Where the region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Stdout,
    Stderr,
}

/// What is shown of a run; see the module.
pub(super) struct Watch {
    is_live: bool,
    progress: Shown,
    color: bool,
    place: Place,
    /// How many lines are drawn, none of them wider than the terminal was.
    drawn: usize,
    sparks: Option<Sparks>,
    last_line: Duration,
    /// `--progress always`: also how a run went that took less than a second.
    tells_end: bool,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Never,
    InPlace,
    AsLines,
}

impl Watch {
    /// `rows_to_terminal`: the rows go to a terminal, in a format for people. `color`: a terminal may get colors.
    pub(super) fn new(
        live: bool,
        when: ProgressWhen,
        rows_to_terminal: bool,
        quiet: bool,
        color: bool,
    ) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let progress = match when {
            ProgressWhen::Never => Shown::Never,
            ProgressWhen::Auto if quiet || !is_terminal || is_dumb => Shown::Never,
            ProgressWhen::Always if !is_terminal || is_dumb => Shown::AsLines,
            _ => Shown::InPlace,
        };
        let is_live = live && rows_to_terminal && !is_dumb;
        Watch {
            is_live,
            progress,
            color,
            place: if is_live {
                Place::Stdout
            } else {
                Place::Stderr
            },
            drawn: 0,
            sparks: None,
            last_line: Duration::ZERO,
            tells_end: when == ProgressWhen::Always,
        }
    }

    /// True if how runs go is to be told.
    pub(super) fn is_wanted(&self) -> bool {
        self.is_live || self.progress != Shown::Never
    }

    /// True if the windows that are open are shown.
    pub(super) fn is_live(&self) -> bool {
        self.is_live
    }

    /// A result begins.
    ///
    /// # Errors
    /// For columns that cannot be shown.
    pub(super) fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        if self.is_live {
            self.sparks = Some(Sparks::new(schema, info)?);
        }
        Ok(())
    }

    /// Rows are out.
    ///
    /// # Errors
    /// For columns of another type.
    pub(super) fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        match &mut self.sparks {
            Some(sparks) => sparks.add(rows),
            None => Ok(()),
        }
    }

    /// A run has ended that read so many rows in so long.
    pub(super) fn end(&mut self, rows: u64, elapsed: Duration) {
        if self.tells_end {
            self.erase();
            // If stderr is closed there is nobody to tell.
            let _ = writeln!(
                io::stderr().lock(),
                "progress: {}",
                line::closing(rows, elapsed)
            );
        }
    }

    /// Takes the region away.
    pub(super) fn erase(&mut self) {
        if self.drawn == 0 {
            return;
        }
        // As many as were written, whatever became of them on a terminal that is narrower now: some break them anew,
        // others do not, and a line too many would be one of the rows that are out.
        let lines = std::mem::take(&mut self.drawn);
        self.write(&erasing(lines));
    }

    /// Draws the region: rows that may still change, as `preview` shows them, and how the run goes.
    ///
    /// # Errors
    /// Rows that cannot be shown.
    pub(super) fn draw(
        &mut self,
        progress: &RunProgress,
        open: OpenRows<'_>,
        preview: &dyn Fn(&RecordBatch) -> Result<Preview>,
    ) -> Result<()> {
        let mut lines = Vec::new();
        let (columns, rows) = self.size();
        let tree = progress
            .tree
            .as_ref()
            .filter(|_| self.progress == Shown::InPlace);
        if let Some(tree) = tree {
            lines.extend(
                tree.lines()
                    .map(|line| cut(line, columns.saturating_sub(1))),
            );
        }
        if self.is_live || tree.is_some() {
            lines.extend(self.open_lines(open, preview, columns)?);
            // One line for how the run goes, one for the cursor.
            let room = rows.saturating_sub(2).max(1);
            if lines.len() > room {
                let more = lines.len() - room + 1;
                lines.truncate(room - 1);
                lines.push(self.dim(&format!("… {more} more")));
            }
        }
        match self.progress {
            Shown::InPlace if self.is_live || progress.progress.elapsed >= PATIENCE => {
                lines.push(self.dim(&line::text(progress, columns.saturating_sub(1))));
            }
            Shown::AsLines if progress.progress.elapsed >= self.last_line + BETWEEN_LINES => {
                self.last_line = progress.progress.elapsed;
                let text = line::text(progress, usize::MAX);
                // If stderr is closed there is nobody to tell.
                let _ = writeln!(io::stderr().lock(), "progress: {text}");
            }
            _ => {}
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.erase();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.drawn = lines.len();
        self.write(&text);
        Ok(())
    }

    /// The windows that are open, with what their groups had before.
    fn open_lines(
        &self,
        open: OpenRows<'_>,
        preview: &dyn Fn(&RecordBatch) -> Result<Preview>,
        columns: usize,
    ) -> Result<Vec<String>> {
        let mut lines: Vec<String> = Vec::new();
        let mut rows: Vec<(String, String)> = Vec::new();
        let batches = open()?;
        for batch in &batches {
            let shown = preview(batch)?;
            if lines.is_empty() && rows.is_empty() {
                lines = shown.head;
            }
            let sparks = match &self.sparks {
                Some(sparks) if !shown.rows.is_empty() => sparks.of(batch)?,
                _ => Vec::new(),
            };
            let mut sparks = sparks.into_iter();
            for row in shown.rows {
                rows.push((row, sparks.next().unwrap_or_default()));
            }
        }
        let widest = rows.iter().map(|(row, _)| row.width()).max().unwrap_or(0);
        for (row, sparks) in rows {
            let blanks = " ".repeat(widest - row.width() + 2);
            let room = columns.saturating_sub(1);
            let line = match sparks.is_empty() || widest + 2 + sparks.width() > room {
                true => cut(&row, room),
                false => format!("{row}{blanks}{sparks}"),
            };
            lines.push(self.dim(&line));
        }
        Ok(lines)
    }

    fn dim(&self, text: &str) -> String {
        screen::dim(text, self.color)
    }

    /// Columns and lines of the terminal.
    fn size(&self) -> (usize, usize) {
        let size = match self.place {
            Place::Stdout => screen::size(io::stdout()),
            Place::Stderr => screen::size(io::stderr()),
        };
        size.unwrap_or((80, 24))
    }

    /// A terminal that is gone is noticed by whoever writes rows.
    fn write(&self, text: &str) {
        let _ = match self.place {
            Place::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
            Place::Stderr => io::stderr().lock().write_all(text.as_bytes()),
        };
    }
}

/// Goes up so many lines and clears what is below.
fn erasing(lines: usize) -> String {
    format!("\u{1b}[{lines}A\r\u{1b}[J")
}
