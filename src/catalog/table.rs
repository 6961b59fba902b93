//! A table as a plan sees it: columns, which of them is the time, and how late rows may be.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use sqlparser::ast;

use crate::data::Metadata;
use crate::format::PathStep;
use crate::time::{Interval, Zone};

/// A named input.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in the catalog: `stdin`, the name of a `CREATE TABLE`, or a path.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<TableColumn>,
    /// Its time column, if it has one.
    pub time: Option<TableTime>,
    /// Columns that look like times, for the message when none was chosen.
    pub time_candidates: Vec<String>,
    /// What its guess took records for, for the message when a column is missing.
    pub taken_for: Option<TakenFor>,
    /// A column that is not listed may still come (self-describing records from a pipe): it is NULL until
    /// then, its type taken from its use.
    pub open_ended: bool,
    /// The query's `*` stands for all of its columns.
    pub starred: bool,
    /// Its values may hold others inside, which `a.b` reads.
    pub nested: bool,
    /// It stands for several files whose rows are merged by time, so that the time is read in any case.
    pub merged: bool,
    /// `--from TIME`, in the unit of its time: older rows are not wanted, so that the time is read in any case.
    pub since: Option<i64>,
    /// Its rows never end by themselves: what prints at the end of input never would.
    pub endless: bool,
    /// `WITH (idle_timeout = …)`: after how long without a row event time goes on with the clock.
    pub idle_timeout: Option<Interval>,
}

/// What a guess took records for, where that may hide the columns which a user has in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenFor {
    /// The first record of CSV for the names of the columns.
    Names,
    /// The first record of CSV for values.
    Values,
    /// Records for mere lines.
    Lines,
    /// JSON without an object at its beginning.
    NoObject,
}

impl TakenFor {
    /// What to try if there is no column `name`.
    pub fn help(self, name: &str) -> Option<&'static str> {
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match self {
            TakenFor::Names if name.strip_prefix(['c', 'C']).is_some_and(is_number) => Some(
                "the first record was taken for names; --input-header no reads it as values of c1, c2, …",
            ),
            TakenFor::Names => None,
            TakenFor::Values => {
                Some("the first record was taken for values; --input-header yes reads it as names")
            }
            TakenFor::NoObject => Some(
                "no object of JSON was found at its beginning; --max-record SIZE reads longer ones",
            ),
            TakenFor::Lines => Some(
                "the records were taken for lines of text; -i names their format, as in -i ndjson",
            ),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct TableColumn {
    /// The name.
    pub name: String,
    /// The type of its values.
    pub data_type: DataType,
    /// Where its values come from.
    pub source: ColumnSource,
    /// No value of it has been seen: its type is taken from its use.
    pub unshown: bool,
}

/// Where the values of a column come from.
#[derive(Debug, Clone)]
pub enum ColumnSource {
    /// From the records: the name or path of the field there.
    Field(String),
    /// Known of every record besides its fields.
    Metadata {
        /// What it is.
        metadata: Metadata,
        /// `METADATA FROM` in the `CREATE TABLE`: a column like any other, part of `*`.
        declared: bool,
    },
    /// From inside the values of a field of the records.
    Path(String, Vec<PathStep>),
    /// Computed from columns of the table before it.
    Computed {
        /// The expression over them.
        expr: Box<ast::Expr>,
        /// In the `CREATE TABLE`: a column like any other, part of `*`.
        declared: bool,
    },
}

/// The time of a table.
#[derive(Debug, Clone)]
pub struct TableTime {
    /// The number of the column.
    pub column: usize,
    /// The delay of `WATERMARK FOR …`; `None` if nothing was declared, so that `--delay` holds and jumps
    /// are held back.
    pub declared_delay: Option<Interval>,
}

impl Table {
    /// The columns as an arrow schema. Every column may be NULL.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|column| Field::new(&column.name, column.data_type.clone(), true))
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The columns as `SHOW` and `*` count them: without the paths and the undeclared metadata that a query named.
    pub fn shown_columns(&self) -> impl Iterator<Item = &TableColumn> {
        self.columns.iter().filter(|column| !column.is_hidden())
    }

    /// True if a column is the time at which records were read.
    pub fn is_arrival(&self, column: usize) -> bool {
        let arrival = |column: &TableColumn| {
            matches!(
                column.source,
                ColumnSource::Metadata {
                    metadata: Metadata::Arrival,
                    ..
                }
            )
        };
        self.columns.get(column).is_some_and(arrival)
    }

    /// Adds the column of what `name` means of records besides their fields, unless one of that name is there.
    pub fn add_metadata(&mut self, name: &str, zone: Zone) {
        let mut columns = self.columns.iter();
        if let Some(metadata) = Metadata::of_name(name)
            && !columns.any(|column| column.name.eq_ignore_ascii_case(name))
        {
            self.columns.push(TableColumn::hidden(metadata, zone));
        }
    }

    /// The number of a column by its exact name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl TableColumn {
    /// The undeclared column of something that is known of every record.
    pub fn hidden(metadata: Metadata, zone: Zone) -> Self {
        TableColumn {
            name: metadata.name().to_string(),
            data_type: metadata.data_type(zone),
            source: ColumnSource::Metadata {
                metadata,
                declared: false,
            },
            unshown: false,
        }
    }

    /// True if it is no part of `*`.
    pub fn is_hidden(&self) -> bool {
        matches!(
            self.source,
            ColumnSource::Path(..)
                | ColumnSource::Metadata {
                    declared: false,
                    ..
                }
                | ColumnSource::Computed {
                    declared: false,
                    ..
                }
        )
    }
}

/// What could be the time where no column is known to be it, in words.
pub fn candidates_text(candidates: &[String]) -> String {
    match candidates {
        [] => String::from("none of the columns holds times"),
        candidates => format!("candidates: {}", candidates.join(", ")),
    }
}
