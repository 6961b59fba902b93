//! Reads the time column of a batch as plain numbers, whatever its unit and zone.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};

use crate::error::{Error, Result};

/// The times of a column in its own unit, and which of them there are.
#[derive(Debug, Clone)]
pub struct Times {
    /// One a row; what stands in a row without a time means nothing.
    pub values: ScalarBuffer<i64>,
    /// The rows that have a time; `None` if all have one.
    pub nulls: Option<NullBuffer>,
}

impl Times {
    /// The times in `column` of `batch`: a timestamp in ms, µs or ns, or the BIGINT of a row number.
    pub fn of(batch: &RecordBatch, column: usize) -> Result<Self> {
        let array = batch.column(column);
        let values = match array.data_type() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                array.as_primitive::<TimestampMillisecondType>().values()
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                array.as_primitive::<TimestampMicrosecondType>().values()
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                array.as_primitive::<TimestampNanosecondType>().values()
            }
            DataType::Int64 => array.as_primitive::<Int64Type>().values(),
            other => {
                return Err(Error::internal(format!(
                    "column {column} is no time column: {other}"
                )));
            }
        };
        Ok(Times {
            values: values.clone(),
            nulls: array
                .nulls()
                .filter(|nulls| nulls.null_count() > 0)
                .cloned(),
        })
    }

    /// The time of a row, `None` if it is untimed.
    pub fn get(&self, row: usize) -> Option<i64> {
        match &self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.values[row]),
        }
    }
}

/// A column of times with the type of an output field: the reverse of [`Times::of`].
pub fn time_array(values: Vec<i64>, data_type: &DataType) -> Result<ArrayRef> {
    let array: ArrayRef = match data_type {
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            Arc::new(TimestampMillisecondArray::from(values).with_timezone_opt(zone.clone()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            Arc::new(TimestampMicrosecondArray::from(values).with_timezone_opt(zone.clone()))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            Arc::new(TimestampNanosecondArray::from(values).with_timezone_opt(zone.clone()))
        }
        DataType::Int64 => Arc::new(Int64Array::from(values)),
        other => return Err(Error::internal(format!("no window bound is {other}"))),
    };
    Ok(array)
}
