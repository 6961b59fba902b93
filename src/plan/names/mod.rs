//! Names: every column, table and alias of a query is looked up once, here, and written back exact.
//!
//! ```text
//!   SELECT Status, count(*) AS n FROM TUMBLE(stdin, '1m') GROUP BY window_start, status
//!   SELECT "stdin"."status" AS "status", count(*) AS "n" FROM " window 0"
//!   GROUP BY " window"."window_start", " window"."window_end", " window"."window_time", "stdin"."status"
//! ```
//!
//! What follows this step never guesses a name: DataFusion sees quoted, qualified columns only, and its
//! messages about names cannot occur. Window calls and `LIMIT n BY` become placeholder relations whose
//! parts stand in [`Resolved`].
//!
//! Invariants: a name is found by exact spelling, else ignoring case, else with every run of other
//! characters read as `_`; two candidates in one step are an error. Output names are unique.

mod carried;
mod columns;
mod from;
mod grouped;
mod paths;
mod select;
mod uses;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::DataType;
use sqlparser::ast::{self, Expr, Ident};
use sqlparser::tokenizer;

use crate::catalog::{Catalog, ColumnSource, Table, TableColumn};
use crate::error::{Error, Result, Span};
use crate::sql::{self, WindowArguments};
use crate::time::Zone;

pub use carried::{CARRIED, Carried, Output};
pub use columns::{Bound, RelationColumn};

/// The qualifier of the columns that a window adds; no table can be called so.
pub const WINDOW_QUALIFIER: &str = " window";
/// The beginning of the names of placeholder relations for window calls.
pub const WINDOW_RELATION: &str = " window ";
/// The beginning of the names of placeholder relations for `LIMIT n BY`.
pub const LIMIT_RELATION: &str = " limit ";

/// A query whose names are all exact.
#[derive(Debug)]
pub struct Resolved {
    /// The query.
    pub query: ast::Query,
    /// The tables that it reads, with the columns that it made known.
    pub tables: Vec<Arc<Table>>,
    /// The window calls, by the number in the name of their placeholder.
    pub windows: Vec<ResolvedWindow>,
    /// The `LIMIT n BY` clauses, by the number in the name of their placeholder.
    pub limits: Vec<ResolvedLimit>,
    /// Columns that are NULL until they appear: table, column, type.
    pub unseen: Vec<(String, String, DataType)>,
    /// What the user should know, such as sessions that are not per key.
    pub notes: Vec<String>,
    /// Columns that the query only hands on, if they are many.
    pub carried: Option<Carried>,
}

impl Resolved {
    /// Visits the expressions of the query, also of its parts that stand as placeholders in it.
    pub fn visit_expressions<B>(
        &self,
        look: &mut impl FnMut(&Expr) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        ast::visit_expressions(&self.query, &mut *look)?;
        for window in &self.windows {
            ast::visit_expressions(&window.input, &mut *look)?;
        }
        for limit in &self.limits {
            ast::visit_expressions(&limit.query, &mut *look)?;
        }
        ControlFlow::Continue(())
    }
}

/// A window call with exact names.
#[derive(Debug, Clone)]
pub struct ResolvedWindow {
    /// Kind and sizes.
    pub arguments: WindowArguments,
    /// What it reads.
    pub input: ast::TableFactor,
    /// The time column; `None` for count windows.
    pub time: Option<Expr>,
    /// Keys of sessions and count windows.
    pub partition_by: Vec<Expr>,
    /// The call in the text.
    pub span: Span,
}

/// `LIMIT n BY columns` with the query that it limits.
#[derive(Debug, Clone)]
pub struct ResolvedLimit {
    /// The query without the clause.
    pub query: ast::Query,
    /// Rows per key.
    pub limit: u64,
    /// Rows per key that are left out first.
    pub offset: u64,
    /// Names of the key columns in the result of the query.
    pub by: Vec<String>,
}

/// What a query may call.
pub trait Functions {
    /// True for the name of an aggregate function.
    fn is_aggregate(&self, name: &str) -> bool;
    /// True for the name of any function.
    fn exists(&self, name: &str) -> bool;
    /// All names, for suggestions.
    fn names(&self) -> Vec<String>;

    /// True for a call of an aggregate function.
    fn is_aggregate_call(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Function(call) => self.is_aggregate(&call.name.to_string().to_lowercase()),
            _ => false,
        }
    }

    /// True if a call of an aggregate function is in `expr`.
    fn holds_aggregate(&self, expr: &Expr) -> bool {
        ast::visit_expressions(expr, |expr| match self.is_aggregate_call(expr) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
        .is_break()
    }
}

