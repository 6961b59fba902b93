//! Finds what is there when following begins: orders it, and leaves out what it holds twice.
//!
//! ```text
//!   app.log.2.gz   app.log.1    app.log.1.gz   app.log
//!   └ read first   └ next       └ left out     └ last: open from the start, and followed
//!     opened when    likewise     as it unpacks to what app.log.1 begins with
//!     its turn comes
//! ```
//!
//! Invariants: of a log and its copies, packed or not, the log is read; what cannot be told to be a copy is read. Of
//! what nobody writes to any more, one file is open at a time.

use std::collections::HashMap;
use std::collections::HashSet;
use std::io;

use super::copies::{beginning_of, is_copy, is_enough};
use super::incarnation::{Incarnation, Inode, Known, Stamp, stamp};
use super::opening::{opened, opened_as, refused};
use super::trail::{Entry, Trail};
use super::{Begin, Follow, names, not_there};
use crate::connect::{Notice, expand, is_pattern};
use crate::error::Result;

/// So much of each is compared before any is read: more than a header of many columns.
const BEGINNING_BYTES: usize = 4_096;

/// A rotated log that is older than the newest of its kind by so much is written no more.
const QUIET_SECONDS: i64 = 60;

/// And one that so many are newer than, whatever became of the times of files when they were copied.
const MOST_NEWER: usize = 8;

/// A record is no newer than the last change of its file, whatever zone it is written in.
const LONGEST_DAY_SECONDS: i64 = 26 * 3_600;

/// A file that was there at the beginning and has not been read yet.
#[derive(Debug)]
pub(super) struct Found {
    pub path: String,
    pub inode: Inode,
    stamp: Stamp,
    /// Its first bytes, without their compression.
    beginning: Vec<u8>,
    is_compressed: bool,
    /// Nobody writes to it any more: it is opened when its turn comes.
    is_history: bool,
    /// It has not been opened.
    pub is_waiting: bool,
}

impl Found {
    /// When it was changed last.
    fn written(&self) -> (i64, i64) {
        (self.stamp.1, self.stamp.2)
    }

    fn length(&self) -> u64 {
        self.stamp.0
    }

    /// What of two files that hold the same is the log, and what its copy: the greater.
    fn copy_rank(&self) -> (bool, bool, usize, &str) {
        let is_rotated = names::age(&self.path) != names::Age::Newest;
        let is_named_copy = names::copied_from(&self.path).is_some();
        (is_named_copy, is_rotated, self.path.len(), &self.path)
    }

    /// True if it may be a copy of `plain`, by what is known of both without reading on.
    fn may_be_copy_of(&self, plain: &Found) -> bool {
        let is_shorter = self.is_compressed
            || self.length() < plain.length()
            || (self.length() == plain.length() && self.copy_rank() > plain.copy_rank());
        is_shorter
            && is_enough(&self.path, &plain.path, self.beginning.len() as u64)
            && plain.beginning.starts_with(&self.beginning)
    }
}

impl Follow {
    /// Finds what is there, and opens what is followed.
    pub(super) fn find_initial(&mut self) -> Result<()> {
        let mut found = self.look_around()?;
        for name in &self.names {
            if is_pattern(name) && !expand(name).is_ok_and(|paths| !paths.is_empty()) {
                let text = format!("waiting for `{name}`: no file matches yet");
                self.notices.push_back(Notice::warning(text));
            }
        }
        sort_oldest_first(&mut found);
        find_history(&mut found);
        if self.begin != Begin::End {
            self.leave_out_copies(&mut found);
        }
        let mut unwanted = 0;
        for mut one in found {
            if one.is_history && (one.length() == 0 || self.is_unwanted(&one)) {
                unwanted += usize::from(one.length() > 0);
                self.leave_out(&one);
                continue;
            }
            one.is_waiting = one.is_history;
            if !one.is_waiting {
                let opened = opened(&one.path);
                let (incarnation, _) = opened.map_err(|error| refused(&one.path, &error))?;
                let incarnation = match self.begin {
                    Begin::Start | Begin::Since(_) => Ok(incarnation),
                    Begin::End => incarnation.without_old(),
                };
                let incarnation = incarnation.map_err(|error| refused(&one.path, &error))?;
                one.inode = incarnation.inode;
                self.enter(&one, incarnation);
            }
            self.initial.push_back(one);
        }
        if let (Begin::Since(_), 1..) = (self.begin, unwanted) {
            let text = format!("rotated files that are older than --from and not read: {unwanted}");
            self.notices.push_back(Notice::remark(text));
        }
        Ok(())
    }

