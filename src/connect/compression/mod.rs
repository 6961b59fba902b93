//! Compressed bytes as the bytes that were compressed: gzip, zstd, bzip2, xz and lz4, known by their first bytes.
//!
//! ```text
//!  source ─► input [ consumed │ to be decoded │ free ] ─► decoder ─► buffer of whoever reads
//!            │                                            └ of one member (frame, stream); the next one has its own
//!            └ what it begins with decides: a known compression, or bytes as they are
//! ```
//!
//! Invariants: the source is read at most once for a call that gives something, and never where that would
//! wait and nobody waited; what was decoded before damage or a cut is given first, then the error, again and
//! again; memory is bounded by the window of a member, whatever the bytes expand to.

mod decoders;
mod lz4;
mod packer;

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use super::meter::counted;
use super::{ByteSource, WholeBytes};
use decoders::{Decode, Stepped};

pub use packer::Packer;

/// Bytes of compressed input that are held.
const INPUT_BYTES: usize = 128 << 10;

/// The window that a member may ask for, in bytes; more is refused.
const WINDOW_BYTES_MAX: u64 = 64 << 20;

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As their first bytes say; not at all if those are no magic.
    #[default]
    Auto,
    /// Not at all, whatever they begin with.
    None,
    /// RFC 1952, of one or more members.
    Gzip,
    /// RFC 8878, of one or more frames.
    Zstd,
    /// Of one or more streams.
    Bzip2,
    /// Of one or more streams.
    Xz,
    /// The frame format, of one or more frames.
    Lz4,
}

impl Compression {
    /// Their names in SQL, in the order of the list that messages show.
    pub const NAMES: [(&str, Compression); 7] = [
        ("auto", Compression::Auto),
        ("none", Compression::None),
        ("gzip", Compression::Gzip),
        ("zstd", Compression::Zstd),
        ("bzip2", Compression::Bzip2),
        ("xz", Compression::Xz),
        ("lz4", Compression::Lz4),
    ];

    /// The endings of the names of compressed files.
    const ENDINGS: [(&str, Compression); 5] = [
        (".gz", Compression::Gzip),
        (".zst", Compression::Zstd),
        (".bz2", Compression::Bzip2),
        (".xz", Compression::Xz),
        (".lz4", Compression::Lz4),
    ];

    /// A path without the ending that its compression gave it.
    pub fn inner_path(path: &str) -> &str {
        let endings = Compression::ENDINGS.iter();
        let mut inner = endings.filter_map(|(ending, _)| path.strip_suffix(ending));
        inner.next().unwrap_or(path)
    }

    /// The compression that the ending of a path names.
    fn of_path(path: &str) -> Option<Self> {
        let mut endings = Compression::ENDINGS.iter();
        let named = endings.find(|(ending, _)| path.ends_with(ending));
        named.map(|(_, compression)| *compression)
    }

    fn name(self) -> &'static str {
        let names = Compression::NAMES.iter();
        let mut named = names.filter(|(_, compression)| *compression == self);
        named.next().map_or("", |(name, _)| name)
    }

    /// Whether what begins with `bytes` is compressed; `None` if there are too few to tell.
    pub(super) fn is_compressed(self, bytes: &[u8], at_end: bool) -> Option<bool> {
        match self {
            Compression::None => Some(false),
            Compression::Auto => {
                let kinds = Compression::NAMES[2..].iter();
                let mut begun = kinds.map(|(_, kind)| kind.begins(bytes, at_end));
                begun.try_fold(false, |any, begins| Some(any || begins?))
            }
            _ => Some(true),
        }
    }

    /// Whether `bytes` begin a member of this compression; `None` if there are too few to tell.
    fn begins(self, bytes: &[u8], at_end: bool) -> Option<bool> {
        match self {
            Compression::Auto | Compression::None => Some(true),
            Compression::Gzip => starts(bytes, at_end, &[0x1f, 0x8b, 0x08]),
            Compression::Zstd => match starts(bytes, at_end, &[0x28, 0xb5, 0x2f, 0xfd]) {
                // A frame to be skipped: parallel compressors write some.
                Some(false) if bytes.first().is_some_and(|byte| byte & 0xf0 == 0x50) => {
                    starts(&bytes[1..], at_end, &[0x2a, 0x4d, 0x18])
                }
                begins => begins,
            },
            Compression::Bzip2 => match starts(bytes, at_end, b"BZh") {
                Some(true) => match bytes.get(4..) {
                    // Behind the level comes the magic of a block, or of the end.
                    None => at_end.then_some(false),
                    Some(rest) => match starts(rest, at_end, b"1AY&SY") {
                        Some(false) => starts(rest, at_end, b"\x17\x72\x45\x38\x50\x90"),
                        begins => begins,
                    },
                },
                begins => begins,
            },
            Compression::Xz => starts(bytes, at_end, b"\xfd7zXZ\0"),
            Compression::Lz4 => starts(bytes, at_end, &[0x04, 0x22, 0x4d, 0x18]),
        }
    }
}

