//! The flags: one documented field each, from which help, errors and suggestions are made.
//!
//! Parsing does nothing but look at the words: no file is opened and no variable but `TUMBLE_…` is read.
//! What the words mean is the next step, [`super::settings`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, ValueHint};

use super::exit::Expect;
use super::generate::GenerateArgs;
use super::manual;
use super::messages::{Color, ErrorFormat};
use super::origin::{Origins, origins};
use super::usage;
use super::watch::ProgressWhen;
use crate::error::Result;

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Show this text on stdout: the help, the version, or what [`manual`] makes.
    Show(String),
    /// Make sample data.
    Generate(GenerateArgs),
    /// Run SQL.
    Run(Box<Args>),
}

/// A piece of SQL, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptArg {
    /// `-c SQL`.
    Text(String),
    /// `-f FILE`.
    File(PathBuf),
}

/// Streaming SQL for the command line: windowed SQL over whatever a shell can pipe in.
#[derive(Debug, Parser)]
#[command(
    name = "tumble",
    version,
    disable_help_subcommand = true,
    disable_help_flag = true,
    disable_version_flag = true,
    hide_possible_values = true,
    max_term_width = 100,
    override_usage = "tumble [OPTIONS] SQL [FILE…]\n       tumble [OPTIONS] -f query.sql [FILE…]\n       \
                      tumble [OPTIONS] [FILE…]           (the prompt, on a terminal)\n       \
                      tumble --describe [FILE…]\n       tumble generate NAME [OPTIONS]\n       \
                      tumble examples [RECIPE]\n       tumble man\n       tumble completions SHELL\n       tumble help",
    after_help = EXAMPLES
)]
pub struct Args {
    /// SQL, then the files that the tables `stdin` and `input` read; without files they read standard
    /// input
    #[arg(value_name = "SQL FILE", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub arguments: Vec<OsString>,

