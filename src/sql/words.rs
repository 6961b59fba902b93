//! Tells words that are columns from the same words as keywords, before sqlparser sees them.
//!
//! ```text
//!  SELECT user, end FROM t WHERE at > TIMESTAMP '2020-01-01' AND n DIV 2 = 1 AND ts > x - 5s
//!         ~~~~  ~~~              ~~   keyword stays             //                       INTERVAL '5 seconds'
//! ```
//!
//! A word loses its keyword (`~`) unless its neighbors make it one. `DIV` becomes the token `//`, every
//! interval becomes `INTERVAL 'canonical text'`, and Flink's names of types become standard ones. Places
//! stay those of what was typed.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::tokens::{
    bytes, closes, ends_operand, is, is_any_word, is_number, is_text, is_word, made, made_word,
    opens, word,
};
use crate::error::{Error, Result, Span};
use crate::time::{Interval, is_interval_unit, parse_interval, parse_interval_with_unit};

/// Words that are keywords in other dialects only.
const NEVER_KEYWORDS: &[Keyword] = &[
    Keyword::USER,
    Keyword::LEVEL,
    Keyword::KEY,
    Keyword::TYPE,
    Keyword::INDEX,
    Keyword::START,
    Keyword::VALUE,
    Keyword::COUNT,
    Keyword::WINDOW,
    Keyword::FORMAT,
    Keyword::SETTINGS,
    Keyword::PREWHERE,
    Keyword::CONNECT,
    Keyword::SAMPLE,
    Keyword::TABLESAMPLE,
    Keyword::QUALIFY,
    Keyword::TOP,
    Keyword::FINAL,
    Keyword::SORT,
    Keyword::CLUSTER,
    Keyword::DISTRIBUTE,
    Keyword::RETURNING,
    Keyword::OUTPUT,
    Keyword::GLOBAL,
    Keyword::OPEN,
    Keyword::MINUS,
    Keyword::VIEW,
    Keyword::ANALYZE,
    Keyword::EXPLAIN,
    Keyword::PRIOR,
    Keyword::LAMBDA,
    Keyword::SESSION_USER,
    Keyword::CURRENT_USER,
    Keyword::CURRENT_CATALOG,
    Keyword::ANTI,
    Keyword::SEMI,
    Keyword::ASOF,
    Keyword::PIVOT,
    Keyword::UNPIVOT,
    Keyword::MATCH_RECOGNIZE,
    Keyword::INSERT,
    Keyword::UPDATE,
    Keyword::DELETE,
    Keyword::MERGE,
    Keyword::LOCK,
    Keyword::UNNEST,
    Keyword::JSON_TABLE,
    Keyword::OPENJSON,
    Keyword::XMLTABLE,
    Keyword::XMLNAMESPACES,
    Keyword::OVERLAPS,
    Keyword::MEMBER,
    Keyword::OPERATOR,
    Keyword::MATCH,
    Keyword::NOTNULL,
    Keyword::VERSION,
    Keyword::CONVERT,
];

/// Words that are keywords only in front of a bracket.
const FUNCTIONS: &[Keyword] = &[
    Keyword::CAST,
    Keyword::TRY_CAST,
    Keyword::SAFE_CAST,
    Keyword::EXTRACT,
    Keyword::CEIL,
    Keyword::FLOOR,
    Keyword::SUBSTR,
    Keyword::SUBSTRING,
    Keyword::OVERLAY,
    Keyword::TRIM,
    Keyword::EXISTS,
    Keyword::POSITION,
    Keyword::TRY_CONVERT,
];

/// Where the tokens stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// In a query or an expression.
    Expressions,
    /// In a type of a column: every word may be a part of its name.
    Types,
}

/// Gives each word its meaning, see the module.
///
/// # Errors
/// Intervals that cannot be read.
pub(super) fn settle(
    tokens: &[TokenWithSpan],
    room: Room,
    text: &str,
) -> Result<Vec<TokenWithSpan>> {
    let mut pass = Pass {
        tokens,
        text,
        out: Vec::with_capacity(tokens.len()),
        index: 0,
        cases: Vec::new(),
        depth: 0,
        angles: usize::from(room == Room::Types),
    };
    while pass.index < tokens.len() {
        pass.step()?;
    }
    Ok(pass.out)
}

