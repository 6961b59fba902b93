//! The file that results are written to: how its name says that it is written, and what is in it already.
//!
//! ```text
//!   out.csv.gz    csv, compressed by gzip          out.dat    csv, which is said to who reads notes
//!   out.yaml      refused: nothing writes it       --append   only behind the same columns
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::display::{self, Format};
use crate::connect::{Compression, Packer, Reason, open_file};
use crate::error::{Error, Result};
use crate::format::{Encoding, csv_header};

/// Endings of what people know and nothing here writes.
const FOREIGN: [&str; 24] = [
    "avro", "br", "db", "duckdb", "htm", "html", "ods", "orc", "pb", "rar", "sql", "sqlite", "tar",
    "tgz", "toml", "xls", "xlsx", "xml", "yaml", "yml", "z", "zip", "7z", "zlib",
];

/// How much of a file is looked at for its header.
const HEADER_BYTES_MAX: usize = 1 << 20;

/// The format that the name of a file asks for; `None` if it asks for none.
///
/// # Errors
/// It asks for one that nothing here writes.
pub(super) fn format_of(path: &Path) -> Result<Option<&'static Format>> {
    let inner = inner(path);
    if let Some(format) = display::format_of_file(inner) {
        return Ok(Some(format));
    }
    match ending(inner) {
        Some(ending) if FOREIGN.contains(&ending.as_str()) => {
            let endings = display::FORMATS.iter().flat_map(|format| format.extensions);
            let endings: Vec<String> = endings.map(|ending| format!(".{ending}")).collect();
            let error = Error::usage(format!(
                "`{}`: nothing here writes .{ending}",
                path.display()
            ));
            Err(error
                .note(format!(
                    "endings: {}, and .gz .zst .bz2 .xz .lz4 behind them",
                    endings.join(" ")
                ))
                .help("--format writes one of the formats to a file of any name"))
        }
        _ => Ok(None),
    }
}

/// What is to be known where the ending of a name says nothing.
pub(super) fn remark(path: &Path) -> Option<String> {
    let ending = ending(inner(path))?;
    let shown = path.display();
    Some(format!(
        "`{shown}` is written as csv: no format has the ending .{ending} (--format names another)"
    ))
}

/// What compresses the file, if its name asks for that.
///
/// # Errors
/// Its format is compressed by itself.
pub(super) fn packer_of(path: &Path, format: &Format) -> Result<Option<Packer>> {
    let packer = Packer::of_path(path);
    if packer.is_some() && format.is_binary {
        let what = format!(
            "`{}`: {} is not compressed once more",
            path.display(),
            format.name
        );
        let inner = inner(path).display();
        return Err(Error::usage(what).help(format!(
            "write `{inner}`: its columns are found by their places in the file"
        )));
    }
    Ok(packer)
}

/// The path without the ending of its compression.
fn inner(path: &Path) -> &Path {
    path.to_str()
        .map_or(path, |path| Path::new(Compression::inner_path(path)))
}

fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// Opens a file to write it anew.
///
/// # Errors
/// It cannot be written.
pub(super) fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| cannot_write(path, &error))
}

/// Opens a file to write behind what is in it; true if that is something. `header` are the columns that will be
/// written, if they would be told by a line.
///
/// # Errors
/// It cannot be written; it has other columns.
pub(super) fn open_behind(path: &Path, format: &Format, header: &[u8]) -> Result<(File, bool)> {
    let open = OpenOptions::new().create(true).append(true).open(path);
    let mut file = open.map_err(|error| cannot_write(path, &error))?;
    let metadata = file
        .metadata()
        .map_err(|error| cannot_write(path, &error))?;
    if metadata.len() == 0 {
        return Ok((file, false));
    }
    if !header.is_empty() && metadata.is_file() {
        check_columns(path, format, header)?;
    }
    if Packer::of_path(path).is_none() && lacks_newline(path) {
        // Rows never go on in a line that somebody left without an end.
        file.write_all(b"\n")
            .map_err(|error| cannot_write(path, &error))?;
    }
    Ok((file, true))
}

fn check_columns(path: &Path, format: &Format, header: &[u8]) -> Result<()> {
    let delimiter = if format.name == "tsv" { b'\t' } else { b',' };
    let names =
        |bytes: &[u8]| csv_header(bytes, delimiter, true, Encoding::Lossy).map(|(names, _)| names);
    // Who may write a file may not be allowed to read it.
    let Ok(beginning) = beginning(path) else {
        return Ok(());
    };
    let (known, ours) = (names(&beginning), names(header));
    if known == ours {
        return Ok(());
    }
    let shown = |names: Option<Vec<String>>| names.unwrap_or_default().join(", ");
    let error = Error::outside(
        format!("cannot append to {}", path.display()),
        "it has other columns",
    );
    Err(error
        .note(format!("its first line: {}", shown(known)))
        .note(format!("the columns of the query: {}", shown(ours)))
        .help("select the same columns in the same order, or write another file")
        .help("if its first line is a row: -H writes rows alone, and does not look at it"))
}

/// The first bytes of a file, without its compression.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let path = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let opened = open_file(path, Compression::Auto);
    let mut source = opened.map_err(|error| io::Error::other(error.to_string()))?;
    let mut bytes = Vec::new();
    while bytes.len() < HEADER_BYTES_MAX {
        let length = bytes.len();
        bytes.resize(length + (1 << 16), 0);
        let read = source.read(&mut bytes[length..]);
        bytes.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => break,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        if csv_header(&bytes, b',', false, Encoding::Lossy).is_some() {
            break;
        }
    }
    Ok(bytes)
}

/// True if the last line of a file has no end, as far as that can be read.
fn lacks_newline(path: &Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        io::Result::Ok(last != *b"\n")
    };
    last().unwrap_or(false)
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::outside(format!("cannot write {}", path.display()), Reason(error))
}
