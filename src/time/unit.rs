//! The unit that a time column counts in, and the zone of instants.

use arrow::datatypes::{DataType, TimeUnit};

/// The zone of `--tz`: a name of the time zone database.
pub type Zone = chrono_tz::Tz;

/// The zone whose name is closest to `name`: all of it, or what stands behind its last `/`.
pub fn nearest_zone(name: &str) -> Option<&'static str> {
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let city = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
    let by_city = || {
        let near = crate::error::closest(name.rsplit('/').next()?, names().map(city))?;
        names().find(|zone| city(zone) == near)
    };
    crate::error::closest(name, names()).or_else(by_city)
}

/// What one step of a time column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Milliseconds: `TIMESTAMP(0)` to `TIMESTAMP(3)`.
    Millisecond,
    /// Microseconds: `TIMESTAMP(4)` to `TIMESTAMP(6)`, and a bare `TIMESTAMP`.
    Microsecond,
    /// Nanoseconds: `TIMESTAMP(7)` to `TIMESTAMP(9)`.
    Nanosecond,
}

impl Unit {
    /// The unit for a declared number of fractional digits.
    pub fn of_precision(digits: u64) -> Self {
        match digits {
            0..=3 => Unit::Millisecond,
            4..=6 => Unit::Microsecond,
            _ => Unit::Nanosecond,
        }
    }

    /// The unit of a column, `None` if it holds no time attribute.
    pub fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => None,
                TimeUnit::Millisecond => Some(Unit::Millisecond),
                TimeUnit::Microsecond => Some(Unit::Microsecond),
                TimeUnit::Nanosecond => Some(Unit::Nanosecond),
            },
            _ => None,
        }
    }

    /// Steps in a second.
    pub fn per_second(self) -> i64 {
        match self {
            Unit::Millisecond => 1_000,
            Unit::Microsecond => 1_000_000,
            Unit::Nanosecond => 1_000_000_000,
        }
    }

    /// Nanoseconds in a step.
    pub fn nanoseconds(self) -> i64 {
        1_000_000_000 / self.per_second()
    }

    /// Fractional digits of a second.
    pub fn digits(self) -> usize {
        match self {
            Unit::Millisecond => 3,
            Unit::Microsecond => 6,
            Unit::Nanosecond => 9,
        }
    }

    /// The unit in arrow's words.
    pub fn arrow(self) -> TimeUnit {
        match self {
            Unit::Millisecond => TimeUnit::Millisecond,
            Unit::Microsecond => TimeUnit::Microsecond,
            Unit::Nanosecond => TimeUnit::Nanosecond,
        }
    }
}
