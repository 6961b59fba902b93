//! Calls of scalar functions and of DataFusion's operators, which may refuse a batch because of one row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_expr::{ColumnarValue, Operator, ScalarFunctionArgs};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};

use super::{Call, Expression, Failures, to_array};
use crate::error::{Error, Result};

impl Call {
    /// The function's value for each row. A function that fails on the batch is asked row by row: rows
    /// that it refuses are NULL and failures.
    pub(super) fn evaluate(
        &self,
        batch: &RecordBatch,
        failures: &mut Failures,
    ) -> Result<ColumnarValue> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| argument.evaluate(batch, failures))
            .collect::<Result<Vec<_>>>()?;
        // Functions promise a column for no rows only on paper.
        if batch.num_rows() == 0 {
            return Ok(ColumnarValue::Array(new_null_array(
                self.return_field.data_type(),
                0,
            )));
        }
        match self.invoke(arguments.clone(), batch.num_rows()) {
            Ok(value) => Ok(value),
            Err(_) => {
                let mut failed = Vec::new();
                let invoke = |row| self.invoke(one_row(&arguments, row), 1);
                let data_type = self.return_field.data_type();
                let result = row_by_row(batch.num_rows(), data_type, invoke, &mut failed)?;
                failures.add_rows(&failed, || Expression::Call(self.clone()).to_string());
                Ok(ColumnarValue::Array(result))
            }
        }
    }

    fn invoke(
        &self,
        arguments: Vec<ColumnarValue>,
        rows: usize,
    ) -> datafusion_common::Result<ColumnarValue> {
        self.function.invoke_with_args(ScalarFunctionArgs {
            args: arguments,
            arg_fields: self.argument_fields.clone(),
            number_rows: rows,
            return_field: self.return_field.clone(),
            config_options: self.options.clone(),
        })
    }
}

/// `left operator right` for the operators that DataFusion evaluates.
pub(super) fn operator(
    whole: &Expression,
    operator: Operator,
    left: &Expression,
    right: &Expression,
    batch: &RecordBatch,
    failures: &mut Failures,
) -> Result<ColumnarValue> {
    let left = left.column(batch, failures)?;
    let right = right.column(batch, failures)?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("left", left.data_type().clone(), true),
        Field::new("right", right.data_type().clone(), true),
    ]));
    let both = BinaryExpr::new(
        Arc::new(Column::new("left", 0)),
        operator,
        Arc::new(Column::new("right", 1)),
    );
    let data_type = both
        .data_type(&schema)
        .map_err(|error| Error::internal("an operator without a type").cause(error))?;
    let columns = RecordBatch::try_new(schema, vec![left, right])?;
    match both.evaluate(&columns) {
        Ok(value) => Ok(value),
        Err(_) => {
            let mut failed = Vec::new();
            let invoke = |row| both.evaluate(&columns.slice(row, 1));
            let result = row_by_row(columns.num_rows(), &data_type, invoke, &mut failed)?;
            failures.add_rows(&failed, || whole.to_string());
            Ok(ColumnarValue::Array(result))
        }
    }
}

fn one_row(arguments: &[ColumnarValue], row: usize) -> Vec<ColumnarValue> {
    let one = |argument: &ColumnarValue| match argument {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(row, 1)),
        ColumnarValue::Scalar(value) => ColumnarValue::Scalar(value.clone()),
    };
    arguments.iter().map(one).collect()
}

/// Asks for each row alone; rows that are refused are NULL and named in `failed`.
fn row_by_row(
    rows: usize,
    data_type: &DataType,
    invoke: impl Fn(usize) -> datafusion_common::Result<ColumnarValue>,
    failed: &mut Vec<u32>,
) -> Result<ArrayRef> {
    let null = new_null_array(data_type, 1);
    let mut values: Vec<ArrayRef> = Vec::with_capacity(rows);
    for row in 0..rows {
        match invoke(row) {
            Ok(value) => values.push(to_array(&value, 1)?),
            Err(_) => {
                failed.push(row as u32);
                values.push(Arc::clone(&null));
            }
        }
    }
    let values: Vec<&dyn Array> = values.iter().map(|value| value.as_ref()).collect();
    Ok(compute::concat(&values)?)
}
