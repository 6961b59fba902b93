use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::*;

/// Rows of (ts, host, x).
fn batch(rows: &[(i64, Option<&str>, Option<f64>)]) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("ts", DataType::Timestamp(TimeUnit::Millisecond, None), true),
        Field::new("host", DataType::Utf8, true),
        Field::new("x", DataType::Float64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMillisecondArray::from_iter_values(
            rows.iter().map(|row| row.0),
        )),
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1))),
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2))),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

/// What a format shows of results, each of batches.
fn show(name: &str, options: Options, results: &[&[RecordBatch]]) -> String {
    String::from_utf8(bytes(name, options, results)).unwrap()
}

fn bytes(name: &str, options: Options, results: &[&[RecordBatch]]) -> Vec<u8> {
    bytes_of(name, options, &ResultInfo::default(), results)
}

fn bytes_of(
    name: &str,
    options: Options,
    info: &ResultInfo,
    results: &[&[RecordBatch]],
) -> Vec<u8> {
    let mut display = (format_named(name).unwrap().display)(options);
    let mut out = Vec::new();
    for batches in results {
        display.begin(&batch(&[]).schema(), info, &mut out).unwrap();
        for rows in *batches {
            display.rows(rows, &mut out).unwrap();
        }
        display.end(&mut out).unwrap();
    }
    out
}

fn check(name: &str, options: Options, expected: &str) {
    check_of(name, options, &ResultInfo::default(), expected);
}

fn check_of(name: &str, options: Options, info: &ResultInfo, expected: &str) {
    let first = batch(&[(0, Some("a,b"), Some(1.0))]);
    let second = batch(&[
        (1_500, None, Some(-2.5)),
        (2_000, Some("|\u{1b}[m漢"), None),
    ]);
    let shown = bytes_of(name, options, info, &[&[first, second]]);
    assert_eq!(String::from_utf8(shown).unwrap(), expected, "{name}");
}

/// A result that comes as a whole.
fn finite() -> ResultInfo {
    ResultInfo {
        finite: true,
        keys: Vec::new(),
    }
}

#[test]
fn each_format_shows_the_same_rows() {
    let plain = Options::default;
    check(
        "csv",
        plain(),
        "ts,host,x\n1970-01-01T00:00:00,\"a,b\",1\n1970-01-01T00:00:01.500,,-2.5\n\
         1970-01-01T00:00:02,|\u{1b}[m漢,\n",
    );
    check(
        "tsv",
        Options {
            null_value: Some("-".into()),
            header: false,
            ..plain()
        },
        "1970-01-01T00:00:00\ta,b\t1\n1970-01-01T00:00:01.500\t-\t-2.5\n\
         1970-01-01T00:00:02\t|\u{1b}[m漢\t-\n",
    );
    let objects = [
        "{\"ts\":\"1970-01-01T00:00:00\",\"host\":\"a,b\",\"x\":1}",
        "{\"ts\":\"1970-01-01T00:00:01.500\",\"host\":null,\"x\":-2.5}",
        "{\"ts\":\"1970-01-01T00:00:02\",\"host\":\"|\\u001b[m漢\",\"x\":null}",
    ];
    check("JSON", plain(), &format!("{}\n", objects.join("\n")));
    check(
        "json-array",
        plain(),
        &format!("[\n{}\n]\n", objects.join(",\n")),
    );
    check(
        "markdown",
        plain(),
        "| ts | host | x |\n| --- | --- | ---: |\n| 1970-01-01 00:00:00 | a,b | 1 |\n\
         | 1970-01-01 00:00:01.500 | NULL | -2.5 |\n\
         | 1970-01-01 00:00:02 | \\|\\\\u{1b}[m漢 | NULL |\n",
    );
    check(
        "line",
        plain(),
        "  ts = 1970-01-01 00:00:00\nhost = a,b\n   x = 1\n\n  ts = 1970-01-01 00:00:01.500\n\
         host = NULL\n   x = -2.5\n\n  ts = 1970-01-01 00:00:02\nhost = |\\u{1b}[m漢\n   x = NULL\n",
    );
    check(
        "table",
        plain(),
        "ts                      │ host        │       x\n\
         ────────────────────────┼─────────────┼────────\n\
         1970-01-01 00:00:00     │ a,b         │       1\n\
         1970-01-01 00:00:01.500 │ NULL        │    -2.5\n\
         1970-01-01 00:00:02     │ |\\u{1b}[m漢 │    NULL\n",
    );
    check_of(
        "table",
        Options {
            max_rows: 2,
            ..plain()
        },
        &finite(),
        "┌─────────────────────────┬──────┬──────┐\n\
         │ ts                      ┆ host ┆    x │\n\
         ╞═════════════════════════╪══════╪══════╡\n\
         │ 1970-01-01 00:00:00     ┆ a,b  ┆    1 │\n\
         │ 1970-01-01 00:00:01.500 ┆ NULL ┆ -2.5 │\n\
         └─────────────────────────┴──────┴──────┘\n\
         … 1 more row; --max-rows 3 shows all\n",
    );
}

