//! Which session a row belongs to: the open sessions of every key, joined, merged and expired.
//!
//! ```text
//!  gap 5       0         5        10        15
//!  a           x   x     ├ gap ──)                       session [0, 8)
//!  a                               x    ├ gap …          10 is more than 5 after 3: another session
//!  a                     x                               … until 7 comes and makes one of both
//! ```
//!
//! A row joins the sessions it touches (exactly `gap` included) that the watermark before it leaves open;
//! a session that this watermark has closed takes no more rows, also if it is not out yet. So what is
//! joined does not depend on when watermarks arrive as messages.
//!
//! Invariants: the open sessions of a key are more than a gap apart. Every session has one live entry in
//! the heap, whose end may be too early: it is corrected when it is reached, not at every row.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::time::is_closed;

/// A session with what is kept for it.
#[derive(Debug)]
pub(super) struct Session<T> {
    /// Time of the oldest row.
    pub(super) start: i64,
    /// Time of the newest row.
    pub(super) last: i64,
    /// The number of its key.
    pub(super) partition: u32,
    /// What is kept for it.
    pub(super) payload: T,
    serial: u64,
}

impl<T> Session<T> {
    /// The end of its window.
    pub(super) fn end(&self, gap: i64) -> i64 {
        self.last.saturating_add(gap)
    }

    fn touches(&self, time: i64, gap: i64) -> bool {
        time <= self.end(gap) && time.saturating_add(gap) >= self.start
    }
}

/// Where a row goes.
pub(super) enum Place<T> {
    /// Into no session: it touches none that is open, and its own would be closed.
    Late,
    /// Into a new session: `open` makes it.
    New,
    /// Into the session of that number, which took in the sessions whose payloads these are.
    Joined(u32, Vec<T>),
}

/// The sessions that are not out yet; see the module.
pub(super) struct OpenSessions<T> {
    gap: i64,
    sessions: Vec<Option<Session<T>>>,
    free: Vec<u32>,
    /// By key: the numbers of its sessions.
    of_partition: Vec<OfPartition>,
    expiries: BinaryHeap<Reverse<(i64, u64, u32)>>,
    serial: u64,
    live: usize,
}

/// The sessions of a key, by their newest rows: nearly always one. The open ones are more than a gap apart,
/// and those that a watermark has closed end before all of them: so this is the order of their ends, too.
#[derive(Debug, Default, Clone)]
struct OfPartition {
    first: Option<u32>,
    more: VecDeque<u32>,
}

impl<T> OpenSessions<T> {
    /// No sessions yet.
    pub(super) fn new(gap: i64) -> Self {
        OpenSessions {
            gap,
            sessions: Vec::new(),
            free: Vec::new(),
            of_partition: Vec::new(),
            expiries: BinaryHeap::new(),
            serial: 0,
            live: 0,
        }
    }

    /// Number of sessions that are not out yet.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// The session of that number.
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Session<T>> {
        self.sessions
            .get_mut(number as usize)
            .and_then(Option::as_mut)
    }

    /// Finds the place of a row and moves the bounds of the session that it joins.
    pub(super) fn place(&mut self, partition: u32, time: i64, watermark: i64) -> Place<T> {
        let gap = self.gap;
        if self.of_partition.len() <= partition as usize {
            self.of_partition
                .resize(partition as usize + 1, OfPartition::default());
        }
        let of = &self.of_partition[partition as usize];
        let mut joined = None;
        let mut others = Vec::new();
        // From the newest back: behind one that is closed or too old there is none to join.
        for &number in of.first.iter().chain(&of.more).rev() {
            let Some(session) = self.sessions[number as usize].as_mut() else {
                continue;
            };
            if is_closed(session.end(gap), watermark) || session.end(gap) < time {
                break;
            }
            if !session.touches(time, gap) {
                continue;
            }
            match joined {
                None => joined = Some(number),
                Some(_) => others.push(number),
            }
        }
        let Some(joined) = joined else {
            return match is_closed(time.saturating_add(gap), watermark) {
                true => Place::Late,
                false => Place::New,
            };
        };
        let (mut start, mut last) = (time, time);
        let mut absorbed = Vec::with_capacity(others.len());
        for other in others {
            if let Some(session) = self.remove(other) {
                start = start.min(session.start);
                last = last.max(session.last);
                absorbed.push(session.payload);
            }
        }
        if let Some(session) = self.get_mut(joined) {
            session.start = session.start.min(start);
            session.last = session.last.max(last);
        }
        Place::Joined(joined, absorbed)
    }

