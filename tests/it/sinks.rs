//! Files that results are written to: what a reader finds in them while they are written, and however that ends.
//!
//! ```text
//!   rows ─► tumble ─┬─► n.csv, n.arrows      each row as soon as its window has closed
//!                   └─► n.arrow, n.parquet   rows of the whole file, once it has its end
//! ```

use std::fs::File;
use std::path::Path;
use std::process::Command;

use arrow_ipc::reader::{FileReader, StreamReader};
use libtest_mimic::Trial;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::difference::same_text;
use crate::program::{Live, Workshop};

const ENDINGS: [&str; 4] = ["csv", "arrows", "arrow", "parquet"];

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 3] = [
        ("prompt", prompt),
        ("interrupted", interrupted),
        ("killed", killed),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("sinks::{name}"), move || Ok(test()?)))
        .collect()
}

/// A run that counts by minute into a file of each ending; two windows have closed, one is open.
fn begun(workshop: &Workshop) -> Live {
    let query =
        "SELECT window_start, count(*) AS n FROM TUMBLE(stdin, ts, '1m') GROUP BY window_start";
    let inserts = ENDINGS.map(|ending| format!("INSERT INTO 'n.{ending}' {query};"));
    let script = format!("exec tumble --delay 0s \"{}\"", inserts.concat());
    let mut live = Live::start(&mut workshop.shell(&script), true);
    live.settle();
    live.feed(b"ts\n2026-01-01T12:00:10\n2026-01-01T12:01:05\n");
    live.feed(b"2026-01-01T12:02:00\n");
    live
}

/// The number of rows that a reader of the file finds in front of its end, wherever that is.
fn rows(path: &Path) -> Result<usize, String> {
    let file = || File::open(path).map_err(|error| error.to_string());
    let sum = |batches: Vec<usize>| batches.iter().sum();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
            match text.ends_with('\n') {
                true => Ok(text.lines().count() - 1),
                false => Err(format!("half a row: {text}")),
            }
        }
        Some("arrows") => {
            let reader = StreamReader::try_new(file()?, None).map_err(|error| error.to_string())?;
            let batches = reader.map_while(|batch| Some(batch.ok()?.num_rows()));
            Ok(sum(batches.collect()))
        }
        Some("arrow") => {
            let reader = FileReader::try_new(file()?, None).map_err(|error| error.to_string())?;
            let batches = reader.map(|batch| Ok(batch?.num_rows()));
            let batches: Result<_, arrow::error::ArrowError> = batches.collect();
            batches.map(sum).map_err(|error| error.to_string())
        }
        _ => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file()?);
            let reader = reader.and_then(ParquetRecordBatchReaderBuilder::build);
            let batches = reader.map_err(|error| error.to_string())?;
            let batches = batches.map(|batch| Ok(batch?.num_rows()));
            let batches: Result<_, arrow::error::ArrowError> = batches.collect();
            batches.map(sum).map_err(|error| error.to_string())
        }
    }
}

fn expect_rows(
    workshop: &Workshop,
    when: &str,
    expected: [Option<usize>; 4],
) -> Result<(), String> {
    for (ending, expected) in ENDINGS.into_iter().zip(expected) {
        let found = rows(&workshop.path().join(format!("n.{ending}")));
        if found.as_ref().ok() != expected.as_ref() {
            return Err(format!(
                "n.{ending} {when}: {found:?}, expected {expected:?}"
            ));
        }
    }
    Ok(())
}

/// A file of lines or an Arrow stream has a row as soon as its window has closed.
fn prompt() -> Result<(), String> {
    let workshop = Workshop::new();
    let mut live = begun(&workshop);
    expect_rows(
        &workshop,
        "while it is written",
        [Some(2), Some(2), None, None],
    )?;
    live.end_input();
    let outcome = live.finish();
    same_text("stderr", b"", outcome.stderr.as_bytes())?;
    expect_rows(&workshop, "at the end", [Some(3); 4])
}

/// A signal that asks to stop leaves complete files, with the windows that had closed.
fn interrupted() -> Result<(), String> {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let workshop = Workshop::new();
        let live = begun(&workshop);
        send(live.id(), signal)?;
        let outcome = live.finish();
        if outcome.code != 128 + signal {
            return Err(format!("exit code {}: {}", outcome.code, outcome.stderr));
        }
        expect_rows(&workshop, "after a signal", [Some(2); 4])?;
    }
    Ok(())
}

/// A process that dies leaves whole rows in what is written row by row, and files that their readers refuse.
fn killed() -> Result<(), String> {
    let workshop = Workshop::new();
    let live = begun(&workshop);
    send(live.id(), libc::SIGKILL)?;
    live.finish();
    expect_rows(&workshop, "after a kill", [Some(2), Some(2), None, None])
}

/// Sends a signal to a process that the test started.
fn send(id: i32, signal: i32) -> Result<(), String> {
    let mut kill = Command::new("bash");
    let status = kill.args(["-c", &format!("kill -{signal} {id}")]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("signal {signal}: {other:?}")),
    }
}
