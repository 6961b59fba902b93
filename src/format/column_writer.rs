//! Writes the values of one field into a typed column, from CSV text or from JSON.
//!
//! Invariants: every call appends exactly one value, NULL where the field does not fit; a misfit is
//! returned so that the decoder rejects the record. An unreadable time is NULL and no misfit in the
//! column of the query's time attribute: such a row is untimed, which is counted elsewhere.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringViewBuilder};
use arrow::datatypes::*;

use super::json_value::JsonValue;
use super::{Nulls, ReadColumn, number_text};
use crate::data::type_name;
use crate::error::{Error, Result};
use crate::time::{TimeReader, Unit, Zone, read_iso_clock, read_iso_date};

/// Why a value was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is no value of the column's type.
    Type,
    /// It is an integer that the column's DOUBLE would round.
    Inexact,
}

/// The column under construction.
pub(super) struct ColumnWriter {
    values: Values,
    length: usize,
}

/// What a [`ColumnWriter`] is made of: made once for a query, used for every block.
#[derive(Debug, Clone)]
pub(super) struct ColumnPlan {
    /// Spelling in the source, with the keys below it, for messages.
    pub(super) source: String,
    data_type: DataType,
    time: Option<TimeReader>,
    is_time_attribute: bool,
    exact_integers: bool,
}

