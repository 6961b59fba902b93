//! Says what is wrong with one expression whose parts are each right: types that do not go together, calls that do not fit.
//!
//! ```text
//!   error: there is no TIMESTAMP(6) + BIGINT
//!    |        ^^^^^^ `ts` is TIMESTAMP(6), `1` is BIGINT
//!    = help: say the unit: ts + INTERVAL '1' SECOND
//! ```
//!
//! Invariants: a help that shows another expression was tried: it can be planned.

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use sqlparser::ast::{
    self, BinaryOperator, CastKind, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned,
    UnaryOperator,
};

use super::operators::{no_number, of_operator};
use super::trials::{Trials, parts_of};
use crate::data::type_name;
use crate::error::{Error, Span};
use crate::functions::signatures;
use crate::plan::library_errors::Refusal;
use crate::plan::literals::{number_of, text_of};
use crate::plan::names;
use crate::sql::span_of;

/// What `value[index]` calls, which says itself what is wrong.
const SUBSCRIPT: &str = "subscript";

/// The error of `expr`, whose parts can each be planned, at its place; `refusal` is what the planner said.
pub(super) fn describe(expr: &Expr, refusal: Refusal, trials: &Trials<'_>) -> Error {
    let place = place_of(expr);
    let Refusal {
        error,
        is_of_library,
    } = refusal;
    // What has a next step was said by one of ours, who knows more.
    if !is_of_library && !error.helps().is_empty() {
        return error.at_least(place);
    }
    let described = match expr {
        Expr::Function(call) => {
            let said = (!is_of_library).then(|| error.message());
            of_call(expr, call, said, trials)
        }
        Expr::BinaryOp { left, op, right } => of_operator(left, op, right, trials),
        Expr::Like { expr, pattern, .. }
        | Expr::ILike { expr, pattern, .. }
        | Expr::SimilarTo { expr, pattern, .. }
        | Expr::RLike { expr, pattern, .. } => of_pattern(expr, pattern, trials),
        Expr::InList {
            expr: input, list, ..
        } => {
            let mut items = list.iter();
            let found = items.find_map(|item| no_number(item, input, &BinaryOperator::Eq, trials));
            found.or_else(|| is_of_library.then(|| of_parts(expr, trials)))
        }
        Expr::Between {
            expr: input,
            low,
            high,
            ..
        } => {
            let mut bounds = [low, high].into_iter();
            let found =
                bounds.find_map(|bound| no_number(bound, input, &BinaryOperator::Eq, trials));
            found.or_else(|| is_of_library.then(|| of_parts(expr, trials)))
        }
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => Some(no_truth(expr, trials)),
        Expr::IsTrue(expr)
        | Expr::IsNotTrue(expr)
        | Expr::IsFalse(expr)
        | Expr::IsNotFalse(expr) => Some(no_truth(expr, trials)),
        Expr::UnaryOp { op, expr } => of_sign(*op, expr, trials),
        Expr::Array(_) => Some(
            Error::unsupported("an ARRAY cannot be written in a query")
                .help("a column is named as it is, or in double quotes: \"host name\""),
        ),
        _ if is_of_library => Some(of_parts(expr, trials)),
        _ => None,
    };
    described.unwrap_or(error).at_least(place)
}

/// What is said of a call with a form of its own, such as `substring(text FROM n)`.
fn of_parts(expr: &Expr, trials: &Trials<'_>) -> Error {
    let parts = parts_of(expr);
    let types: Vec<String> = parts
        .iter()
        .map(|part| name_of_type(part, trials))
        .collect();
    let types = types.join(", ");
    let name = match expr {
        Expr::Ceil { .. } => "ceil",
        Expr::Floor { .. } => "floor",
        Expr::Position { .. } => "position",
        Expr::Substring { .. } => "substring",
        Expr::Trim { .. } => "trim",
        Expr::Overlay { .. } => "overlay",
        _ => {
            return Error::plan(format!("types that do not go together: {types}"))
                .help("CAST(x AS type) makes one fit");
        }
    };
    Error::plan(format!("`{name}` cannot be called with ({types})")).help(format!(
        "CAST(x AS type) makes one fit; `.help {name}` at the prompt says how it is called"
    ))
}

