//! DataFusion's part of planning: types, coercion, simplification, push-down of filters and columns.
//!
//! Its list of rules is ours: rules that would turn DISTINCT into two aggregations or a subquery into a
//! join have no meaning over a stream. Conditions below a window stay above the watermark, because the
//! watermark is no part of this plan yet.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion_common::DataFusionError;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::LogicalPlan;
use datafusion_expr::planner::ContextProvider;
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
use super::names::Resolved;
use super::{blame, constants, conversions};
use crate::error::{Error, Result};
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
    constants::check(resolved)?;
    let planner = Planner {
        context: Context::new(registry, resolved, zone),
        resolved,
        zone,
        now,
    };
    let planned = planner.plan(resolved.query.clone());
    planned.map_err(|error| blame::blame(error, &planner))
}

/// What plans queries over the tables of a resolved one.
pub(super) struct Planner<'a> {
    context: Context<'a>,
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
    pub fn plan(&self, query: ast::Query) -> Result<LogicalPlan> {
        let statement = ast::Statement::Query(Box::new(query));
        let plan = SqlToRel::new(&self.context)
            .sql_statement_to_plan(statement)
            .map_err(explain)?;
        let options: Arc<ConfigOptions> = Arc::new(options(self.zone));
        let plan = conversions::fit(plan).map_err(explain)?;
        let plan = Analyzer::new()
            .execute_and_check(plan, &options, |_, _| {})
            .map_err(explain)?;
        let plan = conversions::take_over(plan, self.zone, self.resolved).map_err(explain)?;
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
            .map_err(explain)
    }

    /// True for the name of an aggregate function.
    pub fn is_aggregate(&self, name: &str) -> bool {
        self.context.get_aggregate_meta(name).is_some()
    }
}

/// DataFusion's errors as ours: what the user did is a plan error, the rest a mistake of ours.
pub(super) fn explain(error: DataFusionError) -> Error {
    let error = match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => return *ours,
            Err(other) => DataFusionError::External(other),
        },
        other => other,
    };
    match error.find_root() {
        DataFusionError::NotImplemented(message) if message.contains("FieldAccess") => {
            Error::unsupported("a subscript is one element or key")
                .help("what works: a[1], a['b'], a.b, also chained")
        }
        DataFusionError::NotImplemented(message) => {
            Error::unsupported(first_sentence(message)).help("README.md lists the SQL that works")
        }
        DataFusionError::Plan(message) if message.contains("non-boolean predicate") => {
            Error::plan("a condition must be true or false, and this one is a value")
                .help("compare it: WHERE status >= 500, WHERE host = 'web1', WHERE x IS NOT NULL")
        }
        DataFusionError::Internal(message) => {
            Error::internal("the query cannot be planned").cause(first_sentence(message))
        }
        other => Error::plan(first_sentence(&other.strip_backtrace())),
    }
}

/// The message without names that only we know and prefixes that say where in the library it arose.
fn first_sentence(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    // What our functions say about their arguments is wrapped in what the library says about that.
    let message = match message.split_once("coercion failed with: ") {
        Some((_, ours)) => ours.split(". No function matches").next().unwrap_or(ours),
        None => message,
    };
    let message = message.trim_start_matches("Execution error: ");
    let message = message
        .split(". No function matches")
        .next()
        .unwrap_or(message);
    let message = [
        "Error during planning: ",
        "Schema error: ",
        "Arrow error: ",
        "type_coercion\ncaused by\n",
    ]
    .iter()
    .fold(message, |message, prefix| {
        message.trim_start_matches(prefix)
    });
    let message = message.replace("\" window\".", "").replace(" window.", "");
    let mut chars = message.chars();
    match chars.next() {
        // `HAVING` stays what it is.
        Some(_) if chars.as_str().starts_with(char::is_uppercase) => message,
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::from("the query cannot be planned"),
    }
}
