//! One line for each operator: what it does, in the names of its input.

use arrow::datatypes::{DataType, SchemaRef};

use crate::exec::aggregate::AggregateSpec;
use crate::exec::union::UnionOrder;
use crate::exec::window::WindowSource;
use crate::plan::stream_plan::{StreamPlan, StreamQuery};
use crate::time::{Interval, Unit, WindowSpec};

/// The line of an operator.
pub(super) fn headline(plan: &StreamPlan, query: &StreamQuery) -> String {
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
            UnionOrder::AsTheyCome => String::from("Union, as rows come"),
            UnionOrder::InTurn => String::from("Union, one branch after the other"),
        },
        StreamPlan::Assign(..)
        | StreamPlan::WindowAggregate(..)
        | StreamPlan::SessionAggregate(..)
        | StreamPlan::SessionRows(..)
        | StreamPlan::CountAggregate(..) => windows(plan, input.as_ref()),
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

/// The line of an operator over windows.
fn windows(plan: &StreamPlan, input: Option<&SchemaRef>) -> String {
    let columns = |columns: &[usize]| names(input, columns);
    match plan {
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
            let gap = length(spec.gap, input, spec.time_column);
            let per = match spec.partition.as_slice() {
                [] => String::from("over all rows"),
                partition => format!("per {}", columns(partition)),
            };
            let time = columns(&[spec.time_column]);
            let by = grouped(&columns(&spec.keys), &spec.aggregates);
            format!("SessionAggregate gap {gap} on {time} {per}{by}")
        }
        StreamPlan::SessionRows(_, spec) => {
            let gap = length(spec.gap, input, spec.time_column);
            format!("SessionRows gap {gap} on {}", columns(&[spec.time_column]))
        }
        StreamPlan::CountAggregate(_, spec) => format!(
            "CountAggregate {} rows every {}{}",
            spec.size,
            spec.slide,
            grouped(&columns(&spec.keys), &spec.aggregates)
        ),
        other => format!("{other:?}"),
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
