//! The fuzz targets over mutations of real inputs: what is held of any bytes, on every change.
//!
//! ```text
//! cargo test --test it fuzz                             300 mutations for each target
//! TUMBLE_CASES=100000 cargo test --release --test it fuzz
//! cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none ndjson      libFuzzer chooses
//! ```

use std::panic::catch_unwind;

use libtest_mimic::{Failed, Trial};

use crate::program::root;
use crate::random::Random;

#[path = "../fuzz/targets.rs"]
mod targets;

/// A target with the inputs that it begins with.
type Target = (&'static str, fn(&[u8]), &'static [&'static str]);

const TARGETS: [Target; 5] = [
    (
        "csv",
        targets::csv,
        &["samples/access.csv", "samples/doors.csv"],
    ),
    ("ndjson", targets::ndjson, &["samples/access.ndjson"]),
    (
        "sql",
        targets::sql,
        &[
            "samples/orders.sql",
            "samples/rollup.sql",
            "samples/sessions.sql",
        ],
    ),
    (
        "timestamp",
        targets::timestamp,
        &["samples/access.csv", "samples/orders.csv"],
    ),
    (
        "pipeline",
        targets::pipeline,
        &["samples/access.csv", "samples/access.ndjson"],
    ),
];

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
    let test = |(name, target, seeds): Target| {
        Trial::test(format!("fuzz::{name}"), move || mutate(name, target, seeds))
    };
    TARGETS.into_iter().map(test).collect()
}

fn mutate(name: &str, target: fn(&[u8]), seeds: &[&str]) -> Result<(), Failed> {
    let cases = std::env::var("TUMBLE_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let seeds: Result<Vec<Vec<u8>>, _> = (seeds.iter())
        .map(|path| std::fs::read(root().join(path)))
        .collect();
    let seeds = seeds?;
    for seed in 0..cases.unwrap_or(CASES) {
        let mut random = Random::new(seed);
        let whole = random.pick(&seeds);
        let mut bytes = vec![random.next() as u8];
        // A few lines from somewhere: the beginning shows the header.
        let length = random.below(whole.len().min(2_000));
        bytes.extend_from_slice(&whole[..length]);
        for _ in 0..random.below(6) {
            change(&mut bytes, &mut random);
        }
        if catch_unwind(|| target(&bytes)).is_err() {
            let shown = bytes.escape_ascii().to_string();
            return Err(format!("target {name}, seed {seed}: {shown}").into());
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
