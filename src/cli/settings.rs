//! What the flags mean: words become values, and combinations that make no sense are refused.
//!
//! ```text
//! Args (words) ──► Settings (intervals, zones, formats, scripts, files)
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::args::{Args, ScriptArg, named_path, sql_of};
use super::display::{self, Format};
use super::exit::Expect;
use super::messages::{Color, ErrorFormat};
use super::origin::{Origin, Origins};
use super::output_file;
use super::terminal::Target;
use super::watch::ProgressWhen;
use crate::error::{Error, Result};
use crate::session::{OnError, Options};
use crate::time::parse_interval;

/// Everything that a run is told.
#[derive(Debug)]
pub struct Settings {
    /// What to run, in order; empty: SQL comes from standard input.
    pub scripts: Vec<ScriptArg>,
    /// The scripts are those of a user who types them.
    pub prompt: Option<PromptSettings>,
    /// Show the plan instead.
    pub explain: bool,
    /// Show the guess instead.
    pub describe: bool,
    /// How input and time are read, and what bad rows do.
    pub options: Options,
    /// How results are written.
    pub output: OutputSettings,
    /// When a run counts as failed.
    pub gates: GateSettings,
    /// What is said.
    pub messages: MessageSettings,
}

/// What the prompt begins with.
#[derive(Debug)]
pub struct PromptSettings {
    /// The file whose statements and commands run before it.
    pub init: Option<PathBuf>,
    /// Without the init file of the config folder.
    pub no_config: bool,
    /// Where values come from.
    pub origins: Origins,
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
    /// Windows that are open are shown.
    pub live: bool,
    /// Where late rows go.
    pub late: Option<PathBuf>,
    /// Where rejected and untimed records go.
    pub rejects: Option<PathBuf>,
}

impl OutputSettings {
    /// Where results go.
    pub fn target(&self) -> Target<'_> {
        Target {
            file: self.file.as_deref(),
            append: self.append,
            format: self.format,
        }
    }
}

/// When a run counts as failed.
#[derive(Debug)]
pub struct GateSettings {
    /// Nothing may be left out.
    pub strict: bool,
    /// What the result must be.
    pub expect: Option<Expect>,
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
    /// When it is told how a run goes.
    pub progress: ProgressWhen,
    /// Where the counters go.
    pub stats: Option<PathBuf>,
}

const DEFAULT_MAX_ROWS: usize = 1_000;

impl Settings {
    /// Gives the words their meaning.
    ///
    /// # Errors
    /// Of the kind `Usage`.
    pub fn new(args: Args) -> Result<Self> {
        let (scripts, files) = scripts_and_files(&args)?;
        let prompt = prompt(&args, &scripts)?;
        Ok(Settings {
            scripts,
            prompt,
            explain: args.explain,
            describe: args.describe,
            options: options(&args, &files)?,
            output: output(&args)?,
            gates: GateSettings {
                strict: args.strict,
                expect: args.expect,
            },
            messages: MessageSettings {
                color: args.color.unwrap_or_default(),
                quiet: args.quiet,
                verbose: args.verbose,
                format: args.error_format.unwrap_or_default(),
                progress: args.progress.unwrap_or_default(),
                stats: args.stats_json.clone(),
            },
        })
    }
}

