//! Scales: which numbers and times stand beside a picture, and where.
//!
//! ```text
//!  values 3 … 558, about 4 steps ─► 0, 200, 400
//!  times 12:00:30 … 12:09, at most 6 steps ─► 12:02, 12:04, 12:06, 12:08
//! ```
//!
//! Invariants: steps are 1, 2 or 5 times a power of ten, or what clocks and calendars have; a scale holds all
//! that is drawn on it, and zero where that is near, and ends where the values do or at the next mark.

use arrow::datatypes::{DataType, Field};

use crate::data::print::{Style, ValueWriter, number};
use crate::time::Unit;

/// A scale of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    step: f64,
}

/// A scale may become so many times as wide to have marks at its ends.
const MOST_FOR_MARKS: f64 = 1.25;

impl Scale {
    /// What holds all values from `low` to `high`, in about so many steps. `are_whole`: no fractions beside it.
    pub(super) fn of(low: f64, high: f64, steps: usize, are_whole: bool) -> Self {
        let (mut low, mut high) = (low, high);
        // Without zero a small difference looks like a large one.
        if (low == high || low <= high / 2.0) && low > 0.0 {
            low = 0.0;
        } else if (low == high || high >= low / 2.0) && high < 0.0 {
            high = 0.0;
        } else if low == high {
            high = low + 1.0;
        }
        // Halves, so that the widest doubles have a width.
        let width = (high / 2.0 - low / 2.0).max(f64::MIN_POSITIVE);
        let mut step = nice(width / steps.max(1) as f64 * 2.0);
        if are_whole {
            step = step.max(1.0);
        }
        let ends = [low / step, high / step];
        if !step.is_finite() || ends.iter().any(|end| !end.is_finite()) {
            step = f64::INFINITY;
        }
        Scale { low, high, step }
    }

    /// The same from mark to mark, where that takes little of the room.
    pub(super) fn to_marks(self) -> Self {
        let (low, high) = (self.low / self.step, self.high / self.step);
        // A little tolerance, so that an end which is a mark stays one.
        let ends = ((low + 1e-9).floor(), (high - 1e-9).ceil());
        if !self.step.is_finite() || ends.1 - ends.0 > (high - low) * MOST_FOR_MARKS {
            return self;
        }
        Scale {
            low: ends.0 * self.step,
            high: ends.1 * self.step,
            step: self.step,
        }
    }

    /// The steps between its ends, if a mark stands at either.
    pub(super) fn whole_steps(&self) -> Option<usize> {
        let marks = self.marks();
        let ends = [marks.first()?.0, marks.last()?.0];
        (ends == [self.low, self.high]).then(|| marks.len() - 1)
    }

    /// The part of the way from the low end to the high one, 0 to 1.
    pub(super) fn part(&self, value: f64) -> f64 {
        let width = self.high / 2.0 - self.low / 2.0;
        ((value / 2.0 - self.low / 2.0) / width).clamp(0.0, 1.0)
    }

    /// The numbers to be written beside it, from low to high, with their texts.
    pub(super) fn marks(&self) -> Vec<(f64, String)> {
        if !self.step.is_finite() {
            let ends = [self.low, self.high];
            return ends.map(|end| (end, self.text(end))).to_vec();
        }
        // A little tolerance, so that a step which ends at the end is there.
        let first = (self.low / self.step - 1e-9).ceil();
        let last = (self.high / self.step + 1e-9).floor();
        let count = (last - first).clamp(0.0, 100.0) as usize;
        let mark = |number: usize| {
            let value = (first + number as f64) * self.step;
            (value, self.text(value))
        };
        (0..=count).map(mark).collect()
    }

    /// A number in few letters, in the power of a thousand that suits the whole scale.
    fn text(&self, value: f64) -> String {
        let most = self.low.abs().max(self.high.abs());
        let (unit, sign) = match most {
            1e18.. => (1.0, ""),
            1e12.. => (1e12, "T"),
            1e9.. => (1e9, "G"),
            1e6.. => (1e6, "M"),
            1e4.. => (1e3, "k"),
            _ => (1.0, ""),
        };
        let text = number_text(value / unit);
        if value == 0.0 { text } else { text + sign }
    }
}

