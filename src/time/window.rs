//! Which windows a time lies in: TUMBLE, HOP and CUMULATE, on plain numbers, the calendar and local clocks.
//!
//! ```text
//!  HOP slide 2, size 5    0    2    4    6    8
//!                         [─────────)                     a time in [4, 5) lies in three windows,
//!                              [─────────)                one in [5, 6) in two: between two cuts
//!                                   [─────────)           (a *slice*) all times have the same windows
//!  slices                 │    │    │ │  │ │  │
//! ```
//!
//! Invariants: windows are `[start, end)` and hold the time they are asked for; they come in order of end,
//! then start. Slices are cut at window starts and ends only and partition time. A HOP window is the TUMBLE
//! window of its size that begins where the HOP window does, so the two agree wherever clocks are moved.
//! Arithmetic saturates: no time is too extreme.

use std::sync::Arc;

use super::calendar::LocalClock;
use super::grid::{Grid, Labels};
use super::{Interval, Unit, Zone};
use crate::error::{Error, Result};

/// The most windows that a row may lie in.
pub const MAX_WINDOWS_PER_ROW: i64 = 10_000;

/// Windows of event time with fixed bounds: what to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowSpec {
    /// Windows of `size`, one after the other.
    Tumble {
        /// Length of a window.
        size: Interval,
        /// Moves all bounds; any size and sign.
        offset: Interval,
    },
    /// Windows of `size`, one every `slide`.
    Hop {
        /// Distance of two starts; at most `size`.
        slide: Interval,
        /// Length of a window.
        size: Interval,
        /// Moves all bounds; any size and sign.
        offset: Interval,
    },
    /// Windows that grow by `step` up to `size`.
    Cumulate {
        /// Growth; at most `size`.
        step: Interval,
        /// Length of the longest window.
        size: Interval,
        /// Moves all bounds; any size and sign.
        offset: Interval,
    },
}

/// True if a window that ends at `end` is closed once the watermark is `watermark`.
pub fn is_closed(end: i64, watermark: i64) -> bool {
    watermark > i64::MIN && end.saturating_sub(1) <= watermark
}

/// Assigns times to windows and slices; see the module.
#[derive(Debug, Clone)]
pub struct WindowAssigner {
    starts: Grid,
    kind: Kind,
    clock: Option<Arc<LocalClock>>,
}

#[derive(Debug, Clone)]
enum Kind {
    Tumble,
    /// The boundaries of TUMBLE windows of the size, and how far back a window of a time may begin.
    Hop {
        size: Grid,
        reach: i64,
    },
    Cumulate {
        step: Grid,
    },
}

impl WindowAssigner {
    /// An assigner for times in `unit`; `zone` is the local clock of instants, `None` for wall-clock times.
    ///
    /// # Errors
    /// A length that the unit cannot express, months mixed with exact time, or more than
    /// [`MAX_WINDOWS_PER_ROW`] windows for a row.
    pub fn new(spec: &WindowSpec, unit: Unit, zone: Option<Zone>) -> Result<Self> {
        let clock = zone
            .and_then(|zone| LocalClock::new(zone, unit))
            .map(Arc::new);
        let day = 86_400 * unit.per_second();
        let grid = |labels| Grid::new(labels, clock.clone(), day);
        let (first, kind) = match spec {
            WindowSpec::Tumble { size, offset } => (labels(size, offset, unit)?, Kind::Tumble),
            WindowSpec::Hop {
                slide,
                size,
                offset,
            } => {
                if slide.is_calendar() != size.is_calendar() {
                    return Err(mixed("slide", slide, size));
                }
                check_count(slide, size)?;
                let first = labels(slide, offset, unit)?;
                // The shift of months lies in the offset: the ends of months need the same.
                let size_labels = if size.is_calendar() {
                    labels(size, offset, unit)?
                } else {
                    labels(size, &Interval::default(), unit)?
                };
                let reach = longest(size, unit).saturating_add(longest(slide, unit));
                let size = grid(size_labels);
                (first, Kind::Hop { size, reach })
            }
            WindowSpec::Cumulate { step, size, offset } => {
                if step.is_calendar() && !size.is_calendar() {
                    return Err(mixed("step", step, size));
                }
                check_count(step, size)?;
                let step_offset = if step.is_calendar() {
                    *offset
                } else {
                    Interval::default()
                };
                let step = grid(labels(step, &step_offset, unit)?);
                (labels(size, offset, unit)?, Kind::Cumulate { step })
            }
        };
        Ok(WindowAssigner {
            starts: grid(first),
            kind,
            clock,
        })
    }

    /// Adds the windows `[start, end)` of `time` to `windows`, in order of end, then start.
    pub fn windows_of(&self, time: i64, windows: &mut Vec<(i64, i64)>) {
        let start = self.starts.floor(time);
        match &self.kind {
            Kind::Tumble => windows.push((start, self.starts.next(time))),
            Kind::Hop { .. } => {
                let first = windows.len();
                self.each_hop(time, |start, end| {
                    // Behind the last bound that an `i64` can hold all windows end together.
                    if end > time || end == i64::MAX {
                        windows.push((start, end));
                    }
                });
                windows[first..].sort_unstable_by_key(|&(start, end)| (end, start));
            }
            Kind::Cumulate { step } => {
                let last = self.starts.next(time);
                let step = step.anchored_at(&self.starts, start);
                let mut end = time;
                loop {
                    end = step.next(end).min(last);
                    windows.push((start, end));
                    if end >= last {
                        break;
                    }
                }
            }
        }
    }

