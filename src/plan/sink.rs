//! The rows of a query as a sink with declared columns takes them: counted, checked, and cast where that loses nothing by intent.
//!
//! ```text
//!   sink (a DOUBLE, b STRING)  ◄─  SELECT n, host      a: CAST(n AS DOUBLE), b: host
//!   sink (b)                   ◄─  SELECT host         a: NULL
//! ```
//!
//! Invariant: a column goes into one of its own family (numbers, times, texts, …); everything else is refused
//! with the CAST that would do it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_common::ScalarValue;
use sqlparser::ast::{self, Spanned};

use super::stream_plan::{StreamPlan, StreamQuery};
use crate::catalog::only_place_of_name;
use crate::data::type_name;
use crate::error::{Error, Result};
use crate::exec::expression::{Cast, Expression};
use crate::sql::{Insert, span_of};
use crate::time::Zone;

/// The declared columns of a sink.
#[derive(Debug, Clone)]
pub struct SinkColumns {
    /// What messages call the sink.
    pub name: String,
    /// Name and type of each, in order.
    pub columns: Vec<(String, DataType)>,
}

/// Makes a query give what a sink takes.
///
/// # Errors
/// Columns that the sink lacks, another number of them, or types that do not go into one another.
pub fn fit_sink(
    query: &mut StreamQuery,
    insert: &Insert,
    sink: &SinkColumns,
    zone: Zone,
) -> Result<()> {
    let targets = targets(insert, sink)?;
    let given = query.schema.fields().len();
    if given != targets.len() {
        let names: Vec<&str> = (targets.iter())
            .map(|target| sink.columns[*target].0.as_str())
            .collect();
        let error = Error::plan(format!(
            "`{}` takes {}, and the query gives {given}",
            sink.name,
            counted(targets.len()),
        ));
        return Err(error
            .at_least(span_of(insert.query.query.span()))
            .note(format!("columns: {}", names.join(", ")))
            .help("name the columns that it gives: `INSERT INTO sink (a, b) SELECT …`"));
    }
    let mut expressions = Vec::with_capacity(sink.columns.len());
    let mut fields: Vec<FieldRef> = Vec::with_capacity(sink.columns.len());
    let mut changed = targets.len() != sink.columns.len();
    for (place, (name, wanted)) in sink.columns.iter().enumerate() {
        fields.push(Arc::new(Field::new(name, wanted.clone(), true)));
        let Some(column) = targets.iter().position(|target| *target == place) else {
            let null = ScalarValue::try_from(wanted);
            let null = null.map_err(|_| Error::internal("a type without NULL"))?;
            expressions.push(Expression::Literal(null));
            continue;
        };
        let field = query.schema.field(column);
        changed |= column != place;
        let read = Expression::Column(column, field.name().clone());
        if field.data_type() == wanted {
            expressions.push(read);
            continue;
        }
        if !goes_into(field.data_type(), wanted) {
            return Err(mismatch(insert, column, field, name, wanted));
        }
        changed = true;
        expressions.push(Expression::Cast(Cast {
            input: Box::new(read),
            to: wanted.clone(),
            zone,
        }));
    }
    let schema = Arc::new(Schema::new(fields));
    if changed {
        query.root = StreamPlan::Project {
            input: Box::new(std::mem::replace(&mut query.root, StreamPlan::nothing())),
            expressions,
            schema: Arc::clone(&schema),
        };
    }
    query.schema = schema;
    Ok(())
}

/// The columns of the sink that the query gives, by number, in its order.
fn targets(insert: &Insert, sink: &SinkColumns) -> Result<Vec<usize>> {
    if insert.columns.is_empty() {
        return Ok((0..sink.columns.len()).collect());
    }
    let mut targets = Vec::with_capacity(insert.columns.len());
    for wanted in &insert.columns {
        let span = span_of(wanted.span);
        let names = || sink.columns.iter().map(|(name, _)| name.as_str());
        let found = only_place_of_name(names(), &wanted.value);
        let found = found.map_err(|error| error.at_least(span))?;
        let Some(found) = found else {
            let names: Vec<&str> = names().collect();
            let error = Error::plan(format!("`{}` has no column `{}`", sink.name, wanted.value));
            return Err(error
                .at_least(span)
                .note(format!("columns: {}", names.join(", ")))
                .suggest(&wanted.value, names));
        };
        if targets.contains(&found) {
            let error = Error::plan(format!("column `{}` is there twice", wanted.value));
            return Err(error.at_least(span).help("name each column once"));
        }
        targets.push(found);
    }
    Ok(targets)
}

fn counted(columns: usize) -> String {
    match columns {
        1 => String::from("1 column"),
        columns => format!("{columns} columns"),
    }
}

/// True if a value of one type is one of the other's, but for its size or precision.
fn goes_into(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Null, Timestamp, Utf8, Utf8View};
    match (from, to) {
        (Null, _) => true,
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (Date32 | Timestamp(..), Timestamp(..)) => true,
        (Utf8 | Utf8View, Utf8 | Utf8View) => true,
        (from, to) => from.equals_datatype(to),
    }
}

fn mismatch(insert: &Insert, column: usize, given: &Field, name: &str, to: &DataType) -> Error {
    let (from, to) = (type_name(given.data_type()), type_name(to));
    let query = &insert.query.query;
    let item = item(query, column);
    let error = Error::plan(format!(
        "column `{name}` is {to}, and the query gives {from}"
    ));
    let error = error.at_least(
        item.and_then(|item| span_of(item.span()))
            .or_else(|| span_of(query.span())),
    );
    error.help(match item {
        Some(item) => format!("write CAST({item} AS {to})"),
        None => format!("CAST `{}` to {to}", given.name()),
    })
}

/// An item of SELECT, if each of them is one column.
fn item(query: &ast::Query, item: usize) -> Option<&ast::Expr> {
    let ast::SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let is_one = |item: &ast::SelectItem| {
        matches!(
            item,
            ast::SelectItem::UnnamedExpr(_) | ast::SelectItem::ExprWithAlias { .. }
        )
    };
    if !select.projection.iter().all(is_one) {
        return None;
    }
    match select.projection.get(item)? {
        ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr)
        }
        _ => None,
    }
}
