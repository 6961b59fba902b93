//! Reads records that have the keys of an earlier one, in its order and with its blanks: what stands
//! between values is compared, not scanned.
//!
//! ```text
//!  learned from   {"ts":"12:00:03","user":{"name":"ann"},"n":1}⏎
//!  leads           {"ts":   ,"user":{"name":   },"n":   }⏎            compared 16 bytes at once
//!  values               ~~~                 ~~~     ~                 found by their marks
//!
//!  two at once:   ▶ first half of the chunk      ▶ second half        each waits while the other goes on
//! ```
//!
//! Invariants: a record that is taken gives what the careful way gives, and every byte of it was checked:
//! leads byte by byte, strings by the marks of what may not stand in them, numbers by the grammar,
//! everything else by the scanner. Whatever is unexpected is left to the careful way. The value of a key
//! with read keys inside is an object if and only if it was one in the record that was learned.

use super::cells::JsonCells;
use super::keys::{KeyNode, Keys};
use super::marks::{LONGEST_CHUNK, Marks};
use super::scanner::{JsonError, Scanner};
use super::value::{JsonValue, unescape};
use crate::format::columns::cells::{Cell, CellKind};

/// Behind a chunk 16 bytes can be read, whatever they are.
pub(in crate::format) type ChunkText = [u8; LONGEST_CHUNK + 16];

/// A chunk with its marks.
#[derive(Clone, Copy)]
pub(in crate::format) struct MarkedChunk<'a> {
    pub(in crate::format) text: &'a ChunkText,
    pub(in crate::format) length: usize,
    pub(in crate::format) marks: &'a Marks,
}

/// See the module.
#[derive(Debug)]
pub(in crate::format) struct Shape {
    steps: Vec<Step>,
    /// The end of the record, with its newline.
    last: Lead,
    /// Slots of keys that the record lacks.
    absent: Vec<usize>,
    /// The first key that no slot stands for, and where it is told.
    unread_key: Option<(usize, Box<[u8]>)>,
}

/// A value and what stands in front of it.
#[derive(Debug)]
struct Step {
    lead: Lead,
    /// Where the value goes, or [`SKIPPED`].
    slot: usize,
    /// Objects around the value.
    depth: usize,
    /// True if keys inside the value are read, should it be an object.
    refuses_objects: bool,
}

const SKIPPED: usize = usize::MAX;
const MOST_STEPS: usize = 1_024;

/// Bytes that must come next.
#[derive(Debug)]
struct Lead {
    /// The first 16.
    first: u128,
    /// All ones where they count.
    mask: u128,
    length: usize,
    /// The others.
    rest: Box<[u8]>,
}

/// A value that was found by its marks: a string without escapes, or a number without an exponent.
struct PlainValue {
    kind: CellKind,
    start: usize,
    end: usize,
    /// Where reading goes on.
    next: usize,
}

impl Lead {
    fn new(bytes: &[u8]) -> Self {
        let (mut first, mut mask) = ([0; 16], [0; 16]);
        let length = bytes.len().min(16);
        first[..length].copy_from_slice(&bytes[..length]);
        mask[..length].fill(0xFF);
        Lead {
            first: u128::from_le_bytes(first),
            mask: u128::from_le_bytes(mask),
            length: bytes.len(),
            rest: bytes[length..].into(),
        }
    }

    #[inline(always)]
    fn matches(&self, text: &ChunkText, at: usize) -> bool {
        (sixteen(text, at) ^ self.first) & self.mask == 0
            && (self.length <= 16 || self.rest_matches(text, at))
    }

    /// The part of a long lead that is rarely there: out of the way of what is.
    #[inline(never)]
    fn rest_matches(&self, text: &ChunkText, at: usize) -> bool {
        text.get(at + 16..at + self.length) == Some(&self.rest)
    }
}

/// The bytes from a place on. Places wrap around, which costs less than to ask: whoever gets beyond the
/// chunk is found out at the end of the record.
#[inline(always)]
fn sixteen(text: &ChunkText, at: usize) -> u128 {
    let at = at % LONGEST_CHUNK;
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&text[at..at + 16]);
    u128::from_le_bytes(bytes)
}

