use std::sync::Arc;

use arrow::array::builder::{Int64Builder, MapBuilder, StringBuilder};
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, ListArray, NullArray, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::array::{BinaryArray, BooleanArray, StringArray, StringViewArray};
use arrow::datatypes::{self as types, Int32Type, IntervalMonthDayNano};

use super::*;

/// The values of a column, one a line, in one style.
fn print(array: &ArrayRef, field: Field, style: Style) -> String {
    let writer = ValueWriter::new(&field, style).unwrap();
    let column = writer.column(array).unwrap();
    let mut out = Vec::new();
    for row in 0..array.len() {
        if row > 0 {
            out.push(b'|');
        }
        column.write(row, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn check(array: impl Array + 'static, expected: &[(Style, &str)]) {
    let array: ArrayRef = Arc::new(array);
    for (style, text) in expected {
        let field = Field::new("x", array.data_type().clone(), true);
        assert_eq!(print(&array, field, *style), *text, "{style:?}");
    }
}

use Style::{Cast, Csv, Json, Table, Tsv};

#[test]
fn plain_values() {
    let numbers = Float64Array::from(vec![
        Some(1.0),
        None,
        Some(f64::NAN),
        Some(f64::NEG_INFINITY),
    ]);
    check(
        numbers,
        &[
            (Csv, "1||NaN|-Infinity"),
            (Json, "1|null|null|null"),
            (Table, "1|NULL|NaN|-Infinity"),
        ],
    );
    check(
        Int64Array::from(vec![i64::MIN, 0]),
        &[(Csv, "-9223372036854775808|0")],
    );
    check(
        BooleanArray::from(vec![Some(true), Some(false), None]),
        &[(Json, "true|false|null")],
    );
    check(NullArray::new(2), &[(Json, "null|null"), (Csv, "|")]);
    let decimals = Decimal128Array::from(vec![1250, -5])
        .with_precision_and_scale(9, 2)
        .unwrap();
    check(decimals, &[(Csv, "12.50|-0.05"), (Json, "12.50|-0.05")]);
}

#[test]
fn texts_and_bytes() {
    let texts = StringArray::from(vec![Some("a,b"), Some(""), None, Some("\u{1b}\t")]);
    check(
        texts,
        &[
            (Csv, "\"a,b\"|\"\"||\u{1b}\t"),
            (Tsv, "a,b|||\u{1b}\\t"),
            (Json, "\"a,b\"|\"\"|null|\"\\u001b\\t\""),
            (Table, "a,b||NULL|\\u{1b}\\t"),
            (Cast, "a,b|||\u{1b}\t"),
        ],
    );
    check(StringViewArray::from(vec!["x"]), &[(Json, "\"x\"")]);
    check(
        BinaryArray::from(vec![&b"text"[..], &[0xff, 0x01]]),
        &[
            (Csv, "text|\\xff01"),
            (Tsv, "text|\\\\xff01"),
            (Json, "\"text\"|\"\\\\xff01\""),
        ],
    );
    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("b"), None, Some("b")].into_iter().collect();
    check(dictionary, &[(Csv, "b||b"), (Json, "\"b\"|null|\"b\"")]);
}

#[test]
fn times() {
    let noon = 1_767_268_800_000_000;
    let times = vec![Some(noon), Some(noon + 1_500), None];
    check(
        TimestampMicrosecondArray::from(times.clone()),
        &[
            (Csv, "2026-01-01T12:00:00|2026-01-01T12:00:00.001500|"),
            (Table, "2026-01-01 12:00:00|2026-01-01 12:00:00.001500|NULL"),
            (
                Json,
                "\"2026-01-01T12:00:00\"|\"2026-01-01T12:00:00.001500\"|null",
            ),
        ],
    );
    check(
        TimestampMicrosecondArray::from(times.clone()).with_timezone("UTC"),
        &[
            (Csv, "2026-01-01T12:00:00Z|2026-01-01T12:00:00.001500Z|"),
            (
                Table,
                "2026-01-01 12:00:00Z|2026-01-01 12:00:00.001500Z|NULL",
            ),
        ],
    );
    check(
        TimestampMicrosecondArray::from(times).with_timezone("Asia/Kathmandu"),
        &[(
            Cast,
            "2026-01-01T17:45:00+05:45|2026-01-01T17:45:00.001500+05:45|",
        )],
    );
    check(
        Date32Array::from(vec![0, -1]),
        &[(Json, "\"1970-01-01\"|\"1969-12-31\"")],
    );
    check(
        Time64MicrosecondArray::from(vec![3_600_000_001]),
        &[(Csv, "01:00:00.000001")],
    );
    let length = IntervalMonthDayNano::new(1, 2, 3_000_000_000);
    check(
        IntervalMonthDayNanoArray::from(vec![length]),
        &[(Csv, "P1M2DT3S")],
    );
}

#[test]
fn window_bounds_agree_on_the_fraction() {
    let array: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![0, 500]));
    for (bound, expected) in [
        ("seconds", "1970-01-01T00:00:00|1970-01-01T00:00:00"),
        (
            "fraction",
            "1970-01-01T00:00:00.000|1970-01-01T00:00:00.500",
        ),
        ("", "1970-01-01T00:00:00|1970-01-01T00:00:00.500"),
    ] {
        let metadata = [(BOUND.to_owned(), bound.to_owned())].into();
        let field =
            Field::new("window_end", array.data_type().clone(), true).with_metadata(metadata);
        assert_eq!(print(&array, field, Csv), expected);
    }
}

#[test]
fn nested_values_are_json() {
    let lists = ListArray::from_iter_primitive::<types::Int64Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]);
    check(lists.slice(1, 2), &[(Json, "null|[]")]);
    check(
        lists,
        &[
            (Csv, "\"[1,null]\"||[]"),
            (Json, "[1,null]|null|[]"),
            (Table, "[1,null]|NULL|[]"),
        ],
    );
    let fields = StructArray::from(vec![
        (
            Arc::new(Field::new("a\"b", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(1.5)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("c", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("x"), None])) as ArrayRef,
        ),
    ]);
    check(
        fields,
        &[
            (
                Json,
                "{\"a\\\"b\":null,\"c\":\"x\"}|{\"a\\\"b\":1.5,\"c\":null}",
            ),
            (
                Tsv,
                "{\"a\\\\\"b\":null,\"c\":\"x\"}|{\"a\\\\\"b\":1.5,\"c\":null}",
            ),
        ],
    );
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(7);
    map.append(true).unwrap();
    map.append(true).unwrap();
    check(map.finish(), &[(Json, "{\"k\":7}|{}")]);
}

#[test]
fn another_text_for_null() {
    let array: ArrayRef = Arc::new(StringArray::from(vec![None, Some("NA")]));
    let writer = ValueWriter::new(&Field::new("x", DataType::Utf8, true), Csv)
        .unwrap()
        .with_null("NA");
    let column = writer.column(&array).unwrap();
    let mut out = Vec::new();
    column.write(0, &mut out);
    column.write(1, &mut out);
    assert_eq!(out, b"NA\"NA\"");
}
