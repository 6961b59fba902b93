//! Tables whose columns are guessed from the first bytes of their records.

use std::collections::BTreeMap;

use super::definition::{Access, Definition, Place, is_endless};
use crate::catalog::{
    ColumnSource, Guess, GuessedColumn, Header, Hints, JoinedTime, PathStep, Table, TableColumn,
    TableTime, TakenFor, create_table_text,
};
use crate::data::Metadata;
use crate::format::{Format, Layout, NdjsonOptions, ReadColumn};
use crate::session::Options;

/// A table, its definition, and the guess as text for the user (of an input that has any bytes).
pub(super) fn guessed(
    name: &str,
    places: Vec<Place>,
    access: Access,
    guess: Option<Guess>,
    hints: Hints,
    options: &Options,
) -> (Table, Definition, Option<String>) {
    let merged = places.len() > 1 && !options.in_order && access.follow.is_none();
    let Some(guess) = guess else {
        // No bytes, no columns: whatever the query names is NULL in no row at all.
        let table = Table {
            name: name.to_string(),
            columns: Vec::new(),
            time: None,
            time_candidates: Vec::new(),
            taken_for: None,
            starred: false,
            open_ended: true,
            nested: true,
            merged,
            since: None,
            endless: is_endless(&places, &access),
            idle_timeout: None,
        };
        let format = Format::Ndjson(NdjsonOptions::default());
        let definition = Definition::guessed(places, access, hints, format, BTreeMap::new());
        return (table, definition, None);
    };
    let text = create_table_text(&guess, name, &named(&places, &access), options.delay());
    let columns = guess.columns.iter();
    let mut columns: Vec<TableColumn> = columns
        .map(|column| table_column(column, &guess.columns))
        .collect();
    let mut time = guess.time_column;
    if let Some(joined) = guess.joined_time.as_ref().and_then(JoinedTime::column) {
        time = Some(columns.len());
        columns.push(joined);
    }
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
        taken_for: taken_for(&guess, &hints),
        starred: false,
        open_ended: !guess.format.has_fixed_columns() && hints.from_pipe,
        nested: matches!(
            guess.format,
            Format::Ndjson(_) | Format::Json(..) | Format::Columnar(_)
        ),
        merged,
        since: None,
        endless: is_endless(&places, &access),
        idle_timeout: None,
    };
    let columns = read_columns(&guess);
    let definition = Definition::guessed(places, access, hints, guess.format, columns);
    (table, definition, Some(text))
}

/// How a user writes where the records are.
fn named(places: &[Place], access: &Access) -> String {
    let followed = access.follow.as_ref();
    match (
        followed.and_then(|follow| follow.names.first()),
        places.first(),
    ) {
        (Some(name), _) => name.clone(),
        (None, Some(place)) => place.text(),
        (None, None) => String::from("-"),
    }
}

/// What was guessed of the records that the user can say.
fn taken_for(guess: &Guess, hints: &Hints) -> Option<TakenFor> {
    match &guess.format {
        Format::Ndjson(_) | Format::Json(..) if guess.columns.is_empty() => {
            Some(TakenFor::NoObject)
        }
        Format::Csv(_) if hints.header != Header::Auto => None,
        Format::Csv(options) if options.header => Some(TakenFor::Names),
        Format::Csv(_) => Some(TakenFor::Values),
        Format::Lines(options) if options.layout == Layout::Lines && hints.format.is_none() => {
            Some(TakenFor::Lines)
        }
        _ => None,
    }
}

fn table_column(column: &GuessedColumn, columns: &[GuessedColumn]) -> TableColumn {
    let source = match column.is_inside(columns) {
        false => ColumnSource::Field(column.source.clone()),
        true => {
            let keys = column.path.iter().cloned().map(PathStep::Key);
            ColumnSource::Path(column.source.clone(), keys.collect())
        }
    };
    TableColumn {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        source,
        unshown: column.unshown,
    }
}

fn read_columns(guess: &Guess) -> BTreeMap<String, ReadColumn> {
    let columns = guess.columns.iter();
    columns
        .map(|column| (column.name.clone(), column.read_column()))
        .collect()
}
