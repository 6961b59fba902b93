//! Which JSON the first bytes of an input are, and the objects in them.
//!
//! ```text
//!  [ {…                 json: elements            {"n":1}⏎             ndjson
//!  {⏎ "n": 1⏎}          json: values              web-1  | {"n":1}⏎    prefixed-json
//!  {"Records":[{…       json: elements            {"log":…,"stream":…  docker-json
//! ```
//!
//! Invariant: of a pipe, what is found depends on its first two lines, or on its first value with the byte
//! behind it: never on how many bytes are at hand.

use super::scanner::Scanner;
use super::values::{Next, next_record};
use super::wrapped::{docker_text, unwrap, wrapped_records};
use super::wrapping::{JsonWrapping, PREFIX_COLUMN, PREFIX_TIME_COLUMN, bytes_text, line_kind};
use super::{JsonKind, json_object_fields};

/// What the first bytes of an input are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonSample {
    /// No JSON.
    Not,
    /// More bytes are needed to tell.
    More,
    /// JSON: one object on each line, or wrapped; a pipe's sample has this many bytes.
    Found(Option<JsonWrapping>, usize),
}

/// Lines of a file that are looked at.
const MOST_LINES: usize = 100;
/// Lines of a pipe: what is no JSON by then is given to others.
const MOST_LIVE_LINES: usize = 2;

/// Looks at the first bytes of an input; `is_whole` if there are no more, `is_live` for those of a pipe.
pub fn json_sample(bytes: &[u8], is_whole: bool, is_live: bool) -> JsonSample {
    let start = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(_) => 3,
        None => 0,
    };
    let text = bytes[start..].trim_ascii_start();
    match text.first() {
        None if !is_whole => JsonSample::More,
        None => JsonSample::Not,
        Some(b'[') => array(bytes, text, start, is_whole, is_live),
        Some(b'{') => object(bytes, text, start, is_whole, is_live),
        Some(_) => by_lines(bytes, start, is_whole, is_live),
    }
}

fn array(bytes: &[u8], text: &[u8], start: usize, is_whole: bool, is_live: bool) -> JsonSample {
    let inside = text[1..].trim_ascii_start();
    match inside.first() {
        Some(b'{') if begins_object(inside) => first_value(bytes, start, is_whole, is_live),
        Some(b']') => JsonSample::Found(Some(JsonWrapping::Values), bytes.len()),
        None if !is_whole => JsonSample::More,
        _ => by_lines(bytes, start, is_whole, is_live),
    }
}

/// `{"`, `{}`: what follows is meant to be an object, though it may be broken. Other text in braces is none.
fn begins_object(text: &[u8]) -> bool {
    let inside = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    matches!(inside.map(<[u8]>::first), Some(None | Some(b'"' | b'}')))
}

/// True if `text` begins with an array, as far as its bytes go, and its line with nothing else.
pub fn begins_array(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    if !text.starts_with(b"[") {
        return false;
    }
    let mut scanner = Scanner::new(text);
    let is_right = scanner.value().is_ok();
    let behind = &text[scanner.place().min(text.len())..];
    match is_right {
        true => {
            let mut rest = behind.iter();
            let next = rest.find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b','));
            matches!(next, None | Some(b'\n' | b'['))
        }
        false => behind.is_empty(),
    }
}

/// True if `bytes` begin with an object that goes on behind them, as far as they show.
pub fn begins_long_object(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    matches!(next_record(bytes, 0, false), Next::More(Some(_)))
}

/// True if a line is an object, or ends in one.
pub fn holds_object(line: &[u8]) -> bool {
    line_kind(line.trim_ascii_end()).is_some()
}

/// The sample up to the end of the first value.
fn first_value(bytes: &[u8], start: usize, is_whole: bool, is_live: bool) -> JsonSample {
    let found = |end| JsonSample::Found(Some(JsonWrapping::Values), end);
    if !is_live {
        return found(bytes.len());
    }
    let mut at = start;
    loop {
        match next_record(bytes, at, is_whole) {
            Next::Record { start, end, .. } => {
                if json_object_fields(&bytes[start..end]).is_some() {
                    return found(end);
                }
                at = end;
            }
            Next::Nothing => return found(bytes.len()),
            Next::More(_) => return JsonSample::More,
        }
    }
}

fn object(bytes: &[u8], text: &[u8], start: usize, is_whole: bool, is_live: bool) -> JsonSample {
    let line_end = memchr::memchr(b'\n', text);
    let line = &text[..line_end.unwrap_or(text.len())];
    match next_record(text, 0, is_whole) {
        // The members of `Records` are the records.
        Next::Record { start: at, .. } | Next::More(Some(at)) if at > 0 => {
            return first_value(bytes, start, is_whole, is_live);
        }
        Next::Record { end, scanned, .. } if end == scanned => {
            let behind = text[end..]
                .iter()
                .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
            let in_line = end <= line.len();
            match behind {
                None if !is_whole && in_line => return JsonSample::More,
                Some(b'{' | b',') if in_line => {
                    let end = bytes.len() - text.len() + end;
                    // One byte more shows that the line goes on.
                    let shown = memchr::memchr2(b'{', b',', &bytes[end..]).unwrap_or(0);
                    return match is_live {
                        true => JsonSample::Found(Some(JsonWrapping::Values), end + shown + 1),
                        false => JsonSample::Found(Some(JsonWrapping::Values), bytes.len()),
                    };
                }
                None | Some(b'\n' | b'{' | b',' | b']') if !in_line => {
                    return first_value(bytes, start, is_whole, is_live);
                }
                _ => {}
            }
        }
        Next::More(_) if is_live && line_end.is_none() => return JsonSample::More,
        Next::More(_) => {
            // A long value, of which the first line is no value.
            let mut scanner = Scanner::new(line);
            let is_begun =
                scanner.value().is_err() && scanner.place() >= line.trim_ascii_end().len();
            if is_begun && line_end.is_some() {
                return match is_live {
                    true => JsonSample::More,
                    false => JsonSample::Found(Some(JsonWrapping::Values), bytes.len()),
                };
            }
        }
        _ => {}
    }
    if is_live && begins_object(text) {
        first_object(bytes, start, is_whole)
    } else {
        by_lines(bytes, start, is_whole, is_live)
    }
}

