//! What the sample shows of the columns, and what is guessed of it.
//!
//! ```text
//!   n,at                     SampleColumn n: Integer 1, Integer 2         GuessedColumn n BIGINT
//!   1,2026-01-01             SampleColumn at: Text …, Null                GuessedColumn at DATE
//!   2,
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use sqlparser::ast;

use super::hints::Hints;
use crate::catalog::spelling::{only_place_of_name, place_of_name};
use crate::error::Error;
use crate::format::{Format, ReadColumn, SampleField};
use crate::time::TimeFormat;

/// What an input looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// How it is written.
    pub format: Format,
    /// Its columns, in order.
    pub columns: Vec<GuessedColumn>,
    /// The place of the time column among them.
    pub time_column: Option<usize>,
    /// The time that two of them are together, where there is none.
    pub joined_time: Option<JoinedTime>,
    /// The columns that could be it, where none is.
    pub time_candidates: Vec<String>,
    /// Things that a person may want to know.
    pub notes: Vec<String>,
}

/// A time that is computed from two columns.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedTime {
    /// Its name.
    pub name: String,
    /// The names of the columns: the date, and the time of day.
    pub(super) columns: [String; 2],
    /// What is computed of them.
    pub(super) expr: Box<ast::Expr>,
}

/// A column of a guess.
#[derive(Debug, Clone, PartialEq)]
pub struct GuessedColumn {
    /// Its name.
    pub name: String,
    /// Its spelling in the source.
    pub source: String,
    /// Keys below it, for a value inside of a nested one.
    pub path: Vec<String>,
    /// Its type.
    pub data_type: DataType,
    /// How its times are written, if it holds times.
    pub time_format: Option<TimeFormat>,
    /// True for a number from a pipe: an integer that DOUBLE would round is a reject.
    pub exact_integers: bool,
    /// True if the sample shows no value of it: its type is STRING until its use says otherwise.
    pub unshown: bool,
}

impl GuessedColumn {
    /// What a decoder needs to read it.
    pub fn read_column(&self) -> ReadColumn {
        let field = Arc::new(Field::new(&self.name, self.data_type.clone(), true));
        let mut column = ReadColumn::new(&self.name, field);
        column.source = self.source.clone();
        column.path = self.path.clone();
        column.time = self.time_format.clone();
        column.exact_integers = self.exact_integers;
        column.tells_keys = true;
        column
    }
}

impl Guess {
    /// A guess whose time is still to be found.
    pub(super) fn without_time(format: Format, columns: Vec<GuessedColumn>) -> Self {
        Guess {
            format,
            columns,
            time_column: None,
            joined_time: None,
            time_candidates: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// One value of the sample, as far as its type matters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SampleValue {
    Null,
    Boolean,
    /// An integer that may become a number.
    Integer(String),
    /// A number with a point or an exponent.
    Decimal(String),
    Text(String),
    /// An array or object of JSON.
    Nested(String),
}

/// A column of the sample before its type is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SampleColumn {
    pub(super) name: String,
    pub(super) values: Vec<SampleValue>,
}

/// The fields of one record of the sample.
pub(super) type Record = Vec<SampleField>;

/// What a field between delimiters or blanks shows.
pub(super) fn sample_value(field: &SampleField, hints: &Hints) -> SampleValue {
    let text = String::from_utf8_lossy(&field.text);
    let text = text.trim();
    if text.is_empty() || hints.nulls.holds_for_values(text.as_bytes()) {
        return SampleValue::Null;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return SampleValue::Boolean;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    // A leading zero, a plus or many digits are the signs of an identifier.
    let is_identifier = whole == 0 || whole > 18 || (whole > 1 && digits.starts_with('0'));
    if is_identifier {
        SampleValue::Text(text.to_owned())
    } else if whole == digits.len() {
        SampleValue::Integer(text.to_owned())
    } else if text.parse::<f64>().is_ok_and(f64::is_finite) {
        SampleValue::Decimal(text.to_owned())
    } else {
        SampleValue::Text(text.to_owned())
    }
}

/// The column of that exact name, else the only one of that name ignoring case.
pub(super) fn find_column(columns: &[GuessedColumn], name: &str) -> Option<usize> {
    place_of_name(columns.iter().map(|column| column.name.as_str()), name)
}

/// Why [`find_column`] has found none.
pub(super) fn no_column(columns: &[GuessedColumn], name: &str, flag: &str) -> Error {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if let Err(error) = only_place_of_name(names.iter().copied(), name) {
        return error.note(format!("{flag} names it"));
    }
    Error::usage(format!(
        "{flag} names column `{name}`, which the input does not have"
    ))
    .note(format!("columns: {}", names.join(", ")))
    .suggest(name, names)
}
