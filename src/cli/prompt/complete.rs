//! How what is typed could go on: pure functions of the text, the cursor, and what is known of tables and functions.
//!
//! ```text
//!  SELECT sta▮ FROM 'a.csv'      columns of the tables in FROM, functions, keywords
//!  SELECT * FROM or▮             tables, views, windows            'samples/▮   files
//!  .mode c▮                      what the command takes            SET de▮      settings
//! ```
//!
//! Invariants: case follows what was typed; a name is proposed as SQL takes it, in quotes where it needs some; what
//! is proposed begins with what was typed, whatever its case.

mod columns;
mod tables;

use super::commands::{COMMANDS, Takes, command_named};
use super::entry::{Item, items};
use crate::cli::display::FORMATS;
use crate::data::quoted_name;
use crate::functions::Signature;
use crate::sql::{self, Piece, PieceKind, Unfinished};
use columns::Said;
use tables::{Reference, references};

/// Keywords of statements that are no queries.
const OF_OTHERS: &[&str] = &[
    "BEGIN",
    "COPY",
    "CREATE",
    "DESCRIBE",
    "DROP",
    "EXPLAIN",
    "INSERT",
    "INTO",
    "SET",
    "SHOW",
    "STATEMENT",
    "TABLES",
    "TEMPORARY",
    "VIEW",
    "VIEWS",
    "WATERMARK",
];

/// What is known besides the text.
pub trait Known {
    /// Names of tables and views, each with its columns.
    fn relations(&self) -> Vec<(String, Vec<String>)>;
    /// The query of a view whose columns have the names that the query gives them.
    fn query_of(&self, name: &str) -> Option<String>;
    /// The columns of what is at a path.
    fn columns_of_path(&self, path: &str) -> Vec<String>;
    /// How functions are called.
    fn functions(&self) -> &[Signature];
    /// The names that `SET` takes.
    fn settings(&self) -> Vec<&'static str>;
    /// What is in a folder: names, those of folders with `/` behind.
    fn files(&self, folder: &str) -> Vec<String>;
    /// What `.help` knows.
    fn topics(&self) -> Vec<&'static str>;
}

/// A way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What stands in the text then.
    pub text: String,
    /// What the list shows.
    pub shown: String,
}

impl Candidate {
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Candidate {
            shown: text.clone(),
            text,
        }
    }
}

/// How `text` could go on at `cursor`: where what is replaced begins, and with what.
pub fn complete(text: &str, cursor: usize, known: &dyn Known) -> (usize, Vec<Candidate>) {
    for item in items(text).0 {
        match item {
            Item::Command(span) if (span.start..=span.end).contains(&cursor) => {
                let (start, found) = command(&text[span.start..cursor], known);
                return (span.start + start, found);
            }
            Item::Sql(span) if (span.start..=span.end).contains(&cursor) => {
                let (start, found) =
                    statement(&text[span.start..span.end], cursor - span.start, known);
                return (span.start + start, found);
            }
            _ => {}
        }
    }
    (cursor, words("", sql::STATEMENT_WORDS))
}

/// How a command could go on, which is typed up to its end.
fn command(typed: &str, known: &dyn Known) -> (usize, Vec<Candidate>) {
    let Some(end) = typed.find(char::is_whitespace) else {
        let names = COMMANDS.iter().flat_map(|command| {
            let spellings = command.spellings.iter().copied();
            std::iter::once(command.name).chain(spellings)
        });
        let names = names.filter(|name| name.starts_with(typed));
        return (0, names.map(Candidate::plain).collect());
    };
    let argument = typed[end..].trim_start();
    let start = typed.len() - argument.len();
    let takes = command_named(&typed[..end]).map_or(Takes::Nothing, |command| command.takes);
    let among = |names: &[&str]| {
        let fitting = names.iter().filter(|name| begins_with(name, argument));
        fitting.map(|name| Candidate::plain(*name)).collect()
    };
    match takes {
        Takes::Nothing | Takes::Line => (start, Vec::new()),
        Takes::Setting => (start, among(&known.settings())),
        Takes::Format => {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            (start, among(&names))
        }
        Takes::Switch => (start, among(&["on", "off"])),
        Takes::Topic => (start, among(&known.topics())),
        Takes::Function => (start, functions(argument, known)),
        Takes::Path => (start, files(argument, "", known)),
        Takes::Table => match argument.strip_prefix('\'') {
            Some(path) => (start + 1, files(path, "'", known)),
            None => (start, relations(argument, known)),
        },
    }
}

