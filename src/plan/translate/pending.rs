//! Windows whose bounds are no columns yet: filters and projections pass below them.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_expr::Expr;
use datafusion_expr::utils::{conjunction, split_conjunction};

use super::relation::{Pending, Relation, Role, TimeOf, Visible};
use super::{Translator, columns_of, nullable};
use crate::error::{Error, Result};
use crate::exec::expression::Expression;
use crate::exec::window::{SessionRowsSpec, WindowAssignSpec};
use crate::plan::nodes::WindowNode;
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;
use crate::time::{Interval, Unit, WindowSpec, Zone};

impl Translator<'_> {
    /// A window over a relation.
    pub(super) fn window(&mut self, node: &WindowNode) -> Result<Relation> {
        let input = self.plan(&node.input)?;
        let mut input = self.materialize(input)?;
        let schema = node.input.schema();
        let width = input.roles.len();
        let mut expressions = columns_of(&input.plan.schema());
        let mut fields: Vec<FieldRef> = input.plan.schema().fields().iter().cloned().collect();
        let time = match &node.time {
            Some(time) => Some(self.window_time(time, schema, &input, node)?),
            None => None,
        };
        let mut partition = Vec::with_capacity(node.partition_by.len());
        for key in &node.partition_by {
            partition.push(match self.lower(key, schema)? {
                Expression::Column(index, _) => index,
                expression => {
                    let (_, field) = datafusion_expr::ExprSchemable::to_field(key, schema)
                        .map_err(crate::plan::analyze::explain)?;
                    expressions.push(expression);
                    fields.push(nullable(&field));
                    fields.len() - 1
                }
            });
        }
        if fields.len() > width {
            input.plan = StreamPlan::Project {
                input: Box::new(input.plan),
                expressions,
                schema: Arc::new(Schema::new(fields.clone())),
            };
        }
        let timed = time.is_some();
        let time_of = time.and_then(|time| match input.roles[time] {
            Role::Time(time_of) => Some(time_of),
            _ => None,
        });
        let mut visible: Vec<Visible> = (0..width).map(Visible::Base).collect();
        visible.extend([Visible::Start, Visible::End]);
        let mut roles = input.roles;
        roles.extend([Role::Start, Role::End]);
        if timed {
            visible.push(Visible::Time);
            roles.push(Role::Time(TimeOf::Window));
        }
        let mut visible_fields = fields[..width].to_vec();
        let bounds = node_fields(node, width);
        visible_fields.extend(bounds.iter().map(|field| mark(field, &node.arguments)));
        Ok(Relation {
            plan: input.plan,
            roles,
            closed: false,
            tumbling: matches!(
                node.arguments,
                WindowArguments::Tumble { .. } | WindowArguments::Hop { .. }
            ),
            pending: Some(Pending {
                arguments: node.arguments.clone(),
                span: node.span,
                time,
                time_of,
                partition,
                visible,
                fields: visible_fields,
                conditions: Vec::new(),
            }),
        })
    }

    /// The time column of a window: a time attribute, under whatever name.
    fn window_time(
        &mut self,
        time: &Expr,
        schema: &DFSchema,
        input: &Relation,
        node: &WindowNode,
    ) -> Result<usize> {
        let Expression::Column(index, name) = self.lower(time, schema)? else {
            return Err(Error::internal("a time that is no column"));
        };
        match input.roles[index] {
            Role::Time(TimeOf::Source(source, column)) => {
                self.sources.use_time(source, column, node.span)?;
                Ok(index)
            }
            Role::Time(TimeOf::Window) => Ok(index),
            Role::Start | Role::End => Err(Error::plan(format!("`{name}` is no time attribute"))
                .at(node.span)
                .help(
                    "the time of a window's row is `window_time`, the last instant in the window",
                )),
            Role::None => {
                let data_type = input.plan.field(index).data_type().clone();
                let error = Error::plan(format!("`{name}` is no time attribute")).at(node.span);
                Err(match data_type {
                    DataType::Timestamp(..) => error.note(
                        "a time attribute is a time column of a table, also renamed, or \
                         `window_time`; a computed time is none, because the watermark does not \
                         know it",
                    ),
                    other => error
                        .note(format!("its type is {}", crate::data::type_name(&other)))
                        .help(format!(
                            "read it as a time: --ts {name}, or in CREATE TABLE"
                        )),
                })
            }
        }
    }

    /// A projection below a pending window.
    pub(super) fn project_pending(
        &mut self,
        input: Relation,
        exprs: &[Expr],
        schema: &DFSchema,
        names: &DFSchema,
    ) -> Result<Relation> {
        let (pending, base, roles) = parts(&input)?;
        let needs_bounds = |expr: &Expr| {
            bound_of(expr, schema, pending).is_none() && uses_bounds(expr, schema, pending)
        };
        if exprs.iter().any(needs_bounds) {
            let input = self.materialize(input)?;
            return self.project_plain(input, exprs, schema, names);
        }
        // The time and the keys of the window stay, whether they are selected or not.
        let kept: Vec<usize> = pending
            .time
            .iter()
            .chain(&pending.partition)
            .copied()
            .collect();
        let base_schema = base.schema();
        let mut expressions: Vec<Expression> = Vec::new();
        let mut fields: Vec<FieldRef> = Vec::new();
        for &column in &kept {
            expressions.push(Expression::Column(
                column,
                base_schema.field(column).name().clone(),
            ));
            fields.push(Arc::clone(&base_schema.fields()[column]));
        }
        let (mut visible, mut visible_fields, mut new_roles) = (Vec::new(), Vec::new(), Vec::new());
        for (expr, name) in exprs.iter().zip(names.fields()) {
            if let Some(bound) = bound_of(expr, schema, pending) {
                let place = pending.visible.iter().position(|visible| *visible == bound);
                let place = place.ok_or_else(|| Error::internal("a bound that is not there"))?;
                visible.push(bound);
                new_roles.push(roles[place]);
                visible_fields.push(renamed(&pending.fields[place], name.name()));
                continue;
            }
            let expression = self.lower_pending(expr, schema, pending)?;
            let (role, field) = match &expression {
                Expression::Column(index, _) => {
                    let place = pending
                        .visible
                        .iter()
                        .position(|v| *v == Visible::Base(*index));
                    let role = place.map_or(Role::None, |place| roles[place]);
                    (role, renamed(&base_schema.fields()[*index], name.name()))
                }
                _ => (Role::None, nullable(name)),
            };
            visible.push(Visible::Base(expressions.len()));
            expressions.push(expression);
            fields.push(Arc::clone(&field));
            visible_fields.push(field);
            new_roles.push(role);
        }
        let count = pending.time.iter().len();
        let next = Pending {
            time: pending.time.map(|_| 0),
            partition: (count..kept.len()).collect(),
            visible,
            fields: visible_fields,
            ..pending.clone()
        };
        Ok(Relation {
            plan: StreamPlan::Project {
                input: Box::new(base.clone()),
                expressions,
                schema: Arc::new(Schema::new(fields)),
            },
            roles: new_roles,
            closed: false,
            tumbling: input.tumbling,
            pending: Some(next),
        })
    }

    fn project_plain(
        &mut self,
        input: Relation,
        exprs: &[Expr],
        schema: &DFSchema,
        names: &DFSchema,
    ) -> Result<Relation> {
        let expressions = exprs
            .iter()
            .map(|expr| self.lower(expr, schema))
            .collect::<Result<Vec<_>>>()?;
        let mut roles = Vec::new();
        let mut fields: Vec<FieldRef> = Vec::new();
        for (expression, name) in expressions.iter().zip(names.fields()) {
            match expression {
                Expression::Column(index, _) => {
                    roles.push(input.roles[*index]);
                    fields.push(renamed(&input.plan.field(*index), name.name()));
                }
                _ => {
                    roles.push(Role::None);
                    fields.push(nullable(name));
                }
            }
        }
        Ok(Relation {
            plan: StreamPlan::Project {
                input: Box::new(input.plan),
                expressions,
                schema: Arc::new(Schema::new(fields)),
            },
            roles,
            closed: false,
            tumbling: input.tumbling,
            pending: None,
        })
    }

    /// A filter below a pending window; conditions on bounds alone wait until windows close.
    pub(super) fn filter_pending(
        &mut self,
        input: Relation,
        predicate: &Expr,
        schema: &DFSchema,
    ) -> Result<Relation> {
        let (pending, _, _) = parts(&input)?;
        let mut of_rows = Vec::new();
        let mut of_windows = Vec::new();
        let mut mixed = false;
        for condition in split_conjunction(predicate) {
            let bounds = uses_bounds(condition, schema, pending);
            let base = uses_base(condition, schema, pending);
            match (bounds, base) {
                (true, true) => mixed = true,
                (true, false) => of_windows.push(condition.clone()),
                (false, _) => of_rows.push(condition.clone()),
            }
        }
        if mixed {
            let input = self.materialize(input)?;
            return self.filter(input, predicate, schema);
        }
        let mut relation = input;
        if let Some(condition) = conjunction(of_rows) {
            let (pending, _, _) = parts(&relation)?;
            let predicate = self.lower_pending(&condition, schema, pending)?;
            relation.plan = StreamPlan::Filter {
                input: Box::new(relation.plan),
                predicate,
            };
        }
        if let (Some(condition), Some(pending)) = (conjunction(of_windows), &mut relation.pending) {
            pending
                .conditions
                .push((condition, schema.clone(), pending.visible.clone()));
        }
        Ok(relation)
    }

    /// An expression over the columns of the plan below a pending window.
    pub(super) fn lower_pending(
        &self,
        expr: &Expr,
        schema: &DFSchema,
        pending: &Pending,
    ) -> Result<Expression> {
        let base = |column: usize| match pending.visible[column] {
            Visible::Base(index) => Some(index),
            _ => None,
        };
        self.lowering(schema, &base).lower(expr)
    }

    /// The conditions on bounds, over a plan that has them as columns.
    pub(super) fn apply_conditions(
        &self,
        mut plan: StreamPlan,
        pending: &Pending,
        place: &dyn Fn(Visible) -> Option<usize>,
    ) -> Result<StreamPlan> {
        for (condition, schema, visible) in &pending.conditions {
            let column = |column: usize| place(visible[column]);
            let predicate = self.lowering(schema, &column).lower(condition)?;
            plan = StreamPlan::Filter {
                input: Box::new(plan),
                predicate,
            };
        }
        Ok(plan)
    }

    /// Makes columns of the bounds of a pending window: rows, once for each window they lie in.
    pub(super) fn materialize(&mut self, relation: Relation) -> Result<Relation> {
        let Some(pending) = relation.pending else {
            return Ok(relation);
        };
        let base = relation.plan;
        let width = base.schema().fields().len();
        let mut fields: Vec<FieldRef> = base.schema().fields().iter().cloned().collect();
        fields.extend(bound_fields(&base, &pending)?);
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let plan = self.rows_of_windows(base, &pending, Arc::clone(&schema))?;
        let place = move |visible: Visible| {
            Some(match visible {
                Visible::Base(column) => column,
                Visible::Start => width,
                Visible::End => width + 1,
                Visible::Time => width + 2,
            })
        };
        let plan = self.apply_conditions(plan, &pending, &place)?;
        let expressions = (pending.visible.iter().zip(&pending.fields))
            .filter_map(|(visible, field)| {
                Some(Expression::Column(place(*visible)?, field.name().clone()))
            })
            .collect();
        Ok(Relation {
            plan: StreamPlan::Project {
                input: Box::new(plan),
                expressions,
                schema: Arc::new(Schema::new(pending.fields)),
            },
            roles: relation.roles,
            // Rows come in the order of arrival, not of windows.
            closed: false,
            tumbling: false,
            pending: None,
        })
    }

    fn rows_of_windows(
        &self,
        base: StreamPlan,
        pending: &Pending,
        schema: SchemaRef,
    ) -> Result<StreamPlan> {
        let input = Box::new(base);
        if let Some(window) = window_spec(&pending.arguments) {
            let (time_column, unit, zone) = time_of(&input, pending)?;
            return Ok(StreamPlan::Assign(
                input,
                WindowAssignSpec {
                    window,
                    time_column,
                    unit,
                    zone,
                    schema,
                },
            ));
        }
        match &pending.arguments {
            WindowArguments::Session { gap } => {
                let (time_column, unit, _) = time_of(&input, pending)?;
                let input_schema = input.schema();
                Ok(StreamPlan::SessionRows(
                    input,
                    SessionRowsSpec {
                        time_column,
                        gap: steps(gap, unit)?,
                        partition_fields: pending
                            .partition
                            .iter()
                            .map(|&c| input_schema.field(c).clone().into())
                            .collect(),
                        partition: pending.partition.clone(),
                        schema,
                    },
                ))
            }
            WindowArguments::Count { .. } => Err(Error::unsupported(
                "the rows of COUNT_WINDOW cannot be read one by one",
            )
            .at(pending.span)
            .help("what works now: GROUP BY window_start, window_end, and aggregates")),
            other => Err(Error::internal(format!("a window {other:?}"))),
        }
    }
}

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
fn mark(field: &FieldRef, arguments: &WindowArguments) -> FieldRef {
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

fn node_fields(node: &WindowNode, width: usize) -> Vec<FieldRef> {
    let schema = datafusion_expr::UserDefinedLogicalNodeCore::schema(node);
    schema.fields().iter().skip(width).cloned().collect()
}

fn renamed(field: &FieldRef, name: &str) -> FieldRef {
    Arc::new(field.as_ref().clone().with_name(name))
}

fn parts(relation: &Relation) -> Result<(&Pending, &StreamPlan, &[Role])> {
    match &relation.pending {
        Some(pending) => Ok((pending, &relation.plan, &relation.roles)),
        None => Err(Error::internal("a window that is not pending")),
    }
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

pub(super) fn uses_bounds(expr: &Expr, schema: &DFSchema, pending: &Pending) -> bool {
    columns_used(expr, schema).any(|index| !matches!(pending.visible[index], Visible::Base(_)))
}

fn uses_base(expr: &Expr, schema: &DFSchema, pending: &Pending) -> bool {
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
