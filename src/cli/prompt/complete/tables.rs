//! The tables that a statement reads, found in its pieces while it may still be unfinished.
//!
//! ```text
//!  SELECT … FROM TUMBLE(TABLE orders, …) o, 'a.csv'      orders (windowed, called o), the path a.csv
//! ```

use crate::sql::{self, Piece, PieceKind};

/// A table as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name, without quotes; of a path the path.
    pub name: String,
    /// The path, if it is one.
    pub path: Option<String>,
    /// What else it is called.
    pub alias: Option<String>,
    /// It is made into windows.
    pub is_windowed: bool,
}

impl Reference {
    /// The table of a name, as it is.
    pub fn named(name: &str) -> Self {
        Reference {
            name: name.to_owned(),
            path: None,
            alias: None,
            is_windowed: false,
        }
    }

    /// Whether `name` means this table.
    pub fn is_called(&self, name: &str) -> bool {
        match &self.alias {
            Some(alias) => alias.eq_ignore_ascii_case(name),
            None => self.name.eq_ignore_ascii_case(name),
        }
    }
}

/// The tables behind FROM and JOIN, and those that are written or described: of the query in which `cursor` stands
/// if it names some, else of all. Also the piece with which that query begins.
pub fn references(text: &str, said: &[Piece], cursor: usize) -> (Vec<Reference>, usize) {
    let owners = owners(text, said);
    let before = said.iter().rposition(|piece| piece.span.end <= cursor);
    // The bracket itself stands outside.
    let owner = before.and_then(|at| match is_query(text, said, at) {
        true => Some(at),
        false => owners[at],
    });
    let own = in_query(text, said, &owners, owner);
    let is_begin = |(place, piece): (usize, &Piece)| {
        (owners[place] == owner && piece.is_word(text, "SELECT")).then_some(place)
    };
    let begin = said.iter().enumerate().find_map(is_begin);
    if !own.is_empty() {
        return (own, begin.unwrap_or(said.len()));
    }
    let mut all = Vec::new();
    for (index, piece) in said.iter().enumerate() {
        if begins(text, piece) {
            list(text, &said[index + 1..], &mut all);
        }
    }
    (all, said.len())
}

/// The tables that one query names, and none that a query within it does.
pub fn in_query(
    text: &str,
    said: &[Piece],
    owners: &[Option<usize>],
    owner: Option<usize>,
) -> Vec<Reference> {
    let mut found = Vec::new();
    for (index, piece) in said.iter().enumerate() {
        if owners[index] == owner && begins(text, piece) {
            list(text, &said[index + 1..], &mut found);
        }
    }
    found
}

fn begins(text: &str, piece: &Piece) -> bool {
    let words = ["FROM", "JOIN", "INTO", "DESCRIBE"];
    words.iter().any(|word| piece.is_word(text, word))
}

/// Of each piece the bracket of the query that it belongs to; none of the outermost.
pub fn owners(text: &str, said: &[Piece]) -> Vec<Option<usize>> {
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut owner = None;
    let mut owners = Vec::with_capacity(said.len());
    for (place, piece) in said.iter().enumerate() {
        if piece.kind == PieceKind::Closes {
            owner = open.pop().unwrap_or(None);
        }
        owners.push(owner);
        if piece.kind == PieceKind::Opens {
            open.push(owner);
            if is_query(text, said, place) {
                owner = Some(place);
            }
        }
    }
    owners
}

/// Whether a query begins behind a bracket at a place.
pub fn is_query(text: &str, said: &[Piece], at: usize) -> bool {
    let opens = said
        .get(at)
        .is_some_and(|piece| piece.kind == PieceKind::Opens);
    let is = |word| {
        said.get(at + 1)
            .is_some_and(|piece| piece.is_word(text, word))
    };
    opens && (is("SELECT") || is("WITH"))
}

/// Tables parted by commas.
fn list(text: &str, mut said: &[Piece], found: &mut Vec<Reference>) {
    while let Some((reference, length)) = reference(text, said) {
        found.push(reference);
        match said.get(length) {
            Some(piece) if piece.kind == PieceKind::Comma => said = &said[length + 1..],
            _ => break,
        }
    }
}

