//! The columns of a JSON sample: the keys of its objects, in the order of their first appearance.

use hashbrown::HashMap;

use super::sample::{SampleColumn, SampleValue};
use crate::format::{JsonKind, JsonWrapping, json_object_fields, wrapped_objects};

/// The columns of the sample; of a pipe the first object alone counts. A last line that the sample cuts is
/// no object and so does not count.
pub(super) fn columns(
    sample: &[u8],
    wrapping: Option<JsonWrapping>,
    from_pipe: bool,
) -> Vec<SampleColumn> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let lines = sample.split(|byte| *byte == b'\n');
    let objects: Box<dyn Iterator<Item = _>> = match wrapping {
        None => Box::new(lines.filter_map(json_object_fields)),
        Some(wrapping) => Box::new(wrapped_objects(wrapping, sample).into_iter()),
    };
    merged(objects.take(if from_pipe { 1 } else { usize::MAX }))
}

/// The keys of objects as columns, in the order of their first appearance.
pub(super) fn merged(objects: impl Iterator<Item = Vec<(String, JsonKind)>>) -> Vec<SampleColumn> {
    let mut columns: Vec<SampleColumn> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for object in objects {
        for (name, kind) in object {
            let place = *places.entry(name.clone()).or_insert_with(|| {
                columns.push(SampleColumn {
                    name,
                    values: Vec::new(),
                });
                columns.len() - 1
            });
            columns[place].values.push(sample_value(kind));
        }
    }
    columns
}

/// A value of JSON, as far as its type matters.
pub(super) fn sample_value(kind: JsonKind) -> SampleValue {
    match kind {
        JsonKind::Null => SampleValue::Null,
        JsonKind::Boolean => SampleValue::Boolean,
        JsonKind::Number(text) if text.bytes().all(|b| b == b'-' || b.is_ascii_digit()) => {
            match text.parse::<i64>() {
                Ok(_) => SampleValue::Integer(text),
                Err(_) => SampleValue::Decimal(text),
            }
        }
        JsonKind::Number(text) => SampleValue::Decimal(text),
        JsonKind::Text(text) => SampleValue::Text(text),
        JsonKind::Nested(text) => SampleValue::Nested(text),
    }
}
