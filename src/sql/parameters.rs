//! `:name` in a query becomes the value of `-p name=value`: a number, TRUE, FALSE, NULL, or else text.
//!
//! The value is one token, never SQL: `-p 'user=x OR 1=1'` compares with that very text.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::messages::nearest;
use super::tokens::{bytes, made, made_word, word};
use crate::error::{Error, Result, Span};

/// Replaces every `:name`.
///
/// # Errors
/// An unknown name, with the known ones.
pub(super) fn substitute(
    tokens: Vec<TokenWithSpan>,
    parameters: &[(String, String)],
) -> Result<Vec<TokenWithSpan>> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        let name = tokens
            .get(index)
            .filter(|next| bytes(next).start == bytes(token).end)
            .and_then(word);
        let (Token::Colon, Some(name)) = (&token.token, name) else {
            out.push(token.clone());
            continue;
        };
        let span = Span::new(bytes(token).start, bytes(&tokens[index]).end);
        index += 1;
        let value = parameters
            .iter()
            .rev()
            .find(|(known, _)| *known == name.value)
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| unknown(&name.value, parameters, span))?;
        push_value(&mut out, value, span);
    }
    Ok(out)
}

fn push_value(out: &mut Vec<TokenWithSpan>, value: &str, span: Span) {
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    if is_number(digits) {
        if sign {
            // In brackets, so that `a - :b` is no comment and `:b` binds as one value.
            out.push(made(Token::LParen, span));
            out.push(made(Token::Minus, span));
        }
        out.push(made(Token::Number(digits.to_owned(), false), span));
        if sign {
            out.push(made(Token::RParen, span));
        }
    } else if ["true", "false", "null"].contains(&value.to_ascii_lowercase().as_str()) {
        out.push(made_word(&value.to_ascii_uppercase(), span));
    } else {
        out.push(made(Token::SingleQuotedString(value.to_owned()), span));
    }
}

/// Digits with at most one point and an exponent: what SQL reads as one number.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    !whole.is_empty() && digits(whole) && digits(fraction) && exponent_fits
}

fn unknown(name: &str, parameters: &[(String, String)], span: Span) -> Error {
    let error = Error::syntax(format!("parameter `:{name}` has no value")).at(span);
    if parameters.is_empty() {
        return error.help(format!("give it one: `-p {name}=VALUE`"));
    }
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let error = match nearest(name, names.iter().copied()) {
        Some(near) => error.label(format!("did you mean `:{near}`?")),
        None => error,
    };
    error
        .note(format!("parameters: {}", names.join(", ")))
        .help(format!("give it one: `-p {name}=VALUE`"))
}
