//! Guesses format, columns and time column of an input from its first bytes.
//!
//! ```text
//! sample ─► format ({ is ndjson, else csv) ─► columns with types ─► which of them is the time ─► Guess
//! ```
//!
//! Invariants: the guess depends on the sample and the hints alone. What a hint says is never guessed.
//! From a pipe numbers are DOUBLE, because one record cannot show whether decimals will come.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::{guess_csv, guess_ndjson, guess_time};
use crate::error::{Error, Result};
use crate::format::{
    CsvOptions, DEFAULT_MAX_RECORD_BYTES, Encoding, Format, JsonSample, JsonWrapping,
    NdjsonOptions, Nulls, ReadColumn, json_sample, parse_format_name,
};
use crate::time::{EpochUnit, TimeFormat, Unit, Zone};

/// Bytes of a regular file that make its sample.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// Whether the first record names the columns (`--input-header`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// It does, unless a field of it is a number, a time, empty, or there twice.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It does not: columns are `c1`, `c2`, ….
    No,
}

/// What flags and options say about an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Hints {
    /// `--input-format`, in any spelling; `None` is auto.
    pub format: Option<String>,
    /// `--delimiter`.
    pub delimiter: Option<u8>,
    /// `--input-header`.
    pub header: Header,
    /// `--nulls`.
    pub nulls: Nulls,
    /// `--encoding`.
    pub encoding: Encoding,
    /// `--max-record`.
    pub max_record_bytes: usize,
    /// `--types`: columns by name, ignoring case where that is unique.
    pub types: Vec<(String, DataType)>,
    /// True for a pipe or socket, whose sample is its first record.
    pub from_pipe: bool,
    /// `--ts`.
    pub ts: Option<String>,
    /// `--ts-format`.
    pub ts_format: Option<String>,
    /// `--ts-unit`.
    pub ts_unit: Option<EpochUnit>,
    /// `--tz`.
    pub zone: Zone,
}

impl Default for Hints {
    fn default() -> Self {
        Hints {
            format: None,
            delimiter: None,
            header: Header::default(),
            nulls: Nulls::default(),
            encoding: Encoding::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            types: Vec::new(),
            from_pipe: false,
            ts: None,
            ts_format: None,
            ts_unit: None,
            zone: Zone::UTC,
        }
    }
}

/// What an input looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// How it is written.
    pub format: Format,
    /// Its columns, in order.
    pub columns: Vec<GuessedColumn>,
    /// The place of the time column among them.
    pub time_column: Option<usize>,
    /// The columns that could be it, where none is.
    pub time_candidates: Vec<String>,
    /// Things that a person may want to know.
    pub notes: Vec<String>,
}

/// A column of a guess.
#[derive(Debug, Clone, PartialEq)]
pub struct GuessedColumn {
    /// Its name.
    pub name: String,
    /// Its spelling in the source.
    pub source: String,
    /// Its type.
    pub data_type: DataType,
    /// How its times are written, if it holds times.
    pub time_format: Option<TimeFormat>,
    /// True for a number from a pipe: an integer that DOUBLE would round is a reject.
    pub exact_integers: bool,
    /// True if the sample shows no value of it: its type is STRING until its use says otherwise.
    pub unshown: bool,
}

impl GuessedColumn {
    /// What a decoder needs to read it.
    pub fn read_column(&self) -> ReadColumn {
        let field = Arc::new(Field::new(&self.name, self.data_type.clone(), true));
        let mut column = ReadColumn::new(&self.name, field);
        column.source = self.source.clone();
        column.time = self.time_format.clone();
        column.exact_integers = self.exact_integers;
        column
    }
}

/// One value of the sample, as far as its type matters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SampleValue {
    Null,
    Boolean,
    /// An integer that may become a number.
    Integer(String),
    /// A number with a point or an exponent.
    Decimal(String),
    Text(String),
}

/// A column of the sample before its type is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SampleColumn {
    pub(super) name: String,
    pub(super) values: Vec<SampleValue>,
}

/// Guesses from `sample`: the first bytes of the input, all of them if `sample_is_whole_input`.
pub fn guess(sample: &[u8], sample_is_whole_input: bool, hints: &Hints) -> Result<Guess> {
    let name = match &hints.format {
        Some(name) if name != "auto" => Some(parse_format_name(name)?),
        _ => None,
    };
    let (format, sampled) = match name {
        explicit
            if let Some(format) = json_format(explicit, sample, sample_is_whole_input, hints) =>
        {
            let columns = guess_ndjson::columns(sample, format.json_wrapping(), hints.from_pipe);
            (format, columns)
        }
        explicit => {
            let delimiter = match (hints.delimiter, explicit) {
                (Some(delimiter), _) => Some(delimiter),
                (None, Some("tsv")) => Some(b'\t'),
                (None, _) => None,
            };
            let is_asked_for = explicit.is_some() || hints.delimiter.is_some();
            guess_csv::columns(
                sample,
                sample_is_whole_input,
                delimiter,
                is_asked_for,
                hints,
            )?
        }
    };
    let mut columns: Vec<GuessedColumn> = sampled
        .iter()
        .map(|column| guess_column(column, hints))
        .collect();
    apply_types(&mut columns, &format, hints)?;
    let mut guess = Guess {
        format,
        columns,
        time_column: None,
        time_candidates: Vec::new(),
        notes: Vec::new(),
    };
    guess_time::find_time_column(&mut guess, &sampled, hints)?;
    Ok(guess)
}

