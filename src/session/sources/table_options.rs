//! The options of `WITH (…)`: what the session's settings say, but for one table.

use std::sync::Arc;
use std::time::Duration;

use super::STDIN_NAMES;
use super::definition::{Access, Followed, Place, places};
use crate::catalog::Hints;
use crate::connect::{Address, Reconnect, SocketOptions};
use crate::error::{Error, Result};
use crate::format::Nulls;
use crate::runtime::SourceGate;
use crate::session::options::Options;
use crate::session::values::{duration, number, one_of, truth};
use crate::sql::{CreateTable, TableOption};
use crate::time::{Interval, TimeFormat};

/// The options of `WITH (…)`.
pub(super) struct TableOptions {
    /// Where its records are.
    pub places: Vec<Place>,
    /// How their bytes are come by.
    pub access: Access,
    /// How they are written.
    pub hints: Hints,
    /// How its times are written.
    pub time_format: Option<TimeFormat>,
    /// After how long without a row its event time goes on with the clock.
    pub idle_timeout: Option<Interval>,
    /// What a bad row does.
    pub gate: SourceGate,
}

/// What the options say that no setting of the session has.
#[derive(Default)]
struct OfTable {
    paths: Vec<String>,
    socket: SocketOptions,
    idle_timeout: Option<Interval>,
    gate: SourceGate,
}

/// The options, each with the setting of the session that it is for this table; Flink's spellings, too.
const SETTINGS: [(&str, &str); 18] = [
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
    ("follow", "follow"),
    ("from", "from"),
    ("ts", "ts"),
    ("ts_format", "ts-format"),
    ("ts_unit", "ts-unit"),
    ("timezone", "tz"),
    ("max_record", "max-record"),
    ("types", "types"),
];

/// The options that no setting of the session has.
const PLACES: [&str; 10] = [
    "path",
    "append",
    "address",
    "reconnect",
    "connect_timeout",
    "read_timeout",
    "max_connections",
    "idle_timeout",
    "on_error",
    "connector",
];

impl TableOptions {
    /// Reads the options of a table.
    ///
    /// # Errors
    /// An option that does not exist, or a value that it does not take.
    pub(super) fn read(create: &CreateTable, options: &Options) -> Result<Self> {
        let mut options = options.clone();
        let mut of_table = OfTable::default();
        for option in &create.options {
            let read = apply(option, &mut options, &mut of_table);
            read.map_err(|error| error.at_least(Some(option.span)))?;
        }
        let paths = match of_table.paths.as_slice() {
            [] => options.files.clone(),
            _ => of_table.paths,
        };
        if let (Some(from), false) = (
            create.options.iter().find(|o| o.key == "from"),
            options.follow,
        ) {
            return Err(
                Error::plan("`from` says where following begins, and nothing is followed")
                    .at_least(Some(from.span))
                    .help("add follow = 'yes'"),
            );
        }
        refuse_of_other_places(&create.options, &paths)?;
        let follow = Followed::of(&paths, &options)?;
        let places = places(&paths, follow.is_some())?;
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
            access: Access {
                compression: options.compression,
                socket: of_table.socket,
                follow,
            },
            idle_timeout: of_table.idle_timeout,
            gate: of_table.gate,
            hints,
            time_format,
        })
    }
}

/// What is to say where a table takes the name of the FILE arguments and reads other files.
pub(in crate::session) fn hidden_files(create: &CreateTable, files: &[String]) -> Option<String> {
    let name = &create.name.value;
    let is_of_files = STDIN_NAMES.iter().any(|own| own.eq_ignore_ascii_case(name));
    let places = create.options.iter();
    let places = places.filter(|option| matches!(option.key.as_str(), "path" | "address"));
    let is_read = |file: &&String| places.clone().any(|place| place.value == **file);
    if !is_of_files || places.clone().next().is_none() {
        return None;
    }
    let hidden: Vec<&str> = (files.iter().filter(|file| !is_read(file)))
        .map(String::as_str)
        .collect();
    (!hidden.is_empty()).then(|| {
        let hidden = hidden.join(", ");
        format!("the table `{name}` stands for the FILE arguments no more: {hidden} is not read; another name keeps both")
    })
}

