//! Quantiles: exact ones (`median`, `p50` … `p99`, `quantile`, `percentile_cont`) and approximate ones
//! (`approx_median`, `approx_quantile`, `approx_percentile_cont`), all DOUBLE.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Result, plan_err};
use datafusion_expr::AggregateUDF;

use super::aggregate::Aggregate;

/// These functions.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    let of_values = |name| Aggregate::new(name, values, double).function();
    vec![
        of_values("median"),
        of_values("p50"),
        of_values("p90"),
        of_values("p95"),
        of_values("p99"),
        of_values("approx_median"),
        Aggregate::new("quantile", values_and_fraction, double).function(),
        Aggregate::new("percentile_cont", values_and_fraction, double)
            .alias("quantile_cont")
            .within_group()
            .function(),
        Aggregate::new("approx_quantile", values_and_fraction, double).function(),
        Aggregate::new("approx_percentile_cont", values_and_fraction, double)
            .within_group()
            .function(),
    ]
}

fn double(_types: &[DataType]) -> Result<DataType> {
    Ok(DataType::Float64)
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_null()
}

fn values(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [number] if is_number(number) => Ok(vec![DataType::Float64]),
        [other] => plan_err!("{name} takes numbers, not {other}; cast the argument to a number"),
        _ => plan_err!("{name} takes one argument"),
    }
}

fn values_and_fraction(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [number, fraction] if is_number(number) && is_number(fraction) => {
            Ok(vec![DataType::Float64; 2])
        }
        [_, _] => plan_err!("{name} takes numbers and a constant from 0 to 1, such as 0.99"),
        _ => plan_err!("{name} takes two arguments: numbers, and a constant from 0 to 1"),
    }
}
