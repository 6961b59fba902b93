//! Finds what is there when following begins: opens it, orders it, and leaves out what it holds twice.
//!
//! ```text
//!   app.log.2.gz   app.log.1   app.log.1.gz   app.log
//!   └ read first   └ next      └ left out     └ last: followed
//!                                as it unpacks to what app.log.1 begins with
//! ```
//!
//! Invariants: of a log and what it was compressed to, the log is read; what cannot be told to be a copy is read.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use super::incarnation::{Incarnation, stamp};
use super::trail::{Entry, Trail};
use super::{Begin, Follow, copies, names, not_there, opened, refused};
use crate::connect::{Notice, expand, is_pattern};
use crate::error::Result;

impl Follow {
    /// Opens what is there.
    pub(super) fn find_initial(&mut self) -> Result<()> {
        let mut there = Vec::new();
        let mut known = HashSet::new();
        for (path, is_match) in self.paths()? {
            let mut trail = Trail::new(is_match);
            match opened(&path) {
                Ok((incarnation, _)) if !known.insert(incarnation.inode) => {}
                Ok((incarnation, metadata)) => {
                    let incarnation = match self.begin {
                        Begin::Start => incarnation,
                        Begin::End => incarnation.without_old().map_err(|e| refused(&path, &e))?,
                    };
                    let mut entry = Entry::new(incarnation, true, Duration::ZERO);
                    entry.watch = self.watch.file(&path);
                    trail.queue.push_back(entry);
                    let written = stamp(&metadata);
                    there.push((path.clone(), (written.1, written.2)));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    trail.told = Some(String::new());
                    self.notices.push_back(Notice::warning(not_there(&path)));
                }
                Err(error) => return Err(refused(&path, &error)),
            }
            self.trails.insert(path, trail);
        }
        for name in &self.names {
            if is_pattern(name) && !expand(name).is_ok_and(|paths| !paths.is_empty()) {
                let text = format!("waiting for `{name}`: no file matches yet");
                self.notices.push_back(Notice::warning(text));
            }
        }
        if self.begin == Begin::Start {
            self.leave_out_copies();
        }
        names::sort_oldest_first(&mut there);
        self.initial = there.into_iter().map(|(path, _)| path).collect();
        Ok(())
    }

    /// Leaves out what is compressed and there as it was, too: `gzip -k` keeps both.
    fn leave_out_copies(&mut self) {
        let (compressed, plain): (Vec<&Incarnation>, Vec<_>) = (self.trails.values())
            .flat_map(Trail::entries)
            .map(|entry| entry.incarnation.as_ref())
            .partition(|incarnation| {
                let beginning = incarnation.beginning().unwrap_or_default();
                self.compression.is_compressed(&beginning, true) == Some(true)
            });
        let mut copies = Vec::new();
        for candidate in compressed {
            let original = (plain.iter())
                .find(|plain| copies::is_compressed_copy(candidate, plain, self.compression));
            if let Some(original) = original {
                copies.push((candidate.path.to_string(), original.path.to_string()));
            }
        }
        for (path, original) in copies {
            let text = format!("`{path}` is left out: it holds what `{original}` begins with");
            self.notices.push_back(Notice::remark(text));
            let trail = self.trails.get_mut(&path);
            let copy = trail.and_then(|trail| trail.queue.pop_front());
            self.forget(copy.into_iter().collect());
        }
    }
}