fn name_of_type(expr: &Expr, trials: &Trials<'_>) -> String {
    let known = trials.type_of(expr);
    known.map_or_else(|| String::from("?"), |known| type_name(&known))
}

/// What is said of a condition that is a value of type `found`.
pub(super) fn no_condition(condition: &Expr, found: &DataType) -> Error {
    let written = written(condition);
    let compared = match found {
        number if number.is_numeric() => format!("{written} > 0"),
        text if text.is_string() => format!("{written} = 'web1'"),
        _ => format!("{written} IS NOT NULL"),
    };
    Error::plan("a condition must be true or false, and this one is a value")
        .at_least(place_of(condition))
        .label(format!("this is {}", type_name(found)))
        .help(format!("compare it: {compared}"))
}

fn of_pattern(text: &Expr, pattern: &Expr, trials: &Trials<'_>) -> Option<Error> {
    for part in [pattern, text] {
        let known = trials.type_of(part)?;
        if !known.is_string() {
            let written = written(part);
            let help = match number_of(part) {
                Some(number) => format!("write it as a text: '{number}'"),
                None => format!("make it a text: CAST({written} AS STRING)"),
            };
            let error = Error::plan(format!(
                "patterns are of texts, and `{written}` is {}",
                type_name(&known)
            ));
            return Some(error.at_least(place_of(part)).help(help));
        }
    }
    None
}

fn no_truth(expr: &Expr, trials: &Trials<'_>) -> Error {
    let known = trials.type_of(expr).unwrap_or(DataType::Null);
    no_condition(expr, &known)
}

fn of_sign(op: UnaryOperator, expr: &Expr, trials: &Trials<'_>) -> Option<Error> {
    let known = trials.type_of(expr)?;
    let written = written(expr);
    let error = Error::plan(format!("there is no {op} of {}", type_name(&known)))
        .label(format!("`{written}` is {}", type_name(&known)));
    Some(match known.is_string() {
        true => error.help(format!("make it a number: {op}CAST({written} AS DOUBLE)")),
        false if known.is_temporal() => error.help(format!("epoch({written}) is a number")),
        false => error.help("numbers and intervals have a sign"),
    })
}

/// What is said of a call: which argument is of another type than wanted, or how the function is called.
///
/// `said` is what our own function complains of, if it is one.
fn of_call(
    expr: &Expr,
    call: &ast::Function,
    said: Option<&str>,
    trials: &Trials<'_>,
) -> Option<Error> {
    let name = call.name.to_string();
    if name == SUBSCRIPT {
        return None;
    }
    let place = span_of(call.name.span());
    let arguments = match &call.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        _ => &[],
    };
    let parts = parts_of(expr);
    let functions = trials.functions();
    if functions.is_aggregate_call(expr) && parts.iter().any(|part| functions.holds_aggregate(part))
    {
        return Some(
            Error::plan("an aggregate of an aggregate has no meaning")
                .at_least(place)
                .help(
                    "aggregate the rows of a subquery: SELECT max(n) FROM (SELECT count(*) AS n …)",
                ),
        );
    }
    let values: Vec<&Expr> = arguments.iter().filter_map(value_of).collect();
    let types: Vec<String> = values
        .iter()
        .map(|value| name_of_type(value, trials))
        .collect();
    let known = signatures().into_iter().find(|known| known.name == name);
    let note = known.map(|known| format!("it is called as {}", known.call));
    let with_note = |error: Error| match &note {
        Some(note) => error.note(note.clone()),
        None => error,
    };
    let repaired = match said {
        None => turned(call, &values, trials).or_else(|| repaired(call, &values, trials)),
        // What our own functions say of their arguments is kept.
        Some(_) => repaired(call, &values, trials)
            .filter(|(index, _)| !matches!(values[*index], Expr::Value(_))),
    };
    if let Some((index, help)) = repaired {
        let not_here = || format!("`{name}` does not take {} here", types[index]);
        let label = format!("`{}` is {}", written(values[index]), types[index]);
        let error = Error::plan(said.map_or_else(not_here, String::from))
            .at_least(place_of(values[index]))
            .label(label);
        return Some(with_note(error).help(help));
    }
    let message = match (said, types.as_slice()) {
        (Some(said), _) => said.to_owned(),
        (None, []) => format!("`{name}` needs arguments"),
        (None, types) => format!("`{name}` cannot be called with ({})", types.join(", ")),
    };
    Some(with_note(Error::plan(message).at_least(place)))
}

