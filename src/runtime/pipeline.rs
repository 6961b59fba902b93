//! The blocks of one source on their way through the threads: each is brought all the way by the thread that
//! read it, so that its bytes and columns stay in the caches of one core.
//!
//! ```text
//!   thread A    read 7 │ decode 7 │ time 7 │ prepare 7 │ read 9 │ …       read: one thread at a time
//!   thread B             read 8 │ decode 8 │ time 8 │ prepare 8 │ …       time: in order, one at a time
//!
//!   slots       [ 5 ready │ 6 ready │ 7 – │ 8 – ]                        taken in order by the one thread that
//!               first                      begun                         has the operators with state
//! ```
//!
//! Nobody waits for the time of the block before: who comes too early leaves the rows behind, and who brings
//! that block takes them along.
//!
//! Invariants: slots are begun and taken in order; at most `most` are under way. What is in a step does not
//! depend on who brought it. A helper ends when it finds nothing to do, and never waits for input.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::block::Block;
use super::merge::{File, Next, Run};
use super::reader::Patience;
use super::records::Records;
use super::timeline::{RowPlan, Rows, Step, Timeline};
use super::wait::Waiter;
use super::workers::lock;
use crate::data::Batch;
use crate::error::Result;
use crate::exec::parallel::Ahead;

/// What the threads share of a source; see the module.
pub(super) struct Pipeline {
    rows: RowPlan,
    ahead: Arc<Ahead>,
    /// Blocks of fewer bytes are not worth another thread, nor gathering.
    small_bytes: usize,
    /// How many blocks may be under way.
    most: usize,
    /// True if others help.
    is_shared: bool,
    records: Mutex<Records>,
    timeline: Mutex<Turns>,
    slots: Mutex<Slots>,
    /// Something came that the one who waits may want.
    news: Condvar,
}

/// The timeline, and the block that it lets through next.
struct Turns {
    timeline: Timeline,
    next: u64,
    /// Blocks that were decoded before those in front of them.
    early: BTreeMap<u64, Decoded>,
}

struct Slots {
    /// A place for each block under way: its step, once it is ready.
    places: VecDeque<Option<Result<Step>>>,
    /// The number of the first of them.
    first: u64,
    /// Blocks that wait for whoever is free.
    timed: VecDeque<Timed>,
    /// The latest time of reading that was given: it never goes back.
    arrival: i64,
    /// How reading ended, or that nobody wants more.
    end: Option<Result<()>>,
    /// The last reading found nothing: there is nothing to help with.
    is_dry: bool,
    /// A helper panicked.
    panic: Option<Box<dyn Any + Send>>,
    /// Threads that help.
    helpers: usize,
    /// True while one waits for news.
    is_awaited: bool,
}

/// A block that was read, as whole or merged with others.
enum Input {
    Block(Block),
    Run(Run),
}

/// A block that has its number.
pub(super) struct Begun {
    number: u64,
    input: Input,
    file: File,
    gathers: bool,
}

struct Decoded {
    rows: Rows,
    file: File,
    gathers: bool,
}

/// A block that has its watermark.
pub(super) struct Timed {
    number: u64,
    step: Step,
    batch: Option<Batch>,
    gathers: bool,
}

/// What there is to do.
pub(super) enum Work {
    Begun(Begun),
    Timed(Timed),
    /// Nothing, until a step is taken, input comes or others are done.
    Nothing,
    /// A signal asked to stop.
    Stop,
}

/// What can be taken.
pub(super) enum Taken {
    Step(Step),
    /// All blocks were taken.
    End(Result<()>),
    /// The first one is under way, or none is.
    NotYet,
}

impl Pipeline {
    /// `threads` may work on it, the one that takes the steps among them.
    pub(super) fn new(
        rows: RowPlan,
        ahead: Arc<Ahead>,
        timeline: Timeline,
        records: Records,
        small_bytes: usize,
        threads: usize,
    ) -> Self {
        /// However many threads there are, memory is bounded.
        const MOST: usize = 66;
        Pipeline {
            rows,
            ahead,
            small_bytes,
            most: match threads {
                1 => 1,
                threads => (threads + 2).min(MOST),
            },
            is_shared: threads > 1,
            records: Mutex::new(records),
            timeline: Mutex::new(Turns {
                timeline,
                next: 0,
                early: BTreeMap::new(),
            }),
            slots: Mutex::new(Slots {
                places: VecDeque::new(),
                first: 0,
                timed: VecDeque::new(),
                arrival: i64::MIN,
                end: None,
                is_dry: false,
                panic: None,
                helpers: 0,
                is_awaited: false,
            }),
            news: Condvar::new(),
        }
    }

