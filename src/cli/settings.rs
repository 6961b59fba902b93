//! What the flags mean: words become values, and combinations that make no sense are refused.
//!
//! ```text
//! Args (words) ──► Settings (intervals, zones, formats, scripts, files)
//! ```

mod quantity;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::args::{
    Args, Encoding, EpochUnit, InputFormat, InputHeader, OnError, OnInterrupt, ScriptArg,
    named_path, sql_of,
};
use super::display::{self, Format};
use super::exit::Expect;
use super::messages::{Color, ErrorFormat};
use super::suggest;
use crate::error::{Error, Result};
use crate::time::{Interval, Zone};
pub(super) use quantity::flag_duration;
use quantity::{duration, size_bytes};

/// Everything that a run is told.
#[derive(Debug)]
pub struct Settings {
    /// What to run, in order; empty: SQL comes from standard input.
    pub scripts: Vec<ScriptArg>,
    /// What the tables `stdin` and `input` read; empty: standard input.
    pub files: Vec<PathBuf>,
    /// `:name` and its value.
    pub parameters: Vec<(String, String)>,
    /// Show the plan instead.
    pub explain: bool,
    /// Show the guess instead.
    pub describe: bool,
    /// How input is read.
    pub input: InputSettings,
    /// How time is read.
    pub time: TimeSettings,
    /// How results are written.
    pub output: OutputSettings,
    /// When a run counts as failed.
    pub gates: GateSettings,
    /// What is said.
    pub messages: MessageSettings,
}

/// How input is read.
#[derive(Debug)]
pub struct InputSettings {
    /// Format of the records.
    pub format: InputFormat,
    /// Byte between the fields of csv, if it is not to be guessed.
    pub delimiter: Option<u8>,
    /// Whether csv begins with names.
    pub header: InputHeader,
    /// Columns and their types, as SQL writes types.
    pub types: Vec<(String, String)>,
    /// The texts that mean NULL, if not the usual ones.
    pub nulls: Option<Vec<String>>,
    /// What is done with bytes that are not UTF-8.
    pub encoding: Encoding,
    /// Further tables: name and path.
    pub tables: Vec<(String, PathBuf)>,
    /// Longest record, in bytes.
    pub max_record_bytes: usize,
}

/// How time is read.
#[derive(Debug)]
pub struct TimeSettings {
    /// The time column, if it is not to be guessed.
    pub column: Option<String>,
    /// How its texts are written (strftime).
    pub format: Option<String>,
    /// The unit of its numbers.
    pub unit: Option<EpochUnit>,
    /// How long windows wait; `None` if the flag was not given (then 5 s).
    pub delay: Option<Interval>,
    /// The largest step ahead of one row alone; `None` if the flag was not given (then 1 day), 0 for none.
    pub max_jump: Option<Interval>,
    /// The zone of times without one, and of what is shown.
    pub zone: Zone,
    /// Files are read one after the other.
    pub in_order: bool,
}

/// How results are written.
#[derive(Debug)]
pub struct OutputSettings {
    /// The format that a flag or the ending of the output file asks for.
    pub format: Option<&'static Format>,
    /// Where rows go instead of stdout.
    pub file: Option<PathBuf>,
    /// The file is appended to.
    pub append: bool,
    /// The text for NULL, if not the format's own.
    pub null_value: Option<String>,
    /// Whether names of columns are written.
    pub header: bool,
    /// Rows that a finite table shows.
    pub max_rows: usize,
    /// Where late rows go.
    pub late: Option<PathBuf>,
    /// Where rejected and untimed records go.
    pub rejects: Option<PathBuf>,
}

/// When a run counts as failed.
#[derive(Debug)]
pub struct GateSettings {
    /// Bad rows that are accepted; `None` for any number.
    pub max_errors: Option<u64>,
    /// Nothing may be left out.
    pub strict: bool,
    /// What the result must be.
    pub expect: Option<Expect>,
    /// What becomes of open windows at a signal.
    pub on_interrupt: OnInterrupt,
}

/// What is said, and how.
#[derive(Debug)]
pub struct MessageSettings {
    /// When escape codes are used.
    pub color: Color,
    /// No warnings.
    pub quiet: bool,
    /// Notes also if stderr is no terminal.
    pub verbose: bool,
    /// How errors are written.
    pub format: ErrorFormat,
}

const DEFAULT_MAX_RECORD_BYTES: usize = 16 << 20;
const DEFAULT_MAX_ROWS: usize = 1_000;

