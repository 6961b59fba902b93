//! All compressions give what was compressed, however the bytes arrive, and never wait while there is something.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;

use proptest::prelude::*;

use super::*;
use crate::connect::cannot_read;

const KINDS: [Compression; 5] = [
    Compression::Gzip,
    Compression::Zstd,
    Compression::Bzip2,
    Compression::Xz,
    Compression::Lz4,
];

fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match compression {
        Compression::Auto | Compression::None => out.extend_from_slice(bytes),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            out = encoder.finish().unwrap();
        }
        Compression::Zstd => out = zstd::encode_all(bytes, 1).unwrap(),
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(out, bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            out = encoder.finish().unwrap();
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(out, 1);
            encoder.write_all(bytes).unwrap();
            out = encoder.finish().unwrap();
        }
        Compression::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new()
                .block_checksums(true)
                .content_checksum(true)
                // Small ones, so that a cut has whole blocks before it.
                .block_size(lz4_flex::frame::BlockSize::Max64KB)
                .block_mode(lz4_flex::frame::BlockMode::Linked);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, out);
            encoder.write_all(bytes).unwrap();
            out = encoder.finish().unwrap();
        }
    }
    out
}

/// A pipe that gives one chunk at a time, and may be read only when somebody has waited for it.
struct Pipe {
    chunks: Vec<Vec<u8>>,
    was_waited_for: bool,
    /// Something to wait for: which one does not matter here.
    fd: File,
}

impl Pipe {
    fn new(chunks: Vec<Vec<u8>>) -> Self {
        Pipe {
            chunks: chunks.into_iter().rev().collect(),
            was_waited_for: false,
            fd: File::open("/dev/null").unwrap(),
        }
    }
}

/// Lets a test note that it waited.
struct Shared(std::sync::Arc<std::sync::Mutex<Pipe>>, File);

impl ByteSource for Shared {
    fn name(&self) -> &str {
        "pipe"
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.0.lock().unwrap();
        assert!(
            std::mem::take(&mut pipe.was_waited_for),
            "read without waiting"
        );
        let Some(chunk) = pipe.chunks.last_mut() else {
            return Ok(0);
        };
        let length = chunk.len().min(buffer.len());
        buffer[..length].copy_from_slice(&chunk[..length]);
        chunk.drain(..length);
        if chunk.is_empty() {
            pipe.chunks.pop();
        }
        Ok(length)
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        Some(self.1.as_fd())
    }
}

/// What comes of chunks, and of the first of them alone before more is waited for.
fn read_all(chunks: Vec<Vec<u8>>, room: usize) -> (Vec<u8>, Vec<usize>, Option<io::Error>) {
    let pipe = Pipe::new(chunks);
    let fd = pipe.fd.try_clone().unwrap();
    let pipe = std::sync::Arc::new(std::sync::Mutex::new(pipe));
    let shared = Shared(std::sync::Arc::clone(&pipe), fd);
    let mut source = decompressed(Box::new(shared), Compression::Auto);
    let (mut all, mut at_waits) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; room];
    loop {
        if source.wait_for().is_some() {
            at_waits.push(all.len());
            pipe.lock().unwrap().was_waited_for = true;
        }
        match source.read(&mut buffer) {
            Ok(0) => return (all, at_waits, None),
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                assert!(source.wait_for().is_some(), "nothing to wait for");
            }
            Err(error) => {
                assert!(source.wait_for().is_none() && source.read(&mut buffer).is_err());
                return (all, at_waits, Some(error));
            }
        }
    }
}

fn text(seed: u64, length: usize) -> Vec<u8> {
    let lines =
        (0..).map(|line: u64| format!("{line},{}\n", (line ^ seed).wrapping_mul(2_654_435_761)));
    let mut text: Vec<u8> = Vec::new();
    for line in lines {
        if text.len() >= length {
            break;
        }
        text.extend_from_slice(line.as_bytes());
    }
    text.truncate(length);
    text
}

fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let (mut chunks, mut rest) = (Vec::new(), bytes);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*size).clamp(1, rest.len()));
        chunks.push(chunk.to_vec());
        rest = behind;
    }
    chunks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn all_compressions_give_the_same_bytes(
        seed: u64,
        length in 0usize..200_000,
        members in 1usize..4,
        sizes in prop::collection::vec(prop_oneof![1usize..9, 1usize..5_000, 1usize..300_000], 1..6),
        room in prop_oneof![1usize..40, 4_000usize..300_000],
        padding in 0usize..3,
    ) {
        let plain = text(seed, if room < 40 { length / 50 } else { length });
        for kind in KINDS {
            let mut packed = Vec::new();
            for member in plain.chunks((plain.len() / members).max(1)) {
                packed.extend(compress(kind, member));
            }
            packed.extend(vec![0; padding * 4]);
            let packed = if plain.is_empty() { compress(kind, &plain) } else { packed };
            let (bytes, _, error) = read_all(cut(&packed, &sizes), room);
            prop_assert!(error.is_none(), "{kind:?}: {error:?}");
            prop_assert!(bytes == plain, "{kind:?}");
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic(
        seed: u64,
        place in 0usize..3_000,
        value: u8,
        length in 0usize..3_000,
    ) {
        for kind in KINDS {
            let mut packed = compress(kind, &text(seed, 5_000));
            packed.truncate(packed.len().min(length + 12));
            let place = place % packed.len();
            packed[place] ^= value;
            let (bytes, _, error) = read_all(vec![packed], 1_000);
            prop_assert!(bytes.len() <= 1 << 24, "{kind:?}: {error:?}");
        }
    }

    #[test]
    fn any_bytes_are_given_as_they_are_or_refused(bytes: Vec<u8>, sizes in prop::collection::vec(1usize..9, 1..4)) {
        let (given, _, error) = read_all(cut(&bytes, &sizes), 7);
        prop_assert!(error.is_some() || given == bytes);
    }
}

/// What a writer flushes comes out before anything else is waited for.
#[test]
fn what_was_flushed_is_given_at_once() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let (mut chunks, mut wanted, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for line in ["a,b\n", "1,2\n", "3,4\n"] {
        encoder.write_all(line.as_bytes()).unwrap();
        encoder.flush().unwrap();
        wanted.push(plain.len());
        plain.extend_from_slice(line.as_bytes());
        chunks.push(std::mem::take(encoder.get_mut()));
    }
    chunks.push(encoder.finish().unwrap());
    wanted.extend([plain.len(); 2]);
    let (bytes, at_waits, error) = read_all(chunks, 100);
    assert!(error.is_none() && bytes == plain);
    assert_eq!(at_waits, wanted);
}

#[test]
fn a_cut_gives_what_was_before_it_and_says_so() {
    let plain = text(7, 400_000);
    for kind in KINDS {
        let mut packed = compress(kind, &plain);
        packed.truncate(packed.len() - 20);
        let (bytes, _, error) = read_all(vec![packed], 10_000);
        // xz gives what it has of a block, bzip2 whole blocks of 100 kB.
        assert!(
            plain.starts_with(&bytes) && bytes.len() > 250_000,
            "{kind:?} {}",
            bytes.len()
        );
        let error = cannot_read("x", &error.unwrap()).to_string();
        assert!(
            error.contains("cannot read x") && error.contains("cut off"),
            "{error}"
        );
    }
}

#[test]
fn what_comes_before_damage_does_not_depend_on_the_room() {
    let plain = text(7, 300_000);
    for kind in [
        Compression::Gzip,
        Compression::Bzip2,
        Compression::Xz,
        Compression::Lz4,
    ] {
        let mut packed = compress(kind, &plain);
        let middle = packed.len() / 2;
        packed[middle] ^= 0x55;
        let read = |room| {
            let (bytes, _, error) = read_all(vec![packed.clone()], room);
            (bytes, error.unwrap().to_string())
        };
        let (bytes, error) = read(1 << 20);
        for room in [1, 7, 1_000, 1 << 16] {
            assert_eq!(read(room).1, error, "{kind:?} {room}");
            assert!(read(room).0 == bytes, "{kind:?} {room}");
        }
    }
}

#[test]
fn what_is_no_compression_is_plain_or_told() {
    for plain in [
        "",
        "B",
        "BZ",
        "BZh",
        "BZh9",
        "BZh9x\n1\n",
        "P\n",
        "PK,x\n",
        "\u{1f}x",
        "_\n",
    ] {
        let (bytes, _, error) = read_all(cut(plain.as_bytes(), &[1]), 10);
        assert!(error.is_none() && bytes == plain.as_bytes(), "{plain}");
    }
    let (_, _, error) = read_all(vec![b"PK\x03\x04rest".to_vec()], 10);
    let error = cannot_read("x.zip", &error.unwrap()).to_string();
    assert!(
        error.contains("zip archive") && error.contains("unzip -p"),
        "{error}"
    );
    let mut packed = compress(Compression::Gzip, b"a\n");
    packed.extend_from_slice(b"more");
    let (bytes, _, error) = read_all(vec![packed], 10);
    assert_eq!(bytes, b"a\n");
    assert!(error.unwrap().to_string().contains("something else"));
}

#[test]
fn a_window_that_is_too_large_is_refused_with_advice() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(b"a\n").unwrap();
    let packed = encoder.finish().unwrap();
    let (_, _, error) = read_all(vec![packed], 10);
    let error = cannot_read("x.zst", &error.unwrap()).to_string();
    assert!(
        error.contains("window of more than 64 MiB") && error.contains("zstdcat"),
        "{error}"
    );
}
