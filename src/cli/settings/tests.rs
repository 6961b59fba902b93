use super::super::args::{self, Request};
use super::*;

fn settings(words: &[&str]) -> Result<Settings> {
    match args::parse(words.iter().map(OsString::from))? {
        Request::Run(args) => Settings::new(*args),
        other => panic!("{other:?}"),
    }
}

#[test]
fn arguments_are_sql_and_files() {
    for (words, scripts, files) in [
        (
            &["SELECT 1", "a.csv", "-"][..],
            &["SELECT 1"][..],
            &["a.csv", "-"][..],
        ),
        (&["-c", "SELECT 1", "a.csv"], &["SELECT 1"], &["a.csv"]),
        (&["--describe", "a.csv", "b.csv"], &[], &["a.csv", "b.csv"]),
        (
            &["--describe", "SELECT * FROM stdin", "b.csv"],
            &["SELECT * FROM stdin"],
            &["b.csv"],
        ),
        (&["-- x\nSELECT 1"], &["-- x\nSELECT 1"], &[]),
        (&[], &[], &[]),
    ] {
        let settings = settings(words).unwrap();
        let expected: Vec<ScriptArg> = scripts
            .iter()
            .map(|sql| ScriptArg::Text((*sql).into()))
            .collect();
        assert_eq!(settings.scripts, expected);
        assert_eq!(
            settings.files,
            files.iter().map(PathBuf::from).collect::<Vec<_>>()
        );
    }
}

#[test]
fn words_get_their_meaning() {
    let settings = settings(&[
        "-p",
        "n=a=b",
        "-d",
        "\\t",
        "--types",
        "a=BIGINT,b=DECIMAL(9, 2)",
        "--nulls",
        "-,NA",
        "--delay",
        "1m30s",
        "--max-jump",
        "0",
        "--tz",
        "europe/berlin",
        "--max-record",
        "64K",
        "--table",
        "x=y.csv",
        "--on-error",
        "fail",
        "-o",
        "out.md",
        "-H",
        "SELECT 1",
    ])
    .unwrap();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(settings.parameters, [pair("n", "a=b")]);
    assert_eq!(settings.input.delimiter, Some(b'\t'));
    assert_eq!(
        settings.input.types,
        [pair("a", "BIGINT"), pair("b", "DECIMAL(9, 2)")]
    );
    assert_eq!(settings.input.nulls, Some(vec!["-".into(), "NA".into()]));
    assert_eq!(settings.input.max_record_bytes, 65_536);
    assert_eq!(
        settings.input.tables,
        [("x".to_owned(), PathBuf::from("y.csv"))]
    );
    assert_eq!(settings.time.delay, Some(Interval::from_seconds(90)));
    assert_eq!(settings.time.max_jump, Some(Interval::default()));
    assert_eq!(settings.time.zone, Zone::Europe__Berlin);
    assert_eq!(settings.gates.max_errors, Some(0));
    assert_eq!(
        settings.output.format.map(|format| format.name),
        Some("markdown")
    );
    assert!(!settings.output.header);
}

#[test]
fn formats_are_chosen() {
    for (words, expected) in [
        (&["--json"][..], Some("ndjson")),
        (&["--table", "SELECT 1"], Some("table")),
        (&["--table", "t=x.csv"], None),
        (&["-o", "x.json"], Some("json-array")),
        (&["-o", "x.json", "--csv"], Some("csv")),
        (&["--format", "JSONL"], Some("ndjson")),
    ] {
        let settings = settings(words).unwrap();
        assert_eq!(settings.output.format.map(|format| format.name), expected);
    }
}

/// Words, the message, and something of what is said besides.
const REFUSED: &[(&[&str], &str, &str)] = &[
    (
        &["--late", "5s"],
        "--late takes a file, and `5s` is a length of time",
        "--delay 5s",
    ),
    (
        &["--delay", "5"],
        "--delay: `5` is no length of time",
        "like 5s",
    ),
    (
        &["--delay", "1M"],
        "--delay: `1M` may be minutes or months",
        "`1mo` is months",
    ),
    (
        &["--delay", "1mo"],
        "--delay cannot be of months, whose lengths differ",
        "30d",
    ),
    (
        &["--tz", "Europe/Berln"],
        "`Europe/Berln` is no time zone",
        "did you mean `Europe/Berlin`?",
    ),
    (
        &["--tz", "+05:30"],
        "`+05:30` is no time zone",
        "Asia/Kolkata",
    ),
    (
        &["--format", "tabel"],
        "`tabel` is no output format",
        "did you mean `table`?",
    ),
    (&["--append"], "--append needs a file", "--output"),
    (
        &["-d", "ab"],
        "`ab` cannot part the fields of csv",
        "one ASCII character",
    ),
    (&["-p", "x"], "`x` is no parameter", "NAME=VALUE"),
    (
        &["--types", "a"],
        "`a` in --types is no column with its type",
        "COL=TYPE",
    ),
    (
        &["--max-record", "big"],
        "--max-record: `big` is no size",
        "16MiB",
    ),
    (
        &["--max-record", "0"],
        "--max-record: `0` is no size",
        "16MiB",
    ),
    (
        &["--on-error", "fail", "--max-errors", "5"],
        "--on-error fail and --max-errors 5 contradict each other",
        "--max-errors 0",
    ),
    (
        &["Cargo.toml"],
        "`Cargo.toml` is a file, not SQL",
        "tumble -f Cargo.toml",
    ),
];

#[test]
fn nonsense_is_refused() {
    for (words, message, hint) in REFUSED {
        let error = settings(words).unwrap_err();
        assert_eq!(error.message(), *message);
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn zones_and_lengths() {
    for (name, expected) in [
        ("UTC", "UTC"),
        ("Z", "UTC"),
        ("+02:00", "Etc/GMT-2"),
        ("-11", "Etc/GMT+11"),
        ("America/New_York", "America/New_York"),
    ] {
        assert_eq!(zone(name).unwrap().name(), expected);
    }
    for (text, expected) in [
        ("1h30m", "1h30m"),
        ("1.5s", "1s500ms"),
        ("5 seconds", "5s"),
        ("2w", "2w"),
        ("1y", "1y"),
        ("0", "0s"),
    ] {
        assert_eq!(duration(text).unwrap().to_string(), expected);
    }
    for text in [
        "",
        "s",
        "5x",
        "1.2.3s",
        "99999999999999999999s",
        "-5s",
        "5s5",
        "1.5mo",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
}
