//! Which column is the time, and which type its texts or numbers ask for.

use arrow::datatypes::DataType;

use super::hints::Hints;
use super::inside::{column_inside, names_inside, retype, sample_inside};
use super::joined::{day_alone, joined_time};
use super::sample::{Guess, GuessedColumn, SampleColumn, SampleValue, find_column, no_column};
use crate::data::Metadata;
use crate::error::Result;
use crate::format::{Format, PREFIX_TIME_COLUMN};
use crate::time::{
    EpochUnit, TimeFormat, TimeReader, Unit, Zone, read_iso, read_log_time, strftime_names_instants,
};

/// The names that make a column the time, if it holds times; the first of them wins.
pub const TIME_NAMES: [&str; 13] = [
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "datetime",
    "date",
    "t",
    "eventTime",
    "event_time",
    "time_local",
    "__REALTIME_TIMESTAMP",
    "window_start",
    PREFIX_TIME_COLUMN,
];

/// DATE or a TIMESTAMP if every text of the column is one.
pub(super) fn time_type(
    column: &SampleColumn,
    zone: Zone,
    may_lack_year: bool,
) -> Option<(DataType, Option<TimeFormat>)> {
    let (mut all_dates, mut instant, mut digits) = (true, false, 0);
    for value in &column.values {
        match value {
            SampleValue::Null => {}
            SampleValue::Text(text) => {
                let text = text.as_bytes();
                let time = read_iso(text).or_else(|| read_log_time(text))?;
                if time.year_unsaid && !may_lack_year {
                    return None;
                }
                all_dates &= time.date_only;
                instant |= time.offset_seconds.is_some();
                digits = digits.max(time.fraction_digits);
            }
            _ => return None,
        }
    }
    if all_dates {
        return Some((DataType::Date32, None));
    }
    Some((timestamp(digits, instant, zone), Some(TimeFormat::Auto)))
}

fn timestamp(digits: usize, instant: bool, zone: Zone) -> DataType {
    let unit = if digits > 6 {
        Unit::Nanosecond
    } else {
        Unit::Microsecond
    };
    DataType::Timestamp(unit.arrow(), instant.then(|| zone.name().into()))
}

/// Marks the time column of the guess and gives it a TIMESTAMP type, or lists the candidates.
pub(super) fn find_time_column(
    guess: &mut Guess,
    sampled: &[SampleColumn],
    hints: &Hints,
) -> Result<()> {
    let as_time = |guess: &Guess, place: usize, named: bool| {
        time_attribute(guess, sampled.get(place), place, named, hints)
    };
    if let Some(name) = &hints.ts {
        let is_arrival = Metadata::of_name(name) == Some(Metadata::Arrival);
        if is_arrival && find_column(&guess.columns, name).is_none() {
            // The time of reading needs no column.
            return Ok(());
        }
        let Some(place) = find_column(&guess.columns, name) else {
            return time_inside(guess, sampled, name, hints);
        };
        let found = as_time(guess, place, true)?;
        let (data_type, format) = found.unwrap_or_else(|| whatever_comes(hints));
        set(guess, place, data_type, format);
        return Ok(());
    }
    for name in TIME_NAMES {
        let same = |place: &usize| guess.columns[*place].name.eq_ignore_ascii_case(name);
        let places: Vec<usize> = (0..guess.columns.len()).filter(same).collect();
        for place in places {
            if let Some(joined) = joined_time(guess, sampled, place, hints) {
                let (name, text) = (&joined.name, joined.text());
                guess.notes.push(format!("the time is `{name}`: {text}"));
                guess.joined_time = Some(joined);
                return Ok(());
            }
            if let Some((data_type, format)) = as_time(guess, place, true)? {
                guess.notes.extend(day_alone(guess, place));
                set(guess, place, data_type, format);
                return Ok(());
            }
        }
    }
    only_time(guess, sampled, hints)
}

