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

use super::guess_inside::{column_inside, retype, shown_in};
use super::{guess_csv, guess_lines, guess_ndjson, guess_nested, guess_time};
use crate::error::{Error, Result};
use crate::format::{
    CsvOptions, DEFAULT_MAX_RECORD_BYTES, Encoding, Format, JsonSample, JsonWrapping, Layout,
    NdjsonOptions, Nulls, Pattern, ReadColumn, json_sample, layout_named, parse_format_name,
    recognized_layout, table_of_blanks,
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
    /// `--regex`.
    pub regex: Option<String>,
    /// The formats of the config file.
    pub user_formats: Arc<[UserFormat]>,
    /// True if the query reads nothing but the column `line`: no record of another format is waited for.
    pub only_line: bool,
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

/// A format that the user has defined.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFormat {
    /// What its lines look like, with its name and its time column.
    pub pattern: Pattern,
    /// How its times are written.
    pub ts_format: Option<String>,
    /// The unit of its times, if they are numbers.
    pub ts_unit: Option<EpochUnit>,
}

impl Hints {
    /// The user's format that `format` names.
    pub fn user_format(&self) -> Option<&UserFormat> {
        let name = self.format.as_deref()?;
        let mut formats = self.user_formats.iter();
        formats.find(|format| format.pattern.name() == name)
    }

    /// The layout of lines that `format` names, with what the sample shows of it; `None` if it is to be
    /// guessed, or no layout of lines.
    ///
    /// # Errors
    /// No such format, or what it needs is missing.
    pub(super) fn named_layout(&self, sample: &[u8]) -> Result<Option<Layout>> {
        if let Some(format) = self.user_format() {
            return Ok(Some(Layout::Pattern(format.pattern.clone())));
        }
        let name = match (&self.format, &self.regex) {
            (Some(name), _) if name != "auto" => parse_format_name(name)?,
            (_, Some(_)) => "regex",
            _ => return Ok(None),
        };
        if name != "regex" && self.regex.is_some() {
            return Err(
                Error::usage(format!("a regular expression and the format {name}"))
                    .help("the format of a regular expression is regex"),
            );
        }
        layout_named(name, sample, self.regex.as_deref())
    }

    /// True if `format` or a regular expression names a format of lines.
    pub(super) fn names_lines(&self) -> bool {
        let name = self.format.as_deref().filter(|name| *name != "auto");
        let is_other = |name: &str| {
            matches!(
                parse_format_name(name),
                Ok("csv" | "tsv" | "ndjson" | "arrow" | "parquet") | Err(_)
            )
        };
        match name {
            Some(name) => self.user_format().is_some() || !is_other(name),
            None => self.regex.is_some(),
        }
    }

    /// The same hints with the times of the format that is named, where nothing else is said of them.
    fn with_times_of(&self, layout: Option<&Layout>) -> Hints {
        let mut hints = self.clone();
        if self.ts.is_some() {
            return hints;
        }
        hints.ts = layout.and_then(Layout::time_column).map(str::to_owned);
        if let Some(format) = self.user_format()
            && (&hints.ts_format, hints.ts_unit) == (&None, None)
        {
            hints.ts_format.clone_from(&format.ts_format);
            hints.ts_unit = format.ts_unit;
        }
        hints
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
    let mut guess = Guess {
        format,
        columns,
        time_column: None,
        time_candidates: Vec::new(),
        notes: Vec::new(),
    };
    guess_time::find_time_column(&mut guess, &sampled, hints)?;
    guess.mark_time_of_pattern()?;
    Ok(guess)
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
    if guess_csv::begins_with_names(sample, sample_is_whole_input) {
        return csv(false);
    }
    if let Some(layout) = recognized_layout(sample) {
        return lines(layout);
    }
    match csv(false) {
        Ok(found) if !hints.only_line => Ok(found),
        // The elements of a JSON array are no lines.
        Err(error) if looks_like_array(sample) => Err(error),
        _ => lines(table_of_blanks(sample).unwrap_or(Layout::Lines)),
    }
}

/// `[{`, `[1`, `["a"`
fn looks_like_array(sample: &[u8]) -> bool {
    let inside = sample.trim_ascii_start().strip_prefix(b"[");
    let first = inside.map(|inside| inside.trim_ascii_start().first());
    matches!(first, Some(None | Some(b'{' | b'[' | b'"' | b'0'..=b'9')))
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

pub(super) fn guess_column(
    column: &SampleColumn,
    may_lack_year: bool,
    hints: &Hints,
) -> GuessedColumn {
    let (mut numbers, mut decimals, mut booleans, mut texts, mut nested) = (0, 0, 0, 0, 0);
    for value in &column.values {
        match value {
            SampleValue::Null => {}
            SampleValue::Boolean => booleans += 1,
            SampleValue::Integer(_) => numbers += 1,
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
            let is_double = decimals > 0 || hints.from_pipe;
            guessed.data_type = if is_double {
                DataType::Float64
            } else {
                DataType::Int64
            };
            guessed.exact_integers = hints.from_pipe;
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

/// Puts the types of `--types` in place of the guessed ones.
pub(super) fn apply_types(
    columns: &mut Vec<GuessedColumn>,
    format: &Format,
    hints: &Hints,
) -> Result<()> {
    for (name, data_type) in &hints.types {
        let data_type = &shown_in(data_type, hints.zone);
        let place = match find_column(columns, name) {
            Some(place) => place,
            None if retype(columns, name, data_type) => continue,
            None if format.has_fixed_columns() => return Err(no_column(columns, name, "--types")),
            None => {
                let column = column_inside(columns, name).unwrap_or(GuessedColumn {
                    name: name.clone(),
                    source: name.clone(),
                    path: Vec::new(),
                    data_type: DataType::Utf8View,
                    time_format: None,
                    exact_integers: false,
                    unshown: false,
                });
                columns.push(column);
                columns.len() - 1
            }
        };
        let column = &mut columns[place];
        column.exact_integers = false;
        column.unshown = false;
        column.time_format = Unit::of(data_type).map(|_| TimeFormat::Auto);
        column.data_type = data_type.clone();
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
