//! Turns the times of a source, texts and epoch numbers, into the `i64` of a time column.
//!
//! ```text
//!                        TIMESTAMP (wall clock)             TIMESTAMP_LTZ (instant)
//! 2026-07-01T12:00Z      the clock of the zone: 14:00       12:00 UTC
//! 2026-07-01T12:00       12:00                              12:00 in the zone: 10:00 UTC
//! 1782907200             the clock of the zone: 14:00       12:00 UTC         (zone Europe/Berlin)
//! ```
//!
//! Invariants: digits finer than the unit are cut towards the past; a time outside the range of the column
//! is `None`, never a wrong time. An ambiguous local time takes the earlier instant; a skipped one moves
//! forward by the length of the gap.

use chrono::format::{Item, Parsed, StrftimeItems};
use chrono::{Offset, TimeZone};

use super::log_time_text::{in_first_year_from, read_log_time};
use super::timestamp_text::{TextTime, read_iso};
use super::written_as::strftime_of;
use super::{MinuteMemo, Unit, Zone};
use crate::error::{Error, Result};

/// How the times of a column are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// ISO 8601 texts, and epoch numbers whose unit shows in their magnitude.
    #[default]
    Auto,
    /// The texts of a strftime format (`--ts-format`); numbers as in `Auto`.
    Strftime(String),
    /// Epoch numbers in this unit (`--ts-unit`); texts as in `Auto`.
    Epoch(EpochUnit),
}

/// The unit of epoch numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EpochUnit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

impl EpochUnit {
    /// The units with their spellings, for flags and messages.
    pub const NAMES: [(&'static str, EpochUnit); 4] = [
        ("s", EpochUnit::Second),
        ("ms", EpochUnit::Millisecond),
        ("us", EpochUnit::Microsecond),
        ("ns", EpochUnit::Nanosecond),
    ];

    /// The unit of a spelling such as `ms`.
    pub fn parse(text: &str) -> Result<Self> {
        let known = EpochUnit::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, unit)| *unit).ok_or_else(|| {
            Error::usage(format!("`{text}` is no unit of epoch numbers"))
                .note("units: s, ms, us, ns")
        })
    }

    /// Its spelling, such as `ms`.
    pub fn name(self) -> &'static str {
        match self {
            EpochUnit::Second => "s",
            EpochUnit::Millisecond => "ms",
            EpochUnit::Microsecond => "us",
            EpochUnit::Nanosecond => "ns",
        }
    }

    /// Nanoseconds in a step.
    pub fn nanoseconds(self) -> i64 {
        match self {
            EpochUnit::Second => 1_000_000_000,
            EpochUnit::Millisecond => 1_000_000,
            EpochUnit::Microsecond => 1_000,
            EpochUnit::Nanosecond => 1,
        }
    }

    /// The unit in which a number of this size is a time between 1970 and the year 5138.
    pub fn of_magnitude(magnitude: u128) -> Self {
        match magnitude {
            0..100_000_000_000 => EpochUnit::Second,
            100_000_000_000..100_000_000_000_000 => EpochUnit::Millisecond,
            100_000_000_000_000..100_000_000_000_000_000 => EpochUnit::Microsecond,
            _ => EpochUnit::Nanosecond,
        }
    }
}

/// Reads the times of one column; see the module.
#[derive(Debug, Clone)]
pub struct TimeReader {
    items: Option<Vec<Item<'static>>>,
    epoch_unit: Option<EpochUnit>,
    unit: Unit,
    zone: Zone,
    instant: bool,
    /// Times without a year are in the first one in which they do not come before this; `None` if there are
    /// no such times.
    years_from: Option<i64>,
}

