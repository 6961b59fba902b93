//! sqlparser's complaints in our words: where, what was expected, and the keyword that was probably meant.

use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::tokens::{bytes, ends_operand, is_number, is_word, word};
use crate::error::{Error, Span};
use crate::time::is_interval_unit;

/// Keywords that people misspell.
const KEYWORDS: [&str; 32] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "DISTINCT",
    "BETWEEN",
    "CREATE",
    "TABLE",
    "VIEW",
    "EXPLAIN",
    "DESCRIBE",
    "SHOW",
    "WITH",
    "VALUES",
    "INTERVAL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "LIKE",
    "EMIT",
    "OFFSET",
    "FILTER",
    "DROP",
    "PARTITION",
    "ILIKE",
    "EXISTS",
    "CAST",
];

/// Words that SQL keeps for itself, so that a column of that name needs quotes.
const RESERVED: [&str; 38] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "JOIN",
    "ON",
    "USING",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "AS",
    "BY",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "BETWEEN",
    "LIKE",
    "WITH",
    "ALL",
    "DISTINCT",
    "TABLE",
    "CAST",
    "EXISTS",
    "INTO",
    "SET",
    "FOR",
    "FETCH",
    "LEFT",
    "RIGHT",
];

/// The candidate nearest to a name, if it is near enough to be a slip.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = match name.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        _ => 2,
    };
    candidates
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            // Of two that are as near, the one that was typed halfway, then the one that begins alike.
            let goes_on = lower.starts_with(&name);
            let begins = lower.chars().next() == name.chars().next();
            let distance = strsim::osa_distance(&name, &lower);
            (distance, !goes_on, !begins, candidate)
        })
        .filter(|(distance, ..)| *distance <= allowed)
        .min()
        .map(|(.., candidate)| candidate)
}

/// The keyword that an unquoted word was probably meant to be; `None` for keywords and other names.
pub(super) fn misspelt(token: &TokenWithSpan) -> Option<&'static str> {
    let word = word(token).filter(|word| word.quote_style.is_none())?;
    let is_keyword = |name: &str| name.eq_ignore_ascii_case(&word.value);
    // `FORM` and `FORMAT` are words of SQL somewhere, but not here.
    if KEYWORDS.iter().chain(&RESERVED).any(|k| is_keyword(k)) {
        return None;
    }
    nearest(&word.value, KEYWORDS)
}

/// sqlparser's error for these tokens as ours.
pub(super) fn translate(error: &ParserError, text: &str, tokens: &[TokenWithSpan]) -> Error {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return Error::syntax("the query is too deep to be read")
                .help("take brackets away or name inner queries with `WITH name AS (…)`");
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let (message, offset) = split_place(message);
    let mut index = offset.and_then(|offset| tokens.iter().position(|t| bytes(t).start == offset));
    let mut expected = message
        .strip_prefix("Expected: ")
        .and_then(|rest| rest.split_once(", found: "))
        .map(|(expected, _)| expected);
    // One message of the library has another form, and stands at the token behind.
    if let Some((_, found)) = message.split_once("Expected an expression, found: ") {
        expected = Some("an expression");
        let last = index.unwrap_or(tokens.len());
        index = (0..last)
            .rev()
            .find(|i| tokens[*i].token.to_string() == found)
            .or(index);
    }
    // Two words back at most: a misspelt clause is first taken for an alias.
    let last = index.unwrap_or(tokens.len().saturating_sub(1));
    let first = last.saturating_sub(2);
    let slip = (first..=last)
        .filter_map(|i| tokens.get(i))
        .find_map(|token| misspelt(token).map(|keyword| (token, keyword)));
    if let Some((token, keyword)) = slip {
        let span = bytes(token);
        return Error::syntax(format!("unknown word `{}`", &text[span.start..span.end]))
            .at(span)
            .label(format!("did you mean `{keyword}`?"));
    }
    let Some(token) = index.and_then(|index| tokens.get(index)) else {
        let end = tokens.last().map_or(0, |token| bytes(token).end);
        let error = match expected {
            Some(expected) => Error::syntax(format!(
                "the statement ends early: {} is missing",
                plain(expected)
            ))
            .help("write the rest, or take the last word away"),
            None => Error::syntax(lower_first(message)),
        };
        return error.at(Span::new(end, end));
    };
    let span = bytes(token);
    let found = shown(&text[span.start..span.end]);
    let error = match expected {
        Some("end of statement") => {
            Error::syntax(format!("{found} stands behind a complete statement"))
        }
        Some(expected) => Error::syntax(format!("expected {}, found {found}", plain(expected))),
        None => Error::syntax(lower_first(message)),
    }
    .at(span);
    let error = with_help(error, index.unwrap_or(0), tokens);
    match expected {
        Some("end of statement") if error.helps().is_empty() => {
            error.help("part statements with `;`")
        }
        _ => error,
    }
}

