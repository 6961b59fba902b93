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

use std::fmt::Write;

use arrow::datatypes::{DataType, SchemaRef};

use super::stream_plan::{SourcePlan, StreamPlan, StreamQuery};
use crate::exec::aggregate::AggregateSpec;
use crate::exec::union::UnionOrder;
use crate::exec::window::WindowSource;
use crate::time::{Interval, Unit, WindowSpec, Zone};

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

fn headline(plan: &StreamPlan, query: &StreamQuery) -> String {
    let input = plan.inputs().first().map(|input| input.schema());
    let columns = |columns: &[usize]| names(input.as_ref(), columns);
    match plan {
        StreamPlan::Read { source, schema, .. } => {
            let table = &query.sources[*source].table.name;
            let all: Vec<usize> = (0..schema.fields().len()).collect();
            format!("Read {table} [{}]", names(Some(schema), &all))
        }
        StreamPlan::Rows(rows) => format!("Rows: {}", rows.num_rows()),
        StreamPlan::Filter { predicate, .. } => format!("Filter {predicate}"),
        StreamPlan::Project {
            expressions,
            schema,
            ..
        } => {
            let items: Vec<String> = (expressions.iter().zip(schema.fields()))
                .map(|(expression, field)| {
                    let shown = expression.to_string();
                    if shown == *field.name() {
                        shown
                    } else {
                        format!("{shown} AS {}", field.name())
                    }
                })
                .collect();
            format!("Project {}", items.join(", "))
        }
        StreamPlan::Union { order, .. } => match order {
            UnionOrder::ByRow => String::from("Union by row"),
            UnionOrder::ByWindow { .. } => String::from("Union by window"),
            UnionOrder::InTurn => String::from("Union, one branch after the other"),
        },
        StreamPlan::Assign(_, spec) => {
            format!(
                "Assign {} on {}",
                window(&spec.window),
                columns(&[spec.time_column])
            )
        }
        StreamPlan::WindowAggregate(_, spec) => {
            let of = match &spec.source {
                WindowSource::Assigned {
                    window: spec,
                    time_column,
                    ..
                } => format!("{} on {}", window(spec), columns(&[*time_column])),
                WindowSource::Attached { .. } => String::from("windows of the rows"),
            };
            format!(
                "WindowAggregate {of}{}",
                grouped(&columns(&spec.keys), &spec.aggregates)
            )
        }
        StreamPlan::SessionAggregate(_, spec) => {
            let gap = length(spec.gap, input.as_ref(), spec.time_column);
            let per = match spec.partition.as_slice() {
                [] => String::from("over all rows"),
                partition => format!("per {}", columns(partition)),
            };
            let time = columns(&[spec.time_column]);
            let by = grouped(&columns(&spec.keys), &spec.aggregates);
            format!("SessionAggregate gap {gap} on {time} {per}{by}")
        }
        StreamPlan::SessionRows(_, spec) => {
            let gap = length(spec.gap, input.as_ref(), spec.time_column);
            format!("SessionRows gap {gap} on {}", columns(&[spec.time_column]))
        }
        StreamPlan::CountAggregate(_, spec) => format!(
            "CountAggregate {} rows every {}{}",
            spec.size,
            spec.slide,
            grouped(&columns(&spec.keys), &spec.aggregates)
        ),
        StreamPlan::Group(_, spec) => {
            format!("Group{}", grouped(&columns(&spec.keys), &spec.aggregates))
        }
        StreamPlan::Sort(_, spec) => {
            let keys: Vec<String> = (spec.keys.iter())
                .map(|(column, options)| {
                    let direction = if options.descending { " DESC" } else { "" };
                    format!("{}{direction}", columns(&[*column]))
                })
                .collect();
            format!("Sort {}", keys.join(", "))
        }
        StreamPlan::Limit(_, spec) => {
            let limit = spec
                .limit
                .map_or(String::from("all"), |limit| limit.to_string());
            match spec.offset {
                0 => format!("Limit {limit}"),
                offset => format!("Limit {limit} behind {offset}"),
            }
        }
        StreamPlan::LimitBy(_, spec) => format!("Limit {} by {}", spec.limit, columns(&spec.keys)),
    }
}

/// What a stream means for the operator.
fn facts(plan: &StreamPlan, query: &StreamQuery, zone: Zone) -> Vec<String> {
    match plan {
        StreamPlan::Read { source, .. } => source_facts(&query.sources[*source]),
        StreamPlan::WindowAggregate(_, spec) => match &spec.source {
            WindowSource::Assigned {
                window,
                unit,
                zone: clock,
                ..
            } => {
                let mut facts = slices(window);
                facts.push(format!(
                    "closes: when the watermark reaches window_end - {}",
                    step(*unit)
                ));
                facts.push(String::from(
                    "keeps: one state per slice and group, until the last window of the slice closes",
                ));
                if clock.is_some() {
                    facts.push(format!(
                        "clock: bounds are multiples of the local time of {zone}"
                    ));
                }
                facts
            }
            WindowSource::Attached { .. } => vec![
                String::from("closes: when the watermark reaches window_end - 1 unit"),
                String::from("keeps: one state per window and group, until the window closes"),
            ],
        },
        StreamPlan::SessionAggregate(..) | StreamPlan::SessionRows(..) => vec![
            String::from(
                "closes: when the watermark reaches the last row of the session + gap - 1 unit",
            ),
            String::from("keeps: the open sessions of each key, until they close"),
        ],
        StreamPlan::CountAggregate(..) => vec![
            String::from("closes: with the row that fills it; needs no time"),
            String::from("keeps: the rows since the last window of each key, forever"),
        ],
        StreamPlan::Group(_, spec) => {
            let keeps = if spec.keys.is_empty() {
                "one state"
            } else {
                "one state per group"
            };
            vec![
                String::from("comes out: at the end of input"),
                format!("keeps: {keeps}, until the end of input"),
            ]
        }
        StreamPlan::Sort(_, spec) => vec![if spec.streaming {
            String::from("streams: sorts the rows of each closing window, keeps no more")
        } else {
            String::from("waits: for the end of input, and keeps all rows until then")
        }],
        StreamPlan::Assign(_, spec) => slices(&spec.window).into_iter().take(1).collect(),
        StreamPlan::Union {
            order: UnionOrder::ByWindow { .. },
            ..
        } => vec![String::from(
            "keeps: windows of a branch until the others have closed theirs",
        )],
        StreamPlan::LimitBy(_, spec) => vec![if spec.by_window {
            String::from("keeps: one count per key of the closing windows")
        } else {
            String::from("keeps: one count per key, forever")
        }],
        StreamPlan::Rows(_)
        | StreamPlan::Filter { .. }
        | StreamPlan::Project { .. }
        | StreamPlan::Union { .. }
        | StreamPlan::Limit(..) => Vec::new(),
    }
}

