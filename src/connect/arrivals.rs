//! Inputs that come and go while a query runs: the connections of a listening socket, the files of a folder.
//!
//! ```text
//!   ask(now) ─► Input(connection 1)      closed(connection 1 broke)
//!            ─► Later: when wait_for() is ready, or at a time at the latest
//!            ─► Input(connection 2)
//!            ─► End: no more will come; those that are open go on
//! ```
//!
//! Invariants: `ask` never waits and reads no clock: it is told the time. What an input gives is its own: records
//! of two of them never mix.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::ByteSource;
use crate::error::Result;

/// Gives the inputs of one table one by one, as they come.
pub trait Arrivals: Send {
    /// What messages call all of them: an address, a pattern.
    fn name(&self) -> &str;

    /// The next input, if one is there. `now` is the time since some fixed moment.
    ///
    /// An input of it whose [`ByteSource::read`] says `WouldBlock` has nothing for now; if it has nothing to wait
    /// for either, it is read again when `wait_for` is ready or the time of [`Arrival::Later`] has come.
    ///
    /// # Errors
    /// No input will ever come, and the query cannot go on.
    fn ask(&mut self, now: Duration) -> Result<Arrival>;

    /// What to wait for before asking again: readable or writable.
    fn wait_for(&self) -> Option<BorrowedFd<'_>>;

    /// The input of that name, which it gave, has ended.
    fn closed(&mut self, name: &str, ending: &Ending, now: Duration) {
        let _ = (name, ending, now);
    }

    /// Something to tell the user, once.
    fn notice(&mut self) -> Option<Notice> {
        None
    }
}

/// An answer to [`Arrivals::ask`].
pub enum Arrival {
    /// An input.
    Input(Box<dyn ByteSource>),
    /// None for now: ask again when there is something to wait for, at this time at the latest.
    Later(Option<Duration>),
    /// No more will come.
    End,
}

/// How an input ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As its writer wanted.
    Whole,
    /// It broke: why.
    Broken(String),
}

/// Something that the user may want to know of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What to say.
    pub text: String,
    /// True if something is lost or wrong.
    pub is_warning: bool,
}

impl Notice {
    /// What is good to know.
    pub fn remark(text: impl Into<String>) -> Self {
        Notice {
            text: text.into(),
            is_warning: false,
        }
    }

    /// What is wrong.
    pub fn warning(text: impl Into<String>) -> Self {
        Notice {
            text: text.into(),
            is_warning: true,
        }
    }
}

/// One input that is there from the beginning, and no other.
pub struct OnlyOne {
    name: String,
    source: Option<Box<dyn ByteSource>>,
    notices: Vec<Notice>,
}

impl OnlyOne {
    /// `source` and no other.
    pub fn new(source: Box<dyn ByteSource>, notices: Vec<Notice>) -> Self {
        OnlyOne {
            name: source.name().to_owned(),
            source: Some(source),
            notices,
        }
    }
}

impl Arrivals for OnlyOne {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, _now: Duration) -> Result<Arrival> {
        Ok(self.source.take().map_or(Arrival::End, Arrival::Input))
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop()
    }
}
