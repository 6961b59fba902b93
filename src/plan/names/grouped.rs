//! Checks that what stands beside aggregates is grouped, and that aggregates stand where they may.
//!
//! ```text
//!   SELECT host, count(*) FROM t GROUP BY path        WHERE count(*) > 1        HAVING status > 500 without GROUP BY
//!          ^^^^ neither grouped nor aggregated              ^^^^^^^^^^^^                ^^^^^^^^^^^^
//! ```
//!
//! Invariants: names are exact already; what gets through, DataFusion groups without a complaint.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, GroupByExpr, SelectItem, Visit, Visitor};

use super::Resolver;
use super::columns::span_of_expr;
use crate::error::{Error, Result};

impl Resolver<'_> {
    /// Columns beside aggregates must be grouped.
    pub(super) fn check_grouped(&self, select: &ast::Select, order_by: &[Expr]) -> Result<()> {
        let GroupByExpr::Expressions(keys, _) = &select.group_by else {
            return Ok(());
        };
        let mut exprs: Vec<&Expr> = select.having.iter().chain(order_by).collect();
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { expr, .. } = item {
                exprs.push(expr);
            }
        }
        if keys.is_empty()
            && !exprs
                .iter()
                .any(|expr| self.functions.holds_aggregate(expr))
        {
            let Some(having) = &select.having else {
                return Ok(());
            };
            return Err(
                Error::plan("HAVING without GROUP BY and without an aggregate")
                    .at_least(self.span(span_of_expr(having)))
                    .help("a condition on single rows stands in WHERE"),
            );
        }
        for expr in exprs {
            let mut search = Ungrouped {
                keys,
                functions: self.functions,
                inside: 0,
            };
            if let ControlFlow::Break(column) = expr.visit(&mut search) {
                let name = match &column {
                    Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
                    _ => None,
                };
                let name = name.unwrap_or_else(|| column.to_string());
                return Err(Error::plan(format!(
                    "column `{name}` is neither grouped nor aggregated"
                ))
                .at_least(self.span(span_of_expr(&column)))
                .help(format!(
                    "add `{name}` to GROUP BY, or choose one of its values: max({name}), \
                         first_value({name})"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn refuse_aggregates(&self, expr: &Expr, clause: &str, help: &str) -> Result<()> {
        if self.functions.holds_aggregate(expr) {
            return Err(Error::plan(format!("{clause} takes no aggregate"))
                .at_least(self.span(span_of_expr(expr)))
                .help(help));
        }
        Ok(())
    }
}

/// Looks for a column that is no key and in no aggregate.
struct Ungrouped<'a> {
    keys: &'a [Expr],
    functions: &'a dyn super::Functions,
    /// How deep inside a key or an aggregate the search is.
    inside: usize,
}

impl Visitor for Ungrouped<'_> {
    type Break = Expr;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Expr> {
        let covers = || self.functions.is_aggregate_call(expr) || self.keys.contains(expr);
        if self.inside > 0 || covers() {
            self.inside += 1;
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::CompoundIdentifier(_) => ControlFlow::Break(expr.clone()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, _expr: &Expr) -> ControlFlow<Expr> {
        self.inside = self.inside.saturating_sub(1);
        ControlFlow::Continue(())
    }
}
