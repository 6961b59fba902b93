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

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use datafusion_common::ScalarValue;
use datafusion_expr::AggregateUDF;

use crate::data::Position;
use crate::error::Result;

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

/// Rows for one aggregate call. All parts have one entry per row.
#[derive(Debug, Clone)]
pub struct AggregateInput {
    /// The values of the arguments; constants are not among them.
    pub arguments: Vec<ArrayRef>,
    /// The values of the keys of `ORDER BY`.
    pub order_by: Vec<ArrayRef>,
    /// Rows that are not true here are not counted.
    pub filter: Option<BooleanArray>,
    /// Where the rows stand in the arrival order.
    pub positions: arrow::buffer::ScalarBuffer<Position>,
}

/// The states of one aggregate call for many groups, numbered from 0.
pub trait GroupAggregate: Send {
    /// Makes room for groups `0..groups`; new ones are empty.
    fn resize(&mut self, groups: usize);

    /// Adds row `i` of `input` to group `groups[i]`. All groups exist.
    fn update(&mut self, input: &AggregateInput, groups: &[u32]) -> Result<()>;

    /// Adds group `i` of `other` to group `groups[i]`. `other` was made from the same spec and keeps its state.
    fn merge(&mut self, other: &dyn GroupAggregate, groups: &[u32]) -> Result<()>;

    /// Adds group `from` to group `into` and empties `from`.
    fn merge_group(&mut self, from: u32, into: u32) -> Result<()>;

    /// Empties a group.
    fn reset(&mut self, group: u32);

    /// The values of `groups`, in that order; the states stay.
    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef>;

    /// Bytes of state.
    fn size_bytes(&self) -> usize;

    /// For `merge`, which looks for its own kind.
    fn as_any(&self) -> &dyn std::any::Any;
}
