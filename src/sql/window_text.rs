//! Every spelling of a window in FROM becomes one call with named arguments, which sqlparser can read.
//!
//! ```text
//!  FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))   FROM session(t PARTITION BY k, '5m')
//!  FROM TUMBLE(DATA => t, TIMECOL => ts, SIZE => INTERVAL '60 seconds')   FROM SESSION(DATA => t, KEYS => (k), GAP => '5m')
//! ```
//!
//! The name of the rewritten call stands at the bytes of the whole call. In GROUP BY, `tumble(…) AS name`
//! becomes `tumble(…, ALIAS => name)`; everything else there is read from the tree.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::messages::nearest;
use super::tokens::{
    bytes, bytes_of, closes, closing, is, is_any_word, is_number, is_text, is_word, made,
    made_word, opens, place, split_at_commas, word,
};
use super::window_call::{Kind, WINDOWS};
use crate::error::{Error, Result, Span};

/// The clause of a SELECT that a token stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    /// In brackets without a SELECT.
    None,
    Select,
    From,
    GroupBy,
    Other,
}

/// Rewrites the windows of a query.
///
/// # Errors
/// Misspelt windows, arguments that are missing, too many or ambiguous.
pub(super) fn rewrite(tokens: &[TokenWithSpan]) -> Result<Vec<TokenWithSpan>> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut clauses = vec![Clause::None];
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let clause = clauses.last().copied().unwrap_or(Clause::None);
        if clause == Clause::From
            && begins_relation(index.checked_sub(1).and_then(|i| tokens.get(i)))
            && let Some((call, behind)) = relation(tokens, index)?
        {
            out.extend(call);
            index = behind;
            continue;
        }
        if clause == Clause::GroupBy
            && let Some((call, behind)) = aliased_group(tokens, index)
        {
            out.extend(call);
            index = behind;
            continue;
        }
        if opens(&token.token) {
            clauses.push(Clause::None);
        } else if closes(&token.token) {
            clauses.pop();
            if clauses.is_empty() {
                clauses.push(Clause::None);
            }
        } else if let Some(last) = clauses.last_mut() {
            *last = next_clause(*last, tokens, index);
        }
        out.push(token.clone());
        index += 1;
    }
    Ok(out)
}

fn next_clause(clause: Clause, tokens: &[TokenWithSpan], index: usize) -> Clause {
    let Some(word) = tokens.get(index).and_then(word) else {
        return clause;
    };
    match word.keyword {
        Keyword::SELECT => Clause::Select,
        Keyword::FROM
            if clause == Clause::Select
                && !is_word(index.checked_sub(1).and_then(|i| tokens.get(i)), "DISTINCT") =>
        {
            Clause::From
        }
        Keyword::GROUP if is_word(tokens.get(index + 1), "BY") => Clause::GroupBy,
        Keyword::WHERE
        | Keyword::HAVING
        | Keyword::ORDER
        | Keyword::LIMIT
        | Keyword::UNION
        | Keyword::EXCEPT
        | Keyword::INTERSECT
            if clause != Clause::None =>
        {
            Clause::Other
        }
        _ => clause,
    }
}

fn begins_relation(previous: Option<&TokenWithSpan>) -> bool {
    is_any_word(previous, &["FROM", "JOIN"]) || is(previous, &Token::Comma)
}

/// The rewritten call at `index` and the index behind it; `None` for other relations.
fn relation(tokens: &[TokenWithSpan], index: usize) -> Result<Option<(Vec<TokenWithSpan>, usize)>> {
    let mut start = index;
    let mut wrapped = None;
    if is_word(tokens.get(index), "TABLE") && is(tokens.get(index + 1), &Token::LParen) {
        start = index + 2;
        wrapped = Some(closing(tokens, index + 1).unwrap_or(tokens.len()));
    }
    let (Some(name), true) = (
        tokens.get(start).and_then(word),
        is(tokens.get(start + 1), &Token::LParen),
    ) else {
        return Ok(None);
    };
    let name_span = bytes(&tokens[start]);
    let Some(kind) = Kind::of(&name.value) else {
        return match name.keyword {
            Keyword::VALUES | Keyword::LATERAL | Keyword::SELECT => Ok(None),
            _ => Err(unknown_function(&name.value, name_span)),
        };
    };
    let Some(end) = closing(tokens, start + 1) else {
        return Err(Error::syntax(format!("`{}(` is not closed", name.value))
            .at(name_span)
            .help(kind.usage()));
    };
    let whole = Span::new(name_span.start, bytes(&tokens[end]).end);
    let behind = match wrapped {
        None => end + 1,
        Some(outer) if outer == end + 1 => outer + 1,
        Some(_) => {
            return Err(
                Error::syntax("`TABLE(…)` holds one window call and nothing else").at(whole),
            );
        }
    };
    let mut out = vec![
        made_word(kind.name(), whole),
        made(Token::LParen, Span::new(name_span.end, name_span.end)),
    ];
    arguments(kind, &tokens[start + 2..end], whole, &mut out)?;
    out.push(tokens[end].clone());
    Ok(Some((out, behind)))
}

