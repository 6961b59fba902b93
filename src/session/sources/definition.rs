//! Where a table's records are and how each of its columns is read from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use crate::catalog::{Hints, TableColumn};
use crate::connect::{Compression, expand};
use crate::error::{Error, Result};
use crate::format::{Format, ReadColumn};

/// Where a table's records are and how they are read.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub places: Vec<Place>,
    pub compression: Compression,
    /// `None` for a declared table whose format shows in its bytes.
    pub format: Option<Format>,
    /// What a declared table says about its records.
    pub hints: Hints,
    /// Per column of the table that comes from records: how it is read.
    pub columns: BTreeMap<String, ReadColumn>,
    /// Names of the declared columns that come from records, in order; `None` for a guessed table.
    pub declared: Option<Vec<String>>,
}

/// The first bytes of a table, by which its format and columns are guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub bytes: Vec<u8>,
    /// True if their input has ended behind them.
    pub at_end: bool,
    /// The name of that input.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Stdin,
    Path(String),
}

impl Definition {
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

/// The places that paths, globs and dashes mean.
pub(super) fn places(paths: &[String]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for path in paths {
        if matches!(path.as_str(), "-" | "/dev/stdin" | "/dev/fd/0") {
            places.push(Place::Stdin);
            continue;
        }
        if let Some((scheme, _)) = path.split_once("://")
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Err(Error::unsupported(format!(
                "`{path}`: `{scheme}` sources are not built yet"
            ))
            .help("what works now: a file, or a pipe: nc HOST PORT | tumble \"…\""));
        }
        places.extend(expand(path)?.into_iter().map(Place::Path));
    }
    Ok(places)
}
