//! A socket that takes connections: each is an input of its own.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::io::Errno;
use socket2::Socket;

use super::Address;
use super::connection::ConnectionSource;
use super::file::SocketFile;
use crate::connect::{Arrival, Arrivals, Ending, Notice, Reason};
use crate::error::{Error, Result};

/// How long to leave connections in the queue of the system when no more files can be opened.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket.
pub(super) struct Listen {
    name: String,
    socket: Socket,
    /// Removes the file of the socket at the end.
    _file: Option<SocketFile>,
    max_connections: usize,
    open: usize,
    taken: u64,
    paused: bool,
    /// Refusals are told once until a connection has ended.
    told_refusal: bool,
    notices: Vec<Notice>,
}

impl Listen {
    pub(super) fn new(address: &Address, max_connections: usize) -> Result<Self> {
        let cannot = |error: &io::Error| {
            Error::outside(format!("cannot listen at `{address}`"), Reason(error))
        };
        let (socket, file, name) = if let Address::UnixListen(path) = address {
            let (socket, file) = SocketFile::bind(address, path, |path| UnixListener::bind(path))?;
            socket
                .set_nonblocking(true)
                .map_err(|error| cannot(&error))?;
            (
                Socket::from(OwnedFd::from(socket)),
                Some(file),
                address.to_string(),
            )
        } else {
            let resolved = address.resolve()?;
            let socket = TcpListener::bind(resolved.as_slice()).map_err(|error| {
                let error_of_user = cannot(&error);
                match error.kind() {
                    io::ErrorKind::AddrInUse => error_of_user.help(
                        "another process has that port; port 0 takes a free one (-v says which)",
                    ),
                    io::ErrorKind::AddrNotAvailable => error_of_user
                        .help("the host must be one of this machine, or 0.0.0.0 for all"),
                    _ => error_of_user,
                }
            })?;
            socket
                .set_nonblocking(true)
                .map_err(|error| cannot(&error))?;
            let local = socket.local_addr().map_err(|error| cannot(&error))?;
            (Socket::from(socket), None, format!("tcp-listen://{local}"))
        };
        Ok(Listen {
            notices: vec![Notice::remark(format!("listening at {name}"))],
            name,
            socket,
            _file: file,
            max_connections,
            open: 0,
            taken: 0,
            paused: false,
            told_refusal: false,
        })
    }

    fn refuse(&mut self) {
        if !self.told_refusal {
            self.told_refusal = true;
            self.notices.push(Notice::warning(format!(
                "{}: a connection was refused: {} are open, and more are not taken (max_connections)",
                self.name, self.max_connections
            )));
        }
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
                    self.refuse();
                }
                Ok((socket, peer)) => {
                    self.open += 1;
                    self.taken += 1;
                    let name = match peer {
                        Some(peer) => format!("tcp://{peer}"),
                        None => format!("{}#{}", self.name, self.taken),
                    };
                    let source = ConnectionSource::new(name, socket);
                    return Ok(Arrival::Input(Box::new(source)));
                }
                Err((Some(Errno::AGAIN), _)) => return Ok(Arrival::Later(None)),
                // Whoever had come has left again.
                Err((Some(Errno::CONNABORTED | Errno::INTR | Errno::PROTO), _)) => {}
                Err((Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM), _)) => {
                    self.refuse();
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

    fn closed(&mut self, _name: &str, _ending: &Ending, _now: Duration) {
        self.open = self.open.saturating_sub(1);
        self.told_refusal = false;
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop()
    }
}
