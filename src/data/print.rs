//! How every value is written as text: once for all outputs, and for casts to STRING.
//!
//! ```text
//! Field + Style ──► ValueWriter (once per query) ──► Column (once per batch) ──► write(row) (per value)
//! ```
//!
//! Invariants: what is appended is UTF-8; a plain value allocates nothing; nested values are JSON, within
//! csv JSON in a field. The bounds of windows carry the metadata [`BOUND`] that says whether they have a
//! fraction of a second, so that all rows of a column look alike.

mod column;
pub mod number;
mod short;
pub mod text;
pub mod time;

use arrow::array::Array;
use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::error::{Error, Result};
pub use column::Column;
use time::{Fraction, Suffix, Timestamps};

/// The metadata key of window bounds: `"seconds"` (no fraction ever) or `"fraction"` (always one).
pub const BOUND: &str = "tumble:bound";

/// Which output the text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A field of csv: quoted where it must be.
    Csv,
    /// A field of tsv: escaped.
    Tsv,
    /// A JSON value.
    Json,
    /// A cell for people: a blank for the `T` of times, nothing that acts on a terminal.
    Table,
    /// The STRING that a cast gives: the plain text.
    Cast,
}

/// How the values of one column are written; see the module.
#[derive(Debug)]
pub struct ValueWriter {
    style: Style,
    null: Box<[u8]>,
    shape: Shape,
}

/// What a type needs beyond its array.
#[derive(Debug)]
enum Shape {
    Plain,
    Timestamp(Timestamps),
    /// Lists and dictionaries: the writer of the elements.
    Elements(Box<ValueWriter>),
    /// The fields' names as JSON with their colons, and their writers.
    Fields(Vec<(Box<[u8]>, ValueWriter)>),
    /// The keys as plain text, the values as JSON.
    Entries(Box<ValueWriter>, Box<ValueWriter>),
}

impl ValueWriter {
    /// The writer for a column.
    ///
    /// # Errors
    /// For types that no query makes, and zones that are none.
    pub fn new(field: &Field, style: Style) -> Result<Self> {
        let null = match style {
            Style::Csv | Style::Tsv | Style::Cast => "",
            Style::Json => "null",
            Style::Table => "NULL",
        };
        let shape = shape_of(field, style)?;
        Ok(ValueWriter {
            style,
            null: null.as_bytes().into(),
            shape,
        })
    }

    /// The same with another text for NULL.
    #[must_use]
    pub fn with_null(mut self, null: &str) -> Self {
        self.null = null.as_bytes().into();
        self
    }

    /// Looks at the values of a batch.
    ///
    /// # Errors
    /// If `array` is not of the type that the writer was made for.
    pub fn column<'a>(&'a self, array: &'a dyn Array) -> Result<Column<'a>> {
        Column::new(self, array)
    }
}

fn shape_of(field: &Field, style: Style) -> Result<Shape> {
    let json = |field: &Field| ValueWriter::new(field, Style::Json);
    Ok(match field.data_type() {
        DataType::Timestamp(unit, zone) => Shape::Timestamp(Timestamps {
            per_second: per_second(*unit),
            fraction: match field.metadata().get(BOUND).map(String::as_str) {
                Some("seconds") => Fraction::Never,
                Some("fraction") => Fraction::Always,
                _ => Fraction::Needed,
            },
            separator: if style == Style::Table { b' ' } else { b'T' },
            suffix: suffix_of(zone.as_deref())?,
        }),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => Shape::Elements(Box::new(json(element)?)),
        DataType::Dictionary(_, value) => {
            let value = Field::new(field.name(), value.as_ref().clone(), true)
                .with_metadata(field.metadata().clone());
            Shape::Elements(Box::new(ValueWriter::new(&value, style)?))
        }
        DataType::Struct(fields) => {
            let named = |field: &std::sync::Arc<Field>| {
                let mut name = Vec::new();
                text::write_json(field.name(), &mut name);
                name.push(b':');
                Ok((name.into_boxed_slice(), json(field)?))
            };
            Shape::Fields(fields.iter().map(named).collect::<Result<_>>()?)
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let key = ValueWriter::new(&fields[0], Style::Cast)?;
                Shape::Entries(Box::new(key), Box::new(json(&fields[1])?))
            }
            _ => return Err(Error::internal("a MAP without keys and values")),
        },
        _ => Shape::Plain,
    })
}

fn suffix_of(zone: Option<&str>) -> Result<Suffix> {
    match zone {
        None => Ok(Suffix::Wall),
        Some("UTC" | "Etc/UTC" | "Z" | "+00:00") => Ok(Suffix::Utc),
        Some(name) => match name.parse::<Tz>() {
            Ok(zone) => Ok(Suffix::Zoned(zone)),
            Err(_) => Err(Error::plan(format!("`{name}` is no time zone"))
                .help("zones are named like `Europe/Berlin`")),
        },
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

#[cfg(test)]
mod tests;
