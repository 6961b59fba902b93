//! Merges projections: of columns into the read below, of expressions into the projection below.
//!
//! ```text
//!   Project a + 1                      Project x * 2 + 1             Project b, a         Read [b, a]
//!   └─ Project x * 2 AS a        ──►   └─ Read [x]                   └─ Read [a, b]  ──►
//!      └─ Read [x]
//! ```
//!
//! An expression that is used twice stays where it is: it is computed once, and its failures count once.

use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::exec::expression::Expression;
use crate::plan::stream_plan::StreamPlan;

pub(super) fn rewrite(plan: StreamPlan) -> Result<StreamPlan> {
    let (input, expressions, schema) = match plan {
        StreamPlan::Project {
            input,
            expressions,
            schema,
        } => (input, expressions, schema),
        StreamPlan::Filter { input, predicate } => {
            let predicate = with_names(vec![predicate], &input.schema()).remove(0);
            return Ok(StreamPlan::Filter { input, predicate });
        }
        other => return Ok(other),
    };
    let expressions = with_names(expressions, &input.schema());
    match *input {
        StreamPlan::Project {
            input: below,
            expressions: inner,
            schema: inner_schema,
        } => {
            if !can_merge(&expressions, &inner) {
                let input = StreamPlan::Project {
                    input: below,
                    expressions: inner,
                    schema: inner_schema,
                };
                return Ok(project(Box::new(input), expressions, schema));
            }
            let merged = expressions
                .iter()
                .map(|expression| expression.substitute(&inner))
                .collect();
            rewrite(StreamPlan::Project {
                input: below,
                expressions: merged,
                schema,
            })
        }
        StreamPlan::Read {
            source, columns, ..
        } if expressions.iter().all(is_column) => Ok(StreamPlan::Read {
            source,
            columns: expressions
                .iter()
                .flat_map(Expression::columns)
                .map(|c| columns[c])
                .collect(),
            schema,
        }),
        other => Ok(project(Box::new(other), expressions, schema)),
    }
}

/// A projection, unless it changes nothing. Names of columns are for people: they do not keep it.
fn project(input: Box<StreamPlan>, expressions: Vec<Expression>, schema: SchemaRef) -> StreamPlan {
    let below = input.schema();
    let same = expressions.len() == below.fields().len()
        && (expressions.iter().enumerate()).all(
            |(place, expression)| matches!(expression, Expression::Column(c, _) if *c == place),
        )
        && below
            .fields()
            .iter()
            .zip(schema.fields())
            .all(|(a, b)| a.data_type() == b.data_type());
    if same {
        return *input;
    }
    StreamPlan::Project {
        input,
        expressions,
        schema,
    }
}

fn is_column(expression: &Expression) -> bool {
    matches!(expression, Expression::Column(..))
}

/// True if no inner expression that costs anything would be computed twice.
fn can_merge(outer: &[Expression], inner: &[Expression]) -> bool {
    let mut uses = vec![0; inner.len()];
    for column in outer.iter().flat_map(Expression::columns) {
        uses[column] += 1;
    }
    let is_free = |expression: &Expression| {
        matches!(expression, Expression::Column(..) | Expression::Literal(_))
    };
    // Behind AND, OR and CASE an inner expression would not be evaluated for all rows any more.
    let plain = outer
        .iter()
        .all(|expression| is_column(expression) || !expression.is_conditional());
    inner.iter().zip(&uses).all(|(expression, uses)| {
        is_free(expression) || (*uses <= 1 && (plain || !expression.can_fail()))
    })
}

/// Columns under the names that they have in the input.
fn with_names(expressions: Vec<Expression>, input: &SchemaRef) -> Vec<Expression> {
    let columns: Vec<Expression> = (input.fields().iter().enumerate())
        .map(|(place, field)| Expression::Column(place, field.name().clone()))
        .collect();
    expressions
        .iter()
        .map(|expression| expression.substitute(&columns))
        .collect()
}
