//! Conversions that a query asks for or that its types make necessary, as ours.
//!
//! ```text
//!   ts BETWEEN '2026-11-25' AND '2026-11-26'      ─► [`fit`]      each text as a time of the type of ts
//!   CAST('2026-11-25 10:00' AS TIMESTAMP)         ─► [`take_over`]     our conversion, which folds as it runs
//! ```
//!
//! Invariants: no conversion that DataFusion would do otherwise than [`convert`] is left in a plan; a text in
//! quotes that stands for a time and is none is an error at its place, but for a CAST that the user wrote.

use std::ops::ControlFlow;

use arrow::array::Array;
use arrow::compute::can_cast_types;
use arrow::datatypes::DataType;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion_expr::expr::{Between, InList};
use datafusion_expr::utils::merge_schema;
use datafusion_expr::{Cast, Expr, ExprSchemable, LogicalPlan, TryCast};
use sqlparser::ast::{self, Spanned};

use super::names::Resolved;
use crate::data::type_name;
use crate::error::{Error, Span};
use crate::exec::expression::convert;
use crate::functions::{complaint, conversion_to, converts_otherwise};
use crate::sql::span_of;
use crate::time::{Zone, parse_interval};

/// `value` as what can be compared with a value of `other`'s type: text with a number as a number, text and dates with
/// a time as times of its type, an interval with the difference of two times as one.
///
/// # Errors
/// A text in quotes that is to be a number and is none.
pub(super) fn comparable(value: Expr, own: &DataType, other: &DataType) -> Result<Expr> {
    use DataType::{Date32, Duration, Interval, Time32, Time64, Timestamp};
    let boxed = Box::new(value);
    Ok(match (own, other) {
        (text, number) if text.is_string() && number.is_numeric() => {
            if let Expr::Literal(constant, _) = boxed.as_ref() {
                check_number(constant)?;
            }
            Expr::TryCast(TryCast::new(boxed, DataType::Float64))
        }
        (text, Timestamp(..) | Date32 | Time32(_) | Time64(_)) if text.is_string() => {
            Expr::Cast(Cast::new(boxed, other.clone()))
        }
        (Date32, Timestamp(..)) | (Interval(_), Duration(_)) => {
            Expr::Cast(Cast::new(boxed, other.clone()))
        }
        _ => *boxed,
    })
}

fn check_number(constant: &ScalarValue) -> Result<()> {
    let Some(text) = constant.try_as_str().flatten() else {
        return Ok(());
    };
    if is_number(text) {
        return Ok(());
    }
    let error = Error::plan(format!("'{text}' is no number"));
    Err(DataFusionError::External(Box::new(error)))
}

/// True for a text that is compared with numbers as one.
pub(super) fn is_number(text: &str) -> bool {
    let text = ScalarValue::from(text);
    (text.cast_to(&DataType::Float64)).is_ok_and(|number| !number.is_null())
}

/// Makes what BETWEEN and IN compare comparable.
///
/// # Errors
/// None of its own.
pub(super) fn fit(plan: LogicalPlan) -> Result<LogicalPlan> {
    let fitted = plan.transform_up(|plan| {
        let schema = merge_schema(&plan.inputs());
        plan.map_expressions(|expr| expr.transform_up(|expr| fit_here(expr, &schema)))
    })?;
    Ok(fitted.data)
}

fn fit_here(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    // What has no type is told by those who ask for it.
    let type_of = |expr: &Expr| expr.get_type(schema).ok();
    let fitted = |value: Expr, other: &Option<DataType>| match (type_of(&value), other) {
        (Some(own), Some(other)) => comparable(value, &own, other),
        _ => Ok(value),
    };
    Ok(match expr {
        Expr::Between(Between {
            expr,
            negated,
            low,
            high,
        }) => {
            let other = type_of(&expr);
            let (low, high) = (fitted(*low, &other)?, fitted(*high, &other)?);
            Transformed::yes(Expr::Between(Between::new(
                expr,
                negated,
                Box::new(low),
                Box::new(high),
            )))
        }
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) => {
            let other = type_of(&expr);
            let is_text =
                |known: &Option<DataType>| known.as_ref().is_some_and(DataType::is_string);
            if is_text(&other) && list.iter().map(type_of).any(|known| is_text(&known)) {
                // Among texts a number is what it is written as.
                let text = |item: Expr| match is_text(&type_of(&item)) {
                    true => item,
                    false => Expr::Cast(Cast::new(Box::new(item), DataType::Utf8View)),
                };
                let list = list.into_iter().map(text).collect();
                return Ok(Transformed::yes(Expr::InList(InList::new(
                    expr, list, negated,
                ))));
            }
            let list = list.into_iter().map(|item| fitted(item, &other));
            let list = list.collect::<Result<Vec<_>>>()?;
            Transformed::yes(Expr::InList(InList::new(expr, list, negated)))
        }
        other => Transformed::no(other),
    })
}

