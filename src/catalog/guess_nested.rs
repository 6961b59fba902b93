//! Whether the nested values of a sample are ROW or ARRAY, or stay the text that they are.
//!
//! ```text
//!  {"id":1} · {"id":2,"name":"a"}   ROW<id BIGINT, name STRING>
//!  [1,2] · []                       ARRAY<BIGINT>
//!  {"id":1} · [1] · [1,"a"] · []    STRING, as JSON
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::guess::{Hints, SampleValue, guess_column};
use super::guess_ndjson::{merged, sample_value};
use crate::format::{json_elements, json_object_fields};

/// Objects with more keys hold data in their keys.
const MOST_FIELDS: usize = 200;

/// ROW or ARRAY, if all values that are not NULL are objects or all are arrays of one kind of element. An
/// object or array that is always empty shows no type.
pub(super) fn nested_type(values: &[SampleValue], hints: &Hints) -> Option<DataType> {
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
    let mut items = super::guess::SampleColumn::default();
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
