//! Inputs that come and go while a query runs: all that are there are read as they have something.
//!
//! ```text
//!   arrivals ─► connection 3                            turns  [ 1, 3 ]   those that may have something
//!               connection 1   a,1⏎b,2⏎ │ c,           ─► block of 1 ─► block of 3 ─► …
//!               connection 3   d,4⏎     │               each with its own buffer, splitter and header
//! ```
//!
//! Before the run, the table's sample is the first record that any of them sends whole. One among many that sends
//! something else is passed over, and read in the run like all others.
//!
//! Invariants: records of different inputs never mix; blocks go on in the order in which they were read; nobody
//! waits for one input while another has something; an input that breaks, or has been quiet for too long, ends
//! alone.

use std::collections::VecDeque;
use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use super::block::Spare;
use super::merge::{File, FileState, Next};
use super::reader::{Input, Opened, Patience, Read, Reader, Sample};
use super::wait::{Awaited, Idle, ReadyOnes, Waiter, Woken, ready_ones};
use crate::connect::{
    Arrival, Arrivals, Compression, Ending, LONGEST_MESSAGE_BYTES, Notice, Reason, decompressed,
};
use crate::error::Result;
use crate::time;

/// How often to ask for inputs while those that are there have something.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// What comes and goes, before the run.
pub struct Live {
    arrivals: Arrived,
    /// Those that are there, with what was read for the sample.
    open: Vec<Sampled>,
}

struct Sampled {
    opened: Opened,
    /// How it ended, if it has. Where it broke the run reads it again, is told the same, and counts what it
    /// broke within.
    ending: Option<Ending>,
    /// Whoever gave it has been told.
    is_told: bool,
    /// What it sends is no sample of the table.
    is_passed: bool,
}

/// Where inputs come from, and what it last said.
struct Arrived {
    arrivals: Box<dyn Arrivals>,
    /// How the bytes of inputs are compressed.
    compression: Compression,
    /// No more will come.
    is_over: bool,
    /// There may be one.
    to_ask: bool,
    /// When to ask again at the latest.
    until: Option<Duration>,
    /// When the first of the inputs that are there has been quiet for too long.
    quiet_until: Option<Duration>,
    /// When it was asked last.
    asked: Duration,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Live({}, {})",
            self.arrivals.arrivals.name(),
            self.open.len()
        )
    }
}

impl Arrived {
    /// The next input that is there.
    fn next(&mut self) -> Result<Option<Opened>> {
        if self.is_over || !self.to_ask {
            return Ok(None);
        }
        self.asked = time::elapsed();
        match self.arrivals.ask(self.asked)? {
            Arrival::Input(source) => Ok(Some(Opened {
                source: match source.gives_messages() {
                    true => source,
                    false => decompressed(source, self.compression),
                },
                bytes: Vec::new(),
                at_end: false,
            })),
            Arrival::Later(until) => {
                (self.to_ask, self.until) = (false, until);
                Ok(None)
            }
            Arrival::End => {
                (self.is_over, self.until) = (true, None);
                Ok(None)
            }
        }
    }

    fn closed(&mut self, name: &str, ending: &Ending) {
        self.arrivals.closed(name, ending, time::elapsed());
        self.to_ask = true;
    }

    /// Asks again although there is much to be read: what has come may be gone when that is done.
    fn hurry(&mut self) {
        self.to_ask |= time::elapsed().saturating_sub(self.asked) >= ASK_EVERY;
    }

    /// What to wait for before asking: a file, and a time.
    fn await_too<'a>(&'a self, all: &mut Awaited<'a>) {
        if !self.is_over {
            all.arrivals.extend(self.arrivals.wait_for());
        }
        let untils = all.until.into_iter().chain(self.until);
        all.until = untils.chain(self.quiet_until).min();
    }

    /// That, and `inputs`.
    fn awaited<'a>(&'a self, inputs: Vec<BorrowedFd<'a>>) -> Awaited<'a> {
        let mut awaited = Awaited {
            inputs,
            ..Awaited::default()
        };
        self.await_too(&mut awaited);
        awaited
    }

    /// Hands on what the connector has to say.
    fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        while let Some(notice) = self.arrivals.notice() {
            idle(Idle::Said(notice))?;
        }
        Ok(())
    }
}

impl Live {
    /// What `arrivals` gives.
    pub fn new(arrivals: Box<dyn Arrivals>, compression: Compression) -> Self {
        Live {
            arrivals: Arrived {
                arrivals,
                compression,
                is_over: false,
                to_ask: true,
                until: None,
                quiet_until: None,
                asked: Duration::ZERO,
            },
            open: Vec::new(),
        }
    }

