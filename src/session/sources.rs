//! What tables are read from: files, globs and standard input, opened when a statement names them.
//!
//! ```text
//!   name in FROM ─► definition: files + format + how each column is read ─► runtime::Input
//!                       └ from CREATE TABLE, or guessed from the first bytes
//! ```
//!
//! Invariants: standard input is read by one statement; what was read for a guess is not lost; a guess
//! depends on bytes alone (of a file its first 64 KiB, of a pipe its first record).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use sqlparser::ast;

use super::Host;
use super::host::Note;
use super::options::{InputHeader, Options, delimiter};
use crate::catalog::{
    Catalog, ColumnSource, Guess, Header, Hints, SAMPLE_BYTES, Table, TableColumn, TableTime,
    create_table_text, guess, live_sample_bytes,
};
use crate::connect::{ByteSource, FileSource, Reason, expand};
use crate::error::{Error, Result};
use crate::format::{
    CsvOptions, DecodeSpec, Format, NdjsonOptions, Nulls, ReadColumn, csv_header, parse_format_name,
};
use crate::plan::{PlanSettings, Registry, SourcePlan, computed, data_type, names_closest};
use crate::runtime::interrupt::Interrupts;
use crate::runtime::{Idle, Input, InputFile, Opened, Ready, Waiter};
use crate::sql::{ColumnKind, CreateTable};
use crate::time::{EpochUnit, TimeFormat};

/// The definitions of tables, by their names in the catalog.
#[derive(Default)]
pub(super) struct Sources {
    definitions: BTreeMap<String, Definition>,
    /// Inputs that were opened for a guess and not yet read.
    opened: BTreeMap<String, Opened>,
    stdin_taken: bool,
    interrupts: Option<Arc<Interrupts>>,
}

/// Where a table's records are and how they are read.
#[derive(Debug, Clone)]
struct Definition {
    places: Vec<Place>,
    /// `None` for a declared table whose format shows in its bytes.
    format: Option<Format>,
    /// What a declared table says about its records.
    hints: Hints,
    /// Per column of the table that comes from records: how it is read.
    columns: BTreeMap<String, ReadColumn>,
    /// Names of the declared columns that come from records, in order; `None` for a guessed table.
    declared: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Stdin,
    Path(String),
}

const STDIN_NAMES: [&str; 2] = ["stdin", "input"];

impl Sources {
    /// Listens to signals while it waits for a sample.
    pub(super) fn listen(&mut self, interrupts: Arc<Interrupts>) {
        self.interrupts = Some(interrupts);
    }

    /// Makes sure that the catalog knows the table `name`.
    ///
    /// # Errors
    /// It does not exist, cannot be opened, or its records look like nothing that is known.
    pub(super) fn open(
        &mut self,
        name: &ast::Ident,
        catalog: &mut Catalog,
        options: &Options,
        host: &mut dyn Host,
    ) -> Result<()> {
        if let Some(table) = catalog.table(&name.value) {
            let name = table.name.clone();
            return self.look_at_declared(&name, host);
        }
        let Some(places) = self.places_of(name, options)? else {
            // Planning says so, with what was meant.
            return Ok(());
        };
        let hints = hints(options);
        let (opened, sample, at_end) = self.open_first(&places, &hints, host)?;
        let hints = Hints {
            from_pipe: !opened.source.is_file(),
            ..hints
        };
        let (table, definition, text) = guessed(
            &name.value,
            places,
            &sample,
            at_end,
            hints,
            options,
            opened.source.name(),
        )?;
        if let Some(text) = text {
            host.note(Note::Guess(text));
        }
        catalog.add_table(table);
        self.definitions.insert(name.value.clone(), definition);
        self.opened.insert(name.value.clone(), opened);
        Ok(())
    }

