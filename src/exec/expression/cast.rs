//! Conversions between types: NULL and a failure where there is no such value.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::DataType;
use datafusion_expr::ColumnarValue;

use super::{Expression, Failures};
use crate::error::Result;

/// The input of `whole` (a cast to `to`) converted.
pub(super) fn cast(
    whole: &Expression,
    input: &Expression,
    to: &DataType,
    batch: &RecordBatch,
    failures: &mut Failures,
) -> Result<ColumnarValue> {
    let from = input.column(batch, failures)?;
    let result = convert(&from, to)?;
    if result.null_count() > from.null_count() {
        let failed: Vec<u32> = (0..from.len())
            .filter(|&row| from.is_valid(row) && result.is_null(row))
            .map(|row| row as u32)
            .collect();
        failures.add_rows(&failed, || whole.to_string());
    }
    Ok(ColumnarValue::Array(result))
}

fn convert(from: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    Ok(compute::cast_with_options(from, to, &options)?)
}

/// The SQL name of a type.
pub(super) fn type_name(data_type: &DataType) -> String {
    data_type.to_string()
}
