//! Inputs that come and go while a query runs: all that are there are read as they have something.
//!
//! ```text
//!   arrivals ─► connection 3                            turns  [ 1, 3 ]   those that may have something
//!               connection 1   a,1⏎b,2⏎ │ c,           ─► block of 1 ─► block of 3 ─► …
//!               connection 3   d,4⏎     │               each with its own buffer, splitter and header
//! ```
//!
//! Before the run, some may have been read for the table's sample (`live_sample.rs`).
//!
//! Invariants: records of different inputs never mix; blocks go on in the order in which they were read; nobody
//! waits for one input while another has something; an input that breaks, or has been quiet for too long, ends
//! alone; the records that all of them have begun are bounded together: the longest one is given up.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::arrived::{Arrived, MostBegun};
use super::block::Spare;
use super::live_sample::Live;
use super::merge::{File, FileState, Next};
use super::reader::{Input, Opened, Patience, Read, Reader};
use super::wait::{Awaited, Idle, ReadyOnes, Waiter, Woken, ready_ones};
use crate::error::Result;
use crate::format::{DEFAULT_MAX_RECORD_BYTES, Format};
use crate::time;

/// An input that is there.
struct Connection {
    reader: Reader,
    file: File,
    /// Whoever gave it knows that it has ended.
    is_told: bool,
    /// What is here of a record that has not ended.
    begun_bytes: usize,
    /// Its place is among those that may have something.
    has_turn: bool,
}

/// The places of inputs that something is to be waited for, and what.
fn to_be_waited_for(places: &[Option<Connection>]) -> (Vec<usize>, Vec<BorrowedFd<'_>>) {
    let open = places.iter().enumerate();
    let open = open.filter_map(|(place, connection)| Some((place, connection.as_ref()?)));
    open.filter_map(|(place, connection)| Some((place, connection.reader.wait_for()?)))
        .unzip()
}

/// Reads what comes and goes.
pub(super) struct LiveReader {
    arrived: Arrived,
    input: Input,
    spare: Spare,
    /// Those that are there, each at a place of its own; a place is free once its input has ended.
    places: Vec<Option<Connection>>,
    /// The places that may have something, in turn.
    turns: VecDeque<usize>,
    /// What all of them have begun.
    begun_bytes: usize,
    most_begun: MostBegun,
}

impl LiveReader {
    pub(super) fn new(live: Live, input: Input) -> Result<Self> {
        let max_record_bytes = match &input.format {
            Format::Columnar(_) => DEFAULT_MAX_RECORD_BYTES,
            format => format.max_record_bytes(),
        };
        let mut reader = LiveReader {
            arrived: live.arrived,
            begun_bytes: 0,
            most_begun: MostBegun::of_records(max_record_bytes),
            input,
            spare: Spare::default(),
            places: Vec::new(),
            turns: VecDeque::new(),
        };
        for sampled in live.open {
            reader.open(sampled.opened, sampled.is_told)?;
        }
        Ok(reader)
    }

