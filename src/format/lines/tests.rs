//! Lines of each layout, what their fields are, and what is wrong with those that do not fit.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;

use super::*;
use crate::format::ReadColumn;
use crate::time::Zone;

fn options(layout: Layout, encoding: Encoding) -> LinesOptions {
    LinesOptions {
        layout,
        nulls: Nulls::Default,
        encoding,
        max_record_bytes: 1 << 20,
        years_from: None,
    }
}

fn decoder(layout: &Layout, names: &[String], encoding: Encoding) -> LinesDecoder {
    let column =
        |name: &String| ReadColumn::new(name, Arc::new(Field::new(name, DataType::Utf8View, true)));
    let spec = DecodeSpec {
        columns: names.iter().map(column).collect(),
        checked: Vec::new(),
        tells_keys: false,
        zone: Zone::UTC,
    };
    LinesDecoder::new(&options(layout.clone(), encoding), &spec).unwrap()
}

/// Rows as `a|b`, NULL as `~`; rejects as `! reason`, by their records.
fn shown(decoded: &Decoded) -> Vec<String> {
    let columns: Vec<_> = (decoded.rows.columns().iter())
        .map(|column| {
            column
                .as_any()
                .downcast_ref::<arrow::array::StringViewArray>()
                .unwrap()
        })
        .collect();
    let rows = decoded.records.iter().enumerate().map(|(row, record)| {
        let values = columns.iter().map(|column| match column.is_null(row) {
            true => "~",
            false => column.value(row),
        });
        (*record, values.collect::<Vec<_>>().join("|"))
    });
    let rejects = decoded
        .rejects
        .iter()
        .map(|reject| (reject.record, format!("! {}", reject.reason)));
    let mut all: Vec<(u32, String)> = rows.chain(rejects).collect();
    all.sort();
    all.into_iter().map(|(_, text)| text).collect()
}

fn check(layout: &Layout, names: &[&str], text: &str, expected: &[&str]) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let decoder = decoder(layout, &names, Encoding::Lossy);
    let decoded = decoder.decode(&Buffer::from(text.as_bytes())).unwrap();
    assert_eq!(shown(&decoded), expected, "{text}");
}

