//! Aggregate functions over groups: the state of `count(*)`, `sum(x)`, … for many groups at once.
//!
//! ```text
//!   group      0     1     2          update(groups: [0, 2, 0]) adds row 0 to group 0, row 1 to group 2, …
//!   count   [  7,    0,    3 ]        merge(other, [2, 0])      adds other's group 0 to 2, its 1 to 0
//!   sum     [ 41,    –,    9 ]        evaluate([2, 0])          one value each, in that order
//! ```
//!
//! The three classes of semantics: *exact* aggregates merge in any order; *ordered* ones keep rows with
//! their positions and sort by them at evaluation; *sequential* ones see the rows of a group one by one in
//! the order of positions. The result never depends on how rows were cut into batches or merged.
//!
//! To add a kind of state: one file here that implements `groups::Kind`, one arm in [`create`]. Functions that
//! DataFusion has and nobody here names run on `buffered`.

mod best;
mod buffered;
mod count;
mod decimals;
mod distinct;
mod doubles;
mod extremes;
mod groups;
mod hyperloglog;
mod integers;
mod logic;
mod order;
mod quantile;
mod rounding;
mod sketch;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::ScalarValue;
use datafusion_expr::AggregateUDF;

use crate::data::Position;
use crate::error::{Error, Result};
use best::Best;
use groups::Groups;

/// One aggregate call of a query, its arguments already columns of the operator's input: what to run.
#[derive(Debug, Clone)]
pub struct AggregateSpec {
    /// The function, as DataFusion and `functions/` know it. Fast paths are chosen by its name.
    pub function: Arc<AggregateUDF>,
    /// The arguments; none for `count(*)`.
    pub arguments: Vec<Argument>,
    /// The input fields of the arguments, in the same order (types after coercion).
    pub argument_fields: Vec<FieldRef>,
    /// `FILTER (WHERE …)`: a BOOLEAN input column.
    pub filter: Option<usize>,
    /// `DISTINCT`.
    pub distinct: bool,
    /// `IGNORE NULLS`.
    pub ignore_nulls: bool,
    /// `ORDER BY` inside the call: input columns and directions.
    pub order_by: Vec<(usize, SortOptions)>,
    /// Name and type of the result.
    pub output: FieldRef,
    /// The call as EXPLAIN prints it.
    pub display: String,
}

/// An argument of an aggregate call.
#[derive(Debug, Clone)]
pub enum Argument {
    /// An input column.
    Column(usize),
    /// A constant, such as the `0.99` of `quantile(x, 0.99)`.
    Literal(ScalarValue),
}

/// Rows for one aggregate call. All columns have one entry per row of the batch.
#[derive(Debug, Clone)]
pub struct AggregateInput {
    /// The rows that are meant, by number; `None` for all.
    pub rows: Option<UInt32Array>,
    /// The values of the arguments; constants are not among them.
    pub arguments: Vec<ArrayRef>,
    /// The values of the keys of `ORDER BY`.
    pub order_by: Vec<ArrayRef>,
    /// Rows that are not true here are not counted.
    pub filter: Option<BooleanArray>,
    /// Where the rows stand in the arrival order.
    pub positions: arrow::buffer::ScalarBuffer<Position>,
}

impl AggregateInput {
    /// The rows that are meant, and no others.
    fn taken(&self) -> Result<AggregateInput> {
        let Some(rows) = &self.rows else {
            return Ok(self.clone());
        };
        let pick = |column: &ArrayRef| Ok(take(column, rows, None)?);
        let filter = self.filter.as_ref().map(|filter| take(filter, rows, None));
        Ok(AggregateInput {
            rows: None,
            arguments: self.arguments.iter().map(pick).collect::<Result<_>>()?,
            order_by: self.order_by.iter().map(pick).collect::<Result<_>>()?,
            filter: filter
                .transpose()?
                .map(|filter| filter.as_boolean().clone()),
            positions: (rows.values().iter())
                .map(|&row| self.positions[row as usize])
                .collect(),
        })
    }
}