    /// Run SQL; may be repeated, also with -f, in the order given
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true, help_heading = RUN)]
    pub command: Vec<String>,
    /// Run the SQL in a file (`-` is standard input)
    #[arg(short, long, value_name = "FILE", help_heading = RUN)]
    pub file: Vec<PathBuf>,
    /// Set the value of `:name` in the SQL
    #[arg(short, long, value_name = "NAME=VALUE", help_heading = RUN)]
    pub param: Vec<String>,
    /// Show how the query runs instead of running it
    #[arg(long, help_heading = RUN)]
    pub explain: bool,
    /// Show the columns of the input as CREATE TABLE; with SQL also those of its result
    #[arg(long, help_heading = RUN)]
    pub describe: bool,
    /// Run the statements and commands in a file before the prompt
    #[arg(long, value_name = "FILE", env = "TUMBLE_INIT", hide_env = true, help_heading = RUN)]
    pub init: Option<PathBuf>,
    /// Without the config file, which defines formats of your own, and the init file of the prompt
    #[arg(short = 'X', long, env = "TUMBLE_NO_CONFIG", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = RUN)]
    pub no_config: bool,
    /// The formats of the config file.
    #[arg(skip)]
    pub user_formats: Vec<crate::catalog::UserFormat>,
    /// Where values come from.
    #[arg(skip)]
    pub origins: Origins,
    /// Standard input is a terminal: what has no SQL begins the prompt.
    #[arg(skip)]
    pub at_terminal: bool,
    /// -c and -f in the order given.
    #[arg(skip)]
    pub scripts: Vec<ScriptArg>,

    /// Format: auto, csv, tsv, ndjson, json (also arrays), prefixed-json, cri, docker-json, journal-json, logfmt,
    /// clf, combined, syslog, columns, table, lines, w3c, zeek, regex, parquet, arrow, a program such as log4j, postgres,
    /// klog, or one of the config file [default: auto]
    #[arg(short, long, value_name = "FORMAT", env = "TUMBLE_INPUT_FORMAT", hide_env = true, help_heading = INPUT)]
    pub input_format: Option<String>,
    /// Character between the fields of csv (`\t` is a tab)
    #[arg(short, long, value_name = "CHAR", allow_hyphen_values = true, env = "TUMBLE_DELIMITER", hide_env = true, help_heading = INPUT)]
    pub delimiter: Option<String>,
    /// Lines that this regular expression describes; its named groups are the columns
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true, env = "TUMBLE_REGEX", hide_env = true, help_heading = INPUT)]
    pub regex: Option<String>,
    /// Whether csv begins with names: auto, yes, no (then c1, c2, …)
    #[arg(long, value_name = "WHEN", env = "TUMBLE_INPUT_HEADER", hide_env = true, help_heading = INPUT)]
    pub input_header: Option<String>,
    /// Types of columns that are not to be guessed
    #[arg(long, value_name = "COL=TYPE,…", help_heading = INPUT)]
    pub types: Vec<String>,
    /// Texts that mean NULL
    #[arg(long, value_name = "TEXT,…", allow_hyphen_values = true, env = "TUMBLE_NULLS", hide_env = true, help_heading = INPUT)]
    pub nulls: Option<String>,
    /// Bytes that are not UTF-8: strict (reject), lossy (mend), latin1 [default: lossy]
    #[arg(long, value_name = "HOW", env = "TUMBLE_ENCODING", hide_env = true, help_heading = INPUT)]
    pub encoding: Option<String>,
    /// A further table, read from a file (without a value: show results as a table)
    #[arg(long, value_name = "NAME=PATH", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = INPUT)]
    pub table: Vec<String>,
    /// Follow the files as tail -F does: through rotation, truncation and deletion, without an end; those
    /// of a list or pattern oldest first (app.log.2.gz app.log.1 app.log), and new ones join
    #[arg(short = 'F', long, env = "TUMBLE_FOLLOW", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = INPUT)]
    pub follow: bool,
    /// Where following begins: start, end (what is there already is left out), a time ('2026-01-01 12:00' of
    /// --tz) or how long ago (1h): older records are left out [default: start]
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true, env = "TUMBLE_FROM", hide_env = true, help_heading = INPUT)]
    pub from: Option<String>,
    /// Longest record, such as 1MiB [default: 16MiB]
    #[arg(long, value_name = "SIZE", env = "TUMBLE_MAX_RECORD", hide_env = true, help_heading = INPUT)]
    pub max_record: Option<String>,

    /// Column that holds the time of a row
    #[arg(long, value_name = "COL", env = "TUMBLE_TS", hide_env = true, help_heading = TIME)]
    pub ts: Option<String>,
    /// How that time is written, in the letters of strftime
    #[arg(long, value_name = "FORMAT", env = "TUMBLE_TS_FORMAT", hide_env = true, help_heading = TIME)]
    pub ts_format: Option<String>,
    /// Unit of times that are numbers: s, ms, us, ns
    #[arg(long, value_name = "UNIT", env = "TUMBLE_TS_UNIT", hide_env = true, help_heading = TIME)]
    pub ts_unit: Option<String>,
    /// How long a window waits for late rows [default: 5s]
    #[arg(long, value_name = "DURATION", env = "TUMBLE_DELAY", hide_env = true, help_heading = TIME)]
    pub delay: Option<String>,
    /// Largest step ahead that one row alone may make; 0 lifts the limit [default: 1d]
    #[arg(long, value_name = "DURATION", env = "TUMBLE_MAX_JUMP", hide_env = true, help_heading = TIME)]
    pub max_jump: Option<String>,
    /// After so long without a row, event time goes to the newest row's and on with the clock: windows of a live
    /// input close when it goes quiet [default: they wait for rows]
    #[arg(long, value_name = "DURATION", env = "TUMBLE_IDLE_TIMEOUT", hide_env = true, help_heading = TIME)]
    pub idle_timeout: Option<String>,
    /// Zone of times without one, and of what is shown; `local` is the machine's [default: UTC]
    #[arg(long, value_name = "ZONE", env = "TUMBLE_TZ", hide_env = true, help_heading = TIME)]
    pub tz: Option<String>,
    /// Read files one after the other instead of merged by time
    #[arg(long, env = "TUMBLE_IN_ORDER", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = TIME)]
    pub in_order: bool,

    /// Format: table, csv, tsv, ndjson (or json), json-array, markdown, line, chart, arrow, parquet [default: table on a terminal, else csv]
    #[arg(long, value_name = "FORMAT", overrides_with_all = ["csv", "tsv", "json", "ndjson"], env = "TUMBLE_FORMAT", hide_env = true, help_heading = OUTPUT)]
    pub format: Option<String>,
    /// Short for --format csv
    #[arg(long, overrides_with_all = ["format", "tsv", "json", "ndjson"], help_heading = OUTPUT)]
    pub csv: bool,
    /// Short for --format tsv
    #[arg(long, overrides_with_all = ["format", "csv", "json", "ndjson"], help_heading = OUTPUT)]
    pub tsv: bool,
    /// Short for --format ndjson
    #[arg(long, overrides_with_all = ["format", "csv", "tsv", "ndjson"], help_heading = OUTPUT)]
    pub json: bool,
    /// Short for --format ndjson
    #[arg(long, overrides_with_all = ["format", "csv", "tsv", "json"], help_heading = OUTPUT)]
    pub ndjson: bool,
    /// Write rows to a file; its ending decides the format if no flag does
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Append to that file; the header only if it is empty
    #[arg(long, help_heading = OUTPUT)]
    pub append: bool,
    /// What is written for NULL
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, env = "TUMBLE_NULL_VALUE", hide_env = true, help_heading = OUTPUT)]
    pub null_value: Option<String>,
    /// On a terminal, also show the windows that are still open, drawn anew in place
    #[arg(long, env = "TUMBLE_LIVE", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = OUTPUT)]
    pub live: bool,
    /// Without the names of the columns
    #[arg(short = 'H', long, env = "TUMBLE_NO_HEADER", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = OUTPUT)]
    pub no_header: bool,
    /// Rows that a finite table shows [default: 1000]
    #[arg(long, value_name = "N", env = "TUMBLE_MAX_ROWS", hide_env = true, help_heading = OUTPUT)]
    pub max_rows: Option<usize>,
    /// Write the rows that came too late to a file
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub late: Option<PathBuf>,
    /// Write the records that could not be used to a file
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub rejects: Option<PathBuf>,

    /// At a bad row: skip (count it), fail [default: skip]
    #[arg(long, value_name = "ACTION", env = "TUMBLE_ON_ERROR", hide_env = true, help_heading = GATES)]
    pub on_error: Option<String>,
    /// Bad rows that are accepted; one more ends the run (exit code 3)
    #[arg(long, value_name = "N", env = "TUMBLE_MAX_ERRORS", hide_env = true, help_heading = GATES)]
    pub max_errors: Option<String>,
    /// Exit code 3 if any row was left out; check all columns
    #[arg(long, env = "TUMBLE_STRICT", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = GATES)]
    pub strict: bool,
    /// Exit code 5 unless the result has none, rows
    #[arg(long, value_name = "WHAT", help_heading = GATES)]
    pub expect: Option<Expect>,
    /// Open windows at Ctrl-C: drop, emit [default: drop]
    #[arg(long, value_name = "ACTION", env = "TUMBLE_ON_INTERRUPT", hide_env = true, help_heading = GATES)]
    pub on_interrupt: Option<String>,

    /// Threads that work [default: one for each core]
    #[arg(long, value_name = "N", env = "TUMBLE_THREADS", hide_env = true, help_heading = RESOURCES)]
    pub threads: Option<String>,
    /// Bytes that are decoded at once; tests make it small to have many blocks
    #[arg(long, value_name = "N", hide = true)]
    pub block_bytes: Option<usize>,

    /// Colors: auto, always, never [default: auto]
    #[arg(long, value_name = "WHEN", env = "TUMBLE_COLOR", hide_env = true, help_heading = MESSAGES)]
    pub color: Option<Color>,
    /// How the run goes, on stderr: auto (on a terminal, after a second), always (also elsewhere, a line each second
    /// and one at the end), never [default: auto]
    #[arg(long, value_name = "WHEN", env = "TUMBLE_PROGRESS", hide_env = true, help_heading = MESSAGES)]
    pub progress: Option<ProgressWhen>,
    /// No warnings
    #[arg(short, long, overrides_with = "verbose", env = "TUMBLE_QUIET", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = MESSAGES)]
    pub quiet: bool,
    /// Notes also if stderr is no terminal
    #[arg(short, long, overrides_with = "quiet", env = "TUMBLE_VERBOSE", hide_env = true, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue, help_heading = MESSAGES)]
    pub verbose: bool,
    /// Write what was counted to a file, as JSON, however the run ends
    #[arg(long, value_name = "FILE", help_heading = MESSAGES)]
    pub stats_json: Option<PathBuf>,
    /// Errors as text, json [default: text]
    #[arg(long, value_name = "FORMAT", env = "TUMBLE_ERROR_FORMAT", hide_env = true, help_heading = MESSAGES)]
    pub error_format: Option<ErrorFormat>,
    /// Show this help
    #[arg(short, long, action = ArgAction::HelpShort, help_heading = MESSAGES)]
    pub help: Option<bool>,
    /// Show the version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = MESSAGES)]
    pub version: Option<bool>,
}