/// Resolves all names of `query`; instants are shown in `zone`.
///
/// # Errors
/// Names that mean nothing or two things, with what was meant; grouping by an aggregate.
pub fn resolve(
    query: &ast::Query,
    catalog: &Catalog,
    functions: &dyn Functions,
    zone: Zone,
) -> Result<Resolved> {
    let mut resolver = Resolver {
        catalog,
        functions,
        zone,
        scopes: vec![HashMap::new()],
        tables: Vec::new(),
        windows: Vec::new(),
        limits: Vec::new(),
        unseen: Vec::new(),
        notes: Vec::new(),
    };
    let mut query = query.clone();
    paths::spell_out(&mut query)?;
    resolver.query(&mut query)?;
    let carried = carried::set_aside(&mut query, &mut resolver.tables);
    Ok(Resolved {
        query,
        carried,
        tables: resolver.tables.into_iter().map(Arc::new).collect(),
        windows: resolver.windows,
        limits: resolver.limits,
        unseen: resolver.unseen,
        notes: resolver.notes,
    })
}

struct Resolver<'a> {
    catalog: &'a Catalog,
    functions: &'a dyn Functions,
    /// Where instants are shown.
    zone: Zone,
    /// Common table expressions in force, innermost last.
    scopes: Vec<HashMap<String, Vec<RelationColumn>>>,
    tables: Vec<Table>,
    windows: Vec<ResolvedWindow>,
    limits: Vec<ResolvedLimit>,
    unseen: Vec<(String, String, DataType)>,
    notes: Vec<String>,
}

