//! How times are written, for who has to say it in the letters of strftime: the formats that fit a text, and what a
//! pattern in the letters of Java would be.
//!
//! ```text
//!   01.10.2026 10:42        %d.%m.%Y %H:%M
//!   03/04/2026              %d/%m/%Y or %m/%d/%Y
//!   dd.MM.yyyy HH:mm        %d.%m.%Y %H:%M
//! ```
//!
//! Invariant: what is suggested for a text reads it.

use super::time_reader::{TimeFormat, TimeReader};
use super::{Unit, Zone};

/// How days are written.
const DAYS: [&str; 17] = [
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y.%m.%d",
    "%Y-%m-%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d/%b/%Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%Y%m%d",
];

/// What stands between a day and a clock.
const BETWEEN: [&str; 8] = [" ", "T", ", ", ":", "-", "_", " - ", ""];

/// How clocks are written.
const CLOCKS: [&str; 8] = [
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S%.f",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%H.%M",
    "%H.%M.%S",
    "%H%M%S",
];

/// The offset behind them.
const OFFSETS: [&str; 3] = ["", " %z", "%z"];

/// 1970 and 2100: a year of two digits that is read as one of four lies before.
const USUAL_SECONDS: std::ops::Range<i64> = 0..4_102_444_800;

/// The formats that read a text, two at most.
pub fn formats_of(text: &str) -> Vec<String> {
    let text = text.trim();
    // Most formats cannot fit, and that is seen at once.
    let sign = |text: &str| text.chars().find(|c| !c.is_alphanumeric() && *c != '%');
    let days = DAYS.iter().filter(|day| {
        let is_compact = **day == "%Y%m%d";
        is_compact || sign(day) == sign(text)
    });
    let mut found: Vec<String> = Vec::new();
    for day in days {
        // A blank in a format also stands for none.
        let between = BETWEEN.iter().filter(|between| text.contains(**between));
        let clocks = between.flat_map(|between| {
            CLOCKS.iter().flat_map(move |clock| {
                OFFSETS
                    .iter()
                    .map(move |offset| format!("{day}{between}{clock}{offset}"))
            })
        });
        let alone = std::iter::once(String::from(*day));
        let fitting = alone.chain(clocks).find(|format| reads(format, text));
        found.extend(fitting);
        if found.len() == 2 {
            break;
        }
    }
    found
}

fn reads(format: &str, text: &str) -> bool {
    let format = TimeFormat::Strftime(format.to_owned());
    let reader = TimeReader::new(&format, Unit::Millisecond, Zone::UTC, false);
    let time = reader.ok().and_then(|reader| reader.read(text.as_bytes()));
    time.is_some_and(|time| USUAL_SECONDS.contains(&time.div_euclid(1_000)))
}

/// A pattern in the letters of Java, or of Oracle, in those of strftime; `None` if it is neither.
pub fn strftime_of(pattern: &str) -> Option<String> {
    let pattern = pattern.replace("HH24", "HH").replace("MI", "mm");
    let has_half_days = pattern.contains('a');
    // Small letters alone: what stands in front of the hours, or without any, are months.
    let hours = pattern.find(['h', 'H', 'k', 'K']).unwrap_or(pattern.len());
    let is_month = |place: usize| place < hours && !pattern.contains('M');
    let mut made = String::new();
    let mut letters = 0;
    let mut rest = pattern.as_str();
    while let Some(first) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(first).len();
        let count = run / first.len_utf8();
        if first == '\'' {
            let (literal, behind) = rest[1..].split_once('\'')?;
            made.push_str(literal);
            rest = behind;
            continue;
        }
        if first.is_alphabetic() {
            letters += 1;
        }
        let is_fraction = first == 'S' && (count > 2 || made.ends_with(['.', ',']));
        match (first, count) {
            _ if is_fraction && made.ends_with('.') => {
                made.pop();
                made.push_str("%.f");
            }
            _ if is_fraction => made.push_str(match count {
                1..=3 => "%3f",
                4..=6 => "%6f",
                _ => "%9f",
            }),
            ('y' | 'Y' | 'u', 2) => made.push_str("%y"),
            ('y' | 'Y' | 'u', 1 | 3..) => made.push_str("%Y"),
            ('M', 1 | 2) => made.push_str("%m"),
            ('M', 3) => made.push_str("%b"),
            ('M', 4..) => made.push_str("%B"),
            ('d' | 'D', 1 | 2) => made.push_str("%d"),
            ('D', 3) => made.push_str("%j"),
            ('H' | 'k', 1 | 2) => made.push_str("%H"),
            ('h' | 'K', 1 | 2) if has_half_days => made.push_str("%I"),
            ('h' | 'K', 1 | 2) => made.push_str("%H"),
            ('m', 1 | 2) if is_month(pattern.len() - rest.len()) => made.push_str("%m"),
            ('m', 1 | 2) => made.push_str("%M"),
            ('s' | 'S', 1 | 2) => made.push_str("%S"),
            ('a', _) => made.push_str("%p"),
            ('E', 1..=3) => made.push_str("%a"),
            ('E', _) => made.push_str("%A"),
            ('X' | 'x' | 'Z', _) => made.push_str("%z"),
            ('T', 1) => made.push('T'),
            (other, _) if other.is_alphanumeric() => return None,
            _ => made.push_str(&rest[..run]),
        }
        rest = &rest[run..];
    }
    (letters > 1).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_formats() {
        for (text, expected) in [
            ("01.10.2026 10:42", &["%d.%m.%Y %H:%M"][..]),
            ("1.10.26", &["%d.%m.%y"]),
            ("01.10.2026, 10:42:07", &["%d.%m.%Y, %H:%M:%S"]),
            ("03/04/2026", &["%d/%m/%Y", "%m/%d/%Y"]),
            ("13/04/2026 10:00", &["%d/%m/%Y %H:%M"]),
            ("04/13/2026 1:00 PM", &["%m/%d/%Y %I:%M %p"]),
            ("20261001104207", &["%Y%m%d%H%M%S"]),
            ("20261001-104207", &["%Y%m%d-%H%M%S"]),
            ("20261001", &["%Y%m%d"]),
            ("01-Oct-2026 10:42:07.123", &["%d-%b-%Y %H:%M:%S%.f"]),
            ("01/Oct/2026:10:42:07 +0200", &["%d/%b/%Y:%H:%M:%S %z"]),
            ("Oct 1, 2026", &["%b %d, %Y"]),
            ("never", &[]),
            ("32.10.2026", &[]),
            ("", &[]),
        ] {
            assert_eq!(formats_of(text), expected, "{text}");
        }
    }

    #[test]
    fn letters_of_others() {
        for (pattern, expected) in [
            ("dd.MM.yyyy HH:mm", Some("%d.%m.%Y %H:%M")),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", Some("%Y-%m-%dT%H:%M:%S%.f%z")),
            ("yyyy-MM-dd HH:mm:ss,SSS", Some("%Y-%m-%d %H:%M:%S,%3f")),
            ("dd/MMM/yyyy hh:mm a", Some("%d/%b/%Y %I:%M %p")),
            ("YYYY-MM-DD HH24:MI:SS", Some("%Y-%m-%d %H:%M:%S")),
            ("yyyyMMddHHmmss", Some("%Y%m%d%H%M%S")),
            ("iso", None),
            ("'open", None),
            ("", None),
        ] {
            assert_eq!(strftime_of(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