const RUN: &str = "What to run";
const INPUT: &str = "Input";
const TIME: &str = "Time";
const OUTPUT: &str = "Output";
const GATES: &str = "Gates";
const RESOURCES: &str = "Resources";
const MESSAGES: &str = "Messages";

/// Calls to begin with, below the flags.
pub(super) const EXAMPLES: &str = "\
Examples:
  tumble generate access-log --rows 10000 > access.csv
  tumble \"SELECT status, count(*) AS requests FROM 'access.csv' GROUP BY status\"
  tumble \"SELECT window_start, max(latency_ms) FROM TUMBLE(input, '1m') GROUP BY window_start\" access.csv
  tumble --json \"SELECT ts, path FROM stdin WHERE status >= 500 LIMIT 3\" < access.csv";

/// Reads a command line, without the name of the program.
///
/// # Errors
/// Of the kind `Usage`, with a suggestion where a flag or its value is misspelt.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Request> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    if words.first().is_some_and(|word| word == "generate") {
        words.remove(0);
        return super::generate::parse(words);
    }
    if let Some(print) = words.first().and_then(|word| manual::printer(word)) {
        words.remove(0);
        return print(words).map(Request::Show);
    }
    if words.first().is_some_and(|word| word == "help") {
        words.remove(0);
        words.push(OsString::from("--help"));
        return parse(words);
    }
    let words = prepare(words)?;
    let mut command = Args::command().no_binary_name(true);
    let matches = match command.try_get_matches_from_mut(words) {
        Ok(matches) => matches,
        Err(error) => return usage::show_or_explain(&error, &command).map(Request::Show),
    };
    let mut args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => return usage::show_or_explain(&error, &command).map(Request::Show),
    };
    args.scripts = scripts_in_order(&args, &matches);
    if let (true, Some(first)) = (args.scripts.is_empty(), args.arguments.first()) {
        manual::check_word(first)?;
    }
    args.origins = origins(&matches);
    Ok(Request::Run(Box::new(args)))
}

