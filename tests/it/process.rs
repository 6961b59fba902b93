//! How the program behaves as a process among others: in pipes, under signals, when it cannot write.
//!
//! Order is tested, never times: a test feeds some rows and waits until the process has read them and
//! sleeps ([`Live::settle`]); what is on its stdout by then is what the rows caused.

use std::io::Write;
use std::process::Stdio;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::expect::{check, send};
use crate::program::{self, Live, Workshop, run_command};

const WINDOWS: &str = "SELECT window_start, count(*) AS n FROM TUMBLE(TABLE stdin, DESCRIPTOR(ts), INTERVAL '1' MINUTE) \
                       GROUP BY window_start, window_end";
/// How long the record of the bounded-memory test is; `TUMBLE_LONG_RECORD_MB=100` for the full size.
const LONG_RECORD_MB: usize = 24;

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 17] = [
        ("prompt-in-a-pipe", prompt_in_a_pipe),
        ("prompt-in-a-file", prompt_in_a_file),
        ("rows-one-by-one", rows_one_by_one),
        ("no-pause", no_pause),
        ("windows-of-the-clock", windows_of_the_clock),
        ("sigint", || stopped_by(libc::SIGINT)),
        ("sigterm", || stopped_by(libc::SIGTERM)),
        ("sighup", || stopped_by(libc::SIGHUP)),
        ("ignored-sigint", ignored_sigint),
        ("status", status),
        ("head", head),
        ("full-disk", full_disk),
        ("stdin-untouched", stdin_untouched),
        ("cron-silence", cron_silence),
        ("no-escape-codes", no_escape_codes),
        ("help", help),
        ("long-record", long_record),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("process::{name}"), move || Ok(test()?)))
        .collect()
}

fn windows() -> Live {
    let mut live = Live::start(program::command().arg(WINDOWS), true);
    live.settle();
    live
}

fn prompt_in_a_pipe() -> Result<(), String> {
    let mut live = windows();
    live.feed(b"ts,host\n2026-01-01T12:00:10,a\n2026-01-01T12:00:50,b\n");
    let open = live.news();
    let open = open.strip_prefix("window_start,n\n").unwrap_or(&open);
    same_text("while the window is open", b"", open.as_bytes())?;
    // Half a record is no record yet.
    live.feed(b"2026-01-01T12:01:0");
    same_text("with half a record", b"", live.news().as_bytes())?;
    live.feed(b"5,a\n");
    same_text(
        "at the row that closes the window",
        b"2026-01-01T12:00:00,2\n",
        after_header(&live.news()),
    )?;
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    check("nothing to say", outcome.stderr.is_empty(), &outcome)?;
    let text = "window_start,n\n2026-01-01T12:00:00,2\n2026-01-01T12:01:00,1\n";
    same_text("all of stdout", text.as_bytes(), &outcome.stdout)
}

fn after_header(text: &str) -> &[u8] {
    text.strip_prefix("window_start,n\n")
        .unwrap_or(text)
        .as_bytes()
}

fn prompt_in_a_file() -> Result<(), String> {
    let workshop = Workshop::new();
    let target = workshop.path().join("out.csv");
    let mut live = Live::start(
        &mut workshop.shell(&format!("exec tumble \"{WINDOWS}\" > out.csv")),
        true,
    );
    live.settle();
    live.feed(b"ts,host\n2026-01-01T12:00:10,a\n2026-01-01T12:01:05,b\n");
    let text = std::fs::read_to_string(&target).map_err(|error| error.to_string())?;
    same_text(
        "the file while input goes on",
        b"2026-01-01T12:00:00,1\n",
        after_header(&text),
    )?;
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)
}

fn rows_one_by_one() -> Result<(), String> {
    let mut live = Live::start(
        program::command().arg("SELECT a + 1 AS b FROM stdin WHERE a > 0"),
        true,
    );
    live.feed(b"a\n1\n");
    let first = live.news();
    same_text("after the first row", b"b\n2\n", first.as_bytes())?;
    live.feed(b"-5\n");
    same_text("after a row that is filtered", b"", live.news().as_bytes())?;
    live.feed(b"2\n3\n");
    same_text("after two rows", b"3\n4\n", live.news().as_bytes())?;
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)
}

/// A row comes out though its input never pauses, and hardly another one passes WHERE.
fn no_pause() -> Result<(), String> {
    let query = "SELECT line FROM 'input' WHERE line <> 'y'";
    let script =
        format!("mkfifo input; (echo first; exec yes) > input & exec tumble -i lines \"{query}\"");
    let workshop = Workshop::new();
    let mut live = Live::start(&mut workshop.shell(&script), false);
    let text = live.news_until("first\n");
    send(live.id(), libc::SIGTERM)?;
    let outcome = live.finish();
    same_text("while input goes on", b"line\nfirst\n", text.as_bytes())?;
    check("ended by the signal", outcome.code == 143, &outcome)
}

