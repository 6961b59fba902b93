//! CSV against expectations, and against the `csv` crate however the bytes are cut.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;

use super::*;
use crate::format::{Format, ReadColumn, Split, csv_header};
use crate::time::{TimeFormat, Zone};

fn column(name: &str, data_type: DataType) -> ReadColumn {
    ReadColumn::new(name, Arc::new(Field::new(name, data_type, true)))
}

fn spec(columns: Vec<ReadColumn>) -> DecodeSpec {
    DecodeSpec {
        columns,
        checked: Vec::new(),
        tells_keys: false,
        zone: Zone::UTC,
    }
}

/// Splits `input`, given `chunk` bytes at a time, and decodes every block: rows and rejects as text.
fn read(format: &Format, spec: &DecodeSpec, input: &[u8], chunk: usize) -> Vec<String> {
    let decoder = format.decoder(spec).unwrap();
    let mut splitter = format.splitter().unwrap();
    let (mut out, mut have, mut given) = (Vec::new(), Vec::new(), 0);
    let (mut record, mut line) = (0u64, 0u64);
    loop {
        let at_end = given == input.len();
        match splitter.split(&have, at_end) {
            Split::Block(length) => {
                let block: Vec<u8> = have.drain(..length).collect();
                let decoded = decoder.decode(&Buffer::from(block.as_slice())).unwrap();
                out.extend(lines_of(&decoded, record, line));
                record += u64::from(decoded.record_count);
                line += decoded.line_count;
            }
            Split::Head { bytes, lines } => {
                have.drain(..bytes);
                line += lines;
            }
            Split::Skip(length, too_long) => {
                have.drain(..length);
                if let Some(too_long) = too_long {
                    let beginning = String::from_utf8_lossy(&too_long.beginning).into_owned();
                    out.push(format!("{record}@{line} too long: {beginning}"));
                    record += 1;
                    line += too_long.lines;
                }
            }
            Split::More if at_end => break,
            Split::More => {
                let next = (given + chunk).min(input.len());
                have.extend_from_slice(&input[given..next]);
                given = next;
            }
        }
    }
    assert!(have.is_empty(), "everything is consumed");
    out
}

fn lines_of(decoded: &Decoded, record: u64, line: u64) -> Vec<String> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    for (row, number) in decoded.records.iter().enumerate() {
        let cells = decoded.rows.columns().iter().map(|column| {
            if column.is_null(row) {
                return "∅".to_owned();
            }
            array_value_to_string(column, row).unwrap()
        });
        let cells: Vec<_> = cells.collect();
        lines.push((
            *number,
            format!("{} {}", record + u64::from(*number), cells.join("|")),
        ));
    }
    for reject in &decoded.rejects {
        let number = record + u64::from(reject.record);
        lines.push((
            reject.record,
            format!("{number}@{} {}", line + reject.line, reject.reason),
        ));
    }
    lines.sort();
    lines.into_iter().map(|(_, text)| text).collect()
}

fn check_with(options: CsvOptions, columns: Vec<ReadColumn>, input: &[u8], expected: &[&str]) {
    let format = Format::Csv(options);
    for chunk in [1, 2, 7, 1 << 20] {
        let got = read(&format, &spec(columns.clone()), input, chunk);
        assert_eq!(
            got,
            expected,
            "{:?} by {chunk}",
            String::from_utf8_lossy(input)
        );
    }
}

fn options(names: &str) -> CsvOptions {
    CsvOptions::new(b',', names.split(',').map(str::to_owned).collect())
}

fn check(names: &str, columns: Vec<ReadColumn>, input: &str, expected: &[&str]) {
    check_with(options(names), columns, input.as_bytes(), expected);
}