/// What a growing table shows of batches that come one by one, with a pause behind each.
fn grow(options: Options, batches: &[RecordBatch]) -> String {
    let mut display = (format_named("table").unwrap().display)(options);
    let mut out = Vec::new();
    let schema = batches[0].schema();
    (display.begin(&schema, &ResultInfo::default(), &mut out)).unwrap();
    for rows in batches {
        display.rows(rows, &mut out).unwrap();
        display.flush(&mut out);
    }
    display.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_growing_table_settles_its_widths_before_the_first_pause() {
    let rows = [
        batch(&[(0, Some("web1"), Some(12.0))]),
        batch(&[(60_000, Some("database"), Some(1_234_567_890.0))]),
        batch(&[(120_000, None, None)]),
    ];
    let whole = "ts                  │ host │       x\n\
                 ────────────────────┼──────┼────────\n\
                 1970-01-01 00:00:00 │ web1 │      12\n\
                 1970-01-01 00:01:00 │ database │ 1234567890\n\
                 1970-01-01 00:02:00 │ NULL │    NULL\n";
    assert_eq!(grow(Options::default(), &rows), whole);
    let narrow = Options {
        width: Some(36),
        ..Options::default()
    };
    let cut = "ts                  │ host │       x\n\
               ────────────────────┼──────┼────────\n\
               1970-01-01 00:00:00 │ web1 │      12\n\
               1970-01-01 00:01:00 │ dat… │ 1234567890\n\
               1970-01-01 00:02:00 │ NULL │    NULL\n";
    assert_eq!(grow(narrow, &rows), cut);
}

#[test]
fn rows_that_are_left_open_stand_below_their_header_once() {
    let rows = batch(&[(0, Some("a"), Some(1.0))]);
    for info in [ResultInfo::default(), finite()] {
        let mut display = (format_named("table").unwrap().display)(Options::default());
        let mut out = Vec::new();
        display.begin(&rows.schema(), &info, &mut out).unwrap();
        display.settle(&rows, &mut out).unwrap();
        let preview = display.preview(&rows).unwrap();
        assert_eq!(preview.head, Vec::<String>::new());
        assert_eq!(preview.rows, ["1970-01-01 00:00:00 │ a    │       1"]);
        display.end(&mut out).unwrap();
        let head = "ts                  │ host │       x\n────────────────────┼──────┼────────\n";
        assert_eq!(String::from_utf8(out).unwrap(), head);
    }
}

#[test]
fn wide_columns_give_way_on_a_narrow_terminal() {
    let text = "漢字漢字漢字漢字漢字 and more of it";
    let options = Options {
        width: Some(48),
        ..Options::default()
    };
    let shown = grow(options, &[batch(&[(0, Some(text), Some(1.0))])]);
    let row = shown.lines().nth(2).unwrap();
    assert_eq!(row, "1970-01-01 00:00:00 │ 漢字漢字漢字漢…  │       1");
}

#[test]
fn several_results_each_have_their_header() {
    let rows = [batch(&[(0, Some("a"), None)])];
    let none: &[RecordBatch] = &[];
    for (name, expected) in [
        ("csv", "ts,host,x\n1970-01-01T00:00:00,a,\n\nts,host,x\n"),
        (
            "tsv",
            "ts\thost\tx\n1970-01-01T00:00:00\ta\t\n\nts\thost\tx\n",
        ),
        (
            "ndjson",
            "{\"ts\":\"1970-01-01T00:00:00\",\"host\":\"a\",\"x\":null}\n",
        ),
        (
            "json-array",
            "[\n{\"ts\":\"1970-01-01T00:00:00\",\"host\":\"a\",\"x\":null}\n]\n[]\n",
        ),
        (
            "table",
            "ts                  │ host │       x\n────────────────────┼──────┼────────\n\
             1970-01-01 00:00:00 │ a    │    NULL\n\nts │ host │       x\n───┼──────┼────────\n",
        ),
    ] {
        assert_eq!(
            show(name, Options::default(), &[&rows, none]),
            expected,
            "{name}"
        );
    }
}

#[test]
fn only_what_streams_in_batches_or_columns_depends_on_how_rows_are_cut() {
    let rows = batch(&[
        (0, Some("a"), None),
        (1, None, Some(2.0)),
        (2, Some("long text"), None),
    ]);
    let cut = [rows.slice(0, 1), rows.slice(1, 2)];
    for format in FORMATS {
        let options = Options {
            whole_file: true,
            ..Options::default()
        };
        let whole = std::slice::from_ref(&rows);
        let whole = bytes_of(format.name, options.clone(), &finite(), &[whole]);
        assert!(
            bytes_of(format.name, options, &finite(), &[&cut]) == whole,
            "{}",
            format.name
        );
    }
}

#[test]
fn names_and_endings_find_their_format() {
    for (file, expected) in [
        ("x.csv", Some("csv")),
        ("x.NDJSON", Some("ndjson")),
        ("a/x.json", Some("json-array")),
        ("x.md", Some("markdown")),
        ("x", None),
        ("x.gz", None),
    ] {
        assert_eq!(
            format_of_file(Path::new(file)).map(|format| format.name),
            expected
        );
    }
    let error = format_named("jsno").unwrap_err();
    assert_eq!(error.label_text(), Some("did you mean `json`?"));
}
