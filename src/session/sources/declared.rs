//! Tables of `CREATE TABLE`: columns, watermark, and when their records are looked at.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use sqlparser::ast;

use super::Sources;
use super::columnar::columnar_kind;
use super::declared_format::{bind_header, declared_format};
use super::definition::{Definition, Place, is_endless};
use super::guessed::Known;
use super::since::since;
use super::table_options::TableOptions;
use crate::catalog::{
    Catalog, ColumnSource, Hints, PathStep, Table, TableColumn, TableTime, only_place_of_name,
    path_inside, place_of_name, shown_in,
};
use crate::connect::is_there;
use crate::error::{Error, Result};
use crate::format::ReadColumn;
use crate::plan::{Asked, PlanSettings, Registry, SinkColumns, computed, data_type};
use crate::session::{Host, Options};
use crate::sql::{Column, ColumnKind, CreateTable};

impl Sources {
    /// `CREATE TABLE`. What may fail comes before anything is forgotten, so that a statement that fails leaves a table
    /// of that name as it was.
    ///
    /// # Errors
    /// The name is taken, a type or option does not exist, the watermark's column is no time.
    pub(in crate::session) fn create(
        &mut self,
        create: CreateTable,
        catalog: &mut Catalog,
        options: &Options,
        registry: &Registry,
        settings: &PlanSettings,
        host: &mut dyn Host,
    ) -> Result<()> {
        let name = create.name.value.clone();
        if self.is_taken(&name, catalog) && !create.or_replace {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(Error::plan(format!("`{name}` exists already"))
                .at_least(crate::sql::span_of(create.name.span))
                .help("write CREATE OR REPLACE TABLE, or choose another name"));
        }
        let with = TableOptions::read(&create, options)?;
        if !create.columns.is_empty() {
            let declared = declared_columns(&create, &with, options, registry, settings)?;
            let sink = declared.sink_columns();
            self.admit(declared.known(with), catalog, host);
            self.sinks.add(&name, &create.options, Some(sink));
            return Ok(());
        }
        if is_unwritten(&with.places) {
            self.forget(&name);
            catalog.forget(&name);
            self.sinks.add(&name, &create.options, None);
            self.unwritten.insert(name, create);
            return Ok(());
        }
        self.create_guessed(&name, with, &create, catalog, options, host)
    }

    /// Looks at a table whose file did not exist when it was created.
    pub(super) fn create_unwritten(
        &mut self,
        create: &CreateTable,
        asked: &Asked,
        catalog: &mut Catalog,
        options: &Options,
        host: &mut dyn Host,
    ) -> Result<()> {
        let mut with = TableOptions::read(create, options)?;
        with.hints.names.clone_from(&asked.names);
        self.create_guessed(&create.name.value, with, create, catalog, options, host)
    }

    /// `CREATE TABLE name WITH (path = …)`: the columns are guessed now.
    fn create_guessed(
        &mut self,
        name: &str,
        with: TableOptions,
        create: &CreateTable,
        catalog: &mut Catalog,
        options: &Options,
        host: &mut dyn Host,
    ) -> Result<()> {
        let looked = self.open_and_look(&with.places, &with.access, with.hints, host)?;
        let mut known = looked.table(name, with.places, with.access, options);
        let (table, definition) = (&mut known.table, &mut known.definition);
        table.idle_timeout = with.idle_timeout;
        definition.gate = with.gate;
        for column in &mut table.columns {
            // The table's zone is that of its texts; what is shown is in the session's.
            column.data_type = shown_in(&column.data_type, options.zone);
        }
        if let Some(watermark) = declared_time(create, table, options)? {
            table.time = Some(watermark);
        }
        table.since = since(table, &definition.access, &definition.hints)?;
        self.admit(known, catalog, host);
        self.sinks.add(name, &create.options, None);
        Ok(())
    }