#[test]
fn records() {
    let columns = || {
        vec![
            column("c", DataType::Utf8View),
            column("a", DataType::Int64),
        ]
    };
    let check = |input, expected: &[&str]| check("a,b,c", columns(), input, expected);
    check("a,b,c\n1,2,x\n3,4,y\n", &["0 x|1", "1 y|3"]);
    check("\u{feff}a,b,c\r\n1,2,x\r\n\r\n3,4,y", &["0 x|1", "1 y|3"]);
    check(
        "\n\na,b,c\n1,2,\n3,4,\"\"\n,,\"a\"\"b\nc\"\n",
        &["0 ∅|1", "1 |3", "2 a\"b\nc|∅"],
    );
    check(
        "a,b,c\n1,2\n1,2,3,4\nx,2,z\n5,6,ok\n",
        &[
            "0@1 has 2 fields, the header has 3",
            "1@2 has 4 fields, the header has 3",
            "2@3 column `a`: \"x\" is no BIGINT",
            "3 ok|5",
        ],
    );
    check(
        "a,b,c\n1,\"2,x\n3,4,y\n",
        &["0@1 a quote opens in this line and does not close", "1 y|3"],
    );
    check("a,b,c\n", &[]);
    check("", &[]);
    check("a,b,c\n1,2,a\rb\r", &["0 a\rb|1"]);
    check("a,b,c\n\"1\",2,\"b\"\r", &["0 b|1"]);
    check("a,b,c\n1,2,\0\n", &["0 \0|1"]);
}

#[test]
fn long_records() {
    let mut short = options("a,b");
    short.max_record_bytes = 10;
    let columns = || vec![column("b", DataType::Utf8View)];
    check_with(
        short,
        columns(),
        b"a,b\n1,xxxxxxxx\n1,xxxxxxxxx\n2,\"y\nzzzzzzzzzzz\"\n3,z\n4,01234567890123",
        &[
            "0 xxxxxxxx",
            "1@2 too long: 1,xxxxxxxx",
            "2@3 a quote opens in this line and does not close",
            "3@4 too long: zzzzzzzzzz",
            "4 z",
            "5@6 too long: 4,01234567",
        ],
    );
    let long = format!("a,b\n1,\"{}x\"\n2,y\n", "\n".repeat(999));
    let got = read(
        &Format::Csv(options("a,b")),
        &spec(columns()),
        long.as_bytes(),
        1 << 20,
    );
    assert_eq!(got.len(), 2);
    let long = format!("a,b\n1,\"{}x\"\n2,y\n", "\n".repeat(1_000));
    let got = read(
        &Format::Csv(options("a,b")),
        &spec(columns()),
        long.as_bytes(),
        100,
    );
    assert_eq!(
        got.len(),
        3,
        "the first line, the last line of the text, the next record"
    );
    assert_eq!(got[0], "0@1 a quote opens in this line and does not close");
    assert_eq!(got[2], "2 y");
}

#[test]
fn types() {
    let check = |data_type: DataType, fields: &str, expected: &[&str]| {
        let name = crate::data::type_name(&data_type);
        let format = Format::Csv(options("a,b"));
        let input = format!("a,b\n{}\n", fields.replace(' ', ",\n") + ",");
        let got = read(
            &format,
            &spec(vec![column("a", data_type)]),
            input.as_bytes(),
            1 << 20,
        );
        let got: Vec<_> = got
            .iter()
            .map(|line| line.split_once(' ').unwrap().1)
            .collect();
        assert_eq!(got, expected, "{name}");
    };
    check(
        DataType::Int8,
        "127 -128 NA \"\" 1.0",
        &["127", "-128", "∅", "∅", "1"],
    );
    check(
        DataType::Int8,
        "128",
        &["column `a`: \"128\" is no TINYINT"],
    );
    check(
        DataType::UInt64,
        "18446744073709551615 -",
        &["18446744073709551615", "∅"],
    );
    check(
        DataType::Int64,
        "007 +7 9223372036854775807",
        &["7", "7", "9223372036854775807"],
    );
    check(
        DataType::Float64,
        "1.5 1e3 NaN \\N",
        &["1.5", "1000.0", "NaN", "∅"],
    );
    check(DataType::Float32, "0.1", &["0.1"]);
    check(
        DataType::Boolean,
        "true FALSE 1 null",
        &["true", "false", "true", "∅"],
    );
    check(
        DataType::Decimal128(5, 2),
        "1.005 N/A 12",
        &["1.01", "∅", "12.00"],
    );
    check(DataType::Utf8View, "NA - \"\"", &["NA", "-", ""]);
    check(DataType::Date32, "2026-01-02 NULL", &["2026-01-02", "∅"]);
    check(
        DataType::Time64(TimeUnit::Microsecond),
        "12:00:03.5",
        &["12:00:03.500"],
    );
    let micro = DataType::Timestamp(TimeUnit::Microsecond, None);
    check(
        micro.clone(),
        "2026-01-01T12:00Z 1767268800",
        &["2026-01-01T12:00:00", "2026-01-01T12:00:00"],
    );
    check(micro, "noon", &["column `a`: \"noon\" is no TIMESTAMP(6)"]);
    check(
        DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        "2026-01-01",
        &["2026-01-01T00:00:00Z"],
    );
}

