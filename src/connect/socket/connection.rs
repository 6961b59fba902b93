//! A connection as an input: bytes until its end, or until it breaks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::connect::ByteSource;

/// An open connection, which never waits.
#[derive(Debug)]
pub(super) struct ConnectionSource {
    name: String,
    socket: OwnedFd,
    /// Why reading failed: it fails like that for ever.
    broken: Option<rustix::io::Errno>,
    /// Its end is no end of the input, and may come within a record.
    end_is_break: bool,
}

impl ConnectionSource {
    /// `socket` is connected and does not wait.
    pub(super) fn new(name: String, socket: OwnedFd) -> Self {
        // A peer that is gone without a word is found out within minutes; sockets that are files refuse that.
        let _ = socket2::SockRef::from(&socket).set_keepalive(true);
        ConnectionSource {
            name,
            socket,
            broken: None,
            end_is_break: false,
        }
    }

    /// The same, of an input that goes on with another connection.
    pub(super) fn whose_end_is_a_break(self) -> Self {
        ConnectionSource {
            end_is_break: true,
            ..self
        }
    }
}

impl ByteSource for ConnectionSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use rustix::io::Errno;
        if let Some(error) = self.broken {
            return Err(error.into());
        }
        let read = rustix::io::read(&self.socket, &mut *buffer);
        if let Err(error) = read
            && !matches!(error, Errno::AGAIN | Errno::INTR)
        {
            self.broken = Some(error);
        }
        match read? {
            0 if self.end_is_break && !buffer.is_empty() => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection ended",
            )),
            length => Ok(length),
        }
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }
}
