//! Reads a window call in its one spelling, `TUMBLE(DATA => t, TIMECOL => ts, SIZE => INTERVAL '60 seconds')`.
//!
//! The call is a `TableFactor::Table` with named arguments, so that visitors of sqlparser's tree walk into
//! inner queries; its name stands at the bytes of the whole call. Sizes are checked here: positive, not
//! mixed of months and time, `slide` and `step` not longer than `size`.

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, Query, Spanned,
    TableAlias, TableFactor, UnaryOperator, Value,
};

use super::messages::nearest;
use super::statement::{WindowArguments, WindowCall};
use super::tokens::span_of;
use super::words::not_an_interval;
use crate::error::{Error, Result, Span};
use crate::time::{Interval, parse_interval};

/// The windows that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tumble,
    Hop,
    Cumulate,
    Session,
    Count,
}

/// All windows, in the order in which messages list them.
pub(super) const WINDOWS: [Kind; 5] = [
    Kind::Tumble,
    Kind::Hop,
    Kind::Cumulate,
    Kind::Session,
    Kind::Count,
];

impl Kind {
    /// The window of a name in any case.
    pub(super) fn of(name: &str) -> Option<Kind> {
        WINDOWS
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Tumble => "TUMBLE",
            Kind::Hop => "HOP",
            Kind::Cumulate => "CUMULATE",
            Kind::Session => "SESSION",
            Kind::Count => "COUNT_WINDOW",
        }
    }

    /// The names of the sizes in the order in which they stand without names.
    pub(super) fn positions(self) -> &'static [&'static str] {
        match self {
            Kind::Tumble => &["SIZE", "OFFSET"],
            Kind::Hop => &["SLIDE", "SIZE", "OFFSET"],
            Kind::Cumulate => &["STEP", "SIZE", "OFFSET"],
            Kind::Session => &["GAP"],
            Kind::Count => &["SIZE", "SLIDE"],
        }
    }

    pub(super) fn has_time(self) -> bool {
        self != Kind::Count
    }

    pub(super) fn has_keys(self) -> bool {
        matches!(self, Kind::Session | Kind::Count)
    }

    /// How to write it, for helps.
    pub(super) fn usage(self) -> String {
        let call = match self {
            Kind::Tumble => "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
            Kind::Hop => {
                "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), slide before size"
            }
            Kind::Cumulate => {
                "CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR), step before size"
            }
            Kind::Session => {
                "SESSION(TABLE t PARTITION BY key, DESCRIPTOR(ts), INTERVAL '5' MINUTE)"
            }
            Kind::Count => "COUNT_WINDOW(TABLE t PARTITION BY key, 100)",
        };
        format!("write {call}")
    }
}

/// Reads the window call that a relation of FROM is; `None` for every other relation.
///
/// # Errors
/// Of kind syntax or plan, at the argument: missing, unknown or doubled arguments, sizes that are not
/// positive, `slide > size`, `step > size`.
pub fn window_call(relation: &TableFactor) -> Result<Option<WindowCall>> {
    let TableFactor::Table {
        name,
        alias,
        args: Some(args),
        ..
    } = relation
    else {
        return Ok(None);
    };
    let [ObjectNamePart::Identifier(word)] = name.0.as_slice() else {
        return Ok(None);
    };
    let Some(kind) = Kind::of(&word.value) else {
        return Ok(None);
    };
    let span = span_of(word.span).unwrap_or(Span::new(0, 0));
    let mut arguments = Arguments::collect(kind, &args.args, span)?;
    let input = input_of(arguments.required("DATA")?, span)?;
    let time_column = arguments.take("TIMECOL").map(time_column).transpose()?;
    let partition_by = match arguments.take("KEYS") {
        Some(Expr::Tuple(keys)) => keys.clone(),
        Some(Expr::Nested(key)) => vec![key.as_ref().clone()],
        Some(key) => vec![key.clone()],
        None => Vec::new(),
    };
    let windows = arguments.windows()?;
    Ok(Some(WindowCall {
        arguments: windows,
        input,
        time_column,
        partition_by,
        alias: alias.clone(),
        span,
    }))
}

/// The named arguments of a call.
pub(super) struct Arguments<'a> {
    kind: Kind,
    span: Span,
    found: Vec<(String, &'a Expr)>,
}

