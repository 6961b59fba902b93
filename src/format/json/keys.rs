//! The keys of a record that are read, and the careful way to find their values.
//!
//! ```text
//!  columns  user.name, n, user.name      slots   0 user.name   1 n      of columns  0 1 0
//!  {"ts":"12:00:03","user":{"name":"ann"},"n":1}           values  0 "ann"   1 1
//! ```
//!
//! Invariants: each key has one slot, however many columns read it; of duplicate keys the last wins, and
//! an object forgets what an earlier one under its key held.

use hashbrown::HashMap;

use super::scanner::{JsonError, Scanner};
use super::value::{JsonValue, unescape};

/// Objects with more read keys than this look them up in a table.
const MOST_KEYS_IN_A_ROW: usize = 12;

/// The keys of an object that are read, or that lead to keys that are.
#[derive(Debug, Default)]
pub(in crate::format) struct Keys {
    nodes: Vec<KeyNode>,
    /// Where the first key of a record goes that is none of these, if it is wanted.
    pub(in crate::format) rest: Option<usize>,
    by_name: Option<HashMap<Vec<u8>, usize>>,
}

/// One key of an object.
#[derive(Debug)]
pub(in crate::format) struct KeyNode {
    key: Vec<u8>,
    /// Where the value goes, if it is read.
    pub(in crate::format) slot: Option<usize>,
    /// Keys inside the value.
    pub(in crate::format) below: Keys,
}

impl Keys {
    /// The keys of these paths, which are not empty, and the slot of each path.
    pub(in crate::format) fn of(paths: &[Vec<&str>]) -> (Keys, Vec<usize>) {
        let mut keys = Keys::default();
        let mut slot_count = 0;
        let slots = paths.iter().map(|path| keys.add(path, &mut slot_count));
        let slots = slots.collect();
        keys.index();
        (keys, slots)
    }

    fn add(&mut self, path: &[&str], slot_count: &mut usize) -> usize {
        let (first, rest) = path.split_first().expect("a path has a key");
        let known = |node: &KeyNode| node.key == first.as_bytes();
        let place = match self.nodes.iter().position(known) {
            Some(place) => place,
            None => {
                self.nodes.push(KeyNode {
                    key: first.as_bytes().to_vec(),
                    slot: None,
                    below: Keys::default(),
                });
                self.nodes.len() - 1
            }
        };
        let node = &mut self.nodes[place];
        if !rest.is_empty() {
            return node.below.add(rest, slot_count);
        }
        *node.slot.get_or_insert_with(|| {
            *slot_count += 1;
            *slot_count - 1
        })
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

    /// The key of this name.
    #[inline]
    pub(in crate::format) fn find(&self, key: &[u8]) -> Option<&KeyNode> {
        match &self.by_name {
            None => self.nodes.iter().find(|node| node.key == key),
            Some(by_name) => by_name.get(key).map(|place| &self.nodes[*place]),
        }
    }

    /// True if no key is read.
    pub(in crate::format) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Calls `f` with all slots.
    pub(in crate::format) fn for_each_slot(&self, f: &mut impl FnMut(usize)) {
        for node in &self.nodes {
            if let Some(slot) = node.slot {
                f(slot);
            }
            node.below.for_each_slot(f);
        }
    }

    /// Reads a record into its slots, which are NULL before.
    pub(in crate::format) fn read_record<'a>(
        &self,
        text: &'a [u8],
        values: &mut [JsonValue<'a>],
        scratch: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        let mut scanner = Scanner::new(text);
        if !scanner.at_object() {
            return Err(no_object(scanner));
        }
        self.read_object(&mut scanner, values, scratch)?;
        scanner.finish()
    }

    /// Reads the object that comes next.
    fn read_object<'a>(
        &self,
        scanner: &mut Scanner<'a>,
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
            let Some(node) = self.find(name) else {
                if let Some(rest) = self.rest.filter(|rest| values[*rest] == JsonValue::Null) {
                    values[rest] = key.as_text();
                }
                return scanner.value().map(|_| ());
            };
            let value = if node.below.is_empty() {
                scanner.value()?
            } else {
                node.below
                    .for_each_slot(&mut |slot| values[slot] = JsonValue::Null);
                if scanner.at_object() {
                    let start = scanner.place();
                    node.below.read_object(scanner, values, scratch)?;
                    JsonValue::Nested(scanner.since(start))
                } else {
                    scanner.value()?
                }
            };
            if let Some(slot) = node.slot {
                values[slot] = value;
            }
            Ok(())
        })
    }
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