impl Settings {
    /// Gives the words their meaning.
    ///
    /// # Errors
    /// Of the kind `Usage`.
    pub fn new(args: Args) -> Result<Self> {
        let (scripts, files) = scripts_and_files(&args)?;
        Ok(Settings {
            scripts,
            files,
            parameters: args
                .param
                .iter()
                .map(|text| parameter(text))
                .collect::<Result<_>>()?,
            explain: args.explain,
            describe: args.describe,
            input: input(&args)?,
            time: time(&args)?,
            output: output(&args)?,
            gates: GateSettings {
                max_errors: max_errors(&args)?,
                strict: args.strict,
                expect: args.expect,
                on_interrupt: args.on_interrupt.unwrap_or_default(),
            },
            messages: MessageSettings {
                color: args.color.unwrap_or_default(),
                quiet: args.quiet,
                verbose: args.verbose,
                format: args.error_format.unwrap_or_default(),
            },
        })
    }
}

/// With `-c` or `-f` all arguments are files; else the first is SQL, unless `--describe` is to describe it.
fn scripts_and_files(args: &Args) -> Result<(Vec<ScriptArg>, Vec<PathBuf>)> {
    let paths = |words: &[OsString]| words.iter().map(PathBuf::from).collect();
    let Some((first, rest)) = args.arguments.split_first() else {
        return Ok((args.scripts.clone(), Vec::new()));
    };
    if !args.scripts.is_empty() || (args.describe && is_file(first)) {
        return Ok((args.scripts.clone(), paths(&args.arguments)));
    }
    let Some(sql) = first.to_str() else {
        return Err(Error::usage("the SQL is not UTF-8"));
    };
    let sql = sql_of(sql);
    if !sql.contains(char::is_whitespace) && Path::new(sql).is_file() {
        return Err(Error::usage(format!("`{sql}` is a file, not SQL"))
            .help(format!(
                "to read it: tumble \"SELECT * FROM '{sql}' LIMIT 5\""
            ))
            .help(format!("to run it: tumble -f {sql}")));
    }
    Ok((vec![ScriptArg::Text(sql.to_owned())], paths(rest)))
}

fn is_file(word: &OsString) -> bool {
    let has_blanks = word
        .to_str()
        .is_some_and(|text| text.contains(char::is_whitespace));
    !has_blanks || Path::new(word).exists()
}

fn parameter(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Error::usage(format!("`{text}` is no parameter")).help("write -p NAME=VALUE")),
    }
}

fn input(args: &Args) -> Result<InputSettings> {
    let tables = args
        .table
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| {
            let table = named_path(text).map(|(name, path)| (name.to_owned(), PathBuf::from(path)));
            table.ok_or_else(|| {
                Error::usage(format!("`{text}` is no table")).help("write --table NAME=PATH")
            })
        });
    let max_record = args
        .max_record
        .as_deref()
        .map(|text| size_bytes("--max-record", text));
    Ok(InputSettings {
        format: args.input_format.unwrap_or_default(),
        delimiter: args.delimiter.as_deref().map(delimiter).transpose()?,
        header: args.input_header.unwrap_or_default(),
        types: types(&args.types)?,
        nulls: args
            .nulls
            .as_ref()
            .map(|texts| texts.split(',').map(str::to_owned).collect()),
        encoding: args.encoding.unwrap_or_default(),
        tables: tables.collect::<Result<_>>()?,
        max_record_bytes: max_record.transpose()?.unwrap_or(DEFAULT_MAX_RECORD_BYTES),
    })
}

fn delimiter(text: &str) -> Result<u8> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(
            Error::usage(format!("`{text}` cannot part the fields of csv"))
                .help("a delimiter is one ASCII character, such as `;` or `\\t`"),
        ),
    }
}

/// `a=BIGINT,b=DECIMAL(9,2)`: commas within brackets belong to the type.
fn types(texts: &[String]) -> Result<Vec<(String, String)>> {
    let mut types = Vec::new();
    for text in texts {
        let mut depth = 0_i32;
        let outside = |character: char| {
            depth += i32::from(matches!(character, '(' | '<'));
            depth -= i32::from(matches!(character, ')' | '>'));
            character == ',' && depth <= 0
        };
        for part in text.split(outside) {
            match part.split_once('=') {
                Some((column, kind)) if !column.trim().is_empty() && !kind.trim().is_empty() => {
                    types.push((column.trim().to_owned(), kind.trim().to_owned()));
                }
                _ => {
                    return Err(Error::usage(format!(
                        "`{part}` in --types is no column with its type"
                    ))
                    .help("write --types COL=TYPE,COL=TYPE"));
                }
            }
        }
    }
    Ok(types)
}

