//! Where the value of a setting comes from, as `.show` tells.

use std::collections::BTreeMap;
use std::fmt;

use clap::ArgMatches;
use clap::parser::ValueSource;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A flag.
    Flag,
    /// A variable `TUMBLE_…`.
    Environment,
    /// The init file of the config folder.
    Config,
    /// The file of `--init`, or of `.read`.
    File,
    /// `SET`.
    Set,
    /// A dot command.
    Command,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Default => "default",
            Origin::Flag => "flag",
            Origin::Environment => "environment",
            Origin::Config => "config",
            Origin::File => "file",
            Origin::Set => "SET",
            Origin::Command => "command",
        })
    }
}

/// The settings that flags and variables give, by the names of the flags.
pub type Origins = BTreeMap<String, Origin>;

/// Where the values of a command line come from.
pub fn origins(matches: &ArgMatches) -> Origins {
    let mut origins = Origins::new();
    for id in matches.ids() {
        let origin = match matches.value_source(id.as_str()) {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ => continue,
        };
        let name = match id.as_str() {
            // Its short forms.
            "format" | "csv" | "tsv" | "json" | "ndjson" => "mode",
            id => id,
        };
        origins.insert(name.replace('_', "-"), origin);
    }
    origins
}