/// The columns that hold times, with how they are read; `named`: as if their names said so.
fn times(
    guess: &Guess,
    sampled: &[SampleColumn],
    named: bool,
    hints: &Hints,
) -> Result<Vec<(usize, DataType, TimeFormat)>> {
    let mut found = Vec::new();
    for place in 0..guess.columns.len() {
        let time = time_attribute(guess, sampled.get(place), place, named, hints)?;
        found.extend(time.map(|(data_type, format)| (place, data_type, format)));
    }
    Ok(found)
}

/// The only column that holds times, inside of ROWs where none does, or mostly times where that holds none, either.
fn only_time(guess: &mut Guess, sampled: &[SampleColumn], hints: &Hints) -> Result<()> {
    // Who says how times are written means the texts that are.
    let mut found = match hints.ts_format {
        Some(_) => times(guess, sampled, true, hints)?,
        None => Vec::new(),
    };
    found.retain(|(place, ..)| guess.columns[*place].data_type == DataType::Utf8View);
    if found.is_empty() {
        found = times(guess, sampled, false, hints)?;
    }
    if found.is_empty() {
        only_time_inside(guess, sampled, hints)?;
        if guess.time_column.is_some() || !guess.time_candidates.is_empty() {
            return Ok(());
        }
        for (place, column) in guess.columns.iter().enumerate() {
            let values = sampled.get(place).map(|column| &column.values[..]);
            let is_text = column.data_type == DataType::Utf8View && !is_typed(guess, place, hints);
            if let Some(values) = values.filter(|_| is_text)
                && let Some((data_type, format)) = mostly_times(values, false, hints)
            {
                found.push((place, data_type, format));
            }
        }
    }
    if found.len() == 1 {
        for (place, data_type, format) in found {
            set(guess, place, data_type, format);
        }
    } else {
        let names = found
            .iter()
            .map(|(place, _, _)| guess.columns[*place].name.clone());
        guess.time_candidates = names.collect();
    }
    Ok(())
}

/// Whatever the sample holds there, the user says that times come.
fn whatever_comes(hints: &Hints) -> (DataType, TimeFormat) {
    let data_type = timestamp(0, hints.ts_format.is_none(), hints.zone);
    (data_type, wanted_format(hints))
}

/// Marks what a dotted name reads inside of a column as the time.
fn time_inside(
    guess: &mut Guess,
    sampled: &[SampleColumn],
    name: &str,
    hints: &Hints,
) -> Result<()> {
    let column = column_inside(&guess.columns, name)
        .ok_or_else(|| no_column(&guess.columns, name, "--ts"))?;
    let (name, place) = (column.name.clone(), guess.columns.len());
    let sample = sample_at(guess, sampled, &column);
    guess.columns.push(column);
    let found = time_attribute(guess, Some(&sample), place, true, hints)?;
    if let Some((data_type, TimeFormat::Auto)) = &found {
        retype(&mut guess.columns, &name, data_type);
    }
    let (data_type, format) = found.unwrap_or_else(|| whatever_comes(hints));
    set(guess, place, data_type, format);
    Ok(())
}

/// Where no column holds times: the first of the names of times inside of ROWs, else the only time there.
fn only_time_inside(guess: &mut Guess, sampled: &[SampleColumn], hints: &Hints) -> Result<()> {
    let mut named: Vec<(usize, String)> = Vec::new();
    let mut others = Vec::new();
    for name in names_inside(&guess.columns) {
        let Some(column) = column_inside(&guess.columns, &name) else {
            continue;
        };
        let last = column.path.last().map_or("", String::as_str);
        let rank = TIME_NAMES
            .iter()
            .position(|time| time.eq_ignore_ascii_case(last));
        let place = guess.columns.len();
        let sample = sample_at(guess, sampled, &column);
        let is_said = matches!(column.data_type, DataType::Timestamp(..));
        guess.columns.push(column);
        let found = time_attribute(guess, Some(&sample), place, rank.is_some(), hints);
        guess.columns.truncate(place);
        match (found?, rank) {
            (Some(_), _) if !is_said && sample.values.is_empty() => {}
            (Some(_), Some(rank)) => named.push((rank, name)),
            (Some(_), None) => others.push(name),
            (None, _) => {}
        }
    }
    named.sort();
    let best = named.first().map(|(rank, _)| *rank);
    named.retain(|(rank, _)| Some(*rank) == best);
    let mut found: Vec<String> = named.into_iter().map(|(_, name)| name).collect();
    if found.is_empty() {
        found = others;
    }
    match found.as_slice() {
        [name] => time_inside(guess, sampled, name, hints),
        _ => {
            guess.time_candidates = found;
            Ok(())
        }
    }
}

