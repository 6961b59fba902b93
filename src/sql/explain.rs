//! `EXPLAIN`: what it is to show, and of which query.
//!
//! ```text
//! EXPLAIN [ANALYZE | (FORMAT mermaid)] [PLAN FOR] SELECT …
//! ```

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::insert::parse_insert;
use super::query::{end_of, parse_query};
use super::script::{begins_query, words_at};
use super::statement::{ExplainAs, StatementKind};
use super::tokens::{bytes, is, is_any_word, is_word, word};
use crate::error::{Error, Result};

/// The statement of tokens that begin with EXPLAIN.
///
/// # Errors
/// No query follows, or there is no such EXPLAIN.
pub(super) fn explain(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    let (rest, how) = explain_as(&tokens[1..], text)?;
    let rest = if words_at(rest, 0, &["PLAN", "FOR"]) {
        &rest[2..]
    } else {
        rest
    };
    if begins_query(rest.first()) {
        return Ok(StatementKind::Explain(parse_query(rest, text)?, how));
    }
    if is_word(rest.first(), "INSERT") {
        return Ok(StatementKind::Explain(parse_insert(rest, text)?.query, how));
    }
    let span = rest.first().map_or(end_of(tokens), bytes);
    Err(Error::syntax("EXPLAIN is followed by a query")
        .at(span)
        .help("write `EXPLAIN SELECT …`"))
}

/// What stands between EXPLAIN and its query: `ANALYZE`, `(FORMAT mermaid)`; and what is behind it.
fn explain_as<'a>(
    rest: &'a [TokenWithSpan],
    text: &str,
) -> Result<(&'a [TokenWithSpan], ExplainAs)> {
    const OTHERS: [&str; 4] = ["VERBOSE", "LOGICAL", "EXTENDED", "ESTIMATED_COST"];
    if is_word(rest.first(), "ANALYZE") {
        return Ok((&rest[1..], ExplainAs::Analyze));
    }
    if is_any_word(rest.first(), &OTHERS) && !is_word(rest.get(1), "FROM") {
        let span = rest.first().map_or(end_of(rest), bytes);
        let word = text[span.start..span.end].to_uppercase();
        return Err(Error::unsupported(format!("there is no EXPLAIN {word}"))
            .at(span)
            .help("`EXPLAIN SELECT …` shows the plan, `EXPLAIN ANALYZE SELECT …` runs it"));
    }
    let opens = is(rest.first(), &Token::LParen);
    if opens && is_word(rest.get(1), "ANALYZE") && is(rest.get(2), &Token::RParen) {
        return Ok((&rest[3..], ExplainAs::Analyze));
    }
    if !opens || !is_word(rest.get(1), "FORMAT") {
        return Ok((rest, ExplainAs::Tree));
    }
    let how = match rest.get(2).and_then(word) {
        Some(name) if name.value.eq_ignore_ascii_case("mermaid") => ExplainAs::Mermaid,
        Some(name) if name.value.eq_ignore_ascii_case("text") => ExplainAs::Tree,
        _ => {
            let span = rest.get(2).map_or(end_of(rest), bytes);
            return Err(Error::syntax("EXPLAIN has the formats text and mermaid")
                .at(span)
                .help("write `EXPLAIN (FORMAT mermaid) SELECT …`"));
        }
    };
    match is(rest.get(3), &Token::RParen) {
        true => Ok((&rest[4..], how)),
        false => Err(Error::syntax("EXPLAIN (FORMAT …) takes one word")
            .at(rest.get(3).map_or(end_of(rest), bytes))
            .help("write `EXPLAIN (FORMAT mermaid) SELECT …`")),
    }
}
