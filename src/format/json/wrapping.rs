//! How the objects of JSON stand in their input, besides one on each line.
//!
//! ```text
//!  Values    [{"n":1},⏎ {"n":2}] · {"n":1}{"n":2} · {"Records":[{"n":1}]} · pretty-printed over many lines
//!  Prefix    [pod/web-1/app] 2026-01-01T00:00:00Z {"n":1}     _prefix "[pod/web-1/app]", _prefix_time
//!  Cri       2026-01-01T00:00:00Z stdout P {"n":              _prefix "stdout", _prefix_time
//!            2026-01-01T00:00:00Z stdout F 1}                 the parts of a line, joined
//!  Docker    {"log":"{\"n\":1}\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}     log, stream, time, n
//!  Journal   {"__CURSOR":…,"MESSAGE":[104,105]}               an array of bytes is the text "hi"
//! ```
//!
//! Invariant: what a line is taken for depends on that line alone.

use std::ops::Range;

use memchr::{memchr_iter, memchr3, memmem};

use super::scanner::Scanner;
use super::{JsonKind, json_object_fields};
use crate::time::{read_iso, read_log_time};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonWrapping {
    /// Objects one behind the other, elements of arrays, or of an array under `Records`.
    Values,
    /// An object at the end of each line, behind text.
    Prefix,
    /// Lines of a container runtime, some of them in parts.
    Cri,
    /// One object on each line, as journald exports it: texts that are not plain are arrays of bytes.
    Journal,
    /// Docker's json-file: the line is the text of `log`, and may be an object.
    Docker,
}

/// What stands in front of the object of a line, without the time in it.
pub const PREFIX_COLUMN: &str = "_prefix";
/// The time in front of the object of a line.
pub const PREFIX_TIME_COLUMN: &str = "_prefix_time";

/// A line that holds an object behind a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::format) struct PrefixedLine {
    /// The prefix in front of the time and behind it.
    pub(in crate::format) around: [Range<usize>; 2],
    /// The time of the prefix.
    pub(in crate::format) time: Option<Range<usize>>,
    /// Where the object begins.
    pub(in crate::format) object: usize,
}

/// A line of a container runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::format) struct CriLine {
    pub(in crate::format) time: Range<usize>,
    /// `stdout` or `stderr`.
    pub(in crate::format) stream: Range<usize>,
    /// True if the line goes on with the next one of its stream.
    pub(in crate::format) is_partial: bool,
    /// Where the text begins.
    pub(in crate::format) text: usize,
}

const LONGEST_PREFIX: usize = 1_024;
/// A date, a time of day and an offset.
const MOST_TIME_WORDS: usize = 3;
/// Braces of a prefix that may begin the object.
const MOST_BRACES: usize = 8;

impl PrefixedLine {
    /// Takes a line apart; `None` if it does not end in an object.
    pub(in crate::format) fn of(line: &[u8]) -> Option<PrefixedLine> {
        if !line.trim_ascii_end().ends_with(b"}") {
            return None;
        }
        let head = &line[..line.len().min(LONGEST_PREFIX)];
        let begins = |at: &usize| *at == 0 || matches!(line[*at - 1], b' ' | b'\t' | b'|' | b':');
        let mut braces = memchr_iter(b'{', head).filter(begins).take(MOST_BRACES);
        let is_object = |at: &usize| {
            let mut scanner = Scanner::new(&line[*at..]);
            scanner.value().and_then(|_| scanner.finish()).is_ok()
        };
        let object = braces.find(is_object)?;
        let prefix = &line[..object];
        let time = time_in(prefix);
        let around = match &time {
            Some([whole, _]) => [
                trimmed(line, 0..whole.start),
                trimmed(line, whole.end..object),
            ],
            None => [trimmed(line, 0..object), object..object],
        };
        let time = time.map(|[_, bare]| bare);
        Some(PrefixedLine {
            around,
            time,
            object,
        })
    }

