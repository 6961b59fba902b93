//! What the parts of a query cost, one by one: `cargo bench`, or `cargo bench -- decode` for some.
//!
//! ```text
//!  bytes ─► split ─► decode ─► watermark ─► aggregate (A, B, C, D), assign ─► print
//! ```
//!
//! Each part has its input ready in memory: 100,000 events of the generator. Items are rows, bytes those of
//! the text; `benches/compare/` measures the whole.

mod events;
mod queries;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tumble::cli::display::{self, format_named};
use tumble::exec::{Message, Operator, Output};

use events::{BYTES, LATENCY, ROWS, STATUS, TS, USER};

fn main() {
    divan::main();
}

const FORMATS: [&str; 2] = ["csv", "ndjson"];
const QUERIES: [&str; 4] = ["A", "B", "C", "D"];

/// Finds the ends of records.
#[divan::bench(args = FORMATS, sample_count = 30)]
fn split(bencher: Bencher<'_, '_>, format: &'static str) {
    let text = events::text(format);
    bencher
        .counter(BytesCount::of_slice(text))
        .counter(ItemsCount::new(ROWS))
        .bench(|| events::split(format, black_box(text)));
}

fn decode(bencher: Bencher<'_, '_>, format: &'static str, columns: &[usize]) {
    let text = events::text(format);
    let blocks = events::split(format, text);
    let decoder = events::decoder(format, columns);
    bencher
        .counter(BytesCount::of_slice(text))
        .counter(ItemsCount::new(ROWS))
        .bench(|| {
            for block in &blocks {
                black_box(decoder.decode(black_box(block)).expect("rows"));
            }
        });
}

/// The columns of query A: a time, an integer, a double.
#[divan::bench(args = FORMATS, sample_count = 30)]
fn decode_numbers(bencher: Bencher<'_, '_>, format: &'static str) {
    decode(bencher, format, &[TS, STATUS, LATENCY]);
}

/// The columns of query D: a time, an integer, a text.
#[divan::bench(args = FORMATS, sample_count = 30)]
fn decode_text(bencher: Bencher<'_, '_>, format: &'static str) {
    decode(bencher, format, &[TS, BYTES, USER]);
}

/// All seven columns.
#[divan::bench(args = FORMATS, sample_count = 30)]
fn decode_all(bencher: Bencher<'_, '_>, format: &'static str) {
    decode(bencher, format, &[0, 1, 2, 3, 4, 5, 6]);
}

/// No column: records are counted.
#[divan::bench(args = FORMATS, sample_count = 30)]
fn decode_none(bencher: Bencher<'_, '_>, format: &'static str) {
    decode(bencher, format, &[]);
}

/// Watermarks of rows.
#[divan::bench(sample_count = 30)]
fn watermark(bencher: Bencher<'_, '_>) {
    let batches = events::batches();
    bencher
        .counter(ItemsCount::new(ROWS))
        .with_inputs(events::watermark_operator)
        .bench_values(|mut operator| {
            let mut out = Output::default();
            for batch in batches {
                operator
                    .on_batch(0, batch.clone(), &mut out)
                    .expect("times");
                black_box(&out);
                out.messages.clear();
            }
        });
}

/// Runs the messages through an operator; what it makes is handed to `each`.
fn drive(operator: &mut dyn Operator, mut each: impl FnMut(Message)) {
    let mut out = Output::default();
    for message in events::messages() {
        match message.clone() {
            Message::Batch(batch) => operator.on_batch(0, batch, &mut out).expect("rows"),
            Message::Watermark(watermark) => {
                operator
                    .on_watermark(&watermark, &mut out)
                    .expect("windows");
            }
        }
        assert!(out.events.is_empty(), "no row is late");
        out.messages.drain(..).for_each(&mut each);
    }
}

/// The aggregation of queries A to D, from the first row to the last window.
#[divan::bench(args = QUERIES, sample_count = 30)]
fn aggregate(bencher: Bencher<'_, '_>, query: &str) {
    events::messages();
    bencher
        .counter(ItemsCount::new(ROWS))
        .with_inputs(|| queries::operator(query))
        .bench_values(|mut operator| drive(operator.as_mut(), |message| drop(black_box(message))));
}

/// Windows as columns of rows: TUMBLE (one for a row) and HOP (five).
#[divan::bench(args = ["TUMBLE", "HOP"], sample_count = 30)]
fn assign(bencher: Bencher<'_, '_>, window: &str) {
    events::messages();
    bencher
        .counter(ItemsCount::new(ROWS))
        .with_inputs(|| queries::assign(window))
        .bench_values(|mut operator| drive(operator.as_mut(), |message| drop(black_box(message))));
}

/// The result of query D as text; here items are rows of the result.
#[divan::bench(args = FORMATS, sample_count = 30)]
fn print(bencher: Bencher<'_, '_>, format: &str) {
    let mut batches = Vec::new();
    drive(queries::operator("D").as_mut(), |message| {
        if let Message::Batch(batch) = message {
            batches.push(batch.columns);
        }
    });
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let make = format_named(format).expect("a format").display;
    let mut text = Vec::new();
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        text.clear();
        let mut display = make(display::Options::default());
        display
            .begin(
                &batches[0].schema(),
                &tumble::session::ResultInfo::default(),
                &mut text,
            )
            .expect("a header");
        for batch in &batches {
            display.rows(batch, &mut text).expect("lines");
        }
        display.end(&mut text).expect("a csv has no end to fail");
        black_box(&text);
    });
}
