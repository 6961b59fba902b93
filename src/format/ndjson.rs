//! NDJSON: one JSON object per line, its keys in any order.
//!
//! ```text
//! {"ts":"12:00:03","user":{"name":"ann"},"n":1}     read: n, user.name
//!   └ skipped, checked    └ user.name       └ n ─►  ranges of the record  ─►  1, ann
//! ```
//!
//! Invariants: a record is scanned to its end before anything is written, so that of duplicate keys the
//! last wins; every byte is checked whether it is read or not; nothing is allocated per record.

use arrow::buffer::Buffer;

use super::encoding::{BlockText, Encoding, RecordText};
use super::json_scanner::{JsonError, Scanner};
use super::json_value::{JsonValue, unescape};
use super::rows::{RowPlan, Rows};
use super::spec::DEFAULT_MAX_RECORD_BYTES;
use super::value_parsers::Misfit;
use super::{DecodeSpec, Decoded, Decoder, ReadColumn};
use crate::error::Result;

use hashbrown::HashMap;

/// Objects with more read keys than this look them up in a table.
const MOST_KEYS_IN_A_ROW: usize = 12;

/// How an input of NDJSON is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NdjsonOptions {
    /// What becomes of bytes that are not UTF-8.
    pub encoding: Encoding,
    /// The longest record.
    pub max_record_bytes: usize,
}

impl Default for NdjsonOptions {
    fn default() -> Self {
        NdjsonOptions {
            encoding: Encoding::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        }
    }
}

/// Decodes blocks of NDJSON; see the module.
#[derive(Debug)]
pub(super) struct NdjsonDecoder {
    encoding: Encoding,
    plan: RowPlan,
    keys: Keys,
}

/// The keys of an object that are read, or that lead to keys that are.
#[derive(Debug, Default)]
struct Keys {
    nodes: Vec<KeyNode>,
    by_name: Option<HashMap<Vec<u8>, usize>>,
}

#[derive(Debug)]
struct KeyNode {
    key: Vec<u8>,
    /// Columns of the plan that read the value.
    columns: Vec<usize>,
    /// Keys inside the value.
    below: Keys,
}

impl Keys {
    fn add(&mut self, path: &[&str], column: usize) {
        let [first, rest @ ..] = path else {
            return;
        };
        let place = match self
            .nodes
            .iter()
            .position(|node| node.key == first.as_bytes())
        {
            Some(place) => place,
            None => {
                self.nodes.push(KeyNode {
                    key: first.as_bytes().to_vec(),
                    columns: Vec::new(),
                    below: Keys::default(),
                });
                self.nodes.len() - 1
            }
        };
        if rest.is_empty() {
            self.nodes[place].columns.push(column);
        } else {
            self.nodes[place].below.add(rest, column);
        }
    }

    fn index(&mut self) {
        for node in &mut self.nodes {
            node.below.index();
        }
        if self.nodes.len() > MOST_KEYS_IN_A_ROW {
            let keys = self.nodes.iter().enumerate();
            self.by_name = Some(
                keys.map(|(place, node)| (node.key.clone(), place))
                    .collect(),
            );
        }
    }

    #[inline]
    fn find(&self, key: &[u8]) -> Option<&KeyNode> {
        match &self.by_name {
            None => self.nodes.iter().find(|node| node.key == key),
            Some(by_name) => by_name.get(key).map(|place| &self.nodes[*place]),
        }
    }

    /// Forgets the values that an earlier object under the same key had.
    fn clear(&self, values: &mut [JsonValue<'_>]) {
        for node in &self.nodes {
            for column in &node.columns {
                values[*column] = JsonValue::Null;
            }
            node.below.clear(values);
        }
    }
}

impl NdjsonDecoder {
    /// A decoder of the keys in `spec`; a key that records lack is NULL there.
    pub(super) fn new(options: &NdjsonOptions, spec: &DecodeSpec) -> Result<Self> {
        let mut keys = Keys::default();
        for (column, read) in spec.columns.iter().chain(&spec.checked).enumerate() {
            keys.add(&key_path(read), column);
        }
        keys.index();
        Ok(NdjsonDecoder {
            encoding: options.encoding,
            plan: RowPlan::new(spec)?,
            keys,
        })
    }

