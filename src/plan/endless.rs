//! Refuses what would print at the end of an input that has none.
//!
//! ```text
//!   SELECT count(*) FROM 'tcp-listen://:9000'       a total: it would wait for ever and keep everything
//!   SELECT … FROM TUMBLE('udp://:5514', '1m') …      windows close: goes on
//!   … FROM 'udp://:1' UNION ALL … FROM 'udp://:2'    rows as they come: goes on
//! ```

use super::stream_plan::{StreamPlan, StreamQuery};
use crate::error::{Error, Result};

/// Looks for operators that wait for the end of an endless source.
///
/// # Errors
/// There is one, with the ways to get output now.
pub(super) fn check(query: &StreamQuery) -> Result<()> {
    waits(&query.root, query)
}

fn waits(plan: &StreamPlan, query: &StreamQuery) -> Result<()> {
    let what = match plan {
        StreamPlan::Group(..) => Some("a total"),
        StreamPlan::Sort(_, spec) if !spec.streaming => Some("this ORDER BY"),
        _ => None,
    };
    if let (Some(what), Some(source)) = (what, endless_source(plan, query)) {
        let error = Error::plan(format!(
            "{what} prints at the end of input, and `{source}` has none"
        ));
        // A path or an address is quoted, as it was.
        let is_name = source.chars().all(|c| c.is_alphanumeric() || c == '_');
        let source = match is_name {
            true => source.to_owned(),
            false => format!("'{source}'"),
        };
        return Err(match what {
            "a total" => error.help(format!(
                "group by a window: SELECT window_start, … FROM TUMBLE({source}, '1m') GROUP BY window_start"
            )),
            _ => error.help("order by window_end or window_start first: windows come out in that order"),
        });
    }
    plan.inputs()
        .into_iter()
        .try_for_each(|input| waits(input, query))
}

/// The first endless source below a plan. A LIMIT ends what comes through it.
fn endless_source<'a>(plan: &StreamPlan, query: &'a StreamQuery) -> Option<&'a str> {
    match plan {
        StreamPlan::Read { source, .. } => {
            let table = &query.sources.get(*source)?.table;
            table.endless.then_some(table.name.as_str())
        }
        StreamPlan::Limit(_, spec) if spec.limit.is_some() => None,
        other => {
            let mut inputs = other.inputs().into_iter();
            inputs.find_map(|input| endless_source(input, query))
        }
    }
}