#[test]
fn peculiarities() {
    let mut time = column("a", DataType::Timestamp(TimeUnit::Microsecond, None));
    time.is_time_attribute = true;
    time.time = Some(TimeFormat::Strftime("%d.%m.%Y".into()));
    check(
        "a",
        vec![time],
        "a\nnoon\n01.02.2026\n",
        &["0 ∅", "1 2026-02-01T00:00:00"],
    );

    let mut exact = column("a", DataType::Float64);
    exact.exact_integers = true;
    check(
        "a",
        vec![exact],
        "a\n9007199254740993\n0.1\n",
        &[
            "0@1 column `a`: DOUBLE would round \"9007199254740993\"",
            "1 0.1",
        ],
    );

    let mut words = options("a,b");
    words.nulls = Nulls::Words(vec!["nix".into()]);
    let both = || {
        vec![
            column("a", DataType::Int64),
            column("b", DataType::Utf8View),
        ]
    };
    check_with(
        words,
        both(),
        b"a,b\nnix,nix\n1,\"nix\"\n",
        &["0 ∅|∅", "1 1|nix"],
    );

    let latin1 = CsvOptions {
        encoding: Encoding::Latin1,
        ..options("b")
    };
    check_with(
        latin1,
        vec![column("b", DataType::Utf8View)],
        b"b\n\xe9\n",
        &["0 é"],
    );
    let strict = CsvOptions {
        encoding: Encoding::Strict,
        ..options("b")
    };
    check_with(
        strict,
        vec![column("b", DataType::Utf8View)],
        b"b\n\xe9\na\n",
        &["0@1 is not UTF-8", "1 a"],
    );
    let lossy = options("b");
    check_with(
        lossy,
        vec![column("b", DataType::Utf8View)],
        b"b\n\"\xe9,\"\na\n",
        &["0 \u{fffd},", "1 a"],
    );

    check(
        "a,b",
        vec![],
        "a,b\n1,2\n3\n",
        &["0 ", "1@2 has 1 field, the header has 2"],
    );
    let mut strict = spec(vec![column("b", DataType::Utf8View)]);
    strict.checked.push(column("a", DataType::Int64));
    let got = read(
        &Format::Csv(options("a,b")),
        &strict,
        b"a,b\nx,y\n1,z\n",
        100,
    );
    assert_eq!(got, ["0@1 column `a`: \"x\" is no BIGINT", "1 z"]);
}

#[test]
fn headers() {
    let check = |text: &str, expected: &str| {
        let (names, _) = csv_header(text.as_bytes(), b',', true, Encoding::Lossy).unwrap();
        assert_eq!(names.join("|"), expected, "{text:?}");
    };
    check("\u{feff}a, b ,\"c,d\"\n1,2,3", "a|b|c,d");
    check("a,a,a_1,a,\n", "a|a_2|a_1|a_3|c5");
    assert_eq!(csv_header(b"a,b", b',', false, Encoding::Lossy), None);
    let error =
        Format::Csv(options("host,status")).decoder(&spec(vec![column("stauts", DataType::Int64)]));
    assert_eq!(
        error.err().unwrap().label_text(),
        Some("did you mean `status`?")
    );
}

/// Text fields of every kind, written by the `csv` crate or raw.
fn rows_of_text() -> impl Strategy<Value = Vec<Vec<String>>> {
    let field = prop_oneof!["[a-c]{0,3}", "[a-c,\"\n é;]{0,6}", Just(String::new())];
    proptest::collection::vec(proptest::collection::vec(field, 3), 0..12)
}

fn text_columns() -> Vec<ReadColumn> {
    ["a", "b", "c"]
        .map(|name| column(name, DataType::Utf8View))
        .to_vec()
}

