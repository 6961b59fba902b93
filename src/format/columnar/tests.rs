use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, FixedSizeListArray, Float32Builder, Int8Array, Int64Array,
    LargeListArray, ListArray, MapBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int8Type, Int64Type, Schema, TimeUnit};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;

use super::parquet_footer::check_footer;
use super::*;
use crate::data::type_name;
use crate::error::Result;
use crate::format::{DecodeSpec, PathStep, ReadColumn, Reject};
use crate::time::Zone;

/// Rows of several types, with NULLs and values within values.
fn rows(from: i64, count: i64) -> RecordBatch {
    let numbers = || (from..from + count).map(|n| (n % 3 != 1).then_some(n));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter(numbers()));
    let user = StructArray::from(vec![(
        Arc::new(Field::new("id", ids.data_type().clone(), true)),
        Arc::clone(&ids),
    )]);
    let text = |n: i64| format!("row {n}");
    let tags: DictionaryArray<Int8Type> = numbers()
        .map(|n| n.map(|n| ["a", "b"][n as usize % 2]))
        .collect();
    let lists = numbers().map(|n| n.map(|n| vec![Some(n), None]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", ids),
        (
            "s",
            Arc::new(StringArray::from_iter(numbers().map(|n| n.map(text)))),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter(numbers())),
        ),
        ("tag", Arc::new(tags)),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists)),
        ),
        ("user", Arc::new(user)),
    ];
    let fields: Vec<Field> = (columns.iter())
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

const BATCHES: [(i64, i64); 2] = [(0, 7), (7, 5)];

fn arrow(is_file: bool, compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default()
        .try_with_compression(compression)
        .unwrap();
    let (mut bytes, schema) = (Vec::new(), rows(0, 1).schema());
    let batches = BATCHES.map(|(from, count)| rows(from, count));
    if is_file {
        let mut writer = FileWriter::try_new_with_options(&mut bytes, &schema, options).unwrap();
        // The dictionary of a file must not change.
        writer.write(&batches[0]).unwrap();
        writer.finish().unwrap();
        return bytes;
    }
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &schema, options).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

fn parquet() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows(0, 1).schema(), None).unwrap();
    for (from, count) in BATCHES {
        writer.write(&rows(from, count)).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes
}

/// Reads pieces of Arrow; what came before an error, and that.
fn read_arrow<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (usize, Result<()>) {
    let (mut messages, mut count) = (ArrowMessages::default(), 0);
    let mut read = |messages: &mut ArrowMessages, mut input: &[u8]| {
        while !input.is_empty() {
            if let Some(batch) = messages.take(&mut input)? {
                let all: Vec<usize> =
                    (0..messages.schema().map_or(0, |schema| schema.fields().len())).collect();
                let rows = batch.read(&all)?;
                decode(messages.schema().unwrap(), &rows)?;
                count += rows.num_rows();
            }
        }
        Ok(())
    };
    for piece in pieces {
        if let Err(error) = read(&mut messages, piece) {
            return (count, Err(error));
        }
    }
    (count, messages.end())
}

fn read_parquet(bytes: &[u8]) -> Result<usize> {
    let file = ParquetFile::open(WholeFile::Memory(bytes.to_vec().into()))?;
    let all: Vec<usize> = (0..file.schema().fields().len()).collect();
    let (mut rows, mut count) = (file.rows(&all)?, 0);
    while let Some(batch) = rows.next_batch()? {
        decode(file.schema(), &batch)?;
        count += batch.num_rows();
        // What a hostile index claims has no end.
        if count > 1 << 20 {
            break;
        }
    }
    Ok(count)
}

