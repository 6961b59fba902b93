//! Files by path or glob, also FIFOs and devices.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::meter::counted;
use super::{ByteSource, WholeBytes};
use crate::error::{Error, Result};

/// An open file.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    path: String,
    is_regular: bool,
    written_seconds: i64,
}

impl FileSource {
    /// Opens the file at `path`. A FIFO opens at once, also without a writer: waiting for one is waiting for
    /// input, during which signals are heard.
    ///
    /// # Errors
    /// It does not exist, is a folder, or may not be read.
    pub fn open(path: &str) -> Result<Self> {
        let mut options = File::options();
        // To a regular file it means nothing.
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        let options = options.read(true).custom_flags(flags.cast_signed());
        let file = options.open(path).map_err(|error| {
            let refused = Error::outside(format!("cannot open `{path}`"), Reason(&error));
            match near_file(path) {
                Some(near) if error.kind() == io::ErrorKind::NotFound => {
                    refused.help(format!("did you mean `{near}`?"))
                }
                _ => refused,
            }
        })?;
        let metadata = file
            .metadata()
            .map_err(|error| Error::outside(format!("cannot open `{path}`"), Reason(&error)))?;
        if metadata.is_dir() {
            return Err(
                Error::outside(format!("cannot read `{path}`"), "it is a folder").help(format!(
                    "read the files in it: '{}/*'",
                    path.trim_end_matches('/')
                )),
            );
        }
        Ok(FileSource {
            file,
            path: path.to_string(),
            is_regular: metadata.is_file(),
            written_seconds: std::os::unix::fs::MetadataExt::mtime(&metadata),
        })
    }
}

impl ByteSource for FileSource {
    fn name(&self) -> &str {
        &self.path
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_regular).then(|| self.file.as_fd())
    }

    fn written_seconds(&self) -> Option<i64> {
        self.is_regular.then_some(self.written_seconds)
    }

    fn whole(&self) -> Option<Arc<dyn WholeBytes>> {
        match self.is_regular {
            true => WholeFile::of(self.file.as_fd(), 0),
            false => None,
        }
    }

    fn path(&self) -> Option<&str> {
        self.is_regular.then_some(&self.path)
    }

    fn is_file(&self) -> bool {
        self.is_regular
    }
}

/// A regular file from some byte on, read at any place.
pub(super) struct WholeFile {
    file: File,
    start: u64,
    length: u64,
}

impl WholeFile {
    pub(super) fn of(file: BorrowedFd<'_>, start: u64) -> Option<Arc<dyn WholeBytes>> {
        let file = File::from(file.try_clone_to_owned().ok()?);
        let length = file.metadata().ok()?.len().saturating_sub(start);
        Some(Arc::new(WholeFile {
            file,
            start,
            length,
        }))
    }
}

impl WholeBytes for WholeFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<()> {
        let place = self.start.saturating_add(place);
        counted(buffer.len());
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, place)
    }
}

/// How many bytes the file at `path` has, if it lies there whole.
pub fn size_bytes(path: &str) -> Option<u64> {
    let metadata = std::fs::metadata(path).ok()?;
    metadata.is_file().then_some(metadata.len())
}

/// The paths that a path or glob means, in alphabetical order.
///
/// # Errors
/// A pattern that is none, or that no file matches.
pub fn expand(path: &str) -> Result<Vec<String>> {
    if !is_pattern(path) {
        return Ok(vec![path.to_string()]);
    }
    let matches = glob::glob(path)
        .map_err(|error| Error::usage(format!("`{path}` is no pattern")).cause(error.msg))?;
    let mut paths = Vec::new();
    for found in matches {
        let found = found
            .map_err(|error| Error::outside(format!("cannot look into `{path}`"), error.error()))?;
        if !found.is_dir() {
            paths.push(found.to_string_lossy().into_owned());
        }
    }
    if paths.is_empty() {
        return Err(Error::outside(
            format!("cannot open `{path}`"),
            "no file matches",
        ));
    }
    paths.sort_unstable();
    Ok(paths)
}

/// True for a glob. A path that exists is itself, whatever characters it has.
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[']) && !is_there(path)
}

/// What the system said, without Rust's `(os error 2)`.
pub struct Reason<'a>(pub &'a io::Error);

impl std::fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        let mut chars = text.chars();
        match chars.next() {
            Some(first) => write!(f, "{}{}", first.to_lowercase(), chars.as_str()),
            None => f.write_str("unknown reason"),
        }
    }
}

/// The folder that a path lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file in the same folder with almost the same name.
pub(super) fn near_file(path: &str) -> Option<String> {
    let path = Path::new(path);
    let folder = folder_of(path);
    let name = path.file_name()?.to_string_lossy().into_owned();
    let mut best: Option<(usize, String)> = None;
    for entry in folder.read_dir().ok()?.flatten().take(1_000) {
        let candidate = entry.file_name().to_string_lossy().into_owned();
        let distance = strsim::osa_distance(&name, &candidate);
        if distance <= 2 && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| path.with_file_name(name).to_string_lossy().into_owned())
}

/// True if anything lies at `path`.
pub fn is_there(path: &str) -> bool {
    Path::new(path).exists()
}

/// True if two paths mean one file, whether or not it exists.
pub fn is_one_file(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let folder = folder_of(path);
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    let same_name = || match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    };
    is_same_file(one, other) || same_name()
}

/// True if both paths lead to one file that exists, by whatever links.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => {
            one.is_file() && one.dev() == other.dev() && one.ino() == other.ino()
        }
        _ => false,
    }
}
