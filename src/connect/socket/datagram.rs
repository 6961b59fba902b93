//! Datagrams as an input: each is whole records, whether or not it ends with a newline.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use super::file::SocketFile;
use super::{Address, cannot_listen};
use crate::connect::{ByteSource, LONGEST_MESSAGE_BYTES, Notice};
use crate::error::Result;

/// No datagram is longer: there is room for its newline.
const LONGEST_BYTES: usize = LONGEST_MESSAGE_BYTES - 1;

/// What the system keeps for us while we are busy, in bytes; it gives less where it is told to.
const WAITING_BYTES: usize = 4 << 20;

/// A socket that takes datagrams.
pub(super) struct DatagramSource {
    name: String,
    socket: OwnedFd,
    /// Removes the file of the socket at the end.
    _file: Option<SocketFile>,
    /// A datagram and its newline, of which this many bytes were handed on.
    datagram: Vec<u8>,
    taken: usize,
}

impl DatagramSource {
    pub(super) fn new(address: &Address) -> Result<(Self, Notice)> {
        let cannot = |error| cannot_listen(address, &error);
        let (socket, file, name) = if let Address::UnixDatagram(path) = address {
            let (socket, file) = SocketFile::bind(address, path, |path| UnixDatagram::bind(path))?;
            socket.set_nonblocking(true).map_err(cannot)?;
            (OwnedFd::from(socket), Some(file), address.to_string())
        } else {
            let resolved = address.resolve()?;
            let socket = UdpSocket::bind(resolved.as_slice()).map_err(cannot)?;
            socket.set_nonblocking(true).map_err(cannot)?;
            let local = socket.local_addr().map_err(cannot)?;
            (OwnedFd::from(socket), None, format!("udp://{local}"))
        };
        // A longer queue is a favor that the system may refuse.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(WAITING_BYTES);
        let notice = Notice::remark(format!("listening at {name}"));
        let source = DatagramSource {
            name,
            socket,
            _file: file,
            datagram: Vec::with_capacity(LONGEST_MESSAGE_BYTES),
            taken: 0,
        };
        Ok((source, notice))
    }

    /// Takes the next datagram that has something in it.
    fn receive(&mut self) -> rustix::io::Result<()> {
        loop {
            self.datagram.resize(LONGEST_BYTES, 0);
            // Reading a datagram that is too long drops the rest of it, and none is.
            let received = rustix::io::read(&self.socket, &mut self.datagram[..]);
            self.taken = 0;
            self.datagram.truncate(received.unwrap_or(0));
            received?;
            // Syslog over UDP has no newline, and some senders end with a NUL.
            while self.datagram.last() == Some(&0) {
                self.datagram.pop();
            }
            if !self.datagram.is_empty() {
                if self.datagram.last() != Some(&b'\n') {
                    self.datagram.push(b'\n');
                }
                return Ok(());
            }
        }
    }
}

impl ByteSource for DatagramSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.datagram.len() {
            self.receive()?;
        }
        let left = &self.datagram[self.taken..];
        let length = left.len().min(buffer.len());
        buffer[..length].copy_from_slice(&left[..length]);
        self.taken += length;
        Ok(length)
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn gives_messages(&self) -> bool {
        true
    }
}
