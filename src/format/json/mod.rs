//! NDJSON: one JSON object per line, its keys in any order.
//!
//! ```text
//!  block   chunks of about 64 KiB ─► records ─► all of n ─► all of user.name
//!
//!  {"ts":"12:00:03","user":{"name":"ann"},"n":1}      careful: scanned key by key; its shape is learned
//!  {"ts":"12:00:04","user":{"name":"bob"},"n":2}      of that shape: keys compared, values found
//! ```
//!
//! Invariants: a record is read to its end before any of its values is written, so that of duplicate keys
//! the last wins; every byte is checked whether it is read or not; what comes out of a record does not
//! depend on shapes and chunks; nothing is allocated per record.

mod cells;
mod chunk;
mod inside;
mod keys;
mod marks;
pub(in crate::format) mod nested;
mod sample;
mod scanner;
mod shape;
mod value;
mod values;
mod wrapped;
mod wrapping;

use arrow::buffer::Buffer;

use self::cells::JsonCells;
use self::chunk::{JsonChunk, SHORTEST_MARKED};
pub(in crate::format) use self::inside::values_inside;
use self::keys::Keys;
use self::marks::LONGEST_CHUNK;
pub use self::sample::{
    JsonSample, begins_array, begins_long_object, holds_object, json_sample, wrapped_objects,
    wrapped_texts,
};
use self::scanner::{JsonError, Scanner};
use self::value::JsonValue;
pub(in crate::format) use self::values::{PartsSplitter, ValuesSplitter};
pub(in crate::format) use self::wrapped::WrappedDecoder;
pub use self::wrapping::{JsonWrapping, PREFIX_TIME_COLUMN};
use crate::error::{Error, Result};
use crate::format::columns::cells::{CellKind, Texts};
use crate::format::columns::rows::{RowPlan, Rows};
use crate::format::encoding::Encoding;
use crate::format::spec::DEFAULT_MAX_RECORD_BYTES;
use crate::format::{DecodeSpec, Decoded, Decoder, Nulls, ReadColumn};

use hashbrown::HashMap;
use memchr::{memchr, memrchr};

/// How an input of NDJSON is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NdjsonOptions {
    /// What becomes of bytes that are not UTF-8.
    pub encoding: Encoding,
    /// The longest record.
    pub max_record_bytes: usize,
    /// The texts that mean NULL, if some do.
    pub nulls: Nulls,
}

impl Default for NdjsonOptions {
    fn default() -> Self {
        NdjsonOptions {
            encoding: Encoding::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            nulls: Nulls::Words(Vec::new()),
        }
    }
}

/// Decodes blocks of NDJSON; see the module.
#[derive(Debug)]
pub(in crate::format) struct NdjsonDecoder {
    plan: RowPlan,
    reads: JsonReads,
}

/// What is read of each record.
#[derive(Debug)]
pub(in crate::format) struct JsonReads {
    pub(in crate::format) keys: Keys,
    /// Per column of the plan: the slot of its key.
    pub(in crate::format) slots: Vec<usize>,
    pub(in crate::format) slot_count: usize,
    pub(in crate::format) encoding: Encoding,
    pub(in crate::format) nulls: Nulls,
    /// Shorter chunks are only read carefully.
    pub(in crate::format) shortest_marked: usize,
}

impl JsonReads {
    /// Reads a record: a value for each slot.
    pub(in crate::format) fn read<'t>(
        &self,
        text: &'t [u8],
        values: &mut Vec<JsonValue<'t>>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        values.clear();
        values.resize(self.slot_count, JsonValue::Null);
        self.keys.read_record(text, values, scratch)
    }
}

impl JsonReads {
    /// Tells of rows with keys that no column reads, if that is wanted.
    fn tell_keys(&self, cells: &JsonCells, texts: Texts<'_>, rows: &mut Rows<'_>) {
        let Some(rest) = self.keys.rest else {
            return;
        };
        for (row, cell) in cells.column(rest).iter().enumerate() {
            if cell.kind != CellKind::Null {
                rows.tell_key(row, texts.get(*cell));
            }
        }
    }
}

impl NdjsonDecoder {
    /// A decoder of the keys in `spec`; a key that records lack is NULL there.
    pub(in crate::format) fn new(options: &NdjsonOptions, spec: &DecodeSpec) -> Result<Self> {
        let columns = spec.columns.iter().chain(&spec.checked);
        let paths: Vec<_> = columns.map(key_path).collect();
        let (mut keys, slots) = Keys::of(&paths);
        let slot_count = slots.iter().max().map_or(0, |last| last + 1);
        keys.rest = spec.tells_keys.then_some(slot_count);
        Ok(NdjsonDecoder {
            plan: RowPlan::new(spec)?,
            reads: JsonReads {
                slot_count: slot_count + usize::from(spec.tells_keys),
                keys,
                slots,
                encoding: options.encoding,
                nulls: options.nulls.clone(),
                shortest_marked: SHORTEST_MARKED,
            },
        })
    }