    /// The step of the first block, if it is ready. A panic of a helper goes on here.
    pub(super) fn take(&self) -> Taken {
        let mut slots = lock(&self.slots);
        if let Some(panic) = slots.panic.take() {
            drop(slots);
            resume_unwind(panic);
        }
        match slots.places.front_mut() {
            Some(place) => match place.take() {
                Some(Ok(step)) => {
                    slots.places.pop_front();
                    slots.first += 1;
                    Taken::Step(step)
                }
                Some(Err(error)) => Taken::End(Err(error)),
                None => Taken::NotYet,
            },
            None => match slots.end.take() {
                Some(end) => Taken::End(end),
                None => Taken::NotYet,
            },
        }
    }

    /// Something to do. With `patience` it waits for input, if there is nothing else to wait for.
    ///
    /// Errors of reading are those of the step in whose place they stand.
    pub(super) fn find_work(&self, waiter: &mut Waiter<'_>, patience: Patience<'_>) -> Work {
        if let Some(timed) = lock(&self.slots).timed.pop_front() {
            return Work::Timed(timed);
        }
        let mut records = lock(&self.records);
        let mut patience = {
            let slots = lock(&self.slots);
            if slots.end.is_some() || slots.places.len() >= self.most {
                return Work::Nothing;
            }
            // Nobody else begins a block while this one has the records.
            patience.filter(|_| slots.places.is_empty())
        };
        let next = records.next(waiter, &mut patience);
        let mut slots = lock(&self.slots);
        slots.is_dry = matches!(next, Ok(Next::Later));
        let (input, file) = match next {
            Ok(Next::Block(mut block, file)) => {
                let origin = block.origin();
                slots.arrival = slots.arrival.max(origin.arrival);
                origin.arrival = slots.arrival;
                (Input::Block(block), file)
            }
            Ok(Next::Run(mut run, file)) => {
                slots.arrival = slots.arrival.max(run.origin.arrival);
                if let Some(column) = self.rows.arrival
                    && let Err(error) = run.arrived(column, slots.arrival)
                {
                    return self.end(&mut slots, Err(error));
                }
                (Input::Run(run), file)
            }
            Ok(Next::Later) => return Work::Nothing,
            Ok(Next::Stop) => return Work::Stop,
            Ok(Next::End) => return self.end(&mut slots, Ok(())),
            Err(error) => return self.end(&mut slots, Err(error)),
        };
        let number = slots.first + slots.places.len() as u64;
        slots.places.push_back(None);
        let is_small = match &input {
            Input::Block(block) => block.len() < self.small_bytes,
            Input::Run(_) => false,
        };
        // What comes in small pieces wakes nobody.
        slots.is_dry = is_small;
        Work::Begun(Begun {
            number,
            input,
            file,
            gathers: self.is_shared && !is_small,
        })
    }

    fn end(&self, slots: &mut Slots, end: Result<()>) -> Work {
        slots.end = Some(end);
        self.tell(slots);
        Work::Nothing
    }

    /// True if no block is under way, and more may come.
    pub(super) fn is_empty(&self) -> bool {
        let slots = lock(&self.slots);
        slots.places.is_empty() && slots.end.is_none()
    }

    /// Notes that it is `now`, in microseconds since 1970: what is read from here on arrives no earlier. The
    /// latest time of reading, if no block that arrived before is under way.
    pub(super) fn arrive(&self, now: i64) -> Option<i64> {
        let mut slots = lock(&self.slots);
        if !slots.places.is_empty() {
            return None;
        }
        slots.arrival = slots.arrival.max(now);
        Some(slots.arrival)
    }

    /// What is read.
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    /// Lets event time go on though no row came, if no block is under way; see [`Timeline::go_on`].
    pub(super) fn go_on(&self, passed: i64) -> Option<(i64, i64)> {
        if !self.is_empty() {
            return None;
        }
        lock(&self.timeline).timeline.go_on(passed)
    }

    /// Has no more blocks read.
    pub(super) fn close(&self) {
        lock(&self.slots).end = Some(Ok(()));
    }

