//! SQL that means something that is not built: refused at its word, with what works now.

use sqlparser::ast::{self, SetExpr, TableFactor};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::tokens::{
    bytes, closes, ends_operand, is, is_any_word, is_number, is_word, opens, word,
};
use crate::error::{Error, Result, Span};

/// Functions that only make sense with OVER.
const RANKING: [&str; 8] = [
    "ROW_NUMBER",
    "RANK",
    "DENSE_RANK",
    "PERCENT_RANK",
    "CUME_DIST",
    "NTILE",
    "LAG",
    "LEAD",
];

const OVER_HELP: &str = "a moving aggregate is a HOP window: GROUP BY HOP(ts, slide, size); the best n of a window are `LIMIT n BY window_start`";

/// Refuses clauses by their words.
pub(super) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<()> {
    // Whether the bracket has a SELECT, and whether it is in its FROM.
    let mut levels: Vec<(bool, bool)> = vec![(false, false)];
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|i| tokens.get(i));
        let next = tokens.get(index + 1);
        if opens(&token.token) {
            levels.push((false, false));
            continue;
        }
        if closes(&token.token) {
            levels.pop();
            if levels.is_empty() {
                levels.push((false, false));
            }
            continue;
        }
        if let Some((has_select, in_from)) = levels.last_mut() {
            match word(token).map(|word| word.keyword) {
                Some(Keyword::SELECT) => (*has_select, *in_from) = (true, false),
                Some(Keyword::FROM) => *in_from = *has_select && !is_word(previous, "DISTINCT"),
                Some(
                    Keyword::WHERE
                    | Keyword::GROUP
                    | Keyword::HAVING
                    | Keyword::ORDER
                    | Keyword::LIMIT
                    | Keyword::UNION
                    | Keyword::EXCEPT
                    | Keyword::INTERSECT,
                ) => *in_from = false,
                _ => {}
            }
            if *in_from && token.token == Token::Comma {
                return Err(join(bytes(token)));
            }
        }
        let before = index.checked_sub(2).and_then(|i| tokens.get(i));
        if is_word(Some(token), "BY")
            && is_any_word(previous, &["GROUP", "ORDER"])
            && let Some(clause) = before.filter(|before| {
                is_any_word(Some(before), &["WHERE", "HAVING", "AND", "OR", "NOT"])
            })
        {
            let error = Error::syntax(format!("a condition is missing behind {}", clause.token));
            return Err(error
                .at(previous.map_or(bytes(token), bytes))
                .help(format!("write it, or take {} away", clause.token)));
        }
        if is(next, &Token::LParen)
            && is_any_word(Some(token), &["IN", "EXISTS"])
            && is_any_word(tokens.get(index + 2), &["SELECT", "WITH"])
            && !is_any_word(before, &["TABLE", "VIEW"])
        {
            return Err(subquery().at(bytes(token)));
        }
        if let Some(found) = word(token).filter(|word| word.quote_style.is_none())
            && !is(previous, &Token::Period)
        {
            check_word(&found.value.to_uppercase(), token, previous, next)?;
        }
    }
    Ok(())
}

fn check_word(
    name: &str,
    token: &TokenWithSpan,
    previous: Option<&TokenWithSpan>,
    next: Option<&TokenWithSpan>,
) -> Result<()> {
    let span = bytes(token);
    let calls = is(next, &Token::LParen);
    let names = next.is_some_and(|next| word(next).is_some());
    let behind_operand = ends_operand(previous);
    let error = match name {
        "OVER" if is(previous, &Token::RParen) && (calls || names) => {
            Error::unsupported("OVER is not built yet").help(OVER_HELP)
        }
        "JOIN"
            if behind_operand
                || is_any_word(
                    previous,
                    &[
                        "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "NATURAL",
                    ],
                ) =>
        {
            return Err(join(span));
        }
        "FROM" if previous.is_some_and(is_operator) => {
            Error::syntax("an expression is missing in front of FROM")
                .help("take the operator away, or write its right side")
        }
        "RECURSIVE" if is_word(previous, "WITH") => {
            Error::unsupported("WITH RECURSIVE is not built").help("WITH without RECURSIVE works")
        }
        "MATCH_RECOGNIZE" if calls => Error::unsupported("MATCH_RECOGNIZE is not built")
            .help("SESSION windows and `HAVING` over a window find many patterns"),
        "PIVOT" | "UNPIVOT" if calls && behind_operand => {
            Error::unsupported(format!("{name} is not built"))
                .help("write one aggregate per column: `count(*) FILTER (WHERE level = 'error')`")
        }
        "QUALIFY" if behind_operand && (names || calls) => {
            Error::unsupported("QUALIFY is not built yet").help(OVER_HELP)
        }
        "WINDOW" if is_any_word(next, &["TUMBLING", "HOPPING", "SESSION"]) && behind_operand => {
            Error::syntax("a window is a call here, not a WINDOW clause").help(
                "write `FROM TUMBLE(t, ts, 1m)`, `HOP(t, ts, slide, size)`, `SESSION(t, ts, gap)`",
            )
        }
        "TUMBLINGWINDOW" | "HOPPINGWINDOW" | "SLIDINGWINDOW" | "SESSIONWINDOW" if calls => {
            Error::syntax(format!("`{name}` has another name here")).help(
                "write `GROUP BY TUMBLE(ts, 1m)`, `HOP(ts, slide, size)` or `SESSION(ts, gap)`",
            )
        }
        name if calls && RANKING.contains(&name) => {
            Error::unsupported(format!("{name} is not built yet")).help(OVER_HELP)
        }
        _ => return check_clause(name, span, previous, next),
    };
    Err(error.at(span))
}