/// Makes words plain that clap would take for something else:
/// `--table NAME=PATH` becomes one word, because `--table` may also stand alone; SQL that begins with a
/// comment gets a blank in front (see [`sql_of`]), because `--` begins a flag.
fn prepare(words: Vec<OsString>) -> Result<Vec<OsString>> {
    let mut prepared: Vec<OsString> = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        if text == "--" {
            prepared.push(word);
            prepared.extend(words);
            break;
        }
        usage::check_foreign(text)?;
        let names_source =
            |next: &OsString| next.to_str().is_some_and(|text| named_path(text).is_some());
        if text == "--table"
            && let Some(source) = words.next_if(names_source)
        {
            let mut joined = OsString::from("--table=");
            joined.push(source);
            prepared.push(joined);
        } else if text.starts_with("-- ") || text.starts_with("--\n") {
            prepared.push(OsString::from(format!(" {text}")));
        } else {
            prepared.push(word);
        }
    }
    Ok(prepared)
}

/// The SQL of a word, without the blank that [`parse`] may have put in front.
pub fn sql_of(word: &str) -> &str {
    match word.strip_prefix(' ') {
        Some(rest) if rest.starts_with("--") => rest,
        _ => word,
    }
}

/// `NAME=PATH` in parts, if `NAME` is a word.
pub fn named_path(text: &str) -> Option<(&str, &str)> {
    let (name, path) = text.split_once('=')?;
    let is_word = name
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        && name
            .chars()
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_');
    (is_word && !path.is_empty()).then_some((name, path))
}