impl<'a> Arguments<'a> {
    fn collect(kind: Kind, args: &'a [FunctionArg], span: Span) -> Result<Self> {
        let mut found: Vec<(String, &Expr)> = Vec::new();
        for arg in args {
            let FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(value),
                ..
            } = arg
            else {
                return Err(Error::syntax(format!(
                    "{} has an argument that it cannot read",
                    kind.name()
                ))
                .at(span)
                .help(kind.usage()));
            };
            let place = span_of(name.span).unwrap_or(span);
            let upper = name.value.to_uppercase();
            let allowed = allowed(kind);
            if !allowed.contains(&upper.as_str()) {
                let error = Error::syntax(format!("{} has no argument {upper}", kind.name()));
                let error = match nearest(&upper, allowed.iter().copied()) {
                    Some(near) => error.label(format!("did you mean `{near}`?")),
                    None => error,
                };
                let shown: Vec<&str> = allowed.into_iter().filter(|n| *n != "KEYS").collect();
                return Err(error
                    .at(place)
                    .note(format!("arguments: {}", shown.join(", "))));
            }
            if found.iter().any(|(known, _)| *known == upper) {
                return Err(Error::syntax(format!("{} has {upper} twice", kind.name())).at(place));
            }
            found.push((upper, value));
        }
        Ok(Arguments { kind, span, found })
    }

    /// Arguments whose names are known, for the form in GROUP BY.
    pub(super) fn of(kind: Kind, span: Span, found: Vec<(String, &'a Expr)>) -> Self {
        Arguments { kind, span, found }
    }

    fn take(&mut self, name: &str) -> Option<&'a Expr> {
        let index = self.found.iter().position(|(known, _)| known == name)?;
        Some(self.found.remove(index).1)
    }

    fn required(&mut self, name: &str) -> Result<&'a Expr> {
        self.take(name).ok_or_else(|| {
            let what = match name {
                "DATA" => "its table",
                "SIZE" => "its size",
                "SLIDE" => "its slide",
                "STEP" => "its step",
                _ => "its gap",
            };
            Error::syntax(format!("{} lacks {what}", self.kind.name()))
                .at(self.span)
                .help(self.kind.usage())
        })
    }

    fn size(&mut self, name: &str) -> Result<Interval> {
        let value = self.required(name)?;
        let place = place_of(value, self.span);
        let size = interval_of(value, place)?;
        if size.months != 0 && (size.weeks != 0 || size.nanoseconds != 0) {
            return Err(
                Error::plan(format!("{name} {size} mixes months with other units"))
                    .at(place)
                    .help("a calendar window has whole months or years, such as `3mo`"),
            );
        }
        if !size.is_positive() {
            let error = Error::plan(format!("{name} must be more than 0, not {size}"));
            return Err(error.at(place).help("write a length of time such as '5m'"));
        }
        Ok(size)
    }

    fn offset(&mut self) -> Result<Interval> {
        match self.take("OFFSET") {
            Some(value) => interval_of(value, place_of(value, self.span)),
            None => Ok(Interval::default()),
        }
    }

    fn rows(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let place = place_of(value, self.span);
        let number = match value {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => number.parse().ok(),
                _ => None,
            },
            _ => None,
        };
        match number {
            Some(rows) if rows > 0 => Ok(Some(rows)),
            _ => Err(Error::plan(format!(
                "{name} of COUNT_WINDOW must be a whole number of rows, 1 or more"
            ))
            .at(place)
            .help(self.kind.usage())),
        }
    }

    /// Reads and checks the sizes.
    pub(super) fn windows(&mut self) -> Result<WindowArguments> {
        match self.kind {
            Kind::Tumble => Ok(WindowArguments::Tumble {
                size: self.size("SIZE")?,
                offset: self.offset()?,
            }),
            Kind::Hop => {
                let (slide, size) = (self.size("SLIDE")?, self.size("SIZE")?);
                self.check_order("slide", slide, size)?;
                let offset = self.offset()?;
                Ok(WindowArguments::Hop {
                    slide,
                    size,
                    offset,
                })
            }
            Kind::Cumulate => {
                let (step, size) = (self.size("STEP")?, self.size("SIZE")?);
                self.check_order("step", step, size)?;
                let offset = self.offset()?;
                Ok(WindowArguments::Cumulate { step, size, offset })
            }
            Kind::Session => Ok(WindowArguments::Session {
                gap: self.size("GAP")?,
            }),
            Kind::Count => {
                let size = self.rows("SIZE")?.ok_or_else(|| {
                    Error::syntax("COUNT_WINDOW lacks its number of rows")
                        .at(self.span)
                        .help(Kind::Count.usage())
                })?;
                let slide = self.rows("SLIDE")?.unwrap_or(size);
                if slide > size {
                    return Err(Error::plan(format!(
                        "COUNT_WINDOW takes its rows before its slide, and the slide {slide} is more than the {size} rows"
                    ))
                    .at(self.span)
                    .help(format!("write COUNT_WINDOW(TABLE t, {slide}, {size})")));
                }
                Ok(WindowArguments::Count { size, slide })
            }
        }
    }

    fn check_order(&self, first: &str, short: Interval, size: Interval) -> Result<()> {
        let name = self.kind.name();
        let longer = match (short.fixed_nanoseconds(), size.fixed_nanoseconds()) {
            (Some(short), Some(size)) => short > size,
            (None, None) => short.months > size.months,
            _ => {
                return Err(Error::plan(format!(
                    "{name} mixes a calendar length with a fixed one: {first} {short}, size {size}"
                ))
                .at(self.span)
                .help("write both in months or years, or both in weeks and shorter units"));
            }
        };
        if !longer {
            return Ok(());
        }
        Err(Error::plan(format!(
            "{name} takes {first} before size, and the {first} {short} is longer than the size {size}"
        ))
        .at(self.span)
        .help(format!(
            "write {name}(TABLE t, DESCRIPTOR(ts), INTERVAL '{size}', INTERVAL '{short}')"
        )))
    }
}

