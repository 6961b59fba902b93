//! A plan to connected operators: one arm for each operator, nothing to decide.

use super::stream_plan::{StreamPlan, StreamQuery};
use crate::error::Result;
use crate::exec::Operator;
use crate::exec::filter::Filter;
use crate::exec::graph::{Graph, Target};
use crate::exec::group::GroupOperator;
use crate::exec::limit::{LimitByOperator, LimitOperator};
use crate::exec::project::Project;
use crate::exec::sort::SortOperator;
use crate::exec::union::{UnionOperator, UnionOrder, UnionSpec};
use crate::exec::window::{
    CountWindowOperator, SessionOperator, SessionRowsOperator, WindowAggregateOperator,
    WindowAssignOperator,
};

/// The operators of queries over the same sources, before their first row.
///
/// # Errors
/// Windows that cannot be had in the unit of their time column.
pub fn lower(queries: &[StreamQuery]) -> Result<Graph> {
    let mut graph = Graph::new(queries.len());
    for (root, query) in queries.iter().enumerate() {
        add(&query.root, Target::Result(root), Some(root), &mut graph)?;
    }
    Ok(graph)
}

/// Adds a plan and what it reads from. `on_top` is the root that ends with it.
fn add(plan: &StreamPlan, target: Target, on_top: Option<usize>, graph: &mut Graph) -> Result<()> {
    let operator: Box<dyn Operator> = match plan {
        StreamPlan::Read {
            source,
            columns,
            schema,
        } => {
            graph.add_read(*source, columns.clone(), schema.clone(), target);
            return Ok(());
        }
        StreamPlan::Rows(rows) => {
            graph.add_rows(rows.clone(), target);
            return Ok(());
        }
        StreamPlan::Filter { predicate, .. } => Box::new(Filter::new(predicate.clone())),
        StreamPlan::Project {
            expressions,
            schema,
            ..
        } => Box::new(Project::new(expressions.clone(), schema.clone())),
        StreamPlan::Union {
            inputs,
            order,
            schema,
        } => Box::new(UnionOperator::new(UnionSpec {
            branches: inputs.len(),
            order: *order,
            schema: schema.clone(),
        })),
        StreamPlan::Assign(_, spec) => Box::new(WindowAssignOperator::new(spec.clone())?),
        StreamPlan::WindowAggregate(_, spec) => {
            Box::new(WindowAggregateOperator::new(spec.clone())?)
        }
        StreamPlan::SessionAggregate(_, spec) => Box::new(SessionOperator::new(spec.clone())?),
        StreamPlan::SessionRows(_, spec) => Box::new(SessionRowsOperator::new(spec.clone())?),
        StreamPlan::CountAggregate(_, spec) => Box::new(CountWindowOperator::new(spec.clone())?),
        StreamPlan::Group(_, spec) => Box::new(GroupOperator::new(spec.clone())?),
        StreamPlan::Sort(_, spec) => Box::new(SortOperator::new(spec.clone())),
        StreamPlan::Limit(_, spec) => Box::new(LimitOperator::new(*spec)),
        StreamPlan::LimitBy(_, spec) => Box::new(LimitByOperator::new(spec.clone())?),
    };
    let inputs = plan.inputs();
    let ends = on_top.filter(|_| matches!(plan, StreamPlan::Limit(..)));
    let in_step = matches!(
        plan,
        StreamPlan::Union {
            order: UnionOrder::ByRow,
            ..
        }
    );
    let node = graph.add(operator, inputs.len(), target, ends, in_step);
    // Below these, a limit that has been reached ends the statement: they keep nothing back.
    let passes = matches!(
        plan,
        StreamPlan::Filter { .. } | StreamPlan::Project { .. } | StreamPlan::Limit(..)
    );
    for (input, plan) in inputs.into_iter().enumerate() {
        add(
            plan,
            Target::Node { node, input },
            on_top.filter(|_| passes),
            graph,
        )?;
    }
    Ok(())
}
