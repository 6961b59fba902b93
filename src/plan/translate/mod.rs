//! DataFusion's logical plan to ours: where windows meet their aggregates.
//!
//! ```text
//!  Aggregate [window_start, window_end, host] [count(*)]
//!    Filter [status >= 500]                                  WindowAggregate(TUMBLE 1m, host, count(*))
//!      Window [TUMBLE ts 1m]                          ──►      Filter [status >= 500]
//!        SubqueryAlias                                           Read [ts, host, status]
//!          TableScan [ts, host, status]                        ─ watermark ts - 5s ─ source
//! ```
//!
//! A window over a relation stays *pending* while filters and projections pass over it: its bounds are
//! no columns yet. An aggregate that groups by them takes the window; whoever needs the bounds as columns
//! makes rows of them (`Assign`). Every column carries its role: a time attribute, a bound, or nothing.

mod aggregate;
mod aggregate_call;
mod bounds;
mod carried;
mod pending;
mod relation;
mod sources;
mod union;
mod windowed;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::{Expr, FetchType, LogicalPlan, Projection, SkipType, SortExpr};

use super::expression::Lowering;
use super::library_errors::explain;
use super::names::Resolved;
use super::nodes::{LimitByNode, WindowNode};
use super::stream_plan::{StreamPlan, StreamQuery};
use super::{PlanSettings, context};
use crate::error::{Error, Result};
use crate::exec::expression::{Expression, Failures};
use crate::exec::limit::{LimitBySpec, LimitSpec};
use crate::exec::sort::SortSpec;

use relation::{Relation, Role};
use sources::Sources;

/// Translates an optimized logical plan.
///
/// # Errors
/// Operators that are not built, with what works now; windows over columns that are no time attribute.
pub fn translate(
    plan: &LogicalPlan,
    resolved: &Resolved,
    settings: &PlanSettings,
    registry: &context::Registry,
) -> Result<StreamQuery> {
    let mut translator = Translator {
        sources: Sources::new(resolved, settings, registry)?,
        options: Arc::new(context::options(settings.zone)),
        times: Vec::new(),
        keep_bounds: false,
    };
    let relation = translator.plan(plan)?;
    let relation = translator.materialize(relation)?;
    let root = union::visible(relation.plan, plan.schema().fields().len());
    let (root, schema) = match &resolved.carried {
        Some(carried) => {
            let fields = translator.sources.carry(carried);
            let root = carried::put_back(root, carried, &fields)?;
            let schema = root.schema();
            (root, schema)
        }
        None => {
            let schema = output_schema(plan, &root);
            (root, schema)
        }
    };
    let (sources, root) = translator.sources.finish(root)?;
    Ok(StreamQuery {
        sources,
        root,
        schema,
    })
}

/// The result's columns: names from DataFusion, types and marks from ours.
fn output_schema(plan: &LogicalPlan, ours: &StreamPlan) -> SchemaRef {
    let fields: Vec<FieldRef> = plan
        .schema()
        .fields()
        .iter()
        .zip(ours.schema().fields())
        .map(|(name, ours)| Arc::new(ours.as_ref().clone().with_name(name.name())))
        .collect();
    Arc::new(Schema::new(fields))
}

struct Translator<'a> {
    sources: Sources<'a>,
    options: Arc<ConfigOptions>,
    /// The time columns of unions over several sources: source and column by number.
    times: Vec<Vec<(usize, usize)>>,
    /// True below a UNION ALL, which orders closed windows by their bounds, selected or not.
    keep_bounds: bool,
}

