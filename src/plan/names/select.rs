//! SELECT: wildcards spelt out, aliases in GROUP BY, HAVING and ORDER BY, output names made unique.
//!
//! Naming `window_start` or `window_end` in GROUP BY means grouping by the window: all its bounds are
//! grouped by, so that the others are free to select.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, GroupByExpr, SelectItem};

use super::columns::{Bound, Relation, RelationColumn, reference, span_of_expr};
use super::{Resolver, order_keys, quoted};
use crate::error::{Error, Result};
use crate::plan::literals::number_of;

/// How many columns a result may have: twice as many as a record, so that `*` leaves room.
const COLUMNS_MAX: usize = 20_000;

impl Resolver<'_> {
    /// Resolves a SELECT in place with its `ORDER BY`; returns its output columns.
    pub(super) fn select(
        &mut self,
        select: &mut ast::Select,
        mut order_by: Option<&mut ast::OrderBy>,
    ) -> Result<Vec<RelationColumn>> {
        let mut relation = self.from(&mut select.from)?;
        self.meet_all_unseen(select, order_by.as_deref_mut(), &mut relation);
        if let Some(condition) = &mut select.selection {
            self.refuse_aggregates(
                condition,
                "WHERE",
                "put conditions on aggregates into HAVING",
            )?;
            self.expression(condition, &relation, &[])?;
        }
        let outputs = self.projection(select, &relation)?;
        let aliases: Vec<(String, Expr)> = select
            .projection
            .iter()
            .filter_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } => {
                    Some((alias.value.clone(), expr.clone()))
                }
                _ => None,
            })
            .collect();
        self.group_by(select, &relation, &aliases)?;
        if let Some(having) = &mut select.having {
            self.expression(having, &relation, &aliases)?;
        }
        let keys = order_keys(order_by);
        let mut sorted: Vec<Expr> = Vec::with_capacity(keys.len());
        for key in keys {
            self.order_key(&mut key.expr, &relation, &outputs, &aliases)?;
            sorted.push(key.expr.clone());
        }
        self.check_grouped(select, &sorted)?;
        Ok(outputs)
    }

    /// Spells wildcards out and gives every item its output name.
    fn projection(
        &mut self,
        select: &mut ast::Select,
        relation: &Relation,
    ) -> Result<Vec<RelationColumn>> {
        let mut items: Vec<(Expr, String)> = Vec::new();
        let apart = self.unseen_items(select, relation);
        for item in std::mem::take(&mut select.projection) {
            match item {
                SelectItem::UnnamedExpr(mut expr) => {
                    let typed = expr.to_string();
                    self.expression(&mut expr, relation, &[])?;
                    let name = match column_of(&expr, relation) {
                        Some(column) => column.name.clone(),
                        None => typed,
                    };
                    items.push((expr, name));
                }
                SelectItem::ExprWithAlias { mut expr, alias } => {
                    self.expression(&mut expr, relation, &[])?;
                    items.push((expr, alias.value));
                }
                SelectItem::Wildcard(options) => {
                    if let Some(table) = relation.table {
                        self.tables[table].starred = true;
                    }
                    items.extend(self.wildcard(relation, None, &options, &apart)?);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    if let Some(table) = relation.table {
                        self.tables[table].starred = true;
                    }
                    let name = kind.to_string();
                    let name = name.strip_suffix(".*").unwrap_or(&name);
                    let name = name.trim_matches('"');
                    items.extend(self.wildcard(relation, Some(name), &options, &apart)?);
                }
                SelectItem::ExprWithAliases { .. } => {
                    return Err(Error::unsupported("several names for one expression"));
                }
            }
        }
        if items.len() > COLUMNS_MAX {
            let what = format!("a result of {} columns", items.len());
            return Err(Error::plan(what).help(format!("at most {COLUMNS_MAX} are possible")));
        }
        Ok(name_items(select, items, relation))
    }

    /// The columns that the sample lacks and that stand in SELECT by themselves: `SELECT *, later` names each once.
    fn unseen_items(&self, select: &ast::Select, relation: &Relation) -> Vec<String> {
        let Some(table) = relation.table else {
            return Vec::new();
        };
        let is_unseen = |name: &String| {
            let mut unseen = self.unseen.iter();
            unseen.any(|(of, unseen, _)| *of == self.tables[table].name && unseen == name)
        };
        let named = |item: &SelectItem| {
            let parts = match item {
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => std::slice::from_ref(name),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts,
                _ => return None,
            };
            let found = self.find(relation, parts, None).ok()?;
            Some(relation.columns[found].name.clone())
        };
        (select.projection.iter().filter_map(named))
            .filter(is_unseen)
            .collect()
    }

    fn wildcard(
        &self,
        relation: &Relation,
        qualifier: Option<&str>,
        options: &ast::WildcardAdditionalOptions,
        apart: &[String],
    ) -> Result<Vec<(Expr, String)>> {
        if relation.columns.is_empty() {
            return Err(match relation.table {
                Some(_) => Error::data(format!(
                    "`{}` is empty: `*` stands for no column",
                    relation.name
                ))
                .help("name the columns: SELECT ts, host … gives no rows, and exit code 0"),
                None => Error::plan("`*` needs a FROM"),
            });
        }
        let named = |name: &ast::ObjectName| (name.to_string(), ast::Spanned::span(name));
        let excluded: Vec<(String, _)> = match (&options.opt_exclude, &options.opt_except) {
            (Some(ast::ExcludeSelectItem::Single(name)), _) => vec![named(name)],
            (Some(ast::ExcludeSelectItem::Multiple(names)), _) => names.iter().map(named).collect(),
            (None, Some(except)) => std::iter::once(&except.first_element)
                .chain(&except.additional_elements)
                .map(|name| (name.value.clone(), name.span))
                .collect(),
            (None, None) => Vec::new(),
        };
        let mut leave_out = Vec::new();
        for (name, span) in &excluded {
            let name = ast::Ident::new(name.trim_matches('"'));
            leave_out.push(self.find(relation, &[name], self.span(*span))?);
        }
        let items: Vec<(Expr, String)> = relation
            .columns
            .iter()
            .enumerate()
            .filter(|(index, column)| {
                let named = qualifier.is_none_or(|qualifier| {
                    relation.name.eq_ignore_ascii_case(qualifier)
                        || column.qualifier.eq_ignore_ascii_case(qualifier)
                });
                let is_apart = apart.contains(&column.name);
                named && !column.is_hidden && !is_apart && !leave_out.contains(index)
            })
            .map(|(_, column)| (reference(column), column.name.clone()))
            .collect();
        match qualifier {
            Some(qualifier) if items.is_empty() => Err(Error::plan(format!(
                "`{qualifier}.*`: FROM has no `{qualifier}`, but `{}`",
                relation.name
            ))),
            _ => Ok(items),
        }
    }

    fn group_by(
        &mut self,
        select: &mut ast::Select,
        relation: &Relation,
        aliases: &[(String, Expr)],
    ) -> Result<()> {
        let mut keys = match &mut select.group_by {
            GroupByExpr::All(_) => {
                let plain =
                    |expr: &Expr| !self.functions.holds_aggregate(expr) && !is_constant(expr);
                aliases
                    .iter()
                    .map(|(_, e)| e)
                    .filter(|e| plain(e))
                    .cloned()
                    .collect()
            }
            GroupByExpr::Expressions(keys, _) => std::mem::take(keys),
        };
        for key in &mut keys {
            let span = self.span(span_of_expr(key));
            if let Some(ordinal) = ordinal(key) {
                let item = ordinal.checked_sub(1).and_then(|index| aliases.get(index));
                let Some((_, expr)) = item else {
                    return Err(Error::plan(format!(
                        "GROUP BY {ordinal}: there are {} result columns",
                        aliases.len()
                    ))
                    .at_least(span)
                    .help("count the result columns from 1, or name one"));
                };
                *key = expr.clone();
            } else if matches!(select.group_by, GroupByExpr::Expressions(..)) {
                self.expression(key, relation, aliases)?;
            }
            if self.functions.holds_aggregate(key) {
                return Err(Error::plan("GROUP BY takes no aggregate")
                    .at_least(span)
                    .help("put conditions on aggregates into HAVING"));
            }
        }
        let is_bound = |key: &Expr| {
            column_of(key, relation)
                .is_some_and(|column| matches!(column.bound, Some(Bound::Start | Bound::End)))
        };
        if keys.iter().any(is_bound) {
            for column in relation
                .columns
                .iter()
                .filter(|column| column.bound.is_some())
            {
                let bound = reference(column);
                if !keys.contains(&bound) {
                    keys.push(bound);
                }
            }
            let others = keys
                .iter()
                .filter(|key| column_of(key, relation).is_none_or(|c| c.bound.is_none()));
            if relation.session_keys == Some(0) && others.count() > 0 {
                self.notes.push(String::from(
                    "sessions are formed over all rows, not per key; for sessions per key write \
                     SESSION(TABLE … PARTITION BY key, …)",
                ));
            }
        }
        select.group_by = GroupByExpr::Expressions(keys, Vec::new());
        Ok(())
    }

    /// A key of ORDER BY: an output column by name or number, else an expression over FROM.
    fn order_key(
        &mut self,
        key: &mut Expr,
        relation: &Relation,
        outputs: &[RelationColumn],
        aliases: &[(String, Expr)],
    ) -> Result<()> {
        if let Some(ordinal) = ordinal(key) {
            let Some(output) = ordinal.checked_sub(1).and_then(|index| outputs.get(index)) else {
                return Err(Error::plan(format!(
                    "ORDER BY {ordinal}: there are {} result columns",
                    outputs.len()
                ))
                .at_least(self.span(span_of_expr(key)))
                .help("count the result columns from 1, or name one"));
            };
            *key = Expr::Identifier(quoted(&output.name));
            return Ok(());
        }
        if let Expr::Identifier(name) = key {
            let result = Relation::new("the result", outputs.to_vec());
            if let Ok(found) = self.find(&result, std::slice::from_ref(name), None) {
                *key = Expr::Identifier(quoted(&outputs[found].name));
                return Ok(());
            }
        }
        self.expression(key, relation, aliases)
    }

    fn meet_all_unseen(
        &mut self,
        select: &ast::Select,
        order_by: Option<&mut ast::OrderBy>,
        relation: &mut Relation,
    ) {
        let mut exprs: Vec<&Expr> = Vec::new();
        let mut known: Vec<String> = Vec::new();
        exprs.extend(&select.selection);
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => exprs.push(expr),
                SelectItem::ExprWithAlias { expr, alias } => {
                    exprs.push(expr);
                    known.push(alias.value.clone());
                }
                _ => {}
            }
        }
        if let GroupByExpr::Expressions(keys, _) = &select.group_by {
            exprs.extend(keys);
        }
        exprs.extend(&select.having);
        let keys = order_keys(order_by);
        exprs.extend(keys.iter().map(|key| &key.expr));
        self.meet_unseen(&exprs, relation, &known);
    }
}

