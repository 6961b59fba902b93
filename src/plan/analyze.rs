//! DataFusion's part of planning: types, coercion, simplification, push-down of filters and columns.
//!
//! Its list of rules is ours: rules that would turn DISTINCT into two aggregations or a subquery into a
//! join have no meaning over a stream. Conditions below a window stay above the watermark, because the
//! watermark is no part of this plan yet.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion_common::config::ConfigOptions;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::analyzer::Analyzer;
use datafusion_optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion_optimizer::eliminate_duplicated_expr::EliminateDuplicatedExpr;
use datafusion_optimizer::optimize_projections::OptimizeProjections;
use datafusion_optimizer::optimize_unions::OptimizeUnions;
use datafusion_optimizer::push_down_filter::PushDownFilter;
use datafusion_optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion_optimizer::simplify_expressions::SimplifyExpressions;
use datafusion_optimizer::{Optimizer, OptimizerContext};
use datafusion_sql::planner::SqlToRel;
use sqlparser::ast;

use super::context::{Context, Registry, options};
use super::library_errors::{Refusal, refusal};
use super::names::{Functions, Resolved};
use super::{blame, check_constants, conversions};
use crate::error::Result;
use crate::time::Zone;

/// The optimized logical plan of a resolved query; `now` is the time of `now()`.
///
/// # Errors
/// Types that do not fit, calls with wrong arguments, columns that are neither grouped nor aggregated; with the part
/// of the query that it is about.
pub fn analyze(
    resolved: &Resolved,
    registry: &Registry,
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<LogicalPlan> {
    check_constants::check(resolved)?;
    let planner = Planner {
        context: Context::new(registry, resolved, zone),
        functions: registry,
        resolved,
        zone,
        now,
    };
    let planned = planner.plan(resolved.query.clone());
    planned.map_err(|refusal| blame::blame(refusal.error, &planner))
}

/// What plans queries over the tables of a resolved one.
pub(super) struct Planner<'a> {
    context: Context<'a>,
    /// What queries call.
    pub functions: &'a dyn Functions,
    /// The query as a whole.
    pub resolved: &'a Resolved,
    zone: Zone,
    now: DateTime<Utc>,
}

impl Planner<'_> {
    /// The optimized logical plan of a query whose names are exact.
    ///
    /// # Errors
    /// As [`analyze`], without the part of the query that it is about.
    pub fn plan(&self, query: ast::Query) -> Result<LogicalPlan, Refusal> {
        let statement = ast::Statement::Query(Box::new(query));
        let plan = SqlToRel::new(&self.context)
            .sql_statement_to_plan(statement)
            .map_err(refusal)?;
        let options: Arc<ConfigOptions> = Arc::new(options(self.zone));
        let plan = conversions::fit(plan).map_err(refusal)?;
        let plan = Analyzer::new()
            .execute_and_check(plan, &options, |_, _| {})
            .map_err(refusal)?;
        let plan = conversions::take_over(plan, self.zone, self.resolved).map_err(refusal)?;
        let optimizer = Optimizer::with_rules(vec![
            Arc::new(OptimizeUnions::new()),
            Arc::new(SimplifyExpressions::new()),
            Arc::new(ReplaceDistinctWithAggregate::new()),
            Arc::new(EliminateDuplicatedExpr::new()),
            Arc::new(PushDownFilter::new()),
            Arc::new(CommonSubexprEliminate::new()),
            Arc::new(OptimizeProjections::new()),
        ]);
        let config = OptimizerContext::new_with_config_options(options)
            .with_query_execution_start_time(self.now)
            .with_skip_failing_rules(false);
        optimizer
            .optimize(plan, &config, |_, _| {})
            .map_err(refusal)
    }
}
