//! The program against a naive reference: random data and queries must give the same bytes, and the
//! reference itself gives Flink's rows for Flink's cases.
//!
//! `TUMBLE_CASES=10000` sets how many examples are tried, `TUMBLE_SEED=1234` tries only that one. A failing
//! example is reduced (rows are dropped while it still fails) and shown with its seed.

mod generate;
pub mod query;
pub mod rules;
pub mod table;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::program::{self, Case, How, LeftOut};
use crate::random::Random;
use generate::{Example, example};
use query::Query;

const DEFAULT_CASES: u64 = 2_000;
const CASES_PER_TEST: u64 = 100;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let mut tests = vec![
        Trial::test("reference::queries-read-back", || Ok(queries_read_back()?)),
        Trial::test("reference::by-hand", || Ok(by_hand()?)),
    ];
    if let Some(seed) = number("TUMBLE_SEED") {
        tests.push(Trial::test(format!("reference::seed-{seed}"), move || {
            Ok(check_seed(seed)?)
        }));
        return tests;
    }
    let cases = number("TUMBLE_CASES").unwrap_or(DEFAULT_CASES);
    for first in (0..cases).step_by(CASES_PER_TEST as usize) {
        let last = (first + CASES_PER_TEST).min(cases) - 1;
        let name = format!("reference::seeds-{first:05}-{last:05}");
        tests.push(Trial::test(name, move || {
            Ok((first..=last).try_for_each(check_seed)?)
        }));
    }
    tests
}

/// One example through the program and the reference; a failure comes reduced.
fn check_seed(seed: u64) -> Result<(), String> {
    let mut example = example(seed);
    let Err(first) = check(&example, seed) else {
        return Ok(());
    };
    let before = example.rows.len();
    let message = reduce(&mut example, seed).unwrap_or(first);
    let input = String::from_utf8_lossy(&example.input()).into_owned();
    Err(format!(
        "seed {seed} (TUMBLE_SEED={seed} repeats it), reduced from {before} rows to {}\nflags: {}\n{}input:\n{input}{message}",
        example.rows.len(),
        example.flags().join(" "),
        example.sql(),
    ))
}

fn check(example: &Example, seed: u64) -> Result<(), String> {
    let expected = rules::answer(&example.query, &example.settings, &example.rows);
    let input = example.input();
    let mut random = Random::new(seed ^ 0xc475);
    let chunks = if random.one_in(3) {
        vec![input]
    } else {
        random.cut(&input)
    };
    let case = Case {
        sql: example.sql(),
        flags: example.flags(),
        chunks: Some(chunks),
        how: How::Library,
    };
    let outcome = program::run(&case);
    if outcome.code != 0 {
        return Err(format!("exit code {}: {}", outcome.code, outcome.stderr));
    }
    let text = table::csv(&example.query.columns(), &expected.rows);
    same_text("the result", text.as_bytes(), &outcome.stdout)?;
    let wanted = LeftOut {
        late: expected.late,
        untimed: expected.untimed,
    };
    match outcome.left_out {
        Some(left_out) if left_out != wanted => {
            Err(format!("expected {wanted:?}, got {left_out:?}"))
        }
        _ => Ok(()),
    }
}

/// Drops rows, in halves, quarters, … and one by one, as long as the example still fails.
fn reduce(example: &mut Example, seed: u64) -> Option<String> {
    let mut message = None;
    let mut size = example.rows.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < example.rows.len() {
            let mut smaller = example.clone();
            let end = (start + size).min(smaller.rows.len());
            smaller.rows.drain(start..end);
            match check(&smaller, seed) {
                Err(failure) => {
                    *example = smaller;
                    message = Some(failure);
                }
                Ok(()) => start += size,
            }
        }
        size /= 2;
    }
    message
}

fn queries_read_back() -> Result<(), String> {
    for seed in 0..500 {
        let query = example(seed).query;
        let sql = query.to_string();
        if Query::read(&sql).as_ref() != Some(&query) {
            return Err(format!(
                "seed {seed}: {sql}\nreads as {:?}",
                Query::read(&sql)
            ));
        }
    }
    Ok(())
}

