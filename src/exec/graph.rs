//! The operators of a query, connected: rows go in at the sources, results come out at the roots.
//!
//! ```text
//!   source 0 ─┬─ read [ts, host] ─► filter ─► window aggregate ─┐
//!             └─ read [ts]       ─► window aggregate ───────────┴► union ─► result
//! ```
//!
//! The frame around an operator merges the watermarks of its inputs: it hears of the least, once every
//! input has sent one. Invariants: messages arrive in the order in which they were
//! sent; what an operator makes of a message is below before the next message goes in.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::meter::{Meters, measured};
use super::parallel::{Ahead, Gathered, Parallel, Partials, Path, Prepared};
use super::{Message, Operator, Output, Watermark};
use crate::data::{Batch, Event, Position};
use crate::error::{Error, Result};

/// Where the output of an operator goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To an input of an operator.
    Node {
        /// Its number.
        node: usize,
        /// Its input.
        input: usize,
    },
    /// Out, as a row of the root of that number.
    Result(usize),
}

/// Some columns of a source, on their way into an operator.
#[derive(Debug, Clone)]
struct Read {
    source: usize,
    columns: Vec<usize>,
    schema: SchemaRef,
    target: Target,
}

#[derive(Clone)]
struct Node {
    operator: Box<dyn Operator>,
    inputs: Vec<Option<Watermark>>,
    target: Target,
    /// The root that has given everything once it has finished.
    ends: Option<usize>,
    /// Its inputs deliver the same steps of one source: it hears of a watermark once all have.
    in_step: bool,
}

/// Connected operators. A query has one root; statements that run together over the same sources have one each.
#[derive(Clone)]
pub struct Graph {
    roots: usize,
    nodes: Vec<Node>,
    reads: Vec<Read>,
    rows: Vec<(RecordBatch, Target)>,
    meters: Option<Arc<Meters>>,
}

/// What came out of the roots, and what happened to rows on the way.
#[derive(Debug, Default)]
pub struct Results {
    /// Result rows in order, each with the number of its root.
    pub batches: Vec<(usize, Batch)>,
    /// Events in the order in which they were noticed.
    pub events: Vec<Event>,
}

impl Graph {
    /// A graph without operators, of so many roots.
    pub fn new(roots: usize) -> Self {
        Graph {
            roots,
            nodes: Vec::new(),
            reads: Vec::new(),
            rows: Vec::new(),
            meters: None,
        }
    }

    /// Measures from now on what operators do; to be called before [`Graph::ahead`].
    pub fn meter(&mut self, clock: fn() -> Duration) -> Arc<Meters> {
        let meters = Arc::new(Meters::new(clock, self.nodes.len(), self.reads.len()));
        self.meters = Some(Arc::clone(&meters));
        meters
    }

    /// Adds an operator; returns its number. `ends` is the root for which nothing comes when it has finished;
    /// `in_step` says that its inputs deliver the same steps of one source.
    pub fn add(
        &mut self,
        operator: Box<dyn Operator>,
        inputs: usize,
        target: Target,
        ends: Option<usize>,
        in_step: bool,
    ) -> usize {
        self.nodes.push(Node {
            operator,
            inputs: vec![None; inputs],
            target,
            ends,
            in_step,
        });
        self.nodes.len() - 1
    }

    /// Leads columns of a source to `target`.
    pub fn add_read(
        &mut self,
        source: usize,
        columns: Vec<usize>,
        schema: SchemaRef,
        target: Target,
    ) {
        self.reads.push(Read {
            source,
            columns,
            schema,
            target,
        });
    }

    /// Leads constant rows to `target`.
    pub fn add_rows(&mut self, rows: RecordBatch, target: Target) {
        self.rows.push((rows, target));
    }

    /// Sends the constant rows, which are whole inputs.
    ///
    /// # Errors
    /// Those of the operators.
    pub fn start(&mut self, results: &mut Results) -> Result<()> {
        for (rows, target) in std::mem::take(&mut self.rows) {
            let positions = (0..rows.num_rows() as u64).collect();
            self.send(target, Message::Batch(Batch::new(rows, positions)), results)?;
            self.send(target, Message::Watermark(Watermark::end()), results)?;
        }
        Ok(())
    }

    /// The share of the work on the rows of a source that any thread may do.
    pub fn ahead(&mut self, source: usize) -> Ahead {
        let reads = std::mem::take(&mut self.reads);
        let numbered = reads.iter().enumerate();
        let of_source = numbered.filter(|(_, read)| read.source == source);
        let paths = of_source
            .map(|(number, read)| self.path(number, read))
            .collect();
        self.reads = reads;
        Ahead { paths }
    }

    /// From a read through the operators without state to the first that has some.
    fn path(&mut self, number: usize, read: &Read) -> Path {
        let mut path = Path {
            columns: read.columns.clone(),
            schema: Arc::clone(&read.schema),
            steps: Vec::new(),
            local: None,
            target: read.target,
            read: number,
            meters: self.meters.clone(),
        };
        while let Target::Node { node, .. } = path.target
            && let Some(place) = self.nodes.get_mut(node)
        {
            match place.operator.parallel() {
                Parallel::Nothing => break,
                Parallel::Whole(step) => {
                    path.steps.push((node, step));
                    path.target = place.target;
                }
                Parallel::Local(operator) => {
                    path.local = Some(operator.local());
                    break;
                }
            }
        }
        path
    }

