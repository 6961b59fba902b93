//! `tumble generate`: sample data to try queries on, the same bytes for the same options.
//!
//! ```text
//! tumble generate access-log --rows 3
//! ts,host,path,status,bytes,latency_ms,user
//! 2026-01-01T00:00:00.017,web-104,/api/v1/items/31,200,1534,12.31,u40213
//! ```
//!
//! Invariants: what comes out is a function of the options alone (`--rate` spaces it in time but changes
//! no byte but those of the times); rows are made as fast as a disk takes them.
//!
//! To add a generator: one file here, one line in [`GENERATORS`].

mod access_log;
mod orders;
mod random;
mod row;
mod sensors;

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, NaiveDateTime};
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::args::Request;
use super::usage;
use crate::error::{Error, Result};
use random::Random;
use row::Row;

/// Make sample data to try queries on.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "tumble generate",
    hide_possible_values = true,
    disable_help_flag = true,
    max_term_width = 100
)]
pub struct GenerateArgs {
    /// What to make: access-log, sensors, orders
    pub name: String,
    /// Number of rows [default: 1000; with --rate without end]
    #[arg(long, value_name = "N")]
    pub rows: Option<u64>,
    /// Format: csv, ndjson
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub format: GenerateFormat,
    /// Another seed makes other data
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
    /// Rows in a second, also by the clock [default: 50, as fast as possible]
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// How far a row may be behind the ones before it
    #[arg(long, value_name = "DURATION", default_value = "3s")]
    pub out_of_order: String,
    /// Time of the first row
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00")]
    pub start: String,
    /// access-log: number of hosts [default: 200]
    #[arg(long, value_name = "N")]
    pub hosts: Option<u32>,
    /// access-log: number of paths [default: 600]
    #[arg(long, value_name = "N")]
    pub paths: Option<u32>,
    /// access-log: number of users [default: 50000]
    #[arg(long, value_name = "N")]
    pub users: Option<u32>,
    /// Show this help
    #[arg(short, long, action = ArgAction::HelpShort)]
    pub help: Option<bool>,
}

/// Formats of sample data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GenerateFormat {
    /// Comma-separated, with names.
    Csv,
    /// A JSON object a line.
    #[value(alias = "json", alias = "jsonl")]
    Ndjson,
}

/// A kind of sample data.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    columns: &'static [&'static str],
    make: fn(&GenerateArgs) -> Box<dyn Generate>,
}

/// Makes rows.
trait Generate {
    /// Writes the values behind the time of the row, in the order of the columns.
    fn row(&mut self, random: &mut Random, row: &mut Row);
}

/// The columns of `access-log`.
pub(super) const ACCESS_LOG_COLUMNS: &[&str] = access_log::COLUMNS;

/// All generators. The first column of each is `ts`.
const GENERATORS: &[Kind] = &[
    Kind {
        name: "access-log",
        columns: ACCESS_LOG_COLUMNS,
        make: |args| Box::new(access_log::AccessLog::new(args)),
    },
    Kind {
        name: "sensors",
        columns: sensors::COLUMNS,
        make: |_| Box::new(sensors::Sensors::default()),
    },
    Kind {
        name: "orders",
        columns: orders::COLUMNS,
        make: |_| Box::new(orders::Orders::default()),
    },
];

/// What can be made.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    GENERATORS.iter().map(|kind| kind.name)
}

/// Reads the words behind `generate`.
///
/// # Errors
/// Of the kind `Usage`.
pub(super) fn parse(words: Vec<OsString>) -> Result<Request> {
    let mut command = GenerateArgs::command().no_binary_name(true);
    let args = command
        .try_get_matches_from_mut(words)
        .and_then(|matches| GenerateArgs::from_arg_matches(&matches));
    match args {
        Ok(args) => Ok(Request::Generate(args)),
        Err(error) => usage::show_or_explain(&error, &command).map(Request::Show),
    }
}

const DEFAULT_ROWS: u64 = 1_000;
const DEFAULT_ROWS_PER_SECOND: u32 = 50;
const BUFFER_BYTES: usize = 256 << 10;

/// Writes the data that `args` ask for.
///
/// # Errors
/// Of the kind `Usage` for options that make no sense, else `Outside` if `out` cannot be written.
pub fn run(args: &GenerateArgs, out: &mut dyn Write) -> Result<Outcome> {
    let mut maker = Maker::new(args)?;
    let rows = args.rows.unwrap_or(if args.rate.is_some() {
        u64::MAX
    } else {
        DEFAULT_ROWS
    });
    let written = match args.rate {
        None => write_all(&mut maker, rows, out),
        Some(rate) => write_paced(&mut maker, rows, rate, out),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(Outcome::Complete),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::ReaderLeft),
        Err(error) => Err(Error::outside("cannot write to stdout", error)),
    }
}

