//! Tells whether a file that has come holds what was read under another name: compressed, or copied before its
//! original was truncated.
//!
//! ```text
//!   app.log         read: [ 12:00,1⏎12:00,2⏎ … 1 KiB ]
//!   app.log.1.gz    comes, begins alike                  a copy: left out
//!   api.log.1.gz    comes, another log                   read
//! ```
//!
//! Invariants: only files that are called like rotations of one log are compared; as long as one could become
//! either, nothing is said.

use std::collections::VecDeque;
use std::io;
use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::sync::Arc;

use super::incarnation::{FollowedSource, Incarnation, Known, PRINT_BYTES, Progress};
use super::names::{self, stem};
use super::opening::{opened, opened_as};
use crate::connect::{ByteSource, Compression, decompressed};

/// How many incarnations are remembered; rotations are soon compressed, if ever.
const REMEMBERED_MAX: usize = 1_024;

/// How much of a compressed file is unpacked at most to tell that it is a copy: nobody should wait for it.
const COMPARED_BYTES: u64 = 64 << 20;

/// What a file that has come is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    /// It begins as this one did.
    CopyOf(Arc<str>),
    /// There is too little of it, or of what it may be a copy of.
    Unknown,
}

/// What has been read, by its beginnings.
#[derive(Debug, Default)]
pub(super) struct Remembered(VecDeque<(String, Known)>);

impl Remembered {
    /// Remembers an incarnation that is being read.
    pub(super) fn add(&mut self, incarnation: &Incarnation) {
        if self.0.len() == REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0
            .push_back((stem(&incarnation.path), incarnation.known()));
    }

    /// Whether `candidate` is a copy of one of them.
    pub(super) fn judge(&self, candidate: &Incarnation, compression: Compression) -> Verdict {
        let stem = stem(&candidate.path);
        // Whatever somebody writes behind the name of a log: it is that log's.
        let is_alike = |(other, known): &&(String, Known)| {
            known.path != candidate.path
                && (*other == stem || candidate.path.starts_with(&*known.path))
        };
        let alike = self.0.iter().filter(is_alike);
        let mut beginning = None;
        let mut verdict = Verdict::New;
        for (_, known) in alike {
            if known.inode == candidate.inode && !known.is_cut() {
                return Verdict::CopyOf(Arc::clone(&known.path));
            }
            let beginning =
                beginning.get_or_insert_with(|| beginning_of(candidate, compression, PRINT_BYTES));
            match compare(known, candidate, beginning) {
                Verdict::New => {}
                Verdict::Unknown => verdict = Verdict::Unknown,
                copy => return copy,
            }
        }
        verdict
    }
}

fn compare(known: &Known, candidate: &Incarnation, beginning: &[u8]) -> Verdict {
    let head = known.head();
    let common = head.len().min(beginning.len());
    if head[..common] != beginning[..common] {
        return Verdict::New;
    }
    match (head.len(), beginning.len()) {
        // Packed, or what a log began with: a header of many columns is longer than that.
        (PRINT_BYTES, PRINT_BYTES) if candidate.holds(beginning, 0) => {
            compare_end(known, candidate)
        }
        (PRINT_BYTES, PRINT_BYTES) => Verdict::CopyOf(Arc::clone(&known.path)),
        (head, beginning) if beginning > head && known.is_read() => Verdict::New,
        _ => Verdict::Unknown,
    }
}

/// Of files that begin alike: whether `candidate` holds nothing but what the other does, or did before it was cut.
fn compare_end(known: &Known, candidate: &Incarnation) -> Verdict {
    let length = |file: &Incarnation| file.metadata().map_or(0, |metadata| metadata.len());
    let is_whole = |file: &Incarnation| !matches!(known.progress(file), Ok(Progress::Cut));
    let is_copy = match opened_as(&known.path, known.inode).filter(is_whole) {
        Some(original) => {
            let length = (length(candidate), length(&original));
            length.0 <= length.1 && original.holds_end_of(candidate, end_start(length.0))
        }
        None => {
            let (tail, tail_start) = known.tail();
            candidate.holds(&tail, tail_start)
        }
    };
    match is_copy {
        true => Verdict::CopyOf(Arc::clone(&known.path)),
        false => Verdict::New,
    }
}

/// True if a file that is there at the start holds what `plain` begins with, packed or not: all of it, or the first
/// [`COMPARED_BYTES`] and, of what is not packed, the last.
pub(super) fn is_copy(candidate: &str, plain: &str, compression: Compression) -> bool {
    let (Ok((whole, metadata)), Ok((original, _))) = (opened(candidate), opened(plain)) else {
        return false;
    };
    whole.leave();
    let whole = Arc::new(whole);
    let mut source = decompressed(
        Box::new(FollowedSource::new(Arc::clone(&whole))),
        compression,
    );
    let mut bytes = vec![0; 1 << 16];
    let mut length = 0;
    while length < COMPARED_BYTES {
        let count = match source.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => continue,
            // What is damaged is told by whoever reads it.
            Err(_) => return false,
        };
        if !original.holds(&bytes[..count], length) {
            return false;
        }
        length += count as u64;
    }
    let end_start = end_start(metadata.len());
    let is_seen = Compression::inner_path(candidate) != candidate || end_start < length;
    (is_seen || original.holds_end_of(&whole, end_start)) && is_enough(candidate, plain, length)
}

/// Where the last bytes begin that tell files from each other.
fn end_start(length: u64) -> u64 {
    length.saturating_sub(PRINT_BYTES as u64)
}

/// True if two files that are alike in so many bytes are not so by chance: short ones are, unless `gzip -k` or
/// `cp app.log app.log.bak` gave them their names.
pub(super) fn is_enough(candidate: &str, plain: &str, length: u64) -> bool {
    let is_namesake =
        names::copied_from(candidate) == Some(plain) || Compression::inner_path(candidate) == plain;
    length >= PRINT_BYTES as u64 || (is_namesake && length > 0)
}

/// The first bytes of a file without its compression, at most so many, as far as they are there.
pub(super) fn beginning_of(
    incarnation: &Incarnation,
    compression: Compression,
    most: usize,
) -> Vec<u8> {
    let peek = Peek {
        // What is there now, in memory: 1 KiB of text is seldom more than that compressed.
        bytes: {
            let mut bytes = vec![0; 1 << 16];
            let length = incarnation.look_at(&mut bytes, 0).unwrap_or(0);
            bytes.truncate(length);
            bytes
        },
        position: 0,
    };
    let mut source = decompressed(Box::new(peek), compression);
    let mut beginning = vec![0; most];
    let mut length = 0;
    while length < most {
        match source.read(&mut beginning[length..]) {
            Ok(count) if count > 0 => length += count,
            // What cannot be read is found out by whoever reads it.
            Ok(_) | Err(_) => break,
        }
    }
    beginning.truncate(length);
    beginning
}

/// The first bytes of a file.
struct Peek {
    bytes: Vec<u8>,
    position: usize,
}

impl ByteSource for Peek {
    fn name(&self) -> &str {
        "the beginning of a file"
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.position..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        Ok(length)
    }
}
