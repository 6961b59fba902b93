use super::super::args::{self, Request};
use super::*;
use crate::time::{Interval, Zone};
use arrow::datatypes::DataType;

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
            settings.options.files,
            files.iter().map(ToString::to_string).collect::<Vec<_>>()
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
    assert_eq!(settings.options.parameters, [pair("n", "a=b")]);
    assert_eq!(settings.options.delimiter, Some(b'\t'));
    assert_eq!(
        settings.options.types,
        [
            ("a".to_owned(), DataType::Int64),
            ("b".to_owned(), DataType::Decimal128(9, 2))
        ]
    );
    assert_eq!(settings.options.nulls, Some(vec!["-".into(), "NA".into()]));
    assert_eq!(settings.options.max_record_bytes, 65_536);
    assert_eq!(
        settings.options.tables,
        [("x".to_owned(), "y.csv".to_owned())]
    );
    assert_eq!(settings.options.delay, Some(Interval::from_seconds(90)));
    assert_eq!(settings.options.max_jump, Some(Interval::default()));
    assert_eq!(settings.options.zone, Zone::Europe__Berlin);
    assert_eq!(settings.options.on_error, OnError::Fail);
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
        "--delay: `5` needs a unit of time",
        "`5s`",
    ),
    (
        &["--delay", "1M"],
        "--delay: `1M` may mean minutes or months",
        "`1mo` for months",
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
        &["-i", "ndjosn"],
        "`ndjosn` is no input format",
        "did you mean `ndjson`?",
    ),
    (
        &["--on-error", "stop"],
        "`stop` is no value of --on-error",
        "values: skip, fail",
    ),
    (
        &["--max-errors", "x"],
        "--max-errors takes a whole number, not `x`",
        "",
    ),
    (
        &["-d", "ab"],
        "`ab` cannot part the fields of csv",
        "one ASCII character",
    ),
    (&["-p", "x"], "`x` is no parameter", "NAME=VALUE"),
    (
        &["--types", "a"],
        "`a` is no column with its type",
        "COL=TYPE",
    ),
    (
        &["--max-record", "big"],
        "--max-record takes a size such as 16MiB, not `big`",
        "units",
    ),
    (
        &["--max-record", "0"],
        "--max-record takes a size such as 16MiB, not `0`",
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