impl MarkedChunk<'_> {
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.text[at % LONGEST_CHUNK]
    }

    /// The value at a place, if it is plain.
    #[inline(always)]
    fn plain_value(&self, at: usize) -> Option<PlainValue> {
        match self.byte(at) {
            b'"' => {
                let start = at + 1;
                let end = self.special(start)?;
                (self.byte(end) == b'"').then_some(PlainValue {
                    kind: CellKind::Text,
                    start,
                    end,
                    next: end + 1,
                })
            }
            b'-' => self.plain_number(at, at + 1),
            b'0'..=b'9' => self.plain_number(at, at),
            _ => None,
        }
    }

    /// The next quote, backslash or control character.
    #[inline(always)]
    fn special(&self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut marks = self.marks.special_from(at);
        while marks == 0 {
            at += 57;
            if at > self.length {
                return None;
            }
            marks = self.marks.special_from(at);
        }
        Some(at + marks.trailing_zeros() as usize)
    }

    #[inline(always)]
    fn plain_number(&self, start: usize, digits: usize) -> Option<PlainValue> {
        let others = !self.marks.digits_from(digits);
        let count = others.trailing_zeros();
        if count == 0 || (count > 1 && self.byte(digits) == b'0') {
            return None;
        }
        let mut end = digits + count as usize;
        let mut behind = self.byte(end);
        if behind == b'.' {
            let fraction = (others >> count >> 1).trailing_zeros();
            if fraction == 0 {
                return None;
            }
            end += 1 + fraction as usize;
            behind = self.byte(end);
        }
        (behind | 0x20 != b'e').then_some(PlainValue {
            kind: CellKind::Number,
            start,
            end,
            next: end,
        })
    }

    /// The value at a place, whatever it is, and where it ends; `None` if it is not written right.
    fn any_value(&self, at: usize, depth: usize) -> Option<(JsonValue<'_>, usize)> {
        let rest = self.text.get(at..self.length)?;
        for (word, value) in [
            (&b"null"[..], JsonValue::Null),
            (b"true", JsonValue::Boolean(true)),
            (b"false", JsonValue::Boolean(false)),
        ] {
            if rest.starts_with(word) {
                return Some((value, at + word.len()));
            }
        }
        let line = &rest[..memchr::memchr(b'\n', rest)?];
        let mut scanner = Scanner::inside(line, depth);
        let value = scanner.value().ok()?;
        Some((value, at + scanner.place()))
    }
}

impl Shape {
    /// The shape of the record on `line`, which ends with its newline and has been read without a
    /// complaint. `None` if other records cannot be read by it.
    pub(in crate::format) fn of(line: &[u8], keys: &Keys, slot_count: usize) -> Option<Shape> {
        let record = line.strip_suffix(b"\n")?;
        let mut learner = Learner {
            line: record,
            steps: Vec::new(),
            lead_start: 0,
            claimed: Vec::new(),
            unread_key: None,
            scratch: Vec::new(),
        };
        let mut scanner = Scanner::new(record);
        if !scanner.at_object() {
            return None;
        }
        learner.object(&mut scanner, keys).ok()?;
        let absent = (0..slot_count).filter(|slot| !learner.filled(*slot));
        Some(Shape {
            absent: absent.collect(),
            unread_key: keys.rest.zip(learner.unread_key.take()),
            last: Lead::new(&line[learner.lead_start..]),
            steps: learner.steps,
        })
    }

