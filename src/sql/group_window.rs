//! Windows in GROUP BY become windows in FROM.
//!
//! ```text
//!  SELECT TUMBLE_START(ts, 1m), k FROM t GROUP BY TUMBLE(ts, 1m), k
//!  SELECT window_start AS "TUMBLE_START(ts, 1m)", k FROM TUMBLE(DATA => t, TIMECOL => ts, SIZE => …)
//!  GROUP BY window_start, window_end, k
//! ```
//!
//! The window may stand in GROUP BY itself (also `… AS window`), or in the SELECT list, named by GROUP BY
//! through its alias, its ordinal, or `ALL`. Afterwards `window.start`, `window.end` and the alias alone
//! are columns of the window, and so are `TUMBLE_START(…)` and its siblings.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, GroupByExpr, Ident,
    ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr, Spanned, TableAlias, TableFactor,
    TableFunctionArgs, Value,
};

use super::item_names::ItemNames;
use super::tokens::{place, span_of};
use super::window_call::{Arguments, Kind, time_column};
use super::window_columns::{
    Grouped, arguments_of, bound, bound_column, function_name, group_kind, group_usage, helper,
    is_alias, is_window_column, place_of_call, replace, same_call, same_name,
};
use crate::error::{Error, Result};

/// Names the items of a query's SELECTs and moves their windows; inner queries are left alone.
pub(super) fn rewrite_query(query: &mut Query, names: &ItemNames, text: &str) -> Result<()> {
    let window = rewrite_body(&mut query.body, names, text)?;
    if let Some(order_by) = &mut query.order_by
        && let OrderByKind::Expressions(keys) = &mut order_by.kind
    {
        for key in keys {
            replace(&mut key.expr, window.as_ref(), text)?;
        }
    }
    if let Some(limit) = &mut query.limit_clause
        && let sqlparser::ast::LimitClause::LimitOffset { limit_by, .. } = limit
    {
        for key in limit_by {
            replace(key, window.as_ref(), text)?;
        }
    }
    Ok(())
}

fn rewrite_body(body: &mut SetExpr, names: &ItemNames, text: &str) -> Result<Option<Grouped>> {
    match body {
        SetExpr::Select(select) => {
            names.give(select, text);
            rewrite_select(select, text)
        }
        SetExpr::SetOperation { left, right, .. } => {
            rewrite_body(left, names, text)?;
            rewrite_body(right, names, text)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn rewrite_select(select: &mut Select, text: &str) -> Result<Option<Grouped>> {
    let mut window = find(select, text)?;
    if let Some(window) = &mut window {
        check_source(select, window)?;
        let keys = match &select.group_by {
            GroupByExpr::All(_) if window.kind == Kind::Session => {
                keys_of_all(select, window, text)?
            }
            GroupByExpr::All(_) => Vec::new(),
            GroupByExpr::Expressions(..) => rewrite_group_by(select, window),
        };
        wrap(select, window, keys)?;
    }
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let dotted = window.as_ref().and_then(|window| dotted_name(expr, window));
            replace(expr, window.as_ref(), text)?;
            // `window.start` is a plain column to its writer, so its name is its last part.
            if let (Some(name), SelectItem::UnnamedExpr(expr)) = (dotted, &mut *item) {
                let expr = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
                *item = SelectItem::ExprWithAlias { expr, alias: name };
            }
        }
    }
    if let Some(having) = &mut select.having {
        replace(having, window.as_ref(), text)?;
    }
    if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
        for key in keys {
            replace(key, window.as_ref(), text)?;
        }
    }
    if let Some(selection) = &mut select.selection {
        // Filters come before windows: no window is known there.
        replace(selection, None, text)?;
    }
    Ok(window)
}

/// The name that `window.start` keeps in the output.
fn dotted_name(expr: &Expr, window: &Grouped) -> Option<Ident> {
    match expr {
        Expr::CompoundIdentifier(parts) => {
            bound(parts, window)?;
            parts.last().cloned()
        }
        Expr::Identifier(name) if is_alias(name, window) => Some(name.clone()),
        _ => None,
    }
}