    /// Hands on what the connector has to say.
    ///
    /// # Errors
    /// Those of `idle`.
    pub fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        self.arrivals.tell(idle)
    }

    /// Waits for the first sample that an input gives whole, as `length_of` finds its length in the bytes
    /// at hand; of nothing if a signal comes first. What was read is not lost. One that `refusal` has something
    /// against is passed over.
    ///
    /// # Errors
    /// No input can come; those of `idle`.
    pub fn sample(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
        length_of: &dyn Fn(&[u8], bool) -> Option<usize>,
        refusal: &dyn Fn(&Sample) -> Option<String>,
    ) -> Result<Sample> {
        let mut is_told = false;
        loop {
            while let Some(opened) = self.arrivals.next()? {
                self.open.push(Sampled {
                    opened,
                    ending: None,
                    is_told: false,
                    is_passed: false,
                });
            }
            self.arrivals.tell(idle)?;
            for one in &mut self.open {
                let Some(sample) = one.sample(length_of) else {
                    continue;
                };
                let Some(reason) = refusal(&sample) else {
                    return Ok(sample);
                };
                one.is_passed = true;
                // Others decide how many they are; all are counted as rejects.
                if !std::mem::replace(&mut is_told, true) {
                    let text = format!("{}: {reason}: waiting for others", sample.source);
                    idle(Idle::Said(Notice::warning(text)))?;
                }
            }
            let is_reading = self.open.iter().any(Sampled::is_reading);
            if (self.arrivals.is_over && !is_reading) || !self.read_more(waiter, idle)? {
                return Ok(Sample {
                    bytes: Vec::new(),
                    at_end: true,
                    source: self.arrivals.arrivals.name().to_owned(),
                });
            }
        }
    }

    /// Waits for inputs or their bytes, and reads what is there; false if a signal came.
    fn read_more(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<bool> {
        let now = time::elapsed();
        let reading = (self.open.iter_mut()).filter(|sampled| sampled.is_reading());
        let untils = reading.filter_map(|sampled| sampled.opened.source.quiet_until(now));
        self.arrivals.quiet_until = untils.min();
        let reading = (self.open.iter()).filter(|sampled| sampled.is_reading());
        let fds = reading.filter_map(|sampled| sampled.opened.source.wait_for());
        let woken = waiter.wait_any(&self.arrivals.awaited(fds.collect()), idle)?;
        let (arrived, ready) = match woken {
            Woken::Stop(_) => return Ok(false),
            Woken::Ready(ready) => (ready.arrivals, ready.inputs),
            Woken::Time | Woken::Alarm => (true, Vec::new()),
        };
        self.arrivals.to_ask |= arrived;
        let mut ready = ready.into_iter();
        for sampled in &mut self.open {
            if sampled.is_reading() {
                let always = sampled.opened.source.wait_for().is_none();
                if always || ready.next() == Some(true) {
                    sampled.read();
                }
            }
            if let (Some(ending), false) = (&sampled.ending, sampled.is_told) {
                sampled.is_told = true;
                let name = sampled.opened.source.name();
                self.arrivals.closed(name, ending);
            }
        }
        // What has ended and has only blanks shows nothing, and leaves nothing to be read.
        let is_nothing =
            |one: &Sampled| one.ending.is_some() && one.opened.bytes.trim_ascii().is_empty();
        self.open.retain(|sampled| !is_nothing(sampled));
        Ok(true)
    }
}

impl Sampled {
    /// True if more of it may come that shows what the table is.
    fn is_reading(&self) -> bool {
        self.ending.is_none() && !self.is_passed
    }

    /// The sample that its bytes are, if they are one.
    fn sample(&self, length_of: &dyn Fn(&[u8], bool) -> Option<usize>) -> Option<Sample> {
        let Opened {
            source,
            bytes,
            at_end,
        } = &self.opened;
        if self.is_passed || *at_end && bytes.trim_ascii().is_empty() {
            return None;
        }
        let length = length_of(bytes, *at_end)?.min(bytes.len());
        Some(Sample {
            bytes: bytes[..length].to_vec(),
            at_end: *at_end && length == bytes.len(),
            source: source.name().to_owned(),
        })
    }

