//! The common and combined logs of Apache, nginx and their like.
//!
//! ```text
//!  shop.example:443 10.0.0.1 - ann [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.1" 200 512 "-" "curl/8" 0.012
//!  vhost            host  ident user  time                       request            status bytes referer user_agent …
//!  (may lack)                                                    method path protocol     └ combined ┘       extras
//! ```
//!
//! `-` is NULL. Within quotes `\"` is a quote. What stands behind the last field that the format knows is
//! `extra_1`, `extra_2`, …, or what stands before its `=`.

use memchr::memchr;

use super::layout::{ColumnKind, Reads};
use super::walk::{Fields, Walk, Walked, closing_quote};

const MOST_EXTRAS: usize = 32;

/// Which fields the lines of an access log have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessLog {
    /// The name of the virtual host comes first.
    pub vhost: bool,
    /// Referer and user agent follow the size.
    pub combined: bool,
    /// What follows then.
    pub extras: Vec<Extra>,
}

/// A field behind those that every server writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The name of its column.
    pub name: String,
    /// True if it is written `name=value`.
    pub named: bool,
}

/// The columns that every line has, behind the virtual host.
const COMMON: [&str; 10] = [
    "host", "ident", "user", "time", "request", "method", "path", "protocol", "status", "bytes",
];

impl AccessLog {
    pub(super) fn columns(&self) -> Vec<String> {
        let vhost = self.vhost.then_some("vhost").into_iter();
        let more: &[&str] = if self.combined {
            &["referer", "user_agent"]
        } else {
            &[]
        };
        let known = vhost.chain(COMMON).chain(more.iter().copied());
        let extras = self.extras.iter().map(|extra| extra.name.clone());
        known.map(str::to_owned).chain(extras).collect()
    }

    pub(super) fn kind(&self, column: &str) -> ColumnKind {
        match column {
            "status" | "bytes" => ColumnKind::Integer,
            "time" => ColumnKind::Shown,
            _ if self.extras.iter().any(|extra| extra.name == column) => ColumnKind::Double,
            _ => ColumnKind::Text,
        }
    }

    /// What the fields of a line are; `None` if it is no line of an access log.
    pub(super) fn of_line(line: &[u8]) -> Option<AccessLog> {
        let bracket = memchr(b'[', line)?;
        let words = line[..bracket]
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        let vhost = match words.count() {
            3 => false,
            4 => true,
            _ => return None,
        };
        let common = AccessLog {
            vhost,
            ..AccessLog::default()
        };
        let mut walker = Walker { line, at: 0 };
        let size_end = walker
            .common(&common, &mut |_, _| ())
            .ok()
            .map(|()| walker.at)?;
        let mut combined = Walker { line, at: size_end };
        let is_combined = combined.quoted().is_some() && combined.quoted().is_some();
        let mut rest = Walker {
            line,
            at: if is_combined { combined.at } else { size_end },
        };
        let mut extras: Vec<Extra> = Vec::new();
        while let Some(field) = rest.extra() {
            let name = field
                .name
                .map(|(start, end)| String::from_utf8_lossy(&line[start..end]).into_owned());
            let free = |name: &String| {
                !COMMON.contains(&name.as_str()) && !extras.iter().any(|extra| extra.name == *name)
            };
            extras.push(match name.filter(free) {
                Some(name) => Extra { name, named: true },
                None => Extra {
                    name: format!("extra_{}", extras.len() + 1),
                    named: false,
                },
            });
            if extras.len() > MOST_EXTRAS {
                return None;
            }
        }
        (rest.at >= line.len()).then_some(AccessLog {
            vhost,
            combined: is_combined,
            extras,
        })
    }
}

/// Finds the fields of access logs.
#[derive(Debug)]
pub(super) struct AccessLogWalk<'a> {
    log: &'a AccessLog,
    reads: Reads,
}

impl<'a> AccessLogWalk<'a> {
    pub(super) fn new(log: &'a AccessLog, names: &[String]) -> Self {
        AccessLogWalk {
            log,
            reads: Reads::new(&log.columns(), names),
        }
    }
}

/// Where a field stands, and whether in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Bare((usize, usize)),
    Quoted((usize, usize)),
}

impl Walk for AccessLogWalk<'_> {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let reads = &self.reads;
        let mut put = |number: usize, place: Place| {
            for &column in reads.at(number) {
                match place {
                    Place::Bare((start, end)) if &line[start..end] == b"-" => {}
                    Place::Quoted((start, end)) if matches!(&line[start..end], b"-" | b"") => {}
                    Place::Bare(place) => fields.put(column, place),
                    Place::Quoted(place) => fields.put_quoted(column, line, place),
                }
            }
        };
        let mut walker = Walker { line, at: 0 };
        match walker.all(self.log, &mut put) {
            Ok(()) => Walked::Record,
            Err(reason) => Walked::reject(reason),
        }
    }
}

/// Steps from field to field of a line.
struct Walker<'a> {
    line: &'a [u8],
    at: usize,
}

/// A field behind the known ones.
struct ExtraField {
    name: Option<(usize, usize)>,
    value: Place,
    whole: Place,
}

