//! Where windows may begin and end: the points of time at which a clock shows a multiple of a length.
//!
//! ```text
//!  labels of 1 hour     01:00   02:00   03:00   04:00     what the clock shows
//!  boundaries, no zone  01:00   02:00   03:00   04:00
//!  spring in Berlin     01:00   02:00 = 03:00   04:00     a skipped label falls on the transition
//!  autumn in Berlin     01:00   02:00   02:00   03:00     a label shown twice makes two boundaries …
//!  labels of 1 day      00:00                   00:00     … for lengths under a day; else the first counts
//! ```
//!
//! Invariants: boundaries rise strictly; every time lies in exactly one `[floor, next)`; nothing overflows:
//! at the ends of `i64` the outermost boundaries are `i64::MIN` and `i64::MAX`.

use std::sync::Arc;

use super::calendar::{ClockSpan, LocalClock, first_day_of_month, month_of_day};

/// What a clock shows at boundaries: evenly spaced, or the firsts of months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// All `origin + n * step`, `0 <= origin < step`.
    Fixed {
        /// Distance of two labels.
        step: i64,
        /// One of the labels.
        origin: i64,
    },
    /// `shift` behind the first instant of the months `origin + n * step`.
    Months {
        /// Months between two labels.
        step: i64,
        /// One of the months, counted from 1970-01.
        origin: i64,
        /// What labels are behind the beginning of their month.
        shift: i64,
        /// The length of a day.
        day: i64,
    },
}

impl Labels {
    /// The greatest label that is not above `local`.
    pub(super) fn floor(&self, local: i64) -> i64 {
        match *self {
            Labels::Fixed { step, origin } => local.saturating_sub(behind(local, step, origin)),
            Labels::Months { shift, day, .. } => month_label(self.month(local), shift, day),
        }
    }

    /// The smallest label above `local`.
    pub(super) fn next(&self, local: i64) -> i64 {
        match *self {
            Labels::Fixed { step, origin } => {
                local.saturating_add(step - behind(local, step, origin))
            }
            Labels::Months {
                step, shift, day, ..
            } => month_label(self.month(local) + step, shift, day),
        }
    }

    /// The labels of the same distance of which `local` is one.
    pub(super) fn anchored_at(&self, local: i64) -> Self {
        match *self {
            Labels::Fixed { step, .. } => Labels::Fixed {
                step,
                origin: local.rem_euclid(step),
            },
            Labels::Months {
                step, shift, day, ..
            } => Labels::Months {
                step,
                origin: month_of_day(local.saturating_sub(shift).div_euclid(day)),
                shift,
                day,
            },
        }
    }

    /// The month of the label at or below `local`.
    fn month(&self, local: i64) -> i64 {
        let Labels::Months {
            step,
            origin,
            shift,
            day,
        } = *self
        else {
            return 0;
        };
        let unshifted = i128::from(local) - i128::from(shift);
        let month = month_of_day(unshifted.div_euclid(i128::from(day)) as i64);
        month - (month - origin).rem_euclid(step)
    }
}

/// How far `local` is behind the label below it.
fn behind(local: i64, step: i64, origin: i64) -> i64 {
    let behind = local.rem_euclid(step) - origin;
    if behind < 0 { behind + step } else { behind }
}

fn month_label(month: i64, shift: i64, day: i64) -> i64 {
    let label = i128::from(first_day_of_month(month)) * i128::from(day) + i128::from(shift);
    label.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// The boundaries of a set of labels on a clock.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    labels: Labels,
    clock: Option<Arc<LocalClock>>,
    /// False for lengths under a day, whose labels count as often as they are shown.
    first_counts: bool,
}

impl Grid {
    /// The boundaries of `labels`; without a clock the labels themselves. `day` is the length of a day.
    pub(super) fn new(labels: Labels, clock: Option<Arc<LocalClock>>, day: i64) -> Self {
        let first_counts = match labels {
            Labels::Fixed { step, .. } => step >= day,
            Labels::Months { .. } => true,
        };
        Grid {
            labels,
            clock,
            first_counts,
        }
    }

    /// The grid of the same distance that has `boundary`, a boundary of `other`, for one of its own.
    pub(super) fn anchored_at(&self, other: &Grid, boundary: i64) -> Self {
        let shown = match &self.clock {
            None => boundary,
            Some(clock) => clock.local(boundary),
        };
        // A boundary on a transition stands for the label that was skipped there.
        Grid {
            labels: self.labels.anchored_at(other.labels.floor(shown)),
            ..self.clone()
        }
    }

    /// The last boundary at or before `time`.
    pub(super) fn floor(&self, time: i64) -> i64 {
        let Some(clock) = &self.clock else {
            return self.labels.floor(time);
        };
        let mut number = clock.span_of(time);
        let mut time = time;
        while let Some(span) = clock.span(number) {
            let label = self.labels.floor(time.saturating_add(span.shift));
            let boundary = label.saturating_sub(span.shift);
            if boundary >= span.start && (number == 0 || boundary > i64::MIN) {
                if !(self.first_counts && clock.shown_before(number, label)) {
                    return boundary;
                }
                if boundary > span.start {
                    time = boundary - 1;
                    continue;
                }
            }
            let Some(before) = number.checked_sub(1) else {
                break;
            };
            if let Some(before) = clock.span(before)
                && self.skipped(before, span)
            {
                return span.start;
            }
            number = before;
            time = span.start - 1;
        }
        i64::MIN
    }

    /// The first boundary after `time`.
    pub(super) fn next(&self, time: i64) -> i64 {
        let Some(clock) = &self.clock else {
            return self.labels.next(time);
        };
        let mut number = clock.span_of(time);
        let mut time = time;
        while let Some(span) = clock.span(number) {
            let label = self.labels.next(time.saturating_add(span.shift));
            if label == i64::MAX {
                break;
            }
            let boundary = label.saturating_sub(span.shift);
            if boundary < span.end {
                if boundary <= time {
                    break;
                }
                if !(self.first_counts && clock.shown_before(number, label)) {
                    return boundary;
                }
                time = boundary;
                continue;
            }
            number += 1;
            let Some(after) = clock.span(number) else {
                break;
            };
            let shown = after.start.saturating_add(after.shift);
            let is_label = self.labels.floor(shown) == shown
                && !(self.first_counts && clock.shown_before(number, shown));
            if is_label || self.skipped(span, after) {
                return after.start;
            }
            time = after.start;
        }
        i64::MAX
    }

    /// True if a label was skipped when the clock went forward from one span to the next.
    fn skipped(&self, before: &ClockSpan, after: &ClockSpan) -> bool {
        let (from, to) = (after.start + before.shift, after.start + after.shift);
        from < to && self.labels.floor(to - 1) >= from
    }
}