#[test]
fn access_logs() {
    let line = r#"10.0.0.1 - ann b [10/Oct/2000:13:55:36 -0700] "GET /a\"b HTTP/1.0" 200 -"#;
    let layout = recognized_layout(br#"::1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 0"#).unwrap();
    assert_eq!(layout.name(), "clf");
    let names = [
        "host", "ident", "user", "time", "method", "path", "protocol", "status", "bytes",
    ];
    check(
        &layout,
        &names,
        &format!(
            "{line}\n{line} 7\n::1 - - [x] \"\\x16\" 400 1\nhost - - x\n::1 - - [x] \"GET /\" ok 1\n"
        ),
        &[
            "10.0.0.1|~|ann b|10/Oct/2000:13:55:36 -0700|GET|/a\"b|HTTP/1.0|200|~",
            "! has more fields than the first line",
            "::1|~|~|x|~|~|~|400|1",
            "! no [time]",
            "! no status behind the request",
        ],
    );
    let timed = r#"shop:80 ::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "a b" rt=0.5 "x y" 7"#;
    let layout = recognized_layout(timed.as_bytes()).unwrap();
    assert_eq!(layout.name(), "combined");
    let names = [
        "vhost",
        "host",
        "referer",
        "user_agent",
        "rt",
        "extra_2",
        "extra_3",
    ];
    check(&layout, &names, timed, &["shop:80|::1|~|a b|0.5|x y|7"]);
}

#[test]
fn logfmt_lines() {
    check(
        &Layout::Logfmt,
        &["a", "b", "c"],
        "a=1 b=\"x \\\"y\\\"\" c\na= b=\"\" x(y) a=2\nc=3\nc\nat x(y=1)\na=\"\n\n",
        &[
            "1|x \"y\"|true",
            "2||~",
            "~|~|3",
            "! does not begin with key=value",
            "! does not begin with key=value",
            "! a quote does not close",
        ],
    );
}

#[test]
fn syslog_lines() {
    let names = [
        "time", "host", "severity", "app", "pid", "msgid", "data", "message",
    ];
    check(
        &Layout::Syslog,
        &names,
        "<34>Oct 11 22:14:15 web1 su: 'su root' failed\n\
         Oct  1 22:14:15 web1 sshd[412]: bad\n\
         Oct 11 22:14:15 web1 last message repeated 2 times\n\
         2026-10-11T22:14:15.003+02:00 web1 postfix/smtpd[9]: x\n\
         <165>1 2026-10-11T22:14:15Z web1 app - ID47 [a@1 b=\"x]\\\"y\"][c] text \n\
         <0>1 - - - - - -\n\
         <192>Oct 11 22:14:15 web1 su: x\n\
         <34>1 2026-10-11T22:14:15Z web1 app - ID47 [a@1 b=\"x\n\
         \tat stack\n",
        &[
            "Oct 11 22:14:15|web1|crit|su|~|~|~|'su root' failed",
            "Oct  1 22:14:15|web1|~|sshd|412|~|~|bad",
            "Oct 11 22:14:15|web1|~|~|~|~|~|last message repeated 2 times",
            "2026-10-11T22:14:15.003+02:00|web1|~|postfix/smtpd|9|~|~|x",
            "2026-10-11T22:14:15Z|web1|notice|app|~|ID47|[a@1 b=\"x]\\\"y\"][c]|text ",
            "~|~|emerg|~|~|~|~|",
            "! does not begin with a time",
            "! its structured data does not end",
            "! does not begin with a time",
        ],
    );
}

#[test]
fn tables_of_blanks() {
    let top = "NAME      CPU(cores)   MEMORY(bytes)\nweb-1     12m          104Mi\n";
    let layout = table_of_blanks(top.as_bytes()).unwrap();
    check(
        &layout,
        &["NAME", "MEMORY(bytes)"],
        &format!("{top}{top}web-2\n   \nweb-3 1m 5Mi and more\n"),
        &[
            "web-1|104Mi",
            "web-1|104Mi",
            "! has 1 of the 3 columns of the header",
            "! its values do not stand below the names of the header",
        ],
    );
    let wide = "CONTAINER ID   IMAGE   STATUS\n1f2e   redis   Up 3 hours\n2a   web   Up 5 days\n";
    let layout = table_of_blanks(wide.as_bytes()).unwrap();
    check(
        &layout,
        &["CONTAINER ID", "STATUS"],
        wide,
        &["1f2e|Up 3 hours", "2a|Up 5 days"],
    );
    for text in [
        "hello  world\nfoo bar\n",
        "a b\n1 2\n",
        "The  End\nof it all 1\n",
        "A  B\n",
    ] {
        assert_eq!(table_of_blanks(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn named_fields() {
    let w3c = "#Version: 1.0\n#Fields: date time cs(User-Agent) s\n2026-01-01 12:00:00 a+b -\n#Fields: x\n1\n#Date: x\n";
    let layout = recognized_layout(w3c.as_bytes()).unwrap();
    check(
        &layout,
        &["time", "date", "cs(User-Agent)", "s"],
        w3c,
        &[
            "2026-01-01 12:00:00Z|2026-01-01|a+b|~",
            "! the fields change here, to: x",
            "! has 1 fields, 4 are named",
        ],
    );
    let zeek = "#separator \\x09\n#fields\tts\tx\ty\n1.5\t(empty)\t-\n#close\tx\n";
    check(
        &recognized_layout(zeek.as_bytes()).unwrap(),
        &["ts", "x", "y"],
        zeek,
        &["1.5||~"],
    );
}

#[test]
fn patterns() {
    let pattern = Pattern::new("regex", r"^(?<a>\w+)(?: (?<b>\d+))?$").unwrap();
    check(
        &Layout::Pattern(pattern),
        &["b", "a"],
        "x 1\r\ny\nz z\n",
        &["1|x", "~|y", "! does not match the regular expression"],
    );
    let refused = |text: &str| Pattern::new("regex", text).unwrap_err().to_string();
    assert!(
        refused("a(?<b>c").contains("unclosed group\n  = regex: a(?<b>c\n        ^"),
        "{}",
        refused("a(?<b>c")
    );
    assert!(refused("a").contains("no named group"));
    assert!(refused("(?<a>(?:x{1000}){1000})").contains("more than 10 MiB"));
}

#[test]
fn lines_that_are_recognized() {
    let check = |line: &str, expected: Option<&str>| {
        let layout = recognized_layout(line.as_bytes());
        assert_eq!(layout.as_ref().map(Layout::name), expected, "{line}");
    };
    check(
        "2026-01-01 12:00:00,1 INFO  [main] a.b.C - x",
        Some("log4j"),
    );
    check(
        "2026-01-01T12:00:00.123456Z  INFO app::server: listening",
        Some("log4j"),
    );
    check(
        "2026-01-01 12:00:00.123 [main] WARN  a.b.C - x",
        Some("logback"),
    );
    check(
        "2026-01-01 12:00:00 CET [12] ann@shop LOG:  x",
        Some("postgres"),
    );
    check(
        "2026-01-01T12:00:00.1Z 0 [Note] [MY-010733] [Server] x",
        Some("mysql"),
    );
    check("I, [2026-01-01T12:00:00.1 #12]  INFO -- : x", Some("ruby"));
    check("[2026-01-01 12:00:00] production.ERROR: x", Some("monolog"));
    check(
        "26-Jan-2026 10:00:00.123 INFO [main] a.B.c x",
        Some("tomcat"),
    );
    check(
        "INFO  [main] 2026-01-01 12:00:00,123 C.java:12 - x",
        Some("cassandra"),
    );
    check("2026-01-01 12:00:00 [info] <0.2.0> x", Some("leveled"));
    check(
        "2026-01-01 12:00:00 status installed x:amd64",
        Some("timed"),
    );
    check("<13>Oct 11 22:14:15 h x", Some("syslog"));
    check("2026-01-01T12:00:00,web1,200", None);
    check("2026-01-01 12:00:00\tweb1\t200", None);
    check("hello world 12", None);
    check("a,b=1", None);
}

fn layouts() -> Vec<Layout> {
    let samples: [&[u8]; 6] = [
        br#"h ::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "a b" rt=0.5 7"#,
        br#"::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5"#,
        b"#Fields: date time a\n",
        b"#fields\ta\tb\n",
        b"2026-01-01 12:00:00,1 INFO a.b.C - x",
        b"[2026-01-01 12:00:00,1] INFO x (a.b)",
    ];
    let mut layouts: Vec<Layout> = samples
        .iter()
        .filter_map(|sample| recognized_layout(sample))
        .collect();
    layouts.extend([Layout::Lines, Layout::Logfmt, Layout::Syslog]);
    layouts.extend(table_of_blanks(b"A  B\n1  2\n"));
    layouts.extend(drawn_table("| a | b |\n|---|---|\n".as_bytes()));
    assert_eq!(layouts.len(), 11);
    layouts
}

fn names_of(layout: &Layout) -> Vec<String> {
    layout
        .column_names()
        .unwrap_or_else(|| vec!["a".to_owned(), "b".to_owned()])
}

/// Pieces that lines of all layouts are made of, and bytes that are no text.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"<34>".to_vec()),
        Just(b"1 ".to_vec()),
        Just(b"Oct 11 22:14:15".to_vec()),
        Just(b"2026-01-01 12:00:00,1".to_vec()),
        Just(b" INFO ".to_vec()),
        Just(b" - ".to_vec()),
        Just(b"[10/Oct/2000:13:55:36 -0700]".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\t".to_vec()),
        Just(b"a=".to_vec()),
        Just(b"b=\"x".to_vec()),
        Just(b"[".to_vec()),
        Just(b"]".to_vec()),
        Just(b"A  B".to_vec()),
        Just(b"| a | b\\| |".to_vec()),
        Just(b"|--|---|".to_vec()),
        Just("│".as_bytes().to_vec()),
        Just(b"#Fields: a".to_vec()),
        Just(b"-".to_vec()),
        Just(b"200 5".to_vec()),
        Just("ü".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_rows_or_rejects(text in hostile(), chunk_bytes in 1_usize..40) {
        for layout in layouts() {
            for encoding in [Encoding::Strict, Encoding::Lossy, Encoding::Latin1] {
                let decoder = decoder(&layout, &names_of(&layout), encoding);
                let whole = decoder.decode_by(&text, CHUNK_BYTES).unwrap();
                let rows = whole.records.len() + whole.rejects.len();
                prop_assert_eq!(rows, whole.record_count as usize);
                let bad = whole.rejects.iter().any(|reject| reject.reason.is_empty());
                prop_assert!(!bad);
                let parts = decoder.decode_by(&text, chunk_bytes).unwrap();
                prop_assert_eq!(shown(&whole), shown(&parts));
                prop_assert_eq!(&whole.rejects, &parts.rejects);
                prop_assert_eq!(whole.line_count, parts.line_count);
                if encoding == Encoding::Lossy {
                    let records = options(layout.clone(), encoding).records(&text);
                    prop_assert_eq!(records.len(), rows);
                }
            }
        }
    }

    #[test]
    fn recognition_never_panics(text in hostile()) {
        recognized_layout(&text);
        table_of_blanks(&text);
        drawn_table(&text);
        for name in ["clf", "combined", "columns", "table", "w3c", "zeek", "log4j"] {
            if let Ok(Some(layout)) = layout_named(name, &text, None) {
                sample_fields(&layout, &names_of(&layout), &text, 10);
            }
        }
        line_keys(&text, 10);
    }

    #[test]
    fn logfmt_reads_what_it_writes(value in "[^\\r\\n]{0,20}") {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
        let line = format!("a=\"{escaped}\" b=1");
        let decoder = decoder(&Layout::Logfmt, &["a".to_owned(), "b".to_owned()], Encoding::Lossy);
        let decoded = decoder.decode(&Buffer::from(line.as_bytes())).unwrap();
        prop_assert_eq!(shown(&decoded), vec![format!("{value}|1")]);
    }
}
