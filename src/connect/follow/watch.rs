//! Wakes whoever follows files when something happens to them or to their folders: inotify, where it is.
//!
//! Invariant: nothing depends on it but how soon a change is seen. It may be missing (other systems, no more
//! watches), blind (network file systems) or late: all files are looked at every second anyway.

#[cfg(target_os = "linux")]
pub(super) use linux::Watch;
#[cfg(not(target_os = "linux"))]
pub(super) use none::Watch;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, HashSet};
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::{Path, PathBuf};

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

    /// What may happen in a folder to a file that is followed.
    const IN_FOLDER: WatchFlags = WatchFlags::CREATE
        .union(WatchFlags::MOVED_TO)
        .union(WatchFlags::MOVED_FROM)
        .union(WatchFlags::DELETE)
        .union(WatchFlags::ONLYDIR);

    /// What may happen to the file itself, under whatever name: its last name goes with ATTRIB.
    const IN_FILE: WatchFlags = WatchFlags::MODIFY.union(WatchFlags::ATTRIB);

    const OF_FILE: ReadFlags = ReadFlags::MODIFY.union(ReadFlags::ATTRIB);

    /// The watches of one query.
    #[derive(Debug)]
    pub(in crate::connect::follow) struct Watch {
        queue: Option<OwnedFd>,
        folders: BTreeMap<PathBuf, i32>,
        /// The watches of files to which something has happened.
        stirred: HashSet<i32>,
    }

    impl Watch {
        pub(in crate::connect::follow) fn new() -> Self {
            Watch {
                queue: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok(),
                folders: BTreeMap::new(),
                stirred: HashSet::new(),
            }
        }

        /// Readable when something has happened.
        pub(in crate::connect::follow) fn fd(&self) -> Option<BorrowedFd<'_>> {
            self.queue.as_ref().map(AsFd::as_fd)
        }

        /// Watches a folder, if it is there and not watched yet.
        pub(in crate::connect::follow) fn folder(&mut self, folder: &Path) {
            if let Some(queue) = &self.queue
                && !self.folders.contains_key(folder)
                && let Ok(watch) = inotify::add_watch(queue, folder, IN_FOLDER)
            {
                self.folders.insert(folder.to_path_buf(), watch);
            }
        }

        /// Watches the file that is at `path` now.
        pub(in crate::connect::follow) fn file(&mut self, path: &str) -> Option<i32> {
            inotify::add_watch(self.queue.as_ref()?, path, IN_FILE).ok()
        }

        /// Watches a file no longer.
        pub(in crate::connect::follow) fn forget(&mut self, watch: i32) {
            if let Some(queue) = &self.queue {
                // It went by itself if the file is gone.
                let _ = inotify::remove_watch(queue, watch);
            }
        }

        /// The watches of files to which something has happened since the last call.
        pub(in crate::connect::follow) fn stirred(&mut self) -> HashSet<i32> {
            std::mem::take(&mut self.stirred)
        }

        /// True if names have changed since the last call. What happens in a file only wakes its reader.
        pub(in crate::connect::follow) fn has_stirred(&mut self) -> bool {
            let Some(queue) = &self.queue else {
                return false;
            };
            let mut buffer = [MaybeUninit::uninit(); 4_096];
            let mut events = inotify::Reader::new(queue, &mut buffer);
            let mut stirred = false;
            while let Ok(event) = events.next() {
                if !event.events().intersection(OF_FILE).is_empty() {
                    self.stirred.insert(event.wd());
                }
                stirred |= !event.events().difference(OF_FILE).is_empty();
                if event.events().contains(ReadFlags::IGNORED) {
                    // A folder that has gone may come again.
                    let watch = event.wd();
                    self.folders.retain(|_, folder| *folder != watch);
                }
            }
            stirred
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::collections::HashSet;
    use std::os::fd::BorrowedFd;
    use std::path::Path;

    /// No watches: files are looked at every second.
    #[derive(Debug)]
    pub(in crate::connect::follow) struct Watch;

    impl Watch {
        pub(in crate::connect::follow) fn new() -> Self {
            Watch
        }

        pub(in crate::connect::follow) fn fd(&self) -> Option<BorrowedFd<'_>> {
            None
        }

        pub(in crate::connect::follow) fn folder(&mut self, _folder: &Path) {}

        pub(in crate::connect::follow) fn file(&mut self, _path: &str) -> Option<i32> {
            None
        }

        pub(in crate::connect::follow) fn forget(&mut self, _watch: i32) {}

        pub(in crate::connect::follow) fn stirred(&mut self) -> HashSet<i32> {
            HashSet::new()
        }

        pub(in crate::connect::follow) fn has_stirred(&mut self) -> bool {
            false
        }
    }
}