fn unknown_function(name: &str, span: Span) -> Error {
    let windows = WINDOWS.map(Kind::name);
    let error = Error::syntax(format!("`{name}(…)` is no window that FROM can call")).at(span);
    let error = match nearest(name, windows) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    };
    error.note(format!("windows: {}", windows.join(", ")))
}

/// Writes `NAME => value, …` for the arguments of a call.
fn arguments(
    kind: Kind,
    tokens: &[TokenWithSpan],
    whole: Span,
    out: &mut Vec<TokenWithSpan>,
) -> Result<()> {
    let parts = split_at_commas(tokens);
    let mut positions = kind.positions().iter();
    let mut given = Vec::new();
    let mut index = 0;
    while let Some(part) = parts.get(index) {
        index += 1;
        if part.is_empty() {
            return Err(Error::syntax("an argument is empty")
                .at(whole)
                .help(kind.usage()));
        }
        let (name, value) = match named(part) {
            Some((name, value)) => (Some(name), value),
            None => (None, *part),
        };
        let is_table = match &name {
            Some(name) => name == "DATA",
            None => given.is_empty(),
        };
        if is_table {
            let behind = table(kind, value, &parts[index..], out)?;
            given.push("DATA".to_owned());
            index += behind;
            continue;
        }
        let name = match name {
            Some(name) => name,
            None if kind.has_time() && is_column(value) && !given.contains(&"TIMECOL".into()) => {
                "TIMECOL".to_owned()
            }
            None => match positions.next() {
                Some(name) => (*name).to_owned(),
                None => {
                    return Err(
                        Error::syntax(format!("{} has too many arguments", kind.name()))
                            .at(bytes_of(value))
                            .help(kind.usage()),
                    );
                }
            },
        };
        push_named(out, &name, part);
        out.extend(rewrite(descriptor(value)?)?);
        given.push(name);
    }
    if given.is_empty() {
        return Err(Error::syntax(format!("{} has no arguments", kind.name()))
            .at(whole)
            .help(kind.usage()));
    }
    Ok(())
}

/// `name => value`, the name in upper case.
fn named(part: &[TokenWithSpan]) -> Option<(String, &[TokenWithSpan])> {
    let name = word(part.first()?)?;
    is(part.get(1), &Token::RArrow).then(|| (name.value.to_uppercase(), &part[2..]))
}

fn push_named(out: &mut Vec<TokenWithSpan>, name: &str, part: &[TokenWithSpan]) {
    if !is(out.last(), &Token::LParen) {
        out.push(made(Token::Comma, bytes_of(part)));
    }
    out.push(made(Token::make_word(name, Some('"')), bytes_of(part)));
    out.push(made(Token::RArrow, bytes_of(part)));
}

/// The column of `DESCRIPTOR(column)`; anything else as it is.
fn descriptor(value: &[TokenWithSpan]) -> Result<&[TokenWithSpan]> {
    if !is_word(value.first(), "DESCRIPTOR") || !is(value.get(1), &Token::LParen) {
        return Ok(value);
    }
    let inner = &value[2..value.len().saturating_sub(1).max(2)];
    if inner.is_empty() || split_at_commas(inner).len() > 1 {
        return Err(Error::syntax("DESCRIPTOR names one time column")
            .at(bytes_of(value))
            .help("write `DESCRIPTOR(ts)`"));
    }
    Ok(inner)
}

/// A plain name or DESCRIPTOR: what can be the time column.
fn is_column(value: &[TokenWithSpan]) -> bool {
    let names = value
        .iter()
        .all(|token| word(token).is_some() || token.token == Token::Period);
    let keyword = is_any_word(value.first(), &["INTERVAL", "NULL", "TRUE", "FALSE"]);
    is_word(value.first(), "DESCRIPTOR") || names && !keyword
}

/// A size: what ends a list of partition keys.
fn is_size(value: &[TokenWithSpan]) -> bool {
    let first = value.first();
    is_text(first)
        || is_number(first)
        || is(first, &Token::Minus)
        || is_any_word(first, &["INTERVAL", "DESCRIPTOR"])
        || named(value).is_some()
}

