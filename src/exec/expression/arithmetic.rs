//! `+ - * / // %` and negation over columns, where no value stops a query: what has no result is NULL.
//!
//! ```text
//!   left    right     left / right    failed
//!   7       2         3.5
//!   7       0         NULL            1          a division by zero
//!   NULL    0         NULL                       NULL in, NULL out: no failure
//! ```
//!
//! Integers give BIGINT, but `/` DOUBLE; anything with DOUBLE or text gives DOUBLE, text being read as a
//! number; DECIMAL, times and intervals go through arrow's kernels, in halves where one fails, so that only
//! the rows at fault are NULL. A DOUBLE result of finite values that is not finite is an overflow.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Decimal256Array, PrimitiveArray, new_empty_array,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::numeric;
use arrow::compute::{CastOptions, cast_with_options, concat};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Date32Type, Date64Type,
    Decimal128Type, Decimal256Type, Float64Type, Int64Type, i256,
};
use arrow::error::ArrowError;

use crate::error::{Error, Result};

/// An operation on numbers, times and intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`, never truncated
    Divide,
    /// `a // b`, truncated toward zero
    IntDivide,
    /// `a % b`, with the sign of `a`
    Modulo,
    /// `-a`
    Negate,
}

impl Arithmetic {
    /// All of them.
    pub const ALL: [Arithmetic; 7] = [
        Arithmetic::Add,
        Arithmetic::Subtract,
        Arithmetic::Multiply,
        Arithmetic::Divide,
        Arithmetic::IntDivide,
        Arithmetic::Modulo,
        Arithmetic::Negate,
    ];

    /// As it is written in SQL.
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract | Arithmetic::Negate => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::IntDivide => "//",
            Arithmetic::Modulo => "%",
        }
    }

    /// What a row that failed suffered, in words for the report.
    pub fn failure(self) -> &'static str {
        match self {
            Arithmetic::Divide | Arithmetic::IntDivide => "division by zero or overflow",
            Arithmetic::Modulo => "modulo by zero",
            _ => "overflow",
        }
    }
}

/// How the types of both sides are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    Integer,
    Double,
    /// DECIMAL, times, intervals.
    Kernel,
}

fn domain(op: Arithmetic, left: &DataType, right: &DataType) -> Domain {
    let is_text =
        |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_integer =
        |t: &DataType| t.is_integer() || matches!(t, DataType::Boolean | DataType::Null);
    let is_number = |t: &DataType| is_integer(t) || is_text(t) || t.is_numeric();
    let is_rough = |t: &DataType| is_text(t) || t.is_floating();
    if is_integer(left) && is_integer(right) {
        return match op {
            Arithmetic::Divide => Domain::Double,
            _ => Domain::Integer,
        };
    }
    if is_number(left) && is_number(right) && (is_rough(left) || is_rough(right)) {
        return Domain::Double;
    }
    Domain::Kernel
}

/// True if [`arithmetic`] takes these types as they are: numbers and text, but for DECIMAL without DOUBLE.
pub fn takes_as_is(op: Arithmetic, left: &DataType, right: &DataType) -> bool {
    domain(op, left, right) != Domain::Kernel
}

/// The type of the result, `None` if the types have no such operation. For [`Arithmetic::Negate`] pass the
/// type twice.
pub fn result_type(op: Arithmetic, left: &DataType, right: &DataType) -> Option<DataType> {
    match domain(op, left, right) {
        Domain::Integer => Some(DataType::Int64),
        Domain::Double => Some(DataType::Float64),
        Domain::Kernel => {
            let result = kernel(op, &new_empty_array(left), &new_empty_array(right)).ok()?;
            Some(result.data_type().clone())
        }
    }
}

