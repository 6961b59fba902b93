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
//! Invariants: the open sessions of a key are more than a gap apart; those that a watermark has closed end
//! before all of them. The number of a session is free again when its entry in `expiries` has come out.

use super::expiries::Expiries;
use crate::error::Result;
use crate::exec::keys::GroupKeys;
use crate::time::is_closed;

/// A session with what is kept for it.
#[derive(Debug, Clone)]
pub(super) struct Session<T> {
    /// Time of the oldest row.
    pub(super) start: i64,
    /// Time of the newest row.
    pub(super) last: i64,
    /// The number of its key.
    pub(super) partition: u32,
    /// The session of the key whose newest row is the next newer, [`NONE`] for the newest.
    newer: u32,
    /// The one whose newest row is the next older.
    older: u32,
    /// What is kept for it.
    pub(super) payload: T,
}

/// No session.
const NONE: u32 = u32::MAX;

impl<T> Session<T> {
    /// The end of its window.
    pub(super) fn end(&self, gap: i64) -> i64 {
        self.last.saturating_add(gap)
    }

    fn touches(&self, time: i64, gap: i64) -> bool {
        time <= self.end(gap) && time.saturating_add(gap) >= self.start
    }
}

/// Whether it pays to forget those of `known` keys that are not among the `used` ones.
pub(super) fn are_mostly_gone(known: usize, used: usize) -> bool {
    // Tests forget all the time, since that must not show.
    let (few, times) = if cfg!(test) { (1, 1) } else { (1 << 14, 4) };
    known >= few && known >= used.saturating_mul(times)
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
#[derive(Clone)]
pub(super) struct OpenSessions<T> {
    gap: i64,
    sessions: Vec<Option<Session<T>>>,
    free: Vec<u32>,
    /// By key: its newest session, which is nearly always its only one.
    newest: Vec<u32>,
    expiries: Expiries,
    live: usize,
}

impl<T> OpenSessions<T> {
    /// No sessions yet; watermarks will stay behind the newest row by `delay`.
    pub(super) fn new(gap: i64, delay: i64) -> Self {
        OpenSessions {
            gap,
            sessions: Vec::new(),
            free: Vec::new(),
            newest: Vec::new(),
            expiries: Expiries::new(gap.saturating_add(delay)),
            live: 0,
        }
    }

    /// Number of sessions that are not out yet.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// The session of that number.
    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Session<T>> {
        self.sessions
            .get_mut(number as usize)
            .and_then(Option::as_mut)
    }

    /// Finds the place of a row and moves the bounds of the session that it joins.
    #[inline]
    pub(super) fn place(&mut self, partition: u32, time: i64, watermark: i64) -> Place<T> {
        let gap = self.gap;
        let mut joined = None;
        let mut others = Vec::new();
        // From the newest back: behind one that is closed or too old there is none to join.
        let mut next = self.newest.get(partition as usize).copied().unwrap_or(NONE);
        while let Some(session) = self.get_mut(next) {
            let number = std::mem::replace(&mut next, session.older);
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
    #[inline]
    pub(super) fn open(&mut self, partition: u32, time: i64, payload: T) {
        let at = partition as usize;
        if self.newest.len() <= at {
            self.newest.resize(at + 1, NONE);
        }
        // Nearly always it is the newest.
        let (mut newer, mut older) = (NONE, self.newest[at]);
        while let Some(session) = self.get_mut(older)
            && session.last > time
        {
            newer = std::mem::replace(&mut older, session.older);
        }
        let session = Session {
            start: time,
            last: time,
            partition,
            newer,
            older,
            payload,
        };
        let end = session.end(self.gap);
        let number = match self.free.pop() {
            Some(number) => {
                self.sessions[number as usize] = Some(session);
                number
            }
            None => {
                self.sessions.push(Some(session));
                (self.sessions.len() - 1) as u32
            }
        };
        self.link(partition, newer, older, (number, number));
        self.expiries.push(end, number);
        self.live += 1;
    }

    /// Takes out the sessions that `watermark` closes, mostly in the order of their ends.
    pub(super) fn expire(&mut self, watermark: i64, mut closed: impl FnMut(Session<T>)) {
        let gap = self.gap;
        let known_free = self.free.len();
        // Out for a moment: what it finds is taken from the rest.
        let mut expiries = std::mem::take(&mut self.expiries);
        expiries.pass(watermark, |number| {
            let end = self.get_mut(number).map(|session| session.end(gap));
            if end.is_some_and(|end| !is_closed(end, watermark)) {
                return end;
            }
            if let Some(session) = self.remove(number) {
                closed(session);
            }
            self.free.push(number);
            None
        });
        self.expiries = expiries;
        // The first to end is the first to be used again: sessions that open one after the other are neighbours.
        self.free[known_free..].reverse();
    }

    /// Forgets the keys that have no session, once they are most of them.
    pub(super) fn forget_keys(&mut self, keys: &mut GroupKeys) -> Result<()> {
        if are_mostly_gone(keys.len(), self.live) {
            let kept = self.retain_partitions();
            keys.retain(&kept)?;
        }
        Ok(())
    }

    /// The sessions that are not out yet, in no order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session<T>> {
        self.sessions.iter_mut().flatten()
    }

    /// Renumbers keys: those without a session are gone. Returns the old numbers of the ones that stay, in order.
    fn retain_partitions(&mut self) -> Vec<u32> {
        let mut kept = Vec::with_capacity(self.live);
        let old = std::mem::take(&mut self.newest);
        for (partition, newest) in old.into_iter().enumerate() {
            if newest == NONE {
                continue;
            }
            let mut next = newest;
            while let Some(session) = self.get_mut(next) {
                session.partition = kept.len() as u32;
                next = session.older;
            }
            kept.push(partition as u32);
            self.newest.push(newest);
        }
        kept
    }

    /// Bytes of state, without payloads on the heap.
    pub(super) fn size_bytes(&self) -> usize {
        self.sessions.capacity() * size_of::<Option<Session<T>>>()
            + (self.newest.capacity() + self.free.capacity()) * size_of::<u32>()
            + self.expiries.size_bytes()
    }

    /// Takes a session out of its place and out of the row of its key; its number is not free yet.
    #[inline]
    fn remove(&mut self, number: u32) -> Option<Session<T>> {
        let session = self.sessions.get_mut(number as usize)?.take()?;
        self.live -= 1;
        let (newer, older) = (session.newer, session.older);
        self.link(session.partition, newer, older, (older, newer));
        Some(session)
    }

    /// Makes the neighbours of a place point to these: the newer one to the first, the older one to the second.
    #[inline]
    fn link(&mut self, partition: u32, newer: u32, older: u32, (below, above): (u32, u32)) {
        match self.get_mut(newer) {
            Some(session) => session.older = below,
            None => self.newest[partition as usize] = below,
        }
        if let Some(session) = self.get_mut(older) {
            session.newer = above;
        }
    }
}
