//! Text patterns (`LIKE`, `ILIKE`, regular expressions) and `IN` lists.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, RecordBatch, Scalar, StringArray,
};
use arrow::compute;
use arrow::compute::kernels::comparison;
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use super::compare::{Comparison, compare};
use super::{Expression, Failures, to_array};
use crate::error::{Error, Result};

/// Which pattern language, and whether the answer is turned around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// `LIKE` or a regular expression.
    pub regex: bool,
    /// Upper and lower case are the same.
    pub ignore_case: bool,
    /// `NOT`.
    pub negated: bool,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.regex, self.negated, self.ignore_case) {
            (false, false, false) => "LIKE",
            (false, false, true) => "ILIKE",
            (false, true, false) => "NOT LIKE",
            (false, true, true) => "NOT ILIKE",
            (true, false, false) => "~",
            (true, false, true) => "~*",
            (true, true, false) => "!~",
            (true, true, true) => "!~*",
        })
    }
}

/// Whether `input` matches the pattern in `text`; both are STRING.
pub(super) fn matches(
    pattern: Pattern,
    input: &ColumnarValue,
    text: &ColumnarValue,
) -> Result<ColumnarValue> {
    let rows = match (input, text) {
        (ColumnarValue::Array(array), _) | (_, ColumnarValue::Array(array)) => array.len(),
        _ => 1,
    };
    let array = to_array(input, rows)?;
    let result = if pattern.regex {
        regex(pattern, &array, text, rows)?
    } else {
        like(pattern, &array, text)?
    };
    match (input, text) {
        (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)) => {
            let value = result.is_valid(0).then(|| result.value(0));
            Ok(ColumnarValue::Scalar(ScalarValue::Boolean(value)))
        }
        _ => Ok(ColumnarValue::Array(Arc::new(result))),
    }
}

fn like(pattern: Pattern, input: &ArrayRef, text: &ColumnarValue) -> Result<BooleanArray> {
    let text: Box<dyn Datum> = match text {
        ColumnarValue::Array(array) => Box::new(compute::cast(array, input.data_type())?),
        ColumnarValue::Scalar(value) => {
            let array = to_array(&ColumnarValue::Scalar(value.clone()), 1)?;
            Box::new(Scalar::new(compute::cast(&array, input.data_type())?))
        }
    };
    Ok(match (pattern.negated, pattern.ignore_case) {
        (false, false) => compute::like(input, text.as_ref())?,
        (false, true) => compute::ilike(input, text.as_ref())?,
        (true, false) => compute::nlike(input, text.as_ref())?,
        (true, true) => compute::nilike(input, text.as_ref())?,
    })
}

fn regex(
    pattern: Pattern,
    input: &ArrayRef,
    text: &ColumnarValue,
    rows: usize,
) -> Result<BooleanArray> {
    let input = compute::cast(input, &DataType::Utf8)?;
    let input: &StringArray = input.as_string();
    let flag = pattern.ignore_case.then_some("i");
    let found = match text {
        ColumnarValue::Scalar(value) => match value.try_as_str().flatten() {
            Some(text) => comparison::regexp_is_match_scalar(input, text, flag)?,
            None => BooleanArray::new_null(rows),
        },
        ColumnarValue::Array(array) => {
            let text = compute::cast(array, &DataType::Utf8)?;
            let flags = flag.map(|flag| StringArray::from(vec![flag; rows]));
            comparison::regexp_is_match(input, text.as_string::<i32>(), flags.as_ref())?
        }
    };
    Ok(if pattern.negated {
        compute::not(&found)?
    } else {
        found
    })
}

/// `input [NOT] IN (list)`: NULL where nothing equals and something is NULL.
pub(super) fn in_list(
    input: &Expression,
    list: &[Expression],
    negated: bool,
    batch: &RecordBatch,
    failures: &mut Failures,
) -> Result<ColumnarValue> {
    let rows = batch.num_rows();
    let input = ColumnarValue::Array(input.column(batch, failures)?);
    let mut found = BooleanArray::from(vec![false; rows]);
    for item in list {
        let item = item.evaluate(batch, failures)?;
        let equal = to_array(&compare(Comparison::Equal, &input, &item)?, rows)?;
        let equal = equal
            .as_boolean_opt()
            .ok_or_else(|| Error::internal("a comparison that is no BOOLEAN"))?;
        found = compute::or_kleene(&found, equal)?;
    }
    let found = if negated {
        compute::not(&found)?
    } else {
        found
    };
    Ok(ColumnarValue::Array(Arc::new(found)))
}
