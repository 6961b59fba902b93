//! Text to tokens whose places are byte ranges, and the small questions that the passes ask of them.
//!
//! sqlparser counts lines and characters; we write byte offsets into its locations (`line` 1, `column`
//! offset + 1), so every identifier of the tree carries the bytes it stands at and [`span_of`] needs no text.
//! Comments and blanks are gone after [`tokenize`].

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{self, Location, Token, TokenWithSpan, Tokenizer, Whitespace, Word};

use super::dialect::TumbleDialect;
use crate::error::{Error, Result, Span};

/// The bytes that a place of sqlparser's tree stands for; `None` for what was not in the text.
pub fn span_of(span: tokenizer::Span) -> Option<Span> {
    let start = usize::try_from(span.start.column).ok()?.checked_sub(1)?;
    let end = usize::try_from(span.end.column).ok()?.checked_sub(1)?;
    (span.start.line == 1 && start <= end).then(|| Span::new(start, end))
}

/// A byte range as sqlparser's place.
pub(super) fn place(span: Span) -> tokenizer::Span {
    let location = |offset: usize| Location::new(1, offset as u64 + 1);
    tokenizer::Span::new(location(span.start), location(span.end))
}

/// The bytes of a token.
pub(super) fn bytes(token: &TokenWithSpan) -> Span {
    span_of(token.span).unwrap_or(Span::new(0, 0))
}

/// The bytes from the first to the last token; nothing of an empty slice.
pub(super) fn bytes_of(tokens: &[TokenWithSpan]) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => Span::new(bytes(first).start, bytes(last).end),
        _ => Span::new(0, 0),
    }
}

/// A token that was not typed, at the place of what it stands for.
pub(super) fn made(token: Token, span: Span) -> TokenWithSpan {
    TokenWithSpan::new(token, place(span))
}

/// A keyword that was not typed.
pub(super) fn made_word(word: &str, span: Span) -> TokenWithSpan {
    made(Token::make_word(word, None), span)
}

/// Makes the places of sqlparser's tokens, in their order, byte ranges of the text.
pub(super) fn in_bytes(tokens: &mut [TokenWithSpan], text: &str) {
    let mut cursor = Cursor::new(text);
    for token in tokens {
        let start = cursor.advance(token.span.start);
        let end = cursor.advance(token.span.end);
        token.span = place(Span::new(start, end));
    }
}

/// Cuts the text into tokens without blanks and comments.
///
/// # Errors
/// Text and comments without an end, pointing at their beginning, and characters that SQL does not have.
pub(super) fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>> {
    let dialect = TumbleDialect::for_tokens(0);
    let mut tokens = Vec::new();
    let outcome = Tokenizer::new(&dialect, text).tokenize_with_location_into_buf(&mut tokens);
    in_bytes(&mut tokens, text);
    if let Err(error) = outcome {
        let start = tokens.last().map_or(0, |token| bytes(token).end);
        return Err(unreadable(text, start, &error.message));
    }
    let mut bang = None;
    tokens.retain(|token| {
        if let Token::Whitespace(Whitespace::SingleLineComment { prefix, .. }) = &token.token
            && prefix == "#"
        {
            bang = Some(bytes(token));
        }
        !matches!(token.token, Token::Whitespace(_))
    });
    match bang {
        Some(span) => Err(Error::syntax("a comment begins with `--` here")
            .at(span)
            .help("write `-- …` or `/* … */`")),
        None => Ok(tokens),
    }
}

fn unreadable(text: &str, start: usize, message: &str) -> Error {
    let rest = &text[start..];
    let one = rest.chars().next().map_or(0, char::len_utf8);
    let (what, width) = if rest.starts_with("/*") {
        ("the comment has no end: `*/` is missing", 2)
    } else if rest.starts_with('\'') {
        ("the text has no end: a closing `'` is missing", 1)
    } else if rest.starts_with(['"', '`']) {
        ("the quoted name has no end: a closing quote is missing", 1)
    } else if message.to_lowercase().contains("unterminated") {
        ("the text has no end: a closing quote is missing", one)
    } else {
        return Error::syntax("this is no SQL")
            .cause(message)
            .at(Span::new(start, start + one));
    };
    let error = Error::syntax(what).at(Span::new(start, start + width));
    match rest.starts_with('\'') {
        true => error.help("inside a text the quote is written twice: 'it''s'"),
        false => error.help("write what closes it"),
    }
}

/// Turns places that only grow into offsets.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
    column: u64,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Cursor {
            text,
            offset: 0,
            line: 1,
            column: 1,
        }
    }

    fn advance(&mut self, to: Location) -> usize {
        let mut rest = self.text[self.offset..].chars();
        while (self.line, self.column) < (to.line, to.column) {
            match rest.next() {
                Some('\n') => {
                    self.line += 1;
                    self.column = 1;
                    self.offset += 1;
                }
                Some(c) => {
                    self.column += 1;
                    self.offset += c.len_utf8();
                }
                None => break,
            }
        }
        self.offset
    }
}

