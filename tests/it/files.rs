//! Files as the program meets them: compressed, cut off, FIFOs.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::expect::{check, text};
use crate::program::{self, Live, Workshop, run_command};

type Test = fn() -> Result<(), String>;

/// How large the bomb is; `TUMBLE_BOMB_MB=1000` for the full size.
const BOMB_MB: usize = 64;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 6] = [
        ("compressions-are-equal", compressions_are_equal),
        ("cut-off", cut_off),
        ("cut-off-while-merging", cut_off_while_merging),
        ("bomb", bomb),
        ("fifo-hears-signals", fifo_hears_signals),
        ("fifo-is-read", fifo_is_read),
    ];
    let tests = tests.into_iter();
    tests
        .map(|(name, test)| Trial::test(format!("files::{name}"), move || Ok(test()?)))
        .collect()
}

/// Rows with times, a minute for each 40 of them.
fn rows(count: usize) -> String {
    let mut text = String::from("ts,host,v\n");
    for row in 0..count {
        let (minute, second) = (row / 40, row % 40);
        let (hour, minute) = (minute / 60, minute % 60);
        text.push_str(&format!(
            "2026-01-01T{hour:02}:{minute:02}:{second:02},h{},{row}\n",
            row % 7
        ));
    }
    text
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).map_err(text)?;
    encoder.finish().map_err(text)
}

/// Writes a text in each compression; the names of the files.
pub fn write_compressed(folder: &Path, plain: &[u8]) -> Result<Vec<&'static str>, String> {
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).map_err(text);
    write("x.csv", plain)?;
    // Two members, cut in the middle of a row.
    let (head, tail) = plain.split_at(plain.len() / 2 + 3);
    write("x.csv.gz", &[gzip(head)?, gzip(tail)?].concat())?;
    let zstd = |bytes| zstd::encode_all(bytes, 1).map_err(text);
    write("x.csv.zst", &[zstd(head)?, zstd(tail)?].concat())?;
    let bzip2 = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).map_err(text)?;
        encoder.finish().map_err(text)
    };
    write("x.csv.bz2", &[bzip2(head)?, bzip2(tail)?].concat())?;
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(plain).map_err(text)?;
    write("x.csv.xz", &encoder.finish().map_err(text)?)?;
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(plain).map_err(text)?;
    write("x.csv.lz4", &encoder.finish().map_err(text)?)?;
    Ok(vec![
        "x.csv.gz",
        "x.csv.zst",
        "x.csv.bz2",
        "x.csv.xz",
        "x.csv.lz4",
    ])
}

fn compressions_are_equal() -> Result<(), String> {
    let workshop = Workshop::new();
    let names = write_compressed(&workshop.path(), rows(20_000).as_bytes())?;
    let query = "SELECT window_start, host, count(*) AS n, sum(v) AS s FROM TUMBLE(input, '1m') \
                 GROUP BY window_start, host";
    let declared = "CREATE TABLE t (ts TIMESTAMP(3), host STRING, v BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)";
    let run = |script: &str| run_command(workshop.shell(script), None);
    let plain = run(&format!("tumble \"{query}\" x.csv"));
    check(
        "plain",
        plain.code == 0 && plain.stdout.len() > 10_000,
        &plain,
    )?;
    for name in names {
        let file = run(&format!("tumble \"{query}\" {name}"));
        same_text(name, &plain.stdout, &file.stdout)?;
        let stdin = run(&format!("cat {name} | tumble \"{query}\""));
        same_text(&format!("{name} on stdin"), &plain.stdout, &stdin.stdout)?;
        let table = query.replace("input", "t");
        let table = run(&format!(
            "tumble \"{declared} WITH (path = '{name}'); {table}\""
        ));
        same_text(&format!("{name} declared"), &plain.stdout, &table.stdout)?;
    }
    // What the table says is not looked for in the bytes.
    let wrong = run(&format!(
        "tumble \"{declared} WITH (path = 'x.csv.gz', compression = 'zstd'); SELECT * FROM t\""
    ));
    check(
        "not zstd",
        wrong.code == 1 && wrong.stderr.contains("it is no zstd data"),
        &wrong,
    )
}

