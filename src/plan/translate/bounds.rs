//! The bounds of windows: their fields, sizes in steps of the time column, and who uses them.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::DFSchema;
use datafusion_expr::Expr;

use super::relation::{Pending, Visible};
use crate::error::{Error, Result};
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;
use crate::time::{Interval, Unit, WindowSpec, Zone};

/// The windows of event time with fixed bounds that a call asks for.
pub(super) fn window_spec(arguments: &WindowArguments) -> Option<WindowSpec> {
    Some(match arguments.clone() {
        WindowArguments::Tumble { size, offset } => WindowSpec::Tumble { size, offset },
        WindowArguments::Hop {
            slide,
            size,
            offset,
        } => WindowSpec::Hop {
            slide,
            size,
            offset,
        },
        WindowArguments::Cumulate { step, size, offset } => {
            WindowSpec::Cumulate { step, size, offset }
        }
        WindowArguments::Session { .. } | WindowArguments::Count { .. } => return None,
    })
}

/// The time column of a pending window, its unit and its local clock.
pub(super) fn time_of(base: &StreamPlan, pending: &Pending) -> Result<(usize, Unit, Option<Zone>)> {
    let column = pending
        .time
        .ok_or_else(|| Error::internal("a window without a time"))?;
    let field = base.field(column);
    let unit = Unit::of(field.data_type())
        .ok_or_else(|| Error::internal(format!("a time of type {}", field.data_type())))?;
    let zone = match field.data_type() {
        DataType::Timestamp(_, Some(zone)) => zone.parse::<Zone>().ok(),
        _ => None,
    };
    Ok((column, unit, zone))
}

/// A gap in steps of the time column.
pub(super) fn steps(gap: &Interval, unit: Unit) -> Result<i64> {
    gap.in_units(unit).ok_or_else(|| {
        Error::plan(format!(
            "a gap of {gap} is no whole number of the time column's steps"
        ))
        .help(format!(
            "its times have {} digits behind the second",
            unit.digits()
        ))
    })
}

/// The fields of `window_start`, `window_end` and, of event time, `window_time`.
pub(super) fn bound_fields(base: &StreamPlan, pending: &Pending) -> Result<Vec<FieldRef>> {
    let data_type = match pending.time {
        Some(time) => base.field(time).data_type().clone(),
        None => DataType::Int64,
    };
    let names: &[&str] = match pending.time {
        Some(_) => &["window_start", "window_end", "window_time"],
        None => &["window_start", "window_end"],
    };
    let field = |name: &&str| {
        let field = arrow::datatypes::Field::new(*name, data_type.clone(), true);
        mark(&Arc::new(field), &pending.arguments)
    };
    Ok(names.iter().map(field).collect())
}

/// Marks a bound for printing: whole seconds have no fraction where size and offset have none.
pub(super) fn mark(field: &FieldRef, arguments: &WindowArguments) -> FieldRef {
    let lengths: Vec<&Interval> = match arguments {
        WindowArguments::Tumble { size, offset } => vec![size, offset],
        WindowArguments::Hop {
            slide,
            size,
            offset,
        } => vec![slide, size, offset],
        WindowArguments::Cumulate { step, size, offset } => vec![step, size, offset],
        // Sessions begin and end where rows do.
        WindowArguments::Session { .. } | WindowArguments::Count { .. } => {
            return Arc::clone(field);
        }
    };
    if field.name() == "window_time" {
        return Arc::clone(field);
    }
    let whole = lengths
        .iter()
        .all(|length| length.nanoseconds % 1_000_000_000 == 0);
    let value = if whole { "seconds" } else { "fraction" };
    let mut metadata = field.metadata().clone();
    metadata.insert(String::from("tumble:bound"), String::from(value));
    Arc::new(field.as_ref().clone().with_metadata(metadata))
}

/// The bound that an expression is, if it is one under whatever name.
pub(super) fn bound_of(expr: &Expr, schema: &DFSchema, pending: &Pending) -> Option<Visible> {
    match expr {
        Expr::Alias(alias) => bound_of(&alias.expr, schema, pending),
        Expr::Column(column) => {
            let index = schema.index_of_column(column).ok()?;
            match pending.visible[index] {
                Visible::Base(_) => None,
                bound => Some(bound),
            }
        }
        _ => None,
    }
}

/// True if an expression reads a bound.
pub(super) fn uses_bounds(expr: &Expr, schema: &DFSchema, pending: &Pending) -> bool {
    columns_used(expr, schema).any(|index| !matches!(pending.visible[index], Visible::Base(_)))
}

/// True if an expression reads a column that is no bound.
pub(super) fn uses_base(expr: &Expr, schema: &DFSchema, pending: &Pending) -> bool {
    columns_used(expr, schema).any(|index| matches!(pending.visible[index], Visible::Base(_)))
}

fn columns_used<'s>(expr: &Expr, schema: &'s DFSchema) -> impl Iterator<Item = usize> + 's {
    let columns: Vec<usize> = expr
        .column_refs()
        .iter()
        .filter_map(|column| schema.index_of_column(column).ok())
        .collect();
    columns.into_iter()
}
