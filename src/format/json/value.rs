//! A JSON value in place: a range of a record that the scanner has checked, with what kind it is.

/// See the module. Slices are parts of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum JsonValue<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, as it is written.
    Number(&'a [u8]),
    /// A string: what is between its quotes, and whether there is a backslash in it.
    Text { inside: &'a [u8], escaped: bool },
    /// An array or object, as it is written.
    Nested(&'a [u8]),
}

impl<'a> JsonValue<'a> {
    /// The value as text: a string without quotes and escapes, anything else as it is written.
    #[inline]
    pub(in crate::format) fn text<'s>(&self, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        match *self {
            JsonValue::Null => b"null",
            JsonValue::Boolean(true) => b"true",
            JsonValue::Boolean(false) => b"false",
            JsonValue::Number(text) | JsonValue::Nested(text) => text,
            JsonValue::Text {
                inside,
                escaped: false,
            } => inside,
            JsonValue::Text {
                inside,
                escaped: true,
            } => {
                scratch.clear();
                unescape(inside, scratch);
                scratch
            }
        }
    }

    /// The value as messages show it.
    pub(in crate::format) fn shown(&self) -> String {
        let text = |bytes| crate::format::columns::rows::shortened(&String::from_utf8_lossy(bytes));
        match self {
            JsonValue::Text { inside, .. } => format!("\"{}\"", text(inside)),
            other => text(other.text(&mut Vec::new())),
        }
    }
}

/// Appends the text that the inside of a checked JSON string stands for. Half of a surrogate pair becomes
/// U+FFFD.
pub(in crate::format) fn unescape(inside: &[u8], out: &mut Vec<u8>) {
    let mut rest = inside;
    while let Some(place) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..place]);
        rest = &rest[place + 1..];
        let Some((&kind, after)) = rest.split_first() else {
            return;
        };
        rest = after;
        match kind {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => rest = unescape_unicode(rest, out),
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
}

/// Appends the character of `XXXX` or `XXXX\uXXXX`, and returns what is behind it.
fn unescape_unicode<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some(first) = four_hex_digits(rest) else {
        return rest;
    };
    let mut code = first;
    let mut rest = &rest[4..];
    if (0xD800..0xDC00).contains(&first)
        && let Some(after) = rest.strip_prefix(b"\\u")
        && let Some(second @ 0xDC00..0xE000) = four_hex_digits(after)
    {
        code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        rest = &after[4..];
    }
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

/// The number at the beginning of `text`.
pub(in crate::format) fn four_hex_digits(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.iter().try_fold(0, |code, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(code * 16 + digit)
    })
}
