//! Text in pieces, every byte of it, for who reads along while it is typed: where a statement ends, what is shown in
//! which color, what a name could go on with.
//!
//! ```text
//!  SELECT 'a b', (1 -- why          Word Blank Text Comma Blank Opens Number Blank Comment
//!  SELECT 'a b                      Word Blank Unfinished(Text): the text has no end yet
//! ```
//!
//! Invariants: the pieces lie side by side and are the whole text; they are cut where the parser cuts its tokens.

use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use super::dialect::TumbleDialect;
use super::tokens::{bytes, closes, in_bytes, opens};
use crate::error::Span;

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Where it stands.
    pub span: Span,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// Blanks and newlines.
    Blank,
    /// `-- …` or `/* … */`.
    Comment,
    /// A keyword or a name.
    Word,
    /// A name in double quotes.
    QuotedName,
    /// A text in single quotes.
    Text,
    /// A number.
    Number,
    /// A bracket of any shape that opens.
    Opens,
    /// A bracket of any shape that closes.
    Closes,
    /// `,`
    Comma,
    /// `.`
    Period,
    /// `;`
    Semicolon,
    /// Any other sign.
    Sign,
    /// The rest of the text, which has begun something that has no end.
    Unfinished(Unfinished),
}

/// What has begun and has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// A text in single quotes.
    Text,
    /// A name in double quotes.
    Name,
    /// A comment between `/*` and `*/`.
    Comment,
    /// Something that is no SQL: no further line mends it.
    Nonsense,
}

/// What a text of statements needs before it can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There is no statement in it.
    Nothing,
    /// Every statement has its end.
    Complete,
    /// The end of a statement.
    Statement,
    /// A closing quote.
    Quote,
    /// A closing bracket.
    Bracket,
    /// The end of a comment.
    Comment,
}

/// Cuts a text into its pieces.
pub fn pieces(text: &str) -> Vec<Piece> {
    let dialect = TumbleDialect::for_tokens(0);
    let mut tokens = Vec::new();
    let outcome = Tokenizer::new(&dialect, text).tokenize_with_location_into_buf(&mut tokens);
    in_bytes(&mut tokens, text);
    let mut pieces: Vec<Piece> = Vec::with_capacity(tokens.len() + 1);
    for token in &tokens {
        let (kind, span) = (kind_of(token), bytes(token));
        let start = pieces.last().map_or(0, |piece| piece.span.end);
        if span.end <= start {
            continue;
        }
        match pieces.last_mut() {
            Some(last) if last.kind == PieceKind::Blank && kind == PieceKind::Blank => {
                last.span.end = span.end;
            }
            _ => pieces.push(Piece {
                kind,
                span: Span::new(start, span.end),
            }),
        }
    }
    let start = pieces.last().map_or(0, |piece| piece.span.end);
    if start < text.len() {
        let kind = match outcome {
            Err(_) => PieceKind::Unfinished(unfinished(&text[start..])),
            Ok(()) => PieceKind::Blank,
        };
        let span = Span::new(start, text.len());
        pieces.push(Piece { kind, span });
    }
    pieces
}

fn kind_of(token: &TokenWithSpan) -> PieceKind {
    match &token.token {
        Token::Whitespace(
            Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_),
        ) => PieceKind::Comment,
        Token::Whitespace(_) | Token::EOF => PieceKind::Blank,
        Token::Word(word) if word.quote_style.is_some() => PieceKind::QuotedName,
        Token::Word(_) => PieceKind::Word,
        Token::Number(..) => PieceKind::Number,
        Token::Comma => PieceKind::Comma,
        Token::Period => PieceKind::Period,
        Token::SemiColon => PieceKind::Semicolon,
        token if opens(token) => PieceKind::Opens,
        token if closes(token) => PieceKind::Closes,
        Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::DollarQuotedString(_) => PieceKind::Text,
        _ => PieceKind::Sign,
    }
}

fn unfinished(rest: &str) -> Unfinished {
    if rest.starts_with("/*") {
        Unfinished::Comment
    } else if rest.starts_with('\'') {
        Unfinished::Text
    } else if rest.starts_with(['"', '`']) {
        Unfinished::Name
    } else {
        Unfinished::Nonsense
    }
}

impl Piece {
    /// True for what has a meaning to the parser.
    pub fn is_said(&self) -> bool {
        !matches!(self.kind, PieceKind::Blank | PieceKind::Comment)
    }

    /// True for the unquoted word, in any case.
    pub fn is_word(&self, text: &str, word: &str) -> bool {
        self.kind == PieceKind::Word && self.of(text).eq_ignore_ascii_case(word)
    }

    /// Its text.
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.span.start..self.span.end]
    }
}

