//! The columns that a table in a statement has, also one that the statement or a view makes by a query.
//!
//! ```text
//!  WITH slow AS (SELECT *, latency_ms / 1000 AS s FROM 'a.csv') SELECT ▮ FROM slow      the columns of a.csv, and s
//! ```
//!
//! Invariants: a query sees the names that `WITH` gave before it, so that none is made of itself; a column that has no
//! name of its own is left out.

use super::Known;
use super::tables::{Reference, behind_bracket, in_query, is_query, owners, unquoted};
use crate::sql::{self, Piece, PieceKind};

/// Views are made of views so deep at most.
const DEEPEST: usize = 16;

/// A text with its pieces that mean something.
#[derive(Clone, Copy)]
pub struct Said<'t> {
    pub text: &'t str,
    pub pieces: &'t [Piece],
}

/// The columns of a table that a query names which begins at a piece.
pub fn columns(said: Said<'_>, query: usize, table: &Reference, known: &dyn Known) -> Vec<String> {
    columns_within(said, query, table, known, 0)
}

fn columns_within(
    said: Said<'_>,
    query: usize,
    table: &Reference,
    known: &dyn Known,
    depth: usize,
) -> Vec<String> {
    let mut columns = match &table.path {
        Some(path) => known.columns_of_path(path),
        None => of_name(said, query, &table.name, known, depth),
    };
    if table.is_windowed {
        columns.extend(["window_start", "window_end", "window_time"].map(String::from));
    }
    columns
}

fn of_name(
    said: Said<'_>,
    query: usize,
    name: &str,
    known: &dyn Known,
    depth: usize,
) -> Vec<String> {
    if let Some(made) = made_before(said, query, name) {
        return match made.columns.is_empty() {
            false => made.columns,
            true => of_query(said, made.body, known, depth),
        };
    }
    if let Some(query) = known.query_of(name).filter(|_| depth < DEEPEST) {
        let mut pieces = sql::pieces(&query);
        pieces.retain(Piece::is_said);
        let said = Said {
            text: &query,
            pieces: &pieces,
        };
        return of_query(said, (0, pieces.len()), known, depth + 1);
    }
    let relations = known.relations();
    let found = relations
        .into_iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, columns)| columns).unwrap_or_default()
}

/// A name that `WITH` gives to a query.
struct Made {
    /// Names for its columns, if there are any.
    columns: Vec<String>,
    /// The pieces between its brackets.
    body: (usize, usize),
}

/// The query with a name that is complete before another begins.
fn made_before(said: Said<'_>, query: usize, name: &str) -> Option<Made> {
    let mut made = (1..query.min(said.pieces.len()))
        .rev()
        .filter_map(|at| made_at(said, at));
    let found = made.find(|(own, made)| own.eq_ignore_ascii_case(name) && made.body.1 < query);
    found.map(|(_, made)| made)
}

/// The names that `WITH` gives in a statement.
pub fn made(said: Said<'_>) -> Vec<String> {
    let made = (1..said.pieces.len()).filter_map(|at| made_at(said, at));
    made.map(|(name, _)| name).collect()
}

/// What has AS at a place: `name [(columns)] AS (SELECT …)`.
fn made_at(said: Said<'_>, at: usize) -> Option<(String, Made)> {
    let Said { text, pieces } = said;
    if !pieces[at].is_word(text, "AS") || !is_query(text, pieces, at + 1) {
        return None;
    }
    let body = (at + 2, behind_bracket(pieces, at + 1).max(at + 3) - 1);
    let (named, columns) = match pieces[at - 1].kind {
        PieceKind::Closes => {
            let open = (0..at).rfind(|&place| pieces[place].kind == PieceKind::Opens)?;
            let names = pieces[open + 1..at - 1].iter();
            let names = names.filter(|piece| piece.kind != PieceKind::Comma);
            let names = names.map(|piece| unquoted(piece.of(text))).collect();
            (open.checked_sub(1)?, names)
        }
        _ => (at - 1, Vec::new()),
    };
    let name = unquoted(pieces[named].of(text));
    Some((name, Made { columns, body }))
}

/// The names that the query among some pieces gives its columns.
fn of_query(
    said: Said<'_>,
    (begin, end): (usize, usize),
    known: &dyn Known,
    depth: usize,
) -> Vec<String> {
    let Said { text, pieces } = said;
    let body = &pieces[begin..end];
    let owners = owners(text, body);
    let is_own = |place: &usize| owners[*place].is_none();
    let select =
        (0..body.len()).find(|place| is_own(place) && body[*place].is_word(text, "SELECT"));
    let Some(select) = select else {
        return Vec::new();
    };
    let tables = in_query(text, body, &owners, None);
    let all = |fits: &dyn Fn(&Reference) -> bool| -> Vec<String> {
        let fitting = tables.iter().filter(|table| fits(table));
        let columns = |table| columns_within(said, begin + select, table, known, depth);
        fitting.flat_map(columns).collect()
    };
    let mut names = Vec::new();
    for item in items(text, &body[select + 1..]) {
        match item {
            [star] if star.of(text) == "*" => names.extend(all(&|_| true)),
            [table, dot, star] if dot.kind == PieceKind::Period && star.of(text) == "*" => {
                let name = unquoted(table.of(text));
                names.extend(all(&|table| table.is_called(&name)));
            }
            // The last part of a calculation is no name.
            [.., sign, _] if sign.kind == PieceKind::Sign => {}
            [.., name] if is_name(text, name) => names.push(unquoted(name.of(text))),
            _ => {}
        }
    }
    names
}

fn is_name(text: &str, piece: &Piece) -> bool {
    let is_word = piece.kind == PieceKind::Word && !sql::is_keyword(piece.of(text));
    is_word || piece.kind == PieceKind::QuotedName
}

/// What stands between SELECT and FROM, parted by commas.
fn items<'p>(text: &str, pieces: &'p [Piece]) -> Vec<&'p [Piece]> {
    let mut items = Vec::new();
    let (mut begin, mut depth) = (0, 0_usize);
    for (place, piece) in pieces.iter().enumerate() {
        match piece.kind {
            PieceKind::Opens => depth += 1,
            PieceKind::Closes => depth = depth.saturating_sub(1),
            PieceKind::Comma if depth == 0 => {
                items.push(&pieces[begin..place]);
                begin = place + 1;
            }
            _ if depth == 0
                && ["FROM", "UNION"]
                    .iter()
                    .any(|word| piece.is_word(text, word)) =>
            {
                items.push(&pieces[begin..place]);
                return items;
            }
            _ => {}
        }
    }
    items.push(&pieces[begin..]);
    items
}
