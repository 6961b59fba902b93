//! What displays want to know of a result before its first row.
//!
//! ```text
//!   SELECT window_start, status, count(*) … GROUP BY window_start, status
//!            key           key     value    a chart draws values, and names its lines by keys
//! ```

use crate::exec::expression::Expression;
use crate::plan::StreamPlan;

/// What the columns alone do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultInfo {
    /// All of it comes at the end of input: a table can be laid out at once.
    pub finite: bool,
    /// The columns that say which group a row is of, by number.
    pub keys: Vec<usize>,
}

impl ResultInfo {
    /// That of a plan's rows.
    pub(super) fn of(root: &StreamPlan) -> Self {
        let keys = keys(root).into_iter().enumerate();
        ResultInfo {
            finite: waits(root),
            keys: keys
                .filter(|(_, is_key)| *is_key)
                .map(|(place, _)| place)
                .collect(),
        }
    }
}

/// True if nothing comes before the end of input.
fn waits(plan: &StreamPlan) -> bool {
    match plan {
        StreamPlan::Group(..) | StreamPlan::Rows(_) => true,
        StreamPlan::Sort(_, spec) => !spec.streaming,
        StreamPlan::Read { .. } | StreamPlan::Union { .. } => false,
        other => other.inputs().first().is_some_and(|input| waits(input)),
    }
}

/// Which columns say what group a row is of; none where rows are not of groups.
fn keys(plan: &StreamPlan) -> Vec<bool> {
    // Aggregates put what they computed behind the keys.
    let before = |values: usize| {
        let columns = plan.schema().fields().len();
        (0..columns).map(|place| place + values < columns).collect()
    };
    match plan {
        StreamPlan::WindowAggregate(_, spec) => before(spec.aggregates.len()),
        StreamPlan::SessionAggregate(_, spec) => before(spec.aggregates.len()),
        StreamPlan::CountAggregate(_, spec) => before(spec.aggregates.len()),
        StreamPlan::Group(_, spec) => before(spec.aggregates.len()),
        StreamPlan::Project {
            input, expressions, ..
        } => {
            let input = keys(input);
            let is_key = |expression: &Expression| {
                let columns = expression.columns();
                !columns.is_empty()
                    && columns
                        .iter()
                        .all(|&column| input.get(column) == Some(&true))
            };
            expressions.iter().map(is_key).collect()
        }
        StreamPlan::Filter { .. }
        | StreamPlan::Sort(..)
        | StreamPlan::Limit(..)
        | StreamPlan::LimitBy(..)
        | StreamPlan::Union { .. } => plan
            .inputs()
            .first()
            .map_or_else(Vec::new, |input| keys(input)),
        StreamPlan::Read { .. }
        | StreamPlan::Rows(_)
        | StreamPlan::Assign(..)
        | StreamPlan::SessionRows(..) => vec![false; plan.schema().fields().len()],
    }
}
