//! Files that are followed while others write, rename, truncate, delete and compress them.
//!
//! A test writes, waits until what it wrote has come out, and goes on: what nobody can see (bytes that are
//! written and truncated away between two looks) is not asked for.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::expect::{check, terminated, text, until};
use crate::program::{Live, Outcome, Workshop, size};
use crate::random::Random;
use crate::sockets::said;

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 12] = [
        ("through-everything", through_everything),
        ("windows-close", windows_close),
        ("history", history),
        ("long-history", long_history),
        ("from-the-end", from_the_end),
        ("sigterm", sigterm),
        ("never-busy", never_busy),
        ("broken-history", broken_history),
        ("kept-copies", kept_copies),
        ("own-output", own_output),
        ("half-lines", half_lines),
        ("random-operations", random_operations),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("follow::{name}"), move || Ok(test()?)))
        .collect()
}

/// A folder with logs, and a program that follows some of them.
struct Followed {
    workshop: Workshop,
}

impl Followed {
    fn new() -> Self {
        Followed {
            workshop: Workshop::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workshop.path().join(name)
    }

    fn start(&self, arguments: &str) -> Live {
        let script = format!("exec tumble {arguments}");
        Live::start(&mut self.workshop.shell(&script), false)
    }

    fn write(&self, name: &str, text_of_file: &str) -> Result<(), String> {
        fs::write(self.path(name), text_of_file).map_err(text)
    }

    fn append(&self, name: &str, more: &str) -> Result<(), String> {
        let mut options = File::options();
        let file = options.append(true).create(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(more.as_bytes()))
            .map_err(text)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), String> {
        fs::rename(self.path(from), self.path(to)).map_err(text)
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        fs::remove_file(self.path(name)).map_err(text)
    }

    fn gzip(&self, name: &str) -> Result<(), String> {
        let bytes = fs::read(self.path(name)).map_err(text)?;
        let file = File::create(self.path(&format!("{name}.gz"))).map_err(text)?;
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&bytes).map_err(text)?;
        encoder.finish().map_err(text)?;
        self.remove(name)
    }
}

/// Waits until exactly this has come out.
fn expect(live: &mut Live, what: &str, wanted: &str) -> Result<(), String> {
    let mut all = String::new();
    let came = until(what, || {
        all += &live.news();
        (all.len() >= wanted.len()).then_some(())
    });
    same_text(what, wanted.as_bytes(), all.as_bytes())
        .and(came)
        .map_err(|error| format!("{error}\n{}", live.said()))
}

fn through_everything() -> Result<(), String> {
    let logs = Followed::new();
    let mut live = logs.start("-F -v -d, \"SELECT n, t, _line, _offset, _source FROM 'app.csv'\"");
    live.settle();
    logs.write("app.csv", "n,t\n1,a\n")?;
    let header = "n,t,_line,_offset,_source\n";
    expect(
        &mut live,
        "a file that comes",
        &format!("{header}1,a,2,4,app.csv\n"),
    )?;
    logs.append("app.csv", "2,b\n3,")?;
    expect(&mut live, "whole records", "2,b,3,8,app.csv\n")?;
    logs.append("app.csv", "c\n")?;
    expect(&mut live, "the rest of one", "3,c,4,12,app.csv\n")?;
    logs.append("app.csv", "4,d")?;
    live.settle();
    logs.rename("app.csv", "app.csv.1")?;
    // Columns in another order: a rotated file has its own header.
    logs.write("app.csv", "t,n\ne,5\n")?;
    let rotated = "4,d,5,16,app.csv\n5,e,2,4,app.csv\n";
    expect(&mut live, "rotation", rotated)?;
    logs.gzip("app.csv.1")?;
    logs.write("app.csv", "n,t\n6,f\n")?;
    expect(&mut live, "truncation", "6,f,2,4,app.csv\n")?;
    // Between the two steps of a rotation the file is gone, too: who looks then says so.
    let gone = live.said().matches("is gone").count();
    logs.remove("app.csv")?;
    said(&live, "is gone", |said| {
        (said.matches("is gone").count() > gone).then_some(())
    })?;
    logs.write("app.csv", "n,t\n\n7,g\n")?;
    expect(&mut live, "creation", "7,g,3,5,app.csv\n")?;
    let outcome = terminated(live)?;
    let said = |what| outcome.stderr.matches(what).count();
    check(
        "what was said",
        said("waiting for `app.csv`") == 1 && said("is gone") == gone + 1 && said("left out") == 0,
        &outcome,
    )
}

