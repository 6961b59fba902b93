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
        tells_keys: false,
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
    let mut splitter = Format::Ndjson(NdjsonOptions::default()).splitter().unwrap();
    assert_eq!(splitter.split(b"\xef\xbb", false), Split::More);
    assert_eq!(
        splitter.split(b"\xef\xbb\xbf{}", false),
        Split::Head { bytes: 3, lines: 0 }
    );
    assert_eq!(splitter.split(b"{}\n{\"", false), Split::Block(3));
    assert_eq!(splitter.split(b"{\"", false), Split::More);
    assert_eq!(splitter.split(b"{\"", true), Split::Block(2));
}

/// What `decode` gives, and that it is the same however the block is read.
fn decode_every_way(columns: &[ReadColumn], encoding: Encoding, block: &[u8]) -> Decoded {
    let spec = DecodeSpec {
        columns: columns.to_vec(),
        checked: Vec::new(),
        tells_keys: true,
        zone: Zone::UTC,
    };
    let options = NdjsonOptions {
        encoding,
        ..NdjsonOptions::default()
    };
    let mut decoder = NdjsonDecoder::new(&options, &spec).unwrap();
    decoder.reads.shortest_marked = usize::MAX;
    let careful = decoder.decode_by(block, usize::MAX).unwrap();
    decoder.reads.shortest_marked = 0;
    for chunk_bytes in [CHUNK_BYTES, 1, 7, 30, 100, 500] {
        let got = decoder.decode_by(block, chunk_bytes).unwrap();
        let shown = String::from_utf8_lossy(block);
        assert_eq!(got.rejects, careful.rejects, "{chunk_bytes} {shown:?}");
        assert_eq!(got.rows, careful.rows, "{chunk_bytes} {shown:?}");
        assert_eq!(got.left_out, careful.left_out, "{chunk_bytes} {shown:?}");
        assert_eq!(
            (got.records, got.record_count, got.line_count, got.mended),
            (
                careful.records.clone(),
                careful.record_count,
                careful.line_count,
                careful.mended.clone()
            ),
            "{chunk_bytes} {shown:?}"
        );
    }
    careful
}

/// Columns of all sorts.
fn mixed_columns() -> Vec<ReadColumn> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let mut columns = vec![
        column("a", DataType::Utf8View),
        column("b", DataType::Int64),
        column("c", DataType::Float64),
        column("n.x", DataType::Utf8View),
        column("n.y.z", DataType::Boolean),
        column("a", DataType::Binary),
        column("t", time),
    ];
    columns[6].is_time_attribute = true;
    columns
}

