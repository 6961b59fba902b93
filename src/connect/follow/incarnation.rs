//! One incarnation of a followed file: what was written to one inode from its beginning until it was truncated.
//!
//! ```text
//!   head ≤ 1 KiB               tail ≤ 1 KiB
//!   [ t,n⏎12:00,1⏎ …           …12:07,4⏎ ][ 12:08,5⏎ … ]
//!   0                                  position        size
//!
//!   size < position, or head or tail are no longer what was read:  it was truncated, and is over
//! ```
//!
//! Invariants: before bytes are given, those before them are looked at, so that a file that was written anew to
//! any length is not read on; an incarnation that is over gives no more.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::connect::ByteSource;

/// How many of the first bytes, and of the last that were read, tell a file from what is written in its place.
pub(super) const PRINT_BYTES: usize = 1_024;

/// Which file, whatever its name: its device, its number there, and when it came to be, as numbers are used again.
pub(super) type Inode = (u64, u64, Option<SystemTime>);

/// What a file looks like from outside: length, and time of the last change of its bytes.
pub(super) type Stamp = (u64, i64, i64);

/// The number of the file of `metadata`.
pub(super) fn inode(metadata: &std::fs::Metadata) -> Inode {
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

/// Length and time of the last change.
pub(super) fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is more to be read.
    Behind,
    /// All that is there has been read.
    AtEnd,
    /// What was read is no longer there.
    Cut,
}

/// An incarnation, shared by whoever reads it and whoever looks after it.
#[derive(Debug)]
pub(super) struct Incarnation {
    pub path: Arc<str>,
    pub inode: Inode,
    file: File,
    /// How many of its first bytes nobody wants.
    old_bytes: u64,
    state: Arc<Mutex<State>>,
}

/// What is remembered of an incarnation that may be read no longer: its file is not kept open.
#[derive(Debug)]
pub(super) struct Known {
    pub path: Arc<str>,
    pub inode: Inode,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    position: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// There was more to be read.
    is_behind: bool,
    /// The last read found nothing: whoever reads has passed on all that came before.
    is_dry: bool,
    /// Something has happened to the file since it was read.
    has_stirred: bool,
    /// When it was written last, if that is over.
    written_seconds: Option<i64>,
    /// Nothing more will be written: its end is the end.
    is_leaving: bool,
    is_cut: bool,
    /// Nobody reads it any more.
    is_gone: bool,
}

impl Incarnation {
    /// What `file` holds from its first byte.
    pub(super) fn new(path: Arc<str>, file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Incarnation {
            path,
            inode: inode(&metadata),
            file,
            old_bytes: 0,
            state: Arc::default(),
        })
    }

    /// Leaves out what is there already.
    pub(super) fn without_old(mut self) -> io::Result<Self> {
        self.old_bytes = self.file.metadata()?.len();
        Ok(self)
    }

    /// What `file` holds behind what was read of it before: the rest of a file that was done with.
    pub(super) fn behind(mut self, known: &Known) -> Self {
        self.old_bytes = locked(&known.state).position;
        self
    }

    /// The next one in the same file.
    pub(super) fn next(&self) -> io::Result<Self> {
        Incarnation::new(Arc::clone(&self.path), self.file.try_clone()?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(super) fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.file.metadata()
    }

    /// Its first bytes as they are now.
    pub(super) fn beginning(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; PRINT_BYTES];
        let length = read_at(&self.file, &mut bytes, 0)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Its bytes at `offset` as they are now, for whoever only looks at them.
    pub(super) fn look_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    /// True if it holds `bytes` at `offset` now.
    pub(super) fn holds(&self, bytes: &[u8], offset: u64) -> bool {
        let mut there = vec![0; bytes.len()];
        let length = read_at(&self.file, &mut there, offset);
        length.is_ok_and(|length| there[..length] == *bytes)
    }

    /// True if it holds what `other` does from there on, as far as [`PRINT_BYTES`].
    pub(super) fn holds_end_of(&self, other: &Incarnation, start: u64) -> bool {
        let mut end = [0; PRINT_BYTES];
        let read = other.look_at(&mut end, start).unwrap_or(0);
        self.holds(&end[..read], start)
    }

    /// What it looks like, as far as it was read: what was written since is seen by that.
    pub(super) fn read_stamp(&self) -> io::Result<Stamp> {
        let (length, seconds, nanoseconds) = stamp(&self.metadata()?);
        let state = self.state();
        let length = if state.is_dry { state.position } else { length };
        Ok((length, seconds, nanoseconds))
    }

    /// What is to be remembered of it.
    pub(super) fn known(&self) -> Known {
        Known {
            path: Arc::clone(&self.path),
            inode: self.inode,
            state: Arc::clone(&self.state),
        }
    }

    /// True if what was read ends with a line.
    pub(super) fn ends_with_line(&self) -> bool {
        self.state().tail.last().is_none_or(|byte| *byte == b'\n')
    }

    /// How far reading has come.
    pub(super) fn progress(&self) -> io::Result<Progress> {
        self.state().progress(&self.file)
    }

    /// How much there is behind what was read, of what has not been written anew.
    pub(super) fn unread_bytes(&self) -> u64 {
        let mut state = self.state();
        match (state.progress(&self.file), self.metadata()) {
            (Ok(Progress::Behind), Ok(metadata)) => metadata.len().saturating_sub(state.position),
            _ => 0,
        }
    }

    /// Something may have happened to the file.
    pub(super) fn stir(&self) {
        self.state().has_stirred = true;
    }

    /// True if something may have happened that whoever reads has not seen.
    pub(super) fn has_stirred(&self) -> bool {
        self.state().has_stirred
    }

    /// From now on its end is the end.
    pub(super) fn leave(&self) {
        self.state().is_leaving = true;
    }

    /// Nobody writes to it any more.
    pub(super) fn close(&self) {
        let written = self.metadata().map(|metadata| metadata.mtime());
        let mut state = self.state();
        (state.is_leaving, state.written_seconds) = (true, written.ok());
    }

    /// True if its first bytes were read before.
    pub(super) fn is_continued(&self) -> bool {
        self.old_bytes > 0
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.state().is_leaving
    }

    /// True if something else has been written in its place.
    pub(super) fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// True if the last read found nothing more. At the end of the file alone, whoever reads may still hold a part
    /// of it, or unpack it.
    pub(super) fn is_dry(&self) -> bool {
        self.state().is_dry
    }

    /// True if nobody reads it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.state().is_gone
    }
}

