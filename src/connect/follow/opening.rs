//! Opens files that are followed, and says which cannot be.
//!
//! Invariant: nothing here waits, whatever is at a path.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{DirEntryExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::incarnation::{Incarnation, Inode};
use crate::connect::Reason;
use crate::connect::file::folder_of;
use crate::error::Error;

/// Opens the file at `path`.
pub(super) fn opened(path: &str) -> io::Result<(Incarnation, Metadata)> {
    // A FIFO would wait for its writer.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        let what = match metadata.is_dir() {
            true => "it is a folder",
            false => "it is no regular file, and cannot be followed",
        };
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok((Incarnation::new(Arc::from(path), file)?, metadata))
}

/// Opens the file of this number that was at `path`, and may have been renamed since.
pub(super) fn opened_as(path: &str, inode: Inode) -> Option<Incarnation> {
    let is_it = |path: &str| {
        let (incarnation, _) = opened(path).ok()?;
        (incarnation.inode == inode).then_some(incarnation)
    };
    is_it(path).or_else(|| {
        let there = std::fs::read_dir(folder_of(Path::new(path))).ok()?;
        let mut there = there.flatten().filter(|entry| entry.ino() == inode.1);
        there.find_map(|entry| is_it(&entry.path().to_string_lossy()))
    })
}

pub(super) fn refused(path: &str, error: &io::Error) -> Error {
    let refused = Error::outside(format!("cannot follow `{path}`"), Reason(error));
    if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) {
        return refused
            .note("all files that are followed are open at once")
            .help("let a process open more of them: ulimit -n 4096");
    }
    match Path::new(path).is_dir() {
        true => {
            let path = path.trim_end_matches('/');
            refused.help(format!("follow the files in it: '{path}/*'"))
        }
        false => refused,
    }
}
