//! Golden files that a user could read: `grammar-tests/**/*.test`, one test per file.
//!
//! `grammar-tests/README.md` describes the format. `UPDATE_EXPECT=1` rewrites the expectations in place.
//! Every query and stream is run again with its input as one chunk, byte by byte and at random cuts, and
//! with each number of threads in [`THREADS`]: the output must be the same bytes.

mod record;

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::program::{self, Case, How, Live, Outcome, Workshop, run_command};
use crate::random::Random;
use record::{Kind, Record, bytes_of, lines_of, words};

/// Thread counts that must not change a byte.
const THREADS: [usize; 4] = [1, 2, 4, 8];
/// The longest input that is also given byte by byte.
const SHORT_INPUT_BYTES: usize = 300;
/// How often an input is cut at random.
const RANDOM_CUTS: u64 = 3;

/// What a stream says of rows that were left out: its word for them, and how a warning of them reads.
const LEFT_OUT: [(&str, &str); 4] = [
    ("late", "late and left out"),
    ("partly late", "late for some windows"),
    ("untimed", "readable time"),
    ("rejected", "rejected"),
];

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let folder = program::root().join("grammar-tests");
    let mut files = Vec::new();
    find(&folder, &mut files);
    files.sort();
    let mut tests = vec![Trial::test("harness::grammar-records", || {
        Ok(records_print_back()?)
    })];
    for path in files {
        let name = path
            .strip_prefix(&folder)
            .unwrap_or(&path)
            .display()
            .to_string();
        tests.push(Trial::test(format!("grammar::{name}"), move || {
            Ok(check_file(&path)?)
        }));
    }
    tests
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "test")
        {
            files.push(path);
        }
    }
}

/// Whether expectations are to be rewritten.
pub fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

fn check_file(path: &Path) -> Result<(), String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut records = record::read(&text)?;
    let name = path
        .strip_prefix(program::root())
        .unwrap_or(path)
        .display()
        .to_string();
    let mut failures = Vec::new();
    for record in &mut records {
        let Some(kind) = record.kind else { continue };
        let mut actual = record.clone();
        let result = run_record(kind, &mut actual);
        let place = format!("{name}:{}: {}", record.line, record.comments[0]);
        let fail = |error: String| format!("{place}\n{error}");
        let result = match name.ends_with("reject/statements.test") {
            true => result.and_then(|()| leads_on(&actual)),
            false => result,
        };
        if let Err(error) = result {
            failures.push(fail(error));
        } else if updating() {
            *record = actual;
        } else if let Err(error) = same_record(record, &actual) {
            failures.push(fail(error));
        }
    }
    if updating() {
        std::fs::write(path, record::print(&records))
            .map_err(|error| format!("{name}: {error}"))?;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// An error shows its place, and what was meant or what to do.
fn leads_on(record: &Record) -> Result<(), String> {
    let lines = &record.expected;
    let has = |part: &str| lines.iter().any(|line| line.contains(part));
    let steps = [
        "= help: ",
        "did you mean `",
        "= it is called as ",
        "= columns: ",
    ];
    match has("  --> query:") && steps.into_iter().any(has) {
        true => Ok(()),
        false => Err(format!("no place or no next step:\n{}", lines.join("\n"))),
    }
}

/// Compares what a record expects with what came.
fn same_record(expected: &Record, actual: &Record) -> Result<(), String> {
    let what = if expected.kind == Some(Kind::Reject) {
        "stderr"
    } else {
        "stdout"
    };
    let mut failures = Vec::new();
    for (step, actual) in expected.steps.iter().zip(&actual.steps) {
        let what = format!(
            "the output after `> {}`",
            step.rows.last().map_or("", String::as_str)
        );
        failures.extend(same_text(&what, &bytes_of(&step.output), &bytes_of(&actual.output)).err());
    }
    failures.extend(
        same_text(
            what,
            &bytes_of(&expected.expected),
            &bytes_of(&actual.expected),
        )
        .err(),
    );
    let lines = |record: &Record| {
        record
            .stderr
            .clone()
            .map(|(_, lines)| lines)
            .unwrap_or_default()
    };
    if expected.stderr != actual.stderr {
        failures.extend(
            same_text(
                "stderr",
                &bytes_of(&lines(expected)),
                &bytes_of(&lines(actual)),
            )
            .err(),
        );
    }
    let usual = expected.kind.map_or(0, Kind::usual_exit);
    let (wanted, got) = (expected.exit.unwrap_or(usual), actual.exit.unwrap_or(usual));
    if wanted != got {
        failures.push(format!("expected exit code {wanted}, got {got}"));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.concat())
    }
}

