//! Sockets as sinks: rows arrive as they come out, and again where a connection broke under them.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::expect::{check, terminated, text, until};
use crate::program::{self, Live, Workshop};
use crate::random::Random;
use crate::sockets::{listening, printed, reset, start};

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 10] = [
        ("prompt", prompt),
        ("same-bytes", same_bytes),
        ("flaps", flaps),
        ("half-closed", half_closed),
        ("nobody-there", nobody_there),
        ("waits", waits),
        ("datagrams", datagrams),
        ("unix-datagrams", unix_datagrams),
        ("too-long", too_long),
        ("sigterm", sigterm),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("socket-sinks::{name}"), move || Ok(test()?)))
        .collect()
}

/// Starts the program, which reads standard input.
fn fed(sql: &str) -> Live {
    Live::start(program::command().args(["-v", sql]), true)
}

fn listener() -> Result<(TcpListener, String), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let address = listener.local_addr().map_err(text)?.to_string();
    Ok((listener, address))
}

/// A connection, which must come soon.
fn accepted(listener: &TcpListener) -> Result<TcpStream, String> {
    listener.set_nonblocking(true).map_err(text)?;
    let peer = until("a connection", || match listener.accept() {
        Ok((peer, _)) => Some(Ok(peer)),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
        Err(error) => Some(Err(error)),
    });
    let peer = peer?.map_err(text)?;
    peer.set_nonblocking(false).map_err(text)?;
    Ok(peer)
}

/// What comes until there are so many lines, or the end.
fn lines(stream: &mut impl Read, count: usize) -> Result<String, String> {
    let (mut all, mut buffer) = (Vec::new(), [0; 1 << 12]);
    while all.iter().filter(|byte| **byte == b'\n').count() < count {
        match stream.read(&mut buffer).map_err(text)? {
            0 => break,
            length => all.extend_from_slice(&buffer[..length]),
        }
    }
    String::from_utf8(all).map_err(text)
}

fn whole(stream: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).map_err(text)?;
    Ok(all)
}

/// A window is there as soon as it has closed; the end of the run is the end of the connection.
fn prompt() -> Result<(), String> {
    let (listener, address) = listener()?;
    let mut live = fed(&format!(
        "INSERT INTO 'tcp://{address}' SELECT window_start, count(*) AS n FROM TUMBLE(stdin, ts, '1m') \
         GROUP BY window_start"
    ));
    live.feed(b"{\"ts\":\"2026-01-01T12:00:10\"}\n");
    let mut peer = accepted(&listener)?;
    live.feed(b"{\"ts\":\"2026-01-01T12:01:05\"}\n");
    let first = "{\"window_start\":\"2026-01-01T12:00:00\",\"n\":1}\n";
    same_text("first", first.as_bytes(), lines(&mut peer, 1)?.as_bytes())?;
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    let last = "{\"window_start\":\"2026-01-01T12:01:00\",\"n\":1}\n";
    same_text("last", last.as_bytes(), &whole(&mut peer)?)
}

/// One of us writes what another one reads, over tcp and unix; a file of the same rows has the same bytes.
fn same_bytes() -> Result<(), String> {
    let workshop = Workshop::new();
    let file = workshop.path().join("rows.csv");
    let mut rows = String::from("n,t\n");
    for row in 0..30_000 {
        rows += &format!("{row},\"a \"\"{row}\"\"\nb\"\n");
    }
    std::fs::write(&file, &rows).map_err(text)?;
    let path = workshop.path().join("s");
    let columns = "(n BIGINT, t STRING)";
    for place in [
        String::from("tcp-listen://:0"),
        format!("unix-listen://{}", path.display()),
    ] {
        let mut reader = start(&[&format!(
            "CREATE TABLE t {columns} WITH (address = '{place}', format = 'csv'); SELECT n, t FROM t LIMIT 30000"
        )]);
        let scheme = place.split('-').next().unwrap_or_default();
        let address = format!("{scheme}://{}", listening(&reader)?);
        let written = start(&[&format!(
            "CREATE TABLE out {columns} WITH (address = '{address}', format = 'csv'); \
             INSERT INTO out SELECT n, t FROM '{}'",
            file.display()
        )])
        .finish();
        check("written", written.code == 0, &written)?;
        let read = printed(&mut reader, rows.lines().count())?;
        same_text(&place, rows.as_bytes(), read.as_bytes())?;
        let outcome = reader.finish();
        check("a LIMIT ends what is endless", outcome.code == 0, &outcome)?;
    }
    Ok(())
}

/// A peer that goes away between two rows gets the second one when it is back: none is lost, none comes twice,
/// and each connection begins with the header.
fn flaps() -> Result<(), String> {
    let flaps: u64 = program::size("TUMBLE_FLAPS", 500) / 10;
    let seed = program::size("TUMBLE_SEED", 1);
    let random = &mut Random::new(seed);
    let (listener, address) = listener()?;
    let mut live = fed(&format!(
        "CREATE TABLE o (n BIGINT) WITH (address = 'tcp://{address}', format = 'csv', reconnect = 'always'); \
         CREATE TABLE t (n BIGINT) WITH (path = '-', format = 'ndjson'); INSERT INTO o SELECT n FROM t"
    ));
    let mut next = 0;
    for _ in 0..flaps {
        let (mut rows, mut expected) = (String::new(), String::from("n\n"));
        for _ in 0..1 + random.below(4) {
            rows += &format!("{{\"n\":{next}}}\n");
            expected += &format!("{next}\n");
            next += 1;
        }
        // Not `feed`: the program may be connecting again.
        live.push(rows.as_bytes());
        let mut peer = accepted(&listener)?;
        let came = lines(&mut peer, expected.lines().count())?;
        same_text(
            &format!("seed {seed}"),
            expected.as_bytes(),
            came.as_bytes(),
        )?;
        match random.one_in(4) {
            true => {
                reset(peer)?;
                // A process that another test starts has a copy of the connection for a moment.
                std::thread::sleep(Duration::from_millis(30));
            }
            // At once, whoever has a copy.
            false => peer.shutdown(Shutdown::Both).map_err(text)?,
        }
    }
    live.end_input();
    let outcome = live.finish();
    let is_told = outcome.stderr.contains("connecting again");
    check("told", outcome.code == 0 && is_told, &outcome)
}