    /// Reads what is there.
    fn read(&mut self) {
        let opened = &mut self.opened;
        let length = opened.bytes.len();
        opened.bytes.resize(length + LONGEST_MESSAGE_BYTES, 0);
        let read = opened.source.read(&mut opened.bytes[length..]);
        opened.bytes.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => {
                opened.at_end = true;
                self.ending = Some(Ending::Whole);
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => {}
            Err(error) => self.ending = Some(Ending::Broken(Reason(&error).to_string())),
        }
    }
}

/// An input that is there.
struct Connection {
    reader: Reader,
    file: File,
    /// Whoever gave it knows that it has ended.
    is_told: bool,
}

/// Reads what comes and goes.
pub(super) struct LiveReader {
    arrivals: Arrived,
    input: Input,
    spare: Spare,
    /// Those that are there, each at a place of its own; a place is free once its input has ended.
    places: Vec<Option<Connection>>,
    /// The places that may have something, in turn.
    turns: VecDeque<usize>,
}

impl LiveReader {
    pub(super) fn new(live: Live, input: Input) -> Result<Self> {
        let mut reader = LiveReader {
            arrivals: live.arrivals,
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
            self.arrivals.hurry();
            while let Some(opened) = self.arrivals.next()? {
                self.open(opened, false)?;
            }
            if let Some(idle) = patience {
                self.arrivals.tell(*idle)?;
            }
            if let Some(next) = self.turn(waiter)? {
                return Ok(next);
            }
            if self.arrivals.to_ask && !self.arrivals.is_over {
                continue;
            }
            let is_empty = self.places.iter().all(Option::is_none);
            if self.arrivals.is_over && is_empty {
                return Ok(Next::End);
            }
            if let Some(next) = self.wait(waiter, patience)? {
                return Ok(next);
            }
        }
    }

    /// Adds what to wait for before reading.
    pub(super) fn await_too<'a>(&'a self, all: &mut Awaited<'a>) {
        self.arrivals.await_too(all);
        let open = self.places.iter().flatten();
        all.inputs
            .extend(open.filter_map(|open| open.reader.wait_for()));
    }

    /// Hands on what the connector has to say.
    pub(super) fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        self.arrivals.tell(idle)
    }

    /// A block of the first input that has one.
    fn turn(&mut self, waiter: &mut Waiter<'_>) -> Result<Option<Next>> {
        while let Some(place) = self.turns.pop_front() {
            let Some(connection) = &mut self.places[place] else {
                continue;
            };
            match connection.reader.next(waiter, &mut None)? {
                Read::Block(block) => {
                    self.turns.push_back(place);
                    return Ok(Some(Next::Block(block, Arc::clone(&connection.file))));
                }
                Read::Later => {}
                Read::Stop => return Ok(Some(Next::Stop)),
                Read::End => {
                    if !connection.is_told {
                        let reader = &connection.reader;
                        self.arrivals.closed(&reader.name(), reader.ending());
                    }
                    self.places[place] = None;
                }
            }
        }
        Ok(None)
    }

    /// Waits until an input has something, or one may have come.
    fn wait(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Option<Next>> {
        let now = time::elapsed();
        let open = self.places.iter_mut().flatten();
        let untils = open.filter_map(|open| open.reader.quiet_until(now));
        self.arrivals.quiet_until = untils.min();
        if self.arrivals.quiet_until.is_some_and(|until| now >= until) {
            self.wake();
            return Ok(None);
        }
        let open = self.places.iter().enumerate();
        let open = open.filter_map(|(place, connection)| Some((place, connection.as_ref()?)));
        let (places, fds): (Vec<usize>, Vec<BorrowedFd<'_>>) = open
            .filter_map(|(place, connection)| Some((place, connection.reader.wait_for()?)))
            .unzip();
        let awaited = self.arrivals.awaited(fds);
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
                let ready = places.iter().zip(inputs).filter(|(_, ready)| *ready);
                self.turns.extend(ready.map(|(place, _)| *place));
            }
        }
        Ok(None)
    }

    /// Asks for inputs again, and those that nobody can wait for.
    fn wake(&mut self) {
        self.arrivals.to_ask = true;
        for (place, connection) in self.places.iter().enumerate() {
            if let Some(connection) = connection
                && connection.reader.wait_for().is_none()
            {
                self.turns.push_back(place);
            }
        }
    }

    fn open(&mut self, opened: Opened, is_told: bool) -> Result<()> {
        let reader = Reader::of_live(opened, &self.input, &self.spare)?;
        let connection = Some(Connection {
            file: FileState::new(&reader),
            reader,
            is_told,
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
        self.turns.push_back(place);
        Ok(())
    }
}
