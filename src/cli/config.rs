//! The config file: formats that the user has defined, by name.
//!
//! ```text
//!  ~/.config/tumble/config.toml
//!    [formats.myapp]
//!    regex = '^(?<when>\S+) \[(?<level>\w+)\] (?<message>.*)$'
//!    ts = "when"                     the group that is the time; without it that is guessed
//!    ts_format = "%d.%m.%Y-%H:%M:%S"  or ts_unit = "ms"
//! ```
//!
//! Such a format is used where it is named (`--input-format myapp`) and nowhere else, so that a query without the
//! name means the same everywhere.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::catalog::UserFormat;
use crate::error::{Error, Result};
use crate::format::{Pattern, parse_format_name};
use crate::time::{EpochUnit, check_strftime};

/// What a format may say.
const KEYS: [&str; 4] = ["regex", "ts", "ts_format", "ts_unit"];

/// The formats of the config file; none if there is no such file.
///
/// # Errors
/// The file cannot be read, or says something that has no meaning.
pub fn user_formats() -> Result<Vec<UserFormat>> {
    let Some(path) = path("config.toml") else {
        return Ok(Vec::new());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => formats_of(&text).map_err(|error| error.note(format!("in {}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::outside(
            format!("cannot read `{}`", path.display()),
            crate::connect::Reason(&error),
        )
        .help("-X runs without it")),
    }
}

/// A file in `$XDG_CONFIG_HOME/tumble`, else below `~/.config`.
pub fn path(name: &str) -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(config.join("tumble").join(name))
}

fn formats_of(text: &str) -> Result<Vec<UserFormat>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        Error::usage("the config file is no TOML").note(error.to_string().trim_end())
    })?;
    let mut formats = Vec::new();
    for (name, value) in &table {
        match (name.as_str(), value) {
            ("formats", Value::Table(entries)) => {
                for (name, entry) in entries {
                    let format = user_format(name, entry);
                    formats.push(format.map_err(|error| error.note(format!("[formats.{name}]")))?);
                }
            }
            _ => {
                return Err(
                    Error::usage(format!("the config file has no setting `{name}`"))
                        .note("it holds formats: [formats.NAME] with regex = '…'")
                        .suggest(name, ["formats"]),
                );
            }
        }
    }
    Ok(formats)
}

fn user_format(name: &str, value: &Value) -> Result<UserFormat> {
    let is_word = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_word || name.is_empty() {
        return Err(Error::usage(format!("`{name}` is no name of a format"))
            .help("a name is of letters, digits, `_` and `-`"));
    }
    if name.eq_ignore_ascii_case("auto") || parse_format_name(name).is_ok() {
        return Err(
            Error::usage(format!("the format `{name}` exists already")).help("choose another name")
        );
    }
    let Value::Table(entries) = value else {
        return Err(Error::usage(format!("`{name}` is no table"))
            .help(format!("write [formats.{name}] and below it regex = '…'")));
    };
    for (key, value) in entries {
        if !KEYS.contains(&key.as_str()) {
            return Err(Error::usage(format!("a format has no setting `{key}`"))
                .note(format!("settings: {}", KEYS.join(", ")))
                .suggest(key, KEYS));
        }
        if !value.is_str() {
            return Err(Error::usage(format!("`{key}` takes a text in quotes")));
        }
    }
    let text = |key: &str| entries.get(key).and_then(Value::as_str);
    let Some(regex) = text("regex") else {
        return Err(Error::usage(format!("the format `{name}` has no regex"))
            .help("regex = '(?<level>\\w+) (?<message>.*)' says which part is which column"));
    };
    let (ts_format, ts_unit) = (text("ts_format"), text("ts_unit"));
    if ts_format.is_some() && ts_unit.is_some() {
        return Err(Error::usage("ts_format and ts_unit contradict each other"));
    }
    ts_format.map_or(Ok(()), check_strftime)?;
    Ok(UserFormat {
        pattern: Pattern::new(name, regex)?.with_time(text("ts"))?,
        ts_format: ts_format.map(str::to_owned),
        ts_unit: ts_unit.map(EpochUnit::parse).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let text = "[formats.myapp]\nregex = '(?<when>\\S+) (?<message>.*)'\nts = \"when\"\nts_unit = \"ms\"\n";
        let formats = formats_of(text).unwrap();
        assert_eq!(formats.len(), 1);
        assert_eq!(formats[0].pattern.name(), "myapp");
        assert_eq!(formats[0].ts_unit, Some(EpochUnit::Millisecond));
        assert!(formats_of("").unwrap().is_empty());
    }

    #[test]
    fn what_is_refused() {
        let check = |text: &str, message: &str| {
            let error = formats_of(text).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        };
        check("[formats", "the config file is no TOML");
        check("format = 1", "did you mean `formats`?");
        check("[formats.csv]\nregex = '(?<a>.)'", "`csv` exists already");
        check("[formats.a]\nregexp = '(?<a>.)'", "did you mean `regex`?");
        check("[formats.a]\nregex = 1", "takes a text in quotes");
        check("[formats.a]\nts = 'a'", "has no regex");
        check(
            "[formats.a]\nregex = '(?<a>.'",
            "no regular expression: unclosed group",
        );
        check(
            "[formats.a]\nregex = '(?<a>.)'\nts = 'b'",
            "has no such group",
        );
        check(
            "[formats.a]\nregex = '(?<a>.)'\nts_unit = 'h'",
            "no unit of epoch numbers",
        );
        check("[formats]\na = 1", "is no table");
    }
}
