//! Parquet and Arrow between tumble and others: pyarrow and DuckDB read the same values in what tumble writes,
//! and tumble in what they write.
//!
//! `TUMBLE_PYTHON` names the Python that has both libraries; without them the tests are ignored, which the summary
//! shows.

use std::process::Command;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::program::{self, Live, Outcome, Workshop, root, run_command};

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let are_missing = !are_there_peers();
    vec![
        Trial::test("columnar::written", || Ok(written()?)).with_ignored_flag(are_missing),
        Trial::test("columnar::read", || Ok(read()?)).with_ignored_flag(are_missing),
        Trial::test("columnar::prompt", || Ok(prompt()?)),
    ]
}

fn python() -> Command {
    Command::new(std::env::var_os("TUMBLE_PYTHON").unwrap_or_else(|| "python3".into()))
}

/// Looks for the libraries and does not load them: whoever asks for other tests does not wait for that.
fn are_there_peers() -> bool {
    let find = "from importlib.util import find_spec\nexit(not (find_spec('pyarrow') and find_spec('duckdb')))";
    let output = python().args(["-c", find]).output();
    output.is_ok_and(|output| output.status.success())
}

fn peers(action: &str, workshop: &Workshop) -> Result<(), String> {
    let script = root().join("tests/it/columnar.py");
    let output = python()
        .arg(script)
        .arg(action)
        .arg(workshop.path())
        .output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn run(workshop: &Workshop, script: &str) -> Result<Outcome, String> {
    let outcome = run_command(workshop.shell(script), None);
    match (outcome.code, outcome.stderr.is_empty()) {
        (0, true) => Ok(outcome),
        _ => Err(format!(
            "{script}\nexit code {}: {}",
            outcome.code, outcome.stderr
        )),
    }
}

const COLUMNS: &str = "bo BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, u8 TINYINT UNSIGNED, u16 SMALLINT UNSIGNED, \
     u32 INT UNSIGNED, u64 BIGINT UNSIGNED, f FLOAT, d DOUBLE, de DECIMAL(20, 4), de38 DECIMAL(38, 2), s STRING, by BYTES, \
     da DATE, ti TIME, t3 TIMESTAMP(3), t6 TIMESTAMP(6), z6 TIMESTAMP_LTZ(6), t9 TIMESTAMP(9)";

/// The values of those, as the script has them.
const ALL: &str = r#"bo,i8,i16,i32,i64,u8,u16,u32,u64,f,d,de,de38,s,by,da,ti,t3,t6,z6,t9
true,-128,-32768,-2147483648,-9223372036854775808,0,0,0,0,0.5,0.1,12345.6789,123456789012345678901234567890123456.78,"say ""hi"", ü",ab,2026-01-01,01:02:03.456789,2026-01-01T12:00:00.005,2026-01-01T12:00:00.000005,2026-01-01T11:00:00.000005Z,2026-01-01T12:00:00.000000007
,,,,,,,,,,,,,,,,,,,,
false,127,32767,2147483647,9223372036854775807,255,65535,4294967295,18446744073709551615,-1.25,1e+300,-0.0001,0.00,"","",1960-02-29,00:00:00,1960-01-01T00:00:00.001,1960-01-01T00:00:00.000001,1960-01-01T00:00:00Z,1960-01-01T00:00:00.000000001
"#;

/// What else the script writes.
const OTHERS: &str = r#"bi,fi,ls,sv,di,f16,d256,d32,d64,t32,ts,zb,st,ma,nu,li
\x00ff,ab,a,a longer text than twelve,x,0.5,123456789012345678901234567890123456789012.5,1.5,2026-01-01,01:02:03,1970-01-01T00:00:01,1970-01-01T00:00:01Z,"{""id"":1,""name"":""q""}","{""k"":1}",,"[1,null,3]"
,,,,,,,,,,,,,,,
"",cd,b,b,y,-2,-2.5,-2.5,1960-01-01,00:00:00,1969-12-31T23:59:59,1969-12-31T23:59:59.999Z,"{""id"":null,""name"":""z""}",{},,[-1]
"#;

/// A batch of Arrow in a pipe comes out when its last byte has come.
fn prompt() -> Result<(), String> {
    let stream = |query| {
        let outcome = run_command(
            Workshop::new().shell(&format!("tumble --format arrow {query:?}")),
            None,
        );
        outcome.stdout
    };
    let (first, second) = (stream("SELECT 1 AS n"), stream("SELECT 2 AS n"));
    let mut live = Live::start(program::command().arg("SELECT n FROM stdin"), true);
    live.feed(&first);
    same_text("after a batch", b"n\n1\n", live.news().as_bytes())?;
    let (some, rest) = second.split_at(second.len() - 80);
    live.feed(some);
    same_text("after half a batch", b"", live.news().as_bytes())?;
    live.feed(rest);
    same_text("after the other half", b"2\n", live.news().as_bytes())?;
    live.end_input();
    let outcome = live.finish();
    same_text("stderr", b"", outcome.stderr.as_bytes())
}

fn written() -> Result<(), String> {
    let workshop = Workshop::new();
    let write = |name, text| std::fs::write(workshop.path().join(name), text);
    write("all.csv", ALL).map_err(|error| error.to_string())?;
    write("k.csv", "k,n\na,1\na,\na,3\nb,2\nc,-1\n").map_err(|error| error.to_string())?;
    let query = format!(
        "CREATE TABLE t ({COLUMNS}) WITH (path = 'all.csv');
         INSERT INTO 'all.parquet' SELECT * FROM t;
         INSERT INTO 'all.arrow' SELECT * FROM t;
         INSERT INTO 'all.arrows' SELECT * FROM t;
         INSERT INTO 'list.parquet' SELECT array_agg(n) FILTER (WHERE k <> 'b') AS li FROM 'k.csv' GROUP BY k;"
    );
    run(&workshop, &format!("tumble \"{query}\""))?;
    peers("read", &workshop)
}

fn read() -> Result<(), String> {
    let workshop = Workshop::new();
    peers("write", &workshop)?;
    let mut files = 0;
    for entry in std::fs::read_dir(workshop.path()).map_err(|error| error.to_string())? {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let file = name.to_string_lossy();
        if !file.starts_with("peer-") {
            continue;
        }
        files += 1;
        // Parquet alone keeps no instants in seconds and no dates in milliseconds, which changes no value here.
        for expected in [ALL, OTHERS] {
            let columns = expected.lines().next().unwrap_or_default();
            let outcome = run(
                &workshop,
                &format!("tumble \"SELECT {columns} FROM '{file}'\""),
            )?;
            same_text(&file, expected.as_bytes(), &outcome.stdout)?;
        }
    }
    if files != 13 {
        return Err(format!("{files} files were read"));
    }
    let query = "SELECT count(*) AS rows, sum(n) AS n, max(s) AS s, sum(x) AS x, min(ts) AS ts, sum(st.a) AS a FROM 'duck.parquet'";
    let outcome = run(&workshop, &format!("tumble \"{query}\""))?;
    let expected = "rows,n,s,x,ts,a\n300000,44999850000,row 99999,11249962500,2026-01-01T00:00:00,44999850000\n";
    same_text("duck.parquet", expected.as_bytes(), &outcome.stdout)
}
