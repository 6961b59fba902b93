//! What DataFusion's SQL planner asks: tables, functions, types, windows in FROM, and our arithmetic.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::datatype::DataTypeExt;
use datafusion_common::{DFSchema, DataFusionError, Result, TableReference};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::planner::{
    ContextProvider, ExprPlanner, PlannedRelation, PlannerResult, RawBinaryExpr, RelationPlanner,
    RelationPlannerContext, RelationPlanning, TypePlanner,
};
use datafusion_expr::{
    AggregateUDF, Expr, ExprSchemable, Extension, HigherOrderUDF, LogicalPlan, ScalarUDF,
    TableSource, WindowUDF,
};
use sqlparser::ast::{self, BinaryOperator, TableFactor};

use super::conversions::comparable;
use super::names::{Functions, LIMIT_RELATION, Resolved, WINDOW_RELATION};
use super::nodes::{LimitByNode, WindowNode};
use super::types;
use crate::exec::expression::Arithmetic;
use crate::functions::{self, Library};
use crate::time::Zone;

/// The functions of a session, by name.
#[derive(Debug)]
pub struct Registry {
    scalars: Library<ScalarUDF>,
    aggregates: Library<AggregateUDF>,
}

impl Registry {
    /// The scalar function of a name.
    #[cfg(test)]
    pub(super) fn scalar(&self, name: &str) -> Option<&Arc<ScalarUDF>> {
        self.scalars.get(name)
    }

    /// All functions, under all their names.
    pub fn new() -> Self {
        Registry {
            scalars: functions::scalars(),
            aggregates: functions::aggregates(),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry::new()
    }
}

impl Functions for Registry {
    fn is_aggregate(&self, name: &str) -> bool {
        self.aggregates.get(name).is_some()
    }

    fn exists(&self, name: &str) -> bool {
        self.aggregates.get(name).is_some() || self.scalars.get(name).is_some()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .aggregates
            .names()
            .chain(self.scalars.names())
            .cloned()
            .collect();
        names.sort_unstable();
        names
    }
}

/// The context of one query.
pub struct Context<'a> {
    registry: &'a Registry,
    tables: HashMap<String, Arc<dyn TableSource>>,
    options: Arc<ConfigOptions>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    type_planner: Arc<dyn TypePlanner>,
}

impl<'a> Context<'a> {
    /// A context for a resolved query.
    pub fn new(registry: &'a Registry, resolved: &Resolved, zone: Zone) -> Self {
        let tables = resolved
            .tables
            .iter()
            .map(|table| {
                let source = Arc::new(Source(table.schema())) as Arc<dyn TableSource>;
                (table.name.clone(), source)
            })
            .collect();
        let relations = Relations {
            windows: resolved.windows.clone(),
            limits: resolved.limits.clone(),
        };
        Context {
            registry,
            tables,
            options: Arc::new(options(zone)),
            expr_planners: vec![
                Arc::new(Operators {
                    date_part: functions::date_part_in(zone),
                }),
                Arc::new(datafusion_functions::core::planner::CoreFunctionPlanner::default()),
                Arc::new(datafusion_functions_aggregate::planner::AggregateFunctionPlanner),
                Arc::new(datafusion_functions::unicode::planner::UnicodeFunctionPlanner),
            ],
            relation_planners: vec![Arc::new(relations)],
            type_planner: Arc::new(Types(zone)),
        }
    }
}

/// DataFusion's settings: names are exact already, instants are shown in `zone`.
pub fn options(zone: Zone) -> ConfigOptions {
    let mut options = ConfigOptions::default();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.enable_subquery_sort_elimination = false;
    options.execution.time_zone = Some(zone.name().to_string());
    options.optimizer.expand_views_at_output = false;
    options
}

struct Source(SchemaRef);

impl TableSource for Source {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }
}