/// The states of one aggregate call for many groups, numbered from 0.
pub trait GroupAggregate: Send {
    /// Makes room for groups `0..groups`; new ones are empty.
    fn resize(&mut self, groups: usize);

    /// Adds row `i` of those meant in `input` to group `groups[i]`. All groups exist.
    fn update(&mut self, input: &AggregateInput, groups: &[u32]) -> Result<()>;

    /// Adds group `i` of `other` to group `groups[i]`. `other` was made from the same spec and keeps its state.
    fn merge(&mut self, other: &dyn GroupAggregate, groups: &[u32]) -> Result<()>;

    /// Adds group `from` to group `into` and empties `from`.
    fn merge_group(&mut self, from: u32, into: u32) -> Result<()>;

    /// Empties groups.
    fn reset(&mut self, groups: &[u32]);

    /// The values of `groups`, in that order; the states stay.
    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef>;

    /// True if the group has values but no result: a sum out of range. The plan's reports call that an
    /// expression error; the value is NULL.
    fn overflowed(&self, _group: u32) -> bool {
        false
    }

    /// True if a state is a few words, however many rows it has.
    fn is_small(&self) -> bool;

    /// Bytes of state.
    fn size_bytes(&self) -> usize;

    /// For `merge`, which looks for its own kind.
    fn as_any(&self) -> &dyn std::any::Any;

    /// The same states once more.
    fn copy(&self) -> Box<dyn GroupAggregate>;
}

impl Clone for Box<dyn GroupAggregate> {
    fn clone(&self) -> Self {
        self.copy()
    }
}

/// Empty states for an aggregate call.
///
/// Fails if the call cannot be computed: a quantile that is no constant, types that have no such aggregate.
pub fn create(spec: &AggregateSpec) -> Result<Box<dyn GroupAggregate>> {
    let name = spec.function.name();
    // These do not mind a value that comes twice.
    let idempotent = matches!(
        name,
        "min" | "max" | "bool_and" | "bool_or" | "bit_and" | "bit_or" | "approx_distinct"
    );
    if spec.distinct && !idempotent {
        return Ok(Groups::boxed(distinct::Distinct::new(spec)?, spec));
    }
    let fraction = |fraction| quantile::Quantile { fraction };
    Ok(match name {
        "count" => Groups::boxed(count::Count, &without_constants(spec)),
        "count_if" => Groups::boxed(count::CountIf, spec),
        "sum" | "avg" => return total(spec, name == "avg"),
        "min" => return extreme(spec, extremes::MIN),
        "max" => return extreme(spec, extremes::MAX),
        "bool_and" | "bit_and" => logic(spec, logic::Operation::And)?,
        "bool_or" | "bit_or" => logic(spec, logic::Operation::Or)?,
        "bit_xor" => logic(spec, logic::Operation::Xor)?,
        "first_value" => Groups::boxed(Best::ordered(spec, false, spec.ignore_nulls)?, spec),
        "last_value" => Groups::boxed(Best::ordered(spec, true, spec.ignore_nulls)?, spec),
        "any_value" => Groups::boxed(Best::ordered(spec, false, true)?, spec),
        "arg_min" => Groups::boxed(Best::by_argument(spec, 1, false)?, spec),
        "arg_max" => Groups::boxed(Best::by_argument(spec, 1, true)?, spec),
        "median" | "p50" => Groups::boxed(fraction(0.5), spec),
        "p90" => Groups::boxed(fraction(0.9), spec),
        "p95" => Groups::boxed(fraction(0.95), spec),
        "p99" => Groups::boxed(fraction(0.99), spec),
        "quantile" | "percentile_cont" => of_first(fraction(quantile::fraction_of(spec)?), spec),
        "approx_median" => Groups::boxed(sketch::Sketch { fraction: 0.5 }, spec),
        "approx_quantile" | "approx_percentile_cont" => {
            let fraction = quantile::fraction_of(spec)?;
            of_first(sketch::Sketch { fraction }, spec)
        }
        "approx_distinct" => {
            let kind = hyperloglog::ApproxDistinct::new(argument_type(spec)?)?;
            Groups::boxed(kind, spec)
        }
        _ => Groups::boxed(buffered::Buffered::new(spec)?, spec),
    })
}