/// Gives every item of SELECT a name of its own.
fn name_items(
    select: &mut ast::Select,
    items: Vec<(Expr, String)>,
    relation: &Relation,
) -> Vec<RelationColumn> {
    // As many columns as there may be are found at once.
    let mut columns: HashMap<(&str, &str), &RelationColumn> = HashMap::new();
    for column in &relation.columns {
        columns
            .entry((&column.qualifier, &column.name))
            .or_insert(column);
    }
    let mut outputs: Vec<RelationColumn> = Vec::with_capacity(items.len());
    let mut names = UniqueNames::default();
    for (expr, name) in items {
        let name = names.next(name);
        let special = name_of(&expr).and_then(|name| columns.get(&name).copied());
        outputs.push(RelationColumn {
            bound: special.and_then(|column| column.bound),
            is_time: special.is_some_and(|column| column.is_time),
            ..RelationColumn::plain(&name)
        });
        let alias = quoted(&name);
        select
            .projection
            .push(SelectItem::ExprWithAlias { expr, alias });
    }
    outputs
}

/// The column that a resolved expression is, if it is one.
fn column_of<'r>(expr: &Expr, relation: &'r Relation) -> Option<&'r RelationColumn> {
    let (qualifier, name) = name_of(expr)?;
    let mut columns = relation.columns.iter();
    columns.find(|column| column.name == name && column.qualifier == qualifier)
}

/// The relation and name of the column that a resolved expression is, if it is one.
fn name_of(expr: &Expr) -> Option<(&str, &str)> {
    match expr {
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [qualifier, name] => Some((&qualifier.value, &name.value)),
            _ => None,
        },
        Expr::Nested(inner) => name_of(inner),
        _ => None,
    }
}

fn ordinal(expr: &Expr) -> Option<usize> {
    number_of(expr)?.parse().ok()
}

fn is_constant(expr: &Expr) -> bool {
    ast::visit_expressions(expr, |expr| match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_continue()
}

/// Names for columns, none of them twice.
#[derive(Default)]
struct UniqueNames {
    taken: HashSet<String>,
    /// Per name that was wanted again: the number behind its last one.
    numbers: HashMap<String, usize>,
}

impl UniqueNames {
    /// `name`, or `name_1`, `name_2`, … if it is taken.
    fn next(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let number = self.numbers.entry(name.clone()).or_default();
        loop {
            *number += 1;
            let numbered = format!("{name}_{number}");
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}
