//! Quantiles: exact ones (`median`, `p50` … `p99`, `quantile`, `percentile_cont`) and approximate ones
//! (`approx_median`, `approx_quantile`, `approx_percentile_cont`), DOUBLE but for
//! durations, which stay durations.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::AggregateUDF;

use super::aggregate::Aggregate;
use super::complaint::complain;
use super::type_name;

/// These functions.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    let of_values = |name| Aggregate::new(name, values, quantile_type).function();
    vec![
        of_values("median"),
        of_values("p50"),
        of_values("p90"),
        of_values("p95"),
        of_values("p99"),
        of_values("approx_median"),
        Aggregate::new("quantile", values_and_fraction, quantile_type).function(),
        Aggregate::new("percentile_cont", values_and_fraction, quantile_type)
            .alias("quantile_cont")
            .within_group()
            .function(),
        Aggregate::new("approx_quantile", values_and_fraction, quantile_type).function(),
        Aggregate::new("approx_percentile_cont", values_and_fraction, quantile_type)
            .within_group()
            .function(),
    ]
}

fn quantile_type(types: &[DataType]) -> Result<DataType> {
    Ok(types[0].clone())
}

/// What the values are computed as, `None` if they are neither numbers nor durations.
fn value_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Duration(_) => Some(data_type.clone()),
        number => (number.is_numeric() || number.is_null()).then_some(DataType::Float64),
    }
}

fn values(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let [given] = types else {
        return complain!("{name} takes one argument");
    };
    match value_type(given) {
        Some(value) => Ok(vec![value]),
        None => {
            let given = type_name(given);
            complain!("{name} takes numbers, not {given}; cast the argument to a number")
        }
    }
}

fn values_and_fraction(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let [given, fraction] = types else {
        return complain!("{name} takes two arguments: numbers, and a constant from 0 to 1");
    };
    match value_type(given) {
        Some(value) if fraction.is_numeric() => Ok(vec![value, DataType::Float64]),
        _ => complain!("{name} takes numbers and a constant from 0 to 1, such as 0.99"),
    }
}
