//! Cuts JSON values that stand one behind the other, over any number of lines, into objects.
//!
//! ```text
//!  [⏎  {"n":1},⏎  {⏎ "n":2⏎ }⏎]⏎      {"Records":[{"n":3},{"n":4}]}      {"n":5}{"n":6}
//!      ~~~~~~~    ~~~~~~~~~~~                      ~~~~~~~ ~~~~~~~        ~~~~~~~~~~~~~~
//! ```
//!
//! What is no object is one broken record up to the next line that begins with a brace.
//!
//! Invariants: where a record ends depends on the bytes from its beginning on alone; a block ends behind a
//! record. An object that grows slowly is not scanned again and again: brackets are counted as they come.

use memchr::{memchr, memchr_iter, memrchr};

use super::scanner::Scanner;
use crate::format::{Split, Splitter, TooLong};

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Next {
    /// An object, or text that is none; `scanned` bytes of it are one, or the beginning of one.
    Record {
        start: usize,
        end: usize,
        scanned: usize,
    },
    /// Nothing but what stands between records.
    Nothing,
    /// More bytes are needed; an object begins here, if it is right as far as it goes.
    More(Option<usize>),
}

/// Broken text without a line to go on with is cut behind this many bytes.
const MOST_BROKEN: usize = 64 << 10;
/// What may still become a right word, number or escape at the end of the bytes at hand.
const LONGEST_TOKEN: usize = 8;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const LONGEST_BEGINNING: usize = 200;

/// The record that comes next in `bytes`, from `at` on.
pub(in crate::format) fn next_record(bytes: &[u8], at: usize, at_end: bool) -> Next {
    let mut at = at;
    let mut behind_array = false;
    loop {
        match bytes.get(at) {
            None => {
                return if at_end {
                    Next::Nothing
                } else {
                    Next::More(None)
                };
            }
            Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[') => at += 1,
            Some(b']') => (at, behind_array) = (at + 1, true),
            Some(b'}') if behind_array => (at, behind_array) = (at + 1, false),
            Some(b'{') => match records_head(&bytes[at..], at_end) {
                Head::Is(length) => at += length,
                Head::No => break,
                Head::More => return Next::More(Some(at)),
            },
            Some(_) => break,
        }
    }
    let start = at;
    let record = match bytes[start] {
        b'{' => object_end(&bytes[start..], at_end),
        _ => broken_end(&bytes[start..], 0, at_end)
            .map(|end| (end, 0))
            .ok_or(false),
    };
    match record {
        Ok((length, scanned)) => Next::Record {
            start,
            end: start + length,
            scanned,
        },
        Err(is_right) => Next::More(is_right.then_some(start)),
    }
}

/// Whether bytes begin with `{"Records":[` and an object.
enum Head {
    Is(usize),
    No,
    More,
}

fn records_head(bytes: &[u8], at_end: bool) -> Head {
    let mut at = 1;
    for part in [&b"\"Records\""[..], b":", b"["] {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let rest = &bytes[at.min(bytes.len())..];
        let same = |(a, b): (&u8, &u8)| a.eq_ignore_ascii_case(b);
        if !rest.iter().zip(part).all(same) {
            return Head::No;
        }
        if rest.len() < part.len() {
            return if at_end { Head::No } else { Head::More };
        }
        at += part.len();
    }
    match bytes[at..].trim_ascii_start().first() {
        Some(b'{' | b']') => Head::Is(at),
        None if !at_end => Head::More,
        _ => Head::No,
    }
}

/// Where the object at the beginning of `bytes` ends, or the text of a broken one; and how much is right.
/// An error if that takes more bytes: true if all is right so far.
fn object_end(bytes: &[u8], at_end: bool) -> Result<(usize, usize), bool> {
    let mut scanner = Scanner::new(bytes);
    let value = scanner.value();
    let place = scanner.place();
    match value {
        Ok(_) => Ok((place, place)),
        Err(_) if !at_end && place + LONGEST_TOKEN >= bytes.len() => Err(true),
        Err(_) => match broken_end(bytes, place, at_end) {
            Some(end) => Ok((end, place)),
            None => Err(false),
        },
    }
}

/// Where broken text ends: in front of the first line that begins a record, behind the line of the
/// beginning and not before that of `place`; else [`MOST_BROKEN`] bytes behind `place`.
fn broken_end(bytes: &[u8], place: usize, at_end: bool) -> Option<usize> {
    let place = place.min(bytes.len());
    let most = place + MOST_BROKEN;
    let text = &bytes[..bytes.len().min(most)];
    let cut = || match (text.len() == most, at_end) {
        (true, _) => Some(most),
        (false, true) => Some(text.len()),
        (false, false) => None,
    };
    let mut from = match memrchr(b'\n', &text[..place]) {
        Some(newline) => newline,
        None => place,
    };
    while let Some(newline) = memchr(b'\n', &text[from..]) {
        let line = from + newline + 1;
        match begins_record(&text[line..]) {
            Some(true) => return Some(line),
            Some(false) => from = line,
            None => return cut(),
        }
    }
    cut()
}

/// True if a line begins with a brace, or with the bracket of an array of objects; `None` if that cannot be
/// seen yet.
fn begins_record(line: &[u8]) -> Option<bool> {
    let mut bytes = line.iter().filter(|byte| !matches!(byte, b' ' | b'\t'));
    match bytes.next()? {
        b'{' => Some(true),
        b'[' => bytes.next().map(|byte| *byte == b'{'),
        _ => Some(false),
    }
}

/// True for much of what stands between records: it is not kept until one comes.
fn is_filler(bytes: &[u8]) -> bool {
    let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']');
    bytes.len() > MOST_BROKEN && bytes.iter().all(between)
}