proptest! {
    #[test]
    fn reads_what_the_csv_crate_writes(rows in rows_of_text(), crlf: bool, quote_all: bool, chunk in 1usize..40) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let input = writer.into_inner().unwrap();
        let got = read(&Format::Csv(options("a,b,c")), &spec(text_columns()), &input, chunk);
        let expected: Vec<_> = rows.iter().enumerate().map(|(number, row)| {
            let cells: Vec<_> = row.iter().map(|cell| match cell.is_empty() && !quote_all {
                true => "∅",
                false => cell.as_str(),
            }).collect();
            format!("{number} {}", cells.join("|"))
        }).collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn reads_what_the_csv_crate_reads(input in "[ab,\"\n]{0,60}", chunk in 1usize..20) {
        let format = Format::Csv(CsvOptions { header: false, ..options("a,b,c") });
        let got = read(&format, &spec(text_columns()), input.as_bytes(), chunk);
        let whole = read(&format, &spec(text_columns()), input.as_bytes(), 1 << 20);
        prop_assert_eq!(&got, &whole);
        if got.iter().any(|line| line.contains("does not close")) {
            return Ok(());
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input.as_bytes());
        let expected: Vec<Option<String>> = reader.records().map(|record| {
            let record = record.unwrap();
            (record.len() == 3).then(|| record.iter().collect::<Vec<_>>().join("|"))
        }).collect();
        let got: Vec<Option<String>> = got.iter().map(|line| {
            let (number, rest) = line.split_once(' ').unwrap();
            (!number.contains('@')).then(|| rest.replace('∅', ""))
        }).collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn never_panics(block in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..200)) {
        let format = Format::Csv(options("a,b,c"));
        for data_type in [DataType::Int64, DataType::Utf8View, DataType::Timestamp(TimeUnit::Nanosecond, None)] {
            let spec = spec(vec![column("b", data_type), column("c", DataType::Float64)]);
            let decoded = format.decoder(&spec).unwrap().decode(&Buffer::from(block.as_slice())).unwrap();
            let count = decoded.records.len() + decoded.rejects.len();
            prop_assert_eq!(count, decoded.record_count as usize);
            prop_assert_eq!(decoded.rows.num_rows(), decoded.records.len());
            read(&format, &spec, &block, 3);
        }
    }
}

/// Everything that a decoder says of a block.
fn all_of(decoded: &Decoded) -> Vec<String> {
    let mut all = lines_of(decoded, 0, 0);
    all.extend(decoded.rejects.iter().map(|reject| format!("{reject:?}")));
    all.push(format!(
        "{} records, {} lines, mended {:?}",
        decoded.record_count, decoded.line_count, decoded.mended
    ));
    all
}

/// Blocks of whole records and broken ones: as a splitter would cut them, or not.
fn hostile_block() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        8 => "-?[0-9]{1,10}(\\.[0-9]{0,4})?",
        4 => "2026-03-29T0[0-3]:00:[0-5][0-9](\\.[0-9]{0,3})?Z?",
        4 => "[a-zé ]{0,20}",
        2 => "\"([a-z,\n é]|\"\"){0,20}\"[a-z]?",
        1 => Just(String::new()),
        1 => Just("NA".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just("\"".to_owned()),
    ];
    let count = prop_oneof![30 => Just(3usize), 1 => 0usize..6];
    let record = (count, any::<u8>()).prop_flat_map(move |(count, odd)| {
        let end = match odd {
            0 => vec![0xE9, b'\n'],
            1..10 => b"\r\n".to_vec(),
            10..12 => b"\r\r\n".to_vec(),
            12..14 => b"\n\r\n\n".to_vec(),
            _ => b"\n".to_vec(),
        };
        proptest::collection::vec(field.clone(), count)
            .prop_map(move |fields| [fields.join(",").into_bytes(), end.clone()].concat())
    });
    (proptest::collection::vec(record, 0..40), any::<bool>()).prop_map(|(records, cut)| {
        let mut block = records.concat();
        if cut && block.ends_with(b"\n") {
            block.pop();
        }
        block
    })
}

