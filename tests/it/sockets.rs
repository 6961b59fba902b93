//! Sockets as inputs: connections that come, go and break, datagrams, and what a model says of their records.
//!
//! Everything is on this machine alone, at ports that the system chooses and `-v` tells.

use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::expect::{check, terminated, text, until};
use crate::program::{self, Live, Workshop};
use crate::random::Random;

type Test = fn() -> Result<(), String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let tests: [(&str, Test); 23] = [
        ("first-row", first_row),
        ("same-bytes", same_bytes),
        ("flaps", flaps),
        ("reconnect", reconnect),
        ("nobody-there", nobody_there),
        ("too-many", too_many),
        ("quiet", quiet),
        ("quiet-peer", quiet_peer),
        ("junk", junk),
        ("much-junk", much_junk),
        ("junk-datagrams", junk_datagrams),
        ("begun", begun),
        ("damaged", damaged),
        ("flood", flood),
        ("sigterm", sigterm),
        ("datagrams", datagrams),
        ("unix-datagrams", unix_datagrams),
        ("socket-file", socket_file),
        ("endless", endless),
        ("idle", idle),
        ("two", two),
        ("two-with-windows", two_with_windows),
        ("arrow", arrow),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("sockets::{name}"), move || Ok(test()?)))
        .collect()
}

/// Starts the program with `-v`, without standard input.
pub fn start(arguments: &[&str]) -> Live {
    Live::start(program::command().arg("-v").args(arguments), false)
}

/// The address behind `listening at tcp-listen://`.
pub fn listening(live: &Live) -> Result<String, String> {
    said(live, "listening at ", |text| {
        let address = text.split("listening at ").nth(1)?.split_once('\n')?.0;
        address.split("://").nth(1).map(String::from)
    })
}

/// Waits until `find` finds something in what was said.
pub fn said<T>(live: &Live, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    until(what, || find(&live.said())).map_err(|error| format!("{error} in: {}", live.said()))
}

/// Waits until this much has come out.
pub fn printed(live: &mut Live, lines: usize) -> Result<String, String> {
    let mut all = String::new();
    let found = until(&format!("{lines} lines"), || {
        all += &live.news();
        (all.lines().count() >= lines).then_some(())
    });
    match found {
        Ok(()) => Ok(all),
        Err(error) => Err(format!("{error}, and there are: {all}\n{}", live.said())),
    }
}

/// Closes a connection so that the other side is told of a reset, once everything sent has been taken.
pub fn reset(stream: TcpStream) -> Result<(), String> {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .map_err(text)
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

/// A file, standard input and connections give the same bytes, also compressed.
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
    let table = format!("CREATE TABLE t {columns} WITH (path = '-', format = 'csv'); {SQL}");
    let mut of_stdin = Live::start(program::command().arg(table), true);
    of_stdin.push(&rows);
    of_stdin.end_input();
    same_text("of stdin", &expected.stdout, &of_stdin.finish().stdout)?;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&rows).map_err(text)?;
    let packed = packer.finish().map_err(text)?;
    let of_gzip = run(&format!("address = 'tcp://{address}'"));
    let (mut peer, _) = tcp.accept().map_err(text)?;
    for piece in packed.chunks(777) {
        peer.write_all(piece).map_err(text)?;
    }
    drop(peer);
    same_text("of gzip", &expected.stdout, &of_gzip.finish().stdout)?;
    let of_unix = run(&format!("address = 'unix://{}'", socket.display()));
    let (mut peer, _) = unix.accept().map_err(text)?;
    peer.write_all(&rows).map_err(text)?;
    drop(peer);
    same_text("of unix", &expected.stdout, &of_unix.finish().stdout)
}

/// How a connection of [`flaps`] goes away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drop {
    /// In order, maybe within a record: what there is of that is a record.
    Ended,
    /// The other side is told of a reset.
    Reset,
}

/// A connection, and what a model says of its bytes.
struct Flap {
    stream: TcpStream,
    pieces: std::vec::IntoIter<Vec<u8>>,
    /// Per whole record: its number and line.
    whole: Vec<(u64, u64)>,
    /// The text and line of the record that is cut.
    cut: Option<(String, u64)>,
    drop: Drop,
}

