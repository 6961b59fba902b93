//! `CREATE TABLE` with computed columns, WATERMARK and `WITH (…)`, and `CREATE VIEW`.
//!
//! ```text
//!  CREATE TABLE t (user STRING, ts TIMESTAMP(3), day AS CAST(ts AS DATE),
//!                  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (path = 'a.csv', 'csv.header' = 'true')
//! ```
//!
//! Read by hand, because sqlparser's grammar has none of the streaming clauses; types and expressions go
//! through it piece by piece.

use sqlparser::ast::{BinaryOperator, Expr, Ident};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::messages::{nearest, shown};
use super::query::{check_brackets, end_of, parse_expression, parse_query, parse_type};
use super::script::{expect_end, name_at, words_at};
use super::statement::{
    Column, ColumnKind, CreateTable, CreateView, StatementKind, TableOption, WatermarkClause,
};
use super::tokens::{
    bytes, bytes_of, closes, closing, is, is_any_word, is_word, opens, split_at_commas, word,
};
use super::window_call::interval_of;
use crate::error::{Error, Result, Span};
use crate::time::Interval;

/// Reads a statement that begins with CREATE.
pub(super) fn parse_create(tokens: &[TokenWithSpan], text: &str) -> Result<StatementKind> {
    check_brackets(tokens)?;
    let mut at = 1;
    let or_replace = words_at(tokens, at, &["OR", "REPLACE"]);
    if or_replace {
        at += 2;
    }
    if is_any_word(tokens.get(at), &["TEMPORARY", "TEMP"]) {
        at += 1;
    }
    if is_word(tokens.get(at), "TABLE") {
        return create_table(tokens, at + 1, or_replace, text);
    }
    if is_word(tokens.get(at), "VIEW") {
        return create_view(tokens, at + 1, or_replace, text);
    }
    let help = "CREATE TABLE and CREATE VIEW work";
    let Some(token) = tokens.get(at) else {
        return Err(
            Error::syntax("the statement ends early: what to create is missing")
                .at(end_of(tokens))
                .help(help),
        );
    };
    let span = bytes(token);
    let typed = &text[span.start..span.end];
    Err(match nearest(typed, ["TABLE", "VIEW"]) {
        Some(near) => Error::syntax(format!("unknown word {}", shown(typed)))
            .at(span)
            .label(format!("did you mean `{near}`?")),
        None => Error::unsupported(format!("CREATE {} is not built", shown(typed)))
            .at(span)
            .help(help),
    })
}

fn create_view(
    tokens: &[TokenWithSpan],
    mut at: usize,
    or_replace: bool,
    text: &str,
) -> Result<StatementKind> {
    if words_at(tokens, at, &["IF", "NOT", "EXISTS"]) {
        return Err(Error::unsupported("CREATE VIEW IF NOT EXISTS is not built")
            .at(bytes_of(&tokens[at..at + 3]))
            .help("CREATE OR REPLACE VIEW works"));
    }
    let name = name_at(tokens, at, "the name of the view")?;
    at += 1;
    let mut columns = Vec::new();
    if is(tokens.get(at), &Token::LParen) {
        let end = closing(tokens, at).unwrap_or(tokens.len() - 1);
        for part in split_at_commas(&tokens[at + 1..end]) {
            columns.push(name_at(part, 0, "a column name")?);
            expect_end(part, 1, text)?;
        }
        at = end + 1;
    }
    if !is_word(tokens.get(at), "AS") {
        let span = tokens.get(at).map_or(end_of(tokens), bytes);
        return Err(Error::syntax("`AS` and a query are missing")
            .at(span)
            .help("write `CREATE VIEW name AS SELECT …`"));
    }
    let query = &tokens[at + 1..];
    if query.is_empty() {
        return Err(Error::syntax("the query of the view is missing").at(end_of(tokens)));
    }
    Ok(StatementKind::CreateView(CreateView {
        name,
        or_replace,
        columns,
        query: parse_query(query, text)?.query,
    }))
}