impl Walker<'_> {
    fn all(
        &mut self,
        log: &AccessLog,
        put: &mut impl FnMut(usize, Place),
    ) -> Result<(), &'static str> {
        self.common(log, put)?;
        let mut number = COMMON.len() + usize::from(log.vhost);
        if log.combined {
            for missing in ["ends before the referer", "ends before the user agent"] {
                put(number, Place::Quoted(self.quoted().ok_or(missing)?));
                number += 1;
            }
        }
        for extra in &log.extras {
            let field = self.extra().ok_or("has fewer fields than the first line")?;
            put(
                number,
                if extra.named && field.name.is_some() {
                    field.value
                } else {
                    field.whole
                },
            );
            number += 1;
        }
        self.blanks();
        if self.at < self.line.len() {
            return Err("has more fields than the first line");
        }
        Ok(())
    }

    /// The fields up to the size.
    fn common(
        &mut self,
        log: &AccessLog,
        put: &mut impl FnMut(usize, Place),
    ) -> Result<(), &'static str> {
        let mut number = 0;
        if log.vhost {
            put(
                0,
                Place::Bare(self.word().ok_or("ends before the client's address")?),
            );
            number = 1;
        }
        put(
            number,
            Place::Bare(self.word().ok_or("ends before the client's address")?),
        );
        put(
            number + 1,
            Place::Bare(self.word().ok_or("ends before the user")?),
        );
        // A user may have blanks in the name.
        let bracket = memchr(b'[', &self.line[self.at..]).ok_or("no [time]")? + self.at;
        let user = self.line[self.at..bracket].trim_ascii();
        if user.is_empty() {
            return Err("no user before the [time]");
        }
        let user_start = self.at
            + (self.line[self.at..bracket].len()
                - self.line[self.at..bracket].trim_ascii_start().len());
        put(
            number + 2,
            Place::Bare((user_start, user_start + user.len())),
        );
        let close = memchr(b']', &self.line[bracket..]).ok_or("no [time]")? + bracket;
        put(number + 3, Place::Bare((bracket + 1, close)));
        self.at = close + 1;
        let request = self.quoted().ok_or("no \"request\" behind the time")?;
        put(number + 4, Place::Quoted(request));
        self.request(request, number + 5, put);
        let status = self.word().ok_or("no status behind the request")?;
        if !is_number_or_dash(&self.line[status.0..status.1]) {
            return Err("no status behind the request");
        }
        put(number + 8, Place::Bare(status));
        let bytes = self.word().ok_or("no size behind the status")?;
        if !is_number_or_dash(&self.line[bytes.0..bytes.1]) {
            return Err("no size behind the status");
        }
        put(number + 9, Place::Bare(bytes));
        Ok(())
    }

    /// Method, path and protocol, if the request is one.
    fn request(
        &self,
        (start, end): (usize, usize),
        number: usize,
        put: &mut impl FnMut(usize, Place),
    ) {
        let request = &self.line[start..end];
        let Some(method) = memchr(b' ', request) else {
            return;
        };
        if method == 0
            || !request[..method]
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
        {
            return;
        }
        put(number, Place::Bare((start, start + method)));
        let rest = &request[method + 1..];
        let protocol =
            memchr::memrchr(b' ', rest).filter(|place| rest[place + 1..].starts_with(b"HTTP/"));
        let path_end = protocol.unwrap_or(rest.len());
        let path_start = start + method + 1;
        put(
            number + 1,
            Place::Quoted((path_start, path_start + path_end)),
        );
        if let Some(place) = protocol {
            put(number + 2, Place::Bare((path_start + place + 1, end)));
        }
    }

    #[inline]
    fn blanks(&mut self) {
        while self.line.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    /// The next word, up to a blank.
    #[inline]
    fn word(&mut self) -> Option<(usize, usize)> {
        self.blanks();
        let start = self.at;
        let rest = self.line.get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr(b' ', rest).unwrap_or(rest.len());
        self.at = start + length;
        Some((start, self.at))
    }

    /// What stands between the quotes that come next.
    #[inline]
    fn quoted(&mut self) -> Option<(usize, usize)> {
        self.blanks();
        if self.line.get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let end = closing_quote(self.line, start)?;
        if !matches!(self.line.get(end + 1), None | Some(b' ')) {
            return None;
        }
        self.at = end + 1;
        Some((start, end))
    }

    /// A field in quotes or without, with or without a name.
    fn extra(&mut self) -> Option<ExtraField> {
        self.blanks();
        if self.line.get(self.at) == Some(&b'"') {
            let place = Place::Quoted(self.quoted()?);
            return Some(ExtraField {
                name: None,
                value: place,
                whole: place,
            });
        }
        let start = self.at;
        let named = self.line[start.min(self.line.len())..]
            .iter()
            .position(|byte| !is_name(*byte));
        if let Some(length) =
            named.filter(|length| *length > 0 && self.line[start + length] == b'=')
        {
            let name = (start, start + length);
            self.at = start + length + 1;
            let value = if self.line.get(self.at) == Some(&b'"') {
                Place::Quoted(self.quoted()?)
            } else if matches!(self.line.get(self.at), None | Some(b' ')) {
                Place::Bare((self.at, self.at))
            } else {
                Place::Bare(self.word()?)
            };
            return Some(ExtraField {
                name: Some(name),
                value,
                whole: Place::Bare((start, self.at)),
            });
        }
        let place = Place::Bare(self.word()?);
        Some(ExtraField {
            name: None,
            value: place,
            whole: place,
        })
    }
}

fn is_number_or_dash(text: &[u8]) -> bool {
    text == b"-" || (!text.is_empty() && text.iter().all(u8::is_ascii_digit))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