impl Known {
    /// Of a file that is left out as it is: so long.
    pub(super) fn unread(path: &str, inode: Inode, length: u64) -> Self {
        let state = State {
            position: length,
            ..State::default()
        };
        Known {
            path: Arc::from(path),
            inode,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// How far reading had come, of the same file as it is now.
    pub(super) fn progress(&self, incarnation: &Incarnation) -> io::Result<Progress> {
        locked(&self.state).progress(&incarnation.file)
    }

    /// True if it was read to the end of a record: what is added belongs to the next one.
    pub(super) fn ends_with_line(&self) -> bool {
        let state = locked(&self.state);
        state.tail.last().is_none_or(|byte| *byte == b'\n')
    }

    /// Its first bytes as they were read, at most [`PRINT_BYTES`].
    pub(super) fn head(&self) -> Vec<u8> {
        locked(&self.state).head.clone()
    }

    /// Its last bytes as they were read, at most [`PRINT_BYTES`], and where they are.
    pub(super) fn tail(&self) -> (Vec<u8>, u64) {
        let state = locked(&self.state);
        (state.tail.clone(), state.position - state.tail.len() as u64)
    }

    /// True if it has been read as far as it goes.
    pub(super) fn is_read(&self) -> bool {
        let state = locked(&self.state);
        state.is_gone || !state.is_behind
    }

    /// True if its file has been written anew.
    pub(super) fn is_cut(&self) -> bool {
        locked(&self.state).is_cut
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// True if there is nothing new, so far as was heard: hundreds of files are followed at the cost of those that
    /// grow.
    fn is_resting(&self) -> bool {
        self.is_dry && !(self.has_stirred || self.is_behind || self.is_leaving || self.is_cut)
    }

    fn progress(&mut self, file: &File) -> io::Result<Progress> {
        let size = file.metadata()?.len();
        if !self.is_cut && size >= self.position {
            let tail_start = self.position - self.tail.len() as u64;
            self.is_cut = !holds(file, &self.head, 0)? || !holds(file, &self.tail, tail_start)?;
        } else {
            self.is_cut = true;
        }
        self.is_behind = !self.is_cut && size > self.position;
        Ok(match self.is_cut {
            true => Progress::Cut,
            false if self.is_behind => Progress::Behind,
            false => Progress::AtEnd,
        })
    }

    /// Notes what has been read.
    fn advance(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        let missing = PRINT_BYTES - self.head.len();
        self.head.extend(bytes.iter().take(missing));
        if bytes.len() >= PRINT_BYTES {
            self.tail.clear();
        }
        let start = bytes.len().saturating_sub(PRINT_BYTES);
        self.tail.extend_from_slice(&bytes[start..]);
        let surplus = self.tail.len().saturating_sub(PRINT_BYTES);
        self.tail.drain(..surplus);
    }
}

/// True if `file` holds `bytes` at `offset`.
fn holds(file: &File, bytes: &[u8], offset: u64) -> io::Result<bool> {
    let mut there = [0; PRINT_BYTES];
    let there = &mut there[..bytes.len()];
    let length = read_at(file, there, offset)?;
    Ok(there[..length] == *bytes)
}

/// Reads what fits, from `offset` on; how much that was.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], offset + length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The bytes of an incarnation. There is nothing to wait for: whoever looks after the file says when to read.
pub(super) struct FollowedSource(Arc<Incarnation>);

impl FollowedSource {
    pub(super) fn new(incarnation: Arc<Incarnation>) -> Self {
        FollowedSource(incarnation)
    }
}

impl ByteSource for FollowedSource {
    fn name(&self) -> &str {
        &self.0.path
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        if state.is_resting() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.has_stirred = false;
        if state.is_cut || state.progress(&self.0.file)? == Progress::Cut {
            return Ok(0);
        }
        // What is older ends with a read of its own.
        let older = self.0.old_bytes.saturating_sub(state.position);
        let room = match usize::try_from(older) {
            Ok(older) if older > 0 => older.min(buffer.len()),
            _ => buffer.len(),
        };
        let length = self.0.file.read_at(&mut buffer[..room], state.position)?;
        state.advance(&buffer[..length]);
        state.is_dry = length == 0;
        match length {
            0 if !state.is_leaving => Err(io::ErrorKind::WouldBlock.into()),
            length => Ok(length),
        }
    }

    fn written_seconds(&self) -> Option<i64> {
        self.0.state().written_seconds
    }

    fn old_bytes(&self) -> u64 {
        self.0.old_bytes
    }
}

impl Drop for FollowedSource {
    fn drop(&mut self) {
        self.0.state().is_gone = true;
    }
}