    #[inline]
    fn record<'a>(
        &self,
        rows: &mut Rows<'_>,
        text: &'a [u8],
        raw: &[u8],
        values: &mut Vec<JsonValue<'a>>,
        scratch: &mut Vec<u8>,
    ) {
        values.clear();
        values.resize(self.plan.columns.len(), JsonValue::Null);
        let mut scanner = Scanner::new(text);
        let scanned = if scanner.at_object() {
            read_object(&mut scanner, &self.keys, values, scratch).and_then(|()| scanner.finish())
        } else {
            Err(no_object(scanner))
        };
        match scanned {
            Ok(()) => self.write(rows, values, raw, scratch),
            Err(error) => rows.reject(error.reason.into(), error.help.map(str::to_owned), raw),
        }
    }

    #[inline]
    fn write(&self, rows: &mut Rows<'_>, values: &[JsonValue<'_>], raw: &[u8], text: &mut Vec<u8>) {
        let mut misfit: Option<(usize, Misfit)> = None;
        for (column, value) in values.iter().enumerate() {
            let plan = &self.plan.columns[column];
            if let Err(why) = rows.columns[column].write_json(plan, *value, text) {
                misfit.get_or_insert((column, why));
            }
        }
        match misfit {
            None => rows.accept(),
            Some((column, why)) => rows.reject_misfit(column, why, &values[column].shown(), raw),
        }
    }
}

impl Decoder for NdjsonDecoder {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema.clone()
    }

    fn decode(&self, block: &Buffer) -> Result<Decoded> {
        let block = block.as_slice();
        let mut texts = BlockText::new(block, self.encoding);
        let mut rows = Rows::new(&self.plan, block.len() / 128 + 1);
        let (mut values, mut scratch) = (Vec::new(), Vec::new());
        let mut rest = block;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            let raw = line.strip_suffix(b"\r").unwrap_or(line);
            if !raw.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                match texts.of_record(raw) {
                    RecordText::AsIs => self.record(&mut rows, raw, raw, &mut values, &mut scratch),
                    RecordText::Changed { text, mended } => {
                        if mended {
                            rows.mend();
                        }
                        // The slots of the other records cannot point into this copy.
                        self.record(&mut rows, text, raw, &mut Vec::new(), &mut scratch);
                    }
                    RecordText::NotUtf8 => rows.reject(
                        "is not UTF-8".into(),
                        Some("--encoding lossy or --encoding latin1 reads it".into()),
                        raw,
                    ),
                }
            }
            rows.line += 1;
        }
        rows.finish()
    }
}

/// Reads the object that comes next; the values of the keys that are read go to their slots.
fn read_object<'a>(
    scanner: &mut Scanner<'a>,
    keys: &Keys,
    values: &mut [JsonValue<'a>],
    scratch: &mut Vec<u8>,
) -> Result<(), JsonError> {
    scanner.object(|scanner, key| {
        let name = if key.escaped {
            scratch.clear();
            unescape(key.inside, scratch);
            scratch.as_slice()
        } else {
            key.inside
        };
        let Some(node) = keys.find(name) else {
            return scanner.value().map(|_| ());
        };
        let value = if node.below.nodes.is_empty() {
            scanner.value()?
        } else {
            node.below.clear(values);
            if scanner.at_object() {
                let start = scanner.place();
                read_object(scanner, &node.below, values, scratch)?;
                JsonValue::Nested(scanner.since(start))
            } else {
                scanner.value()?
            }
        };
        for column in &node.columns {
            values[*column] = value;
        }
        Ok(())
    })
}

/// What to say of a record that does not begin like an object.
#[cold]
fn no_object(mut scanner: Scanner<'_>) -> JsonError {
    let value = scanner.value();
    let help = match (&value, scanner.first()) {
        (_, Some(b'[')) => Some("the elements of an array become records with `jq -c '.[]'`"),
        _ => None,
    };
    match value {
        Ok(_) => JsonError {
            reason: "is no JSON object",
            help,
        },
        Err(error) => JsonError {
            help: help.or(error.help),
            ..error
        },
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
    /// An array or object.
    Nested,
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
        let kind = match value {
            JsonValue::Null => JsonKind::Null,
            JsonValue::Boolean(_) => JsonKind::Boolean,
            JsonValue::Number(_) => JsonKind::Number(owned(&value)),
            JsonValue::Text { .. } => JsonKind::Text(owned(&value)),
            JsonValue::Nested(_) => JsonKind::Nested,
        };
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

#[cfg(test)]
#[path = "ndjson/tests.rs"]
mod tests;
