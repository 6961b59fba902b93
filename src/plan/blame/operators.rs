//! Says what is wrong with two values between which an operator stands, and what to write instead.
//!
//! ```text
//!   ts + 1          say the unit: ts + INTERVAL '1' SECOND
//!   status = 'ok'   compare texts: CAST(status AS STRING) = 'ok'
//! ```
//!
//! Invariant: both values are right by themselves.

use arrow::datatypes::DataType;
use sqlparser::ast::{BinaryOperator, Expr};

use super::misfit::{no_condition, place_of, written};
use super::trials::Trials;
use crate::data::type_name;
use crate::error::Error;
use crate::plan::conversions::is_number;
use crate::plan::literals::{number_of, text_of};

/// What is said of two values that an operator does not take.
pub(super) fn of_operator(
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
    trials: &Trials<'_>,
) -> Option<Error> {
    let types = [trials.type_of(left)?, trials.type_of(right)?];
    let names = types.each_ref().map(type_name);
    let [l, r] = &names;
    let label = format!("`{}` is {l}, `{}` is {r}", written(left), written(right));
    if is_comparison(op) {
        let sides = [(right, left), (left, right)];
        let mut wrong = sides.into_iter();
        if let Some(found) = wrong.find_map(|(text, other)| no_number(text, other, op, trials)) {
            return Some(found);
        }
    }
    if matches!(op, BinaryOperator::And | BinaryOperator::Or) {
        let value = [left, right].into_iter().zip(&types);
        let mut values = value.filter(|(_, known)| **known != DataType::Boolean);
        return values
            .next()
            .map(|(value, known)| no_condition(value, known));
    }
    let message = match is_comparison(op) {
        true => format!("{l} and {r} cannot be compared"),
        false => format!("there is no {l} {op} {r}"),
    };
    let error = Error::plan(message).label(label);
    Some(error.help(next_step([left, right], op, &types)))
}

/// What to write in the place of an operation that does not exist.
fn next_step([left, right]: [&Expr; 2], op: &BinaryOperator, types: &[DataType; 2]) -> String {
    let [first, second] = [written(left), written(right)];
    let is_length =
        |known: &DataType| matches!(known, DataType::Duration(_) | DataType::Interval(_));
    match (&types[0], &types[1]) {
        _ if *op == BinaryOperator::PGOverlap => String::from("conditions are joined with AND"),
        _ if *op == BinaryOperator::StringConcat => {
            String::from("|| joins texts, CAST(x AS STRING); conditions are joined with OR")
        }
        (length, text) if is_length(length) && text.is_string() => {
            format!("a length of time is written {first} {op} INTERVAL {second}")
        }
        (time, number) if time.is_temporal() && number.is_numeric() && is_sum(op) => {
            let count = number_of(right).unwrap_or("1");
            let unit = match time {
                DataType::Date32 => "DAY",
                _ => "SECOND",
            };
            format!("say the unit: {first} {op} INTERVAL '{count}' {unit}")
        }
        (time, _) | (_, time) if time.is_temporal() && !is_sum(op) && !is_comparison(op) => {
            String::from(
                "times are no numbers: epoch(t) is the seconds since 1970, epoch(b) - epoch(a) those between",
            )
        }
        (length, number) if is_length(length) && number.is_numeric() => {
            format!("say the unit: {first} {op} INTERVAL '{second}' SECOND")
        }
        (time, number) if time.is_temporal() && number.is_numeric() => format!(
            "compare times: {first} {op} '2026-11-25 10:00:00'; seconds since 1970: epoch({first}) {op} {second}"
        ),
        (number, time) if time.is_temporal() && number.is_numeric() => {
            format!("compare times, or seconds since 1970: epoch({second})")
        }
        (left, right) if left.is_nested() || right.is_nested() => {
            String::from("a.b and a[1] are values inside; CAST(a AS STRING) is all of it as JSON")
        }
        _ => String::from("CAST(x AS type) makes both the same"),
    }
}

/// What is said of a text in quotes that is compared with a number and is none.
pub(super) fn no_number(
    text: &Expr,
    other: &Expr,
    op: &BinaryOperator,
    trials: &Trials<'_>,
) -> Option<Error> {
    let known = trials.type_of(other)?;
    let content = text_of(text)?;
    if !known.is_numeric() || is_number(content) {
        return None;
    }
    let is_column = matches!(other, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    let (text_written, other) = (written(text), written(other));
    let error = Error::plan(format!("{text_written} is no number"))
        .at_least(place_of(text))
        .label(format!("`{other}` is {}", type_name(&known)));
    let error = error.help(format!(
        "compare texts: CAST({other} AS STRING) {op} {text_written}"
    ));
    Some(match is_column {
        true => error.help(format!("if it is text: --types {other}=STRING")),
        false => error,
    })
}

/// What is said of column `number` of a branch of UNION ALL, whose types are not those of the branch before.
pub(super) fn no_union(
    number: usize,
    one: &DataType,
    other: &DataType,
    item: &Expr,
) -> Option<Error> {
    let kind = |known: &DataType| match known {
        DataType::Null => None,
        number if number.is_numeric() => Some(0),
        text if text.is_string() => Some(1),
        time if time.is_temporal() => Some(2),
        DataType::Boolean => Some(3),
        _ => Some(4),
    };
    if kind(one)? == kind(other)? {
        return None;
    }
    let (one, other) = (type_name(one), type_name(other));
    let error = Error::plan(format!("column {number} of UNION ALL is {one} and {other}"));
    let help = format!("make both one type: CAST({} AS {one})", written(item));
    Some(error.at_least(place_of(item)).help(help))
}

fn is_sum(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::Plus | BinaryOperator::Minus)
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}