/// A number as precise as a picture needs it. The steps of a scale are short decimals; their multiples, as doubles,
/// are not quite.
pub(super) fn number_text(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let mut text = Vec::new();
    number::write_double(rounded, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The least 1, 2 or 5 times a power of ten that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|of| of * power);
    // Rounding must not make a step of 2 one of 5.
    let fits = |nice: &f64| *nice >= step * (1.0 - 1e-9);
    steps.into_iter().find(fits).unwrap_or(step)
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The steps of clocks and calendars, in microseconds.
const TIME_STEPS: &[i64] = &[
    1_000,
    10_000,
    100_000,
    500_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
    91 * DAY,
    365 * DAY,
    3_650 * DAY,
    36_500 * DAY,
];

/// The times to be written below a picture from `first` to `last` (microseconds), at most so many.
pub(super) fn time_marks(
    first: i64,
    last: i64,
    most: usize,
    data_type: &DataType,
) -> Vec<(i64, String)> {
    let width = i128::from(last) - i128::from(first);
    let most = i128::try_from(most.max(1)).unwrap_or(1);
    let fits = |step: &&i64| width / i128::from(**step) < most;
    let Some(&step) = TIME_STEPS.iter().find(fits) else {
        return vec![(first, time_text(first, 0, data_type))];
    };
    let begin = i128::from(first).div_euclid(i128::from(step)) * i128::from(step);
    let count = usize::try_from(most + 2).unwrap_or(2);
    (0..count)
        .filter_map(|number| i64::try_from(begin + number as i128 * i128::from(step)).ok())
        .filter(|time| (first..=last).contains(time))
        .map(|time| (time, time_text(time, step, data_type)))
        .collect()
}

/// The day of a time, for the caption of a picture whose marks hold times of day alone.
pub(super) fn day_text(micro: i64, data_type: &DataType) -> String {
    let text = whole_time_text(micro, data_type);
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A time in the letters that its step needs: a day, minutes, seconds, thousandths.
fn time_text(micro: i64, step: i64, data_type: &DataType) -> String {
    let text = whole_time_text(micro, data_type);
    let Some((day, time)) = text.split_once(' ') else {
        return text;
    };
    let part = |letters: usize| time.get(..letters).unwrap_or(time).to_owned();
    match step {
        0 => text,
        DAY.. => day.to_owned(),
        MINUTE.. => part(5),
        SECOND.. => part(8),
        _ => part(12),
    }
}

/// As a table shows the time.
pub(super) fn whole_time_text(micro: i64, data_type: &DataType) -> String {
    let text = || {
        let unit = Unit::of(data_type)?;
        let value = i128::from(micro) * i128::from(unit.per_second()) / 1_000_000;
        let array = crate::data::times(i64::try_from(value).ok()?, unit, data_type);
        let field = Field::new("time", data_type.clone(), true);
        let writer = ValueWriter::new(&field, Style::Table).ok()?;
        let mut text = Vec::new();
        writer.column(array.as_ref()).ok()?.write(0, &mut text);
        String::from_utf8(text).ok()
    };
    text().unwrap_or_else(|| micro.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit;

    fn marks(low: f64, high: f64, steps: usize) -> Vec<String> {
        let marks = Scale::of(low, high, steps, false).marks();
        marks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn numbers_beside_a_picture_are_round() {
        assert_eq!(marks(3.0, 558.0, 4), ["0", "200", "400"]);
        assert_eq!(marks(0.0, 1_234_567.0, 3), ["0", "0.5M", "1M"]);
        assert_eq!(marks(-2.0, 3.0, 3), ["-2", "0", "2"]);
        assert_eq!(marks(100.0, 100.5, 2), ["100", "100.5"]);
        assert_eq!(marks(0.0, 0.0, 2), ["0", "0.5", "1"]);
        assert_eq!(marks(7.0, 7.0, 2), ["0", "5"]);
        assert_eq!(marks(0.0, 0.3, 3), ["0", "0.1", "0.2", "0.3"]);
        let widest = Scale::of(f64::MIN, f64::MAX, 3, false);
        assert_eq!(widest.part(0.0), 0.5);
        assert_eq!(widest.to_marks(), widest);
        let marked = |low, high| {
            let scale = Scale::of(low, high, 4, true).to_marks();
            (scale.low, scale.high)
        };
        assert_eq!(marked(3.0, 17.0), (0.0, 20.0));
        assert_eq!(marked(0.0, 20.0), (0.0, 20.0));
        assert_eq!(marked(-3.0, 17.0), (-5.0, 20.0));
        assert_eq!(marked(0.0, 13.0), (0.0, 15.0));
        assert_eq!(marked(0.0, 10.5), (0.0, 10.5));
        assert!(widest.marks().len() < 8);
    }

    #[test]
    fn whole_numbers_have_no_fractions_beside_them() {
        let marks = Scale::of(0.0, 1.0, 4, true).marks();
        assert_eq!(marks.len(), 2);
    }

    #[test]
    fn times_below_a_picture_are_those_of_clocks() {
        let wall = DataType::Timestamp(TimeUnit::Millisecond, None);
        let marks = |first, last, most| -> Vec<String> {
            let marks = time_marks(first, last, most, &wall);
            marks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(
            marks(30 * SECOND, 9 * MINUTE, 5),
            ["00:02", "00:04", "00:06", "00:08"]
        );
        assert_eq!(
            marks(0, 3 * SECOND, 4),
            ["00:00:00", "00:00:01", "00:00:02", "00:00:03"]
        );
        assert_eq!(
            marks(0, 2 * DAY, 3),
            ["1970-01-01", "1970-01-02", "1970-01-03"]
        );
        assert!(time_marks(i64::MIN, i64::MAX, 3, &wall).len() < 6);
    }
}
