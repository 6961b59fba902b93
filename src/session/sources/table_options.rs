//! The options of `WITH (…)`, and what the session's settings say where a table says nothing.

use super::definition::{Place, places};
use crate::catalog::{Header, Hints};
use crate::error::{Error, Result};
use crate::format::{Nulls, parse_format_name};
use crate::plan::names_closest;
use crate::session::options::{InputHeader, Options, delimiter, size};
use crate::sql::CreateTable;
use crate::time::{EpochUnit, TimeFormat};

/// The options of `WITH (…)`.
pub(super) struct TableOptions {
    /// Where its records are.
    pub places: Vec<Place>,
    /// How they are written.
    pub hints: Hints,
    /// How its times are written.
    pub time_format: Option<TimeFormat>,
}

const KEYS: [&str; 14] = [
    "path",
    "format",
    "delimiter",
    "header",
    "nulls",
    "encoding",
    "ts",
    "ts_format",
    "ts_unit",
    "max_record",
    "connector",
    "csv.field-delimiter",
    "csv.null-literal",
    "csv.header",
];

impl TableOptions {
    /// Reads the options of a table.
    ///
    /// # Errors
    /// An option that does not exist, or a value that it does not take.
    pub(super) fn read(create: &CreateTable, options: &Options) -> Result<Self> {
        let mut hints = hints(options);
        let mut paths: Vec<String> = Vec::new();
        let mut time_format = None;
        for option in &create.options {
            let value = option.value.as_str();
            let read = match option.key.replace('-', "_").as_str() {
                "path" => {
                    paths.push(value.strip_prefix("file://").unwrap_or(value).to_string());
                    Ok(())
                }
                "format" => {
                    parse_format_name(value).map(|name| hints.format = Some(name.to_string()))
                }
                "delimiter" | "csv.field_delimiter" => {
                    delimiter(value).map(|byte| hints.delimiter = Some(byte))
                }
                "header" | "csv.header" => header(value).map(|header| hints.header = header),
                "nulls" | "csv.null_literal" => {
                    hints.nulls = Nulls::Words(value.split(',').map(String::from).collect());
                    Ok(())
                }
                "encoding" => {
                    let mut read = Options::default();
                    read.set("encoding", value)
                        .map(|()| hints.encoding = read.encoding)
                }
                "ts" => {
                    hints.ts = Some(value.to_string());
                    Ok(())
                }
                "ts_format" => {
                    hints.ts_format = Some(value.to_string());
                    time_format = Some(TimeFormat::Strftime(value.to_string()));
                    Ok(())
                }
                "ts_unit" => EpochUnit::parse(value).map(|unit| {
                    hints.ts_unit = Some(unit);
                    time_format = Some(TimeFormat::Epoch(unit));
                }),
                "max_record" => {
                    size("max_record", value).map(|bytes| hints.max_record_bytes = bytes)
                }
                "connector" if value.eq_ignore_ascii_case("filesystem") => Ok(()),
                "connector" => Err(
                    Error::unsupported(format!("connector `{value}` is not built"))
                        .help("what works now: 'filesystem', with a path"),
                ),
                other => {
                    let error = Error::plan(format!("there is no option `{other}`"))
                        .note(format!("options: {}", KEYS.join(", ")));
                    Err(match names_closest(other, KEYS.iter().copied()) {
                        Some(near) => error.label(format!("did you mean `{near}`?")),
                        None => error,
                    })
                }
            };
            read.map_err(|error| error.at_least(Some(option.span)))?;
        }
        // What holds for the whole session holds where the table does not say otherwise.
        let places = match paths.as_slice() {
            [] if options.files.is_empty() => vec![Place::Stdin],
            [] => places(&options.files)?,
            paths => places(paths)?,
        };
        if time_format.is_none() {
            time_format = match (&options.ts_format, options.ts_unit) {
                (Some(format), _) => Some(TimeFormat::Strftime(format.clone())),
                (None, Some(unit)) => Some(TimeFormat::Epoch(unit)),
                (None, None) => None,
            };
        }
        Ok(TableOptions {
            places,
            hints,
            time_format,
        })
    }
}

fn header(value: &str) -> Result<Header> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(Header::Auto),
        "yes" | "true" | "on" | "1" => Ok(Header::Yes),
        "no" | "false" | "off" | "0" => Ok(Header::No),
        _ => {
            Err(Error::plan(format!("`{value}` is no value of header"))
                .help("values: auto, yes, no"))
        }
    }
}

/// What the settings say about records.
pub(super) fn hints(options: &Options) -> Hints {
    Hints {
        format: options.input_format.clone(),
        delimiter: options.delimiter,
        header: match options.input_header {
            InputHeader::Auto => Header::Auto,
            InputHeader::Yes => Header::Yes,
            InputHeader::No => Header::No,
        },
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