/// The format of an input whose format is called `name`, or whose bytes are JSON; `None` if it is no JSON.
pub fn json_format(
    name: Option<&str>,
    sample: &[u8],
    is_whole: bool,
    hints: &Hints,
) -> Option<Format> {
    let looked_at = || match json_sample(sample, is_whole, hints.from_pipe) {
        JsonSample::Found(wrapping, _) => Some(wrapping),
        JsonSample::Not | JsonSample::More => None,
    };
    let wrapping = match name {
        Some("ndjson") => None,
        Some("json") => looked_at().flatten(),
        Some(name) => Some(JsonWrapping::of_name(name)?),
        None if hints.delimiter.is_some() => return None,
        None => looked_at()?,
    };
    let options = NdjsonOptions {
        encoding: hints.encoding,
        max_record_bytes: hints.max_record_bytes,
    };
    Some(match wrapping {
        None => Format::Ndjson(options),
        Some(wrapping) => Format::Json(wrapping, options),
    })
}

/// The csv options that the hints leave no choice about.
pub(super) fn csv_options(
    delimiter: u8,
    header: bool,
    names: Vec<String>,
    hints: &Hints,
) -> CsvOptions {
    CsvOptions {
        delimiter,
        header,
        header_fields: names,
        nulls: hints.nulls.clone(),
        encoding: hints.encoding,
        max_record_bytes: hints.max_record_bytes,
    }
}

fn guess_column(column: &SampleColumn, hints: &Hints) -> GuessedColumn {
    let (mut numbers, mut decimals, mut booleans, mut texts) = (0, 0, 0, 0);
    for value in &column.values {
        match value {
            SampleValue::Null => {}
            SampleValue::Boolean => booleans += 1,
            SampleValue::Integer(_) => numbers += 1,
            SampleValue::Decimal(_) => (numbers, decimals) = (numbers + 1, decimals + 1),
            SampleValue::Text(_) => texts += 1,
        }
    }
    let mut guessed = GuessedColumn {
        name: column.name.clone(),
        source: column.name.clone(),
        data_type: DataType::Utf8View,
        time_format: None,
        exact_integers: false,
        unshown: numbers + booleans + texts == 0,
    };
    match (numbers, booleans, texts) {
        (1.., 0, 0) => {
            let is_double = decimals > 0 || hints.from_pipe;
            guessed.data_type = if is_double {
                DataType::Float64
            } else {
                DataType::Int64
            };
            guessed.exact_integers = hints.from_pipe;
        }
        (0, 1.., 0) => guessed.data_type = DataType::Boolean,
        (0, 0, 1..) => {
            if let Some((data_type, format)) = guess_time::time_type(column, hints.zone) {
                guessed.data_type = data_type;
                guessed.time_format = format;
            }
        }
        _ => {}
    }
    guessed
}

/// Puts the types of `--types` in place of the guessed ones.
fn apply_types(columns: &mut Vec<GuessedColumn>, format: &Format, hints: &Hints) -> Result<()> {
    for (name, data_type) in &hints.types {
        let place = match find_column(columns, name) {
            Some(place) => place,
            None if format.has_fixed_columns() => return Err(no_column(columns, name, "--types")),
            None => {
                columns.push(GuessedColumn {
                    name: name.clone(),
                    source: name.clone(),
                    data_type: DataType::Utf8View,
                    time_format: None,
                    exact_integers: false,
                    unshown: false,
                });
                columns.len() - 1
            }
        };
        let column = &mut columns[place];
        column.exact_integers = false;
        column.unshown = false;
        column.time_format = Unit::of(data_type).map(|_| TimeFormat::Auto);
        column.data_type = match data_type {
            DataType::Timestamp(unit, Some(_)) => {
                DataType::Timestamp(*unit, Some(hints.zone.name().into()))
            }
            other => other.clone(),
        };
    }
    Ok(())
}

/// The column of that exact name, else the only one of that name ignoring case.
pub(super) fn find_column(columns: &[GuessedColumn], name: &str) -> Option<usize> {
    if let Some(place) = columns.iter().position(|column| column.name == name) {
        return Some(place);
    }
    let same = |column: &GuessedColumn| column.name.to_lowercase() == name.to_lowercase();
    let mut found = (0..columns.len()).filter(|place| same(&columns[*place]));
    match (found.next(), found.next()) {
        (Some(place), None) => Some(place),
        _ => None,
    }
}

pub(super) fn no_column(columns: &[GuessedColumn], name: &str, flag: &str) -> Error {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    Error::usage(format!(
        "{flag} names column `{name}`, which the input does not have"
    ))
    .note(format!("columns: {}", names.join(", ")))
    .suggest(name, names)
}

#[cfg(test)]
#[path = "guess/tests.rs"]
mod tests;
