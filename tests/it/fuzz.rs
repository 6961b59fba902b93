//! The fuzz targets over mutations of real inputs: what is held of any bytes, on every change.
//!
//! ```text
//! cargo test --test it fuzz                             300 mutations for each target
//! TUMBLE_CASES=100000 cargo test --release --test it fuzz
//! cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none ndjson      libFuzzer chooses
//! ```

use std::panic::catch_unwind;

use libtest_mimic::Trial;

use crate::expect::{check, text};
use crate::files::write_compressed;
use crate::program::{Workshop, root, run_command};
use crate::random::Random;

#[path = "../fuzz/targets.rs"]
mod targets;

/// A target with the inputs that it begins with.
struct Target {
    name: &'static str,
    run: fn(&[u8]),
    seeds: Seeds,
}

#[derive(Clone, Copy)]
enum Seeds {
    /// Files of the repository, of which the first lines are enough.
    Files(&'static [&'static str]),
    /// Made here, and whole: what they are may stand at their end.
    Made(fn() -> Result<Vec<Vec<u8>>, String>),
}

const TARGETS: [Target; 7] = [
    Target {
        name: "csv",
        run: targets::csv,
        seeds: Seeds::Files(&["samples/access.csv", "samples/doors.csv"]),
    },
    Target {
        name: "ndjson",
        run: targets::ndjson,
        seeds: Seeds::Files(&["samples/access.ndjson"]),
    },
    Target {
        name: "sql",
        run: targets::sql,
        seeds: Seeds::Files(&[
            "samples/orders.sql",
            "samples/rollup.sql",
            "samples/sessions.sql",
        ]),
    },
    Target {
        name: "timestamp",
        run: targets::timestamp,
        seeds: Seeds::Files(&["samples/access.csv", "samples/orders.csv"]),
    },
    Target {
        name: "pipeline",
        run: targets::pipeline,
        seeds: Seeds::Files(&["samples/access.csv", "samples/access.ndjson"]),
    },
    Target {
        name: "lines",
        run: targets::lines,
        // One of each layout, and two where it has two ways.
        seeds: Seeds::Files(&[
            "samples/coming-from.md",
            "samples/formats/gateway.logfmt",
            "samples/formats/apache-common.log",
            "samples/formats/nginx-combined.log",
            "samples/formats/syslog-bsd.log",
            "samples/formats/syslog-rfc5424.log",
            "samples/formats/postgres.log",
            "samples/formats/ps.txt",
            "samples/formats/psql.txt",
            "samples/formats/iis.log",
            "samples/formats/zeek-conn.log",
        ]),
    },
    Target {
        name: "columnar",
        run: targets::columnar,
        seeds: Seeds::Made(columns_and_compressed),
    },
];

/// Some rows in the formats of columns, and as text in each compression.
fn columns_and_compressed() -> Result<Vec<Vec<u8>>, String> {
    let rows = "SELECT ts, host, status, latency_ms FROM 'samples/access.csv' LIMIT 20";
    let mut seeds = Vec::new();
    for format in ["arrow", "parquet", "csv"] {
        let script = format!("tumble --format {format} \"{rows}\" | cat");
        let outcome = run_command(Workshop::new().shell(&script), None);
        check(format, outcome.code == 0, &outcome)?;
        seeds.push(outcome.stdout);
    }
    let csv = seeds.pop().unwrap_or_default();
    let folder = Workshop::new();
    let names = write_compressed(&folder.path(), &csv)?;
    let compressed = names
        .iter()
        .map(|name| std::fs::read(folder.path().join(name)));
    seeds.extend(compressed.collect::<Result<Vec<_>, _>>().map_err(text)?);
    Ok(seeds)
}

const CASES: u64 = 300;

/// What structure is made of.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"\\",
    b"\\u",
    b"\\ud83d",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"'",
    b"--",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\0",
    b"9223372036854775808",
    b"1e999",
    b"-",
    b"12:60:60",
    b"292277026596-12-04T15:30:08Z",
];

/// One test for each target.
pub fn tests() -> Vec<Trial> {
    let test = |target: Target| {
        Trial::test(format!("fuzz::{}", target.name), move || {
            Ok(mutate(&target)?)
        })
    };
    TARGETS.into_iter().map(test).collect()
}

fn mutate(target: &Target) -> Result<(), String> {
    let cases = std::env::var("TUMBLE_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let (seeds, are_cut) = match target.seeds {
        Seeds::Files(paths) => {
            let seeds = paths.iter().map(|path| std::fs::read(root().join(path)));
            (seeds.collect::<Result<Vec<_>, _>>().map_err(text)?, true)
        }
        Seeds::Made(make) => (make()?, false),
    };
    for seed in 0..cases.unwrap_or(CASES) {
        let mut random = Random::new(seed);
        let whole = random.pick(&seeds);
        let mut bytes = vec![random.next() as u8];
        // A few lines from somewhere: the beginning shows the header.
        let length = match are_cut {
            true => random.below(whole.len().min(2_000)),
            false => whole.len(),
        };
        bytes.extend_from_slice(&whole[..length]);
        for _ in 0..random.below(6) {
            change(&mut bytes, &mut random);
        }
        if catch_unwind(|| (target.run)(&bytes)).is_err() {
            let shown = bytes.escape_ascii().to_string();
            return Err(format!("target {}, seed {seed}: {shown}", target.name));
        }
    }
    Ok(())
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(5) {
        0 => bytes.truncate(at.max(1)),
        1 => {
            let end = (at + random.below(40)).min(bytes.len());
            bytes.drain(at..end);
        }
        2 => {
            let end = (at + random.below(200)).min(bytes.len());
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        3 if at < bytes.len() => bytes[at] = random.next() as u8,
        _ => {
            bytes.splice(at..at, random.pick(&PIECES).iter().copied());
        }
    }
    if bytes.is_empty() {
        bytes.push(0);
    }
}
