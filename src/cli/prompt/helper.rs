//! What rustyline asks while a line is typed: how it could go on, and how it is shown.
//!
//! Invariant: functions are listed and files looked into when somebody asks for them, and not before.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::io;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::Validator;
use rustyline::{Context, Result};
use unicode_width::UnicodeWidthStr;

use super::commands::{self, COMMANDS};
use super::complete::{Known, complete};
use super::example;
use super::highlight::highlighted;
use crate::cli::display::cut;
use crate::cli::screen;
use crate::functions::{self, Signature};
use crate::session::{self, Options, Relation, Session};

/// Every prompt has so many.
const PROMPT_COLUMNS: usize = "tumble> ".len();

/// The answers.
pub struct Helper {
    /// Colors may be used.
    color: bool,
    /// The lines of the entry before the one that is typed.
    before: String,
    hinter: HistoryHinter,
    /// The line is complete, and is drawn for the last time.
    is_last: Cell<bool>,
    desk: Desk,
}

impl Helper {
    pub fn new(color: bool) -> Self {
        Helper {
            color,
            before: String::new(),
            hinter: HistoryHinter::new(),
            is_last: Cell::new(false),
            desk: Desk::default(),
        }
    }

    /// Another line of an entry begins.
    pub fn begin_line(&mut self, before: &str, session: &Session) {
        if before.is_empty() {
            self.desk.know(session);
        }
        self.before = before.to_owned();
        self.is_last.set(false);
    }
}

impl Helper {
    /// The columns of the terminal.
    fn columns(&self) -> usize {
        screen::size(io::stdout()).map_or(80, |(columns, _)| columns)
    }
}

impl rustyline::Helper for Helper {}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let (text, before) = (format!("{}{line}", self.before), self.before.len());
        let (start, found) = complete(&text, before + pos, &self.desk);
        let Some(start) = start.checked_sub(before) else {
            // What is in quotes since an earlier line is no name.
            return Ok((pos, Vec::new()));
        };
        let pair = |found: super::complete::Candidate| Pair {
            display: found.shown,
            replacement: found.text,
        };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

/// What stands dimly behind the cursor.
pub struct Hint {
    text: String,
    /// As much of it as fits behind the cursor.
    shown: String,
    /// The right arrow takes it over.
    is_taken: bool,
}

impl Hint {
    /// Behind a line, on a terminal of so many columns: a long one would hide what stands above.
    fn behind(line: &str, columns: usize, text: &str, is_taken: bool) -> Option<Self> {
        let used = (PROMPT_COLUMNS + line.width()) % columns.max(1);
        let shown = cut(text, columns.saturating_sub(used + 1));
        (!text.is_empty()).then(|| Hint {
            text: text.to_owned(),
            shown,
            is_taken,
        })
    }
}

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.is_taken.then_some(self.text.as_str())
    }
}

impl Hinter for Helper {
    type Hint = Hint;

    /// What a function takes whose bracket was just opened; else how an entry that began likewise went on. Without
    /// colors neither could be told from what was typed.
    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Hint> {
        if !self.color || pos < line.len() {
            return None;
        }
        if let Some(call) = line.strip_suffix('(') {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name = call
                .rsplit(|c| !is_part(c))
                .next()
                .filter(|name| !name.is_empty())?;
            let functions = self.desk.functions().iter();
            let mut named = functions.filter(|known| known.name.eq_ignore_ascii_case(name));
            let (_, arguments) = named.next()?.call.split_once('(')?;
            return Hint::behind(line, self.columns(), arguments, false);
        }
        if !self.before.is_empty() {
            return None;
        }
        let hint = self.hinter.hint(line, pos, context)?;
        Hint::behind(line, self.columns(), hint.lines().next()?, true)
    }
}

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.color {
            return Cow::Borrowed(line);
        }
        let text = format!("{}{line}", self.before);
        let start = self.before.len();
        let cursor = (!self.is_last.get()).then_some(start + pos);
        Cow::Owned(highlighted(&text, start, cursor))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(screen::dim(hint, self.color))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_last.set(kind == CmdKind::ForcedRefresh);
        self.color
    }
}

impl Validator for Helper {}

/// What completion knows.
#[derive(Default)]
struct Desk {
    relations: Vec<Relation>,
    options: Options,
    functions: OnceCell<Vec<Signature>>,
    /// Of paths that were looked into while this entry is typed.
    columns: RefCell<BTreeMap<String, Vec<String>>>,
}

impl Desk {
    fn know(&mut self, session: &Session) {
        self.relations = session.relations();
        self.options = session.options().clone();
        self.columns.borrow_mut().clear();
    }

    /// The columns of a table that was not read yet.
    fn unread(&self, name: &str) -> Vec<String> {
        if name == example::NAME {
            let columns = example::COLUMNS.iter();
            return columns.map(|column| String::from(*column)).collect();
        }
        let mut tables = self.options.tables.iter();
        let path = tables
            .find(|(table, _)| table == name)
            .map(|(_, path)| path);
        let files = self.options.files.first().filter(|_| name == "input");
        let path = path.or(files);
        path.map_or_else(Vec::new, |path| self.columns_of_path(path))
    }
}

impl Known for Desk {
    fn relations(&self) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<(String, Vec<String>)> = Vec::new();
        for relation in &self.relations {
            let names = relation.columns.iter().map(|(name, _)| name.clone());
            let mut columns: Vec<String> = names.collect();
            if columns.is_empty() {
                columns = self.unread(&relation.name);
            }
            all.push((relation.name.clone(), columns));
        }
        if !all
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(example::NAME))
        {
            all.push((example::NAME.to_owned(), self.unread(example::NAME)));
        }
        all
    }

    fn query_of(&self, name: &str) -> Option<String> {
        let mut relations = self.relations.iter();
        let found = relations.find(|known| known.name.eq_ignore_ascii_case(name));
        found.and_then(|known| known.query.clone())
    }

    fn columns_of_path(&self, path: &str) -> Vec<String> {
        if let Some(known) = self.columns.borrow().get(path) {
            return known.clone();
        }
        let found = session::columns_of_path(path, &self.options).unwrap_or_default();
        let names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
        self.columns
            .borrow_mut()
            .insert(path.to_owned(), names.clone());
        names
    }

    fn functions(&self) -> &[Signature] {
        self.functions.get_or_init(functions::signatures)
    }

    fn settings(&self) -> Vec<&'static str> {
        self.options.shown().map(|(name, _)| name).collect()
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let path = if folder.is_empty() { "." } else { folder };
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let name = |entry: std::fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            // A link to a folder is one.
            let is_folder = entry.path().is_dir();
            Some(if is_folder { format!("{name}/") } else { name })
        };
        entries.filter_map(name).collect()
    }

    fn topics(&self) -> Vec<&'static str> {
        let topics = commands::TOPICS.iter().map(|topic| topic.name);
        topics
            .chain(COMMANDS.iter().map(|command| command.name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_end_with_the_line() {
        let hint = |line: &str, text: &str| {
            let hint = Hint::behind(line, 20, text, true)?;
            Some(rustyline::hint::Hint::display(&hint).to_owned())
        };
        assert_eq!(hint("SEL", "ECT 1;").as_deref(), Some("ECT 1;"));
        assert_eq!(hint("SEL", "ECT 1, 2, 3;").as_deref(), Some("ECT 1, …"));
        assert_eq!(hint("SELECT '漢字', ", "2, 3;").as_deref(), Some("2, 3;"));
        assert_eq!(hint("SEL", ""), None);
    }
}
