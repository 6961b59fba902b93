//! Samples and what is guessed of them, as `name TYPE` with `*` at the time column.

use arrow::datatypes::DataType;

use super::*;
use crate::catalog::create_table_text;
use crate::data::type_name;
use crate::time::{EpochUnit, Interval};

fn shown(sample: &str, hints: &Hints) -> String {
    match guess(sample.as_bytes(), true, hints) {
        Err(error) => format!("! {}", error.message()),
        Ok(guess) => {
            let columns = guess.columns.iter().enumerate().map(|(place, column)| {
                let mark = if guess.time_column == Some(place) {
                    "*"
                } else {
                    ""
                };
                format!("{}{mark} {}", column.name, type_name(&column.data_type))
            });
            let columns: Vec<_> = columns.collect();
            format!("{}: {}", guess.format.name(), columns.join(", "))
        }
    }
}

fn check(sample: &str, expected: &str) {
    assert_eq!(shown(sample, &Hints::default()), expected, "{sample}");
}

#[test]
fn csv() {
    check("a,b\n1,x\n", "csv: a BIGINT, b STRING");
    check("a\tb\n1.5\ttrue\n", "tsv: a DOUBLE, b BOOLEAN");
    check("a;b\n007;+1\n", "csv: a STRING, b STRING");
    check("a,b\n1234567890123456789,NA\n", "csv: a STRING, b STRING");
    check("a,b\n1,\nNA,2\n", "csv: a BIGINT, b BIGINT");
    check("1,x\n2,y\n", "csv: c1 BIGINT, c2 STRING");
    check("name\nann\nbob\n", "lines: line STRING");
    check("age\n31\n17\n", "csv: age BIGINT");
    check("a,b\n1,2\n3\n", "csv: a BIGINT, b BIGINT");
    check(
        "ts,v\n2026-01-01T12:00:00,1\n",
        "csv: ts* TIMESTAMP(6), v BIGINT",
    );
    check(
        "ts,v\n2026-01-01T12:00:00Z,1\n",
        "csv: ts* TIMESTAMP_LTZ(6), v BIGINT",
    );
    check(
        "ts,v\n2026-01-01 12:00:00.1234567,1\n",
        "csv: ts* TIMESTAMP(9), v BIGINT",
    );
    check(
        "at,v\n2026-01-01 12:00,1\n",
        "csv: at* TIMESTAMP(6), v BIGINT",
    );
    check(
        "Time,v\n1767268800,1\n",
        "csv: Time* TIMESTAMP_LTZ(6), v BIGINT",
    );
    check("t,v\n12,1\n", "csv: t BIGINT, v BIGINT");
    check("day,v\n2026-01-01,1\n", "csv: day* TIMESTAMP(6), v BIGINT");
    check(
        "ts,day\n2026-01-01 12:00,2026-01-01\n",
        "csv: ts* TIMESTAMP(6), day DATE",
    );
    check(
        "[1,2]",
        "! the format of the input is not plain from its first bytes",
    );
}

#[test]
fn ndjson() {
    check(
        "{\"a\":1,\"b\":\"x\"}\n{\"c\":1.5,\"a\":2}\n{\"d",
        "ndjson: a BIGINT, b STRING, c DOUBLE",
    );
    check("{\"a\":1}\n{\"a\":\"x\"}\n", "ndjson: a STRING");
    check(
        "{\"a\":{\"b\":1},\"n\":null}\n",
        "ndjson: a ROW<b BIGINT>, n STRING",
    );
    check(
        "{\"a\":{\"b\":[1,2.5],\"select\":{\"t\":\"2026-01-01T12:00Z\"}}}\n{\"a\":null}\n",
        "ndjson: a ROW<b ARRAY<DOUBLE>, \"select\" ROW<t TIMESTAMP_LTZ(6)>>, a.select.t* TIMESTAMP_LTZ(6)",
    );
    check(
        "{\"a\":[{\"x\":1},{\"y\":true}],\"b\":[],\"c\":[1,\"x\"],\"d\":{}}\n",
        "ndjson: a ARRAY<ROW<x BIGINT, y BOOLEAN>>, b STRING, c STRING, d STRING",
    );
    check("{\"a\":{\"b\":1}}\n{\"a\":[1]}\n", "ndjson: a STRING");
    check(
        "{\"@timestamp\":\"2026-01-01T12:00Z\"}\n",
        "ndjson: @timestamp* TIMESTAMP_LTZ(6)",
    );
    check(
        "{\"__REALTIME_TIMESTAMP\":\"1767268800000000\"}\n",
        "ndjson: __REALTIME_TIMESTAMP* TIMESTAMP_LTZ(6)",
    );
    check(
        "{\"t\":1767268800000000000}\n",
        "ndjson: t* TIMESTAMP_LTZ(9)",
    );
}