/// A few answers that were worked out on paper, so that the reference is not only its own witness.
fn by_hand() -> Result<(), String> {
    let calls = "count(*) AS n, sum(v) AS s";
    let group = "GROUP BY window_start, window_end";
    // (window, delay ms, times s, lines of the result, late)
    type Paper<'a> = (&'a str, i64, &'a [f64], &'a str, u64);
    let papers: &[Paper] = &[
        // A window ends before its end; a row at the bound belongs to the next.
        (
            "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)",
            0,
            &[0.0, 4.999, 5.0],
            "00:00/05:2 05/10:1",
            0,
        ),
        // The watermark reaches 4.999 with the row at 6.999: the window closes, 3.0 is late.
        (
            "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)",
            2000,
            &[1.0, 6.998, 2.0, 6.999, 3.0],
            "00:00/05:2 05/10:2",
            1,
        ),
        // Before 1970 windows are floored: -0.001 lies in [-5, 0).
        (
            "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND)",
            0,
            &[-0.001, 0.0],
            "-05/00:1 00/05:1",
            0,
        ),
        // slide 2 does not divide size 3: 2.5 lies in [0, 3) and [2, 5), 3.5 in [2, 5) only.
        (
            "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '3' SECOND)",
            0,
            &[2.5, 3.5],
            "00/03:1 02/05:2",
            0,
        ),
        // A row with one of two windows closed counts in the other.
        (
            "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '4' SECOND)",
            0,
            &[4.5, 3.0],
            "02/06:2 04/08:1",
            0,
        ),
        // Growing windows keep what came early.
        (
            "CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '4' SECOND)",
            0,
            &[1.0, 3.0],
            "00/02:1 00/04:2",
            0,
        ),
        // Exactly the gap apart is one session, one millisecond more is two.
        (
            "SESSION(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND)",
            0,
            &[1.0, 3.0, 5.001],
            "01/05:2 05.001/07.001:1",
            0,
        ),
        // A row behind the watermark still joins an open session; alone it would be late.
        (
            "SESSION(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND)",
            1000,
            &[5.0, 6.5, 3.2, 0.5],
            "03.200/08.500:3",
            1,
        ),
        (
            "COUNT_WINDOW(TABLE t, 3, 2)",
            0,
            &[9.0, 1.0, 5.0, 2.0, 3.0, 4.0],
            "0/3:3 2/5:3",
            0,
        ),
    ];
    for (window, delay, times, expected, late) in papers {
        let sql = format!("SELECT window_start, window_end, {calls} FROM TABLE({window}) {group}");
        let query = Query::read(&sql).ok_or_else(|| format!("cannot read {sql}"))?;
        let rows: Vec<table::Row> = (times.iter())
            .map(|time| table::Row {
                ts: table::Time::Known((time * 1000.0).round() as i64),
                k: None,
                g: None,
                v: Some(1),
                d: None,
            })
            .collect();
        let settings = rules::Settings {
            delay: *delay,
            max_jump: 0,
        };
        let answer = rules::answer(&query, &settings, &rows);
        let bound = |value: &table::Value| match value {
            table::Value::Integer(n) => *n as f64,
            table::Value::Time(time) => *time as f64 / 1000.0,
            _ => f64::NAN,
        };
        let got: Vec<(f64, f64, String)> = answer
            .rows
            .iter()
            .map(|row| (bound(&row[0]), bound(&row[1]), row[2].csv()))
            .collect();
        let wanted: Vec<(f64, f64, String)> = (expected.split(' '))
            .map(|text| {
                let (bounds, n) = text.rsplit_once(':').unwrap_or_default();
                let (start, end) = bounds.split_once('/').unwrap_or_default();
                let seconds =
                    |text: &str| text.trim_start_matches("00:").parse().unwrap_or(f64::NAN);
                (seconds(start), seconds(end), n.to_string())
            })
            .collect();
        if got != wanted || answer.late != *late {
            return Err(format!(
                "{window} over {times:?}\nexpected {wanted:?}, late {late}\ngot      {got:?}, late {}",
                answer.late
            ));
        }
    }
    Ok(())
}