/// Windows of `_arrival` close while nothing more comes; how often a row must be waited for is not tested.
fn windows_of_the_clock() -> Result<(), String> {
    let query = "SELECT count(*) AS n FROM TUMBLE(stdin, _arrival, '20ms') GROUP BY window_start";
    let mut live = Live::start(program::command().args(["-i", "lines", query]), true);
    for wanted in ["n\n1\n", "1\n"] {
        live.feed(b"a line\n");
        let text = live.news_until("1\n");
        same_text("without further input", wanted.as_bytes(), text.as_bytes())?;
    }
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)
}

/// Ends `live` with a signal: what was closed is out, what was open is not, and the signal is the cause.
fn stopped_by(signal: i32) -> Result<(), String> {
    let mut live = windows();
    live.feed(b"ts\n2026-01-01T12:00:10\n2026-01-01T12:01:05\n2026-01-01T12:01:06\n");
    send(live.id(), signal)?;
    let outcome = live.finish();
    check(
        "ended by the signal",
        outcome.code == 128 + signal,
        &outcome,
    )?;
    same_text(
        "stdout",
        b"2026-01-01T12:00:00,1\n",
        after_header(&String::from_utf8_lossy(&outcome.stdout)),
    )?;
    check(
        "stderr counts the open windows",
        outcome.stderr.contains("open"),
        &outcome,
    )
}

/// SIGUSR1 asks how the run stands, before the first row and behind it, also with -q; the run goes on.
fn status() -> Result<(), String> {
    let mut live = Live::start(program::command().args(["-q", WINDOWS]), true);
    live.settle();
    let asked = |live: &mut Live, times: usize| {
        send(live.id(), libc::SIGUSR1)?;
        let lines = crate::sockets::said(live, "status", |text| {
            let lines: Vec<String> = text.lines().map(String::from).collect();
            (lines.len() == times).then_some(lines)
        })?;
        live.settle();
        Ok::<String, String>(lines[times - 1].clone())
    };
    let first = asked(&mut live, 1)?;
    live.feed(b"ts,n\n");
    let begun = asked(&mut live, 2)?;
    live.feed(b"2026-01-01T12:00:01,1\n2026-01-01T12:01:10,2\n,3\n");
    let (second, third) = (asked(&mut live, 3)?, asked(&mut live, 4)?);
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    check("it went on", outcome.stdout.ends_with(b"1\n"), &outcome)?;
    check(
        "first",
        first == "status: waiting for input: nothing has come yet",
        &outcome,
    )?;
    check(
        "what has come shows no format",
        begun.starts_with("status: waiting for a record that shows the format"),
        &outcome,
    )?;
    check("the same", second == third, &outcome)?;
    let begins =
        "status: rows read: 3 (1 untimed), rows out: 1, open windows or totals: 1, state: ";
    check("counts", second.starts_with(begins), &outcome)?;
    let ends = " KiB, watermark: 2026-01-01T12:01:05";
    check("watermark", second.ends_with(ends), &outcome)
}

fn ignored_sigint() -> Result<(), String> {
    let workshop = Workshop::new();
    let mut live = Live::start(
        &mut workshop.shell(&format!("trap '' INT; exec tumble \"{WINDOWS}\"")),
        true,
    );
    live.settle();
    live.feed(b"ts\n2026-01-01T12:00:10\n");
    send(live.id(), libc::SIGINT)?;
    live.settle();
    live.feed(b"2026-01-01T12:01:05\n");
    live.end_input();
    let outcome = live.finish();
    check(
        "a signal that was ignored at the start stays ignored",
        outcome.code == 0,
        &outcome,
    )?;
    same_text(
        "stdout",
        b"2026-01-01T12:00:00,1\n2026-01-01T12:01:00,1\n",
        after_header(&String::from_utf8_lossy(&outcome.stdout)),
    )
}

fn head() -> Result<(), String> {
    let script = "yes 'a,b' | tumble 'SELECT * FROM stdin' 2> err | head -1 > out; echo ${PIPESTATUS[1]}; cat err; cat out";
    let outcome = run_command(Workshop::new().shell(script), None);
    same_text(
        "exit code, stderr and first line",
        b"0\na,b\n",
        &outcome.stdout,
    )
}