fn source_facts(source: &SourcePlan) -> Vec<String> {
    let mut facts = Vec::new();
    match &source.watermark {
        Some(spec) => {
            let field = source.schema.field(spec.time_column);
            let unit = Unit::of(field.data_type()).unwrap_or(Unit::Microsecond);
            let interval = |steps: i64| {
                Interval::from_nanoseconds(i128::from(steps) * i128::from(unit.nanoseconds()))
            };
            let declared = source
                .table
                .time
                .as_ref()
                .is_some_and(|t| t.declared_delay.is_some());
            facts.push(format!(
                "time: {} ({})",
                field.name(),
                crate::data::type_name(field.data_type())
            ));
            let jumps = match spec.max_jump {
                Some(jump) => format!("; jumps over {} are held", interval(jump)),
                None if declared => String::from("; declared, so jumps are not held"),
                None => String::new(),
            };
            let delay = interval(spec.delay);
            facts.push(format!(
                "watermark: {} - {delay}, row by row, before any filter{jumps}",
                field.name()
            ));
        }
        None => facts.push(String::from(
            "watermark: none, the query uses no event time",
        )),
    }
    facts
}

fn slices(window: &WindowSpec) -> Vec<String> {
    match window {
        WindowSpec::Tumble { size, .. } => {
            vec![format!(
                "slices: {size}, one for each window; each row updates one"
            )]
        }
        WindowSpec::Hop { slide, size, .. } => {
            let windows = match (size.fixed_nanoseconds(), slide.fixed_nanoseconds()) {
                (Some(size), Some(slide)) if slide > 0 => {
                    let most = size / slide + i128::from(size % slide != 0);
                    let cut = if size % slide == 0 {
                        format!("{}", Interval::from_nanoseconds(slide))
                    } else {
                        String::from("cut at every start and end of a window")
                    };
                    format!("slices: {cut}; each row updates one and lies in up to {most} windows")
                }
                _ => String::from(
                    "slices: cut at every start and end of a window; each row updates one",
                ),
            };
            vec![
                windows,
                String::from("windows: merge their slices when they close"),
            ]
        }
        WindowSpec::Cumulate { step, size, .. } => vec![
            format!("slices: {step}; each row updates one"),
            format!("windows: merge their slices from the start when they close, up to {size}"),
        ],
    }
}

fn window(window: &WindowSpec) -> String {
    let moved = |offset: &Interval| {
        if offset.is_zero() {
            String::new()
        } else {
            format!(" offset {offset}")
        }
    };
    match window {
        WindowSpec::Tumble { size, offset } => format!("TUMBLE {size}{}", moved(offset)),
        WindowSpec::Hop {
            slide,
            size,
            offset,
        } => format!("HOP {size} every {slide}{}", moved(offset)),
        WindowSpec::Cumulate { step, size, offset } => {
            format!("CUMULATE {step} up to {size}{}", moved(offset))
        }
    }
}

fn grouped(keys: &str, aggregates: &[AggregateSpec]) -> String {
    let by = if keys.is_empty() {
        String::new()
    } else {
        format!(" by {keys}")
    };
    let calls: Vec<&str> = aggregates
        .iter()
        .map(|spec| spec.display.as_str())
        .collect();
    if calls.is_empty() {
        by
    } else {
        format!("{by}: {}", calls.join(", "))
    }
}

fn names(schema: Option<&SchemaRef>, columns: &[usize]) -> String {
    let name = |column: &usize| {
        schema.map_or_else(
            || column.to_string(),
            |schema| schema.field(*column).name().clone(),
        )
    };
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn length(steps: i64, schema: Option<&SchemaRef>, time_column: usize) -> Interval {
    let data_type = schema.map(|schema| schema.field(time_column).data_type().clone());
    let unit = data_type
        .as_ref()
        .and_then(|t: &DataType| Unit::of(t))
        .unwrap_or(Unit::Microsecond);
    Interval::from_nanoseconds(i128::from(steps) * i128::from(unit.nanoseconds()))
}

fn step(unit: Unit) -> &'static str {
    match unit {
        Unit::Millisecond => "1ms",
        Unit::Microsecond => "1us",
        Unit::Nanosecond => "1ns",
    }
}
