//! `epoch(time)`: seconds since 1970-01-01T00:00 as DOUBLE, with the fraction; of a duration its seconds.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct Epoch {
    signature: Signature,
}

/// The function.
pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Epoch { signature }))
}

impl ScalarUDFImpl for Epoch {
    fn name(&self) -> &str {
        "epoch"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![match types {
            [time @ (DataType::Timestamp(_, _) | DataType::Duration(_))] => time.clone(),
            [DataType::Date32 | DataType::Date64] => {
                DataType::Timestamp(TimeUnit::Millisecond, None)
            }
            [DataType::Null] => DataType::Timestamp(TimeUnit::Microsecond, None),
            [other] => return plan_err!("epoch takes a time, not {other}; cast it to TIMESTAMP"),
            _ => return plan_err!("epoch takes one argument, a time"),
        }])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let column = &columns[0];
        let per_second: i64 = match column.data_type() {
            DataType::Timestamp(unit, _) | DataType::Duration(unit) => match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            },
            other => return plan_err!("epoch takes a time, not {other}"),
        };
        let steps = cast(column, &DataType::Int64)?;
        let seconds: Float64Array = steps.as_primitive::<Int64Type>().unary(|step| {
            let fraction = step.rem_euclid(per_second) as f64 / per_second as f64;
            step.div_euclid(per_second) as f64 + fraction
        });
        Ok(ColumnarValue::Array(Arc::new(seconds)))
    }

    fn is_strict(&self) -> bool {
        true
    }
}
