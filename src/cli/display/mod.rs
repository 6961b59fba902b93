//! How rows are shown: each output format turns a result's batches into bytes.
//!
//! ```text
//!  begin(schema) ─► header    rows(batch) ─► lines, at once    end() ─► what closes the result
//! ```
//!
//! A display appends to a buffer and never writes: the caller decides when to flush. One display serves all
//! results of a run, one after the other. How rows are cut into batches changes no byte, but for the widths
//! of a streaming table and the batches of an Arrow stream.
//!
//! To add a format: one file here, one line in [`FORMATS`].

mod arrow_ipc;
mod chart;
mod delimited;
mod json;
mod line;
mod markdown;
mod parquet;
mod table;

pub(super) use chart::Roles;
pub(super) use table::cut;

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::data::print::{Column, Style, ValueWriter};
use crate::error::{Error, Result};
use crate::runtime::RowWriter;
use crate::session::ResultInfo;

/// Shows results; see the module for the order of the calls.
pub trait Display: Send {
    /// A result begins.
    ///
    /// # Errors
    /// For columns of a type that cannot be shown.
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo, out: &mut Vec<u8>) -> Result<()>;

    /// Rows of the result, of the schema that it began with.
    ///
    /// # Errors
    /// For columns of another type.
    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()>;

    /// What makes the text of rows of the result that has begun, if it depends on nothing else.
    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        None
    }

    /// Nothing more comes for now: what was held back to settle a layout is shown.
    fn flush(&mut self, _out: &mut Vec<u8>) {}

    /// The terminal has so many columns now.
    fn resize(&mut self, _columns: u16) {}

    /// The rows of a result that has no end follow as previews: their head stands above them once.
    ///
    /// # Errors
    /// For columns of another type.
    fn settle(&mut self, _rows: &RecordBatch, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    /// The lines that show rows which may still change below what was shown.
    ///
    /// # Errors
    /// For columns of another type.
    fn preview(&self, _rows: &RecordBatch) -> Result<Preview> {
        Ok(Preview::default())
    }

    /// The result is complete.
    ///
    /// # Errors
    /// It cannot be brought to its end.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<()>;
}

/// Lines of rows that may still change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// What stands above the rows.
    pub head: Vec<String>,
    /// One for each row; none where a picture shows them all.
    pub rows: Vec<String>,
}

/// What the flags say about the output.
#[derive(Debug, Clone)]
pub struct Options {
    /// The text for NULL, if not the format's own.
    pub null_value: Option<String>,
    /// Whether names of columns are shown.
    pub header: bool,
    /// Rows that a table drawn at the end shows.
    pub max_rows: usize,
    /// Columns of the terminal, if there is one.
    pub width: Option<u16>,
    /// Whether a terminal shows it, whatever its size.
    pub on_terminal: bool,
    /// Whether escape codes may be used.
    pub color: bool,
    /// What is written is a file of its own, not a stream that somebody reads as it comes.
    pub whole_file: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            null_value: None,
            header: true,
            max_rows: 1_000,
            width: None,
            on_terminal: false,
            color: false,
            whole_file: false,
        }
    }
}

/// An output format.
#[derive(Debug)]
pub struct Format {
    /// Its name in `--format`.
    pub name: &'static str,
    /// Other names.
    pub spellings: &'static [&'static str],
    /// Endings of files that are written in it.
    pub extensions: &'static [&'static str],
    /// What it is, in one line.
    pub help: &'static str,
    /// No text: nothing for a terminal, and with one beginning and one end.
    pub is_binary: bool,
    /// Makes the display.
    pub display: fn(Options) -> Box<dyn Display>,
}