struct Pass<'a> {
    tokens: &'a [TokenWithSpan],
    text: &'a str,
    out: Vec<TokenWithSpan>,
    index: usize,
    /// The bracket depths at which a CASE is open.
    cases: Vec<usize>,
    depth: usize,
    /// How many `<` of types are open; 1 more in a room of types.
    angles: usize,
}

impl Pass<'_> {
    fn peek(&self, ahead: usize) -> Option<&TokenWithSpan> {
        self.tokens.get(self.index + ahead)
    }

    fn step(&mut self) -> Result<()> {
        let token = &self.tokens[self.index];
        match &token.token {
            Token::Word(word) if word.quote_style.is_none() => return self.word(word, token),
            Token::Number(..) if self.duration()? => return Ok(()),
            Token::Lt if is_any_word(self.out.last(), &["ARRAY", "STRUCT", "MAP"]) => {
                self.angles += 1;
            }
            Token::Gt => self.angles = self.angles.saturating_sub(1),
            Token::ShiftRight => self.angles = self.angles.saturating_sub(2),
            other if opens(other) => self.depth += 1,
            other if closes(other) => {
                self.depth = self.depth.saturating_sub(1);
                let depth = self.depth;
                self.cases.retain(|case| *case <= depth);
            }
            _ => {}
        }
        self.out.push(token.clone());
        self.index += 1;
        Ok(())
    }

    fn word(&mut self, word: &Word, token: &TokenWithSpan) -> Result<()> {
        if word.keyword == Keyword::INTERVAL && self.interval()? {
            return Ok(());
        }
        if self.type_name(word, token) {
            return Ok(());
        }
        let stays = self.is_keyword(word);
        let span = bytes(token);
        let behind_dot = is(self.out.last(), &Token::Period);
        if word.keyword == Keyword::DIV && stays {
            self.out.push(made(Token::DuckIntDiv, span));
        } else if stays && !behind_dot {
            self.out.push(token.clone());
        } else {
            let plain = Word {
                keyword: Keyword::NoKeyword,
                ..word.clone()
            };
            self.out.push(made(Token::Word(plain), span));
        }
        self.index += 1;
        Ok(())
    }

    /// Whether a word keeps its keyword here; keeps the book of open CASEs.
    fn is_keyword(&mut self, word: &Word) -> bool {
        let previous = self.out.last();
        let next = self.peek(1);
        let in_type = self.angles > 0
            || is(previous, &Token::DoubleColon)
            || is_word(previous, "AS")
            || is_any_word(next, &["WITH", "WITHOUT"]) && is_word(self.peek(2), "TIME");
        match word.keyword {
            Keyword::CASE => {
                self.cases.push(self.depth);
                true
            }
            Keyword::END => {
                let closes = self.cases.last() == Some(&self.depth) && ends_operand(previous);
                if closes {
                    self.cases.pop();
                }
                closes
            }
            Keyword::DATE | Keyword::TIMESTAMP => in_type || is_text(next),
            Keyword::TIME => {
                let in_zone = is_word(next, "ZONE")
                    && is_any_word(previous, &["AT", "WITH", "WITHOUT", "LOCAL"]);
                in_type || in_zone || is_text(next)
            }
            Keyword::AT => is_word(next, "TIME") && is_word(self.peek(2), "ZONE"),
            Keyword::VALUES => is(next, &Token::LParen),
            Keyword::OFFSET => is_number(next) && ends_operand(previous),
            Keyword::PARTITION => is_word(next, "BY"),
            Keyword::EXCLUDE => is(previous, &Token::Mul),
            Keyword::STRUCT => matches!(next.map(|t| &t.token), Some(Token::LParen | Token::Lt)),
            Keyword::INTERVAL => in_type,
            Keyword::DIV => {
                let begins = matches!(
                    next.map(|t| &t.token),
                    Some(
                        Token::Number(..)
                            | Token::LParen
                            | Token::Minus
                            | Token::Word(_)
                            | Token::SingleQuotedString(_)
                    )
                );
                let clause = next.is_some_and(|next| {
                    super::tokens::word(next).is_some_and(|w| {
                        matches!(
                            w.keyword,
                            Keyword::FROM
                                | Keyword::AS
                                | Keyword::WHERE
                                | Keyword::AND
                                | Keyword::OR
                        )
                    })
                });
                ends_operand(previous) && begins && !clause
            }
            keyword if FUNCTIONS.contains(&keyword) => is(next, &Token::LParen),
            keyword => !NEVER_KEYWORDS.contains(&keyword),
        }
    }

    /// Flink's types that sqlparser does not know: `TIMESTAMP_LTZ`, `WITH LOCAL TIME ZONE`, `ROW<…>`.
    fn type_name(&mut self, word: &Word, token: &TokenWithSpan) -> bool {
        let span = bytes(token);
        if word.value.eq_ignore_ascii_case("TIMESTAMP_LTZ")
            && (self.angles > 0
                || is(self.out.last(), &Token::DoubleColon)
                || is_word(self.out.last(), "AS")
                || is_text(self.peek(1)))
        {
            self.out.push(made_word("TIMESTAMP", span));
            self.index += 1;
            if is(self.peek(0), &Token::LParen) && is(self.peek(2), &Token::RParen) {
                self.out
                    .extend_from_slice(&self.tokens[self.index..self.index + 3]);
                self.index += 3;
            }
            for word in ["WITH", "TIME", "ZONE"] {
                self.out.push(made_word(word, span));
            }
            return true;
        }
        if word.value.eq_ignore_ascii_case("LOCAL")
            && is_word(self.out.last(), "WITH")
            && is_word(self.peek(1), "TIME")
        {
            self.index += 1;
            return true;
        }
        if word.value.eq_ignore_ascii_case("ROW") && is(self.peek(1), &Token::Lt) {
            self.out.push(made_word("STRUCT", span));
            self.index += 1;
            return true;
        }
        false
    }

    /// `INTERVAL [sign] value [unit [(p)] [TO unit [(p)]]]`; false if the word is a column.
    fn interval(&mut self) -> Result<bool> {
        let keyword = bytes(&self.tokens[self.index]);
        let signed = matches!(
            self.peek(1).map(|t| &t.token),
            Some(Token::Minus | Token::Plus)
        );
        let negative = is(self.peek(1), &Token::Minus);
        let at = 1 + usize::from(signed);
        let (value, value_span, is_literal) = match self.peek(at) {
            Some(token) => match &token.token {
                Token::SingleQuotedString(value) => (value.clone(), bytes(token), true),
                Token::Number(value, _) => (value.clone(), bytes(token), false),
                _ => return Ok(false),
            },
            None => return Ok(false),
        };
        let unit = self.unit_at(at + 1).map(|(name, _)| name);
        // `interval - 5` is a difference, `INTERVAL - 5 SECOND` is not.
        if signed && !is_literal && unit.as_deref().is_none_or(|unit| !is_interval_unit(unit)) {
            return Ok(false);
        }
        let signed_value = match (negative, value.strip_prefix('-')) {
            (false, _) => value.clone(),
            (true, Some(positive)) => positive.to_owned(),
            (true, None) => format!("-{value}"),
        };
        let mut last = at;
        let parsed = match unit {
            Some(unit) => {
                last = self.behind_unit(at + 1);
                let to = is_word(self.peek(last + 1), "TO")
                    .then(|| self.unit_at(last + 2).map(|(name, _)| name))
                    .flatten();
                if to.is_some() {
                    last = self.behind_unit(last + 2);
                }
                parse_interval_with_unit(&signed_value, &unit, to.as_deref())
            }
            None => parse_interval(&signed_value),
        };
        let end = self.peek(last).map_or(value_span.end, |t| bytes(t).end);
        let whole = Span::new(keyword.start, end);
        let interval = parsed.map_err(|error| error.at_least(Some(whole)))?;
        self.push_interval(interval, keyword, Span::new(value_span.start, end));
        self.index += last + 1;
        Ok(true)
    }

    /// The word at a place if it can be a unit: one of them, or a plain name behind the value.
    fn unit_at(&self, ahead: usize) -> Option<(String, Span)> {
        let token = self.peek(ahead)?;
        let found = word(token).filter(|word| word.quote_style.is_none())?;
        let is_slip = || {
            // `INTERVAL '5' SECNOD` is a slip, `INTERVAL '5s' alias` is not.
            found.value.len() > 3
                && found.keyword == Keyword::NoKeyword
                && parse_interval(&format!("1 {}", found.value))
                    .is_err_and(|error| error.label_text().is_some())
        };
        (is_interval_unit(&found.value) || is_slip()).then(|| (found.value.clone(), bytes(token)))
    }

    /// The index of the last token of a unit with an optional precision.
    fn behind_unit(&self, ahead: usize) -> usize {
        if is(self.peek(ahead + 1), &Token::LParen)
            && is_number(self.peek(ahead + 2))
            && is(self.peek(ahead + 3), &Token::RParen)
        {
            ahead + 3
        } else {
            ahead
        }
    }

    /// `5s`, `1h30m`: a number and a word without a blank between; false for other numbers.
    fn duration(&mut self) -> Result<bool> {
        let token = &self.tokens[self.index];
        let span = bytes(token);
        let Some(next) = self.peek(1) else {
            return Ok(false);
        };
        if bytes(next).start != span.end || word(next).is_none_or(|word| word.quote_style.is_some())
        {
            return Ok(false);
        }
        let whole = Span::new(span.start, bytes(next).end);
        let typed = &self.text[whole.start..whole.end];
        let interval = parse_interval(typed).map_err(|error| {
            error
                .at(whole)
                .help("a name that begins with a digit is written in double quotes")
        })?;
        self.push_interval(interval, whole, whole);
        self.index += 2;
        Ok(true)
    }

    fn push_interval(&mut self, interval: Interval, keyword: Span, value: Span) {
        self.out.push(made_word("INTERVAL", keyword));
        self.out
            .push(made(Token::SingleQuotedString(canonical(interval)), value));
    }
}