fn windows_close() -> Result<(), String> {
    let logs = Followed::new();
    logs.write(
        "app.csv",
        "ts,v\n2026-01-01T12:00:10,1\n2026-01-01T12:00:50,2\n",
    )?;
    let mut live = logs.start(
        "-F \"SELECT window_start, sum(v) AS s FROM TUMBLE(input, '1m') GROUP BY window_start\" app.csv",
    );
    live.settle();
    logs.append("app.csv", "2026-01-01T12:01:05,3\n")?;
    expect(
        &mut live,
        "the first window",
        "window_start,s\n2026-01-01T12:00:00,3\n",
    )?;
    logs.rename("app.csv", "app.csv.1")?;
    logs.write(
        "app.csv",
        "ts,v\n2026-01-01T12:01:30,4\n2026-01-01T12:02:05,5\n",
    )?;
    expect(&mut live, "over two files", "2026-01-01T12:01:00,7\n")?;
    let outcome = terminated(live)?;
    check(
        "nothing else",
        outcome.stderr.contains("1 window"),
        &outcome,
    )
}

fn history() -> Result<(), String> {
    let logs = Followed::new();
    for (name, row) in [("app.log.2", 1), ("app.log.1", 2), ("app.log", 3)] {
        logs.write(name, &format!("{{\"n\":{row}}}\n"))?;
    }
    logs.gzip("app.log.2")?;
    for files in ["app.log app.log.1 app.log.2.gz", "'app.log*'"] {
        let mut live = logs.start(&format!("-F \"SELECT n FROM input\" {files}"));
        expect(&mut live, files, "n\n1\n2\n3\n")?;
        terminated(live)?;
    }
    let mut live = logs.start("-F \"SELECT n, _source FROM '*.log*'\"");
    expect(
        &mut live,
        "the history",
        "n,_source\n1,app.log.2.gz\n2,app.log.1\n3,app.log\n",
    )?;
    logs.write("web.log", "{\"n\":4}\n")?;
    expect(&mut live, "one that joins", "4,web.log\n")?;
    logs.append("app.log", "{\"n\":5}\n")?;
    expect(&mut live, "one that was there", "5,app.log\n")?;
    terminated(live).map(drop)
}

/// Files longer than what is read ahead, the oldest unpacked to several times its length: none begins before the
/// last row of the one before is out.
fn long_history() -> Result<(), String> {
    const ROWS: usize = 12_000;
    let rows = |first: usize| -> String {
        let row = |n| format!("{{\"n\":{n},\"text\":\"as long as a line of a log\"}}\n");
        (first..first + ROWS).map(row).collect()
    };
    let logs = Followed::new();
    for (place, name) in ["app.log.2", "app.log.1", "app.log"].iter().enumerate() {
        logs.write(name, &rows(place * ROWS))?;
    }
    logs.gzip("app.log.2")?;
    let numbers: String = (0..3 * ROWS).map(|n| format!("{n}\n")).collect();
    let mut live = logs.start("-F \"SELECT n FROM 'app.log*'\"");
    expect(&mut live, "the history", &format!("n\n{numbers}"))?;
    // A rotation goes on behind what has been read, too.
    logs.append("app.log", &rows(3 * ROWS))?;
    logs.rename("app.log", "app.log.0")?;
    logs.write("app.log", &rows(4 * ROWS))?;
    let more: String = (3 * ROWS..5 * ROWS).map(|n| format!("{n}\n")).collect();
    expect(&mut live, "a rotation", &more)?;
    terminated(live).map(drop)
}

fn from_the_end() -> Result<(), String> {
    let logs = Followed::new();
    // Several blocks of old rows.
    let old: String = (0..50_000).map(|row| format!("{row},old\n")).collect();
    logs.write("app.csv", &format!("n,t\n{old}7,be"))?;
    let mut live = logs.start("-F --from end \"SELECT n, t, _line FROM input\" app.csv");
    live.settle();
    logs.append("app.csv", "gun\n8,new\n")?;
    expect(
        &mut live,
        "what has been written since",
        "n,t,_line\n7,begun,50002\n8,new,50003\n",
    )?;
    logs.write("app.csv", "n,t\n9,x\n")?;
    expect(&mut live, "all of the next", "9,x,2\n")?;
    let outcome = terminated(live)?;
    check("nothing to say", outcome.stderr.is_empty(), &outcome)
}

