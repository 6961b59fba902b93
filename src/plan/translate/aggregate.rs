//! GROUP BY: over a pending window, over a relation that has windows, or over all rows.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_expr::{Aggregate, Expr, ExprSchemable};

use super::aggregate_call::{Inputs, aggregate_spec};
use super::bounds::{bound_fields, bound_of, uses_bounds};
use super::relation::{Pending, Relation, Role, TimeOf, Visible};
use super::windowed::{Grouping, windowed};
use super::{Translator, nullable};
use crate::error::{Error, Result};
use crate::exec::aggregate::AggregateSpec;
use crate::exec::expression::Expression;
use crate::exec::group::GroupSpec;
use crate::exec::window::{WindowAggregateSpec, WindowSource};
use crate::plan::library_errors::explain;
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;

/// What a key of GROUP BY over a pending window is.
enum Key {
    Bound(Visible),
    /// A column of the projected input.
    Input(usize),
}

/// The keys of GROUP BY over rows, by columns of the projected input.
#[derive(Default)]
struct RowKeys {
    /// In the order of GROUP BY.
    group: Vec<usize>,
    roles: Vec<Role>,
    /// Each once, without the bounds of windows.
    keys: Vec<usize>,
    /// The columns of `window_start` and `window_end`, if rows carry windows.
    attached: Option<(usize, usize)>,
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
            let mut inside = others.chain(&aggregate.aggr_expr);
            if grouped && !inside.any(|expr| uses_bounds(expr, schema, pending)) {
                return self.aggregate_windows(input, aggregate);
            }
            input = self.materialize(input)?;
        }
        self.aggregate_rows(input, aggregate)
    }

    /// GROUP BY the bounds of a pending window.
    fn aggregate_windows(&mut self, input: Relation, aggregate: &Aggregate) -> Result<Relation> {
        let Some(pending) = &input.pending else {
            return Err(Error::internal("a window that is not pending"));
        };
        let schema = aggregate.input.schema();
        let mut inputs = Inputs::new();
        let pending = keep_window_columns(pending, &input.plan, &mut inputs);
        let before = input.pending.as_ref().unwrap_or(&pending);
        let group = self.window_keys(aggregate, before, &mut inputs)?;
        let lower = |expr: &Expr| self.lower_pending(expr, schema, before);
        let aggregates = self.aggregate_specs(aggregate, schema, &lower, &mut inputs)?;
        let fields = inputs.fields.clone();
        let plan = inputs.project(input.plan.clone());
        let grouping = Grouping::new(
            &group.iter().filter_map(Key::input).collect::<Vec<_>>(),
            &pending,
        );
        let bounds = bound_fields(&plan, &pending)?;
        let mut output = bounds.clone();
        output.extend(grouping.output.iter().map(|&key| Arc::clone(&fields[key])));
        output.extend(aggregates.iter().map(|spec| Arc::clone(&spec.output)));
        let delay = match pending.time_of {
            Some(TimeOf::Source(source, column)) => {
                self.sources.use_time(source, column, pending.span)?
            }
            Some(TimeOf::Several(number)) => {
                let mut longest = 0;
                for (source, column) in self.times[number].clone() {
                    longest = longest.max(self.sources.use_time(source, column, pending.span)?);
                }
                longest
            }
            Some(TimeOf::Window) | None => 0,
        };
        let output = Arc::new(Schema::new(output));
        let calls = aggregates.len();
        let plan = windowed(
            plan, &pending, &grouping, &fields, aggregates, output, delay,
        )?;
        let plan = self.apply_conditions(plan, &pending, &place_of_bound)?;
        let mut order = Vec::with_capacity(group.len() + calls);
        for key in &group {
            let place = match key {
                Key::Bound(visible) => place_of_bound(*visible),
                Key::Input(column) => grouping.place(*column).map(|place| bounds.len() + place),
            };
            order.push(place.ok_or_else(|| Error::internal("a key that is lost"))?);
        }
        order.extend((0..calls).map(|call| bounds.len() + grouping.output.len() + call));
        let mut roles: Vec<Role> = group.iter().map(Key::role).collect();
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

    fn window_keys(
        &self,
        aggregate: &Aggregate,
        pending: &Pending,
        inputs: &mut Inputs,
    ) -> Result<Vec<Key>> {
        let schema = aggregate.input.schema();
        let mut group = Vec::with_capacity(aggregate.group_expr.len());
        for expr in &aggregate.group_expr {
            group.push(match bound_of(expr, schema, pending) {
                Some(bound) => Key::Bound(bound),
                None => {
                    let lowered = self.lower_pending(expr, schema, pending)?;
                    Key::Input(inputs.add(lowered, key_field(expr, schema)?))
                }
            });
        }
        Ok(group)
    }

    /// GROUP BY over rows: over the windows that they carry, or over all of them.
    fn aggregate_rows(&mut self, input: Relation, aggregate: &Aggregate) -> Result<Relation> {
        let schema = aggregate.input.schema();
        let mut inputs = Inputs::new();
        let keys = self.row_keys(aggregate, &input, &mut inputs)?;
        let lower = |expr: &Expr| self.lower(expr, schema);
        let aggregates = self.aggregate_specs(aggregate, schema, &lower, &mut inputs)?;
        let calls = aggregates.len();
        // Rows that carry windows are late by their own time, if they still have it.
        let mut roles_of_time = input.roles.iter();
        let time = keys.attached.and_then(|_| {
            let place = roles_of_time.position(|r| matches!(r, Role::Time(TimeOf::Source(..))))?;
            let field = input.plan.field(place);
            Some(inputs.add(Expression::Column(place, field.name().clone()), field))
        });
        let fields = inputs.fields.clone();
        let plan = inputs.project(input.plan);
        let (plan, bounds) = keys.operator(plan, &fields, aggregates, time);
        let mut order = Vec::with_capacity(keys.group.len() + calls);
        for &column in &keys.group {
            order.push(match keys.attached {
                Some((start, _)) if column == start => 0,
                Some((_, end)) if column == end => 1,
                _ => {
                    let key = keys.keys.iter().position(|key| *key == column);
                    bounds + key.ok_or_else(|| Error::internal("a key that is lost"))?
                }
            });
        }
        order.extend((0..calls).map(|call| bounds + keys.keys.len() + call));
        let attached = keys.attached.is_some();
        let mut roles = if attached { keys.roles } else { Vec::new() };
        roles.resize(order.len(), Role::None);
        Ok(Relation {
            plan: reorder(plan, &order),
            roles,
            closed: attached,
            tumbling: input.tumbling && attached,
            pending: None,
        })
    }

    fn row_keys(
        &self,
        aggregate: &Aggregate,
        input: &Relation,
        inputs: &mut Inputs,
    ) -> Result<RowKeys> {
        let schema = aggregate.input.schema();
        let mut found = RowKeys::default();
        let (mut start, mut end) = (None, None);
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
            found.group.push(column);
            found.roles.push(role);
        }
        found.attached = match (start, end) {
            (Some(start), Some(end)) => Some((start, end)),
            (None, None) => None,
            _ => {
                return Err(Error::plan(
                    "grouping by a window takes both of its bounds, and one was not selected below",
                )
                .help("select window_start and window_end in the subquery"));
            }
        };
        for &column in &found.group {
            let is_bound = found.attached.is_some() && [start, end].contains(&Some(column));
            if !is_bound && !found.keys.contains(&column) {
                found.keys.push(column);
            }
        }
        Ok(found)
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

impl Key {
    fn input(&self) -> Option<usize> {
        match self {
            Key::Input(column) => Some(*column),
            Key::Bound(_) => None,
        }
    }

    fn role(&self) -> Role {
        match self {
            Key::Bound(Visible::Start) => Role::Start,
            Key::Bound(Visible::End) => Role::End,
            Key::Bound(Visible::Time) => Role::Time(TimeOf::Window),
            Key::Bound(Visible::Base(_)) | Key::Input(_) => Role::None,
        }
    }
}

impl RowKeys {
    /// The operator for these keys over its projected input, and how many bounds its output begins with.
    fn operator(
        &self,
        plan: StreamPlan,
        fields: &[FieldRef],
        aggregates: Vec<AggregateSpec>,
        time_column: Option<usize>,
    ) -> (StreamPlan, usize) {
        let mut output: Vec<FieldRef> = Vec::new();
        if let Some((start, end)) = self.attached {
            let time = fields[end].as_ref().clone().with_name("window_time");
            output.extend([
                Arc::clone(&fields[start]),
                Arc::clone(&fields[end]),
                Arc::new(time),
            ]);
        }
        let bounds = output.len();
        let key_fields: Vec<FieldRef> = self
            .keys
            .iter()
            .map(|&key| Arc::clone(&fields[key]))
            .collect();
        output.extend(key_fields.iter().cloned());
        output.extend(aggregates.iter().map(|spec| Arc::clone(&spec.output)));
        let schema: SchemaRef = Arc::new(Schema::new(output));
        let keys = self.keys.clone();
        let plan = Box::new(plan);
        let plan = match self.attached {
            Some((start_column, end_column)) => StreamPlan::WindowAggregate(
                plan,
                WindowAggregateSpec {
                    source: WindowSource::Attached {
                        start_column,
                        end_column,
                        time_column,
                    },
                    delay: 0,
                    keys,
                    key_fields,
                    aggregates,
                    schema,
                },
            ),
            None => StreamPlan::Group(
                plan,
                GroupSpec {
                    keys,
                    key_fields,
                    aggregates,
                    schema,
                },
            ),
        };
        (plan, bounds)
    }
}

/// Makes the time and the keys of a window columns of `inputs`.
fn keep_window_columns(pending: &Pending, plan: &StreamPlan, inputs: &mut Inputs) -> Pending {
    let schema = plan.schema();
    let mut keep = |column: usize| {
        let field = &schema.fields()[column];
        inputs.add(
            Expression::Column(column, field.name().clone()),
            Arc::clone(field),
        )
    };
    Pending {
        time: pending.time.map(&mut keep),
        partition: pending
            .partition
            .iter()
            .map(|&column| keep(column))
            .collect(),
        ..pending.clone()
    }
}

/// Where a windowed aggregate puts a bound.
fn place_of_bound(visible: Visible) -> Option<usize> {
    match visible {
        Visible::Start => Some(0),
        Visible::End => Some(1),
        Visible::Time => Some(2),
        Visible::Base(_) => None,
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