fn cut_off() -> Result<(), String> {
    let workshop = Workshop::new();
    let rows = rows(50_000);
    let mut packed = gzip(rows.as_bytes())?;
    packed.truncate(packed.len() - 3_000);
    std::fs::write(workshop.path().join("x.csv.gz"), packed).map_err(text)?;
    let script = "tumble \"SELECT * FROM input\" x.csv.gz";
    let outcome = run_command(workshop.shell(script), None);
    check("exit code 1", outcome.code == 1, &outcome)?;
    let whole = rows.as_bytes().starts_with(&outcome.stdout) && outcome.stdout.ends_with(b"\n");
    check(
        "whole records",
        whole && outcome.stdout.len() > rows.len() / 2,
        &outcome,
    )?;
    let told =
        outcome.stderr.contains("cannot read x.csv.gz") && outcome.stderr.contains("cut off");
    check("path and reason", told, &outcome)?;
    // The sample for the guess reaches the cut already.
    let script = "head -c 400 x.csv.gz | tumble \"SELECT * FROM stdin\"; head -c 400 x.csv.gz > y.csv.gz; \
                  tumble \"SELECT ts FROM 'y.csv.gz'\"";
    let outcome = run_command(workshop.shell(script), None);
    let whole = outcome
        .stdout
        .starts_with(b"ts,host,v\n2026-01-01T00:00:00,h0,0\n");
    let told = outcome.stderr.matches("cut off").count() == 2;
    check(
        "cut in the sample",
        outcome.code == 1 && whole && told,
        &outcome,
    )
}

/// A file that breaks off is read to there before the query fails, also beside others.
fn cut_off_while_merging() -> Result<(), String> {
    let workshop = Workshop::new();
    let mut packed = gzip(rows(50_000).as_bytes())?;
    packed.truncate(packed.len() / 2);
    std::fs::write(workshop.path().join("a.csv.gz"), packed).map_err(text)?;
    std::fs::write(workshop.path().join("b.csv"), rows(10)).map_err(text)?;
    let script = "tumble \"SELECT ts FROM input\" a.csv.gz b.csv";
    let outcome = run_command(workshop.shell(script), None);
    let rows = outcome.stdout.iter().filter(|byte| **byte == b'\n').count();
    check("both files", outcome.code == 1 && rows > 10_000, &outcome)
}

/// Zeros that compress a thousandfold, without a line break: memory stays bounded.
fn bomb() -> Result<(), String> {
    let megabytes = std::env::var("TUMBLE_BOMB_MB").ok();
    let megabytes = megabytes.and_then(|text| text.parse().ok());
    let megabytes: usize = megabytes.unwrap_or(BOMB_MB);
    let workshop = Workshop::new();
    let path = workshop.path().join("bomb.gz");
    let file = File::create(&path).map_err(text)?;
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(b"a\nfirst\n").map_err(text)?;
    let block = vec![0; 1 << 20];
    for _ in 0..megabytes {
        encoder.write_all(&block).map_err(text)?;
    }
    encoder.write_all(b"\nlast\n").map_err(text)?;
    encoder.finish().map_err(text)?;
    let script = "tumble \"SELECT a FROM 'bomb.gz'\"";
    let outcome = run_command(workshop.shell(script), None);
    same_text("stdout", b"a\nfirst\nlast\n", &outcome.stdout)?;
    let mut live = Live::start(program::command().args(["SELECT a FROM stdin", "-q"]), true);
    let packed = std::fs::read(&path).map_err(text)?;
    if let Some(stdin) = &mut live.stdin {
        stdin.write_all(&packed).map_err(text)?;
    }
    live.settle();
    let status = std::fs::read_to_string(format!("/proc/{}/status", live.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.split_whitespace().next()?.parse::<usize>().ok());
    live.end_input();
    let outcome = live.finish();
    same_text("stdout of the pipe", b"a\nfirst\nlast\n", &outcome.stdout)?;
    // As for long records: 64 MB for the reading, and what the unoptimized program takes by itself.
    let bounded = peak.is_some_and(|peak_kb| peak_kb < 160_000);
    check(
        &format!("memory stays bounded: {peak:?} kB"),
        bounded,
        &outcome,
    )
}

/// A FIFO without a writer keeps nobody from stopping the program.
fn fifo_hears_signals() -> Result<(), String> {
    let workshop = Workshop::new();
    let made = run_command(
        workshop.shell("mkfifo pipe; printf 'a\\n1\\n' > x.csv"),
        None,
    );
    check("a FIFO", made.code == 0, &made)?;
    for files in ["pipe", "x.csv pipe"] {
        let script = format!("exec tumble \"SELECT * FROM input\" {files}");
        let mut live = Live::start(&mut workshop.shell(&script), false);
        live.settle();
        let kill = format!("kill -TERM {}", live.id());
        run_command(workshop.shell(&kill), None);
        let outcome = live.finish();
        check("ended by the signal", outcome.code == 143, &outcome)?;
    }
    Ok(())
}

fn fifo_is_read() -> Result<(), String> {
    let script = "mkfifo pipe; (printf 'a\\n1\\n'; sleep 0.1; printf '2\\n') | gzip -c > pipe & \
                  tumble \"SELECT * FROM 'pipe'\"";
    let outcome = run_command(Workshop::new().shell(script), None);
    same_text("stdout", b"a\n1\n2\n", &outcome.stdout)
}
