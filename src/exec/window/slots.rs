//! Numbered places for the aggregate states of windows that come and go, and what a window has in them.
//!
//! ```text
//!  session of user a    One    -> slot 0
//!  session of user b    Many   host web1 -> slot 2, host web2 -> slot 1      GROUP BY user, host
//!  free                 slot 3
//! ```
//!
//! Invariants: a slot belongs to one group of one window; a free slot is empty.

use arrow::array::UInt32Array;
use hashbrown::HashMap;

use crate::data::Batch;
use crate::error::Result;
use crate::exec::aggregate::AggregateSpec;
use crate::exec::grouped::{Accumulators, FirstRow};

/// Aggregate states by slot.
#[derive(Clone)]
pub(super) struct Slots {
    pub(super) accumulators: Accumulators,
    free: Vec<u32>,
    used: usize,
    room: usize,
}

impl Slots {
    /// No slots yet.
    pub(super) fn new(specs: &[AggregateSpec]) -> Result<Self> {
        Ok(Slots {
            accumulators: Accumulators::new(specs)?,
            free: Vec::new(),
            used: 0,
            room: 0,
        })
    }

    /// How many slots have a group.
    pub(super) fn in_use(&self) -> usize {
        self.used - self.free.len()
    }

    /// An empty slot.
    pub(super) fn take(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        if self.used == self.room {
            self.room = (self.room * 2).max(64);
            self.accumulators.resize(self.room);
        }
        self.used += 1;
        (self.used - 1) as u32
    }

    /// Empties slots for the next groups.
    pub(super) fn give_back(&mut self, slots: &[u32]) {
        self.accumulators.reset(slots);
        // They are used again in the order in which they came free, which is about that in which they were
        // taken: groups that come one after the other are neighbours.
        self.free.extend(slots.iter().rev());
    }

    /// Adds the rows of that number to the slots named for each.
    pub(super) fn update(
        &mut self,
        specs: &[AggregateSpec],
        batch: &Batch,
        rows: &[u32],
        slots: &[u32],
    ) -> Result<()> {
        let all = rows.len() == batch.num_rows()
            && rows.iter().enumerate().all(|(at, &row)| at == row as usize);
        let chosen = (!all).then(|| UInt32Array::from(rows.to_vec()));
        (self.accumulators).update(specs, batch, chosen.as_ref(), slots)
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.accumulators.size_bytes() + self.free.capacity() * size_of::<u32>()
    }
}

/// A group of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// The number of its further key.
    pub(super) key: u32,
    /// Where its aggregates are.
    pub(super) slot: u32,
    /// Its first counted row.
    pub(super) first: FirstRow,
}

/// The groups of a window; nearly always one.
#[derive(Debug, Clone)]
pub(super) enum Members {
    /// The only group.
    One(Member),
    /// Several groups, and where the group of a key is among them.
    Many(Box<(Vec<Member>, HashMap<u32, u32>)>),
}

impl Members {
    /// All groups.
    pub(super) fn as_slice(&self) -> &[Member] {
        match self {
            Members::One(only) => std::slice::from_ref(only),
            Members::Many(many) => &many.0,
        }
    }

    /// The slot of the group of `key`, taken from `slots` if the group is new, for a row that stands at `row`.
    pub(super) fn slot_of(&mut self, key: u32, row: FirstRow, slots: &mut Slots) -> u32 {
        if let Some(member) = self.find(key) {
            member.first = member.first.min(row);
            return member.slot;
        }
        let member = Member {
            key,
            slot: slots.take(),
            first: row,
        };
        self.push(member);
        member.slot
    }

    /// Adds the groups of `other`, whose slots are given back where both have the key.
    pub(super) fn absorb(&mut self, other: &Members, slots: &mut Slots) -> Result<()> {
        for &member in other.as_slice() {
            match self.find(member.key) {
                Some(own) => {
                    own.first = own.first.min(member.first);
                    slots.accumulators.merge_group(member.slot, own.slot)?;
                    slots.give_back(&[member.slot]);
                }
                None => self.push(member),
            }
        }
        Ok(())
    }

    /// Gives the keys of all groups the numbers that `new` says.
    pub(super) fn renumber(&mut self, mut new: impl FnMut(u32) -> u32) {
        match self {
            Members::One(only) => only.key = new(only.key),
            Members::Many(many) => {
                let (members, index) = many.as_mut();
                index.clear();
                for (at, member) in members.iter_mut().enumerate() {
                    member.key = new(member.key);
                    index.insert(member.key, at as u32);
                }
            }
        }
    }

    fn find(&mut self, key: u32) -> Option<&mut Member> {
        match self {
            Members::One(only) => (only.key == key).then_some(only),
            Members::Many(many) => {
                let (members, index) = many.as_mut();
                index.get(&key).and_then(|&at| members.get_mut(at as usize))
            }
        }
    }

    fn push(&mut self, member: Member) {
        if let Members::One(only) = *self {
            *self = Members::Many(Box::new((vec![only], HashMap::from([(only.key, 0)]))));
        }
        if let Members::Many(many) = self {
            many.1.insert(member.key, many.0.len() as u32);
            many.0.push(member);
        }
    }
}
