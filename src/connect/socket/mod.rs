//! Sockets as inputs and sinks: connections that are made or taken, and datagrams.
//!
//! ```text
//!   tcp://host:port          connects                ends with the connection; a broken one is made again
//!   unix:///run/x.sock       likewise
//!   tcp-listen://:9000       every connection is an input of its own       endless
//!   unix-listen:///run/x     likewise
//!   udp://:5514              every datagram is whole records               endless
//!   unix-dgram:///run/x      likewise
//! ```
//!
//! Invariants: nothing here waits but for the name of a host; an address without a host is this machine alone;
//! a socket file that somebody listens at is never taken over, and our own is removed at the end.

mod address;
mod backoff;
mod connection;
mod datagram;
mod dial;
mod file;
mod listen;
mod sink;
mod target;

use std::io;
use std::time::Duration;

pub use address::Address;
pub use sink::SocketSink;

use super::{Arrivals, OnlyOne, Reason};
use crate::error::{Error, Result};

/// A connection that held for so long was a good one: counting failures begins anew.
const GOOD: Duration = Duration::from_secs(10);

/// What becomes of a connection that we made and that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reconnect {
    /// The input has ended; a broken one is an error.
    Never,
    /// A broken one is made again; one that ended in order is the end of the input.
    #[default]
    Broken,
    /// It is made again however it ended: the input is endless.
    Always,
}

/// How sockets are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketOptions {
    /// What becomes of a connection that has ended.
    pub reconnect: Reconnect,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// For how long a connection may send nothing, if not for ever.
    pub read_timeout: Option<Duration>,
    /// How many connections are taken at once.
    pub max_connections: usize,
}

impl Default for SocketOptions {
    fn default() -> Self {
        SocketOptions {
            reconnect: Reconnect::default(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: None,
            max_connections: 1_024,
        }
    }
}

impl Address {
    /// Opens the socket.
    ///
    /// # Errors
    /// The address is not of this machine or in use, or its host is not known.
    pub fn open(&self, options: &SocketOptions) -> Result<Box<dyn Arrivals>> {
        Ok(match self {
            Address::Tcp(..) | Address::Unix(_) => Box::new(dial::Dial::new(self, options)?),
            Address::TcpListen(..) | Address::UnixListen(_) => {
                Box::new(listen::Listen::new(self, options)?)
            }
            Address::Udp(..) | Address::UnixDatagram(_) => {
                let (source, notice) = datagram::DatagramSource::new(self)?;
                Box::new(OnlyOne::new(Box::new(source), vec![notice]))
            }
        })
    }

    /// True if it gives datagrams.
    pub fn gives_messages(&self) -> bool {
        matches!(self, Address::Udp(..) | Address::UnixDatagram(_))
    }

    /// True if anybody may connect to it, each for himself.
    pub fn takes_connections(&self) -> bool {
        matches!(self, Address::TcpListen(..) | Address::UnixListen(_))
    }

    /// True if what comes of it never ends by itself.
    pub fn is_endless(&self, options: &SocketOptions) -> bool {
        match self {
            Address::Tcp(..) | Address::Unix(_) => options.reconnect == Reconnect::Always,
            _ => true,
        }
    }
}

/// Why nobody can listen at an address, and what to do about it.
fn cannot_listen(address: &Address, error: &io::Error) -> Error {
    let cannot = Error::outside(format!("cannot listen at `{address}`"), Reason(error));
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            cannot.help("another process has that port; port 0 takes a free one (-v says which)")
        }
        io::ErrorKind::AddrNotAvailable => {
            cannot.help("the host must be one of this machine, or 0.0.0.0 for all")
        }
        io::ErrorKind::InvalidInput => {
            cannot.help("the path of a socket has at most 107 bytes: choose a shorter one")
        }
        io::ErrorKind::PermissionDenied => cannot.help(
            "ports below 1024 are for the superuser, and a socket file needs a folder that you may write",
        ),
        _ => cannot,
    }
}
