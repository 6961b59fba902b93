//! Texts that would overwhelm the parser are refused while they are still a list of tokens.
//!
//! ```text
//!  (((…      brackets, CASE and the chains around them add up to the depth of a tree
//!  1+1+1…    each operator at one level makes the tree one deeper
//!  a, b, c   a comma starts a new chain: lists may be as long as the text
//! ```
//!
//! The estimate is never less than the depth of the tree that the tokens would make.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::tokens::{bytes, closes, opens, word};
use crate::error::{Error, Result, Span};

/// The longest text in bytes.
pub const LONGEST_TEXT_BYTES: usize = 1 << 20;
/// The deepest expression and the longest chain of operators.
pub(super) const DEPTH: usize = 1_000;
/// How many SELECTs may stand in each other.
const NESTED_SELECTS: usize = 50;

/// Refuses a text of more than 1 MiB.
pub(super) fn check_length(text: &str) -> Result<()> {
    if text.len() <= LONGEST_TEXT_BYTES {
        return Ok(());
    }
    Err(Error::syntax(format!(
        "the query is {} bytes long; the limit is {LONGEST_TEXT_BYTES} (1 MiB)",
        text.len()
    )))
}

/// What a bracket or CASE has collected.
#[derive(Default)]
struct Level {
    /// Operators since the last AND, OR or comma.
    operators: usize,
    /// AND, OR and set operations since the last comma or clause.
    connectives: usize,
    has_select: bool,
    is_case: bool,
}

impl Level {
    fn depth(&self) -> usize {
        1 + self.operators + self.connectives
    }
}

/// Refuses expressions deeper than `most`, of which there is no more than [`DEPTH`], and more than 50 nested SELECTs.
/// Returns how deep the deepest one is.
pub(super) fn check_depth(tokens: &[TokenWithSpan], most: usize) -> Result<usize> {
    let mut deepest = 0;
    let mut levels = vec![Level::default()];
    let mut outer = 0;
    let mut selects = 0;
    for token in tokens {
        if opens(&token.token) || is_keyword(token, Keyword::CASE) {
            outer += levels.last().map_or(0, Level::depth);
            levels.push(Level {
                is_case: !opens(&token.token),
                ..Level::default()
            });
        } else if closes(&token.token) {
            while levels.len() > 1 && levels.last().is_some_and(|level| level.is_case) {
                leave(&mut levels, &mut outer, &mut selects);
            }
            leave(&mut levels, &mut outer, &mut selects);
            // `a[1][1]…` is a chain, too.
            if let (Token::RBracket, Some(level)) = (&token.token, levels.last_mut()) {
                level.operators += 1;
            }
        } else if is_keyword(token, Keyword::END)
            && levels.last().is_some_and(|level| level.is_case)
        {
            leave(&mut levels, &mut outer, &mut selects);
        } else if let Some(level) = levels.last_mut() {
            if is_keyword(token, Keyword::SELECT) && !level.has_select {
                level.has_select = true;
                selects += 1;
                if selects > NESTED_SELECTS {
                    return Err(Error::syntax(format!(
                        "more than {NESTED_SELECTS} SELECTs stand in each other"
                    ))
                    .at(bytes(token))
                    .help("give the inner ones names with `WITH name AS (…)`"));
                }
            }
            count(level, &token.token);
        }
        deepest = deepest.max(outer + levels.last().map_or(0, Level::depth));
        if deepest > most {
            return Err(too_deep(bytes(token), most));
        }
    }
    Ok(deepest)
}

fn is_keyword(token: &TokenWithSpan, keyword: Keyword) -> bool {
    word(token).is_some_and(|word| word.keyword == keyword)
}

fn leave(levels: &mut Vec<Level>, outer: &mut usize, selects: &mut usize) {
    if levels.len() < 2 {
        return;
    }
    if let Some(level) = levels.pop() {
        *selects -= usize::from(level.has_select);
    }
    *outer -= levels.last().map_or(0, Level::depth);
}

fn count(level: &mut Level, token: &Token) {
    match token {
        Token::Comma | Token::SemiColon => {
            level.operators = 0;
            level.connectives = 0;
        }
        Token::Word(word) => match word.keyword {
            Keyword::AND | Keyword::OR | Keyword::XOR => {
                level.operators = 0;
                level.connectives += 1;
            }
            // A chain of set operations is as deep as it is long; the clauses between them are not.
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => {
                level.operators = 0;
                level.connectives += 1;
            }
            Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE => level.operators = 0,
            Keyword::NoKeyword => {}
            // Words may be operators (NOT, IS, LIKE, AT TIME ZONE, …) or begin phrases.
            _ => level.operators += 1,
        },
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Period
        | Token::RArrow
        | Token::EOF => {}
        _ => level.operators += 1,
    }
}

fn too_deep(span: Span, most: usize) -> Error {
    let error = Error::syntax(format!(
        "the expression is too deep: at most {most} operators and brackets may depend on each other"
    ));
    let error = match most < DEPTH {
        true => error.note(format!("with more memory (`ulimit -v`) {DEPTH} may")),
        false => error,
    };
    error
        .at(span)
        .help("write a long chain of `OR` as `column IN (a, b, …)`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::tokens::tokenize;

    fn check(text: &str, fits: bool) {
        let outcome = check_depth(&tokenize(text).unwrap(), DEPTH);
        let shown: String = text.chars().take(60).collect();
        assert_eq!(outcome.is_ok(), fits, "{shown}: {outcome:?}");
    }

    #[test]
    fn depths() {
        let many = 2_000;
        check(&format!("SELECT 1{}", "+1".repeat(many)), false);
        check(&format!("SELECT 1{}", "+1".repeat(900)), true);
        check(&format!("SELECT 1{}", ", 1".repeat(many)), true);
        check(&format!("SELECT x IN (1{})", ", 1".repeat(many)), true);
        check(&format!("SELECT {}1", "(".repeat(many)), false);
        check(&format!("SELECT {}1", "NOT ".repeat(many)), false);
        check(&format!("SELECT {}1", "- ".repeat(many)), false);
        check(&format!("SELECT {}1", "CASE WHEN ".repeat(many)), false);
        check(
            &format!("SELECT CASE {} END", "WHEN a = 1 THEN b ".repeat(many)),
            true,
        );
        check(&format!("SELECT a{}", " OR a = 1".repeat(many)), false);
        check(&format!("SELECT a{}", " OR a = 1".repeat(900)), true);
        check(&format!("SELECT a{}", "::int".repeat(many)), false);
        check(&format!("SELECT a{}", "[1]".repeat(many)), false);
        check(
            &format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(many)),
            false,
        );
        check(&format!("{}1", "SELECT * FROM (".repeat(60)), false);
        check(&format!("{}1", "SELECT * FROM (".repeat(45)), true);
        check("SELECT (SELECT 1), (SELECT 2)", true);
    }
}