fn scripts_in_order(args: &Args, matches: &ArgMatches) -> Vec<ScriptArg> {
    let places = |id: &str| matches.indices_of(id).into_iter().flatten();
    let texts = args
        .command
        .iter()
        .map(|sql| ScriptArg::Text(sql_of(sql).to_owned()));
    let files = args.file.iter().map(|path| ScriptArg::File(path.clone()));
    let mut scripts: Vec<(usize, ScriptArg)> = places("command")
        .zip(texts)
        .chain(places("file").zip(files))
        .collect();
    scripts.sort_by_key(|(place, _)| *place);
    scripts.into_iter().map(|(_, script)| script).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Args {
        match parse(words.iter().map(OsString::from)).unwrap() {
            Request::Run(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn scripts_keep_their_order() {
        let args = run(&["-c", "a", "-f", "b.sql", "x.csv", "-c", "-- c", "--file=d"]);
        assert_eq!(
            args.scripts,
            [
                ScriptArg::Text("a".into()),
                ScriptArg::File("b.sql".into()),
                ScriptArg::Text("-- c".into()),
                ScriptArg::File("d".into()),
            ]
        );
        assert_eq!(args.arguments, ["x.csv"]);
    }

    #[test]
    fn table_is_a_format_and_a_source() {
        for (words, table, arguments) in [
            (
                &["--table", "SELECT a = 1"][..],
                &[""][..],
                &["SELECT a = 1"][..],
            ),
            (
                &["--table", "t=x.csv", "SELECT 1"],
                &["t=x.csv"],
                &["SELECT 1"],
            ),
            (&["--table=t=x.csv", "--table"], &["t=x.csv", ""], &[]),
            (
                &["SELECT 1", "--", "--table", "t=x"],
                &[],
                &["SELECT 1", "--table", "t=x"],
            ),
        ] {
            let args = run(words);
            assert_eq!(args.table, table);
            assert_eq!(args.arguments, arguments);
        }
    }

    #[test]
    fn sql_may_begin_with_a_comment() {
        let args = run(&["-- all\nSELECT 1", "-q"]);
        assert_eq!(
            sql_of(args.arguments[0].to_str().unwrap()),
            "-- all\nSELECT 1"
        );
        assert!(args.quiet);
    }

    #[test]
    fn the_last_format_counts() {
        let args = run(&["--csv", "--json"]);
        assert!(!args.csv && args.json);
        let args = run(&["--csv", "--format", "line"]);
        assert!(!args.csv && args.format.as_deref() == Some("line"));
    }

    #[test]
    fn mistakes_are_explained() {
        for (words, message, hint) in [
            (
                &["--dealy", "5s"][..],
                "unknown flag `--dealy`",
                "did you mean `--delay`?",
            ),
            (
                &["--lateness", "5s"],
                "unknown flag `--lateness`",
                "the flag is --delay DURATION",
            ),
            (
                &["--jsonl"],
                "unknown flag `--jsonl`",
                "the flag is --ndjson",
            ),
            (
                &["exmaples", "7"],
                "there is no command `exmaples`",
                "did you mean `tumble examples`?",
            ),
            (
                &["--limit", "3"],
                "unknown flag `--limit`",
                "LIMIT stands in the SQL",
            ),
            (&["-noheader"], "unknown flag `-noheader`", "the flag is -H"),
            (&["-csv"], "unknown flag `-csv`", "the flag is --csv"),
            (&["--delay"], "--delay needs a value", "--delay <DURATION>"),
            (&["-Q"], "unknown flag `-Q`", "tumble --help"),
        ] {
            let error = parse(words.iter().map(OsString::from)).unwrap_err();
            assert_eq!(error.message(), message);
            let all = error.to_string();
            assert!(all.contains(hint), "{all}");
        }
    }

    #[test]
    fn help_is_plain_and_fits() {
        for words in [["--help"], ["-h"], ["help"]] {
            let Ok(Request::Show(text)) = parse(words.iter().map(OsString::from)) else {
                panic!("no help");
            };
            assert!(!text.contains('\u{1b}') && text.contains("Examples:"));
        }
        let Ok(Request::Show(version)) = parse([OsString::from("-V")]) else {
            panic!("no version")
        };
        assert_eq!(version, concat!("tumble ", env!("CARGO_PKG_VERSION"), "\n"));
    }
}
