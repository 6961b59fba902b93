//! The loop of a running query: one step of one source at a time, to the end, a limit, a gate or a signal.

mod telling;

use std::sync::Arc;
use std::time::Duration;

use super::commit::{Committed, Gates, Keeper, LateRow, Mover, Noted, RejectedRow, commit};
use super::interrupt::{Interrupts, Signal};
use super::output::Output;
use super::progress::{Silence, Ticks};
use super::quiet::Closing;
use super::reader::Input;
use super::sink::{Pause, Sink, Status};
use super::source::{Given, Source};
use super::summary::Summary;
use super::timeline::Step;
use super::turns::{Turn, Turns, furthest_behind, wait_for_any};
use super::wait::{Idle, Waiter, Woken};
use super::workers::Workers;
use crate::data::{Position, input_of_position, record_of_position};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Watermark;
use crate::exec::graph::{Graph, Results};
use crate::exec::parallel::Ahead;
use crate::plan::SourcePlan;
use crate::time::{self, Unit};
use telling::Standing;

/// The clock is asked no more often than this while nothing comes, and no less: it may be set.
const SHORTEST_ALARM: Duration = Duration::from_millis(5);
const LONGEST_ALARM: Duration = Duration::from_secs(1);
/// After this it is asked where no operator knows what closes next.
const UNKNOWN_CLOSING_MICROSECONDS: i64 = 20_000;

/// Queries over the same sources, with their open inputs.
pub struct RunSpec<'a> {
    /// What is read.
    pub sources: &'a [SourcePlan],
    /// The operators before their first row.
    pub graph: Graph,
    /// How many roots those have.
    pub roots: usize,
    /// The inputs, in the order of the sources.
    pub inputs: Vec<Input>,
    /// How much may go wrong.
    pub gates: Gates,
    /// Signals.
    pub interrupts: Option<&'a Interrupts>,
    /// How many threads may work; `None` for one on each core.
    pub threads: Option<usize>,
    /// `--on-interrupt emit`: a signal closes all windows as the end of input does.
    pub emit_on_interrupt: bool,
}

/// How a run ended, if nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All input was read, or a limit was reached.
    Done,
    /// A signal asked to stop.
    Stopped(Signal),
}

struct Run<'a> {
    graph: Graph,
    plans: &'a [SourcePlan],
    aheads: Vec<Arc<Ahead>>,
    sources: Vec<Option<Source>>,
    turns: Turns,
    ticks: Ticks,
    silence: Silence,
    workers: Workers,
    /// Per source: who moved its watermark to where it is.
    movers: Vec<Option<Mover>>,
    /// Per source: its watermark.
    reached: Vec<i64>,
    units: Vec<Unit>,
    gates: &'a Gates,
    summary: &'a mut Summary,
    output: Output<'a>,
    has_windows: bool,
}

struct SinkKeeper<'a>(&'a mut dyn Sink);

impl Keeper for SinkKeeper<'_> {
    fn late(&mut self, row: &LateRow<'_>) -> Result<()> {
        self.0.late(row)
    }

    fn rejected(&mut self, row: &RejectedRow<'_>) -> Result<()> {
        self.0.rejected(row)
    }
}

