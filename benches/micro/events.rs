//! The rows to measure with: `tumble generate access-log`, as bytes, as blocks, as columns.
//!
//! Invariant: made once, the same for every run; a benchmark measures none of this.

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use arrow::buffer::Buffer;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use tumble::cli::args::{Request, parse};
use tumble::cli::generate;
use tumble::data::{Batch, position};
use tumble::exec::watermark::{WatermarkOperator, WatermarkSpec};
use tumble::exec::{Message, Operator, Output, Watermark};
use tumble::format::{CsvOptions, DecodeSpec, Decoder, Format, NdjsonOptions, ReadColumn, Split};
use tumble::time::Zone;

pub const ROWS: usize = 100_000;
const READ_BYTES: usize = 256 << 10;
/// The default of `--delay`, in microseconds.
pub const DELAY: i64 = 5_000_000;

/// The columns in the order of the input; queries name them by number.
pub const TS: usize = 0;
pub const HOST: usize = 1;
pub const STATUS: usize = 3;
pub const BYTES: usize = 4;
pub const LATENCY: usize = 5;
pub const USER: usize = 6;

pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

pub fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

/// All columns, with the types that would be guessed.
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        field("ts", time_type()),
        field("host", DataType::Utf8View),
        field("path", DataType::Utf8View),
        field("status", DataType::Int64),
        field("bytes", DataType::Int64),
        field("latency_ms", DataType::Float64),
        field("user", DataType::Utf8View),
    ]))
}

/// The events as text.
pub fn text(format: &'static str) -> &'static [u8] {
    static CSV: OnceLock<Vec<u8>> = OnceLock::new();
    static NDJSON: OnceLock<Vec<u8>> = OnceLock::new();
    let place = if format == "csv" { &CSV } else { &NDJSON };
    place.get_or_init(|| {
        let rows = ROWS.to_string();
        let words = [
            "generate",
            "access-log",
            "--rows",
            &rows,
            "--format",
            format,
        ];
        let Ok(Request::Generate(args)) = parse(words.map(OsString::from)) else {
            panic!("the generator has other flags");
        };
        let mut bytes = Vec::new();
        generate::run(&args, &mut bytes).expect("sample data");
        bytes
    })
}

pub fn format(name: &str) -> Format {
    let names = schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    match name {
        "csv" => Format::Csv(CsvOptions::new(b',', names)),
        _ => Format::Ndjson(NdjsonOptions::default()),
    }
}

/// The text cut into blocks of whole records, as reads of a usual size would give them.
pub fn split(name: &str, mut text: &'static [u8]) -> Vec<Buffer> {
    let mut splitter = format(name).splitter().expect("records");
    let mut blocks = Vec::new();
    let mut given = READ_BYTES;
    while !text.is_empty() {
        given = given.min(text.len());
        match splitter.split(&text[..given], given == text.len()) {
            Split::Block(bytes) => {
                blocks.push(Buffer::from(&text[..bytes]));
                text = &text[bytes..];
                given = READ_BYTES;
            }
            Split::Head { bytes, .. } => text = &text[bytes..],
            Split::Skip(..) => unreachable!("no record is too long"),
            Split::More => given += READ_BYTES,
        }
    }
    blocks
}

/// A decoder of these columns.
pub fn decoder(name: &str, columns: &[usize]) -> Arc<dyn Decoder> {
    let schema = schema();
    let column = |&number: &usize| {
        let field = &schema.fields()[number];
        let mut column = ReadColumn::new(field.name(), Arc::clone(field));
        column.is_time_attribute = number == TS;
        column
    };
    let spec = DecodeSpec {
        columns: columns.iter().map(column).collect(),
        checked: Vec::new(),
        tells_keys: false,
        zone: Zone::UTC,
    };
    format(name).decoder(&spec).expect("a decoder")
}

/// All columns of all rows, in batches that carry no watermark yet.
pub fn batches() -> &'static [Batch] {
    static BATCHES: OnceLock<Vec<Batch>> = OnceLock::new();
    BATCHES.get_or_init(|| {
        let decoder = decoder("csv", &[0, 1, 2, 3, 4, 5, 6]);
        let mut first = 0;
        let blocks = split("csv", text("csv")).into_iter();
        let batch = blocks.map(|block| {
            let rows = decoder.decode(&block).expect("rows").rows;
            let next = first + rows.num_rows() as u64;
            let positions: ScalarBuffer<u64> = (first..next).map(|row| position(0, row)).collect();
            first = next;
            Batch::new(rows, positions)
        });
        batch.collect()
    })
}

pub fn watermark_operator() -> WatermarkOperator {
    WatermarkOperator::new(WatermarkSpec {
        time_column: TS,
        delay: DELAY,
        max_jump: None,
    })
}

/// What windows hear: the batches with the watermarks between them, and the end.
pub fn messages() -> &'static [Message] {
    static MESSAGES: OnceLock<Vec<Message>> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let mut operator = watermark_operator();
        let mut out = Output::default();
        for batch in batches() {
            operator
                .on_batch(0, batch.clone(), &mut out)
                .expect("times");
        }
        out.messages.push(Message::Watermark(Watermark::end()));
        out.messages
    })
}