    /// Appends the prefix without its time.
    pub(in crate::format) fn write_prefix(&self, line: &[u8], out: &mut Vec<u8>) {
        let [before, after] = self.around.clone().map(|range| &line[range]);
        out.extend_from_slice(before);
        if !before.is_empty() && !after.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(after);
    }
}

/// Blanks and the bar that parts a prefix from its line are not of the prefix.
fn trimmed(line: &[u8], range: Range<usize>) -> Range<usize> {
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'|';
    let text = &line[range.clone()];
    let Some(first) = text.iter().position(|byte| !is_edge(byte)) else {
        return range.start..range.start;
    };
    let last = text
        .iter()
        .rposition(|byte| !is_edge(byte))
        .unwrap_or(first);
    range.start + first..range.start + last + 1
}

/// The first words of a prefix that are a date and a time of day, with an offset if one follows: with the brackets
/// around them, and without.
fn time_in(prefix: &[u8]) -> Option<[Range<usize>; 2]> {
    let is_gap = |byte: &u8| matches!(byte, b' ' | b'\t' | b'|');
    let mut starts = 0;
    for word in prefix.split(is_gap) {
        let start = starts;
        starts += word.len() + 1;
        // What begins with no digit within brackets or without is no time.
        let first = word.strip_prefix(b"[").unwrap_or(word).first();
        if !first.is_some_and(u8::is_ascii_digit) {
            continue;
        }
        let mut ends = [None; MOST_TIME_WORDS];
        let mut end = start;
        for place in &mut ends {
            let rest = &prefix[end..];
            let length = memchr3(b' ', b'\t', b'|', rest).unwrap_or(rest.len());
            if length == 0 {
                break;
            }
            end += length;
            *place = Some(end);
            if prefix.get(end) != Some(&b' ') {
                break;
            }
            end += 1;
        }
        for end in ends.into_iter().rev().flatten() {
            if let Some(bare) = time_between(prefix, start, end) {
                return Some([start..end, bare]);
            }
        }
    }
    None
}

/// The time that stands there, without the brackets around it.
fn time_between(prefix: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let inside = prefix[start..end]
        .strip_prefix(b"[")
        .and_then(|text| text.strip_suffix(b"]"));
    let bare = match inside {
        Some(_) => start + 1..end - 1,
        None => start..end,
    };
    let text = &prefix[bare.clone()];
    let time = read_iso(text).or_else(|| read_log_time(text))?;
    (!time.date_only && !time.year_unsaid).then_some(bare)
}

impl CriLine {
    /// Takes a line apart.
    pub(in crate::format) fn of(line: &[u8]) -> Option<CriLine> {
        let mut words = line.splitn(4, |byte| *byte == b' ');
        let (time, stream, tag) = (words.next()?, words.next()?, words.next()?);
        if !matches!(stream, b"stdout" | b"stderr") || read_iso(time)?.date_only {
            return None;
        }
        // More tags may follow behind a colon.
        let is_partial = match tag.split(|byte| *byte == b':').next()? {
            b"F" => false,
            b"P" => true,
            _ => return None,
        };
        let stream_start = time.len() + 1;
        let tag_end = stream_start + stream.len() + 1 + tag.len();
        Some(CriLine {
            time: 0..time.len(),
            stream: stream_start..stream_start + stream.len(),
            is_partial,
            text: (tag_end + 1).min(line.len()),
        })
    }
}

/// The stream of a line of docker that goes on in the next one of that stream: its text has no newline.
pub(in crate::format) fn docker_part(line: &[u8]) -> Option<Stream> {
    let begins = line.trim_ascii_start().starts_with(b"{\"log\":\"");
    if !begins || memmem::find(line, b"\\n\",").is_some() || memmem::find(line, b"\\n\"}").is_some()
    {
        return None;
    }
    let is_error = memmem::find(line, b"\"stream\":\"stderr\"").is_some();
    Some(if is_error { Stream::Error } else { Stream::Out })
}

