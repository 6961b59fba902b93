//! Runs queries together: one SELECT, or INSERTs (and a SELECT behind them) over one read of their sources.
//!
//! ```text
//!   INSERT INTO a …   plan ─► fit to its columns ─┐          ┌─► file of a
//!   INSERT INTO b …   plan ─► fit to its columns ─┼► share ─►┼─► file of b
//!   SELECT …          plan ───────────────────────┘   run    └─► Host
//! ```

use std::path::{Path, PathBuf};

use sqlparser::ast;

use super::analyze::Analyzed;
use super::host::{self, ResultSink, Root};
use super::sinks::{Chosen, check_copy};
use super::{Host, Note, OnError, OnInterrupt, ResultInfo, Session};
use crate::connect::is_one_file;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::graph::Graph;
use crate::plan::{self, Planned, SourcePlan, StreamQuery};
use crate::runtime::{self, Gates, Outcome, RunSpec};
use crate::sql::{Insert, QueryStatement};

impl Session {
    /// Runs INSERTs together, and a SELECT with them.
    pub(super) fn together(
        &mut self,
        inserts: &[Insert],
        select: Option<&QueryStatement>,
        host: &mut dyn Host,
    ) -> Result<()> {
        let chosen = self.choose(inserts)?;
        let written = chosen.iter().map(|chosen| chosen.spec.path.clone());
        self.sources.beside(written.collect());
        let sinks = sinks(inserts, &chosen, host)?;
        let mut planned = self.plan_inserts(inserts, &chosen, host)?;
        if let Some(select) = select {
            planned.push(self.plan(&select.query, host)?);
        }
        if let Some(signal) = (self.interrupts.as_ref()).and_then(|signals| signals.requested()) {
            self.stopped = Some(signal);
            return Ok(());
        }
        let mut queries: Vec<StreamQuery> = Vec::with_capacity(planned.len());
        for planned in planned {
            queries.push(self.announced(planned, host));
        }
        let sources = plan::share(&mut queries)?;
        for (insert, chosen) in inserts.iter().zip(&chosen) {
            for source in &sources {
                let refused = self.sources.refuse_sink(source, &chosen.spec.path);
                refused.map_err(|error| error.at_least(Some(insert.target_span)))?;
            }
        }
        // Whatever is wrong with windows is said before the first byte of output.
        let graph = plan::lower(&queries)?;
        let done = self.run(&queries, &sources, graph, sinks, None, host);
        for chosen in &chosen {
            self.sources.written(&chosen.spec.path, &mut self.catalog);
        }
        done
    }

    /// The sinks of INSERTs.
    fn choose(&self, inserts: &[Insert]) -> Result<Vec<Chosen>> {
        let mut chosen: Vec<Chosen> = Vec::with_capacity(inserts.len());
        for insert in inserts {
            check_copy(insert)?;
            let next = self.sources.sinks().choose(insert, &self.options)?;
            let path = &next.spec.path;
            let taken = (chosen.iter()).any(|known| is_one_file(&known.spec.path, path));
            if taken {
                return Err(
                    Error::plan(format!("two statements write `{}`", path.display()))
                        .at(insert.target_span)
                        .help("write one INSERT with UNION ALL, or choose another file"),
                );
            }
            for (flag, file) in self.options.written_files() {
                if is_one_file(file, path) {
                    return Err(
                        Error::plan(format!("`{}` is written by {flag}", path.display()))
                            .at(insert.target_span)
                            .help(format!("write to another file, or leave out {flag}")),
                    );
                }
            }
            chosen.push(next);
        }
        Ok(chosen)
    }

    fn plan_inserts(
        &mut self,
        inserts: &[Insert],
        chosen: &[Chosen],
        host: &mut dyn Host,
    ) -> Result<Vec<Planned>> {
        let mut planned = Vec::with_capacity(inserts.len() + 1);
        for (insert, chosen) in inserts.iter().zip(chosen) {
            if chosen.columns.is_none() && !insert.columns.is_empty() {
                return Err(Error::plan("a file has the columns of the query")
                    .at(insert.target_span)
                    .help("name columns behind a table that declares them; for a path write aliases in SELECT"));
            }
            self.refuse_reading(insert, chosen)?;
            let mut next = self.plan(&insert.query.query, host)?;
            if let Some(columns) = &chosen.columns {
                plan::fit_sink(&mut next.query, insert, columns, self.options.zone)?;
            }
            planned.push(next);
        }
        Ok(planned)
    }

    /// Refuses an INSERT that reads a file which is written: before that is opened, for it may not exist yet.
    fn refuse_reading(&self, insert: &Insert, chosen: &Chosen) -> Result<()> {
        let path = &chosen.spec.path;
        match self.reads_any(&insert.query.query, std::slice::from_ref(path))? {
            false => Ok(()),
            true => Err(
                Error::plan(format!("`{}` is read by this statement", path.display()))
                    .at(insert.target_span)
                    .help("write to another file, and move it when the statement is done"),
            ),
        }
    }

    /// True if a SELECT behind INSERTs reads what one of them writes: it runs when they are done.
    pub(super) fn reads_sink(&self, inserts: &[Insert], select: &QueryStatement) -> Result<bool> {
        let paths = self
            .choose(inserts)?
            .into_iter()
            .map(|chosen| chosen.spec.path);
        self.reads_any(&select.query, &paths.collect::<Vec<_>>())
    }