/// Runs a record and puts what came in the place of what it expects.
fn run_record(kind: Kind, record: &mut Record) -> Result<(), String> {
    match kind {
        Kind::Query => {
            let case = case_of(record)?;
            let outcome = program::run(&case);
            expect(record, kind, &outcome);
            vary(record, &case, &outcome)
        }
        Kind::Reject | Kind::Plan | Kind::Parse => {
            let mut case = case_of(record)?;
            if kind != Kind::Reject {
                case.flags.insert(0, "--explain".to_string());
            }
            expect(record, kind, &program::run(&case));
            Ok(())
        }
        Kind::Shell => {
            let script = String::from_utf8_lossy(&bytes_of(&record.code)).into_owned();
            let workshop = Workshop::new();
            expect(record, kind, &run_command(workshop.shell(&script), None));
            Ok(())
        }
        Kind::Stream => run_stream(record),
    }
}

/// The call that a record stands for. Its input is one chunk.
fn case_of(record: &Record) -> Result<Case, String> {
    let mut flags = words(&record.flags);
    let chunks = match &record.input {
        None => None,
        Some((word, lines)) if matches!(word.as_str(), "" | "csv" | "ndjson") => {
            if !word.is_empty() {
                flags.extend(["--input-format".to_string(), word.clone()]);
            }
            Some(vec![bytes_of(lines)])
        }
        Some((path, _)) => {
            let bytes = std::fs::read(program::root().join(path));
            Some(vec![bytes.map_err(|error| format!("{path}: {error}"))?])
        }
    };
    Ok(Case {
        sql: record.code.join("\n"),
        flags,
        chunks,
        how: How::Binary,
    })
}

/// Writes an outcome into the record's expectations.
fn expect(record: &mut Record, kind: Kind, outcome: &Outcome) {
    let stderr = lines_of(outcome.stderr.as_bytes());
    record.expected = lines_of(&outcome.stdout);
    if kind == Kind::Reject {
        // Nothing belongs on stdout then; if something came it shows as a difference.
        record.expected.extend(stderr);
        record.stderr = None;
    } else {
        expect_stderr(record, stderr);
    }
    record.exit = (outcome.code != kind.usual_exit()).then_some(outcome.code);
}

/// `stderr contains` stays as it is if each of its lines is found, in order; else it becomes exact.
fn expect_stderr(record: &mut Record, lines: Vec<String>) {
    if let Some((true, wanted)) = &record.stderr {
        // In order, but several parts may be found in one line.
        let mut rest = &lines[..];
        let mut found =
            |part: &String| match rest.iter().position(|line| line.contains(part.as_str())) {
                Some(place) => {
                    rest = &rest[place..];
                    true
                }
                None => false,
            };
        if wanted.iter().all(&mut found) {
            return;
        }
    }
    record.stderr = (!lines.is_empty()).then_some((false, lines));
}

