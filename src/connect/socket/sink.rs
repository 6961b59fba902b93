//! A socket that records are written to: connected when they begin, and made again when it breaks.
//!
//! ```text
//!   records  a⏎b⏎c⏎d⏎          taken by the system: a⏎b⏎c           then it breaks
//!   the next connection         greeting · c⏎d⏎                      from the first record that was not taken whole
//! ```
//!
//! What the system had taken when a connection broke may not have arrived: nobody says so. A peer that has
//! closed its side is given a moment to say that it is gone before anything more is believed to arrive.
//!
//! Invariants: a connection begins with a whole record, and gets records in their order; a datagram is one
//! record; nothing waits for long once the user wants to stop.

use std::io;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use socket2::{Socket, Type};

use super::backoff::{Attempts, MOST_ATTEMPTS};
use super::target::Target;
use super::{Address, GOOD, Reconnect, SocketOptions};
use crate::connect::outside::{Grace, Outside, SLICE};
use crate::connect::waits::{happens, pause};
use crate::connect::{Notice, Reason, RecordEnds};
use crate::error::{Error, ErrorKind, Result};

/// How long a peer that has closed its side has for saying that it takes no more.
const LAST_WORD: Duration = Duration::from_millis(300);

/// A socket that records are written to.
pub struct SocketSink {
    name: String,
    targets: Vec<Target>,
    kind: Type,
    options: SocketOptions,
    ends: RecordEnds,
    /// What every connection begins with.
    greeting: Vec<u8>,
    link: Option<Link>,
    attempts: Attempts,
    outside: Box<dyn Outside>,
    notices: Vec<Notice>,
}

struct Link {
    socket: Socket,
    opened: Duration,
    /// The peer has closed its side, and still takes what is sent.
    is_half: bool,
    /// Records were written.
    is_used: bool,
    /// It was not broken when something was written once more: counting failures begins anew.
    is_good: bool,
}

/// Why something was not sent.
enum Failure {
    Broken(String),
    /// A datagram of so many bytes is too long.
    TooLong(usize),
    Stopped,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Broken(Reason(&error).to_string())
    }
}

impl SocketSink {
    /// What writes to `address`, once it is connected.
    ///
    /// # Errors
    /// The address is for listening, or its host is not known.
    pub fn new(
        address: &Address,
        options: &SocketOptions,
        ends: RecordEnds,
        outside: Box<dyn Outside>,
    ) -> Result<Self> {
        if matches!(address, Address::TcpListen(..) | Address::UnixListen(_)) {
            let what = format!("`{address}` listens, and a sink connects");
            return Err(Error::unsupported(what).help(
                "write to tcp://host:port, unix:///path, udp://host:port or unix-dgram:///path",
            ));
        }
        if matches!(address, Address::Udp(_, 0)) {
            return Err(Error::usage(format!(
                "`{address}` names no port to write to"
            )));
        }
        Ok(SocketSink {
            name: address.to_string(),
            targets: Target::of(address)?,
            kind: match address.gives_messages() {
                true => Type::DGRAM,
                false => Type::STREAM,
            },
            options: options.clone(),
            ends,
            greeting: Vec::new(),
            link: None,
            attempts: Attempts::new(options.reconnect),
            outside,
            notices: Vec::new(),
        })
    }

    /// True if each record is a datagram.
    pub fn sends_messages(&self) -> bool {
        self.kind == Type::DGRAM
    }

    /// What every connection shall begin with: a header.
    pub fn greet(&mut self, greeting: &[u8]) {
        self.greeting = greeting.to_vec();
    }

    /// Connects, so that an address at which nobody is shows before the first record.
    ///
    /// # Errors
    /// Nobody is there, but for `reconnect = 'always'`.
    pub fn open(&mut self) -> Result<()> {
        self.write(&[])
    }

