//! `min`, `max`, `arg_min`, `arg_max`: the least and the greatest. NaN is the greatest number, −0 equals 0.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::AggregateUDF;

use super::aggregate::Aggregate;
use super::complaint::complain;

/// These functions.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    vec![
        Aggregate::new("min", one, first_type).function(),
        Aggregate::new("max", one, first_type).function(),
        Aggregate::new("arg_min", value_and_key, first_type)
            .alias("min_by")
            .function(),
        Aggregate::new("arg_max", value_and_key, first_type)
            .alias("max_by")
            .function(),
    ]
}

fn one(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_] => Ok(types.to_vec()),
        _ => complain!("{name} takes one argument"),
    }
}

fn value_and_key(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_, _] => Ok(types.to_vec()),
        _ => complain!("{name} takes two arguments: the value to give, and what to compare"),
    }
}

fn first_type(types: &[DataType]) -> Result<DataType> {
    Ok(types[0].clone())
}