    /// Decodes a block in chunks of about `chunk_bytes`, which changes nothing but the speed.
    fn decode_by(&self, block: &[u8], chunk_bytes: usize) -> Result<Decoded> {
        let mut rows = Rows::new(&self.plan, block.len() / 128 + 1);
        let mut chunk = JsonChunk::new(&self.reads);
        let mut rest = block;
        while !rest.is_empty() {
            let length = chunk_length(rest, chunk_bytes);
            if length > LONGEST_RECORD {
                return Err(Error::unsupported("a record is longer than 1 GiB"));
            }
            chunk.read(rest, length);
            chunk.write(&self.plan, &mut rows);
            rest = &rest[length..];
        }
        rows.finish()
    }
}

/// Text that is read at once: it stays in the nearest caches from column to column.
const CHUNK_BYTES: usize = LONGEST_CHUNK;

/// Places have 32 bits, and a byte that is mended becomes three.
const LONGEST_RECORD: usize = 1 << 30;

/// The whole lines at the beginning of `rest`: as many as there are in `most` bytes, at least one.
fn chunk_length(rest: &[u8], most: usize) -> usize {
    if rest.len() <= most {
        return rest.len();
    }
    let (first, behind) = rest.split_at(most);
    match memrchr(b'\n', first) {
        Some(end) => end + 1,
        None => memchr(b'\n', behind).map_or(rest.len(), |end| most + end + 1),
    }
}

impl Decoder for NdjsonDecoder {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema.clone()
    }

    fn decode(&self, block: &Buffer) -> Result<Decoded> {
        self.decode_by(block, CHUNK_BYTES)
    }
}

/// The keys that lead to a column's value, outermost first.
fn key_path(column: &ReadColumn) -> Vec<&str> {
    let keys = std::iter::once(&column.source).chain(&column.path);
    keys.map(String::as_str).collect()
}

/// What a value of a sample is.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number, as it is written.
    Number(String),
    /// A string, without quotes and escapes.
    Text(String),
    /// An array or object, as it is written.
    Nested(String),
}

/// The keys and values of the object on a line, in its order; of duplicate keys the last. `None` if the
/// line is no object.
pub fn json_object_fields(line: &[u8]) -> Option<Vec<(String, JsonKind)>> {
    let line = String::from_utf8_lossy(line);
    let mut scanner = Scanner::new(line.as_bytes());
    if !scanner.at_object() {
        return None;
    }
    let mut fields: Vec<(String, JsonKind)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let owned =
        |value: &JsonValue<'_>| String::from_utf8_lossy(value.text(&mut Vec::new())).into_owned();
    let scanned = scanner.object(|scanner, key| {
        let name = owned(&JsonValue::Text {
            inside: key.inside,
            escaped: key.escaped,
        });
        let value = scanner.value()?;
        let kind = kind_of(&value);
        match places.get(&name) {
            Some(place) => fields[*place].1 = kind,
            None => {
                places.insert(name.clone(), fields.len());
                fields.push((name, kind));
            }
        }
        Ok(())
    });
    scanned.and_then(|()| scanner.finish()).ok()?;
    Some(fields)
}

fn kind_of(value: &JsonValue<'_>) -> JsonKind {
    let owned = || String::from_utf8_lossy(value.text(&mut Vec::new())).into_owned();
    match value {
        JsonValue::Null => JsonKind::Null,
        JsonValue::Boolean(_) => JsonKind::Boolean,
        JsonValue::Number(_) => JsonKind::Number(owned()),
        JsonValue::Text { .. } => JsonKind::Text(owned()),
        JsonValue::Nested(_) => JsonKind::Nested(owned()),
    }
}

/// The elements of an array; `None` if the text is none.
pub fn json_elements(text: &str) -> Option<Vec<JsonKind>> {
    let mut scanner = Scanner::new(text.as_bytes());
    if !scanner.at_array() {
        return None;
    }
    let mut elements = Vec::new();
    let scanned = scanner.array(|scanner| {
        elements.push(kind_of(&scanner.value()?));
        Ok(())
    });
    scanned.and_then(|()| scanner.finish()).ok()?;
    Some(elements)
}

#[cfg(test)]
mod tests;