impl TimeReader {
    /// A reader of times written as `format` into a column that counts in `unit` and holds instants
    /// (TIMESTAMP_LTZ) or wall clock times (TIMESTAMP) of `zone`. Fails for a bad strftime format.
    pub fn new(format: &TimeFormat, unit: Unit, zone: Zone, instant: bool) -> Result<Self> {
        let items = match format {
            TimeFormat::Strftime(text) => Some(strftime_items(text)?),
            TimeFormat::Auto | TimeFormat::Epoch(_) => None,
        };
        let epoch_unit = match format {
            TimeFormat::Epoch(unit) => Some(*unit),
            TimeFormat::Auto | TimeFormat::Strftime(_) => None,
        };
        Ok(TimeReader {
            items,
            epoch_unit,
            unit,
            zone,
            instant,
            years_from: None,
        })
    }

    /// The same reader where times may lack their year: they come in the first year in which they are not
    /// before this, in seconds since 1970 of the clock that they show.
    #[must_use]
    pub fn with_years_from(mut self, from: Option<i64>) -> Self {
        self.years_from = from;
        self
    }

    /// The time that a text names, in the unit of the column; `None` if it names none.
    #[inline]
    pub fn read(&self, text: &[u8]) -> Option<i64> {
        if let Some(items) = &self.items {
            return self.place(&read_strftime(text, items)?);
        }
        if let Some(time) = read_iso(text) {
            return self.place(&time);
        }
        match read_log_time(text) {
            Some(time) if time.year_unsaid => self.place(&TextTime {
                local_seconds: in_first_year_from(time.local_seconds, self.years_from?)?,
                ..time
            }),
            Some(time) => self.place(&time),
            None => self.read_number(text),
        }
    }

    /// The time that a text names, if that is simple because of the texts before it.
    #[inline(always)]
    pub fn read_in_known_minute(&self, memo: &MinuteMemo, text: &[u8]) -> Option<i64> {
        memo.read(text)
    }

    /// The time that a text names; remembers what makes the next ones simple.
    pub fn read_and_remember(&self, memo: &mut MinuteMemo, text: &[u8]) -> Option<i64> {
        let time = self.read(text)?;
        if self.items.is_none() {
            memo.notice(text, self.unit, |text| self.read(text));
        }
        Some(time)
    }

    /// The time that an epoch number, given as its text, stands for. A strftime format does not matter here.
    pub fn read_number(&self, text: &[u8]) -> Option<i64> {
        self.place_number(&EpochNumber::read(text.trim_ascii())?)
    }

    /// The same of an integer.
    pub fn read_integer(&self, number: i64) -> Option<i64> {
        self.place_number(&EpochNumber {
            mantissa: number.into(),
            exponent: 0,
        })
    }

    fn place_number(&self, number: &EpochNumber) -> Option<i64> {
        let nanoseconds = number.nanoseconds(self.epoch_unit)?;
        let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
        let rest = nanoseconds.rem_euclid(1_000_000_000) as u32;
        self.place_instant(seconds, rest)
    }

    /// The time of an instant, given in seconds and nanoseconds since 1970.
    pub fn read_instant(&self, seconds: i64, nanoseconds: u32) -> Option<i64> {
        self.place_instant(seconds, nanoseconds)
    }

    /// The time at which the clock of the zone shows these seconds and nanoseconds since 1970.
    pub fn read_wall_clock(&self, seconds: i64, nanoseconds: u32) -> Option<i64> {
        self.place(&TextTime {
            local_seconds: seconds,
            nanoseconds,
            fraction_digits: 0,
            offset_seconds: None,
            date_only: false,
            year_unsaid: false,
        })
    }

    fn place(&self, time: &TextTime) -> Option<i64> {
        match time.offset_seconds {
            Some(offset) => {
                self.place_instant(time.local_seconds - i64::from(offset), time.nanoseconds)
            }
            None if self.instant => {
                let seconds = instant_of_local(self.zone, time.local_seconds)?;
                self.in_unit(seconds, time.nanoseconds)
            }
            None => self.in_unit(time.local_seconds, time.nanoseconds),
        }
    }

