//! EXPLAIN: the operators of a plan, each with what matters for a stream.
//!
//! ```text
//! Project window_start, host, n
//! └─ WindowAggregate HOP 5m every 1m on ts by host: count(*)
//!    │ slices: 1m, each row updates one; a window merges 5
//!    │ closes: when the watermark reaches window_end - 1us
//!    │ keeps: one state per slice and group, until the last window of the slice closes
//!    └─ Read stdin [ts, host]
//!       │ watermark: ts - 5s, row by row, before any filter; jumps over 1d are held
//! ```

mod facts;
mod headline;

use std::fmt::Write;

use super::stream_plan::{StreamPlan, StreamQuery};
use crate::time::Zone;

use facts::facts;
use headline::headline;

/// The plan as text, one operator a line with its facts below it.
pub fn explain(query: &StreamQuery, zone: Zone) -> String {
    let mut text = String::new();
    write_plan(&query.root, query, zone, "", "", &mut text);
    text
}

fn write_plan(
    plan: &StreamPlan,
    query: &StreamQuery,
    zone: Zone,
    first: &str,
    rest: &str,
    text: &mut String,
) {
    let inputs = plan.inputs();
    let _ = writeln!(text, "{first}{}", headline(plan, query));
    let bar = if inputs.is_empty() { "  " } else { "│ " };
    for fact in facts(plan, query, zone) {
        let _ = writeln!(text, "{rest}{bar}{fact}");
    }
    for (number, input) in inputs.iter().enumerate() {
        let last = number + 1 == inputs.len();
        let (branch, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let (first, rest) = (format!("{rest}{branch}"), format!("{rest}{below}"));
        write_plan(input, query, zone, &first, &rest, text);
    }
}
