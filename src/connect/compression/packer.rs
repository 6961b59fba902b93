//! Compresses what is written, as the ending of its file says.
//!
//! ```text
//!   out.csv.gz     rows ─► gzip ─► bytes          flush: what was taken can be read behind it
//!                                                 end: a member is whole; what comes then is another one
//! ```

use std::io::{self, Write};
use std::path::Path;

use super::Compression;

/// How hard each of them tries: their own tools' default.
const BZIP2_LEVEL: u32 = 9;
const XZ_LEVEL: u32 = 6;
const GZIP_LEVEL: u32 = 6;

/// Compresses text on its way to a file.
pub struct Packer {
    compression: Compression,
    member: Option<Member>,
    /// Something was taken that cannot be read yet.
    is_behind: bool,
}

/// A begun member (frame, stream), with what has come out of it.
enum Member {
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Bzip2(bzip2::write::BzEncoder<Vec<u8>>),
    Xz(liblzma::write::XzEncoder<Vec<u8>>),
    Lz4(lz4_flex::frame::FrameEncoder<Vec<u8>>),
}

impl Packer {
    /// What the ending of a path asks for, if it asks for any.
    pub fn of_path(path: &Path) -> Option<Self> {
        let compression = Compression::of_path(path.to_str()?)?;
        Some(Packer {
            compression,
            member: None,
            is_behind: false,
        })
    }

    /// Takes bytes; gives those that have come of it.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let member = match &mut self.member {
            Some(member) => member,
            None => self.member.insert(Member::new(self.compression)?),
        };
        member.as_write().write_all(bytes)?;
        self.is_behind = true;
        Ok(member.take())
    }

    /// Gives all that was taken, so that it can be read.
    ///
    /// # Errors
    /// Likewise.
    pub fn flush(&mut self) -> io::Result<Vec<u8>> {
        let Some(member) = self.member.as_mut().filter(|_| self.is_behind) else {
            return Ok(Vec::new());
        };
        self.is_behind = false;
        member.as_write().flush()?;
        Ok(member.take())
    }

    /// Ends the member.
    ///
    /// # Errors
    /// Likewise.
    pub fn end(&mut self) -> io::Result<Vec<u8>> {
        self.is_behind = false;
        self.member.take().map_or(Ok(Vec::new()), Member::finish)
    }
}

impl Member {
    fn new(compression: Compression) -> io::Result<Self> {
        let out = Vec::new();
        Ok(match compression {
            Compression::Zstd => Member::Zstd(zstd::stream::write::Encoder::new(
                out,
                zstd::DEFAULT_COMPRESSION_LEVEL,
            )?),
            Compression::Bzip2 => {
                let level = bzip2::Compression::new(BZIP2_LEVEL);
                Member::Bzip2(bzip2::write::BzEncoder::new(out, level))
            }
            Compression::Xz => Member::Xz(liblzma::write::XzEncoder::new(out, XZ_LEVEL)),
            Compression::Lz4 => Member::Lz4(lz4_flex::frame::FrameEncoder::new(out)),
            Compression::Gzip | Compression::Auto | Compression::None => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Member::Gzip(flate2::write::GzEncoder::new(out, level))
            }
        })
    }

    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Member::Gzip(member) => member,
            Member::Zstd(member) => member,
            Member::Bzip2(member) => member,
            Member::Xz(member) => member,
            Member::Lz4(member) => member,
        }
    }

    /// What has come out since the last call.
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Member::Gzip(member) => member.get_mut(),
            Member::Zstd(member) => member.get_mut(),
            Member::Bzip2(member) => member.get_mut(),
            Member::Xz(member) => member.get_mut(),
            Member::Lz4(member) => member.get_mut(),
        })
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Member::Gzip(member) => member.finish(),
            Member::Zstd(member) => member.finish(),
            Member::Bzip2(member) => member.finish(),
            Member::Xz(member) => member.finish(),
            Member::Lz4(member) => member.finish().map_err(io::Error::from),
        }
    }
}
