//! What names a grouped window in the other clauses: its columns.
//!
//! ```text
//!  TUMBLE_START(ts, 1m)   window.start   window   ─►  window_start
//!  TUMBLE_END(ts, 1m)     window.end              ─►  window_end
//!  TUMBLE_ROWTIME(ts, 1m)                         ─►  window_time
//! ```

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectNamePart, Query,
    Spanned, VisitMut, VisitorMut,
};

use super::tokens::{place, span_of};
use super::window_call::{Kind, WINDOWS, interval_of, time_column};
use crate::error::{Error, Result, Span};

/// The window of a GROUP BY.
pub(super) struct Grouped {
    pub(super) kind: Kind,
    /// The call as found, to tell it from others.
    pub(super) call: Function,
    /// The arguments by name, without the table.
    pub(super) arguments: Vec<(String, Expr)>,
    /// `AS window`.
    pub(super) alias: Option<Ident>,
    pub(super) span: Span,
}

pub(super) fn same_name(left: &Ident, right: &Ident) -> bool {
    left.value.eq_ignore_ascii_case(&right.value)
}

pub(super) fn function_name(function: &Function) -> Option<&Ident> {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] if name.quote_style.is_none() => Some(name),
        _ => None,
    }
}

pub(super) fn group_kind(function: &Function) -> Option<Kind> {
    Kind::of(&function_name(function)?.value)
}

/// The call with its brackets, as far as the text shows it.
pub(super) fn place_of_call(function: &Function, text: &str) -> Span {
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
pub(super) fn arguments_of(function: &Function) -> Option<Vec<(String, Expr)>> {
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
pub(super) fn same_call(left: &Function, right: &Function) -> bool {
    let plain = |function: &Function| {
        arguments_of(function).map(|mut arguments| {
            arguments.retain(|(name, _)| name != "ALIAS");
            arguments
        })
    };
    group_kind(left) == group_kind(right) && plain(left) == plain(right)
}

/// Equal as lengths and as columns: `ts` is `t.ts`, `60s` is `INTERVAL '1' MINUTE`.
fn same_arguments(left: &[(String, Expr)], right: &[(String, Expr)]) -> bool {
    let nowhere = Span::new(0, 0);
    left.len() == right.len()
        && left.iter().zip(right).all(|((_, left), (_, right))| {
            let columns = time_column(left).ok().zip(time_column(right).ok());
            let lengths = interval_of(left, nowhere)
                .ok()
                .zip(interval_of(right, nowhere).ok());
            columns.is_some_and(|(left, right)| same_column(&left, &right))
                || lengths.is_some_and(|(left, right)| left == right)
        })
}

/// Equal as columns, of which one may be qualified.
fn same_column(left: &Ident, right: &Ident) -> bool {
    let (left, right) = (left.value.to_lowercase(), right.value.to_lowercase());
    let is_end = |long: &str, short: &str| {
        long.strip_suffix(short)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    left == right || is_end(&left, &right) || is_end(&right, &left)
}

pub(super) fn group_usage(kind: Kind) -> String {
    match kind {
        Kind::Hop => "write `GROUP BY HOP(ts, slide, size)`".to_owned(),
        Kind::Cumulate => "write `GROUP BY CUMULATE(ts, step, size)`".to_owned(),
        Kind::Session => "write `GROUP BY SESSION(ts, gap)`".to_owned(),
        _ => "write `GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)`".to_owned(),
    }
}

pub(super) fn is_window_column(name: &Ident) -> bool {
    ["window_start", "window_end", "window_time"]
        .iter()
        .any(|column| name.value.eq_ignore_ascii_case(column))
}

pub(super) fn bound_column(name: &str, span: Span) -> Expr {
    let mut name = Ident::new(name);
    name.span = place(span);
    Expr::Identifier(name)
}

pub(super) fn is_alias(name: &Ident, window: &Grouped) -> bool {
    window
        .alias
        .as_ref()
        .is_some_and(|alias| same_name(alias, name))
}

/// The column that `window.start`, `window.end` or `window.time` means.
pub(super) fn bound(parts: &[Ident], window: &Grouped) -> Option<&'static str> {
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
pub(super) fn helper(function: &Function) -> Option<(Kind, &'static str)> {
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
pub(super) fn replace(expr: &mut Expr, window: Option<&Grouped>, text: &str) -> Result<()> {
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
        if !arguments.is_empty() && !same_arguments(&arguments, &known) {
            return Err(
                Error::syntax(format!("{name} names another window than GROUP BY"))
                    .at(place)
                    .help("give it the arguments of the window in GROUP BY"),
            );
        }
        Ok(Some((column, place)))
    }
}
