//! What tables are read from: files, globs and standard input, opened when a statement names them.
//!
//! ```text
//!   name in FROM ─► definition: files + format + how each column is read ─► runtime::Input
//!                       └ from CREATE TABLE (declared.rs), or from the first bytes (guessed.rs)
//! ```
//!
//! Invariants: standard input is read by one statement; what was read for a guess is not lost; a guess
//! depends on bytes alone (of a file its first 64 KiB, of a pipe its first record).

mod declared;
mod definition;
mod guessed;
mod table_options;

use std::collections::BTreeMap;
use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlparser::ast;

use super::Host;
use super::host::Note;
use super::options::Options;
use super::sinks::{Sinks, is_one_file};
use crate::catalog::{
    Catalog, ColumnSource, Hints, SAMPLE_BYTES, create_table_text, guess, live_sample_bytes,
};
use crate::connect::{ByteSource, Compression, cannot_read, decompressed, is_same_file, open_file};
use crate::error::{Error, ErrorKind, Result};
use crate::format::DecodeSpec;
use crate::plan::SourcePlan;
use crate::runtime::interrupt::Interrupts;
use crate::runtime::{Idle, Input, InputFile, MetadataPlan, Opened, Ready, Waiter};
use crate::sql::CreateTable;

use definition::{Definition, Place, Sample, places};
use guessed::guessed;
use table_options::hints;

/// The definitions of tables, by their names in the catalog.
#[derive(Default)]
pub(in crate::session) struct Sources {
    definitions: BTreeMap<String, Definition>,
    /// Inputs that were opened for a guess and not yet read.
    opened: BTreeMap<String, Opened>,
    stdin_taken: bool,
    interrupts: Option<Arc<Interrupts>>,
    /// The tables of `CREATE TABLE`, as INSERT INTO writes them.
    sinks: Sinks,
    /// Tables without columns over a file that does not exist yet: they are looked at when they are read.
    unwritten: BTreeMap<String, CreateTable>,
}

const STDIN_NAMES: [&str; 2] = ["stdin", "input"];

