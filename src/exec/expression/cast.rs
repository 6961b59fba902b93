//! Conversions between types: NULL and a failure where there is no such value.
//!
//! ```text
//!  STRING    → TIMESTAMP      as a time column reads it: ISO 8601, epoch numbers by magnitude
//!  number    → TIMESTAMP      an epoch number by its magnitude
//!  TIMESTAMP ↔ TIMESTAMP_LTZ  the clock of the zone
//!  INTERVAL  → a difference   days of 24 hours; months have no length
//!  anything  → STRING         as results print it
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, DurationNanosecondArray, PrimitiveArray, RecordBatch,
    StringViewBuilder,
};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::{
    ArrowTimestampType, DataType, Field, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    IntervalUnit, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use datafusion_expr::ColumnarValue;

use super::steady_clock::SteadyClock;
use super::{Expression, Failures};
use crate::data::print::{Style, ValueWriter};
use crate::error::{Error, Result};
use crate::time::{TimeFormat, TimeReader, Unit, Zone, read_iso, read_iso_date};

/// A conversion to a type; times without a zone are those of `zone`.
#[derive(Debug, Clone)]
pub struct Cast {
    /// What is converted.
    pub input: Box<Expression>,
    /// Into what.
    pub to: DataType,
    /// The zone of `--tz`.
    pub zone: Zone,
}

impl Cast {
    pub(super) fn evaluate(
        &self,
        batch: &RecordBatch,
        failures: &mut Failures,
    ) -> Result<ColumnarValue> {
        let from = self.input.column(batch, failures)?;
        let result = convert(&from, &self.to, self.zone)?;
        if result.null_count() > from.null_count() {
            let failed: Vec<u32> = (0..from.len())
                .filter(|&row| from.is_valid(row) && result.is_null(row))
                .map(|row| row as u32)
                .collect();
            failures.add_rows(&failed, || Expression::Cast(self.clone()).to_string());
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// The values of a column as another type; NULL where there is no such value. Times without a zone are those of
/// `zone`.
///
/// # Errors
/// Types that the plan should have refused.
pub fn convert(from: &ArrayRef, to: &DataType, zone: Zone) -> Result<ArrayRef> {
    use DataType::{Date32, Duration, Interval, Timestamp, Utf8, Utf8View};
    let is_text = is_text(from.data_type());
    match (from.data_type(), to) {
        (from_type, to) if from_type == to => Ok(Arc::clone(from)),
        (_, Timestamp(..)) => convert_to_time(from, to, zone, &[TimeFormat::Auto]),
        (_, Date32) if is_text => to_date(from),
        (Interval(IntervalUnit::MonthDayNano), Duration(_)) => to_duration(from, to),
        (_, Utf8 | Utf8View) if !is_text && from.data_type() != &DataType::Null => {
            arrow_cast(&to_text(from)?, to)
        }
        (_, to) if is_text && to.is_numeric() => arrow_cast(&trimmed(from)?, to),
        (_, to) => arrow_cast(from, to),
    }
}

/// Times from texts, numbers, dates and other times. A text is read in the first of `formats` that it has, a number
/// in the first of all.
///
/// # Errors
/// A format that is none.
pub fn convert_to_time(
    from: &ArrayRef,
    to: &DataType,
    zone: Zone,
    formats: &[TimeFormat],
) -> Result<ArrayRef> {
    use DataType::Timestamp;
    match to {
        Timestamp(TimeUnit::Millisecond, _) => {
            times::<TimestampMillisecondType>(from, to, Unit::Millisecond, zone, formats)
        }
        Timestamp(TimeUnit::Microsecond, _) => {
            times::<TimestampMicrosecondType>(from, to, Unit::Microsecond, zone, formats)
        }
        Timestamp(TimeUnit::Nanosecond, _) => {
            times::<TimestampNanosecondType>(from, to, Unit::Nanosecond, zone, formats)
        }
        to => arrow_cast(from, to),
    }
}

fn times<T: ArrowTimestampType>(
    from: &ArrayRef,
    to: &DataType,
    unit: Unit,
    zone: Zone,
    formats: &[TimeFormat],
) -> Result<ArrayRef> {
    let (zone_name, zone) = match to {
        DataType::Timestamp(_, Some(name)) => (Some(name), name.parse().unwrap_or(zone)),
        _ => (None, zone),
    };
    let reader = |format| TimeReader::new(format, unit, zone, zone_name.is_some());
    let readers = formats.iter().map(reader).collect::<Result<Vec<_>>>()?;
    let Some(first) = readers.first() else {
        return Err(Error::internal("a time without a format"));
    };
    let times: PrimitiveArray<T> = match from.data_type() {
        // These count the same instants, or the same clock.
        DataType::Timestamp(from_unit, from_zone)
            if *from_unit == unit.arrow()
                && (zone == Zone::UTC || from_zone.is_some() == zone_name.is_some()) =>
        {
            from.as_primitive::<T>().clone()
        }
        DataType::Timestamp(..) => times_of_times(from, first)?,
        other if is_text(other) => {
            let texts = compute::cast(from, &DataType::Utf8View)?;
            let read = |text: Option<&str>| {
                let text = text?.trim().as_bytes();
                readers.iter().find_map(|reader| reader.read(text))
            };
            texts.as_string_view().iter().map(read).collect()
        }
        other if other.is_signed_integer() => {
            let numbers = compute::cast(from, &DataType::Int64)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            let read = |number: Option<i64>| first.read_integer(number?);
            numbers.iter().map(read).collect()
        }
        other if other.is_numeric() => {
            let texts = to_text(from)?;
            let read = |text: Option<&str>| first.read_number(text?.as_bytes());
            texts.as_string_view().iter().map(read).collect()
        }
        DataType::Date32 | DataType::Date64 => {
            let days = compute::cast(from, &DataType::Date32)?;
            let days = days.as_primitive::<arrow::datatypes::Date32Type>();
            let read = |days: Option<i32>| first.read_wall_clock(i64::from(days?) * 86_400, 0);
            days.iter().map(read).collect()
        }
        _ => return arrow_cast(from, to),
    };
    Ok(Arc::new(times.with_timezone_opt(zone_name.cloned())))
}

/// Times in another unit, or of the other kind: the clock of the zone is kept.
fn times_of_times<T: ArrowTimestampType>(
    from: &ArrayRef,
    reader: &TimeReader,
) -> Result<PrimitiveArray<T>> {
    let DataType::Timestamp(unit, zone) = from.data_type() else {
        return Err(Error::internal("a time that is none"));
    };
    let values: Vec<Option<i64>> = match unit {
        TimeUnit::Second => from.as_primitive::<TimestampSecondType>().iter().collect(),
        TimeUnit::Millisecond => from
            .as_primitive::<TimestampMillisecondType>()
            .iter()
            .collect(),
        TimeUnit::Microsecond => from
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .collect(),
        TimeUnit::Nanosecond => from
            .as_primitive::<TimestampNanosecondType>()
            .iter()
            .collect(),
    };
    let per_second: i64 = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let read = |seconds: i64, nanoseconds: u32| match zone {
        Some(_) => reader.read_instant(seconds, nanoseconds),
        None => reader.read_wall_clock(seconds, nanoseconds),
    };
    let mut clock = SteadyClock::new(T::UNIT, read);
    let convert = |value: Option<i64>| {
        let value = value?;
        let seconds = value.div_euclid(per_second);
        let nanoseconds = (value.rem_euclid(per_second) * (1_000_000_000 / per_second)) as u32;
        clock.read(seconds, nanoseconds)
    };
    Ok(values.into_iter().map(convert).collect())
}

fn to_date(from: &ArrayRef) -> Result<ArrayRef> {
    let texts = compute::cast(from, &DataType::Utf8View)?;
    let read = |text: Option<&str>| {
        let text = text?.trim().as_bytes();
        read_iso_date(text).or_else(|| {
            let days = read_iso(text)?.local_seconds.div_euclid(86_400);
            i32::try_from(days).ok()
        })
    };
    let days: Date32Array = texts.as_string_view().iter().map(read).collect();
    Ok(Arc::new(days))
}

/// Intervals as fixed lengths of time: days of 24 hours, and nothing of months.
fn to_duration(from: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    const DAY_NANOSECONDS: i64 = 86_400_000_000_000;
    let intervals = from.as_primitive::<IntervalMonthDayNanoType>();
    let length = |interval: Option<IntervalMonthDayNano>| {
        let interval = interval.filter(|interval| interval.months == 0)?;
        let days = i64::from(interval.days).checked_mul(DAY_NANOSECONDS)?;
        days.checked_add(interval.nanoseconds)
    };
    let lengths: DurationNanosecondArray = intervals.iter().map(length).collect();
    arrow_cast(&(Arc::new(lengths) as ArrayRef), to)
}

/// Values as results print them.
fn to_text(from: &ArrayRef) -> Result<ArrayRef> {
    let field = Field::new("value", from.data_type().clone(), true);
    let writer = ValueWriter::new(&field, Style::Cast)?;
    let column = writer.column(from.as_ref())?;
    let mut texts = StringViewBuilder::with_capacity(from.len());
    let mut text = Vec::new();
    for row in 0..from.len() {
        if column.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        column.write(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}

fn trimmed(from: &ArrayRef) -> Result<ArrayRef> {
    let texts = compute::cast(from, &DataType::Utf8View)?;
    let texts: arrow::array::StringViewArray = texts
        .as_string_view()
        .iter()
        .map(|text| text.map(str::trim))
        .collect();
    Ok(Arc::new(texts))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8
    )
}

fn arrow_cast(from: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    Ok(compute::cast_with_options(from, to, &options)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, TimestampMicrosecondArray};
    use arrow::datatypes::{DataType, TimeUnit};
    use proptest::prelude::*;

    use super::convert;
    use crate::time::Zone;

    proptest! {
        /// What a row becomes does not depend on its neighbors.
        #[test]
        fn rows_by_themselves(
            around in prop_oneof![Just(1_774_746_000_i64), Just(1_792_890_000), Just(-1_600_000_000), Just(0)],
            steps in proptest::collection::vec((-9_000_i64..9_000, 0_i64..1_000_000), 1..40),
            is_instant: bool,
            unit in prop_oneof![Just(TimeUnit::Millisecond), Just(TimeUnit::Microsecond), Just(TimeUnit::Nanosecond)],
        ) {
            let zone = Zone::Europe__Berlin;
            let times = steps.iter().map(|(seconds, micros)| (around + seconds) * 1_000_000 + micros);
            let name = || Some(std::sync::Arc::<str>::from(zone.name()));
            let times: TimestampMicrosecondArray = times.map(Some).collect();
            let times = times.with_timezone_opt(is_instant.then(name).flatten());
            let to = DataType::Timestamp(unit, (!is_instant).then(name).flatten());
            let all = convert(&(Arc::new(times.clone()) as ArrayRef), &to, zone).unwrap();
            for row in 0..times.len() {
                let alone = convert(&(Arc::new(times.slice(row, 1)) as ArrayRef), &to, zone).unwrap();
                prop_assert_eq!(all.slice(row, 1).to_data(), alone.to_data());
            }
        }
    }
}
