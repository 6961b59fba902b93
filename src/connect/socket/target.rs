//! Where a connection is made to, and making it without waiting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::Address;
use crate::error::Result;

/// One of the places that an address means.
pub(super) enum Target {
    Ip(SocketAddr),
    Unix(PathBuf),
}

impl Target {
    /// The places that an address means, in the order in which the system would try them.
    ///
    /// # Errors
    /// The host is not known.
    pub(super) fn of(address: &Address) -> Result<Vec<Self>> {
        Ok(match address {
            Address::Unix(path) | Address::UnixListen(path) | Address::UnixDatagram(path) => {
                vec![Target::Unix(path.clone())]
            }
            _ => address.resolve()?.into_iter().map(Target::Ip).collect(),
        })
    }

    /// Begins a connection of a kind, which is there at once or when the socket can be written.
    pub(super) fn begin(&self, kind: Type) -> io::Result<(Socket, bool)> {
        let (domain, address) = match self {
            Target::Ip(address) => (Domain::for_address(*address), SockAddr::from(*address)),
            Target::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?),
        };
        let socket = Socket::new(domain, kind, None)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address) {
            Ok(()) => Ok((socket, true)),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::INPROGRESS | Errno::INTR) => Ok((socket, false)),
                _ => Err(error),
            },
        }
    }
}