fn time(args: &Args) -> Result<TimeSettings> {
    let duration = |flag, text: &Option<String>| {
        text.as_deref()
            .map(|text| flag_duration(flag, text))
            .transpose()
    };
    Ok(TimeSettings {
        column: args.ts.clone(),
        format: args.ts_format.clone(),
        unit: args.ts_unit,
        delay: duration("--delay", &args.delay)?,
        max_jump: duration("--max-jump", &args.max_jump)?,
        zone: args.tz.as_deref().map_or(Ok(Zone::UTC), zone)?,
        in_order: args.in_order,
    })
}

/// A zone by name, `local`, or an offset in whole hours.
fn zone(name: &str) -> Result<Zone> {
    let refused = || Error::usage(format!("`{name}` is no time zone"));
    if name.eq_ignore_ascii_case("local") {
        let local = iana_time_zone::get_timezone();
        let local =
            local.map_err(|cause| Error::outside("cannot tell the zone of this machine", cause))?;
        return local
            .parse()
            .map_err(|_| refused().note(format!("the machine's zone is `{local}`")));
    }
    if matches!(name, "Z" | "z") {
        return Ok(Zone::UTC);
    }
    if let Some(offset) = name.strip_prefix('+').or_else(|| name.strip_prefix('-')) {
        let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
        let hours: u8 = hours.parse().map_err(|_| refused())?;
        // The database counts these zones westwards.
        let sign = if name.starts_with('+') { '-' } else { '+' };
        let found = format!("Etc/GMT{sign}{hours}").parse();
        return match minutes {
            "00" => found.map_err(|_| refused()),
            _ => Err(refused()
                .help("an offset is of whole hours here; name the zone, like Asia/Kolkata")),
        };
    }
    let known = chrono_tz::TZ_VARIANTS.iter();
    if let Some(zone) = known
        .clone()
        .find(|zone| zone.name().eq_ignore_ascii_case(name))
    {
        return Ok(*zone);
    }
    Err(
        suggest::among(refused(), name, known.map(|zone| zone.name()))
            .help("zones are named like Europe/Berlin; `local` is the machine's"),
    )
}

fn output(args: &Args) -> Result<OutputSettings> {
    if args.append && args.output.is_none() {
        return Err(Error::usage("--append needs a file").help("name it with --output FILE"));
    }
    if let Some(late) = args.late.as_deref().and_then(Path::to_str)
        && duration(late).is_ok()
    {
        return Err(Error::usage(format!(
            "--late takes a file, and `{late}` is a length of time"
        ))
        .help(format!("to wait for late rows: --delay {late}"))
        .help(format!("if it is a file: --late ./{late}")));
    }
    Ok(OutputSettings {
        format: output_format(args)?,
        file: args.output.clone().filter(|path| path != Path::new("-")),
        append: args.append,
        null_value: args.null_value.clone(),
        header: !args.no_header,
        max_rows: args.max_rows.unwrap_or(DEFAULT_MAX_ROWS),
        late: args.late.clone(),
        rejects: args.rejects.clone(),
    })
}

/// A short flag, else `--format` (or its variable), else the ending of the output file.
fn output_format(args: &Args) -> Result<Option<&'static Format>> {
    let table = args.table.iter().any(String::is_empty);
    let short = [
        (args.csv, "csv"),
        (args.tsv, "tsv"),
        (args.json || args.ndjson, "ndjson"),
        (table, "table"),
    ];
    if let Some((_, name)) = short.into_iter().find(|(is_given, _)| *is_given) {
        return display::format_named(name).map(Some);
    }
    match &args.format {
        Some(name) => display::format_named(name).map(Some),
        None => Ok(args.output.as_deref().and_then(display::format_of_file)),
    }
}

fn max_errors(args: &Args) -> Result<Option<u64>> {
    match (args.on_error.unwrap_or_default(), args.max_errors) {
        (OnError::Skip, limit) => Ok(limit),
        (OnError::Fail, None | Some(0)) => Ok(Some(0)),
        (OnError::Fail, Some(limit)) => Err(Error::usage(format!(
            "--on-error fail and --max-errors {limit} contradict each other"
        ))
        .note("--on-error fail is --max-errors 0")),
    }
}

#[cfg(test)]
mod tests;
