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
    /// A column that is not listed may still come (self-describing records from a pipe): it is NULL until
    /// then, its type taken from its use.
    pub open_ended: bool,
    /// Its values may hold others inside, which `a.b` reads.
    pub nested: bool,
    /// It stands for several files whose rows are merged by time, so that the time is read in any case.
    pub merged: bool,
    /// Its rows never end by themselves: what prints at the end of input never would.
    pub endless: bool,
    /// `WITH (idle_timeout = …)`: after how long without a row event time goes on with the clock.
    pub idle_timeout: Option<Interval>,
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
    Computed(Box<ast::Expr>),
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
        )
    }
}