#[test]
fn shapes() {
    let check = |records: &[&str]| {
        for end in ["\n", "\r\n", " \n", "\n\n"] {
            for last in ["", records[0]] {
                let mut block = String::new();
                for round in 0..3 {
                    for record in records {
                        block += record;
                        block += end;
                        if round == 1 {
                            block += &records[0].replace("1", "22");
                            block += end;
                        }
                    }
                }
                block += last;
                decode_every_way(&mixed_columns(), Encoding::Lossy, block.as_bytes());
            }
        }
    };
    let plain =
        r#"{"t":"2026-01-01T00:00:01","a":"x1","b":1,"c":1.5,"n":{"x":"1","y":{"z":true}}}"#;
    check(&[plain]);
    check(&[plain, r#"{"b":1}"#, "{}", r#" { } "#]);
    // Of the shape but for one value.
    for value in [
        "null",
        "true",
        "false",
        "nul",
        "truex",
        "1",
        "-1",
        "-",
        "--1",
        "01",
        "-01",
        "1.",
        ".1",
        "1.5.5",
        "1e5",
        "1E+5",
        "1e",
        "1.5e-3",
        "1,",
        "1 ",
        " 1",
        "12345678901234567890",
        "{}",
        "[]",
        "[1,{\"k\":2}]",
        "[1,]",
        "{\"z\":false}",
        "{\"z\":1,\"z\":true}",
        "{\"x\":[]}",
        "\"\"",
        "\"\\n\"",
        "\"\\u00e9\"",
        "\"\\x\"",
        "\"a\tb\"",
        "\"é\"",
        "\"",
        "\"\\\"",
        "\"\\\\\"",
        "NaN",
        "",
    ] {
        for from in [
            "\"x1\"",
            "1.5",
            "1,",
            "\"1\"",
            "true",
            "{\"z\":true}",
            "{\"x\":\"1\",\"y\":{\"z\":true}}",
        ] {
            let to = if from.ends_with(',') {
                format!("{value},")
            } else {
                value.to_owned()
            };
            check(&[plain, &plain.replacen(from, &to, 1)]);
            check(&[&plain.replacen(from, &to, 1), plain]);
        }
    }
    for (from, to) in [
        ("\"b\"", "\"a\""),
        ("\"b\"", "\"\\u0062\""),
        ("\"b\"", "\"n\""),
        ("\"b\":", "\"b\": "),
        ("{\"t\"", "{ \"t\""),
        ("}}}", "}} }"),
        ("}}}", "}}}}"),
        ("}}}", "}}"),
        ("}}}", "}},\"n\":{\"x\":\"2\"}}"),
        ("}}}", "}},\"n\":5}"),
        ("}}}", "}} x}"),
        ("\"c\":1.5,", ""),
        (
            "\"c\"",
            "\"a_key_that_is_a_little_longer_than_sixteen_bytes\"",
        ),
    ] {
        check(&[plain, &plain.replacen(from, to, 1)]);
        check(&[&plain.replacen(from, to, 1), plain]);
    }
    let wide: Vec<String> = (0..2_000).map(|n| format!("\"k{n}\":{n}")).collect();
    check(&[&format!("{{{}}}", wide.join(",")), plain]);
    let long = format!("{{\"a\":\"{}\",\"b\":1}}", "x".repeat(70_000));
    check(&[plain, &long]);
    check(&[&long.replace("70_000", "300"), plain]);
}

#[test]
fn deep_values_in_a_shape() {
    for depth in [125, 126, 127, 128, 129] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let block = format!("{{\"n\":{{\"x\":1}}}}\n{{\"n\":{{\"x\":{nested}}}}}\n").repeat(3);
        let decoded = decode_every_way(&mixed_columns(), Encoding::Strict, block.as_bytes());
        assert_eq!(
            decoded.rejects.len(),
            if depth > 126 { 3 } else { 0 },
            "{depth}"
        );
    }
}

#[test]
fn an_object_and_keys_inside() {
    let columns = ["n", "n.x", "b"].map(|name| column(name, DataType::Utf8View));
    for between in ["", r#"{"n":5,"b":1}"#, r#"{"b":1,"n":[]}"#, r#"{"b":2}"#] {
        let block = format!("{{\"n\":{{\"x\":1}},\"b\":1}}\n{between}\n").repeat(4);
        let decoded = decode_every_way(&columns, Encoding::Strict, block.as_bytes());
        let row = |column: usize| decoded.rows.column(column).as_string_view().value(0);
        assert_eq!((row(0), row(1), row(2)), (r#"{"x":1}"#, "1", "1"));
    }
}

#[test]
fn long_keys() {
    let key = |length: usize, end: &str| "k".repeat(length) + end;
    for length in 1..50 {
        let columns = [column(&key(length, "x"), DataType::Int64)];
        let mut block = String::new();
        for end in ["x", "x", "y", "x", "y", "xx", "y", "x"] {
            block += &format!("{{\"{}\":1}}\n", key(length, end));
        }
        let decoded = decode_every_way(&columns, Encoding::Strict, block.as_bytes());
        assert_eq!(decoded.rows.column(0).null_count(), 4, "{length}");
    }
}

#[test]
fn many_shapes() {
    // More kinds of records than are remembered, and no two alike.
    let mut block = String::new();
    for n in 0..400 {
        block += &format!("{{\"k{}\":{n},\"a\":\"{n}\"}}\n", n % 20);
        block += &format!("{{\"u{n}\":{n},\"b\":{n}}}\n");
    }
    let decoded = decode_every_way(&mixed_columns(), Encoding::Lossy, block.as_bytes());
    assert_eq!(decoded.rows.num_rows(), 800);
}

#[test]
fn encodings_of_shapes() {
    let block = b"{\"a\":\"x\"}\n{\"a\":\"\xe9\"}\n{\"a\":\"\xc3\xa9\"}\n{\"b\":\"\xff\"}\n{\"a\":\"\\n\xff\"}\n".repeat(5);
    for (encoding, rejects, mended) in [
        (Encoding::Strict, 15, 0),
        (Encoding::Lossy, 5, 15),
        (Encoding::Latin1, 5, 0),
    ] {
        let decoded = decode_every_way(&mixed_columns(), encoding, &block);
        assert_eq!(
            (decoded.rejects.len(), decoded.mended.len()),
            (rejects, mended)
        );
    }
}

/// The value stands where the shape of the other records has an ordinary one, in a key that is read and in
/// one that is not.
#[track_caller]
fn check_value(value: &str, is_valid: bool) {
    for template in ["{\"a\":0,\"z\":#,\"b\":1}", "{\"z\":0,\"a\":#,\"b\":1}"] {
        let usual = template.replace('#', "0") + "\n";
        let record = template.replace('#', value) + "\n";
        let block = usual.repeat(3) + &record + &usual + &record + &usual.repeat(3);
        let decoded = decode_every_way(&mixed_columns(), Encoding::Strict, block.as_bytes());
        let expected = if is_valid { 0 } else { 2 };
        assert_eq!(
            decoded.rejects.len(),
            expected,
            "{value}: {:?}",
            decoded.rejects
        );
    }
}

#[test]
fn grammar_of_values() {
    for valid in [
        "[]",
        "[ ]",
        "[[]]",
        "[\"\"]",
        "[null]",
        "[false,true]",
        "[1\t]",
        " [1 , 2 ] ",
        "[[1],[{}]]",
        "{}",
        "{ }",
        "{\"\":0}",
        "{\"a\":[]}",
        "{\"a\":1,\"a\":2}",
        "{\"a\" : {\"b\" : {}}}",
        "{\"\\u0000\":1}",
        "0",
        "-0",
        "-0.0",
        "1",
        "-1",
        "10",
        "0.1",
        "123.456",
        "0e1",
        "0E+1",
        "0e-1",
        "1e22",
        "1E-2",
        "-1e+10",
        "20e1",
        "123456789012345678901234567890",
        "0.000000000000000000000000000000000000000000000000000000001",
        "-123123123123123123123123123123",
        "1.7976931348623157e308",
        "123e65",
        "\"\"",
        "\" \"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"\\/\"",
        "\"/\"",
        "\"\\b\\f\\n\\r\\t\"",
        "\"\\u0041\"",
        "\"\\uD834\\uDD1E\"",
        "\"\\uABCD\\uabcd\"",
        "\"\u{7f}\"",
        "\"é€😀\"",
        "\"\u{2028}\u{feff}\"",
        "\"a'b\"",
        "\"{[,:]}\"",
        "\"\\u0000\"",
        "\"\\\\u0041\"",
        "\"\\\\\\\"\"",
        "true",
        "false",
        "null",
        "\t0\r",
        "\"//\"",
        // Left open by the standard: halves of pairs are mended where they are read, sizes have no limit.
        "\"\\uD800\"",
        "\"\\uDd1ea\"",
        "\"\\uD800\\uD800\\n\"",
        "\"\\uDFAA\"",
        "1e400",
        "-1e-999999",
        "\"\u{ffff}\"",
    ] {
        check_value(valid, true);
    }
    for invalid in [
        "",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1,,2]",
        "[,]",
        "[1 2]",
        "[1:2]",
        "[\"a\"",
        "[1}",
        "[a]",
        "[\"a\",]",
        "[]]",
        "[[[]]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\":1,,\"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{null:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1]",
        "{\"a\"::1}",
        "{\"a\":1}}",
        "{\"a\":1/**/}",
        "{\"a\":1}#",
        "01",
        "-01",
        "00",
        "-",
        "+1",
        "--1",
        "1.",
        "-1.",
        ".1",
        "-.1",
        "1.e1",
        "0.e1",
        "1e",
        "1e+",
        "1E-",
        "1e1.5",
        "1ee1",
        "1e+-1",
        "1.2.3",
        "1_000",
        "0x1",
        "1a",
        "-a",
        "1-1",
        "1+1",
        "1,1",
        "Infinity",
        "-Infinity",
        "NaN",
        "-NaN",
        "nan",
        "1 000",
        "12e0+",
        "0-",
        "\u{ff11}",
        "\"",
        "\"a",
        "a\"",
        "\"\\\"",
        "\"\\",
        "\"\\a\"",
        "\"\\x00\"",
        "\"\\u\"",
        "\"\\u12\"",
        "\"\\u00g0\"",
        "\"\\U0041\"",
        "\"\\u{41}\"",
        "\"\\'\"",
        "\"\\ \"",
        "\"\\é\"",
        "\"\t\"",
        "\"\0\"",
        "\"\u{1f}\"",
        "\"a\rb\"",
        "\"a\"b",
        "\"a\" \"b\"",
        "'a'",
        "a",
        "\\",
        "`a`",
        "True",
        "TRUE",
        "tru",
        "truee",
        "nul",
        "nulll",
        "Null",
        "fals",
        "undefined",
        "\u{feff}1",
        "\u{b}1",
        "\u{c}1",
        "\u{a0}1",
        "/**/1",
        "1//",
        "<null>",
        "[\u{2060}]",
        "(1)",
        ";",
        "1;",
        "\"a\":1",
        "[1]x",
        "@",
        "*",
    ] {
        check_value(invalid, false);
    }
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + "1" + &close.repeat(depth);
    check_value(&nested("[", "]", 127), true);
    check_value(&nested("[", "]", 128), false);
    check_value(&nested("{\"k\":", "}", 127), true);
    check_value(&nested("{\"k\":", "}", 128), false);
    check_value(&"[".repeat(1_000), false);
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

/// A value as somebody else would write it.
fn print_value(
    value: &serde_json::Value,
    blanks: &mut impl FnMut() -> &'static str,
    out: &mut String,
) {
    match value {
        serde_json::Value::Object(map) => {
            out.push('{');
            for (place, (key, value)) in map.iter().enumerate() {
                *out += if place > 0 { "," } else { "" };
                *out += blanks();
                *out += &serde_json::to_string(key).unwrap();
                *out += blanks();
                out.push(':');
                *out += blanks();
                print_value(value, blanks, out);
                *out += blanks();
            }
            out.push('}');
        }
        serde_json::Value::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                *out += if place > 0 { "," } else { "" };
                *out += blanks();
                print_value(value, blanks, out);
                *out += blanks();
            }
            out.push(']');
        }
        serde_json::Value::String(text) if text.len() % 2 == 1 => {
            out.push('"');
            for unit in text.encode_utf16() {
                *out += &format!("\\u{unit:04x}");
            }
            out.push('"');
        }
        other => *out += &serde_json::to_string(other).unwrap(),
    }
}

/// Records of which many are of the same shape.
fn blocks() -> impl Strategy<Value = String> {
    let key = prop_oneof!["[abcnt]", "[xyz]", "[d-h]{1,20}"];
    let object = proptest::collection::vec((key, json_value()), 0..6);
    let kinds = proptest::collection::vec((object, 0usize..4), 1..4);
    let record = (
        any::<proptest::sample::Index>(),
        0u8..12,
        any::<u32>(),
        json_value(),
    );
    let records = proptest::collection::vec(record, 0..30);
    (kinds, records, any::<bool>()).prop_map(|(kinds, records, at_end)| {
        let mut block = String::new();
        for (index, change, number, value) in records {
            let (fields, spacing) = index.get(&kinds);
            let mut turn = 0;
            let mut blanks = || {
                turn += 1;
                if turn % 3 < *spacing {
                    ["", " ", "\t", "  "][*spacing]
                } else {
                    ""
                }
            };
            block.push('{');
            for (place, (key, usual)) in fields.iter().enumerate() {
                let value = match change {
                    0 if place == 0 => &value,
                    1..6 => &serde_json::json!(number >> place),
                    6 => &serde_json::json!(f64::from(number) / 100.0),
                    7 => &serde_json::json!(format!("{number}")),
                    _ => usual,
                };
                block += if place > 0 { "," } else { "" };
                block += &format!("{key:?}");
                block += blanks();
                block.push(':');
                block += blanks();
                print_value(value, &mut blanks, &mut block);
            }
            block += "}";
            block += ["\n", "\n", "\n", "\r\n", "\n \n", " \n"][number as usize % 6];
        }
        if at_end {
            block.pop();
        }
        block
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

    #[test]
    fn shapes_agree_with_the_careful_way(block in blocks()) {
        let decoded = decode_every_way(&mixed_columns(), Encoding::Lossy, block.as_bytes());
        for reject in decoded.rejects {
            prop_assert!(reject.reason.starts_with("column"), "{} {block:?}", reject.reason);
        }
    }

    #[test]
    fn shapes_agree_with_the_careful_way_on_broken_records(
        block in blocks(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0u8..4), 1..8),
        latin1 in any::<bool>(),
    ) {
        let mut block = block.into_bytes();
        for (place, byte, kind) in changes {
            if block.is_empty() {
                break;
            }
            let place = place.index(block.len());
            match kind {
                0 => block[place] = byte,
                1 => block[place] = b"\"\\{}[],:0-1.eE+ \n\rtn"[usize::from(byte) % 20],
                2 => drop(block.remove(place)),
                _ => block.insert(place, block[usize::from(byte) % block.len()]),
            }
        }
        let encoding = if latin1 { Encoding::Latin1 } else { Encoding::Strict };
        decode_every_way(&mixed_columns(), encoding, &block);
    }

    #[test]
    fn shapes_agree_with_serde_json(block in blocks()) {
        let keys = ["a", "b", "d", "x"];
        let columns = keys.map(|key| column(key, DataType::Utf8View));
        let decoded = decode_every_way(&columns, Encoding::Strict, block.as_bytes());
        prop_assert!(decoded.rejects.is_empty(), "{:?}", decoded.rejects);
        let records = block.lines().filter(|line| !line.trim().is_empty());
        for (row, record) in records.enumerate() {
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(record).unwrap();
            for (place, key) in keys.into_iter().enumerate() {
                let column = decoded.rows.column(place).as_string_view();
                let got = column.is_valid(row).then(|| column.value(row));
                match object.get(key) {
                    None | Some(serde_json::Value::Null) => prop_assert_eq!(got, None),
                    Some(serde_json::Value::String(text)) => prop_assert_eq!(got, Some(text.as_str())),
                    Some(other) => {
                        let got: serde_json::Value = serde_json::from_str(got.unwrap()).unwrap();
                        prop_assert_eq!(&got, other);
                    }
                }
            }
        }
    }

    #[test]
    fn shapes_agree_with_serde_json_on_what_is_json(text in "[\\[\\]{}\",:0-9eE.+\\- \\\\utrfalsn]{0,12}") {
        let value = super::scanner::tests::oracle(&text);
        // Blanks at the end belong to what follows.
        if let Some(is_valid) = value {
            check_value(&text, is_valid);
        }
    }
}

mod wrapped {
    //! Where records end does not depend on how their bytes came.

    use proptest::prelude::*;

    use crate::format::json::values::ValuesSplitter;
    use crate::format::json::wrapped::wrapped_records;
    use crate::format::json::wrapping::{JsonWrapping, PrefixedLine};
    use crate::format::{Format, NdjsonOptions, Split, Splitter};

    /// The texts of the records, and those that were too long, of bytes that come in pieces.
    fn records(
        splitter: &mut dyn Splitter,
        wrapping: JsonWrapping,
        bytes: &[u8],
        cuts: &[usize],
    ) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let (mut start, mut end) = (0, 0);
        let mut cuts = cuts.iter().copied().cycle();
        loop {
            let at_end = end == bytes.len();
            match splitter.split(&bytes[start..end], at_end) {
                Split::Head { bytes, .. } => start += bytes,
                Split::Block(length) => {
                    let block = &bytes[start..start + length];
                    for record in wrapped_records(wrapping, block).0 {
                        let mut text = Vec::new();
                        for part in record.parts.iter().chain([&record.range]) {
                            text.extend_from_slice(&block[part.clone()]);
                        }
                        found.push(text.trim_ascii_end().to_vec());
                    }
                    start += length;
                }
                Split::Skip(length, too_long) => {
                    start += length;
                    let is_end = length == 0 && too_long.is_none();
                    if let Some(too_long) = too_long {
                        found.push([b"too long ", too_long.beginning.as_slice()].concat());
                    }
                    if is_end && at_end {
                        break;
                    }
                }
                Split::More if at_end => break,
                Split::More => {}
            }
            if !at_end {
                end = (end + cuts.next().unwrap_or(1).max(1)).min(bytes.len());
            } else if start == bytes.len() {
                break;
            }
        }
        found
    }

    fn texts(bytes: &str) -> Vec<String> {
        let mut splitter = ValuesSplitter::new(1 << 20);
        let found = records(
            &mut splitter,
            JsonWrapping::Values,
            bytes.as_bytes(),
            &[usize::MAX >> 1],
        );
        found
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap())
            .collect()
    }

    #[test]
    fn values() {
        assert_eq!(
            texts("[{\"a\":1},\n {\n\"a\":[{}]}]"),
            ["{\"a\":1}", "{\n\"a\":[{}]}"]
        );
        assert_eq!(
            texts("{\"Records\": [{\"a\":1},{\"b\":\"}\"}]}\n{}"),
            ["{\"a\":1}", "{\"b\":\"}\"}", "{}"]
        );
        // Records that are no objects are the value of a key.
        assert_eq!(texts("{\"Records\":[1]}"), ["{\"Records\":[1]}"]);
        assert_eq!(
            texts("{\"a\":\n{\"b\":1}\n{\"c\":2}\n"),
            ["{\"a\":\n{\"b\":1}", "{\"c\":2}"]
        );
        assert_eq!(texts("[]"), Vec::<String>::new());
    }

    #[test]
    fn what_stands_between_is_not_kept() {
        let mut splitter = ValuesSplitter::new(1 << 20);
        let blanks = vec![b'\n'; 70_000];
        assert_eq!(splitter.split(&blanks, false), Split::Block(70_000));
        assert_eq!(splitter.split(&blanks[..60_000], false), Split::More);
    }

    #[test]
    fn prefixes() {
        let check = |line: &str, expected: Option<(&str, &str, &str)>| {
            let line = line.as_bytes();
            let found = PrefixedLine::of(line).map(|parts| {
                let mut prefix = Vec::new();
                parts.write_prefix(line, &mut prefix);
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let time = parts.time.map_or(String::new(), |time| text(&line[time]));
                (text(&prefix), time, text(&line[parts.object..]))
            });
            let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
            assert_eq!(found, expected);
        };
        check("web-1  | {}", Some(("web-1", "", "{}")));
        check("{\"a\":1}", Some(("", "", "{\"a\":1}")));
        check(
            "[pod/a] 2026-01-01T00:00:00Z {}",
            Some(("[pod/a]", "2026-01-01T00:00:00Z", "{}")),
        );
        check(
            "[2026-01-01T00:00:00Z] a{1}: {\"b\":{}}",
            Some(("a{1}:", "2026-01-01T00:00:00Z", "{\"b\":{}}")),
        );
        check(
            "web | [2026-01-01 00:00:00 +0100] 12 {}",
            Some(("web 12", "2026-01-01 00:00:00 +0100", "{}")),
        );
        check(
            "2026-01-01 00:00:00.5  Z {}",
            Some(("Z", "2026-01-01 00:00:00.5", "{}")),
        );
        check("2026-01-01 {}", Some(("2026-01-01", "", "{}")));
        check("data={\"a\":1}", None);
        check("a {\"b\":1} c", None);
        check("a {b}", None);
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("{\"a\":1}"), Just("{\n \"a\": [1,\n{}]}"), Just("\n"), Just(","), Just("["), Just("]"),
                    Just("{\"Records\":[{\"a\":2}]}"), Just("{\"Rec"), Just("tru"), Just(" \"x\\"), Just("\""),
                    Just("{\"b\":\"0123456789012345678901234567890123456789\"}"), Just("}"), Just("{"), Just("é"),
                ], 0..24),
            cuts in proptest::collection::vec(1..9_usize, 1..6),
            most in 8..60_usize,
        ) {
            let bytes = pieces.concat().into_bytes();
            let whole = records(&mut ValuesSplitter::new(most), JsonWrapping::Values, &bytes, &[1 << 20]);
            let cut = records(&mut ValuesSplitter::new(most), JsonWrapping::Values, &bytes, &cuts);
            prop_assert_eq!(whole, cut);
        }

        #[test]
        fn cuts_of_parts_change_nothing(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("2026-01-01T00:00:00Z stdout P {\"a\":\n"), Just("2026-01-01T00:00:00Z stdout F 1}\n"),
                    Just("2026-01-01T00:00:00Z stderr P {\"b\":\n"), Just("2026-01-01T00:00:00Z stderr F 2}\n"),
                    Just("\n"), Just("nonsense\n"), Just("2026-01-01T00:00:00Z stdout F"),
                ], 0..24),
            cuts in proptest::collection::vec(1..40_usize, 1..6),
        ) {
            let bytes = pieces.concat().into_bytes();
            let format = Format::Json(JsonWrapping::Cri, NdjsonOptions::default());
            let whole = records(&mut *format.splitter().unwrap(), JsonWrapping::Cri, &bytes, &[1 << 20]);
            let cut = records(&mut *format.splitter().unwrap(), JsonWrapping::Cri, &bytes, &cuts);
            prop_assert_eq!(whole, cut);
        }

        #[test]
        fn samples_never_panic(bytes in "[\\[\\]{}\", :a1\n|TZ.-]{0,40}", whole: bool, live: bool) {
            if let crate::format::JsonSample::Found(Some(wrapping), _) =
                crate::format::json_sample(bytes.as_bytes(), whole, live)
            {
                crate::format::wrapped_objects(wrapping, bytes.as_bytes());
            }
        }
    }
}