/// What the sample shows of a column inside of another.
fn sample_at(guess: &Guess, sampled: &[SampleColumn], column: &GuessedColumn) -> SampleColumn {
    let is_root = |root: &GuessedColumn| root.path.is_empty() && root.source == column.source;
    let root = guess.columns.iter().position(is_root);
    let outer = root.and_then(|root| sampled.get(root));
    outer.map_or_else(SampleColumn::default, |outer| {
        sample_inside(outer, &column.path)
    })
}

fn set(guess: &mut Guess, place: usize, data_type: DataType, format: TimeFormat) {
    let column = &mut guess.columns[place];
    column.data_type = data_type;
    column.time_format = Some(format);
    column.exact_integers = false;
    guess.time_column = Some(place);
}

fn wanted_format(hints: &Hints) -> TimeFormat {
    match (&hints.ts_format, hints.ts_unit) {
        (Some(format), _) => TimeFormat::Strftime(format.clone()),
        (None, Some(unit)) => TimeFormat::Epoch(unit),
        (None, None) => TimeFormat::Auto,
    }
}

/// The type of a column as the time attribute, if it holds times. `named` columns may hold numbers.
fn time_attribute(
    guess: &Guess,
    sampled: Option<&SampleColumn>,
    place: usize,
    named: bool,
    hints: &Hints,
) -> Result<Option<(DataType, TimeFormat)>> {
    let column = &guess.columns[place];
    let format = wanted_format(hints);
    if is_typed(guess, place, hints) {
        let is_time = Unit::of(&column.data_type).is_some();
        return Ok(is_time.then(|| (column.data_type.clone(), format)));
    }
    let values = sampled.map_or(&[][..], |column| &column.values);
    if let (Some(text), true) = (&hints.ts_format, named) {
        let instant = strftime_names_instants(text);
        let reader = TimeReader::new(&format, Unit::Microsecond, hints.zone, instant)?;
        let is_time = |text: &&str| reader.read(text.as_bytes()).is_some();
        let texts = values.iter().filter_map(text_of);
        let fits = are_most(texts.clone().filter(is_time).count(), texts.count(), named);
        let digits = if text.contains("%9f") || text.contains("%.9f") {
            9
        } else {
            6
        };
        return Ok(fits.then(|| (timestamp(digits, instant, hints.zone), format)));
    }
    Ok(match &column.data_type {
        DataType::Timestamp(_, _) => Some((column.data_type.clone(), format)),
        DataType::Date32 => Some((timestamp(0, false, hints.zone), format)),
        DataType::Int64 | DataType::Float64 if named => {
            let is_sure = hints.ts.is_some() || hints.ts_unit.is_some();
            let texts = values.iter().filter_map(text_of);
            let plausible = is_sure || texts.clone().all(is_epoch) || {
                let epochs = texts.filter(|text| is_epoch(text)).count();
                are_most(epochs, values.len(), false)
            };
            let digits = epoch_digits(values, hints.ts_unit);
            plausible.then(|| (timestamp(digits, true, hints.zone), format))
        }
        DataType::Utf8View if named => {
            // Epoch numbers in quotes.
            let texts = values.iter().filter_map(text_of);
            let epochs = texts.clone().filter(|text| is_epoch(text)).count();
            let fits = are_most(epochs, texts.count(), named);
            let digits = epoch_digits(values, hints.ts_unit);
            let epochs = fits.then(|| (timestamp(digits, true, hints.zone), format));
            epochs.or_else(|| mostly_times(values, named, hints))
        }
        _ => None,
    })
}