    /// The files that a name in FROM means: FILE arguments, `--table`, a quoted path.
    fn places_of(&self, name: &ast::Ident, options: &Options) -> Result<Option<Vec<Place>>> {
        if name.quote_style == Some('\'') {
            return places(std::slice::from_ref(&name.value)).map(Some);
        }
        let tables = options.tables.iter();
        let mut named = tables.filter(|(table, _)| table.eq_ignore_ascii_case(&name.value));
        if let Some((_, path)) = named.next() {
            return places(std::slice::from_ref(path)).map(Some);
        }
        if !STDIN_NAMES
            .iter()
            .any(|stdin| stdin.eq_ignore_ascii_case(&name.value))
        {
            return Ok(None);
        }
        if options.files.is_empty() {
            return Ok(Some(vec![Place::Stdin]));
        }
        places(&options.files).map(Some)
    }

    /// Opens the first of the files and reads its sample.
    fn open_first(
        &mut self,
        places: &[Place],
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<(Opened, Vec<u8>, bool)> {
        let first = places
            .first()
            .ok_or_else(|| Error::internal("a table without files"))?;
        let source = self.source(first, host)?;
        let mut opened = Opened {
            source,
            bytes: Vec::new(),
            at_end: false,
        };
        let sample = self.sample(&mut opened, hints, host)?;
        let at_end = opened.at_end && sample.len() == opened.bytes.len();
        Ok((opened, sample, at_end))
    }

    /// Reads the sample of an input: of a file its first 64 KiB, of a pipe its first record.
    fn sample(&self, opened: &mut Opened, hints: &Hints, host: &mut dyn Host) -> Result<Vec<u8>> {
        let is_file = opened.source.is_file();
        let most = SAMPLE_BYTES.max(hints.max_record_bytes.min(1 << 20));
        let mut waiter = Waiter::new(self.interrupts.as_deref());
        loop {
            let wanted = if is_file {
                let enough = opened.bytes.len() >= SAMPLE_BYTES || opened.at_end;
                enough.then(|| opened.bytes.len().min(SAMPLE_BYTES))
            } else {
                live_sample_bytes(&opened.bytes, opened.at_end, hints)
            };
            if let Some(length) = wanted {
                return Ok(opened.bytes[..length.min(opened.bytes.len())].to_vec());
            }
            if opened.bytes.len() >= most {
                return Ok(opened.bytes.clone());
            }
            let ready = waiter.wait(opened.source.as_ref(), &mut |idle| match idle {
                Idle::Flush => host.flush(),
                Idle::Waiting => {
                    host.note(Note::Waiting(String::from(
                        "waiting for input: nothing has come yet",
                    )));
                    Ok(())
                }
            })?;
            if let Ready::Stop(_) = ready {
                opened.at_end = true;
                return Ok(opened.bytes.clone());
            }
            let length = opened.bytes.len();
            opened.bytes.resize(length + SAMPLE_BYTES, 0);
            let read = match opened.source.read(&mut opened.bytes[length..]) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    opened.bytes.truncate(length);
                    continue;
                }
                Err(error) => {
                    return Err(Error::outside(
                        format!("cannot read {}", opened.source.name()),
                        Reason(&error),
                    ));
                }
            };
            opened.bytes.truncate(length + read);
            opened.at_end = read == 0;
        }
    }

    fn source(&mut self, place: &Place, host: &mut dyn Host) -> Result<Box<dyn ByteSource>> {
        match place {
            Place::Path(path) => Ok(Box::new(FileSource::open(path)?)),
            Place::Stdin => {
                if self.stdin_taken {
                    return Err(Error::plan(
                        "standard input has been read by an earlier table or statement",
                    )
                    .help("name it once, and use UNION ALL or WITH to read its rows twice"));
                }
                self.stdin_taken = true;
                host.stdin().ok_or_else(|| {
                    Error::usage("the query reads `stdin`, and standard input is a terminal").help(
                        "pipe records into it, name a FILE behind the query, or quote a path in FROM",
                    )
                })
            }
        }
    }

    /// What the plan of a source is read from.
    ///
    /// # Errors
    /// A file that cannot be opened; a column that its records cannot have.
    pub(super) fn input(
        &mut self,
        plan: &SourcePlan,
        options: &Options,
        keep_texts: bool,
        host: &mut dyn Host,
    ) -> Result<Input> {
        let name = &plan.table.name;
        let definition = self
            .definitions
            .get(name)
            .cloned()
            .ok_or_else(|| Error::internal(format!("no files for `{name}`")))?;
        let mut files = Vec::with_capacity(definition.places.len());
        for (number, place) in definition.places.iter().enumerate() {
            let waiting = if number == 0 {
                self.opened.remove(name)
            } else {
                None
            };
            files.push(match (waiting, place) {
                (Some(opened), _) => InputFile::Opened(opened),
                (None, Place::Path(path)) => InputFile::Path(path.clone()),
                (None, Place::Stdin) => InputFile::Opened(Opened {
                    source: self.source(place, host)?,
                    bytes: Vec::new(),
                    at_end: false,
                }),
            });
        }
        let time = plan
            .watermark
            .as_ref()
            .map(|watermark| watermark.time_column);
        let mut columns = Vec::with_capacity(plan.read.len());
        for (place, &column) in plan.read.iter().enumerate() {
            let described = &plan.table.columns[column];
            let mut read = definition.read_column(described);
            read.is_time_attribute = time == Some(place);
            columns.push(read);
        }
        let mut checked = Vec::new();
        if options.strict {
            for (number, described) in plan.table.columns.iter().enumerate() {
                let is_field = matches!(described.source, ColumnSource::Field(_));
                if is_field && !plan.read.contains(&number) {
                    checked.push(definition.read_column(described));
                }
            }
        }
        let merge_by = match &plan.table.time {
            Some(time) if plan.table.merged => {
                plan.read.iter().position(|read| *read == time.column)
            }
            _ => None,
        };
        let format = definition
            .format
            .ok_or_else(|| Error::internal(format!("no format for `{name}`")))?;
        Ok(Input {
            files,
            format,
            decode: DecodeSpec {
                columns,
                checked,
                zone: options.zone,
            },
            merge_by,
            keep_texts,
        })
    }

    /// Forgets a table that was dropped.
    pub(super) fn forget(&mut self, name: &str) {
        self.definitions.remove(name);
        self.opened.remove(name);
    }

    /// The guess of the FILE arguments or standard input, as `CREATE TABLE`.
    ///
    /// # Errors
    /// As [`Sources::open`].
    pub(super) fn describe_input(
        &mut self,
        options: &Options,
        host: &mut dyn Host,
    ) -> Result<String> {
        let places = match options.files.as_slice() {
            [] => vec![Place::Stdin],
            files => places(files)?,
        };
        let hints = hints(options);
        let (opened, sample, at_end) = self.open_first(&places, &hints, host)?;
        let hints = Hints {
            from_pipe: !opened.source.is_file(),
            ..hints
        };
        let guess = guess(&sample, at_end, &hints)
            .map_err(|error| error.note(format!("in {}", opened.source.name())))?;
        let path = match &places[0] {
            Place::Stdin => String::from("-"),
            Place::Path(_) if !options.files.is_empty() => options.files[0].clone(),
            Place::Path(path) => path.clone(),
        };
        Ok(format!(
            "{};\n",
            create_table_text(&guess, "input", &path).trim_end_matches([';', '\n'])
        ))
    }

    /// `CREATE TABLE`.
    ///
    /// # Errors
    /// The name is taken, a type or option does not exist, the watermark's column is no time.
    pub(super) fn create(
        &mut self,
        create: CreateTable,
        catalog: &mut Catalog,
        options: &Options,
        registry: &Registry,
        settings: &PlanSettings,
        host: &mut dyn Host,
    ) -> Result<()> {
        let name = create.name.value.clone();
        if (catalog.table(&name).is_some() || catalog.view(&name).is_some()) && !create.or_replace {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(Error::plan(format!("`{name}` exists already"))
                .at_least(crate::sql::span_of(create.name.span))
                .help("write CREATE OR REPLACE TABLE, or choose another name"));
        }
        let with = TableOptions::read(&create, options)?;
        self.forget(&name);
        if create.columns.is_empty() {
            return self.create_guessed(&name, with, &create, catalog, options, host);
        }
        let mut table = Table {
            name: name.clone(),
            columns: Vec::new(),
            time: None,
            time_candidates: Vec::new(),
            open_ended: false,
            merged: with.places.len() > 1 && !options.in_order,
        };
        let mut columns = BTreeMap::new();
        let mut order = Vec::new();
        for column in &create.columns {
            let column_name = column.name.value.clone();
            if table.column(&column_name).is_some() {
                return Err(
                    Error::plan(format!("column `{column_name}` is there twice"))
                        .at_least(crate::sql::span_of(column.name.span)),
                );
            }
            let (data_type, source) = match &column.kind {
                ColumnKind::Physical(sql_type) => {
                    let data_type = data_type(sql_type, options.zone)?;
                    let field = Arc::new(Field::new(&column_name, data_type.clone(), true));
                    let mut read = ReadColumn::new(&column_name, field);
                    read.time = with.time_format.clone();
                    columns.insert(column_name.clone(), read);
                    order.push(column_name.clone());
                    (data_type, ColumnSource::Field(column_name.clone()))
                }
                ColumnKind::Computed(expr) => {
                    let before = table.columns.len();
                    let (_, data_type) = computed::bind(&table, before, expr, registry, settings)?;
                    (data_type, ColumnSource::Computed(Box::new(expr.clone())))
                }
            };
            table.columns.push(TableColumn {
                name: column_name,
                data_type,
                source,
            });
        }
        table.time = declared_time(&create, &table)?;
        if table.time.is_none() {
            table.time = only_time(&table, options);
        }
        catalog.add_table(table);
        self.definitions.insert(
            name,
            Definition {
                places: with.places,
                format: None,
                hints: with.hints,
                columns,
                declared: Some(order),
            },
        );
        Ok(())
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
        let (opened, sample, at_end) = self.open_first(&with.places, &with.hints, host)?;
        let hints = Hints {
            from_pipe: !opened.source.is_file(),
            ..with.hints
        };
        let source = opened.source.name().to_string();
        let (mut table, definition, text) =
            guessed(name, with.places, &sample, at_end, hints, options, &source)?;
        if let Some(watermark) = declared_time(create, &table)? {
            table.time = Some(watermark);
        }
        if let Some(text) = text {
            host.note(Note::Guess(text));
        }
        catalog.add_table(table);
        self.definitions.insert(name.to_string(), definition);
        self.opened.insert(name.to_string(), opened);
        Ok(())
    }

    /// Finds out how the records of a declared table are written, when it is first read.
    fn look_at_declared(&mut self, name: &str, host: &mut dyn Host) -> Result<()> {
        let Some(definition) = self.definitions.get(name).cloned() else {
            return Ok(());
        };
        if definition.format.is_some() || definition.declared.is_none() {
            return Ok(());
        }
        let first = definition.places.first().cloned();
        let first = first.ok_or_else(|| Error::internal("a table without files"))?;
        let mut opened = Opened {
            source: self.source(&first, host)?,
            bytes: Vec::new(),
            at_end: false,
        };
        let sample = self.sample(&mut opened, &definition.hints, host)?;
        let format = declared_format(&definition, &sample, opened.at_end, opened.source.name())?;
        if let Some(definition) = self.definitions.get_mut(name) {
            bind_header(definition, &format);
            definition.format = Some(format);
        }
        self.opened.insert(name.to_string(), opened);
        Ok(())
    }
}