fn sigterm() -> Result<(), String> {
    let logs = Followed::new();
    let live = logs.start("-F \"SELECT * FROM 'absent.log'\"");
    live_and_still(live)?;
    logs.write("empty.log", "")?;
    live_and_still(logs.start("-F \"SELECT * FROM 'empty.log'\""))?;
    logs.write("app.log", "{\"n\":1}\n")?;
    live_and_still(logs.start("-F \"SELECT * FROM 'app.log'\""))
}

fn live_and_still(mut live: Live) -> Result<(), String> {
    live.settle();
    terminated(live).map(drop)
}

/// A program that waits must not keep the machine busy.
fn never_busy() -> Result<(), String> {
    let logs = Followed::new();
    logs.write("app.log", "{\"n\":1}\n")?;
    let mut live = logs.start("-F \"SELECT n FROM 'app.log*'\"");
    expect(&mut live, "the first row", "n\n1\n")?;
    logs.rename("app.log", "app.log.1")?;
    live.settle();
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{}/status", live.id())).map_err(text)?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|count| count.trim().parse::<u64>().ok())
            .ok_or_else(|| String::from("no count of switches"))
    };
    let before = switches()?;
    std::thread::sleep(Duration::from_millis(1_500));
    let woken = switches()? - before;
    let outcome = terminated(live)?;
    check(&format!("woken {woken} times"), woken < 50, &outcome)
}

/// A damaged file of the history is told, and the others are read.
fn broken_history() -> Result<(), String> {
    let logs = Followed::new();
    let rows: String = (0..1_000)
        .map(|row| format!("{row},{}\n", row * row))
        .collect();
    logs.write("app.csv.1", &format!("n,m\n{rows}"))?;
    logs.gzip("app.csv.1")?;
    let bytes = fs::read(logs.path("app.csv.1.gz")).map_err(text)?;
    fs::write(logs.path("app.csv.1.gz"), &bytes[..bytes.len() - 100]).map_err(text)?;
    logs.write("app.csv", "n,m\n-1,-1\n")?;
    let mut live = logs.start("-F \"SELECT n FROM 'app.csv*' WHERE n < 3\"");
    expect(&mut live, "rows of both", "n\n0\n1\n2\n-1\n")?;
    let outcome = terminated(live)?;
    check(
        "it is said",
        outcome.stderr.contains("`app.csv.1.gz` is read no further")
            && outcome.stderr.contains("cut off"),
        &outcome,
    )
}

/// `gzip -k` leaves the log, and what it was compressed to.
fn kept_copies() -> Result<(), String> {
    let logs = Followed::new();
    logs.write("app.log", "{\"n\":1}\n{\"n\":2}\n")?;
    let kept = fs::read(logs.path("app.log")).map_err(text)?;
    logs.gzip("app.log")?;
    fs::write(logs.path("app.log"), kept).map_err(text)?;
    let mut live = logs.start("-F -v \"SELECT n FROM 'app.log*'\"");
    expect(&mut live, "each row once", "n\n1\n2\n")?;
    logs.append("app.log", "{\"n\":3}\n")?;
    expect(&mut live, "the log goes on", "3\n")?;
    let outcome = terminated(live)?;
    let is_guess_of_all = outcome.stderr.contains("path = 'app.log*'");
    check("the guess names the pattern", is_guess_of_all, &outcome)?;
    let is_said = outcome.stderr.contains("`app.log.gz` is left out");
    check("it is said", is_said, &outcome)
}

