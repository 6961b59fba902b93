//! Finds the smallest part of a query that cannot be planned, for errors of a library that knows no places.
//!
//! ```text
//!   SELECT upper(host), round(power(host, 2)) FROM …      fails, nobody says where
//!          SELECT upper(host) FROM …                      goes
//!          SELECT round(power(host, 2)) FROM …            fails  ─►  SELECT power(host, 2) FROM …    fails: it is that
//! ```
//!
//! Invariants: runs after an error alone; an error that has a place keeps it; a column or a constant is never blamed;
//! so many trials at most, then the error stays as it is.

mod misfit;
mod operators;
mod trials;

use arrow::datatypes::DataType;
use sqlparser::ast::{self, Expr, SelectItem, SetExpr, TableFactor};

use super::analyze::Planner;
use crate::error::Error;
use trials::{Budget, Trials, parts_of};

/// The error with the part of the query that it is about, and what is wrong with that part.
pub(super) fn blame(error: Error, planner: &Planner<'_>) -> Error {
    if error.span().is_some() {
        return error;
    }
    let search = Search {
        budget: Budget::new(planner),
    };
    let resolved = planner.resolved;
    let inputs = resolved.windows.iter().map(|window| &window.input);
    let inputs = inputs.filter_map(inner_query);
    let limited = resolved.limits.iter().map(|limit| &limit.query);
    let mut queries = inputs.chain(limited).chain([&resolved.query]);
    let found = queries.find_map(|query| search.query(query, &[]));
    found.unwrap_or(error)
}

fn inner_query(relation: &TableFactor) -> Option<&ast::Query> {
    match relation {
        TableFactor::Derived { subquery, .. } => Some(subquery),
        _ => None,
    }
}

struct Search<'a> {
    budget: Budget<'a>,
}

impl Search<'_> {
    /// Looks through a query; `known` are the common table expressions around it.
    fn query(&self, query: &ast::Query, known: &[ast::Cte]) -> Option<Error> {
        let mut known = known.to_vec();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            if let Some(found) = self.query(&cte.query, &known) {
                return Some(found);
            }
            known.push(cte.clone());
        }
        let order = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(ast::OrderByKind::Expressions(keys)) => keys.as_slice(),
            _ => &[],
        };
        let keys: Vec<&Expr> = order.iter().map(|key| &key.expr).collect();
        self.body(&query.body, &keys, &known)
    }

    fn body(&self, body: &SetExpr, order: &[&Expr], known: &[ast::Cte]) -> Option<Error> {
        match body {
            SetExpr::Select(select) => self.select(select, order, known),
            SetExpr::Query(query) => self.query(query, known),
            SetExpr::SetOperation { left, right, .. } => {
                let found = self.body(left, &[], known);
                found
                    .or_else(|| self.body(right, &[], known))
                    .or_else(|| self.branches(left, right, known))
            }
            _ => None,
        }
    }

    /// Columns of two branches of UNION ALL whose types do not go together.
    fn branches(&self, left: &SetExpr, right: &SetExpr, known: &[ast::Cte]) -> Option<Error> {
        let (SetExpr::Select(left), SetExpr::Select(right)) = (left, right) else {
            return None;
        };
        let typed = |select: &ast::Select| {
            let trials = Trials::new(select, known, &self.budget);
            let types = items(select).map(|item| trials.type_of(item));
            types.collect::<Vec<_>>()
        };
        let pairs = typed(left).into_iter().zip(typed(right)).zip(items(right));
        pairs.enumerate().find_map(|(index, ((one, other), item))| {
            let (one, other) = (one?, other?);
            operators::no_union(index + 1, &one, &other, item)
        })
    }

    fn select(&self, select: &ast::Select, order: &[&Expr], known: &[ast::Cte]) -> Option<Error> {
        let relations = select.from.iter().map(|from| &from.relation);
        let mut inner = relations.filter_map(inner_query);
        if let Some(found) = inner.find_map(|query| self.query(query, known)) {
            return Some(found);
        }
        let trials = Trials::new(select, known, &self.budget);
        if !trials.works(&Expr::value(ast::Value::Boolean(true))) {
            return None;
        }
        let items = items(select);
        let keys = match &select.group_by {
            ast::GroupByExpr::Expressions(keys, _) => keys.as_slice(),
            ast::GroupByExpr::All(_) => &[],
        };
        let conditions = || select.selection.iter().chain(&select.having);
        let order = order.iter().copied();
        let mut parts = items.chain(keys).chain(conditions()).chain(order);
        let found = parts.find_map(|part| smallest(part, &trials));
        found.or_else(|| conditions().find_map(|condition| no_condition(condition, &trials)))
    }
}

fn items(select: &ast::Select) -> impl Iterator<Item = &Expr> {
    select.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr) => Some(expr),
        _ => None,
    })
}

/// The error of the smallest part of `expr` that fails; `None` if it does not.
fn smallest(expr: &Expr, trials: &Trials<'_>) -> Option<Error> {
    if matches!(
        expr,
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)
    ) {
        return None;
    }
    let refusal = trials.plan(expr)?.err()?;
    if refusal.error.span().is_some() {
        return Some(refusal.error);
    }
    let parts = parts_of(expr);
    let mut parts = parts.iter();
    parts
        .find_map(|part| smallest(part, trials))
        .or_else(|| Some(misfit::describe(expr, refusal, trials)))
}

/// What is said of a condition that is a value.
fn no_condition(condition: &Expr, trials: &Trials<'_>) -> Option<Error> {
    let found = trials.type_of(condition)?;
    (found != DataType::Boolean).then(|| misfit::no_condition(condition, &found))
}