impl Translator<'_> {
    fn plan(&mut self, plan: &LogicalPlan) -> Result<Relation> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.plan_here(plan))
    }

    fn plan_here(&mut self, plan: &LogicalPlan) -> Result<Relation> {
        match plan {
            LogicalPlan::TableScan(scan) => {
                let relation = self.sources.scan(scan)?;
                match datafusion_expr::utils::conjunction(scan.filters.iter().cloned()) {
                    Some(condition) => self.filter(relation, &condition, &scan.projected_schema),
                    None => Ok(relation),
                }
            }
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input),
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => {
                let input = self.plan(&filter.input)?;
                self.filter(input, &filter.predicate, filter.input.schema())
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Sort(sort) => {
                let input = self.plan(&sort.input)?;
                let sorted = self.sort(input, &sort.expr, sort.input.schema())?;
                match sort.fetch {
                    Some(limit) => self.limit(sorted, 0, Some(limit as u64)),
                    None => Ok(sorted),
                }
            }
            LogicalPlan::Limit(limit) => {
                let input = self.plan(&limit.input)?;
                let (SkipType::Literal(skip), FetchType::Literal(fetch)) = (
                    limit.get_skip_type().map_err(explain)?,
                    limit.get_fetch_type().map_err(explain)?,
                ) else {
                    return Err(Error::plan("LIMIT and OFFSET take whole numbers"));
                };
                self.limit(input, skip as u64, fetch.map(|fetch| fetch as u64))
            }
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::EmptyRelation(empty) => {
                let rows = usize::from(empty.produce_one_row);
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let schema: SchemaRef = Arc::new(empty.schema.as_arrow().clone());
                let columns = (schema.fields().iter())
                    .map(|field| arrow::array::new_null_array(field.data_type(), rows))
                    .collect();
                let rows = RecordBatch::try_new_with_options(schema, columns, &options)?;
                Ok(Relation::plain(StreamPlan::Rows(rows)))
            }
            LogicalPlan::Values(values) => self.values(&values.values, &values.schema),
            LogicalPlan::Extension(extension) => {
                let node = extension.node.as_any();
                if let Some(window) = node.downcast_ref::<WindowNode>() {
                    return self.window(window);
                }
                if let Some(limit) = node.downcast_ref::<LimitByNode>() {
                    return self.limit_by(limit);
                }
                Err(Error::internal(format!(
                    "an operator `{}`",
                    extension.node.name()
                )))
            }
            other => Err(refuse(other)),
        }
    }

    fn lowering<'l>(
        &'l self,
        schema: &'l DFSchema,
        columns: &'l dyn Fn(usize) -> Option<usize>,
    ) -> Lowering<'l> {
        Lowering {
            schema,
            columns,
            options: &self.options,
        }
    }

    /// An expression over all columns of a relation that is not pending.
    fn lower(&self, expr: &Expr, schema: &DFSchema) -> Result<Expression> {
        self.lowering(schema, &Some).lower(expr)
    }

    fn projection(&mut self, projection: &Projection) -> Result<Relation> {
        let input = self.plan(&projection.input)?;
        let schema = projection.input.schema();
        if input.pending.is_some() {
            return self.project_pending(input, &projection.expr, schema, &projection.schema);
        }
        let mut expressions = Vec::with_capacity(projection.expr.len());
        let mut roles = Vec::with_capacity(projection.expr.len());
        let mut fields: Vec<FieldRef> = Vec::with_capacity(projection.expr.len());
        for (expr, field) in projection.expr.iter().zip(projection.schema.fields()) {
            let expression = self.lower(expr, schema)?;
            let (role, field) = projected(&input, expr, &expression, field);
            roles.push(role);
            fields.push(field);
            expressions.push(expression);
        }
        if self.keep_bounds && input.closed {
            // The bounds of closed windows stay behind the columns, for a UNION ALL that orders by them.
            for (column, role) in input.roles.iter().enumerate() {
                if matches!(role, Role::Start | Role::End) && !roles.contains(role) {
                    let field = input.plan.field(column);
                    expressions.push(Expression::Column(column, field.name().clone()));
                    roles.push(*role);
                    fields.push(field);
                }
            }
        }
        let is_identity = expressions.len() == input.roles.len()
            && (expressions.iter().enumerate())
                .all(|(place, e)| matches!(e, Expression::Column(index, _) if *index == place))
            && input
                .plan
                .schema()
                .fields()
                .iter()
                .zip(&fields)
                .all(|(a, b)| a.name() == b.name());
        if is_identity {
            return Ok(input);
        }
        Ok(Relation {
            plan: StreamPlan::Project {
                input: Box::new(input.plan),
                expressions,
                schema: Arc::new(Schema::new(fields)),
            },
            roles,
            tumbling: input.tumbling,
            closed: input.closed,
            pending: None,
        })
    }

    fn filter(&mut self, input: Relation, predicate: &Expr, schema: &DFSchema) -> Result<Relation> {
        if input.pending.is_some() {
            return self.filter_pending(input, predicate, schema);
        }
        let predicate = self.lower(predicate, schema)?;
        Ok(Relation {
            plan: StreamPlan::Filter {
                input: Box::new(input.plan),
                predicate,
            },
            ..input
        })
    }

    fn sort(&mut self, input: Relation, keys: &[SortExpr], schema: &DFSchema) -> Result<Relation> {
        let input = self.materialize(input)?;
        let mut relation = input;
        let width = relation.roles.len();
        let mut expressions = columns_of(&relation.plan.schema());
        let mut fields: Vec<FieldRef> = relation.plan.schema().fields().iter().cloned().collect();
        let mut sort_keys = Vec::with_capacity(keys.len());
        for key in keys {
            let expression = self.lower(&key.expr, schema)?;
            let column = match &expression {
                Expression::Column(index, _) => *index,
                _ => {
                    let (_, field) = datafusion_expr::ExprSchemable::to_field(&key.expr, schema)
                        .map_err(explain)?;
                    fields.push(nullable(&field));
                    expressions.push(expression);
                    fields.len() - 1
                }
            };
            let options = arrow::compute::SortOptions {
                descending: !key.asc,
                nulls_first: key.nulls_first,
            };
            sort_keys.push((column, options));
        }
        let first = sort_keys.first();
        let streaming = first.is_some_and(|(column, options)| {
            let role = relation.roles.get(*column).copied().unwrap_or(Role::None);
            let ordered = match role {
                Role::End => relation.closed,
                Role::Start => relation.closed && relation.tumbling,
                Role::None | Role::Time(_) => false,
            };
            ordered && !options.descending
        });
        if !streaming {
            // All rows wait for the end, when every watermark has passed: no time is one any more.
            relation.roles.fill(Role::None);
            relation.closed = false;
        }
        let added = fields.len() > width;
        if added {
            relation.plan = StreamPlan::Project {
                input: Box::new(relation.plan),
                expressions,
                schema: Arc::new(Schema::new(fields.clone())),
            };
        }
        relation.plan = StreamPlan::Sort(
            Box::new(relation.plan),
            SortSpec {
                keys: sort_keys,
                streaming,
            },
        );
        if added {
            let schema: SchemaRef = Arc::new(Schema::new(fields[..width].to_vec()));
            relation.plan = StreamPlan::Project {
                input: Box::new(relation.plan),
                expressions: columns_of(&schema),
                schema,
            };
        }
        Ok(relation)
    }

    fn limit(&mut self, input: Relation, offset: u64, limit: Option<u64>) -> Result<Relation> {
        let input = self.materialize(input)?;
        let spec = LimitSpec { offset, limit };
        Ok(Relation {
            plan: StreamPlan::Limit(Box::new(input.plan), spec),
            ..input
        })
    }

    fn limit_by(&mut self, node: &LimitByNode) -> Result<Relation> {
        let input = self.plan(&node.input)?;
        let input = self.materialize(input)?;
        let mut by = Vec::new();
        for key in &node.by {
            match self.lower(key, node.input.schema())? {
                Expression::Column(index, _) => by.push(index),
                other => return Err(Error::internal(format!("LIMIT BY `{other}`"))),
            }
        }
        if node.offset != 0 {
            return Err(Error::unsupported("LIMIT n BY with OFFSET is not built")
                .help("what works now: LIMIT n BY column"));
        }
        // Keys that hold a bound of a closed window are forgotten when the window is out.
        let is_whole = |column: &usize| match input.roles[*column] {
            Role::End => true,
            Role::Start => input.tumbling,
            Role::None | Role::Time(_) => false,
        };
        let schema = input.plan.schema();
        let spec = LimitBySpec {
            limit: node.limit,
            key_fields: by
                .iter()
                .map(|&key| Arc::clone(&schema.fields()[key]))
                .collect(),
            by_window: input.closed && by.iter().any(is_whole),
            keys: by,
        };
        Ok(Relation {
            plan: StreamPlan::LimitBy(Box::new(input.plan), spec),
            ..input
        })
    }

    fn values(&mut self, rows: &[Vec<Expr>], schema: &DFSchema) -> Result<Relation> {
        let nothing = DFSchema::empty();
        let one = RecordBatch::try_new_with_options(
            Arc::new(Schema::empty()),
            Vec::new(),
            &RecordBatchOptions::new().with_row_count(Some(1)),
        )?;
        let mut columns = Vec::with_capacity(schema.fields().len());
        for (column, field) in schema.fields().iter().enumerate() {
            let mut values = Vec::with_capacity(rows.len());
            for row in rows {
                let expression = self.lower(&row[column], &nothing)?;
                let array = expression.column(&one, &mut Failures::new())?;
                values.push(ScalarValue::try_from_array(&array, 0).map_err(explain)?);
            }
            let column = ScalarValue::iter_to_array(values).map_err(explain)?;
            columns.push(arrow::compute::cast(&column, field.data_type())?);
        }
        let fields: Vec<FieldRef> = schema.fields().iter().map(nullable).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        Ok(Relation::plain(StreamPlan::Rows(batch)))
    }
}