/// A pattern that the files match which the run writes does not find them; a path that names one is refused.
fn own_output() -> Result<(), String> {
    let logs = Followed::new();
    fs::create_dir(logs.path("logs")).map_err(text)?;
    logs.write("logs/app.log", "{\"n\":1}\n{\"n\":\n")?;
    // Of the run before.
    logs.write("logs/out.csv", "n\n7\n")?;
    let results = || fs::read_to_string(logs.path("logs/out.csv")).map_err(text);
    for query in [
        "-o logs/out.csv --rejects logs/rejects.ndjson \"SELECT n FROM 'logs/*'\"",
        "\"INSERT INTO 'logs/out.csv' SELECT n FROM 'logs/*'\"",
        "\"SELECT n FROM 'logs/*'\" > logs/out.csv",
    ] {
        logs.write("logs/app.log", "{\"n\":1}\n{\"n\":\n")?;
        let mut live = logs.start(&format!("-F -v {query}"));
        live.settle();
        logs.append("logs/app.log", "{\"n\":2}\n")?;
        until("both rows", || match results() {
            Ok(rows) => (rows == "n\n1\n2\n").then_some(Ok(())),
            Err(error) => Some(Err(error)),
        })??;
        // Long enough that all files have been looked at once more.
        std::thread::sleep(Duration::from_millis(1_200));
        let outcome = terminated(live)?;
        same_text(query, b"n\n1\n2\n", results()?.as_bytes())?;
        let is_said = outcome
            .stderr
            .contains("`logs/out.csv` is left out: this run writes it");
        check(query, is_said, &outcome)?;
        let _ = fs::remove_file(logs.path("logs/rejects.ndjson"));
    }
    let outcome = logs
        .start("-F -o new.csv \"SELECT * FROM 'new.csv'\"")
        .finish();
    let is_refused = outcome.code == 2 && outcome.stderr.contains("is read by this query");
    check("a path that is named", is_refused, &outcome)
}

/// A rotation that cuts a line: all whole records come out or are late, both halves are rejects, and what the old
/// writer adds is told.
fn half_lines() -> Result<(), String> {
    let logs = Followed::new();
    let row = |time: &str, n: u32| format!("{{\"ts\":\"2026-01-01T{time}\",\"n\":{n}}}\n");
    let cut = row("12:05:01", 3);
    let (first, rest) = cut.split_at(20);
    logs.write(
        "app.log",
        &format!("{}{}{first}", row("12:00:10", 1), row("12:05:00", 2)),
    )?;
    let mut live = logs.start(
        "-F --late late.ndjson --rejects rejects.ndjson \"SELECT window_start, sum(n) AS s FROM TUMBLE(input, '1m') GROUP BY window_start\" app.log",
    );
    expect(
        &mut live,
        "the first window",
        "window_start,s\n2026-01-01T12:00:00,1\n",
    )?;
    logs.rename("app.log", "app.log.1")?;
    let more = [row("12:00:20", 4), row("12:05:02", 5), row("12:10:00", 6)].concat();
    logs.write("app.log", &format!("{rest}{more}"))?;
    expect(&mut live, "both files", "2026-01-01T12:05:00,7\n")?;
    logs.append("app.log.1", &row("12:10:01", 7))?;
    let wanted = "what is still written to the old file is not read";
    said(&live, wanted, |said| said.contains(wanted).then_some(()))?;
    let outcome = terminated(live)?;
    let lines = |name: &str| {
        let all = fs::read_to_string(logs.path(name)).map_err(text)?;
        Ok::<_, String>(all.lines().count())
    };
    check("a late row", lines("late.ndjson")? == 1, &outcome)?;
    check("two halves", lines("rejects.ndjson")? == 2, &outcome)?;
    let is_said = outcome.stderr.contains(wanted);
    check("it is said", is_said, &outcome)
}

/// A log that others write, and what must have come out.
struct Log {
    logs: Followed,
    live: Live,
    number: u64,
    /// All numbers of records, in the order in which they were begun.
    written: Vec<u64>,
    /// Those that the program has shown.
    shown: Vec<u64>,
    /// The file is there.
    exists: bool,
    /// The last record has no newline yet.
    is_begun: bool,
    /// The same of a file that has lost its name: it ends when there is something in the next one.
    is_left_begun: bool,
    /// Files that were renamed with records in them: by which operation, and when.
    rotated: Vec<(String, usize, Instant)>,
}

impl Log {
    fn records(&mut self, count: usize) -> String {
        let record = |_| {
            self.number += 1;
            self.written.push(self.number);
            format!(
                "{},{}\n",
                self.number,
                "x".repeat((self.number % 60) as usize)
            )
        };
        (0..count).map(record).collect()
    }

    /// Adds text to the file, with a header if it has none.
    fn append(&mut self, more: &str) -> Result<(), String> {
        let is_new = fs::metadata(self.logs.path("app.log")).map_or(true, |file| file.len() == 0);
        let header = if is_new { "n,t\n" } else { "" };
        (self.exists, self.is_left_begun) = (true, false);
        self.logs.append("app.log", &format!("{header}{more}"))
    }

