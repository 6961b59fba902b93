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
mod mermaid;

use std::fmt::Write;

use super::stream_plan::{StreamPlan, StreamQuery};
use crate::data::print::number::thousands;
use crate::exec::meter::Meters;
use crate::time::Zone;

use facts::facts;
use headline::headline;
pub use mermaid::mermaid;

/// The plan as text, one operator a line with its facts below it.
pub fn explain(query: &StreamQuery, zone: Zone) -> String {
    tree(query, zone, None)
}

/// The same with what each operator did; `meters` are those of the graph that the query became.
pub fn explain_measured(query: &StreamQuery, zone: Zone, meters: &Meters) -> String {
    tree(query, zone, Some(meters))
}

fn tree(query: &StreamQuery, zone: Zone, meters: Option<&Meters>) -> String {
    let mut tree = Tree {
        query,
        zone,
        meters,
        operators: 0,
        reads: 0,
        text: String::new(),
    };
    tree.write(&query.root, "", "");
    tree.text
}

/// A plan that is being written.
struct Tree<'a> {
    query: &'a StreamQuery,
    zone: Zone,
    meters: Option<&'a Meters>,
    /// So many operators and reads stand above: they have numbers in the order in which they are lowered.
    operators: usize,
    reads: usize,
    text: String,
}

impl Tree<'_> {
    fn write(&mut self, plan: &StreamPlan, first: &str, rest: &str) {
        let inputs = plan.inputs();
        let _ = writeln!(self.text, "{first}{}", headline(plan, self.query));
        let bar = if inputs.is_empty() { "  " } else { "│ " };
        let facts = facts(plan, self.query, self.zone);
        for fact in facts.into_iter().chain(self.did(plan)) {
            let _ = writeln!(self.text, "{rest}{bar}{fact}");
        }
        for (number, input) in inputs.iter().enumerate() {
            let last = number + 1 == inputs.len();
            let (branch, below) = if last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let (first, rest) = (format!("{rest}{branch}"), format!("{rest}{below}"));
            self.write(input, &first, &rest);
        }
    }

    /// What the operator did.
    fn did(&mut self, plan: &StreamPlan) -> Option<String> {
        match plan {
            StreamPlan::Rows(_) => None,
            StreamPlan::Read { .. } => {
                self.reads += 1;
                let did = self.meters?.read(self.reads - 1);
                Some(format!("did: {} rows", thousands(did.rows_in)))
            }
            _ => {
                self.operators += 1;
                let did = self.meters?.operator(self.operators - 1);
                let (taken, given) = (thousands(did.rows_in), thousands(did.rows_out));
                let late = match did.late {
                    0 => String::new(),
                    late => format!(", {} late", thousands(late)),
                };
                let kept = match did.peak_bytes {
                    0 => String::new(),
                    bytes => format!(", at most {} KiB", thousands(bytes.div_ceil(1024) as u64)),
                };
                let milliseconds = did.time.as_secs_f64() * 1e3;
                Some(format!(
                    "did: {taken} rows in, {given} out{late}, {milliseconds:.1} ms{kept}"
                ))
            }
        }
    }
}
