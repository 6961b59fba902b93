use super::super::args;
use super::*;

fn generate(words: &[&str]) -> Result<String> {
    let words = std::iter::once("generate")
        .chain(words.iter().copied())
        .map(OsString::from);
    let Request::Generate(args) = args::parse(words)? else {
        panic!("no generator")
    };
    let mut out = Vec::new();
    run(&args, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn every_generator_is_repeatable_and_regular() {
    for kind in GENERATORS {
        let csv = generate(&[kind.name, "--rows", "500"]).unwrap();
        assert_eq!(csv, generate(&[kind.name, "--rows", "500"]).unwrap());
        assert_ne!(
            csv,
            generate(&[kind.name, "--rows", "500", "--seed", "7"]).unwrap()
        );
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some(kind.columns.join(",").as_str()));
        assert_eq!(lines.clone().count(), 500);
        assert!(
            lines.all(|line| line.split(',').count() == kind.columns.len()),
            "{}",
            kind.name
        );
        let json = generate(&[kind.name, "--rows", "500", "--format", "ndjson"]).unwrap();
        assert_eq!(json.lines().count(), 500);
        for line in json.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(object.as_object().unwrap().len(), kind.columns.len());
        }
    }
}

/// What benchmarks rely on: bytes a row, rows a second, and the bound of the disorder.
#[test]
fn access_logs_have_their_size_and_order() {
    const ROWS: usize = 20_000;
    for (format, bytes) in [("csv", 71), ("ndjson", 135)] {
        let text = generate(&["access-log", "--rows", "20000", "--format", format]).unwrap();
        let per_row = text.len() / ROWS;
        assert!(per_row.abs_diff(bytes) <= 2, "{format}: {per_row}");
    }
    let csv = generate(&["access-log", "--rows", "20000"]).unwrap();
    let time = |line: &str| {
        let text = line.split(',').next().unwrap();
        start_us(text).unwrap() / 1_000
    };
    let times: Vec<i64> = csv.lines().skip(1).map(time).collect();
    let mut newest = i64::MIN;
    let mut worst = 0;
    for &time in &times {
        newest = newest.max(time);
        worst = worst.max(newest - time);
    }
    assert!((2_500..=3_000).contains(&worst), "{worst}");
    let seconds = (newest - times[0]) / 1_000;
    assert!((380..420).contains(&seconds), "{seconds}");
    let statuses: std::collections::BTreeSet<_> =
        csv.lines().skip(1).map(|l| l.split(',').nth(3)).collect();
    assert_eq!(statuses.len(), 8);
}

#[test]
fn options_are_checked() {
    for (words, message, hint) in [
        (
            &["acess-log"][..],
            "there is no sample data `acess-log`",
            "did you mean `access-log`?",
        ),
        (&["sensors", "--hosts", "5"], "`sensors` has no --hosts", ""),
        (
            &["access-log", "--hosts", "0"],
            "--hosts must be at least 1",
            "",
        ),
        (
            &["orders", "--start", "noon"],
            "--start: `noon` is no time",
            "2026-01-01T12:00:00",
        ),
        (&["orders", "--rate", "0"], "--rate must be at least 1", ""),
        (
            &["orders", "--seeed", "0"],
            "unknown flag `--seeed`",
            "did you mean `--seed`?",
        ),
        (
            &["orders", "--format", "tsv"],
            "`tsv` is no value of --format",
            "csv, ndjson",
        ),
    ] {
        let error = generate(words).unwrap_err();
        assert_eq!(error.message(), message);
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn time_begins_where_it_is_told() {
    let csv = generate(&[
        "orders",
        "--rows",
        "1",
        "--start",
        "2025-06-01",
        "--out-of-order",
        "0",
    ])
    .unwrap();
    assert!(
        csv.lines()
            .nth(1)
            .unwrap()
            .starts_with("2025-06-01T00:00:00.0"),
        "{csv}"
    );
}