impl Definition {
    /// How a column of the table is read from the records.
    fn read_column(&self, column: &TableColumn) -> ReadColumn {
        if let Some(read) = self.columns.get(&column.name) {
            return read.clone();
        }
        // A column that the sample lacked: a key, or a path into nested objects.
        let field = Arc::new(Field::new(&column.name, column.data_type.clone(), true));
        let mut read = ReadColumn::new(&column.name, field);
        read.exact_integers = column.data_type == DataType::Float64;
        if let Some((first, rest)) = column.name.split_once('.') {
            read.source = first.to_string();
            read.path = rest.split('.').map(String::from).collect();
        }
        read
    }
}

/// The options of `WITH (…)`.
struct TableOptions {
    places: Vec<Place>,
    hints: Hints,
    time_format: Option<TimeFormat>,
}

const KEYS: [&str; 14] = [
    "path",
    "format",
    "delimiter",
    "header",
    "nulls",
    "encoding",
    "ts",
    "ts_format",
    "ts_unit",
    "max_record",
    "connector",
    "csv.field-delimiter",
    "csv.null-literal",
    "csv.header",
];

impl TableOptions {
    fn read(create: &CreateTable, options: &Options) -> Result<Self> {
        let mut hints = hints(options);
        let mut paths: Vec<String> = Vec::new();
        let mut time_format = None;
        for option in &create.options {
            let value = option.value.as_str();
            let read = match option.key.replace('-', "_").as_str() {
                "path" => {
                    paths.push(value.strip_prefix("file://").unwrap_or(value).to_string());
                    Ok(())
                }
                "format" => {
                    parse_format_name(value).map(|name| hints.format = Some(name.to_string()))
                }
                "delimiter" | "csv.field_delimiter" => {
                    delimiter(value).map(|byte| hints.delimiter = Some(byte))
                }
                "header" | "csv.header" => header(value).map(|header| hints.header = header),
                "nulls" | "csv.null_literal" => {
                    hints.nulls = Nulls::Words(value.split(',').map(String::from).collect());
                    Ok(())
                }
                "encoding" => {
                    let mut read = Options::default();
                    read.set("encoding", value)
                        .map(|()| hints.encoding = read.encoding)
                }
                "ts" => {
                    hints.ts = Some(value.to_string());
                    Ok(())
                }
                "ts_format" => {
                    hints.ts_format = Some(value.to_string());
                    time_format = Some(TimeFormat::Strftime(value.to_string()));
                    Ok(())
                }
                "ts_unit" => EpochUnit::parse(value).map(|unit| {
                    hints.ts_unit = Some(unit);
                    time_format = Some(TimeFormat::Epoch(unit));
                }),
                "max_record" => super::options::size("max_record", value)
                    .map(|bytes| hints.max_record_bytes = bytes),
                "connector" if value.eq_ignore_ascii_case("filesystem") => Ok(()),
                "connector" => Err(
                    Error::unsupported(format!("connector `{value}` is not built"))
                        .help("what works now: 'filesystem', with a path"),
                ),
                other => {
                    let error = Error::plan(format!("there is no option `{other}`"))
                        .note(format!("options: {}", KEYS.join(", ")));
                    Err(match names_closest(other, KEYS.iter().copied()) {
                        Some(near) => error.label(format!("did you mean `{near}`?")),
                        None => error,
                    })
                }
            };
            read.map_err(|error| error.at_least(Some(option.span)))?;
        }
        // What holds for the whole session holds where the table does not say otherwise.
        let places = match paths.as_slice() {
            [] if options.files.is_empty() => vec![Place::Stdin],
            [] => places(&options.files)?,
            paths => places(paths)?,
        };
        if time_format.is_none() {
            time_format = match (&options.ts_format, options.ts_unit) {
                (Some(format), _) => Some(TimeFormat::Strftime(format.clone())),
                (None, Some(unit)) => Some(TimeFormat::Epoch(unit)),
                (None, None) => None,
            };
        }
        Ok(TableOptions {
            places,
            hints,
            time_format,
        })
    }
}

