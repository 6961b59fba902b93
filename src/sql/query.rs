//! A query from tokens to its normal form.
//!
//! ```text
//!  words settled ─► EMIT taken off ─► refusals ─► items named, windows rewritten ─► sqlparser ─► tree in normal form
//! ```

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, Spanned, TableFactor, VisitMut, VisitorMut,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::TumbleDialect;
use super::group_window;
use super::item_names::ItemNames;
use super::messages::translate;
use super::refusals;
use super::statement::{Emit, QueryStatement};
use super::tokens::{bytes, bytes_of, closes, is, is_any_word, is_word, opens};
use super::window_call::window_call;
use super::window_text;
use super::words::{Room, settle};
use crate::error::{Error, Result, Span};

/// Deeper than any tree that the limits let through.
const RECURSION: usize = 20_000;

/// Reads a query with its EMIT clause.
pub(super) fn parse_query(tokens: &[TokenWithSpan], text: &str) -> Result<QueryStatement> {
    check_brackets(tokens)?;
    let tokens = settle(tokens, Room::Expressions, text)?;
    let (tokens, emit) = take_emit(tokens)?;
    refusals::check_tokens(&tokens)?;
    let names = ItemNames::collect(&tokens);
    let tokens = window_text::rewrite(&tokens)?;
    let mut query = parse_with(&tokens, text, |parser| parser.parse_query())?;
    normalize(&mut query, &names, text)?;
    Ok(QueryStatement { query, emit })
}

/// Reads an expression that stands alone, as in a computed column.
pub(super) fn parse_expression(tokens: &[TokenWithSpan], text: &str) -> Result<ast::Expr> {
    let tokens = settle(tokens, Room::Expressions, text)?;
    refusals::check_tokens(&tokens)?;
    parse_with(&tokens, text, |parser| parser.parse_expr())
}

/// Reads a type.
pub(super) fn parse_type(tokens: &[TokenWithSpan], text: &str) -> Result<ast::DataType> {
    let tokens = settle(tokens, Room::Types, text)?;
    parse_with(&tokens, text, |parser| parser.parse_data_type())
}

/// Runs one of sqlparser's rules over all of the tokens.
fn parse_with<T>(
    tokens: &[TokenWithSpan],
    text: &str,
    rule: impl FnOnce(&mut Parser) -> Result<T, sqlparser::parser::ParserError>,
) -> Result<T> {
    let dialect = TumbleDialect::for_tokens(tokens.len());
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(RECURSION)
        .with_tokens_with_locations(tokens.to_vec());
    let outcome = rule(&mut parser).and_then(|tree| match parser.peek_token_ref().token {
        Token::EOF => Ok(tree),
        _ => parser.expected_ref("end of statement", parser.peek_token_ref()),
    });
    outcome.map_err(|error| translate(&error, text, tokens))
}

/// Brackets that do not match, at the one that is wrong.
pub(super) fn check_brackets(tokens: &[TokenWithSpan]) -> Result<()> {
    let mut open: Vec<&TokenWithSpan> = Vec::new();
    for token in tokens {
        if opens(&token.token) {
            open.push(token);
        } else if closes(&token.token) {
            let fits = open.pop().is_some_and(|open| {
                matches!(
                    (&open.token, &token.token),
                    (Token::LParen, Token::RParen)
                        | (Token::LBracket, Token::RBracket)
                        | (Token::LBrace, Token::RBrace)
                )
            });
            if !fits {
                return Err(Error::syntax(format!("`{}` closes nothing", token.token))
                    .at(bytes(token))
                    .help("take it away, or write what it closes"));
            }
        }
    }
    match open.last() {
        Some(token) => {
            let error = Error::syntax(format!("`{}` is never closed", token.token));
            let closing = match token.token {
                Token::LBracket => "]",
                Token::LBrace => "}",
                _ => ")",
            };
            Err(error
                .at(bytes(token))
                .help(format!("write `{closing}` where it ends")))
        }
        None => Ok(()),
    }
}