/// The window that the SELECT groups by.
fn find(select: &Select, text: &str) -> Result<Option<Grouped>> {
    let calls = |expr: &Expr| match expr {
        Expr::Function(function) if group_kind(function).is_some() => Some(function.clone()),
        _ => None,
    };
    let mut found: Vec<(Function, Option<Ident>)> = Vec::new();
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        found.extend(
            keys.iter()
                .filter_map(|key| calls(key).map(|call| (call, None))),
        );
    }
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
    };
    for (index, item) in select.projection.iter().enumerate() {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            continue;
        };
        let alias = match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
            _ => None,
        };
        let named = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(keys, _) => keys
                .iter()
                .any(|key| names_item(key, index, alias.as_ref())),
        };
        if let Some(call) = calls(expr).filter(|_| grouped && named)
            && !found.iter().any(|(known, _)| same_call(known, &call))
        {
            found.push((call, alias));
        }
    }
    let mut found = found.into_iter();
    let Some((call, alias)) = found.next() else {
        return Ok(None);
    };
    if let Some((second, _)) = found.find(|(other, _)| !same_call(other, &call)) {
        let span = place_of_call(&second, text);
        return Err(Error::syntax("a query groups by one window").at(span).help(
            "put the first window into a subquery: `FROM TUMBLE((SELECT …), window_time, 1h)`",
        ));
    }
    grouped_window(call, alias, text).map(Some)
}

/// True if a key of GROUP BY is the ordinal or the alias of an item.
fn names_item(key: &Expr, index: usize, alias: Option<&Ident>) -> bool {
    match key {
        Expr::Value(value) => {
            matches!(&value.value, Value::Number(number, _) if number.parse() == Ok(index + 1))
        }
        Expr::Identifier(name) => alias.is_some_and(|alias| same_name(name, alias)),
        Expr::CompoundIdentifier(parts) => parts
            .first()
            .is_some_and(|name| alias.is_some_and(|alias| same_name(name, alias))),
        _ => false,
    }
}