fn full_disk() -> Result<(), String> {
    let script = "printf 'a\\n1\\n' | tumble 'SELECT * FROM stdin' > /dev/full";
    let outcome = run_command(Workshop::new().shell(script), None);
    check("exit code 1", outcome.code == 1, &outcome)?;
    let told = outcome.stderr.contains("no space left") && outcome.stderr.starts_with("error: ");
    check(
        "one message that says why",
        told && outcome.stderr.contains("stdout"),
        &outcome,
    )
}

fn stdin_untouched() -> Result<(), String> {
    let script =
        "printf 'one\\ntwo\\n' | while read -r line; do tumble \"SELECT '$line' AS x\" -H; done";
    let outcome = run_command(Workshop::new().shell(script), None);
    check("exit code 0", outcome.code == 0, &outcome)?;
    same_text("one call for each line", b"one\ntwo\n", &outcome.stdout)
}

fn cron_silence() -> Result<(), String> {
    let script = "printf 'ts,v\\n2026-01-01T12:00:10,1\\n' > in.csv\n\
                  tumble \"SELECT sum(v) AS s FROM TUMBLE('in.csv', ts, '1m') GROUP BY window_start\" -o out.csv";
    let workshop = Workshop::new();
    let outcome = run_command(workshop.shell(script), None);
    check(
        "exit code 0, not a word",
        outcome.code == 0 && outcome.stderr.is_empty() && outcome.stdout.is_empty(),
        &outcome,
    )?;
    let text = std::fs::read(workshop.path().join("out.csv")).map_err(|error| error.to_string())?;
    same_text("out.csv", b"s\n1\n", &text)
}

fn no_escape_codes() -> Result<(), String> {
    let scripts = [
        "tumble --help",
        "tumble -h",
        "tumble 'SELEC 1'",
        "tumble --delya 5s 'SELECT 1'",
        "printf 'a\\n1\\n' | tumble --format table 'SELECT * FROM stdin'",
        "printf 'a\\n\\033[31mred\\n' | tumble --format table 'SELECT * FROM stdin'",
    ];
    for script in scripts {
        let outcome = run_command(Workshop::new().shell(script), None);
        let clean = !outcome.stdout.contains(&0x1b) && !outcome.stderr.contains('\u{1b}');
        check(&format!("no escape codes from {script}"), clean, &outcome)?;
    }
    Ok(())
}

fn help() -> Result<(), String> {
    for (script, wanted) in [
        ("tumble --help", "--delay"),
        ("tumble -h", "Usage"),
        ("tumble --version", "tumble "),
    ] {
        let outcome = run_command(Workshop::new().shell(script), None);
        let stdout = String::from_utf8_lossy(&outcome.stdout).into_owned();
        let fine = outcome.code == 0 && outcome.stderr.is_empty() && stdout.contains(wanted);
        check(
            &format!("{script} on stdout, with {wanted}"),
            fine,
            &outcome,
        )?;
    }
    Ok(())
}

/// A record beyond `--max-record` is skipped in bounded memory, and reading goes on behind it.
fn long_record() -> Result<(), String> {
    let megabytes = std::env::var("TUMBLE_LONG_RECORD_MB")
        .ok()
        .and_then(|text| text.parse().ok());
    let megabytes = megabytes.unwrap_or(LONG_RECORD_MB);
    let mut command = program::command();
    command.arg("SELECT a FROM stdin").stdout(Stdio::piped());
    let mut live = Live::start(&mut command, true);
    let mut peak_kb = 0;
    if let Some(stdin) = &mut live.stdin {
        let mut write = |bytes: &[u8]| stdin.write_all(bytes).map_err(|error| error.to_string());
        write(b"a\nfirst\n")?;
        let block = vec![b'x'; 1 << 20];
        for _ in 0..megabytes {
            write(&block)?;
        }
        write(b"\nlast\n")?;
    }
    live.settle();
    let status = std::fs::read_to_string(format!("/proc/{}/status", live.id())).unwrap_or_default();
    if let Some(line) = status.lines().find(|line| line.starts_with("VmHWM:")) {
        peak_kb = line
            .split_whitespace()
            .nth(1)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
    }
    live.end_input();
    let outcome = live.finish();
    same_text("stdout", b"a\nfirst\nlast\n", &outcome.stdout)?;
    check(
        "one reject is reported",
        outcome.stderr.contains("longer than 16 MiB"),
        &outcome,
    )?;
    // 64 MB for the reading, as promised, and what the unoptimized program takes by itself.
    check(
        &format!("memory stays bounded: {peak_kb} kB"),
        peak_kb < 160_000,
        &outcome,
    )
}
