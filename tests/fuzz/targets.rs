//! What is held of any bytes: nothing panics, and how the bytes were cut changes nothing.
//!
//! ```text
//!  cargo fuzz run … csv     libFuzzer chooses the bytes             tests/fuzz/fuzz_targets/
//!  cargo test fuzz          a few thousand mutations of seeds       tests/it/fuzz.rs
//! ```

use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};
use tumble::cli::display::{self, Display};
use tumble::connect::ByteSource;
use tumble::error::{Error, Result};
use tumble::format::{
    CsvOptions, DecodeSpec, Encoding, Format, NdjsonOptions, ReadColumn, Split, csv_header,
};
use tumble::session::{Host, Note, Options, ResultInfo, ResultSink, Session, SinkSpec};
use tumble::time::{TimeFormat, TimeReader, Unit, Zone};

/// CSV with a header of its own: records and rejects do not depend on how the bytes were cut.
pub fn csv(data: &[u8]) {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let delimiter = [b',', b'\t', b';', b'|'][usize::from(first % 4)];
    let Some((header, _)) = csv_header(text, delimiter, true, Encoding::default()) else {
        return;
    };
    let mut options = CsvOptions::new(delimiter, header.clone());
    options.max_record_bytes = 1 << 10;
    let types = [
        DataType::Utf8View,
        DataType::Int64,
        DataType::Float64,
        time(),
    ];
    let columns = header.iter().zip(types.iter().cycle());
    let columns = columns.map(|(name, data_type)| column(name, data_type.clone()));
    same_however_cut(
        &Format::Csv(options),
        columns.take(8).collect(),
        text,
        *first,
    );
}

/// NDJSON: likewise.
pub fn ndjson(data: &[u8]) {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let options = NdjsonOptions {
        max_record_bytes: 1 << 10,
        ..NdjsonOptions::default()
    };
    let columns = vec![
        column("a", DataType::Int64),
        column("b", DataType::Utf8View),
        column("ts", time()),
        column("c", DataType::Float64),
    ];
    same_however_cut(&Format::Ndjson(options), columns, text, *first);
}

/// SQL text is refused or understood.
pub fn sql(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let parameters = [(String::from("p"), String::from("1"))];
        let _ = tumble::sql::parse(text, &parameters);
    }
}

/// Times in any spelling: a reader that remembers minutes reads what one that does not reads.
pub fn timestamp(data: &[u8]) {
    let mut memo = tumble::time::MinuteMemo::default();
    for unit in [Unit::Millisecond, Unit::Microsecond, Unit::Nanosecond] {
        for instant in [false, true] {
            let reader = TimeReader::new(&TimeFormat::Auto, unit, Zone::UTC, instant);
            let reader = reader.expect("a reader of any spelling");
            memo = tumble::time::MinuteMemo::default();
            for line in data.split(|byte| *byte == b'\n') {
                let plain = reader.read(line);
                let known = reader.read_in_known_minute(&memo, line);
                assert!(known.is_none() || known == plain, "{line:?}");
                assert_eq!(reader.read_and_remember(&mut memo, line), plain, "{line:?}");
            }
        }
    }
    let _ = memo;
}

/// A whole query over any bytes: guessed, windowed, printed; the same with small blocks and more threads.
pub fn pipeline(data: &[u8]) {
    const QUERIES: [&str; 5] = [
        "SELECT * FROM stdin",
        "SELECT count(*) FROM stdin",
        "SELECT window_start, count(*) FROM TUMBLE(stdin, '1m') GROUP BY window_start",
        "SELECT window_start, count(*) FROM HOP(stdin, '7s', '1m') GROUP BY window_start",
        "SELECT window_start, count(*) FROM SESSION(stdin, '5s') GROUP BY window_start",
    ];
    let first = data.first().copied().unwrap_or_default();
    same_in_any_blocks(QUERIES[usize::from(first) % QUERIES.len()], data);
}

/// Formats of lines, as they are guessed: likewise.
pub fn lines(data: &[u8]) {
    same_in_any_blocks("SELECT * FROM stdin", data);
}

/// Arrow, Parquet, and what is compressed: likewise.
pub fn columnar(data: &[u8]) {
    same_in_any_blocks("SELECT * FROM stdin", data);
}

