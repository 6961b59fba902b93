//! A connection as an input: bytes until its end, until it breaks, or until nothing came for too long.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;

use crate::connect::ByteSource;

/// An open connection, which never waits.
#[derive(Debug)]
pub(super) struct ConnectionSource {
    name: String,
    socket: OwnedFd,
    /// Why reading failed: it fails like that for ever.
    broken: Option<Broken>,
    /// Its end is no end of the input, and may come within a record.
    end_is_break: bool,
    /// For how long nothing may come.
    read_timeout: Option<Duration>,
    /// Until when, since something came last.
    quiet_until: Option<Duration>,
    /// That time has come.
    is_overdue: bool,
}

#[derive(Debug, Clone, Copy)]
enum Broken {
    /// The system says so.
    System(Errno),
    /// Nothing came for so long.
    Quiet(Duration),
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::System(error) => error.into(),
            Broken::Quiet(time) => io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nothing came for {time:?}"),
            ),
        }
    }
}

impl ConnectionSource {
    /// `socket` is connected and does not wait.
    pub(super) fn new(name: String, socket: OwnedFd, read_timeout: Option<Duration>) -> Self {
        // A peer that is gone without a word is found out within minutes; sockets that are files refuse that.
        let _ = socket2::SockRef::from(&socket).set_keepalive(true);
        ConnectionSource {
            name,
            socket,
            broken: None,
            end_is_break: false,
            read_timeout,
            quiet_until: None,
            is_overdue: false,
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
        if let Some(error) = self.broken {
            return Err(error.into());
        }
        let read = rustix::io::read(&self.socket, &mut *buffer);
        match (read, self.read_timeout) {
            (Ok(_), _) => (self.quiet_until, self.is_overdue) = (None, false),
            (Err(Errno::INTR), _) => {}
            (Err(Errno::AGAIN), Some(time)) if self.is_overdue => {
                let broken = Broken::Quiet(time);
                self.broken = Some(broken);
                // Whoever is there shall know at once; an error says that they have left.
                let socket = socket2::SockRef::from(&self.socket);
                let _ = socket.shutdown(std::net::Shutdown::Both);
                return Err(broken.into());
            }
            (Err(Errno::AGAIN), _) => {}
            (Err(error), _) => self.broken = Some(Broken::System(error)),
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
        (!self.is_overdue).then(|| self.socket.as_fd())
    }

    fn quiet_until(&mut self, now: Duration) -> Option<Duration> {
        let timeout = self.read_timeout.filter(|_| self.broken.is_none())?;
        let until = *self
            .quiet_until
            .get_or_insert_with(|| now.saturating_add(timeout));
        self.is_overdue = now >= until;
        Some(until)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    /// A connection that may be quiet for five seconds, and its other side.
    fn connection() -> (ConnectionSource, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let timeout = Some(Duration::from_secs(5));
        let source = ConnectionSource::new(String::from("x"), ours.into(), timeout);
        (source, theirs)
    }

    #[test]
    fn what_was_quiet_for_too_long_is_broken_for_ever() {
        let (mut source, mut peer) = connection();
        let (seconds, mut buffer) = (Duration::from_secs, [0; 8]);
        assert_eq!(source.quiet_until(seconds(1)), Some(seconds(6)));
        assert_eq!(source.quiet_until(seconds(4)), Some(seconds(6)));
        let nothing = source.read(&mut buffer).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        // What came begins the time anew, also where nobody had looked in time.
        peer.write_all(b"a").unwrap();
        assert_eq!(source.quiet_until(seconds(7)), Some(seconds(6)));
        assert_eq!(source.read(&mut buffer).unwrap(), 1);
        assert!(source.wait_for().is_some());
        assert_eq!(source.quiet_until(seconds(8)), Some(seconds(13)));
        assert_eq!(source.quiet_until(seconds(13)), Some(seconds(13)));
        assert!(source.wait_for().is_none(), "reading does not wait");
        for _ in 0..2 {
            let quiet = source.read(&mut buffer).unwrap_err();
            assert_eq!(quiet.to_string(), "nothing came for 5s");
            assert_eq!(peer.read(&mut buffer).unwrap(), 0, "the other side knows");
        }
        assert_eq!(source.quiet_until(seconds(20)), None);
    }
}