    /// The next records of any input; waits only with `patience`.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Next> {
        loop {
            if waiter.stopped().is_some() {
                return Ok(Next::Stop);
            }
            if self.arrived.hurry() && !self.turns.is_empty() {
                self.look()?;
            }
            while let Some(opened) = self.arrived.next()? {
                self.open(opened, false)?;
            }
            if let Some(idle) = patience {
                self.arrived.tell(*idle)?;
            }
            if let Some(next) = self.turn(waiter)? {
                return Ok(next);
            }
            if self.arrived.to_ask && !self.arrived.is_over {
                continue;
            }
            let is_empty = self.places.iter().all(Option::is_none);
            if self.arrived.is_over && is_empty {
                return Ok(Next::End);
            }
            if let Some(next) = self.wait(waiter, patience)? {
                return Ok(next);
            }
        }
    }

    /// Adds what to wait for before reading.
    pub(super) fn await_too<'a>(&'a self, all: &mut Awaited<'a>) {
        self.arrived.await_too(all);
        let open = self.places.iter().flatten();
        all.inputs
            .extend(open.filter_map(|open| open.reader.wait_for()));
    }

    /// Hands on what the connector has to say.
    pub(super) fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        self.arrived.tell(idle)
    }

    /// A block of the first input that has one.
    fn turn(&mut self, waiter: &mut Waiter<'_>) -> Result<Option<Next>> {
        while let Some(place) = self.turns.pop_front() {
            let Some(connection) = &mut self.places[place] else {
                continue;
            };
            connection.has_turn = false;
            let read = connection.reader.next(waiter, &mut None)?;
            self.begun_bytes -= std::mem::take(&mut connection.begun_bytes);
            match read {
                Read::Block(block) => {
                    let file = Arc::clone(&connection.file);
                    self.give_turn(place);
                    return Ok(Some(Next::Block(block, file)));
                }
                Read::Later => {
                    connection.begun_bytes = connection.reader.begun_bytes();
                    self.begun_bytes += connection.begun_bytes;
                    self.limit_begun();
                }
                Read::Stop => return Ok(Some(Next::Stop)),
                Read::End => {
                    if !connection.is_told {
                        let reader = &connection.reader;
                        self.arrived.closed(&reader.name(), reader.ending());
                    }
                    self.places[place] = None;
                }
            }
        }
        Ok(None)
    }

    /// What a place has is read when those before it have been; nobody has two turns.
    fn give_turn(&mut self, place: usize) {
        if let Some(connection) = &mut self.places[place]
            && !std::mem::replace(&mut connection.has_turn, true)
        {
            self.turns.push_back(place);
        }
    }

    /// Gives up the longest record that was begun while all of them are too long.
    fn limit_begun(&mut self) {
        if !self.most_begun.is_less_than(self.begun_bytes) {
            return;
        }
        let begun_bytes =
            |open: &Option<Connection>| open.as_ref().map_or(0, |open| open.begun_bytes);
        let begun_bytes = self.places.iter().map(begun_bytes);
        for place in self.most_begun.too_long(begun_bytes) {
            if let Some(longest) = &mut self.places[place] {
                self.begun_bytes -= std::mem::take(&mut longest.begun_bytes);
                longest.reader.give_up(self.most_begun.reason());
            }
            self.give_turn(place);
        }
    }

    /// Puts those that have something in turn: one that always has may keep them from being waited for.
    fn look(&mut self) -> Result<()> {
        self.tell_time();
        self.wake();
        let (places, inputs) = to_be_waited_for(&self.places);
        let awaited = Awaited {
            inputs,
            ..Awaited::default()
        };
        let ready = ready_ones(&awaited)?.map(|ready| ready.inputs);
        for (place, is_ready) in places.into_iter().zip(ready.unwrap_or_default()) {
            if is_ready {
                self.give_turn(place);
            }
        }
        Ok(())
    }

    /// Tells all inputs the time; true if one of them has been quiet for too long.
    fn tell_time(&mut self) -> bool {
        let now = time::elapsed();
        let open = self.places.iter_mut().flatten();
        let untils = open.filter_map(|open| open.reader.quiet_until(now));
        self.arrived.quiet_until = untils.min();
        self.arrived.quiet_until.is_some_and(|until| now >= until)
    }

    /// Waits until an input has something, or one may have come.
    fn wait(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Option<Next>> {
        if self.tell_time() {
            self.wake();
            return Ok(None);
        }
        let (places, fds) = to_be_waited_for(&self.places);
        let awaited = self.arrived.awaited(fds);
        let woken = match (ready_ones(&awaited)?, patience) {
            (Some(ready), _) => Woken::Ready(ready),
            (None, Some(idle)) => waiter.wait_any(&awaited, *idle)?,
            (None, None) if awaited.until.is_some_and(|until| time::elapsed() >= until) => {
                Woken::Time
            }
            (None, None) => return Ok(Some(Next::Later)),
        };
        match woken {
            Woken::Stop(_) => return Ok(Some(Next::Stop)),
            Woken::Alarm => return Ok(Some(Next::Later)),
            Woken::Time => self.wake(),
            Woken::Ready(ReadyOnes { arrivals, inputs }) => {
                if arrivals {
                    self.wake();
                }
                let ready = places.into_iter().zip(inputs).filter(|(_, ready)| *ready);
                ready.for_each(|(place, _)| self.give_turn(place));
            }
        }
        Ok(None)
    }

    /// Asks for inputs again, and those that nobody can wait for.
    fn wake(&mut self) {
        self.arrived.to_ask = true;
        for place in 0..self.places.len() {
            if let Some(connection) = &self.places[place]
                && connection.reader.wait_for().is_none()
            {
                self.give_turn(place);
            }
        }
    }

    fn open(&mut self, opened: Opened, is_told: bool) -> Result<()> {
        let reader = Reader::of_live(opened, &self.input, &self.spare)?;
        let connection = Some(Connection {
            file: FileState::new(&reader),
            reader,
            is_told,
            begun_bytes: 0,
            has_turn: false,
        });
        let free = self.places.iter().position(Option::is_none);
        let place = match free {
            Some(place) => {
                self.places[place] = connection;
                place
            }
            None => {
                self.places.push(connection);
                self.places.len() - 1
            }
        };
        self.give_turn(place);
        Ok(())
    }
}
