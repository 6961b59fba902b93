//! Whether the first record of a CSV sample names its columns.
//!
//! ```text
//!  host,user        web,bob          name,2025,2026,      ← numbers below a name say that it is one; so years,
//!  web,12           web,alice        ann,1,2,               an empty name and a repeated one are names, too
//!  names            values: `web` comes again below itself
//! ```
//!
//! Invariant: a number that is no year among years, a time, a truth value is never a name.

use hashbrown::HashSet;

use super::hints::Hints;
use super::lines::is_size;
use super::sample::{Record, SampleValue, sample_value};
use crate::time::{read_iso, read_log_time};

/// What a field of the first record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// Text.
    Name,
    /// Nothing.
    Empty,
    /// A year or a date, of which several in rising order may be names.
    Period,
    /// What can only be a value.
    Value,
}

fn field_of(text: &[u8]) -> Field {
    let word = std::str::from_utf8(text).unwrap_or("name");
    if text.is_empty() {
        return Field::Empty;
    }
    let time = read_iso(text);
    if year(text).is_some() || time.is_some_and(|time| time.date_only) {
        return Field::Period;
    }
    let is_truth = word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false");
    let is_time = time.is_some() || read_log_time(text).is_some();
    let is_number = word.parse::<f64>().is_ok() || is_size(word) || is_percent(word);
    if is_truth || is_time || is_number || is_address(word) || matches!(word, "-" | "\\N") {
        return Field::Value;
    }
    Field::Name
}

fn is_percent(word: &str) -> bool {
    let number = word.strip_suffix('%').map(str::trim_end);
    number.is_some_and(|number| number.parse::<f64>().is_ok())
}

/// `/etc`, `./a`, `https://…`, `10.0.0.1`
fn is_address(word: &str) -> bool {
    let parts = || word.split('.');
    let is_path = ["/", "./", "~/", "http://", "https://"];
    is_path.iter().any(|begin| word.starts_with(begin))
        || (parts().count() == 4 && parts().all(|part| part.parse::<u8>().is_ok()))
}

/// 1900 to 2100.
fn year(text: &[u8]) -> Option<u16> {
    let year: u16 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (text.len() == 4 && (1900..=2100).contains(&year)).then_some(year)
}

/// A first record that may be names, and what stands below it.
pub(super) struct Names<'a> {
    texts: Vec<&'a [u8]>,
    fields: Vec<Field>,
    /// The records with as many fields.
    rest: Vec<&'a Record>,
    hints: &'a Hints,
}

impl<'a> Names<'a> {
    /// The fields of `first` above those of `rest`.
    pub(super) fn of(first: &'a Record, rest: &'a [Record], hints: &'a Hints) -> Self {
        let texts: Vec<&[u8]> = first.iter().map(|field| field.text.trim_ascii()).collect();
        let is_even = |record: &&Record| record.len() == first.len();
        Names {
            fields: texts.iter().map(|text| field_of(text)).collect(),
            texts,
            rest: rest.iter().filter(is_even).collect(),
            hints,
        }
    }

    /// True if they name the columns.
    pub(super) fn are_a_header(&self) -> bool {
        self.may_be_names()
            && (self.stand_above_numbers()
                || (self.are_distinct() && self.empty_ones_are_plain() && !self.come_again()))
    }

    /// The same where nothing but numbers below them is a sign.
    pub(super) fn are_sure(&self) -> bool {
        self.may_be_names() && self.stand_above_numbers()
    }

    fn may_be_names(&self) -> bool {
        let has_names = self.fields.contains(&Field::Name);
        !self.fields.contains(&Field::Value)
            && (has_names || self.fields.first() == Some(&Field::Empty))
            && self.periods_are_names()
    }

    fn places(&self, wanted: Field) -> impl Iterator<Item = usize> {
        let fields = self.fields.iter().enumerate();
        fields.filter_map(move |(place, field)| (*field == wanted).then_some(place))
    }

    /// What a column holds below its first field.
    fn values(&self, place: usize) -> impl Iterator<Item = SampleValue> {
        let values = self
            .rest
            .iter()
            .map(move |record| sample_value(&record[place], self.hints));
        values.filter(|value| *value != SampleValue::Null)
    }

    /// Years and dates are names if they rise, and other things stand below them.
    fn periods_are_names(&self) -> bool {
        let periods: Vec<usize> = self.places(Field::Period).collect();
        let texts: Vec<&[u8]> = periods.iter().map(|place| self.texts[*place]).collect();
        let is_period = |place: &usize| {
            (self.rest.iter())
                .any(|record| field_of(record[*place].text.trim_ascii()) == Field::Period)
        };
        periods.is_empty()
            || (periods.len() > 1
                && texts.windows(2).all(|pair| pair[0] < pair[1])
                && !self.rest.is_empty()
                && !periods.iter().any(is_period))
    }

    /// True if there is a name with nothing but numbers, times or truth values below it.
    fn stand_above_numbers(&self) -> bool {
        self.places(Field::Name).any(|place| {
            let is_no_text = |value: &SampleValue| match value {
                SampleValue::Text(text) => field_of(text.as_bytes()) != Field::Name,
                _ => true,
            };
            let mut values = self.values(place).peekable();
            values.peek().is_some() && values.all(|value| is_no_text(&value))
        })
    }

    fn are_distinct(&self) -> bool {
        let names: Vec<usize> = self.places(Field::Name).collect();
        let distinct: HashSet<&[u8]> = names.iter().map(|place| self.texts[*place]).collect();
        distinct.len() == names.len()
    }

    /// An empty name says nothing: fields behind the last delimiter are empty in all records, and the numbers
    /// of rows have no name in front of the others.
    fn empty_ones_are_plain(&self) -> bool {
        let is_number_of_row = |value: SampleValue| matches!(value, SampleValue::Integer(text) if text == "0" || text == "1");
        self.places(Field::Empty).all(|place| {
            let mut values = self.values(place);
            match values.next() {
                None => !self.rest.is_empty(),
                Some(first) => place == 0 && is_number_of_row(first),
            }
        })
    }

    /// True if a name is a value of its own column, too. A header that comes again as a whole is none.
    fn come_again(&self) -> bool {
        let same =
            |record: &Record, place: usize| record[place].text.trim_ascii() == self.texts[place];
        let is_header = |record: &Record| (0..self.texts.len()).all(|place| same(record, place));
        let others = self.rest.iter().filter(|record| !is_header(record));
        let mut others =
            others.map(|record| self.places(Field::Name).any(|place| same(record, place)));
        others.any(|comes_again| comes_again)
    }
}