impl Sources {
    /// Listens to signals while it waits for a sample.
    pub(in crate::session) fn listen(&mut self, interrupts: Arc<Interrupts>) {
        self.interrupts = Some(interrupts);
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
        only_line: bool,
        host: &mut dyn Host,
    ) -> Result<()> {
        if let Some(create) = self.unwritten.get(&name.value).cloned() {
            self.create_unwritten(&create, catalog, options, host)?;
        }
        if let Some(table) = catalog.table(&name.value) {
            let name = table.name.clone();
            return self.look_at_declared(&name, host);
        }
        let Some(places) = self.places_of(name, options)? else {
            // Planning says so, with what was meant.
            return Ok(());
        };
        let hints = Hints {
            only_line,
            ..hints(options)
        };
        let (opened, sample) = self.open_first(&places, options.compression, &hints, host)?;
        let hints = Hints {
            from_pipe: !opened.source.is_file(),
            only_line: only_line && !opened.source.is_file(),
            ..hints
        };
        let (table, definition, text) = guessed(
            &name.value,
            places,
            options.compression,
            &sample,
            hints,
            options,
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
        compression: Compression,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<(Opened, Sample)> {
        let first = places
            .first()
            .ok_or_else(|| Error::internal("a table without files"))?;
        let source = self.source(first, compression, host)?;
        let mut opened = Opened {
            source,
            bytes: Vec::new(),
            at_end: false,
        };
        let bytes = self.sample(&mut opened, hints, host)?;
        let sample = Sample {
            at_end: opened.at_end && bytes.len() == opened.bytes.len(),
            bytes,
            source: opened.source.name().to_owned(),
        };
        Ok((opened, sample))
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
            if let Ready::Stop(signal) = ready {
                // Whatever a part of a sample looks like, nobody waits for the answer any more.
                return Err(Error::new(
                    ErrorKind::Stopped,
                    format!("stopped by {signal}"),
                ));
            }
            let length = opened.bytes.len();
            opened.bytes.resize(length + SAMPLE_BYTES, 0);
            let read = match opened.source.read(&mut opened.bytes[length..]) {
                Ok(read) => read,
                Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => {
                    opened.bytes.truncate(length);
                    continue;
                }
                Err(_) if length > 0 => {
                    // Whoever reads on gets the error behind the whole records.
                    opened.bytes.truncate(length);
                    return Ok(opened.bytes[..length.min(SAMPLE_BYTES)].to_vec());
                }
                Err(error) => return Err(cannot_read(opened.source.name(), &error)),
            };
            opened.bytes.truncate(length + read);
            opened.at_end = read == 0;
        }
    }

    fn source(
        &mut self,
        place: &Place,
        compression: Compression,
        host: &mut dyn Host,
    ) -> Result<Box<dyn ByteSource>> {
        match place {
            Place::Path(path) => open_file(path, compression),
            Place::Stdin => {
                if self.stdin_taken {
                    return Err(Error::plan(
                        "standard input has been read by an earlier table or statement",
                    )
                    .help("name it once, and use UNION ALL or WITH to read its rows twice"));
                }
                self.stdin_taken = true;
                let stdin = host.stdin().ok_or_else(|| {
                    Error::usage("the query reads `stdin`, and standard input is a terminal").help(
                        "pipe records into it, name a FILE behind the query, or quote a path in FROM",
                    )
                })?;
                Ok(decompressed(stdin, compression))
            }
        }
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
                    source: self.source(place, definition.compression, host)?,
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
        let encoding = definition.hints.encoding;
        let metadata = MetadataPlan::new(&plan.metadata, options.zone, encoding);
        let format = definition
            .format
            .ok_or_else(|| Error::internal(format!("no format for `{name}`")))?;
        Ok(Input {
            files,
            compression: definition.compression,
            format,
            decode: DecodeSpec {
                columns,
                checked,
                zone: options.zone,
            },
            merge_by,
            block_bytes: options.block_bytes,
            keep_texts,
            now_seconds: options.now_seconds,
            metadata: Arc::new(metadata),
        })
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
        let places = match (self.unwritten.get(&name.value), catalog.table(&name.value)) {
            (Some(create), _) => {
                let paths = create.options.iter().filter(|option| option.key == "path");
                return paths.map(|option| option.value.clone()).collect();
            }
            (None, Some(table)) => {
                let definition = self.definitions.get(&table.name);
                definition.map(|definition| definition.places.clone())
            }
            // What is wrong with a path is said when it is opened.
            (None, None) => self.places_of(name, options).ok().flatten(),
        };
        let path = |place| match place {
            Place::Path(path) => Some(path),
            Place::Stdin => None,
        };
        places.into_iter().flatten().filter_map(path).collect()
    }

    /// Refuses a source that a statement beside it writes.
    ///
    /// # Errors
    /// It is one.
    pub(in crate::session) fn refuse_sink(&self, plan: &SourcePlan, sink: &Path) -> Result<()> {
        let definition = self.definitions.get(&plan.table.name);
        let places = definition.iter().flat_map(|definition| &definition.places);
        for place in places {
            if let Place::Path(path) = place
                && is_one_file(Path::new(path), sink)
            {
                let error = Error::plan(format!(
                    "`{path}` is read by one statement and written by another beside it"
                ));
                return Err(error.help("INSERTs one behind the other run together: part them with another statement, or run tumble twice"));
            }
        }
        Ok(())
    }

    /// A file has been written: what was known of its bytes is not true any more.
    pub(in crate::session) fn written(&mut self, sink: &Path, catalog: &mut Catalog) {
        let is_sink = |place: &Place| match place {
            Place::Path(path) => is_one_file(Path::new(path), sink),
            Place::Stdin => false,
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
                    catalog.remove(&name);
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
        let places = match options.files.as_slice() {
            [] => vec![Place::Stdin],
            files => places(files)?,
        };
        let hints = hints(options);
        let (opened, sample) = self.open_first(&places, options.compression, &hints, host)?;
        let hints = Hints {
            from_pipe: !opened.source.is_file(),
            ..hints
        };
        let guess = guess(&sample.bytes, sample.at_end, &hints)
            .map_err(|error| error.note(format!("in {}", sample.source)))?;
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
}

/// A file that is written must be no input, and each only once: it would be lost.
fn refuse_overwriting(places: &[Place], options: &Options) -> Result<()> {
    let outputs: Vec<(&str, &PathBuf)> = options.written_files().collect();
    for (number, (flag, output)) in outputs.iter().enumerate() {
        for place in places {
            if let Place::Path(path) = place
                && is_same_file(Path::new(path), output)
            {
                return Err(
                    Error::usage(format!("{flag}: `{path}` is read by this query"))
                        .help("write to another file, and move it when the query is done"),
                );
            }
        }
        if let Some((other, _)) = outputs[..number].iter().find(|(_, known)| known == output) {
            let shown = output.display();
            return Err(Error::usage(format!(
                "{flag} and {other} name one file, `{shown}`"
            )));
        }
    }
    Ok(())
}
