//! Conversions between types: NULL and a failure where there is no such value.
//!
//! ```text
//!  STRING    → TIMESTAMP      as a time column reads it: ISO 8601, epoch numbers by magnitude
//!  number    → TIMESTAMP      an epoch number by its magnitude
//!  TIMESTAMP ↔ TIMESTAMP_LTZ  the clock of the zone
//!  anything  → STRING         as results print it
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, PrimitiveArray, RecordBatch, StringViewBuilder,
};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::{
    ArrowTimestampType, DataType, Field, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion_expr::ColumnarValue;

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
        let result = self.convert(&from)?;
        if result.null_count() > from.null_count() {
            let failed: Vec<u32> = (0..from.len())
                .filter(|&row| from.is_valid(row) && result.is_null(row))
                .map(|row| row as u32)
                .collect();
            failures.add_rows(&failed, || Expression::Cast(self.clone()).to_string());
        }
        Ok(ColumnarValue::Array(result))
    }

    fn convert(&self, from: &ArrayRef) -> Result<ArrayRef> {
        use DataType::{Date32, Timestamp, Utf8, Utf8View};
        let is_text = is_text(from.data_type());
        match (from.data_type(), &self.to) {
            (from_type, to) if from_type == to => Ok(Arc::clone(from)),
            (_, Timestamp(TimeUnit::Millisecond, _)) => {
                self.to_time::<TimestampMillisecondType>(from, Unit::Millisecond)
            }
            (_, Timestamp(TimeUnit::Microsecond, _)) => {
                self.to_time::<TimestampMicrosecondType>(from, Unit::Microsecond)
            }
            (_, Timestamp(TimeUnit::Nanosecond, _)) => {
                self.to_time::<TimestampNanosecondType>(from, Unit::Nanosecond)
            }
            (_, Date32) if is_text => to_date(from),
            (_, Utf8 | Utf8View) if !is_text && from.data_type() != &DataType::Null => {
                arrow_cast(&to_text(from)?, &self.to)
            }
            (_, to) if is_text && to.is_numeric() => arrow_cast(&trimmed(from)?, to),
            (_, to) => arrow_cast(from, to),
        }
    }

    /// Times from texts, numbers, dates and other times.
    fn to_time<T: ArrowTimestampType>(&self, from: &ArrayRef, unit: Unit) -> Result<ArrayRef> {
        let (zone_name, instant, zone) = match &self.to {
            DataType::Timestamp(_, Some(name)) => (
                Some(Arc::clone(name)),
                true,
                name.parse().unwrap_or(self.zone),
            ),
            _ => (None, false, self.zone),
        };
        let reader = TimeReader::new(&TimeFormat::Auto, unit, zone, instant)?;
        let times: PrimitiveArray<T> = match from.data_type() {
            DataType::Timestamp(..) => times_of_times(from, &reader)?,
            other if is_text(other) => {
                let texts = compute::cast(from, &DataType::Utf8View)?;
                let read = |text: Option<&str>| reader.read(text?.trim().as_bytes());
                texts.as_string_view().iter().map(read).collect()
            }
            other if other.is_numeric() => {
                let texts = to_text(from)?;
                let read = |text: Option<&str>| reader.read_number(text?.as_bytes());
                texts.as_string_view().iter().map(read).collect()
            }
            DataType::Date32 | DataType::Date64 => {
                let days = compute::cast(from, &DataType::Date32)?;
                let days = days.as_primitive::<arrow::datatypes::Date32Type>();
                let read = |days: Option<i32>| reader.read_wall_clock(i64::from(days?) * 86_400, 0);
                days.iter().map(read).collect()
            }
            _ => return arrow_cast(from, &self.to),
        };
        Ok(Arc::new(times.with_timezone_opt(zone_name)))
    }
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
    let convert = |value: Option<i64>| {
        let value = value?;
        let seconds = value.div_euclid(per_second);
        let nanoseconds = (value.rem_euclid(per_second) * (1_000_000_000 / per_second)) as u32;
        match zone {
            Some(_) => reader.read_instant(seconds, nanoseconds),
            None => reader.read_wall_clock(seconds, nanoseconds),
        }
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