/// Writes `DATA => t, KEYS => (k, …)`; returns how many further parts were keys.
fn table(
    kind: Kind,
    value: &[TokenWithSpan],
    rest: &[&[TokenWithSpan]],
    out: &mut Vec<TokenWithSpan>,
) -> Result<usize> {
    let value = match value.first() {
        Some(_) if is_word(value.first(), "TABLE") && value.len() > 1 => &value[1..],
        _ => value,
    };
    let at = (0..value.len())
        .find(|i| is_word(value.get(*i), "PARTITION") && is_word(value.get(i + 1), "BY"));
    let (input, keys) = match at {
        Some(at) => (&value[..at], Some(&value[at + 2..])),
        None => (value, None),
    };
    let plain = word_path(input) || input.len() == 1 && is_text(input.first());
    let query = is(input.first(), &Token::LParen) && closing(input, 0) == Some(input.len() - 1);
    if !plain && !query {
        return Err(Error::syntax(format!(
            "the first argument of {} is a table, a view, a quoted path or a query in brackets",
            kind.name()
        ))
        .at(bytes_of(value))
        .help(kind.usage()));
    }
    push_named(out, "DATA", input);
    if query {
        out.push(input[0].clone());
        out.extend(rewrite(&input[1..input.len() - 1])?);
        out.push(input[input.len() - 1].clone());
    } else {
        out.extend_from_slice(input);
    }
    match keys {
        Some(keys) => partition_keys(kind, keys, rest, out),
        None => Ok(0),
    }
}

/// Writes `KEYS => (k, …)`; returns how many further parts were keys.
fn partition_keys(
    kind: Kind,
    keys: &[TokenWithSpan],
    rest: &[&[TokenWithSpan]],
    out: &mut Vec<TokenWithSpan>,
) -> Result<usize> {
    let span = bytes_of(keys);
    if !kind.has_keys() {
        return Err(
            Error::syntax(format!("{} has no PARTITION BY", kind.name()))
                .at(span)
                .help("name the keys in GROUP BY"),
        );
    }
    let mut lists = vec![keys];
    let bracketed = is(keys.first(), &Token::LParen) && closing(keys, 0) == Some(keys.len() - 1);
    let mut behind = 0;
    if bracketed {
        lists = split_at_commas(&keys[1..keys.len() - 1]);
    } else {
        behind = rest.iter().take_while(|part| !is_size(part)).count();
        lists.extend_from_slice(&rest[..behind]);
        let has_time = rest.iter().any(|part| {
            is_word(part.first(), "DESCRIPTOR") || named(part).is_some_and(|(n, _)| n == "TIMECOL")
        });
        if behind > 0 && kind.has_time() && !has_time {
            let last = bytes_of(rest[behind - 1]);
            return Err(Error::syntax("is this a key or the time column?")
                .at(last)
                .help("write the keys in brackets, `PARTITION BY (k, g)`, or `DESCRIPTOR(ts)` for the time column"));
        }
    }
    if lists.iter().any(|key| key.is_empty()) {
        return Err(Error::syntax("PARTITION BY names no keys").at(span));
    }
    push_named(out, "KEYS", keys);
    out.push(made(Token::LParen, bytes_of(keys)));
    for (index, key) in lists.iter().enumerate() {
        if index > 0 {
            out.push(made(Token::Comma, bytes_of(key)));
        }
        out.extend_from_slice(key);
    }
    out.push(made(Token::RParen, bytes_of(keys)));
    Ok(behind)
}

/// `a`, `a.b`.
fn word_path(tokens: &[TokenWithSpan]) -> bool {
    !tokens.is_empty()
        && tokens.len() % 2 == 1
        && tokens.iter().enumerate().all(|(i, token)| match i % 2 {
            0 => word(token).is_some(),
            _ => token.token == Token::Period,
        })
}

/// `TUMBLE(…) AS name` in GROUP BY as `TUMBLE(…, ALIAS => name)`, and the index behind it.
fn aliased_group(tokens: &[TokenWithSpan], index: usize) -> Option<(Vec<TokenWithSpan>, usize)> {
    Kind::of(&word(tokens.get(index)?)?.value)?;
    if !is(tokens.get(index + 1), &Token::LParen) {
        return None;
    }
    let end = closing(tokens, index + 1)?;
    if !is_word(tokens.get(end + 1), "AS") {
        return None;
    }
    let alias = tokens.get(end + 2).filter(|token| word(token).is_some())?;
    let mut out = tokens[index..end].to_vec();
    if end > index + 2 {
        out.push(made(Token::Comma, bytes(alias)));
    }
    out.push(made(Token::make_word("ALIAS", Some('"')), bytes(alias)));
    out.push(made(Token::RArrow, bytes(alias)));
    out.push(TokenWithSpan::new(alias.token.clone(), place(bytes(alias))));
    out.push(tokens[end].clone());
    Some((out, end + 3))
}