/// All output formats.
pub const FORMATS: &[Format] = &[
    Format {
        name: "table",
        spellings: &[],
        extensions: &["txt"],
        help: "columns for people",
        is_binary: false,
        display: |options| Box::new(table::Table::new(options)),
    },
    Format {
        name: "chart",
        spellings: &[],
        extensions: &[],
        help: "a picture: bars, or lines over time",
        is_binary: false,
        display: |options| Box::new(chart::Chart::new(&options)),
    },
    Format {
        name: "csv",
        spellings: &[],
        extensions: &["csv"],
        help: "comma-separated, RFC 4180",
        is_binary: false,
        display: |options| Box::new(delimited::Delimited::new(Style::Csv, options)),
    },
    Format {
        name: "tsv",
        spellings: &[],
        extensions: &["tsv", "tab"],
        help: "tab-separated, \\t \\n \\\\ escaped",
        is_binary: false,
        display: |options| Box::new(delimited::Delimited::new(Style::Tsv, options)),
    },
    Format {
        name: "ndjson",
        spellings: &["json", "jsonl"],
        extensions: &["ndjson", "jsonl"],
        help: "a JSON object a line",
        is_binary: false,
        display: |_| Box::new(json::Json::lines()),
    },
    Format {
        name: "json-array",
        spellings: &[],
        extensions: &["json"],
        help: "one JSON array",
        is_binary: false,
        display: |_| Box::new(json::Json::array()),
    },
    Format {
        name: "markdown",
        spellings: &["md"],
        extensions: &["md"],
        help: "a Markdown table",
        is_binary: false,
        display: |options| Box::new(markdown::Markdown::new(options)),
    },
    Format {
        name: "arrow",
        spellings: &["arrow-ipc", "ipc"],
        extensions: &["arrow", "arrows", "feather"],
        help: "Arrow IPC: a stream; a file of that ending has the index of one",
        is_binary: true,
        display: |options| Box::new(arrow_ipc::ArrowIpc::new(&options)),
    },
    Format {
        name: "parquet",
        spellings: &[],
        extensions: &["parquet", "pq"],
        help: "Parquet, complete at the end",
        is_binary: true,
        display: |_| Box::new(parquet::Parquet::default()),
    },
    Format {
        name: "line",
        spellings: &[],
        extensions: &[],
        help: "`name = value`, a line each",
        is_binary: false,
        display: |options| Box::new(line::Line::new(options)),
    },
];

/// The format called `name`.
///
/// # Errors
/// If there is none, with the closest name.
pub fn format_named(name: &str) -> Result<&'static Format> {
    let matches = |format: &&Format| {
        format.name.eq_ignore_ascii_case(name)
            || format
                .spellings
                .iter()
                .any(|spelling| spelling.eq_ignore_ascii_case(name))
    };
    FORMATS.iter().find(matches).ok_or_else(|| {
        let spellings = FORMATS
            .iter()
            .flat_map(|format| format.spellings.iter().copied());
        let names = FORMATS.iter().map(|format| format.name);
        let all: Vec<String> = (FORMATS.iter())
            .map(|format| match format.spellings {
                [] => format.name.to_owned(),
                more => format!("{} (or {})", format.name, more.join(", ")),
            })
            .collect();
        let error = Error::usage(format!("`{name}` is no output format"));
        error
            .suggest(name, names.chain(spellings))
            .note(format!("formats: {}", all.join(", ")))
    })
}

/// The format that the ending of a file's name asks for.
pub fn format_of_file(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    FORMATS
        .iter()
        .find(|format| format.extensions.contains(&extension.as_str()))
}

/// A second result in a format that has room for one.
fn one_result(format: &str) -> Error {
    Error::usage(format!("{format} holds one result, and this is the second"))
        .help("write each to a file of its own: INSERT INTO 'a.parquet' SELECT …; INSERT INTO 'b.parquet' SELECT …")
}

/// The writers for all columns of a result.
pub(super) fn writers(
    schema: &SchemaRef,
    style: Style,
    null_value: Option<&str>,
) -> Result<Vec<ValueWriter>> {
    let writer = |field: &std::sync::Arc<arrow::datatypes::Field>| {
        let writer = ValueWriter::new(field, style)?;
        Ok(match null_value {
            Some(text) => writer.with_null(text),
            None => writer,
        })
    };
    schema.fields().iter().map(writer).collect()
}

/// The columns of a batch, ready to be written.
pub(super) fn columns<'a>(
    writers: &'a [ValueWriter],
    rows: &'a RecordBatch,
) -> Result<Vec<Column<'a>>> {
    if writers.len() != rows.num_columns() {
        return Err(Error::internal("rows with other columns than their result"));
    }
    writers
        .iter()
        .zip(rows.columns())
        .map(|(writer, array)| writer.column(array))
        .collect()
}

#[cfg(test)]
mod tests;
