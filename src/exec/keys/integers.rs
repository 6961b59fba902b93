//! Keys of one column of numbers: by an array while they lie close together, by hash when they do not.
//!
//! ```text
//!  status 200, 404, 200        base 192   array [ … 200: 0 … 404: 1 … ]
//!  bytes 12, 4711, 80000       base –     index by hash
//! ```
//!
//! Invariants: the array, while it is in use, leads to all keys; afterwards the index does. NULL is in neither.

use super::index::{Index, KeyHasher};
use super::words::Words;

/// Distinct numbers, numbered from 0; see the module.
#[derive(Clone, Default)]
pub(super) struct IntegerKeys {
    values: Vec<i64>,
    null: Option<u32>,
    /// By value - `base`: the number plus 1, or 0.
    near: Vec<u32>,
    base: i64,
    /// In use once the values lie too far apart for `near`.
    far: Option<Index>,
    hasher: KeyHasher,
}

/// The widest range of values for which an array is kept: 16 KiB.
const WIDEST: usize = 4096;
/// Ranges grow by whole steps, so that not every new value moves the array.
const STEP: i64 = 64;

impl IntegerKeys {
    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The keys, and which of them is NULL.
    pub(super) fn values(&self) -> (&[i64], Option<u32>) {
        (&self.values, self.null)
    }

    /// Appends the number of each value to `ids`.
    pub(super) fn intern(&mut self, words: &Words, ids: &mut Vec<u32>) {
        let values = &words.values[..];
        match &words.nulls {
            Some(nulls) => {
                for (&value, valid) in values.iter().zip(nulls) {
                    let id = match valid {
                        true => self.number_of(value),
                        false => self.number_of_null(),
                    };
                    ids.push(id);
                }
            }
            None if self.far.is_none() => ids.extend(values.iter().map(|&v| self.number_of(v))),
            None => {
                // Logs repeat themselves: many rows have the key of the row before.
                let mut last: Option<(i64, u32)> = None;
                ids.extend(values.iter().map(|&value| match last {
                    Some((known, id)) if known == value => id,
                    _ => {
                        let id = self.number_of_far(value);
                        last = Some((value, id));
                        id
                    }
                }));
            }
        }
    }

    /// Appends the number here of each key of `other` to `ids`.
    pub(super) fn intern_from(&mut self, other: &IntegerKeys, ids: &mut Vec<u32>) {
        ids.extend(
            (0u32..)
                .zip(&other.values)
                .map(|(id, &value)| match other.null == Some(id) {
                    true => self.number_of_null(),
                    false => self.number_of(value),
                }),
        );
    }

    /// Forgets all keys.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.null = None;
        self.near.clear();
        self.far = None;
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.values.capacity() * size_of::<i64>()
            + self.near.capacity() * size_of::<u32>()
            + self.far.as_ref().map_or(0, Index::size_bytes)
    }

    #[inline]
    fn number_of(&mut self, value: i64) -> u32 {
        // Out of range on either side is beyond the end of the array, which is empty once it is not used.
        let at = value.wrapping_sub(self.base) as usize;
        match self.near.get(at) {
            Some(&known) if known != 0 => known - 1,
            _ => self.number_of_other(value),
        }
    }

    fn number_of_null(&mut self) -> u32 {
        *self.null.get_or_insert_with(|| {
            self.values.push(0);
            (self.values.len() - 1) as u32
        })
    }

    /// The number of a value that the array does not lead to.
    #[inline(never)]
    fn number_of_other(&mut self, value: i64) -> u32 {
        if self.far.is_none() && !self.reaches(value) {
            self.spread();
        }
        if self.far.is_some() {
            return self.number_of_far(value);
        }
        let id = self.values.len() as u32;
        self.values.push(value);
        let at = value.wrapping_sub(self.base) as usize;
        if let Some(place) = self.near.get_mut(at) {
            *place = id + 1;
        }
        id
    }

    fn number_of_far(&mut self, value: i64) -> u32 {
        let new = self.values.len() as u32;
        let hash = self.hasher.integer(value.cast_unsigned());
        let (values, null) = (&self.values, self.null);
        let same = |id: u32| values[id as usize] == value && null != Some(id);
        let far = self.far.get_or_insert_default();
        let id = far.find_or_insert(hash, new, same);
        if id == new {
            self.values.push(value);
        }
        id
    }

    /// Makes the array reach a value; false if it would be too wide.
    fn reaches(&mut self, value: i64) -> bool {
        let (low, high) = match self.near.len() as i64 {
            0 => (value, value),
            width => (self.base.min(value), (self.base + (width - 1)).max(value)),
        };
        let base = low.div_euclid(STEP).saturating_mul(STEP);
        let Some(width) = (high.checked_sub(base))
            .filter(|&width| width < WIDEST as i64)
            .map(|width| (width + 1).cast_unsigned() as usize)
            .map(|width| width.next_multiple_of(STEP as usize))
        else {
            return false;
        };
        if base == self.base && width == self.near.len() {
            return true;
        }
        let mut near = vec![0; width];
        if !self.near.is_empty() {
            let shift = (self.base - base) as usize;
            near[shift..shift + self.near.len()].copy_from_slice(&self.near);
        }
        (self.near, self.base) = (near, base);
        true
    }

    /// Gives the array up for the index.
    fn spread(&mut self) {
        let mut far = Index::default();
        for (id, &value) in (0u32..).zip(&self.values) {
            if self.null != Some(id) {
                far.find_or_insert(self.hasher.integer(value.cast_unsigned()), id, |_| false);
            }
        }
        self.near = Vec::new();
        self.far = Some(far);
    }
}
