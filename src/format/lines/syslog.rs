//! syslog: RFC 3164 and 5424, with and without the priority, and rsyslog's lines with ISO times.
//!
//! ```text
//!  Oct 11 22:14:15 web1 sshd[412]: Failed password            as files have it, also with an offset behind the time
//!  <34>Oct 11 22:14:15 web1 su: 'su root' failed              RFC 3164
//!  <165>1 2026-10-11T22:14:15.003Z web1 app 8710 ID47 [ex@1 a="b"] text     RFC 5424
//!  2026-10-11T22:14:15.003+02:00 web1 sshd[412]: Failed       rsyslog
//!  time                          host app  pid   message
//! ```
//!
//! All give the same columns, so that a file that changes its ways keeps its table. `severity` and `facility`
//! are the names of the priority's parts; `data` is the structured data as it came.

use memchr::memchr;

use super::layout::Reads;
use super::walk::{Fields, Walk, Walked};
use crate::time::{read_iso, read_log_time};

/// The columns of every line.
pub(super) const SYSLOG_COLUMNS: [&str; 9] = [
    "time", "host", "app", "pid", "message", "severity", "facility", "msgid", "data",
];
const TIME: usize = 0;
const HOST: usize = 1;
const APP: usize = 2;
const PID: usize = 3;
const MESSAGE: usize = 4;
const SEVERITY: usize = 5;
const FACILITY: usize = 6;
const MSGID: usize = 7;
const DATA: usize = 8;

const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// Finds the fields of syslog.
#[derive(Debug)]
pub(super) struct SyslogWalk {
    reads: Reads,
}

impl SyslogWalk {
    pub(super) fn new(names: &[String]) -> Self {
        SyslogWalk {
            reads: Reads::new(&SYSLOG_COLUMNS, names),
        }
    }
}

impl Walk for SyslogWalk {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        let reads = &self.reads;
        let mut put = |number: usize, value: Value| {
            for &column in reads.at(number) {
                match value {
                    Value::Name(name) => fields.put_copy(column, &[name.as_bytes()]),
                    Value::Place((start, end))
                        if number != MESSAGE && &line[start..end] == b"-" => {}
                    Value::Place(place) if number == MESSAGE => fields.put_text(column, place),
                    Value::Place(place) => fields.put(column, place),
                }
            }
        };
        match walk(line, &mut put) {
            Ok(_) => Walked::Record,
            Err(reason) => Walked::reject(reason),
        }
    }
}

#[derive(Clone, Copy)]
enum Value {
    Place((usize, usize)),
    Name(&'static str),
}

/// What a line showed of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Signs {
    priority: bool,
    /// The time has a month's name.
    named_month: bool,
    /// There is a host, and a tag that ends with a colon.
    tagged: bool,
    /// There is a process number.
    pid: bool,
    zoned: bool,
}

/// True if a line is syslog and hardly something else.
pub(super) fn is_sure(line: &[u8]) -> bool {
    match walk(line, &mut |_, _| ()) {
        Ok(signs) => {
            signs.priority || signs.named_month || (signs.tagged && signs.zoned && signs.pid)
        }
        Err(_) => false,
    }
}

fn walk(line: &[u8], put: &mut impl FnMut(usize, Value)) -> Result<Signs, &'static str> {
    let mut signs = Signs::default();
    let mut at = 0;
    if let Some((priority, length)) = priority(line) {
        signs.priority = true;
        put(SEVERITY, Value::Name(SEVERITIES[usize::from(priority % 8)]));
        put(FACILITY, Value::Name(FACILITIES[usize::from(priority / 8)]));
        at = length;
        if line[at..].starts_with(b"1 ") {
            rfc5424(line, at + 2, put)?;
            return Ok(signs);
        }
    }
    let (end, named_month, zoned) = time(line, at).ok_or("does not begin with a time")?;
    (signs.named_month, signs.zoned) = (named_month, zoned);
    put(TIME, Value::Place((at, end)));
    at = end;
    if line.get(at) == Some(&b':') {
        at += 1;
    }
    at += blanks(&line[at..]);
    let (start, end) = word(line, at);
    // A line of the machine itself may lack the host.
    let is_host = !matches!(line.get(end.wrapping_sub(1)), Some(b':')) && start < end;
    if is_host {
        put(HOST, Value::Place((start, end)));
        at = end + blanks(&line[end..]);
    }
    match tag(line, at) {
        Some(tag) => {
            signs.tagged = is_host;
            put(APP, Value::Place(tag.app));
            if let Some(pid) = tag.pid {
                signs.pid = true;
                put(PID, Value::Place(pid));
            }
            put(MESSAGE, Value::Place((tag.message, line.len())));
        }
        None => put(MESSAGE, Value::Place((at, line.len()))),
    }
    Ok(signs)
}