fn allowed(kind: Kind) -> Vec<&'static str> {
    let mut names = vec!["DATA"];
    if kind.has_time() {
        names.push("TIMECOL");
    }
    names.extend(kind.positions());
    if kind.has_keys() {
        names.push("KEYS");
    }
    names
}

/// The bytes of an expression, or those of its surroundings.
pub(super) fn place_of(expr: &Expr, otherwise: Span) -> Span {
    span_of(expr.span()).unwrap_or(otherwise)
}

/// An interval in any spelling.
pub(super) fn interval_of(expr: &Expr, place: Span) -> Result<Interval> {
    match expr {
        Expr::Interval(interval) => interval_of(&interval.value, place),
        Expr::Nested(inner) => interval_of(inner, place),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => {
            let Interval {
                months,
                weeks,
                nanoseconds,
            } = interval_of(expr, place)?;
            Ok(Interval {
                months: -months,
                weeks: -weeks,
                nanoseconds: -nanoseconds,
            })
        }
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => {
                parse_interval(text).map_err(|error| error.at(place))
            }
            Value::Number(number, _) => {
                Err(Error::syntax(format!("{number} needs a unit of time"))
                    .at(place)
                    .help(format!("write `{number}s`, `{number}m` or `{number}h`")))
            }
            _ => Err(not_an_interval(place)),
        },
        _ => Err(not_an_interval(place)),
    }
}

/// The time column of a call: a name, qualified or not.
pub(super) fn time_column(expr: &Expr) -> Result<Ident> {
    match expr {
        Expr::Identifier(name) => Ok(name.clone()),
        Expr::CompoundIdentifier(names) if names.iter().all(|name| name.quote_style.is_none()) => {
            let parts: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
            Ok(Ident {
                value: parts.join("."),
                quote_style: None,
                span: expr.span(),
            })
        }
        Expr::CompoundIdentifier(names) if !names.is_empty() => Ok(names[names.len() - 1].clone()),
        _ => {
            let error = Error::syntax("the time column of a window is a column by its name")
                .help("compute it in a view or a subquery, or in CREATE TABLE with `ts AS …`");
            Err(error.at_least(span_of(expr.span())))
        }
    }
}

fn input_of(data: &Expr, span: Span) -> Result<TableFactor> {
    let parts = match data {
        Expr::Identifier(name) => vec![name.clone()],
        Expr::CompoundIdentifier(names) => names.clone(),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(path) => {
                vec![Ident::with_quote_and_span('\'', value.span, path.clone())]
            }
            _ => return Err(not_a_table(data, span)),
        },
        Expr::Subquery(query) => return Ok(derived(query.clone(), None)),
        Expr::Nested(inner) => return input_of(inner, span),
        _ => return Err(not_a_table(data, span)),
    };
    Ok(table(parts))
}

fn not_a_table(data: &Expr, span: Span) -> Error {
    Error::syntax("a window reads a table, a view, a quoted path or a query in brackets")
        .at(place_of(data, span))
}

/// A relation by its name.
fn table(parts: Vec<Ident>) -> TableFactor {
    TableFactor::Table {
        name: ObjectName::from(parts),
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

fn derived(subquery: Box<Query>, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Derived {
        lateral: false,
        subquery,
        alias,
        sample: None,
    }
}
