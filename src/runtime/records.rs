//! Where the records of a source come from: files that are there, or inputs that come and go.

use super::live::LiveReader;
use super::merge::{Files, Next};
use super::reader::{Input, Inputs, Patience};
use super::wait::{Awaited, Idle, Waiter};
use crate::error::Result;

/// The records of a source, in the order in which they are read.
pub(super) enum Records {
    Files(Box<Files>),
    Live(Box<LiveReader>),
}

impl Records {
    /// Those of `input`.
    ///
    /// # Errors
    /// As [`Files::new`] and [`Reader::of_live`](super::reader::Reader::of_live).
    pub(super) fn new(mut input: Input, waiter: &mut Waiter<'_>) -> Result<Self> {
        Ok(match std::mem::take(&mut input.inputs) {
            Inputs::Files(files) => Records::Files(Box::new(Files::new(files, input, waiter)?)),
            Inputs::Live(live) => Records::Live(Box::new(LiveReader::new(live, input)?)),
        })
    }

    /// The next records; waits only with `patience`.
    ///
    /// # Errors
    /// What is wrong with an input, behind its whole records.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Next> {
        match self {
            Records::Files(files) => files.next(waiter, patience),
            Records::Live(live) => live.next(waiter, patience),
        }
    }

    /// Adds what to wait for before reading.
    pub(super) fn await_too<'a>(&'a self, all: &mut Awaited<'a>) {
        match self {
            Records::Files(files) => files.await_too(all),
            Records::Live(live) => live.await_too(all),
        }
    }

    /// Hands on what connectors have to say.
    pub(super) fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        match self {
            Records::Files(_) => Ok(()),
            Records::Live(live) => live.tell(idle),
        }
    }
}
