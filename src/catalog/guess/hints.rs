//! What flags and options say about an input before anything of it is seen.

use std::sync::Arc;

use arrow::datatypes::DataType;

use crate::format::{DEFAULT_MAX_RECORD_BYTES, Encoding, Nulls, Pattern};
use crate::time::{EpochUnit, Zone};

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