fn header(value: &str) -> Result<Header> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(Header::Auto),
        "yes" | "true" | "on" | "1" => Ok(Header::Yes),
        "no" | "false" | "off" | "0" => Ok(Header::No),
        _ => {
            Err(Error::plan(format!("`{value}` is no value of header"))
                .help("values: auto, yes, no"))
        }
    }
}

fn places(paths: &[String]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for path in paths {
        if matches!(path.as_str(), "-" | "/dev/stdin" | "/dev/fd/0") {
            places.push(Place::Stdin);
            continue;
        }
        places.extend(expand(path)?.into_iter().map(Place::Path));
    }
    Ok(places)
}

fn hints(options: &Options) -> Hints {
    Hints {
        format: options.input_format.clone(),
        delimiter: options.delimiter,
        header: match options.input_header {
            InputHeader::Auto => Header::Auto,
            InputHeader::Yes => Header::Yes,
            InputHeader::No => Header::No,
        },
        nulls: options.nulls.clone().map_or(Nulls::Default, Nulls::Words),
        encoding: options.encoding,
        max_record_bytes: options.max_record_bytes,
        types: options.types.clone(),
        from_pipe: false,
        ts: options.ts.clone(),
        ts_format: options.ts_format.clone(),
        ts_unit: options.ts_unit,
        zone: options.zone,
    }
}

