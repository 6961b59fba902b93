//! What tables are read from: files, globs, sockets and standard input, opened when a statement names them.
//!
//! ```text
//!   name in FROM ─► definition: files + format + how each column is read ─► runtime::Input
//!                       └ from CREATE TABLE (declared.rs), or from the first bytes (guessed.rs)
//! ```
//!
//! Invariant: a guess depends on bytes alone (of a file its first 64 KiB, of a pipe its first record, of a
//! listening socket the first record that any connection sends whole).

mod columnar;
mod declared;
mod declared_format;
mod definition;
mod guessed;
mod opening;
mod since;
mod table_options;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use sqlparser::ast;

use super::Host;
use super::options::Options;
use super::sinks::Sinks;
use crate::catalog::{
    Catalog, ColumnSource, Hints, TIME_NAMES, Table, TableColumn, TableTime, create_table_text,
    guess, place_of_name,
};
use crate::connect::{SocketOptions, is_one_file, is_same_file};
use crate::data::Metadata;
use crate::error::{Error, Result};
use crate::format::{ColumnarDecoder, DecodeSpec, Format};
use crate::plan::{Asked, SourcePlan};
use crate::runtime::interrupt::Interrupts;
use crate::runtime::{Input, Live, MetadataPlan, SourceGate};
use crate::sql::CreateTable;

use definition::{Access, Definition, Followed, Place, places};
use guessed::{few, guessed};
use opening::FirstOpened;
use since::since;
use table_options::{TableOptions, hints};
pub(in crate::session) use table_options::{apply_to_socket, hidden_files};

/// The definitions of tables, by their names in the catalog.
#[derive(Default)]
pub(in crate::session) struct Sources {
    definitions: BTreeMap<String, Definition>,
    /// Inputs that were opened for a guess and not yet read.
    opened: BTreeMap<String, FirstOpened>,
    /// Sockets that were opened before their turn, by address.
    ahead: BTreeMap<String, Live>,
    stdin_taken: bool,
    /// The tables that no statement made: paths, FILE arguments and their like.
    implied: BTreeSet<String>,
    /// What was guessed of tables, as `CREATE TABLE`.
    guesses: BTreeMap<String, String>,
    interrupts: Option<Arc<Interrupts>>,
    /// The tables of `CREATE TABLE`, as INSERT INTO writes them.
    sinks: Sinks,
    /// Tables without columns over a file that does not exist yet: they are looked at when they are read.
    unwritten: BTreeMap<String, CreateTable>,
    /// The files that the INSERTs write which are planned or run.
    inserted: Vec<PathBuf>,
}

/// What the FILE arguments are called, or standard input without them.
const STDIN_NAMES: [&str; 2] = ["stdin", "input"];

impl Sources {
    /// Listens to signals while it waits for a sample.
    pub(in crate::session) fn listen(&mut self, interrupts: Arc<Interrupts>) {
        self.interrupts = Some(interrupts);
    }

    /// What is opened next is read beside INSERTs that write these files.
    pub(in crate::session) fn beside(&mut self, inserted: Vec<PathBuf>) {
        self.inserted = inserted;
    }

    /// Makes sure that the catalog knows the table `name`.
    ///
    /// # Errors
    /// It does not exist, cannot be opened, or its records look like nothing that is known.
    pub(in crate::session) fn open(
        &mut self,
        name: &ast::Ident,
        catalog: &mut Catalog,
        options: &Options,
        asked: &Asked,
        host: &mut dyn Host,
    ) -> Result<()> {
        if let Some(create) = self.unwritten.get(&name.value).cloned() {
            self.create_unwritten(&create, asked, catalog, options, host)?;
        }
        if let Some(table) = catalog.table_of(name) {
            let name = table.name.clone();
            return self.look_at_declared(&name, host);
        }
        let Some(paths) = paths_of(name, options) else {
            // Planning says so, with what was meant.
            return Ok(());
        };
        let hints = Hints {
            only_line: asked.only_line,
            names: asked.names.clone(),
            ..hints(options)
        };
        let (places, access) = places_of(&paths, options)?;
        if access.follow.is_some() {
            // It would be waited for.
            refuse_overwriting(&places, options)?;
        }
        let looked = self.open_and_look(&places, &access, hints, host)?;
        let mut known = looked.table(&name.value, places, access, options);
        let definition = &known.definition;
        known.table.since = since(&known.table, &definition.access, &definition.hints)?;
        self.admit(known, catalog, host);
        self.implied.insert(name.value.clone());
        Ok(())
    }

