//! Commits what happened to rows, in the order of rows: counters, `--late`, `--rejects`, gates.
//!
//! ```text
//!   events of a step, as noticed     late 7 · error 3 · rejected 5
//!   committed                        error 3 · rejected 5 · late 7        stops at the row where a gate shuts
//! ```
//!
//! Invariant: what is committed depends on rows, never on how they came in steps. Where a LIMIT has been
//! reached at row p, nothing behind p is committed.

use super::metadata::Place;
use super::summary::{FirstReject, Summary};
use super::timeline::{StepTexts, record_number};
use crate::data::{Event, Position};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Watermark;
use crate::format::LeftOut;
use crate::time::Unit;

/// Something that happened to a record.
#[derive(Debug)]
pub(super) enum Noted {
    /// To a row.
    Event(Event),
    /// Its bytes were not UTF-8 and were mended.
    Mended { position: Position },
    /// Keys were left out.
    LeftOut { position: Position, what: LeftOut },
    /// It and those before it, so many, are older than what is wanted.
    Older { position: Position, count: u64 },
    /// Its time could not be read: the first such one of a block, before the event that it is untimed.
    Unreadable {
        position: Position,
        time: FirstReject,
    },
    /// It could not be decoded.
    Rejected {
        position: Position,
        file: String,
        line: u64,
        reason: String,
        help: Option<String>,
        text: Vec<u8>,
    },
}

impl Noted {
    pub(super) fn position(&self) -> Position {
        match self {
            Noted::Event(event) => event.position(),
            Noted::Mended { position }
            | Noted::LeftOut { position, .. }
            | Noted::Older { position, .. }
            | Noted::Unreadable { position, .. }
            | Noted::Rejected { position, .. } => *position,
        }
    }
}

/// A record that moved a watermark.
#[derive(Debug, Clone)]
pub struct Mover {
    position: Position,
    /// Where it is.
    pub place: Place,
    /// How far it moved the watermark, in the unit of the time column; `None` for the first of all.
    pub by: Option<i64>,
    /// Where the watermark was then.
    watermark: i64,
}

impl Mover {
    /// The record that moved the watermark to `time` or beyond it: one of a step, or `known` from before it.
    fn of(time: i64, step: &Committed<'_>, known: Option<&Mover>) -> Option<Mover> {
        let trail = &step.watermark.trail;
        let at = trail.partition_point(|(reached, _)| *reached < time);
        let (watermark, position) = *trail.get(at)?;
        if let Some(known) = known
            && known.position == position
        {
            return Some(known.clone());
        }
        let before = match at.checked_sub(1) {
            Some(before) => Some(trail[before].0),
            None => known.map(|known| known.watermark),
        };
        Some(Mover {
            position,
            place: step.texts?.place(position)?,
            by: before.map(|before| watermark.saturating_sub(before)),
            watermark,
        })
    }

    /// The record that moved the watermark to where it is behind a step.
    pub(super) fn behind(step: &Committed<'_>, known: Option<&Mover>) -> Option<Mover> {
        let last = step.watermark.trail.last().map(|(time, _)| *time);
        last.and_then(|time| Mover::of(time, step, known))
    }
}

/// A row for `--late`. Times are in the unit of the source's time column.
#[derive(Debug, Clone)]
pub struct LateRow<'a> {
    /// The number of its record, from 1.
    pub record: u64,
    /// Its time.
    pub time: i64,
    /// The watermark that it was tested against.
    pub watermark: i64,
    /// Where it is.
    pub place: Option<Place>,
    /// The number of the record that had moved the watermark there, from 1.
    pub moved_by: Option<u64>,
    /// More of that record.
    pub mover: Option<Mover>,
    /// Its windows, `[start, end)`.
    pub windows: &'a [(i64, i64)],
    /// The number of the source.
    pub source: usize,
    /// The record as it came.
    pub text: &'a [u8],
}

/// A record for `--rejects`.
#[derive(Debug, Clone)]
pub struct RejectedRow<'a> {
    /// The file it came from.
    pub file: &'a str,
    /// The line it begins on, from 1.
    pub line: u64,
    /// Bytes of the file before it; `None` for a row of columns.
    pub offset: Option<u64>,
    /// The number of its record, from 1.
    pub record: u64,
    /// What is wrong with it.
    pub reason: &'a str,
    /// The record as it came.
    pub text: &'a [u8],
}

/// How much may go wrong.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    /// `--max-errors N`: the run stops at error N + 1.
    pub max_errors: Option<u64>,
    /// What the sources say for themselves, by number.
    pub of_sources: Vec<SourceGate>,
}

/// What an error in a row of one source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceGate {
    /// What it does in the whole run.
    #[default]
    OfRun,
    /// It stops the run.
    Fail,
    /// It is counted and stops nothing.
    Skip,
}

impl Gates {
    /// How many errors may have been counted behind one of this source, where there were `before`.
    fn most(&self, source: usize, before: u64) -> Option<u64> {
        match self.of_sources.get(source).copied().unwrap_or_default() {
            SourceGate::OfRun => self.max_errors,
            SourceGate::Fail => Some(before),
            SourceGate::Skip => None,
        }
    }
}