/// `<34>`: the number and the length.
fn priority(line: &[u8]) -> Option<(u8, usize)> {
    let rest = line.strip_prefix(b"<")?;
    let digits = rest
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 || digits > 3 || rest.get(digits) != Some(&b'>') {
        return None;
    }
    let number = rest[..digits]
        .iter()
        .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let number = u8::try_from(number).ok().filter(|number| *number < 192)?;
    Some((number, digits + 2))
}

/// The end of the time at `at`, whether its month has a name, and whether it says its zone.
fn time(line: &[u8], at: usize) -> Option<(usize, bool, bool)> {
    let rest = &line[at..];
    if rest.first()?.is_ascii_alphabetic() {
        let longest = ["Oct 11 22:14:15".len(), "Oct 11 2026 22:14:15".len()];
        return longest.into_iter().find_map(|length| {
            read_log_time(rest.get(..length)?)?;
            // A fraction belongs to it, and an offset.
            let more = match &rest[length..] {
                [b'.', digits @ ..] => 1 + digits.iter().take_while(|b| b.is_ascii_digit()).count(),
                _ => 0,
            };
            let end = length + more;
            if let Some(zoned) = offset_end(rest, end) {
                return Some((at + zoned, true, true));
            }
            let is_end = matches!(rest.get(end), None | Some(b' ' | b':'));
            is_end.then_some((at + end, true, false))
        });
    }
    let length = memchr(b' ', rest).unwrap_or(rest.len());
    let time = read_iso(&rest[..length]).filter(|time| !time.date_only)?;
    Some((at + length, false, time.offset_seconds.is_some()))
}

/// The end of the offset behind a time that ends at `end`: ` +0100`, ` UTC`.
fn offset_end(text: &[u8], end: usize) -> Option<usize> {
    let [b' ', b'+' | b'-' | b'Z' | b'U' | b'G', ..] = text.get(end..)? else {
        return None;
    };
    let (_, word_end) = word(text, end + 1);
    let word_end = word_end - usize::from(text[word_end - 1] == b':');
    let zoned = read_log_time(&text[..word_end])?;
    zoned.offset_seconds.map(|_| word_end)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b' ').count()
}

/// The word at `at`.
fn word(line: &[u8], at: usize) -> (usize, usize) {
    let length = memchr(b' ', &line[at..]).unwrap_or(line.len() - at);
    (at, at + length)
}

struct Tag {
    app: (usize, usize),
    pid: Option<(usize, usize)>,
    message: usize,
}

/// `sshd[412]:` or `kernel:`.
fn tag(line: &[u8], at: usize) -> Option<Tag> {
    let is_app = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'[' | b':' | b'"' | b'=');
    let length = line[at..].iter().take_while(|byte| is_app(byte)).count();
    let app = (at, at + length);
    if length == 0 {
        return None;
    }
    let (pid, end) = match line.get(app.1)? {
        b'[' => {
            let close = app.1 + memchr(b']', &line[app.1..])?;
            (Some((app.1 + 1, close)), close + 1)
        }
        _ => (None, app.1),
    };
    (line.get(end) == Some(&b':')).then_some(())?;
    match line.get(end + 1) {
        None => Some(Tag {
            app,
            pid,
            message: line.len(),
        }),
        Some(b' ') => Some(Tag {
            app,
            pid,
            message: end + 2,
        }),
        // `app:text` is no tag unless a process number says so.
        Some(_) => pid.map(|pid| Tag {
            app,
            pid: Some(pid),
            message: end + 1,
        }),
    }
}

/// What stands behind the version.
fn rfc5424(
    line: &[u8],
    mut at: usize,
    put: &mut impl FnMut(usize, Value),
) -> Result<(), &'static str> {
    for (number, missing) in [
        (TIME, "ends before the time"),
        (HOST, "ends before the host"),
        (APP, "ends before the application"),
        (PID, "ends before the process"),
        (MSGID, "ends before the message id"),
    ] {
        let (start, end) = word(line, at);
        if start == end {
            return Err(missing);
        }
        put(number, Value::Place((start, end)));
        at = (end + 1).min(line.len());
    }
    let end = structured_data(line, at).ok_or("its structured data does not end")?;
    put(DATA, Value::Place((at, end)));
    let mut message = (end + 1).min(line.len());
    if line[message..].starts_with(b"\xEF\xBB\xBF") {
        message += 3;
    }
    put(MESSAGE, Value::Place((message, line.len())));
    Ok(())
}

/// The end of `-` or of `[id name="value"][id]`.
fn structured_data(line: &[u8], start: usize) -> Option<usize> {
    if line.get(start) == Some(&b'-') {
        return matches!(line.get(start + 1), None | Some(b' ')).then_some(start + 1);
    }
    let (mut at, mut quoted, mut open) = (start, false, false);
    loop {
        match line.get(at) {
            Some(b'\\') if quoted => at += 1,
            Some(b'"') if open => quoted = !quoted,
            Some(b'[') if !open => open = true,
            Some(b']') if !quoted && open => open = false,
            None | Some(b' ') if !open && at > start => return Some(at),
            Some(_) if open => {}
            _ => return None,
        }
        at += 1;
    }
}