/// The word of a token, quoted or not.
pub(super) fn word(token: &TokenWithSpan) -> Option<&Word> {
    match &token.token {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

/// True for the unquoted word, in any case.
pub(super) fn is_word(token: Option<&TokenWithSpan>, expected: &str) -> bool {
    token
        .and_then(word)
        .is_some_and(|word| word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

/// True for one of the unquoted words.
pub(super) fn is_any_word(token: Option<&TokenWithSpan>, expected: &[&str]) -> bool {
    expected.iter().any(|word| is_word(token, word))
}

/// True for the token.
pub(super) fn is(token: Option<&TokenWithSpan>, expected: &Token) -> bool {
    token.is_some_and(|token| token.token == *expected)
}

/// True for `'text'`.
pub(super) fn is_text(token: Option<&TokenWithSpan>) -> bool {
    matches!(
        token.map(|token| &token.token),
        Some(Token::SingleQuotedString(_))
    )
}

/// True for a number.
pub(super) fn is_number(token: Option<&TokenWithSpan>) -> bool {
    matches!(token.map(|token| &token.token), Some(Token::Number(..)))
}

/// True for an opening bracket of any shape.
pub(super) fn opens(token: &Token) -> bool {
    matches!(token, Token::LParen | Token::LBracket | Token::LBrace)
}

/// True for a closing bracket of any shape.
pub(super) fn closes(token: &Token) -> bool {
    matches!(token, Token::RParen | Token::RBracket | Token::RBrace)
}

/// The index of the bracket that closes the one at `open`; `None` if it stays open.
pub(super) fn closing(tokens: &[TokenWithSpan], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if opens(&token.token) {
            depth += 1;
        } else if closes(&token.token) {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

/// The parts between the commas outside of brackets; none for no tokens.
pub(super) fn split_at_commas(tokens: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    split_at(tokens, &Token::Comma)
}

/// The parts between the separators outside of brackets; none for no tokens.
pub(super) fn split_at<'a>(
    tokens: &'a [TokenWithSpan],
    separator: &Token,
) -> Vec<&'a [TokenWithSpan]> {
    if tokens.is_empty() {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        if opens(&token.token) {
            depth += 1;
        } else if closes(&token.token) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.token == *separator {
            parts.push(&tokens[start..index]);
            start = index + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// Words after which an operand has not ended.
const BEFORE_OPERANDS: &[Keyword] = &[
    Keyword::SELECT,
    Keyword::DISTINCT,
    Keyword::ALL,
    Keyword::FROM,
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::ORDER,
    Keyword::BY,
    Keyword::HAVING,
    Keyword::LIMIT,
    Keyword::UNION,
    Keyword::EXCEPT,
    Keyword::INTERSECT,
    Keyword::AND,
    Keyword::OR,
    Keyword::NOT,
    Keyword::XOR,
    Keyword::IS,
    Keyword::IN,
    Keyword::BETWEEN,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::RLIKE,
    Keyword::REGEXP,
    Keyword::SIMILAR,
    Keyword::TO,
    Keyword::ESCAPE,
    Keyword::CASE,
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::AS,
    Keyword::ON,
    Keyword::JOIN,
    Keyword::WITH,
    Keyword::OFFSET,
    Keyword::FILTER,
    Keyword::TABLE,
    Keyword::INTERVAL,
];

/// True if an operand ends with the token: an operator or the end of a phrase may follow.
pub(super) fn ends_operand(token: Option<&TokenWithSpan>) -> bool {
    let Some(token) = token else { return false };
    match &token.token {
        Token::Word(word) => word.quote_style.is_some() || !BEFORE_OPERANDS.contains(&word.keyword),
        Token::Number(..) => true,
        token if closes(token) => true,
        Token::SingleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::DollarQuotedString(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_stands_at_its_bytes() {
        let text = "SELECT \"ä\", @t -- ü\n FROM\r\n\tt /* ß */ WHERE x='é' AND 1m // :p";
        let tokens = tokenize(text).unwrap();
        let found: Vec<&str> = tokens
            .iter()
            .map(|t| {
                let span = bytes(t);
                &text[span.start..span.end]
            })
            .collect();
        assert_eq!(
            found,
            [
                "SELECT", "\"ä\"", ",", "@t", "FROM", "t", "WHERE", "x", "=", "'é'", "AND", "1",
                "m", "//", ":", "p"
            ]
        );
    }

    #[test]
    fn ends_that_are_missing() {
        for (text, expected, start) in [
            (
                "SELECT 'abc",
                "the text has no end: a closing `'` is missing",
                7,
            ),
            (
                "SELECT a /* b",
                "the comment has no end: `*/` is missing",
                9,
            ),
            (
                "SELECT \"abc",
                "the quoted name has no end: a closing quote is missing",
                7,
            ),
        ] {
            let error = tokenize(text).unwrap_err();
            assert_eq!(error.message(), expected);
            assert_eq!(error.span().unwrap().start, start);
        }
    }
}
