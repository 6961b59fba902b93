//! What a user can look at between statements: the tables and views there are, their columns, how they are made.
//!
//! Invariant: nothing is read for [`Session::relations`]; [`Session::schema`] and [`columns_of_path`] read as much as
//! a guess takes.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use sqlparser::ast::Ident;

use super::host::{Host, Note, ResultSink};
use super::result_info::ResultInfo;
use super::sinks::SinkSpec;
use super::sources::Sources;
use super::{Options, Session};
use crate::catalog::{Catalog, Table, View};
use crate::connect::{ByteSource, expand, size_bytes};
use crate::data::type_name;
use crate::error::{Error, Result};
use crate::plan::Asked;

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// What it is, in a word or a path.
    pub kind: String,
    /// Names and types of its columns, as far as they are known by now; of a view the names that it was given.
    pub columns: Vec<(String, String)>,
    /// The query of a view that gives its columns their names.
    pub query: Option<String>,
}

impl Session {
    /// The tables and views that have names, in alphabetical order.
    pub fn relations(&self) -> Vec<Relation> {
        let mut relations: Vec<Relation> = Vec::new();
        let files = self.options.files.join(", ");
        let files = (!files.is_empty()).then_some(("input", &files));
        let tables = self.options.tables.iter();
        let tables = tables.map(|(name, path)| (name.as_str(), path));
        for (name, path) in tables.chain(files) {
            let known = self.catalog.table(name);
            relations.push(Relation {
                name: name.to_owned(),
                kind: format!("table of {path}"),
                columns: known.map(|table| columns_of(table)).unwrap_or_default(),
                query: None,
            });
        }
        let names = self.catalog.names().into_iter().map(String::from);
        let unseen = self.sources.unwritten_names().map(String::from);
        for name in names.chain(unseen) {
            if self.sources.is_implied(&name) || relations.iter().any(|known| known.name == name) {
                continue;
            }
            let view = self.catalog.view(&name);
            let query = view.filter(|view| view.columns.is_empty());
            let query = query.map(|view| view.query.to_string());
            let (kind, columns) = match (view, self.catalog.table(&name)) {
                (Some(view), _) => ("view", names_of(view)),
                (None, Some(table)) => ("table", columns_of(table)),
                (None, None) => ("table, whose file does not exist yet", Vec::new()),
            };
            relations.push(Relation {
                name,
                kind: String::from(kind),
                columns,
                query,
            });
        }
        relations.sort_by(|one, other| one.name.cmp(&other.name));
        relations
    }

    /// How a table, a view or what is at a path is made: the statement that made it, or the guess.
    ///
    /// # Errors
    /// There is no such table; it cannot be opened.
    pub fn schema(&mut self, name: &str, host: &mut dyn Host) -> Result<String> {
        self.stopped = None;
        self.sources.look_again(&mut self.catalog);
        let quoted = name
            .strip_prefix('\'')
            .and_then(|name| name.strip_suffix('\''));
        let ident = match quoted {
            Some(path) => Ident::with_quote('\'', path.replace("''", "'")),
            None => Ident::new(name.trim_matches('"')),
        };
        let made = self.made.get(&ident.value);
        if let Some(text) = made.filter(|_| self.sources.guess_of(&ident.value).is_none()) {
            return Ok(format!("{text};\n"));
        }
        let stack = self.stack()?;
        let looker = &mut Looker(Some(host));
        let opened = stack.run(|| {
            let mut tables = Vec::new();
            self.tables_of(&ident, &Asked::default(), &mut Vec::new(), &mut tables)?;
            let mut tables = tables.iter();
            tables.try_for_each(|(name, asked)| self.open(name, asked, looker))
        });
        self.heard(opened)?;
        match self.sources.guess_of(&ident.value) {
            Some(text) => Ok(format!("{};\n", text.trim_end())),
            None => {
                let names = self.relations().into_iter().map(|known| known.name);
                Err(Error::usage(format!("there is no table `{name}`"))
                    .suggest(&ident.value, names)
                    .help("a path stands in single quotes: `.schema 'app.log'`"))
            }
        }
    }
}

/// The columns of the files at a path or pattern, as a guess of theirs says; none of what is no file.
pub fn columns_of_path(path: &str, options: &Options) -> Option<Vec<(String, String)>> {
    // Nobody waits for a pipe or a socket to know how a name goes on.
    let first = expand(path).ok()?.into_iter().next()?;
    size_bytes(&first)?;
    let options = Options {
        follow: false,
        ..options.clone()
    };
    let mut catalog = Catalog::default();
    let ident = Ident::with_quote('\'', path);
    let opened = Sources::default().open(
        &ident,
        &mut catalog,
        &options,
        &Asked::default(),
        &mut Looker(None),
    );
    opened.ok()?;
    catalog.table(path).map(|table| columns_of(table))
}

fn columns_of(table: &Table) -> Vec<(String, String)> {
    let columns = table.shown_columns();
    let shown = columns.map(|column| (column.name.clone(), type_name(&column.data_type)));
    shown.collect()
}

/// The names that a view was given for its columns.
fn names_of(view: &View) -> Vec<(String, String)> {
    let names = view.columns.iter();
    names
        .map(|name| (name.value.clone(), String::new()))
        .collect()
}

/// Who looks at a table: guesses are the answer, so that nobody is told of them.
struct Looker<'h>(Option<&'h mut dyn Host>);

impl Host for Looker<'_> {
    fn begin(&mut self, _: &SchemaRef, _: &ResultInfo) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, _: &RecordBatch) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), |host| host.flush())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }

    fn text(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn stdin(&mut self) -> Option<Box<dyn ByteSource>> {
        self.0.as_mut().and_then(|host| host.stdin())
    }

    fn no_stdin(&self) -> Error {
        match &self.0 {
            Some(host) => host.no_stdin(),
            None => Error::usage("standard input is not looked at"),
        }
    }

    fn sink(&mut self, _: &SinkSpec) -> Result<Box<dyn ResultSink>> {
        Err(Error::internal("a look at a table writes nothing"))
    }

    fn note(&mut self, note: Note) {
        if let Some(host) = &mut self.0
            && !matches!(note, Note::Guess(_))
        {
            host.note(note);
        }
    }
}
