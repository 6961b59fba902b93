//! The columns of a sample of lines: those of its layout, or the keys that its lines have.

use super::hints::Hints;
use super::sample::{GuessedColumn, SampleColumn, SampleValue, sample_value};
use crate::format::{
    ColumnKind, Format, Layout, LineField, LinesOptions, SampleField, line_keys, sample_fields,
};
use arrow::datatypes::DataType;

const MOST_RECORDS: usize = 1_000;

/// The format and the columns of a sample of that layout.
pub(super) fn columns(layout: Layout, sample: &[u8], hints: &Hints) -> (Format, Vec<SampleColumn>) {
    let most = if hints.from_pipe { 1 } else { MOST_RECORDS };
    let names = match layout.column_names() {
        Some(names) => names,
        None => line_keys(sample, most),
    };
    let mut columns: Vec<SampleColumn> = names
        .iter()
        .map(|name| SampleColumn {
            name: name.clone(),
            values: Vec::new(),
        })
        .collect();
    for record in sample_fields(&layout, &names, sample, most) {
        for (column, field) in columns.iter_mut().zip(record) {
            let value = value(field, layout.kind(&column.name), hints);
            column.values.push(value);
        }
    }
    if hints.from_pipe && matches!(layout, Layout::Blanks(_)) {
        forget_doubtful(&mut columns, &layout);
    }
    (format(layout, hints), columns)
}

/// One row of a program's table does not show that a column holds numbers where that program writes others with
/// a unit, and leaves it away from 0; or where the column is known for text.
fn forget_doubtful(columns: &mut [SampleColumn], layout: &Layout) {
    let has_unit = |value: &SampleValue| matches!(value, SampleValue::Text(text) if is_size(text));
    let has_units = columns
        .iter()
        .flat_map(|column| &column.values)
        .any(has_unit);
    for column in columns {
        let is_known = layout.may_hold_text(&column.name);
        for value in &mut column.values {
            if is_known || (has_units && *value == SampleValue::Integer(String::from("0"))) {
                *value = SampleValue::Null;
            }
        }
    }
}

/// `84G`, `8.6Mi`, `0B`, `512kB`
pub(super) fn is_size(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let mut letters = unit.chars();
    unit.len() < text.len()
        && letters.next().is_some_and(|c| "BkKMGTPE".contains(c))
        && letters.all(|c| matches!(c, 'i' | 'B'))
}

/// The format of lines of that layout.
pub(super) fn format(layout: Layout, hints: &Hints) -> Format {
    Format::Lines(LinesOptions {
        layout,
        nulls: hints.nulls.clone(),
        encoding: hints.encoding,
        max_record_bytes: hints.max_record_bytes,
        years_from: None,
    })
}

fn value(field: Option<LineField>, kind: ColumnKind, hints: &Hints) -> SampleValue {
    let Some(field) = field else {
        return SampleValue::Null;
    };
    if kind == ColumnKind::Text {
        return SampleValue::Text(String::from_utf8_lossy(&field.text).into_owned());
    }
    let field = SampleField {
        text: field.text,
        quoted: field.quoted,
    };
    match (sample_value(&field, hints), kind) {
        (SampleValue::Integer(text), ColumnKind::Double) => SampleValue::Decimal(text),
        (value, _) => value,
    }
}

/// Gives a column the type that its layout knows.
pub(super) fn settle(column: &mut GuessedColumn, layout: &Layout) {
    match layout.kind(&column.name) {
        ColumnKind::Text => {
            column.data_type = DataType::Utf8View;
            column.time_format = None;
            column.unshown = false;
        }
        ColumnKind::Integer => {
            column.data_type = DataType::Int64;
            column.time_format = None;
            column.exact_integers = false;
            column.unshown = false;
        }
        ColumnKind::Double | ColumnKind::Shown => {}
    }
}