/// A table, its definition, and the guess as text for the user (of a known input).
fn guessed(
    name: &str,
    places: Vec<Place>,
    sample: &[u8],
    at_end: bool,
    hints: Hints,
    options: &Options,
    source: &str,
) -> Result<(Table, Definition, Option<String>)> {
    let merged = places.len() > 1 && !options.in_order;
    let empty = sample.trim_ascii().is_empty() && at_end;
    if empty {
        // No bytes, no columns: whatever the query names is NULL in no row at all.
        let table = Table {
            name: name.to_string(),
            columns: Vec::new(),
            time: None,
            time_candidates: Vec::new(),
            open_ended: true,
            merged,
        };
        let definition = Definition {
            places,
            format: Some(Format::Ndjson(NdjsonOptions::default())),
            hints,
            columns: BTreeMap::new(),
            declared: None,
        };
        return Ok((table, definition, None));
    }
    let guess =
        guess(sample, at_end, &hints).map_err(|error| error.note(format!("in {source}")))?;
    let text = create_table_text(&guess, name, &path_of(&places));
    let table = Table {
        name: name.to_string(),
        columns: guess.columns.iter().map(table_column).collect(),
        time: guess.time_column.map(|column| TableTime {
            column,
            declared_delay: None,
        }),
        time_candidates: guess.time_candidates.clone(),
        open_ended: !guess.format.has_fixed_columns() && hints.from_pipe,
        merged,
    };
    let definition = Definition {
        places,
        columns: read_columns(&guess),
        format: Some(guess.format),
        hints,
        declared: None,
    };
    Ok((table, definition, Some(text)))
}