mod nested {
    //! ROW, ARRAY and MAP against `serde_json`.

    use arrow::datatypes::Fields;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::data::print::{Style, ValueWriter};
    use crate::format::PathStep;

    fn row(fields: &[(&str, DataType)]) -> DataType {
        let fields = fields
            .iter()
            .map(|(name, kind)| Field::new(*name, kind.clone(), true));
        DataType::Struct(Fields::from(fields.collect::<Vec<_>>()))
    }

    fn array(item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(item, true)))
    }

    fn map(value: DataType) -> DataType {
        let pair = vec![
            Field::new("key", DataType::Utf8View, false),
            Field::new("value", value, true),
        ];
        let entries = Field::new("entries", DataType::Struct(Fields::from(pair)), false);
        DataType::Map(Arc::new(entries), false)
    }

    fn wide() -> DataType {
        let inner = row(&[
            ("x", DataType::Float64),
            ("deep", array(array(DataType::Int64))),
        ]);
        row(&[
            ("n", DataType::Int64),
            ("texts", array(DataType::Utf8View)),
            ("in", inner),
            ("map", map(row(&[("yes", DataType::Boolean)]))),
        ])
    }

    /// The column of a block of lines as JSON values, or the number of rejects.
    fn read(column: ReadColumn, input: &str) -> Result<Vec<Value>, usize> {
        let decoded = decode(vec![column], input.as_bytes());
        if !decoded.rejects.is_empty() {
            return Err(decoded.rejects.len());
        }
        let writer = ValueWriter::new(decoded.rows.schema().field(0), Style::Json).unwrap();
        let values = decoded.rows.column(0);
        let column = writer.column(values.as_ref()).unwrap();
        let text = |row| {
            let mut out = Vec::new();
            match column.is_null(row) {
                true => out.extend_from_slice(b"null"),
                false => column.write(row, &mut out),
            }
            serde_json::from_slice(&out).unwrap()
        };
        Ok((0..values.len()).map(text).collect())
    }

    /// The value with NULL for what the type names and the value lacks, and without what it does not name.
    fn expected(data_type: &DataType, value: Option<&Value>) -> Value {
        match (data_type, value) {
            (_, None | Some(Value::Null)) => Value::Null,
            (DataType::Struct(fields), Some(Value::Object(object))) => {
                let member = |field: &Arc<Field>| {
                    let value = expected(field.data_type(), object.get(field.name()));
                    (field.name().clone(), value)
                };
                Value::Object(fields.iter().map(member).collect())
            }
            (DataType::List(item), Some(Value::Array(values))) => {
                let values = values.iter();
                values
                    .map(|value| expected(item.data_type(), Some(value)))
                    .collect()
            }
            (DataType::Map(entries, _), Some(Value::Object(object))) => {
                let DataType::Struct(pair) = entries.data_type() else {
                    unreachable!()
                };
                let value = |value| expected(pair[1].data_type(), Some(value));
                let entries = object.iter().map(|(key, v)| (key.clone(), value(v)));
                Value::Object(entries.collect::<Map<_, _>>())
            }
            (_, Some(value)) => value.clone(),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-c\"\\\\é\n]{0,6}".prop_map(Value::from),
            Just(Value::Null)
        ];
        let texts = proptest::collection::vec(text, 0..4);
        let number = prop_oneof![any::<i64>().prop_map(Value::from), Just(Value::Null)];
        let deep = proptest::collection::vec(proptest::collection::vec(number, 0..3), 0..3);
        let x = proptest::option::of((-1000..1000_i32).prop_map(|n| f64::from(n) / 8.0 + 0.0625));
        let inner = (x, proptest::option::of(deep))
            .prop_map(|(x, deep)| json!({"x": x, "deep": deep, "other": 1}));
        let flags = any::<bool>().prop_map(|yes| json!({"yes": yes}));
        let entries = proptest::collection::hash_map("[a-z]{0,3}", flags, 0..4);
        let whole = (
            any::<i64>(),
            proptest::option::of(texts),
            proptest::option::of(inner),
            proptest::option::of(entries),
        );
        let whole = whole.prop_map(
            |(n, texts, inner, map)| json!({"n": n, "texts": texts, "in": inner, "map": map}),
        );
        proptest::option::weighted(0.9, whole).prop_map(Value::from)
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(values in proptest::collection::vec(values(), 1..20)) {
            let line = |value: &Value| format!("{}\n", json!({"a": value, "b": 1}));
            let input: String = values.iter().map(line).collect();
            let read = read(column("a", wide()), &input).unwrap();
            let wanted = values.iter().map(|value| expected(&wide(), Some(value)));
            prop_assert_eq!(read, wanted.collect::<Vec<_>>());
        }

        #[test]
        fn paths_agree_with_serde_json(
            values in proptest::collection::vec(values(), 1..20),
            number in 1..4_u64,
        ) {
            let line = |value: &Value| format!("{}\n", json!({"a": value}));
            let input: String = values.iter().map(line).collect();
            let mut inside = column("a", DataType::Int64);
            inside.step_inside(&[
                PathStep::Key("in".into()),
                PathStep::Key("deep".into()),
                PathStep::Element(1),
                PathStep::Element(number),
            ]);
            let wanted = values.iter().map(|value| {
                let array = value.pointer("/in/deep/0").and_then(Value::as_array);
                let found = array.and_then(|array| array.get(number as usize - 1));
                found.cloned().unwrap_or(Value::Null)
            });
            prop_assert_eq!(read(inside, &input).unwrap(), wanted.collect::<Vec<_>>());
        }

        #[test]
        fn never_panics(text in "[\\[\\]{}\",:a1nulntexs\\n .-]{0,60}") {
            let _ = read(column("a", wide()), &format!("{{\"a\":{text}}}\n"));
            let _ = read(column("a", array(wide())), &format!("{{\"a\":[{text}]}}\n"));
        }
    }

    #[test]
    fn what_does_not_fit() {
        let check =
            |data_type, value, expected| check(vec![column("a", data_type)], value, expected);
        let n = || row(&[("n", DataType::Int64)]);
        let list = || array(DataType::Int64);
        check(
            n(),
            r#"{"a":"b"}"#,
            "! column `a`: \"b\" is no ROW<n BIGINT>",
        );
        check(n(), r#"{"a":[1]}"#, "! column `a`: [1] is no ROW<n BIGINT>");
        check(
            n(),
            r#"{"a":{"n":1.5}}"#,
            "! column `a`: {\"n\":1.5} is no ROW<n BIGINT>",
        );
        check(
            list(),
            r#"{"a":{}}"#,
            "! column `a`: {} is no ARRAY<BIGINT>",
        );
        check(
            list(),
            r#"{"a":[1,"x"]}"#,
            "! column `a`: [1,\"x\"] is no ARRAY<BIGINT>",
        );
        let map = map(DataType::Int64);
        check(
            map,
            r#"{"a":[1]}"#,
            "! column `a`: [1] is no MAP<STRING, BIGINT>",
        );
    }

    #[test]
    fn doubled_keys() {
        let read = |data_type, value: &str| {
            read(column("a", data_type), &format!("{{\"a\":{value}}}\n")).unwrap()
        };
        let n = row(&[("n", DataType::Int64)]);
        assert_eq!(read(n, r#"{"n":1,"n":2}"#), [json!({"n": 2})]);
        let doubled = r#"{"n":1,"m":0,"\u006e":2}"#;
        assert_eq!(
            read(map(DataType::Int64), doubled),
            [json!({"m": 0, "n": 2})]
        );
    }

    #[test]
    fn depth() {
        let nested =
            |depth: usize| format!("{{\"a\":{}{}}}\n", "[".repeat(depth), "]".repeat(depth));
        let text = || column("a", DataType::Utf8View);
        assert!(read(text(), &nested(127)).is_ok());
        assert_eq!(read(text(), &nested(128)), Err(1));
    }
}
