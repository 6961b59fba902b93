//! Keys of several columns, two at a time: pairs of the numbers that the parts have.
//!
//! ```text
//!  host web1 -> 0, web2 -> 1     status 200 -> 0, 500 -> 1
//!  rows     (0, 0) (0, 1) (0, 0) (1, 0)
//!  numbers    0      1      0      2
//! ```
//!
//! Invariants: the array, while it is in use, has a place for every pair of known numbers and leads to all
//! pairs; afterwards the index does.

use super::index::{Index, KeyHasher};

/// Distinct pairs, numbered from 0; see the module.
#[derive(Clone, Default)]
pub(super) struct PairKeys {
    pairs: Vec<(u32, u32)>,
    /// By `left << shift | right`: the number plus 1, or 0.
    near: Vec<u32>,
    shift: u32,
    /// In use once the pairs are too many for `near`.
    far: Option<Index>,
    hasher: KeyHasher,
}

/// The most places for which an array is kept: 64 KiB.
const MOST: usize = 16_384;

impl PairKeys {
    /// Number of pairs.
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Both parts of the pair of that number.
    pub(super) fn get(&self, id: u32) -> (u32, u32) {
        self.pairs[id as usize]
    }

    /// All pairs.
    pub(super) fn all(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// Appends the number of each pair to `ids`; the parts are less than `known`.
    pub(super) fn intern(
        &mut self,
        left: &[u32],
        right: &[u32],
        known: (usize, usize),
        ids: &mut Vec<u32>,
    ) {
        self.make_room(known);
        let rows = left.iter().zip(right);
        if self.far.is_none() {
            let shift = self.shift;
            ids.extend(rows.map(|(&left, &right)| {
                let place = &mut self.near[((left as usize) << shift) | right as usize];
                if *place == 0 {
                    self.pairs.push((left, right));
                    *place = self.pairs.len() as u32;
                }
                *place - 1
            }));
        } else {
            ids.extend(rows.map(|(&left, &right)| self.number_of_far(left, right)));
        }
    }

    /// Forgets all pairs.
    pub(super) fn clear(&mut self) {
        self.pairs.clear();
        self.near.clear();
        self.shift = 0;
        self.far = None;
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.pairs.capacity() * size_of::<(u32, u32)>()
            + self.near.capacity() * size_of::<u32>()
            + self.far.as_ref().map_or(0, Index::size_bytes)
    }

    /// Makes the array hold pairs of known numbers, or gives it up for the index.
    fn make_room(&mut self, (left, right): (usize, usize)) {
        if self.far.is_some() {
            return;
        }
        let shift = self.shift.max(right.next_power_of_two().ilog2());
        let places = left.next_power_of_two() << shift;
        if places > MOST {
            let mut far = Index::default();
            for (id, &(left, right)) in (0u32..).zip(&self.pairs) {
                far.find_or_insert(self.hash(left, right), id, |_| false);
            }
            self.near = Vec::new();
            self.far = Some(far);
        } else if shift != self.shift {
            self.near.clear();
            self.near.resize(places, 0);
            for (number, &(left, right)) in (1u32..).zip(&self.pairs) {
                self.near[((left as usize) << shift) | right as usize] = number;
            }
            self.shift = shift;
        } else if places > self.near.len() {
            self.near.resize(places, 0);
        }
    }

    fn number_of_far(&mut self, left: u32, right: u32) -> u32 {
        let new = self.pairs.len() as u32;
        let hash = self.hash(left, right);
        let pairs = &self.pairs;
        let same = |id: u32| pairs[id as usize] == (left, right);
        let id = (self.far.get_or_insert_default()).find_or_insert(hash, new, same);
        if id == new {
            self.pairs.push((left, right));
        }
        id
    }

    fn hash(&self, left: u32, right: u32) -> u64 {
        self.hasher
            .integer(u64::from(left) << 32 | u64::from(right))
    }
}
