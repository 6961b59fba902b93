//! Checks constants that decide what a call does: parts of times, how times are written, patterns, zones, quantiles. A wrong one is wrong for every row.
//!
//! ```text
//!   date_trunc('minuet', ts)     extract(minuet FROM ts)     host ~ '[a'     ts AT TIME ZONE 'Berlinn'     quantile(x, 95)
//!              ^^^^^^^^                  ^^^^^^                     ^^^^                         ^^^^^^^^^                 ^^
//! ```
//!
//! Invariants: what gets through is no constant here or one that the function takes.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, BinaryOperator, DateTimeField, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
    Spanned,
};

use super::literals::{number_of, text_of};
use super::names::Resolved;
use crate::error::{Error, Result, Span};
use crate::sql::span_of;
use crate::time::{Zone, check_strftime, nearest_zone, parse_interval};

/// What `date_trunc` cuts to.
const GRANULARITIES: &[&str] = &[
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
];

/// What `date_part` takes out of a time, the usual names.
const PARTS: &[&str] = &[
    "year",
    "isoyear",
    "quarter",
    "month",
    "week",
    "day",
    "doy",
    "dow",
    "isodow",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
    "epoch",
];

/// Other names of parts.
const OTHER_PARTS: &[&str] = &[
    "y",
    "yr",
    "yrs",
    "years",
    "mon",
    "mons",
    "months",
    "w",
    "weeks",
    "d",
    "days",
    "h",
    "hr",
    "hrs",
    "hours",
    "m",
    "min",
    "mins",
    "minutes",
    "s",
    "sec",
    "secs",
    "seconds",
    "ms",
    "msec",
    "msecs",
    "msecond",
    "mseconds",
    "milliseconds",
    "us",
    "usec",
    "usecs",
    "usecond",
    "useconds",
    "microseconds",
    "nanoseconds",
    "qtr",
];

