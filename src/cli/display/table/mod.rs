//! `table`: columns for people, drawn row by row as windows close or, for a finite result, as a whole.
//!
//! Invariant: nothing in the data reaches the terminal as a control character.

mod finite;
mod growing;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use unicode_width::UnicodeWidthStr;

use super::{Display, Options, Preview, ResultInfo, columns, writers};
use crate::data::print::{Style, ValueWriter, text};
use crate::error::Result;
use finite::FiniteTable;
use growing::GrowingTable;

const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// Shows each result in the table that suits it.
pub(super) struct Table {
    growing: GrowingTable,
    finite: FiniteTable,
    is_finite: bool,
    results: usize,
}

impl Table {
    pub(super) fn new(options: Options) -> Self {
        Table {
            growing: GrowingTable::new(options.clone()),
            finite: FiniteTable::new(options),
            is_finite: false,
            results: 0,
        }
    }
}

impl Display for Table {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        if self.results > 0 {
            out.push(b'\n');
        }
        self.results += 1;
        self.is_finite = info.finite;
        // It also previews what comes as a whole.
        self.growing.begin(schema)?;
        self.finite.begin(schema)
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        match self.is_finite {
            true => self.finite.rows(rows),
            false => self.growing.rows(rows, out),
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.is_finite {
            self.growing.flush(out);
        }
    }

    fn resize(&mut self, columns: u16) {
        self.growing.resize(columns);
        self.finite.resize(columns);
    }

    fn settle(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        self.is_finite = false;
        self.growing.settle(rows, out)
    }

    fn preview(&self, rows: &RecordBatch) -> Result<Preview> {
        self.growing.preview(rows)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self.is_finite {
            true => self.finite.end(out),
            false => self.growing.end(out),
        }
        Ok(())
    }
}

/// What both tables know of their columns.
#[derive(Default)]
struct Head {
    names: Vec<String>,
    writers: Vec<ValueWriter>,
    is_number: Vec<bool>,
    /// Values that are of any length, and can be cut.
    is_text: Vec<bool>,
}

impl Head {
    fn new(schema: &SchemaRef, options: &Options) -> Result<Self> {
        let fields = schema.fields();
        Ok(Head {
            names: fields
                .iter()
                .map(|field| text::visible(field.name()))
                .collect(),
            writers: writers(schema, Style::Table, options.null_value.as_deref())?,
            is_number: fields
                .iter()
                .map(|field| field.data_type().is_numeric())
                .collect(),
            is_text: fields
                .iter()
                .map(|field| is_text(field.data_type()))
                .collect(),
        })
    }

    /// The texts of all cells.
    fn cells(&self, rows: &RecordBatch) -> Result<Vec<Vec<String>>> {
        let columns = columns(&self.writers, rows)?;
        let cell = |column: &crate::data::print::Column, row: usize| {
            let mut text = Vec::new();
            column.write(row, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        };
        let row = |row| columns.iter().map(|column| cell(column, row)).collect();
        Ok((0..rows.num_rows()).map(row).collect())
    }
}

fn is_text(data_type: &DataType) -> bool {
    data_type.is_string() || data_type.is_nested() || data_type.is_binary()
}

/// A text in at most so many columns of the terminal; what is left out is marked.
pub(in crate::cli) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut end = 0;
    for (begin, letter) in text.char_indices() {
        let behind = begin + letter.len_utf8();
        if text[..behind].width() + 1 > columns {
            break;
        }
        end = behind;
    }
    format!("{}…", &text[..end])
}