#[test]
fn hints() {
    let check = |change: &dyn Fn(&mut Hints), sample: &str, expected: &str| {
        let mut hints = Hints::default();
        change(&mut hints);
        assert_eq!(shown(sample, &hints), expected, "{sample}");
    };
    check(
        &|h| h.from_pipe = true,
        "a,b\n1,x\n1.5,y\n",
        "csv: a DOUBLE, b STRING",
    );
    check(
        &|h| h.header = Header::No,
        "a,b\n1,x\n",
        "csv: c1 STRING, c2 STRING",
    );
    check(
        &|h| h.header = Header::Yes,
        "1,1\n1,x\n",
        "csv: 1 BIGINT, 1_1 STRING",
    );
    check(
        &|h| h.delimiter = Some(b':'),
        "a:b\n1:x\n",
        "csv: a BIGINT, b STRING",
    );
    check(
        &|h| h.format = Some("csv".into()),
        "some words\n1\n",
        "csv: some words BIGINT",
    );
    check(
        &|h| h.format = Some("cvs".into()),
        "a",
        "! `cvs` is no input format",
    );
    check(
        &|h| h.types = vec![("A".into(), DataType::Utf8View)],
        "a,b\n1,2\n",
        "csv: a STRING, b BIGINT",
    );
    check(
        &|h| h.types = vec![("c".into(), DataType::Int64)],
        "a,b\n1,2\n",
        "! --types names column `c`, which the input does not have",
    );
    check(
        &|h| h.types = vec![("c".into(), DataType::Int64)],
        "{\"a\":1}",
        "ndjson: a BIGINT, c BIGINT",
    );
    check(
        &|h| h.ts = Some("a".into()),
        "a,b\n1,2\n",
        "csv: a* TIMESTAMP_LTZ(6), b BIGINT",
    );
    check(
        &|h| h.ts = Some("c".into()),
        "a,b\n1,2\n",
        "! --ts names column `c`, which the input does not have",
    );
    check(
        &|h| h.ts_format = Some("%d.%m.%Y".into()),
        "ts,b\n01.02.2026,2\n",
        "csv: ts* TIMESTAMP(6), b BIGINT",
    );
    check(
        &|h| h.ts_unit = Some(EpochUnit::Millisecond),
        "ts,b\n1000,2\n",
        "csv: ts* TIMESTAMP_LTZ(6), b BIGINT",
    );
    let two = guess(
        b"a,b\n2026-01-01,2026-01-01 12:00\n",
        true,
        &Hints::default(),
    )
    .unwrap();
    assert_eq!(
        (two.time_column, two.time_candidates),
        (None, vec!["a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn statements() {
    let sample = b"ts;User-Agent;select\n2026-01-01T12:00Z;x;1\n";
    let guessed = guess(sample, true, &Hints::default()).unwrap();
    let expected = "CREATE TABLE logs (\n  ts TIMESTAMP_LTZ(6),\n  \"User-Agent\" STRING,\n  \"select\" BIGINT,\n  \
                    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND\n) WITH (path = 'it''s.csv', format = 'csv', delimiter = ';')";
    assert_eq!(
        create_table_text(
            &guessed,
            "logs",
            &[String::from("it's.csv")],
            Interval::from_seconds(5)
        ),
        expected
    );
}

#[test]
fn live_samples() {
    let check = |bytes: &str, at_end, expected: Option<usize>| {
        assert_eq!(
            live_sample_bytes(bytes.as_bytes(), at_end, &Hints::default()),
            expected,
            "{bytes:?}"
        );
    };
    check("a,b\n1,2\n3,4\n", false, Some(8));
    check("a,b\n1,\"2\n", false, None);
    check("a,b\n1,2", false, None);
    check("a,b\n1,2", true, Some(7));
    check("{\"a\":1}\n{\"a\":2}\n", false, Some(8));
    check("{oops}\n{\"a\":2}\n", false, Some(15));
    check("\n", false, None);
    check("", true, Some(0));
}