/// The two streams of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Stream {
    Out,
    Error,
}

impl JsonWrapping {
    /// The one of that name; `json` is for the bytes to tell.
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [
            JsonWrapping::Prefix,
            JsonWrapping::Cri,
            JsonWrapping::Docker,
            JsonWrapping::Journal,
        ];
        all.into_iter().find(|wrapping| wrapping.name() == name)
    }

    /// Its name in the list of formats.
    pub fn name(self) -> &'static str {
        match self {
            JsonWrapping::Values => "json",
            JsonWrapping::Prefix => "prefixed-json",
            JsonWrapping::Cri => "cri",
            JsonWrapping::Docker => "docker-json",
            JsonWrapping::Journal => "journal-json",
        }
    }

    /// The stream of a line that goes on in the next one of that stream.
    pub(in crate::format) fn part_of(self, line: &[u8]) -> Option<Stream> {
        match self {
            JsonWrapping::Cri => {
                let parts = CriLine::of(line)?;
                parts.is_partial.then(|| stream_of(&line[parts.stream]))
            }
            JsonWrapping::Docker => docker_part(line),
            JsonWrapping::Values | JsonWrapping::Prefix | JsonWrapping::Journal => None,
        }
    }

    /// The stream that a line is of.
    pub(in crate::format) fn stream_of(self, line: &[u8]) -> Stream {
        match self {
            JsonWrapping::Cri => {
                CriLine::of(line).map_or(Stream::Out, |parts| stream_of(&line[parts.stream]))
            }
            _ if memmem::find(line, b"\"stream\":\"stderr\"").is_some() => Stream::Error,
            _ => Stream::Out,
        }
    }
}

fn stream_of(name: &[u8]) -> Stream {
    if name == b"stderr" {
        Stream::Error
    } else {
        Stream::Out
    }
}

/// True for the members of a line of docker's json-file.
pub(in crate::format) fn is_docker(fields: &[(String, JsonKind)]) -> bool {
    let text = |name: &str| {
        let mut found = fields.iter().filter(|(key, _)| key == name);
        matches!(found.next(), Some((_, JsonKind::Text(_))))
    };
    let others = fields
        .iter()
        .all(|(key, _)| matches!(key.as_str(), "log" | "stream" | "time" | "attrs"));
    others && text("log") && text("stream") && text("time")
}

/// True for the members of an entry of journald.
fn is_journal(fields: &[(String, JsonKind)]) -> bool {
    let has = |name: &str| fields.iter().any(|(key, _)| key == name);
    has("__CURSOR") && has("__REALTIME_TIMESTAMP")
}

/// The text of an array of bytes.
pub(in crate::format) fn bytes_text(array: &[u8]) -> Option<String> {
    let inside = array.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let number = |text: &[u8]| {
        let text = std::str::from_utf8(text.trim_ascii()).ok()?;
        text.parse::<u8>().ok()
    };
    let bytes: Option<Vec<u8>> = inside.split(|byte| *byte == b',').map(number).collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

/// What a whole line looks like; `None` if it holds no object.
pub(in crate::format) fn line_kind(line: &[u8]) -> Option<Option<JsonWrapping>> {
    if let Some(fields) = json_object_fields(line) {
        return Some(match &fields {
            fields if is_docker(fields) => Some(JsonWrapping::Docker),
            fields if is_journal(fields) => Some(JsonWrapping::Journal),
            _ => None,
        });
    }
    if let Some(parts) = CriLine::of(line) {
        let holds_object = parts.is_partial && line[parts.text..].starts_with(b"{")
            || json_object_fields(&line[parts.text..]).is_some();
        return holds_object.then_some(Some(JsonWrapping::Cri));
    }
    let parts = PrefixedLine::of(line)?;
    (parts.object > 0).then_some(Some(JsonWrapping::Prefix))
}