/// The sample of a pipe of lines up to the first object.
fn first_object(bytes: &[u8], start: usize, is_whole: bool) -> JsonSample {
    let mut at = start;
    for line in bytes[start..].split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if !line.ends_with(b"\n") && !is_whole {
            return JsonSample::More;
        }
        if json_object_fields(line).is_some() {
            let wrapping = line_kind(line).flatten();
            return JsonSample::Found(wrapping, at);
        }
    }
    match is_whole {
        true => JsonSample::Found(None, bytes.len()),
        false => JsonSample::More,
    }
}

/// What most of the lines are, if most of them hold objects.
fn by_lines(bytes: &[u8], start: usize, is_whole: bool, is_live: bool) -> JsonSample {
    let most = if is_live { MOST_LIVE_LINES } else { MOST_LINES };
    let mut found: Vec<(Option<JsonWrapping>, usize)> = Vec::new();
    let (mut lines, mut at) = (0, start);
    let (mut begun, mut first) = (None, None);
    for line in bytes[start..].split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if !line.ends_with(b"\n") && !is_whole {
            break;
        }
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        if let Some(Some(wrapping)) = line_kind(line)
            && wrapping.part_of(line).is_some()
        {
            begun = Some(wrapping);
            continue;
        }
        lines += 1;
        let first = *first.get_or_insert(line);
        if is_header_of(first, line) {
            return JsonSample::Not;
        }
        if let Some(kind) = line_kind(line).or(begun.take().map(Some)) {
            if is_live {
                return JsonSample::Found(kind, at);
            }
            match found.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => found.push((kind, 1)),
            }
        }
        if lines == most {
            break;
        }
    }
    if is_live {
        return match lines < most && !is_whole {
            true => JsonSample::More,
            false => JsonSample::Not,
        };
    }
    let holding: usize = found.iter().map(|(_, count)| count).sum();
    // Of equal counts, the first one seen.
    let best = found.iter().rev().max_by_key(|(_, count)| *count);
    match best {
        Some((kind, _)) if holding * 2 >= lines => JsonSample::Found(*kind, bytes.len()),
        _ if begins_object(bytes[start..].trim_ascii_start()) => {
            JsonSample::Found(None, bytes.len())
        }
        _ => JsonSample::Not,
    }
}

/// True if a first line names the fields of a later one, whose last is an object: a table with JSON in it.
fn is_header_of(first: &[u8], line: &[u8]) -> bool {
    let tabs = |line: &[u8]| memchr::memchr_iter(b'\t', line).count();
    let fields = tabs(first);
    fields > 0 && fields == tabs(line) && line.ends_with(b"}") && !first.contains(&b'{')
}

/// The members of the objects in a sample, with what stands around them.
pub fn wrapped_objects(wrapping: JsonWrapping, sample: &[u8]) -> Vec<Vec<(String, JsonKind)>> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let (records, _) = wrapped_records(wrapping, sample);
    let objects = records.iter().filter_map(|record| {
        let text = &sample[record.range.clone()];
        let parts: Vec<&[u8]> = record
            .parts
            .iter()
            .map(|part| &sample[part.clone()])
            .collect();
        let unwrapped = unwrap(wrapping, text, &parts).ok()?;
        let mut fields = json_object_fields(unwrapped.object(text))?;
        if wrapping == JsonWrapping::Journal {
            for (_, kind) in &mut fields {
                if let JsonKind::Nested(array) = kind
                    && let Some(text) = bytes_text(array.as_bytes())
                {
                    *kind = JsonKind::Text(text);
                }
            }
        }
        if wrapping == JsonWrapping::Docker {
            let line = docker_text(text, &parts);
            if let Some(inner) = json_object_fields(&line) {
                let hidden = |name: &String| inner.iter().any(|(key, _)| key == name);
                fields.retain(|(name, _)| name != "log" && !hidden(name));
                fields = inner.into_iter().chain(fields).collect();
            }
        }
        let around = [
            (PREFIX_COLUMN, unwrapped.prefix),
            (PREFIX_TIME_COLUMN, unwrapped.time),
        ];
        for (name, text) in around.into_iter().rev() {
            if let Some(text) = text {
                let text = String::from_utf8_lossy(&text).into_owned();
                fields.retain(|(key, _)| key != name);
                fields.insert(0, (name.to_owned(), JsonKind::Text(text)));
            }
        }
        Some(fields)
    });
    objects.collect()
}

/// The ranges of a block's records.
pub fn wrapped_texts(wrapping: JsonWrapping, block: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (records, _) = wrapped_records(wrapping, block);
    records.into_iter().map(|record| record.range).collect()
}