impl Resolver<'_> {
    fn span(&self, span: tokenizer::Span) -> Option<Span> {
        sql::span_of(span)
    }

    /// Resolves a query in place; returns its output columns.
    fn query(&mut self, query: &mut ast::Query) -> Result<Vec<RelationColumn>> {
        self.scopes.push(HashMap::new());
        let result = self.query_in_scope(query);
        self.scopes.pop();
        result
    }

    fn query_in_scope(&mut self, query: &mut ast::Query) -> Result<Vec<RelationColumn>> {
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let mut columns = self.query(&mut cte.query)?;
                self.rename(&mut columns, &cte.alias.columns, &cte.alias.name)?;
                let scope = self.scopes.last_mut().expect("a scope was pushed above");
                scope.insert(cte.alias.name.value.clone(), columns);
                cte.alias.name.quote_style = Some('"');
                for column in &mut cte.alias.columns {
                    column.name.quote_style = Some('"');
                }
            }
        }
        let mut order_by = query.order_by.take();
        let columns = self.set_expression(&mut query.body, order_by.as_mut())?;
        query.order_by = order_by;
        self.check_limit(query)?;
        self.limit_by(query, &columns)?;
        Ok(columns)
    }

    /// LIMIT and OFFSET are numbers that are known before there are rows.
    fn check_limit(&self, query: &ast::Query) -> Result<()> {
        let counts: Vec<(&str, &Expr)> = match &query.limit_clause {
            Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
                let limit = limit.iter().map(|limit| ("LIMIT", limit));
                let offset = offset.iter().map(|offset| ("OFFSET", &offset.value));
                limit.chain(offset).collect()
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => {
                vec![("LIMIT", offset), ("LIMIT", limit)]
            }
            None => return Ok(()),
        };
        for (clause, count) in counts {
            let is_number = match count {
                Expr::Value(value) => match &value.value {
                    ast::Value::Number(text, _) => text.parse::<u64>().is_ok(),
                    ast::Value::Null => clause == "LIMIT",
                    _ => false,
                },
                _ => false,
            };
            if !is_number {
                return Err(
                    Error::plan(format!("{clause} takes a whole number from 0 on"))
                        .at_least(self.span(ast::Spanned::span(count)))
                        .help(format!("write it as digits: {clause} 5")),
                );
            }
        }
        Ok(())
    }

    /// Resolves SELECT, UNION, VALUES or a bracketed query; `order_by` belongs to it.
    fn set_expression(
        &mut self,
        body: &mut ast::SetExpr,
        order_by: Option<&mut ast::OrderBy>,
    ) -> Result<Vec<RelationColumn>> {
        match body {
            ast::SetExpr::Select(select) => self.select(select, order_by),
            ast::SetExpr::Query(query) => {
                let columns = self.query(query)?;
                self.order_by_output(order_by, &columns)?;
                Ok(columns)
            }
            ast::SetExpr::SetOperation { left, right, .. } => {
                let columns = self.set_expression(left, None)?;
                let others = self.set_expression(right, None)?;
                if columns.len() != others.len() {
                    return Err(Error::plan(format!(
                        "the branches of UNION ALL have {} and {} columns",
                        columns.len(),
                        others.len()
                    ))
                    .at_least(self.span(ast::Spanned::span(right.as_ref())))
                    .help("name as many columns in each SELECT; NULL AS x stands for one that is not there"));
                }
                let columns: Vec<RelationColumn> = (columns.into_iter().zip(&others))
                    .map(|(column, other)| column.united(other))
                    .collect();
                self.order_by_output(order_by, &columns)?;
                Ok(columns)
            }
            ast::SetExpr::Values(values) => {
                let width = values.rows.first().map_or(0, |row| row.len());
                let columns: Vec<RelationColumn> = (1..=width)
                    .map(|number| RelationColumn::plain(&format!("column{number}")))
                    .collect();
                self.order_by_output(order_by, &columns)?;
                Ok(columns)
            }
            other => {
                Err(Error::unsupported(format!("`{other}` is no query"))
                    .help("write SELECT … FROM …"))
            }
        }
    }

    /// `ORDER BY` over a query whose inside cannot be seen: names are those of its output.
    fn order_by_output(
        &mut self,
        order_by: Option<&mut ast::OrderBy>,
        columns: &[RelationColumn],
    ) -> Result<()> {
        let relation = columns::Relation::new("the result", columns.to_vec());
        for key in order_keys(order_by) {
            self.expression(&mut key.expr, &relation, &[])?;
            unqualify(&mut key.expr);
        }
        Ok(())
    }

    /// Moves `LIMIT n BY …` out of the query into a placeholder relation around it.
    fn limit_by(&mut self, query: &mut ast::Query, columns: &[RelationColumn]) -> Result<()> {
        let Some(ast::LimitClause::LimitOffset {
            limit,
            offset,
            limit_by,
        }) = &mut query.limit_clause
        else {
            return Ok(());
        };
        if limit_by.is_empty() {
            return Ok(());
        }
        let relation = columns::Relation::new("the result", columns.to_vec());
        let mut by = Vec::new();
        for key in limit_by.iter() {
            let (Expr::Identifier(name), span) = (key, columns::span_of_expr(key)) else {
                return Err(
                    Error::unsupported("LIMIT n BY takes names of result columns")
                        .at_least(self.span(columns::span_of_expr(key)))
                        .help("give the expression a name with AS, and use that"),
                );
            };
            let found = self.find(&relation, std::slice::from_ref(name), self.span(span))?;
            by.push(relation.columns[found].name.clone());
        }
        let count = |expr: &Expr| match expr {
            Expr::Value(value) => value.to_string().parse::<u64>().ok(),
            _ => None,
        };
        let wrong = || Error::plan("LIMIT and OFFSET take whole numbers");
        let limit = limit
            .as_ref()
            .map_or(Ok(u64::MAX), |n| count(n).ok_or_else(wrong))?;
        let offset = offset
            .as_ref()
            .map_or(Ok(0), |n| count(&n.value).ok_or_else(wrong))?;
        let mut inner = query.clone();
        inner.limit_clause = None;
        self.limits.push(ResolvedLimit {
            query: inner,
            limit,
            offset,
            by,
        });
        let placeholder = quoted(&format!("{LIMIT_RELATION}{}", self.limits.len() - 1));
        query.with = None;
        query.order_by = None;
        query.limit_clause = None;
        *query.body = ast::SetExpr::Select(Box::new(from::select_all(placeholder)));
        Ok(())
    }

    /// Gives `columns` the names of an alias list such as `AS t (a, b)`.
    fn rename(
        &self,
        columns: &mut [RelationColumn],
        names: &[ast::TableAliasColumnDef],
        alias: &Ident,
    ) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        if names.len() != columns.len() {
            return Err(Error::plan(format!(
                "`{}` has {} columns, and {} names are given",
                alias.value,
                columns.len(),
                names.len()
            ))
            .at_least(self.span(alias.span)));
        }
        for (column, name) in columns.iter_mut().zip(names) {
            column.name = name.name.value.clone();
        }
        Ok(())
    }

    /// Makes a column known that the sample of a table lacks; `expected` ones are nothing to tell.
    fn add_unseen(&mut self, table: usize, name: &str, data_type: DataType, expected: bool) {
        let source = ColumnSource::Field(name.to_string());
        self.add_column(table, name, data_type, source, expected);
    }

    fn add_column(
        &mut self,
        table: usize,
        name: &str,
        data_type: DataType,
        source: ColumnSource,
        expected: bool,
    ) {
        let table = &mut self.tables[table];
        if !expected {
            self.unseen
                .push((table.name.clone(), name.to_string(), data_type.clone()));
        }
        table.columns.push(TableColumn {
            name: name.to_string(),
            data_type,
            source,
            unshown: false,
        });
    }
}

pub(super) use from::select_all;

/// A query that is one SELECT.
pub(super) fn query_of(select: ast::Select) -> ast::Query {
    ast::Query {
        with: None,
        body: Box::new(ast::SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// The keys of an `ORDER BY`.
fn order_keys(order_by: Option<&mut ast::OrderBy>) -> &mut [ast::OrderByExpr] {
    match order_by.map(|order_by| &mut order_by.kind) {
        Some(ast::OrderByKind::Expressions(keys)) => keys,
        _ => &mut [],
    }
}

/// Replaces `"relation"."column"` by `"column"`.
fn unqualify(expr: &mut Expr) {
    let _ = ast::visit_expressions_mut(expr, |expr| {
        if let Expr::CompoundIdentifier(parts) = expr
            && let Some(last) = parts.last()
        {
            *expr = Expr::Identifier(last.clone());
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
}

/// A name in double quotes: looked up by exact spelling.
fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// A call of the function `name`.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let argument = |expr| ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr));
    Expr::Function(ast::Function {
        name: ast::ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: ast::FunctionArguments::None,
        args: ast::FunctionArguments::List(ast::FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