/// How the statements of `text` could go on at `cursor`.
fn statement(text: &str, cursor: usize, known: &dyn Known) -> (usize, Vec<Candidate>) {
    let pieces = sql::pieces(text);
    let (ends, _) = sql::endings(text, &pieces);
    let begin = ends
        .iter()
        .rev()
        .find(|end| **end <= cursor)
        .copied()
        .unwrap_or(0);
    let end = ends
        .iter()
        .find(|end| **end > cursor)
        .copied()
        .unwrap_or(text.len());
    let own: Vec<Piece> = pieces
        .into_iter()
        .filter(|piece| piece.span.start >= begin && piece.span.end <= end)
        .collect();
    let at = own.iter().find(|piece| {
        let is_inside = piece.span.start < cursor && cursor <= piece.span.end;
        is_inside && piece.kind != PieceKind::Blank
    });
    let start = match at {
        Some(piece) => match piece.kind {
            PieceKind::Unfinished(Unfinished::Text) => {
                let start = piece.span.start + 1;
                return (start, files(&text[start..cursor], "'", known));
            }
            PieceKind::Text if cursor < piece.span.end => {
                let start = piece.span.start + 1;
                return (start, files(&text[start..cursor], "", known));
            }
            PieceKind::Word => piece.span.start,
            PieceKind::Unfinished(Unfinished::Name) => piece.span.start,
            PieceKind::Comment | PieceKind::Unfinished(_) | PieceKind::Text | PieceKind::Number => {
                return (cursor, Vec::new());
            }
            _ => cursor,
        },
        None => cursor,
    };
    let mut said = own.clone();
    said.retain(Piece::is_said);
    let before = said.partition_point(|piece| piece.span.end <= start);
    let (mut references, query) = references(text, &said, start);
    let has = |word| said.iter().any(|piece| piece.is_word(text, word));
    if references.is_empty() && has("SELECT") && !has("FROM") {
        // What the files hold that the program was called with.
        references.push(Reference::named("input"));
    }
    let typed = Typed {
        text,
        said: Said {
            text,
            pieces: &said,
        },
        query,
        before: &said[..before],
        prefix: &text[start..cursor],
        is_lower: is_lower(text, &own, &text[start..cursor]),
    };
    (start, typed.candidates(&references, known))
}

/// A word that is being typed, and what stands before it.
struct Typed<'t> {
    text: &'t str,
    /// The statement.
    said: Said<'t>,
    /// Where the query begins in it that the word belongs to.
    query: usize,
    before: &'t [Piece],
    prefix: &'t str,
    /// Keywords are typed in lower case here.
    is_lower: bool,
}

impl Typed<'_> {
    fn candidates(&self, references: &[Reference], known: &dyn Known) -> Vec<Candidate> {
        let is_last = |word: &str| {
            self.before
                .last()
                .is_some_and(|piece| piece.is_word(self.text, word))
        };
        let is_first = |word: &str| {
            self.before
                .first()
                .is_some_and(|piece| piece.is_word(self.text, word))
        };
        if self.before.is_empty() {
            return self.keywords(sql::STATEMENT_WORDS);
        }
        if let Some(columns) = self.qualified(references, known) {
            return columns;
        }
        if is_first("SET") && self.before.len() == 1 {
            let settings = known.settings();
            let fitting = settings
                .iter()
                .filter(|name| begins_with(name, self.prefix));
            // A name with a `-` in it would be a difference.
            return fitting
                .map(|name| Candidate::plain(name.replace('-', "_")))
                .collect();
        }
        if is_last("GROUP") || is_last("ORDER") || is_last("PARTITION") {
            return self.keywords(&["BY"]);
        }
        let is_source = ["FROM", "JOIN", "INTO", "TABLE", "VIEW", "DESCRIBE", "DESC"];
        if is_source.iter().any(|word| is_last(word)) || self.opens_window() {
            let mut found = self.made();
            found.extend(relations(self.prefix, known));
            if is_last("FROM") || is_last("JOIN") {
                found.extend(self.functions(known).into_iter().filter(|candidate| {
                    sql::WINDOW_WORDS
                        .iter()
                        .any(|word| begins_with(&candidate.text, word))
                }));
            }
            if is_first("EXPLAIN") || is_first("DESCRIBE") {
                found.extend(self.keywords(&["SELECT"]));
            }
            return found;
        }
        let mut found = self.columns(references, known);
        if !self.prefix.is_empty() || found.is_empty() {
            if !self.prefix.is_empty() {
                found.extend(self.functions(known));
            }
            let is_query = is_first("SELECT") || is_first("WITH");
            let mut keywords = self.keywords(sql::KEYWORDS);
            let begins = |word: &str| {
                OF_OTHERS
                    .iter()
                    .any(|other| other.eq_ignore_ascii_case(word))
            };
            keywords.retain(|keyword| !is_query || !begins(&keyword.text));
            found.extend(keywords);
        }
        found
    }

    /// The names that `WITH` has given.
    fn made(&self) -> Vec<Candidate> {
        let prefix = self.prefix.trim_start_matches(['"', '`']);
        let names = columns::made(self.said).into_iter();
        let fitting = names.filter(|name| begins_with(name, prefix));
        fitting
            .map(|name| Candidate::plain(quoted_name(&name)))
            .collect()
    }

    /// The table that a window is made of comes behind its bracket.
    fn opens_window(&self) -> bool {
        let [.., word, bracket] = self.before else {
            return false;
        };
        let mut windows = sql::WINDOW_WORDS.iter();
        bracket.kind == PieceKind::Opens && windows.any(|name| word.is_word(self.text, name))
    }

    /// The columns of a table whose name and a dot stand before the word.
    fn qualified(&self, references: &[Reference], known: &dyn Known) -> Option<Vec<Candidate>> {
        let [.., name, dot] = self.before else {
            return None;
        };
        if dot.kind != PieceKind::Period {
            return None;
        }
        let name = tables::unquoted(name.of(self.text));
        let of_name = references.iter().filter(|known| known.is_called(&name));
        Some(self.columns_of(of_name, known))
    }

    fn columns(&self, references: &[Reference], known: &dyn Known) -> Vec<Candidate> {
        self.columns_of(references.iter(), known)
    }

    fn columns_of<'r>(
        &self,
        references: impl Iterator<Item = &'r Reference>,
        known: &dyn Known,
    ) -> Vec<Candidate> {
        let names: Vec<String> = references
            .flat_map(|reference| columns::columns(self.said, self.query, reference, known))
            .collect();
        let prefix = self.prefix.trim_start_matches(['"', '`']);
        let mut found: Vec<Candidate> = Vec::new();
        for name in names.iter().filter(|name| begins_with(name, prefix)) {
            let candidate = Candidate::plain(quoted_name(name));
            if !found.contains(&candidate) {
                found.push(candidate);
            }
        }
        found
    }

    /// Functions, in the case that was typed.
    fn functions(&self, known: &dyn Known) -> Vec<Candidate> {
        let is_upper = !self.is_lower && !self.prefix.is_empty();
        let mut found = functions(self.prefix, known);
        for candidate in &mut found {
            let is_window = sql::WINDOW_WORDS
                .iter()
                .any(|word| begins_with(&candidate.text, word));
            candidate.text = match (is_window, self.is_lower) {
                (true, true) => candidate.text.to_lowercase(),
                (false, false) if is_upper => candidate.text.to_uppercase(),
                _ => continue,
            };
        }
        found
    }

    fn keywords(&self, keywords: &[&str]) -> Vec<Candidate> {
        let mut found = words(self.prefix, keywords);
        if self.is_lower {
            for candidate in &mut found {
                *candidate = Candidate::plain(candidate.text.to_lowercase());
            }
        }
        found
    }
}

