//! NDJSON against expectations and against `serde_json`.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit};
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;

use super::*;
use crate::format::{Format, Split};
use crate::time::Zone;

fn column(name: &str, data_type: DataType) -> ReadColumn {
    let mut keys = name.split('.').map(str::to_owned);
    let mut column = ReadColumn::new(name, Arc::new(Field::new(name, data_type, true)));
    column.source = keys.next().unwrap_or_default();
    column.path = keys.collect();
    column
}

fn decode(columns: Vec<ReadColumn>, input: &[u8]) -> Decoded {
    let spec = DecodeSpec {
        columns,
        checked: Vec::new(),
        zone: Zone::UTC,
    };
    let format = Format::Ndjson(NdjsonOptions::default());
    format
        .decoder(&spec)
        .unwrap()
        .decode(&Buffer::from(input))
        .unwrap()
}

/// The row of a record as text, or the reason of its reject.
fn check(columns: Vec<ReadColumn>, record: &str, expected: &str) {
    let decoded = decode(columns, record.as_bytes());
    let got = match decoded.rejects.first() {
        Some(reject) => format!("! {}", reject.reason),
        None => {
            let cells = decoded
                .rows
                .columns()
                .iter()
                .map(|column| match column.is_null(0) {
                    true => "∅".to_owned(),
                    false => array_value_to_string(column, 0).unwrap(),
                });
            cells.collect::<Vec<_>>().join("|")
        }
    };
    assert_eq!(got, expected, "{record}");
}