fn columns_of_all_kinds() -> impl Strategy<Value = Vec<ReadColumn>> {
    let one = (0usize..3, 0usize..8).prop_map(|(field, data_type)| {
        let types = [
            DataType::Int64,
            DataType::Int8,
            DataType::Float64,
            DataType::Float32,
            DataType::Utf8View,
            DataType::Binary,
            DataType::Timestamp(TimeUnit::Millisecond, None),
            DataType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Berlin".into())),
        ];
        column(["a", "b", "c"][field], types[data_type].clone())
    });
    proptest::collection::vec(one, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]
    #[test]
    fn every_way_to_decode_says_the_same(
        block in hostile_block(),
        columns in columns_of_all_kinds(),
        chunk_bytes in 1usize..200,
        encoding in 0usize..3,
        nulls in prop_oneof![Just(Nulls::Default), Just(Nulls::Words(vec!["7".into(), "b".into()]))],
        time_attribute: bool,
    ) {
        let options = CsvOptions { nulls, encoding: Encoding::NAMES[encoding].1, ..options("a,b,c") };
        let mut spec = spec(columns);
        for column in &mut spec.columns {
            column.is_time_attribute = time_attribute;
        }
        let decoder = CsvDecoder::new(&options, &spec).unwrap();
        let whole = decoder.decode(&Buffer::from(block.as_slice())).unwrap();
        let chunked = decoder.decode_by(&block, chunk_bytes).unwrap();
        prop_assert_eq!(all_of(&whole), all_of(&chunked));
        prop_assert_eq!(&whole.rows, &chunked.rows);
        let mut careful = CsvDecoder::new(&options, &spec).unwrap();
        careful.shape.only_carefully = true;
        let careful = careful.decode_by(&block, CHUNK_BYTES).unwrap();
        prop_assert_eq!(all_of(&whole), all_of(&careful));
        prop_assert_eq!(&whole.rows, &careful.rows);
        // Line by line and value by value, where lines are records.
        if !block.contains(&b'"') && whole.rejects.is_empty() {
            let lines = block.split_inclusive(|byte| *byte == b'\n');
            let alone: Vec<_> = lines.map(|line| decoder.decode_by(line, CHUNK_BYTES).unwrap().rows).collect();
            let schema = decoder.schema();
            let alone = arrow::compute::concat_batches(&schema, &alone).unwrap();
            prop_assert_eq!(&whole.rows, &alone);
        }
    }

    #[test]
    fn cuts_change_nothing(block in hostile_block(), columns in columns_of_all_kinds(), chunk in 1usize..60, encoding in 0usize..3) {
        let format = Format::Csv(CsvOptions { encoding: Encoding::NAMES[encoding].1, header: false, ..options("a,b,c") });
        let whole = read(&format, &spec(columns.clone()), &block, 1 << 20);
        prop_assert_eq!(read(&format, &spec(columns), &block, chunk), whole);
    }
}

#[test]
fn first_misfit_of_a_record() {
    let mut columns = vec![column("c", DataType::Int64), column("a", DataType::Int64)];
    columns.push(column("a", DataType::Float64));
    let input = "x,1,y\n1,2,3\n\nx,2\n4,5,z\r\n\"q\",7,8\n9,9,9";
    let format = Format::Csv(CsvOptions {
        header: false,
        ..options("a,b,c")
    });
    for chunk in [1, 5, 1 << 20] {
        assert_eq!(
            read(&format, &spec(columns.clone()), input.as_bytes(), chunk),
            [
                "0@0 column `a`: \"x\" is no BIGINT",
                "1 3|1|1.0",
                "2@3 has 2 fields, the first record has 3",
                "3@4 column `c`: \"z\" is no BIGINT",
                "4@5 column `a`: \"q\" is no BIGINT",
                "5 9|9|9.0",
            ]
        );
    }
}

#[test]
fn columns_have_the_types_of_the_plan() {
    let format = Format::Csv(options("a"));
    let spec = spec(vec![column(
        "a",
        DataType::Timestamp(TimeUnit::Millisecond, Some("Europe/Berlin".into())),
    )]);
    let decoder = format.decoder(&spec).unwrap();
    let rows = decoder
        .decode(&Buffer::from(b"2026-01-01T00:00Z\n"))
        .unwrap()
        .rows;
    assert_eq!(rows.schema(), decoder.schema());
    assert_eq!(
        rows.column(0).data_type(),
        spec.columns[0].field.data_type()
    );
    assert!(
        rows.column(0)
            .as_primitive_opt::<arrow::datatypes::TimestampMillisecondType>()
            .is_some()
    );
}
