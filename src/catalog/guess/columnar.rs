//! What an input of columns looks like: types are said, and only what is the time may have to be guessed.
//!
//! ```text
//!   n: Int32, at: Utf8 "2026-01-01T12:00:00Z"  ─►  n INT, at TIMESTAMP_LTZ(6), which is the time
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::hints::Hints;
use super::named::apply_types;
use super::sample::{Guess, GuessedColumn, SampleColumn, SampleValue};
use super::time::{TIME_NAMES, find_time_column, time_type};
use crate::data::print::{Style, ValueWriter};
use crate::data::type_name;
use crate::error::{Error, Result};
use crate::format::{ColumnarFormat, ColumnarKind, Format, column_type};

/// Rows that show whether texts or numbers are times.
const SAMPLE_ROWS: usize = 64;

/// The columns whose values must be seen to tell whether they are times.
pub fn shown_columns(schema: &Schema, hints: &Hints) -> Vec<usize> {
    let is_named = |name: &str| {
        let is = |time: &str| time.eq_ignore_ascii_case(name);
        (hints.ts.as_deref()).map_or_else(|| TIME_NAMES.iter().any(|time| is(time)), is)
    };
    let fields = schema.fields().iter().enumerate();
    let wanted = fields.filter(|(_, field)| {
        let data_type = column_type(field.data_type(), hints.zone);
        let may_hold_times = matches!(
            data_type,
            Some(DataType::Utf8View | DataType::Int64 | DataType::Float64)
        );
        may_hold_times && is_named(field.name())
    });
    wanted.map(|(place, _)| place).collect()
}

/// The columns of an input with this schema. `shown` has the first rows of some of them, by name.
///
/// # Errors
/// A type that SQL has no name for, or two columns of one name; hints that do not fit.
pub fn guess_columnar(
    kind: ColumnarKind,
    schema: &SchemaRef,
    shown: Option<&RecordBatch>,
    hints: &Hints,
) -> Result<Guess> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    let mut sampled = Vec::with_capacity(schema.fields().len());
    let mut names = HashSet::new();
    for field in schema.fields() {
        if !names.insert(field.name()) {
            let twice = format!("column `{}` is there twice", field.name());
            return Err(Error::unsupported(twice).help(
                "CREATE TABLE t (a BIGINT, …) WITH (path = '…') reads the first of that name, and others",
            ));
        }
        let (mut column, sample) = (described(field, hints)?, sample(field, shown)?);
        if column.data_type == DataType::Utf8View
            && let Some((data_type, format)) = time_type(&sample, hints.zone, false)
            && sample
                .values
                .iter()
                .any(|value| *value != SampleValue::Null)
        {
            (column.data_type, column.time_format) = (data_type, format);
        }
        columns.push(column);
        sampled.push(sample);
    }
    let format = Format::Columnar(ColumnarFormat {
        kind,
        schema: Arc::clone(schema),
    });
    apply_types(&mut columns, &format, hints)?;
    let mut guess = Guess::without_time(format, columns);
    find_time_column(&mut guess, &sampled, hints)?;
    // Of the texts that are times, only the time of the table becomes one: types are said.
    for (place, field) in schema.fields().iter().enumerate() {
        let column = &mut guess.columns[place];
        let is_asked_for =
            (hints.types.iter()).any(|(name, _)| name.eq_ignore_ascii_case(&column.name));
        if guess.time_column != Some(place) && !is_asked_for {
            *column = described(field, hints)?;
        }
    }
    Ok(guess)
}

fn described(field: &Field, hints: &Hints) -> Result<GuessedColumn> {
    let name = field.name();
    let data_type = column_type(field.data_type(), hints.zone).ok_or_else(|| {
        let type_name = type_name(field.data_type());
        Error::unsupported(format!(
            "column `{name}` is {type_name}, which cannot be read"
        ))
        .help("name the other columns: CREATE TABLE t (a BIGINT, …) WITH (path = '…')")
    })?;
    Ok(GuessedColumn {
        name: name.clone(),
        source: name.clone(),
        path: Vec::new(),
        data_type,
        time_format: None,
        exact_integers: false,
        unshown: field.data_type() == &DataType::Null,
    })
}

/// The first values of a column, as far as they are shown.
fn sample(field: &Field, shown: Option<&RecordBatch>) -> Result<SampleColumn> {
    let mut sample = SampleColumn {
        name: field.name().clone(),
        values: Vec::new(),
    };
    let Some(column) = shown.and_then(|shown| shown.column_by_name(field.name())) else {
        return Ok(sample);
    };
    let shape = Field::new(field.name(), column.data_type().clone(), true);
    let writer = ValueWriter::new(&shape, Style::Cast)?;
    let values = writer.column(column)?;
    for row in 0..column.len().min(SAMPLE_ROWS) {
        let mut text = Vec::new();
        values.write(row, &mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        sample.values.push(match column.data_type() {
            _ if column.is_null(row) => SampleValue::Null,
            DataType::Int64 => SampleValue::Integer(text),
            DataType::Float64 => SampleValue::Decimal(text),
            _ => SampleValue::Text(text),
        });
    }
    Ok(sample)
}