    /// Finds out how the records of a declared table are written, when it is first read.
    pub(super) fn look_at_declared(&mut self, name: &str, host: &mut dyn Host) -> Result<()> {
        let Some(definition) = self.definitions.get(name).cloned() else {
            return Ok(());
        };
        if definition.format.is_some() || definition.declared.is_none() {
            return Ok(());
        }
        let (places, hints) = (&definition.places, &definition.hints);
        let access = &definition.access;
        let mut first = match self.open_unseen(places, access, hints)? {
            Some(first) => first,
            None => {
                // Records that cannot fill any of its columns show nothing of it.
                let names = definition.declared.clone().unwrap_or_default();
                let hints = Hints {
                    names,
                    ..hints.clone()
                };
                self.open_first(places, access, &hints, host)?
            }
        };
        let sample = &first.sample;
        let format = match columnar_kind(&sample.bytes, hints) {
            Some(kind) if !sample.bytes.is_empty() => {
                self.columnar_format(kind, &mut first, hints, host)?
            }
            _ => declared_format(&definition, &sample.bytes, sample.at_end, &sample.source)?,
        };
        if let Some(definition) = self.definitions.get_mut(name) {
            bind_header(definition, &format);
            definition.format = Some(format);
        }
        self.opened.insert(name.to_string(), first.opened);
        Ok(())
    }
}

/// The columns of a `CREATE TABLE`.
struct Declared {
    table: Table,
    /// How those that come from records are read.
    columns: BTreeMap<String, ReadColumn>,
    /// The names of those that come from records, in order.
    order: Vec<String>,
}

impl Declared {
    /// What INSERT INTO writes.
    fn sink_columns(&self) -> SinkColumns {
        let physical = self.order.iter().filter_map(|name| {
            let column = self.table.column(name)?;
            Some((name.clone(), self.table.columns[column].data_type.clone()))
        });
        SinkColumns {
            name: self.table.name.clone(),
            columns: physical.collect(),
        }
    }

    /// The table, which is looked at when it is first read.
    fn known(self, with: TableOptions) -> Known {
        Known {
            table: self.table,
            definition: Definition {
                places: with.places,
                access: with.access,
                format: None,
                hints: with.hints,
                columns: self.columns,
                declared: Some(self.order),
                gate: with.gate,
            },
            text: None,
            opened: None,
        }
    }
}

/// The columns that a statement declares, with the time among them.
///
/// # Errors
/// A type that does not exist, a computed column or a watermark of what is not there.
fn declared_columns(
    create: &CreateTable,
    with: &TableOptions,
    options: &Options,
    registry: &Registry,
    settings: &PlanSettings,
) -> Result<Declared> {
    let mut table = empty_table(&create.name.value, with, options);
    let mut columns = BTreeMap::new();
    let mut order = Vec::new();
    for (number, column) in create.columns.iter().enumerate() {
        let name = &column.name.value;
        let (data_type, source) = match &column.kind {
            ColumnKind::Physical(sql_type) => {
                let data_type = data_type(sql_type, options.zone)?;
                refuse_interval(name, &data_type)?;
                let field = Arc::new(Field::new(name, data_type.clone(), true));
                let mut read = ReadColumn::new(name, field);
                read.time = with.time_format.clone();
                columns.insert(name.clone(), read);
                order.push(name.clone());
                (data_type, ColumnSource::Field(name.clone()))
            }
            ColumnKind::Computed(expr) => {
                add_metadata(&mut table, expr, create, options);
                let before = table.columns.len();
                let bound = computed::bind(&table, before, expr, registry, settings);
                let span = crate::sql::span_of(column.name.span);
                let (_, data_type) = bound.map_err(|error| {
                    let error = reads_behind(expr, number, create).unwrap_or(error);
                    error.at_least(span)
                })?;
                let expr = Box::new(expr.clone());
                let declared = true;
                (data_type, ColumnSource::Computed { expr, declared })
            }
        };
        table.columns.push(TableColumn {
            name: name.clone(),
            data_type,
            source,
            unshown: false,
        });
    }
    read_inside(&mut columns);
    table.time = declared_time(create, &mut table, options)?;
    if table.time.is_none() {
        table.time = only_time(&mut table, options)?;
    }
    table.since = since(&table, &with.access, &with.hints)?;
    Ok(Declared {
        table,
        columns,
        order,
    })
}