/// Runs queries. `summary` holds what was counted however the run ends.
///
/// # Errors
/// What sinks and inputs say; a gate that shut, with all windows closed before it out.
pub fn run(spec: RunSpec<'_>, summary: &mut Summary, sink: &mut dyn Sink) -> Result<Outcome> {
    let mut waiter = Waiter::new(spec.interrupts);
    let block_bytes = spec.inputs.iter().map(|input| input.block_bytes).max();
    let block_bytes = block_bytes.unwrap_or(usize::MAX);
    let mut graph = spec.graph;
    let aheads: Vec<Arc<Ahead>> = (0..spec.inputs.len())
        .map(|source| Arc::new(graph.ahead(source)))
        .collect();
    let workers = Workers::new(spec.threads);
    let is_watched = sink.watches();
    let total_bytes = is_watched
        .then(|| telling::total_bytes(&spec.inputs))
        .flatten();
    let is_live = telling::total_bytes(&spec.inputs).is_none();
    let mut sources = Vec::with_capacity(spec.inputs.len());
    for (number, (plan, input)) in spec.sources.iter().zip(spec.inputs).enumerate() {
        let number = u16::try_from(number).map_err(|_| Error::plan("more than 65,535 sources"))?;
        let ahead = Arc::clone(&aheads[usize::from(number)]);
        let threads = workers.count();
        let source = Source::new(number, plan, input, ahead, threads, &mut waiter)?;
        sources.push(Some(source));
    }
    let unit = |plan: &SourcePlan| {
        let watermark = plan.watermark.as_ref()?;
        Unit::of(plan.schema.field(watermark.time_column).data_type())
    };
    let mut run = Run {
        graph,
        plans: spec.sources,
        aheads,
        sources,
        turns: Turns::new(spec.sources),
        ticks: Ticks::new(is_watched, total_bytes),
        silence: Silence::new(),
        workers,
        movers: vec![None; spec.sources.len()],
        reached: vec![i64::MIN; spec.sources.len()],
        units: (spec.sources.iter())
            .map(|plan| unit(plan).unwrap_or(Unit::Microsecond))
            .collect(),
        gates: &spec.gates,
        summary,
        output: Output::new(sink, spec.roots, block_bytes, is_live),
        has_windows: spec.sources.iter().any(|source| source.watermark.is_some()),
    };
    let ended = run.complete(&mut waiter, spec.emit_on_interrupt);
    if let Err(error) = &ended {
        run.output.settle(&run.workers);
        if error.kind() == ErrorKind::Stopped {
            run.summary.open_windows += run.graph.open_windows() as u64;
        }
    }
    let outcome = ended?;
    run.output.flush(&run.workers)?;
    Ok(outcome)
}