    fn place_instant(&self, seconds: i64, nanoseconds: u32) -> Option<i64> {
        if self.instant {
            return self.in_unit(seconds, nanoseconds);
        }
        self.in_unit(local_of_instant(self.zone, seconds)?, nanoseconds)
    }

    fn in_unit(&self, seconds: i64, nanoseconds: u32) -> Option<i64> {
        let fraction = i64::from(nanoseconds) / self.unit.nanoseconds();
        // The first second of the range may start below i64::MIN and its fraction lift it back inside.
        let time = i128::from(seconds) * i128::from(self.unit.per_second()) + i128::from(fraction);
        i64::try_from(time).ok()
    }
}

/// True if a text of this strftime format says which instant it is.
pub fn strftime_names_instants(format: &str) -> bool {
    ["%z", "%:z", "%::z", "%#z", "%+", "%s"]
        .iter()
        .any(|specifier| format.contains(specifier))
}

/// Checks a format in the letters of strftime.
///
/// # Errors
/// It is none, with what it would be if it is one in the letters of Java.
pub fn check_strftime(format: &str) -> Result<()> {
    strftime_items(format).map(drop)
}

fn strftime_items(format: &str) -> Result<Vec<Item<'static>>> {
    if !format.contains('%') {
        let error = Error::usage(format!("`{format}` is no time format"));
        return Err(match strftime_of(format) {
            Some(meant) => error.help(format!("in the letters of strftime: '{meant}'")),
            None => error.help("write it in the letters of strftime, like '%d.%m.%Y %H:%M'"),
        });
    }
    // `%f` alone is nanoseconds here; people mean the fraction of the second, however many digits it has.
    let dotted = format.replace(".%f", "%.f");
    StrftimeItems::new(&dotted).parse_to_owned().map_err(|_| {
        Error::usage(format!("`{format}` is no time format")).help(
            "a time format is written like '%d/%b/%Y:%H:%M:%S %z'; epoch numbers are read by --ts-unit",
        )
    })
}

