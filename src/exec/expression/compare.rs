//! Comparisons: `= <> < <= > >=`, `IS DISTINCT FROM`, with -0 equal to 0 and NaN the greatest value.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, Float32Array, Float64Array, Scalar};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use crate::error::{Error, Result};

/// Which comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `IS DISTINCT FROM`: NULL is a value.
    Distinct,
    /// `IS NOT DISTINCT FROM`: NULL is a value.
    NotDistinct,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Distinct => "IS DISTINCT FROM",
            Comparison::NotDistinct => "IS NOT DISTINCT FROM",
        })
    }
}

/// `left comparison right`; both have the same type.
pub(super) fn compare(
    comparison: Comparison,
    left: &ColumnarValue,
    right: &ColumnarValue,
) -> Result<ColumnarValue> {
    let scalar = matches!(
        (left, right),
        (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_))
    );
    let (left, right) = (datum(left)?, datum(right)?);
    let (left, right) = (left.as_ref(), right.as_ref());
    let result = match comparison {
        Comparison::Equal => cmp::eq(left, right),
        Comparison::NotEqual => cmp::neq(left, right),
        Comparison::Less => cmp::lt(left, right),
        Comparison::LessOrEqual => cmp::lt_eq(left, right),
        Comparison::Greater => cmp::gt(left, right),
        Comparison::GreaterOrEqual => cmp::gt_eq(left, right),
        Comparison::Distinct => cmp::distinct(left, right),
        Comparison::NotDistinct => cmp::not_distinct(left, right),
    }?;
    if scalar {
        let value = (result.len() == 1 && result.is_valid(0)).then(|| result.value(0));
        return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(value)));
    }
    Ok(ColumnarValue::Array(Arc::new(result)))
}

fn datum(value: &ColumnarValue) -> Result<Box<dyn Datum>> {
    match value {
        ColumnarValue::Array(array) => Ok(Box::new(one_zero(array))),
        ColumnarValue::Scalar(value) => {
            let array = value
                .to_array()
                .map_err(|error| Error::internal("a constant has no column").cause(error))?;
            Ok(Box::new(Scalar::new(one_zero(&array))))
        }
    }
}

/// Arrow orders -0 before 0, and NaNs by their bits; SQL knows one zero and one NaN.
pub(crate) fn one_zero(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float64 => {
            let array: Float64Array = array.as_primitive::<Float64Type>().unary(|value: f64| {
                if value.is_nan() {
                    f64::NAN
                } else {
                    value + 0.0
                }
            });
            Arc::new(array)
        }
        DataType::Float32 => {
            let array: Float32Array = array.as_primitive::<Float32Type>().unary(|value: f32| {
                if value.is_nan() {
                    f32::NAN
                } else {
                    value + 0.0
                }
            });
            Arc::new(array)
        }
        _ => Arc::clone(array),
    }
}
