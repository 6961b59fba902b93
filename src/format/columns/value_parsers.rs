//! Reads one value of each type from its text: a quick way for what is usual, an exact one for everything.
//!
//! Invariant: what the quick way returns is what the exact way would; it may decline anything.

use super::cells::CellKind;
use super::number_text;
use crate::time::{MinuteMemo, TimeReader, read_iso_clock, read_iso_date};

/// Why a value was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Misfit {
    /// It is no value of the column's type.
    Type,
    /// It is an integer that the column's DOUBLE would round.
    Inexact,
    /// It was written, but for keys that its ROW does not name.
    Unnamed,
    /// It is no time, in the column of the query's time attribute: the row stays, untimed.
    Untimed,
}

/// Reads the values of a column.
pub(in crate::format) trait Parser {
    /// What the column holds.
    type Value: Default;

    /// True if values of this kind, which is one of JSON and not NULL, can be read at all.
    fn takes(kind: CellKind) -> bool {
        kind == CellKind::Number
    }

    /// The value of the first `length` bytes of `text`, if that is simple. Blanks around it are not.
    #[inline(always)]
    fn quick(&mut self, _text: &[u8], _length: usize, _kind: CellKind) -> Option<Self::Value> {
        None
    }

    /// The value of the whole text, which has no blanks around it if it is a field.
    fn parse(&mut self, text: &[u8], kind: CellKind) -> Result<Self::Value, Misfit>;
}

/// Integers of any width.
pub(in crate::format) struct Integers<T>(pub(in crate::format) std::marker::PhantomData<T>);

impl<T: TryFrom<i64> + TryFrom<i128> + Default> Parser for Integers<T> {
    type Value = T;

    #[inline(always)]
    fn quick(&mut self, text: &[u8], length: usize, kind: CellKind) -> Option<T> {
        let value = number_text::quick_integer(text, length)?;
        is_bare(kind).then_some(())?;
        T::try_from(value).ok()
    }

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<T, Misfit> {
        let value = match number_text::small_integer(text) {
            Some(value) => T::try_from(value).ok(),
            None => number_text::integer(text).and_then(|value| T::try_from(value).ok()),
        };
        value.ok_or(Misfit::Type)
    }
}

/// DOUBLE.
pub(in crate::format) struct Doubles {
    /// True if an integer that would be rounded is a misfit.
    pub(in crate::format) exact_integers: bool,
}

impl Parser for Doubles {
    type Value = f64;

    #[inline(always)]
    fn quick(&mut self, text: &[u8], length: usize, kind: CellKind) -> Option<f64> {
        let value = number_text::quick_double(text, length)?;
        is_bare(kind).then_some(value)
    }

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<f64, Misfit> {
        if self.exact_integers && number_text::is_integer_beyond_double(text) {
            return Err(Misfit::Inexact);
        }
        number_text::double(text).ok_or(Misfit::Type)
    }
}

/// FLOAT.
pub(in crate::format) struct Floats;

impl Parser for Floats {
    type Value = f32;

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<f32, Misfit> {
        let value = number_text::double(text).ok_or(Misfit::Type)?;
        Ok(value as f32)
    }
}

/// DECIMAL.
pub(in crate::format) struct Decimals {
    pub(in crate::format) precision: u8,
    pub(in crate::format) scale: i8,
}

impl Parser for Decimals {
    type Value = i128;

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<i128, Misfit> {
        number_text::decimal(text, self.precision, self.scale).ok_or(Misfit::Type)
    }
}

/// BOOLEAN.
pub(in crate::format) struct Booleans;

impl Parser for Booleans {
    type Value = bool;

    fn takes(kind: CellKind) -> bool {
        kind == CellKind::Boolean
    }

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<bool, Misfit> {
        let is = |words: [&str; 4]| {
            words
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
        };
        if is(["true", "t", "yes", "1"]) {
            Ok(true)
        } else if is(["false", "f", "no", "0"]) {
            Ok(false)
        } else {
            Err(Misfit::Type)
        }
    }
}

/// DATE.
pub(in crate::format) struct Dates;

impl Parser for Dates {
    type Value = i32;

    fn takes(kind: CellKind) -> bool {
        matches!(kind, CellKind::Text | CellKind::Number)
    }

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<i32, Misfit> {
        read_iso_date(text).ok_or(Misfit::Type)
    }
}

/// TIME, in units of some nanoseconds.
pub(in crate::format) struct Clocks {
    pub(in crate::format) unit_nanoseconds: i64,
}

impl Parser for Clocks {
    type Value = i64;

    fn takes(kind: CellKind) -> bool {
        matches!(kind, CellKind::Text | CellKind::Number)
    }

    fn parse(&mut self, text: &[u8], _kind: CellKind) -> Result<i64, Misfit> {
        let nanoseconds = read_iso_clock(text).ok_or(Misfit::Type)?;
        Ok(nanoseconds / self.unit_nanoseconds)
    }
}

/// TIMESTAMP and TIMESTAMP_LTZ.
pub(in crate::format) struct Times<'a> {
    pub(in crate::format) reader: &'a TimeReader,
    pub(in crate::format) memo: &'a mut MinuteMemo,
}

impl Parser for Times<'_> {
    type Value = i64;

    fn takes(kind: CellKind) -> bool {
        matches!(kind, CellKind::Text | CellKind::Number)
    }

    #[inline(always)]
    fn quick(&mut self, text: &[u8], length: usize, kind: CellKind) -> Option<i64> {
        if kind == CellKind::Number {
            return None;
        }
        self.reader
            .read_in_known_minute(self.memo, text.get(..length)?)
    }

    fn parse(&mut self, text: &[u8], kind: CellKind) -> Result<i64, Misfit> {
        let time = match kind {
            CellKind::Number => self.reader.read_number(text),
            _ => self.reader.read_and_remember(self.memo, text),
        };
        time.ok_or(Misfit::Type)
    }
}

/// True for what a number may be.
#[inline(always)]
fn is_bare(kind: CellKind) -> bool {
    matches!(
        kind,
        CellKind::Field | CellKind::QuotedField | CellKind::Number
    )
}
