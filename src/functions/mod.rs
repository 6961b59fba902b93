//! The SQL functions that a query can call: DataFusion's libraries, and what they lack.
//!
//! To add a scalar function: one file, one line in `own_scalars`. To add an aggregate: one line in the file of
//! its theme (or a new file and a line in `own_aggregates`) and an arm in `exec::aggregate::create`.
//!
//! Invariant: a name is listed once; ours take the place of DataFusion's.

mod aggregate;
pub mod arithmetic;
mod bounded;
mod cardinality;
mod class;
mod complaint;
mod conversion;
mod date_part;
mod epoch;
mod extremes;
mod library;
mod now;
mod quantiles;
mod rounding;
mod signatures;
mod subscript;
mod theirs;
mod to_timestamp;
mod totals;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{AggregateUDF, ScalarUDF};

use crate::time::Zone;

pub use arithmetic::{arithmetic_of, function_of};
pub use class::{AggregateClass, class_of};
pub(crate) use complaint::{complained, complaint};
pub use conversion::{conversion_of, conversion_to, converts_otherwise};
pub use date_part::date_part_in;
pub use library::Library;
pub use signatures::{Signature, signatures};

/// Aggregates of DataFusion that are not offered: their results depend on how rows were cut into batches,
/// or they mean something only to rewrites that we do not run.
const NOT_OFFERED: &[&str] = &["approx_percentile_cont_with_weight", "grouping"];

/// All scalar functions.
pub fn scalars() -> Library<ScalarUDF> {
    Library::new(&[own_scalars, other_scalars])
}

/// All aggregate functions.
pub fn aggregates() -> Library<AggregateUDF> {
    Library::new(&[own_aggregates, other_aggregates])
}

fn own_scalars() -> Vec<Arc<ScalarUDF>> {
    let mut functions = arithmetic::functions();
    functions.extend(bounded::functions());
    functions.push(cardinality::function());
    functions.push(date_part::function());
    functions.extend(epoch::functions());
    functions.extend(now::functions());
    functions.extend(rounding::functions());
    functions.push(subscript::function());
    functions.extend(to_timestamp::functions());
    functions
}

fn other_scalars() -> Vec<Arc<ScalarUDF>> {
    let own = own_scalars();
    let others = datafusion_functions::all_default_functions().into_iter();
    others
        .filter(|function| !own.iter().any(|known| known.name() == function.name()))
        .collect()
}

/// Ours, and `count`, which nearly every query calls.
fn own_aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut functions = vec![datafusion_functions_aggregate::count::count_udaf()];
    functions.extend(totals::functions());
    functions.extend(extremes::functions());
    functions.extend(quantiles::functions());
    functions
}

fn other_aggregates() -> Vec<Arc<AggregateUDF>> {
    let own = own_aggregates();
    let others = datafusion_functions_aggregate::all_default_aggregate_functions().into_iter();
    others
        .filter(|function| {
            let name = function.name();
            !NOT_OFFERED.contains(&name) && !own.iter().any(|known| known.name() == name)
        })
        .collect()
}

/// The zone of a session's settings.
pub fn zone_of(options: &ConfigOptions) -> Zone {
    let zone = options.execution.time_zone.as_deref();
    zone.and_then(|zone| zone.parse().ok()).unwrap_or(Zone::UTC)
}

