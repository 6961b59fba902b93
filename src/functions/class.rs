//! The three classes of aggregates: what of the order of rows their results depend on.

use datafusion_expr::AggregateUDF;

/// What an aggregate's result depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateClass {
    /// The rows alone: states merge in any order and stay small or are sets.
    Exact,
    /// The rows and their positions, which are the last key of `ORDER BY`.
    Ordered,
    /// The rows one by one in the order of their positions: all are kept until evaluation.
    Sequential,
}

const ORDERED: &[&str] = &[
    "first_value",
    "last_value",
    "any_value",
    "nth_value",
    "arg_min",
    "arg_max",
    "array_agg",
    "string_agg",
];

const EXACT: &[&str] = &[
    "count",
    "count_if",
    "sum",
    "avg",
    "min",
    "max",
    "bool_and",
    "bool_or",
    "bit_and",
    "bit_or",
    "bit_xor",
    "median",
    "p50",
    "p90",
    "p95",
    "p99",
    "quantile",
    "percentile_cont",
    "approx_median",
    "approx_quantile",
    "approx_percentile_cont",
    "approx_distinct",
];

/// The class of a function; one that is not listed keeps all rows in order, which is right for any.
pub fn class_of(function: &AggregateUDF) -> AggregateClass {
    let name = function.name();
    if EXACT.contains(&name) {
        AggregateClass::Exact
    } else if ORDERED.contains(&name) {
        AggregateClass::Ordered
    } else {
        AggregateClass::Sequential
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEQUENTIAL: &[&str] = &[
        "var",
        "var_pop",
        "stddev",
        "stddev_pop",
        "corr",
        "covar_samp",
        "covar_pop",
        "regr_slope",
        "regr_intercept",
        "regr_count",
        "regr_r2",
        "regr_avgx",
        "regr_avgy",
        "regr_sxx",
        "regr_syy",
        "regr_sxy",
    ];

    #[test]
    fn every_aggregate_is_in_one_class() {
        let listed: Vec<&str> = [EXACT, ORDERED, SEQUENTIAL].concat();
        let functions = crate::functions::aggregates();
        let names: Vec<&str> = functions
            .functions()
            .map(|function| function.name())
            .collect();
        for name in &names {
            let count = listed.iter().filter(|known| *known == name).count();
            assert_eq!(count, 1, "{name}");
        }
        assert_eq!(listed.len(), names.len());
    }
}
