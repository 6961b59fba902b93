//! Files that are done with, so that none is read again under another name.
//!
//! ```text
//!   inode 7   1,204 bytes, written 12:07      app.log.1 leads to it: unchanged, left out
//!   inode 8   1,204 bytes, written 12:07      written to after all: read from there on
//!   inode 9     310 bytes, compressed         grew after it was read: what whoever packs it adds
//! ```
//!
//! Invariant: a file that a name leads to is not forgotten.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;

use super::Follow;
use super::incarnation::{Incarnation, Inode, Known, Progress, Stamp, inode, stamp};
use super::trail::Entry;

/// What the files looked like when they were done with; see the module.
#[derive(Debug, Default)]
pub(super) struct Done {
    files: HashMap<Inode, Finished>,
    /// How many there may be before it is looked which are gone, if that is more than [`FEW`].
    most: usize,
}

#[derive(Debug)]
struct Finished {
    stamp: Stamp,
    /// How far it was read.
    known: Known,
    is_compressed: bool,
}

const FEW: usize = 65_536;

impl Done {
    /// Adds a file that looks like this.
    pub(super) fn add(&mut self, file: Inode, stamp: Stamp, known: Known, is_compressed: bool) {
        let finished = Finished {
            stamp,
            known,
            is_compressed,
        };
        self.files.insert(file, finished);
    }

    /// How far a file was read that is among them.
    pub(super) fn known(&self, file: &Inode) -> Option<&Known> {
        let done = self.files.get(file).filter(|done| !done.is_compressed);
        done.map(|done| &done.known)
    }

    /// A file among them was touched, and has nothing new.
    pub(super) fn touch(&mut self, metadata: &Metadata) {
        if let Some(done) = self.files.get_mut(&inode(metadata)) {
            done.stamp = stamp(metadata);
        }
    }

    /// True if this file is among them and has nothing new.
    pub(super) fn holds(&self, metadata: &Metadata) -> bool {
        self.files.get(&inode(metadata)).is_some_and(|done| {
            let has_grown = done.is_compressed && metadata.len() >= done.stamp.0;
            has_grown || done.stamp == stamp(metadata)
        })
    }

    /// True if it is time to forget those that are gone.
    pub(super) fn is_full(&self) -> bool {
        self.files.len() >= self.most.max(FEW)
    }

    /// Forgets all but these.
    pub(super) fn retain(&mut self, there: &HashSet<Inode>) {
        self.files.retain(|file, _| there.contains(file));
        self.most = self.files.len() * 2;
    }
}

impl Follow {
    /// What has been read to its end is not read again.
    pub(super) fn forget(&mut self, done: Vec<Entry>) {
        for entry in done {
            if let Some(watch) = entry.watch {
                self.watch.forget(watch);
            }
            if self.done.is_full() {
                self.forget_gone();
            }
            if !entry.is_compressed {
                let now = self.looked.unwrap_or_default();
                self.leftovers.add(&entry.incarnation, now);
            }
            if let Ok(stamp) = entry.incarnation.read_stamp() {
                let known = entry.incarnation.known();
                let inode = entry.incarnation.inode;
                self.done.add(inode, stamp, known, entry.is_compressed);
            }
        }
    }

    /// Of the files that are done with, those that nothing leads to any more are not remembered.
    pub(super) fn forget_gone(&mut self) {
        let Ok(paths) = self.paths() else {
            return;
        };
        let there = (paths.keys()).filter_map(|path| Some(inode(&std::fs::metadata(path).ok()?)));
        self.done.retain(&there.collect());
    }

    /// A file that is not being read as it is to be: behind what was read of it before. `None` if that is all.
    pub(super) fn continued(
        &mut self,
        incarnation: Incarnation,
        metadata: &Metadata,
    ) -> Option<Incarnation> {
        let Some(known) = self.done.known(&incarnation.inode) else {
            return Some(incarnation);
        };
        match known.progress(&incarnation) {
            Ok(Progress::Behind) if known.ends_with_line() => Some(incarnation.behind(known)),
            // Its end was taken for the end of a record: what was added is told, not read.
            Ok(Progress::Behind | Progress::AtEnd) => {
                self.done.touch(metadata);
                None
            }
            Ok(Progress::Cut) | Err(_) => Some(incarnation),
        }
    }
}
