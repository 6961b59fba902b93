//! Rewrites of a plan that change no row: one file each, run in the order of the list.
//!
//! To add one: a file, a line in [`RULES`], a plan test under `grammar-tests/plan/`.

mod merge_projects;

use super::stream_plan::{StreamPlan, StreamQuery};
use crate::error::Result;

/// A rewrite of one operator whose inputs have been rewritten.
type Rule = fn(StreamPlan) -> Result<StreamPlan>;

/// The rules, in the order in which they run.
const RULES: &[Rule] = &[merge_projects::rewrite];

/// Runs all rules over a plan, from the sources up.
///
/// # Errors
/// Mistakes of ours.
pub fn apply(mut query: StreamQuery) -> Result<StreamQuery> {
    for rule in RULES {
        query.root = bottom_up(query.root, *rule)?;
    }
    Ok(query)
}

fn bottom_up(mut plan: StreamPlan, rule: Rule) -> Result<StreamPlan> {
    for input in plan.inputs_mut() {
        let taken = std::mem::replace(input, StreamPlan::nothing());
        *input = stacker::maybe_grow(64 * 1024, 1024 * 1024, || bottom_up(taken, rule))?;
    }
    rule(plan)
}