    /// Writes whole records, and waits until the system has taken them.
    ///
    /// # Errors
    /// It broke and could not be made again; a record does not fit into a datagram; the user wants to stop.
    pub fn write(&mut self, records: &[u8]) -> Result<()> {
        let mut rest = records;
        loop {
            let (taken, outcome) = match self.linked() {
                Ok(()) => self.send(rest),
                Err(failure) => (0, Err(failure)),
            };
            let Err(failure) = outcome else {
                return Ok(());
            };
            rest = &rest[self.ends.whole_records(&rest[..taken])..];
            match failure {
                Failure::Stopped => {
                    let what = format!("stopped while `{}` took nothing", self.name);
                    return Err(Error::new(ErrorKind::Stopped, what));
                }
                Failure::TooLong(length) => {
                    let reason = format!("a row of {length} bytes does not fit into a datagram");
                    let what = format!("cannot write to `{}`", self.name);
                    return Err(Error::outside(what, reason)
                        .help("write fewer columns, or to tcp://host:port"));
                }
                Failure::Broken(reason) => self.broke(&reason)?,
            }
        }
    }

    /// Says that nothing more comes.
    pub fn finish(&mut self) {
        if let Some(link) = &self.link
            && self.kind == Type::STREAM
        {
            // What has come and was not read would make the system take back what is on its way.
            let _ = link.peer_is_gone();
            let _ = link.socket.shutdown(std::net::Shutdown::Write);
        }
    }

    /// Something to tell the user, once.
    pub fn notice(&mut self) -> Option<Notice> {
        self.notices.pop()
    }

    /// Makes sure that there is a connection, which has been greeted.
    fn linked(&mut self) -> Result<(), Failure> {
        if self.link.is_some() {
            return Ok(());
        }
        let mut refused = Failure::Broken(String::from("the host has no address"));
        for place in 0..self.targets.len() {
            match self.connect(place) {
                Ok(socket) => {
                    self.link = Some(Link {
                        socket,
                        opened: self.outside.now(),
                        is_half: false,
                        is_used: false,
                        is_good: false,
                    });
                    self.attempts.made();
                    let greeting = std::mem::take(&mut self.greeting);
                    let (_, greeted) = self.send(&greeting);
                    self.greeting = greeting;
                    if let Some(link) = &mut self.link {
                        link.is_used = false;
                    }
                    return greeted;
                }
                Err(Failure::Stopped) => return Err(Failure::Stopped),
                Err(failure) => refused = failure,
            }
        }
        Err(refused)
    }

    fn connect(&mut self, place: usize) -> Result<Socket, Failure> {
        let began = self.outside.now();
        let (socket, is_there) = self.targets[place].begin(self.kind)?;
        if !is_there {
            while !happens(&socket, PollFlags::OUT, SLICE) {
                if self.outside.is_stopped() {
                    return Err(Failure::Stopped);
                }
                if self.outside.now().saturating_sub(began) >= self.options.connect_timeout {
                    let timeout = self.options.connect_timeout;
                    let reason = format!("nobody answers within {timeout:?}");
                    return Err(Failure::Broken(reason));
                }
            }
            if let Some(error) = socket.take_error()? {
                return Err(error.into());
            }
        }
        let _ = socket.set_keepalive(true);
        // Results shall arrive as they come.
        let _ = socket.set_tcp_nodelay(true);
        Ok(socket)
    }

    /// Sends records; how many bytes of them the system has taken, and whether those are all.
    fn send(&mut self, records: &[u8]) -> (usize, Result<(), Failure>) {
        let mut taken = 0;
        let outcome = match self.kind {
            Type::DGRAM => self.send_messages(records, &mut taken),
            _ => self.send_bytes(records, &mut taken),
        };
        (taken, outcome)
    }