fn grouped_window(call: Function, alias: Option<Ident>, text: &str) -> Result<Grouped> {
    let kind = group_kind(&call).unwrap_or(Kind::Tumble);
    let span = place_of_call(&call, text);
    if kind == Kind::Count {
        return Err(Error::syntax("COUNT_WINDOW stands in FROM").at(span).help(
            "write `FROM COUNT_WINDOW(TABLE t PARTITION BY key, 100) GROUP BY window_start, key`",
        ));
    }
    let usage = group_usage(kind);
    let Some(given) = arguments_of(&call) else {
        return Err(
            Error::syntax(format!("{} cannot read its arguments", kind.name()))
                .at(span)
                .help(usage),
        );
    };
    let mut grouped = Grouped {
        kind,
        call,
        arguments: Vec::new(),
        alias,
        span,
    };
    let mut positions = kind.positions().iter();
    for (index, (name, value)) in given.into_iter().enumerate() {
        let column = matches!(value, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let name = match name.as_str() {
            "ALIAS" => {
                if let Expr::Identifier(alias) = value {
                    grouped.alias = Some(alias);
                }
                continue;
            }
            "" if index == 0 && column => "TIMECOL".to_owned(),
            "" => match positions.next() {
                Some(position) => (*position).to_owned(),
                None => {
                    return Err(
                        Error::syntax(format!("{} has too many arguments", kind.name()))
                            .at(span)
                            .help(usage),
                    );
                }
            },
            _ => name,
        };
        let value = if name == "TIMECOL" {
            Expr::Identifier(time_column(&value)?)
        } else {
            value
        };
        grouped.arguments.push((name, value));
    }
    // Sizes are checked here, so that the error shows the form that was typed.
    let borrowed = grouped.arguments.iter().map(|(n, v)| (n.clone(), v));
    Arguments::of(kind, span, borrowed.collect()).windows()?;
    Ok(grouped)
}

/// The window needs one relation, and one that is no window itself.
fn check_source(select: &Select, window: &Grouped) -> Result<()> {
    let help = || format!("write the window in FROM: {}", window.kind.usage());
    let [source] = select.from.as_slice() else {
        let what = if select.from.is_empty() {
            "a window groups the rows of a relation, and FROM is missing"
        } else {
            "a window in GROUP BY needs a single relation in FROM"
        };
        return Err(Error::syntax(what).at(window.span).help(help()));
    };
    if !source.joins.is_empty() {
        return Err(
            Error::syntax("a window in GROUP BY needs a single relation in FROM")
                .at(window.span)
                .help(help()),
        );
    }
    match &source.relation {
        TableFactor::Table { args: None, .. } | TableFactor::Derived { .. } => Ok(()),
        _ => Err(Error::syntax("the relation in FROM has a window already")
            .at(window.span)
            .help("group by `window_start, window_end`, or put the first window into a subquery")),
    }
}

/// Puts `window_start, window_end` in the place of the window; returns the other keys.
fn rewrite_group_by(select: &mut Select, window: &Grouped) -> Vec<Expr> {
    let bounds = [
        bound_column("window_start", window.span),
        bound_column("window_end", window.span),
    ];
    let projection = select.projection.clone();
    let is_window = |expr: &Expr| match expr {
        Expr::Function(call) => group_kind(call).is_some() && same_call(call, &window.call),
        _ => false,
    };
    let item_is_window = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => is_window(expr),
        _ => false,
    };
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else {
        return Vec::new();
    };
    let mut others = Vec::new();
    let mut out: Vec<Expr> = Vec::new();
    for key in std::mem::take(keys) {
        let ordinal = match &key {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => number.parse::<usize>().ok(),
                _ => None,
            },
            _ => None,
        };
        let item = ordinal
            .and_then(|n| n.checked_sub(1))
            .and_then(|n| projection.get(n));
        let is_bound = is_window(&key)
            || item.is_some_and(item_is_window)
            || matches!(&key, Expr::Identifier(name) if is_alias(name, window))
            || matches!(&key, Expr::CompoundIdentifier(parts) if bound(parts, window).is_some());
        if is_bound {
            for bound in &bounds {
                if !out.contains(bound) {
                    out.push(bound.clone());
                }
            }
            continue;
        }
        let is_helper = |expr: &Expr| {
            matches!(expr, Expr::Function(call) if helper(call).is_some())
                || matches!(expr, Expr::Identifier(name) if is_window_column(name))
        };
        let meaning = match item {
            Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr,
            _ => resolve_alias(&key, &projection).unwrap_or(&key),
        };
        if !is_helper(meaning) {
            others.push(meaning.clone());
        }
        out.push(key);
    }
    *keys = out;
    others
}

/// The keys that `GROUP BY ALL` means: every item that is neither an aggregate nor the window's.
///
/// # Errors
/// Items with functions: only the planner knows which of them aggregate.
fn keys_of_all(select: &Select, window: &Grouped, text: &str) -> Result<Vec<Expr>> {
    const AGGREGATES: [&str; 14] = [
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "count_if",
        "first_value",
        "last_value",
        "median",
        "stddev",
        "p50",
        "p90",
        "p95",
        "p99",
    ];
    let mut keys = Vec::new();
    for item in &select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            continue;
        };
        match expr {
            Expr::Identifier(name) if !is_window_column(name) => keys.push(expr.clone()),
            Expr::CompoundIdentifier(parts) if bound(parts, window).is_none() => {
                keys.push(expr.clone());
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => {}
            Expr::Function(call)
                if group_kind(call).is_some()
                    || helper(call).is_some()
                    || function_name(call).is_some_and(|n| {
                        AGGREGATES.iter().any(|a| a.eq_ignore_ascii_case(&n.value))
                    }) => {}
            _ => {
                return Err(Error::syntax(
                    "GROUP BY ALL leaves open what the keys of the sessions are",
                )
                .at_least(match expr {
                    Expr::Function(call) => Some(place_of_call(call, text)),
                    _ => span_of(expr.span()),
                })
                .help("write the keys: `GROUP BY SESSION(ts, 5m), key`"));
            }
        }
    }
    Ok(keys)
}

