//! Tables whose columns are guessed from the first bytes of their records, and how any table becomes known.
//!
//! ```text
//!   FROM 'a.csv'                  ─┐                              ┌► Known ─► admit
//!   CREATE TABLE … WITH (path = …) ┼► open_and_look ─► Looked ────┤
//!   --describe                    ─┘                              └► text of a CREATE TABLE
//! ```

use std::collections::BTreeMap;

use super::Sources;
use super::definition::{Access, Definition, Place, is_endless};
use super::opening::{First, FirstOpened};
use crate::catalog::{
    Catalog, ColumnSource, Guess, GuessedColumn, Header, Hints, JoinedTime, PathStep, Table,
    TableColumn, TableTime, TakenFor, create_table_text,
};
use crate::connect::is_pattern;
use crate::data::Metadata;
use crate::error::Result;
use crate::format::{Format, Layout, NdjsonOptions, ReadColumn};
use crate::session::host::Note;
use crate::session::{Host, Options};

/// An input that was opened and looked at.
pub(super) struct Looked {
    pub first: First,
    /// What is said of it, and what has shown by now.
    pub hints: Hints,
    /// `None` if there is nothing in it.
    pub guess: Option<Guess>,
}

/// A table with all that is known of it.
pub(super) struct Known {
    pub table: Table,
    pub definition: Definition,
    /// The guess as text, if it is one.
    pub text: Option<String>,
    /// Its input, if it was opened.
    pub opened: Option<FirstOpened>,
}

impl Sources {
    /// Opens the first of the places and guesses what is in it.
    ///
    /// # Errors
    /// It cannot be opened, or looks like nothing that is known.
    pub(super) fn open_and_look(
        &mut self,
        places: &[Place],
        access: &Access,
        hints: Hints,
        host: &mut dyn Host,
    ) -> Result<Looked> {
        let mut first = self.open_first(places, access, &hints, host)?;
        let is_piped = first.is_piped();
        let hints = Hints {
            from_pipe: is_piped,
            only_line: hints.only_line && is_piped,
            ..hints
        };
        let guess = self.look(&mut first, &hints, host)?;
        Ok(Looked {
            first,
            hints,
            guess,
        })
    }

    /// Makes a table known in the place of any of its name. Nothing of that fails.
    pub(super) fn admit(&mut self, known: Known, catalog: &mut Catalog, host: &mut dyn Host) {
        let name = known.table.name.clone();
        self.forget(&name);
        if let Some(text) = known.text {
            self.guesses.insert(name.clone(), text.clone());
            host.note(Note::Guess(text));
        }
        catalog.add_table(known.table);
        self.definitions.insert(name.clone(), known.definition);
        if let Some(opened) = known.opened {
            self.opened.insert(name, opened);
        }
    }
}

impl Looked {
    /// The table of that name that it makes.
    pub(super) fn table(
        self,
        name: &str,
        places: Vec<Place>,
        access: Access,
        options: &Options,
    ) -> Known {
        let (table, definition, text) =
            guessed(name, places, access, self.guess, self.hints, options);
        Known {
            table,
            definition,
            text,
            opened: Some(self.first.opened),
        }
    }
}

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
    let paths = named(name, &places, &access, options);
    let text = create_table_text(&guess, name, &paths, options.delay());
    let columns = guess.columns.iter();
    let mut columns: Vec<TableColumn> = columns
        .map(|column| table_column(column, &guess.columns))
        .collect();
    let mut time = guess.time_column;
    if let Some(joined) = guess.joined_time.as_ref().map(JoinedTime::column) {
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

/// Paths, but none of more than one wants to see: without a path a table reads the FILEs.
pub(super) fn few(paths: Vec<String>) -> Vec<String> {
    const MOST_PATHS: usize = 8;
    match paths.len() > MOST_PATHS {
        true => Vec::new(),
        false => paths,
    }
}

/// How a user writes where the records are.
fn named(name: &str, places: &[Place], access: &Access, options: &Options) -> Vec<String> {
    let mut tables = options.tables.iter();
    let table = tables.find(|(table, _)| table == name);
    let paths: Vec<String> = match (&access.follow, table, places) {
        (Some(follow), ..) => follow.names.clone(),
        (None, Some((_, path)), _) => vec![path.clone()],
        (None, None, []) => vec![String::from("-")],
        (None, None, [place]) => vec![place.text()],
        (None, None, _) if is_pattern(name) => vec![name.to_owned()],
        (None, None, places) => places.iter().map(Place::text).collect(),
    };
    few(paths)
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