/// The role and the field of a column that `expr` makes of `input`.
fn projected(
    input: &Relation,
    expr: &Expr,
    expression: &Expression,
    field: &FieldRef,
) -> (Role, FieldRef) {
    let named = |field: &FieldRef, name: &str| Arc::new(field.as_ref().clone().with_name(name));
    match expression {
        Expression::Column(index, _) => {
            let own = input.plan.field(*index);
            // Only names that the user gave; DataFusion's own are not for people.
            let is_alias = matches!(expr, Expr::Alias(_));
            let name = if is_alias { field.name() } else { own.name() };
            (input.roles[*index], named(&own, name))
        }
        // A common subexpression has such a name, too.
        _ if field.name().starts_with("__common_expr") => {
            (Role::None, named(&nullable(field), &expression.to_string()))
        }
        _ => (Role::None, nullable(field)),
    }
}

/// Each column of a schema as an expression.
fn columns_of(schema: &Schema) -> Vec<Expression> {
    let column =
        |(index, field): (usize, &FieldRef)| Expression::Column(index, field.name().clone());
    schema.fields().iter().enumerate().map(column).collect()
}

/// Our columns may all be NULL: no value stops a query.
fn nullable(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_nullable(true))
}

fn refuse(plan: &LogicalPlan) -> Error {
    match plan {
        LogicalPlan::Join(_) => Error::unsupported("joins are not built yet").help(
            "what works now: one relation in FROM, UNION ALL, FILTER (WHERE …) to set several \
             aggregates side by side",
        ),
        LogicalPlan::Window(_) => Error::unsupported("OVER is not built yet").help(
            "what works now: HOP windows for moving aggregates, LIMIT n BY for the first rows",
        ),
        LogicalPlan::RecursiveQuery(_) => Error::unsupported("WITH RECURSIVE is not built")
            .help("what works now: WITH without RECURSIVE"),
        LogicalPlan::Distinct(_) => Error::unsupported("DISTINCT ON is not built")
            .help("what works now: SELECT DISTINCT, LIMIT n BY, first_value(… ORDER BY …)"),
        LogicalPlan::Unnest(_) => {
            Error::unsupported("UNNEST is not built yet").help("what works now: one row per record")
        }
        other => Error::unsupported(format!("`{}` is not built", other.display()))
            .help("README.md lists the SQL that works"),
    }
}
