//! `cardinality(value)`: how many elements an ARRAY has, or how many entries a MAP.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::complaint::complain;
use super::type_name;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Cardinality {
    signature: Signature,
}

/// The function.
pub fn function() -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Cardinality { signature }))
}

impl ScalarUDFImpl for Cardinality {
    fn name(&self) -> &str {
        "cardinality"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [DataType::List(_) | DataType::Map(..) | DataType::Null] => Ok(types.to_vec()),
            [other] => {
                let other = type_name(other);
                complain!("cardinality counts the elements of an ARRAY or MAP, not of {other}")
            }
            _ => complain!("cardinality takes one argument, an ARRAY or MAP"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let column = &columns[0];
        let length = |row: usize| match column.data_type() {
            DataType::List(_) => i64::from(column.as_list::<i32>().value_length(row)),
            DataType::Map(..) => i64::from(column.as_map().value_length(row)),
            _ => 0,
        };
        let is_null = column.data_type() == &DataType::Null;
        let rows = 0..column.len();
        let lengths = rows.map(|row| (!is_null && column.is_valid(row)).then(|| length(row)));
        let lengths: Int64Array = lengths.collect();
        Ok(ColumnarValue::Array(Arc::new(lengths)))
    }

    fn is_strict(&self) -> bool {
        true
    }
}
