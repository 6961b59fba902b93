//! The types of columns, by the values that the sample has of them; whether nested ones are ROW or ARRAY, or stay the
//! text that they are.
//!
//! ```text
//!  1 · 2 · NULL                     BIGINT; from a pipe DOUBLE
//!  {"id":1} · {"id":2,"name":"a"}   ROW<id BIGINT, name STRING>
//!  [1,2] · []                       ARRAY<BIGINT>
//!  {"id":1} · [1] · [1,"a"] · []    STRING, as JSON
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::hints::Hints;
use super::ndjson::{merged, sample_value};
use super::sample::{GuessedColumn, SampleColumn, SampleValue};
use super::time::time_type;
use crate::format::{json_elements, json_object_fields};

/// Objects with more keys hold data in their keys.
const MOST_FIELDS: usize = 200;

/// True for an integer beyond 2⁵³: an identifier, which a DOUBLE cannot be relied on to hold.
fn is_rounded_by_double(text: &str) -> bool {
    const LARGEST: u64 = 1 << 53;
    let number: Option<i64> = text.parse().ok();
    number.is_some_and(|number| number.unsigned_abs() > LARGEST)
}

/// What is guessed of a column; `may_lack_year`: its times may be those of a log without the year.
pub(super) fn guess_column(
    column: &SampleColumn,
    may_lack_year: bool,
    hints: &Hints,
) -> GuessedColumn {
    let (mut numbers, mut decimals, mut booleans, mut texts, mut nested) = (0, 0, 0, 0, 0);
    let mut is_large = false;
    for value in &column.values {
        match value {
            SampleValue::Null => {}
            SampleValue::Boolean => booleans += 1,
            SampleValue::Integer(text) => {
                numbers += 1;
                is_large |= is_rounded_by_double(text);
            }
            SampleValue::Decimal(_) => (numbers, decimals) = (numbers + 1, decimals + 1),
            SampleValue::Text(_) => texts += 1,
            SampleValue::Nested(_) => nested += 1,
        }
    }
    let mut guessed = GuessedColumn {
        name: column.name.clone(),
        source: column.name.clone(),
        path: Vec::new(),
        data_type: DataType::Utf8View,
        time_format: None,
        exact_integers: false,
        unshown: numbers + booleans + texts + nested == 0,
    };
    match (numbers, booleans, texts, nested) {
        (1.., 0, 0, 0) => {
            let is_double = decimals > 0 || (hints.from_pipe && !is_large);
            guessed.data_type = if is_double {
                DataType::Float64
            } else {
                DataType::Int64
            };
            guessed.exact_integers = hints.from_pipe && is_double;
        }
        (0, 1.., 0, 0) => guessed.data_type = DataType::Boolean,
        (0, 0, 0, 1..) => {
            if let Some(data_type) = nested_type(&column.values, hints) {
                guessed.data_type = data_type;
                guessed.exact_integers = hints.from_pipe;
            }
        }
        (0, 0, 1.., 0) => {
            if let Some((data_type, format)) = time_type(column, hints.zone, may_lack_year) {
                guessed.data_type = data_type;
                guessed.time_format = format;
            }
        }
        _ => {}
    }
    guessed
}

/// ROW or ARRAY, if all values that are not NULL are objects or all are arrays of one kind of element. An
/// object or array that is always empty shows no type.
fn nested_type(values: &[SampleValue], hints: &Hints) -> Option<DataType> {
    let mut texts = Vec::new();
    for value in values {
        match value {
            SampleValue::Null => {}
            SampleValue::Nested(text) => texts.push(text.as_str()),
            _ => return None,
        }
    }
    if texts.iter().all(|text| text.starts_with('{')) {
        let objects = texts
            .iter()
            .filter_map(|text| json_object_fields(text.as_bytes()));
        let columns = merged(objects);
        if columns.is_empty() || columns.len() > MOST_FIELDS {
            return None;
        }
        let fields = columns.iter().map(|column| {
            Field::new(
                &column.name,
                guess_column(column, false, hints).data_type,
                true,
            )
        });
        return Some(DataType::Struct(Fields::from(fields.collect::<Vec<_>>())));
    }
    let mut items = SampleColumn::default();
    for text in texts {
        let elements = json_elements(text)?;
        items.values.extend(elements.into_iter().map(sample_value));
    }
    let kind = |value: &SampleValue| match value {
        SampleValue::Null => None,
        SampleValue::Boolean => Some(0),
        SampleValue::Integer(_) | SampleValue::Decimal(_) => Some(1),
        SampleValue::Text(_) => Some(2),
        SampleValue::Nested(text) if text.starts_with('{') => Some(3),
        SampleValue::Nested(_) => Some(4),
    };
    let mut kinds = items.values.iter().filter_map(kind);
    let first = kinds.next()?;
    if !kinds.all(|kind| kind == first) {
        return None;
    }
    let item = guess_column(&items, false, hints).data_type;
    Some(DataType::List(Arc::new(Field::new_list_field(item, true))))
}
