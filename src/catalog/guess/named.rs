//! What flags and options name is not guessed: the format, how its times are written, types.
//!
//! ```text
//!   -i syslog · WITH (format = 'orders')  ─► its layout, with what the sample shows of it
//!   --types a=STRING,b.c=BIGINT           ─► in the place of what was guessed, or a new column
//! ```

use arrow::datatypes::DataType;

use super::hints::{Hints, UserFormat};
use super::inside::{column_inside, retype, shown_in};
use super::sample::{GuessedColumn, find_column, no_column};
use crate::error::{Error, Result};
use crate::format::{
    Format, JsonSample, JsonWrapping, Layout, NdjsonOptions, Nulls, json_sample, layout_named,
    parse_format_name,
};
use crate::time::{TimeFormat, Unit};

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
    pub(super) fn with_times_of(&self, layout: Option<&Layout>) -> Hints {
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
        nulls: match &hints.nulls {
            Nulls::Default => Nulls::Words(Vec::new()),
            words @ Nulls::Words(_) => words.clone(),
        },
    };
    Some(match wrapping {
        None => Format::Ndjson(options),
        Some(wrapping) => Format::Json(wrapping, options),
    })
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
