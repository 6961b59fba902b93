//! The settings of a session: what flags say and `SET` changes.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::DataType;

use super::begin::begin;
use super::values::{
    delimiter, duration, epoch_unit, number, one_of, size, threads, truth, types, zone,
};
use crate::catalog::{Header, UserFormat};
use crate::connect::{Begin, Compression};
use crate::error::{Error, Result};
use crate::format::{DEFAULT_MAX_RECORD_BYTES, Encoding, Pattern, parse_format_name};
use crate::time::{EpochUnit, Interval, Zone, check_strftime};

/// `--on-error`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Bad rows are left out and counted.
    #[default]
    Skip,
    /// The first one stops the run.
    Fail,
}

/// The words for it.
pub(super) const ON_ERROR: [(&str, OnError); 2] =
    [("skip", OnError::Skip), ("fail", OnError::Fail)];

/// `--on-interrupt`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInterrupt {
    /// Open windows are not printed.
    #[default]
    Drop,
    /// Open windows are printed as at the end of input.
    Emit,
}

/// The words for it.
pub(super) const ON_INTERRUPT: [(&str, OnInterrupt); 2] =
    [("drop", OnInterrupt::Drop), ("emit", OnInterrupt::Emit)];

/// The words for whether csv begins with names.
pub(super) const HEADERS: [(&str, Header); 5] = [
    ("auto", Header::Auto),
    ("yes", Header::Yes),
    ("no", Header::No),
    ("true", Header::Yes),
    ("false", Header::No),
];

/// The words for what becomes of bytes that are not UTF-8.
pub(super) const ENCODINGS: [(&str, Encoding); 3] = [
    ("strict", Encoding::Strict),
    ("lossy", Encoding::Lossy),
    ("latin1", Encoding::Latin1),
];

/// The settings of a session.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the tables `stdin` and `input` read; empty: standard input.
    pub files: Vec<String>,
    /// Further tables: name and path.
    pub tables: Vec<(String, String)>,
    /// `:name` and its value.
    pub parameters: Vec<(String, String)>,
    /// Name of the record format; `None` to guess.
    pub input_format: Option<String>,
    /// The expression of the format regex.
    pub regex: Option<String>,
    /// The formats that the user has defined.
    pub user_formats: Arc<[UserFormat]>,
    /// When the session began, in seconds since 1970.
    pub now_seconds: i64,
    /// The byte between fields; `None` to guess.
    pub delimiter: Option<u8>,
    /// Whether csv begins with names.
    pub input_header: Header,
    /// Types of columns that are not to be guessed.
    pub types: Vec<(String, DataType)>,
    /// The words that mean NULL, if not the usual ones.
    pub nulls: Option<Vec<String>>,
    /// What becomes of bytes that are not UTF-8.
    pub encoding: Encoding,
    /// How inputs are compressed, if their first bytes are not to tell.
    pub compression: Compression,
    /// The longest record in bytes.
    pub max_record_bytes: usize,
    /// The time column, if it is not to be guessed.
    pub ts: Option<String>,
    /// How its texts are written (strftime).
    pub ts_format: Option<String>,
    /// The unit of its numbers.
    pub ts_unit: Option<EpochUnit>,
    /// `--delay`; `None` for 5 s.
    pub delay: Option<Interval>,
    /// `--max-jump`; `None` for a day.
    pub max_jump: Option<Interval>,
    /// `--idle-timeout`; `None` where watermarks wait for rows.
    pub idle_timeout: Option<Interval>,
    /// The zone of times without one, and of what is shown.
    pub zone: Zone,
    /// Files are read one after the other.
    pub in_order: bool,
    /// Files are followed, as `tail -F` does.
    pub follow: bool,
    /// Where following begins, as [`begin`] reads it; `None` for the start.
    pub from: Option<String>,
    /// Where results go, if not to standard output.
    pub output: Option<PathBuf>,
    /// Where late rows go.
    pub late: Option<PathBuf>,
    /// Where rejected and untimed records go.
    pub rejects: Option<PathBuf>,
    /// Where the counters go.
    pub stats: Option<PathBuf>,
    /// What a bad row does.
    pub on_error: OnError,
    /// How many bad rows are accepted; `None` for any number.
    pub max_errors: Option<u64>,
    /// Columns that the query does not read are checked, too.
    pub strict: bool,
    /// What becomes of open windows at a signal.
    pub on_interrupt: OnInterrupt,
    /// How many threads may work; `None` for one on each core.
    pub threads: Option<usize>,
    /// How many bytes are decoded at once.
    pub block_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            files: Vec::new(),
            tables: Vec::new(),
            parameters: Vec::new(),
            input_format: None,
            regex: None,
            user_formats: Arc::new([]),
            now_seconds: 0,
            delimiter: None,
            input_header: Header::default(),
            types: Vec::new(),
            nulls: None,
            encoding: Encoding::default(),
            compression: Compression::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            ts: None,
            ts_format: None,
            ts_unit: None,
            delay: None,
            max_jump: None,
            idle_timeout: None,
            zone: Zone::UTC,
            in_order: false,
            follow: false,
            from: None,
            output: None,
            late: None,
            rejects: None,
            stats: None,
            on_error: OnError::default(),
            max_errors: None,
            strict: false,
            on_interrupt: OnInterrupt::default(),
            threads: None,
            block_bytes: DEFAULT_BLOCK_BYTES,
        }
    }
}

