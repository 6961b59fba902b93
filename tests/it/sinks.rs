//! Files that results are written to: what a reader finds in them while they are written, and however that ends.
//!
//! ```text
//!   rows ─► tumble ─┬─► n.csv, n.arrows      each row as soon as its window has closed
//!                   └─► n.arrow, n.parquet   rows of the whole file, once it has its end
//! ```

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use arrow_ipc::reader::{FileReader, StreamReader};
use libtest_mimic::Trial;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::difference::same_text;
use crate::expect::{send, until};
use crate::program::{Live, Outcome, Workshop, run_command};

const ENDINGS: [&str; 4] = ["csv", "arrows", "arrow", "parquet"];

/// After how long a signal ends a process that has not ended by itself.
const LONGEST_END: Duration = Duration::from_millis(900);

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 6] = [
        ("prompt", prompt),
        ("interrupted", interrupted),
        ("interrupted-in-haste", interrupted_in_haste),
        ("killed", killed),
        ("full-disk", full_disk),
        ("file-limit", file_limit),
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

/// The same while rows are written as fast as they are made: whole rows, and complete files.
fn interrupted_in_haste() -> Result<(), String> {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let workshop = Workshop::new();
        let query = "SELECT n, n * 2 AS m, 'row ' || n AS s FROM stdin";
        let inserts = ENDINGS.map(|ending| format!("INSERT INTO 'n.{ending}' {query};"));
        let script = format!(
            "exec tumble \"{}\" < <(seq 1 100000000 | sed 1in)",
            inserts.concat()
        );
        let live = Live::start(&mut workshop.shell(&script), false);
        let is_written = |ending| {
            let file = workshop.path().join(format!("n.{ending}")).metadata();
            file.is_ok_and(|file| file.len() > 1 << 16)
        };
        until("rows in all files", || {
            ENDINGS[..3].iter().all(is_written).then_some(())
        })?;
        let sent = Instant::now();
        send(live.id(), signal)?;
        let outcome = live.finish();
        if outcome.code != 128 + signal {
            return Err(format!("exit code {}: {}", outcome.code, outcome.stderr));
        }
        if sent.elapsed() >= LONGEST_END {
            // On a machine that has much else to do the end of a Parquet file may take longer than a signal is waited
            // for: then the files are those of a process that dies.
            continue;
        }
        let found = ENDINGS.map(|ending| rows(&workshop.path().join(format!("n.{ending}"))));
        let first = found[0].clone()?;
        if first == 0 || found.iter().any(|rows| rows.as_ref() != Ok(&first)) {
            return Err(format!("after signal {signal}: {found:?}"));
        }
    }
    Ok(())
}

/// Rows that fill more than 64 KiB in any format, written to a file of each ending in `folder`; the messages.
fn too_much(folder: &str, ending: &str) -> String {
    let query =
        "SELECT n, n * 7919 % 1000003 AS m, 'row ' || (n * 104729 % 15485863) AS s FROM stdin";
    format!("seq 1 30000 | sed 1in | tumble \"INSERT INTO '{folder}n.{ending}' {query}\"")
}

/// What is said when `n.{ending}` cannot grow, and what is left of it there.
fn check_cut(
    workshop: &Workshop,
    ending: &str,
    told: &str,
    outcome: &Outcome,
) -> Result<(), String> {
    same_text(ending, told.as_bytes(), outcome.stderr.as_bytes())?;
    if outcome.code != 1 {
        return Err(format!("{ending}: exit code {}", outcome.code));
    }
    let found = rows(&workshop.path().join(format!("n.{ending}")));
    match (ending, &found) {
        // The batches that had room, or the last line is cut.
        ("arrows", Ok(rows)) if *rows < 30_000 => Ok(()),
        ("csv", Ok(rows)) if *rows < 30_000 => Ok(()),
        ("csv" | "arrow" | "parquet", Err(_)) => Ok(()),
        _ => Err(format!("{ending} is taken for a whole file: {found:?}")),
    }
}

/// A disk that is full in the middle of a file is said with the path, and no reader takes the rest for the whole.
fn full_disk() -> Result<(), String> {
    for ending in ENDINGS {
        let workshop = Workshop::new();
        let script = format!(
            "mkdir full; mount -t tmpfs -o size=64k none full || exit 77
             {}; code=$?; cp full/n.{ending} .; umount full; exit $code",
            too_much("full/", ending)
        );
        std::fs::write(workshop.path().join("script"), script).map_err(|e| e.to_string())?;
        let unshare = "unshare --user --map-root-user --mount true 2> /dev/null || exit 77; \
                       exec unshare --user --map-root-user --mount bash script";
        let outcome = run_command(workshop.shell(unshare), None);
        if outcome.code == 77 {
            println!("left out: no file system of a test's own can be mounted");
            return Ok(());
        }
        let told = format!("error: cannot write full/n.{ending}: no space left on device\n");
        check_cut(&workshop, ending, &told, &outcome)?;
    }
    Ok(())
}

/// So is a file that has reached the limit of `ulimit -f`.
fn file_limit() -> Result<(), String> {
    for ending in ENDINGS {
        let workshop = Workshop::new();
        let script = format!("ulimit -f 64; {}", too_much("", ending));
        let outcome = run_command(workshop.shell(&script), None);
        let told = format!("error: cannot write n.{ending}: file too large\n");
        check_cut(&workshop, ending, &told, &outcome)?;
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
