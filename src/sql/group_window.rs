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

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments,
    GroupByExpr, Ident, ObjectName, ObjectNamePart, OrderByKind, Query, Select, SelectItem,
    SetExpr, Spanned, TableAlias, TableFactor, TableFunctionArgs, Value, VisitMut, VisitorMut,
};

use super::item_names::ItemNames;
use super::tokens::{place, span_of};
use super::window_call::{Arguments, Kind, WINDOWS, time_column};
use crate::error::{Error, Result, Span};

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

/// The window of a GROUP BY.
struct Grouped {
    kind: Kind,
    /// The call as found, to tell it from others.
    call: Function,
    /// The arguments by name, without the table.
    arguments: Vec<(String, Expr)>,
    /// `AS window`.
    alias: Option<Ident>,
    span: Span,
}

fn rewrite_select(select: &mut Select, text: &str) -> Result<Option<Grouped>> {
    let mut window = find(select, text)?;
    if let Some(window) = &mut window {
        check_source(select, window)?;
        let keys = rewrite_group_by(select, window);
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

fn same_name(left: &Ident, right: &Ident) -> bool {
    left.value.eq_ignore_ascii_case(&right.value)
}

fn function_name(function: &Function) -> Option<&Ident> {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] if name.quote_style.is_none() => Some(name),
        _ => None,
    }
}

fn group_kind(function: &Function) -> Option<Kind> {
    Kind::of(&function_name(function)?.value)
}

/// The call with its brackets, as far as the text shows it.
fn place_of_call(function: &Function, text: &str) -> Span {
    let Some(name) = function_name(function).and_then(|name| span_of(name.span)) else {
        return Span::new(0, 0);
    };
    let inner = span_of(function.span()).map_or(name.end, |span| span.end);
    let close = text
        .get(inner..)
        .map_or("", |rest| rest)
        .char_indices()
        .find(|(_, c)| !c.is_whitespace() && *c != '(')
        .filter(|(_, c)| *c == ')');
    Span::new(name.start, close.map_or(inner, |(at, _)| inner + at + 1))
}

/// The arguments of a call: (name, value), the name empty for those without.
fn arguments_of(function: &Function) -> Option<Vec<(String, Expr)>> {
    let FunctionArguments::List(list) = &function.args else {
        return Some(Vec::new());
    };
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(value),
                ..
            } => Some((name.value.to_uppercase(), value.clone())),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => {
                Some((String::new(), value.clone()))
            }
            _ => None,
        })
        .collect()
}

