//! The values of one column of a batch, looked at once and then written row by row.
//!
//! Invariant: which array type it is has been decided before the first value, so that a value costs one
//! jump and no check of types.

use arrow::array::{
    Array, AsArray, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray,
    LargeBinaryArray, LargeStringArray, StringArray, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{self as types, DataType, IntervalUnit, TimeUnit, i256};

use super::short::{self, Plain};
use super::time::{LastMinute, Timestamps};
use super::{Shape, Style, ValueWriter, number, per_second, text, time};
use crate::error::{Error, Result};

/// The values of a column in a batch, ready to be written.
#[derive(Debug)]
pub struct Column<'a> {
    writer: &'a ValueWriter,
    nulls: Option<&'a NullBuffer>,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Decimal32(&'a [i32], i8),
    Decimal64(&'a [i64], i8),
    Decimal128(&'a [i128], i8),
    Decimal256(&'a [i256], i8),
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Utf8View(&'a StringViewArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    FixedBinary(&'a FixedSizeBinaryArray),
    Date32(&'a [i32]),
    Date64(&'a [i64]),
    Time32(&'a [i32], i64),
    Time64(&'a [i64], i64),
    Timestamp(&'a [i64], Timestamps, LastMinute),
    Duration(&'a [i64], i64),
    Months(&'a [i32]),
    DayTime(&'a [types::IntervalDayTime]),
    MonthDayNano(&'a [types::IntervalMonthDayNano]),
    List(&'a [i32], Box<Column<'a>>),
    LargeList(&'a [i64], Box<Column<'a>>),
    FixedList(usize, Box<Column<'a>>),
    Struct(Vec<(&'a [u8], Column<'a>)>),
    Map(&'a [i32], Box<(Column<'a>, Column<'a>)>),
    Dictionary(Vec<usize>, Box<Column<'a>>),
}

fn bind<'a>(writer: &'a ValueWriter, array: &'a dyn Array) -> Result<Values<'a>> {
    use DataType as T;
    macro_rules! values {
        ($kind:ty) => {
            array.as_primitive::<$kind>().values()
        };
    }
    Ok(match array.data_type() {
        T::Null => Values::Null,
        T::Boolean => Values::Boolean(array.as_boolean()),
        T::Int8 => Values::Int8(values!(types::Int8Type)),
        T::Int16 => Values::Int16(values!(types::Int16Type)),
        T::Int32 => Values::Int32(values!(types::Int32Type)),
        T::Int64 => Values::Int64(values!(types::Int64Type)),
        T::UInt8 => Values::UInt8(values!(types::UInt8Type)),
        T::UInt16 => Values::UInt16(values!(types::UInt16Type)),
        T::UInt32 => Values::UInt32(values!(types::UInt32Type)),
        T::UInt64 => Values::UInt64(values!(types::UInt64Type)),
        T::Float32 => Values::Float32(values!(types::Float32Type)),
        T::Float64 => Values::Float64(values!(types::Float64Type)),
        T::Decimal32(_, scale) => Values::Decimal32(values!(types::Decimal32Type), *scale),
        T::Decimal64(_, scale) => Values::Decimal64(values!(types::Decimal64Type), *scale),
        T::Decimal128(_, scale) => Values::Decimal128(values!(types::Decimal128Type), *scale),
        T::Decimal256(_, scale) => Values::Decimal256(values!(types::Decimal256Type), *scale),
        T::Utf8 => Values::Utf8(array.as_string()),
        T::LargeUtf8 => Values::LargeUtf8(array.as_string()),
        T::Utf8View => Values::Utf8View(array.as_string_view()),
        T::Binary => Values::Binary(array.as_binary()),
        T::LargeBinary => Values::LargeBinary(array.as_binary()),
        T::BinaryView => Values::BinaryView(array.as_binary_view()),
        T::FixedSizeBinary(_) => Values::FixedBinary(array.as_fixed_size_binary()),
        _ => return bind_time(writer, array),
    })
}

/// Dates, times and lengths of time.
fn bind_time<'a>(writer: &'a ValueWriter, array: &'a dyn Array) -> Result<Values<'a>> {
    use DataType as T;
    macro_rules! values {
        ($kind:ty) => {
            array.as_primitive::<$kind>().values()
        };
    }
    Ok(match (array.data_type(), &writer.shape) {
        (T::Date32, _) => Values::Date32(values!(types::Date32Type)),
        (T::Date64, _) => Values::Date64(values!(types::Date64Type)),
        (T::Time32(TimeUnit::Second), _) => Values::Time32(values!(types::Time32SecondType), 1),
        (T::Time32(_), _) => Values::Time32(values!(types::Time32MillisecondType), 1_000),
        (T::Time64(TimeUnit::Microsecond), _) => {
            Values::Time64(values!(types::Time64MicrosecondType), 1_000_000)
        }
        (T::Time64(_), _) => Values::Time64(values!(types::Time64NanosecondType), 1_000_000_000),
        (T::Timestamp(unit, _), Shape::Timestamp(style)) => {
            let values = match unit {
                TimeUnit::Second => values!(types::TimestampSecondType),
                TimeUnit::Millisecond => values!(types::TimestampMillisecondType),
                TimeUnit::Microsecond => values!(types::TimestampMicrosecondType),
                TimeUnit::Nanosecond => values!(types::TimestampNanosecondType),
            };
            let style = Timestamps {
                per_second: per_second(*unit),
                ..*style
            };
            Values::Timestamp(values, style, LastMinute::default())
        }
        (T::Duration(unit), _) => {
            let values = match unit {
                TimeUnit::Second => values!(types::DurationSecondType),
                TimeUnit::Millisecond => values!(types::DurationMillisecondType),
                TimeUnit::Microsecond => values!(types::DurationMicrosecondType),
                TimeUnit::Nanosecond => values!(types::DurationNanosecondType),
            };
            Values::Duration(values, per_second(*unit))
        }
        (T::Interval(unit), _) => match unit {
            IntervalUnit::YearMonth => Values::Months(values!(types::IntervalYearMonthType)),
            IntervalUnit::DayTime => Values::DayTime(values!(types::IntervalDayTimeType)),
            IntervalUnit::MonthDayNano => {
                Values::MonthDayNano(values!(types::IntervalMonthDayNanoType))
            }
        },
        _ => return bind_nested(writer, array),
    })
}

/// Values within values.
fn bind_nested<'a>(writer: &'a ValueWriter, array: &'a dyn Array) -> Result<Values<'a>> {
    use DataType as T;
    Ok(match (array.data_type(), &writer.shape) {
        (T::List(_), Shape::Elements(element)) => {
            let list = array.as_list::<i32>();
            Values::List(
                list.value_offsets(),
                Box::new(element.column(list.values())?),
            )
        }
        (T::LargeList(_), Shape::Elements(element)) => {
            let list = array.as_list::<i64>();
            Values::LargeList(
                list.value_offsets(),
                Box::new(element.column(list.values())?),
            )
        }
        (T::FixedSizeList(_, _), Shape::Elements(element)) => {
            let list = array.as_fixed_size_list();
            let length = usize::try_from(list.value_length()).unwrap_or(0);
            Values::FixedList(length, Box::new(element.column(list.values())?))
        }
        (T::Struct(_), Shape::Fields(fields)) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let bound =
                columns.map(|((name, writer), column)| Ok((name.as_ref(), writer.column(column)?)));
            Values::Struct(bound.collect::<Result<_>>()?)
        }
        (T::Map(_, _), Shape::Entries(key, value)) => {
            let map = array.as_map();
            let entries = (key.column(map.keys())?, value.column(map.values())?);
            Values::Map(map.value_offsets(), Box::new(entries))
        }
        (T::Dictionary(_, _), Shape::Elements(value)) => {
            let dictionary = array.as_any_dictionary();
            let keys = match dictionary.values().len() {
                0 => vec![0; array.len()],
                _ => dictionary.normalized_keys(),
            };
            Values::Dictionary(keys, Box::new(value.column(dictionary.values())?))
        }
        (other, _) => {
            return Err(Error::internal(format!(
                "values of type {other} cannot be printed"
            )));
        }
    })
}

impl<'a> Column<'a> {
    pub(super) fn new(writer: &'a ValueWriter, array: &'a dyn Array) -> Result<Self> {
        let values = bind(writer, array)?;
        Ok(Column {
            writer,
            nulls: array.nulls(),
            values,
        })
    }

    /// True if the value of the row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        match &self.values {
            Values::Null => true,
            _ if self.nulls.is_some_and(|nulls| nulls.is_null(row)) => true,
            Values::Dictionary(keys, values) => values.is_null(keys[row]),
            _ => false,
        }
    }

    /// Appends the value of the row, or the text for NULL.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return out.extend_from_slice(&self.writer.null);
        }
        match &self.values {
            Values::Null => {}
            Values::Boolean(values) => {
                let word: &[u8] = if values.value(row) { b"true" } else { b"false" };
                out.extend_from_slice(word);
            }
            Values::Int8(values) => number::write_word(i64::from(values[row]), out),
            Values::Int16(values) => number::write_word(i64::from(values[row]), out),
            Values::Int32(values) => number::write_word(i64::from(values[row]), out),
            Values::Int64(values) => number::write_word(values[row], out),
            Values::UInt8(values) => number::write_word(i64::from(values[row]), out),
            Values::UInt16(values) => number::write_word(i64::from(values[row]), out),
            Values::UInt32(values) => number::write_word(i64::from(values[row]), out),
            Values::UInt64(values) => number::write_integer(values[row], out),
            Values::Float32(values) if self.is_missing_in_json(values[row].is_finite()) => {
                out.extend_from_slice(b"null");
            }
            Values::Float64(values) if self.is_missing_in_json(values[row].is_finite()) => {
                out.extend_from_slice(b"null");
            }
            Values::Float32(values) => number::write_float(values[row], out),
            Values::Float64(values) => number::write_double(values[row], out),
            Values::Decimal32(values, scale) => write_decimal(values[row], *scale, out),
            Values::Decimal64(values, scale) => write_decimal(values[row], *scale, out),
            Values::Decimal128(values, scale) => write_decimal(values[row], *scale, out),
            Values::Decimal256(values, scale) => {
                number::write_decimal(&values[row].to_string(), *scale, out);
            }
            Values::Utf8(values) => self.write_text(values.value(row), out),
            Values::LargeUtf8(values) => self.write_text(values.value(row), out),
            Values::Utf8View(values) => {
                if !self.write_short(values.views()[row], out) {
                    self.write_text(values.value(row), out);
                }
            }
            Values::Binary(values) => self.write_bytes(values.value(row), out),
            Values::LargeBinary(values) => self.write_bytes(values.value(row), out),
            Values::BinaryView(values) => self.write_bytes(values.value(row), out),
            Values::FixedBinary(values) => self.write_bytes(values.value(row), out),
            Values::Dictionary(keys, values) => values.write(keys[row], out),
            Values::List(..)
            | Values::LargeList(..)
            | Values::FixedList(..)
            | Values::Struct(_)
            | Values::Map(..) => self.write_nested(row, out),
            _ if self.writer.style == Style::Json => {
                out.push(b'"');
                self.write_time(row, out);
                out.push(b'"');
            }
            _ => self.write_time(row, out),
        }
    }

    fn is_missing_in_json(&self, is_finite: bool) -> bool {
        !is_finite && self.writer.style == Style::Json
    }

    /// Appends a text that is short and has nothing to be quoted; false if it is not.
    fn write_short(&self, view: u128, out: &mut Vec<u8>) -> bool {
        match self.writer.style {
            // It may be the text that stands for NULL.
            Style::Csv if !self.writer.null.is_empty() => false,
            Style::Csv => short::append_view(view, Plain::Csv, out),
            Style::Tsv => short::append_view(view, Plain::Tsv, out),
            Style::Json => short::append_view(view, Plain::Json, out),
            Style::Table | Style::Cast => false,
        }
    }

    fn write_text(&self, value: &str, out: &mut Vec<u8>) {
        match self.writer.style {
            Style::Csv => text::write_csv(value, &self.writer.null, out),
            Style::Tsv => text::write_tsv(value, out),
            Style::Json => text::write_json(value, out),
            Style::Table => text::write_visible(value, out),
            Style::Cast => out.extend_from_slice(value.as_bytes()),
        }
    }

    /// BYTES are shown as the text that they are, else as `\x` and hexadecimal digits.
    fn write_bytes(&self, value: &[u8], out: &mut Vec<u8>) {
        match std::str::from_utf8(value) {
            Ok(value) => self.write_text(value, out),
            Err(_) => {
                let mut digits = b"\\x".to_vec();
                text::write_hex(value, &mut digits);
                self.write_text(&String::from_utf8_lossy(&digits), out);
            }
        }
    }

    fn write_time(&self, row: usize, out: &mut Vec<u8>) {
        let nanoseconds = |value: i64, per_second: i64| {
            i128::from(value) * i128::from(1_000_000_000 / per_second)
        };
        match &self.values {
            Values::Date32(values) => time::write_date(i64::from(values[row]), out),
            Values::Date64(values) => time::write_date(values[row].div_euclid(86_400_000), out),
            Values::Time32(values, unit) => time::write_time(i64::from(values[row]), *unit, out),
            Values::Time64(values, unit) => time::write_time(values[row], *unit, out),
            Values::Timestamp(values, style, last) => style.write_after(last, values[row], out),
            Values::Duration(values, unit) => {
                time::write_length(0, 0, nanoseconds(values[row], *unit), out);
            }
            Values::Months(values) => time::write_length(i64::from(values[row]), 0, 0, out),
            Values::DayTime(values) => {
                let rest = nanoseconds(i64::from(values[row].milliseconds), 1_000);
                time::write_length(0, i64::from(values[row].days), rest, out);
            }
            Values::MonthDayNano(values) => {
                let value = values[row];
                let (months, days) = (i64::from(value.months), i64::from(value.days));
                time::write_length(months, days, i128::from(value.nanoseconds), out);
            }
            _ => {}
        }
    }

    fn write_nested(&self, row: usize, out: &mut Vec<u8>) {
        if self.writer.style == Style::Json {
            return self.write_json(row, out);
        }
        let mut json = Vec::new();
        self.write_json(row, &mut json);
        self.write_text(&String::from_utf8_lossy(&json), out);
    }

    fn write_json(&self, row: usize, out: &mut Vec<u8>) {
        let array = |range: std::ops::Range<usize>, values: &Column, out: &mut Vec<u8>| {
            out.push(b'[');
            for (place, row) in range.enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                values.write(row, out);
            }
            out.push(b']');
        };
        match &self.values {
            Values::List(ends, values) => {
                array(ends[row] as usize..ends[row + 1] as usize, values, out);
            }
            Values::LargeList(ends, values) => {
                array(ends[row] as usize..ends[row + 1] as usize, values, out);
            }
            Values::FixedList(length, values) => {
                array(row * length..(row + 1) * length, values, out);
            }
            Values::Struct(fields) => {
                out.push(b'{');
                for (place, (name, values)) in fields.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(name);
                    values.write(row, out);
                }
                out.push(b'}');
            }
            Values::Map(ends, entries) => {
                let (keys, values) = entries.as_ref();
                out.push(b'{');
                for row in ends[row] as usize..ends[row + 1] as usize {
                    let mut key = Vec::new();
                    keys.write(row, &mut key);
                    text::write_json(&String::from_utf8_lossy(&key), out);
                    out.push(b':');
                    values.write(row, out);
                    out.push(b',');
                }
                if out.last() == Some(&b',') {
                    out.pop();
                }
                out.push(b'}');
            }
            _ => {}
        }
    }
}

fn write_decimal<I: itoa::Integer>(value: I, scale: i8, out: &mut Vec<u8>) {
    number::write_decimal(itoa::Buffer::new().format(value), scale, out);
}
