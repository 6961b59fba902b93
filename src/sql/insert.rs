//! `INSERT INTO sink SELECT …`, statement sets, and `COPY (SELECT …) TO 'file'`.
//!
//! ```text
//!  INSERT INTO a SELECT …; INSERT INTO 'b.csv' SELECT …;      BEGIN STATEMENT SET; INSERT …; INSERT …; END;
//!  └──────────────── one statement: Inserts ───────────┘      └────────────── another ──────────────────┘
//! ```

use sqlparser::ast::Ident;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::create_table::option;
use super::messages::shown;
use super::query::{end_of, parse_query};
use super::script::{begins_query, expect_end, name_at, words_at};
use super::statement::{Insert, QueryStatement, Statement, StatementKind, TableOption};
use super::tokens::{
    bytes, bytes_of, closing, is, is_any_word, is_word, made, made_word, split_at_commas, word,
};
use crate::error::{Error, Result, Span};

const USAGE: &str = "write `INSERT INTO name SELECT …` or `INSERT INTO 'file.csv' SELECT …`";

/// True at the words that begin a statement set.
pub(super) fn begins_set(tokens: &[TokenWithSpan]) -> bool {
    words_at(tokens, 0, &["BEGIN", "STATEMENT", "SET"])
        || words_at(tokens, 0, &["EXECUTE", "STATEMENT", "SET"])
}

/// The statements of a set, which begins at `parts[0]`; and how many parts it has, its END counted.
///
/// # Errors
/// What is in it is no INSERT, or its END is missing.
pub(super) fn parse_set(parts: &[&[TokenWithSpan]], text: &str) -> Result<(Statement, usize)> {
    let begin = parts[0];
    let begins_with_execute = is_word(begin.first(), "EXECUTE");
    let mut head = 3;
    if begins_with_execute {
        if !is_word(begin.get(3), "BEGIN") {
            return Err(Error::syntax("the statement set does not begin")
                .at(bytes_of(begin))
                .help("write `EXECUTE STATEMENT SET BEGIN INSERT INTO …; END`"));
        }
        head = 4;
    }
    let mut inserts = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let part = if number == 0 { &part[head..] } else { part };
        match part.first() {
            None => continue,
            first if is_word(first, "END") => {
                expect_end(part, 1, text)?;
                if inserts.is_empty() {
                    return Err(Error::syntax("the statement set is empty")
                        .at(bytes_of(begin))
                        .help(USAGE));
                }
                let span = Span::new(bytes_of(begin).start, bytes_of(part).end);
                let kind = StatementKind::Inserts(inserts);
                return Ok((Statement { kind, span }, number + 1));
            }
            first if is_word(first, "INSERT") => inserts.push(parse_insert(part, text)?),
            Some(first) => {
                return Err(
                    Error::syntax("a statement set holds INSERT INTO statements alone")
                        .at(bytes(first))
                        .help("end the set with `END;` before it"),
                );
            }
        }
    }
    Err(Error::syntax("the statement set has no END")
        .at(bytes_of(begin))
        .help("write `BEGIN STATEMENT SET; INSERT INTO …; INSERT INTO …; END;`"))
}

/// Reads `INSERT INTO sink (columns) query`.
pub(super) fn parse_insert(tokens: &[TokenWithSpan], text: &str) -> Result<Insert> {
    if !is_word(tokens.get(1), "INTO") {
        let span = tokens.get(1).map_or(end_of(tokens), bytes);
        let error = match is_any_word(tokens.get(1), &["OVERWRITE", "OR"]) {
            true => Error::unsupported("only INSERT INTO is built"),
            false => Error::syntax("INSERT is followed by INTO"),
        };
        return Err(error.at(span).help(USAGE));
    }
    let (target, mut at) = target(tokens, 2)?;
    let mut columns = Vec::new();
    if is(tokens.get(at), &Token::LParen) && !begins_query(tokens.get(at + 1)) {
        let end = closing(tokens, at).unwrap_or(tokens.len() - 1);
        for part in split_at_commas(&tokens[at + 1..end]) {
            columns.push(name_at(part, 0, "a column")?);
            expect_end(part, 1, text)?;
        }
        at = end + 1;
    }
    if !begins_query(tokens.get(at)) {
        let span = tokens.get(at).map_or(end_of(tokens), bytes);
        return Err(Error::syntax("INSERT INTO is followed by a query")
            .at(span)
            .help(USAGE));
    }
    Ok(Insert {
        target_span: bytes(&tokens[2]),
        target,
        columns,
        options: Vec::new(),
        query: parse_query(&tokens[at..], text)?,
    })
}

