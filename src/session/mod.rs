//! State between statements, and the only place that calls all phases of one.
//!
//! ```text
//!  text ─► sql::parse ─► for each statement:
//!     SELECT   relations ─► open sources, guess ─► plan ─► run ─► Host
//!     CREATE   catalog          EXPLAIN  plan ─► text          SET  options
//! ```
//!
//! A session reads and writes through its [`Host`]: the command line, a test. Invariant: statements run in
//! order and stop at the first error; standard input is touched only if a statement names it.

mod analyze;
mod begin;
mod explain;
mod host;
mod look;
mod options;
mod result_info;
mod shown;
mod side_files;
mod sinks;
mod sources;
mod standing;
mod together;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use sqlparser::ast;

use crate::catalog::{Catalog, View};
use crate::connect::Notice;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{self, PlanSettings, Planned, Registry};
use crate::runtime::interrupt::{Interrupts, Signal};
use crate::runtime::{Summary, bytes_left};
use crate::sql::{self, CreateView, ExplainAs, QueryStatement, Statement, StatementKind};

pub use host::{Host, Note, OpenRows, ResultSink, RunProgress};
pub use look::{Relation, columns_of_path};
pub use options::{OnError, OnInterrupt, Options};
pub use result_info::ResultInfo;

pub use sinks::SinkSpec;
pub use values::duration;

use side_files::SideFiles;
use sources::Sources;

/// A conversation with one user.
pub struct Session {
    options: Options,
    catalog: Catalog,
    registry: Registry,
    sources: Sources,
    summary: Summary,
    interrupts: Option<Arc<Interrupts>>,
    side_files: SideFiles,
    stopped: Option<Signal>,
    stack: Option<sql::Stack>,
    now: DateTime<Utc>,
    /// The statements that made tables and views, by their names.
    made: BTreeMap<String, String>,
    /// The settings that `SET` has changed and nobody has asked for yet.
    was_set: Vec<String>,
}

impl Session {
    /// A session before its first statement. `now()` is the moment of this call.
    pub fn new(options: Options) -> Self {
        let now = crate::time::now();
        Session {
            options: Options {
                now_seconds: now.timestamp(),
                ..options
            },
            catalog: Catalog::default(),
            registry: Registry::new(),
            sources: Sources::default(),
            summary: Summary::default(),
            interrupts: None,
            side_files: SideFiles::default(),
            stopped: None,
            stack: None,
            now,
            made: BTreeMap::new(),
            was_set: Vec::new(),
        }
    }

    /// Listens to signals: a run stops when one comes.
    pub fn listen(&mut self, interrupts: Arc<Interrupts>) {
        self.sources.listen(Arc::clone(&interrupts));
        self.interrupts = Some(interrupts);
    }

    /// The settings, as flags and `SET` left them.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The names of the settings that `SET` has changed since the last call.
    pub fn take_set(&mut self) -> Vec<String> {
        std::mem::take(&mut self.was_set)
    }

    /// Gives the records at a path a name, as `--table` does.
    pub fn add_table(&mut self, name: &str, path: &str) {
        self.options.tables.push((name.to_owned(), path.to_owned()));
    }

    /// Where results go from now on, so that no query reads it.
    pub fn set_output(&mut self, output: Option<std::path::PathBuf>) {
        self.options.output = output;
    }

    /// What was counted so far, also if a statement failed.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The signal that stopped the last statement.
    pub fn stopped(&self) -> Option<Signal> {
        self.stopped
    }

    /// Runs the statements of a script, in order.
    ///
    /// # Errors
    /// The first error of any statement; what came before it is out.
    pub fn execute(&mut self, text: &str, host: &mut dyn Host) -> Result<Summary> {
        self.run_all(text, host, &mut |_| {})?;
        Ok(self.summary.clone())
    }

