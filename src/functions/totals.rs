//! `sum`, `avg`, `count_if`, `approx_distinct`, `string_agg`: aggregates that put all rows together.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::AggregateUDF;
use datafusion_functions_aggregate::{average, string_agg, sum};

use super::aggregate::Aggregate;
use super::complaint::complain;
use super::type_name;

/// These functions.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    vec![
        Aggregate::new("sum", addable, sum_type).function(),
        Aggregate::new("avg", addable, average_type)
            .alias("mean")
            .function(),
        Aggregate::new("count_if", condition, |_| Ok(DataType::Int64))
            .alias("countif")
            .counts()
            .function(),
        Aggregate::new("approx_distinct", anything, |_| Ok(DataType::Int64))
            .counts()
            .function(),
        Aggregate::new("string_agg", texts, |_| Ok(DataType::Utf8View))
            .alias("listagg")
            .runs_on(string_agg::string_agg_udaf())
            .function(),
    ]
}

/// What can be added: BOOLEAN counts true as 1.
fn addable(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    use DataType::*;
    Ok(vec![match types {
        [Null | Float16 | Float32 | Float64] => Float64,
        [Boolean] => Boolean,
        [
            number
            @ (Duration(_) | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..)),
        ] => number.clone(),
        [number] if number.is_integer() => number.clone(),
        [other] => {
            let other = type_name(other);
            return complain!("{name} adds numbers, not {other}; cast the argument to a number");
        }
        _ => return complain!("{name} takes one argument"),
    }])
}

fn sum_type(types: &[DataType]) -> Result<DataType> {
    match &types[0] {
        DataType::Boolean => Ok(DataType::Int64),
        number if number.is_integer() => Ok(DataType::Int64),
        other => sum::sum_udaf().return_type(std::slice::from_ref(other)),
    }
}

fn average_type(types: &[DataType]) -> Result<DataType> {
    average::avg_udaf().return_type(types)
}

fn condition(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [DataType::Boolean | DataType::Null] => Ok(vec![DataType::Boolean]),
        [other] => complain!("{name} takes a condition, not {}", type_name(other)),
        _ => complain!("{name} takes one condition"),
    }
}

fn anything(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_] => Ok(types.to_vec()),
        _ => complain!("{name} takes one argument"),
    }
}

fn texts(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_, _] => Ok(vec![DataType::Utf8View; 2]),
        _ => complain!("{name} takes a text and what to put between the texts"),
    }
}
