//! No escape code reaches a pipe: a script goes over every way to be told something, with stdout, stderr, or both of
//! them as pipes, and what is left at a terminal.
//!
//! ```text
//!  tumble ─┬─ stdout ─► cat ─► out       no escape code
//!          └─ stderr ─► the terminal     escape codes: it is one
//! ```

use libtest_mimic::Trial;

use crate::program::Workshop;
use crate::pseudo_terminal::PseudoTerminal;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    PLACES
        .iter()
        .map(|(name, run)| Trial::test(format!("escapes::{name}"), || Ok(check(run)?)))
        .collect()
}

/// What is a pipe, and how a command is run then.
const PLACES: [(&str, &str); 3] = [
    ("stdout", r#""$@" | cat >> out"#),
    ("stderr", r#"{ "$@" 2>&1 1>&3 | cat >> err; } 3>&1"#),
    (
        "both",
        r#"{ "$@" 2>&1 1>&3 | cat >> err; } 3>&1 | cat >> out"#,
    ),
];

/// All that people are shown. Arrow and Parquet are no text: any byte may be in them.
const SCRIPT: &str = r#"
    growing="SELECT window_start, host, count(*) AS n FROM TUMBLE(input, ts, '5m') GROUP BY window_start, host"
    finite="SELECT host, count(*) AS n FROM input GROUP BY host"
    for format in table csv tsv ndjson json-array markdown line chart; do
        run tumble --format $format "$growing" samples/access.csv
        run tumble --format $format --live --color auto "$finite" samples/access.csv
    done
    run tumble "$growing" samples/access.csv
    run tumble -v --progress always "$finite" samples/access.csv
    run tumble --strict --delay 0s "$growing" samples/access.csv
    run tumble --explain "$growing" samples/access.csv
    run tumble "EXPLAIN ANALYZE $growing" samples/access.csv
    run tumble --describe samples/access.csv
    slow() { { printf 'ts,host\n2026-01-01T12:00:01,a\n2026-01-01T12:09:01,a\n'; sleep 1.5; } | run "$@"; }
    slow tumble -v --live --progress always "$growing" -
    slow tumble --progress always --format ndjson "$growing" -
    slow tumble --progress always --on-interrupt emit "$finite" -
    run tumble "SELECT stauts FROM input" samples/access.csv
    run tumble "SELECT 'a" samples/access.csv
    run tumble --error-format json "SELECT stauts FROM input" samples/access.csv
    run tumble "SELECT * FROM 'nowhere.csv'"
    run tumble --lateness 5s "SELECT 1"
    run tumble --types status=DATE "SELECT status FROM input" samples/access.csv
    run tumble --expect none "$finite" samples/access.csv
    run tumble --help
    run tumble -h
    run tumble --version
    run tumble man
    run tumble examples
    for shell in bash zsh fish; do run tumble completions $shell; done
    run tumble generate access-log --rows 3
    run tumble generate --help
"#;

fn check(run: &str) -> Result<(), String> {
    let workshop = Workshop::new();
    let mut terminal =
        PseudoTerminal::start(workshop.shell(&format!("run() {{ {run}; }}\n{SCRIPT}")));
    terminal.end();
    let shown = String::from_utf8_lossy(&terminal.written()).into_owned();
    let is_colored = shown.contains("\u{1b}[");
    if is_colored != (run != PLACES[2].1) {
        return Err(format!("colors at the terminal: {is_colored}:\n{shown}"));
    }
    for name in ["out", "err"] {
        let Ok(text) = std::fs::read(workshop.path().join(name)) else {
            continue;
        };
        let text = String::from_utf8_lossy(&text);
        if text.lines().count() < 100 && name == "out" || text.lines().count() < 20 {
            return Err(format!("{name} has little in it:\n{text}"));
        }
        if let Some(line) = text.lines().find(|line| line.contains('\u{1b}')) {
            return Err(format!("an escape code in {name}: {line:?}"));
        }
    }
    Ok(())
}