/// What the prompt begins with, if there is one: on a terminal, where nothing is there to run.
fn prompt(args: &Args, scripts: &[ScriptArg]) -> Result<Option<PromptSettings>> {
    if scripts.is_empty() && !args.describe && !args.explain && args.at_terminal {
        return Ok(Some(PromptSettings {
            init: args.init.clone(),
            no_config: args.no_config,
            origins: args.origins.clone(),
        }));
    }
    match &args.init {
        Some(path) if args.origins.get("init") == Some(&Origin::Flag) => {
            let path = path.display();
            Err(
                Error::usage("--init runs before the prompt, and there is no prompt").help(
                    format!("to run it before the query: tumble -f {path} -c SQL"),
                ),
            )
        }
        _ => Ok(None),
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
    if args.at_terminal && args.arguments.iter().all(is_data) {
        return Ok((Vec::new(), paths(&args.arguments)));
    }
    if !sql.contains(char::is_whitespace) && Path::new(sql).is_file() {
        return Err(Error::usage(format!("`{sql}` is a file, not SQL"))
            .help(format!(
                "to read it: tumble \"SELECT * FROM '{sql}' LIMIT 5\""
            ))
            .help(format!("to run it: tumble -f {sql}")));
    }
    Ok((vec![ScriptArg::Text(sql.to_owned())], paths(rest)))
}

/// True for a file that the prompt can read: a script is rather to be run.
fn is_data(word: &OsString) -> bool {
    let path = Path::new(word);
    path.is_file() && path.extension().is_none_or(|ending| ending != "sql")
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

/// The settings of the session: a flag sets what `SET` of its name sets.
fn options(args: &Args, files: &[PathBuf]) -> Result<Options> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let tables = args
        .table
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| {
            let table = named_path(text).map(|(name, path)| (name.to_owned(), path.to_owned()));
            table.ok_or_else(|| {
                Error::usage(format!("`{text}` is no table")).help("write --table NAME=PATH")
            })
        });
    let parameters = args.param.iter().map(|text| parameter(text));
    let mut options = Options {
        files: files.iter().map(|path| text(path)).collect(),
        tables: tables.collect::<Result<_>>()?,
        parameters: parameters.collect::<Result<_>>()?,
        output: args.output.clone().filter(|path| path != Path::new("-")),
        late: args.late.clone(),
        rejects: args.rejects.clone(),
        stats: args.stats_json.clone(),
        user_formats: args.user_formats.clone().into(),
        ..Options::default()
    };
    if let Some(block_bytes) = args.block_bytes {
        options.block_bytes = block_bytes.max(1);
    }
    let truth = |is_set: bool| is_set.then(|| String::from("true"));
    let types = (!args.types.is_empty()).then(|| args.types.join(","));
    let flags = [
        ("input-format", args.input_format.clone()),
        ("regex", args.regex.clone()),
        ("delimiter", args.delimiter.clone()),
        ("input-header", args.input_header.clone()),
        ("types", types),
        ("nulls", args.nulls.clone()),
        ("encoding", args.encoding.clone()),
        ("max-record", args.max_record.clone()),
        ("ts", args.ts.clone()),
        ("ts-format", args.ts_format.clone()),
        ("ts-unit", args.ts_unit.clone()),
        ("delay", args.delay.clone()),
        ("max-jump", args.max_jump.clone()),
        ("idle-timeout", args.idle_timeout.clone()),
        ("tz", args.tz.clone()),
        ("in-order", truth(args.in_order)),
        ("follow", truth(args.follow)),
        ("from", args.from.clone()),
        ("on-error", args.on_error.clone()),
        ("max-errors", args.max_errors.clone()),
        ("strict", truth(args.strict)),
        ("on-interrupt", args.on_interrupt.clone()),
        ("threads", args.threads.clone()),
    ];
    for (name, value) in flags {
        if let Some(value) = value {
            options.set_as(&format!("--{name}"), name, &value)?;
        }
    }
    check_together(args, &options)?;
    Ok(options)
}

/// Refuses flags that say nothing together.
fn check_together(args: &Args, options: &Options) -> Result<()> {
    if args.from.is_some() && !args.follow {
        let error = Error::usage("--from says where following begins, and nothing is followed");
        let follow = error.help("follow the files: --follow --from end");
        return Err(match options.begins_at_a_time() {
            true => follow.help("of files that are not: WHERE ts >= TIMESTAMP '2026-01-01 12:00:00', or ts >= now() - INTERVAL '1h'"),
            false => follow,
        });
    }
    match (options.on_error, options.max_errors) {
        (OnError::Fail, Some(limit)) if limit > 0 => Err(Error::usage(format!(
            "--on-error fail and --max-errors {limit} contradict each other"
        ))
        .note("--on-error fail is --max-errors 0")),
        _ => Ok(()),
    }
}

fn output(args: &Args) -> Result<OutputSettings> {
    if args.append && args.output.is_none() {
        return Err(Error::usage("--append needs a file").help("name it with --output FILE"));
    }
    if let Some(late) = args.late.as_deref().and_then(Path::to_str)
        && parse_interval(late).is_ok()
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
        live: args.live,
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
        None => args
            .output
            .as_deref()
            .map_or(Ok(None), output_file::format_of),
    }
}

#[cfg(test)]
mod tests;
