//! What is known of every record besides its fields: when and from where it came, and its text.
//!
//! ```text
//!   app.log   0  ts,host⏎
//!             8  12:00:03,web1⏎      _source app.log · _line 2 · _offset 8 · _raw 12:00:03,web1
//! ```
//!
//! A query reads it through columns that every table has unless a column of its own is called so. They are no
//! part of `*`, and cost nothing where they are not named.
//!
//! A row of a Parquet or Arrow file is no piece of its bytes: its `_line` is its number, by which other tools find
//! it, too; its `_raw` is made of it, as JSON; its `_offset` is NULL.
//!
//! Invariant: all but `_arrival` are functions of the bytes of one file. `_arrival` is the clock where the bytes
//! were read; it never goes back from one record of an input to the next.

use arrow::datatypes::{DataType, TimeUnit};

use crate::time::Zone;

/// One of the things that are known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// When its last byte was read.
    Arrival,
    /// The file it is from, or `stdin`.
    Source,
    /// The line of its file that it begins on, from 1.
    Line,
    /// How many bytes of its file come before it.
    Offset,
    /// Its text as it came, without the newline.
    Raw,
}

impl Metadata {
    /// All, in the order in which messages list them.
    pub const ALL: [Metadata; 5] = [
        Metadata::Arrival,
        Metadata::Source,
        Metadata::Line,
        Metadata::Offset,
        Metadata::Raw,
    ];

    /// The name of its column.
    pub fn name(self) -> &'static str {
        match self {
            Metadata::Arrival => "_arrival",
            Metadata::Source => "_source",
            Metadata::Line => "_line",
            Metadata::Offset => "_offset",
            Metadata::Raw => "_raw",
        }
    }

    /// What a name means, ignoring case.
    pub fn of_name(name: &str) -> Option<Metadata> {
        let mut all = Metadata::ALL.into_iter();
        all.find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The type of its column; instants are shown in `zone`.
    pub fn data_type(self, zone: Zone) -> DataType {
        match self {
            Metadata::Arrival => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(zone.name().into()))
            }
            Metadata::Source | Metadata::Raw => DataType::Utf8View,
            Metadata::Line | Metadata::Offset => DataType::Int64,
        }
    }
}
