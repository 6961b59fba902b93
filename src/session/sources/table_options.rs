//! The options of `WITH (…)`: what the session's settings say, but for one table.

use super::definition::{Place, places};
use std::sync::Arc;

use crate::catalog::Hints;
use crate::connect::Compression;
use crate::error::{Error, Result};
use crate::format::Nulls;
use crate::session::options::{Options, truth};
use crate::sql::{CreateTable, TableOption};
use crate::time::TimeFormat;

/// The options of `WITH (…)`.
pub(super) struct TableOptions {
    /// Where its records are.
    pub places: Vec<Place>,
    /// How their bytes are compressed.
    pub compression: Compression,
    /// How they are written.
    pub hints: Hints,
    /// How its times are written.
    pub time_format: Option<TimeFormat>,
}

/// The options, each with the setting of the session that it is for this table; Flink's spellings, too.
const SETTINGS: [(&str, &str); 15] = [
    ("format", "input-format"),
    ("regex", "regex"),
    ("delimiter", "delimiter"),
    ("csv.field-delimiter", "delimiter"),
    ("header", "input-header"),
    ("csv.header", "input-header"),
    ("nulls", "nulls"),
    ("csv.null-literal", "nulls"),
    ("encoding", "encoding"),
    ("compression", "compression"),
    ("ts", "ts"),
    ("ts_format", "ts-format"),
    ("ts_unit", "ts-unit"),
    ("max_record", "max-record"),
    ("types", "types"),
];

impl TableOptions {
    /// Reads the options of a table.
    ///
    /// # Errors
    /// An option that does not exist, or a value that it does not take.
    pub(super) fn read(create: &CreateTable, options: &Options) -> Result<Self> {
        let mut options = options.clone();
        let mut paths: Vec<String> = Vec::new();
        for option in &create.options {
            let read = apply(option, &mut options, &mut paths);
            read.map_err(|error| error.at_least(Some(option.span)))?;
        }
        let places = match paths.as_slice() {
            [] if options.files.is_empty() => vec![Place::Stdin],
            [] => places(&options.files)?,
            paths => places(paths)?,
        };
        let hints = hints(&options);
        if let Some(format) = hints.user_format()
            && (&options.ts_format, options.ts_unit) == (&None, None)
        {
            options.ts_format.clone_from(&format.ts_format);
            options.ts_unit = format.ts_unit;
        }
        let time_format = match (&options.ts_format, options.ts_unit) {
            (Some(format), _) => Some(TimeFormat::Strftime(format.clone())),
            (None, Some(unit)) => Some(TimeFormat::Epoch(unit)),
            (None, None) => None,
        };
        Ok(TableOptions {
            places,
            compression: options.compression,
            hints,
            time_format,
        })
    }
}

fn apply(option: &TableOption, options: &mut Options, paths: &mut Vec<String>) -> Result<()> {
    let value = option.value.as_str();
    let same = |key: &str| key.replace('_', "-") == option.key.replace('_', "-");
    if let Some((_, setting)) = SETTINGS.iter().find(|(key, _)| same(key)) {
        return options.set_as(&option.key, setting, value);
    }
    match option.key.as_str() {
        "path" => {
            paths.push(value.strip_prefix("file://").unwrap_or(value).to_string());
            Ok(())
        }
        // Of the sink that the table may be.
        "append" => truth("append", value).map(drop),
        "connector" if value.eq_ignore_ascii_case("filesystem") => Ok(()),
        "connector" => Err(
            Error::unsupported(format!("connector `{value}` is not built"))
                .help("what works now: 'filesystem', with a path"),
        ),
        other => {
            let known = || {
                ["path", "append", "connector"]
                    .into_iter()
                    .chain(SETTINGS.iter().map(|(key, _)| *key))
            };
            let error = Error::plan(format!("there is no option `{other}`")).note(format!(
                "options: {}",
                known().collect::<Vec<_>>().join(", ")
            ));
            Err(error.suggest(other, known()))
        }
    }
}

/// What the settings say about records.
pub(super) fn hints(options: &Options) -> Hints {
    Hints {
        format: options.input_format.clone(),
        regex: options.regex.clone(),
        user_formats: Arc::clone(&options.user_formats),
        only_line: false,
        delimiter: options.delimiter,
        header: options.input_header,
        nulls: options.nulls.clone().map_or(Nulls::Default, Nulls::Words),
        encoding: options.encoding,
        max_record_bytes: options.max_record_bytes,
        types: options.types.clone(),
        from_pipe: false,
        ts: options.ts.clone(),
        ts_format: options.ts_format.clone(),
        ts_unit: options.ts_unit,
        zone: options.zone,
    }
}