enum Values {
    Text(StringViewBuilder),
    Bytes(BinaryBuilder),
    Boolean(BooleanBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    UInt8(PrimitiveBuilder<UInt8Type>),
    UInt16(PrimitiveBuilder<UInt16Type>),
    UInt32(PrimitiveBuilder<UInt32Type>),
    UInt64(PrimitiveBuilder<UInt64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Decimal(PrimitiveBuilder<Decimal128Type>, u8, i8),
    Date(PrimitiveBuilder<Date32Type>),
    TimeMicrosecond(PrimitiveBuilder<Time64MicrosecondType>),
    TimeNanosecond(PrimitiveBuilder<Time64NanosecondType>),
    Millisecond(PrimitiveBuilder<TimestampMillisecondType>),
    Microsecond(PrimitiveBuilder<TimestampMicrosecondType>),
    Nanosecond(PrimitiveBuilder<TimestampNanosecondType>),
}

/// Does the same with the builder of any variant.
macro_rules! with_builder {
    ($values:expr, $builder:ident => $do:expr) => {
        match $values {
            Values::Text($builder) => $do,
            Values::Bytes($builder) => $do,
            Values::Boolean($builder) => $do,
            Values::Int8($builder) => $do,
            Values::Int16($builder) => $do,
            Values::Int32($builder) => $do,
            Values::Int64($builder) => $do,
            Values::UInt8($builder) => $do,
            Values::UInt16($builder) => $do,
            Values::UInt32($builder) => $do,
            Values::UInt64($builder) => $do,
            Values::Float32($builder) => $do,
            Values::Float64($builder) => $do,
            Values::Decimal($builder, _, _) => $do,
            Values::Date($builder) => $do,
            Values::TimeMicrosecond($builder) => $do,
            Values::TimeNanosecond($builder) => $do,
            Values::Millisecond($builder) => $do,
            Values::Microsecond($builder) => $do,
            Values::Nanosecond($builder) => $do,
        }
    };
}

impl ColumnPlan {
    /// Checks that values can be read into the column's type, in the zone of `--tz`.
    pub(super) fn new(column: &ReadColumn, zone: Zone) -> Result<Self> {
        let data_type = column.field.data_type();
        let time = match (Unit::of(data_type), data_type) {
            (Some(unit), DataType::Timestamp(_, of_zone)) => {
                let format = column.time.clone().unwrap_or_default();
                Some(TimeReader::new(&format, unit, zone, of_zone.is_some())?)
            }
            _ => None,
        };
        let plan = ColumnPlan {
            source: column.spelling(),
            data_type: data_type.clone(),
            time,
            is_time_attribute: column.is_time_attribute,
            exact_integers: column.exact_integers,
        };
        match plan.values(0) {
            Some(_) => Ok(plan),
            None => Err(Error::unsupported(format!(
                "column `{}` cannot be read as {}",
                plan.source,
                type_name(data_type)
            ))
            .help("read it as STRING: a nested value is its JSON text")),
        }
    }

    /// A writer for about `rows` values.
    pub(super) fn writer(&self, rows: usize) -> ColumnWriter {
        let values = self.values(rows).expect("checked when the plan was made");
        ColumnWriter { values, length: 0 }
    }

    fn values(&self, rows: usize) -> Option<Values> {
        macro_rules! typed {
            () => {
                PrimitiveBuilder::with_capacity(rows).with_data_type(self.data_type.clone())
            };
        }
        Some(match &self.data_type {
            DataType::Utf8View => Values::Text(StringViewBuilder::with_capacity(rows)),
            DataType::Binary => Values::Bytes(BinaryBuilder::with_capacity(rows, rows * 8)),
            DataType::Boolean => Values::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Int8 => Values::Int8(typed!()),
            DataType::Int16 => Values::Int16(typed!()),
            DataType::Int32 => Values::Int32(typed!()),
            DataType::Int64 => Values::Int64(typed!()),
            DataType::UInt8 => Values::UInt8(typed!()),
            DataType::UInt16 => Values::UInt16(typed!()),
            DataType::UInt32 => Values::UInt32(typed!()),
            DataType::UInt64 => Values::UInt64(typed!()),
            DataType::Float32 => Values::Float32(typed!()),
            DataType::Float64 => Values::Float64(typed!()),
            DataType::Decimal128(precision, scale) => Values::Decimal(typed!(), *precision, *scale),
            DataType::Date32 => Values::Date(typed!()),
            DataType::Time64(TimeUnit::Microsecond) => Values::TimeMicrosecond(typed!()),
            DataType::Time64(TimeUnit::Nanosecond) => Values::TimeNanosecond(typed!()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Values::Millisecond(typed!()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Values::Microsecond(typed!()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Values::Nanosecond(typed!()),
            _ => return None,
        })
    }

    /// What to tell about a value, given as the message shows it, and what to do about it.
    pub(super) fn explain(&self, misfit: Misfit, shown: &str) -> (String, String) {
        let source = &self.source;
        let name = type_name(&self.data_type);
        match misfit {
            Misfit::Inexact => {
                let fits = shown.trim_matches('"').parse::<i64>().is_ok();
                let wider = if fits { "BIGINT" } else { "STRING" };
                (
                    format!("column `{source}`: DOUBLE would round {shown}"),
                    format!("--types {source}={wider}"),
                )
            }
            Misfit::Type => {
                let wider = if self.data_type.is_integer()
                    && number_text::double(shown.trim_matches('"').as_bytes()).is_some()
                {
                    "DOUBLE"
                } else {
                    "STRING"
                };
                (
                    format!("column `{source}`: {shown} is no {name}"),
                    format!("--types {source}={wider}"),
                )
            }
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.data_type, DataType::Utf8View | DataType::Binary)
    }
}

impl ColumnWriter {
    /// Values so far.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Appends NULL.
    pub(super) fn write_null(&mut self) {
        with_builder!(&mut self.values, builder => builder.append_null());
        self.length += 1;
    }

    /// Appends a CSV field; `quoted` tells `""` from nothing.
    #[inline]
    pub(super) fn write_field(
        &mut self,
        plan: &ColumnPlan,
        nulls: &Nulls,
        text: &[u8],
        quoted: bool,
    ) -> Result<(), Misfit> {
        if plan.is_text() {
            if !quoted && (text.is_empty() || nulls.holds_for_text(text)) {
                self.write_null();
                return Ok(());
            }
            self.write_text(text);
            return Ok(());
        }
        let text = text.trim_ascii();
        if text.is_empty() || nulls.holds_for_values(text) {
            self.write_null();
            return Ok(());
        }
        self.write_value(plan, text, ReadAs::Field)
    }

    /// Appends a JSON value that stands in a record of JSON.
    #[inline]
    pub(super) fn write_json(
        &mut self,
        plan: &ColumnPlan,
        value: JsonValue<'_>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        if matches!(value, JsonValue::Null) {
            self.write_null();
            return Ok(());
        }
        if plan.is_text() {
            self.write_text(value.text(scratch));
            return Ok(());
        }
        let takes_text = plan.time.is_some()
            || matches!(
                self.values,
                Values::Date(_) | Values::TimeMicrosecond(_) | Values::TimeNanosecond(_)
            );
        match value {
            JsonValue::Text { .. } if takes_text => {
                self.write_value(plan, value.text(scratch), ReadAs::Text)
            }
            JsonValue::Number(text) if !matches!(self.values, Values::Boolean(_)) => {
                self.write_value(plan, text, ReadAs::Number)
            }
            JsonValue::Boolean(is_true) if matches!(self.values, Values::Boolean(_)) => {
                self.write_value(plan, if is_true { b"true" } else { b"false" }, ReadAs::Text)
            }
            _ => self.misfit(plan, Misfit::Type),
        }
    }

    fn misfit(&mut self, plan: &ColumnPlan, misfit: Misfit) -> Result<(), Misfit> {
        self.write_null();
        if plan.is_time_attribute && plan.time.is_some() {
            return Ok(());
        }
        Err(misfit)
    }

    /// Appends text that is UTF-8.
    fn write_text(&mut self, text: &[u8]) {
        match &mut self.values {
            Values::Text(builder) => match std::str::from_utf8(text) {
                Ok(text) => builder.append_value(text),
                // Records are mended before they come here.
                Err(_) => builder.append_value(String::from_utf8_lossy(text)),
            },
            Values::Bytes(builder) => builder.append_value(text),
            _ => with_builder!(&mut self.values, builder => builder.append_null()),
        }
        self.length += 1;
    }

    #[inline]
    fn write_value(
        &mut self,
        plan: &ColumnPlan,
        text: &[u8],
        read_as: ReadAs,
    ) -> Result<(), Misfit> {
        macro_rules! put {
            ($builder:expr, $value:expr) => {
                match $value {
                    Some(value) => $builder.append_value(value),
                    None => return self.misfit(plan, Misfit::Type),
                }
            };
        }
        match &mut self.values {
            Values::Int8(builder) => put!(builder, integer(text)),
            Values::Int16(builder) => put!(builder, integer(text)),
            Values::Int32(builder) => put!(builder, integer(text)),
            Values::Int64(builder) => put!(builder, integer(text)),
            Values::UInt8(builder) => put!(builder, integer(text)),
            Values::UInt16(builder) => put!(builder, integer(text)),
            Values::UInt32(builder) => put!(builder, integer(text)),
            Values::UInt64(builder) => put!(builder, integer(text)),
            Values::Float32(builder) => {
                put!(builder, number_text::double(text).map(|value| value as f32));
            }
            Values::Float64(builder) => {
                if plan.exact_integers && number_text::is_integer_beyond_double(text) {
                    return self.misfit(plan, Misfit::Inexact);
                }
                put!(builder, number_text::double(text));
            }
            Values::Decimal(builder, precision, scale) => {
                put!(builder, number_text::decimal(text, *precision, *scale));
            }
            Values::Boolean(builder) => put!(builder, boolean(text)),
            Values::Date(builder) => put!(builder, read_iso_date(text)),
            Values::TimeMicrosecond(builder) => {
                put!(builder, read_iso_clock(text).map(|t| t / 1_000))
            }
            Values::TimeNanosecond(builder) => put!(builder, read_iso_clock(text)),
            Values::Millisecond(builder) => put!(builder, time(plan, text, read_as)),
            Values::Microsecond(builder) => put!(builder, time(plan, text, read_as)),
            Values::Nanosecond(builder) => put!(builder, time(plan, text, read_as)),
            Values::Text(_) | Values::Bytes(_) => {
                self.write_text(text);
                return Ok(());
            }
        }
        self.length += 1;
        Ok(())
    }

    /// The column.
    pub(super) fn finish(mut self) -> ArrayRef {
        with_builder!(&mut self.values, builder => Arc::new(builder.finish()))
    }
}

/// What a value's text was in its source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadAs {
    /// A field without a type of its own.
    Field,
    /// A JSON string, or a word of JSON.
    Text,
    /// A JSON number.
    Number,
}

#[inline]
fn integer<T: TryFrom<i64> + TryFrom<i128>>(text: &[u8]) -> Option<T> {
    match number_text::small_integer(text) {
        Some(value) => T::try_from(value).ok(),
        None => T::try_from(number_text::integer(text)?).ok(),
    }
}

#[inline]
fn time(plan: &ColumnPlan, text: &[u8], read_as: ReadAs) -> Option<i64> {
    let reader = plan.time.as_ref()?;
    match read_as {
        ReadAs::Number => reader.read_number(text),
        ReadAs::Field | ReadAs::Text => reader.read(text),
    }
}

fn boolean(text: &[u8]) -> Option<bool> {
    let is = |words: [&str; 4]| {
        words
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
    };
    if is(["true", "t", "yes", "1"]) {
        Some(true)
    } else if is(["false", "f", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}
