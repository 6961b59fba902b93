//! Tables whose columns are guessed from the first bytes of their records.

use std::collections::BTreeMap;

use super::definition::{Access, Definition, Place, is_endless};
use crate::catalog::{
    ColumnSource, Guess, Hints, Table, TableColumn, TableTime, create_table_text, guess,
};
use crate::data::Metadata;
use crate::error::Result;
use crate::format::{Format, NdjsonOptions, ReadColumn};
use crate::runtime::Sample;
use crate::session::Options;

/// A table, its definition, and the guess as text for the user (of a known input).
pub(super) fn guessed(
    name: &str,
    places: Vec<Place>,
    access: Access,
    sample: &Sample,
    hints: Hints,
    options: &Options,
) -> Result<(Table, Definition, Option<String>)> {
    let merged = places.len() > 1 && !options.in_order;
    let empty = sample.bytes.trim_ascii().is_empty() && sample.at_end;
    if empty {
        // No bytes, no columns: whatever the query names is NULL in no row at all.
        let table = Table {
            name: name.to_string(),
            columns: Vec::new(),
            time: None,
            time_candidates: Vec::new(),
            open_ended: true,
            nested: true,
            merged,
            endless: is_endless(&places, &access),
        };
        let definition = Definition {
            places,
            access,
            format: Some(Format::Ndjson(NdjsonOptions::default())),
            hints,
            columns: BTreeMap::new(),
            declared: None,
        };
        return Ok((table, definition, None));
    }
    let guess = guess(&sample.bytes, sample.at_end, &hints)
        .map_err(|error| error.note(format!("in {}", sample.source)))?;
    let text = create_table_text(
        &guess,
        name,
        &places.first().map_or(String::from("-"), Place::text),
    );
    let mut columns: Vec<TableColumn> = guess.columns.iter().map(table_column).collect();
    let mut time = guess.time_column;
    if time.is_none()
        && options.ts.as_deref().and_then(Metadata::of_name) == Some(Metadata::Arrival)
    {
        time = Some(columns.len());
        columns.push(TableColumn::hidden(Metadata::Arrival, options.zone));
    }
    let table = Table {
        name: name.to_string(),
        columns,
        time: time.map(|column| TableTime {
            column,
            declared_delay: None,
        }),
        time_candidates: guess.time_candidates.clone(),
        open_ended: !guess.format.has_fixed_columns() && hints.from_pipe,
        nested: matches!(guess.format, Format::Ndjson(_) | Format::Json(..)),
        merged,
        endless: is_endless(&places, &access),
    };
    let definition = Definition {
        places,
        access,
        columns: read_columns(&guess),
        format: Some(guess.format),
        hints,
        declared: None,
    };
    Ok((table, definition, Some(text)))
}

fn table_column(column: &crate::catalog::GuessedColumn) -> TableColumn {
    TableColumn {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        source: ColumnSource::Field(column.source.clone()),
        unshown: column.unshown,
    }
}

fn read_columns(guess: &Guess) -> BTreeMap<String, ReadColumn> {
    let columns = guess.columns.iter();
    columns
        .map(|column| (column.name.clone(), column.read_column()))
        .collect()
}