/// Reads an option about the use of sockets; false if it is about something else.
pub(in crate::session) fn apply_to_socket(
    option: &TableOption,
    socket: &mut SocketOptions,
) -> Result<bool> {
    let value = option.value.as_str();
    match option.key.replace('-', "_").as_str() {
        "reconnect" => {
            let words = [
                ("never", Reconnect::Never),
                ("broken", Reconnect::Broken),
                ("always", Reconnect::Always),
            ];
            socket.reconnect = one_of(&option.key, value, &words)?;
        }
        "connect_timeout" => {
            socket.connect_timeout = timeout(&option.key, value)?;
        }
        "read_timeout" => socket.read_timeout = Some(timeout(&option.key, value)?),
        "max_connections" => {
            let count = number(&option.key, value)?;
            if count == 0 {
                let what = format!("{} takes a number from 1, not `{value}`", option.key);
                return Err(Error::usage(what).help("no connection would be taken at all"));
            }
            socket.max_connections = usize::try_from(count).unwrap_or(usize::MAX);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Refuses options that say nothing about the places of a table.
fn refuse_of_other_places(options: &[TableOption], paths: &[String]) -> Result<()> {
    let mut addresses = Vec::with_capacity(paths.len());
    for path in paths {
        addresses.extend(Address::parse(path)?);
    }
    for option in options {
        let key = option.key.replace('-', "_");
        let refused = match (key.as_str(), addresses.as_slice()) {
            ("follow", [address, ..]) if truth("follow", &option.value)? => Some((
                format!("`follow` is of files, and `{address}` is a socket"),
                "leave it out: what comes through a socket is read as it comes",
            )),
            ("read_timeout", [address, ..]) if address.gives_messages() => Some((
                format!("`read_timeout` is of connections, and `{address}` takes datagrams"),
                "leave it out: nobody who sends datagrams holds anything open",
            )),
            ("reconnect" | "connect_timeout" | "read_timeout" | "max_connections", []) => Some((
                format!(
                    "`{}` is of sockets, and the table is read from none",
                    option.key
                ),
                "leave it out, or name a socket: address = 'tcp://host:port'",
            )),
            _ => None,
        };
        if let Some((what, help)) = refused {
            return Err(Error::plan(what).at_least(Some(option.span)).help(help));
        }
    }
    Ok(())
}

/// A time after which something is given up.
fn timeout(key: &str, value: &str) -> Result<Duration> {
    let nanoseconds = duration(key, value)?.fixed_nanoseconds();
    let nanoseconds = nanoseconds.and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    match nanoseconds {
        Some(0) => Err(
            Error::usage(format!("{key} takes a time above 0, not `{value}`"))
                .help("leave it out, or write it like 30s"),
        ),
        nanoseconds => Ok(Duration::from_nanos(nanoseconds.unwrap_or(u64::MAX))),
    }
}

fn apply(option: &TableOption, options: &mut Options, of_table: &mut OfTable) -> Result<()> {
    let value = option.value.as_str();
    let same = |key: &str| key.replace('_', "-") == option.key.replace('_', "-");
    if let Some((_, setting)) = SETTINGS.iter().find(|(key, _)| same(key)) {
        return options.set_as(&option.key, setting, value);
    }
    if apply_to_socket(option, &mut of_table.socket)? {
        return Ok(());
    }
    let paths = &mut of_table.paths;
    match option.key.as_str() {
        "address" if Address::parse(value)?.is_some() => {
            paths.push(value.to_string());
            Ok(())
        }
        "address" => Err(Error::usage(format!("`{value}` is no address")).help(
            "write tcp://127.0.0.1:9000, tcp-listen://…, udp://…, unix:///path; a file is a path",
        )),
        "idle_timeout" | "idle-timeout" => {
            of_table.idle_timeout = Some(duration(&option.key, value)?);
            Ok(())
        }
        "on_error" | "on-error" => {
            let known = [("skip", SourceGate::Skip), ("fail", SourceGate::Fail)];
            of_table.gate = one_of(&option.key, value, &known)?;
            Ok(())
        }
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
                PLACES
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
        names: Vec::new(),
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