/// Whether `bytes` start with `magic`; `None` if they may, once there are more.
fn starts(bytes: &[u8], at_end: bool, magic: &[u8]) -> Option<bool> {
    let length = bytes.len().min(magic.len());
    match bytes[..length] == magic[..length] {
        false => Some(false),
        true if length == magic.len() => Some(true),
        true if at_end => Some(false),
        true => None,
    }
}

/// Why bytes cannot be read, and what can be done.
#[derive(Debug, Clone)]
pub(super) struct Unreadable {
    pub reason: String,
    pub advice: Option<&'static str>,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unreadable {}

fn unreadable(reason: String, advice: Option<&'static str>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Unreadable { reason, advice })
}

/// The bytes of `source` without their compression.
pub fn decompressed(source: Box<dyn ByteSource>, compression: Compression) -> Box<dyn ByteSource> {
    match compression {
        Compression::None => source,
        compression => Box::new(DecompressedSource {
            source,
            input: Vec::new(),
            start: 0,
            end: 0,
            at_end: false,
            stuck: true,
            full: false,
            state: State::Unknown(compression),
            failed: None,
        }),
    }
}

/// A source whose bytes may be compressed.
struct DecompressedSource {
    source: Box<dyn ByteSource>,
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// True if the source has ended.
    at_end: bool,
    /// True if nothing comes of the input that is there: more is needed.
    stuck: bool,
    /// True if the decoder filled the last buffer, and may hold more.
    full: bool,
    state: State,
    failed: Option<Unreadable>,
}

enum State {
    /// Too few bytes to tell.
    Unknown(Compression),
    /// As they are.
    Plain,
    Inside(Compression, Box<dyn Decode>),
    /// Behind a member: another one, padding, or the end.
    Between(Compression),
}

/// What became of the input that is there.
enum Outcome {
    Given(usize),
    MoreNeeded,
}

impl ByteSource for DecompressedSource {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failed) = &self.failed {
            return Err(io::Error::new(io::ErrorKind::InvalidData, failed.clone()));
        }
        let given = self.give(buffer);
        if let Err(error) = &given {
            self.fail(error);
        }
        given
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        match self.gives_at_once() {
            true => None,
            false => self.source.wait_for(),
        }
    }

    fn quiet_until(&mut self, now: Duration) -> Option<Duration> {
        self.source.quiet_until(now)
    }

    fn written_seconds(&self) -> Option<i64> {
        self.source.written_seconds()
    }

    fn whole(&self) -> Option<Arc<dyn WholeBytes>> {
        match self.state {
            State::Plain => self.source.whole(),
            // Not known yet, or of other bytes.
            _ => None,
        }
    }

    fn path(&self) -> Option<&str> {
        self.source.path()
    }

    fn is_file(&self) -> bool {
        self.source.is_file()
    }

    fn old_bytes(&self) -> u64 {
        self.source.old_bytes()
    }
}

impl DecompressedSource {
    /// Gives nothing more, if that is because of what the bytes are.
    fn fail(&mut self, error: &io::Error) {
        let failed = error.get_ref().and_then(|error| error.downcast_ref());
        self.failed = failed.cloned();
    }

    fn gives_at_once(&self) -> bool {
        self.failed.is_some() || self.at_end || !self.stuck
    }

    fn give(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // Whoever calls has waited for the source only if there was nothing to be had here.
        let mut may_wait = !self.gives_at_once();
        loop {
            if let Outcome::Given(length) = self.decode(buffer)? {
                self.stuck = self.start == self.end && !self.full;
                return Ok(length);
            }
            self.stuck = true;
            if self.source.wait_for().is_some() && !std::mem::take(&mut may_wait) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if matches!(self.state, State::Plain) {
                return self.source.read(buffer).map(counted);
            }
            self.fill()?;
        }
    }

    /// Reads the source once.
    fn fill(&mut self) -> io::Result<()> {
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.input.is_empty() {
            self.input.resize(INPUT_BYTES, 0);
        }
        let length = counted(self.source.read(&mut self.input[self.end..])?);
        self.end += length;
        self.at_end = length == 0;
        Ok(())
    }