/// Whether keywords are in lower case: as the letters of the word, else as those of the statement's first.
fn is_lower(text: &str, pieces: &[Piece], prefix: &str) -> bool {
    let first = pieces.iter().find(|piece| piece.kind == PieceKind::Word);
    let sample = match prefix.contains(char::is_alphabetic) {
        true => prefix,
        false => first.map_or("", |piece| piece.of(text)),
    };
    sample.contains(char::is_lowercase) && !sample.starts_with(char::is_uppercase)
}

fn begins_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn words(prefix: &str, words: &[&str]) -> Vec<Candidate> {
    let fitting = words.iter().filter(|word| begins_with(word, prefix));
    fitting.map(|word| Candidate::plain(*word)).collect()
}

fn relations(prefix: &str, known: &dyn Known) -> Vec<Candidate> {
    let prefix = prefix.trim_start_matches(['"', '`']);
    let names = known.relations().into_iter().map(|(name, _)| name);
    let fitting = names.filter(|name| begins_with(name, prefix));
    fitting
        .map(|name| Candidate::plain(quoted_name(&name)))
        .collect()
}

/// Functions with a bracket behind; the list shows what stands in it.
fn functions(prefix: &str, known: &dyn Known) -> Vec<Candidate> {
    let fitting = known.functions().iter();
    let mut found: Vec<Candidate> = fitting
        .filter(|function| begins_with(&function.name, prefix))
        .map(|function| Candidate {
            text: format!("{}(", function.name),
            shown: function.call.clone(),
        })
        .collect();
    found.sort_by(|one, other| one.text.cmp(&other.text));
    found
}

/// Paths that begin with `prefix`; behind that of a file stands `close`.
fn files(prefix: &str, close: &str, known: &dyn Known) -> Vec<Candidate> {
    let (folder, begin) = match prefix.rfind('/') {
        Some(at) => prefix.split_at(at + 1),
        None => ("", prefix),
    };
    let mut names = known.files(folder);
    names.retain(|name| {
        let is_hidden = name.starts_with('.') && !begin.starts_with('.');
        name.starts_with(begin) && !is_hidden
    });
    names.sort_unstable();
    let candidate = |name: String| {
        let end = if name.ends_with('/') { "" } else { close };
        let path = match close {
            "'" => format!("{folder}{name}").replace('\'', "''"),
            _ => format!("{folder}{name}"),
        };
        Candidate {
            text: format!("{path}{end}"),
            shown: name,
        }
    };
    names.into_iter().map(candidate).collect()
}

#[cfg(test)]
mod tests;