/// A peer that has closed its own side takes what comes.
fn half_closed() -> Result<(), String> {
    let (listener, address) = listener()?;
    let mut live = fed(&format!(
        "CREATE TABLE t (n BIGINT) WITH (path = '-', format = 'ndjson'); INSERT INTO 'tcp://{address}' SELECT n FROM t"
    ));
    live.feed(b"{\"n\":1}\n");
    let mut peer = accepted(&listener)?;
    peer.shutdown(Shutdown::Write).map_err(text)?;
    for row in 2..5 {
        live.feed(format!("{{\"n\":{row}}}\n").as_bytes());
    }
    live.end_input();
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    let expected = b"{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n";
    same_text("all rows", expected, &whole(&mut peer)?)
}

fn nobody_there() -> Result<(), String> {
    let (listener, address) = listener()?;
    drop(listener);
    let outcome = start(&[&format!("INSERT INTO 'tcp://{address}' SELECT 1 AS n")]).finish();
    let said = outcome.stderr.contains("cannot write to") && outcome.stderr.contains("refused");
    check(
        "an error that says why",
        outcome.code == 1 && said,
        &outcome,
    )
}

/// `reconnect = 'always'` waits until somebody is there; a signal ends that.
fn waits() -> Result<(), String> {
    let workshop = Workshop::new();
    let path = workshop.path().join("s");
    let sql = format!(
        "CREATE TABLE o (n BIGINT) WITH (address = 'unix://{}', reconnect = 'always'); INSERT INTO o SELECT 1 AS n",
        path.display()
    );
    let live = start(&[&sql]);
    std::thread::sleep(Duration::from_millis(150));
    let listener = UnixListener::bind(&path).map_err(text)?;
    let (mut peer, _) = listener.accept().map_err(text)?;
    same_text("the row", b"{\"n\":1}\n", &whole(&mut peer)?)?;
    let outcome = live.finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    drop(listener);
    let live = start(&[&sql]);
    std::thread::sleep(Duration::from_millis(150));
    let began = Instant::now();
    terminated(live)?;
    match began.elapsed() < Duration::from_secs(5) {
        true => Ok(()),
        false => Err(String::from("it did not stop")),
    }
}

/// A row is a datagram, and there is no header.
fn datagrams() -> Result<(), String> {
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .map_err(text)?;
    let address = socket.local_addr().map_err(text)?;
    let outcome = start(&[&format!(
        "CREATE TABLE o (n BIGINT, t STRING) WITH (address = 'udp://{address}', format = 'csv'); \
         INSERT INTO o VALUES (1, 'a'), (2, 'b\nc'), (3, NULL)"
    )])
    .finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    let mut buffer = [0; 100];
    for expected in ["1,a\n", "2,\"b\nc\"\n", "3,\n"] {
        let length = socket.recv(&mut buffer).map_err(text)?;
        same_text("a datagram", expected.as_bytes(), &buffer[..length])?;
    }
    Ok(())
}

fn unix_datagrams() -> Result<(), String> {
    let workshop = Workshop::new();
    let path = workshop.path().join("s");
    let socket = UnixDatagram::bind(&path).map_err(text)?;
    let sql = format!(
        "INSERT INTO 'unix-dgram://{}' SELECT 1 AS n UNION ALL SELECT 2 AS n",
        path.display()
    );
    let outcome = start(&[&sql]).finish();
    check("exit code 0", outcome.code == 0, &outcome)?;
    let mut buffer = [0; 100];
    for expected in ["{\"n\":1}\n", "{\"n\":2}\n"] {
        let length = socket.recv(&mut buffer).map_err(text)?;
        same_text("a datagram", expected.as_bytes(), &buffer[..length])?;
    }
    drop((socket, std::fs::remove_file(&path)));
    let outcome = start(&[&sql]).finish();
    let said = outcome.stderr.contains("cannot write to");
    check("nobody is there", outcome.code == 1 && said, &outcome)
}

fn too_long() -> Result<(), String> {
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
    let address = socket.local_addr().map_err(text)?;
    let outcome = start(&[&format!(
        "INSERT INTO 'udp://{address}' SELECT repeat('x', 70000) AS t"
    )])
    .finish();
    let said = outcome.stderr.contains("does not fit into a datagram");
    check("refused", outcome.code == 1 && said, &outcome)
}

/// A peer that takes nothing does not keep a signal waiting.
fn sigterm() -> Result<(), String> {
    let (listener, address) = listener()?;
    let workshop = Workshop::new();
    let file = workshop.path().join("rows.ndjson");
    let rows = format!("{{\"n\":\"{}\"}}\n", "x".repeat(1_000)).repeat(20_000);
    std::fs::write(&file, rows).map_err(text)?;
    let live = start(&[&format!(
        "INSERT INTO 'tcp://{address}' SELECT n FROM '{}'",
        file.display()
    )]);
    let _peer = accepted(&listener)?;
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    terminated(live)?;
    match began.elapsed() < Duration::from_secs(5) {
        true => Ok(()),
        false => Err(String::from("it did not stop")),
    }
}
