//! Bytes to columns: how each record format is cut into records and decoded.
//!
//! ```text
//!  bytes as they come      splitter: whole records    decoder: typed columns of the fields that are read
//!  "…,200\n12:01,web2,5" ► "…,200\n" | rest waits   ► ts, status + rejects (record, reason, text)
//! ```
//!
//! A splitter sees all bytes of an input in order and is cheap; a decoder sees blocks of whole records,
//! holds no state between them and can be cloned for several threads. Neither does I/O.
//!
//! To add a format: one file with both, one line in the list here, one grammar test. A format whose record is
//! a line needs no more than to say where its fields stand (`lines/`).

mod columnar;
mod columns;
mod csv;
mod encoding;
mod formats;
mod json;
mod lines;
mod record_splitter;
mod spec;

pub use columnar::{
    ArrowBatch, ArrowMessages, ColumnarDecoder, ColumnarFormat, ColumnarKind, ParquetFile,
    ParquetRows, RowTexts, WholeFile, column_type,
};
pub use csv::header::{SampleField, csv_header, csv_record_ranges, csv_records};
pub use csv::{CsvOptions, DEFAULT_NULLS, Nulls};
pub use encoding::Encoding;
pub use formats::{FORMATS, Format, parse_format_name};
pub use json::{
    JsonKind, JsonSample, JsonWrapping, NdjsonOptions, PREFIX_TIME_COLUMN, begins_array,
    begins_long_object, holds_object, json_elements, json_object_fields, json_sample,
    wrapped_objects, wrapped_texts,
};
pub use lines::{
    ColumnKind, Layout, LineField, LinesOptions, Pattern, drawn_table, known_pattern_names,
    layout_named, line_keys, names_fields, recognized_layout, recognizes_line, sample_fields,
    table_of_blanks, table_without_rows,
};
pub use spec::{DEFAULT_MAX_RECORD_BYTES, DecodeSpec, PathStep, ReadColumn};

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;

use crate::error::Result;

/// Cuts the bytes of one input into blocks of whole records.
pub trait Splitter: Send {
    /// Looks at the bytes that were not consumed yet; `at_end` says that no more will come.
    /// At the end everything is consumed: a last record without a newline is whole. Call it until no byte
    /// is left, and once more with none: a record that is too long may end with the input.
    fn split(&mut self, bytes: &[u8], at_end: bool) -> Split;
}

/// What to do with the bytes at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// The first bytes, this many, are no records (a byte order mark, a header): consume them unread.
    /// They come before everything else, and once.
    Head {
        /// Number of bytes, at least 1.
        bytes: usize,
        /// Lines that they are.
        lines: u64,
    },
    /// The first bytes, this many, are whole records: decode and consume them.
    Block(usize),
    /// The first bytes, this many, belong to a record that is too long: consume them unread. `Some` once
    /// per such record, when its end has been found (or the input ended).
    Skip(usize, Option<TooLong>),
    /// More bytes are needed.
    More,
}

/// A record beyond `--max-record`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLong {
    /// Its first bytes, for the message; at most 200.
    pub beginning: Vec<u8>,
    /// Newlines in it.
    pub lines: u64,
}

/// Turns blocks of whole records into columns.
pub trait Decoder: Send + Sync {
    /// The columns that it makes: those that the query reads, in the query's order.
    fn schema(&self) -> SchemaRef;

    /// Decodes a block that a splitter cut; columns may refer to its bytes. Bad records become rejects, never
    /// an error.
    fn decode(&self, block: &Buffer) -> Result<Decoded>;
}

/// The rows of a block.
#[derive(Debug)]
pub struct Decoded {
    /// The good rows.
    pub rows: RecordBatch,
    /// Per good row: the number of its record in the block, from 0.
    pub records: Vec<u32>,
    /// Bad records, by rising number.
    pub rejects: Vec<Reject>,
    /// Number of records in the block, good and bad (a header and blank lines are none).
    pub record_count: u32,
    /// Number of lines in the block.
    pub line_count: u64,
    /// The numbers of the records whose bytes were not UTF-8 and were mended with U+FFFD, rising.
    pub mended: Vec<u32>,
    /// Rows of which keys were left out, rising.
    pub left_out: Vec<(u32, LeftOut)>,
    /// The first good row with a time that cannot be read, without its text.
    pub untimed: Option<Reject>,
}

/// Keys that were left out of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// Keys inside of this column, whose guessed ROW does not name them.
    Inside(Arc<str>),
    /// This key of the record and perhaps others, for which no column stands.
    Key(Arc<str>),
}

/// A record that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its number in the block, from 0.
    pub record: u32,
    /// The line of the block that it begins on, from 0.
    pub line: u64,
    /// What is wrong with it, such as ``column `bytes`: "12x" is no BIGINT``.
    pub reason: String,
    /// The `--types` or DDL that would take it, if one would.
    pub help: Option<String>,
    /// The record as it came, without its newline.
    pub text: Vec<u8>,
}