    /// Runs statements one by one, each as if it were the first: counters begin anew, `now()` is the moment of this
    /// call, and what was guessed of files is looked at again. `ended` hears what each that did not fail has counted;
    /// of one that failed, [`Session::summary`] tells.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub fn execute_each(
        &mut self,
        text: &str,
        host: &mut dyn Host,
        ended: &mut dyn FnMut(&Summary),
    ) -> Result<()> {
        self.now = crate::time::now();
        self.options.now_seconds = self.now.timestamp();
        self.stopped = None;
        self.summary = Summary::default();
        self.sources.look_again(&mut self.catalog);
        self.run_all(text, host, &mut |session| {
            ended(&session.summary);
            session.summary = Summary::default();
        })
    }

    /// Runs the statements of a script, in order; `ended` is called behind each.
    fn run_all(
        &mut self,
        text: &str,
        host: &mut dyn Host,
        ended: &mut dyn FnMut(&mut Self),
    ) -> Result<()> {
        // What the limits of the parser let through is still deep for what walks it.
        let stack = self.stack()?;
        let done = stack.run(|| {
            let statements = sql::parse_on(stack, text, &self.options.parameters)?;
            let mut statements = statements.into_iter().peekable();
            while let Some(statement) = statements.next() {
                match (&statement.kind, statements.peek().map(|next| &next.kind)) {
                    // A SELECT behind INSERTs shares their read, if it does not wait for what they write.
                    (StatementKind::Inserts(inserts), Some(StatementKind::Query(select)))
                        if !self.reads_sink(inserts, select)? =>
                    {
                        self.together(inserts, Some(select), host)?;
                        statements.next();
                    }
                    _ => {
                        let made = made(&statement, text);
                        self.statement(statement, host)?;
                        self.made.extend(made);
                    }
                }
                if self.stopped.is_some() {
                    break;
                }
                ended(self);
            }
            self.side_files.flush()
        });
        self.heard(done)
    }

    /// Notes the signal that ended `done` early.
    fn heard<T>(&mut self, done: Result<T>) -> Result<T> {
        if let Err(error) = &done
            && error.kind() == ErrorKind::Stopped
        {
            self.stopped = (self.interrupts.as_ref()).and_then(|signals| signals.requested());
        }
        done
    }

    /// Prints the plans of a script's queries instead of running them.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub fn explain(&mut self, text: &str, host: &mut dyn Host) -> Result<()> {
        let tree = |query| StatementKind::Explain(query, ExplainAs::Tree);
        let done = self.instead_of_running(text, tree, host);
        self.heard(done)
    }

    /// The stack for everything that walks trees, whose depth is what it has room for.
    fn stack(&mut self) -> Result<sql::Stack> {
        let stack = sql::Stack::largest(bytes_left())?;
        self.stack = Some(stack);
        Ok(stack)
    }

    /// Runs a script with something else in the place of its queries.
    fn instead_of_running(
        &mut self,
        text: &str,
        kind: fn(QueryStatement) -> StatementKind,
        host: &mut dyn Host,
    ) -> Result<()> {
        let stack = self.stack()?;
        stack.run(|| self.instead_of_running_here(stack, text, kind, host))
    }

    fn instead_of_running_here(
        &mut self,
        stack: sql::Stack,
        text: &str,
        kind: fn(QueryStatement) -> StatementKind,
        host: &mut dyn Host,
    ) -> Result<()> {
        for statement in sql::parse_on(stack, text, &self.options.parameters)? {
            let span = statement.span;
            let kinds = match statement.kind {
                StatementKind::Query(query) => vec![kind(query)],
                StatementKind::Inserts(inserts) => {
                    let queries = inserts.into_iter().map(|insert| insert.query);
                    queries.map(kind).collect()
                }
                other => vec![other],
            };
            for kind in kinds {
                self.statement(Statement { kind, span }, host)?;
            }
        }
        Ok(())
    }

    /// Prints the guesses of the FILE arguments, or the result's columns of a script's queries.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub fn describe(&mut self, text: Option<&str>, host: &mut dyn Host) -> Result<()> {
        let Some(text) = text else {
            let table = self.sources.describe_input(&self.options, host);
            return host.text(self.heard(table)?.as_bytes());
        };
        let done = self.instead_of_running(text, StatementKind::Describe, host);
        self.heard(done)
    }

    fn statement(&mut self, statement: Statement, host: &mut dyn Host) -> Result<()> {
        match statement.kind {
            StatementKind::Query(query) => self.together(&[], Some(&query), host),
            StatementKind::Inserts(inserts) => self.together(&inserts, None, host),
            StatementKind::CreateTable(create) => {
                if let Some(text) = sources::hidden_files(&create, &self.options.files) {
                    let is_warning = true;
                    host.note(Note::Said(Notice { text, is_warning }));
                }
                let settings = Self::plan_settings(&self.options, self.now);
                let (catalog, registry) = (&mut self.catalog, &self.registry);
                self.sources
                    .create(create, catalog, &self.options, registry, &settings, host)
            }
            StatementKind::CreateView(create) => self.create_view(create),
            StatementKind::Drop { name, if_exists } => {
                let span = sql::span_of(name.span);
                let removed = self.catalog.remove(&name.value);
                let removed = removed.map_err(|error| error.at_least(span))?;
                let removed = removed.or_else(|| self.sources.forget_unwritten(&name.value));
                if removed.is_none() && !if_exists {
                    return Err(Error::plan(format!("`{}` does not exist", name.value))
                        .at_least(span)
                        .help("write DROP TABLE IF EXISTS if that is no matter"));
                }
                if let Some(removed) = removed {
                    self.sources.forget(&removed);
                    self.made.remove(&removed);
                }
                Ok(())
            }
            StatementKind::Set { name, value, span } => {
                let set = self.options.set(&name, &value);
                set.map_err(|error| error.at_least(Some(span)))?;
                self.was_set
                    .push(name.to_ascii_lowercase().replace('_', "-"));
                Ok(())
            }
            StatementKind::Explain(query, ExplainAs::Analyze) => self.analyze(&query, host),
            StatementKind::Explain(query, how) => {
                let planned = self.plan(&query.query, host)?;
                let text = match how {
                    ExplainAs::Mermaid => plan::mermaid(&planned.query),
                    _ => explain::with_facts(&planned, &self.options),
                };
                host.text(text.as_bytes())
            }
            StatementKind::Describe(query) => {
                let planned = self.plan(&query.query, host)?;
                host.text(explain::columns(&planned.query.schema).as_bytes())
            }
            StatementKind::ShowTables => {
                let names: String = self
                    .catalog
                    .names()
                    .iter()
                    .map(|name| format!("{name}\n"))
                    .collect();
                host.text(names.as_bytes())
            }
        }
    }

    fn create_view(&mut self, create: CreateView) -> Result<()> {
        let name = create.name.value;
        if self.sources.is_taken(&name, &self.catalog) && !create.or_replace {
            return Err(Error::plan(format!("`{name}` exists already"))
                .at_least(sql::span_of(create.name.span))
                .help("write CREATE OR REPLACE VIEW, or choose another name"));
        }
        let view = View {
            columns: create.columns,
            query: *create.query,
        };
        self.sources.forget(&name);
        self.catalog.add_view(&name, view);
        Ok(())
    }

    fn plan_settings(options: &Options, now: DateTime<Utc>) -> PlanSettings {
        PlanSettings {
            zone: options.zone,
            delay: options.delay(),
            max_jump: options.max_jump(),
            idle_timeout: options.idle_timeout,
            now,
        }
    }

    /// Opens what a query reads and plans it.
    fn plan(&mut self, query: &ast::Query, host: &mut dyn Host) -> Result<Planned> {
        let tables = self.tables(query)?;
        self.refuse_waiting(query, &tables)?;
        let names: Vec<ast::Ident> = tables.iter().map(|(name, _)| name.clone()).collect();
        self.sources
            .open_sockets(&names, &self.catalog, &self.options, host)?;
        for (name, asked) in &tables {
            self.open(name, asked, host)?;
        }
        let settings = Self::plan_settings(&self.options, self.now);
        plan::plan(query, &self.catalog, &self.registry, &settings)
    }

    /// Refuses what would print at the end of an endless input before that is opened: whoever waits for the first
    /// record to hear it waits in vain.
    fn refuse_waiting(
        &self,
        query: &ast::Query,
        tables: &[(ast::Ident, plan::Asked)],
    ) -> Result<()> {
        let may_wait = |(name, _): &(ast::Ident, _)| {
            self.sources
                .may_be_endless(name, &self.catalog, &self.options)
        };
        if !tables.iter().any(may_wait) {
            return Ok(());
        }
        let mut catalog = self.catalog.clone();
        for (name, asked) in tables {
            if catalog.table_of(name).is_none()
                && let Some(table) = self.sources.unseen(name, asked, &self.options)
            {
                catalog.add_table(table);
            }
        }
        let is_endless =
            |(name, _): &(ast::Ident, _)| catalog.table_of(name).is_some_and(|t| t.endless);
        if !tables.iter().any(is_endless) {
            return Ok(());
        }
        let settings = Self::plan_settings(&self.options, self.now);
        let is_known = |(name, _): &(ast::Ident, _)| self.catalog.table_of(name).is_some();
        if tables.iter().all(is_known) {
            // Whatever is wrong is so whatever comes.
            return plan::plan(query, &catalog, &self.registry, &settings).map(drop);
        }
        plan::refuse_waiting(query, &catalog, &self.registry, &settings)
    }

    /// The tables that a query reads, through views, too, and what is asked of them.
    fn tables(&self, query: &ast::Query) -> Result<Vec<(ast::Ident, plan::Asked)>> {
        let asked = plan::Asked::by(query);
        let mut tables = Vec::new();
        for name in plan::relations(query, &self.registry)? {
            let found = self.tables_of(&name, &asked, &mut Vec::new(), &mut tables);
            found.map_err(|error| error.at_least(sql::span_of(name.span)))?;
        }
        Ok(tables)
    }

    /// The tables that a name in FROM means, and what is asked of them: itself, or those of a view. `inside` are the
    /// views that the name stands in.
    fn tables_of(
        &self,
        name: &ast::Ident,
        asked: &plan::Asked,
        inside: &mut Vec<String>,
        tables: &mut Vec<(ast::Ident, plan::Asked)>,
    ) -> Result<()> {
        const DEEPEST: usize = 50;
        let deepest = self.stack.map_or(DEEPEST, |stack| stack.depth(DEEPEST));
        let Some(view) = self.catalog.view(&name.value) else {
            tables.push((name.clone(), asked.clone()));
            return Ok(());
        };
        let known = name.value.to_lowercase();
        if inside.contains(&known) || inside.len() == deepest {
            let (why, help) = if inside.len() == deepest {
                let why = format!("views are nested more than {deepest} deep");
                (why, "write the queries of some of them into one")
            } else {
                let why = format!("view `{}` reads itself", name.value);
                (
                    why,
                    "a view stands for its query, not for what its name meant before: give it another name",
                )
            };
            let through = format!("through: {}", inside.join(", "));
            return Err(Error::plan(why).note(through).help(help));
        }
        inside.push(known);
        let asked = asked.through(&view.query);
        for inner in plan::relations(&view.query, &self.registry)? {
            self.tables_of(&inner, &asked, inside, tables)?;
        }
        inside.pop();
        Ok(())
    }

    /// Makes sure that the catalog knows a table.
    fn open(&mut self, name: &ast::Ident, asked: &plan::Asked, host: &mut dyn Host) -> Result<()> {
        let span = sql::span_of(name.span);
        let opened = self
            .sources
            .open(name, &mut self.catalog, &self.options, asked, host);
        opened.map_err(|error| error.at_least(span))
    }
}

/// The name and the text of a statement that makes a table or view.
fn made(statement: &Statement, text: &str) -> Option<(String, String)> {
    let name = match &statement.kind {
        // What is there already is not made anew.
        StatementKind::CreateTable(create) if create.if_not_exists => return None,
        StatementKind::CreateTable(create) => &create.name,
        StatementKind::CreateView(create) => &create.name,
        _ => return None,
    };
    let text = text.get(statement.span.start..statement.span.end)?;
    Some((name.value.clone(), text.to_owned()))
}

/// Two schemas that differ in names alone.
fn renamed(
    schema: &SchemaRef,
    rows: &arrow::array::RecordBatch,
) -> Result<arrow::array::RecordBatch> {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let columns = rows.columns().to_vec();
    Ok(arrow::array::RecordBatch::try_new_with_options(
        schema.clone(),
        columns,
        &options,
    )?)
}
