//! One aggregate call of DataFusion's as ours, and the columns that such calls read.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema};
use datafusion_expr::expr::{AggregateFunction, NullTreatment};
use datafusion_expr::{Expr, ExprSchemable};

use super::nullable;
use crate::error::{Error, Result};
use crate::exec::aggregate::{AggregateSpec, Argument};
use crate::exec::expression::Expression;
use crate::functions::conversion_of;
use crate::plan::library_errors::explain;
use crate::plan::stream_plan::StreamPlan;

/// The columns that an aggregate operator reads: its input, projected.
pub(super) struct Inputs {
    expressions: Vec<Expression>,
    pub(super) fields: Vec<FieldRef>,
}

impl Inputs {
    pub(super) fn new() -> Self {
        Inputs {
            expressions: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// The place of a column; the same one twice has one place.
    pub(super) fn add(&mut self, expression: Expression, field: FieldRef) -> usize {
        // The same column twice is one column.
        if let Some(place) = self
            .expressions
            .iter()
            .position(|known| known.is_same_column(&expression))
        {
            return place;
        }
        self.expressions.push(expression);
        self.fields.push(field);
        self.expressions.len() - 1
    }

    /// The columns over `input`.
    pub(super) fn project(self, input: StreamPlan) -> StreamPlan {
        StreamPlan::Project {
            input: Box::new(input),
            expressions: self.expressions,
            schema: Arc::new(Schema::new(self.fields)),
        }
    }
}

/// What to run for a call; its arguments become columns of `inputs`.
pub(super) fn aggregate_spec(
    call: &AggregateFunction,
    field: &FieldRef,
    schema: &DFSchema,
    lower: &dyn Fn(&Expr) -> Result<Expression>,
    inputs: &mut Inputs,
) -> Result<AggregateSpec> {
    let params = &call.params;
    let mut arguments = Vec::new();
    let mut argument_fields = Vec::new();
    for expr in &params.args {
        let (_, argument_field) = expr.to_field(schema).map_err(explain)?;
        let argument_field = nullable(&argument_field);
        let expression = lower(expr)?;
        argument_fields.push(Arc::clone(&argument_field));
        match expression {
            Expression::Literal(value) => {
                // count(*) is count(1): no column is needed for it.
                let is_count = call.func.name() == "count" && params.args.len() == 1;
                if is_count && params.distinct {
                    return Err(Error::unsupported("count(DISTINCT *) is not built").help(
                        "name the columns: count(DISTINCT a), or count rows of SELECT DISTINCT",
                    ));
                }
                if is_count && !value.is_null() {
                    argument_fields.clear();
                    break;
                }
                arguments.push(Argument::Literal(value));
            }
            expression => arguments.push(Argument::Column(inputs.add(expression, argument_field))),
        }
    }
    let filter = match &params.filter {
        Some(filter) => {
            let field = arrow::datatypes::Field::new("filter", DataType::Boolean, true);
            Some(inputs.add(lower(filter)?, Arc::new(field)))
        }
        None => None,
    };
    let mut order_by = Vec::new();
    for key in &params.order_by {
        let (_, field) = key.expr.to_field(schema).map_err(explain)?;
        let column = inputs.add(lower(&key.expr)?, nullable(&field));
        let options = SortOptions {
            descending: !key.asc,
            nulls_first: key.nulls_first,
        };
        order_by.push((column, options));
    }
    let shown = display(call);
    Ok(AggregateSpec {
        function: Arc::clone(&call.func),
        arguments,
        argument_fields,
        filter,
        distinct: params.distinct,
        ignore_nulls: params.null_treatment == Some(NullTreatment::IgnoreNulls),
        order_by,
        output: Arc::new(field.as_ref().clone().with_nullable(true).with_name(&shown)),
        display: shown,
    })
}

/// The call as a user would write it.
fn display(call: &AggregateFunction) -> String {
    let params = &call.params;
    let arguments: Vec<String> = params
        .args
        .iter()
        .map(|arg| without_conversions(arg).human_display().to_string())
        .collect();
    let arguments = match (call.func.name(), arguments.as_slice()) {
        ("count", [one]) if one == "Int64(1)" || one == "1" => String::from("*"),
        _ => arguments.join(", "),
    };
    let distinct = if params.distinct { "DISTINCT " } else { "" };
    let mut text = format!("{}({distinct}{arguments})", call.func.name());
    if let Some(filter) = &params.filter {
        text.push_str(&format!(" FILTER (WHERE {})", shown(filter)));
    }
    text
}

/// An expression as it was before types were decided.
fn without_conversions(expr: &Expr) -> Expr {
    let bare = expr.clone().transform(|expr| {
        Ok(match &expr {
            Expr::ScalarFunction(call) if conversion_of(&call.func).is_some() => {
                let input = call.args.first().cloned();
                input.map_or(Transformed::no(expr), Transformed::yes)
            }
            _ => Transformed::no(expr),
        })
    });
    bare.map_or_else(|_| expr.clone(), |bare| bare.data)
}

/// An expression without the names of relations.
fn shown(expr: &Expr) -> String {
    let bare = without_conversions(expr).transform(|expr| {
        Ok(match expr {
            Expr::Column(column) => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            other => Transformed::no(other),
        })
    });
    bare.map_or_else(
        |_| expr.to_string(),
        |bare| bare.data.human_display().to_string(),
    )
}
