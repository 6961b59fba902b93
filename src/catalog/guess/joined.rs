//! A date and a time of day in two columns, which are the time together.
//!
//! ```text
//!  date        time      n
//!  2026-11-25  10:00:01  1        ts AS to_timestamp(date || ' ' || time), a column that `*` leaves out
//! ```
//!
//! Only where the columns are called so and hold nothing else, and no column whose name says more that it is the
//! time holds times.

use arrow::datatypes::{DataType, TimeUnit};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::hints::Hints;
use super::sample::{Guess, JoinedTime, SampleColumn, SampleValue, find_column};
use crate::catalog::table::{ColumnSource, TableColumn};
use crate::data::quoted_name;
use crate::format::{Format, Layout};
use crate::time::read_iso_clock;

/// What the time may be called: the first name that no column has.
const NAMES: [&str; 3] = ["ts", "datetime", "date_time"];

impl JoinedTime {
    /// The column of `date` and `time`, numbers of columns.
    fn of(guess: &Guess, date: usize, time: usize) -> Option<JoinedTime> {
        let is_taken = |name: &str| {
            let mut columns = guess.columns.iter();
            columns.any(|column| column.name.eq_ignore_ascii_case(name))
        };
        let name = NAMES.into_iter().find(|name| !is_taken(name))?;
        let columns = [date, time].map(|place| guess.columns[place].name.clone());
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let text = expression(&columns, quoted);
        let parser = Parser::new(&GenericDialect {}).try_with_sql(&text);
        let expr = parser.and_then(|mut parser| parser.parse_expr()).ok()?;
        Some(JoinedTime {
            name: name.to_owned(),
            columns,
            expr: Box::new(expr),
        })
    }

    /// The expression over the columns, as it is typed.
    pub fn text(&self) -> String {
        expression(&self.columns, quoted_name)
    }

    /// The column of the table.
    pub fn column(&self) -> TableColumn {
        TableColumn {
            name: self.name.clone(),
            data_type: DataType::Timestamp(TimeUnit::Microsecond, None),
            source: ColumnSource::Computed {
                expr: self.expr.clone(),
                declared: false,
            },
            unshown: false,
        }
    }
}

fn expression(columns: &[String; 2], quoted: impl Fn(&str) -> String) -> String {
    let [date, time] = columns.each_ref().map(|name| quoted(name));
    format!("to_timestamp({date} || ' ' || {time})")
}

/// The time that the date of column `date` is with a time of day.
pub(super) fn joined_time(
    guess: &Guess,
    sampled: &[SampleColumn],
    date: usize,
    hints: &Hints,
) -> Option<JoinedTime> {
    let time = time_of_day(guess, date)?;
    let is_said = hints
        .types
        .iter()
        .filter_map(|(name, _)| find_column(&guess.columns, name))
        .any(|place| place == date || place == time);
    let is_clock = |value: &&SampleValue| match value {
        SampleValue::Text(text) => read_iso_clock(text.as_bytes()).is_some(),
        _ => false,
    };
    let values = sampled.get(time)?.values.iter();
    let shown: Vec<&SampleValue> = values.filter(|v| **v != SampleValue::Null).collect();
    let holds_clocks = !shown.is_empty() && shown.iter().all(is_clock);
    (holds_clocks && !is_said).then(|| JoinedTime::of(guess, date, time))?
}

/// What is to say where a day alone is the time, and a column of a format that is not read may hold the rest.
pub(super) fn day_alone(guess: &Guess, date: usize) -> Option<String> {
    let time = time_of_day(guess, date)?;
    let [date, time] = [date, time].map(|place| quoted_name(&guess.columns[place].name));
    Some(format!(
        "the time is `{date}`, the midnight of a day; in CREATE TABLE a column \
         ts AS to_timestamp({date} || ' ' || {time}, '%Y-%m-%d %I:%M:%S %p') has the time of day"
    ))
}

/// The column that is called `time`, where `date` is called so and holds dates.
fn time_of_day(guess: &Guess, date: usize) -> Option<usize> {
    let has_cells = match &guess.format {
        Format::Csv(_) => true,
        Format::Lines(options) => matches!(options.layout, Layout::Blanks(_)),
        _ => false,
    };
    let named = |place: &usize, name: &str| {
        let column = guess.columns.get(*place);
        column.is_some_and(|column| column.name.eq_ignore_ascii_case(name))
    };
    if !has_cells || !named(&date, "date") || guess.columns[date].data_type != DataType::Date32 {
        return None;
    }
    let mut found = (0..guess.columns.len()).filter(|place| named(place, "time"));
    let only = found.next()?;
    found.next().is_none().then_some(only)
}
