//! Where the text of results goes: standard output, a file, a FIFO; who reads nothing keeps no signal waiting.
//!
//! ```text
//!   a⏎b⏎c⏎d⏎ ─► a pipe that is empty     as many whole records as it holds, at once
//!            ├► a pipe that is not       whole records of at most PIPE_BUF bytes, as there is room
//!            ├► a terminal, a socket     what it takes, as there is room
//!            └► a file, a device         all of it
//! ```
//!
//! Others share standard output and its flags with us: it is never made non-blocking. So nothing is written to what
//! may make us wait until the system says that there is room, and then no more than there is: a pipe with room takes
//! `PIPE_BUF` bytes, an empty one all that it holds.
//!
//! Invariants: nothing waits for long once the user wants to stop; a record of at most `PIPE_BUF` bytes is in a pipe
//! whole or not at all, whatever ends us; a regular file that cannot take more ends with a
//! whole record, where records are lines.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::event::PollFlags;
use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::SendFlags;
use rustix::pipe::PIPE_BUF;

use super::descriptors::stdout_is_closed;
use super::outside::{Grace, Outside, SLICE};
use super::waits::happens;
use super::{Reason, RecordEnds};
use crate::error::{Error, ErrorKind, Result};

/// What is written to a terminal at once: it has room for a little at any rate.
const TERMINAL_BYTES: usize = 256;

/// An open place for text.
pub struct Outlet {
    name: String,
    file: File,
    kind: Kind,
    /// `None` where records cannot be told apart.
    ends: Option<RecordEnds>,
    grace: Grace,
    outside: Box<dyn Outside>,
}

/// What a place for text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A pipe that holds so many bytes.
    Pipe(usize),
    Socket,
    Terminal,
    /// A regular file.
    File,
    /// A device that takes everything or nothing.
    Device,
}

/// How much may be written without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Bytes(usize),
    All,
}

/// Why something was not written.
enum Failure {
    System(io::Error),
    Stopped,
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Failure::System(error.into())
    }
}

impl Outlet {
    /// Standard output.
    ///
    /// # Errors
    /// The process was started without one.
    pub fn stdout(ends: Option<RecordEnds>, outside: Box<dyn Outside>) -> Result<Self> {
        check_stdout()?;
        // A copy of the descriptor: who has the lock of `io::stdout` has a buffer, too.
        let copy = io::stdout().as_fd().try_clone_to_owned();
        let copy = copy.map_err(|error| cannot_write("stdout", &error))?;
        Ok(Outlet::new(
            String::from("stdout"),
            File::from(copy),
            ends,
            outside,
        ))
    }

    /// A file that has been opened for writing.
    pub fn file(
        path: &Path,
        file: File,
        ends: Option<RecordEnds>,
        outside: Box<dyn Outside>,
    ) -> Self {
        Outlet::new(path.display().to_string(), file, ends, outside)
    }

    fn new(name: String, file: File, ends: Option<RecordEnds>, outside: Box<dyn Outside>) -> Self {
        let kind = match rustix::fs::fstat(&file).map(|stat| FileType::from_raw_mode(stat.st_mode))
        {
            Ok(FileType::RegularFile) => Kind::File,
            Ok(FileType::Fifo) => {
                let size = rustix::pipe::fcntl_getpipe_size(&file);
                Kind::Pipe(size.unwrap_or(PIPE_BUF).max(PIPE_BUF))
            }
            Ok(FileType::Socket) => Kind::Socket,
            Ok(FileType::CharacterDevice) if rustix::termios::isatty(&file) => Kind::Terminal,
            _ => Kind::Device,
        };
        Outlet {
            name,
            file,
            kind,
            ends,
            grace: Grace::default(),
            outside,
        }
    }