/// The table that begins here, and how many pieces it has.
fn reference(text: &str, said: &[Piece]) -> Option<(Reference, usize)> {
    let mut at = skip_table(text, said, 0);
    let is_call = (said.get(at + 1)).is_some_and(|piece| piece.kind == PieceKind::Opens);
    let is_windowed = is_call && said.get(at).is_some_and(|piece| is_window(text, piece));
    let name = match is_windowed {
        true => skip_table(text, said, at + 2),
        false => at,
    };
    let piece = said.get(name)?;
    let is_name = match piece.kind {
        PieceKind::Word => !sql::is_keyword(piece.of(text)) && (!is_call || is_windowed),
        PieceKind::QuotedName | PieceKind::Text => true,
        _ => false,
    };
    if !is_name {
        return None;
    }
    at = match is_windowed {
        true => behind_bracket(said, at + 1),
        false => at + 1,
    };
    let mut alias = None;
    if said.get(at).is_some_and(|piece| piece.is_word(text, "AS")) {
        at += 1;
    }
    if let Some(piece) = said.get(at)
        && (piece.kind == PieceKind::QuotedName
            || piece.kind == PieceKind::Word && !sql::is_keyword(piece.of(text)))
    {
        alias = Some(unquoted(piece.of(text)));
        at += 1;
    }
    let name = unquoted(piece.of(text));
    let reference = Reference {
        path: (piece.kind == PieceKind::Text).then(|| name.clone()),
        name,
        alias,
        is_windowed,
    };
    Some((reference, at))
}

fn skip_table(text: &str, said: &[Piece], at: usize) -> usize {
    let is_table = said
        .get(at)
        .is_some_and(|piece| piece.is_word(text, "TABLE"));
    at + usize::from(is_table)
}

fn is_window(text: &str, piece: &Piece) -> bool {
    sql::WINDOW_WORDS
        .iter()
        .any(|word| piece.is_word(text, word))
}

/// The index behind the bracket that closes the one at `open`; the end if it stays open.
pub fn behind_bracket(said: &[Piece], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, piece) in said.iter().enumerate().skip(open) {
        match piece.kind {
            PieceKind::Opens => depth += 1,
            PieceKind::Closes => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    said.len()
}

/// A name or text without its quotes.
pub fn unquoted(text: &str) -> String {
    for quote in ['\'', '"', '`'] {
        if let Some(inside) = text.strip_prefix(quote) {
            let inside = inside.strip_suffix(quote).unwrap_or(inside);
            let quote = quote.to_string();
            return inside.replace(&quote.repeat(2), &quote);
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(text: &str) -> (Vec<Reference>, usize) {
        let mut said = sql::pieces(text);
        said.retain(Piece::is_said);
        references(text, &said, text.len())
    }

    fn check(text: &str, expected: &[(&str, Option<&str>, bool)]) {
        let (found, _) = at_end(text);
        let shown: Vec<(&str, Option<&str>, bool)> = (found.iter())
            .map(|known| {
                (
                    known.name.as_str(),
                    known.alias.as_deref(),
                    known.is_windowed,
                )
            })
            .collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn tables_of_statements() {
        check("SELECT a FROM t", &[("t", None, false)]);
        check(
            "SELECT a FROM 'a b.csv' x WHERE",
            &[("a b.csv", Some("x"), false)],
        );
        check(
            "SELECT a FROM \"T\" AS x, u",
            &[("T", Some("x"), false), ("u", None, false)],
        );
        check(
            "SELECT a FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1m') GROUP",
            &[("t", None, true)],
        );
        check(
            "SELECT a FROM hop(t, ts, 1s, 2s) h, u",
            &[("t", Some("h"), true), ("u", None, false)],
        );
        check("SELECT a FROM TUMBLE(t", &[("t", None, true)]);
        check("SELECT a FROM (SELECT b FROM t) x", &[("t", None, false)]);
        check(
            "SELECT a FROM t UNION ALL SELECT b FROM u",
            &[("t", None, false), ("u", None, false)],
        );
        check(
            "INSERT INTO s SELECT a FROM t",
            &[("s", None, false), ("t", None, false)],
        );
        check("SELECT a FROM", &[]);
        check(
            "SELECT EXTRACT(YEAR FROM ts) FROM t",
            &[("ts", None, false), ("t", None, false)],
        );
    }

    #[test]
    fn paths_are_known() {
        let text = "SELECT a FROM 'it''s.csv'";
        let (found, _) = at_end(text);
        assert_eq!(found[0].path.as_deref(), Some("it's.csv"));
    }
}
