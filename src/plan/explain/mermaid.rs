//! A plan as a Mermaid flowchart: pasted into Markdown, it is drawn.
//!
//! ```text
//! flowchart TD
//!   n1["Read stdin #91;ts, host#93;"] --> n0["WindowAggregate TUMBLE 1m on ts: count(*)"]
//! ```

use std::fmt::Write;

use super::headline::headline;
use crate::plan::stream_plan::{StreamPlan, StreamQuery};

/// The operators of a query and where their rows go.
pub fn mermaid(query: &StreamQuery) -> String {
    let mut text = String::from("flowchart TD\n");
    let mut count = 0;
    let root = write_plan(&query.root, query, &mut count, &mut text);
    let _ = writeln!(text, "  n{root} --> result([result])");
    text
}

/// Writes an operator and what it reads from; its number.
fn write_plan(
    plan: &StreamPlan,
    query: &StreamQuery,
    count: &mut usize,
    text: &mut String,
) -> usize {
    let number = *count;
    *count += 1;
    let label = label(&headline(plan, query));
    let _ = match plan {
        StreamPlan::Read { .. } | StreamPlan::Rows(_) => {
            writeln!(text, "  n{number}[(\"{label}\")]")
        }
        _ => writeln!(text, "  n{number}[\"{label}\"]"),
    };
    for input in plan.inputs() {
        let input = write_plan(input, query, count, text);
        let _ = writeln!(text, "  n{input} --> n{number}");
    }
    number
}

/// A text that means nothing to Mermaid.
fn label(text: &str) -> String {
    let mut label = String::new();
    for letter in text.chars() {
        match letter {
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | ' '
            | ','
            | '.'
            | '_'
            | ':'
            | '*'
            | '='
            | '+'
            | '-'
            | '/'
            | '('
            | ')' => {
                label.push(letter);
            }
            letter if letter.is_alphanumeric() => label.push(letter),
            letter => {
                let _ = write!(label, "#{};", u32::from(letter));
            }
        }
    }
    label
}