impl Flap {
    /// A connection of that number to `address`, as luck has it.
    fn new(number: u64, address: &str, random: &mut Random) -> Result<Flap, String> {
        let (mut bytes, mut line, mut whole) = (String::new(), 1, Vec::new());
        for record in 0..random.below(6) as u64 {
            if random.one_in(5) {
                bytes.push('\n');
                line += 1;
            }
            let value = number * 10 + record;
            bytes += &format!(
                "{{\"n\":{value},\"text\":\"{}\"}}\n",
                "x".repeat(random.below(90))
            );
            whole.push((value, line));
            line += 1;
        }
        let cut = random.one_in(2).then(|| {
            let text = format!("{{\"n\":{number},\"text\":\"never");
            let text = &text[..1 + random.below(text.len())];
            (text.to_owned(), line)
        });
        bytes += cut.as_ref().map_or("", |(text, _)| text);
        Ok(Flap {
            stream: TcpStream::connect(address).map_err(text)?,
            pieces: random.cut(bytes.as_bytes()).into_iter(),
            whole,
            cut,
            drop: *random.pick(&[Drop::Ended, Drop::Reset]),
        })
    }
}

/// Hundreds of connections that send in pieces, many at once, and are dropped: no whole record is lost, and every
/// cut one is a reject.
fn flaps() -> Result<(), String> {
    const AT_ONCE: u64 = 25;
    let flaps: u64 = program::size("TUMBLE_FLAPS", 500);
    let seed = program::size("TUMBLE_SEED", 1);
    let random = &mut Random::new(seed);
    let workshop = Workshop::new();
    let file = workshop.path().join("rejects");
    let mut live = start(&[
        "--rejects",
        &file.to_string_lossy(),
        "CREATE TABLE t (n BIGINT, text STRING) WITH (address = 'tcp-listen://:0', format = 'ndjson'); \
         SELECT n, _line FROM t",
    ]);
    let address = listening(&live)?;
    let (mut expected, mut came) = (Vec::new(), Vec::new());
    let (mut expected_rejects, mut number) = (Vec::new(), 0);
    while number < flaps {
        let round: Result<Vec<Flap>, String> = (number..flaps.min(number + AT_ONCE))
            .map(|number| Flap::new(number, &address, random))
            .collect();
        let mut round = round?;
        number += AT_ONCE;
        expected.extend(round.iter().flat_map(|flap| &flap.whole));
        // Pieces of all of them, in any order.
        let mut sending: Vec<usize> = (0..round.len()).collect();
        while !sending.is_empty() {
            let place = random.below(sending.len());
            let flap = &mut round[sending[place]];
            match flap.pieces.next() {
                Some(piece) => flap.stream.write_all(&piece).map_err(text)?,
                None => drop(sending.swap_remove(place)),
            }
        }
        // A reset takes back what was not read.
        live.settle();
        came.extend(live.news().lines().filter_map(numbers));
        same_numbers(&mut expected, &mut came).map_err(|error| format!("seed {seed}: {error}"))?;
        for flap in round {
            if let Some((text, line)) = flap.cut {
                expected_rejects.push((text, line, flap.drop == Drop::Reset));
            }
            if flap.drop == Drop::Reset {
                reset(flap.stream)?;
            }
        }
    }
    live.settle();
    let outcome = terminated(live)?;
    let rejects = std::fs::read_to_string(&file).map_err(text)?;
    let mut rejects = rejects
        .lines()
        .map(rejected)
        .collect::<Result<Vec<_>, _>>()?;
    rejects.sort();
    expected_rejects.sort();
    check(
        &format!("seed {seed}: rejects {rejects:?}, expected {expected_rejects:?}"),
        rejects == expected_rejects,
        &outcome,
    )
}