/// True if `--types` says what the column holds.
fn is_typed(guess: &Guess, place: usize, hints: &Hints) -> bool {
    let mut types = hints.types.iter();
    types.any(|(name, _)| find_column(&guess.columns, name) == Some(place))
}

/// True if so many of `all` values are times that the others are rows without one: half of those in a column whose
/// name says that it is the time, else two at least and four of five.
fn are_most(times: usize, all: usize, named: bool) -> bool {
    match named {
        true => times > 0 && times * 2 >= all,
        false => times >= 2 && times * 5 >= all * 4,
    }
}

/// The type of a column of texts most of which are times, whatever the others are.
fn mostly_times(
    values: &[SampleValue],
    named: bool,
    hints: &Hints,
) -> Option<(DataType, TimeFormat)> {
    if hints.ts_format.is_some() || hints.ts_unit.is_some() {
        return None;
    }
    let is_time = |value: &&SampleValue| match value {
        SampleValue::Text(text) => {
            let time = read_iso(text.as_bytes()).or_else(|| read_log_time(text.as_bytes()));
            time.is_some_and(|time| !time.year_unsaid)
        }
        _ => false,
    };
    let is_null_word = |value: &SampleValue| match value {
        SampleValue::Text(text) => hints.nulls.holds_for_values(text.as_bytes()),
        SampleValue::Null => true,
        _ => false,
    };
    let times = SampleColumn {
        values: values.iter().filter(is_time).cloned().collect(),
        ..SampleColumn::default()
    };
    let all = values.iter().filter(|value| !is_null_word(value)).count();
    if !are_most(times.values.len(), all, named) {
        return None;
    }
    let (data_type, _) = time_type(&times, hints.zone, false)?;
    let data_type = match data_type {
        DataType::Date32 => timestamp(0, false, hints.zone),
        other => other,
    };
    Some((data_type, TimeFormat::Auto))
}

/// What is to say where lines name a zone that is not read.
pub(super) fn unread_zone(guess: &Guess, sample: &[u8], hints: &Hints) -> Option<String> {
    let Format::Lines(options) = &guess.format else {
        return None;
    };
    let time = &guess.columns[guess.time_column?];
    let is_clock = matches!(time.data_type, DataType::Timestamp(_, None));
    let zone = options.layout.unread_zone(sample).filter(|_| is_clock)?;
    Some(format!(
        "the times name the zone {zone}, which is not read: they are what a clock showed, in the zone of --tz ({})",
        hints.zone.name()
    ))
}

fn text_of(value: &SampleValue) -> Option<&str> {
    match value {
        SampleValue::Integer(text) | SampleValue::Decimal(text) | SampleValue::Text(text) => {
            Some(text)
        }
        SampleValue::Null | SampleValue::Boolean | SampleValue::Nested(_) => None,
    }
}

/// 9 if the epoch numbers are nanoseconds, else 6.
fn epoch_digits(values: &[SampleValue], unit: Option<EpochUnit>) -> usize {
    let is_nanoseconds = |text: &str| {
        let number = text.parse::<f64>().unwrap_or(0.0).abs();
        unit.unwrap_or_else(|| EpochUnit::of_magnitude(number as u128)) == EpochUnit::Nanosecond
    };
    if values.iter().filter_map(text_of).any(is_nanoseconds) {
        9
    } else {
        6
    }
}

/// True if the number is a time between 1973 and 2286 in some unit.
fn is_epoch(text: &str) -> bool {
    let Ok(number) = text.parse::<f64>() else {
        return false;
    };
    let unit = EpochUnit::of_magnitude(number.abs() as u128);
    let seconds = number * unit.nanoseconds() as f64 / 1e9;
    (1e8..1e10).contains(&seconds)
}
