//! Guesses format, columns and time column of an input from its first bytes.
//!
//! ```text
//! sample ─► format ({ is ndjson, else csv) ─► columns with types ─► which of them is the time ─► Guess
//! ```
//!
//! Invariants: the guess depends on the sample and the hints alone. What a hint says is never guessed.
//! From a pipe numbers are DOUBLE, because one record cannot show whether decimals will come; integers that
//! DOUBLE would round are BIGINT.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::guess_joined::JoinedTime;
use super::guess_named::{UserFormat, apply_types, json_format};
use super::live_sample::last_line;
use super::spelling::{only_place_of_name, place_of_name};
use super::{guess_csv, guess_lines, guess_ndjson, guess_nested, guess_time};
use crate::error::{Error, Result};
use crate::format::{
    CsvOptions, DEFAULT_MAX_RECORD_BYTES, Encoding, Format, Layout, Nulls, ReadColumn,
    begins_array, drawn_table, holds_object, parse_format_name, recognized_layout, table_of_blanks,
    table_without_rows,
};
use crate::time::{EpochUnit, TimeFormat, Zone};

/// Bytes of a regular file that make its sample.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// Whether the first record names the columns (`--input-header`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// Its fields and what stands below them tell.
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
    /// `--regex`.
    pub regex: Option<String>,
    /// The formats of the config file.
    pub user_formats: Arc<[UserFormat]>,
    /// True if the query reads nothing but the column `line`: no record of another format is waited for.
    pub only_line: bool,
    /// The names that the query uses: a first line of one word that is one of them is a header.
    pub names: Vec<String>,
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
            regex: None,
            user_formats: Arc::new([]),
            only_line: false,
            names: Vec::new(),
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
    /// The time that two of them are together, where there is none.
    pub joined_time: Option<JoinedTime>,
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
    /// Keys below it, for a value inside of a nested one.
    pub path: Vec<String>,
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
        column.path = self.path.clone();
        column.time = self.time_format.clone();
        column.exact_integers = self.exact_integers;
        column.tells_keys = true;
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
    /// An array or object of JSON.
    Nested(String),
}

/// A column of the sample before its type is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SampleColumn {
    pub(super) name: String,
    pub(super) values: Vec<SampleValue>,
}

/// Guesses from `sample`: the first bytes of the input, all of them if `sample_is_whole_input`.
pub fn guess(sample: &[u8], sample_is_whole_input: bool, hints: &Hints) -> Result<Guess> {
    let (format, sampled) = match hints.named_layout(sample)? {
        Some(layout) => guess_lines::columns(layout, sample, hints),
        None => format_and_columns(sample, sample_is_whole_input, hints)?,
    };
    let layout = match &format {
        Format::Lines(options) => Some(&options.layout),
        _ => None,
    };
    let hints = &hints.with_times_of(layout);
    let mut columns: Vec<GuessedColumn> = sampled
        .iter()
        .map(|column| {
            let mut guessed = guess_column(column, layout.is_some(), hints);
            if let Some(layout) = layout {
                guess_lines::settle(&mut guessed, layout);
            }
            guessed
        })
        .collect();
    apply_types(&mut columns, &format, hints)?;
    let mut guess = Guess::without_time(format, columns);
    guess_time::find_time_column(&mut guess, &sampled, hints)?;
    if guess.time_column.is_none() && guess.time_candidates.is_empty() {
        guess.time_candidates = layout_candidates(&guess.format);
    }
    guess.mark_time_of_pattern()?;
    let note = guess_time::unread_zone(&guess, sample, hints);
    guess.notes.extend(note);
    Ok(guess)
}

/// A column of the format that counts seconds since a beginning that it does not say.
fn layout_candidates(format: &Format) -> Vec<String> {
    let seconds = match format {
        Format::Lines(options) => options.layout.seconds_column(),
        _ => None,
    };
    seconds.map(str::to_owned).into_iter().collect()
}

impl Guess {
    /// Tells a pattern which of its groups is the time.
    fn mark_time_of_pattern(&mut self) -> Result<()> {
        let time = self
            .time_column
            .map(|place| self.columns[place].source.clone());
        if let Format::Lines(options) = &mut self.format
            && let Layout::Pattern(pattern) = &mut options.layout
        {
            *pattern = pattern.clone().with_time(time.as_deref())?;
        }
        Ok(())
    }
}

