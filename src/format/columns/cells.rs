//! The values of a column before they are read: where they stand in the text and what they were there.
//!
//! ```text
//!  chunk   web1,"say ""hi""",200⏎         cells   web1 | aside: say "hi" | 200
//!  aside   say "hi"
//! ```
//!
//! Invariants: a cell lies within the text that it names, and is text by itself. `aside` holds what does
//! not stand in the chunk as it is: unescaped or mended copies.

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) struct Cell {
    pub(in crate::format) start: u32,
    pub(in crate::format) length: u32,
    pub(in crate::format) kind: CellKind,
    /// True if it stands in [`Texts::aside`].
    pub(in crate::format) aside: bool,
}

/// What a value was in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum CellKind {
    /// JSON's `null`, or nothing at all.
    Null,
    /// A field without a type of its own.
    Field,
    /// A field that stood in quotes, without them: never NULL in a column of text.
    QuotedField,
    /// A number of JSON.
    Number,
    /// A string of JSON, unescaped.
    Text,
    /// `true` or `false` of JSON.
    Boolean,
    /// An array or object of JSON.
    Nested,
}

/// What cells refer to.
#[derive(Debug, Clone, Copy)]
pub(in crate::format) struct Texts<'a> {
    /// The text that is read.
    chunk: &'a [u8],
    /// Copies of what does not stand there as it is.
    aside: &'a [u8],
    /// Both, if all of them is UTF-8.
    checked: Option<(&'a str, &'a str)>,
}

impl<'a> Texts<'a> {
    /// The text that is read and what is beside it; `has_texts` says that there are columns of text, which
    /// are faster if all of it is UTF-8.
    pub(in crate::format) fn new(chunk: &'a [u8], aside: &'a [u8], has_texts: bool) -> Self {
        let checked = if has_texts {
            let chunk = std::str::from_utf8(chunk).ok();
            chunk.zip(std::str::from_utf8(aside).ok())
        } else {
            None
        };
        Texts {
            chunk,
            aside,
            checked,
        }
    }

    /// The same text with something else beside it.
    pub(in crate::format) fn with_aside(self, aside: &'a [u8]) -> Self {
        let checked = match self.checked {
            Some((chunk, _)) => std::str::from_utf8(aside).ok().map(|aside| (chunk, aside)),
            None => None,
        };
        Texts {
            aside,
            checked,
            ..self
        }
    }

    /// The text that is read and what is beside it, if all of both is known to be UTF-8.
    pub(in crate::format) fn checked(&self) -> Option<(&'a str, &'a str)> {
        self.checked
    }

    /// The text from the beginning of a cell on: at least the cell.
    #[inline]
    pub(in crate::format) fn from(&self, cell: Cell) -> &'a [u8] {
        let text = if cell.aside { self.aside } else { self.chunk };
        text.get(cell.start as usize..).unwrap_or_default()
    }

    /// The text of a cell.
    #[inline]
    pub(in crate::format) fn get(&self, cell: Cell) -> &'a [u8] {
        let text = self.from(cell);
        text.get(..cell.length as usize).unwrap_or(text)
    }

    /// A value as messages show it.
    pub(in crate::format) fn shown(&self, cell: Cell) -> String {
        let text = super::rows::shortened(&String::from_utf8_lossy(self.get(cell)));
        match cell.kind {
            CellKind::Text | CellKind::QuotedField => format!("{text:?}"),
            _ => text,
        }
    }
}
