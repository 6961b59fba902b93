//! Where a table's records are and how each of its columns is read from them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use crate::catalog::{ColumnSource, Hints, TableColumn};
use crate::connect::{Address, Begin, Compression, SocketOptions, expand, is_pattern};
use crate::error::{Error, Result};
use crate::format::{Format, ReadColumn};
use crate::runtime::SourceGate;
use crate::session::Options;

/// Where a table's records are and how they are read.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub places: Vec<Place>,
    pub access: Access,
    /// `None` for a declared table whose format shows in its bytes.
    pub format: Option<Format>,
    /// What a declared table says about its records.
    pub hints: Hints,
    /// Per column of the table that comes from records: how it is read.
    pub columns: BTreeMap<String, ReadColumn>,
    /// Names of the declared columns that come from records, in order; `None` for a guessed table.
    pub declared: Option<Vec<String>>,
    /// What a bad row does.
    pub gate: SourceGate,
}

/// How the bytes at a place are come by.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    pub compression: Compression,
    /// How its socket is used, if it is one.
    pub socket: SocketOptions,
    /// What is followed, if it is files that are.
    pub follow: Option<Followed>,
}

/// Files that are followed.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    /// Paths and patterns: what is not there yet may come.
    pub names: Vec<String>,
    pub begin: Begin,
    /// Files that options name to be written.
    pub written: Vec<PathBuf>,
}

impl Followed {
    /// What is followed of these paths, patterns and addresses; of none, standard input.
    ///
    /// # Errors
    /// Standard input is no file.
    pub(super) fn of(paths: &[String], options: &Options) -> Result<Option<Self>> {
        if !options.follow {
            return Ok(None);
        }
        if paths.iter().any(|path| is_stdin(path)) || paths.is_empty() {
            return Err(Error::usage(
                "`stdin` cannot be followed: its writer decides when it ends",
            )
            .help("name the file: tumble --follow SQL FILE, or quote its path in FROM")
            .help("leave out --follow to read what a pipe gives as it comes"));
        }
        let mut names = Vec::with_capacity(paths.len());
        for path in paths {
            if Address::parse(path)?.is_none() {
                names.push(path.clone());
            }
        }
        // Addresses are connected to, whether or not files are followed.
        Ok((!names.is_empty()).then_some(Followed {
            names,
            begin: options.begin()?,
            written: (options.written_files())
                .map(|(_, path)| path.clone())
                .collect(),
        }))
    }
}

fn is_stdin(path: &str) -> bool {
    matches!(path, "-" | "/dev/stdin" | "/dev/fd/0")
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Stdin,
    Path(String),
    /// A socket: the only place of its table.
    Socket(Address),
}

impl Place {
    /// How a user writes it.
    pub(super) fn text(&self) -> String {
        match self {
            Place::Stdin => String::from("-"),
            Place::Path(path) => path.clone(),
            Place::Socket(address) => address.to_string(),
        }
    }

    /// Its path, if it is a file.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Place::Path(path) => Some(path),
            Place::Stdin | Place::Socket(_) => None,
        }
    }

    /// A path at which what it is can be compared with files: standard input may be one.
    pub(super) fn file(&self) -> Option<&str> {
        match self {
            Place::Path(path) => Some(path),
            Place::Stdin => Some("/dev/stdin"),
            Place::Socket(_) => None,
        }
    }
}

impl Definition {
    /// Of a table whose format and columns were seen.
    pub(super) fn guessed(
        places: Vec<Place>,
        access: Access,
        hints: Hints,
        format: Format,
        columns: BTreeMap<String, ReadColumn>,
    ) -> Self {
        Definition {
            places,
            access,
            format: Some(format),
            hints,
            columns,
            declared: None,
            gate: SourceGate::default(),
        }
    }

    /// How a column of the table is read from the records.
    pub(super) fn read_column(&self, column: &TableColumn) -> ReadColumn {
        if let Some(read) = self.columns.get(&column.name) {
            let mut read = read.clone();
            if read.field.data_type() != &column.data_type {
                // No value was seen, and the query's use decided.
                let field = Field::new(&column.name, column.data_type.clone(), true);
                read.field = Arc::new(field);
                read.exact_integers = column.data_type == DataType::Float64;
            }
            return read;
        }
        if let ColumnSource::Path(root, steps) = &column.source {
            let field = Arc::new(Field::new(&column.name, column.data_type.clone(), true));
            let mut read = ReadColumn::new(&column.name, field);
            read.source = root.clone();
            if let Some(known) = self.columns.get(root) {
                read.source = known.source.clone();
                read.path = known.path.clone();
                read.tells_keys = known.tells_keys;
            }
            read.exact_integers = column.data_type == DataType::Float64;
            read.step_inside(steps);
            return read;
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

/// True if records of these places never end by themselves.
pub(super) fn is_endless(places: &[Place], access: &Access) -> bool {
    access.follow.is_some()
        || places.iter().any(|place| match place {
            Place::Socket(address) => address.is_endless(&access.socket),
            Place::Stdin | Place::Path(_) => false,
        })
}

/// The places that paths, globs, addresses and dashes mean, of none standard input. Whoever follows files finds
/// those of a pattern, and leaves out what is written.
pub(super) fn places(paths: &[String], are_followed: bool) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    if paths.is_empty() {
        places.push(Place::Stdin);
    }
    for path in paths {
        if is_stdin(path) {
            places.push(Place::Stdin);
            continue;
        }
        if let Some(address) = Address::parse(path)? {
            places.push(Place::Socket(address));
            continue;
        }
        if are_followed && is_pattern(path) {
            continue;
        }
        places.extend(expand(path)?.into_iter().map(Place::Path));
    }
    let mut sockets = places.iter();
    if places.len() > 1 && sockets.any(|place| matches!(place, Place::Socket(_))) {
        return Err(
            Error::usage("a socket is read alone, and other inputs are named with it")
                .help("read several with UNION ALL: SELECT … FROM 'tcp://…' UNION ALL SELECT … FROM 'b.log'"),
        );
    }
    Ok(places)
}
