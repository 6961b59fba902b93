//! Columns of numbers, times and flags as 64-bit words, and back: what keys of one value are made of.
//!
//! ```text
//!  INT 7, NULL     7, –            DOUBLE 1.5, −0      bits of 1.5, bits of 0
//!  BOOLEAN true    1               UBIGINT 2^64 − 1    −1: the word need not be in the order of the values
//! ```
//!
//! Invariant: two values of a column are one key exactly if their words are equal.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::{canonical_double, canonical_float};

/// A column as words.
#[derive(Clone)]
pub(super) struct Words {
    /// One a row; what stands in a row that is NULL means nothing.
    pub(super) values: ScalarBuffer<i64>,
    /// The rows that have a value; `None` if all have one.
    pub(super) nulls: Option<NullBuffer>,
}

/// Calls a function that is generic over the arrow type of a column; `None` for types without words.
macro_rules! call_typed {
    ($data_type:expr, $function:ident ($($argument:expr),*)) => {{
        use DataType::*;
        use TimeUnit::*;
        macro_rules! call {
            ($arrow_type:ty) => { Some($function::<$arrow_type>($($argument),*)) };
        }
        match $data_type {
            Int8 => call!(Int8Type),
            Int16 => call!(Int16Type),
            Int32 => call!(Int32Type),
            Int64 => call!(Int64Type),
            UInt8 => call!(UInt8Type),
            UInt16 => call!(UInt16Type),
            UInt32 => call!(UInt32Type),
            UInt64 => call!(UInt64Type),
            Float32 => call!(Float32Type),
            Float64 => call!(Float64Type),
            Decimal32(_, _) => call!(Decimal32Type),
            Decimal64(_, _) => call!(Decimal64Type),
            Date32 => call!(Date32Type),
            Date64 => call!(Date64Type),
            Time32(Second) => call!(Time32SecondType),
            Time32(Millisecond) => call!(Time32MillisecondType),
            Time64(Microsecond) => call!(Time64MicrosecondType),
            Time64(Nanosecond) => call!(Time64NanosecondType),
            Timestamp(Second, _) => call!(TimestampSecondType),
            Timestamp(Millisecond, _) => call!(TimestampMillisecondType),
            Timestamp(Microsecond, _) => call!(TimestampMicrosecondType),
            Timestamp(Nanosecond, _) => call!(TimestampNanosecondType),
            Duration(Second) => call!(DurationSecondType),
            Duration(Millisecond) => call!(DurationMillisecondType),
            Duration(Microsecond) => call!(DurationMicrosecondType),
            Duration(Nanosecond) => call!(DurationNanosecondType),
            _ => None,
        }
    }};
}

/// True if columns of the type are words.
pub(super) fn has_words(data_type: &DataType) -> bool {
    fn fits<T: ArrowPrimitiveType>() -> bool {
        size_of::<T::Native>() <= size_of::<i64>()
    }
    data_type == &DataType::Boolean || call_typed!(data_type, fits()).unwrap_or(false)
}

/// The words of a column; `None` if its type has none.
pub(super) fn words_of(column: &ArrayRef) -> Option<Words> {
    let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
    let values = match column.data_type() {
        DataType::Boolean => (column.as_boolean().values().iter())
            .map(i64::from)
            .collect(),
        data_type => call_typed!(data_type, read(column))?,
    };
    Some(Words {
        values,
        nulls: nulls.cloned(),
    })
}

/// The column of a type whose words these are; `None` if the type has none.
pub(super) fn column_of(
    words: impl Iterator<Item = i64>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Option<ArrayRef> {
    match data_type {
        DataType::Boolean => {
            let values = words.map(|word| word != 0).collect();
            Some(Arc::new(BooleanArray::new(values, nulls)))
        }
        _ => call_typed!(data_type, write(words, nulls, data_type)),
    }
}

fn read<T: ArrowPrimitiveType<Native: Word>>(column: &ArrayRef) -> ScalarBuffer<i64> {
    let values = column.as_primitive::<T>().values();
    if T::Native::IS_WORD {
        return ScalarBuffer::new(values.inner().clone(), 0, values.len());
    }
    values.iter().map(|value| value.word()).collect()
}

fn write<T: ArrowPrimitiveType<Native: Word>>(
    words: impl Iterator<Item = i64>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> ArrayRef {
    let values: Vec<T::Native> = words.map(T::Native::of_word).collect();
    let column = PrimitiveArray::<T>::new(values.into(), nulls);
    Arc::new(column.with_data_type(data_type.clone()))
}

/// A value that a word holds.
trait Word: Copy {
    /// True if the word has the bits of the value, so that a column of them can be read in place.
    const IS_WORD: bool;
    fn word(self) -> i64;
    fn of_word(word: i64) -> Self;
}

macro_rules! integers {
    ($($integer:ty: $is_word:literal),*) => {
        $(impl Word for $integer {
            const IS_WORD: bool = $is_word;
            fn word(self) -> i64 {
                self as i64
            }
            fn of_word(word: i64) -> Self {
                word as $integer
            }
        })*
    };
}

integers!(i8: false, i16: false, i32: false, i64: true, u8: false, u16: false, u32: false, u64: true);

impl Word for f32 {
    const IS_WORD: bool = false;
    fn word(self) -> i64 {
        i64::from(canonical_float(self).to_bits())
    }
    fn of_word(word: i64) -> Self {
        f32::from_bits(word as u32)
    }
}

impl Word for f64 {
    const IS_WORD: bool = false;
    fn word(self) -> i64 {
        canonical_double(self).to_bits().cast_signed()
    }
    fn of_word(word: i64) -> Self {
        f64::from_bits(word.cast_unsigned())
    }
}
