//! Looks over the index of a Parquet file before it is read: what it claims to hold must have room in its bytes.
//!
//! ```text
//!   FileMetaData { 2: schema [SchemaElement { 5: children }, …], 4: row groups […], … }     thrift, compact
//! ```
//!
//! The crate that reads it reserves what a list claims and descends as deep as columns do: a few bytes of a
//! hostile file would end the program.

use crate::error::{Error, Result};

/// How deep columns may stand within others, and values within others here.
const MOST_DEPTH: usize = 100;

/// Refuses an index that cannot be read with memory in proportion to its bytes.
///
/// # Errors
/// A list has more elements than bytes are left; columns stand too deep; it ends early.
pub(super) fn check_footer(bytes: &[u8]) -> Result<()> {
    let mut walk = Walk {
        bytes,
        children: Vec::new(),
    };
    walk.structure(0, Place::File).ok_or_else(broken)?;
    match depth(&walk.children) {
        Some(depth) if depth <= MOST_DEPTH => Ok(()),
        _ => Err(broken()),
    }
}

fn broken() -> Error {
    Error::data("its index is broken")
}

/// How deep a tree is whose nodes say how many children they have, each in front of those.
fn depth(children: &[u32]) -> Option<usize> {
    let (mut open, mut deepest) = (Vec::<u32>::new(), 0);
    for count in children {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if *count > 0 {
            open.push(*count);
        }
        deepest = deepest.max(open.len());
        if deepest > MOST_DEPTH {
            return None;
        }
    }
    Some(deepest)
}

/// Where a value stands, as far as it matters.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    File,
    Schema,
    SchemaElement,
    Elsewhere,
}

impl Place {
    /// That of a field of a struct here.
    fn field(self, id: i64) -> Self {
        match (self, id) {
            (Place::File, 2) => Place::Schema,
            _ => Place::Elsewhere,
        }
    }

    /// That of an element of a list here.
    fn element(self) -> Self {
        match self {
            Place::Schema => Place::SchemaElement,
            _ => Place::Elsewhere,
        }
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    /// Of each column of the schema.
    children: Vec<u32>,
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn structure(&mut self, depth: usize, place: Place) -> Option<()> {
        if depth > MOST_DEPTH {
            return None;
        }
        let (mut id, mut children) = (0_i64, 0);
        loop {
            let header = self.byte()?;
            if header == 0 {
                break;
            }
            id = match header >> 4 {
                0 => self.zigzag()?,
                step => id.checked_add(i64::from(step))?,
            };
            match header & 0x0F {
                // The value of a boolean field is its type.
                1 | 2 => {}
                5 if place == Place::SchemaElement && id == 5 => {
                    children = u32::try_from(self.zigzag()?).ok()?;
                }
                kind => self.value(kind, depth, place.field(id))?,
            }
        }
        if place == Place::SchemaElement {
            self.children.push(children);
        }
        Some(())
    }

    fn value(&mut self, kind: u8, depth: usize, place: Place) -> Option<()> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth, place),
            11 => self.map(depth),
            12 => self.structure(depth + 1, place),
            13 => self.skip(16),
            _ => None,
        }
    }

    fn list(&mut self, depth: usize, place: Place) -> Option<()> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        if depth > MOST_DEPTH || count > self.bytes.len() as u64 {
            return None;
        }
        for _ in 0..count {
            self.value(header & 0x0F, depth + 1, place.element())?;
        }
        Some(())
    }

    fn map(&mut self, depth: usize) -> Option<()> {
        let count = self.varint()?;
        if count == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        if depth > MOST_DEPTH || count > self.bytes.len() as u64 {
            return None;
        }
        for _ in 0..count {
            self.value(kinds >> 4, depth + 1, Place::Elsewhere)?;
            self.value(kinds & 0x0F, depth + 1, Place::Elsewhere)?;
        }
        Some(())
    }
}
