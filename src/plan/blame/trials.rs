//! Plans parts of a SELECT by themselves, so many at most.
//!
//! ```text
//!   SELECT upper(host), round(power(host, 2)) FROM t      ─►  SELECT power(host, 2) AS part FROM t
//! ```
//!
//! Invariant: what was not tried neither works nor fails.

use std::cell::Cell;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use sqlparser::ast::{self, Expr, SelectItem, SetExpr, Visit, Visitor};

use crate::plan::analyze::Planner;
use crate::plan::library_errors::Refusal;
use crate::plan::names::Functions;

/// So many parts are tried: what takes longer to find is not worth the wait.
const TRIALS_MAX: usize = 300;

/// How many trials are left for a query.
pub(super) struct Budget<'a> {
    planner: &'a Planner<'a>,
    left: Cell<usize>,
}

impl<'a> Budget<'a> {
    /// All of them.
    pub fn new(planner: &'a Planner<'a>) -> Self {
        Budget {
            planner,
            left: Cell::new(TRIALS_MAX),
        }
    }
}

/// Parts of one SELECT, each planned by itself over its FROM.
pub(super) struct Trials<'a> {
    select: &'a ast::Select,
    known: &'a [ast::Cte],
    budget: &'a Budget<'a>,
}

impl<'a> Trials<'a> {
    /// Parts of `select`, below the common table expressions `known`.
    pub fn new(select: &'a ast::Select, known: &'a [ast::Cte], budget: &'a Budget<'a>) -> Self {
        Trials {
            select,
            known,
            budget,
        }
    }

    /// True if `expr` can be planned.
    pub fn works(&self, expr: &Expr) -> bool {
        matches!(self.plan(expr), Some(Ok(_)))
    }

    /// The type of `expr`, if it has one.
    pub fn type_of(&self, expr: &Expr) -> Option<DataType> {
        self.plan(expr)?.ok()
    }

    /// What the query may call.
    pub fn functions(&self) -> &dyn Functions {
        self.budget.planner.functions
    }

    /// The type of `expr`, or why it has none; `None` if no trial is left.
    pub fn plan(&self, expr: &Expr) -> Option<Result<DataType, Refusal>> {
        let left = self.budget.left.get().checked_sub(1)?;
        self.budget.left.set(left);
        let planned = self.budget.planner.plan(self.query_of(expr));
        Some(planned.map(|plan| plan.schema().field(0).data_type().clone()))
    }

    /// `SELECT expr` over the FROM.
    fn query_of(&self, expr: &Expr) -> ast::Query {
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
        let with = ast::With {
            with_token: ast::helpers::attached_token::AttachedToken::empty(),
            recursive: false,
            cte_tables: self.known.to_vec(),
        };
        ast::Query {
            with: (!self.known.is_empty()).then_some(with),
            body: Box::new(SetExpr::Select(Box::new(select))),
            order_by: None,
            limit_clause: None,
            ..self.budget.planner.resolved.query.clone()
        }
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