    fn reads_any(&self, query: &ast::Query, paths: &[PathBuf]) -> Result<bool> {
        for (name, _) in self.tables(query)? {
            let files = self.sources.files_of(&name, &self.catalog, &self.options);
            let is_written =
                |file: &String| (paths.iter()).any(|path| is_one_file(Path::new(file), path));
            if files.iter().any(is_written) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The query of a plan, whose remarks are told.
    pub(super) fn announced(&self, planned: Planned, host: &mut dyn Host) -> StreamQuery {
        for note in planned.notes {
            host.note(Note::Remark(note));
        }
        for unseen in planned.unseen {
            host.note(Note::Unseen(unseen));
        }
        planned.query
    }

    /// Runs the operators that queries became.
    pub(super) fn run(
        &mut self,
        queries: &[StreamQuery],
        sources: &[SourcePlan],
        graph: Graph,
        sinks: Vec<Box<dyn ResultSink>>,
        analyzed: Option<&Analyzed>,
        host: &mut dyn Host,
    ) -> Result<()> {
        let keep_texts = self.options.late.is_some() || self.options.rejects.is_some();
        let mut inputs = Vec::with_capacity(sources.len());
        let prints = queries.len() > sinks.len() && self.options.output.is_none();
        for source in sources {
            if prints {
                self.sources.refuse_stdout(source)?;
            }
            inputs.push(
                self.sources
                    .input(source, &self.options, keep_texts, host)?,
            );
        }
        self.side_files.open(&self.options)?;
        self.side_files.begin(sources);
        let roots = begin(queries, sinks, host)?;
        self.summary.next_statement();
        let gates = Gates {
            max_errors: match self.options.on_error {
                OnError::Fail => Some(0),
                OnError::Skip => self.options.max_errors,
            },
            of_sources: (sources.iter())
                .map(|source| self.sources.gate(&source.table.name))
                .collect(),
        };
        let interrupts = self.interrupts.clone();
        let spec = RunSpec {
            sources,
            graph,
            roots: queries.len(),
            inputs,
            gates,
            interrupts: interrupts.as_deref(),
            threads: self.options.threads,
            emit_on_interrupt: self.options.on_interrupt == OnInterrupt::Emit,
        };
        let be_patient = |is_patient| {
            if let Some(interrupts) = &interrupts {
                interrupts.set_patient(is_patient);
            }
        };
        be_patient(spec.emit_on_interrupt);
        let ended = self.run_to_end(spec, roots, analyzed, host);
        be_patient(false);
        ended
    }

    fn run_to_end(
        &mut self,
        spec: RunSpec<'_>,
        roots: Vec<Root>,
        analyzed: Option<&Analyzed>,
        host: &mut dyn Host,
    ) -> Result<()> {
        let mut sink = host::RunSink::new(host, &mut self.side_files, roots, analyzed);
        let outcome = runtime::run(spec, &mut self.summary, &mut sink);
        // What came out before an error is out; a result that failed has no end.
        match outcome {
            Ok(outcome) => {
                if let Outcome::Stopped(signal) = outcome {
                    self.stopped = Some(signal);
                }
                sink.end()
            }
            Err(error) => {
                let kept = match error.kind() {
                    ErrorKind::Gate => sink.end(),
                    _ => sink.keep(),
                };
                let flushed = self.side_files.flush();
                // The failure of the run is what is told.
                drop((kept, flushed));
                Err(error)
            }
        }
    }
}

/// What writes the rows of INSERTs. Their files are created when the results begin.
fn sinks(
    inserts: &[Insert],
    chosen: &[Chosen],
    host: &mut dyn Host,
) -> Result<Vec<Box<dyn ResultSink>>> {
    let sink = |(insert, chosen): (&Insert, &Chosen)| {
        let sink = host.sink(&chosen.spec);
        sink.map_err(|error| error.at_least(Some(insert.target_span)))
    };
    inserts.iter().zip(chosen).map(sink).collect()
}

/// Begins the result of each query: of the first ones in their sinks, of a SELECT behind them at the host.
fn begin(
    queries: &[StreamQuery],
    sinks: Vec<Box<dyn ResultSink>>,
    host: &mut dyn Host,
) -> Result<Vec<Root>> {
    let mut roots = Vec::with_capacity(queries.len());
    let mut sinks = sinks.into_iter();
    for query in queries {
        let mut sink = sinks.next();
        let info = ResultInfo::of(&query.root);
        match &mut sink {
            Some(sink) => sink.begin(&query.schema, &info)?,
            None => host.begin(&query.schema, &info)?,
        }
        roots.push(Root {
            schema: query.schema.clone(),
            sink,
        });
    }
    Ok(roots)
}

/// Ends or flushes the sinks of a run, the first error last.
pub(super) fn each(
    roots: &mut [Root],
    mut act: impl FnMut(&mut dyn ResultSink) -> Result<()>,
) -> Result<()> {
    let mut outcome = Ok(());
    for root in roots {
        if let Some(sink) = &mut root.sink {
            outcome = outcome.and(act(sink.as_mut()));
        }
    }
    outcome
}
