//! GROUP BY: over a pending window, over a relation that has windows, or over all rows.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_expr::{Aggregate, Expr, ExprSchemable};

use super::aggregate_call::{Inputs, aggregate_spec};
use super::bounds::{bound_fields, bound_of, steps, time_of, uses_bounds, window_spec};
use super::relation::{Pending, Relation, Role, TimeOf, Visible};
use super::{Translator, nullable};
use crate::error::{Error, Result};
use crate::exec::aggregate::AggregateSpec;
use crate::exec::expression::Expression;
use crate::exec::group::GroupSpec;
use crate::exec::window::{CountWindowSpec, SessionSpec, WindowAggregateSpec, WindowSource};
use crate::plan::analyze::explain;
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;

/// What a GROUP BY key is.
enum Key {
    Bound(Visible),
    /// A column of the projected input.
    Input(usize),
}

impl Translator<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Relation> {
        let mut input = self.plan(&aggregate.input)?;
        let schema = aggregate.input.schema();
        if let Some(Expr::GroupingSet(_)) = aggregate.group_expr.first() {
            return Err(
                Error::unsupported("GROUPING SETS, ROLLUP and CUBE are not built")
                    .help("what works now: UNION ALL of one GROUP BY each"),
            );
        }
        if let Some(pending) = &input.pending {
            let of_bound = |expr: &&Expr| bound_of(expr, schema, pending).is_some();
            let grouped = aggregate.group_expr.iter().any(|expr| of_bound(&expr));
            let others = aggregate.group_expr.iter().filter(|expr| !of_bound(expr));
            let inside = others.chain(&aggregate.aggr_expr);
            let needs_bounds = inside
                .into_iter()
                .any(|expr| uses_bounds(expr, schema, pending));
            if grouped && !needs_bounds {
                return self.aggregate_windows(input, aggregate);
            }
            input = self.materialize(input)?;
        }
        self.aggregate_rows(input, aggregate)
    }

    /// GROUP BY the bounds of a pending window.
    fn aggregate_windows(&mut self, input: Relation, aggregate: &Aggregate) -> Result<Relation> {
        let schema = aggregate.input.schema();
        let Some(pending) = &input.pending else {
            return Err(Error::internal("a window that is not pending"));
        };
        let base = input.plan.schema();
        let mut inputs = Inputs::new();
        let mut keep = |column: usize| {
            let field = &base.fields()[column];
            inputs.add(
                Expression::Column(column, field.name().clone()),
                Arc::clone(field),
            )
        };
        let time = pending.time.map(&mut keep);
        let partition: Vec<usize> = pending
            .partition
            .iter()
            .map(|&column| keep(column))
            .collect();
        let mut keys = Vec::new();
        let mut group = Vec::new();
        for expr in &aggregate.group_expr {
            group.push(match bound_of(expr, schema, pending) {
                Some(bound) => Key::Bound(bound),
                None => {
                    let lowered = self.lower_pending(expr, schema, pending)?;
                    let column = inputs.add(lowered, key_field(expr, schema)?);
                    if !keys.contains(&column) {
                        keys.push(column);
                    }
                    Key::Input(column)
                }
            });
        }
        let grouped = keys.clone();
        let lower = |expr: &Expr| self.lower_pending(expr, schema, pending);
        let aggregates = self.aggregate_specs(aggregate, schema, &lower, &mut inputs)?;
        let pending = Pending {
            time,
            partition,
            ..pending.clone()
        };
        let fields = inputs.fields.clone();
        let plan = inputs.project(input.plan);
        let bounds = bound_fields(&plan, &pending)?;
        // Operators that know keys of their own put those first.
        let own = &pending.partition;
        let further: Vec<usize> = keys
            .iter()
            .copied()
            .filter(|key| !own.contains(key))
            .collect();
        let keys: Vec<usize> = own.iter().chain(&further).copied().collect();
        let mut output = bounds.clone();
        output.extend(keys.iter().map(|&key| Arc::clone(&fields[key])));
        output.extend(aggregates.iter().map(|spec| Arc::clone(&spec.output)));
        let output: SchemaRef = Arc::new(Schema::new(output));
        let delay = match pending.time_of {
            Some(TimeOf::Source(source, column)) => {
                self.sources.use_time(source, column, pending.span)?
            }
            _ => 0,
        };
        let plan = windowed(
            plan, &pending, &grouped, further, fields, aggregates, output, delay,
        )?;
        let place = |visible: Visible| match visible {
            Visible::Start => Some(0),
            Visible::End => Some(1),
            Visible::Time => Some(2),
            Visible::Base(_) => None,
        };
        let plan = self.apply_conditions(plan, &pending, &place)?;
        let key_place = |key: &Key| match key {
            Key::Bound(visible) => place(*visible),
            Key::Input(column) => keys
                .iter()
                .position(|key| key == column)
                .map(|n| bounds.len() + n),
        };
        let mut order = Vec::with_capacity(group.len() + aggregate.aggr_expr.len());
        let mut roles = Vec::with_capacity(order.capacity());
        for key in &group {
            let place = key_place(key).ok_or_else(|| Error::internal("a key that is lost"))?;
            order.push(place);
            roles.push(match key {
                Key::Bound(Visible::Start) => Role::Start,
                Key::Bound(Visible::End) => Role::End,
                Key::Bound(Visible::Time) => Role::Time(TimeOf::Window),
                Key::Bound(Visible::Base(_)) | Key::Input(_) => Role::None,
            });
        }
        let first = bounds.len() + keys.len();
        order.extend((0..aggregate.aggr_expr.len()).map(|number| first + number));
        roles.resize(order.len(), Role::None);
        Ok(Relation {
            plan: reorder(plan, &order),
            roles,
            // Count windows come out in the order of rows.
            closed: !matches!(pending.arguments, WindowArguments::Count { .. }),
            tumbling: input.tumbling,
            pending: None,
        })
    }

    /// GROUP BY over rows: over the windows that they carry, or over all of them.
    fn aggregate_rows(&mut self, input: Relation, aggregate: &Aggregate) -> Result<Relation> {
        let schema = aggregate.input.schema();
        let mut inputs = Inputs::new();
        let (mut start, mut end) = (None, None);
        let mut group = Vec::new();
        let mut roles = Vec::new();
        for expr in &aggregate.group_expr {
            let expression = self.lower(expr, schema)?;
            let (role, field) = match &expression {
                Expression::Column(index, _) => (input.roles[*index], input.plan.field(*index)),
                _ => (Role::None, key_field(expr, schema)?),
            };
            let column = inputs.add(expression, field);
            match role {
                Role::Start => start = Some(column),
                Role::End => end = Some(column),
                _ => {}
            }
            group.push(column);
            roles.push(role);
        }
        let lower = |expr: &Expr| self.lower(expr, schema);
        let aggregates = self.aggregate_specs(aggregate, schema, &lower, &mut inputs)?;
        let attached = match (start, end) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            _ => {
                return Err(Error::plan(
                    "grouping by a window takes both of its bounds, and one was not selected below",
                )
                .help("select window_start and window_end in the subquery"));
            }
        };
        let time_column = attached.and_then(|_| {
            let time = input
                .roles
                .iter()
                .position(|r| matches!(r, Role::Time(TimeOf::Source(..))))?;
            let field = input.plan.field(time);
            Some(inputs.add(Expression::Column(time, field.name().clone()), field))
        });
        let fields = inputs.fields.clone();
        let plan = inputs.project(input.plan);
        let mut keys: Vec<usize> = Vec::new();
        for &column in &group {
            let is_bound = Some(column) == start || Some(column) == end;
            if !keys.contains(&column) && !(attached.is_some() && is_bound) {
                keys.push(column);
            }
        }
        let mut output: Vec<FieldRef> = Vec::new();
        if let Some((start, end)) = attached {
            let time = fields[end].as_ref().clone().with_name("window_time");
            output.extend([
                Arc::clone(&fields[start]),
                Arc::clone(&fields[end]),
                Arc::new(time),
            ]);
        }
        let bounds = output.len();
        output.extend(keys.iter().map(|&key| Arc::clone(&fields[key])));
        output.extend(aggregates.iter().map(|spec| Arc::clone(&spec.output)));
        let output: SchemaRef = Arc::new(Schema::new(output));
        let calls = aggregates.len();
        let key_fields = keys.iter().map(|&key| Arc::clone(&fields[key])).collect();
        let plan = match attached {
            Some((start_column, end_column)) => StreamPlan::WindowAggregate(
                Box::new(plan),
                WindowAggregateSpec {
                    source: WindowSource::Attached {
                        start_column,
                        end_column,
                        time_column,
                    },
                    delay: 0,
                    keys: keys.clone(),
                    key_fields,
                    aggregates,
                    schema: output,
                },
            ),
            None => StreamPlan::Group(
                Box::new(plan),
                GroupSpec {
                    keys: keys.clone(),
                    key_fields,
                    aggregates,
                    schema: output,
                },
            ),
        };
        let mut order = Vec::new();
        for &column in &group {
            order.push(match attached {
                Some((start, _)) if column == start => 0,
                Some((_, end)) if column == end => 1,
                _ => {
                    let key = keys.iter().position(|key| *key == column);
                    bounds + key.ok_or_else(|| Error::internal("a key that is lost"))?
                }
            });
        }
        order.extend((0..calls).map(|number| bounds + keys.len() + number));
        roles.resize(order.len(), Role::None);
        if attached.is_none() {
            roles.fill(Role::None);
        }
        Ok(Relation {
            plan: reorder(plan, &order),
            roles,
            closed: attached.is_some(),
            tumbling: input.tumbling && attached.is_some(),
            pending: None,
        })
    }

    fn aggregate_specs(
        &self,
        aggregate: &Aggregate,
        schema: &DFSchema,
        lower: &dyn Fn(&Expr) -> Result<Expression>,
        inputs: &mut Inputs,
    ) -> Result<Vec<AggregateSpec>> {
        let names = aggregate
            .schema
            .fields()
            .iter()
            .skip(aggregate.group_expr.len());
        (aggregate.aggr_expr.iter().zip(names))
            .map(|(expr, field)| {
                let inner = match expr {
                    Expr::Alias(alias) => alias.expr.as_ref(),
                    other => other,
                };
                match inner {
                    Expr::AggregateFunction(call) => {
                        aggregate_spec(call, field, schema, lower, inputs)
                    }
                    other => Err(Error::internal(format!("an aggregate `{other}`"))),
                }
            })
            .collect()
    }
}

