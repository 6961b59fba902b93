//! What a running Flink answered: the program must give the same rows, and so must the reference.
//!
//! The file has one case a line: `{"name", "ddl", "rows", "sql", "columns", "result"}`. It is not part of the
//! repository; without it (beside the repository in `shared/oracle/`, or where `TUMBLE_ORACLE` says) the
//! tests are ignored, which the summary shows. Results are compared as bags: Flink orders the rows of a window by hash.

use std::path::PathBuf;
use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::Value as Json;

use crate::program::{self, Case, How};
use crate::random::Random;
use crate::reference::{query, rules, table};

/// Kinds that the program must answer; the others must be refused as not built yet.
const ANSWERED: [&str; 6] = ["tumble", "hop", "cumulate", "session", "assign", "cascade"];

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let path = std::env::var_os("TUMBLE_ORACLE").map_or_else(
        || program::root().join("../shared/oracle/flink-windows.jsonl"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(&path) else {
        let skipped = format!("oracle::skipped (no {})", path.display());
        return vec![Trial::test(skipped, || Ok(())).with_ignored_flag(true)];
    };
    let mut tests = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case: Json = match serde_json::from_str(line) {
            Ok(case) => case,
            Err(error) => {
                let message = format!("a line of {} is no JSON: {error}", path.display());
                tests.push(Trial::test("oracle::unreadable", move || {
                    Err(message.into())
                }));
                continue;
            }
        };
        let case = Arc::new(case);
        let name = case["name"].as_str().unwrap_or("unnamed").to_string();
        let program_case = Arc::clone(&case);
        let kind = name.split('-').next().unwrap_or_default();
        if ANSWERED[..4].contains(&kind) {
            let reference_case = Arc::clone(&case);
            let check = move || Ok(check_reference(&reference_case)?);
            tests.push(Trial::test(format!("reference::flink-{name}"), check));
        }
        let answered = ANSWERED.contains(&kind);
        let check = move || {
            let checked = if answered {
                check_answer(&program_case)
            } else {
                check_refusal(&program_case)
            };
            Ok(checked?)
        };
        tests.push(Trial::test(format!("oracle::{name}"), check));
    }
    tests
}

/// The script and the input of a case.
fn program_case(case: &Json) -> Case {
    let text = |field: &str| case[field].as_str().unwrap_or_default();
    let rows = case["rows"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let input: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let seed = text("name")
        .bytes()
        .fold(0, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    Case {
        sql: format!(
            "CREATE TABLE t ({}) WITH (path='-', format='ndjson');\n{}",
            text("ddl"),
            text("sql")
        ),
        flags: Vec::new(),
        chunks: Some(Random::new(seed).cut(input.as_bytes())),
        how: How::Library,
    }
}

fn check_answer(case: &Json) -> Result<(), String> {
    let call = program_case(case);
    let outcome = program::run(&call);
    if outcome.code != 0 {
        return Err(format!(
            "{}\nexit code {}: {}",
            call.sql, outcome.code, outcome.stderr
        ));
    }
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    let mut lines = read_csv(&stdout).into_iter();
    let header: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect();
    let columns: Vec<&str> = (case["columns"].as_array().into_iter().flatten())
        .filter_map(Json::as_str)
        .collect();
    if header != columns {
        return Err(format!(
            "{}\nexpected columns {columns:?}, got {header:?}",
            call.sql
        ));
    }
    let actual = lines
        .map(|row| row.into_iter().map(normal).collect())
        .collect();
    same_bag(&call.sql, expected(case), actual)
}

fn check_refusal(case: &Json) -> Result<(), String> {
    let call = program_case(case);
    let outcome = program::run(&call);
    if outcome.code == 1 && outcome.stderr.contains("not built yet") && outcome.stdout.is_empty() {
        return Ok(());
    }
    let (code, text) = (outcome.code, outcome.stderr);
    Err(format!(
        "{}\nexpected a refusal (exit code 1, \"not built yet\"), got exit code {code}: {text}",
        call.sql
    ))
}

/// The reference, too, must give Flink's rows.
fn check_reference(case: &Json) -> Result<(), String> {
    let sql = case["sql"].as_str().unwrap_or_default();
    let query =
        query::Query::read(sql).ok_or_else(|| format!("the reference cannot read {sql}"))?;
    let ddl = case["ddl"].as_str().unwrap_or_default();
    let delay = ddl.split("AS ts - ").nth(1).and_then(query::read_interval);
    let settings = rules::Settings {
        delay: delay.ok_or(format!("no watermark in {ddl}"))?,
        max_jump: 0,
    };
    let rows: Option<Vec<table::Row>> = case["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .map(table::Row::from_json)
        .collect();
    let answer = rules::answer(&query, &settings, &rows.ok_or("a row has no time text")?);
    let cell = |value: &table::Value| match value {
        table::Value::Null => None,
        other => Some(other.csv()),
    };
    let actual = answer
        .rows
        .iter()
        .map(|row| row.iter().map(cell).map(normal).collect())
        .collect();
    same_bag(sql, expected(case), actual)
}

/// A row for comparison: every cell as text in one spelling, `None` for NULL.
type Cells = Vec<Option<String>>;

fn expected(case: &Json) -> Vec<Cells> {
    let rows = case["result"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_array);
    let cell = |value: &Json| match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    // The first cell is the change kind, always +I.
    rows.map(|row| row[1..].iter().map(cell).map(normal).collect())
        .collect()
}

/// Times without `.000`, whole doubles without `.0`, exponents as Rust writes them.
fn normal(cell: Option<String>) -> Option<String> {
    let text = cell?;
    if let Some(time) = table::time_of(&text) {
        return Some(table::time_text(time));
    }
    let is_double = text.contains(['.', 'e', 'E']);
    match text.parse::<f64>() {
        Ok(number) if is_double && number == 0.0 => Some("0".to_string()),
        Ok(number) if is_double => Some(number.to_string()),
        _ => Some(text),
    }
}

fn same_bag(sql: &str, mut expected: Vec<Cells>, mut actual: Vec<Cells>) -> Result<(), String> {
    expected.sort();
    actual.sort();
    let lines = |rows: &[Cells]| -> String {
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_string());
        rows.iter()
            .map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n")
            .collect()
    };
    crate::difference::same_text(sql, lines(&expected).as_bytes(), lines(&actual).as_bytes())
}

/// Fields of csv; an empty field without quotes is NULL.
fn read_csv(text: &str) -> Vec<Cells> {
    let mut rows = vec![];
    let mut row = vec![];
    let mut field = String::new();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' | '\n' if !quoted => {
                let text = std::mem::take(&mut field);
                row.push((was_quoted || !text.is_empty()).then_some(text));
                was_quoted = false;
                if character == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            other => field.push(other),
        }
    }
    rows
}