/// Computes `left op right` row by row; for [`Arithmetic::Negate`] pass the column twice.
///
/// Appends to `failed` the rows whose inputs are not NULL but that have no result.
pub fn arithmetic(
    op: Arithmetic,
    left: &ArrayRef,
    right: &ArrayRef,
    failed: &mut Vec<u32>,
) -> Result<ArrayRef> {
    let result = match domain(op, left.data_type(), right.data_type()) {
        Domain::Integer => integers(op, left, right)?,
        Domain::Double => doubles(op, left, right)?,
        Domain::Kernel => by_kernel(op, left, right)?,
    };
    let inputs = NullBuffer::union(
        left.logical_nulls().as_ref(),
        right.logical_nulls().as_ref(),
    );
    if let Some(results) = result.logical_nulls() {
        let absent = !results.inner();
        let lost = match inputs {
            Some(inputs) => inputs.inner() & &absent,
            None => absent,
        };
        failed.extend(lost.set_indices().map(|row| row as u32));
    }
    Ok(result)
}

fn cast_to(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if column.data_type() == data_type {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    Ok(cast_with_options(column, data_type, &options)?)
}

fn integers(op: Arithmetic, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let (left, right) = (
        cast_to(left, &DataType::Int64)?,
        cast_to(right, &DataType::Int64)?,
    );
    let (a, b) = (
        left.as_primitive::<Int64Type>(),
        right.as_primitive::<Int64Type>(),
    );
    Ok(match op {
        Arithmetic::Add => combine(a, b, i64::checked_add),
        Arithmetic::Subtract => combine(a, b, i64::checked_sub),
        Arithmetic::Multiply => combine(a, b, i64::checked_mul),
        Arithmetic::Divide | Arithmetic::IntDivide => combine(a, b, i64::checked_div),
        Arithmetic::Modulo => combine(a, b, |a, b| (b != 0).then(|| a.wrapping_rem(b))),
        Arithmetic::Negate => combine(a, b, |a, _| a.checked_neg()),
    })
}

fn doubles(op: Arithmetic, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let (left, right) = (
        cast_to(left, &DataType::Float64)?,
        cast_to(right, &DataType::Float64)?,
    );
    let (a, b) = (
        left.as_primitive::<Float64Type>(),
        right.as_primitive::<Float64Type>(),
    );
    /// NULL where finite values have no finite result.
    fn kept(a: f64, b: f64, result: f64) -> Option<f64> {
        (result.is_finite() || !a.is_finite() || !b.is_finite()).then_some(result)
    }
    Ok(match op {
        Arithmetic::Add => combine(a, b, |a, b| kept(a, b, a + b)),
        Arithmetic::Subtract => combine(a, b, |a, b| kept(a, b, a - b)),
        Arithmetic::Multiply => combine(a, b, |a, b| kept(a, b, a * b)),
        Arithmetic::Divide => combine(a, b, |a, b| (b != 0.0).then(|| kept(a, b, a / b))?),
        Arithmetic::IntDivide => combine(a, b, |a, b| {
            (b != 0.0).then(|| kept(a, b, (a / b).trunc()))?
        }),
        Arithmetic::Modulo => combine(a, b, |a, b| (b != 0.0).then_some(a % b)),
        Arithmetic::Negate => combine(a, b, |a, _| Some(-a)),
    })
}

/// Applies `operation` where both sides are valid; NULL where it gives nothing.
fn combine<T: ArrowPrimitiveType>(
    left: &PrimitiveArray<T>,
    right: &PrimitiveArray<T>,
    operation: impl Fn(T::Native, T::Native) -> Option<T::Native>,
) -> ArrayRef {
    let inputs = NullBuffer::union(left.nulls(), right.nulls());
    let mut values = Vec::with_capacity(left.len());
    let mut failed = Vec::new();
    for (row, (&a, &b)) in left.values().iter().zip(right.values()).enumerate() {
        // Behind a NULL may stand anything, and what it gives is not seen.
        values.push(operation(a, b).unwrap_or_else(|| {
            failed.push(row);
            T::Native::default()
        }));
    }
    let nulls = if failed.is_empty() {
        inputs
    } else {
        let mut valid = vec![true; left.len()];
        failed.iter().for_each(|&row| valid[row] = false);
        let valid = NullBuffer::new(BooleanBuffer::from(valid));
        NullBuffer::union(inputs.as_ref(), Some(&valid))
    };
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
}

fn by_kernel(op: Arithmetic, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let Some(data_type) = result_type(op, left.data_type(), right.data_type()) else {
        let (a, b) = (left.data_type(), right.data_type());
        return Err(Error::plan(format!("there is no {a} {} {b}", op.symbol()))
            .help("cast one side so that both are numbers, or a time and an interval"));
    };
    let mut parts = Vec::new();
    in_halves(op, left, right, &data_type, &mut parts)?;
    if parts.len() == 1 {
        return Ok(parts.swap_remove(0));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(|part| &**part).collect();
    Ok(concat(&parts)?)
}

/// Splits rows until the kernel takes them; a single row that it refuses is NULL.
fn in_halves(
    op: Arithmetic,
    left: &ArrayRef,
    right: &ArrayRef,
    data_type: &DataType,
    parts: &mut Vec<ArrayRef>,
) -> Result<()> {
    match kernel(op, left, right) {
        Ok(part) => parts.push(part),
        Err(_) if left.len() <= 1 => parts.push(new_null_array(data_type, left.len())),
        Err(_) => {
            let half = left.len() / 2;
            let rest = left.len() - half;
            in_halves(
                op,
                &left.slice(0, half),
                &right.slice(0, half),
                data_type,
                parts,
            )?;
            in_halves(
                op,
                &left.slice(half, rest),
                &right.slice(half, rest),
                data_type,
                parts,
            )?;
        }
    }
    Ok(())
}

fn kernel(op: Arithmetic, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let result = match op {
        Arithmetic::Add => numeric::add(left, right)?,
        Arithmetic::Subtract => match (left.data_type(), right.data_type()) {
            (DataType::Date32, DataType::Date32) | (DataType::Date64, DataType::Date64) => {
                return Ok(days_between(left, right));
            }
            _ => numeric::sub(left, right)?,
        },
        Arithmetic::Multiply => numeric::mul(left, right)?,
        Arithmetic::Divide => numeric::div(left, right)?,
        Arithmetic::IntDivide => return whole_quotient(left, right),
        Arithmetic::Modulo => numeric::rem(left, right)?,
        Arithmetic::Negate => numeric::neg(left)?,
    };
    // The kernels check the bits, not the digits.
    Ok(match result.data_type() {
        DataType::Decimal128(precision, _) => {
            let values = result.as_primitive::<Decimal128Type>();
            Arc::new(values.null_if_overflow_precision(*precision))
        }
        DataType::Decimal256(precision, _) => {
            let values = result.as_primitive::<Decimal256Type>();
            Arc::new(values.null_if_overflow_precision(*precision))
        }
        _ => result,
    })
}

/// `date - date`: whole days, as BIGINT.
fn days_between(left: &ArrayRef, right: &ArrayRef) -> ArrayRef {
    const DAY_MS: i64 = 86_400_000;
    fn days(column: &ArrayRef) -> PrimitiveArray<Int64Type> {
        match column.data_type() {
            DataType::Date32 => column.as_primitive::<Date32Type>().unary(i64::from),
            _ => column
                .as_primitive::<Date64Type>()
                .unary(|ms| ms.div_euclid(DAY_MS)),
        }
    }
    combine(&days(left), &days(right), i64::checked_sub)
}

/// `//` of DECIMAL: the whole part of the quotient, as DECIMAL(38, 0).
fn whole_quotient(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let refuse = || ArrowError::InvalidArgumentError("`//` takes numbers".to_owned());
    let scale_of = |data_type: &DataType| match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        other => other.is_integer().then_some(0),
    };
    let left_scale = scale_of(left.data_type()).ok_or_else(refuse)?;
    let right_scale = scale_of(right.data_type()).ok_or_else(refuse)?;
    let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, left_scale.max(right_scale));
    let options = CastOptions::default();
    let left = cast_with_options(left, &wide, &options)?;
    let right = cast_with_options(right, &wide, &options)?;
    let quotient = combine(
        left.as_primitive::<Decimal256Type>(),
        right.as_primitive::<Decimal256Type>(),
        |a, b| (b != i256::ZERO).then(|| a.checked_div(b))?,
    );
    let quotient: &Decimal256Array = quotient.as_primitive();
    let quotient = quotient
        .clone()
        .with_precision_and_scale(DECIMAL256_MAX_PRECISION, 0)?;
    cast_with_options(
        &quotient,
        &DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
        &options,
    )
}