fn read_strftime(text: &[u8], items: &[Item<'static>]) -> Option<TextTime> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, items.iter()).ok()?;
    let offset_seconds = match (parsed.offset(), parsed.timestamp()) {
        (Some(offset), _) => Some(offset),
        (None, Some(_)) => Some(0),
        (None, None) => None,
    };
    let local = match parsed.to_naive_datetime_with_offset(offset_seconds.unwrap_or(0)) {
        Ok(time) => time,
        Err(_) if parsed.hour_div_12().is_none() && parsed.minute().is_none() => {
            parsed.to_naive_date().ok()?.and_hms_opt(0, 0, 0)?
        }
        Err(_) => return None,
    };
    let local = local.and_utc();
    let nanoseconds = local.timestamp_subsec_nanos();
    Some(TextTime {
        // A leap second comes as 1,000,000,000 ns and more.
        local_seconds: local.timestamp() + i64::from(nanoseconds / 1_000_000_000),
        nanoseconds: nanoseconds % 1_000_000_000,
        offset_seconds,
        fraction_digits: 0,
        date_only: false,
        year_unsaid: false,
    })
}

/// The decimal number `mantissa * 10^exponent`.
struct EpochNumber {
    mantissa: i128,
    exponent: i32,
}

impl EpochNumber {
    /// A number as JSON writes it, also with a `+`, leading zeros or a decimal comma. Fraction digits
    /// beyond the 30th significant digit are cut.
    fn read(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if !digits.first()?.is_ascii_digit() {
            return None;
        }
        let (mut mantissa, mut exponent, mut in_fraction) = (0i128, 0i32, false);
        let mut rest = digits;
        while let [byte, after @ ..] = rest {
            match byte {
                b'0'..=b'9' if mantissa < 1_000_000_000_000_000_000_000_000_000_000 => {
                    mantissa = mantissa * 10 + i128::from(byte - b'0');
                    exponent -= i32::from(in_fraction);
                }
                b'0'..=b'9' if in_fraction => {}
                b'.' | b',' if !in_fraction => in_fraction = true,
                b'e' | b'E' => {
                    let power: i32 = std::str::from_utf8(after).ok()?.parse().ok()?;
                    exponent = exponent.checked_add(power)?;
                    break;
                }
                _ => return None,
            }
            rest = after;
        }
        let mantissa = if negative { -mantissa } else { mantissa };
        Some(EpochNumber { mantissa, exponent })
    }

    /// Nanoseconds since 1970, cut towards the past; `None` far outside of any range.
    fn nanoseconds(&self, unit: Option<EpochUnit>) -> Option<i128> {
        if self.mantissa == 0 {
            return Some(0);
        }
        let whole = self.scaled(1)?;
        let unit = unit.unwrap_or_else(|| {
            // Of a negative number the cut part moved away from zero, by less than one.
            EpochUnit::of_magnitude(whole.unsigned_abs())
        });
        self.scaled(unit.nanoseconds())
    }

    /// The floor of `factor` times the number.
    fn scaled(&self, factor: i64) -> Option<i128> {
        if self.exponent >= 0 {
            let power = 10i128.checked_pow(u32::try_from(self.exponent).ok()?)?;
            return self.mantissa.checked_mul(power)?.checked_mul(factor.into());
        }
        let product = self.mantissa.checked_mul(factor.into());
        match (product, 10i128.checked_pow(self.exponent.unsigned_abs())) {
            (Some(product), Some(power)) => Some(product.div_euclid(power)),
            (None, Some(power)) => self.mantissa.div_euclid(power).checked_mul(factor.into()),
            (_, None) => Some(if self.mantissa < 0 { -1 } else { 0 }),
        }
    }
}

/// What the clocks of `zone` show at an instant; both in seconds since 1970-01-01T00:00.
fn local_of_instant(zone: Zone, seconds: i64) -> Option<i64> {
    if zone == Zone::UTC {
        return Some(seconds);
    }
    let utc = chrono::DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    Some(seconds + i64::from(offset.local_minus_utc()))
}

/// The instant at which the clocks of `zone` show a time; see the module for ambiguous and skipped times.
fn instant_of_local(zone: Zone, local_seconds: i64) -> Option<i64> {
    if zone == Zone::UTC {
        return Some(local_seconds);
    }
    let offset_at = |seconds: i64| {
        let local = chrono::DateTime::from_timestamp(seconds, 0)?.naive_utc();
        let found = zone.offset_from_local_datetime(&local).map(|o| o.fix());
        // The earlier of two instants has the clock that is further ahead.
        match found {
            chrono::LocalResult::Single(offset) => Some(offset.local_minus_utc()),
            chrono::LocalResult::Ambiguous(a, b) => {
                Some(a.local_minus_utc().max(b.local_minus_utc()))
            }
            chrono::LocalResult::None => None,
        }
    };
    // The offset from before a gap shows a skipped time as much later as the gap is long. No gap was ever
    // longer than a day.
    (0..=26)
        .find_map(|hours| offset_at(local_seconds - hours * 3_600))
        .map(|offset| local_seconds - i64::from(offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    const BERLIN: Zone = Zone::Europe__Berlin;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    fn check(format: &TimeFormat, instant: bool, text: &str, expected: Option<&str>) {
        let reader = TimeReader::new(format, Unit::Millisecond, BERLIN, instant).unwrap();
        let got = reader.read(text.as_bytes());
        assert_eq!(
            got,
            expected.map(ms),
            "{text} as {format:?}, instant {instant}"
        );
    }

    #[test]
    fn zones() {
        let auto = &TimeFormat::Auto;
        check(
            auto,
            false,
            "2026-07-01T12:00Z",
            Some("2026-07-01T14:00:00Z"),
        );
        check(
            auto,
            true,
            "2026-07-01T12:00Z",
            Some("2026-07-01T12:00:00Z"),
        );
        check(
            auto,
            false,
            "2026-07-01T12:00",
            Some("2026-07-01T12:00:00Z"),
        );
        check(auto, true, "2026-07-01T12:00", Some("2026-07-01T10:00:00Z"));
        check(
            auto,
            true,
            "2026-07-01T12:00-0100",
            Some("2026-07-01T13:00:00Z"),
        );
        check(auto, true, "2026-07-01", Some("2026-06-30T22:00:00Z"));
        // Skipped and shown twice.
        check(auto, true, "2026-03-29T02:30", Some("2026-03-29T01:30:00Z"));
        check(auto, true, "2026-10-25T02:30", Some("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn epochs() {
        let auto = &TimeFormat::Auto;
        for text in [
            "1782907200",
            "1782907200.0",
            "1782907200000",
            "1782907200000000",
            "1782907200000000000",
            "1.7829072e9",
            "1782907200,0009",
            "+1782907200",
        ] {
            check(auto, true, text, Some("2026-07-01T12:00:00Z"));
        }
        check(auto, false, "1782907200", Some("2026-07-01T14:00:00Z"));
        check(auto, true, "-0.5", Some("1969-12-31T23:59:59.500Z"));
        check(auto, true, "-0.0005", Some("1969-12-31T23:59:59.999Z"));
        check(auto, true, "0", Some("1970-01-01T00:00:00Z"));
        check(
            &TimeFormat::Epoch(EpochUnit::Millisecond),
            true,
            "1500",
            Some("1970-01-01T00:00:01.500Z"),
        );
        check(
            &TimeFormat::Epoch(EpochUnit::Second),
            true,
            "1970-01-02",
            Some("1970-01-01T23:00:00Z"),
        );
        for bad in [
            "",
            "-",
            "1.2.3",
            "12x",
            "1e",
            "e5",
            "1e999999999999",
            "nan",
            "1e38",
            ".",
        ] {
            check(auto, true, bad, None);
        }
    }

    #[test]
    fn strftime() {
        let check = |format: &str, text: &str, expected: Option<&str>| {
            check(&TimeFormat::Strftime(format.into()), true, text, expected);
        };
        let clf = "%d/%b/%Y:%H:%M:%S %z";
        check(
            clf,
            "10/Oct/2000:13:55:36 -0700",
            Some("2000-10-10T20:55:36Z"),
        );
        check(clf, "10/Oct/2000", None);
        check(
            "%d.%m.%Y %H:%M",
            "01.07.2026 12:00",
            Some("2026-07-01T10:00:00Z"),
        );
        check("%d.%m.%Y", "01.07.2026", Some("2026-06-30T22:00:00Z"));
        check(
            "%Y%m%d %H%M%S.%f",
            "20260701 120000.250",
            Some("2026-07-01T10:00:00.250Z"),
        );
        check("%s", "1782907200", Some("2026-07-01T12:00:00Z"));
        assert!(
            TimeReader::new(
                &TimeFormat::Strftime("%Q".into()),
                Unit::Millisecond,
                BERLIN,
                true
            )
            .is_err()
        );
    }

    /// Whether it helps is for the benchmarks; it must never be seen.
    fn check_memo(reader: &TimeReader, memo: &mut MinuteMemo, text: &str) -> bool {
        let expected = reader.read(text.as_bytes());
        let known = reader.read_in_known_minute(memo, text.as_bytes());
        if known.is_some() {
            assert_eq!(known, expected, "{text}");
        }
        assert_eq!(reader.read_and_remember(memo, text.as_bytes()), expected);
        known.is_some()
    }

    #[test]
    fn known_minutes() {
        let berlin = |instant| {
            TimeReader::new(&TimeFormat::Auto, Unit::Millisecond, BERLIN, instant).unwrap()
        };
        let texts = [
            "2026-01-01T12:00:00",
            "2026-01-01T12:00:00.5",
            "2026-01-01T12:00:59.123456789",
        ];
        for reader in [berlin(false), berlin(true)] {
            let mut memo = MinuteMemo::default();
            let known = texts.map(|text| check_memo(&reader, &mut memo, text));
            assert_eq!(known, [false, false, true]);
            for other in [
                "2026-01-01T12:00:60",
                "2026-01-01T12:00:01.1234567891",
                "2026-01-01T12:00:01Z",
                "2026-01-01T12:00:01+01:00",
                "2026-01-01T12:00:1",
                "2026-01-01T12:00",
                "2026-01-01T12:00:01.",
                " 2026-01-01T12:00:01",
                "2026-01-01T12:00:01 ",
                "2026-01-01t12:00:01",
            ] {
                assert!(!check_memo(&reader, &mut memo, other), "{other}");
            }
        }
        // Clocks that changed within a minute: local mean time ended.
        for (instant, suffix) in [(true, ""), (false, "Z")] {
            let mut memo = MinuteMemo::default();
            for minute in ["1893-03-31T23:06", "1893-04-01T00:00", "1893-03-31T23:59"] {
                for second in (0..60).chain(0..60) {
                    check_memo(
                        &berlin(instant),
                        &mut memo,
                        &format!("{minute}:{second:02}{suffix}"),
                    );
                }
            }
        }
        let strftime = TimeFormat::Strftime("%Y-%m-%dT%M:%H:%S".into());
        let reader = TimeReader::new(&strftime, Unit::Millisecond, BERLIN, true).unwrap();
        let mut memo = MinuteMemo::default();
        for _ in 0..5 {
            assert!(!check_memo(&reader, &mut memo, "2026-01-01T30:12:00"));
        }
    }

    proptest::proptest! {
        #[test]
        fn known_minutes_are_never_seen(
            texts in proptest::collection::vec(
                "(2026-03-29T0[123]:(59|00)|1893-0(3-31T23|4-01T00):(0[06]|59)|2262-04-11T23:47|1677-09-21T00:12):[0-6][0-9]([.,][0-9]{0,10})?(Z|z| UTC|[+]01:00|)", 1..40),
            instant: bool,
            unit in proptest::prop_oneof![
                proptest::strategy::Just(Unit::Millisecond),
                proptest::strategy::Just(Unit::Microsecond),
                proptest::strategy::Just(Unit::Nanosecond)],
            zone in proptest::prop_oneof![
                proptest::strategy::Just(Zone::UTC),
                proptest::strategy::Just(BERLIN),
                proptest::strategy::Just(Zone::Africa__Monrovia)],
        ) {
            let reader = TimeReader::new(&TimeFormat::Auto, unit, zone, instant).unwrap();
            let mut memo = MinuteMemo::default();
            for text in texts.iter().flat_map(|text| [text, text, text]) {
                check_memo(&reader, &mut memo, text);
            }
        }
    }

    #[test]
    fn ranges() {
        let check = |unit, text: &str, expected| {
            let reader = TimeReader::new(&TimeFormat::Auto, unit, Zone::UTC, true).unwrap();
            assert_eq!(reader.read(text.as_bytes()), expected, "{text}");
        };
        check(
            Unit::Nanosecond,
            "2262-04-11T23:47:16.854775807Z",
            Some(i64::MAX),
        );
        check(Unit::Nanosecond, "2262-04-11T23:47:16.854775808Z", None);
        check(
            Unit::Nanosecond,
            "1677-09-21T00:12:43.145224192Z",
            Some(i64::MIN),
        );
        check(Unit::Nanosecond, "1677-09-21T00:12:43.145224191Z", None);
        check(Unit::Microsecond, "1969-12-31T23:59:59.9999999", Some(-1));
        check(
            Unit::Millisecond,
            "9223372036854775807",
            Some(9_223_372_036_854),
        );
    }
}