/// The format and the columns of a sample of no known layout, or none that is named.
fn format_and_columns(
    sample: &[u8],
    sample_is_whole_input: bool,
    hints: &Hints,
) -> Result<(Format, Vec<SampleColumn>)> {
    let name = match &hints.format {
        Some(name) if name != "auto" => Some(parse_format_name(name)?),
        _ => None,
    };
    if let Some(format) = json_format(name, sample, sample_is_whole_input, hints) {
        let columns = guess_ndjson::columns(sample, format.json_wrapping(), hints.from_pipe);
        return Ok((format, columns));
    }
    let delimiter = match (hints.delimiter, name) {
        (Some(delimiter), _) => Some(delimiter),
        (None, Some("tsv")) => Some(b'\t'),
        (None, _) => None,
    };
    let is_free = name.is_none() && hints.delimiter.is_none();
    let csv = |is_asked_for| {
        guess_csv::columns(
            sample,
            sample_is_whole_input,
            delimiter,
            is_asked_for,
            hints,
        )
    };
    if !is_free || hints.header != Header::Auto {
        return csv(!is_free);
    }
    let lines = |layout| Ok(guess_lines::columns(layout, sample, hints));
    if let Some(layout) = drawn_table(sample).filter(|_| !hints.only_line) {
        return lines(layout);
    }
    if guess_csv::begins_with_names(sample, sample_is_whole_input, hints) {
        return csv(false);
    }
    // What came before the first object are rejects.
    if hints.from_pipe
        && holds_object(last_line(sample))
        && let Some(format) = json_format(None, last_line(sample), true, hints)
    {
        let columns = guess_ndjson::columns(sample, format.json_wrapping(), true);
        return Ok((format, columns));
    }
    if let Some(layout) = recognized_layout(sample) {
        return lines(layout);
    }
    match csv(false) {
        Ok(found) if !hints.only_line => Ok(found),
        // The elements of a JSON array are no lines.
        Err(error) if begins_array(sample) => Err(error),
        _ => {
            let alone = || sample_is_whole_input.then(|| table_without_rows(sample));
            let table = table_of_blanks(sample).or_else(|| alone().flatten());
            lines(table.unwrap_or(Layout::Lines))
        }
    }
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

/// True for an integer beyond 2⁵³: an identifier, which a DOUBLE cannot be relied on to hold.
fn is_rounded_by_double(text: &str) -> bool {
    const LARGEST: u64 = 1 << 53;
    let number: Option<i64> = text.parse().ok();
    number.is_some_and(|number| number.unsigned_abs() > LARGEST)
}

pub(super) fn guess_column(
    column: &SampleColumn,
    may_lack_year: bool,
    hints: &Hints,
) -> GuessedColumn {
    let (mut numbers, mut decimals, mut booleans, mut texts, mut nested) = (0, 0, 0, 0, 0);
    let mut is_large = false;
    for value in &column.values {
        match value {
            SampleValue::Null => {}
            SampleValue::Boolean => booleans += 1,
            SampleValue::Integer(text) => {
                numbers += 1;
                is_large |= is_rounded_by_double(text);
            }
            SampleValue::Decimal(_) => (numbers, decimals) = (numbers + 1, decimals + 1),
            SampleValue::Text(_) => texts += 1,
            SampleValue::Nested(_) => nested += 1,
        }
    }
    let mut guessed = GuessedColumn {
        name: column.name.clone(),
        source: column.name.clone(),
        path: Vec::new(),
        data_type: DataType::Utf8View,
        time_format: None,
        exact_integers: false,
        unshown: numbers + booleans + texts + nested == 0,
    };
    match (numbers, booleans, texts, nested) {
        (1.., 0, 0, 0) => {
            let is_double = decimals > 0 || (hints.from_pipe && !is_large);
            guessed.data_type = if is_double {
                DataType::Float64
            } else {
                DataType::Int64
            };
            guessed.exact_integers = hints.from_pipe && is_double;
        }
        (0, 1.., 0, 0) => guessed.data_type = DataType::Boolean,
        (0, 0, 0, 1..) => {
            if let Some(data_type) = guess_nested::nested_type(&column.values, hints) {
                guessed.data_type = data_type;
                guessed.exact_integers = hints.from_pipe;
            }
        }
        (0, 0, 1.., 0) => {
            if let Some((data_type, format)) =
                guess_time::time_type(column, hints.zone, may_lack_year)
            {
                guessed.data_type = data_type;
                guessed.time_format = format;
            }
        }
        _ => {}
    }
    guessed
}

/// The column of that exact name, else the only one of that name ignoring case.
pub(super) fn find_column(columns: &[GuessedColumn], name: &str) -> Option<usize> {
    place_of_name(columns.iter().map(|column| column.name.as_str()), name)
}

/// Why [`find_column`] has found none.
pub(super) fn no_column(columns: &[GuessedColumn], name: &str, flag: &str) -> Error {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if let Err(error) = only_place_of_name(names.iter().copied(), name) {
        return error.note(format!("{flag} names it"));
    }
    Error::usage(format!(
        "{flag} names column `{name}`, which the input does not have"
    ))
    .note(format!("columns: {}", names.join(", ")))
    .suggest(name, names)
}

#[cfg(test)]
#[path = "guess/tests.rs"]
mod tests;
