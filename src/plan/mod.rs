//! A statement to a plan that can run: pure, without I/O and without a clock.
//!
//! ```text
//!  ast::Query ─► names ─► analyze (DataFusion) ─► translate ─► rules ─► StreamQuery ─┬► explain
//!                exact     types, push-down        windows                (closed)   └► lower ─► operators
//!                             └► check_constants: units, patterns, zones that are wrong for every row
//!                             └► blame, of what cannot be planned: the smallest part that fails, and better words
//! ```
//!
//! What gets through here runs: there is no "not implemented" behind it. What is not built is refused
//! with what works now. DataFusion appears here, in `functions/` and in two rooms of `exec/`.

pub mod analyze;
mod blame;
mod check_constants;
pub mod computed;
pub mod context;
mod conversions;
mod endless;
mod explain;
mod expression;
mod library_errors;
mod literals;
mod lower;
pub mod names;
mod nodes;
mod relations;
mod rules;
mod share;
mod sink;
mod spellings;
pub mod stream_plan;
mod translate;
mod types;

use chrono::{DateTime, Utc};
use sqlparser::ast;

use crate::catalog::Catalog;
use crate::error::Result;
use crate::time::{Interval, Zone};

pub use context::Registry;
pub use explain::{explain, explain_measured, mermaid};
pub use lower::lower;
pub use relations::{Asked, relations};
pub use share::share;
pub use sink::{SinkColumns, fit_sink};
pub use stream_plan::{SourcePlan, StreamPlan, StreamQuery};
pub use types::data_type;

/// What flags say about time.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// `--tz`: the zone of zoneless instants and of local windows.
    pub zone: Zone,
    /// `--delay`: how far watermarks stay behind, where none is declared.
    pub delay: Interval,
    /// `--max-jump`: larger steps into the future are held back; zero holds none.
    pub max_jump: Interval,
    /// `--idle-timeout`: after how long without a row event time goes on with the clock.
    pub idle_timeout: Option<Interval>,
    /// `now()`.
    pub now: DateTime<Utc>,
}

/// A plan, and what the user should know of it.
#[derive(Debug)]
pub struct Planned {
    /// What to run.
    pub query: StreamQuery,
    /// Remarks for a terminal.
    pub notes: Vec<String>,
    /// Columns that are NULL until they appear, in words.
    pub unseen: Vec<String>,
}

/// Plans a query over the tables of `catalog`.
///
/// # Errors
/// Names, types and operators that do not fit, with the place and what was meant.
pub fn plan(
    query: &ast::Query,
    catalog: &Catalog,
    registry: &Registry,
    settings: &PlanSettings,
) -> Result<Planned> {
    let resolved = names::resolve(query, catalog, registry, settings.zone)?;
    let query = streamed(&resolved, registry, settings)?;
    endless::check(&query)?;
    let unseen = resolved
        .unseen
        .iter()
        .map(|(table, column, data_type)| {
            let columns = resolved.tables.iter().find(|known| known.name == *table);
            let near = columns.and_then(|table| {
                let others = table.columns.iter().map(|c| c.name.as_str()).filter(|n| n != column);
                crate::error::closest(column, others)
            });
            let meant = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let name = crate::data::type_name(data_type);
            format!("column `{column}` has not appeared in `{table}` yet: NULL until it does ({name}){meant}")
        })
        .collect();
    Ok(Planned {
        query,
        notes: resolved.notes,
        unseen,
    })
}

/// Refuses a query that waits for the end of an endless source, where tables of which nothing is known yet stand in
/// `catalog` without columns: what is wrong with it otherwise is said when they are known.
///
/// # Errors
/// As those of [`plan`] for such a query.
pub fn refuse_waiting(
    query: &ast::Query,
    catalog: &Catalog,
    registry: &Registry,
    settings: &PlanSettings,
) -> Result<()> {
    let resolved = names::resolve(query, catalog, registry, settings.zone);
    match resolved.and_then(|resolved| streamed(&resolved, registry, settings)) {
        Ok(query) => endless::check(&query),
        Err(_) => Ok(()),
    }
}

/// The plan of a query whose names are exact.
fn streamed(
    resolved: &names::Resolved,
    registry: &Registry,
    settings: &PlanSettings,
) -> Result<StreamQuery> {
    let logical = analyze::analyze(resolved, registry, settings.zone, settings.now)?;
    let query = translate::translate(&logical, resolved, settings, registry)?;
    rules::apply(query)
}