fn create_table(
    tokens: &[TokenWithSpan],
    mut at: usize,
    or_replace: bool,
    text: &str,
) -> Result<StatementKind> {
    let if_not_exists = words_at(tokens, at, &["IF", "NOT", "EXISTS"]);
    if if_not_exists {
        at += 3;
    }
    let mut table = CreateTable {
        name: name_at(tokens, at, "the name of the table")?,
        or_replace,
        if_not_exists,
        columns: Vec::new(),
        watermark: None,
        options: Vec::new(),
    };
    at += 1;
    if is(tokens.get(at), &Token::LParen) {
        let end = closing(tokens, at).unwrap_or(tokens.len() - 1);
        for part in elements(&tokens[at + 1..end]) {
            element(part, &mut table, bytes(&tokens[at]), text)?;
        }
        at = end + 1;
    }
    if is_word(tokens.get(at), "AS") {
        return Err(Error::unsupported("CREATE TABLE … AS SELECT is not built")
            .at(bytes(&tokens[at]))
            .help("CREATE VIEW name AS SELECT … works"));
    }
    if is_word(tokens.get(at), "WITH") {
        if !is(tokens.get(at + 1), &Token::LParen) {
            return Err(Error::syntax("WITH is followed by options in brackets")
                .at(bytes(&tokens[at]))
                .help("write `WITH (path = 'a.csv')`"));
        }
        let end = closing(tokens, at + 1).unwrap_or(tokens.len() - 1);
        for part in split_at_commas(&tokens[at + 2..end]) {
            let option = option(part, bytes(&tokens[at]), text)?;
            // The records of a table may be in several files.
            let is_given = table.options.iter().any(|known| known.key == option.key);
            if is_given && option.key != "path" {
                return Err(
                    Error::syntax(format!("option `{}` is given twice", option.key))
                        .at(option.span),
                );
            }
            table.options.push(option);
        }
        at = end + 1;
    }
    expect_end(tokens, at, text)?;
    Ok(StatementKind::CreateTable(table))
}

