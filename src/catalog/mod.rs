//! What names mean: tables with their columns, time and place; views.
//!
//! ```text
//!   FROM stdin          ─► the table of the FILE arguments, else standard input; columns guessed
//!   FROM 'logs/*.csv'    ─► a table of that name, made when it is first used; columns guessed
//!   FROM orders         ─► CREATE TABLE orders (…) WITH (path = …), or a view
//! ```
//!
//! A table here knows everything that a plan needs and nothing of open files: the session opens sources,
//! looks at their first bytes, and puts the resulting schema here.

mod create_table;
mod guess;
mod spelling;
mod table;

pub use crate::format::PathStep;
pub use create_table::create_table_text;
pub use guess::{
    Guess, GuessedColumn, Header, Hints, JoinedTime, SAMPLE_BYTES, TIME_NAMES, UserFormat,
    file_sample_bytes, guess, guess_columnar, json_format, live_sample_bytes, path_inside,
    shown_columns, shown_in,
};
pub use spelling::{only_place_of_name, place_of_name};
pub use table::{ColumnSource, Table, TableColumn, TableTime, TakenFor, candidates_text};

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlparser::ast;

use crate::error::Result;

/// Tables and views by exact name.
#[derive(Debug, Default, Clone)]
pub struct Catalog {
    tables: BTreeMap<String, Arc<Table>>,
    views: BTreeMap<String, Arc<View>>,
}

/// A named query.
#[derive(Debug, Clone)]
pub struct View {
    /// New names for the query's columns; empty for its own.
    pub columns: Vec<ast::Ident>,
    /// The query.
    pub query: ast::Query,
}

impl Catalog {
    /// Adds or replaces a table; a view of that name is gone.
    pub fn add_table(&mut self, table: Table) {
        self.views.remove(&table.name);
        self.tables.insert(table.name.clone(), Arc::new(table));
    }

    /// Adds or replaces a view; a table of that name is gone.
    pub fn add_view(&mut self, name: &str, view: View) {
        self.tables.remove(name);
        self.views.insert(name.to_string(), Arc::new(view));
    }

    /// Forgets the table or view that `name` means; returns its exact name.
    ///
    /// # Errors
    /// It may be several.
    pub fn remove(&mut self, name: &str) -> Result<Option<String>> {
        let names = || self.tables.keys().chain(self.views.keys());
        let Some(place) = only_place_of_name(names().map(String::as_str), name)? else {
            return Ok(None);
        };
        let exact = names().nth(place).cloned();
        if let Some(exact) = &exact {
            self.forget(exact);
        }
        Ok(exact)
    }

    /// Forgets the table or view of exactly that name.
    pub fn forget(&mut self, name: &str) {
        self.tables.remove(name);
        self.views.remove(name);
    }

    /// The table that `name` means among tables and views: by exact spelling, else ignoring case if that is unique.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(self.meant(name)?)
    }

    /// The table that a name in FROM means: a path in single quotes is no other file in other letters.
    pub fn table_of(&self, name: &ast::Ident) -> Option<&Arc<Table>> {
        match name.quote_style {
            Some('\'') => self.tables.get(&name.value),
            _ => self.table(&name.value),
        }
    }

    /// The view that `name` means, as for tables.
    pub fn view(&self, name: &str) -> Option<&Arc<View>> {
        self.views.get(self.meant(name)?)
    }

    fn meant(&self, name: &str) -> Option<&str> {
        let mut names = self.tables.keys().chain(self.views.keys());
        let place = place_of_name(names.clone().map(String::as_str), name)?;
        names.nth(place).map(String::as_str)
    }

    /// All names, tables and views, in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = (self.tables.keys())
            .chain(self.views.keys())
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names
    }
}