/// Where the statements of a text end: behind each `;` that stands in no bracket and in no statement set. Then,
/// what is behind the last of them still needs.
pub fn endings(text: &str, pieces: &[Piece]) -> (Vec<usize>, Ending) {
    let mut ends = Vec::new();
    let mut depth = 0_usize;
    let mut words: Vec<Piece> = Vec::new();
    let mut is_in_set = false;
    let mut has_begun = false;
    let mut left = None;
    for piece in pieces.iter().filter(|piece| piece.is_said()) {
        match piece.kind {
            PieceKind::Semicolon if depth == 0 => {
                let is_end = words.first().is_some_and(|word| word.is_word(text, "END"));
                is_in_set = match is_in_set {
                    true => !is_end,
                    false => begins_set(text, &words),
                };
                if !is_in_set {
                    ends.push(piece.span.end);
                    has_begun = false;
                }
                words.clear();
                continue;
            }
            PieceKind::Opens => depth += 1,
            PieceKind::Closes => depth = depth.saturating_sub(1),
            PieceKind::Unfinished(unfinished) => left = Some(unfinished),
            _ => {}
        }
        has_begun = true;
        // What a statement begins with is in its first words.
        if words.len() < 3 {
            words.push(*piece);
        }
    }
    let ending = match left {
        Some(Unfinished::Comment) => Ending::Comment,
        Some(Unfinished::Text | Unfinished::Name) => Ending::Quote,
        Some(Unfinished::Nonsense) if text.trim_end().ends_with(';') => Ending::Complete,
        _ if depth > 0 => Ending::Bracket,
        _ if has_begun || is_in_set => Ending::Statement,
        _ if ends.is_empty() => Ending::Nothing,
        _ => Ending::Complete,
    };
    (ends, ending)
}

fn begins_set(text: &str, words: &[Piece]) -> bool {
    let [first, second, third] = words else {
        return false;
    };
    let is_first = first.is_word(text, "BEGIN") || first.is_word(text, "EXECUTE");
    is_first && second.is_word(text, "STATEMENT") && third.is_word(text, "SET")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_text() {
        for text in [
            "",
            "SELECT \"ä\", 'é' -- ü\n FROM t /* ß */ WHERE x = 1.5e3;\n",
            "SELECT 'a\nb",
            "SELECT \"a",
            "a /* b /* c */",
            "\\d x\n.mode csv",
            "SELECT $$a; b",
            "x'4g'",
            "  \n\t ",
        ] {
            let pieces = pieces(text);
            let whole: String = pieces.iter().map(|piece| piece.of(text)).collect();
            assert_eq!(whole, text);
            assert!(pieces.iter().all(|piece| piece.span.start < piece.span.end));
        }
    }

    #[test]
    fn kinds() {
        let text = "SELECT \"a\".b, 'x' FROM t -- y";
        let said: Vec<PieceKind> = (pieces(text).iter())
            .map(|piece| piece.kind)
            .filter(|kind| *kind != PieceKind::Blank)
            .collect();
        use PieceKind::*;
        let expected = [
            Word, QuotedName, Period, Word, Comma, Text, Word, Word, Comment,
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn statements_end() {
        for (text, ends, ending) in [
            ("", &[][..], Ending::Nothing),
            ("-- nothing; but a comment\n", &[], Ending::Nothing),
            ("SELECT 1", &[], Ending::Statement),
            ("SELECT 1;", &[9], Ending::Complete),
            ("SELECT 1; -- done", &[9], Ending::Complete),
            ("SELECT 1; SELECT 2", &[9], Ending::Statement),
            ("SELECT ';", &[], Ending::Quote),
            ("SELECT \";", &[], Ending::Quote),
            ("SELECT ';';", &[11], Ending::Complete),
            ("SELECT 'it''s;", &[], Ending::Quote),
            ("SELECT /* ;", &[], Ending::Comment),
            ("SELECT 1 -- ;", &[], Ending::Statement),
            ("SELECT (1;", &[], Ending::Bracket),
            ("SELECT (1, '", &[], Ending::Quote),
            ("SELECT 1);", &[10], Ending::Complete),
            (";", &[1], Ending::Complete),
            ("SELECT x'4g';", &[13], Ending::Complete),
            ("BEGIN STATEMENT SET;", &[], Ending::Statement),
            (
                "begin statement set; INSERT INTO 'a' SELECT 1;",
                &[],
                Ending::Statement,
            ),
            (
                "BEGIN STATEMENT SET; INSERT INTO 'a' SELECT 1; END; SELECT 2;",
                &[51, 61],
                Ending::Complete,
            ),
        ] {
            let found = endings(text, &pieces(text));
            assert_eq!(found, (ends.to_vec(), ending), "{text}");
        }
    }
}
