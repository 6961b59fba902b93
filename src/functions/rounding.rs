//! `round(x, n)` and `trunc(x, n)` as DataFusion's, but that a finite number stays one.
//!
//! ```text
//!   round(1e300, 10)     1e300: the number times 10¹⁰ is no DOUBLE, and there is nothing behind its point
//!   round(1.5, -400)     0
//! ```
//!
//! Invariant: what is finite goes in, what is finite comes out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};

use super::theirs::as_theirs;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rounding {
    theirs: Arc<ScalarUDF>,
}

/// The functions.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let theirs = [
        datafusion_functions::math::round(),
        datafusion_functions::math::trunc(),
    ];
    theirs
        .map(|theirs| Arc::new(ScalarUDF::from(Rounding { theirs })))
        .into()
}

/// `rounded` with what it should be where `input` is finite and it is not: to `digits` behind the point.
fn mended(rounded: ArrayRef, input: &ArrayRef, digits: &ArrayRef) -> Result<ArrayRef> {
    let values = rounded.as_primitive::<Float64Type>();
    if values.iter().flatten().all(f64::is_finite) {
        return Ok(rounded);
    }
    let digits = compute::cast(digits, &DataType::Int64)?;
    let (input, digits) = (
        input.as_primitive::<Float64Type>(),
        digits.as_primitive::<Int64Type>(),
    );
    let one = |row: usize| {
        let value = values.is_valid(row).then(|| values.value(row))?;
        Some(match (value.is_finite(), input.value(row).is_finite()) {
            // All of its digits stand before that place, or none does.
            (false, true) if digits.value(row) > 0 => input.value(row),
            (false, true) => 0.0,
            _ => value,
        })
    };
    let values = (0..values.len()).map(one);
    Ok(Arc::new(values.collect::<Float64Array>()))
}

impl ScalarUDFImpl for Rounding {
    as_theirs!();

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (values, rows) = (args.args.clone(), args.number_rows);
        let rounded = self.theirs.invoke_with_args(args)?;
        let [input, digits] = values.as_slice() else {
            return Ok(rounded);
        };
        if rounded.data_type() != DataType::Float64 || input.data_type() != DataType::Float64 {
            return Ok(rounded);
        }
        let is_constant = matches!(rounded, ColumnarValue::Scalar(_));
        let rounded = rounded.to_array(rows)?;
        let mended = mended(rounded, &input.to_array(rows)?, &digits.to_array(rows)?)?;
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&mended, 0)?),
            false => ColumnarValue::Array(mended),
        })
    }

    fn is_strict(&self) -> bool {
        true
    }
}