    /// Takes rows of a source, of which `ahead` has done its share, then the watermark behind them.
    ///
    /// # Errors
    /// Those of the operators.
    pub fn push(
        &mut self,
        ahead: &Ahead,
        prepared: Option<Prepared>,
        watermark: &Watermark,
        results: &mut Results,
    ) -> Result<()> {
        let mut prepared = prepared.map(|prepared| prepared.0.into_iter());
        for path in &ahead.paths {
            if let Some(prepared) = prepared.as_mut().and_then(Iterator::next) {
                results.events.extend(prepared.events);
                for gathered in prepared.gathered {
                    match gathered {
                        Gathered::Rows(batch) => {
                            self.send(path.target, Message::Batch(batch), results)?;
                        }
                        Gathered::Partials(partials) => {
                            self.send_partials(path.target, partials, results)?;
                        }
                    }
                }
            }
            self.send(path.target, Message::Watermark(watermark.clone()), results)?;
        }
        Ok(())
    }

    fn send_partials(
        &mut self,
        target: Target,
        partials: Partials,
        results: &mut Results,
    ) -> Result<()> {
        let mut out = Output::default();
        let nobody = || Error::internal("partials for no operator");
        let Target::Node { node, .. } = target else {
            return Err(nobody());
        };
        let place = self.nodes.get_mut(node).ok_or_else(nobody)?;
        let target = place.target;
        let take = || match place.operator.parallel() {
            Parallel::Local(operator) => operator.on_partials(partials, &mut out),
            _ => Err(Error::internal("partials for an operator without phases")),
        };
        measured(self.meters.as_deref(), node, take)?;
        self.send_made(node, target, out, results)
    }

    /// Leads what an operator made to `target`.
    fn send_made(
        &mut self,
        node: usize,
        target: Target,
        mut out: Output,
        results: &mut Results,
    ) -> Result<()> {
        if let Some(meters) = &self.meters {
            meters.made(node, &out, 0, 0);
        }
        results.events.append(&mut out.events);
        for message in out.messages {
            self.send(target, message, results)?;
        }
        Ok(())
    }

    fn send(&mut self, target: Target, message: Message, results: &mut Results) -> Result<()> {
        let (node, input) = match target {
            Target::Node { node, input } => (node, input),
            Target::Result(root) => {
                if let Message::Batch(batch) = message {
                    results.batches.push((root, batch));
                }
                return Ok(());
            }
        };
        let place = self
            .nodes
            .get_mut(node)
            .ok_or_else(|| Error::internal("no such operator"))?;
        let mut out = Output::default();
        let meters = self.meters.as_deref();
        match message {
            Message::Batch(batch) => {
                if let Some(meters) = meters {
                    meters.operators[node].takes(batch.num_rows());
                }
                measured(meters, node, || {
                    place.operator.on_batch(input, batch, &mut out)
                })?;
            }
            Message::Watermark(watermark) => {
                place.inputs[input] = Some(watermark);
                let Some(least) = least(&place.inputs) else {
                    return Ok(());
                };
                // Inputs in step are asked anew; one that has ended does not hold the others up.
                for input in place.inputs.iter_mut().filter(|_| place.in_step) {
                    if input.as_ref().is_some_and(|w| w.time != Watermark::END) {
                        *input = None;
                    }
                }
                if let Some(meters) = meters {
                    meters.operators[node].keeps(place.operator.size_bytes());
                }
                measured(meters, node, || {
                    place.operator.on_watermark(&least, &mut out)
                })?;
            }
        }
        let target = place.target;
        self.send_made(node, target, out, results)
    }

    /// Per root, the row with which it ended, if every root has reached a LIMIT.
    pub fn finished(&self) -> Option<Vec<Position>> {
        let finished = |root| {
            let ends = self.nodes.iter().filter(|node| node.ends == Some(root));
            ends.filter_map(|node| node.operator.finished()).min()
        };
        (0..self.roots).map(finished).collect()
    }

    /// False if every way from a source to a result leads through a LIMIT that has been reached.
    pub fn needs(&self, source: usize) -> bool {
        let reads = self.reads.iter().filter(|read| read.source == source);
        reads.into_iter().any(|read| {
            let mut target = read.target;
            while let Target::Node { node, .. } = target {
                if self.nodes[node].operator.finished().is_some() {
                    return false;
                }
                target = self.nodes[node].target;
            }
            true
        })
    }

    /// What would come out if the input ended here: rows of windows that are open. The operators stay as they are.
    ///
    /// # Errors
    /// Those of the operators.
    pub fn results_if_ended(&self, aheads: &[Arc<Ahead>]) -> Result<Results> {
        let mut copy = self.clone();
        copy.meters = None;
        let mut results = Results::default();
        for ahead in aheads {
            copy.push(ahead, None, &Watermark::end(), &mut results)?;
        }
        Ok(results)
    }

    /// Windows and groups that have rows and have not come out.
    pub fn open_windows(&self) -> usize {
        self.nodes
            .iter()
            .map(|node| node.operator.open_windows())
            .sum()
    }

    /// The end of the window that closes next; `None` if an operator with open windows does not know it.
    pub fn next_end(&self) -> Option<i64> {
        let open = self
            .nodes
            .iter()
            .filter(|node| node.operator.open_windows() > 0);
        let ends: Option<Vec<i64>> = open.map(|node| node.operator.next_end()).collect();
        ends?.into_iter().min()
    }

    /// Bytes of state in all operators.
    pub fn size_bytes(&self) -> usize {
        self.nodes
            .iter()
            .map(|node| node.operator.size_bytes())
            .sum()
    }
}

/// The least of the watermarks, if every input has one.
fn least(inputs: &[Option<Watermark>]) -> Option<Watermark> {
    let mut least: Option<&Watermark> = None;
    for input in inputs {
        let watermark = input.as_ref()?;
        if least.is_none_or(|least| watermark.time < least.time) {
            least = Some(watermark);
        }
    }
    least.cloned()
}