#[test]
fn keys() {
    let check = |record, expected| {
        let columns = ["b", "a", "n.x", "n.y.z"].map(|name| column(name, DataType::Utf8View));
        check(columns.to_vec(), record, expected);
    };
    check(r#"{"a":"1","b":"2"}"#, "2|1|∅|∅");
    check(r#" { "c" : 1 , "b" : null } "#, "∅|∅|∅|∅");
    check(r#"{"a":"1","a":"2"}"#, "∅|2|∅|∅");
    check(r#"{"\u0061":"1"}"#, "∅|1|∅|∅");
    check(r#"{"n":{"x":"1","y":{"z":"2"}},"b":""}"#, "|∅|1|2");
    check(r#"{"n":{"x":"1"},"n":{"y":{"z":[1, 2]}}}"#, "∅|∅|∅|[1, 2]");
    check(r#"{"n":{"x":"1"},"n":5}"#, "∅|∅|∅|∅");
    check(
        r#"{"a":{"k": [1, null]},"b":1.50}"#,
        r#"1.50|{"k": [1, null]}|∅|∅"#,
    );
    check(
        r#"{"a":true,"b":"\u00e9\ud83d\ude00\ud800\n\/"}"#,
        "é😀\u{fffd}\n/|true|∅|∅",
    );
    let many = (0..30)
        .map(|n| column(&format!("k{n}"), DataType::Utf8View))
        .collect();
    let decoded = decode(many, br#"{"k29":"x","k7":"y"}"#);
    assert_eq!(decoded.rows.column(29).as_string_view().value(0), "x");
}

#[test]
fn types() {
    let check = |data_type, value: &str, expected| {
        check(
            vec![column("a", data_type)],
            &format!("{{\"a\":{value}}}"),
            expected,
        );
    };
    check(DataType::Int64, "1.0", "1");
    check(DataType::Int64, "1e2", "100");
    check(
        DataType::Int64,
        "9223372036854775807",
        "9223372036854775807",
    );
    check(DataType::Int64, "1.5", "! column `a`: 1.5 is no BIGINT");
    check(
        DataType::Int64,
        "\"12\"",
        "! column `a`: \"12\" is no BIGINT",
    );
    check(DataType::Int64, "true", "! column `a`: true is no BIGINT");
    check(DataType::Int64, "{}", "! column `a`: {} is no BIGINT");
    check(DataType::Float64, "1", "1.0");
    check(
        DataType::Float64,
        "1e999",
        "! column `a`: 1e999 is no DOUBLE",
    );
    check(DataType::Boolean, "false", "false");
    check(DataType::Boolean, "0", "! column `a`: 0 is no BOOLEAN");
    check(DataType::Decimal128(10, 2), "12.345", "12.35");
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    check(time.clone(), "1767268800.25", "2026-01-01T12:00:00.250");
    check(time.clone(), "\"2026-01-01 12:00\"", "2026-01-01T12:00:00");
    check(time.clone(), "\"1767268800000\"", "2026-01-01T12:00:00");
    check(time, "[]", "! column `a`: [] is no TIMESTAMP(6)");
    check(DataType::Date32, "\"2026-01-01\"", "2026-01-01");
    let mut exact = column("a", DataType::Float64);
    exact.exact_integers = true;
    super::tests::check(
        vec![exact],
        "{\"a\":9007199254740993}",
        "! column `a`: DOUBLE would round 9007199254740993",
    );
}

#[test]
fn bad_records() {
    for (record, reason, help) in [
        (
            "[1]",
            "is no JSON object",
            Some("the elements of an array become records with `jq -c '.[]'`"),
        ),
        ("1", "is no JSON object", None),
        (
            "{\"a\":1",
            "the JSON value does not end on its line",
            Some("a record is one line of JSON: `jq -c .` makes it so"),
        ),
        (
            "{",
            "the JSON value does not end on its line",
            Some("a record is one line of JSON: `jq -c .` makes it so"),
        ),
        ("{\"a\":1} x", "text follows the JSON value", None),
        ("{\"z\":NaN}", "NaN and Infinity are no JSON", None),
        ("{\"z\":[1,}", "a JSON value was expected", None),
        (
            "{\"z\":\"\t\"}",
            "a control character in a string must be escaped",
            None,
        ),
    ] {
        let input = format!("{{\"a\":1}}\r\n\n  \n{record}\n{{\"a\":2}}");
        let decoded = decode(vec![column("a", DataType::Int64)], input.as_bytes());
        assert_eq!(
            decoded.rows.column(0).as_primitive::<Int64Type>().values(),
            &[1, 2]
        );
        assert_eq!(
            (
                decoded.records.as_slice(),
                decoded.record_count,
                decoded.line_count
            ),
            ([0, 2].as_slice(), 3, 5)
        );
        let reject = &decoded.rejects[0];
        assert_eq!(
            (reject.record, reject.line, reject.reason.as_str()),
            (1, 3, reason)
        );
        assert_eq!(reject.help.as_deref(), help);
        assert_eq!(reject.text, record.as_bytes());
    }
    let wide = (0..100_001)
        .map(|n| format!("\"k{n}\":0"))
        .collect::<Vec<_>>()
        .join(",");
    let decoded = decode(vec![], format!("{{{wide}}}").as_bytes());
    assert_eq!(
        decoded.rejects[0].reason,
        "an object has more than 100,000 keys"
    );
}

#[test]
fn encodings() {
    let decoded = decode(
        vec![column("a", DataType::Utf8View)],
        b"{\"a\":\"\xff\"}\n{\"a\":\"b\"}",
    );
    let values = decoded.rows.column(0).as_string_view();
    assert_eq!(
        (values.value(0), values.value(1), decoded.mended),
        ("\u{fffd}", "b", vec![0])
    );
}

#[test]
fn splits_behind_lines() {
    let mut splitter = Format::Ndjson(NdjsonOptions::default()).splitter();
    assert_eq!(splitter.split(b"\xef\xbb", false), Split::More);
    assert_eq!(
        splitter.split(b"\xef\xbb\xbf{}", false),
        Split::Head { bytes: 3, lines: 0 }
    );
    assert_eq!(splitter.split(b"{}\n{\"", false), Split::Block(3));
    assert_eq!(splitter.split(b"{\"", false), Split::More);
    assert_eq!(splitter.split(b"{\"", true), Split::Block(2));
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[\"\\\\\u{0}-\u{20}é😀]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::hash_map("[a-c\"é]{1,2}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json(values in proptest::collection::vec(("[a-d]", json_value()), 0..6)) {
        let object: serde_json::Map<_, _> = values.into_iter().collect();
        let line = serde_json::to_string(&object).unwrap();
        let columns = ["a", "b", "c"].map(|name| column(name, DataType::Utf8View)).to_vec();
        let decoded = decode(columns, line.as_bytes());
        prop_assert!(decoded.rejects.is_empty(), "{:?}", decoded.rejects);
        for (place, key) in ["a", "b", "c"].into_iter().enumerate() {
            let got = decoded.rows.column(place).as_string_view();
            match object.get(key) {
                None | Some(serde_json::Value::Null) => prop_assert!(got.is_null(0)),
                Some(serde_json::Value::String(text)) => prop_assert_eq!(got.value(0), text),
                Some(other) => prop_assert_eq!(got.value(0), serde_json::to_string(other).unwrap()),
            }
        }
    }

    #[test]
    fn numbers_agree_with_serde_json(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?") {
        let line = format!("{{\"a\":{text}}}");
        let decoded = decode(vec![column("a", DataType::Float64)], line.as_bytes());
        let expected: f64 = text.parse().unwrap();
        match decoded.rejects.is_empty() {
            true => prop_assert_eq!(decoded.rows.column(0).as_primitive::<Float64Type>().value(0), expected),
            false => prop_assert!(expected.is_infinite()),
        }
    }

    #[test]
    fn never_panics(block in proptest::collection::vec(any::<u8>(), 0..200), text in "[{}\\[\\]\":,a\\\\u0-9\n-]{0,80}") {
        for input in [block.as_slice(), text.as_bytes()] {
            let decoded = decode(vec![column("a.b", DataType::Int64), column("u", DataType::Utf8View)], input);
            prop_assert_eq!(decoded.records.len() + decoded.rejects.len(), decoded.record_count as usize);
            json_object_fields(input);
        }
    }
}
