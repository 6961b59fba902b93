//! How runs end where something is in their way: outputs that are closed, full or taken by nobody, little memory,
//! signals at odd moments.
//!
//! As in `process.rs`, order is tested and never a time: a test waits until the program has come to rest.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::expect::{check, send, terminated, text, until};
use crate::program::{self, Live, Outcome, Workshop, run_command};

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 12] = [
        ("closed-streams", closed_streams),
        ("stuck-pipe", || stuck_pipe("csv", libc::SIGTERM)),
        ("stuck-pipe-json", || stuck_pipe("ndjson", libc::SIGINT)),
        ("stuck-with-windows", stuck_with_windows),
        ("stuck-fifo", stuck_fifo),
        ("fifo-without-reader", fifo_without_reader),
        ("slow-reader", slow_reader),
        ("while-planning", while_planning),
        ("early-question", early_question),
        ("little-memory", little_memory),
        ("full-file", full_file),
        ("full-rejects", full_rejects),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("ends::{name}"), move || Ok(test()?)))
        .collect()
}

fn shell(script: &str) -> Outcome {
    run_command(Workshop::new().shell(script), None)
}

/// Who has nothing to write to is told, as who writes to a full disk is; `/dev/null` takes everything, however it
/// was opened.
fn closed_streams() -> Result<(), String> {
    for script in [
        "tumble 'SELECT 1 AS a' >&-",
        "tumble 'SELECT 1 AS a' --explain >&-",
        "tumble --help >&-",
        "tumble --version >&-",
        "tumble generate orders >&-",
    ] {
        let outcome = shell(script);
        let said = outcome
            .stderr
            .starts_with("error: cannot write stdout: it is closed");
        check(script, outcome.code == 1 && said, &outcome)?;
    }
    for script in [
        "tumble 'SELECT 1 AS a' > /dev/null",
        "tumble 'SELECT 1 AS a' 1<> /dev/null",
        "tumble 'SELECT 1 AS a' -o out.csv >&- && cat out.csv > /dev/null",
        "tumble 'SELECT 1 AS a' <&- > /dev/null",
        "tumble 'SELECT 1 AS a' 2>&- > /dev/null",
    ] {
        let outcome = shell(script);
        check(
            script,
            outcome.code == 0 && outcome.stderr.is_empty(),
            &outcome,
        )?;
    }
    let outcome = shell("tumble 'SELECT * FROM stdin' <&-");
    let said = outcome.stderr.starts_with("error: cannot read stdin");
    check("closed stdin", outcome.code == 1 && said, &outcome)
}

/// A program whose standard output nobody reads for now.
struct Stuck(Child);

impl Stuck {
    fn start(command: &mut Command) -> Result<Stuck, String> {
        let pipes = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let stuck = Stuck(pipes.spawn().map_err(text)?);
        Ok(stuck)
    }

    /// Waits until no more comes into its pipe, but for what fits.
    fn settle(&self) -> Result<(), String> {
        let pipe = self.0.stdout.as_ref().ok_or("no pipe")?;
        let (mut last, mut quiet) = (0, 0);
        until("bytes in the pipe", || {
            let now = match rustix::io::ioctl_fionread(pipe) {
                Ok(now) => now,
                Err(error) => return Some(Err(text(error))),
            };
            quiet = if now > 0 && now == last { quiet + 1 } else { 0 };
            last = now;
            (quiet >= 50).then_some(Ok(()))
        })?
    }

    fn id(&self) -> Result<i32, String> {
        i32::try_from(self.0.id()).map_err(text)
    }

    /// Waits for its end, and reads only then.
    fn finish(mut self) -> Result<Outcome, String> {
        use std::os::unix::process::ExitStatusExt;
        let ended = until("its end", || self.0.try_wait().transpose());
        let status = match ended {
            Ok(status) => status.map_err(text)?,
            Err(error) => {
                self.0.kill().map_err(text)?;
                return Err(error);
            }
        };
        let (mut stdout, mut stderr) = (Vec::new(), String::new());
        if let Some(pipe) = &mut self.0.stdout {
            pipe.read_to_end(&mut stdout).map_err(text)?;
        }
        if let Some(pipe) = &mut self.0.stderr {
            pipe.read_to_string(&mut stderr).map_err(text)?;
        }
        Ok(Outcome {
            stdout,
            stderr,
            code: status
                .code()
                .or(status.signal().map(|n| 128 + n))
                .unwrap_or(-1),
            left_out: None,
            counters: None,
        })
    }
}

/// Rows whose length is none of a pipe's, some with newlines in quotes.
fn rows(count: usize) -> String {
    let mut rows = String::from("n,t\n");
    for row in 0..count {
        rows += &format!("{row},\"{}\nend\"\n", "x".repeat(row % 97));
    }
    rows
}