/// The operator for the windows of a call: `grouped` are the keys of GROUP BY, `further` those of them that
/// are no keys of the window itself.
#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one spec, each used once"
)]
fn windowed(
    plan: StreamPlan,
    pending: &Pending,
    grouped: &[usize],
    further: Vec<usize>,
    fields: Vec<FieldRef>,
    aggregates: Vec<AggregateSpec>,
    schema: SchemaRef,
    delay: i64,
) -> Result<StreamPlan> {
    let of = |columns: &[usize]| {
        columns
            .iter()
            .map(|&column| Arc::clone(&fields[column]))
            .collect()
    };
    let key_fields: Vec<FieldRef> = of(&further);
    let partition = pending.partition.clone();
    let partition_fields: Vec<FieldRef> = of(&partition);
    if let Some(window) = window_spec(&pending.arguments) {
        let (time_column, unit, zone) = time_of(&plan, pending)?;
        return Ok(StreamPlan::WindowAggregate(
            Box::new(plan),
            WindowAggregateSpec {
                source: WindowSource::Assigned {
                    window,
                    time_column,
                    unit,
                    zone,
                },
                delay,
                keys: further,
                key_fields,
                aggregates,
                schema,
            },
        ));
    }
    match &pending.arguments {
        WindowArguments::Session { gap } => {
            let (time_column, unit, _) = time_of(&plan, pending)?;
            Ok(StreamPlan::SessionAggregate(
                Box::new(plan),
                SessionSpec {
                    time_column,
                    gap: steps(gap, unit)?,
                    delay,
                    partition,
                    partition_fields,
                    keys: further,
                    key_fields,
                    aggregates,
                    schema,
                },
            ))
        }
        WindowArguments::Count { size, slide } => {
            if let Some(missing) = partition.iter().find(|column| !grouped.contains(column)) {
                return Err(Error::plan(format!(
                    "GROUP BY must contain the key `{}` of COUNT_WINDOW",
                    fields[*missing].name()
                ))
                .at(pending.span)
                .help("add it to GROUP BY: row numbers count the rows of one key"));
            }
            Ok(StreamPlan::CountAggregate(
                Box::new(plan),
                CountWindowSpec {
                    size: *size,
                    slide: *slide,
                    partition,
                    partition_fields,
                    keys: further,
                    key_fields,
                    aggregates,
                    schema,
                },
            ))
        }
        other => Err(Error::internal(format!("a window {other:?}"))),
    }
}

/// The columns in the order of DataFusion's aggregate.
fn reorder(plan: StreamPlan, order: &[usize]) -> StreamPlan {
    let schema = plan.schema();
    let field = |place: &usize| Arc::clone(&schema.fields()[*place]);
    let column = |place: &usize| Expression::Column(*place, schema.field(*place).name().clone());
    StreamPlan::Project {
        expressions: order.iter().map(column).collect(),
        schema: Arc::new(Schema::new(order.iter().map(field).collect::<Vec<_>>())),
        input: Box::new(plan),
    }
}

fn key_field(expr: &Expr, schema: &DFSchema) -> Result<FieldRef> {
    let (_, field) = expr.to_field(schema).map_err(explain)?;
    Ok(nullable(&field))
}