/// Equal but for the alias.
fn same_call(left: &Function, right: &Function) -> bool {
    let plain = |function: &Function| {
        arguments_of(function).map(|mut arguments| {
            arguments.retain(|(name, _)| name != "ALIAS");
            arguments
        })
    };
    group_kind(left) == group_kind(right) && plain(left) == plain(right)
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

fn group_usage(kind: Kind) -> String {
    match kind {
        Kind::Hop => "write `GROUP BY HOP(ts, slide, size)`".to_owned(),
        Kind::Cumulate => "write `GROUP BY CUMULATE(ts, step, size)`".to_owned(),
        Kind::Session => "write `GROUP BY SESSION(ts, gap)`".to_owned(),
        _ => "write `GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)`".to_owned(),
    }
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
        // `GROUP BY ALL`: the items that are no aggregates; the planner knows which.
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

fn is_window_column(name: &Ident) -> bool {
    ["window_start", "window_end", "window_time"]
        .iter()
        .any(|column| name.value.eq_ignore_ascii_case(column))
}

fn bound_column(name: &str, span: Span) -> Expr {
    let mut name = Ident::new(name);
    name.span = place(span);
    Expr::Identifier(name)
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
    let mut arguments = vec![("DATA".to_owned(), data)];
    if window.kind == Kind::Session && !keys.is_empty() {
        let keys = keys.into_iter().map(|key| unqualified(key, alias.as_ref()));
        arguments.push(("KEYS".to_owned(), Expr::Tuple(keys.collect())));
    }
    arguments.extend(window.arguments.iter().cloned());
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

fn is_alias(name: &Ident, window: &Grouped) -> bool {
    window
        .alias
        .as_ref()
        .is_some_and(|alias| same_name(alias, name))
}

/// The column that `window.start`, `window.end` or `window.time` means.
fn bound(parts: &[Ident], window: &Grouped) -> Option<&'static str> {
    let [name, column] = parts else { return None };
    if !is_alias(name, window) {
        return None;
    }
    match column.value.to_lowercase().as_str() {
        "start" => Some("window_start"),
        "end" => Some("window_end"),
        "time" => Some("window_time"),
        _ => None,
    }
}

/// The window and the column of `TUMBLE_START(…)` and its siblings.
fn helper(function: &Function) -> Option<(Kind, &'static str)> {
    let name = function_name(function)?.value.to_uppercase();
    let (head, tail) = name.rsplit_once('_')?;
    let kind = WINDOWS.into_iter().find(|kind| kind.name() == head)?;
    let column = match tail {
        "START" => "window_start",
        "END" => "window_end",
        "ROWTIME" => "window_time",
        "PROCTIME" => "",
        _ => return None,
    };
    Some((kind, column))
}

/// Replaces what names the window by its columns.
fn replace(expr: &mut Expr, window: Option<&Grouped>, text: &str) -> Result<()> {
    let mut pass = Replace {
        window,
        text,
        queries: 0,
    };
    match expr.visit(&mut pass) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Replace<'a> {
    window: Option<&'a Grouped>,
    text: &'a str,
    /// How many inner queries are open: their windows are their own.
    queries: usize,
}

impl VisitorMut for Replace<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.queries > 0 {
            return ControlFlow::Continue(());
        }
        match self.meaning(expr) {
            Ok(Some((column, span))) => {
                *expr = bound_column(column, span);
                ControlFlow::Continue(())
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Replace<'_> {
    /// The window's column that an expression stands for.
    fn meaning(&self, expr: &Expr) -> Result<Option<(&'static str, Span)>> {
        let span = |place| span_of(place).unwrap_or(Span::new(0, 0));
        match (expr, self.window) {
            (Expr::Function(call), window) => self.call(call, window),
            (Expr::Identifier(name), Some(window)) if is_alias(name, window) => {
                Ok(Some(("window_start", span(name.span))))
            }
            (Expr::CompoundIdentifier(parts), Some(window)) => {
                Ok(bound(parts, window).map(|column| (column, span(parts[0].span))))
            }
            _ => Ok(None),
        }
    }

    fn call(
        &self,
        call: &Function,
        window: Option<&Grouped>,
    ) -> Result<Option<(&'static str, Span)>> {
        let place = place_of_call(call, self.text);
        if let Some(kind) = group_kind(call) {
            return match window {
                Some(window) if same_call(call, &window.call) => Ok(Some(("window_start", place))),
                _ => Err(
                    Error::syntax(format!("{} stands in GROUP BY or FROM", kind.name()))
                        .at(place)
                        .help(group_usage(kind)),
                ),
            };
        }
        let Some((kind, column)) = helper(call) else {
            return Ok(None);
        };
        let name = function_name(call).map_or("", |name| &name.value);
        if column.is_empty() {
            return Err(Error::unsupported(format!("{name} is not built"))
                .at(place)
                .help(format!(
                    "{}_ROWTIME is the time attribute of the window",
                    kind.name()
                )));
        }
        let Some(window) = window.filter(|window| window.kind == kind) else {
            return Err(
                Error::syntax(format!("{name} needs its window in GROUP BY"))
                    .at(place)
                    .help(group_usage(kind)),
            );
        };
        let arguments = arguments_of(call).unwrap_or_default();
        let mut known = arguments_of(&window.call).unwrap_or_default();
        known.retain(|(name, _)| name != "ALIAS");
        if !arguments.is_empty() && arguments != known {
            return Err(
                Error::syntax(format!("{name} names another window than GROUP BY"))
                    .at(place)
                    .help("give it the arguments of the window in GROUP BY"),
            );
        }
        Ok(Some((column, place)))
    }
}
