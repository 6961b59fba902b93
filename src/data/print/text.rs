//! Text as each output needs it: quoted for csv, escaped for tsv and JSON, harmless on a terminal.
//!
//! ```text
//! csv  a,b -> "a,b"      tsv  a<tab>b -> a\tb      json  a"b -> "a\"b"      table  <esc>[2J -> \u{1b}[2J
//! ```

/// Appends `text` as a csv field: quoted if it holds `,`, `"` or a line end, is empty (an empty field is
/// NULL), or equals the text that stands for NULL.
pub fn write_csv(text: &str, null: &[u8], out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !bytes.is_empty() && bytes != null && !bytes.iter().any(special) {
        return out.extend_from_slice(bytes);
    }
    out.push(b'"');
    let mut rest = bytes;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(b'"');
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends `text` as a tsv field: tab, newline and backslash are escaped.
pub fn write_tsv(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(place) = memchr::memchr3(b'\t', b'\n', b'\\', rest) {
        out.extend_from_slice(&rest[..place]);
        out.extend_from_slice(match rest[place] {
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            _ => b"\\\\",
        });
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
}

/// Appends `text` as a JSON string with its quotes.
pub fn write_json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (place, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..place]);
        copied = place + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                out.extend_from_slice(b"\\u00");
                write_hex(&[control], out);
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// Appends `text` for a terminal: what would move the cursor, change colors or turn the reading direction
/// is shown as an escape instead.
pub fn write_visible(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return out.extend_from_slice(bytes);
    }
    for character in text.chars() {
        match character {
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            hidden if is_hidden(hidden) => {
                out.extend(hidden.escape_unicode().map(|part| part as u8));
            }
            shown => out.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends `lines` for a terminal, as [`write_visible`] each of them: tabs and line ends stay.
pub fn write_visible_lines(lines: &str, out: &mut Vec<u8>) {
    for piece in lines.split_inclusive(['\n', '\t']) {
        let end = piece.len() - usize::from(piece.ends_with(['\n', '\t']));
        write_visible(&piece[..end], out);
        out.extend_from_slice(&piece.as_bytes()[end..]);
    }
}

/// [`write_visible`] as a `String`.
pub fn visible(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    write_visible(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Control characters, marks and overrides of the reading direction, line and paragraph separators.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends two digits for each byte.
pub fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&str, &mut Vec<u8>), cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            let mut out = Vec::new();
            write(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), *expected);
        }
    }

    #[test]
    fn every_output_escapes_what_it_must() {
        check(
            |text, out| write_csv(text, b"NA", out),
            &[
                ("a b", "a b"),
                ("", "\"\""),
                ("a,b", "\"a,b\""),
                ("say \"hi\"", "\"say \"\"hi\"\"\""),
                ("two\nlines", "\"two\nlines\""),
                ("cr\r", "\"cr\r\""),
                ("NA", "\"NA\""),
                (" x ", " x "),
            ],
        );
        check(
            write_tsv,
            &[("a\tb\\c\nd", "a\\tb\\\\c\\nd"), ("", ""), ("é", "é")],
        );
        check(
            write_json,
            &[
                ("plain", "\"plain\""),
                ("a\"b\\c", "\"a\\\"b\\\\c\""),
                (
                    "\n\r\t\u{8}\u{c}\u{1b}\0é",
                    "\"\\n\\r\\t\\b\\f\\u001b\\u0000é\"",
                ),
            ],
        );
        check(
            write_visible,
            &[
                ("plain é 漢", "plain é 漢"),
                ("\u{1b}[2J", "\\u{1b}[2J"),
                ("a\nb\tc", "a\\nb\\tc"),
                ("\u{202e}txt", "\\u{202e}txt"),
                ("\u{7f}\u{9b}", "\\u{7f}\\u{9b}"),
            ],
        );
    }
}