/// Checks the constants of a query.
///
/// # Errors
/// A constant that its call cannot take, at its place, with what was meant.
pub(super) fn check(resolved: &Resolved) -> Result<()> {
    match resolved.visit_expressions(&mut |expr| match check_one(expr) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn check_one(expr: &Expr) -> Result<()> {
    match expr {
        Expr::Function(call) => check_call(call),
        Expr::Extract { field, .. } => match field {
            DateTimeField::Custom(name) => check_part(&name.value, span_of(name.span)),
            other => check_part(&other.to_string(), span_of(expr.span())),
        },
        Expr::RLike { pattern, .. } => check_pattern(pattern),
        Expr::BinaryOp {
            op:
                BinaryOperator::PGRegexMatch
                | BinaryOperator::PGRegexIMatch
                | BinaryOperator::PGRegexNotMatch
                | BinaryOperator::PGRegexNotIMatch,
            right,
            ..
        } => check_pattern(right),
        Expr::AtTimeZone { time_zone, .. } => match placed_text_of(time_zone) {
            Some((name, place)) => check_zone(name, place),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_call(call: &ast::Function) -> Result<()> {
    let arguments = match &call.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        _ => return Ok(()),
    };
    let argument = |index: usize| match arguments.get(index) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) => Some(expr),
        _ => None,
    };
    let name = call.name.to_string().to_lowercase();
    match name.as_str() {
        "date_trunc" | "datetrunc" => match argument(0).and_then(placed_text_of) {
            Some((unit, place)) => one_of(unit, GRANULARITIES, &[], "unit of date_trunc", place),
            None => Ok(()),
        },
        "date_part" | "datepart" => match argument(0).and_then(placed_text_of) {
            Some((part, place)) => check_part(part, place),
            None => Ok(()),
        },
        "regexp_like" | "regexp_match" | "regexp_replace" | "regexp_count" | "regexp_instr" => {
            argument(1).map_or(Ok(()), check_pattern)
        }
        "quantile" | "approx_quantile" | "approx_percentile_cont" if arguments.len() > 1 => {
            argument(1).map_or(Ok(()), check_fraction)
        }
        "nth_value" => argument(1).map_or(Ok(()), check_count),
        "date_bin" => argument(0).map_or(Ok(()), check_stride),
        "string_agg" | "listagg" => argument(1).map_or(Ok(()), check_separator),
        "to_timestamp"
        | "to_timestamp_seconds"
        | "to_timestamp_millis"
        | "to_timestamp_micros"
        | "to_timestamp_nanos"
        | "to_timestamp_ltz" => {
            let formats =
                (1..arguments.len()).filter_map(|index| argument(index).and_then(placed_text_of));
            for (format, place) in formats {
                check_strftime(format).map_err(|error| at_place(&error, place))?;
            }
            Ok(())
        }
        "percentile_cont" => argument(0).map_or(Ok(()), check_fraction),
        _ => Ok(()),
    }
}

/// The same error, which is in the query.
fn at_place(error: &Error, place: Option<Span>) -> Error {
    let moved = Error::plan(error.message()).at_least(place);
    (error.helps().iter()).fold(moved, |moved, help| moved.help(help))
}

fn check_part(part: &str, place: Option<Span>) -> Result<()> {
    one_of(part, PARTS, OTHER_PARTS, "part of a time", place)
}

fn one_of(
    name: &str,
    usual: &[&str],
    others: &[&str],
    what: &str,
    place: Option<Span>,
) -> Result<()> {
    let trimmed = name.trim_matches(['\'', '"']);
    let mut known = usual.iter().chain(others);
    if known.any(|known| known.eq_ignore_ascii_case(trimmed)) {
        return Ok(());
    }
    Err(Error::plan(format!("`{trimmed}` is no {what}"))
        .at_least(place)
        .suggest(trimmed, usual)
        .help(format!("it is one of {}", usual.join(", "))))
}

fn check_pattern(pattern: &Expr) -> Result<()> {
    let Some((text, place)) = placed_text_of(pattern) else {
        return Ok(());
    };
    // As the operators do that match it.
    let cause = match regex::Regex::new(text) {
        Ok(_) => return Ok(()),
        Err(regex::Error::CompiledTooBig(bytes)) => format!("compiled it takes over {bytes} bytes"),
        Err(error) => match regex_syntax::parse(text) {
            Err(regex_syntax::Error::Parse(error)) => error.kind().to_string(),
            Err(regex_syntax::Error::Translate(error)) => error.kind().to_string(),
            _ => error.to_string(),
        },
    };
    Err(Error::plan(format!("'{text}' is no pattern"))
        .at_least(place)
        .label(cause)
        .help("patterns are regular expressions; a character that has a meaning in them is written with \\ in front"))
}

fn check_zone(name: &str, place: Option<Span>) -> Result<()> {
    if name.eq_ignore_ascii_case("z") || name.parse::<Zone>().is_ok() {
        return Ok(());
    }
    if name.starts_with(['+', '-']) {
        let error = Error::plan(format!(
            "`{name}` is an offset, and AT TIME ZONE takes a zone"
        ));
        return Err(error
            .at_least(place)
            .help("whole hours are zones, too: 'Etc/GMT-2' is +02:00, 'Etc/GMT+5' is -05:00"));
    }
    let error = Error::plan(format!("`{name}` is no time zone")).at_least(place);
    Err(error
        .meant(nearest_zone(name))
        .help("zones are named like 'Europe/Berlin'"))
}

fn check_count(count: &Expr) -> Result<()> {
    let number = number_of(count).and_then(|text| text.parse::<u64>().ok());
    if number.is_some_and(|number| number > 0) {
        return Ok(());
    }
    Err(
        Error::plan("which value is meant is a whole number from 1 on, the same for all rows")
            .at_least(span_of(count.span()))
            .help("nth_value(x, 1) is the first"),
    )
}

fn check_stride(stride: &Expr) -> Result<()> {
    let Expr::Interval(interval) = stride else {
        return Ok(());
    };
    let length = text_of(&interval.value).and_then(|text| parse_interval(text).ok());
    if length.is_none_or(|length| length.is_positive()) {
        return Ok(());
    }
    Err(Error::plan("bins are of more than no length")
        .at_least(span_of(stride.span()))
        .help("write date_bin(INTERVAL '5' MINUTE, ts)"))
}

fn check_separator(separator: &Expr) -> Result<()> {
    if text_of(separator).is_some() {
        return Ok(());
    }
    Err(
        Error::plan("what stands between the texts is the same for all rows")
            .at_least(span_of(separator.span()))
            .help("write it in quotes: string_agg(x, ', ')"),
    )
}

fn check_fraction(fraction: &Expr) -> Result<()> {
    let Some(text) = number_of(fraction) else {
        return Ok(());
    };
    let place = fraction.span();
    match text.parse::<f64>() {
        Ok(fraction) if !(0.0..=1.0).contains(&fraction) => {
            Err(Error::plan(format!("{text} is no quantile"))
                .at_least(span_of(place))
                .help("write a number from 0 to 1, such as 0.99 for the 99th percentile"))
        }
        _ => Ok(()),
    }
}

/// A text in quotes and its place.
fn placed_text_of(expr: &Expr) -> Option<(&str, Option<Span>)> {
    text_of(expr).map(|text| (text, span_of(expr.span())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Registry;
    use datafusion_common::ScalarValue;
    use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

    /// Calls a function of a part and a time.
    fn call(name: &str, part: &str) -> datafusion_common::Result<ColumnarValue> {
        let registry = Registry::new();
        let function = registry.scalar(name).unwrap();
        let time = ScalarValue::TimestampMicrosecond(Some(0), None);
        let part = ScalarValue::from(part);
        let fields: Vec<_> = [&part, &time]
            .map(|value| {
                let field = arrow::datatypes::Field::new("x", value.data_type(), true);
                std::sync::Arc::new(field)
            })
            .into();
        let return_field = function.return_field_from_args(ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &[Some(&part), Some(&time)],
        })?;
        function.invoke_with_args(ScalarFunctionArgs {
            args: vec![ColumnarValue::Scalar(part), ColumnarValue::Scalar(time)],
            arg_fields: fields,
            number_rows: 1,
            return_field,
            config_options: std::sync::Arc::default(),
        })
    }

    #[test]
    fn the_functions_take_what_the_lists_say_and_nothing_else() {
        for part in GRANULARITIES {
            assert!(call("date_trunc", part).is_ok(), "{part}");
        }
        for part in PARTS.iter().chain(OTHER_PARTS) {
            assert!(call("date_part", part).is_ok(), "{part}");
        }
        for part in ["minutes", "decade", "nanosecond"] {
            assert!(call("date_trunc", part).is_err(), "{part}");
        }
        for part in ["minuet", "decade", "century"] {
            assert!(call("date_part", part).is_err(), "{part}");
        }
    }
}