/// How the writing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All rows are out.
    Complete,
    /// The reader wanted no more.
    ReaderLeft,
}

fn write_all(maker: &mut Maker, rows: u64, out: &mut dyn Write) -> io::Result<()> {
    for _ in 0..rows {
        maker.make_row();
        if maker.row.bytes.len() >= BUFFER_BYTES {
            maker.flush(out)?;
        }
    }
    maker.flush(out)
}

/// Writes each row when its turn by the clock has come.
fn write_paced(maker: &mut Maker, rows: u64, rate: u32, out: &mut dyn Write) -> io::Result<()> {
    let start = Instant::now();
    let mut made: u64 = 0;
    while made < rows {
        let due = (start.elapsed().as_secs_f64() * f64::from(rate)) as u64 + 1;
        while made < due.min(rows) && maker.row.bytes.len() < BUFFER_BYTES {
            maker.make_row();
            made += 1;
        }
        maker.flush(out)?;
        out.flush()?;
        if made >= due && made < rows {
            let next = Duration::from_secs_f64(made as f64 / f64::from(rate));
            std::thread::sleep(next.saturating_sub(start.elapsed()));
        }
    }
    Ok(())
}

/// Makes rows into a buffer.
struct Maker {
    random: Random,
    row: Row,
    data: Box<dyn Generate>,
    /// No row is before it.
    start_ms: i64,
    /// The time that goes on, in microseconds.
    now_us: i64,
    /// The average step of it, in microseconds.
    step_us: u64,
    out_of_order_ms: u64,
}

impl Maker {
    fn new(args: &GenerateArgs) -> Result<Self> {
        let kind = GENERATORS
            .iter()
            .find(|kind| kind.name == args.name)
            .ok_or_else(|| {
                let names: Vec<&str> = names().collect();
                let error = Error::usage(format!("there is no sample data `{}`", args.name));
                error
                    .suggest(&args.name, names.iter().copied())
                    .note(format!("sample data: {}", names.join(", ")))
            })?;
        let counts = [
            ("--hosts", args.hosts),
            ("--paths", args.paths),
            ("--users", args.users),
        ];
        for (flag, count) in counts {
            match count {
                Some(0) => return Err(Error::usage(format!("{flag} must be at least 1"))),
                Some(_) if kind.name != "access-log" => {
                    return Err(Error::usage(format!("`{}` has no {flag}", kind.name)));
                }
                _ => {}
            }
        }
        if args.rate == Some(0) {
            return Err(Error::usage("--rate must be at least 1"));
        }
        let delay = crate::session::duration("out-of-order", &args.out_of_order)?;
        let out_of_order_ms = delay.fixed_nanoseconds().unwrap_or(0) / 1_000_000;
        let start_us = start_us(&args.start)?;
        let mut row = Row::new(args.format, kind.columns);
        row.header();
        Ok(Maker {
            random: Random::new(args.seed),
            row,
            data: (kind.make)(args),
            start_ms: start_us / 1_000,
            now_us: start_us,
            step_us: 1_000_000 / u64::from(args.rate.unwrap_or(DEFAULT_ROWS_PER_SECOND)),
            out_of_order_ms: u64::try_from(out_of_order_ms).unwrap_or(u64::MAX),
        })
    }

    fn make_row(&mut self) {
        self.now_us = self
            .now_us
            .saturating_add(self.random.below(2 * self.step_us + 1) as i64);
        let mut time_ms = self.now_us / 1_000;
        // One row in four comes late.
        if self.out_of_order_ms > 0 && self.random.below(4) == 0 {
            let late = self.random.below(self.out_of_order_ms.saturating_add(1));
            let late = i64::try_from(late).unwrap_or(i64::MAX);
            time_ms = time_ms.saturating_sub(late).max(self.start_ms);
        }
        self.row.begin();
        self.row.time_ms(time_ms);
        self.data.row(&mut self.random, &mut self.row);
        self.row.end();
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.row.bytes)?;
        self.row.bytes.clear();
        Ok(())
    }
}

fn start_us(text: &str) -> Result<i64> {
    let plain = text.trim_end_matches('Z').replace('T', " ");
    let time = NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M:%S%.f");
    let time = time.or_else(|_| NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M"));
    let date = || {
        NaiveDate::parse_from_str(&plain, "%Y-%m-%d").map(|date| date.and_time(Default::default()))
    };
    match time.or_else(|_| date()) {
        Ok(time) => Ok(time.and_utc().timestamp_micros()),
        Err(_) => Err(Error::usage(format!("--start: `{text}` is no time"))
            .help("write it like 2026-01-01T12:00:00")),
    }
}

#[cfg(test)]
mod tests;