    /// Opens a session for a row.
    pub(super) fn open(&mut self, partition: u32, time: i64, payload: T) {
        self.serial += 1;
        let session = Session {
            start: time,
            last: time,
            partition,
            payload,
            serial: self.serial,
        };
        let number = self.free.pop().unwrap_or(self.sessions.len() as u32);
        let expiry = session.end(self.gap);
        self.expiries.push(Reverse((expiry, self.serial, number)));
        match self.sessions.get_mut(number as usize) {
            Some(place) => *place = Some(session),
            None => self.sessions.push(Some(session)),
        }
        self.live += 1;
        if self.of_partition.len() <= partition as usize {
            self.of_partition
                .resize(partition as usize + 1, OfPartition::default());
        }
        let of = &mut self.of_partition[partition as usize];
        let is_older = |other: &u32| {
            let other = self.sessions[*other as usize].as_ref();
            other.is_some_and(|other| other.last <= time)
        };
        match of.first {
            None => of.first = Some(number),
            Some(first) if !is_older(&first) => {
                of.more.push_front(first);
                of.first = Some(number);
            }
            Some(_) => {
                // Nearly always the newest.
                let newer = of
                    .more
                    .iter()
                    .rev()
                    .take_while(|other| !is_older(other))
                    .count();
                of.more.insert(of.more.len() - newer, number);
            }
        }
    }

    /// Takes out the sessions that `watermark` closes, in no order.
    pub(super) fn expire(&mut self, watermark: i64) -> Vec<Session<T>> {
        let mut closed = Vec::new();
        while let Some(&Reverse((expiry, serial, number))) = self.expiries.peek()
            && is_closed(expiry, watermark)
        {
            self.expiries.pop();
            let gap = self.gap;
            let Some(session) = self
                .get_mut(number)
                .filter(|session| session.serial == serial)
            else {
                continue;
            };
            let end = session.end(gap);
            if is_closed(end, watermark) {
                closed.extend(self.remove(number));
            } else {
                self.expiries.push(Reverse((end, serial, number)));
            }
        }
        closed
    }

    /// Renumbers keys: those without a session are gone. Returns the old numbers of the ones that stay, in order.
    pub(super) fn retain_partitions(&mut self) -> Vec<u32> {
        let mut kept = Vec::with_capacity(self.live);
        let old = std::mem::take(&mut self.of_partition);
        for (partition, of) in old.into_iter().enumerate() {
            if of.first.is_none() {
                continue;
            }
            for &number in of.first.iter().chain(&of.more) {
                if let Some(session) = self.get_mut(number) {
                    session.partition = kept.len() as u32;
                }
            }
            kept.push(partition as u32);
            self.of_partition.push(of);
        }
        kept
    }

    /// Bytes of state, without payloads on the heap.
    pub(super) fn size_bytes(&self) -> usize {
        self.sessions.capacity() * size_of::<Option<Session<T>>>()
            + self.of_partition.capacity() * size_of::<OfPartition>()
            + self.expiries.capacity() * size_of::<(i64, u64, u32)>()
    }

    fn remove(&mut self, number: u32) -> Option<Session<T>> {
        let session = self.sessions.get_mut(number as usize)?.take()?;
        self.free.push(number);
        self.live -= 1;
        let of = &mut self.of_partition[session.partition as usize];
        if of.first == Some(number) {
            of.first = of.more.pop_front();
        } else if let Some(place) = of.more.iter().rposition(|&other| other == number) {
            of.more.remove(place);
        }
        Some(session)
    }
}