    /// Writes whole records.
    ///
    /// # Errors
    /// They cannot be written; the reader has left; the user wants to stop and they are not taken.
    pub fn write(&mut self, records: &[u8]) -> Result<()> {
        let mut taken = 0;
        let failure = match self.write_pieces(records, &mut taken) {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if self.kind == Kind::File {
            // What is told is why it could not be written.
            let _ = self.cut_back(&records[..taken]);
        }
        Err(match failure {
            Failure::Stopped => {
                let what = format!("stopped while {} took nothing", self.name);
                Error::new(ErrorKind::Stopped, what)
            }
            Failure::System(error) => cannot_write(&self.name, &error),
        })
    }

    /// Writes piece by piece; `taken` says how far that came.
    fn write_pieces(&mut self, records: &[u8], taken: &mut usize) -> Result<(), Failure> {
        // The end of a record that is written bit by bit.
        let mut within = 0;
        while *taken < records.len() {
            let rest = &records[*taken..];
            let length = match self.room()? {
                Room::All => rest.len(),
                Room::Bytes(room) if rest.len() <= room => rest.len(),
                Room::Bytes(room) if *taken < within => room.min(within - *taken),
                Room::Bytes(room) => match self.whole_records(&rest[..room]) {
                    0 => {
                        let first = self.ends.map_or(rest.len(), |ends| ends.first_record(rest));
                        within = *taken + first;
                        room.min(first)
                    }
                    whole => whole,
                },
            };
            match self.put(&rest[..length]) {
                Ok(0) => return Err(Failure::System(io::ErrorKind::WriteZero.into())),
                Ok(length) => {
                    *taken += length;
                    self.grace.progressed(self.outside.as_ref());
                }
                Err(Errno::INTR) => {}
                // Somebody who shares it has made it so.
                Err(Errno::AGAIN) => self.wait()?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn whole_records(&self, bytes: &[u8]) -> usize {
        self.ends.map_or(0, |ends| ends.whole_records(bytes))
    }

    fn put(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        match self.kind {
            Kind::Socket => {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                rustix::net::send(&self.file, bytes, flags)
            }
            _ => rustix::io::write(&self.file, bytes),
        }
    }

    /// How much may be written without waiting; waits until that is something.
    fn room(&mut self) -> Result<Room, Failure> {
        Ok(match self.kind {
            Kind::File | Kind::Device => Room::All,
            Kind::Pipe(size) if matches!(rustix::io::ioctl_fionread(&self.file), Ok(0)) => {
                Room::Bytes(size)
            }
            Kind::Pipe(_) => {
                self.wait()?;
                Room::Bytes(PIPE_BUF)
            }
            Kind::Terminal => {
                self.wait()?;
                Room::Bytes(TERMINAL_BYTES)
            }
            Kind::Socket => {
                self.wait()?;
                Room::All
            }
        })
    }

    /// Waits until there is room, but not for long once the user wants to stop.
    fn wait(&mut self) -> Result<(), Failure> {
        loop {
            if self.grace.is_over(self.outside.as_ref()) {
                return Err(Failure::Stopped);
            }
            if happens(&self.file, PollFlags::OUT, SLICE) {
                return Ok(());
            }
        }
    }

    /// Cuts a file behind the last whole record of what was written of some; not if somebody else has written
    /// behind it.
    fn cut_back(&mut self, written: &[u8]) -> io::Result<()> {
        let Some(ends) = self.ends else {
            return Ok(());
        };
        let torn = (written.len() - ends.whole_records(written)) as u64;
        let here = rustix::fs::tell(&self.file)?;
        if torn == 0 || self.file.metadata()?.len() != here {
            return Ok(());
        }
        let whole = here.saturating_sub(torn);
        self.file.set_len(whole)?;
        rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Start(whole))?;
        Ok(())
    }
}

/// Whether there is a standard output.
///
/// # Errors
/// The process was started without one.
pub fn check_stdout() -> Result<()> {
    match stdout_is_closed() {
        true => Err(Error::outside("cannot write stdout", "it is closed")),
        false => Ok(()),
    }
}

fn cannot_write(name: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::new(ErrorKind::Closed, "the reader has left"),
        _ => Error::outside(format!("cannot write {name}"), Reason(error)),
    }
}