/// Who reads nothing keeps a signal waiting for no more than a moment; what is in the pipe are whole rows.
fn stuck_pipe(format: &str, signal: i32) -> Result<(), String> {
    let workshop = Workshop::new();
    let file = workshop.path().join("rows.csv");
    let rows = rows(40_000);
    std::fs::write(&file, &rows).map_err(text)?;
    let sql = format!("SELECT n, t FROM '{}'", file.display());
    let mut command = program::command();
    let stuck = Stuck::start(command.args(["--format", format, &sql]))?;
    stuck.settle()?;
    send(stuck.id()?, signal)?;
    let outcome = stuck.finish()?;
    check(
        "ended by the signal",
        outcome.code == 128 + signal,
        &outcome,
    )?;
    let came = String::from_utf8(outcome.stdout).map_err(text)?;
    let end = match format {
        "csv" => "end\"\n",
        _ => "end\"}\n",
    };
    if came.len() < 4_096 || !came.ends_with(end) {
        let shown = came.len().saturating_sub(60);
        return Err(format!(
            "{} bytes, which end: {:?}",
            came.len(),
            came.get(shown..)
        ));
    }
    match format {
        "csv" if !rows.starts_with(&came) => Err(String::from("other rows")),
        _ => Ok(()),
    }
}

/// What was open is told, also where nobody takes what was closed.
fn stuck_with_windows() -> Result<(), String> {
    let sql = "SELECT window_start, repeat('x', 3000) AS t, count(*) AS n FROM TUMBLE(stdin, ts, '1s') \
               GROUP BY window_start";
    let mut stuck = Stuck::start(program::command().args(["--max-jump", "0", sql]))?;
    let mut input = stuck.0.stdin.take().ok_or("no stdin")?;
    let mut rows = String::from("ts\n");
    for row in 0..200 {
        rows += &format!("2026-01-01T12:{:02}:{:02}\n", row / 60, row % 60);
    }
    input.write_all(rows.as_bytes()).map_err(text)?;
    stuck.settle()?;
    send(stuck.id()?, libc::SIGTERM)?;
    let outcome = stuck.finish()?;
    check("ended", outcome.code == 143, &outcome)?;
    check("told", outcome.stderr.contains("open"), &outcome)?;
    check("whole", outcome.stdout.ends_with(b",1\n"), &outcome)
}

/// The file of `-o` may be a pipe, too.
fn stuck_fifo() -> Result<(), String> {
    let workshop = Workshop::new();
    let file = workshop.path().join("rows.csv");
    std::fs::write(&file, rows(40_000)).map_err(text)?;
    let script = "mkfifo p; exec 3<> p; tumble \"SELECT n, t FROM 'rows.csv'\" -o p & echo $!; wait $!; echo $?";
    let mut live = Live::start(&mut workshop.shell(script), false);
    let id = live.news_until("\n");
    let id: i32 = id.trim().parse().map_err(text)?;
    live.settle();
    std::thread::sleep(Duration::from_millis(300));
    send(id, libc::SIGTERM)?;
    let outcome = live.finish();
    check(
        "ended by the signal",
        outcome.stdout.ends_with(b"\n143\n"),
        &outcome,
    )
}

/// Opening a pipe that nobody reads is stuck in the system, where no flag is looked at.
fn fifo_without_reader() -> Result<(), String> {
    let workshop = Workshop::new();
    let made = run_command(workshop.shell("mkfifo p"), None);
    check("a pipe is made", made.code == 0, &made)?;
    let path = workshop.path().join("p");
    let mut command = program::command();
    command.args(["SELECT 1 AS a", "-o"]).arg(&path);
    let mut live = Live::start(&mut command, false);
    live.settle();
    send(live.id(), libc::SIGTERM)?;
    let outcome = live.finish();
    check("ended by the signal", outcome.code == 143, &outcome)
}

/// A reader that comes late gets the same bytes as one that is quick.
fn slow_reader() -> Result<(), String> {
    let workshop = Workshop::new();
    let rows = rows(30_000);
    std::fs::write(workshop.path().join("rows.csv"), &rows).map_err(text)?;
    let reader = "import sys, time, random\nrandom.seed(1)\ngot = b''\nwhile True:\n  piece = sys.stdin.buffer.raw.read(random.choice([1, 100, 5000, 70000]))\n  if not piece: break\n  got += piece\n  if random.random() < 0.05: time.sleep(0.001)\nopen('came.csv', 'wb').write(got)";
    std::fs::write(workshop.path().join("reader.py"), reader).map_err(text)?;
    let script = "tumble \"SELECT n, t FROM 'rows.csv'\" | python3 reader.py";
    let outcome = run_command(workshop.shell(script), None);
    check("exit code 0", outcome.code == 0, &outcome)?;
    let came = std::fs::read(workshop.path().join("came.csv")).map_err(text)?;
    same_text("what came", rows.as_bytes(), &came)
}

/// Who plans looks at no signal, and ends by it all the same.
fn while_planning() -> Result<(), String> {
    let sql = format!("SELECT 1+1{}", ",1+1".repeat(19_000));
    let live = Live::start(program::command().arg(sql), false);
    // It has started long before that, and takes many times as long in all.
    until("half a second of work", || {
        (hundredths(live.id()).unwrap_or(50) >= 50).then_some(())
    })?;
    let outcome = terminated(live)?;
    check("nothing came", outcome.stdout.is_empty(), &outcome)
}