    /// Brings a block as far as it can come.
    pub(super) fn advance(&self, begun: Begun) {
        let Begun {
            number,
            input,
            file,
            gathers,
        } = begun;
        let rows = match input {
            Input::Block(block) => self.rows.read(block),
            Input::Run(run) => self.rows.compute(run),
        };
        let decoded = match rows {
            Err(error) => return self.put(number, Err(error)),
            Ok(rows) => Decoded {
                rows,
                file,
                gathers,
            },
        };
        let mut timed = self.keep_time(number, decoded).into_iter();
        let own = timed.next();
        if timed.len() > 0 {
            let mut slots = lock(&self.slots);
            slots.timed.extend(timed);
            self.tell(&mut slots);
        }
        if let Some(own) = own {
            self.prepare(own);
        }
    }

    /// Leads a block and those that waited for it past the watermark, if it is their turn.
    fn keep_time(&self, number: u64, decoded: Decoded) -> Vec<Timed> {
        let mut turns = lock(&self.timeline);
        if number != turns.next {
            turns.early.insert(number, decoded);
            return Vec::new();
        }
        let (mut timed, mut next) = (Vec::new(), Some(decoded));
        while let Some(decoded) = next {
            let number = turns.next;
            match turns.timeline.keep_time(decoded.rows, &decoded.file) {
                Ok((step, batch)) => timed.push(Timed {
                    number,
                    step,
                    batch,
                    gathers: decoded.gathers,
                }),
                // Those behind it never get their turn, and nobody takes them.
                Err(error) => {
                    self.put(number, Err(error));
                    break;
                }
            }
            turns.next += 1;
            let number = turns.next;
            next = turns.early.remove(&number);
        }
        timed
    }

    /// Does what can be done for the rows of a block before the operators with state, and puts it in its slot.
    pub(super) fn prepare(&self, timed: Timed) {
        let mut step = timed.step;
        let prepared = timed.batch.map(|batch| {
            let prepared = self.ahead.prepare(&batch, timed.gathers);
            prepared.map(|prepared| step.prepared = Some(prepared))
        });
        self.put(timed.number, prepared.transpose().map(|_| step));
    }

    fn put(&self, number: u64, step: Result<Step>) {
        let mut slots = lock(&self.slots);
        let place = number - slots.first;
        if let Some(slot) = slots.places.get_mut(place as usize) {
            *slot = Some(step);
        }
        if place == 0 {
            self.tell(&mut slots);
        }
    }

    /// Wakes the one who waits, if one does.
    fn tell(&self, slots: &mut Slots) {
        if std::mem::take(&mut slots.is_awaited) {
            self.news.notify_one();
        }
    }

    /// Waits until there is something to take or to do. Called when others have a block under way, or when
    /// nothing will come.
    pub(super) fn wait(&self) {
        let mut slots = lock(&self.slots);
        while slots.panic.is_none()
            && slots.timed.is_empty()
            && (slots.places.front()).map_or(slots.end.is_none(), Option::is_none)
        {
            slots.is_awaited = true;
            slots = (self.news.wait(slots)).unwrap_or_else(PoisonError::into_inner);
        }
        slots.is_awaited = false;
    }

    /// True if a thread more would find something to do, of which there are `most` besides the one that takes;
    /// it is counted as a helper then.
    pub(super) fn hires(&self, most: usize) -> bool {
        let mut slots = lock(&self.slots);
        let hires = slots.helpers < most
            && !slots.is_dry
            && slots.end.is_none()
            && slots.places.len() < self.most;
        slots.helpers += usize::from(hires);
        hires
    }

    /// A round of a helper; false if it is not needed any more.
    pub(super) fn help(&self) -> bool {
        let round = AssertUnwindSafe(|| match self.find_work(&mut Waiter::new(None), None) {
            Work::Begun(begun) => {
                self.advance(begun);
                true
            }
            Work::Timed(timed) => {
                self.prepare(timed);
                true
            }
            Work::Nothing | Work::Stop => false,
        });
        let round = catch_unwind(round);
        if let Ok(true) = round {
            return true;
        }
        let mut slots = lock(&self.slots);
        slots.helpers -= 1;
        if let Err(panic) = round {
            slots.panic = Some(panic);
            self.tell(&mut slots);
        }
        false
    }
}
