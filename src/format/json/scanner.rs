//! The scanner of JSON: finds where values end and checks every byte of them, read or not.
//!
//! ```text
//! {"ts":"12:00","user":{"name":"ann"},"tags":[1,2]}
//!  ^key ^Text    ^key  ^Nested        ^key   ^Nested      ranges of the record, nothing is copied
//! ```
//!
//! Invariants: takes exactly the grammar of RFC 8259; brackets nest at most 128 deep; objects have at most
//! 100,000 keys. Half of a surrogate pair is no error. The bytes must be UTF-8.

use super::value::{JsonValue, four_hex_digits};

const MOST_DEPTH: usize = 128;
const MOST_KEYS: usize = 100_000;

/// What is wrong with a record, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) struct JsonError {
    pub(in crate::format) reason: &'static str,
    pub(in crate::format) help: Option<&'static str>,
}

fn wrong<T>(reason: &'static str) -> Result<T, JsonError> {
    Err(JsonError { reason, help: None })
}

/// Scans one record.
pub(in crate::format) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner at the beginning of `text`.
    pub(in crate::format) fn new(text: &'a [u8]) -> Self {
        Scanner {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// A scanner at the beginning of `text`, which stands inside of `depth` brackets.
    pub(in crate::format) fn inside(text: &'a [u8], depth: usize) -> Self {
        Scanner { text, at: 0, depth }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes to the next byte that is no blank.
    #[inline]
    pub(in crate::format) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Fails unless nothing but blanks is left.
    pub(in crate::format) fn finish(&mut self) -> Result<(), JsonError> {
        self.skip_blanks();
        if self.at == self.text.len() {
            Ok(())
        } else {
            wrong("text follows the JSON value")
        }
    }

    /// How many bytes were scanned.
    pub(in crate::format) fn place(&self) -> usize {
        self.at
    }

    /// How many brackets are open.
    pub(in crate::format) fn depth(&self) -> usize {
        self.depth
    }

    /// What was scanned since `place`.
    pub(in crate::format) fn since(&self, place: usize) -> &'a [u8] {
        &self.text[place..self.at]
    }

    /// The first byte of the record that is no blank.
    pub(in crate::format) fn first(&self) -> Option<u8> {
        self.text.trim_ascii_start().first().copied()
    }

    /// True if the next value is an object.
    pub(in crate::format) fn at_object(&mut self) -> bool {
        self.skip_blanks();
        self.peek() == Some(b'{')
    }

    /// The next value.
    #[inline]
    pub(in crate::format) fn value(&mut self) -> Result<JsonValue<'a>, JsonError> {
        self.skip_blanks();
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let (inside, escaped) = self.string()?;
                Ok(JsonValue::Text { inside, escaped })
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok(JsonValue::Number(&self.text[start..self.at]))
            }
            Some(b'{') => {
                self.object(|scanner, _| scanner.value().map(|_| ()))?;
                Ok(JsonValue::Nested(&self.text[start..self.at]))
            }
            Some(b'[') => {
                self.array(|scanner| scanner.value().map(|_| ()))?;
                Ok(JsonValue::Nested(&self.text[start..self.at]))
            }
            Some(b't') => self.word(b"true", JsonValue::Boolean(true)),
            Some(b'f') => self.word(b"false", JsonValue::Boolean(false)),
            Some(b'n') => self.word(b"null", JsonValue::Null),
            Some(b'N' | b'I' | b'i') => wrong("NaN and Infinity are no JSON"),
            Some(_) => wrong("a JSON value was expected"),
            None => self.ends_early(),
        }
    }

    /// The object that comes next; `member` gets each key and must read the value behind it.
    #[inline]
    pub(in crate::format) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, JsonKey<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.enter()?;
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            return self.leave();
        }
        let mut keys = 0;
        loop {
            keys += 1;
            if keys > MOST_KEYS {
                return wrong("an object has more than 100,000 keys");
            }
            match self.peek() {
                Some(b'"') => {}
                None => return self.ends_early(),
                Some(_) => return wrong("a key in quotes was expected"),
            }
            let (inside, escaped) = self.string()?;
            self.skip_blanks();
            match self.peek() {
                Some(b':') => self.at += 1,
                None => return self.ends_early(),
                Some(_) => return wrong("a `:` was expected behind a key"),
            }
            member(self, JsonKey { inside, escaped })?;
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.leave(),
                None => return self.ends_early(),
                Some(_) => return wrong("a `,` or `}` was expected"),
            }
            self.skip_blanks();
        }
    }

    /// True if the next value is an array.
    pub(in crate::format) fn at_array(&mut self) -> bool {
        self.skip_blanks();
        self.peek() == Some(b'[')
    }

    /// The array that comes next; `element` must read each value.
    #[inline]
    pub(in crate::format) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.enter()?;
        self.skip_blanks();
        if self.peek() == Some(b']') {
            return self.leave();
        }
        loop {
            element(self)?;
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.leave(),
                None => return self.ends_early(),
                Some(_) => return wrong("a `,` or `]` was expected"),
            }
        }
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            wrong("brackets nest more than 128 deep")
        } else {
            Ok(())
        }
    }

    fn leave(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn word(&mut self, word: &[u8], value: JsonValue<'a>) -> Result<JsonValue<'a>, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return wrong("a JSON value was expected");
        }
        self.at += word.len();
        Ok(value)
    }

    /// The string whose opening quote comes next: what is inside, and whether there is a backslash in it.
    #[inline]
    fn string(&mut self) -> Result<(&'a [u8], bool), JsonError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(&self.text[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((&self.text[start..self.at - 1], escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return wrong("a control character in a string must be escaped"),
                None => return self.ends_early(),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') if four_hex_digits(&self.text[self.at + 2..]).is_some() => self.at += 6,
            Some(_) => return wrong("a string has an escape that JSON does not know"),
            None => return self.ends_early(),
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.at;
        if self.digits() == 0 || (self.text[whole] == b'0' && self.at > whole + 1) {
            return wrong("a number is not written as JSON writes it");
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return wrong("a number has no digit behind its point");
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return wrong("a number has no digit in its exponent");
            }
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    #[cold]
    fn ends_early<T>(&self) -> Result<T, JsonError> {
        Err(JsonError {
            reason: "the JSON value does not end on its line",
            help: Some("a record is one line of JSON: `jq -c .` makes it so"),
        })
    }
}

