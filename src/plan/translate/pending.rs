//! Windows whose bounds are no columns yet: filters and projections pass below them.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_expr::Expr;
use datafusion_expr::utils::{conjunction, split_conjunction};

use super::bounds::{
    bound_fields, bound_of, mark, steps, time_of, uses_base, uses_bounds, window_spec,
};
use super::relation::{Pending, Relation, Role, TimeOf, Visible};
use super::union::pass_at_once;
use super::{Translator, columns_of, nullable};
use crate::error::{Error, Result};
use crate::exec::expression::Expression;
use crate::exec::window::{SessionRowsSpec, WindowAssignSpec};
use crate::plan::nodes::WindowNode;
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;

impl Translator<'_> {
    /// A window over a relation.
    pub(super) fn window(&mut self, node: &WindowNode) -> Result<Relation> {
        let input = self.plan(&node.input)?;
        let mut input = self.materialize(input)?;
        let schema = node.input.schema();
        // Hidden bounds of windows below are nobody's columns here.
        let width = schema.fields().len();
        let mut expressions = columns_of(&input.plan.schema());
        let mut fields: Vec<FieldRef> = input.plan.schema().fields().iter().cloned().collect();
        let time = match &node.time {
            Some(time) => Some(self.window_time(time, schema, &mut input, node)?),
            None => None,
        };
        let mut partition = Vec::with_capacity(node.partition_by.len());
        for key in &node.partition_by {
            partition.push(match self.lower(key, schema)? {
                Expression::Column(index, _) => index,
                expression => {
                    let (_, field) = datafusion_expr::ExprSchemable::to_field(key, schema)
                        .map_err(crate::plan::library_errors::explain)?;
                    expressions.push(expression);
                    fields.push(nullable(&field));
                    fields.len() - 1
                }
            });
        }
        if fields.len() > input.plan.schema().fields().len() {
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
        roles.truncate(width);
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
        input: &mut Relation,
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
            Role::Time(TimeOf::Several(number)) => {
                if matches!(node.arguments, WindowArguments::Session { .. }) {
                    return Err(Error::unsupported(
                        "sessions over several sources are not built yet",
                    )
                    .at(node.span)
                    .help("what works now: files of one shape as one table, 'logs/*.csv'"));
                }
                for (source, column) in self.times[number].clone() {
                    self.sources.use_time(source, column, node.span)?;
                }
                pass_at_once(&mut input.plan)?;
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
                    )
                    .help(
                        "say how the column is read: --ts COLUMN --ts-format '%d.%m.%Y %H:%M', or \
                         WITH (ts = …, ts_format = …)",
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
        let mut next = Projected::keeping(pending, base);
        for (expr, name) in exprs.iter().zip(names.fields()) {
            if let Some(bound) = bound_of(expr, schema, pending) {
                let place = pending.visible.iter().position(|visible| *visible == bound);
                let place = place.ok_or_else(|| Error::internal("a bound that is not there"))?;
                next.show(
                    bound,
                    roles[place],
                    renamed(&pending.fields[place], name.name()),
                );
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
                    (role, renamed(&base.field(*index), name.name()))
                }
                _ => (Role::None, nullable(name)),
            };
            let place = next.column(expression, Arc::clone(&field));
            next.show(Visible::Base(place), role, field);
        }
        Ok(next.relation(&input, pending))
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
            roles: match pending.arguments {
                // Rows of a session wait until it closes.
                WindowArguments::Session { .. } => relation
                    .roles
                    .iter()
                    .map(|role| role.until_closed())
                    .collect(),
                _ => relation.roles,
            },
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

/// A projection below a pending window, as it grows.
#[derive(Default)]
struct Projected {
    expressions: Vec<Expression>,
    fields: Vec<FieldRef>,
    visible: Vec<Visible>,
    visible_fields: Vec<FieldRef>,
    roles: Vec<Role>,
}

impl Projected {
    /// The time and the keys of the window, which nobody sees yet.
    fn keeping(pending: &Pending, base: &StreamPlan) -> Self {
        let mut projected = Projected::default();
        for &column in pending.time.iter().chain(&pending.partition) {
            let field = base.field(column);
            // Kept even if twice: time first, keys behind it.
            projected
                .expressions
                .push(Expression::Column(column, field.name().clone()));
            projected.fields.push(field);
        }
        projected
    }

    /// The place of an expression; a column that is there already, such as a key, stays that column.
    fn column(&mut self, expression: Expression, field: FieldRef) -> usize {
        let known = self
            .expressions
            .iter()
            .position(|known| known.is_same_column(&expression));
        known.unwrap_or_else(|| {
            self.expressions.push(expression);
            self.fields.push(field);
            self.expressions.len() - 1
        })
    }

    fn show(&mut self, visible: Visible, role: Role, field: FieldRef) {
        self.visible.push(visible);
        self.roles.push(role);
        self.visible_fields.push(field);
    }

    fn relation(self, input: &Relation, pending: &Pending) -> Relation {
        let times = pending.time.iter().len();
        Relation {
            plan: StreamPlan::Project {
                input: Box::new(input.plan.clone()),
                expressions: self.expressions,
                schema: Arc::new(Schema::new(self.fields)),
            },
            roles: self.roles,
            closed: false,
            tumbling: input.tumbling,
            pending: Some(Pending {
                time: pending.time.map(|_| 0),
                partition: (times..times + pending.partition.len()).collect(),
                visible: self.visible,
                fields: self.visible_fields,
                ..pending.clone()
            }),
        }
    }
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