fn path_of(places: &[Place]) -> String {
    match places.first() {
        Some(Place::Path(path)) => path.clone(),
        Some(Place::Stdin) | None => String::from("-"),
    }
}

fn table_column(column: &crate::catalog::GuessedColumn) -> TableColumn {
    TableColumn {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        source: ColumnSource::Field(column.source.clone()),
    }
}

fn read_columns(guess: &Guess) -> BTreeMap<String, ReadColumn> {
    let columns = guess.columns.iter();
    columns
        .map(|column| (column.name.clone(), column.read_column()))
        .collect()
}

/// The time of `WATERMARK FOR`.
fn declared_time(create: &CreateTable, table: &Table) -> Result<Option<TableTime>> {
    let Some(watermark) = &create.watermark else {
        return Ok(None);
    };
    let wanted = &watermark.column.value;
    let span = crate::sql::span_of(watermark.column.span);
    let found = table.column(wanted).or_else(|| {
        table
            .columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(wanted))
    });
    let Some(column) = found else {
        let names = table.columns.iter().map(|column| column.name.as_str());
        let error = Error::plan(format!("WATERMARK FOR `{wanted}`: there is no such column"))
            .at_least(span);
        return Err(match names_closest(wanted, names) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        });
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

/// The time of a declared table without a watermark: `--ts`, else the only TIMESTAMP.
fn only_time(table: &Table, options: &Options) -> Option<TableTime> {
    let mut times = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| matches!(column.data_type, DataType::Timestamp(..)));
    let column = match &options.ts {
        Some(name) => {
            times
                .find(|(_, column)| column.name.eq_ignore_ascii_case(name))?
                .0
        }
        None => match (times.next(), times.next()) {
            (Some((column, _)), None) => column,
            _ => return None,
        },
    };
    Some(TableTime {
        column,
        declared_delay: None,
    })
}

