//! A row of sample data as csv or ndjson, value by value.

use super::GenerateFormat;
use crate::data::print::number::write_integer;
use crate::data::print::time::{Fraction, Suffix, Timestamps};

const TIMES: Timestamps = Timestamps {
    per_second: 1_000,
    fraction: Fraction::Always,
    separator: b'T',
    suffix: Suffix::Wall,
};

/// Appends rows to its bytes. Texts must need no escape.
pub(super) struct Row {
    pub(super) bytes: Vec<u8>,
    is_csv: bool,
    columns: &'static [&'static str],
    /// What stands in front of each value: `,` or `,"host":`.
    before: Vec<Vec<u8>>,
    column: usize,
}

impl Row {
    pub(super) fn new(format: GenerateFormat, columns: &'static [&'static str]) -> Self {
        let is_csv = format == GenerateFormat::Csv;
        let before = columns
            .iter()
            .enumerate()
            .map(|(place, name)| match (is_csv, place) {
                (true, 0) => Vec::new(),
                (true, _) => b",".to_vec(),
                (false, 0) => format!("{{\"{name}\":").into_bytes(),
                (false, _) => format!(",\"{name}\":").into_bytes(),
            });
        let before = before.collect();
        Row {
            bytes: Vec::with_capacity(super::BUFFER_BYTES + 4096),
            is_csv,
            columns,
            before,
            column: 0,
        }
    }

    pub(super) fn header(&mut self) {
        if self.is_csv {
            self.bytes
                .extend_from_slice(self.columns.join(",").as_bytes());
            self.bytes.push(b'\n');
        }
    }

    pub(super) fn begin(&mut self) {
        self.column = 0;
    }

    pub(super) fn end(&mut self) {
        debug_assert_eq!(self.column, self.columns.len());
        self.bytes
            .extend_from_slice(if self.is_csv { b"\n" } else { b"}\n" });
    }

    fn next(&mut self) {
        self.bytes.extend_from_slice(&self.before[self.column]);
        self.column += 1;
    }

    fn quote(&mut self) {
        if !self.is_csv {
            self.bytes.push(b'"');
        }
    }

    pub(super) fn time_ms(&mut self, value: i64) {
        self.next();
        self.quote();
        TIMES.write(value, &mut self.bytes);
        self.quote();
    }

    pub(super) fn text(&mut self, value: &[u8]) {
        self.next();
        self.quote();
        self.bytes.extend_from_slice(value);
        self.quote();
    }

    /// A text of a prefix and a number.
    pub(super) fn numbered(&mut self, prefix: &[u8], number: u64) {
        self.next();
        self.quote();
        self.bytes.extend_from_slice(prefix);
        write_integer(number, &mut self.bytes);
        self.quote();
    }

    pub(super) fn integer(&mut self, value: u64) {
        self.next();
        write_integer(value, &mut self.bytes);
    }

    /// A number with `digits` digits behind the point (1 to 3), given in thousandths.
    pub(super) fn decimal(&mut self, thousandths: i64, digits: usize) {
        self.next();
        if thousandths < 0 {
            self.bytes.push(b'-');
        }
        let thousandths = thousandths.unsigned_abs();
        write_integer(thousandths / 1_000, &mut self.bytes);
        let rest = thousandths % 1_000;
        let text = [
            b'.',
            b'0' + (rest / 100) as u8,
            b'0' + (rest / 10 % 10) as u8,
            b'0' + (rest % 10) as u8,
        ];
        self.bytes.extend_from_slice(&text[..=digits.clamp(1, 3)]);
    }

    pub(super) fn missing(&mut self) {
        self.next();
        if !self.is_csv {
            self.bytes.extend_from_slice(b"null");
        }
    }
}
