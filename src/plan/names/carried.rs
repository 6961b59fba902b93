//! Columns that a query hands on without looking at them, kept from DataFusion's sight where they are many.
//!
//! ```text
//!   SELECT * FROM wide WHERE c7 > 3 ORDER BY c2        c1 … c10000
//!   SELECT "wide"."c2" AS "c2", "wide"." carried" AS " carried" FROM wide WHERE "wide"."c7" > 3 ORDER BY "c2"
//! ```
//!
//! DataFusion compares each item of a SELECT with all before it, and looks names up one by one: ten thousand columns
//! take it many seconds. So one column stands for all that only pass through, and `translate` puts them in its place.
//!
//! Invariants: only in the outermost SELECT over one table, which keeps rows as they are (no groups, no DISTINCT), so
//! that nobody else can name them; a column of ORDER BY is not among them.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use sqlparser::ast::{self, Expr, GroupByExpr, SelectItem, TableFactor};

use super::columns::{RelationColumn, reference};
use super::quoted;
use crate::catalog::{ColumnSource, Table, TableColumn};

/// The name of the column that stands for them; no column of a table is called so.
pub const CARRIED: &str = " carried";

/// Fewer of them are not worth it.
const MANY: usize = 200;

/// Columns that stand behind one.
#[derive(Debug, Clone)]
pub struct Carried {
    /// The table that has them, by number.
    pub table: usize,
    /// The column there that stands for them.
    pub stand_in: usize,
    /// Their numbers there.
    pub columns: Vec<usize>,
    /// The columns of the result in order, with their names.
    pub outputs: Vec<(String, Output)>,
}

/// Where a column of the result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// At this place of what DataFusion plans.
    Planned(usize),
    /// At this place of the carried columns.
    Carried(usize),
}

/// Sets the columns of a resolved query aside that it only hands on, if they are many.
pub(super) fn set_aside(query: &mut ast::Query, tables: &mut [Table]) -> Option<Carried> {
    let ordered = names_in(query.order_by.as_ref());
    let ast::SetExpr::Select(select) = query.body.as_mut() else {
        return None;
    };
    let (number, qualifier) = table_of(select, tables).filter(|_| query.with.is_none())?;
    let places: HashMap<&str, usize> = (tables[number].columns.iter().enumerate())
        .map(|(place, column)| (column.name.as_str(), place))
        .collect();
    let carried_place = |item: &SelectItem| {
        let SelectItem::ExprWithAlias { expr, alias } = item else {
            return None;
        };
        let column = column_of(expr, &qualifier)?;
        let is_ordered = ordered.contains(column) || ordered.contains(&alias.value);
        places.get(column).copied().filter(|_| !is_ordered)
    };
    let found: Vec<Option<usize>> = select.projection.iter().map(carried_place).collect();
    if found.iter().flatten().count() < MANY {
        return None;
    }
    let stand_in = tables[number].columns.len();
    let mut carried = Carried {
        table: number,
        stand_in,
        columns: Vec::new(),
        outputs: Vec::with_capacity(found.len()),
    };
    let mut planned = Vec::new();
    let mut known: HashMap<usize, usize> = HashMap::new();
    for (item, found) in std::mem::take(&mut select.projection)
        .into_iter()
        .zip(found)
    {
        let name = match &item {
            SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
            _ => String::new(),
        };
        let output = match found {
            Some(column) => Output::Carried(*known.entry(column).or_insert_with(|| {
                carried.columns.push(column);
                carried.columns.len() - 1
            })),
            None => {
                planned.push(item);
                Output::Planned(planned.len() - 1)
            }
        };
        carried.outputs.push((name, output));
    }
    let column = RelationColumn {
        qualifier,
        ..RelationColumn::plain(CARRIED)
    };
    planned.push(SelectItem::ExprWithAlias {
        expr: reference(&column),
        alias: quoted(CARRIED),
    });
    select.projection = planned;
    tables[number].columns.push(TableColumn {
        name: CARRIED.to_string(),
        data_type: DataType::Boolean,
        source: ColumnSource::Field(CARRIED.to_string()),
        unshown: false,
    });
    Some(carried)
}

/// The one table that a SELECT reads and hands the rows of on, by number, and the name of its columns' relation.
fn table_of(select: &ast::Select, tables: &[Table]) -> Option<(usize, String)> {
    let is_plain = select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let [from] = select.from.as_slice() else {
        return None;
    };
    let TableFactor::Table { name, alias, .. } = &from.relation else {
        return None;
    };
    let [ast::ObjectNamePart::Identifier(name)] = name.0.as_slice() else {
        return None;
    };
    let alias = alias.as_ref().filter(|alias| alias.columns.is_empty())?;
    let number = tables.iter().position(|table| table.name == name.value)?;
    (is_plain && from.joins.is_empty()).then(|| (number, alias.name.value.clone()))
}

/// The column of the relation that an expression is, if it is one.
fn column_of<'e>(expr: &'e Expr, relation: &str) -> Option<&'e str> {
    match expr {
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [qualifier, name] if qualifier.value == relation => Some(&name.value),
            _ => None,
        },
        _ => None,
    }
}

/// All names in ORDER BY.
fn names_in(order_by: Option<&ast::OrderBy>) -> HashSet<String> {
    let mut names = HashSet::new();
    let Some(order_by) = order_by else {
        return names;
    };
    let _ = ast::visit_expressions(order_by, |expr| {
        match expr {
            Expr::Identifier(name) => drop(names.insert(name.value.clone())),
            Expr::CompoundIdentifier(parts) => {
                names.extend(parts.last().map(|name| name.value.clone()));
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    names
}