/// How long a process has been at work, in hundredths of a second; `None` if it is gone.
fn hundredths(id: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Behind the name, which stands in brackets: 11 other numbers, then the time of its own and in the system.
    let behind = stat.rsplit(')').next()?;
    let times = behind.split_ascii_whitespace().skip(11).take(2);
    times.map(|time| time.parse::<u64>().ok()).sum()
}

/// SIGUSR1 asks how a run stands, and ends nobody who has not begun one.
fn early_question() -> Result<(), String> {
    let mut live = Live::start(&mut program::command(), true);
    live.settle();
    send(live.id(), libc::SIGUSR1)?;
    live.settle();
    live.push(b"SELECT 1 AS a");
    live.end_input();
    let outcome = live.finish();
    check("it goes on", outcome.code == 0, &outcome)?;
    same_text("stdout", b"a\n1\n", &outcome.stdout)
}

/// With little memory a query runs, or is refused in words.
fn little_memory() -> Result<(), String> {
    let query =
        "SELECT window_start, sum(v) AS s FROM TUMBLE(stdin, ts, '1m') GROUP BY window_start";
    let script = |limit: &str, flags: &str, query: &str| {
        format!(
            "printf 'ts,v\\n2026-01-01T12:00:10,1\\n' | (ulimit {limit}; exec tumble {flags} \"{query}\")"
        )
    };
    let kibibytes = |name: &str| -> Result<u64, String> {
        let mut live = Live::start(program::command().arg("SELECT * FROM stdin"), true);
        live.settle();
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", live.id())).map_err(text)?;
        live.end_input();
        live.finish();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).ok_or(status)
    };
    // Most of that is the stack that is wanted.
    let most = kibibytes("VmSize:")?;
    let mut limit = most;
    loop {
        let outcome = shell(&script(&format!("-v {limit}"), "--threads 1", query));
        if outcome.code == 4 && outcome.stderr.contains("no memory for a stack") {
            break;
        }
        check(&format!("{limit} KiB"), outcome.code == 0, &outcome)?;
        limit -= 8 << 10;
    }
    if most - limit < 200 << 10 {
        return Err(format!(
            "refused at {limit} KiB, and {most} KiB are taken else"
        ));
    }
    // What is deep takes stack.
    let limit = format!("-v {}", most - (200 << 10));
    let deep = |depth: usize| {
        shell(&script(
            &limit,
            "--threads 1",
            &format!("SELECT 1{}", "+1".repeat(depth)),
        ))
    };
    let outcome = deep(40);
    check("not deep", outcome.code == 0, &outcome)?;
    let outcome = deep(900);
    let said = outcome.stderr.contains("too deep") && outcome.stderr.contains("ulimit -v");
    check("deep", outcome.code == 1 && said, &outcome)
}

/// A file on a disk that becomes full ends with a whole row.
fn full_file() -> Result<(), String> {
    let workshop = Workshop::new();
    let rows = rows(20_000);
    std::fs::write(workshop.path().join("rows.csv"), &rows).map_err(text)?;
    for (script, path) in [
        (
            "tumble \"SELECT n, t FROM 'rows.csv'\" -o out.csv",
            "out.csv",
        ),
        (
            "tumble \"SELECT n, t FROM 'rows.csv'\" > stdout.csv",
            "stdout.csv",
        ),
        (
            "tumble \"INSERT INTO 'sink.csv' SELECT n, t FROM 'rows.csv'\"",
            "sink.csv",
        ),
        (
            "printf 'n,t\\n' > more.csv; tumble \"SELECT n, t FROM 'rows.csv'\" -o more.csv --append",
            "more.csv",
        ),
    ] {
        // A limit that is no multiple of a row or a block.
        let script = format!("ulimit -f 97; {script}");
        let outcome = run_command(workshop.shell(&script), None);
        let said = outcome.stderr.contains("cannot write") && outcome.stderr.contains("too large");
        check(&script, outcome.code == 1 && said, &outcome)?;
        let came = std::fs::read_to_string(workshop.path().join(path)).map_err(text)?;
        let is_whole = came.ends_with("end\"\n") && rows.starts_with(&came);
        let nearly_all = came.len() > (97 << 10) - 200;
        check(
            &format!("{path}: {}", came.len()),
            is_whole && nearly_all,
            &outcome,
        )?;
    }
    Ok(())
}

/// What could not be kept is counted among what was read.
fn full_rejects() -> Result<(), String> {
    let script = "{ echo a,b; for i in $(seq 20000); do echo 1,2,3; done; } > rows.csv\n\
                  tumble \"SELECT a FROM 'rows.csv'\" --rejects /dev/full";
    let outcome = shell(script);
    let said = outcome.stderr.contains("cannot write /dev/full");
    check("exit code 1", outcome.code == 1 && said, &outcome)?;
    let line = outcome
        .stderr
        .lines()
        .find(|line| line.contains("rows were rejected"));
    let line = line.unwrap_or_default().replace(',', "");
    let numbers: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    check(
        "possible counts",
        matches!(numbers[..], [bad, all] if bad <= all),
        &outcome,
    )
}