    /// True if a table or view of that name is there, or a table still to come.
    pub(in crate::session) fn is_taken(&self, name: &str, catalog: &Catalog) -> bool {
        catalog.table(name).is_some()
            || catalog.view(name).is_some()
            || self.unwritten.contains_key(name)
    }

    /// True unless it is plain before any file is looked for that the table ends: it is no socket, and nothing follows.
    pub(in crate::session) fn may_be_endless(
        &self,
        name: &ast::Ident,
        catalog: &Catalog,
        options: &Options,
    ) -> bool {
        match (self.unwritten.get(&name.value), catalog.table_of(name)) {
            (None, Some(table)) => table.endless,
            (Some(_), _) => true,
            (None, None) => paths_of(name, options).is_some_and(|paths| {
                options.follow || paths.iter().any(|path| path.contains("://"))
            }),
        }
    }

    /// What can be said of the table `name` before a byte of it is read: whether it is endless. Its columns are those
    /// that are asked for. `None` if there is no such table, or if its place cannot be read, which is said when it is
    /// opened.
    pub(in crate::session) fn unseen(
        &self,
        name: &ast::Ident,
        asked: &Asked,
        options: &Options,
    ) -> Option<Table> {
        let (places, access) = match self.unwritten.get(&name.value) {
            Some(create) => {
                let with = TableOptions::read(create, options).ok()?;
                (with.places, with.access)
            }
            None => places_of(&paths_of(name, options)?, options).ok()?,
        };
        let (mut table, ..) = guessed(&name.value, places, access, None, hints(options), options);
        let is_made = |name: &str| name.starts_with("window_") || Metadata::of_name(name).is_some();
        let is_time = |name: &str| {
            let mut times = TIME_NAMES.into_iter().chain(options.ts.as_deref());
            times.any(|time| time.eq_ignore_ascii_case(name))
        };
        let names = asked.names.iter().map(String::as_str);
        // Some column is the time, and `*` stands for one at least.
        for name in names.filter(|name| !is_made(name)).chain(["ts"]) {
            if table.column(name).is_none() {
                table.columns.push(TableColumn {
                    name: name.to_owned(),
                    data_type: match is_time(name) {
                        true => DataType::Timestamp(TimeUnit::Microsecond, None),
                        false => DataType::Utf8View,
                    },
                    source: ColumnSource::Field(name.to_owned()),
                    unshown: true,
                });
            }
        }
        let time = (table.columns.iter()).position(|column| is_time(&column.name));
        table.time = time.map(|column| TableTime {
            column,
            declared_delay: None,
        });
        Some(table)
    }

    /// Forgets what was guessed of paths in FROM: the files may be others by now. What was read of a pipe and not
    /// yet used stays.
    pub(in crate::session) fn look_again(&mut self, catalog: &mut Catalog) {
        for name in std::mem::take(&mut self.implied) {
            if self.opened.get(&name).is_some_and(FirstOpened::is_piped) {
                self.implied.insert(name);
                continue;
            }
            self.forget(&name);
            catalog.forget(&name);
        }
    }

    /// True for a table that no statement made.
    pub(in crate::session) fn is_implied(&self, name: &str) -> bool {
        self.implied.contains(name)
    }

    /// The tables without columns over files that do not exist yet.
    pub(in crate::session) fn unwritten_names(&self) -> impl Iterator<Item = &str> {
        self.unwritten.keys().map(String::as_str)
    }

    /// What was guessed of a table, as `CREATE TABLE`.
    pub(in crate::session) fn guess_of(&self, name: &str) -> Option<&String> {
        self.guesses.get(name)
    }