/// Who keeps what was left out.
pub(super) trait Keeper {
    fn late(&mut self, row: &LateRow<'_>) -> Result<()>;
    fn rejected(&mut self, row: &RejectedRow<'_>) -> Result<()>;
}

/// Where a commit stopped because a gate shut.
pub(super) struct Shut {
    /// The row.
    pub position: Position,
    /// What to say.
    pub error: Error,
}

/// The step that is being committed.
pub(super) struct Committed<'a> {
    /// The number of the source.
    pub source: usize,
    /// The unit of its time column.
    pub unit: Unit,
    /// The watermark behind the step.
    pub watermark: &'a Watermark,
    /// The texts of its records.
    pub texts: Option<&'a StepTexts>,
    /// The record that had moved the watermark of the source before it.
    pub mover: Option<&'a Mover>,
    /// Nothing behind this row counts.
    pub last: Position,
}

/// Commits what was noted in a step, up to its last row or the row where a gate shuts.
pub(super) fn commit(
    mut noted: Vec<Noted>,
    step: &Committed<'_>,
    gates: &Gates,
    summary: &mut Summary,
    keeper: &mut dyn Keeper,
) -> Result<Option<Shut>> {
    noted.sort_by_key(Noted::position);
    let mut first_untimed = None;
    for one in noted {
        let position = one.position();
        if position > step.last {
            break;
        }
        let bad = summary.bad();
        if matches!(one, Noted::Unreadable { .. }) && summary.first_untimed.is_none() {
            first_untimed = Some(position);
        }
        let mut what = count(&one, step, summary, keeper)?;
        if matches!(one, Noted::Event(Event::Untimed { .. }))
            && first_untimed == Some(position)
            && let Some(first) = &summary.first_untimed
        {
            what = format!("{}:{}: {}", first.source, first.line, first.reason);
        }
        if summary.bad() > bad
            && let Some(most) = gates.most(step.source, bad)
            && summary.bad() > most
        {
            let most = gates.max_errors.unwrap_or(0).min(most);
            return Ok(Some(Shut {
                position,
                error: shut(most, position, &what),
            }));
        }
    }
    Ok(None)
}

/// Counts one thing and hands it to its keeper; returns it in words.
fn count(
    one: &Noted,
    step: &Committed<'_>,
    summary: &mut Summary,
    keeper: &mut dyn Keeper,
) -> Result<String> {
    Ok(match one {
        Noted::Rejected {
            position,
            file,
            line,
            reason,
            help,
            text,
        } => {
            let row = RejectedRow {
                file,
                line: *line,
                offset: (step.texts)
                    .and_then(|texts| texts.place(*position))
                    .map_or(Some(0), |place| place.offset),
                record: record_number(*position),
                reason,
                text,
            };
            summary.rejected += 1;
            if summary.first_reject.is_none() {
                summary.first_reject = Some(FirstReject {
                    source: file.clone(),
                    line: *line,
                    reason: reason.clone(),
                    help: help.clone(),
                });
            }
            keeper.rejected(&row)?;
            format!("{file}:{line}: {reason}")
        }
        Noted::Mended { .. } => {
            summary.mended += 1;
            String::new()
        }
        Noted::LeftOut { what, .. } => {
            summary.keys_left_out(what);
            String::new()
        }
        // What is the first depends on the rows alone, not on the blocks that they came in.
        Noted::Unreadable { time, .. } => {
            summary.first_untimed.get_or_insert_with(|| time.clone());
            String::new()
        }
        Noted::Older { count, .. } => {
            summary.older += count;
            String::new()
        }
        Noted::Event(event) => return count_event(event, step, summary, keeper),
    })
}

/// Counts what happened to a row.
fn count_event(
    event: &Event,
    step: &Committed<'_>,
    summary: &mut Summary,
    keeper: &mut dyn Keeper,
) -> Result<String> {
    let nanoseconds = |steps: i64| i128::from(steps) * i128::from(step.unit.nanoseconds());
    let text = |position| step.texts.map_or(&[][..], |texts| texts.get(position));
    Ok(match event {
        Event::Late {
            position,
            time,
            watermark,
            lateness,
            windows,
        } => {
            summary.late_row(nanoseconds(*lateness), step.unit.nanoseconds());
            let mover = step.watermark.caused_by(*watermark);
            keeper.late(&LateRow {
                record: record_number(*position),
                place: step.texts.and_then(|texts| texts.place(*position)),
                time: *time,
                watermark: *watermark,
                moved_by: (mover != Position::MAX).then(|| record_number(mover)),
                mover: Mover::of(*watermark, step, step.mover),
                windows,
                source: step.source,
                text: text(*position),
            })?;
            String::from("it is late")
        }
        Event::PartlyLate { lateness, .. } => {
            summary.partly_late_row(nanoseconds(*lateness), step.unit.nanoseconds());
            String::new()
        }
        Event::Untimed { position } => {
            summary.untimed += 1;
            // Without texts nobody keeps it.
            if let Some(place) = step.texts.and_then(|texts| texts.place(*position)) {
                keeper.rejected(&RejectedRow {
                    file: &place.file,
                    line: place.line,
                    offset: place.offset,
                    record: record_number(*position),
                    reason: "no time that can be read",
                    text: text(*position),
                })?;
            }
            String::from("it has no time that can be read")
        }
        Event::Jump { .. } => {
            summary.jumps += 1;
            String::new()
        }
        Event::Unfilled { rows, windows, .. } => {
            summary.unfilled_rows += rows;
            summary.unfilled_windows += windows;
            String::new()
        }
        Event::ExpressionError { what, .. } => {
            summary.expression_error(what, 1);
            format!("`{what}` has no value")
        }
    })
}

fn shut(most: u64, position: Position, what: &str) -> Error {
    let place = match position {
        Position::MAX => String::from("the end of input"),
        position => format!("record {}", record_number(position)),
    };
    let number = match most {
        0 => String::new(),
        most => format!(", error {} of at most {most}", most + 1),
    };
    let error = Error::new(
        ErrorKind::Gate,
        format!("stopped at {place}{number}: {what}"),
    );
    error.note("the windows that were closed before it are out")
}
