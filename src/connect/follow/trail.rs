//! The incarnations that one path has led to and that have not all been read, in their order.
//!
//! ```text
//!   app.log     [ inode 7, being read ] [ inode 9, came with a rotation ] [ inode 12 ]
//!                 │                       next, once 7 has been read to its end and 9 has bytes
//!                 └► leaving: for 5 s more, as its writer may not have noticed yet
//! ```
//!
//! Invariants: an incarnation is given when the one before it has been read to its end; an empty one is not given.

use std::collections::VecDeque;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use super::copies::{Remembered, Verdict};
use super::incarnation::{Incarnation, Progress};
use crate::connect::Compression;

/// For how long a file is read on after another has taken its name.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// For how long a file of a pattern is read on that has no name any more by which it was found.
const NAMELESS: Duration = Duration::from_secs(60);

/// For how long a compressed file that has come must not change before it is taken to be whole.
const SETTLED: Duration = Duration::from_secs(2);

/// How many files that have lost their name are read on at once.
const LEAVING_MAX: usize = 64;

/// What one path has led to.
#[derive(Debug)]
pub(super) struct Trail {
    /// It was found by a pattern: it may disappear for good.
    pub is_match: bool,
    pub queue: VecDeque<Entry>,
    /// Those that others have taken the name of.
    pub leaving: VecDeque<Entry>,
    /// What is wrong with the path, as the user was told.
    pub told: Option<String>,
}

/// An incarnation that is known.
#[derive(Debug)]
pub(super) struct Entry {
    pub incarnation: Arc<Incarnation>,
    /// Somebody reads it, or did.
    pub is_given: bool,
    pub origin: Origin,
    /// It was given as what somebody compressed: whole.
    pub is_compressed: bool,
    pub watch: Option<i32>,
    /// How long it is, and since when.
    quiet: (u64, Duration),
    /// When another has taken its name.
    left: Duration,
}

/// How an incarnation came to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was there at the beginning.
    Initial {
        /// Nobody writes to it any more.
        is_history: bool,
    },
    /// It came later.
    Arrived,
    /// It came again: its beginning was read before.
    Continued,
}

/// What an incarnation is that nobody has read.
pub(super) enum Judgement {
    New {
        /// Somebody compressed it.
        is_compressed: bool,
    },
    /// All of it was read, from this file.
    CopyOf(Arc<str>),
    /// Too little of it is there.
    Unknown,
}

impl Entry {
    /// Of a file that was there at the beginning.
    pub(super) fn initial(incarnation: Incarnation, is_history: bool) -> Self {
        Entry::new(incarnation, Origin::Initial { is_history }, Duration::ZERO)
    }

    /// Of a file that has come.
    pub(super) fn arrived(incarnation: Incarnation, now: Duration) -> Self {
        let origin = match incarnation.is_continued() {
            true => Origin::Continued,
            false => Origin::Arrived,
        };
        Entry::new(incarnation, origin, now)
    }

    fn new(incarnation: Incarnation, origin: Origin, now: Duration) -> Self {
        Entry {
            incarnation: Arc::new(incarnation),
            is_given: false,
            origin,
            is_compressed: false,
            watch: None,
            quiet: (0, now),
            left: now,
        }
    }

    /// True if it was there at the beginning.
    pub(super) fn is_initial(&self) -> bool {
        matches!(self.origin, Origin::Initial { .. })
    }

    fn size(&self) -> u64 {
        self.incarnation
            .metadata()
            .map_or(0, |metadata| metadata.len())
    }

    /// True if it has something to be read that nobody reads yet.
    pub(super) fn has_begun(&self) -> bool {
        self.is_given || self.size() > 0
    }

    /// How long it has not grown.
    fn quiet_for(&mut self, now: Duration) -> Duration {
        let size = self.size();
        if size != self.quiet.0 {
            self.quiet = (size, now);
        }
        now.saturating_sub(self.quiet.1)
    }

    /// True if nobody writes to it any more, so far as can be told.
    fn is_settled(&mut self, now: Duration) -> bool {
        self.quiet_for(now) >= SETTLED
    }

    /// What the first incarnation of a path is; `has_next`: it will not grow. What has come is compared with
    /// `remembered`, if others may hold the same.
    pub(super) fn judge(
        &mut self,
        has_next: bool,
        now: Duration,
        compression: Compression,
        remembered: Option<&Remembered>,
    ) -> Judgement {
        let is_initial = self.is_initial();
        let beginning = self.incarnation.beginning().unwrap_or_default();
        let is_compressed = compression.is_compressed(&beginning, has_next || is_initial);
        let Some(is_compressed) = is_compressed else {
            return Judgement::Unknown;
        };
        if is_compressed && !is_initial && !has_next && !self.is_settled(now) {
            return Judgement::Unknown;
        }
        if let (Some(remembered), Origin::Arrived) = (remembered, self.origin) {
            match remembered.judge(&self.incarnation, compression) {
                Verdict::Unknown if !has_next => return Judgement::Unknown,
                Verdict::CopyOf(original) => return Judgement::CopyOf(original),
                Verdict::New | Verdict::Unknown => {}
            }
        }
        Judgement::New { is_compressed }
    }

