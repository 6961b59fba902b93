//! Computed columns of `CREATE TABLE`: `ts AS to_timestamp(epoch)`, over the columns before them.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{ExprSchemable, LogicalPlan};
use sqlparser::ast;

use super::analyze::analyze;
use super::context::{self, Registry};
use super::expression::Lowering;
use super::library_errors::explain;
use super::names;
use super::{PlanSettings, names::Functions};
use crate::catalog::{Catalog, ColumnSource, Table, TableColumn};
use crate::data::{Metadata, quoted_name};
use crate::error::{Error, Result};
use crate::exec::expression::Expression;
use crate::sql;

const BASE: &str = "columns";

/// The expression of a column over the columns of `table` before number `before`, by their numbers there,
/// and its type.
///
/// # Errors
/// Unknown names and wrong types; aggregates.
pub fn bind(
    table: &Table,
    before: usize,
    expr: &ast::Expr,
    registry: &Registry,
    settings: &PlanSettings,
) -> Result<(Expression, DataType)> {
    let mut catalog = Catalog::default();
    catalog.add_table(base(&table.columns[..before]));
    let mut select = names::select_all(ast::Ident::with_quote('"', BASE));
    select.projection = vec![ast::SelectItem::UnnamedExpr(expr.clone())];
    let query = names::query_of(select);
    let text = expr.to_string();
    let resolved = names::resolve(&query, &catalog, registry as &dyn Functions, settings.zone)
        .map_err(|error| undeclared(&table.columns[..before], expr).unwrap_or(error))?;
    if let Some(behind) = resolved
        .tables
        .iter()
        .find_map(|known| known.columns.get(before))
    {
        return Err(Error::plan(format!(
            "`{text}` reads `{}`, which is no column before it",
            behind.name
        ))
        .help(format!("declare `{}` before it", behind.name)));
    }
    let plan = analyze(&resolved, registry, settings.zone, settings.now)?;
    let LogicalPlan::Projection(projection) = &plan else {
        return bare(&plan, table);
    };
    if holds_aggregate(&plan) {
        return Err(
            Error::plan(format!("a computed column takes no aggregate: `{text}`"))
                .help("it is computed of one row; aggregate in a query of the table, or in a view"),
        );
    }
    let schema = projection.input.schema();
    let options = Arc::new(context::options(settings.zone));
    let number = |index: usize| table.column(schema.field(index).name());
    let lowering = Lowering {
        schema,
        columns: &number,
        options: &options,
    };
    let only = projection
        .expr
        .first()
        .ok_or_else(|| Error::internal("no expression"))?;
    let data_type = only.get_type(schema).map_err(explain)?;
    Ok((lowering.lower(only)?, data_type))
}

/// The table that has these columns alone, as if they came from records.
fn base(columns: &[TableColumn]) -> Table {
    let columns = columns.iter().map(|column| TableColumn {
        source: ColumnSource::Field(column.name.clone()),
        ..column.clone()
    });
    Table {
        name: String::from(BASE),
        columns: columns.collect(),
        time: None,
        time_candidates: Vec::new(),
        taken_for: None,
        starred: false,
        open_ended: false,
        nested: false,
        merged: false,
        since: None,
        endless: false,
        idle_timeout: None,
    }
}

/// What is to say if an expression names a column that is not declared before it.
fn undeclared(columns: &[TableColumn], expr: &ast::Expr) -> Option<Error> {
    let is_known = |name: &str| {
        let mut known = columns.iter();
        known.any(|column| column.name.eq_ignore_ascii_case(name))
            || Metadata::of_name(name).is_some()
    };
    let unknown = ast::visit_expressions(expr, |expr| match expr {
        ast::Expr::Identifier(name) if !is_known(&name.value) => ControlFlow::Break(name.clone()),
        _ => ControlFlow::Continue(()),
    });
    let name = unknown.break_value()?;
    let error = Error::plan(format!(
        "column `{}` is not declared before `{expr}`",
        name.value
    ));
    let names = columns.iter().map(|column| column.name.as_str());
    Some(
        error
            .at_least(sql::span_of(name.span))
            .suggest(&name.value, names)
            .help(format!("beside computed columns all others are declared: ({} STRING, …)", quoted_name(&name.value)))
            .help("without a list of columns they are guessed, and WITH (ts = '…', ts_format = '…') says which is the time"),
    )
}

/// A computed column that is a column under another name has no projection left.
fn bare(plan: &LogicalPlan, table: &Table) -> Result<(Expression, DataType)> {
    let mut found = None;
    let _ = plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let [field] = scan.projected_schema.fields().as_ref()
        {
            found = table
                .column(field.name())
                .map(|column| (column, field.data_type().clone()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    match found {
        Some((column, data_type)) => {
            let name = table.columns[column].name.clone();
            Ok((Expression::Column(column, name), data_type))
        }
        None => Err(
            Error::plan("a computed column is an expression over the columns before it")
                .help("write one like `ts AS to_timestamp(epoch)`"),
        ),
    }
}

fn holds_aggregate(plan: &LogicalPlan) -> bool {
    plan.exists(|node| Ok(matches!(node, LogicalPlan::Aggregate(_))))
        .unwrap_or(false)
}