/// A type as SQL spells it, for messages.
fn type_name(data_type: &DataType) -> String {
    use DataType::*;
    match data_type {
        Boolean => "BOOLEAN".to_owned(),
        Int64 | UInt32 | UInt64 => "BIGINT".to_owned(),
        Int8 | Int16 | Int32 | UInt8 | UInt16 => "INT".to_owned(),
        Float16 | Float32 => "FLOAT".to_owned(),
        Float64 => "DOUBLE".to_owned(),
        Decimal32(p, s) | Decimal64(p, s) | Decimal128(p, s) | Decimal256(p, s) => {
            format!("DECIMAL({p},{s})")
        }
        Utf8 | LargeUtf8 | Utf8View => "STRING".to_owned(),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => "BYTES".to_owned(),
        Date32 | Date64 => "DATE".to_owned(),
        Time32(_) | Time64(_) => "TIME".to_owned(),
        Timestamp(_, None) => "TIMESTAMP".to_owned(),
        Timestamp(_, Some(_)) => "TIMESTAMP_LTZ".to_owned(),
        Duration(_) | Interval(_) => "INTERVAL".to_owned(),
        List(item) | LargeList(item) | FixedSizeList(item, _) => {
            format!("ARRAY<{}>", type_name(item.data_type()))
        }
        Struct(_) => "ROW".to_owned(),
        Map(_, _) => "MAP".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;
    use datafusion_expr::{Expr, col, lit};

    use super::*;
    use crate::exec::expression::arithmetic::Arithmetic;

    #[test]
    fn arithmetic_prints_as_it_is_typed() {
        use Arithmetic::*;
        let call = |op, args: Vec<Expr>| function_of(op).call(args);
        let check = |expr: Expr, expected: &str| {
            assert_eq!(expr.schema_name().to_string(), expected);
        };
        let sum = || call(Add, vec![col("a"), col("b")]);
        check(call(Divide, vec![col("a"), col("b")]), "a / b");
        check(call(Multiply, vec![sum(), col("c")]), "(a + b) * c");
        check(call(Subtract, vec![sum(), sum()]), "a + b - (a + b)");
        check(
            call(
                Add,
                vec![call(Multiply, vec![col("a"), col("b")]), col("c")],
            ),
            "a * b + c",
        );
        check(call(Negate, vec![sum()]), "-(a + b)");
        check(call(Modulo, vec![col("a"), lit(2i64)]), "a % Int64(2)");
        assert_eq!(arithmetic_of(&function_of(IntDivide)), Some(IntDivide));
        let epoch = scalars().get("epoch").cloned();
        assert!(epoch.is_some_and(|function| arithmetic_of(&function).is_none()));
    }

    #[test]
    fn results_have_the_types_that_people_expect() {
        let check = |name: &str, types: &[DataType], expected: Option<DataType>| {
            let functions = aggregates();
            let function = functions.get(name).expect(name);
            let coerced = function.coerce_types(types);
            let found = coerced.and_then(|types| function.return_type(&types)).ok();
            assert_eq!(found, expected, "{name} {types:?}");
        };
        use DataType::*;
        check("sum", &[Int32], Some(Int64));
        check("sum", &[UInt64], Some(Int64));
        check("sum", &[Boolean], Some(Int64));
        check("sum", &[Float32], Some(Float64));
        check("sum", &[Decimal128(10, 2)], Some(Decimal128(20, 2)));
        check("sum", &[Utf8View], None);
        check("avg", &[Int64], Some(Float64));
        check("avg", &[Boolean], Some(Float64));
        check("avg", &[Decimal128(10, 2)], Some(Decimal128(14, 6)));
        check("min", &[Utf8View], Some(Utf8View));
        check("quantile", &[Int64, Float64], Some(Float64));
        let duration = Duration(TimeUnit::Microsecond);
        check(
            "p99",
            std::slice::from_ref(&duration),
            Some(duration.clone()),
        );
        check("quantile", &[Int64], None);
        check("arg_max", &[Utf8View, Int64], Some(Utf8View));
        check("count_if", &[Int64], None);
        check("string_agg", &[Int64, Utf8], Some(Utf8View));
    }

    #[test]
    fn arithmetic_takes_types_that_fit() {
        use DataType::*;
        let time = || Timestamp(TimeUnit::Microsecond, None);
        let check = |op, types: &[DataType], expected: Result<DataType, &str>| {
            let function = function_of(op);
            let coerced = function.coerce_types(types);
            let found = coerced.and_then(|types| function.return_type(&types));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{op:?} {types:?}"),
                (Err(found), Err(expected)) => {
                    let found = found.to_string();
                    assert!(found.contains(expected), "{found}");
                }
                (found, _) => panic!("{op:?} {types:?}: {found:?}"),
            }
        };
        use Arithmetic::*;
        check(Add, &[Int32, UInt8], Ok(Int64));
        check(Divide, &[Int64, Int64], Ok(Float64));
        check(IntDivide, &[Int64, Int64], Ok(Int64));
        check(Add, &[Int64, Utf8View], Ok(Float64));
        check(Add, &[Decimal128(10, 2), Int64], Ok(Decimal128(23, 2)));
        check(
            Subtract,
            &[time(), time()],
            Ok(Duration(TimeUnit::Microsecond)),
        );
        check(
            Subtract,
            &[time(), Utf8],
            Ok(Duration(TimeUnit::Microsecond)),
        );
        check(Subtract, &[Date32, Date32], Ok(Int64));
        let span = || Duration(TimeUnit::Microsecond);
        check(Multiply, &[Int32, span()], Ok(span()));
        check(Divide, &[span(), span()], Ok(Float64));
        check(Negate, &[Int64], Ok(Int64));
        check(Negate, &[time()], Err("TIMESTAMP has no negative"));
        check(Add, &[time(), Utf8], Err("there is no TIMESTAMP + STRING"));
        check(
            Add,
            &[time(), Boolean],
            Err("there is no TIMESTAMP + BOOLEAN"),
        );
    }
}
