//! A socket that takes connections: each is an input of its own.

use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::io::Errno;
use socket2::Socket;

use super::connection::ConnectionSource;
use super::file::SocketFile;
use super::{Address, SocketOptions, cannot_listen};
use crate::connect::{Arrival, Arrivals, Ending, Notice, Reason};
use crate::error::{Error, Result};

/// How long to leave connections in the queue of the system when no more files can be opened.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that are refused, wait or break are told of no more often than this: others decide how many they are.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// A listening socket.
pub(super) struct Listen {
    name: String,
    socket: Socket,
    /// Removes the file of the socket at the end.
    _file: Option<SocketFile>,
    max_connections: usize,
    read_timeout: Option<Duration>,
    open: usize,
    taken: u64,
    paused: bool,
    /// Connections that were refused since that was last told.
    refused: u64,
    told_at: Option<Duration>,
    /// Connections that broke since that was last told.
    broken: u64,
    broken_told_at: Option<Duration>,
    notices: Vec<Notice>,
}

impl Listen {
    pub(super) fn new(address: &Address, options: &SocketOptions) -> Result<Self> {
        let cannot = |error| cannot_listen(address, &error);
        let (socket, file, name) = if let Address::UnixListen(path) = address {
            let (socket, file) = SocketFile::bind(address, path, |path| UnixListener::bind(path))?;
            socket.set_nonblocking(true).map_err(cannot)?;
            (
                Socket::from(OwnedFd::from(socket)),
                Some(file),
                address.to_string(),
            )
        } else {
            let resolved = address.resolve()?;
            let socket = TcpListener::bind(resolved.as_slice()).map_err(cannot)?;
            socket.set_nonblocking(true).map_err(cannot)?;
            let local = socket.local_addr().map_err(cannot)?;
            (Socket::from(socket), None, format!("tcp-listen://{local}"))
        };
        Ok(Listen {
            notices: vec![Notice::remark(format!("listening at {name}"))],
            name,
            socket,
            _file: file,
            max_connections: options.max_connections,
            read_timeout: options.read_timeout,
            open: 0,
            taken: 0,
            paused: false,
            refused: 0,
            told_at: None,
            broken: 0,
            broken_told_at: None,
        })
    }

    /// Tells of connections that were refused, or that wait for want of files.
    fn tell(&mut self, now: Duration) {
        let since = |at: Duration| now.saturating_sub(at);
        if self.told_at.is_some_and(|at| since(at) < TOLD_EVERY) {
            return;
        }
        self.told_at = Some(now);
        let (name, open) = (&self.name, self.open);
        let text = match std::mem::take(&mut self.refused) {
            0 => format!(
                "{name}: {open} connections are open, and the system allows no more files: others wait (ulimit -n)"
            ),
            1 => format!("{name}: a connection was refused: {open} are open (max_connections)"),
            refused => format!(
                "{name}: {refused} connections were refused: {open} are open (max_connections)"
            ),
        };
        self.notices.push(Notice::warning(text));
    }

    /// Tells of a connection that broke, and how many others did since that was last told.
    fn tell_broken(&mut self, name: &str, reason: &str, now: Duration) {
        self.broken += 1;
        let since = |at: Duration| now.saturating_sub(at);
        if self.broken_told_at.is_some_and(|at| since(at) < TOLD_EVERY) {
            return;
        }
        self.broken_told_at = Some(now);
        let others = match std::mem::take(&mut self.broken) {
            0 | 1 => String::new(),
            broken => format!(", one of {broken} that broke since the last one was told"),
        };
        let text = format!("{name}: {reason}: that connection has ended{others}");
        self.notices.push(Notice::warning(text));
    }
}

impl Arrivals for Listen {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, now: Duration) -> Result<Arrival> {
        self.paused = false;
        loop {
            let accepted = self.socket.accept().and_then(|(socket, peer)| {
                socket.set_nonblocking(true)?;
                Ok((OwnedFd::from(socket), peer.as_socket()))
            });
            let accepted = accepted.map_err(|error| (Errno::from_io_error(&error), error));
            match accepted {
                Ok((socket, _)) if self.open == self.max_connections => {
                    drop(socket);
                    self.refused += 1;
                    self.tell(now);
                }
                Ok((socket, peer)) => {
                    self.open += 1;
                    self.taken += 1;
                    let name = match peer {
                        Some(peer) => format!("tcp://{peer}"),
                        None => format!("{}#{}", self.name, self.taken),
                    };
                    let source = ConnectionSource::new(name, socket, self.read_timeout);
                    return Ok(Arrival::Input(Box::new(source)));
                }
                Err((Some(Errno::AGAIN), _)) => return Ok(Arrival::Later(None)),
                // Whoever had come has left again.
                Err((Some(Errno::CONNABORTED | Errno::INTR | Errno::PROTO), _)) => {}
                Err((Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM), _)) => {
                    self.tell(now);
                    self.paused = true;
                    return Ok(Arrival::Later(Some(now + PAUSE)));
                }
                Err((_, error)) => {
                    let what = format!("cannot take connections at `{}`", self.name);
                    return Err(Error::outside(what, Reason(&error)));
                }
            }
        }
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        (!self.paused).then(|| self.socket.as_fd())
    }

    fn closed(&mut self, name: &str, ending: &Ending, now: Duration) {
        self.open = self.open.saturating_sub(1);
        if let Ending::Broken(reason) = ending {
            self.tell_broken(name, reason, now);
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop()
    }
}
