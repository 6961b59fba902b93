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

use std::cell::Cell;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use sqlparser::ast::{self, Expr, SelectItem, SetExpr, TableFactor, Visit, Visitor};

use super::analyze::Planner;
use super::misfit;
use crate::error::Error;

/// So many parts are tried: what takes longer to find is not worth the wait.
const TRIALS_MAX: usize = 300;

/// The error with the part of the query that it is about, and what is wrong with that part.
pub(super) fn blame(error: Error, planner: &Planner<'_>) -> Error {
    if error.span().is_some() {
        return error;
    }
    let search = Search {
        planner,
        left: Cell::new(TRIALS_MAX),
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
    planner: &'a Planner<'a>,
    /// How many trials are left.
    left: Cell<usize>,
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
                found.or_else(|| self.body(right, &[], known))
            }
            _ => None,
        }
    }

    fn select(&self, select: &ast::Select, order: &[&Expr], known: &[ast::Cte]) -> Option<Error> {
        let relations = select.from.iter().map(|from| &from.relation);
        let mut inner = relations.filter_map(inner_query);
        if let Some(found) = inner.find_map(|query| self.query(query, known)) {
            return Some(found);
        }
        let trials = Trials {
            select,
            known,
            search: self,
        };
        if !trials.works(&Expr::value(ast::Value::Boolean(true))) {
            return None;
        }
        let items = select.projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr) => Some(expr),
            _ => None,
        });
        let keys = match &select.group_by {
            ast::GroupByExpr::Expressions(keys, _) => keys.as_slice(),
            ast::GroupByExpr::All(_) => &[],
        };
        let conditions = || select.selection.iter().chain(&select.having);
        let order = order.iter().copied();
        let mut parts = items.chain(keys).chain(conditions()).chain(order);
        let found = parts.find_map(|part| trials.smallest(part));
        found.or_else(|| conditions().find_map(|condition| trials.no_condition(condition)))
    }
}

/// Parts of one SELECT, each planned by itself over its FROM.
pub(super) struct Trials<'a> {
    select: &'a ast::Select,
    known: &'a [ast::Cte],
    search: &'a Search<'a>,
}

impl Trials<'_> {
    /// The error of the smallest part of `expr` that fails; `None` if it does not.
    fn smallest(&self, expr: &Expr) -> Option<Error> {
        if matches!(
            expr,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)
        ) {
            return None;
        }
        let error = self.plan(expr).err()?;
        if error.span().is_some() {
            return Some(error);
        }
        parts_of(expr)
            .iter()
            .find_map(|part| self.smallest(part))
            .or_else(|| Some(misfit::describe(expr, error, self)))
    }

    /// What is said of a condition that is a value.
    fn no_condition(&self, condition: &Expr) -> Option<Error> {
        let found = self.type_of(condition)?;
        (found != DataType::Boolean).then(|| misfit::no_condition(condition, &found))
    }

    /// True if `expr` can be planned.
    pub fn works(&self, expr: &Expr) -> bool {
        self.plan(expr).is_ok()
    }

    /// The type of `expr`, if it has one.
    pub fn type_of(&self, expr: &Expr) -> Option<DataType> {
        self.plan(expr).ok()
    }

    /// True if `expr` is a call of an aggregate function.
    pub fn is_aggregate(&self, expr: &Expr) -> bool {
        let Expr::Function(call) = expr else {
            return false;
        };
        self.search.planner.is_aggregate(&call.name.to_string())
    }

    /// The type of `expr`, or why it has none.
    fn plan(&self, expr: &Expr) -> Result<DataType, Error> {
        let left = self.search.left.get().checked_sub(1);
        // Without a trial nothing is blamed: what was not tried works.
        let Some(left) = left else {
            return Ok(DataType::Null);
        };
        self.search.left.set(left);
        let select = ast::Select {
            distinct: None,
            projection: vec![SelectItem::ExprWithAlias {
                expr: expr.clone(),
                alias: ast::Ident::with_quote('"', "part"),
            }],
            selection: None,
            group_by: ast::GroupByExpr::Expressions(Vec::new(), Vec::new()),
            having: None,
            ..self.select.clone()
        };
        let mut query = self.search.planner.resolved.query.clone();
        query.with = (!self.known.is_empty()).then(|| ast::With {
            with_token: ast::helpers::attached_token::AttachedToken::empty(),
            recursive: false,
            cte_tables: self.known.to_vec(),
        });
        query.body = Box::new(SetExpr::Select(Box::new(select)));
        query.order_by = None;
        query.limit_clause = None;
        let plan = self.search.planner.plan(query)?;
        Ok(plan.schema().field(0).data_type().clone())
    }
}

/// The parts of an expression, one level down.
pub(super) fn parts_of(expr: &Expr) -> Vec<Expr> {
    struct Parts {
        depth: usize,
        found: Vec<Expr>,
    }
    impl Visitor for Parts {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.depth += 1;
            if self.depth == 2 {
                self.found.push(expr.clone());
            }
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
    }
    let mut parts = Parts {
        depth: 0,
        found: Vec::new(),
    };
    let _ = expr.visit(&mut parts);
    parts.found
}