/// Runs a case again with its input cut in other ways and with other numbers of threads.
fn vary(record: &Record, case: &Case, first: &Outcome) -> Result<(), String> {
    let Some(chunks) = &case.chunks else {
        return Ok(());
    };
    let input = chunks.concat();
    let how = program::repeated(&case.flags);
    let mut variations = vec![("one chunk".to_string(), vec![input.clone()])];
    if input.len() <= SHORT_INPUT_BYTES {
        variations.push((
            "single bytes".to_string(),
            input.iter().map(|byte| vec![*byte]).collect(),
        ));
    }
    for number in 0..RANDOM_CUTS {
        let seed = record.line as u64 * 1_000 + number;
        variations.push((
            format!("cuts of seed {seed}"),
            Random::new(seed).cut(&input),
        ));
    }
    let mut counters: Option<String> = None;
    for threads in THREADS {
        // Several threads take blocks: all input at once, cut into many small ones, says most about them.
        let variations = match threads {
            1 => &variations[..],
            _ => &variations[..1],
        };
        for (name, chunks) in variations {
            let mut flags = case.flags.clone();
            flags.extend(["--threads".to_string(), threads.to_string()]);
            if threads > 1 {
                let bytes = 1 + (record.line * 31 + threads * 97) % 300;
                flags.extend([format!("--{}", program::BLOCK_BYTES), bytes.to_string()]);
            }
            let varied = Case {
                chunks: Some(chunks.clone()),
                how,
                flags,
                ..case.clone()
            };
            let outcome = program::run(&varied);
            let name = format!("with {name}, {threads} threads, {how:?}: stdout");
            same_text(&name, &first.stdout, &outcome.stdout)?;
            if how == How::Binary {
                same_text(
                    &name.replace("stdout", "stderr"),
                    first.stderr.as_bytes(),
                    outcome.stderr.as_bytes(),
                )?;
            }
            if outcome.code != first.code {
                return Err(format!(
                    "{name}: exit code {}, was {}",
                    outcome.code, first.code
                ));
            }
            if let Some(now) = outcome.counters {
                let name = name.replace("stdout", "counters");
                let before = counters.get_or_insert_with(|| now.clone());
                same_text(&name, before.as_bytes(), now.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Feeds the rows of each step to a running process and takes what comes out before the next.
fn run_stream(record: &mut Record) -> Result<(), String> {
    let ends = record
        .steps
        .last()
        .and_then(|step| step.rows.last())
        .is_some_and(|row| row == "end");
    if !ends {
        return Err("a stream ends with `> end`".to_string());
    }
    let mut case = case_of(record)?;
    case.flags.push("--no-header".to_string());
    let mut command = program::command();
    command
        .current_dir(program::root())
        .args(&case.flags)
        .arg(&case.sql);
    let mut live = Live::start(&mut command, true);
    live.settle();
    let mut input = Vec::new();
    let mut prefixes = Vec::new();
    let mut outputs = Vec::new();
    for step in &record.steps {
        let rows: Vec<String> = step
            .rows
            .iter()
            .filter(|row| *row != "end")
            .cloned()
            .collect();
        let bytes = bytes_of(&rows);
        live.feed(&bytes);
        input.extend(bytes);
        prefixes.push(input.clone());
        outputs.push(live.news());
    }
    live.end_input();
    let outcome = live.finish();
    let before: usize = outputs.iter().map(String::len).sum();
    if let Some(last) = outputs.last_mut() {
        last.push_str(&String::from_utf8_lossy(&outcome.stdout[before..]));
    }
    for (step, output) in record.steps.iter_mut().zip(&outputs) {
        step.output = lines_of(output.as_bytes());
    }
    for (word, warning) in LEFT_OUT {
        count(record, &case, (word, warning), &outcome, &prefixes);
    }
    if record.stderr.is_some() {
        expect_stderr(record, lines_of(outcome.stderr.as_bytes()));
    }
    record.exit = (outcome.code != 0).then_some(outcome.code);
    case.chunks = Some(vec![input]);
    vary(record, &case, &outcome)
}

/// Adds `late 1` to the steps whose rows were late: what an input that ended there would have reported.
fn count(
    record: &mut Record,
    case: &Case,
    (word, warning): (&str, &str),
    outcome: &Outcome,
    prefixes: &[Vec<u8>],
) {
    if program::counted(&outcome.stderr, warning) == 0 {
        return;
    }
    let mut before = 0;
    for (step, prefix) in record.steps.iter_mut().zip(prefixes) {
        let shorter = Case {
            chunks: Some(vec![prefix.clone()]),
            ..case.clone()
        };
        let now = program::counted(&program::run(&shorter).stderr, warning);
        if now > before {
            step.output.push(format!("{word} {}", now - before));
        }
        before = now;
    }
}

fn records_print_back() -> Result<(), String> {
    let text = "# Why.\nquery --delay 5s\nSELECT 1\nFROM stdin\ninput csv\na,b\n1,\n----\nn\n1\nstderr\nlate\nexit 3\n\
                \n# Two\n# lines.\nreject\nSELEC\n----\nerror: no\n\n# Only words.\n\
                \n# Turns.\nstream\nSELECT *\n> a\n> 1\n----\n1\nlate 1\n> end\n----\n2\nstderr contains\nx\n\
                \n# A shell.\nshell\necho hi\ninput x y\n----\nhi\n(blank)\n(no newline)\n";
    let records = record::read(text)?;
    same_text(
        "the file printed back",
        text.as_bytes(),
        record::print(&records).as_bytes(),
    )?;
    let (first, stream) = (&records[0], &records[3]);
    assert_eq!(
        first.input,
        Some(("csv".to_string(), vec!["a,b".to_string(), "1,".to_string()]))
    );
    assert_eq!((first.exit, first.expected.len()), (Some(3), 2));
    assert_eq!(
        (stream.steps.len(), &stream.steps[0].rows),
        (2, &vec!["a".to_string(), "1".to_string()])
    );
    assert_eq!(bytes_of(&records[4].expected), b"hi\n");
    for bytes in [&b"a\n\nb"[..], b"", b"a\n", b"\n", b"a"] {
        assert_eq!(bytes_of(&lines_of(bytes)), bytes, "{bytes:?}");
    }
    assert_eq!(
        words("--ts 'my column' -H ''"),
        ["--ts", "my column", "-H", ""]
    );
    for wrong in [
        "query\nSELECT 1\n----\n",
        "# Why.\nquerry\nSELECT 1\n",
        "# Why.\nquery\n----\n",
    ] {
        assert!(record::read(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        program::counted("x 1\n312 of 10,000 rows were late", "late"),
        312
    );
    Ok(())
}