/// Adds the likely fix of what stands in front of the place, or the quoted form of a reserved word.
fn with_help(error: Error, index: usize, tokens: &[TokenWithSpan]) -> Error {
    match likely_fix(index, tokens) {
        Some(fix) => error.help(fix),
        None => match reserved_name(index, tokens) {
            Some(name) => error.help(format!("a column of that name is written \"{name}\"")),
            None => error,
        },
    }
}

/// What is usually meant where the token at `index` is one too many or of the wrong kind.
fn likely_fix(index: usize, tokens: &[TokenWithSpan]) -> Option<String> {
    let is = |index: usize, name: &str| is_word(tokens.get(index), name);
    let before = |steps: usize| index.checked_sub(steps);
    let is_before = |steps: usize, name: &str| before(steps).is_some_and(|at| is(at, name));
    let at = tokens.get(index)?;
    if (is(index, "GROUP") || is(index, "ORDER")) && !is(index + 1, "BY") {
        return Some(format!("write `{} BY`", at.token));
    }
    let opens = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|next| next.token == Token::LParen)
    };
    let is_filter = |at: usize| {
        is(at, "FILTER") && (!opens(at + 1) || !is(at + 2, "WHERE")) && at + 1 < tokens.len()
    };
    if (1..=3).filter_map(before).any(is_filter) {
        let fix = "a filter stands in brackets: count(*) FILTER (WHERE status >= 500)";
        return Some(String::from(fix));
    }
    let fix = match () {
        () if is(index, "EMIT") => "`EMIT FINAL` and `EMIT ON WINDOW CLOSE` work",
        () if is_before(1, "OFFSET") => "OFFSET takes a number: OFFSET 5",
        () if is_before(1, "FROM") && is_before(2, "AS") => {
            "`AS` lacks its name: SELECT host AS name FROM …"
        }
        () if is_before(1, "IS") => "values are compared with `=`; IS is for NULL, TRUE and FALSE",
        () if at.token == Token::ExclamationMark => "write NOT",
        () if is(index, "FROM") && before(1).is_some_and(|at| tokens[at].token == Token::Comma) => {
            "take the comma in front of FROM away"
        }
        () if matches!(&at.token, Token::Number(text, _) if text.starts_with('.'))
            && before(1).is_some_and(|at| is_number(tokens.get(at))) =>
        {
            "text stands in single quotes: '10.0.0.1'"
        }
        () if is_unit(at) && before(1).is_some_and(|at| is_number(tokens.get(at))) => {
            "a length of time is written INTERVAL '5' MINUTE, or short 5m"
        }
        () => return None,
    };
    Some(String::from(fix))
}

fn is_unit(token: &TokenWithSpan) -> bool {
    word(token).is_some_and(|word| is_interval_unit(&word.value))
}

/// A reserved word that stands where a name could: at `index` or up to two tokens before.
fn reserved_name(index: usize, tokens: &[TokenWithSpan]) -> Option<&str> {
    let is = |index: usize, name: &str| is_word(tokens.get(index), name);
    for candidate in (index.saturating_sub(2)..=index).rev() {
        let Some(word) = tokens.get(candidate).and_then(word) else {
            continue;
        };
        let reserved = word.quote_style.is_none()
            && RESERVED.iter().any(|k| k.eq_ignore_ascii_case(&word.value));
        // These begin a clause far more often than they name a column.
        let clause = is(candidate, "SELECT")
            || is(candidate, "FROM") && !is(candidate + 1, "FROM")
            || is(candidate, "WHERE")
            || is(candidate, "AS")
            || is(candidate, "BY")
            || is(candidate, "DISTINCT");
        // Behind an operand a phrase goes on.
        let behind_operand = candidate
            .checked_sub(1)
            .is_some_and(|at| ends_operand(tokens.get(at)));
        if reserved && !clause && !behind_operand {
            return Some(&word.value);
        }
    }
    None
}

/// sqlparser's ` at Line: 1, Column: 8`, in which we keep byte offsets.
fn split_place(message: &str) -> (&str, Option<usize>) {
    let Some((head, place)) = message.rsplit_once(" at Line: ") else {
        return (message, None);
    };
    let column = place
        .split_once("Column: ")
        .and_then(|(_, column)| column.trim().parse::<usize>().ok());
    (head, column.and_then(|column| column.checked_sub(1)))
}

fn plain(expected: &str) -> String {
    if !expected.contains(char::is_alphanumeric) {
        return format!("`{expected}`");
    }
    lower_first(expected.trim_end_matches(':'))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // `SELECT` stays what it is.
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// A piece of the text between backticks, cut short.
pub(super) fn shown(piece: &str) -> String {
    const LONGEST: usize = 40;
    let line = piece.lines().next().unwrap_or("");
    if line.chars().count() <= LONGEST && line.len() == piece.len() {
        return format!("`{piece}`");
    }
    let cut: String = line.chars().take(LONGEST).collect();
    format!("`{cut}…`")
}