/// The two numbers of a row; `None` for the header.
fn numbers(line: &str) -> Option<(u64, u64)> {
    let (first, second) = line.split_once(',')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// The text and line of a reject, and whether it is one because its connection was reset.
fn rejected(line: &str) -> Result<(String, u64, bool), String> {
    let reject: serde_json::Value = serde_json::from_str(line).map_err(text)?;
    let string = |key: &str| reject[key].as_str().unwrap_or_default();
    Ok((
        string("text").to_owned(),
        reject["line"].as_u64().unwrap_or_default(),
        string("reason").ends_with("within the record"),
    ))
}

fn same_numbers(expected: &mut [(u64, u64)], came: &mut [(u64, u64)]) -> Result<(), String> {
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

/// Of those that came, the connection that sends nothing for too long ends alone, before the first sample and
/// behind it; what it had begun is a reject.
fn quiet() -> Result<(), String> {
    for columns in ["", "(n BIGINT) "] {
        let mut live = start(&[&format!(
            "CREATE TABLE t {columns}WITH (address = 'tcp-listen://:0', read_timeout = '300ms', format = 'ndjson'); \
             SELECT n FROM t"
        )]);
        let address = listening(&live)?;
        let mut silent = TcpStream::connect(&address).map_err(text)?;
        silent.write_all(b"{\"n\"").map_err(text)?;
        ended(&mut silent)?;
        let mut other = TcpStream::connect(&address).map_err(text)?;
        other.write_all(b"{\"n\":1}\n").map_err(text)?;
        same_text("the other", b"n\n1\n", printed(&mut live, 2)?.as_bytes())?;
        ended(&mut other)?;
        let outcome = terminated(live)?;
        let told = outcome.stderr.contains("nothing came for 300ms: that");
        check("told", told, &outcome)?;
        let why = "nothing came for 300ms within the record";
        let rejected = outcome.stderr.contains("1 of 2 rows were rejected");
        check(
            "a reject",
            rejected && outcome.stderr.contains(why),
            &outcome,
        )?;
    }
    Ok(())
}

/// Waits until the other side has ended a connection.
fn ended(stream: &mut TcpStream) -> Result<(), String> {
    let within = Some(Duration::from_secs(60));
    stream.set_read_timeout(within).map_err(text)?;
    match std::io::Read::read(stream, &mut [0; 1]) {
        Ok(0) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(()),
        other => Err(format!("the connection has not ended: {other:?}")),
    }
}

/// A connection that was made and on which nothing comes is made again, or that is an error.
fn quiet_peer() -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let table = |reconnect: &str| {
        format!(
            "CREATE TABLE t (n BIGINT) WITH (address = 'tcp://{address}', read_timeout = '1s', \
             reconnect = '{reconnect}', format = 'ndjson'); SELECT n FROM t"
        )
    };
    let mut live = start(&[&table("broken")]);
    let (mut first, _) = listener.accept().map_err(text)?;
    first.write_all(b"{\"n\":1}\n").map_err(text)?;
    let (mut second, _) = listener.accept().map_err(text)?;
    second.write_all(b"{\"n\":2}\n").map_err(text)?;
    drop(second);
    same_text("rows", b"n\n1\n2\n", printed(&mut live, 3)?.as_bytes())?;
    let outcome = live.finish();
    let said = "nothing came for 1s; connecting again";
    let is_good = outcome.code == 0 && outcome.stderr.contains(said);
    check("made again", is_good, &outcome)?;
    let live = start(&[&table("never")]);
    let (_silent, _) = listener.accept().map_err(text)?;
    let outcome = live.finish();
    let said = outcome.stderr.contains("broke: nothing came for 1s");
    check("an error", outcome.code == 1 && said, &outcome)
}

/// A connection that begins with what is no record is passed over, and the table is what another one sends.
fn junk() -> Result<(), String> {
    for sql in [
        "SELECT n FROM 'tcp-listen://:0'",
        "CREATE TABLE t (n DOUBLE) WITH (address = 'tcp-listen://:0'); SELECT n FROM t",
        "CREATE TABLE t WITH (address = 'tcp-listen://:0'); SELECT n FROM t",
    ] {
        let mut live = start(&[sql]);
        let address = listening(&live)?;
        let connect = || TcpStream::connect(&address).map_err(text);
        // The end of a record that began elsewhere.
        connect()?.write_all(b"\"n\":7}").map_err(text)?;
        said(&live, "waiting for others", |text| {
            text.contains("waiting for others").then_some(())
        })?;
        connect()?.write_all(b"\xff\xfe\x01").map_err(text)?;
        let mut junk = connect()?;
        junk.write_all(b"\xff\xfe\x01\n\xff\n").map_err(text)?;
        live.settle();
        let mut good = connect()?;
        good.write_all(b"{\"n\":1}\n{\"n\":2}\n").map_err(text)?;
        let rows = printed(&mut live, 3)?;
        same_text("the good one", b"n\n1\n2\n", rows.as_bytes())?;
        junk.write_all(b"{\"n\":3}\n").map_err(text)?;
        let rows = printed(&mut live, 1)?;
        same_text("behind the junk", b"3\n", rows.as_bytes())?;
        let outcome = terminated(live)?;
        let told = outcome.stderr.matches("waiting for others").count();
        let rejected = outcome.stderr.contains("4 of 7 rows were rejected");
        check("four rejects, told once", rejected && told == 1, &outcome)?;
    }
    Ok(())
}

/// What is kept of junk until the table is known is bounded, and that is told.
fn much_junk() -> Result<(), String> {
    let mut live = start(&["SELECT n FROM 'tcp-listen://:0'"]);
    let address = listening(&live)?;
    for _ in 0..130 {
        let mut junk = TcpStream::connect(&address).map_err(text)?;
        junk.write_all(b"\"n\":7}").map_err(text)?;
    }
    said(&live, "a limit", |text| {
        text.contains("more than 100 inputs").then_some(())
    })?;
    live.settle();
    let mut good = TcpStream::connect(&address).map_err(text)?;
    good.write_all(b"{\"n\":1}\n").map_err(text)?;
    same_text("the good one", b"n\n1\n", printed(&mut live, 2)?.as_bytes())?;
    let outcome = terminated(live)?;
    let rejected = outcome.stderr.contains("100 of 101 rows were rejected");
    check("those that were kept are rejects", rejected, &outcome)
}

/// Datagrams that are no records are passed over, counted as rejects, and the table is what the next good one is.
fn junk_datagrams() -> Result<(), String> {
    let workshop = Workshop::new();
    let path = workshop.path().join("s");
    let unix = UnixDatagram::unbound().map_err(text)?;
    let udp = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
    let of_columns = vec![
        b"PAR1\x01 or what".to_vec(),
        b"\x16\x03\x01\x02\0\x01".to_vec(),
    ];
    // More than a sample of text.
    let lines = vec![vec![b'x'; 1_000]; 80];
    for (junk, place) in [
        (&of_columns, "udp://:0".to_owned()),
        (&of_columns, format!("unix-dgram://{}", path.display())),
        (&lines, "udp://:0".to_owned()),
    ] {
        let mut live = start(&[&format!("SELECT n FROM '{place}'")]);
        let address = listening(&live)?;
        let send = |datagram: &[u8]| match place.starts_with("udp") {
            true => udp.send_to(datagram, &address).map(drop).map_err(text),
            false => unix.send_to(datagram, &path).map(drop).map_err(text),
        };
        for datagram in junk {
            send(datagram)?;
        }
        said(&live, "waiting for others", |text| {
            text.contains("waiting for others").then_some(())
        })?;
        live.settle();
        send(b"{\"n\":1}\n{\"n\":2}")?;
        same_text("rows", b"n\n1\n2\n", printed(&mut live, 3)?.as_bytes())?;
        live.settle();
        let outcome = terminated(live)?;
        let told = outcome.stderr.matches("waiting for others").count();
        let count = junk.len();
        let rejected = format!("{count} of {} rows were rejected", count + 2);
        let is_right = outcome.stderr.contains(&rejected) && told == 1;
        check("all are rejects, told once", is_right, &outcome)?;
    }
    Ok(())
}

/// What many connections have begun is bounded: the longest records are rejects, and the others are rows when they end.
fn begun() -> Result<(), String> {
    for columns in ["", "(n BIGINT, text STRING) "] {
        let mut live = start(&[
            "--max-record",
            "64KiB",
            &format!(
                "CREATE TABLE t {columns}WITH (address = 'tcp-listen://:0', format = 'ndjson'); SELECT n FROM t"
            ),
        ]);
        let address = listening(&live)?;
        let mut streams = Vec::new();
        // 1 MiB may have begun: 34 of these.
        for n in 0..40 {
            let mut stream = TcpStream::connect(&address).map_err(text)?;
            let record = format!("{{\"n\":{n},\"text\":\"");
            let filler = "x".repeat(30_000 - record.len());
            stream
                .write_all((record + &filler).as_bytes())
                .map_err(text)?;
            streams.push(stream);
        }
        said(&live, "that one was given up", |text| {
            text.contains("it was the longest: that connection has ended")
                .then_some(())
        })?;
        live.settle();
        for stream in &mut streams {
            // Those that were given up are gone.
            let _ = stream.write_all(b"\"}\n");
        }
        printed(&mut live, 35)?;
        live.settle();
        let outcome = terminated(live)?;
        let rejected = outcome.stderr.contains("6 of 40 rows were rejected");
        check("six are rejects", rejected, &outcome)?;
    }
    Ok(())
}

/// A connection of whose bytes nothing can be unpacked is a reject, before the first sample and behind it.
fn damaged() -> Result<(), String> {
    for columns in ["", "(n BIGINT) "] {
        let mut live = start(&[&format!(
            "CREATE TABLE t {columns}WITH (address = 'tcp-listen://:0', format = 'ndjson'); SELECT n FROM t"
        )]);
        let address = listening(&live)?;
        let send = |bytes: &[u8]| {
            let mut stream = TcpStream::connect(&address).map_err(text)?;
            stream.write_all(bytes).map_err(text)
        };
        let damaged = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff";
        send(damaged)?;
        live.settle();
        send(b"{\"n\":1}\n")?;
        same_text("a row", b"n\n1\n", printed(&mut live, 2)?.as_bytes())?;
        send(damaged)?;
        said(&live, "that it broke", |text| {
            text.contains("that connection has ended").then_some(())
        })?;
        live.settle();
        let outcome = terminated(live)?;
        let rejected = outcome.stderr.contains("2 of 3 rows were rejected");
        check("two rejects", rejected, &outcome)?;
    }
    Ok(())
}

/// A connection that always has something keeps no other one waiting.
fn flood() -> Result<(), String> {
    let mut live = start(&[
        "CREATE TABLE t (n BIGINT) WITH (address = 'tcp-listen://:0', format = 'ndjson'); \
         SELECT n FROM t WHERE n < 0 LIMIT 2",
    ]);
    let address = listening(&live)?;
    let mut other = TcpStream::connect(&address).map_err(text)?;
    other.write_all(b"{\"n\":-1}\n").map_err(text)?;
    same_text("before", b"n\n-1\n", printed(&mut live, 2)?.as_bytes())?;
    let mut flooded = TcpStream::connect(&address).map_err(text)?;
    let rows = b"{\"n\":1}\n".repeat(100_000);
    // So much at least has been read when the other one goes on.
    for _ in 0..10 {
        flooded.write_all(&rows).map_err(text)?;
    }
    let flooding = std::thread::spawn(move || while flooded.write_all(&rows).is_ok() {});
    other.write_all(b"{\"n\":-2}\n").map_err(text)?;
    let outcome = live.finish();
    flooding
        .join()
        .map_err(|_| String::from("the flood failed"))?;
    check("the limit is reached", outcome.code == 0, &outcome)
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

/// What prints at the end of an endless input is refused before anything is opened: nobody sends a byte here.
fn endless() -> Result<(), String> {
    let tables = [
        "CREATE TABLE t (n INT) WITH (address = 'udp://:0', format = 'ndjson'); ",
        "CREATE TABLE t (n INT, ts TIMESTAMP) WITH (address = 'tcp-listen://:0', format = 'csv'); ",
        "CREATE TABLE t WITH (address = 'tcp-listen://:0'); ",
        "CREATE VIEW t AS SELECT * FROM 'udp://:0' WHERE n > 1; ",
    ];
    for (number, table) in tables.iter().enumerate() {
        for query in [
            "SELECT count(*) FROM t",
            "SELECT n, count(*) FROM t GROUP BY n HAVING count(*) > 1",
            "SELECT DISTINCT n FROM t",
            "SELECT n FROM t ORDER BY n",
            "WITH c AS (SELECT n FROM t) SELECT n, a FROM (SELECT n, max(n) AS a FROM c GROUP BY n)",
            "SELECT n, count(*) FROM TUMBLE(t, ts, '1m') GROUP BY n",
        ] {
            if number == 0 && query.contains("ts") {
                continue;
            }
            let outcome = start(&[&format!("{table}{query}")]).finish();
            let refused = outcome.code == 1 && outcome.stderr.contains("has none");
            let is_open = outcome.stderr.contains("listening at");
            check(
                &format!("{table}{query}: refused"),
                refused && !is_open,
                &outcome,
            )?;
        }
    }
    // What ends is awaited, and a LIMIT ends what is behind it.
    let mut live = start(&["SELECT count(*) AS c FROM (SELECT n FROM 'udp://:0' LIMIT 1)"]);
    let address = listening(&live)?;
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
    socket.send_to(b"{\"n\":1}", &address).map_err(text)?;
    same_text("a total", b"c\n1\n", printed(&mut live, 2)?.as_bytes())?;
    let outcome = live.finish();
    check("its end", outcome.code == 0, &outcome)
}

/// Two endless inputs: both listen at once, and rows come as they come, whoever is silent.
fn two() -> Result<(), String> {
    let mut live = start(&["SELECT n FROM 'tcp-listen://:0' UNION ALL SELECT n FROM 'udp://:0'"]);
    let address = listening(&live)?;
    let datagrams = said(&live, "listening at udp", |text| {
        let address = text.split("listening at udp://").nth(1)?;
        address
            .split_once('\n')
            .map(|(address, _)| address.to_owned())
    })?;
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(text)?;
    let send = |text_of: &str| {
        let sent = socket.send_to(text_of.as_bytes(), &datagrams);
        sent.map(drop).map_err(text)
    };
    let mut stream = TcpStream::connect(&address).map_err(text)?;
    send("{\"n\":1}")?;
    stream.write_all(b"{\"n\":2}\n").map_err(text)?;
    let first = printed(&mut live, 3)?;
    let is_any = matches!(first.as_str(), "n\n1\n2\n" | "n\n2\n1\n");
    if !is_any {
        return Err(format!("first rows: {first}"));
    }
    for row in 3..20 {
        let record = format!("{{\"n\":{row}}}\n");
        match row % 3 {
            0 => stream.write_all(record.as_bytes()).map_err(text)?,
            _ => send(&record)?,
        }
        let expected = format!("{row}\n");
        same_text(
            "a row",
            expected.as_bytes(),
            printed(&mut live, 1)?.as_bytes(),
        )?;
    }
    terminated(live).map(drop)
}

/// Windows over two endless inputs close when both have come so far; what has gone quiet holds nothing up.
fn two_with_windows() -> Result<(), String> {
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) \
             WITH (address = 'tcp-listen://:0', format = 'ndjson', idle_timeout = '1s'); "
        )
    };
    let sql = table("a")
        + &table("b")
        + "SELECT window_start, count(*) AS n FROM TUMBLE((SELECT ts FROM a UNION ALL SELECT ts FROM b), ts, '1s') \
           GROUP BY window_start";
    let mut live = start(&[&sql]);
    let addresses = said(&live, "two addresses", |text| {
        let parts = text.split("listening at tcp-listen://").skip(1);
        let lines = parts.map(|part| part.split_once('\n').map(|(line, _)| line.to_owned()));
        lines
            .collect::<Option<Vec<String>>>()
            .filter(|lines| lines.len() == 2)
    })?;
    let mut first = TcpStream::connect(&addresses[0]).map_err(text)?;
    let mut second = TcpStream::connect(&addresses[1]).map_err(text)?;
    let row = |second: &str| format!("{{\"ts\":\"2026-01-01T12:00:{second}\"}}\n");
    // The second source is far ahead of the first one, and read all the same.
    second.write_all(row("00.1").as_bytes()).map_err(text)?;
    second.write_all(row("02.9").as_bytes()).map_err(text)?;
    first.write_all(row("00.2").as_bytes()).map_err(text)?;
    first.write_all(row("01.2").as_bytes()).map_err(text)?;
    let lines = printed(&mut live, 2)?;
    let expected = b"window_start,n\n2026-01-01T12:00:00,2\n";
    same_text("both have come so far", expected, lines.as_bytes())?;
    // Nothing more comes of either.
    let lines = printed(&mut live, 2)?;
    let expected = b"2026-01-01T12:00:01,1\n2026-01-01T12:00:02,1\n";
    same_text("both are quiet", expected, lines.as_bytes())?;
    terminated(live).map(drop)
}