    /// Reads the records at some places of a chunk, each to the rows of its own; where they end, or `None`
    /// if one of them is not of this shape, and then no row came.
    #[inline(always)]
    pub(in crate::format) fn take<const N: usize>(
        &self,
        chunk: MarkedChunk<'_>,
        from: [usize; N],
        rows: &mut [JsonCells; N],
    ) -> Option<[usize; N]> {
        let mut at = from;
        for step in &self.steps {
            for at in &mut at {
                if !step.lead.matches(chunk.text, *at) {
                    return None;
                }
                *at += step.lead.length;
            }
            for (at, rows) in at.iter_mut().zip(rows.iter_mut()) {
                *at = match chunk.plain_value(*at) {
                    Some(value) => {
                        if step.slot != SKIPPED {
                            rows.put(step.slot, value.cell());
                        }
                        value.next
                    }
                    None => step.take_other(chunk, *at, rows)?,
                };
            }
        }
        for at in &mut at {
            if !self.last.matches(chunk.text, *at) {
                return None;
            }
            *at += self.last.length;
            if *at > chunk.length {
                return None;
            }
        }
        for rows in rows {
            for slot in &self.absent {
                rows.put(*slot, JsonCells::NULL);
            }
            if let Some((slot, key)) = &self.unread_key {
                rows.put_text(*slot, key);
            }
            rows.end_row();
        }
        Some(at)
    }
}

impl PlainValue {
    #[inline(always)]
    fn cell(&self) -> Cell {
        Cell {
            start: self.start as u32,
            length: (self.end - self.start) as u32,
            kind: self.kind,
            aside: false,
        }
    }
}

impl Step {
    /// Reads a value that is not plain; returns where it ends.
    #[inline(never)]
    fn take_other(&self, chunk: MarkedChunk<'_>, at: usize, rows: &mut JsonCells) -> Option<usize> {
        let (value, end) = chunk.any_value(at, self.depth)?;
        if self.refuses_objects
            && let JsonValue::Nested(text) = value
            && text.starts_with(b"{")
        {
            return None;
        }
        if self.slot != SKIPPED {
            rows.put_value(self.slot, value, chunk.text);
        }
        Some(end)
    }
}

/// Takes a record apart.
struct Learner<'a> {
    line: &'a [u8],
    steps: Vec<Step>,
    /// Where the last value ended.
    lead_start: usize,
    /// The keys that came and lead to slots.
    claimed: Vec<&'a KeyNode>,
    /// The first key of the record itself that is not known.
    unread_key: Option<Box<[u8]>>,
    scratch: Vec<u8>,
}

/// A record from which nothing is learned; nobody sees it.
const REFUSED: JsonError = JsonError {
    reason: "",
    help: None,
};

impl<'a> Learner<'a> {
    fn object(&mut self, scanner: &mut Scanner<'_>, keys: &'a Keys) -> Result<(), JsonError> {
        scanner.object(|scanner, key| {
            self.scratch.clear();
            unescape(key.inside, &mut self.scratch);
            let node = keys.find(&self.scratch);
            match node {
                Some(node) => self.claim(node)?,
                None if keys.rest.is_some() && self.unread_key.is_none() => {
                    self.unread_key = Some(self.scratch.as_slice().into());
                }
                None => {}
            }
            let has_keys_below = node.is_some_and(|node| !node.below.is_empty());
            if let Some(node) = node
                && has_keys_below
                && scanner.at_object()
            {
                // The object as a whole is no value then.
                return match node.slot {
                    None => self.object(scanner, &node.below),
                    Some(_) => Err(REFUSED),
                };
            }
            scanner.skip_blanks();
            let start = scanner.place();
            scanner.value()?;
            if self.steps.len() == MOST_STEPS {
                return Err(REFUSED);
            }
            self.steps.push(Step {
                lead: Lead::new(&self.line[self.lead_start..start]),
                slot: node.and_then(|node| node.slot).unwrap_or(SKIPPED),
                depth: scanner.depth(),
                refuses_objects: has_keys_below,
            });
            self.lead_start = scanner.place();
            Ok(())
        })
    }

    /// Refuses a key that comes twice: the later one would have to undo what the earlier one did.
    fn claim(&mut self, node: &'a KeyNode) -> Result<(), JsonError> {
        if self.claimed.iter().any(|known| std::ptr::eq(*known, node)) {
            return Err(REFUSED);
        }
        self.claimed.push(node);
        Ok(())
    }

    fn filled(&self, slot: usize) -> bool {
        self.steps.iter().any(|step| step.slot == slot)
    }
}
