//! Sockets as inputs: connections that come, go and break, datagrams, and what a model says of their records.
//!
//! Everything is on this machine alone, at ports that the system chooses and `-v` tells.

use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::program::{self, Live, Outcome, Workshop};

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 11] = [
        ("first-row", first_row),
        ("same-bytes", same_bytes),
        ("flaps", flaps),
        ("reconnect", reconnect),
        ("nobody-there", nobody_there),
        ("too-many", too_many),
        ("sigterm", sigterm),
        ("datagrams", datagrams),
        ("unix-datagrams", unix_datagrams),
        ("socket-file", socket_file),
        ("endless", endless),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("sockets::{name}"), move || Ok(test()?)))
        .collect()
}

fn start(arguments: &[&str]) -> Live {
    Live::start(program::command().arg("-v").args(arguments), false)
}

/// The address behind `listening at tcp-listen://`.
fn listening(live: &Live) -> Result<String, String> {
    said(live, "listening at ", |text| {
        let address = text.split("listening at ").nth(1)?.split_once('\n')?.0;
        address.split("://").nth(1).map(String::from)
    })
}

/// Waits until `find` finds something in what was said.
fn said<T>(live: &Live, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        let text = live.said();
        if let Some(found) = find(&text) {
            return Ok(found);
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("nothing of `{what}` in: {text}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until this much has come out.
fn printed(live: &mut Live, lines: usize) -> Result<String, String> {
    let (began, mut all) = (Instant::now(), String::new());
    loop {
        all += &live.news();
        if all.lines().count() >= lines {
            return Ok(all);
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!(
                "{lines} lines expected, and there are: {all}\n{}",
                live.said()
            ));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn text<E: std::fmt::Display>(error: E) -> String {
    error.to_string()
}

fn check(what: &str, holds: bool, outcome: &Outcome) -> Result<(), String> {
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    match holds {
        true => Ok(()),
        false => Err(format!(
            "{what}\nexit code {}\nstdout:\n{stdout}stderr:\n{}",
            outcome.code, outcome.stderr
        )),
    }
}

/// Closes a connection so that the other side is told of a reset, once everything sent has been taken.
fn reset(stream: TcpStream) -> Result<(), String> {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .map_err(text)
}

/// Ends a process by SIGTERM, which must take less than a second of its own.
fn terminated(live: Live) -> Result<Outcome, String> {
    crate::process::send(live.id(), libc::SIGTERM)?;
    let outcome = live.finish();
    check("ended by SIGTERM", outcome.code == 143, &outcome)?;
    Ok(outcome)
}

/// A connection that sends nothing keeps nobody waiting, and one row is enough to be recognized.
fn first_row() -> Result<(), String> {
    let mut live = start(&["SELECT a + 1 AS b FROM 'tcp-listen://:0'"]);
    let address = listening(&live)?;
    let _silent = TcpStream::connect(&address).map_err(text)?;
    let mut slow = TcpStream::connect(&address).map_err(text)?;
    slow.write_all(b"{\"a\":1").map_err(text)?;
    let mut other = TcpStream::connect(&address).map_err(text)?;
    other.write_all(b"{\"a\":10}\n{\"a\"").map_err(text)?;
    same_text("one row", b"b\n11\n", printed(&mut live, 2)?.as_bytes())?;
    slow.write_all(b"}\n").map_err(text)?;
    same_text("the slow row", b"2\n", printed(&mut live, 1)?.as_bytes())?;
    other.write_all(b":20}\n").map_err(text)?;
    same_text(
        "records do not mix",
        b"21\n",
        printed(&mut live, 1)?.as_bytes(),
    )?;
    terminated(live).map(drop)
}

/// A file, standard input and connections give the same bytes.
fn same_bytes() -> Result<(), String> {
    const SQL: &str = "SELECT window_start, k, count(*) AS n, sum(v) AS s FROM TUMBLE(t, ts, '1m') \
                       GROUP BY window_start, window_end, k";
    let mut rows = String::from("ts,k,v\n");
    for row in 0..20_000 {
        let (minute, second) = (row / 600 % 60, row / 10 % 60);
        rows += &format!("2026-01-01T12:{minute:02}:{second:02},k{},{row}\n", row % 7);
    }
    // The last line has no newline.
    let rows = rows.trim_end().as_bytes().to_vec();
    let workshop = Workshop::new();
    let file = workshop.path().join("rows.csv");
    std::fs::write(&file, &rows).map_err(text)?;
    let socket = workshop.path().join("s");
    let tcp = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let unix = UnixListener::bind(&socket).map_err(text)?;
    let address = tcp.local_addr().map_err(text)?;
    let columns = "(ts TIMESTAMP, k STRING, v BIGINT)";
    let run = |place: &str| {
        let table = format!("CREATE TABLE t {columns} WITH ({place}, format = 'csv'); {SQL}");
        Live::start(program::command().arg(table), false)
    };
    let expected = run(&format!("path = '{}'", file.display())).finish();
    check("of the file", expected.code == 0, &expected)?;
    let of_tcp = run(&format!("address = 'tcp://{address}'"));
    let (mut peer, _) = tcp.accept().map_err(text)?;
    for piece in rows.chunks(1_237) {
        peer.write_all(piece).map_err(text)?;
    }
    drop(peer);
    same_text("of tcp", &expected.stdout, &of_tcp.finish().stdout)?;
    let of_unix = run(&format!("address = 'unix://{}'", socket.display()));
    let (mut peer, _) = unix.accept().map_err(text)?;
    peer.write_all(&rows).map_err(text)?;
    drop(peer);
    same_text("of unix", &expected.stdout, &of_unix.finish().stdout)
}

/// Hundreds of connections that are dropped within a record lose no whole one.
fn flaps() -> Result<(), String> {
    let flaps: u64 = program::size("TUMBLE_FLAPS", 500);
    let mut live = start(&["SELECT n FROM 'tcp-listen://127.0.0.1:0'"]);
    let address = listening(&live)?;
    let (mut expected, mut cut, mut came) = (Vec::new(), 0_usize, Vec::new());
    for flap in 0..flaps {
        let mut stream = TcpStream::connect(&address).map_err(text)?;
        let mut sent = String::new();
        for record in 0..flap % 4 + 1 {
            let number = flap * 10 + record;
            expected.push(number);
            sent += &format!("{{\"n\":{number}}}\n");
        }
        if flap % 3 != 0 {
            sent += &format!("{{\"n\":{flap}");
        }
        // In one piece, which is read as one. It must have been read: a reset takes back what was not.
        stream.write_all(sent.as_bytes()).map_err(text)?;
        while came.len() < expected.len() {
            let lines = printed(&mut live, 1)?;
            came.extend(lines.lines().filter_map(|line| line.parse::<u64>().ok()));
        }
        match flap % 3 {
            0 => {}
            1 => {
                cut += 1;
                reset(stream)?;
            }
            // An end within a record: its text is all there is of it, and no JSON.
            _ => cut += 1,
        }
    }
    live.settle();
    let outcome = terminated(live)?;
    same_numbers(&mut expected, &mut came)?;
    let all = cut + expected.len();
    let message = format!("{cut} of {} rows were rejected", thousands(all));
    check(&message, outcome.stderr.contains(&message), &outcome)
}

fn thousands(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}

fn same_numbers(expected: &mut [u64], came: &mut [u64]) -> Result<(), String> {
    expected.sort_unstable();
    came.sort_unstable();
    match expected == came {
        true => Ok(()),
        false => Err(format!("expected {expected:?}\ncame {came:?}")),
    }
}

/// A connection that broke is made again, and the stream goes on.
fn reconnect() -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let mut live = start(&[&format!("SELECT n FROM 'tcp://{address}'")]);
    let (mut first, _) = listener.accept().map_err(text)?;
    first
        .write_all(b"{\"n\":1}\n{\"n\":2}\n{\"n\"")
        .map_err(text)?;
    same_text("before", b"n\n1\n2\n", printed(&mut live, 3)?.as_bytes())?;
    reset(first)?;
    let (mut second, _) = listener.accept().map_err(text)?;
    second.write_all(b"{\"n\":3}\n").map_err(text)?;
    same_text("behind", b"3\n", printed(&mut live, 1)?.as_bytes())?;
    // An end in order is the end of input.
    drop(second);
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    check(
        "said",
        outcome.stderr.contains("connecting again"),
        &outcome,
    )?;
    let rejected = outcome.stderr.contains("1 of 4 rows were rejected");
    check("the begun record is a reject", rejected, &outcome)?;
    check(
        "why",
        outcome.stderr.contains("within the record"),
        &outcome,
    )
}

fn nobody_there() -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    drop(listener);
    let outcome = start(&[&format!("SELECT n FROM 'tcp://{address}'")]).finish();
    let said = outcome.stderr.contains("cannot connect") && outcome.stderr.contains("refused");
    check(
        "an error that says why",
        outcome.code == 1 && said,
        &outcome,
    )
}

/// Beyond the limit, connections are closed, and that is said.
fn too_many() -> Result<(), String> {
    let mut live = start(&[
        "CREATE TABLE t WITH (address = 'tcp-listen://:0', max_connections = '2', format = 'ndjson'); \
         SELECT n FROM t",
    ]);
    let address = listening(&live)?;
    let mut first = TcpStream::connect(&address).map_err(text)?;
    let _second = TcpStream::connect(&address).map_err(text)?;
    live.settle();
    let mut third = TcpStream::connect(&address).map_err(text)?;
    said(&live, "refused", |text| {
        text.contains("was refused").then_some(())
    })?;
    let mut buffer = [0; 1];
    let end = std::io::Read::read(&mut third, &mut buffer);
    if !matches!(end, Ok(0) | Err(_)) {
        return Err(String::from("the third connection is open"));
    }
    first.write_all(b"{\"n\":1}\n").map_err(text)?;
    same_text(
        "those that are open go on",
        b"n\n1\n",
        printed(&mut live, 2)?.as_bytes(),
    )?;
    drop(first);
    live.settle();
    let mut fourth = TcpStream::connect(&address).map_err(text)?;
    fourth.write_all(b"{\"n\":4}\n").map_err(text)?;
    same_text(
        "a place is free again",
        b"4\n",
        printed(&mut live, 1)?.as_bytes(),
    )?;
    terminated(live).map(drop)
}

fn sigterm() -> Result<(), String> {
    let live = start(&["SELECT n FROM 'tcp-listen://:0'"]);
    listening(&live)?;
    terminated(live)?;
    let mut live = start(&["SELECT n FROM 'tcp-listen://:0'"]);
    let address = listening(&live)?;
    let mut stream = TcpStream::connect(&address).map_err(text)?;
    stream.write_all(b"{\"n\":1}\n").map_err(text)?;
    printed(&mut live, 2)?;
    terminated(live).map(drop)
}

/// Every datagram is whole records, with or without a newline; what one leaves open ends with it.
fn datagrams() -> Result<(), String> {
    let mut live = start(&[
        "CREATE TABLE t (a INT, b STRING) WITH (address = 'udp://:0', format = 'csv', header = 'no'); \
         SELECT a, b FROM t",
    ]);
    let address = listening(&live)?;
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
    for datagram in ["1,x", "2,\"open", "3,y\n", "4,z\n5,w", "", "6,\"a\nb\""] {
        socket
            .send_to(datagram.as_bytes(), &address)
            .map_err(text)?;
    }
    let lines = printed(&mut live, 7)?;
    same_text(
        "rows",
        b"a,b\n1,x\n3,y\n4,z\n5,w\n6,\"a\nb\"\n",
        lines.as_bytes(),
    )?;
    let outcome = terminated(live)?;
    let rejected = outcome.stderr.contains("1 of 6 rows were rejected");
    check("the open quote is a reject", rejected, &outcome)
}

fn unix_datagrams() -> Result<(), String> {
    let workshop = Workshop::new();
    let path = workshop.path().join("log");
    let mut live = start(&[&format!("SELECT n FROM 'unix-dgram://{}'", path.display())]);
    listening(&live)?;
    let socket = UnixDatagram::unbound().map_err(text)?;
    socket.send_to(b"{\"n\":1}", &path).map_err(text)?;
    socket.send_to(b"{\"n\":2}\n", &path).map_err(text)?;
    same_text("rows", b"n\n1\n2\n", printed(&mut live, 3)?.as_bytes())?;
    terminated(live)?;
    match path.exists() {
        true => Err(String::from("the socket's file is left behind")),
        false => Ok(()),
    }
}

/// A live socket is not taken over, a dead one is; a file that is none stays.
fn socket_file() -> Result<(), String> {
    let workshop = Workshop::new();
    let path = workshop.path().join("s");
    let query = format!("SELECT n FROM 'unix-listen://{}'", path.display());
    // What a process leaves behind that was killed.
    drop(UnixListener::bind(&path).map_err(text)?);
    let mut live = start(&[&query]);
    listening(&live)?;
    let second = start(&[&query]).finish();
    let said = second.stderr.contains("another process listens");
    check("refused", second.code == 1 && said, &second)?;
    let mut stream = UnixStream::connect(&path).map_err(text)?;
    stream.write_all(b"{\"n\":1}\n").map_err(text)?;
    same_text("rows", b"n\n1\n", printed(&mut live, 2)?.as_bytes())?;
    terminated(live)?;
    if path.exists() {
        return Err(String::from("the socket's file is left behind"));
    }
    std::fs::write(&path, "text").map_err(text)?;
    let outcome = start(&[&query]).finish();
    let said = outcome.stderr.contains("is no socket");
    check(
        "a file is left alone",
        outcome.code == 1 && said && path.exists(),
        &outcome,
    )
}

/// What prints at the end of an endless input is refused.
fn endless() -> Result<(), String> {
    for query in ["SELECT count(*) FROM t", "SELECT n FROM t ORDER BY n"] {
        let script = format!(
            "CREATE TABLE t (n INT) WITH (address = 'udp://:0', format = 'ndjson'); {query}"
        );
        let live = start(&[&script]);
        let address = listening(&live)?;
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
        socket.send_to(b"{\"n\":1}", &address).map_err(text)?;
        let outcome = live.finish();
        check(
            "refused",
            outcome.code == 1 && outcome.stderr.contains("has none"),
            &outcome,
        )?;
    }
    Ok(())
}
