//! A script to its statements: limits, parameters, the cut at `;`, and the word that a statement begins with.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::create_table::parse_create;
use super::explain::explain;
use super::insert::{begins_set, parse_copy, parse_insert, parse_set};
use super::limits::{DEPTH, check_depth, check_length};
use super::messages::{misspelt, nearest, shown};
use super::parameters::substitute;
use super::query::{end_of, parse_query};
use super::stack::Stack;
use super::statement::{Statement, StatementKind};
use super::tokens::{bytes, bytes_of, is, is_any_word, is_word, split_at, tokenize, word};
use crate::error::{Error, Result, Span};

/// Room for the deepest tree that the limits let through, also in a debug build.
const STACK_BYTES: usize = 64 << 20;
/// What each level of a tree takes of that at most.
const LEVEL_BYTES: usize = STACK_BYTES / 1_024;
/// What is read of a text without depth, in levels.
const FIRST_LEVELS: usize = 16;

/// Reads the statements of a script; `parameters` replace `:name`.
///
/// # Errors
/// Of kind syntax, plan or unsupported, with the place in `text`.
pub fn parse(text: &str, parameters: &[(String, String)]) -> Result<Vec<Statement>> {
    parse_to_depth(text, parameters, DEPTH)
}

/// The same for somebody who goes on with them on `stack`, and may be on it already.
///
/// # Errors
/// Likewise.
pub fn parse_on(
    stack: Stack,
    text: &str,
    parameters: &[(String, String)],
) -> Result<Vec<Statement>> {
    parse_to_depth(text, parameters, stack.depth(DEPTH))
}

fn parse_to_depth(
    text: &str,
    parameters: &[(String, String)],
    most: usize,
) -> Result<Vec<Statement>> {
    check_length(text)?;
    let tokens = tokenize(text)?;
    let tokens = substitute(tokens, parameters)?;
    let depth = check_depth(&tokens, most)?;
    let parts: Vec<&[TokenWithSpan]> = split_at(&tokens, &Token::SemiColon)
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        return Err(
            Error::syntax("the query is empty").help("a first one: `tumble 'SELECT * FROM stdin'`")
        );
    }
    let wanted = (FIRST_LEVELS + depth) * LEVEL_BYTES;
    stacker::maybe_grow(wanted, STACK_BYTES, || statements(&parts, text))
}

/// The statements of all parts. INSERTs one behind the other become one, and so does a statement set.
fn statements(parts: &[&[TokenWithSpan]], text: &str) -> Result<Vec<Statement>> {
    let mut found: Vec<Statement> = Vec::with_capacity(parts.len());
    // A set is closed: what stands behind it is another statement.
    let mut may_join = false;
    let mut at = 0;
    while let Some(part) = parts.get(at) {
        if begins_set(part) {
            let (set, length) = parse_set(&parts[at..], text)?;
            found.push(set);
            may_join = false;
            at += length;
            continue;
        }
        let kind = statement(part, text)?;
        let span = bytes_of(part);
        at += 1;
        let before = found.last_mut().filter(|_| may_join);
        let before = before.map(|before| (&mut before.kind, &mut before.span));
        match (kind, before) {
            (StatementKind::Inserts(more), Some((StatementKind::Inserts(inserts), place))) => {
                inserts.extend(more);
                place.end = span.end;
            }
            (kind, _) => {
                may_join = matches!(kind, StatementKind::Inserts(_));
                found.push(Statement { kind, span });
            }
        }
    }
    Ok(found)
}

/// What works, for the refusals of whole statements.
const STATEMENTS: &str = "statements: SELECT, WITH, VALUES, INSERT INTO, COPY, CREATE TABLE, CREATE VIEW, DROP, SET, EXPLAIN, DESCRIBE, SHOW TABLES";