    /// Waits until everything but a begun record has been shown, and that has been read.
    fn synchronize(&mut self) -> Result<(), String> {
        let hidden = usize::from(self.is_begun || self.is_left_begun);
        let (live, shown, written) = (&mut self.live, &mut self.shown, &self.written);
        let came = until("rows", || {
            let news = live.news();
            shown.extend(news.lines().filter_map(|line| line.parse::<u64>().ok()));
            (shown.len() + hidden >= written.len()).then_some(())
        });
        if let Err(error) = came {
            let missing = self.written.iter().filter(|n| !self.shown.contains(n));
            let missing: Vec<&u64> = missing.collect();
            return Err(format!(
                "{error}, missing {missing:?}\n{}",
                self.live.said()
            ));
        }
        if self.is_begun {
            self.live.settle();
        }
        Ok(())
    }

    fn step(&mut self, random: &mut Random, number: usize) -> Result<(), String> {
        let kind = random.below(100);
        if !self.exists {
            let records = self.records(1 + random.below(3));
            return self.append(&records);
        }
        match kind {
            0..50 => {
                let records = self.records(1 + random.below(9));
                let rest = if self.is_begun { "z\n" } else { "" };
                self.is_begun = false;
                self.append(&format!("{rest}{records}"))
            }
            50..60 if !self.is_begun => {
                let record = self.records(1);
                self.is_begun = true;
                self.append(record.trim_end_matches('\n'))
            }
            60..72 => {
                self.synchronize()?;
                let name = format!("app.log.{number}");
                let length = fs::metadata(self.logs.path("app.log")).map_err(text)?.len();
                self.logs.rename("app.log", &name)?;
                if std::mem::take(&mut self.is_begun) {
                    self.is_left_begun = true;
                } else if length > 0 {
                    self.rotated.push((name, number, Instant::now()));
                }
                self.exists = false;
                if random.one_in(2) {
                    self.logs.write("app.log", "")?;
                    self.exists = true;
                }
                Ok(())
            }
            72..80 => {
                self.synchronize()?;
                self.is_begun = false;
                self.logs.write("app.log", "")
            }
            80..85 => {
                self.synchronize()?;
                (self.is_begun, self.is_left_begun) = (false, false);
                let records = self.records(1 + random.below(20));
                self.logs.write("app.log", &format!("n,t\n{records}"))
            }
            85..90 => {
                self.synchronize()?;
                self.is_left_begun |= std::mem::take(&mut self.is_begun);
                self.exists = false;
                self.logs.remove("app.log")
            }
            90..95 => match self.rotated.pop() {
                Some((name, ..)) => self.logs.gzip(&name),
                None => Ok(()),
            },
            _ => match self.rotated.last() {
                // So soon that it is still read: rotations may come fast.
                Some((name, operation, since))
                    if number - operation < 50 && since.elapsed() < Duration::from_secs(2) =>
                {
                    let name = name.clone();
                    let record = self.records(1);
                    self.logs.append(&name, &record)
                }
                _ => Ok(()),
            },
        }
    }
}

fn random_operations() -> Result<(), String> {
    let seed = size("TUMBLE_SEED", 20_261_125);
    let mut random = Random::new(seed);
    let logs = Followed::new();
    logs.write("app.log", "n,t\n")?;
    let live = logs.start("-F -v --in-order -i csv \"SELECT n FROM 'app.log'\"");
    let mut log = Log {
        logs,
        live,
        number: 0,
        written: Vec::new(),
        shown: Vec::new(),
        exists: true,
        is_begun: false,
        is_left_begun: false,
        rotated: Vec::new(),
    };
    for number in 0..size("TUMBLE_CASES", 1_000) as usize {
        log.step(&mut random, number)
            .map_err(|error| format!("seed {seed}, operation {number}: {error}"))?;
    }
    let records = log.records(1);
    let rest = if log.is_begun { "z\n" } else { "" };
    log.is_begun = false;
    log.append(&format!("{rest}{records}"))?;
    log.synchronize()
        .map_err(|error| format!("seed {seed}: {error}"))?;
    log.live.settle();
    let outcome = terminated(log.live)?;
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    let mut shown: Vec<u64> = stdout
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    shown.sort_unstable();
    check(
        &format!("seed {seed}: {} records", log.written.len()),
        shown == log.written && log.written.len() > 1_000,
        &Outcome {
            stdout: Vec::new(),
            ..outcome
        },
    )
}