/// The item that a key names by its alias.
fn resolve_alias<'a>(key: &Expr, projection: &'a [SelectItem]) -> Option<&'a Expr> {
    let Expr::Identifier(name) = key else {
        return None;
    };
    projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if same_name(alias, name) => Some(expr),
        _ => None,
    })
}

/// Puts the window call around the relation of FROM.
fn wrap(select: &mut Select, window: &Grouped, keys: Vec<Expr>) -> Result<()> {
    let Some(source) = select.from.first_mut() else {
        return Ok(());
    };
    let (data, alias) = match &mut source.relation {
        TableFactor::Table { name, alias, .. } => (data_of(name)?, alias.take()),
        TableFactor::Derived {
            subquery, alias, ..
        } => (Expr::Subquery(subquery.clone()), alias.take()),
        _ => return Ok(()),
    };
    // The window is below the alias, and does not know it.
    let called: Vec<String> = [
        alias.as_ref().map(|alias| alias.name.value.clone()),
        name_of(&data),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut arguments = vec![("DATA".to_owned(), data)];
    if window.kind == Kind::Session && !keys.is_empty() {
        let keys = keys.into_iter().map(|key| unqualified(key, alias.as_ref()));
        arguments.push(("KEYS".to_owned(), Expr::Tuple(keys.collect())));
    }
    arguments.extend(window.arguments.iter().cloned());
    for (name, value) in &mut arguments {
        if let (true, Expr::Identifier(time)) = (name == "TIMECOL", value)
            && let Some((relation, column)) = time.value.split_once('.')
            && time.quote_style.is_none()
            && called
                .iter()
                .any(|called| called.eq_ignore_ascii_case(relation))
        {
            time.value = column.to_owned();
        }
    }
    let args = arguments
        .into_iter()
        .map(|(name, value)| FunctionArg::Named {
            name: Ident {
                value: name,
                quote_style: Some('"'),
                span: place(window.span),
            },
            arg: FunctionArgExpr::Expr(value),
            operator: FunctionArgOperator::RightArrow,
        })
        .collect();
    let mut name = Ident::new(window.kind.name());
    name.span = place(window.span);
    source.relation = TableFactor::Table {
        name: ObjectName::from(vec![name]),
        alias,
        args: Some(TableFunctionArgs {
            args,
            settings: None,
        }),
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    };
    Ok(())
}

/// A key as the window sees it: the alias of the relation is known outside of the window only.
fn unqualified(key: Expr, alias: Option<&TableAlias>) -> Expr {
    match (key, alias) {
        (Expr::CompoundIdentifier(mut parts), Some(alias))
            if parts.len() > 1 && same_name(&parts[0], &alias.name) =>
        {
            parts.remove(0);
            match parts.len() {
                1 => Expr::Identifier(parts.remove(0)),
                _ => Expr::CompoundIdentifier(parts),
            }
        }
        (key, _) => key,
    }
}

fn data_of(name: &ObjectName) -> Result<Expr> {
    let mut parts: Vec<Ident> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident().cloned())
        .collect();
    match parts.as_slice() {
        [only] if only.quote_style == Some('\'') => Ok(Expr::Value(
            Value::SingleQuotedString(only.value.clone()).with_span(only.span),
        )),
        [_] => Ok(Expr::Identifier(parts.remove(0))),
        [] => Err(Error::syntax("the relation of the window has no name")),
        _ => Ok(Expr::CompoundIdentifier(parts)),
    }
}

fn name_of(data: &Expr) -> Option<String> {
    match data {
        Expr::Identifier(name) => Some(name.value.clone()),
        _ => None,
    }
}