    fn send_bytes(&mut self, bytes: &[u8], taken: &mut usize) -> Result<(), Failure> {
        if bytes.is_empty() {
            return Ok(());
        }
        let link = self.link.as_mut().ok_or(Failure::Stopped)?;
        let closes = !link.is_half && link.peer_is_gone()?;
        link.is_good |= link.is_used;
        link.is_used = true;
        while *taken < bytes.len() {
            match link.socket.send(&bytes[*taken..]) {
                Ok(length) => *taken += length,
                Err(error) => waited(&link.socket, error, self.outside.as_ref())?,
            }
        }
        if closes {
            if happens(&link.socket, PollFlags::empty(), LAST_WORD) {
                // Nothing of this has arrived.
                *taken = 0;
                return Err(Failure::Broken(String::from("the connection was closed")));
            }
            link.is_half = true;
        }
        Ok(())
    }

    fn send_messages(&mut self, records: &[u8], taken: &mut usize) -> Result<(), Failure> {
        let link = self.link.as_mut().ok_or(Failure::Stopped)?;
        let is_local = matches!(self.targets.first(), Some(Target::Unix(_)));
        while *taken < records.len() {
            let rest = &records[*taken..];
            let length = self.ends.first_record(rest);
            match link.socket.send(&rest[..length]) {
                Ok(_) => *taken += length,
                Err(error) if Errno::from_io_error(&error) == Some(Errno::MSGSIZE) => {
                    return Err(Failure::TooLong(length));
                }
                // Nobody took an earlier one, which the network does not promise.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && !is_local => {}
                Err(error) => waited(&link.socket, error, self.outside.as_ref())?,
            }
        }
        Ok(())
    }

    /// A connection broke or could not be made: waits before the next attempt.
    fn broke(&mut self, reason: &str) -> Result<()> {
        let link = self.link.take();
        let now = self.outside.now();
        let is_good = |link: Link| link.is_good || now.saturating_sub(link.opened) > GOOD;
        if link.is_some_and(is_good) {
            self.attempts.begin_anew();
        }
        let Some(pause_time) = self.attempts.failed() else {
            let error = Error::outside(format!("cannot write to `{}`", self.name), reason);
            return Err(match (self.attempts.was_there(), self.options.reconnect) {
                (false, _) => error.help(
                    "to wait until somebody is there: CREATE TABLE … WITH (address = '…', reconnect = 'always')",
                ),
                (_, Reconnect::Broken) => {
                    error.note(format!("{MOST_ATTEMPTS} attempts to connect again failed"))
                }
                _ => error,
            });
        };
        if self.attempts.is_first_failure() {
            let text = format!("{}: {reason}; connecting again", self.name);
            self.notices.push(Notice::warning(text));
        }
        let until = now + pause_time;
        loop {
            let left = until.saturating_sub(self.outside.now());
            if left.is_zero() {
                return Ok(());
            }
            if self.outside.is_stopped() {
                let what = format!("stopped while `{}` was not connected", self.name);
                return Err(Error::new(ErrorKind::Stopped, what));
            }
            pause(left.min(SLICE));
        }
    }
}

impl Link {
    /// True if the peer has closed its side. What it sends is of no interest.
    fn peer_is_gone(&self) -> Result<bool, Failure> {
        let mut buffer = [0; 1 << 12];
        loop {
            match rustix::io::read(&self.socket, &mut buffer) {
                Ok(0) => return Ok(true),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }
}

/// Waits until the socket takes more, if that is all that is wrong.
fn waited(socket: &Socket, error: io::Error, outside: &dyn Outside) -> Result<(), Failure> {
    match Errno::from_io_error(&error) {
        Some(Errno::INTR) => return Ok(()),
        Some(Errno::AGAIN | Errno::NOBUFS) => {}
        _ => return Err(error.into()),
    }
    let mut grace = Grace::default();
    while !happens(socket, PollFlags::OUT, SLICE) {
        if grace.is_over(outside) {
            return Err(Failure::Stopped);
        }
    }
    // A full queue of the network says that it can be written.
    if error.kind() != io::ErrorKind::WouldBlock {
        pause(Duration::from_millis(1));
    }
    Ok(())
}