/// Takes the EMIT clause off the end of the statement, in front of or behind LIMIT.
fn take_emit(mut tokens: Vec<TokenWithSpan>) -> Result<(Vec<TokenWithSpan>, Emit)> {
    let mut depth = 0_usize;
    let mut found = None;
    for (index, token) in tokens.iter().enumerate() {
        if opens(&token.token) {
            depth += 1;
        } else if closes(&token.token) {
            depth = depth.saturating_sub(1);
        } else if is_word(Some(token), "EMIT")
            && is_any_word(
                tokens.get(index + 1),
                &["ON", "FINAL", "CHANGES", "AFTER", "WITH", "WITHOUT"],
            )
            && !is(
                index.checked_sub(1).and_then(|i| tokens.get(i)),
                &Token::Period,
            )
        {
            if depth > 0 {
                return Err(
                    Error::syntax("EMIT stands at the end of the statement").at(bytes(token))
                );
            }
            found = Some(index);
            break;
        }
    }
    let Some(start) = found else {
        return Ok((tokens, Emit::default()));
    };
    let words: &[&str] = if is_word(tokens.get(start + 1), "FINAL") {
        &["FINAL"]
    } else {
        &["ON", "WINDOW", "CLOSE"]
    };
    let end = start + 1 + words.len();
    let fits = words
        .iter()
        .enumerate()
        .all(|(i, word)| is_word(tokens.get(start + 1 + i), word));
    if !fits {
        let end = end.min(tokens.len()).min(start + 2);
        let span = bytes_of(&tokens[start..end]);
        let what = if is_word(tokens.get(start + 1), "CHANGES") {
            Error::unsupported("EMIT CHANGES is not built yet")
        } else {
            Error::unsupported("this EMIT clause is not built")
        };
        return Err(what
            .at(span)
            .help("`EMIT ON WINDOW CLOSE` (the default) and `EMIT FINAL` work: one row per window and group"));
    }
    if let Some(token) = tokens.get(end)
        && !is_any_word(Some(token), &["LIMIT", "OFFSET", "FETCH"])
    {
        return Err(Error::syntax("EMIT stands at the end of the statement")
            .at(bytes_of(&tokens[start..end])));
    }
    tokens.drain(start..end);
    Ok((tokens, Emit::OnWindowClose))
}

/// Names the items, moves windows from GROUP BY to FROM, checks every window call.
fn normalize(query: &mut ast::Query, names: &ItemNames, text: &str) -> Result<()> {
    let mut pass = Normalize {
        names,
        text,
        inputs: Vec::new(),
    };
    match query.visit(&mut pass) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Normalize<'a> {
    names: &'a ItemNames,
    text: &'a str,
    /// Where the queries stand that windows read.
    inputs: Vec<sqlparser::tokenizer::Span>,
}

impl VisitorMut for Normalize<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        let text = self.text;
        flow(
            refusals::check_query(query)
                .and_then(|()| group_window::rewrite_query(query, self.names, text)),
        )
    }

    fn pre_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<Error> {
        let is_input = matches!(expr, ast::Expr::Subquery(_)) && self.inputs.contains(&expr.span());
        flow(match is_input {
            true => Ok(()),
            false => refusals::check_expression(expr),
        })
    }

    fn pre_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table {
            args: Some(list), ..
        } = relation
        {
            let named = list.args.iter().filter_map(|argument| match argument {
                FunctionArg::Named {
                    arg: FunctionArgExpr::Expr(value),
                    ..
                } => Some(value.span()),
                _ => None,
            });
            self.inputs.extend(named);
        }
        flow(refusals::check_relation(relation).and_then(|()| window_call(relation).map(|_| ())))
    }
}

fn flow(outcome: Result<()>) -> ControlFlow<Error> {
    match outcome {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// The place behind the last token.
pub(super) fn end_of(tokens: &[TokenWithSpan]) -> Span {
    let end = bytes_of(tokens).end;
    Span::new(end, end)
}