/// How the records of a declared table are written: as it says, as its path ends, as its bytes look.
fn declared_format(
    definition: &Definition,
    sample: &[u8],
    at_end: bool,
    source: &str,
) -> Result<Format> {
    let hints = &definition.hints;
    let by_ending = || {
        let ending = source.rsplit_once('.')?.1;
        parse_format_name(ending).ok().map(String::from)
    };
    let name = match hints.format.clone().or_else(by_ending) {
        Some(name) => name,
        None if sample.trim_ascii().is_empty() => String::from("ndjson"),
        None => guess(sample, at_end, hints)
            .map_err(|error| error.note(format!("in {source}")))?
            .format
            .name()
            .to_string(),
    };
    let declared: Vec<String> = definition.columns.keys().cloned().collect();
    if name == "ndjson" {
        return Ok(Format::Ndjson(NdjsonOptions {
            encoding: hints.encoding,
            max_record_bytes: hints.max_record_bytes,
        }));
    }
    let delimiter = match (hints.delimiter, name.as_str()) {
        (Some(delimiter), _) => delimiter,
        (None, "tsv") => b'\t',
        (None, _) => guessed_delimiter(sample, at_end, hints),
    };
    let header = csv_header(sample, delimiter, true)
        .map(|(names, _)| names)
        .unwrap_or_default();
    let is_declared = |name: &String| {
        declared
            .iter()
            .any(|column| column.eq_ignore_ascii_case(name))
    };
    let has_header = match hints.header {
        Header::Yes => true,
        Header::No => false,
        // Names among names are a header; a record has a value where the name would be.
        Header::Auto => header.iter().any(is_declared),
    };
    let header_fields = if has_header {
        header
    } else {
        definition.declared.clone().unwrap_or_default()
    };
    Ok(Format::Csv(CsvOptions {
        header: has_header,
        nulls: hints.nulls.clone(),
        encoding: hints.encoding,
        max_record_bytes: hints.max_record_bytes,
        ..CsvOptions::new(delimiter, header_fields)
    }))
}

fn guessed_delimiter(sample: &[u8], at_end: bool, hints: &Hints) -> u8 {
    match guess(sample, at_end, hints) {
        Ok(Guess {
            format: Format::Csv(options),
            ..
        }) => options.delimiter,
        _ => b',',
    }
}

/// Spells the columns of a declared table as the header does.
fn bind_header(definition: &mut Definition, format: &Format) {
    let Format::Csv(options) = format else {
        return;
    };
    for (name, column) in &mut definition.columns {
        let exact = options.header_fields.contains(name);
        let mut alike = options
            .header_fields
            .iter()
            .filter(|field| field.eq_ignore_ascii_case(name));
        if !exact && let (Some(field), None) = (alike.next(), alike.next()) {
            column.source = field.clone();
        }
    }
}