    /// What the plan of a source is read from.
    ///
    /// # Errors
    /// A file that cannot be opened; a column that its records cannot have.
    pub(in crate::session) fn input(
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
        refuse_overwriting(&definition.places, options)?;
        let inputs = self.open_all(name, &definition, host)?;
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
            Some(time) if plan.table.merged => plan.decoded(time.column),
            _ => None,
        };
        let encoding = definition.hints.encoding;
        let metadata = MetadataPlan::new(&plan.metadata, options.zone, encoding);
        let format = definition
            .format
            .ok_or_else(|| Error::internal(format!("no format for `{name}`")))?;
        let described = plan.table.columns.iter().enumerate();
        let mut shown = described.filter(|(_, column)| !column.is_hidden());
        let is_all = plan.table.starred && shown.all(|(number, _)| plan.read.contains(&number));
        let decode = DecodeSpec {
            columns,
            checked,
            tells_keys: is_all && definition.declared.is_none(),
            zone: definition.hints.zone,
        };
        if let Format::Columnar(columns) = &format {
            // What the first file lacks is said before anything comes out.
            ColumnarDecoder::new(&columns.schema, &decode, false)?;
        }
        Ok(Input {
            inputs,
            compression: definition.access.compression,
            format,
            decode,
            merge_by,
            block_bytes: options.block_bytes,
            keep_texts,
            now_seconds: options.now_seconds,
            metadata: Arc::new(metadata),
        })
    }

    /// What a bad row of a table does.
    pub(in crate::session) fn gate(&self, table: &str) -> SourceGate {
        self.definitions
            .get(table)
            .map_or_else(SourceGate::default, |definition| definition.gate)
    }

    /// The tables that can be written.
    pub(in crate::session) fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// The files that a name in FROM means, as far as that is known without opening one.
    pub(in crate::session) fn files_of(
        &self,
        name: &ast::Ident,
        catalog: &Catalog,
        options: &Options,
    ) -> Vec<String> {
        let places = match (self.unwritten.get(&name.value), catalog.table_of(name)) {
            (Some(create), _) => {
                let paths = create.options.iter().filter(|option| option.key == "path");
                return paths.map(|option| option.value.clone()).collect();
            }
            (None, Some(table)) => {
                let definition = self.definitions.get(&table.name);
                definition.map(|definition| definition.places.clone())
            }
            // What is wrong with a path is said when it is opened.
            (None, None) => {
                paths_of(name, options).and_then(|paths| places(&paths, options.follow).ok())
            }
        };
        let places = places.iter().flatten();
        let files = places.filter_map(Place::file);
        files.map(String::from).collect()
    }

    /// Refuses a source that a statement beside it writes.
    ///
    /// # Errors
    /// It is one.
    pub(in crate::session) fn refuse_sink(&self, plan: &SourcePlan, sink: &Path) -> Result<()> {
        if !self.is_read(plan, |file| is_one_file(file, sink)) {
            return Ok(());
        }
        let error = Error::plan(format!(
            "`{}` is read by one statement and written by another beside it",
            sink.display()
        ));
        Err(error.help("INSERTs one behind the other run together: part them with another statement, or run tumble twice"))
    }

    /// Refuses a source that standard output goes to: it would never end.
    ///
    /// # Errors
    /// It is one.
    pub(in crate::session) fn refuse_stdout(&self, plan: &SourcePlan) -> Result<()> {
        if !self.is_read(plan, |file| is_same_file(file, Path::new("/dev/stdout"))) {
            return Ok(());
        }
        let name = &plan.table.name;
        let error = Error::usage(format!("standard output goes to what `{name}` reads"));
        Err(error.help("write to another file, and move it when the query is done"))
    }

    fn is_read(&self, plan: &SourcePlan, is: impl Fn(&Path) -> bool) -> bool {
        let definition = self.definitions.get(&plan.table.name);
        let places = definition.iter().flat_map(|definition| &definition.places);
        let mut files = places.filter_map(Place::file);
        files.any(|file| is(Path::new(file)))
    }

    /// A file has been written: what was known of its bytes is not true any more.
    pub(in crate::session) fn written(&mut self, sink: &Path, catalog: &mut Catalog) {
        let is_sink = |place: &Place| {
            let path = place.path();
            path.is_some_and(|path| is_one_file(Path::new(path), sink))
        };
        let known = self.definitions.iter();
        let known = known.filter(|(_, definition)| definition.places.iter().any(is_sink));
        let names: Vec<String> = known.map(|(name, _)| name.clone()).collect();
        for name in names {
            self.opened.remove(&name);
            let is_declared = self.sinks.has(&name);
            match self.definitions.get_mut(&name) {
                Some(definition) if definition.declared.is_some() => definition.format = None,
                Some(_) if !is_declared => {
                    self.definitions.remove(&name);
                    catalog.forget(&name);
                }
                _ => {}
            }
        }
    }

    /// Forgets a table without columns over a file that does not exist yet.
    pub(in crate::session) fn forget_unwritten(&mut self, name: &str) -> Option<String> {
        let (name, _) = self.unwritten.remove_entry(name)?;
        Some(name)
    }

    /// Forgets a table that was dropped.
    pub(in crate::session) fn forget(&mut self, name: &str) {
        self.implied.remove(name);
        self.guesses.remove(name);
        self.sinks.remove(name);
        self.unwritten.remove(name);
        self.definitions.remove(name);
        self.opened.remove(name);
    }

    /// The guess of the FILE arguments or standard input, as `CREATE TABLE`.
    ///
    /// # Errors
    /// As [`Sources::open`].
    pub(in crate::session) fn describe_input(
        &mut self,
        options: &Options,
        host: &mut dyn Host,
    ) -> Result<String> {
        let places = places(&options.files, false)?;
        let looked = self.open_and_look(&places, &access(options), hints(options), host)?;
        let guess = match looked.guess {
            Some(guess) => guess,
            None => {
                let sample = &looked.first.sample;
                guess(&sample.bytes, sample.at_end, &looked.hints)
                    .map_err(|error| error.note(format!("in {}", sample.source)))?
            }
        };
        let paths = match &places[0] {
            Place::Path(_) if !options.files.is_empty() => few(options.files.clone()),
            place => vec![place.text()],
        };
        Ok(format!(
            "{};\n",
            create_table_text(&guess, "input", &paths, options.delay())
                .trim_end_matches([';', '\n'])
        ))
    }
}

