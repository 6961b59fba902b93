//! The columns of an NDJSON sample: the keys of its objects, in the order of their first appearance.

use hashbrown::HashMap;

use super::guess::{SampleColumn, SampleValue};
use crate::format::{JsonKind, json_object_fields};

/// The columns of the sample; of a pipe the first object alone counts. A last line that the sample cuts is
/// no object and so does not count.
pub(super) fn columns(sample: &[u8], from_pipe: bool) -> Vec<SampleColumn> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let objects = sample
        .split(|byte| *byte == b'\n')
        .filter_map(json_object_fields);
    let mut columns: Vec<SampleColumn> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for object in objects.take(if from_pipe { 1 } else { usize::MAX }) {
        for (name, kind) in object {
            let place = *places.entry(name.clone()).or_insert_with(|| {
                columns.push(SampleColumn {
                    name,
                    values: Vec::new(),
                });
                columns.len() - 1
            });
            columns[place].values.push(match kind {
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
                JsonKind::Nested => SampleValue::Text(String::new()),
            });
        }
    }
    columns
}
