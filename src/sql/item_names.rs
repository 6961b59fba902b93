//! The name of an output column that has no alias: its expression as typed, runs of blanks folded to one.
//!
//! The texts of the items are taken from the tokens of each SELECT before anything is rewritten; the tree
//! finds them by the place of its SELECT.

use std::collections::HashMap;

use sqlparser::ast::{Expr, Ident, Select, SelectItem};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::tokens::{bytes, closes, is, is_word, opens, span_of, word};
use crate::error::Span;

/// The places of the items of every SELECT, by the offset of the SELECT.
pub(super) struct ItemNames {
    items: HashMap<usize, Vec<Span>>,
}

/// The items of a SELECT that is still being read.
struct Open {
    select: usize,
    items: Vec<Span>,
    current: Option<Span>,
}

impl Open {
    fn add(&mut self, span: Span) {
        self.current = Some(match self.current {
            Some(current) => Span::new(current.start, span.end),
            None => span,
        });
    }

    fn cut(&mut self) {
        self.items.extend(self.current.take());
    }
}

impl ItemNames {
    /// Finds the items of every SELECT.
    pub(super) fn collect(tokens: &[TokenWithSpan]) -> Self {
        let mut items = HashMap::new();
        let mut open: Vec<Option<Open>> = vec![None];
        let mut finish = |select: Option<Open>| {
            if let Some(mut select) = select {
                select.cut();
                items.insert(select.select, select.items);
            }
        };
        for (index, token) in tokens.iter().enumerate() {
            let span = bytes(token);
            if opens(&token.token) {
                add(&mut open, span);
                open.push(None);
                continue;
            }
            if closes(&token.token) {
                finish(open.pop().flatten());
                if open.is_empty() {
                    open.push(None);
                }
                add(&mut open, span);
                continue;
            }
            if is_word(Some(token), "SELECT") {
                finish(open.pop().flatten());
                open.push(Some(Open {
                    select: span.start,
                    items: Vec::new(),
                    current: None,
                }));
                continue;
            }
            if ends_items(tokens, index) {
                finish(open.pop().flatten());
                open.push(None);
                continue;
            }
            let previous = index.checked_sub(1).and_then(|i| tokens.get(i));
            if is_word(previous, "SELECT")
                && (is_word(Some(token), "DISTINCT") || is_word(Some(token), "ALL"))
            {
                continue;
            }
            match (token.token == Token::Comma, open.last_mut()) {
                (true, Some(Some(select))) => select.cut(),
                _ => add(&mut open, span),
            }
        }
        open.into_iter().for_each(finish);
        ItemNames { items }
    }

    /// Gives every unnamed item that is no plain column its text as alias.
    pub(super) fn give(&self, select: &mut Select, text: &str) {
        let known = span_of(select.select_token.0.span)
            .and_then(|span| self.items.get(&span.start))
            .filter(|items| items.len() == select.projection.len());
        for (index, item) in select.projection.iter_mut().enumerate() {
            let SelectItem::UnnamedExpr(expr) = item else {
                continue;
            };
            if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
                continue;
            }
            let span = known.map(|items| items[index]);
            let name = match span.and_then(|span| text.get(span.start..span.end)) {
                Some(typed) => typed.split_whitespace().collect::<Vec<_>>().join(" "),
                None => expr.to_string(),
            };
            let mut alias = Ident::with_quote('"', name);
            if let Some(span) = span {
                alias.span = super::tokens::place(span);
            }
            let expr = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
    }
}

fn add(open: &mut [Option<Open>], span: Span) {
    if let Some(Some(select)) = open.last_mut() {
        select.add(span);
    }
}

/// True for a word that ends the list of items.
fn ends_items(tokens: &[TokenWithSpan], index: usize) -> bool {
    let Some(word) = word(&tokens[index]) else {
        return false;
    };
    let previous = index.checked_sub(1).and_then(|i| tokens.get(i));
    match word.keyword {
        Keyword::FROM => {
            let before = index.checked_sub(2).and_then(|i| tokens.get(i));
            !(is_word(previous, "DISTINCT") && (is_word(before, "IS") || is_word(before, "NOT")))
        }
        // `* EXCEPT (a)` is a part of its item.
        Keyword::EXCEPT => !is(previous, &Token::Mul),
        // `WITHIN GROUP (…)` is a part of its item.
        Keyword::GROUP | Keyword::ORDER => is_word(tokens.get(index + 1), "BY"),
        Keyword::WHERE
        | Keyword::HAVING
        | Keyword::LIMIT
        | Keyword::OFFSET
        | Keyword::FETCH
        | Keyword::INTO
        | Keyword::UNION
        | Keyword::INTERSECT => true,
        _ => false,
    }
}