/// An input that goes quiet has its windows closed by the clock, once it was quiet for long enough.
fn idle() -> Result<(), String> {
    let mut live = start(&[
        "--idle-timeout",
        "300ms",
        "--delay",
        "1h",
        "SELECT window_start, count(*) AS n FROM TUMBLE('tcp-listen://:0', '1s') GROUP BY window_start",
    ]);
    let address = listening(&live)?;
    let mut stream = TcpStream::connect(&address).map_err(text)?;
    let began = Instant::now();
    let rows = "{\"ts\":\"2026-01-01T12:00:00.25\"}\n{\"ts\":\"2026-01-01T12:00:00.5\"}\n";
    stream.write_all(rows.as_bytes()).map_err(text)?;
    let expected = b"window_start,n\n2026-01-01T12:00:00,2\n";
    let lines = printed(&mut live, 2)?;
    same_text("closed by the clock", expected, lines.as_bytes())?;
    if began.elapsed() < Duration::from_millis(300 + 499) {
        return Err(format!("closed too early, after {:?}", began.elapsed()));
    }
    said(&live, "a pause", |text| {
        text.contains("with the clock from 2026-01-01T12:00:00.5")
            .then_some(())
    })?;
    // What comes for that window now is late, and what is newer opens its own.
    let rows = "{\"ts\":\"2026-01-01T12:00:00.75\"}\n{\"ts\":\"2026-01-01T13:00:00\"}\n";
    stream.write_all(rows.as_bytes()).map_err(text)?;
    let lines = printed(&mut live, 1)?;
    same_text("the next", b"2026-01-01T13:00:00,1\n", lines.as_bytes())?;
    let outcome = terminated(live)?;
    let late = outcome.stderr.contains("1 of 4 rows were late")
        && outcome.stderr.contains("a longer --idle-timeout waits");
    check("late", late, &outcome)?;
    let pauses = outcome.stderr.matches("with the clock").count();
    check("said once", pauses == 1, &outcome)
}

