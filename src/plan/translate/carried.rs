//! Puts the columns that a query only hands on where one stood for them while it was planned.
//!
//! ```text
//!   Project [c2, carried]                 Project [c1, c2, c3, … c10000]         in the order of the result
//!     Filter [c7 > 3]             ──►       Project [c2, c1, c3, … c10000]
//!       Read [c2, c7, carried]                Filter [c7 > 3]
//!                                               Read [c2, c7, c1, c3, … c10000]
//! ```
//!
//! Invariant: every column keeps its number; the first of those that are put in stands in the place of the one that
//! stood for all, the others behind what was there.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::exec::expression::Expression;
use crate::plan::names::{CARRIED, Carried, Output};
use crate::plan::stream_plan::StreamPlan;

/// Puts them in their places; `fields` are theirs.
///
/// # Errors
/// The plan looks at them.
pub(super) fn put_back(
    mut root: StreamPlan,
    carried: &Carried,
    fields: &[FieldRef],
) -> Result<StreamPlan> {
    let width = root.schema().fields().len();
    let first = put_into(&mut root, carried, fields)?;
    let schema = root.schema();
    let mut expressions = Vec::with_capacity(carried.outputs.len());
    let mut shown = Vec::with_capacity(carried.outputs.len());
    for (name, output) in &carried.outputs {
        let column = match output {
            Output::Planned(place) => *place,
            Output::Carried(0) => first,
            Output::Carried(place) => width + place - 1,
        };
        let field = schema.fields().get(column).ok_or_else(lost)?;
        expressions.push(Expression::Column(column, name.clone()));
        shown.push(Arc::new(field.as_ref().clone().with_name(name)));
    }
    Ok(StreamPlan::Project {
        input: Box::new(root),
        expressions,
        schema: Arc::new(Schema::new(shown)),
    })
}

/// Puts them into a plan; returns the place of the first of them there.
fn put_into(plan: &mut StreamPlan, carried: &Carried, fields: &[FieldRef]) -> Result<usize> {
    match plan {
        StreamPlan::Read {
            columns, schema, ..
        } => {
            let place = columns
                .iter()
                .position(|column| *column == carried.stand_in);
            let place = place.ok_or_else(lost)?;
            columns[place] = carried.columns[0];
            columns.extend(&carried.columns[1..]);
            *schema = widened(schema, place, fields);
            Ok(place)
        }
        StreamPlan::Rows(rows) => {
            let name = |field: &FieldRef| field.name() == CARRIED;
            let place = rows
                .schema_ref()
                .fields()
                .iter()
                .position(name)
                .ok_or_else(lost)?;
            let schema = widened(rows.schema_ref(), place, fields);
            let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
            let empty = |field: &FieldRef| new_null_array(field.data_type(), rows.num_rows());
            let mut empty = fields.iter().map(empty);
            columns[place] = empty.next().ok_or_else(lost)?;
            columns.extend(empty);
            let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            *rows = RecordBatch::try_new_with_options(schema, columns, &options)?;
            Ok(place)
        }
        StreamPlan::Project {
            input,
            expressions,
            schema,
        } => {
            let width = input.schema().fields().len();
            let below = put_into(input, carried, fields)?;
            let is_it =
                |e: &Expression| matches!(e, Expression::Column(column, _) if *column == below);
            let place = expressions.iter().position(is_it).ok_or_else(lost)?;
            let behind = fields[1..].iter().enumerate();
            expressions.extend(
                behind.map(|(behind, field)| {
                    Expression::Column(width + behind, field.name().clone())
                }),
            );
            *schema = widened(schema, place, fields);
            Ok(place)
        }
        StreamPlan::Filter { input, .. }
        | StreamPlan::Sort(input, _)
        | StreamPlan::Limit(input, _) => put_into(input, carried, fields),
        _ => Err(lost()),
    }
}

fn widened(schema: &SchemaRef, place: usize, fields: &[FieldRef]) -> SchemaRef {
    let mut all: Vec<FieldRef> = schema.fields().to_vec();
    all[place] = Arc::clone(&fields[0]);
    all.extend(fields[1..].iter().cloned());
    Arc::new(Schema::new(all))
}

fn lost() -> Error {
    Error::internal("columns that are only handed on got lost")
}
