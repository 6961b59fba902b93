//! From a hash to a number: the table behind all keys that no array leads to.
//!
//! ```text
//!  slots   [ – | 7f3a·2 | – | 10c4·0 | 9b02·1 | – | … ]      32 bits of the hash · the number
//!                                        └ collided with 0, so it stands one further
//! ```
//!
//! Invariants: at most half of the slots are taken; the number of slots is a power of two. A slot holds
//! enough of the hash to move when the table grows, so keys are hashed once. Keys themselves are elsewhere.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// Numbers by the hashes of their keys; see the module.
#[derive(Clone, Default)]
pub(super) struct Index {
    slots: Vec<u64>,
    taken: usize,
}

const FREE: u64 = 0;
const FEWEST: usize = 16;

impl Index {
    /// The number of the key with this hash for which `same` holds; `new` if there is none, which is then its
    /// number.
    #[inline]
    pub(super) fn find_or_insert(
        &mut self,
        hash: u64,
        new: u32,
        same: impl Fn(u32) -> bool,
    ) -> u32 {
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == FREE {
                self.slots[at] = entry(hash, new);
                self.taken += 1;
                return new;
            }
            if (slot ^ hash) >> 32 == 0 {
                let number = (slot as u32) - 1;
                if same(number) {
                    return number;
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Forgets all keys and keeps the room.
    pub(super) fn clear(&mut self) {
        self.slots.fill(FREE);
        self.taken = 0;
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    #[cold]
    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(FEWEST);
        let old = std::mem::replace(&mut self.slots, vec![FREE; slots]);
        for slot in old.into_iter().filter(|slot| *slot != FREE) {
            let mut at = (slot >> 32) as usize & (slots - 1);
            while self.slots[at] != FREE {
                at = (at + 1) & (slots - 1);
            }
            self.slots[at] = slot;
        }
    }
}

/// The upper half of the hash, and the number plus 1: never [`FREE`].
fn entry(hash: u64, number: u32) -> u64 {
    (hash >> 32) << 32 | (u64::from(number) + 1)
}

/// Hashes keys alike in the whole process, and differently in the next: what one table has hashed another
/// can look up, and no input can aim at collisions.
#[derive(Clone)]
pub(super) struct KeyHasher(RandomState);

impl Default for KeyHasher {
    fn default() -> Self {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        KeyHasher(SEED.clone())
    }
}

impl KeyHasher {
    /// The hash of a number.
    #[inline]
    pub(super) fn integer(&self, value: u64) -> u64 {
        let mut state = self.0.build_hasher();
        state.write_u64(value);
        state.finish()
    }

    /// The hash of a wide number.
    #[inline]
    pub(super) fn wide(&self, value: u128) -> u64 {
        let mut state = self.0.build_hasher();
        state.write_u128(value);
        state.finish()
    }

    /// The hash of bytes.
    #[inline]
    pub(super) fn bytes(&self, bytes: &[u8]) -> u64 {
        let mut state = self.0.build_hasher();
        state.write(bytes);
        state.finish()
    }
}