impl ContextProvider for Context<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        (self.tables.get(name.table()).cloned())
            .ok_or_else(|| DataFusionError::Plan(format!("table `{name}` does not exist")))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::clone(&self.type_planner))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        // Asked before the aggregates: a name that is known to be one of them needs no further shelf.
        if self.registry.aggregates.is_at_hand(name) {
            return None;
        }
        // What depends on the zone gets that of the session.
        let known = self.registry.scalars.get(name)?;
        let in_zone = known.inner().with_updated_config(&self.options);
        Some(in_zone.map_or_else(|| Arc::clone(known), Arc::new))
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.registry.aggregates.get(name).cloned()
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.registry.scalars.names().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.registry.aggregates.names().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Our arithmetic in place of the operators: NULL where there is no value, `/` that divides.
#[derive(Debug)]
struct Operators {
    /// What `extract` calls.
    date_part: Arc<ScalarUDF>,
}

impl ExprPlanner for Operators {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let date_part = Arc::clone(&self.date_part);
        let call = ScalarFunction::new_udf(date_part, args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let operator = match expr.op {
            BinaryOperator::Plus => Arithmetic::Add,
            BinaryOperator::Minus => Arithmetic::Subtract,
            BinaryOperator::Multiply => Arithmetic::Multiply,
            BinaryOperator::Divide => Arithmetic::Divide,
            BinaryOperator::Modulo => Arithmetic::Modulo,
            BinaryOperator::DuckIntegerDivide | BinaryOperator::MyIntegerDivide => {
                Arithmetic::IntDivide
            }
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => return compare(expr, schema),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let function = functions::function_of(operator);
        let call = ScalarFunction::new_udf(function, vec![expr.left, expr.right]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// Text compared with a number compares as a number, with a time as a time.
fn compare(mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let left = expr.left.get_type(schema)?;
    let right = expr.right.get_type(schema)?;
    let is_ordered = !matches!(expr.op, BinaryOperator::Eq | BinaryOperator::NotEq);
    if is_ordered && (left.is_nested() || right.is_nested()) {
        return Err(functions::complaint(
            "values of ROW, MAP and ARRAY have no order",
        ));
    }
    expr.left = comparable(expr.left, &left, &right)?;
    expr.right = comparable(expr.right, &right, &left)?;
    Ok(PlannerResult::Original(expr))
}

/// Window calls and `LIMIT n BY`, which stand in FROM as placeholders.
#[derive(Debug)]
struct Relations {
    windows: Vec<super::names::ResolvedWindow>,
    limits: Vec<super::names::ResolvedLimit>,
}

impl RelationPlanner for Relations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let name = match &relation {
            TableFactor::Table { name, .. } => match name.0.as_slice() {
                [ast::ObjectNamePart::Identifier(name)] => name.value.clone(),
                _ => return Ok(RelationPlanning::Original(Box::new(relation))),
            },
            _ => return Ok(RelationPlanning::Original(Box::new(relation))),
        };
        let number = |prefix: &str| -> Option<usize> { name.strip_prefix(prefix)?.parse().ok() };
        let node: Arc<dyn datafusion_expr::UserDefinedLogicalNode> =
            if let Some(window) = number(WINDOW_RELATION).and_then(|n| self.windows.get(n)) {
                let input = context.plan(window.input.clone())?;
                let mut expr = |expr: &ast::Expr| context.sql_to_expr(expr.clone(), input.schema());
                let time = window.time.as_ref().map(&mut expr).transpose()?;
                let partition_by = window
                    .partition_by
                    .iter()
                    .map(&mut expr)
                    .collect::<Result<Vec<_>>>()?;
                Arc::new(WindowNode::new(input, window, time, partition_by)?)
            } else if let Some(limit) = number(LIMIT_RELATION).and_then(|n| self.limits.get(n)) {
                let input = context.plan(TableFactor::Derived {
                    lateral: false,
                    subquery: Box::new(limit.query.clone()),
                    alias: None,
                    sample: None,
                })?;
                Arc::new(LimitByNode::new(input, limit)?)
            } else {
                return Ok(RelationPlanning::Original(Box::new(relation)));
            };
        let plan = LogicalPlan::Extension(Extension { node });
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan, None,
        ))))
    }
}

/// SQL types as ours.
#[derive(Debug)]
struct Types(Zone);

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        let data_type = types::data_type(sql_type, self.0)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Some(data_type.into_nullable_field_ref()))
    }
}