impl Run<'_> {
    fn complete(&mut self, waiter: &mut Waiter<'_>, emit_on_interrupt: bool) -> Result<Outcome> {
        let outcome = self.until_end(waiter)?;
        match outcome {
            Outcome::Done => {}
            Outcome::Stopped(_) if emit_on_interrupt => self.end_all()?,
            Outcome::Stopped(_) => {
                self.summary.open_windows += self.graph.open_windows() as u64;
                self.tell_left_open()?;
            }
        }
        Ok(outcome)
    }

    fn until_end(&mut self, waiter: &mut Waiter<'_>) -> Result<Outcome> {
        let mut results = Results::default();
        self.graph.start(&mut results)?;
        if self.hand_out(results, None)? {
            return Ok(Outcome::Done);
        }
        while let Some(turn) = self.turns.next(&self.sources) {
            if self.ticks.is_due() {
                self.tell_progress()?;
            }
            if self.output.is_due() {
                self.output.flush(&self.workers)?;
            }
            let (number, given) = self.read(turn, waiter)?;
            let ended = match given {
                Given::Stop => match waiter.stopped() {
                    Some(signal) => return Ok(Outcome::Stopped(signal)),
                    None => continue,
                },
                Given::Step(step) => {
                    self.turns.gave(number);
                    self.step(number, step)?
                }
                Given::Nothing => continue,
                Given::Alarm => self.pass_time()? || self.pass_pauses(turn)?,
                Given::End => {
                    // The writer may have ended because of the signal that we are about to hear of.
                    if let Some(signal) = waiter.stopped() {
                        return Ok(Outcome::Stopped(signal));
                    }
                    self.end(number)?
                }
            };
            if ended {
                return Ok(Outcome::Done);
            }
        }
        Ok(Outcome::Done)
    }

    /// What the source gives whose turn it is, and its number.
    fn read(&mut self, turn: Turn, waiter: &mut Waiter<'_>) -> Result<(usize, Given)> {
        let alarms = self
            .next_closing(turn)
            .into_iter()
            .chain(self.ticks.alarm())
            .chain(self.silence.alarm());
        waiter.set_alarm(alarms.min());
        let standing = Standing {
            graph: &self.graph,
            plans: self.plans,
            summary: self.summary,
            reached: &self.reached,
            has_windows: self.has_windows,
            behind: furthest_behind(&self.sources),
        };
        let (output, workers, silence) = (&mut self.output, &self.workers, &mut self.silence);
        if silence.is_long(standing.summary.rows_out) {
            output.sink().waiting(&standing.waiting());
        }
        if waiter.is_asked() {
            output.sink().status(&standing.status());
        }
        let mut idle = |idle| {
            match idle {
                Idle::Flush => return output.flush(workers),
                Idle::Asked => output.sink().status(&standing.status()),
                Idle::Waiting => {
                    silence.told();
                    output.sink().waiting(&standing.waiting());
                }
                Idle::Said(notice) => output.sink().said(notice),
            }
            Ok(())
        };
        match turn {
            Turn::Of(number, may_wait) => {
                let source = self.sources[number].as_mut();
                let source = source.ok_or_else(|| Error::internal("a source that has ended"))?;
                let given = source.next(workers, waiter, &mut idle, may_wait)?;
                if matches!(given, Given::Nothing) {
                    self.turns.gave_nothing(number);
                }
                Ok((number, given))
            }
            Turn::OfNone => {
                let woken = wait_for_any(&mut self.sources, waiter, &mut idle)?;
                self.turns.begin_anew();
                Ok((
                    0,
                    match woken {
                        Woken::Stop(_) => Given::Stop,
                        Woken::Alarm => Given::Alarm,
                        Woken::Ready(_) | Woken::Time => Given::Nothing,
                    },
                ))
            }
        }
    }

    /// After how long the next window closes though nothing comes of what is read; `None` where windows wait for
    /// rows.
    fn next_closing(&self, turn: Turn) -> Option<Duration> {
        let closing = || match (self.graph.open_windows(), self.graph.next_end()) {
            (0, _) => Closing::Never,
            (_, Some(end)) => Closing::At(end),
            (_, None) => Closing::Unknown,
        };
        let sources = self.sources.iter().enumerate();
        let read = sources.filter(|(number, _)| turn.may_wait_for(*number));
        let quiet = read.filter_map(|(_, source)| source.as_ref()?.next_quiet(closing));
        self.next_of_clock().into_iter().chain(quiet).min()
    }

    /// After how long the next window closes by the clock.
    fn next_of_clock(&self) -> Option<Duration> {
        let by_clock = self.sources.iter().flatten().any(Source::goes_by_clock);
        if !by_clock || self.graph.open_windows() == 0 {
            return None;
        }
        let left = match self.graph.next_end() {
            Some(end) => end.saturating_sub(time::now_microseconds()),
            None => UNKNOWN_CLOSING_MICROSECONDS,
        };
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        Some(left.clamp(SHORTEST_ALARM, LONGEST_ALARM))
    }

    /// Tells the operators what time it is; true if the statement has ended with it.
    fn pass_time(&mut self) -> Result<bool> {
        let now = time::now_microseconds();
        for number in 0..self.sources.len() {
            let passed = self.sources[number].as_mut().and_then(|s| s.pass_time(now));
            if let Some(watermark) = passed
                && self.pass(number, &watermark)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the event time of the sources go on that were waited for; true if the statement has ended with it.
    fn pass_pauses(&mut self, turn: Turn) -> Result<bool> {
        for number in 0..self.sources.len() {
            if turn.may_wait_for(number) && self.pass_pause(number)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the event time of a source go on that has been quiet for long; true if the statement has ended with it.
    fn pass_pause(&mut self, number: usize) -> Result<bool> {
        let Some(went_on) = self.sources[number].as_mut().and_then(Source::go_on) else {
            return Ok(false);
        };
        self.summary.pauses += u64::from(went_on.begins);
        if went_on.is_first {
            self.output.sink().paused(&Pause {
                source: &self.plans[number],
                number,
                newest: went_on.newest,
            });
        }
        self.pass(number, &went_on.watermark)
    }

    /// Takes a step of a source; true if the statement has ended with it.
    fn step(&mut self, number: usize, step: Step) -> Result<bool> {
        self.ticks.news();
        let mut results = Results::default();
        self.graph.push(
            &self.aheads[number],
            step.prepared,
            &step.watermark,
            &mut results,
        )?;
        let limit = self.graph.finished().and_then(|rows| {
            let of_source = |row: &Position| usize::from(input_of_position(*row)) == number;
            rows.into_iter().filter(of_source).max()
        });
        self.reached[number] = step.watermark.time;
        let mut noted = step.noted;
        noted.extend(
            std::mem::take(&mut results.events)
                .into_iter()
                .map(Noted::Event),
        );
        let committed = Committed {
            source: number,
            unit: self.units[number],
            watermark: &step.watermark,
            texts: step.texts.as_ref(),
            mover: self.movers[number].as_ref(),
            last: limit.unwrap_or(Position::MAX),
        };
        let mut keeper = SinkKeeper(self.output.sink());
        let shut = match commit(noted, &committed, self.gates, self.summary, &mut keeper) {
            Ok(shut) => shut,
            Err(error) => {
                // What was counted of them is counted among them.
                self.count_records(number, step.next_record);
                return Err(error);
            }
        };
        let mover = Mover::behind(&committed, committed.mover);
        self.movers[number] = mover.or(self.movers[number].take());
        let last = shut.as_ref().map(|shut| shut.position).or(limit);
        self.count_records(
            number,
            last.map_or(step.next_record, |row| record_of_position(row) + 1),
        );
        // Who reads the clock wants to see it, also where reading never waits.
        let by_clock = self.sources[number]
            .as_ref()
            .is_some_and(Source::goes_by_clock);
        let is_due = by_clock && !results.batches.is_empty();
        match shut {
            Some(shut) => {
                // What the rows before it closed is out.
                self.hand_out(results, Some(shut.position))?;
                self.output.flush(&self.workers)?;
                Err(shut.error)
            }
            None if self.hand_out(results, None)? => Ok(true),
            // Everybody behind the source has what a LIMIT lets through.
            None if !self.graph.needs(number) => self.end(number),
            None if is_due => self.output.flush(&self.workers).map(|()| false),
            None => Ok(false),
        }
    }

    fn count_records(&mut self, number: usize, records: u64) {
        let counted = &mut self.summary.records_of_sources;
        counted.resize(counted.len().max(number + 1), 0);
        counted[number] = counted[number].max(records);
        self.summary.rows_read = self.summary.rows_before + counted.iter().sum::<u64>();
    }

    /// The end of a source; true if the statement has ended with it.
    fn end(&mut self, number: usize) -> Result<bool> {
        self.sources[number] = None;
        self.pass(number, &Watermark::end())
    }

    /// A watermark of a source that no row brought; true if the statement has ended with it.
    fn pass(&mut self, number: usize, watermark: &Watermark) -> Result<bool> {
        let mut results = Results::default();
        self.graph
            .push(&self.aheads[number], None, watermark, &mut results)?;
        self.reached[number] = watermark.time;
        let events = std::mem::take(&mut results.events);
        let committed = Committed {
            source: number,
            unit: self.units[number],
            watermark,
            texts: None,
            mover: None,
            last: Position::MAX,
        };
        let noted = events.into_iter().map(Noted::Event).collect();
        let mut keeper = SinkKeeper(self.output.sink());
        let shut = commit(noted, &committed, self.gates, self.summary, &mut keeper)?;
        match shut {
            Some(shut) => Err(shut.error),
            None => self.hand_out(results, None),
        }
    }

    fn end_all(&mut self) -> Result<()> {
        while let Some(number) = furthest_behind(&self.sources) {
            self.end(number)?;
        }
        Ok(())
    }

    /// Hands result rows out, those that were caused by rows before `until`; true if there will be no more.
    fn hand_out(&mut self, results: Results, until: Option<Position>) -> Result<bool> {
        for (root, batch) in results.batches {
            let batch = match until {
                None => batch,
                Some(until) => {
                    // What other sources caused before this step is not behind its row.
                    let source = input_of_position(until);
                    let before = |row: &Position| {
                        *row < until || (*row != Position::MAX && input_of_position(*row) != source)
                    };
                    let keep: Vec<bool> = batch.positions.iter().map(before).collect();
                    batch.filter(&keep.into())?
                }
            };
            if !batch.is_empty() {
                self.summary.rows_out += batch.num_rows() as u64;
                self.output.rows(root, batch.columns, &self.workers)?;
            }
        }
        Ok(self.graph.finished().is_some())
    }
}