fn statement(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    let Some(first) = tokens.first() else {
        return Err(Error::syntax("the query is empty"));
    };
    if is(Some(first), &Token::LParen) {
        return Ok(StatementKind::Query(parse_query(tokens, text)?));
    }
    let Some(name) = word(first).filter(|word| word.quote_style.is_none()) else {
        return Err(Error::syntax(format!(
            "a statement cannot begin with {}",
            shown(&text[bytes(first).start..bytes(first).end])
        ))
        .at(bytes(first))
        .note(STATEMENTS));
    };
    match name.value.to_uppercase().as_str() {
        "SELECT" | "WITH" | "VALUES" => Ok(StatementKind::Query(parse_query(tokens, text)?)),
        "INSERT" => Ok(StatementKind::Inserts(vec![parse_insert(tokens, text)?])),
        "COPY" => parse_copy(tokens, text),
        "CREATE" => parse_create(tokens, text),
        "DROP" => drop_table(tokens, text),
        "SET" => set(tokens, text),
        "EXPLAIN" => explain(tokens, text),
        "DESCRIBE" | "DESC" => describe(tokens, text),
        "SHOW" => show(tokens, text),
        _ => Err(unknown(first, tokens, text)),
    }
}

fn unknown(first: &TokenWithSpan, tokens: &[TokenWithSpan], text: &str) -> Error {
    let span = bytes(first);
    let typed = &text[span.start..span.end];
    let upper = typed.to_uppercase();
    const OTHERS: [&str; 26] = [
        "UPDATE",
        "DELETE",
        "MERGE",
        "ALTER",
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "USE",
        "TRUNCATE",
        "GRANT",
        "REVOKE",
        "LOAD",
        "EXPORT",
        "ATTACH",
        "PRAGMA",
        "ANALYZE",
        "CALL",
        "EXECUTE",
        "PREPARE",
        "STATEMENT",
        "RESET",
        "ADD",
        "REMOVE",
        "FROM",
        "TABLE",
    ];
    if upper == "FROM" {
        return Error::unsupported("a query begins with SELECT here")
            .at(span)
            .help("write `SELECT * FROM …`");
    }
    if OTHERS.contains(&upper.as_str()) {
        let two = match tokens.get(1).and_then(word) {
            Some(_) if upper == "BEGIN" => bytes_of(&tokens[..2]),
            _ => span,
        };
        let error = Error::unsupported(format!("`{}` is not built", &text[two.start..two.end]))
            .at(two)
            .note(STATEMENTS);
        return match upper.as_str() {
            "BEGIN" => error.help("several INSERTs run together as `BEGIN STATEMENT SET; …; END;`"),
            "DELETE" | "UPDATE" | "MERGE" | "TRUNCATE" => error
                .help("a stream is not changed: SELECT … WHERE chooses rows, INSERT INTO and -o write them"),
            _ => error,
        };
    }
    let error = Error::syntax(format!("no statement begins with {}", shown(typed))).at(span);
    const FIRST: [&str; 11] = [
        "SELECT", "WITH", "VALUES", "INSERT", "COPY", "CREATE", "DROP", "SET", "EXPLAIN",
        "DESCRIBE", "SHOW",
    ];
    match nearest(&upper, FIRST).or_else(|| misspelt(first)) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error.note(STATEMENTS),
    }
}

/// Refuses tokens behind a complete statement.
pub(super) fn expect_end(tokens: &[TokenWithSpan], from: usize, text: &str) -> Result<()> {
    match tokens.get(from) {
        None => Ok(()),
        Some(token) => {
            let span = bytes(token);
            Err(Error::syntax(format!(
                "{} stands behind a complete statement",
                shown(&text[span.start..span.end])
            ))
            .at(span)
            .help("part statements with `;`"))
        }
    }
}

/// A name of one part at `index`.
pub(super) fn name_at(
    tokens: &[TokenWithSpan],
    index: usize,
    what: &str,
) -> Result<sqlparser::ast::Ident> {
    match tokens.get(index) {
        Some(token) => match word(token) {
            Some(found) => Ok(sqlparser::ast::Ident {
                value: found.value.clone(),
                quote_style: found.quote_style,
                span: token.span,
            }),
            None => Err(
                Error::syntax(format!("expected {what}, found `{}`", token.token)).at(bytes(token)),
            ),
        },
        None => Err(
            Error::syntax(format!("the statement ends early: {what} is missing"))
                .at(end_of(tokens)),
        ),
    }
}

/// True at `IF EXISTS` or `IF NOT EXISTS`.
pub(super) fn words_at(tokens: &[TokenWithSpan], index: usize, words: &[&str]) -> bool {
    words
        .iter()
        .enumerate()
        .all(|(i, word)| is_word(tokens.get(index + i), word))
}

