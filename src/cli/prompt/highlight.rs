//! Colors for what is typed: keywords, texts, numbers, comments, the name of a dot command, the brackets at the cursor.
//!
//! Invariant: the text without its escape codes is the text; a text in quotes that began lines before is one here.

use std::ops::Range;

use super::entry::{Item, items};
use crate::error::Span;
use crate::sql::{self, Piece, PieceKind, Unfinished};

const KEYWORD: &str = "1;34";
const TEXT: &str = "32";
const NUMBER: &str = "36";
const COMMENT: &str = "2";
const COMMAND: &str = "1;35";
const BRACKET: &str = "1;33";

/// The last line of `text`, which begins at `start`, in colors. `cursor` is where the brackets are shown that belong
/// together, if they are.
pub fn highlighted(text: &str, start: usize, cursor: Option<usize>) -> String {
    let mut spans: Vec<(Range<usize>, &str)> = Vec::new();
    for item in items(text).0 {
        match item {
            Item::Command(span) => {
                let command = &text[span.start..span.end];
                let end = command.find(char::is_whitespace).unwrap_or(command.len());
                spans.push((span.start..span.start + end, COMMAND));
            }
            Item::Sql(span) => colors(text, span, cursor, &mut spans),
        }
    }
    let mut shown = String::with_capacity(text.len() - start + 64);
    let mut at = start;
    for (range, codes) in spans {
        let (begin, end) = (range.start.max(at), range.end);
        if begin >= end {
            continue;
        }
        shown.push_str(&text[at..begin]);
        shown.push_str(&format!("\u{1b}[{codes}m{}\u{1b}[0m", &text[begin..end]));
        at = end;
    }
    shown.push_str(&text[at..]);
    shown
}

fn colors(text: &str, item: Span, cursor: Option<usize>, spans: &mut Vec<(Range<usize>, &str)>) {
    let sql = &text[item.start..item.end];
    let pieces = sql::pieces(sql);
    let pair = cursor
        .and_then(|cursor| cursor.checked_sub(item.start))
        .and_then(|cursor| pair_at(&pieces, cursor));
    for piece in &pieces {
        let is_paired = pair.is_some_and(|(one, other)| [one, other].contains(&piece.span));
        let codes = match piece.kind {
            PieceKind::Word if sql::is_keyword(piece.of(sql)) => KEYWORD,
            PieceKind::Text | PieceKind::Unfinished(Unfinished::Text) => TEXT,
            PieceKind::Number => NUMBER,
            PieceKind::Comment | PieceKind::Unfinished(Unfinished::Comment) => COMMENT,
            PieceKind::Opens | PieceKind::Closes if is_paired => BRACKET,
            _ => continue,
        };
        spans.push((
            piece.span.start + item.start..piece.span.end + item.start,
            codes,
        ));
    }
}

/// The bracket at the cursor, or before it, and the one that belongs to it.
fn pair_at(pieces: &[Piece], cursor: usize) -> Option<(Span, Span)> {
    let is_bracket = |piece: &Piece| matches!(piece.kind, PieceKind::Opens | PieceKind::Closes);
    let at = |place: usize| {
        pieces
            .iter()
            .position(|piece| piece.span.start == place && is_bracket(piece))
    };
    let found = at(cursor).or_else(|| at(cursor.checked_sub(1)?))?;
    let mut depth = 0_usize;
    let opens = pieces[found].kind == PieceKind::Opens;
    let mut forward = pieces[found..].iter();
    let mut backward = pieces[..=found].iter().rev();
    let walk: &mut dyn Iterator<Item = &Piece> = match opens {
        true => &mut forward,
        false => &mut backward,
    };
    for piece in walk.filter(|piece| is_bracket(piece)) {
        if (piece.kind == PieceKind::Opens) == opens {
            depth += 1;
        } else {
            depth -= 1;
        }
        if depth == 0 {
            return Some((pieces[found].span, piece.span));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<1;34|SELECT>` stands for a colored word.
    fn check(text: &str, start: usize, cursor: Option<usize>, expected: &str) {
        let shown = highlighted(text, start, cursor);
        let marked = shown.replace("\u{1b}[0m", ">").replace("\u{1b}[", "<");
        let mut readable = String::new();
        let mut rest = marked.as_str();
        while let Some(at) = rest.find('<') {
            let end = rest[at..].find('m').map_or(rest.len(), |end| at + end);
            readable.push_str(&rest[..end]);
            readable.push('|');
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        readable.push_str(rest);
        assert_eq!(readable, expected);
    }

    #[test]
    fn colors_of_pieces() {
        check(
            "SELECT a, 'x', 1.5 -- why",
            0,
            None,
            "<1;34|SELECT> a, <32|'x'>, <36|1.5> <2|-- why>",
        );
        check("select 'x", 0, None, "<1;34|select> <32|'x>");
        check(".mode csv", 0, None, "<1;35|.mode> csv");
        check("status", 0, None, "status");
        check("", 0, None, "");
    }

    #[test]
    fn lines_before_count() {
        let text = "SELECT 'a\nb', FROM";
        check(text, 10, None, "<32|b'>, <1;34|FROM>");
    }

    #[test]
    fn brackets_that_belong_together() {
        check("f(a(b))", 0, Some(7), "f<1;33|(>a(b)<1;33|)>");
        check("f(a(b))", 0, Some(3), "f(a<1;33|(>b<1;33|)>)");
        check("f(a", 0, Some(1), "f(a");
        check("a)", 0, Some(2), "a)");
    }
}