    /// What is at the paths now, each file once.
    fn look_around(&mut self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut known = HashSet::new();
        for (path, is_match) in self.paths()? {
            let trail = self.trails.entry(path.clone());
            let trail = trail.or_insert(Trail::new(is_match));
            match opened(&path) {
                Ok((incarnation, _)) if !known.insert(incarnation.inode) => {}
                Ok((incarnation, metadata)) => {
                    let beginning = incarnation.beginning().unwrap_or_default();
                    let is_compressed = self.compression.is_compressed(&beginning, true);
                    found.push(Found {
                        path,
                        inode: incarnation.inode,
                        stamp: stamp(&metadata),
                        is_compressed: is_compressed == Some(true),
                        beginning: beginning_of(&incarnation, self.compression, BEGINNING_BYTES),
                        is_history: false,
                        is_waiting: false,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    trail.told = Some(String::new());
                    self.notices.push_back(Notice::warning(not_there(&path)));
                }
                // The others of a pattern can be read.
                Err(error) if is_match => self.tell_missing(&path, &error),
                Err(error) => return Err(refused(&path, &error)),
            }
        }
        Ok(found)
    }

    /// True if nothing in it is wanted.
    fn is_unwanted(&self, one: &Found) -> bool {
        match self.begin {
            Begin::Start => false,
            Begin::End => true,
            Begin::Since(since) => {
                one.written().0.saturating_add(LONGEST_DAY_SECONDS) < since.div_euclid(1_000_000)
            }
        }
    }

    /// Leaves out what is there as copies of others: `gzip -k` and `cp` keep both.
    fn leave_out_copies(&mut self, found: &mut Vec<Found>) {
        let mut logs: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, one) in found.iter().enumerate() {
            logs.entry(names::stem(&one.path)).or_default().push(number);
        }
        let mut copies: HashMap<usize, String> = HashMap::new();
        for alike in logs.values() {
            for number in alike {
                let candidate = &found[*number];
                let others = alike.iter().map(|other| &found[*other]);
                let mut originals = others.filter(|plain| {
                    !plain.is_compressed
                        && plain.inode != candidate.inode
                        && candidate.may_be_copy_of(plain)
                });
                let original =
                    originals.find(|plain| is_copy(&candidate.path, &plain.path, self.compression));
                if let Some(original) = original {
                    copies.insert(*number, original.path.clone());
                }
            }
        }
        let mut number = 0;
        found.retain(|one| {
            let copied_from = copies.get(&number);
            number += 1;
            let Some(original) = copied_from else {
                return true;
            };
            let text = format!(
                "`{}` is left out: it holds what `{original}` begins with",
                one.path
            );
            // Whoever packs logs expects that.
            self.notices.push_back(match one.is_compressed {
                true => Notice::remark(text),
                false => Notice::warning(text),
            });
            self.leave_out(one);
            false
        });
    }

    /// Takes a file for read as it is.
    fn leave_out(&mut self, one: &Found) {
        let known = Known::unread(&one.path, one.inode, one.length());
        self.done
            .add(one.inode, one.stamp, known, one.is_compressed);
    }

    fn enter(&mut self, found: &Found, incarnation: Incarnation) {
        let mut entry = Entry::initial(incarnation, found.is_history);
        entry.watch = (!found.is_history)
            .then(|| self.watch.file(&found.path))
            .flatten();
        if let Some(trail) = self.trails.get_mut(&found.path) {
            trail.queue.push_front(entry);
        }
    }

    /// Opens the first of those that were there at the beginning, if its turn has come only now.
    pub(super) fn open_first(&mut self) {
        let Some(mut first) = self.initial.pop_front() else {
            return;
        };
        if std::mem::take(&mut first.is_waiting) {
            match opened_as(&first.path, first.inode) {
                Some(incarnation) => self.enter(&first, incarnation),
                None => {
                    let text = format!(
                        "`{}` was there at the start and is gone: it is read only if it comes under another name",
                        first.path
                    );
                    self.notices.push_back(Notice::warning(text));
                }
            }
        }
        self.initial.push_front(first);
    }
}

fn sort_oldest_first(found: &mut [Found]) {
    let there = found.iter().map(|one| (one.path.clone(), one.written()));
    let mut there: Vec<(String, (i64, i64))> = there.collect();
    names::sort_oldest_first(&mut there);
    let places = there.into_iter().enumerate();
    let places: HashMap<String, usize> = places.map(|(place, (path, _))| (path, place)).collect();
    found.sort_by_key(|one| places.get(&one.path).copied());
}

/// Finds those that are written no more: compressed ones, and rotated ones that are older than the newest of their
/// log, or behind many.
fn find_history(found: &mut [Found]) {
    let mut logs: HashMap<String, (usize, i64)> = HashMap::new();
    for one in found.iter().filter(|one| !one.is_compressed) {
        let log = logs.entry(names::stem(&one.path)).or_insert((0, i64::MIN));
        *log = (log.0 + 1, log.1.max(one.written().0));
    }
    for one in found {
        let log = logs.get_mut(&names::stem(&one.path));
        let is_old = log.is_some_and(|(newer, written)| {
            *newer = newer.saturating_sub(usize::from(!one.is_compressed));
            let is_quiet = *written - one.written().0 >= QUIET_SECONDS;
            *newer > 0 && (is_quiet || *newer > MOST_NEWER)
        });
        let is_rotated = names::age(&one.path) != names::Age::Newest;
        one.is_history = one.is_compressed || (is_rotated && is_old);
    }
}