/// The names that `SET` knows.
pub(super) const SETTINGS: [&str; 24] = [
    "delay",
    "max-jump",
    "idle-timeout",
    "tz",
    "ts",
    "ts-format",
    "ts-unit",
    "in-order",
    "follow",
    "from",
    "input-format",
    "regex",
    "delimiter",
    "input-header",
    "types",
    "nulls",
    "encoding",
    "compression",
    "on-error",
    "max-errors",
    "strict",
    "max-record",
    "on-interrupt",
    "threads",
];

/// Bytes that are decoded at once: what the second cache of a core holds with its columns.
const DEFAULT_BLOCK_BYTES: usize = 1 << 18;

impl Options {
    /// The files that flags have written, each with its flag.
    pub(super) fn written_files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let files = [
            ("-o", &self.output),
            ("--late", &self.late),
            ("--rejects", &self.rejects),
            ("--stats-json", &self.stats),
        ];
        (files.into_iter()).filter_map(|(flag, path)| Some((flag, path.as_ref()?)))
    }

    /// The delay of watermarks that no table declares.
    pub fn delay(&self) -> Interval {
        self.delay.unwrap_or(Interval::from_seconds(5))
    }

    /// The largest step ahead that is believed of one row alone.
    pub fn max_jump(&self) -> Interval {
        self.max_jump.unwrap_or(Interval::from_seconds(86_400))
    }

    /// Where following begins.
    ///
    /// # Errors
    /// A time that the zone does not have.
    pub(super) fn begin(&self) -> Result<Begin> {
        match &self.from {
            Some(from) => begin("from", from, self.zone, self.now_seconds),
            None => Ok(Begin::Start),
        }
    }

    /// True for `--from TIME`.
    pub fn begins_at_a_time(&self) -> bool {
        matches!(self.begin(), Ok(Begin::Since(_)))
    }

    /// The name of an input format in any spelling, the user's own among them.
    fn format_name(&self, text: &str) -> Result<String> {
        let names = self.user_formats.iter().map(|format| format.pattern.name());
        if names.clone().any(|name| name == text) {
            return Ok(text.to_string());
        }
        parse_format_name(text).map(String::from).map_err(|error| {
            let own: Vec<&str> = names.clone().collect();
            match own.as_slice() {
                [] => error,
                own => error.note(format!("of your config file: {}", own.join(", "))),
            }
        })
    }

    /// Sets what the flag `--name value` sets; `-` and `_` are the same.
    ///
    /// # Errors
    /// No such setting, or a value that it does not take.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.set_as(name, name, value)
    }

    /// Sets what the flag `--name value` sets; messages call it `shown`.
    ///
    /// # Errors
    /// As [`Options::set`].
    pub fn set_as(&mut self, shown: &str, name: &str, value: &str) -> Result<()> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        match name.as_str() {
            "delay" => self.delay = Some(duration(shown, value)?),
            "max-jump" => self.max_jump = Some(duration(shown, value)?),
            "idle-timeout" => self.idle_timeout = Some(duration(shown, value)?),
            "tz" => self.zone = zone(value)?,
            "ts" => self.ts = Some(value.to_string()),
            "ts-format" => {
                check_strftime(value)?;
                self.ts_format = Some(value.to_string());
            }
            "ts-unit" => self.ts_unit = Some(epoch_unit(shown, value)?),
            "in-order" => self.in_order = truth(shown, value)?,
            "follow" => self.follow = truth(shown, value)?,
            "from" => {
                // A zone may still be said.
                begin(shown, value, self.zone, self.now_seconds)?;
                self.from = Some(value.trim().to_owned());
            }
            "input-format" => {
                let guessed = value.eq_ignore_ascii_case("auto");
                self.input_format = (!guessed).then(|| self.format_name(value)).transpose()?;
            }
            "regex" => self.regex = Some(Pattern::new("regex", value)?.text().to_string()),
            "delimiter" => self.delimiter = Some(delimiter(value)?),
            "input-header" => self.input_header = one_of(shown, value, &HEADERS)?,
            "types" => self.types = types(value)?,
            "nulls" => self.nulls = Some(value.split(',').map(String::from).collect()),
            "encoding" => self.encoding = one_of(shown, value, &ENCODINGS)?,
            "compression" => self.compression = one_of(shown, value, &Compression::NAMES)?,
            "on-error" => self.on_error = one_of(shown, value, &ON_ERROR)?,
            "max-errors" => self.max_errors = Some(number(shown, value)?),
            "strict" => self.strict = truth(shown, value)?,
            "max-record" => self.max_record_bytes = size(shown, value)?,
            "on-interrupt" => self.on_interrupt = one_of(shown, value, &ON_INTERRUPT)?,
            "threads" => self.threads = Some(threads(shown, value)?),
            _ => {
                let error = Error::usage(format!("there is no setting `{shown}`"))
                    .note(format!("settings: {}", SETTINGS.join(", ")));
                return Err(error.suggest(&name, SETTINGS.iter().copied()));
            }
        }
        Ok(())
    }
}
