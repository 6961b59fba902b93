//! The settings as a user would write them, for who looks at them: `delay` is `5s`.
//!
//! Invariant: a value that was set is shown as it can be set again; one that nobody set, as a word that says so.

use super::options::{ENCODINGS, HEADERS, ON_ERROR, ON_INTERRUPT, Options, SETTINGS};
use crate::connect::Compression;
use crate::data::type_name;
use crate::time::EpochUnit;

impl Options {
    /// The names that `SET` knows, each with its value.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, String)> {
        SETTINGS.into_iter().map(|name| (name, self.value_of(name)))
    }

    fn value_of(&self, name: &str) -> String {
        let text = |text: &Option<String>, none: &str| match text {
            Some(text) => text.clone(),
            None => none.to_owned(),
        };
        match name {
            "delay" => self.delay().to_string(),
            "max-jump" => self.max_jump().to_string(),
            "idle-timeout" => match self.idle_timeout {
                Some(timeout) => timeout.to_string(),
                None => String::from("none"),
            },
            "tz" => self.zone.name().to_owned(),
            "ts" => text(&self.ts, "auto"),
            "ts-format" => text(&self.ts_format, "auto"),
            "ts-unit" => match self.ts_unit {
                None => "auto",
                Some(EpochUnit::Second) => "s",
                Some(EpochUnit::Millisecond) => "ms",
                Some(EpochUnit::Microsecond) => "us",
                Some(EpochUnit::Nanosecond) => "ns",
            }
            .to_owned(),
            "in-order" => self.in_order.to_string(),
            "follow" => self.follow.to_string(),
            "from" => text(&self.from, "start"),
            "input-format" => text(&self.input_format, "auto"),
            "regex" => text(&self.regex, "none"),
            "delimiter" => match self.delimiter {
                None => String::from("auto"),
                Some(b'\t') => String::from("\\t"),
                Some(byte) => char::from(byte).to_string(),
            },
            "input-header" => word(&HEADERS, &self.input_header),
            "types" => {
                let types = self.types.iter();
                let types =
                    types.map(|(name, data_type)| format!("{name}={}", type_name(data_type)));
                match types.collect::<Vec<_>>().join(",") {
                    none if none.is_empty() => String::from("auto"),
                    types => types,
                }
            }
            "nulls" => match &self.nulls {
                None => String::from("auto"),
                Some(nulls) => nulls.join(","),
            },
            "encoding" => word(&ENCODINGS, &self.encoding),
            "compression" => word(&Compression::NAMES, &self.compression),
            "on-error" => word(&ON_ERROR, &self.on_error),
            "max-errors" => match self.max_errors {
                None => String::from("any"),
                Some(count) => count.to_string(),
            },
            "strict" => self.strict.to_string(),
            "max-record" => size(self.max_record_bytes),
            "on-interrupt" => word(&ON_INTERRUPT, &self.on_interrupt),
            "threads" => match self.threads {
                None => String::from("one for each core"),
                Some(count) => count.to_string(),
            },
            _ => String::new(),
        }
    }
}

fn word<T: PartialEq>(words: &[(&str, T)], value: &T) -> String {
    let found = words.iter().find(|(_, meaning)| meaning == value);
    found.map_or_else(String::new, |(word, _)| (*word).to_owned())
}

fn size(bytes: usize) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = |(shift, _): &(u32, &str)| bytes > 0 && bytes.is_multiple_of(1 << shift);
    match units.into_iter().find(whole) {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_set() {
        for (name, value) in [
            ("delay", "1m30s"),
            ("max-jump", "2h"),
            ("idle-timeout", "30s"),
            ("tz", "Europe/Berlin"),
            ("ts", "at"),
            ("ts-format", "%Y"),
            ("ts-unit", "us"),
            ("in-order", "true"),
            ("follow", "true"),
            ("from", "2026-01-01 12:00"),
            ("input-format", "csv"),
            ("regex", "(?<a>.)"),
            ("delimiter", "\\t"),
            ("input-header", "no"),
            ("types", "a=BIGINT,b=STRING"),
            ("nulls", "-,x"),
            ("encoding", "latin1"),
            ("compression", "gzip"),
            ("on-error", "fail"),
            ("max-errors", "3"),
            ("strict", "true"),
            ("max-record", "1MiB"),
            ("on-interrupt", "emit"),
            ("threads", "2"),
        ] {
            let mut options = Options::default();
            options.set(name, value).unwrap();
            assert_eq!(options.value_of(name), value);
        }
        let unsaid = Options::default();
        assert!(unsaid.shown().all(|(_, value)| !value.is_empty()));
        assert_eq!(unsaid.shown().count(), 24);
        assert_eq!(unsaid.value_of("max-record"), "16MiB");
    }
}