    /// What comes of the input that is there.
    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<Outcome> {
        loop {
            let input = &self.input[self.start..self.end];
            match &mut self.state {
                State::Unknown(compression) => {
                    match recognized(*compression, input, self.at_end)? {
                        None => return Ok(Outcome::MoreNeeded),
                        Some(Compression::None) => self.state = State::Plain,
                        Some(compression) => {
                            self.state =
                                State::Inside(compression, decoders::decoder(compression)?);
                        }
                    }
                }
                State::Plain => {
                    if input.is_empty() && !self.at_end {
                        self.input = Vec::new();
                        (self.start, self.end) = (0, 0);
                        return Ok(Outcome::MoreNeeded);
                    }
                    let length = input.len().min(buffer.len());
                    buffer[..length].copy_from_slice(&input[..length]);
                    self.start += length;
                    return Ok(Outcome::Given(length));
                }
                State::Inside(compression, decoder) => {
                    if input.is_empty() && !self.full {
                        if self.at_end {
                            return Err(cut_off(*compression));
                        }
                        return Ok(Outcome::MoreNeeded);
                    }
                    let stepped = decoder.step(input, buffer)?;
                    let (compression, had) = (*compression, input.len());
                    if let Some(length) = self.advance(compression, had, stepped, buffer.len())? {
                        return Ok(Outcome::Given(length));
                    }
                }
                State::Between(compression) => {
                    let padding = input.iter().take_while(|byte| **byte == 0).count();
                    self.start += padding;
                    match next_member(*compression, &input[padding..], self.at_end)? {
                        Some(decoder) => self.state = State::Inside(*compression, decoder),
                        None if self.at_end => return Ok(Outcome::Given(0)),
                        None => return Ok(Outcome::MoreNeeded),
                    }
                }
            }
        }
    }

    /// Notes what a decoder did; how much it gave, if anything.
    fn advance(
        &mut self,
        compression: Compression,
        had: usize,
        stepped: Stepped,
        room: usize,
    ) -> io::Result<Option<usize>> {
        let was_full = self.full;
        if let Some(error) = &stepped.failed {
            self.fail(error);
        }
        self.start += stepped.consumed;
        self.full = stepped.produced == room && !stepped.ended;
        if stepped.ended {
            self.state = State::Between(compression);
        } else if stepped.consumed == 0 && stepped.produced == 0 && had > 0 && !was_full {
            return Err(damaged(compression, "it makes no sense"));
        }
        Ok((stepped.produced > 0).then_some(stepped.produced))
    }
}

/// How `input` is compressed, if that can be told yet.
fn recognized(
    asked_for: Compression,
    input: &[u8],
    at_end: bool,
) -> io::Result<Option<Compression>> {
    if input.is_empty() {
        return Ok(at_end.then_some(Compression::None));
    }
    if asked_for != Compression::Auto {
        return match asked_for.begins(input, at_end) {
            None => Ok(None),
            Some(true) => Ok(Some(asked_for)),
            Some(false) => Err(unreadable(
                format!("it is no {} data", asked_for.name()),
                None,
            )),
        };
    }
    let mut undecided = false;
    for (_, compression) in &Compression::NAMES[2..] {
        match compression.begins(input, at_end) {
            Some(true) => return Ok(Some(*compression)),
            Some(false) => {}
            None => undecided = true,
        }
    }
    match starts(input, at_end, b"PK\x03\x04") {
        Some(true) => Err(unreadable(
            String::from("it is a zip archive, which may hold several files"),
            Some(
                "unpack one of them into a pipe: unzip -p ARCHIVE FILE | tumble \"SELECT … FROM stdin\"",
            ),
        )),
        Some(false) if !undecided => Ok(Some(Compression::None)),
        _ => Ok(None),
    }
}

/// The decoder of the member that `input` begins, if it does.
fn next_member(
    compression: Compression,
    input: &[u8],
    at_end: bool,
) -> io::Result<Option<Box<dyn Decode>>> {
    if input.is_empty() {
        return Ok(None);
    }
    match compression.begins(input, at_end) {
        None => Ok(None),
        Some(true) => decoders::decoder(compression).map(Some),
        Some(false) => {
            let name = compression.name();
            let reason = format!("behind its {name} data comes something else");
            Err(unreadable(reason, None))
        }
    }
}

fn cut_off(compression: Compression) -> io::Error {
    let name = compression.name();
    unreadable(
        format!("its {name} data ends too early: it was cut off"),
        None,
    )
}

fn damaged(compression: Compression, how: impl fmt::Display) -> io::Error {
    let name = compression.name();
    unreadable(format!("its {name} data is damaged: {how}"), None)
}

fn too_large_a_window(compression: Compression) -> io::Error {
    let name = compression.name();
    let advice = match compression {
        Compression::Zstd => "zstdcat --memory=2048MB FILE | tumble \"SELECT … FROM stdin\"",
        _ => "xzcat FILE | tumble \"SELECT … FROM stdin\"",
    };
    let reason = format!("its {name} data needs a window of more than 64 MiB");
    unreadable(reason, Some(advice))
}

#[cfg(test)]
mod tests;
