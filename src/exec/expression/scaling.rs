//! Spans of time times and divided by integers: `INTERVAL '1' MINUTE * n`, `(a - b) / 2`, `(a - b) / (c - d)`.
//!
//! Arrow has no kernels for these. What overflows or divides by zero is NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, IntervalMonthDayNanoArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use arrow::error::ArrowError;

use super::arithmetic::Arithmetic;

/// The types that both sides are cast to, `None` if this is no scaling of a span.
pub fn operand_types(
    op: Arithmetic,
    left: &DataType,
    right: &DataType,
) -> Option<(DataType, DataType)> {
    use DataType::{Duration, Int64, Interval};
    let span = |data_type: &DataType| match data_type {
        Duration(_) => Some(data_type.clone()),
        Interval(_) => Some(Interval(IntervalUnit::MonthDayNano)),
        _ => None,
    };
    match (op, left, right) {
        (Arithmetic::Multiply, left, right) if right.is_integer() => Some((span(left)?, Int64)),
        (Arithmetic::Multiply, left, right) if left.is_integer() => Some((Int64, span(right)?)),
        (Arithmetic::Divide, Duration(_), right) if right.is_integer() => {
            Some((left.clone(), Int64))
        }
        (Arithmetic::Divide, Duration(a), Duration(b)) if a == b => {
            Some((left.clone(), right.clone()))
        }
        _ => None,
    }
}

/// Computes what [`operand_types`] knows; `None` for other types.
pub fn scale(
    op: Arithmetic,
    left: &ArrayRef,
    right: &ArrayRef,
) -> Option<Result<ArrayRef, ArrowError>> {
    let (left_type, right_type) = operand_types(op, left.data_type(), right.data_type())?;
    if left.data_type() != &left_type || right.data_type() != &right_type {
        return None;
    }
    if op == Arithmetic::Multiply && left_type == DataType::Int64 {
        return scale(op, right, left);
    }
    Some(match (&left_type, &right_type) {
        (DataType::Interval(_), _) => multiplied(
            left.as_primitive::<IntervalMonthDayNanoType>(),
            right.as_primitive::<Int64Type>(),
        ),
        (DataType::Duration(_), DataType::Duration(_)) => ratio(left, right),
        _ => steps(op, left, right),
    })
}

fn multiplied(
    intervals: &IntervalMonthDayNanoArray,
    factors: &Int64Array,
) -> Result<ArrayRef, ArrowError> {
    let multiply = |interval: IntervalMonthDayNano, factor: i64| {
        let narrow = i32::try_from(factor).ok();
        let part = |part: i32| match part {
            0 => Some(0),
            part => part.checked_mul(narrow?),
        };
        let (months, days) = (part(interval.months)?, part(interval.days)?);
        let nanoseconds = interval.nanoseconds.checked_mul(factor)?;
        Some(IntervalMonthDayNano::new(months, days, nanoseconds))
    };
    let values: IntervalMonthDayNanoArray = (intervals.iter().zip(factors))
        .map(|(interval, factor)| multiply(interval?, factor?))
        .collect();
    Ok(Arc::new(values))
}

/// The steps of a duration times or divided by a number, toward zero.
fn steps(op: Arithmetic, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let numbers = cast(left, &DataType::Int64)?;
    let values: Int64Array = (numbers.as_primitive::<Int64Type>().iter())
        .zip(right.as_primitive::<Int64Type>())
        .map(|(number, factor)| match op {
            Arithmetic::Multiply => number?.checked_mul(factor?),
            _ => number?.checked_div(factor?),
        })
        .collect();
    cast(&values, left.data_type())
}

/// How many times one duration holds the other.
fn ratio(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (
        cast(left, &DataType::Int64)?,
        cast(right, &DataType::Int64)?,
    );
    let values: Float64Array = (left.as_primitive::<Int64Type>().iter())
        .zip(right.as_primitive::<Int64Type>())
        .map(|(number, other)| match other? {
            0 => None,
            other => Some(number? as f64 / other as f64),
        })
        .collect();
    Ok(Arc::new(values))
}