/// `count(1)` counts rows as `count(*)` does; only a NULL matters.
fn without_constants(spec: &AggregateSpec) -> AggregateSpec {
    let matters = |argument: &Argument| match argument {
        Argument::Column(_) => true,
        Argument::Literal(value) => value.is_null(),
    };
    let kept = (spec.arguments.iter().zip(&spec.argument_fields))
        .filter(|(argument, _)| matters(argument))
        .map(|(argument, field)| (argument.clone(), Arc::clone(field)));
    let (arguments, argument_fields) = kept.unzip();
    AggregateSpec {
        arguments,
        argument_fields,
        ..spec.clone()
    }
}

/// The states of a function of the first argument; the others were constants that the kind knows.
fn of_first<K: groups::Kind>(kind: K, spec: &AggregateSpec) -> Box<dyn GroupAggregate> {
    let arguments = spec.arguments.iter().take(1).cloned().collect();
    Groups::boxed(
        kind,
        &AggregateSpec {
            arguments,
            ..spec.clone()
        },
    )
}

fn argument_type(spec: &AggregateSpec) -> Result<&DataType> {
    (spec.argument_fields.first())
        .map(|field| field.data_type())
        .ok_or_else(|| Error::plan(format!("`{}` needs an argument", spec.display)))
}

fn logic(spec: &AggregateSpec, operation: logic::Operation) -> Result<Box<dyn GroupAggregate>> {
    let data_type = argument_type(spec)?.clone();
    Ok(Groups::boxed(
        logic::Logic {
            operation,
            data_type,
        },
        spec,
    ))
}

/// `sum` or `avg`.
fn total(spec: &AggregateSpec, average: bool) -> Result<Box<dyn GroupAggregate>> {
    use DataType::*;
    let data_type = argument_type(spec)?;
    Ok(match data_type {
        Decimal32(_, scale) | Decimal64(_, scale) | Decimal128(_, scale) | Decimal256(_, scale) => {
            let average_scale = match spec.output.data_type() {
                Decimal32(_, scale)
                | Decimal64(_, scale)
                | Decimal128(_, scale)
                | Decimal256(_, scale) => average.then_some(*scale),
                _ => average.then_some(*scale),
            };
            let scale = *scale;
            Groups::boxed(
                decimals::Decimals {
                    result: spec.output.data_type().clone(),
                    scale,
                    average_scale,
                },
                spec,
            )
        }
        Float16 | Float32 | Float64 | Null => Groups::boxed(doubles::Doubles { average }, spec),
        Duration(_) if average => {
            let finish = integers::Finish::WholeAverage;
            Groups::boxed(integers::Integers { finish }, spec)
        }
        data_type if data_type.is_integer() || matches!(data_type, Boolean | Duration(_)) => {
            let finish = if average {
                integers::Finish::Average
            } else {
                integers::Finish::Sum
            };
            Groups::boxed(integers::Integers { finish }, spec)
        }
        other => {
            return Err(Error::plan(format!(
                "`{}` cannot add values of type {other}",
                spec.display
            ))
            .help("cast the argument to a number"));
        }
    })
}

/// `min` or `max`.
fn extreme(spec: &AggregateSpec, wins: Ordering) -> Result<Box<dyn GroupAggregate>> {
    let data_type = argument_type(spec)?;
    macro_rules! native {
        ($type:ty) => {
            return Ok(Groups::boxed(
                extremes::Extreme::<$type>::new(wins, data_type),
                spec,
            ))
        };
    }
    if data_type.is_floating() {
        return Ok(Groups::boxed(extremes::ExtremeDouble::new(wins), spec));
    }
    // Intervals have no native order: their rows have one.
    if !matches!(data_type, DataType::Interval(_)) {
        arrow::array::downcast_primitive! {
            data_type => (native),
            _ => {}
        }
    }
    Ok(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Groups::boxed(extremes::ExtremeText { wins }, spec)
        }
        _ => Groups::boxed(Best::by_argument(spec, 0, wins == extremes::MAX)?, spec),
    })
}
