//! Which tables a query names, before anything is known of them: the session opens those it has not yet.
//!
//! Functions that do not exist are found here, too: a misspelt name is answered before the first read.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Ident, TableFactor};

use super::names::Functions;
use super::spellings;
use crate::error::{Error, Result};
use crate::sql;

/// The names in FROM that are no common table expressions, in the order in which they stand, each once.
///
/// # Errors
/// Functions that do not exist; window calls that are wrong in themselves.
pub fn relations(query: &ast::Query, functions: &dyn Functions) -> Result<Vec<Ident>> {
    let mut walker = Walker {
        functions,
        ctes: Vec::new(),
        found: Vec::new(),
    };
    walker.query(query)?;
    Ok(walker.found)
}

/// What a query asks of its tables, as far as the guess of one depends on it.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Nothing but the column `line` of one table.
    pub only_line: bool,
    /// The names in its expressions, those behind a point without what is before it, too.
    pub names: Vec<String>,
}

impl Asked {
    /// What this query asks.
    pub fn by(query: &ast::Query) -> Self {
        let mut names = Vec::new();
        let _ = ast::visit_expressions(query, |expr| {
            match expr {
                Expr::Identifier(name) => names.push(name.value.clone()),
                Expr::CompoundIdentifier(parts) => {
                    names.extend(parts.iter().skip(1).map(|part| part.value.clone()));
                }
                _ => {}
            }
            ControlFlow::<()>::Continue(())
        });
        Asked {
            only_line: reads_only_line(query),
            names,
        }
    }

    /// What it asks of the tables of a view.
    #[must_use]
    pub fn through(&self, view: &ast::Query) -> Self {
        let mut names = Asked::by(view).names;
        names.extend_from_slice(&self.names);
        Asked {
            only_line: false,
            names,
        }
    }
}

/// True if all that a query of one table asks for is its column `line`: no record with more columns is waited for.
fn reads_only_line(query: &ast::Query) -> bool {
    let ast::SetExpr::Select(select) = query.body.as_ref() else {
        return false;
    };
    let is_one_table = matches!(select.from.as_slice(), [from] if from.joins.is_empty()
        && matches!(from.relation, TableFactor::Table { args: None, .. }));
    let mut aliases = Vec::new();
    for item in &select.projection {
        match item {
            ast::SelectItem::UnnamedExpr(_) => {}
            ast::SelectItem::ExprWithAlias { alias, .. } => aliases.push(alias.value.as_str()),
            _ => return false,
        }
    }
    let mut found = false;
    let other = ast::visit_expressions(query, |expr| match expr {
        Expr::Identifier(name) if name.value.eq_ignore_ascii_case("line") => {
            found = true;
            ControlFlow::Continue(())
        }
        Expr::Identifier(name) if aliases.contains(&name.value.as_str()) => {
            ControlFlow::Continue(())
        }
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    is_one_table && found && other.is_continue()
}

struct Walker<'a> {
    functions: &'a dyn Functions,
    ctes: Vec<String>,
    found: Vec<Ident>,
}

impl Walker<'_> {
    fn query(&mut self, query: &ast::Query) -> Result<()> {
        let known = self.ctes.len();
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                self.query(&cte.query)?;
                self.ctes.push(cte.alias.name.value.to_lowercase());
            }
        }
        self.set_expression(&query.body)?;
        self.ctes.truncate(known);
        Ok(())
    }

    fn set_expression(&mut self, body: &ast::SetExpr) -> Result<()> {
        match body {
            ast::SetExpr::Select(select) => {
                for relation in &select.from {
                    self.factor(&relation.relation)?;
                    for join in &relation.joins {
                        self.factor(&join.relation)?;
                    }
                }
                self.check_functions(select)
            }
            ast::SetExpr::Query(query) => self.query(query),
            ast::SetExpr::SetOperation { left, right, .. } => {
                self.set_expression(left)?;
                self.set_expression(right)
            }
            _ => Ok(()),
        }
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<()> {
        if let Some(call) = sql::window_call(factor)? {
            return self.factor(&call.input);
        }
        match factor {
            TableFactor::Table { name, .. } => {
                if let [ast::ObjectNamePart::Identifier(name)] = name.0.as_slice() {
                    let known = self.found.iter().any(|found| found.value == name.value);
                    let is_cte = self.ctes.contains(&name.value.to_lowercase());
                    if !known && !is_cte {
                        self.found.push(name.clone());
                    }
                }
                Ok(())
            }
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => self.factor(&table_with_joins.relation),
            _ => Ok(()),
        }
    }

    fn check_functions(&self, select: &ast::Select) -> Result<()> {
        let mut exprs: Vec<&Expr> = Vec::new();
        for item in &select.projection {
            match item {
                ast::SelectItem::UnnamedExpr(expr)
                | ast::SelectItem::ExprWithAlias { expr, .. } => exprs.push(expr),
                _ => {}
            }
        }
        exprs.extend(&select.selection);
        exprs.extend(&select.having);
        if let ast::GroupByExpr::Expressions(keys, _) = &select.group_by {
            exprs.extend(keys);
        }
        for expr in exprs {
            let wrong = ast::visit_expressions(expr, |expr| match expr {
                Expr::Function(function) => match self.check_function(function) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => ControlFlow::Break(error),
                },
                _ => ControlFlow::Continue(()),
            });
            if let ControlFlow::Break(error) = wrong {
                return Err(error);
            }
        }
        Ok(())
    }

    fn check_function(&self, function: &ast::Function) -> Result<()> {
        let [ast::ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else {
            return Ok(());
        };
        let lower = name.value.to_lowercase();
        if self.functions.exists(&lower) {
            return check_arguments(function, &lower);
        }
        let error = Error::plan(format!("function `{}` does not exist", name.value))
            .at_least(sql::span_of(name.span));
        Err(match spellings::instead_of(&lower) {
            Some(instead) => error.help(instead),
            None => error
                .suggest(&lower, self.functions.names())
                .help("`.functions` at the prompt lists them"),
        })
    }
}

/// `*` is an argument of `count` alone.
fn check_arguments(function: &ast::Function, name: &str) -> Result<()> {
    let ast::FunctionArguments::List(list) = &function.args else {
        return Ok(());
    };
    let is_wildcard = |argument: &ast::FunctionArg| {
        use ast::FunctionArgExpr::{QualifiedWildcard, Wildcard};
        matches!(
            argument,
            ast::FunctionArg::Unnamed(Wildcard | QualifiedWildcard(_))
        )
    };
    if name == "count" || !list.args.iter().any(is_wildcard) {
        return Ok(());
    }
    Err(Error::plan(format!("`{name}` takes a column, not `*`"))
        .at_least(sql::span_of(ast::Spanned::span(&function.name)))
        .help("only count(*) counts whole rows"))
}
