//! Where bytes come from and go to: standard input, files and sockets, compressed or not. Knows no columns.
//!
//! To add a connector: one file, one line below, one grammar test.

mod arrivals;
mod compression;
mod descriptors;
mod file;
mod follow;
mod meter;
mod outlet;
mod outside;
mod record_ends;
mod sink;
mod socket;
mod spool;
mod stdin;
mod waits;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

pub use arrivals::{Arrival, Arrivals, Ending, Notice, OnlyOne};
use compression::Unreadable;
pub use compression::{Compression, Packer, decompressed};
pub use file::{
    FileSource, Reason, expand, is_one_file, is_pattern, is_same_file, is_there, size_bytes,
};
pub use follow::{Begin, Follow};
pub use meter::read_bytes;
pub use outlet::{Outlet, check_stdout};
pub use outside::Outside;
pub use record_ends::RecordEnds;
pub use sink::FileSink;
pub use socket::{Address, Reconnect, SocketOptions, SocketSink};
pub use spool::Spool;
pub use stdin::StdinSource;

use crate::error::{Error, Result};

/// Room for any message of a source that gives messages.
pub const LONGEST_MESSAGE_BYTES: usize = (1 << 16) + 1;

/// Bytes of one input, in order.
pub trait ByteSource: Send {
    /// What messages call it: a path, or `stdin`.
    fn name(&self) -> &str;

    /// Puts what is there into `buffer` and returns how much; waits only if nothing is. 0 is the end.
    ///
    /// # Errors
    /// What the system says; `Interrupted` may be tried again. `WouldBlock` means that nothing came of what was
    /// there: wait and call again. Any other error ends the input: what was given before it counts, and further
    /// calls give it again.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// What to wait for before reading; `None` if reading does not wait now.
    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Until when nothing may come, if not for ever; it is told the time, and counts from when it was told first
    /// since something came. When that time has come, `wait_for` is `None` and reading fails if nothing is there.
    fn quiet_until(&mut self, now: Duration) -> Option<Duration> {
        let _ = now;
        None
    }

    /// When the bytes were written last, in seconds since 1970; `None` while somebody writes them.
    fn written_seconds(&self) -> Option<i64> {
        None
    }

    /// True if each read into [`LONGEST_MESSAGE_BYTES`] gives one message, which is whole records: a datagram.
    fn gives_messages(&self) -> bool {
        false
    }

    /// The same bytes at any place, for a file that lies there whole.
    fn whole(&self) -> Option<Arc<dyn WholeBytes>> {
        None
    }

    /// Where the same bytes can be opened once more, if they can.
    fn path(&self) -> Option<&str> {
        None
    }

    /// How many of its first bytes are older than what is wanted: records that end within them are left out.
    fn old_bytes(&self) -> u64 {
        0
    }

    /// True for a file that lies there whole: its first 64 KiB may be looked at before anything is read.
    fn is_file(&self) -> bool {
        false
    }
}

/// A file that lies there whole.
pub trait WholeBytes: Send + Sync {
    /// How many bytes it has.
    fn length(&self) -> u64;

    /// Fills `buffer` with the bytes from `place` on.
    ///
    /// # Errors
    /// What the system says, or that there are fewer.
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// The bytes of the file at `path` without their compression.
///
/// # Errors
/// It does not exist, is a folder, or may not be read.
pub fn open_file(path: &str, compression: Compression) -> Result<Box<dyn ByteSource>> {
    Ok(decompressed(Box::new(FileSource::open(path)?), compression))
}

/// What is said when reading from `name` failed.
pub fn cannot_read(name: &str, error: &io::Error) -> Error {
    let refused = Error::outside(format!("cannot read {name}"), Reason(error));
    let unreadable = error.get_ref().and_then(|e| e.downcast_ref::<Unreadable>());
    match unreadable.and_then(|unreadable| unreadable.advice) {
        Some(advice) => refused.help(advice),
        None => refused,
    }
}
