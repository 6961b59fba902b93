//! The operator for GROUP BY over the windows of a call: by slices, by sessions, or by counting rows.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};

use super::bounds::{steps, time_of, window_spec};
use super::relation::Pending;
use crate::error::{Error, Result};
use crate::exec::aggregate::AggregateSpec;
use crate::exec::window::{CountWindowSpec, SessionSpec, WindowAggregateSpec, WindowSource};
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;

/// The keys of a windowed GROUP BY, by columns of the projected input.
pub(super) struct Grouping {
    /// The keys of GROUP BY, each once.
    grouped: Vec<usize>,
    /// Those of them that are no keys of the window itself.
    further: Vec<usize>,
    /// What the operator puts behind the bounds: the keys of the window, then the further ones.
    pub(super) output: Vec<usize>,
}

impl Grouping {
    pub(super) fn new(group: &[usize], pending: &Pending) -> Self {
        let mut grouped: Vec<usize> = Vec::new();
        for &column in group {
            if !grouped.contains(&column) {
                grouped.push(column);
            }
        }
        let own = &pending.partition;
        let further: Vec<usize> = grouped
            .iter()
            .copied()
            .filter(|key| !own.contains(key))
            .collect();
        let output = own.iter().chain(&further).copied().collect();
        Grouping {
            grouped,
            further,
            output,
        }
    }

    /// The place of a key behind the bounds.
    pub(super) fn place(&self, column: usize) -> Option<usize> {
        self.output.iter().position(|key| *key == column)
    }
}

/// The operator over its projected input, whose columns are `fields`.
pub(super) fn windowed(
    plan: StreamPlan,
    pending: &Pending,
    grouping: &Grouping,
    fields: &[FieldRef],
    aggregates: Vec<AggregateSpec>,
    schema: SchemaRef,
    delay: i64,
) -> Result<StreamPlan> {
    let keys = grouping.further.clone();
    let key_fields = fields_of(&keys, fields);
    let partition = pending.partition.clone();
    let partition_fields = fields_of(&partition, fields);
    match &pending.arguments {
        WindowArguments::Session { gap } => {
            let (time_column, unit, _) = time_of(&plan, pending)?;
            let spec = SessionSpec {
                time_column,
                gap: steps(gap, unit)?,
                delay,
                partition,
                partition_fields,
                keys,
                key_fields,
                aggregates,
                schema,
            };
            Ok(StreamPlan::SessionAggregate(Box::new(plan), spec))
        }
        WindowArguments::Count { size, slide } => {
            check_count_keys(pending, grouping, fields)?;
            let spec = CountWindowSpec {
                size: *size,
                slide: *slide,
                partition,
                partition_fields,
                keys,
                key_fields,
                aggregates,
                schema,
            };
            Ok(StreamPlan::CountAggregate(Box::new(plan), spec))
        }
        other => {
            let window =
                window_spec(other).ok_or_else(|| Error::internal(format!("a window {other:?}")))?;
            let (time_column, unit, zone) = time_of(&plan, pending)?;
            let source = WindowSource::Assigned {
                window,
                time_column,
                unit,
                zone,
            };
            let spec = WindowAggregateSpec {
                source,
                delay,
                keys,
                key_fields,
                aggregates,
                schema,
            };
            Ok(StreamPlan::WindowAggregate(Box::new(plan), spec))
        }
    }
}

fn fields_of(columns: &[usize], fields: &[FieldRef]) -> Vec<FieldRef> {
    columns
        .iter()
        .map(|&column| Arc::clone(&fields[column]))
        .collect()
}

fn check_count_keys(pending: &Pending, grouping: &Grouping, fields: &[FieldRef]) -> Result<()> {
    match pending
        .partition
        .iter()
        .find(|column| !grouping.grouped.contains(column))
    {
        None => Ok(()),
        Some(missing) => Err(Error::plan(format!(
            "GROUP BY must contain the key `{}` of COUNT_WINDOW",
            fields[*missing].name()
        ))
        .at(pending.span)
        .help("add it to GROUP BY: row numbers count the rows of one key")),
    }
}
