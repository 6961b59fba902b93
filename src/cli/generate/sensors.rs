//! `sensors`: temperatures and humidities that wander; now and then a value is missing.

use super::Generate;
use super::random::Random;
use super::row::Row;

pub(super) const COLUMNS: &[&str] = &["ts", "sensor", "temperature", "humidity"];

const SENSORS: usize = 20;

/// The state of each sensor, in thousandths.
pub(super) struct Sensors {
    temperatures: [i64; SENSORS],
    humidities: [i64; SENSORS],
}

impl Default for Sensors {
    fn default() -> Self {
        let temperature = |sensor: usize| 15_000 + 500 * sensor as i64;
        let humidity = |sensor: usize| 40_000 + 1_000 * sensor as i64;
        Sensors {
            temperatures: std::array::from_fn(temperature),
            humidities: std::array::from_fn(humidity),
        }
    }
}

/// A small step up or down, within bounds.
fn wander(value: &mut i64, random: &mut Random, low: i64, high: i64) -> i64 {
    *value = (*value + random.below(401) as i64 - 200).clamp(low, high);
    *value
}

impl Generate for Sensors {
    fn row(&mut self, random: &mut Random, row: &mut Row) {
        let sensor = random.below(SENSORS as u64) as usize;
        row.numbered(b"s", sensor as u64 + 1);
        let temperature = wander(&mut self.temperatures[sensor], random, -20_000, 45_000);
        let humidity = wander(&mut self.humidities[sensor], random, 0, 100_000);
        for (value, digits) in [(temperature, 2), (humidity, 1)] {
            if random.below(50) == 0 {
                row.missing();
            } else {
                row.decimal(value, digits);
            }
        }
    }
}
