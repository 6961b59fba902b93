//! The decoders of compressed bytes, each a machine that takes what is there and gives what comes of it.

use std::io;

use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::lz4::Lz4;
use super::{Compression, WINDOW_BYTES_MAX, damaged, too_large_a_window};

/// What a step did.
#[derive(Debug, Default)]
pub(super) struct Stepped {
    pub consumed: usize,
    pub produced: usize,
    /// True at the end of the member; what is behind it was not consumed.
    pub ended: bool,
    /// What is wrong with the bytes behind those that gave this.
    pub failed: Option<io::Error>,
}

impl Stepped {
    /// Of running totals of input and output. What was given before a failure stays: how much that is must not depend
    /// on how much room there was.
    fn between(before: (u64, u64), after: (u64, u64), ended: io::Result<bool>) -> io::Result<Self> {
        let produced = grown(before.1, after.1);
        let (ended, failed) = match ended {
            Ok(ended) => (ended, None),
            Err(error) if produced == 0 => return Err(error),
            Err(error) => (false, Some(error)),
        };
        Ok(Stepped {
            consumed: grown(before.0, after.0),
            produced,
            ended,
            failed,
        })
    }
}

/// Decodes one member.
pub(super) trait Decode: Send {
    /// Decodes from `input` into `output`, as far as either goes. A full output may mean that there is more,
    /// even with an empty input.
    ///
    /// # Errors
    /// The bytes are damaged, or need too much memory.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Stepped>;
}

/// A decoder for a member.
pub(super) fn decoder(compression: Compression) -> io::Result<Box<dyn Decode>> {
    Ok(match compression {
        Compression::Auto | Compression::None => return Err(io::ErrorKind::Unsupported.into()),
        Compression::Gzip => Box::new(Gzip(flate2::Decompress::new_gzip(15))),
        Compression::Zstd => Box::new(Zstd::new()?),
        Compression::Bzip2 => Box::new(Bzip2(bzip2::Decompress::new(false))),
        Compression::Xz => Box::new(Xz::new()?),
        Compression::Lz4 => Box::new(Lz4::new()),
    })
}

/// The difference of two running totals of one step, which is no longer than a slice.
fn grown(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

struct Gzip(flate2::Decompress);

impl Decode for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Stepped> {
        let before = (self.0.total_in(), self.0.total_out());
        let status = (self.0).decompress(input, output, flate2::FlushDecompress::None);
        let ended = status
            .map(|status| status == flate2::Status::StreamEnd)
            // Which words the library has for it depends on how much it was given.
            .map_err(|_| damaged(Compression::Gzip, "it makes no sense"));
        Stepped::between(before, (self.0.total_in(), self.0.total_out()), ended)
    }
}

struct Bzip2(bzip2::Decompress);

impl Decode for Bzip2 {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Stepped> {
        let before = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, output);
        let ended = status
            .map(|status| status == bzip2::Status::StreamEnd)
            .map_err(|error| damaged(Compression::Bzip2, error));
        Stepped::between(before, (self.0.total_in(), self.0.total_out()), ended)
    }
}

struct Xz(liblzma::stream::Stream);

impl Xz {
    fn new() -> io::Result<Self> {
        // Its own tables are small beside the window.
        let memory_bytes_max = WINDOW_BYTES_MAX + (1 << 20);
        Ok(Xz(liblzma::stream::Stream::new_stream_decoder(
            memory_bytes_max,
            0,
        )?))
    }
}

impl Decode for Xz {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Stepped> {
        use liblzma::stream::{Action, Error, Status};
        let before = (self.0.total_in(), self.0.total_out());
        let status = self.0.process(input, output, Action::Run);
        let ended = status
            .map(|status| status == Status::StreamEnd)
            .map_err(|error| match error {
                Error::MemLimit => too_large_a_window(Compression::Xz),
                error => damaged(Compression::Xz, error),
            });
        Stepped::between(before, (self.0.total_in(), self.0.total_out()), ended)
    }
}

struct Zstd(zstd::stream::raw::Decoder<'static>);

impl Zstd {
    fn new() -> io::Result<Self> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_BYTES_MAX.ilog2()))?;
        Ok(Zstd(decoder))
    }
}

impl Decode for Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Stepped> {
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(output);
        let hint = self.0.run(&mut from, &mut to).map_err(|error| {
            let reason = error.to_string();
            match reason.contains("too much memory") {
                true => too_large_a_window(Compression::Zstd),
                false => damaged(Compression::Zstd, reason),
            }
        })?;
        Ok(Stepped {
            consumed: from.pos(),
            produced: to.pos(),
            ended: hint == 0,
            failed: None,
        })
    }
}