/// Makes the columns that SQL would have, and all of them as texts.
fn decode(schema: &Schema, rows: &RecordBatch) -> Result<()> {
    let typed = |field: &Arc<Field>| column_type(field.data_type(), Zone::UTC);
    let text = |_: &Arc<Field>| Some(DataType::Utf8View);
    for wanted in [&typed as &dyn Fn(&Arc<Field>) -> Option<DataType>, &text] {
        let column = |field: &Arc<Field>| {
            let wanted = Field::new(field.name(), wanted(field)?, true);
            Some(ReadColumn::new(field.name(), Arc::new(wanted)))
        };
        let spec = DecodeSpec {
            columns: schema.fields().iter().filter_map(column).collect(),
            checked: Vec::new(),
            tells_keys: false,
            zone: Zone::UTC,
        };
        let decoder = ColumnarDecoder::new(schema, &spec, true)?;
        let needed = rows.project(decoder.columns())?;
        decoder.decode(&needed)?;
    }
    Ok(())
}

/// What a batch becomes in columns of other types: rows as csv shows them, and rejects.
fn as_types(batch: &RecordBatch, columns: &[(&str, DataType)]) -> (Vec<String>, Vec<String>) {
    let column = |(name, data_type): &(&str, DataType)| {
        let field = Arc::new(Field::new(*name, data_type.clone(), true));
        let mut column = ReadColumn::new(*name, field);
        let (path, number) = match name.trim_end_matches(']').split_once('[') {
            Some((path, number)) => (path, number.parse().ok()),
            None => (*name, None),
        };
        let mut parts = path.split('.').map(String::from);
        column.source = parts.next().unwrap();
        column.path = parts.collect();
        column.inside = number.map(PathStep::Element).into_iter().collect();
        column
    };
    let spec = DecodeSpec {
        columns: columns.iter().map(column).collect(),
        checked: Vec::new(),
        tells_keys: false,
        zone: Zone::UTC,
    };
    let decoder = ColumnarDecoder::new(&batch.schema(), &spec, false).unwrap();
    let decoded = decoder
        .decode(&batch.project(decoder.columns()).unwrap())
        .unwrap();
    let texts = RowTexts::new(&decoded.rows).unwrap();
    let text = |row| {
        let mut text = Vec::new();
        texts.write(row, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let rows = (0..decoded.rows.num_rows()).map(text).collect();
    let reject = |reject: Reject| {
        format!(
            "{} {}: {}",
            reject.record,
            reject.reason,
            String::from_utf8_lossy(&reject.text)
        )
    };
    (rows, decoded.rejects.into_iter().map(reject).collect())
}

#[test]
fn columns_become_what_the_query_reads() {
    let batch = rows(0, 3);
    let (rows, rejects) = as_types(
        &batch,
        &[
            ("user.id", DataType::Float64),
            ("n", DataType::Utf8View),
            ("tag", DataType::Utf8View),
            ("list", DataType::Utf8View),
            ("at", DataType::Timestamp(TimeUnit::Nanosecond, None)),
        ],
    );
    assert_eq!(
        rows,
        [
            r#"{"user.id":0,"n":"0","tag":"a","list":"[0,null]","at":"1970-01-01T00:00:00"}"#,
            r#"{"user.id":null,"n":null,"tag":null,"list":null,"at":null}"#,
            r#"{"user.id":2,"n":"2","tag":"a","list":"[2,null]","at":"1970-01-01T00:00:00.000002"}"#,
        ]
    );
    assert_eq!(rejects, [""; 0]);
    let (rows, rejects) = as_types(&batch, &[("s", DataType::Int64), ("n", DataType::Int8)]);
    assert_eq!(rows, [r#"{"s":null,"n":null}"#]);
    let text = |n| format!(r#"{n} column `s`: "row {n}" is no BIGINT: {{"n":{n},"s":"row {n}"}}"#);
    assert_eq!(rejects, [text(0), text(2)]);
    // A second that is no number of nanoseconds.
    let far: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1, i64::MAX]));
    let schema = Schema::new(vec![Field::new("at", far.data_type().clone(), true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![far]).unwrap();
    let wanted = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let (rows, rejects) = as_types(&batch, &[("at", wanted)]);
    assert_eq!((rows.len(), rejects.len()), (1, 1));
}

#[test]
fn how_arrow_is_cut_does_not_matter() {
    let codecs = [
        None,
        Some(CompressionType::ZSTD),
        Some(CompressionType::LZ4_FRAME),
    ];
    for (is_file, codec) in [false, true]
        .into_iter()
        .zip(codecs.into_iter().cycle())
        .chain(codecs.map(|codec| (false, codec)))
    {
        let bytes = arrow(is_file, codec);
        let expected = if is_file { 7 } else { 12 };
        for length in [1, 3, 8, 100, bytes.len()] {
            let (count, end) = read_arrow(bytes.chunks(length));
            end.unwrap();
            assert_eq!(count, expected, "{is_file} {codec:?} {length}");
        }
    }
}

#[test]
fn streams_may_follow_one_another() {
    let (one, other) = (
        arrow(false, None),
        arrow(false, Some(CompressionType::ZSTD)),
    );
    let (count, end) = read_arrow([&one[..], &other[..]]);
    end.unwrap();
    assert_eq!(count, 24);
}

#[test]
fn what_is_cut_off_gives_its_whole_batches_and_an_error() {
    let bytes = arrow(false, None);
    let mut counts = Vec::new();
    for length in 1..bytes.len() {
        let (count, end) = read_arrow([&bytes[..length]]);
        counts.push(count);
        // A stream may end without saying so.
        assert!(end.is_err() || matches!(count, 0 | 7 | 12), "{length}");
    }
    assert!(counts.is_sorted());
    counts.dedup();
    assert_eq!(counts, [0, 7, 12]);
    let bytes = arrow(true, None);
    let (_, end) = read_arrow([&bytes[..bytes.len() / 2]]);
    end.unwrap_err();
    let bytes = parquet();
    for length in 0..bytes.len() {
        read_parquet(&bytes[..length]).unwrap_err();
    }
}

#[test]
fn rows_show_with_the_last_byte_of_a_batch() {
    for bytes in [arrow(false, None), arrow(true, None)] {
        for length in 0..=bytes.len() {
            let (count, _) = read_arrow([&bytes[..length]]);
            assert_eq!(
                ArrowMessages::show_rows(&bytes[..length]),
                count > 0,
                "{length}"
            );
        }
    }
    assert!(ArrowMessages::show_rows(b"\xff\xff\xff\xff\x03\0\0\0abc"));
}

#[test]
fn metadata_shorter_than_a_length_is_refused() {
    let (count, end) = read_arrow([&b"\x02\0\0\0abcdefgh"[..]]);
    end.unwrap_err();
    assert_eq!(count, 0);
}

#[test]
fn an_index_that_claims_more_than_it_has_is_refused() {
    let bytes = parquet();
    assert_eq!(read_parquet(&bytes).unwrap(), 12);
    let length = u32::from_le_bytes(*bytes[..bytes.len() - 4].last_chunk().unwrap()) as usize;
    let footer = &bytes[bytes.len() - 8 - length..bytes.len() - 8];
    check_footer(footer).unwrap();
    // Field 4, the row groups: a list of 2³¹ structs.
    let claims_much = [0x49, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0];
    check_footer(&claims_much).unwrap_err();
    // Field 2, the schema: a thousand columns, each with one inside (field 5: 1 child).
    let mut deep = vec![0x29, 0xFC, 0xE8, 0x07];
    for _ in 0..1_000 {
        deep.extend([0x55, 0x02, 0]);
    }
    deep.push(0);
    check_footer(&deep).unwrap_err();
    let mut wide = vec![0x29, 0xFC, 0xE8, 0x07];
    wide.extend([0; 1_001]);
    check_footer(&wide).unwrap();
}

#[test]
fn a_batch_that_claims_more_than_it_has_is_refused() {
    // Metadata of 4 GiB: nothing is reserved before it comes.
    let (count, end) = read_arrow([&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1, 2][..]]);
    assert_eq!(count, 0);
    end.unwrap_err();
}

#[test]
fn nested_values_of_all_kinds() {
    let runs = [1, 0, 2];
    let items: ArrayRef = Arc::new(Int8Array::from(vec![Some(7), None, Some(9)]));
    let item = |items: &ArrayRef| Arc::new(Field::new("element", items.data_type().clone(), true));
    let large: ArrayRef = Arc::new(LargeListArray::new(
        item(&items),
        OffsetBuffer::from_lengths(runs),
        Arc::clone(&items),
        Some(vec![true, false, true].into()),
    ));
    let seconds: ArrayRef = Arc::new(TimestampSecondArray::from_iter_values(0..6));
    let fixed: ArrayRef = Arc::new(FixedSizeListArray::new(item(&seconds), 2, seconds, None));
    let kind: DictionaryArray<Int8Type> = ["x", "y", "x"].into_iter().collect();
    let row: ArrayRef = Arc::new(StructArray::from(vec![
        (
            Arc::new(Field::new("kind", kind.data_type().clone(), true)),
            Arc::new(kind) as ArrayRef,
        ),
        (
            Arc::new(Field::new("large", large.data_type().clone(), true)),
            Arc::clone(&large),
        ),
    ]));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Float32Builder::new());
    for run in [&[("a", 1.5), ("b", 2.5)][..], &[], &[("b", 0.25)]] {
        for (key, value) in run {
            map.keys().append_value(key);
            map.values().append_value(*value);
        }
        map.append(true).unwrap();
    }
    let map: ArrayRef = Arc::new(map.finish());
    let columns = [
        ("large", large),
        ("fixed", fixed),
        ("row", row),
        ("map", map),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let schema = batch.schema();
    let types: Vec<(&str, DataType)> = (schema.fields().iter())
        .map(|field| {
            let made = column_type(field.data_type(), Zone::UTC).unwrap();
            (field.name().as_str(), made)
        })
        .collect();
    let names: Vec<String> = types.iter().map(|(_, made)| type_name(made)).collect();
    assert_eq!(
        names,
        [
            "ARRAY<TINYINT>",
            "ARRAY<TIMESTAMP(3)>",
            "ROW<kind STRING, large ARRAY<TINYINT>>",
            "MAP<STRING, FLOAT>"
        ]
    );
    let (rows, rejects) = as_types(&batch, &types);
    assert_eq!(
        rows,
        [
            r#"{"large":[7],"fixed":["1970-01-01T00:00:00","1970-01-01T00:00:01"],"row":{"kind":"x","large":[7]},"map":{"a":1.5,"b":2.5}}"#,
            r#"{"large":null,"fixed":["1970-01-01T00:00:02","1970-01-01T00:00:03"],"row":{"kind":"y","large":null},"map":{}}"#,
            r#"{"large":[null,9],"fixed":["1970-01-01T00:00:04","1970-01-01T00:00:05"],"row":{"kind":"x","large":[null,9]},"map":{"b":0.25}}"#,
        ]
    );
    assert_eq!(rejects, [""; 0]);
    // Paths, and types that are asked for.
    let narrow = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)));
    let (rows, rejects) = as_types(
        &batch,
        &[
            ("row.large[2]", DataType::Int64),
            ("fixed[1]", DataType::Utf8View),
            ("map.b", DataType::Float64),
            ("large", narrow),
        ],
    );
    assert_eq!(
        rows,
        [
            r#"{"row.large[2]":null,"fixed[1]":"1970-01-01T00:00:00","map.b":2.5,"large":["7"]}"#,
            r#"{"row.large[2]":null,"fixed[1]":"1970-01-01T00:00:02","map.b":null,"large":null}"#,
            r#"{"row.large[2]":9,"fixed[1]":"1970-01-01T00:00:04","map.b":0.25,"large":[null,"9"]}"#,
        ]
    );
    assert_eq!(rejects, [""; 0]);
}

/// Bytes with some of them changed, and perhaps cut.
fn mutated(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = bytes.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 1..8);
    (changes, prop::option::of(0..length)).prop_map(move |(changes, cut)| {
        let mut bytes = bytes.clone();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        bytes.truncate(cut.unwrap_or(length));
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_arrow_panics(bytes in prop_oneof![
        mutated(arrow(false, None)),
        mutated(arrow(false, Some(CompressionType::ZSTD))),
        mutated(arrow(true, Some(CompressionType::LZ4_FRAME))),
    ]) {
        let _ = read_arrow([&bytes[..]]);
    }

    #[test]
    fn no_parquet_panics(bytes in mutated(parquet())) {
        let _ = read_parquet(&bytes);
    }
}
