//! Columns inside of guessed ones: those that `--ts` and `--types` name, and times where no column is one.
//!
//! ```text
//!   {"meta":{"ts":"2026-01-01T12:00:00Z","n":1}}      meta ROW<ts TIMESTAMP_LTZ(6), n BIGINT>
//!                                                     meta.ts is the time, and part of meta: no column of `*`
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::ndjson::sample_value;
use super::sample::{GuessedColumn, SampleColumn, SampleValue, find_column};
use crate::catalog::spelling::place_of_name;
use crate::format::{JsonKind, json_object_fields};
use crate::time::{TimeFormat, Zone};

impl GuessedColumn {
    /// True if it is what lies in one of `columns` by that column's type, so that it needs no declaration.
    pub fn is_inside(&self, columns: &[GuessedColumn]) -> bool {
        if self.path.is_empty() || !matches!(self.time_format, None | Some(TimeFormat::Auto)) {
            return false;
        }
        let mut roots = columns.iter();
        let root = roots.find(|root| root.path.is_empty() && root.source == self.source);
        let mut data_type = root.map(|root| &root.data_type);
        for key in &self.path {
            data_type = match data_type {
                Some(DataType::Struct(fields)) => {
                    fields.find(key).map(|(_, field)| field.data_type())
                }
                _ => None,
            };
        }
        data_type == Some(&self.data_type)
    }
}

/// A type whose instants, and those inside of it, are shown in a zone.
pub fn shown_in(data_type: &DataType, zone: Zone) -> DataType {
    let inside = |field: &FieldRef| {
        let inner = shown_in(field.data_type(), zone);
        Arc::new(field.as_ref().clone().with_data_type(inner))
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(zone.name().into())),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        DataType::List(item) => DataType::List(inside(item)),
        DataType::Map(entries, sorted) => DataType::Map(inside(entries), *sorted),
        other => other.clone(),
    }
}

/// The field of that exact name, else the only one of that name ignoring case.
fn field_named<'f>(fields: &'f Fields, name: &str) -> Option<(usize, &'f FieldRef)> {
    let place = place_of_name(fields.iter().map(|field| field.name().as_str()), name)?;
    Some((place, &fields[place]))
}

/// What the keys of `path`, between dots, lead to in values of a type: the keys as the type spells them, and the type
/// there. Text may be JSON, and is text at any path; `None` if there is no such key.
pub fn path_inside(data_type: &DataType, path: &str) -> Option<(Vec<String>, DataType)> {
    let (mut data_type, mut keys) = (data_type, Vec::new());
    for key in path.split('.') {
        match data_type {
            DataType::Struct(fields) => {
                let (_, field) = field_named(fields, key)?;
                data_type = field.data_type();
                keys.push(field.name().clone());
            }
            DataType::Utf8View => keys.push(key.to_owned()),
            _ => return None,
        }
    }
    Some((keys, data_type.clone()))
}

/// The column that a dotted name reads inside the values of one of `columns`.
pub(super) fn column_inside(columns: &[GuessedColumn], name: &str) -> Option<GuessedColumn> {
    let (first, rest) = name.split_once('.')?;
    let root = &columns[find_column(columns, first)?];
    let (keys, data_type) = path_inside(&root.data_type, rest)?;
    Some(GuessedColumn {
        name: format!("{}.{}", root.name, keys.join(".")),
        source: root.source.clone(),
        path: [root.path.as_slice(), &keys].concat(),
        data_type,
        time_format: None,
        exact_integers: false,
        unshown: false,
    })
}

/// Puts a type in the place of that which a dotted name has inside a ROW, which may have lacked the last key;
/// false if there is no such ROW.
pub(super) fn retype(columns: &mut [GuessedColumn], name: &str, data_type: &DataType) -> bool {
    let Some((first, rest)) = name.split_once('.') else {
        return false;
    };
    let Some(root) = find_column(columns, first) else {
        return false;
    };
    let path: Vec<&str> = rest.split('.').collect();
    match retyped(&columns[root].data_type, &path, data_type) {
        Some(found) => {
            columns[root].data_type = found;
            true
        }
        None => false,
    }
}

fn retyped(outer: &DataType, path: &[&str], data_type: &DataType) -> Option<DataType> {
    let (DataType::Struct(fields), [key, rest @ ..]) = (outer, path) else {
        return path.is_empty().then(|| data_type.clone());
    };
    let mut fields: Vec<FieldRef> = fields.iter().cloned().collect();
    let of_row = Fields::from(fields.clone());
    match field_named(&of_row, key) {
        Some((place, field)) => {
            let inner = retyped(field.data_type(), rest, data_type)?;
            fields[place] = field.as_ref().clone().with_data_type(inner).into();
        }
        None if rest.is_empty() => fields.push(Field::new(*key, data_type.clone(), true).into()),
        None => return None,
    }
    Some(DataType::Struct(fields.into()))
}

/// What the sample of a column has at a path into its objects.
pub(super) fn sample_inside(outer: &SampleColumn, path: &[String]) -> SampleColumn {
    let mut sample = outer.clone();
    for key in path {
        let objects = sample.values.iter().filter_map(|value| match value {
            SampleValue::Nested(text) => json_object_fields(text.as_bytes()),
            _ => None,
        });
        let values = objects.flat_map(|fields| fields.into_iter().filter(|(name, _)| name == key));
        let values = values.map(|(_, kind): (String, JsonKind)| sample_value(kind));
        sample.values = values.collect();
    }
    sample
}

/// The dotted names of all that lies in ROWs and is neither a ROW nor an ARRAY, level by level.
pub(super) fn names_inside(columns: &[GuessedColumn]) -> Vec<String> {
    let mut names = Vec::new();
    let rows = columns.iter().filter(|column| !column.name.contains('.'));
    let mut level: Vec<(String, &DataType)> = rows
        .map(|column| (column.name.clone(), &column.data_type))
        .collect();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (outer, data_type) in level {
            let DataType::Struct(fields) = data_type else {
                continue;
            };
            for field in fields.iter().filter(|field| !field.name().contains('.')) {
                let name = format!("{outer}.{}", field.name());
                if !field.data_type().is_nested() {
                    names.push(name.clone());
                }
                next.push((name, field.data_type()));
            }
        }
        level = next;
    }
    names
}