/// The name or quoted path at `at`, and what is behind it.
fn target(tokens: &[TokenWithSpan], at: usize) -> Result<(Ident, usize)> {
    if let Some(token) = tokens.get(at)
        && let Token::SingleQuotedString(path) = &token.token
    {
        let mut path = Ident::with_quote('\'', path.clone());
        path.span = token.span;
        return Ok((path, at + 1));
    }
    Ok((name_at(tokens, at, "a table or a quoted path")?, at + 1))
}

/// Reads `COPY (query) TO 'file' (FORMAT csv, HEADER false)`, which is an INSERT INTO that file.
pub(super) fn parse_copy(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    let usage = "write `COPY (SELECT …) TO 'file.csv'`, or `INSERT INTO 'file.csv' SELECT …`";
    let (query, mut at) = match tokens.get(1) {
        open if is(open, &Token::LParen) => {
            let end = closing(tokens, 1).unwrap_or(tokens.len() - 1);
            (parse_query(&tokens[2..end], text)?, end + 1)
        }
        Some(name) if word(name).is_some() && is_word(tokens.get(2), "TO") => {
            (all_of(name, text)?, 2)
        }
        token => {
            let span = token.map_or(end_of(tokens), bytes);
            return Err(
                Error::syntax("COPY is followed by a query in brackets or a table")
                    .at(span)
                    .help(usage),
            );
        }
    };
    if !is_word(tokens.get(at), "TO") {
        let span = tokens.get(at).map_or(end_of(tokens), bytes);
        return Err(Error::unsupported("only COPY … TO is built")
            .at(span)
            .help(usage));
    }
    let place = tokens.get(at + 1).map_or(end_of(tokens), bytes);
    let (target, behind) = target(tokens, at + 1)?;
    if target.quote_style != Some('\'') {
        return Err(Error::syntax("COPY writes a quoted path")
            .at(place)
            .help(usage));
    }
    at = behind;
    if is_word(tokens.get(at), "WITH") {
        at += 1;
    }
    let mut options = Vec::new();
    if is(tokens.get(at), &Token::LParen) {
        let end = closing(tokens, at).unwrap_or(tokens.len() - 1);
        for part in split_at_commas(&tokens[at + 1..end]) {
            options.push(copy_option(part, bytes(&tokens[at]), text)?);
        }
        at = end + 1;
    }
    expect_end(tokens, at, text)?;
    Ok(StatementKind::Inserts(vec![Insert {
        target_span: place,
        target,
        columns: Vec::new(),
        options,
        query,
    }]))
}

/// `SELECT * FROM name`.
fn all_of(name: &TokenWithSpan, text: &str) -> Result<QueryStatement> {
    let before = Span::new(bytes(name).start, bytes(name).start);
    let query = [
        made_word("SELECT", before),
        made(Token::Mul, before),
        made_word("FROM", before),
        name.clone(),
    ];
    parse_query(&query, text)
}

/// `FORMAT csv`, `HEADER`, `HEADER false`, `key = value`.
fn copy_option(part: &[TokenWithSpan], with: Span, text: &str) -> Result<TableOption> {
    if part.iter().any(|token| token.token == Token::Eq) || part.is_empty() {
        return option(part, with, text);
    }
    let span = bytes_of(part);
    let key = name_at(part, 0, "an option")?.value.to_lowercase();
    let value = match part.get(1).map(|token| &token.token) {
        None => String::from("yes"),
        Some(Token::SingleQuotedString(value)) => value.clone(),
        Some(Token::Word(word)) => word.value.clone(),
        Some(Token::Number(number, _)) => number.clone(),
        Some(_) => {
            let typed = &text[span.start..span.end];
            return Err(Error::syntax(format!("{} is no option", shown(typed))).at(span));
        }
    };
    expect_end(part, 2, text)?;
    Ok(TableOption { key, value, span })
}