/// The parts between commas that stand in neither brackets nor the angles of a type.
fn elements(tokens: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    let mut parts: Vec<&[TokenWithSpan]> = Vec::new();
    let mut start = 0;
    let (mut depth, mut angles) = (0_usize, 0_usize);
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|i| tokens.get(i));
        match &token.token {
            Token::Lt if is_any_word(previous, &["ARRAY", "ROW", "STRUCT", "MAP"]) => angles += 1,
            Token::Gt => angles = angles.saturating_sub(1),
            Token::ShiftRight => angles = angles.saturating_sub(2),
            other if opens(other) => depth += 1,
            other if closes(other) => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 && angles == 0 => {
                parts.push(&tokens[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if !tokens.is_empty() {
        parts.push(&tokens[start..]);
    }
    parts
}

fn element(
    part: &[TokenWithSpan],
    table: &mut CreateTable,
    bracket: Span,
    text: &str,
) -> Result<()> {
    if part.is_empty() {
        return Err(Error::syntax("a column is missing between the commas").at(bracket));
    }
    if words_at(part, 0, &["WATERMARK", "FOR"]) {
        if table.watermark.is_some() {
            return Err(Error::syntax("a table has one watermark").at(bytes_of(part)));
        }
        table.watermark = Some(watermark(part, text)?);
        return Ok(());
    }
    // A key says nothing that a stream of appended rows could break.
    let is_key = words_at(part, 0, &["PRIMARY", "KEY"])
        || is_word(part.first(), "CONSTRAINT") && words_at(part, 2, &["PRIMARY", "KEY"]);
    if is_key {
        return primary_key(part, text);
    }
    let name = name_at(part, 0, "a column name")?;
    if let Some(known) = table.columns.iter().find(|c| c.name.value == name.value) {
        return Err(
            Error::syntax(format!("column `{}` is declared twice", known.name.value))
                .at(bytes(&part[0]))
                .help("leave one of them out, or give it another name"),
        );
    }
    let kind = if is_word(part.get(1), "AS") {
        ColumnKind::Computed(computed(part, text)?)
    } else {
        physical(part, text)?
    };
    table.columns.push(Column { name, kind });
    Ok(())
}

fn primary_key(part: &[TokenWithSpan], text: &str) -> Result<()> {
    let open = part.iter().position(|token| token.token == Token::LParen);
    let Some(end) = open.and_then(|open| closing(part, open)) else {
        return Err(Error::syntax("PRIMARY KEY names its columns in brackets").at(bytes_of(part)));
    };
    if words_at(part, end + 1, &["NOT", "ENFORCED"]) {
        return expect_end(part, end + 3, text);
    }
    Err(Error::unsupported("keys are not enforced here")
        .at(bytes_of(part))
        .help("write `PRIMARY KEY (…) NOT ENFORCED` or leave it out"))
}

fn computed(part: &[TokenWithSpan], text: &str) -> Result<Expr> {
    if part.len() < 3 {
        return Err(Error::syntax("the expression of the column is missing").at(bytes_of(part)));
    }
    parse_expression(&part[2..], text)
}

fn physical(part: &[TokenWithSpan], text: &str) -> Result<ColumnKind> {
    if part.len() < 2 {
        return Err(Error::syntax(format!(
            "column `{}` needs a type",
            word(&part[0]).map_or("", |word| &word.value)
        ))
        .at(bytes(&part[0]))
        .help("types: BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL(p,s), STRING, DATE, TIME, TIMESTAMP(3), TIMESTAMP_LTZ(3), BYTES, ARRAY<…>, ROW<…>, MAP<…>"));
    }
    if let Some(at) = part
        .iter()
        .position(|token| is_word(Some(token), "METADATA"))
        && at > 0
    {
        return Err(Error::unsupported("METADATA columns are not built")
            .at(bytes(&part[at]))
            .help("compute the column: source AS _source; every table has _arrival, _source, _line, _offset and _raw"));
    }
    let mut end = part.len();
    // Flink's types carry their own nullability; every column may be NULL here.
    if let Some(at) = part
        .iter()
        .position(|token| is_word(Some(token), "COMMENT"))
        && at + 2 == part.len()
        && at > 1
    {
        end = at;
    }
    if is_word(part.get(end - 1), "NULL") && !is_word(part.get(end - 2), "NOT") && end > 2 {
        end -= 1;
    }
    let constraint = (2..end).find(|at| {
        is_any_word(
            part.get(*at),
            &[
                "NOT",
                "PRIMARY",
                "UNIQUE",
                "DEFAULT",
                "CHECK",
                "REFERENCES",
                "GENERATED",
            ],
        )
    });
    if let Some(at) = constraint {
        let outside = split_depth(part, at) == 0;
        let last = if is_word(part.get(at), "NOT") {
            at + 2
        } else {
            at + 1
        };
        let not_null = words_at(part, at, &["NOT", "NULL"]) && last == end;
        let is_key = words_at(part, at, &["PRIMARY", "KEY", "NOT", "ENFORCED"]) && at + 4 == end;
        if outside && (not_null || is_key) {
            end = at;
        } else if outside {
            let span = bytes(&part[at]);
            return Err(Error::unsupported(format!(
                "constraint {} is not built",
                shown(&text[span.start..span.end])
            ))
            .at(span)
            .help("filter the rows with WHERE"));
        }
    }
    Ok(ColumnKind::Physical(parse_type(&part[1..end], text)?))
}

/// How many brackets and angles are open in front of a token.
fn split_depth(part: &[TokenWithSpan], at: usize) -> i32 {
    part[..at]
        .iter()
        .map(|token| match token.token {
            Token::LParen | Token::Lt => 1,
            Token::RParen | Token::Gt => -1,
            Token::ShiftRight => -2,
            _ => 0,
        })
        .sum()
}

fn watermark(part: &[TokenWithSpan], text: &str) -> Result<WatermarkClause> {
    let usage = "write `WATERMARK FOR ts AS ts - INTERVAL '5' SECOND`";
    let mut column = name_at(part, 2, "the time column")?;
    let mut behind = 3;
    while part
        .get(behind)
        .is_some_and(|token| token.token == Token::Period)
    {
        let key = name_at(part, behind + 1, "what lies in the time column")?;
        column.value = format!("{}.{}", column.value, key.value);
        behind += 2;
    }
    if !is_word(part.get(behind), "AS") || part.len() < behind + 2 {
        return Err(Error::syntax("the watermark needs `AS` and its expression")
            .at(bytes_of(part))
            .help(usage));
    }
    let span = bytes_of(&part[behind + 1..]);
    let expression = parse_expression(&part[behind + 1..], text)?;
    let wrong = |what: &str| Err(Error::syntax(what.to_owned()).at(span).help(usage));
    let same = |expr: &Expr| match expr {
        Expr::Identifier(name) => same_name(name, &column),
        Expr::CompoundIdentifier(parts) => {
            let parts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
            parts.join(".").eq_ignore_ascii_case(&column.value)
        }
        _ => false,
    };
    let mut expression = &expression;
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    let delay = match expression {
        expr if same(expr) => Interval::default(),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Minus,
            right,
        } if same(left) => interval_of(right, span)?,
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus,
            ..
        } if same(left) => {
            return wrong("a watermark stays behind its column; it cannot run ahead of it");
        }
        _ => return wrong("a watermark is its column, or its column less an interval"),
    };
    if delay.is_calendar() {
        return wrong("the delay of a watermark has no months or years");
    }
    if delay.weeks < 0 || delay.nanoseconds < 0 {
        return wrong("a watermark stays behind its column; it cannot run ahead of it");
    }
    Ok(WatermarkClause { column, delay })
}

fn same_name(name: &Ident, column: &Ident) -> bool {
    name.value == column.value
        || name.quote_style.is_none()
            && column.quote_style.is_none()
            && name.value.eq_ignore_ascii_case(&column.value)
}

pub(super) fn option(part: &[TokenWithSpan], with: Span, text: &str) -> Result<TableOption> {
    let span = match part {
        [] => with,
        part => bytes_of(part),
    };
    let usage = "write `WITH (path = 'a.csv', 'csv.header' = 'true')`";
    let Some(equals) = part.iter().position(|token| token.token == Token::Eq) else {
        return Err(Error::syntax("an option is `key = value`")
            .at(span)
            .help(usage));
    };
    let (key, value) = (&part[..equals], &part[equals + 1..]);
    let key = match key {
        [one] => match &one.token {
            Token::SingleQuotedString(key) => key.clone(),
            Token::Word(word) => word.value.clone(),
            _ => return Err(Error::syntax("an option has a name").at(span).help(usage)),
        },
        [] => return Err(Error::syntax("an option has a name").at(span).help(usage)),
        keys => {
            let place = bytes_of(keys);
            let typed = &text[place.start..place.end];
            let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
            if !typed.chars().all(plain) {
                return Err(Error::syntax("an option has a name").at(place).help(usage));
            }
            typed.to_owned()
        }
    };
    let value = match value {
        [one] => match &one.token {
            Token::SingleQuotedString(value) => value.clone(),
            Token::Word(word) => word.value.clone(),
            Token::Number(number, _) => number.clone(),
            _ => {
                return Err(Error::syntax("the value of an option is text")
                    .at(span)
                    .help(usage));
            }
        },
        // `5s`, `-1`, `1.5h`
        [_, ..]
            if value.len() <= 3
                && !text[bytes_of(value).start..bytes_of(value).end]
                    .contains(char::is_whitespace) =>
        {
            text[bytes_of(value).start..bytes_of(value).end].to_owned()
        }
        _ => {
            return Err(Error::syntax("the value of an option is text")
                .at(span)
                .help(usage));
        }
    };
    Ok(TableOption {
        key: key.to_lowercase(),
        value,
        span,
    })
}
