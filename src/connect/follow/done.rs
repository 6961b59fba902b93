//! Files that are done with, so that none is read again under another name.
//!
//! ```text
//!   inode 7   1,204 bytes, written 12:07      app.log.1 leads to it: unchanged, left out
//!   inode 9     310 bytes, compressed         grew after it was read: what whoever packs it adds
//! ```
//!
//! Invariant: a file that a name leads to is not forgotten.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;

use super::incarnation::{Inode, Stamp, inode, stamp};

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
    is_compressed: bool,
}

const FEW: usize = 65_536;

impl Done {
    /// Adds a file as it is now.
    pub(super) fn add(&mut self, file: Inode, metadata: &Metadata, is_compressed: bool) {
        let stamp = stamp(metadata);
        let finished = Finished {
            stamp,
            is_compressed,
        };
        self.files.insert(file, finished);
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