/// Two arguments the other way round, if the call can be planned so.
fn turned(call: &ast::Function, values: &[&Expr], trials: &Trials<'_>) -> Option<(usize, String)> {
    let [first, second] = values else {
        return None;
    };
    let turned = with_arguments(call, vec![(*second).clone(), (*first).clone()]);
    let help = || format!("the other way round: {}", written(&turned));
    trials.works(&turned).then(|| (0, help()))
}

fn with_arguments(call: &ast::Function, values: Vec<Expr>) -> Expr {
    let mut call = call.clone();
    if let FunctionArguments::List(list) = &mut call.args {
        let unnamed = |value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value));
        list.args = values.into_iter().map(unnamed).collect();
    }
    Expr::Function(call)
}

/// Which argument is to be changed so that the call can be planned, and how.
fn repaired(
    call: &ast::Function,
    values: &[&Expr],
    trials: &Trials<'_>,
) -> Option<(usize, String)> {
    for (index, value) in values.iter().enumerate() {
        for (what, other) in others_of(value, trials) {
            let help = match text_of(value).is_some() {
                true => format!("write a {what} here"),
                false => format!("make it a {what}: {}", written(&other)),
            };
            let mut values: Vec<Expr> = values.iter().map(|value| (*value).clone()).collect();
            values[index] = other;
            if trials.works(&with_arguments(call, values)) {
                return Some((index, help));
            }
        }
    }
    None
}

/// What a value could be turned into.
fn others_of(value: &Expr, trials: &Trials<'_>) -> Vec<(&'static str, Expr)> {
    let cast = |data_type| Expr::Cast {
        kind: CastKind::TryCast,
        expr: Box::new(value.clone()),
        data_type,
        array: false,
        format: None,
    };
    let text = ("text", cast(ast::DataType::String(None)));
    let is_time = trials
        .type_of(value)
        .is_some_and(|known| known.is_temporal());
    if is_time {
        let epoch = names::call("epoch", vec![value.clone()]);
        return vec![text, ("number", epoch)];
    }
    vec![
        (
            "number",
            cast(ast::DataType::Double(ast::ExactNumberInfo::None)),
        ),
        ("whole number", cast(ast::DataType::BigInt(None))),
        text,
        (
            "time",
            cast(ast::DataType::Timestamp(None, ast::TimezoneInfo::None)),
        ),
    ]
}

fn value_of(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    }
}

/// An expression as its user would write it: without the tables that names were found in.
pub(super) fn written(expr: &Expr) -> String {
    let mut expr = expr.clone();
    let _ = ast::visit_expressions_mut(&mut expr, |expr| {
        if let Expr::Cast { kind, .. } = expr {
            *kind = CastKind::Cast;
        }
        if let Expr::CompoundIdentifier(parts) = expr
            && let Some(mut name) = parts.pop()
        {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            if name.value.bytes().all(is_plain) {
                name.quote_style = None;
            }
            *expr = Expr::Identifier(name);
        }
        ControlFlow::<()>::Continue(())
    });
    expr.to_string()
}

pub(super) fn place_of(expr: &Expr) -> Option<Span> {
    span_of(expr.span())
}
