//! lz4 frames, taken apart so that the decoder gets whole blocks only and never waits inside of one.
//!
//! ```text
//!   magic flags block-size [content size] [dictionary] check │ size block [check] │ size block … │ 0 [check]
//!   └──────────────────────── header ──────────────────────┘ └────── a piece ───┘                └─ the end
//! ```

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::decoders::{Decode, Stepped};
use super::{Compression, damaged};

/// The largest block that the format knows.
const BLOCK_BYTES_MAX: usize = 4 << 20;

/// Decodes one frame.
pub(super) struct Lz4 {
    decoder: FrameDecoder<Piece>,
    next: Next,
    block_checksums: bool,
    content_checksum: bool,
}

/// What the frame goes on with.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Header,
    Block,
    Ended,
}

/// Bytes of the frame for the decoder, up to a place where it can stop.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    start: usize,
    is_whole: bool,
}

impl Read for Piece {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (&self.bytes[self.start..]).read(buffer)?;
        self.start += length;
        Ok(length)
    }
}

impl Lz4 {
    pub(super) fn new() -> Self {
        Lz4 {
            decoder: FrameDecoder::new(Piece::default()),
            next: Next::Header,
            block_checksums: false,
            content_checksum: false,
        }
    }

    /// How many bytes the piece has that begins with `bytes`, as far as they tell; at least one more than
    /// there are if they do not.
    fn piece_bytes(&self, bytes: &[u8]) -> io::Result<usize> {
        match (self.next, bytes) {
            (Next::Ended, _) => Ok(0),
            (Next::Header, [_, _, _, _, flags, ..]) => {
                let content_size = if flags & 0b1000 != 0 { 8 } else { 0 };
                let dictionary = if flags & 1 != 0 { 4 } else { 0 };
                Ok(7 + content_size + dictionary)
            }
            (Next::Header, _) => Ok(5),
            (Next::Block, [a, b, c, d, ..]) => {
                let word = u32::from_le_bytes([*a, *b, *c, *d]);
                // The highest bit says that the block is not compressed.
                let size = usize::try_from(word & 0x7fff_ffff).unwrap_or(usize::MAX);
                if size > BLOCK_BYTES_MAX {
                    return Err(damaged(Compression::Lz4, "a block is too long"));
                }
                let has_checksum = match word {
                    0 => self.content_checksum,
                    _ => self.block_checksums,
                };
                Ok(4 + size + if has_checksum { 4 } else { 0 })
            }
            (Next::Block, _) => Ok(4),
        }
    }

    /// Moves input into the piece until that is whole.
    fn gather(&mut self, mut input: &[u8]) -> io::Result<usize> {
        let mut consumed = 0;
        loop {
            let have = self.decoder.get_ref().bytes.len();
            let wanted = self.piece_bytes(&self.decoder.get_ref().bytes)?;
            if have >= wanted {
                break;
            }
            let (taken, rest) = input.split_at(input.len().min(wanted - have));
            if taken.is_empty() {
                return Ok(consumed);
            }
            self.decoder.get_mut().bytes.extend_from_slice(taken);
            consumed += taken.len();
            input = rest;
        }
        let bytes = &self.decoder.get_ref().bytes;
        self.next = match self.next {
            Next::Header => {
                let flags = bytes[4];
                self.block_checksums = flags & 0b1_0000 != 0;
                self.content_checksum = flags & 0b100 != 0;
                Next::Block
            }
            _ if bytes.starts_with(&[0; 4]) => Next::Ended,
            _ => Next::Block,
        };
        self.decoder.get_mut().is_whole = true;
        Ok(consumed)
    }
}

impl Decode for Lz4 {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Stepped> {
        let mut consumed = 0;
        loop {
            if !self.decoder.get_ref().is_whole {
                consumed += self.gather(&input[consumed..])?;
                if !self.decoder.get_ref().is_whole {
                    return Ok(Stepped {
                        consumed,
                        ..Stepped::default()
                    });
                }
            }
            let produced = self
                .decoder
                .read(output)
                .map_err(|error| damaged(Compression::Lz4, error))?;
            if produced > 0 {
                return Ok(Stepped {
                    consumed,
                    produced,
                    ..Stepped::default()
                });
            }
            // Nothing more comes of this piece.
            let piece = self.decoder.get_mut();
            piece.bytes.clear();
            (piece.start, piece.is_whole) = (0, false);
            if self.next == Next::Ended {
                return Ok(Stepped {
                    consumed,
                    ended: true,
                    ..Stepped::default()
                });
            }
        }
    }
}