    /// True if all that is there has been read and passed on. What has an end is read when that was passed on.
    pub(super) fn is_read(&self) -> bool {
        let incarnation = &self.incarnation;
        let is_at_end = || matches!(incarnation.progress(), Ok(Progress::AtEnd));
        incarnation.is_gone() || (!incarnation.is_leaving() && incarnation.is_dry() && is_at_end())
    }
}

/// What is to be done about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The first of the queue may be given.
    Ready,
    /// Somebody has to read on first.
    Reading,
    /// Nothing, until something happens.
    Nothing,
}

impl Trail {
    pub(super) fn new(is_match: bool) -> Self {
        Trail {
            is_match,
            queue: VecDeque::new(),
            leaving: VecDeque::new(),
            told: None,
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.queue.iter().chain(&self.leaving)
    }

    /// Moves on as far as can be; those that are done with go to `done`.
    pub(super) fn step(&mut self, now: Duration, done: &mut Vec<Entry>) -> Step {
        // What lost its name while it was empty, and was written to after all.
        let late = (self.leaving.iter()).position(|entry| !entry.is_given && entry.has_begun());
        if let Some(entry) = late.and_then(|late| self.leaving.remove(late)) {
            self.queue.push_front(entry);
        }
        while let Some(front) = self.queue.front() {
            let next_has_begun = self.queue.iter().skip(1).any(Entry::has_begun);
            let incarnation = Arc::clone(&front.incarnation);
            if !front.is_given {
                if front.has_begun() {
                    return Step::Ready;
                }
                if !next_has_begun {
                    return Step::Nothing;
                }
                self.retire(now, done);
                continue;
            }
            if incarnation.is_gone() {
                let is_cut = matches!(incarnation.progress(), Ok(Progress::Cut));
                // One that broke is not read again as long as it is the same.
                if !(is_cut || incarnation.is_leaving() || next_has_begun) {
                    return Step::Nothing;
                }
                self.succeed(&incarnation, now, done);
                continue;
            }
            if incarnation.is_cut() || incarnation.is_leaving() {
                return Step::Reading;
            }
            if !next_has_begun {
                return Step::Nothing;
            }
            if !front.is_read() {
                return Step::Reading;
            }
            if !incarnation.ends_with_line() {
                // Its last record is to come before those of the next one.
                incarnation.leave();
                return Step::Reading;
            }
            self.retire(now, done);
        }
        Step::Nothing
    }

    /// The first of the queue has ended: what was written anew into the same file comes next.
    fn succeed(&mut self, incarnation: &Incarnation, now: Duration, done: &mut Vec<Entry>) {
        let Some(mut ended) = self.queue.pop_front() else {
            return;
        };
        if incarnation.is_cut()
            && let Ok(next) = incarnation.next()
        {
            let mut next = Entry::arrived(next, now);
            next.watch = ended.watch.take();
            self.queue.push_front(next);
        }
        done.push(ended);
    }

    /// Another has taken the name of the first of the queue.
    fn retire(&mut self, now: Duration, done: &mut Vec<Entry>) {
        if let Some(mut front) = self.queue.pop_front() {
            front.left = now;
            self.leaving.push_back(front);
        }
        if self.leaving.len() > LEAVING_MAX
            && let Some(oldest) = self.leaving.pop_front()
        {
            oldest.incarnation.leave();
            done.push(oldest);
        }
    }

    /// Ends those that have lost their name and are no longer written to. `is_there`: the path leads to the last
    /// of the queue.
    pub(super) fn tidy(&mut self, is_there: bool, now: Duration, done: &mut Vec<Entry>) {
        let mut left = VecDeque::with_capacity(self.leaving.len());
        for entry in std::mem::take(&mut self.leaving) {
            let incarnation = &entry.incarnation;
            let is_over = now.saturating_sub(entry.left) >= LINGER;
            if incarnation.is_gone() || (is_over && !entry.has_begun()) {
                done.push(entry);
                continue;
            }
            if (is_over && entry.is_read()) || incarnation.is_cut() {
                incarnation.leave();
            }
            left.push_back(entry);
        }
        self.leaving = left;
        let is_match = self.is_match;
        if let (false, Some(last)) = (is_there, self.queue.back_mut()) {
            let quiet = last.quiet_for(now);
            let is_deleted = last
                .incarnation
                .metadata()
                .is_ok_and(|metadata| metadata.nlink() == 0);
            let is_over = (is_deleted && quiet >= LINGER) || (is_match && quiet >= NAMELESS);
            if is_over && last.is_given {
                last.incarnation.leave();
            } else if is_over && !last.has_begun() {
                done.extend(self.queue.pop_back());
            }
        }
    }
}