/// Arrow comes through connections as it does through a pipe; what breaks is a reject, and the others go on.
fn arrow() -> Result<(), String> {
    let written = |query: &str| {
        let mut command = program::command();
        command.args(["--format", "arrow", query]);
        program::run_command(command, None).stdout
    };
    let stream = |number: u32| written(&format!("SELECT {number} AS n, 'x' AS s"));
    let (one, two, three) = (stream(1), stream(2), stream(3));
    let mut live = start(&["SELECT n, s, _line, _offset FROM 'tcp-listen://:0'"]);
    let address = listening(&live)?;
    let connect = || TcpStream::connect(&address).map_err(text);
    let mut slow = connect()?;
    slow.write_all(&one[..one.len() - 80]).map_err(text)?;
    let mut other = connect()?;
    other.write_all(&two).map_err(text)?;
    let expected = b"n,s,_line,_offset\n2,x,1,\n";
    same_text(
        "the one that is whole",
        expected,
        printed(&mut live, 2)?.as_bytes(),
    )?;
    // Cut within a batch; reset there; another column; no Arrow.
    let cut = &three[..three.len() - 80];
    connect()?.write_all(cut).map_err(text)?;
    let mut broken = connect()?;
    broken.write_all(cut).map_err(text)?;
    live.settle();
    reset(broken)?;
    let renamed = written("SELECT 1 AS m");
    connect()?.write_all(&renamed).map_err(text)?;
    connect()?.write_all(b"n,s\n4,x\n5,y\n").map_err(text)?;
    live.settle();
    slow.write_all(&one[one.len() - 80..]).map_err(text)?;
    slow.write_all(&three).map_err(text)?;
    let rows = printed(&mut live, 2)?;
    same_text("the slow one", b"1,x,1,\n3,x,2,\n", rows.as_bytes())?;
    let outcome = terminated(live)?;
    let is_told = outcome.stderr.contains("4 of 7 rows were rejected");
    check("rejects are told", is_told, &outcome)
}