fn drop_table(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    if !is_any_word(tokens.get(1), &["TABLE", "VIEW"]) {
        let span = tokens.get(1).map_or(end_of(tokens), bytes);
        return Err(Error::unsupported("only tables and views are dropped")
            .at(span)
            .help("write `DROP TABLE name` or `DROP VIEW name`"));
    }
    let if_exists = words_at(tokens, 2, &["IF", "EXISTS"]);
    let at = if if_exists { 4 } else { 2 };
    let name = name_at(tokens, at, "a name")?;
    expect_end(tokens, at + 1, text)?;
    Ok(StatementKind::Drop { name, if_exists })
}

fn set(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    let usage = "write `SET delay = '5s'`";
    let equals = tokens
        .iter()
        .position(|token| matches!(token.token, Token::Eq) || is_word(Some(token), "TO"));
    let Some(equals) = equals.filter(|equals| *equals > 1 && *equals + 1 < tokens.len()) else {
        return Err(Error::syntax("SET needs a name and a value")
            .at(bytes_of(tokens))
            .help(usage));
    };
    let typed = |tokens: &[TokenWithSpan]| {
        let span = bytes_of(tokens);
        match tokens {
            [token] => match &token.token {
                Token::SingleQuotedString(value) => value.clone(),
                Token::Word(word) => word.value.clone(),
                // A parameter's value is not what stands in the text.
                other => other.to_string(),
            },
            _ if text[span.start..span.end].starts_with(':') => {
                tokens.iter().map(|token| token.token.to_string()).collect()
            }
            _ => text[span.start..span.end].to_owned(),
        }
    };
    let value = &tokens[equals + 1..];
    if let Some(at) = value
        .iter()
        .position(|token| matches!(token.token, Token::Eq | Token::Comma))
    {
        return Err(Error::syntax("SET takes one name and one value")
            .at(bytes(&value[at]))
            .help("write one SET for each, parted by `;`"));
    }
    Ok(StatementKind::Set {
        name: typed(&tokens[1..equals]),
        value: typed(value),
        span: bytes_of(&tokens[1..]),
    })
}

/// True at a word that begins a query.
pub(super) fn begins_query(token: Option<&TokenWithSpan>) -> bool {
    is_any_word(token, &["SELECT", "WITH", "VALUES"]) || is(token, &Token::LParen)
}

fn describe(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    let rest = &tokens[1..];
    let rest = match rest.first() {
        Some(_) if is_any_word(rest.first(), &["TABLE", "VIEW"]) && rest.len() > 1 => &rest[1..],
        _ => rest,
    };
    if begins_query(rest.first()) {
        return Ok(StatementKind::Describe(parse_query(rest, text)?));
    }
    let span = bytes_of(rest);
    let is_path = rest.len() == 1 && matches!(rest[0].token, Token::SingleQuotedString(_));
    if !is_path {
        name_at(tokens, tokens.len() - rest.len(), "a table or a query")?;
        if let Some(at) = rest
            .iter()
            .skip(1)
            .position(|token| word(token).is_none() && token.token != Token::Period)
        {
            expect_end(rest, at + 1, text)?;
        }
        if rest.len() % 2 == 0 {
            expect_end(rest, 1, text)?;
        }
    }
    // A name is described as the query that reads it.
    let mut query = vec![
        super::tokens::made_word("SELECT", Span::new(span.start, span.start)),
        super::tokens::made(Token::Mul, Span::new(span.start, span.start)),
        super::tokens::made_word("FROM", Span::new(span.start, span.start)),
    ];
    query.extend_from_slice(rest);
    Ok(StatementKind::Describe(parse_query(&query, text)?))
}

fn show(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    if is_any_word(tokens.get(1), &["TABLES", "VIEWS"]) {
        expect_end(tokens, 2, text)?;
        return Ok(StatementKind::ShowTables);
    }
    let span = tokens.get(1).map_or(end_of(tokens), bytes);
    Err(Error::unsupported("only `SHOW TABLES` is built")
        .at(span)
        .help("`DESCRIBE name` shows the columns of a table"))
}