/// The spelling that DataFusion and [`parse_interval`] read alike.
pub(super) fn canonical(interval: Interval) -> String {
    const SECOND: i128 = 1_000_000_000;
    const DAY: i128 = 86_400 * SECOND;
    let mut parts = Vec::new();
    let mut push = |amount: i128, fraction: i128, unit: &str| {
        if amount == 0 && fraction == 0 {
            return;
        }
        let sign = if amount < 0 || fraction < 0 { "-" } else { "" };
        let amount = amount.unsigned_abs();
        let fraction = match fraction.unsigned_abs() {
            0 => String::new(),
            fraction => format!(".{fraction:09}").trim_end_matches('0').to_owned(),
        };
        parts.push((sign, format!("{amount}{fraction} {unit}")));
    };
    push(i128::from(interval.months), 0, "months");
    push(i128::from(interval.weeks), 0, "weeks");
    push(interval.nanoseconds / DAY, 0, "days");
    let rest = interval.nanoseconds % DAY;
    push(rest / SECOND, rest % SECOND, "seconds");
    if parts.is_empty() {
        return "0 seconds".to_owned();
    }
    let any_negative = parts.iter().any(|(sign, _)| *sign == "-");
    let parts: Vec<String> = parts
        .into_iter()
        // A sign holds until the next one.
        .map(|(sign, part)| match sign {
            "" if any_negative => format!("+{part}"),
            _ => format!("{sign}{part}"),
        })
        .collect();
    parts.join(" ")
}

/// The help for a text that should be an interval and is none.
pub(super) fn not_an_interval(span: Span) -> Error {
    Error::syntax("this is no interval")
        .at(span)
        .help("write a length such as `INTERVAL '5' SECOND`, `'5s'` or `5s`")
}
