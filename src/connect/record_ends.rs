//! Where the records of a text end that is being written.
//!
//! ```text
//!   1,a⏎2,"b⏎c"⏎3,d⏎      Newline  1,a⏎ │ 2,"b⏎ │ c"⏎ │ 3,d⏎
//!                          Quoted   1,a⏎ │ 2,"b⏎c"⏎ │ 3,d⏎
//! ```

use memchr::{memchr_iter, memrchr_iter};

/// Where records end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnds {
    /// At every newline.
    Newline,
    /// At a newline outside of quotes.
    Quoted,
}

impl RecordEnds {
    /// The length of the first of some records.
    pub(super) fn first_record(self, records: &[u8]) -> usize {
        let mut is_quoted = false;
        let end = records.iter().position(|byte| match byte {
            b'"' if self == RecordEnds::Quoted => {
                is_quoted = !is_quoted;
                false
            }
            b'\n' => !is_quoted,
            _ => false,
        });
        end.map_or(records.len(), |end| end + 1)
    }

    /// The length of the records that are whole in `bytes`, which begin with a record.
    pub(super) fn whole_records(self, bytes: &[u8]) -> usize {
        let mut end = bytes.len();
        let mut quotes = match self {
            RecordEnds::Newline => 0,
            RecordEnds::Quoted => memchr_iter(b'"', bytes).count(),
        };
        for newline in memrchr_iter(b'\n', bytes) {
            if self == RecordEnds::Quoted {
                quotes -= memchr_iter(b'"', &bytes[newline..end]).count();
            }
            end = newline;
            if quotes % 2 == 0 {
                return newline + 1;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_records() {
        use RecordEnds::{Newline, Quoted};
        for (text, lines, records) in [
            ("", 0, 0),
            ("a", 0, 0),
            ("a\n", 2, 2),
            ("a\nb", 2, 2),
            ("a\nb\n", 4, 4),
            ("a\n\"b\nc", 5, 2),
            ("a\n\"b\nc\"\nd", 8, 8),
            ("\"\n", 2, 0),
            ("\"\"\"\n\"\n", 6, 6),
            ("\"\"\"\n\"", 4, 0),
        ] {
            assert_eq!(Newline.whole_records(text.as_bytes()), lines, "{text:?}");
            assert_eq!(Quoted.whole_records(text.as_bytes()), records, "{text:?}");
        }
    }

    /// Both ways to find ends find the same.
    #[test]
    fn first_records_add_up_to_the_whole_ones() {
        let text = b"a,\"x\ny\"\n\"\"\n\"q\"\"\n\"\n,,\n\"open";
        for ends in [RecordEnds::Newline, RecordEnds::Quoted] {
            for length in 0..=text.len() {
                let bytes = &text[..length];
                let mut whole = 0;
                while whole < length {
                    let next = whole + ends.first_record(&text[whole..]);
                    if next > length || text[next - 1] != b'\n' {
                        break;
                    }
                    whole = next;
                }
                assert_eq!(ends.whole_records(bytes), whole, "{ends:?} {length}");
            }
        }
    }
}