/// What a query prints of the bytes behind the first, which says how short blocks are.
fn same_in_any_blocks(query: &str, data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let whole = run(query, bytes, 1 << 18, 1);
    for (block_bytes, threads) in [(1 + usize::from(*first), 1), (64, 2)] {
        assert_eq!(run(query, bytes, block_bytes, threads), whole, "{query}");
    }
}

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn column(name: &str, data_type: DataType) -> ReadColumn {
    ReadColumn::new(name, Arc::new(Field::new(name, data_type, true)))
}

/// What came of a text: rows in one batch, and per reject its record and reason.
type Read = (Vec<RecordBatch>, Vec<(u64, String)>, u64);

fn same_however_cut(format: &Format, columns: Vec<ReadColumn>, text: &[u8], seed: u8) {
    let spec = DecodeSpec {
        columns,
        checked: Vec::new(),
        tells_keys: false,
        zone: Zone::UTC,
    };
    let Ok(decoder) = format.decoder(&spec) else {
        return;
    };
    let read = |step: usize| -> Read {
        let mut splitter = format.splitter().expect("records");
        let (mut rows, mut rejects, mut records) = (Vec::new(), Vec::new(), 0);
        let (mut at, mut given) = (0, 0);
        loop {
            let at_end = given >= text.len();
            match splitter.split(&text[at..given.min(text.len())], at_end) {
                Split::Head { bytes, .. } => at += bytes,
                Split::Block(0) | Split::More => {
                    if at_end {
                        break;
                    }
                    given += step;
                }
                Split::Block(bytes) => {
                    let block = Buffer::from(&text[at..at + bytes]);
                    let decoded = decoder.decode(&block).expect("bad records are rejects");
                    let rejected = decoded.rejects.into_iter();
                    rejects.extend(
                        rejected.map(|reject| (records + u64::from(reject.record), reject.reason)),
                    );
                    records += u64::from(decoded.record_count);
                    rows.push(decoded.rows);
                    at += bytes;
                }
                Split::Skip(bytes, too_long) => {
                    if too_long.is_some() {
                        rejects.push((records, String::from("too long")));
                        records += 1;
                    } else if bytes == 0 {
                        if at_end {
                            break;
                        }
                        given += step;
                    }
                    at += bytes;
                }
            }
        }
        let rows = arrow::compute::concat_batches(&decoder.schema(), &rows);
        (vec![rows.expect("one schema")], rejects, records)
    };
    assert_eq!(read(text.len().max(1)), read(1 + usize::from(seed)));
}

/// What a run prints or says, and everything it counted.
fn run(query: &str, bytes: &[u8], block_bytes: usize, threads: usize) -> String {
    let csv = display::format_named("csv").expect("csv is an output format");
    let mut page = Page {
        display: (csv.display)(display::Options::default()),
        text: Vec::new(),
        input: Some(bytes.to_vec()),
    };
    let options = Options {
        block_bytes,
        threads: Some(threads),
        ..Options::default()
    };
    let mut session = Session::new(options);
    let ended = session.execute(query, &mut page).map(drop);
    let said = ended.err().map(|error| error.to_string());
    let printed = String::from_utf8_lossy(&page.text);
    format!("{printed}{said:?}{:?}", session.summary())
}

struct Page {
    display: Box<dyn Display>,
    text: Vec<u8>,
    input: Option<Vec<u8>>,
}

impl Host for Page {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        self.display.begin(schema, info, &mut self.text)
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        self.display.rows(rows, &mut self.text)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.display.end(&mut self.text)
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.text.extend_from_slice(text);
        Ok(())
    }

    fn stdin(&mut self) -> Option<Box<dyn ByteSource>> {
        self.input
            .take()
            .map(|bytes| Box::new(Bytes(bytes, 0)) as Box<dyn ByteSource>)
    }

    fn sink(&mut self, _spec: &SinkSpec) -> Result<Box<dyn ResultSink>> {
        Err(Error::unsupported("a page has no files"))
    }

    fn note(&mut self, _note: Note) {}
}

/// An input that lies in memory.
struct Bytes(Vec<u8>, usize);

impl ByteSource for Bytes {
    fn name(&self) -> &str {
        "stdin"
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.1 += length;
        Ok(length)
    }
}