/// The paths that a name in FROM means: FILE arguments (none for standard input), `--table`, a quoted path.
fn paths_of(name: &ast::Ident, options: &Options) -> Option<Vec<String>> {
    if name.quote_style == Some('\'') {
        return Some(vec![name.value.clone()]);
    }
    let tables = options.tables.iter().map(|(table, _)| table.as_str());
    if let Some(place) = place_of_name(tables, &name.value) {
        return Some(vec![options.tables[place].1.clone()]);
    }
    let mut stdin = STDIN_NAMES.iter();
    let is_stdin = stdin.any(|stdin| stdin.eq_ignore_ascii_case(&name.value));
    is_stdin.then(|| options.files.clone())
}

/// Where the records at these paths are, and how their bytes are come by.
fn places_of(paths: &[String], options: &Options) -> Result<(Vec<Place>, Access)> {
    let access = Access {
        follow: Followed::of(paths, options)?,
        ..access(options)
    };
    let places = places(paths, access.follow.is_some())?;
    Ok((places, access))
}

/// How the bytes of a table are come by that no statement declared.
fn access(options: &Options) -> Access {
    Access {
        compression: options.compression,
        socket: SocketOptions::default(),
        follow: None,
    }
}

/// A file that is written must be no input, and each only once: it would be lost.
fn refuse_overwriting(places: &[Place], options: &Options) -> Result<()> {
    let outputs: Vec<(&str, &PathBuf)> = options.written_files().collect();
    for (number, (flag, output)) in outputs.iter().enumerate() {
        for place in places {
            if let Some(path) = place.file()
                && is_one_file(Path::new(path), output)
            {
                let output = output.display();
                return Err(
                    Error::usage(format!("{flag}: `{output}` is read by this query"))
                        .help("write to another file, and move it when the query is done"),
                );
            }
        }
        let is_output = |(_, known): &&(&str, &PathBuf)| is_one_file(known, output);
        if let Some((other, _)) = outputs[..number].iter().find(is_output) {
            let shown = output.display();
            return Err(
                Error::usage(format!("{flag} and {other} name one file, `{shown}`"))
                    .help("give each a file of its own"),
            );
        }
    }
    Ok(())
}