/// A declared table before its columns.
fn empty_table(name: &str, with: &TableOptions, options: &Options) -> Table {
    Table {
        name: name.to_owned(),
        columns: Vec::new(),
        time: None,
        time_candidates: Vec::new(),
        taken_for: None,
        starred: false,
        open_ended: false,
        nested: true,
        merged: with.places.len() > 1 && !options.in_order && with.access.follow.is_none(),
        since: None,
        endless: is_endless(&with.places, &with.access),
        idle_timeout: with.idle_timeout,
    }
}

/// True for one place that may be a sink: a path at which there is nothing yet, a socket.
fn is_unwritten(places: &[Place]) -> bool {
    match places {
        [Place::Path(path)] => !is_there(path),
        [Place::Socket(_)] => true,
        _ => false,
    }
}

/// Makes what `expr` names of records besides their fields columns of the table; a declared one of that name comes first.
fn add_metadata(table: &mut Table, expr: &ast::Expr, create: &CreateTable, options: &Options) {
    let _ = ast::visit_expressions(expr, |expr| {
        if let ast::Expr::Identifier(name) = expr {
            let same = |column: &ast::Ident| column.value.eq_ignore_ascii_case(&name.value);
            if !create.columns.iter().any(|column| same(&column.name)) {
                table.add_metadata(&name.value, options.zone);
            }
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Why an expression for column `number` fails that reads a declared column which is not before it.
fn reads_behind(expr: &ast::Expr, number: usize, create: &CreateTable) -> Option<Error> {
    let (before, behind) = create.columns.split_at(number);
    // What stands behind a dot is a key, not a column.
    let mut keys = Vec::new();
    let found = ast::visit_expressions(expr, |expr| {
        if let ast::Expr::CompoundFieldAccess { access_chain, .. } = expr {
            keys.extend(access_chain.iter().filter_map(|access| match access {
                ast::AccessExpr::Dot(key) => Some(ast::Spanned::span(key)),
                ast::AccessExpr::Subscript(_) => None,
            }));
        }
        if let ast::Expr::Identifier(name) = expr
            && !keys.contains(&name.span)
        {
            let same = |column: &Column| column.name.value.eq_ignore_ascii_case(&name.value);
            if !before.iter().any(same) && behind.iter().any(same) {
                return ControlFlow::Break(name.clone());
            }
        }
        ControlFlow::Continue(())
    });
    let ControlFlow::Break(name) = found else {
        return None;
    };
    let name_span = crate::sql::span_of(name.span);
    let name = name.value;
    let error = Error::plan(format!(
        "`{expr}` reads `{name}`, which is no column before it"
    ));
    Some(
        error
            .at_least(name_span)
            .help(format!("declare `{name}` before it")),
    )
}

/// The time of `WATERMARK FOR`.
fn declared_time(
    create: &CreateTable,
    table: &mut Table,
    options: &Options,
) -> Result<Option<TableTime>> {
    let Some(watermark) = &create.watermark else {
        return Ok(None);
    };
    let wanted = &watermark.column.value;
    add_metadata(
        table,
        &ast::Expr::Identifier(watermark.column.clone()),
        create,
        options,
    );
    let span = crate::sql::span_of(watermark.column.span);
    let names = table.columns.iter().map(|column| column.name.as_str());
    let found = only_place_of_name(names, wanted).map_err(|error| error.at_least(span))?;
    let inside = || column_inside(table, wanted).map(|column| add(table, column));
    let found = found.or_else(inside);
    let Some(column) = found else {
        let names = table.columns.iter().map(|column| column.name.as_str());
        let error = Error::plan(format!("WATERMARK FOR `{wanted}`: there is no such column"))
            .at_least(span);
        return Err(error.suggest(wanted, names));
    };
    let data_type = &table.columns[column].data_type;
    if !matches!(data_type, DataType::Timestamp(..)) {
        return Err(Error::plan(format!(
            "WATERMARK FOR `{wanted}`: its type is {}, not TIMESTAMP",
            crate::data::type_name(data_type)
        ))
        .at_least(span)
        .help(format!(
            "declare it as a time, or compute one: `at AS to_timestamp({wanted})`"
        )));
    }
    Ok(Some(TableTime {
        column,
        declared_delay: Some(watermark.delay),
    }))
}

/// What a dotted name reads in a ROW: a column that is no part of `*`.
fn column_inside(table: &Table, name: &str) -> Option<TableColumn> {
    let (first, rest) = name.split_once('.')?;
    let names = table.columns.iter().map(|column| column.name.as_str());
    let root = &table.columns[place_of_name(names, first)?];
    let (keys, data_type) = path_inside(&root.data_type, rest)?;
    let name = format!("{}.{}", root.name, keys.join("."));
    let steps = keys.into_iter().map(PathStep::Key).collect();
    Some(TableColumn {
        name,
        data_type,
        source: ColumnSource::Path(root.name.clone(), steps),
        unshown: false,
    })
}

/// Adds a column; returns its place.
fn add(table: &mut Table, column: TableColumn) -> usize {
    table.columns.push(column);
    table.columns.len() - 1
}

/// The time of a declared table without a watermark: `--ts`, else the only TIMESTAMP.
///
/// # Errors
/// `--ts` may be several.
fn only_time(table: &mut Table, options: &Options) -> Result<Option<TableTime>> {
    let is_time = |column: &TableColumn| matches!(column.data_type, DataType::Timestamp(..));
    let times = table.columns.iter().enumerate();
    let times: Vec<(usize, &str)> = times
        .filter(|(_, column)| is_time(column))
        .map(|(place, column)| (place, column.name.as_str()))
        .collect();
    let column = match &options.ts {
        Some(name) => {
            let named = only_place_of_name(times.iter().map(|(_, name)| *name), name);
            let named = named.map_err(|error| error.note("--ts names it"))?;
            let named = named.map(|place| times[place].0);
            let inside = || {
                let mut known = table.columns.iter();
                if known.any(|column| column.name.eq_ignore_ascii_case(name)) {
                    return None;
                }
                let column = column_inside(table, name).filter(is_time)?;
                Some(add(table, column))
            };
            named.or_else(inside)
        }
        None => match times.as_slice() {
            [(only, _)] => Some(*only),
            _ => None,
        },
    };
    Ok(column.map(|column| TableTime {
        column,
        declared_delay: None,
    }))
}

/// A declared name with dots that begins with the name of a ROW reads inside of it.
fn read_inside(columns: &mut BTreeMap<String, ReadColumn>) {
    let is_row = |column: &ReadColumn| matches!(column.field.data_type(), DataType::Struct(_));
    let rows = columns.iter().filter(|(_, column)| is_row(column));
    let rows: Vec<String> = rows.map(|(name, _)| name.clone()).collect();
    for (name, column) in columns {
        if let Some((first, rest)) = name.split_once('.')
            && rows.iter().any(|row| row == first)
        {
            column.source = first.to_owned();
            column.path = rest.split('.').map(String::from).collect();
        }
    }
}

/// Records hold no value of this type yet.
fn refuse_interval(name: &str, data_type: &DataType) -> Result<()> {
    match data_type {
        DataType::Interval(_) => Err(Error::unsupported(format!(
            "column `{name}`: INTERVAL cannot be read yet"
        ))
        .help("what works now: STRING, and CAST in the query")),
        _ => Ok(()),
    }
}