/// A key as it is written, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(in crate::format) struct JsonKey<'a> {
    pub(in crate::format) inside: &'a [u8],
    pub(in crate::format) escaped: bool,
}

impl<'a> JsonKey<'a> {
    /// The same as a value.
    pub(in crate::format) fn as_text(&self) -> JsonValue<'a> {
        JsonValue::Text {
            inside: self.inside,
            escaped: self.escaped,
        }
    }
}

/// Bytes before the next quote, backslash or control character: eight at a time.
#[inline]
fn plain_prefix(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGH: u64 = ONES << 7;
    // The high bit of each zero byte of `word`; bytes above a zero byte may be marked too.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let marks = zeros(word ^ (ONES * u64::from(b'"')))
            | zeros(word ^ (ONES * u64::from(b'\\')))
            | controls;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    at + text[at..]
        .iter()
        .position(special)
        .unwrap_or(text.len() - at)
}

#[cfg(test)]
pub(in crate::format) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(text: &[u8]) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().and_then(|_| scanner.finish()).is_ok()
    }

    /// serde_json reads text, and has another opinion on half surrogates and on what overflows a double.
    pub(in crate::format) fn oracle(text: &str) -> Option<bool> {
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(_) => Some(true),
            Err(error) => {
                let message = error.to_string();
                let differs = ["surrogate", "hex escape", "out of range", "recursion"];
                (!differs.iter().any(|word| message.contains(word))).then_some(false)
            }
        }
    }

    #[test]
    fn grammar() {
        for (text, expected) in [
            ("{}", true),
            ("[]", true),
            ("[1,2]", true),
            ("{\"a\":[{}]}", true),
            (" 1 ", true),
            ("-0", true),
            ("0.5e+3", true),
            ("\"\\u00e9\\ud800\"", true),
            ("\"\\/\"", true),
            ("null", true),
            ("", false),
            ("{", false),
            ("[1,]", false),
            ("{\"a\":1,}", false),
            ("{a:1}", false),
            ("01", false),
            ("-", false),
            ("1.", false),
            (".5", false),
            ("+1", false),
            ("1e", false),
            ("\"\\x\"", false),
            ("\"\\u12\"", false),
            ("\"a\tb\"", false),
            ("'a'", false),
            ("NaN", false),
            ("nul", false),
            ("truex", false),
            ("1 2", false),
            ("[1 2]", false),
            ("{\"a\" 1}", false),
            ("\"abc", false),
            ("[}", false),
            ("{\"a\":}", false),
            ("\u{feff}1", false),
            ("\x0c1", false),
            ("\"\0\"", false),
        ] {
            assert_eq!(accepts(text.as_bytes()), expected, "{text:?}");
        }
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(accepts(nested(128).as_bytes()));
        assert!(!accepts(nested(129).as_bytes()));
        assert!(!accepts("[".repeat(1_000_000).as_bytes()));
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{}\",:0-9eE.+\\- \\\\utrfalsn]{0,24}") {
            if let Some(expected) = oracle(&text) {
                prop_assert_eq!(accepts(text.as_bytes()), expected, "{:?}", text);
            }
        }

        #[test]
        fn finds_special_bytes(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let slow = text.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(text.len());
            prop_assert_eq!(plain_prefix(&text), slow);
        }

        #[test]
        fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            accepts(&text);
        }
    }
}