/// Cuts an input into blocks of whole values; see the module.
#[derive(Debug)]
pub(in crate::format) struct ValuesSplitter {
    max_record_bytes: usize,
    at_start: bool,
    /// An object that has begun.
    begun: Option<Brackets>,
    /// The object that is too long and being skipped.
    skipped: Option<Skipped>,
}

/// How far the brackets of an object have been counted.
#[derive(Debug, Default)]
struct Brackets {
    /// Where the object begins in the bytes at hand.
    start: usize,
    /// Bytes that were counted.
    counted: usize,
    open: usize,
    in_text: bool,
    escaped: bool,
    /// Bytes at hand when the object was last scanned.
    scanned: usize,
}

#[derive(Debug)]
struct Skipped {
    beginning: Vec<u8>,
    lines: u64,
    brackets: Brackets,
}

impl Brackets {
    /// Counts on; the place behind the closing bracket, if it is there.
    fn count(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(byte) = bytes.get(self.counted) {
            self.counted += 1;
            if self.escaped {
                self.escaped = false;
            } else if self.in_text {
                match byte {
                    b'\\' => self.escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.open += 1,
                    b'}' | b']' => self.open = self.open.saturating_sub(1),
                    _ => continue,
                }
                if self.open == 0 && !self.in_text {
                    return Some(self.counted);
                }
            }
        }
        None
    }
}

impl ValuesSplitter {
    pub(in crate::format) fn new(max_record_bytes: usize) -> Self {
        ValuesSplitter {
            max_record_bytes,
            at_start: true,
            begun: None,
            skipped: None,
        }
    }

    /// True if the object that has begun is not worth a look yet.
    fn waits(&mut self, bytes: &[u8]) -> bool {
        let Some(begun) = &mut self.begun else {
            return false;
        };
        let is_whole = begun.count(bytes).is_some();
        !is_whole
            && bytes.len() < begun.scanned * 2
            && bytes.len() - begun.start <= self.max_record_bytes.saturating_add(LONGEST_TOKEN)
    }

    fn skip(&mut self, bytes: &[u8], at_end: bool) -> Split {
        let Some(skipped) = &mut self.skipped else {
            return Split::More;
        };
        let end = skipped.brackets.count(bytes);
        let length = end.unwrap_or(bytes.len());
        skipped.lines += memchr_iter(b'\n', &bytes[..length]).count() as u64;
        skipped.brackets.counted = 0;
        if end.is_none() && !at_end {
            return match length {
                0 => Split::More,
                _ => Split::Skip(length, None),
            };
        }
        let too_long = TooLong {
            beginning: std::mem::take(&mut skipped.beginning),
            lines: skipped.lines,
        };
        self.skipped = None;
        Split::Skip(length, Some(too_long))
    }