    /// The slice `[start, end)` that `time` lies in.
    pub fn slice_of(&self, time: i64) -> (i64, i64) {
        let (mut from, mut to) = (self.starts.floor(time), self.starts.next(time));
        match &self.kind {
            Kind::Tumble => {}
            Kind::Hop { .. } => self.each_hop(time, |_, end| {
                if end <= time {
                    from = from.max(end);
                } else {
                    to = to.min(end);
                }
            }),
            Kind::Cumulate { step } => {
                let step = step.anchored_at(&self.starts, from);
                from = from.max(step.floor(time));
                to = to.min(step.next(time));
            }
        }
        (from, to)
    }

    /// Adds the windows of the slice that begins at `slice_start`, in order of end, then start.
    pub fn windows_of_slice(&self, slice_start: i64, windows: &mut Vec<(i64, i64)>) {
        self.windows_of(slice_start, windows);
    }

    /// True for CUMULATE, where every window holds all slices of the ones before it with the same start.
    pub fn is_cumulative(&self) -> bool {
        matches!(self.kind, Kind::Cumulate { .. })
    }

    /// Calls `each` with the bounds of every HOP window that could hold `time`, and some more before it.
    fn each_hop(&self, time: i64, mut each: impl FnMut(i64, i64)) {
        let Kind::Hop { size, reach } = &self.kind else {
            return;
        };
        let mut oldest = time.saturating_sub(*reach);
        if let Some(clock) = &self.clock
            && clock.span_of(oldest.saturating_sub(clock.largest_change())) != clock.span_of(time)
        {
            oldest = oldest.saturating_sub(clock.largest_change());
        }
        let mut start = self.starts.floor(time);
        loop {
            each(start, size.anchored_at(&self.starts, start).next(start));
            if start <= oldest {
                break;
            }
            start = self.starts.floor(start - 1);
        }
    }
}

/// The labels of windows of `size`, moved by `offset`.
fn labels(size: &Interval, offset: &Interval, unit: Unit) -> Result<Labels> {
    let day = 86_400 * unit.per_second();
    if size.is_calendar() {
        if size.weeks != 0 || size.nanoseconds != 0 {
            return Err(
                Error::plan(format!("a window of {size} mixes months with exact time"))
                    .help("use months and years only, or weeks, days and shorter units only"),
            );
        }
        let fixed = Interval {
            months: 0,
            ..*offset
        };
        return Ok(Labels::Months {
            step: size.months,
            origin: offset.months.rem_euclid(size.months),
            shift: in_units(&fixed, unit)?,
            day,
        });
    }
    let step = in_units(size, unit)?;
    let Some(offset) = offset.fixed_nanoseconds() else {
        return Err(Error::plan(format!(
            "an offset of {offset} does not fit windows of {size}"
        ))
        .help("give the offset in weeks, days or shorter units"));
    };
    let offset = offset.rem_euclid(i128::from(step) * i128::from(unit.nanoseconds()));
    let offset = in_units(&Interval::from_nanoseconds(offset), unit)?;
    // 1970-01-01 was a Thursday; the Monday of its week was three days before.
    let monday = if size.weeks != 0 && size.nanoseconds == 0 {
        -3 * day
    } else {
        0
    };
    Ok(Labels::Fixed {
        step,
        origin: (i128::from(monday) + i128::from(offset)).rem_euclid(i128::from(step)) as i64,
    })
}

/// A length without months in steps of the unit.
fn in_units(interval: &Interval, unit: Unit) -> Result<i64> {
    if let Some(units) = interval.in_units(unit) {
        return Ok(units);
    }
    let nanoseconds = interval.fixed_nanoseconds().unwrap_or_default();
    if nanoseconds % i128::from(unit.nanoseconds()) != 0 {
        let step = Interval::from_nanoseconds(i128::from(unit.nanoseconds()));
        return Err(Error::plan(format!(
            "{interval} is finer than the time column, which counts in steps of {step}"
        ))
        .help("cast the time column to TIMESTAMP(9), or round the interval"));
    }
    Err(Error::plan(format!(
        "{interval} is longer than the time column can count"
    ))
    .help("use a shorter interval"))
}

/// The most steps of the unit that a length can have.
fn longest(interval: &Interval, unit: Unit) -> i64 {
    let month = 31 * 86_400 * unit.per_second();
    match interval.in_units(unit) {
        Some(units) => units,
        None => interval.months.saturating_mul(month),
    }
}

/// Refuses windows of which a row would lie in too many.
fn check_count(step: &Interval, size: &Interval) -> Result<()> {
    const DAY: i128 = 86_400 * 1_000_000_000;
    let count = match (step.fixed_nanoseconds(), size.fixed_nanoseconds()) {
        (Some(step), Some(size)) => (size + step - 1) / step.max(1),
        (Some(step), None) => (i128::from(size.months) * 31 * DAY + step - 1) / step.max(1),
        _ => {
            (i128::from(size.months) + i128::from(step.months) - 1) / i128::from(step.months.max(1))
        }
    };
    if count > i128::from(MAX_WINDOWS_PER_ROW) {
        return Err(Error::plan(format!(
            "with windows of {size} every {step} a row lies in {count} windows; the limit is {MAX_WINDOWS_PER_ROW}"
        ))
        .help("use longer steps or shorter windows"));
    }
    Ok(())
}

fn mixed(name: &str, step: &Interval, size: &Interval) -> Error {
    Error::plan(format!(
        "a {name} of {step} does not fit windows of {size}: months are not all of one length"
    ))
    .help("give both in months and years, or both in weeks, days and shorter units")
}

#[cfg(test)]
mod tests;