/// The words that begin relations and clauses.
fn check_clause(
    name: &str,
    span: Span,
    previous: Option<&TokenWithSpan>,
    next: Option<&TokenWithSpan>,
) -> Result<()> {
    let calls = is(next, &Token::LParen);
    let names = next.is_some_and(|next| word(next).is_some());
    let behind_operand = ends_operand(previous);
    let error = match name {
        "LATERAL" if !behind_operand => Error::unsupported("LATERAL is not built yet")
            .help("one source per query works, and `UNION ALL` of several queries"),
        "UNNEST" if calls && is_any_word(previous, &["FROM", "JOIN"]) => {
            Error::unsupported("UNNEST is not built yet").help("an element is read with `items[1]`")
        }
        "FOR"
            if behind_operand
                && is_any_word(next, &["UPDATE", "SHARE", "SYSTEM_TIME", "JSON", "XML"]) =>
        {
            Error::unsupported("FOR is not built in a query").help("leave it out")
        }
        "INTO" if behind_operand && names => Error::unsupported("SELECT … INTO is not built")
            .help("rows go to stdout or to the file of `-o`"),
        "TOP" if is_word(previous, "SELECT") && is_number(next) => {
            Error::unsupported("TOP is not built").help("write `LIMIT n` at the end")
        }
        "TABLE" if is_word(previous, "FROM") && !calls => {
            Error::syntax("`TABLE` in FROM holds a window: `TABLE(TUMBLE(…))`")
                .help("a table is named without the word: `FROM t`")
                .help(format!(
                    "a table of that name is written \"{name}\"",
                    name = name.to_lowercase()
                ))
        }
        _ => return check_modifier(name, span, previous, next),
    };
    Err(error.at(span))
}

/// The words that change what a clause or a set of rows means.
fn check_modifier(
    name: &str,
    span: Span,
    previous: Option<&TokenWithSpan>,
    next: Option<&TokenWithSpan>,
) -> Result<()> {
    let calls = is(next, &Token::LParen);
    let behind_operand = ends_operand(previous);
    let error = match name {
        "DISTINCT" if is_word(previous, "SELECT") && is_word(next, "ON") => {
            Error::unsupported("DISTINCT ON is not built")
                .help("one row per key: SELECT k, first_value(v) … GROUP BY k")
        }
        "ROLLUP" | "CUBE" if calls => grouping_sets(),
        "GROUPING" if is_word(next, "SETS") => grouping_sets(),
        "INTERSECT" | "EXCEPT"
            if behind_operand && is_any_word(next, &["SELECT", "ALL", "DISTINCT", "VALUES"]) =>
        {
            Error::unsupported(format!("{name} is not built yet"))
                .help("UNION ALL works, and conditions in WHERE")
        }
        "FETCH" if is_any_word(next, &["FIRST", "NEXT"]) => {
            Error::unsupported("FETCH is not built").help("write `LIMIT n` at the end")
        }
        "TABLESAMPLE" if behind_operand && calls => {
            Error::unsupported("TABLESAMPLE is not built").help("write `WHERE random() < 0.05`")
        }
        _ => return Ok(()),
    };
    Err(error.at(span))
}

/// True for what stands between two operands and nowhere else.
fn is_operator(token: &TokenWithSpan) -> bool {
    matches!(
        token.token,
        Token::Plus
            | Token::Minus
            | Token::Div
            | Token::Mod
            | Token::StringConcat
            | Token::Eq
            | Token::DoubleEq
            | Token::Neq
            | Token::Lt
            | Token::LtEq
            | Token::Gt
            | Token::GtEq
    )
}

fn subquery() -> Error {
    Error::unsupported("a subquery inside an expression is not built yet")
        .help("what works now: a subquery in FROM, and WITH")
}

/// Refuses what stands in an expression and only the tree shows.
pub(super) fn check_expression(expr: &ast::Expr) -> Result<()> {
    use sqlparser::ast::{Expr, Spanned};
    match expr {
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
            Err(subquery().at_least(super::tokens::span_of(expr.span())))
        }
        _ => Ok(()),
    }
}

fn grouping_sets() -> Error {
    Error::unsupported("GROUPING SETS, ROLLUP and CUBE are not built")
        .help("what works now: UNION ALL of one GROUP BY each")
}

fn join(span: Span) -> Error {
    Error::unsupported("joins are not built yet")
        .at(span)
        .help("one source per query works; several of the same shape are put together with `UNION ALL` or a path like 'logs/*.csv'")
        .help("a window over one source is written `FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)`")
}

/// Refuses what only the tree shows.
pub(super) fn check_query(query: &ast::Query) -> Result<()> {
    if !query.locks.is_empty() || query.for_clause.is_some() {
        return Err(Error::unsupported("FOR is not built in a query"));
    }
    check_body(&query.body)
}

fn check_body(body: &SetExpr) -> Result<()> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => {
            Err(Error::unsupported("SELECT … INTO is not built"))
        }
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
        SetExpr::SetOperation { left, right, .. } => {
            check_body(left)?;
            check_body(right)
        }
        _ => Err(Error::unsupported(
            "a query cannot hold a changing statement",
        )),
    }
}

/// Refuses relations that are neither a table, a query nor a window.
pub(super) fn check_relation(relation: &TableFactor) -> Result<()> {
    match relation {
        TableFactor::Table { .. } | TableFactor::Derived { lateral: false, .. } => Ok(()),
        other => {
            use sqlparser::ast::Spanned;
            let error = Error::unsupported("this relation is not built")
                .help("FROM takes a table, a view, a quoted path, a query in brackets or a window");
            Err(error.at_least(super::tokens::span_of(other.span())))
        }
    }
}