    /// Begins to skip the record that begins at `start`, and what is in front of it.
    fn skip_from(&mut self, bytes: &[u8], start: usize, at_end: bool) -> Split {
        let record = &bytes[start..];
        let shown = LONGEST_BEGINNING
            .min(self.max_record_bytes)
            .min(record.len());
        self.begun = None;
        self.skipped = Some(Skipped {
            beginning: record[..shown].to_vec(),
            lines: 0,
            brackets: Brackets {
                counted: start,
                ..Brackets::default()
            },
        });
        self.skip(bytes, at_end)
    }
}

impl Splitter for ValuesSplitter {
    fn split(&mut self, bytes: &[u8], at_end: bool) -> Split {
        if self.skipped.is_some() {
            return self.skip(bytes, at_end);
        }
        if self.at_start && !bytes.is_empty() {
            if BYTE_ORDER_MARK.starts_with(bytes) && bytes.len() < 3 && !at_end {
                return Split::More;
            }
            self.at_start = false;
            if bytes.starts_with(BYTE_ORDER_MARK) {
                return Split::Head { bytes: 3, lines: 0 };
            }
        }
        if !at_end && self.waits(bytes) {
            return Split::More;
        }
        let most = self.max_record_bytes;
        let longest = most.saturating_add(LONGEST_TOKEN);
        let mut whole = 0;
        loop {
            match next_record(bytes, whole, at_end) {
                Next::Record { start, scanned, .. } if scanned > most => {
                    if whole == 0 {
                        return self.skip_from(bytes, start, at_end);
                    }
                    break;
                }
                Next::Record { end, .. } => whole = end,
                Next::Nothing => {
                    whole = bytes.len();
                    break;
                }
                Next::More(Some(start)) if whole == 0 && bytes.len() - start > longest => {
                    return self.skip_from(bytes, start, at_end);
                }
                Next::More(None) if whole == 0 && is_filler(bytes) => {
                    whole = bytes.len();
                    break;
                }
                Next::More(start) => {
                    self.begun = start.filter(|_| whole == 0).map(|start| Brackets {
                        start,
                        counted: start,
                        scanned: bytes.len(),
                        ..Brackets::default()
                    });
                    break;
                }
            }
        }
        if whole == 0 {
            return Split::More;
        }
        self.begun = None;
        Split::Block(whole)
    }
}

/// Lines of which some go on in the next: cuts blocks where none is open.
pub(in crate::format) struct PartsSplitter {
    lines: Box<dyn Splitter>,
    wrapping: super::JsonWrapping,
    max_record_bytes: usize,
}

impl PartsSplitter {
    pub(in crate::format) fn new(
        lines: Box<dyn Splitter>,
        wrapping: super::JsonWrapping,
        max_record_bytes: usize,
    ) -> Self {
        PartsSplitter {
            lines,
            wrapping,
            max_record_bytes,
        }
    }

    /// The end of the last line behind which no line is open.
    fn closed(&self, block: &[u8]) -> usize {
        let mut open = [false; 2];
        let (mut at, mut closed) = (0, 0);
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            at += line.len();
            if line.trim_ascii().is_empty() {
                closed = if open == [false; 2] { at } else { closed };
                continue;
            }
            match self.wrapping.part_of(line) {
                Some(stream) => open[stream as usize] = true,
                None => open[self.wrapping.stream_of(line) as usize] = false,
            }
            if open == [false; 2] {
                closed = at;
            }
        }
        closed
    }
}

impl Splitter for PartsSplitter {
    fn split(&mut self, bytes: &[u8], at_end: bool) -> Split {
        match self.lines.split(bytes, at_end) {
            // A line that never ends is cut: its parts are no objects then.
            Split::Block(length) if !at_end && length <= self.max_record_bytes => {
                match self.closed(&bytes[..length]) {
                    0 => Split::More,
                    closed => Split::Block(closed),
                }
            }
            other => other,
        }
    }
}
