//! The SQL functions that a query can call: DataFusion's libraries, and what they lack.
//!
//! To add a scalar function: one file, one line in [`scalars`]. To add an aggregate: one line in the file of
//! its theme (or a new file and a line in [`aggregates`]) and an arm in `exec::aggregate::create`.
//!
//! Invariant: a name is listed once; ours take the place of DataFusion's.

mod aggregate;
pub mod arithmetic;
mod epoch;
mod extremes;
mod quantiles;
mod totals;

use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF};

pub use arithmetic::{arithmetic_of, function_of};

/// Aggregates of DataFusion that are not offered: their results depend on how rows were cut into batches,
/// or they mean something only to rewrites that we do not run.
const NOT_OFFERED: &[&str] = &["approx_percentile_cont_with_weight", "grouping"];

/// All scalar functions.
pub fn scalars() -> Vec<Arc<ScalarUDF>> {
    let mut functions = arithmetic::functions();
    functions.push(epoch::function());
    let own: Vec<String> = functions.iter().map(|f| f.name().to_owned()).collect();
    let others = datafusion_functions::all_default_functions().into_iter();
    functions.extend(others.filter(|function| !own.iter().any(|name| name == function.name())));
    functions
}

/// All aggregate functions.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut functions = totals::functions();
    functions.extend(extremes::functions());
    functions.extend(quantiles::functions());
    let own: Vec<String> = functions.iter().map(|f| f.name().to_owned()).collect();
    let others = datafusion_functions_aggregate::all_default_aggregate_functions().into_iter();
    functions.extend(others.filter(|function| {
        let name = function.name();
        !NOT_OFFERED.contains(&name) && !own.iter().any(|known| known == name)
    }));
    functions
}
