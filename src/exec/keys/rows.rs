//! Keys of a column of any type that can be compared: as comparable bytes, one behind the other.
//!
//! ```text
//!  bytes   0180 0a01 | 0180 0b01 | 00            ends  4, 8, 9
//! ```
//!
//! Invariant: equal values have equal bytes, in every converter of their type.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};

use super::index::{Index, KeyHasher};
use crate::error::{Error, Result};

/// Distinct values as bytes, numbered from 0; see the module.
#[derive(Clone)]
pub(super) struct RowKeys {
    converter: Arc<RowConverter>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    hashes: Vec<u64>,
    index: Index,
    hasher: KeyHasher,
}

impl RowKeys {
    /// No keys yet, of a column of this type.
    ///
    /// Fails for types that cannot be compared.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        Ok(RowKeys {
            converter: Arc::new(RowConverter::new(vec![SortField::new(data_type.clone())])?),
            bytes: Vec::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            index: Index::default(),
            hasher: KeyHasher::default(),
        })
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends the number of each value to `ids`.
    pub(super) fn intern(&mut self, column: &ArrayRef, ids: &mut Vec<u32>) -> Result<()> {
        let rows = (self.converter).convert_columns(std::slice::from_ref(column))?;
        for row in &rows {
            let hash = self.hasher.bytes(row.data());
            ids.push(self.number_of(row.data(), hash));
        }
        Ok(())
    }

    /// Appends the number here of each key of `other` to `ids`.
    pub(super) fn intern_from(&mut self, other: &RowKeys, ids: &mut Vec<u32>) {
        for (id, &hash) in (0u32..).zip(&other.hashes) {
            ids.push(self.number_of(other.get(id), hash));
        }
    }

    /// The values of these numbers.
    pub(super) fn column(&self, ids: &[u32]) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let rows = ids.iter().map(|&id| parser.parse(self.get(id)));
        (self.converter.convert_rows(rows)?.pop())
            .ok_or_else(|| Error::internal("a key of one column came back without it"))
    }

    /// Forgets all keys.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.hashes.clear();
        self.index.clear();
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.hashes.capacity() * size_of::<u64>()
            + self.index.size_bytes()
    }

    fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    fn number_of(&mut self, key: &[u8], hash: u64) -> u32 {
        let new = self.ends.len() as u32;
        // The index is out for a moment: the search looks at the rest.
        let mut index = std::mem::take(&mut self.index);
        let same = |id: u32| self.hashes[id as usize] == hash && self.get(id) == key;
        let id = index.find_or_insert(hash, new, same);
        self.index = index;
        if id == new {
            self.bytes.extend_from_slice(key);
            self.ends.push(self.bytes.len());
            self.hashes.push(hash);
        }
        id
    }
}
