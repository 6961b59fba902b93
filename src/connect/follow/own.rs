//! The files that the run itself writes: a pattern that they match does not find them, or they would never end.
//!
//! ```text
//!   -o logs/out.csv     'logs/*'     logs/app.log    followed
//!                                    logs/out.csv    left out, under whatever name it is found later
//! ```
//!
//! Invariant: a file that was once seen to be written by the run is left out for good.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::incarnation::{Inode, inode};

/// What the run writes; see the module.
#[derive(Debug)]
pub(super) struct Own {
    paths: Vec<PathBuf>,
    files: HashSet<Inode>,
    told: HashSet<Inode>,
}

impl Own {
    /// These files, which need not be there yet, and what standard output and error go to.
    pub(super) fn new(mut paths: Vec<PathBuf>) -> Self {
        paths.extend(["/dev/stdout", "/dev/stderr"].map(PathBuf::from));
        Own {
            paths,
            files: HashSet::new(),
            told: HashSet::new(),
        }
    }

    /// Looks which files they are. What is found before is not written later under the same name.
    pub(super) fn look(&mut self) {
        let there = self.paths.iter().filter_map(|path| path.metadata().ok());
        let files = there.filter(std::fs::Metadata::is_file);
        self.files.extend(files.map(|metadata| inode(&metadata)));
    }

    /// True if the file at `path` is one of them.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let metadata = path.metadata();
        metadata.is_ok_and(|metadata| self.files.contains(&inode(&metadata)))
    }

    /// What is to be said of such a file: once.
    pub(super) fn told(&mut self, path: &Path) -> Option<String> {
        let is_new = self.told.insert(inode(&path.metadata().ok()?));
        is_new.then(|| format!("`{}` is left out: this run writes it", path.display()))
    }
}
