//! What becomes of records whose bytes are not UTF-8 (`--encoding`).
//!
//! A block is checked as a whole; only if that fails are its records looked at one by one.

use std::borrow::Cow;

/// How the bytes of text are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8; a record that is not is a reject.
    Strict,
    /// UTF-8; what is not becomes U+FFFD, and the record is counted.
    #[default]
    Lossy,
    /// ISO 8859-1: every byte is a character.
    Latin1,
}

impl Encoding {
    /// The encodings with their spellings, for flags and messages.
    pub const NAMES: [(&'static str, Encoding); 3] = [
        ("strict", Encoding::Strict),
        ("lossy", Encoding::Lossy),
        ("latin1", Encoding::Latin1),
    ];

    /// What bytes outside of records say, such as names: what is not UTF-8 becomes U+FFFD there.
    pub fn text_of(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Encoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Encoding::Strict | Encoding::Lossy => String::from_utf8_lossy(bytes),
        }
    }
}

/// The check of one block.
pub(super) struct BlockText {
    encoding: Encoding,
    is_utf8: bool,
    scratch: Vec<u8>,
}

/// The text of a record.
pub(super) enum RecordText<'a> {
    /// The record itself.
    AsIs,
    /// A copy with every character in UTF-8; `mended` if bytes were replaced.
    Changed { text: &'a [u8], mended: bool },
    /// Bytes that `--encoding strict` does not take.
    NotUtf8,
}

impl BlockText {
    /// A block that is known to be ASCII.
    pub(super) fn of_ascii(encoding: Encoding) -> Self {
        BlockText {
            encoding,
            is_utf8: true,
            scratch: Vec::new(),
        }
    }

    /// True if every record is text as it is.
    pub(super) fn is_as_it_is(&self) -> bool {
        self.is_utf8
    }

    /// Checks `block`.
    pub(super) fn new(block: &[u8], encoding: Encoding) -> Self {
        let is_utf8 = match encoding {
            Encoding::Latin1 => block.is_ascii(),
            Encoding::Strict | Encoding::Lossy => std::str::from_utf8(block).is_ok(),
        };
        BlockText {
            encoding,
            is_utf8,
            scratch: Vec::new(),
        }
    }

    /// The text of one record of the block.
    #[inline]
    pub(super) fn of_record(&mut self, record: &[u8]) -> RecordText<'_> {
        if self.is_utf8 {
            return RecordText::AsIs;
        }
        self.check_record(record)
    }

    #[cold]
    fn check_record(&mut self, record: &[u8]) -> RecordText<'_> {
        self.scratch.clear();
        match self.encoding {
            Encoding::Latin1 => {
                let mut bytes = [0; 4];
                for byte in record {
                    let character = char::from(*byte).encode_utf8(&mut bytes);
                    self.scratch.extend_from_slice(character.as_bytes());
                }
                RecordText::Changed {
                    text: &self.scratch,
                    mended: false,
                }
            }
            _ if std::str::from_utf8(record).is_ok() => RecordText::AsIs,
            Encoding::Strict => RecordText::NotUtf8,
            Encoding::Lossy => {
                let mended = String::from_utf8_lossy(record);
                self.scratch.extend_from_slice(mended.as_bytes());
                RecordText::Changed {
                    text: &self.scratch,
                    mended: true,
                }
            }
        }
    }
}