/// Puts our conversions in the place of DataFusion's; all types are decided.
///
/// # Errors
/// A text that is no time where one is needed.
pub(super) fn take_over(plan: LogicalPlan, zone: Zone, resolved: &Resolved) -> Result<LogicalPlan> {
    let taken = plan.transform_up(|plan| {
        let schema = merge_schema(&plan.inputs());
        let changed = plan.map_expressions(|expr| {
            expr.transform_up(|expr| take_over_here(expr, &schema, zone, resolved))
        })?;
        changed.map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(taken.data)
}

fn take_over_here(
    expr: Expr,
    schema: &DFSchema,
    zone: Zone,
    resolved: &Resolved,
) -> Result<Transformed<Expr>> {
    if let Expr::Negative(input) = &expr {
        let known = input.get_type(schema)?;
        if known.is_temporal() && !matches!(known, DataType::Interval(_) | DataType::Duration(_)) {
            return Err(complaint(&format!(
                "a {} has no negative",
                type_name(&known)
            )));
        }
    }
    let (input, to, is_asked_for) = match &expr {
        Expr::Cast(cast) => (&cast.expr, cast.field.data_type(), false),
        Expr::TryCast(cast) => (&cast.expr, cast.field.data_type(), true),
        _ => return Ok(Transformed::no(expr)),
    };
    let from = input.get_type(schema)?;
    if !converts_otherwise(&from, to) {
        // As text everything has its JSON.
        if !to.is_string() && !can_cast_types(&from, to) {
            let error = Error::plan(format!(
                "{} cannot be made {}",
                type_name(&from),
                type_name(to)
            ));
            let error = error.help(
                "a.b and a[1] are values inside of ROW, MAP and ARRAY; CAST(a AS STRING) is all of it as JSON",
            );
            return Err(DataFusionError::External(Box::new(error)));
        }
        return Ok(Transformed::no(expr));
    }
    if let (Expr::Literal(value, _), false) = (input.as_ref(), is_asked_for) {
        check_constant(value, to, zone, resolved)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
    }
    let call = conversion_to(to.clone(), zone).call(vec![input.as_ref().clone()]);
    Ok(Transformed::yes(call))
}

/// Refuses a constant that is nothing of what it is used as.
fn check_constant(
    value: &ScalarValue,
    to: &DataType,
    zone: Zone,
    resolved: &Resolved,
) -> crate::error::Result<()> {
    let column = value.to_array().map_err(super::library_errors::explain)?;
    if column.is_null(0) || to.is_numeric() || convert(&column, to, zone)?.is_valid(0) {
        return Ok(());
    }
    match value.try_as_str().flatten() {
        Some(text) => Err(no_time(text, to).at_least(place_of(text, resolved))),
        None if matches!(to, DataType::Duration(_)) => {
            let error = Error::plan("an interval of months has no fixed length");
            Err(error.help("the difference of two times is compared with days: INTERVAL '30' DAY"))
        }
        None => Ok(()),
    }
}

fn no_time(text: &str, to: &DataType) -> Error {
    let (what, written) = match to {
        DataType::Date32 | DataType::Date64 => ("date", "a date is written '2026-11-25'"),
        DataType::Time32(_) | DataType::Time64(_) => (
            "time of day",
            "a time of day is written '10:00' or '10:00:00.250'",
        ),
        _ => (
            "time",
            "a time is written '2026-11-25 10:00:00', '2026-11-25T10:00:00.250Z', '2026-11-25 10:00' or '2026-11-25'",
        ),
    };
    let error =
        Error::plan(format!("'{text}' is no {what}")).label(format!("read as {}", type_name(to)));
    if parse_interval(text).is_ok() {
        return error.help(format!("a length of time is written INTERVAL '{text}'"));
    }
    match text.to_ascii_lowercase().as_str() {
        "now" => error.help("the time of the start is now()"),
        "today" | "yesterday" => {
            error.help("days are counted from now(): now() - INTERVAL '1' DAY")
        }
        _ => error.help(written),
    }
}

/// Where a text stands in the query; `None` if it stands there twice.
fn place_of(text: &str, resolved: &Resolved) -> Option<Span> {
    let mut found = Vec::new();
    let _ = resolved.visit_expressions(&mut |expr| {
        let value = match expr {
            ast::Expr::Value(value) => value,
            ast::Expr::TypedString(typed) => &typed.value,
            _ => return ControlFlow::Continue(()),
        };
        let same = value.value.clone().into_string().as_deref() == Some(text);
        found.extend(span_of(value.span()).filter(|_| same));
        ControlFlow::<()>::Continue(())
    });
    match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
