//! What `INSERT INTO` writes: a table of `CREATE TABLE … WITH (path = …)`, or a quoted path or address.
//!
//! ```text
//!   CREATE TABLE totals (…) WITH (path = 't.csv', append = 'yes')     INSERT INTO totals …     columns as declared
//!   INSERT INTO 'errors.parquet' SELECT …                             the columns of the query
//! ```
//!
//! Invariants: a file is written by one statement of a run, and by none that reads it; the files are created
//! once everything about the queries has been found good.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::catalog::{Header, only_place_of_name};
use crate::connect::{Address, SocketOptions, is_there};
use crate::error::{Error, Result};
use crate::plan::SinkColumns;
use crate::sql::{Insert, TableOption};

use super::options::Options;
use super::sources::apply_to_socket;
use super::values::truth;

/// A file or socket to write rows to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkSpec {
    /// Where it is: of a socket its address.
    pub path: PathBuf,
    /// The socket, if it is one.
    pub socket: Option<(Address, SocketOptions)>,
    /// The name of its format; `None` if its ending decides.
    pub format: Option<String>,
    /// Rows go behind those that are there.
    pub append: bool,
    /// Whether the names of the columns are written, where the format has a place for them.
    pub header: bool,
}

/// A table as a sink.
#[derive(Debug, Clone)]
pub(super) struct TableSink {
    paths: Vec<String>,
    options: Vec<TableOption>,
    /// `None` if the query decides.
    columns: Option<SinkColumns>,
}

/// The tables that can be written, by name.
#[derive(Debug, Default)]
pub(super) struct Sinks(BTreeMap<String, TableSink>);

/// A sink of a statement.
#[derive(Debug)]
pub(super) struct Chosen {
    pub spec: SinkSpec,
    pub columns: Option<SinkColumns>,
}

impl Sinks {
    /// Remembers a table. `columns` are those that it declares.
    pub(super) fn add(
        &mut self,
        name: &str,
        options: &[TableOption],
        columns: Option<SinkColumns>,
    ) {
        let places = ["path", "address"];
        let paths = options.iter();
        let paths = paths.filter(|option| places.contains(&option.key.as_str()));
        let sink = TableSink {
            paths: paths.map(|option| option.value.clone()).collect(),
            options: options.to_vec(),
            columns,
        };
        self.0.insert(name.to_string(), sink);
    }

    /// True for a table of `CREATE TABLE`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Forgets a table that was dropped.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// What a statement writes.
    ///
    /// # Errors
    /// A table that does not exist or has no one file; an option that does not fit.
    pub(super) fn choose(&self, insert: &Insert, settings: &Options) -> Result<Chosen> {
        let path = &insert.target.value;
        let chosen = match insert.target.quote_style {
            Some('\'') => spec(path, &insert.options, settings).map(|spec| Chosen {
                spec,
                columns: None,
            }),
            _ => self.table(path, settings),
        };
        chosen.map_err(|error| error.at_least(Some(insert.target_span)))
    }

    fn table(&self, name: &str, settings: &Options) -> Result<Chosen> {
        let place = only_place_of_name(self.0.keys().map(String::as_str), name)?;
        let known = place.and_then(|place| self.0.values().nth(place));
        let Some(sink) = known else {
            let names = self.0.keys().map(String::as_str);
            return Err(Error::plan(format!("there is no table `{name}` to write to"))
                .suggest(name, names)
                .help("a sink is a quoted path, or CREATE TABLE name (columns) WITH (path = 'file.csv')"));
        };
        let [path] = sink.paths.as_slice() else {
            return Err(Error::plan(format!("`{name}` has no one path to write to"))
                .help("give its table WITH (path = 'file.csv'); for standard output write the SELECT alone"));
        };
        Ok(Chosen {
            spec: spec(path, &sink.options, settings)?,
            columns: sink.columns.clone(),
        })
    }
}

/// The file of a path with the options that are about writing.
fn spec(path: &str, options: &[TableOption], settings: &Options) -> Result<SinkSpec> {
    let path = path.strip_prefix("file://").unwrap_or(path);
    if matches!(path, "-" | "") {
        return Err(Error::plan("standard output is no sink of INSERT INTO")
            .help("write the SELECT alone: its rows go to standard output"));
    }
    let address = Address::parse(path)?;
    if address.is_none() && path.contains(['*', '?']) && !is_there(path) {
        return Err(
            Error::plan(format!("`{path}` is a pattern, not one file to write to"))
                .help("name the file: what does not exist yet is made"),
        );
    }
    let mut spec = SinkSpec {
        path: PathBuf::from(path),
        socket: address.map(|address| (address, SocketOptions::default())),
        format: None,
        append: false,
        header: true,
    };
    for option in options {
        let read = apply(option, settings, &mut spec);
        read.map_err(|error| error.at_least(Some(option.span)))?;
    }
    Ok(spec)
}

fn apply(option: &TableOption, settings: &Options, spec: &mut SinkSpec) -> Result<()> {
    let value = option.value.as_str();
    if let Some((_, socket)) = &mut spec.socket
        && apply_to_socket(option, socket)?
    {
        return Ok(());
    }
    match option.key.replace('_', "-").as_str() {
        "format" if value.eq_ignore_ascii_case("auto") => spec.format = None,
        "format" => spec.format = Some(value.to_string()),
        "append" => spec.append = truth("append", value)?,
        "header" | "csv.header" => {
            let mut said = settings.clone();
            said.set_as(&option.key, "input-header", value)?;
            spec.header = said.input_header != Header::No;
        }
        "delimiter" | "csv.field-delimiter" if !matches!(value, "," | "\t" | "\\t") => {
            return Err(Error::unsupported("a sink is delimited by commas or tabs")
                .help("what works now: format = 'csv' or 'tsv'"));
        }
        // How the table is read.
        _ => {}
    }
    Ok(())
}

/// Refuses options of COPY that nothing is known of.
///
/// # Errors
/// The first of them, with what was meant.
pub(super) fn check_copy(insert: &Insert) -> Result<()> {
    const KNOWN: [&str; 4] = ["format", "header", "append", "delimiter"];
    for option in &insert.options {
        if !KNOWN.contains(&option.key.as_str()) {
            let error = Error::plan(format!("COPY has no option `{}`", option.key));
            return Err(error
                .at(option.span)
                .note(format!("options: {}", KNOWN.join(", ")))
                .suggest(&option.key, KNOWN));
        }
    }
    Ok(())
}
