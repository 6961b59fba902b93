//! SQL texts against what becomes of them: the normal form printed as SQL, or the refusal.

use super::*;

fn normal(text: &str, parameters: &[(String, String)]) -> String {
    match parse(text, parameters) {
        Err(error) => {
            let place = error
                .span()
                .and_then(|span| text.get(span.start..span.end))
                .unwrap_or("?")
                .to_owned();
            format!("{:?} at `{place}`: {error}", error.kind())
        }
        Ok(statements) => statements
            .iter()
            .map(|statement| match &statement.kind {
                StatementKind::Query(query) => query.query.to_string(),
                StatementKind::Inserts(inserts) => (inserts.iter())
                    .map(|insert| {
                        let columns: Vec<&str> =
                            insert.columns.iter().map(|c| c.value.as_str()).collect();
                        let options: Vec<String> = (insert.options.iter())
                            .map(|option| format!("{}={}", option.key, option.value))
                            .collect();
                        let columns = columns.join(",");
                        let (target, query) = (&insert.target, &insert.query.query);
                        format!("insert {target}({columns})[{}] {query}", options.join(","))
                    })
                    .collect::<Vec<_>>()
                    .join(" & "),
                StatementKind::CreateView(view) => format!("{}: {}", view.name, view.query),
                StatementKind::CreateTable(table) => create(table),
                StatementKind::Explain(query, how) => format!("explain {how:?} {}", query.query),
                StatementKind::Describe(query) => format!("describe {}", query.query),
                StatementKind::Set { name, value, .. } => format!("set {name}={value}"),
                StatementKind::Drop { name, if_exists } => format!("drop {name} {if_exists}"),
                StatementKind::ShowTables => "show".to_owned(),
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn create(table: &CreateTable) -> String {
    let mut parts: Vec<String> = table
        .columns
        .iter()
        .map(|column| match &column.kind {
            ColumnKind::Physical(kind) => format!("{} {kind}", column.name),
            ColumnKind::Computed(expr) => format!("{} = {expr}", column.name),
        })
        .collect();
    if let Some(watermark) = &table.watermark {
        parts.push(format!("W {} - {}", watermark.column, watermark.delay));
    }
    parts.extend(
        table
            .options
            .iter()
            .map(|o| format!("{}:{}", o.key, o.value)),
    );
    format!("{} [{}]", table.name, parts.join("; "))
}

/// The text becomes this SQL.
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, normal(text, &[])))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(text, expected, found)| {
            format!("{text}\n  found:    {found}\n  expected: {expected}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The text is refused with a message that begins so.
fn refuse(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, normal(text, &[])))
        .filter(|(_, expected, found)| !found.starts_with(*expected) || expected.is_empty())
        .map(|(text, expected, found)| {
            format!("{text}\n  found:    {found}\n  expected: {expected}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn windows_in_from() {
    let tumble =
        "SELECT * FROM TUMBLE(\"DATA\" => t, \"TIMECOL\" => ts, \"SIZE\" => INTERVAL '60 seconds')";
    let short = "SELECT * FROM TUMBLE(\"DATA\" => t, \"SIZE\" => '1m')";
    check(&[
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
            tumble,
        ),
        (
            "SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
            tumble,
        ),
        ("SELECT * FROM tumble(t, ts, INTERVAL '1 minute')", tumble),
        ("SELECT * FROM TUMBLE(t, ts, 1m)", tumble),
        ("SELECT * FROM TUMBLE(t, ts, INTERVAL 1 MINUTE)", tumble),
        (
            "SELECT * FROM TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '60' SECONDS)",
            tumble,
        ),
        ("SELECT * FROM TUMBLE(t, '1m')", short),
        (
            "SELECT * FROM TUMBLE(\"OFFSET\" => -5s, size => 1m, data => t)",
            "SELECT * FROM TUMBLE(\"OFFSET\" => -INTERVAL '5 seconds', \"SIZE\" => INTERVAL '60 seconds', \"DATA\" => t)",
        ),
        (
            "SELECT a FROM SESSION(TABLE t PARTITION BY k, g, DESCRIPTOR(ts), 5m) AS s",
            "SELECT a FROM SESSION(\"DATA\" => t, \"KEYS\" => (k, g), \"TIMECOL\" => ts, \"GAP\" => INTERVAL '300 seconds') AS s",
        ),
        (
            "SELECT a FROM SESSION(TABLE t PARTITION BY (k, g), ts, 5m)",
            "SELECT a FROM SESSION(\"DATA\" => t, \"KEYS\" => (k, g), \"TIMECOL\" => ts, \"GAP\" => INTERVAL '300 seconds')",
        ),
        (
            "SELECT a FROM SESSION(DATA => TABLE t PARTITION BY k, g, TIMECOL => DESCRIPTOR(ts), GAP => 5m)",
            "SELECT a FROM SESSION(\"DATA\" => t, \"KEYS\" => (k, g), \"TIMECOL\" => ts, \"GAP\" => INTERVAL '300 seconds')",
        ),
        (
            "SELECT a FROM COUNT_WINDOW(TABLE t PARTITION BY k, g, 5, 1)",
            "SELECT a FROM COUNT_WINDOW(\"DATA\" => t, \"KEYS\" => (k, g), \"SIZE\" => 5, \"SLIDE\" => 1)",
        ),
        (
            "SELECT a FROM HOP((SELECT * FROM TUMBLE(t, 1m)), '1m', '5m')",
            "SELECT a FROM HOP(\"DATA\" => (SELECT * FROM TUMBLE(\"DATA\" => t, \"SIZE\" => INTERVAL '60 seconds')), \"SLIDE\" => '1m', \"SIZE\" => '5m')",
        ),
        (
            "SELECT a FROM TUMBLE('logs/*.gz', 1w)",
            "SELECT a FROM TUMBLE(\"DATA\" => 'logs/*.gz', \"SIZE\" => INTERVAL '1 weeks')",
        ),
        (
            "SELECT a FROM 'logs/*.gz' LIMIT 2 BY b, c",
            "SELECT a FROM 'logs/*.gz' LIMIT 2 BY b, c",
        ),
    ]);
    refuse(&[
        (
            "SELECT * FROM TUMBEL(t, 1m)",
            "Syntax at `TUMBEL`: `TUMBEL(…)` is no window that FROM can call (did you mean `TUMBLE`?)",
        ),
        (
            "SELECT * FROM HOP(t, ts, 5m, 1m)",
            "Plan at `HOP(t, ts, 5m, 1m)`: HOP takes slide before size, and the slide 5m is longer than the size 1m\n  = help: write HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1m', INTERVAL '5m')",
        ),
        (
            "SELECT * FROM CUMULATE(t, ts, 2h, 1h)",
            "Plan at `CUMULATE(t, ts, 2h, 1h)`: CUMULATE takes step before size",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, 0s)",
            "Plan at `0s`: SIZE must be more than 0",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, 5)",
            "Syntax at `5`: 5 needs a unit of time",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, 1M)",
            "Syntax at `1M`: `1M` may mean minutes or months",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, '1M')",
            "Syntax at `'1M'`: `1M` may mean minutes or months",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, '1mo 1d')",
            "Plan at `'1mo 1d'`: SIZE 1mo1d mixes months",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts)",
            "Syntax at `TUMBLE(t, ts)`: TUMBLE lacks its size",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, 1m, 1m, 1m)",
            "Syntax at `1m`: TUMBLE has too many arguments",
        ),
        (
            "SELECT * FROM TUMBLE(t, SZIE => 1m)",
            "Syntax at `SZIE => 1m`: TUMBLE has no argument SZIE (did you mean `SIZE`?)",
        ),
        (
            "SELECT * FROM SESSION(t PARTITION BY k, ts, 1m)",
            "Syntax at `ts`: is this a key or the time column?",
        ),
        (
            "SELECT * FROM COUNT_WINDOW(t, 1, 5)",
            "Plan at `COUNT_WINDOW(t, 1, 5)`: COUNT_WINDOW takes its rows before its slide",
        ),
    ]);
}

#[test]
fn words_that_are_columns() {
    for word in "user time timestamp date start end at count value values level host key type offset partition interval index".split(' ') {
        for text in [
            format!("SELECT {word}, count(*) AS n FROM t WHERE {word} = 'x' AND {word} > 1 GROUP BY {word}"),
            format!("SELECT a, {word} FROM t ORDER BY {word} LIMIT 3 BY {word}"),
            format!("SELECT t.{word}, max({word}) AS {word} FROM t GROUP BY date, {word} HAVING {word} IS NULL"),
            format!("SELECT {word} AS x FROM t WHERE x IN ({word}, 1) AND NOT {word}"),
        ] {
            assert_eq!(normal(&text, &[]), text);
        }
    }
    check(&[
        (
            "SELECT CASE WHEN end > 1 THEN start ELSE end END AS x FROM t",
            "SELECT CASE WHEN end > 1 THEN start ELSE end END AS x FROM t",
        ),
        (
            "SELECT CASE end WHEN 1 THEN 2 END AS x, end FROM t",
            "SELECT CASE end WHEN 1 THEN 2 END AS x, end FROM t",
        ),
        (
            "SELECT DATE '2020-01-01' AS a, TIMESTAMP '2020-01-01' AS b",
            "SELECT DATE '2020-01-01' AS a, TIMESTAMP '2020-01-01' AS b",
        ),
        (
            "SELECT CAST(a AS DATE) AS a, b::timestamp_ltz(3) AS b, c::TIMESTAMP AS c FROM t",
            "SELECT CAST(a AS DATE) AS a, b::TIMESTAMP(3) WITH TIME ZONE AS b, c::TIMESTAMP AS c FROM t",
        ),
        (
            "SELECT EXTRACT(HOUR FROM ts) AS h FROM t",
            "SELECT EXTRACT(HOUR FROM ts) AS h FROM t",
        ),
        ("VALUES (1, 2)", "VALUES (1, 2)"),
        ("SELECT @timestamp FROM t", "SELECT @timestamp FROM t"),
        (
            "SELECT a // b AS x, a DIV 2 * 3 AS y, div FROM t",
            "SELECT a // b AS x, a // 2 * 3 AS y, div FROM t",
        ),
        (
            "SELECT ts - 5s AS x FROM t",
            "SELECT ts - INTERVAL '5 seconds' AS x FROM t",
        ),
        (
            "SELECT interval - 5 AS x, INTERVAL -'3' SECOND AS y FROM t",
            "SELECT interval - 5 AS x, INTERVAL '-3 seconds' AS y FROM t",
        ),
        (
            "SELECT a FROM t LIMIT 3 OFFSET 2",
            "SELECT a FROM t LIMIT 3 OFFSET 2",
        ),
        (
            "SELECT ts AT TIME ZONE 'UTC' AS x FROM t",
            "SELECT ts AT TIME ZONE 'UTC' AS x FROM t",
        ),
    ]);
}

#[test]
fn names_of_items() {
    check(&[
        (
            "SELECT a, t.b, *, count( * ),  a +\n b FROM t",
            "SELECT a, t.b, *, count(*) AS \"count( * )\", a + b AS \"a + b\" FROM t",
        ),
        (
            "SELECT DISTINCT a IS DISTINCT FROM b, (1+1) FROM t",
            "SELECT DISTINCT a IS DISTINCT FROM b AS \"a IS DISTINCT FROM b\", (1 + 1) AS \"(1+1)\" FROM t",
        ),
        (
            "SELECT 1 UNION ALL SELECT 2",
            "SELECT 1 AS \"1\" UNION ALL SELECT 2 AS \"2\"",
        ),
        (
            "WITH x AS (SELECT f(a) FROM t) SELECT * EXCEPT (a), b+1 FROM x",
            "WITH x AS (SELECT f(a) AS \"f(a)\" FROM t) SELECT * EXCEPT (a), b + 1 AS \"b+1\" FROM x",
        ),
        (
            "SELECT ts - 5s, a DIV 2 FROM t",
            "SELECT ts - INTERVAL '5 seconds' AS \"ts - 5s\", a // 2 AS \"a DIV 2\" FROM t",
        ),
        (
            "SELECT \"a b\"||'x' FROM t",
            "SELECT \"a b\" || 'x' AS \"\"\"a b\"\"||'x'\" FROM t",
        ),
    ]);
}

#[test]
fn statements() {
    check(&[
        (
            "SET delay = '5s'; SET 'max-jump' = 1d; SHOW TABLES; DROP TABLE IF EXISTS a;",
            "set delay=5s; set max-jump=1d; show; drop a true",
        ),
        (
            "EXPLAIN SELECT a FROM t; DESC t; DESCRIBE SELECT a FROM t",
            "explain Tree SELECT a FROM t; describe SELECT * FROM t; describe SELECT a FROM t",
        ),
        (
            "CREATE VIEW v AS SELECT a+1 FROM t",
            "v: SELECT a + 1 AS \"a+1\" FROM t",
        ),
        (
            "CREATE TABLE t (user STRING, end TIMESTAMP(3), l TIMESTAMP_LTZ(3), z TIMESTAMP(3) WITH LOCAL TIME ZONE, r ROW<a INT, d DATE>, m MAP<STRING, BIGINT>, g ARRAY<DATE>, x DECIMAL(10, 2) NOT NULL, b BYTES, day AS CAST(end AS DATE), PRIMARY KEY (user) NOT ENFORCED, WATERMARK FOR end AS end - INTERVAL '5' SECOND) WITH (path = 'a.csv', 'csv.header-row' = 'true', csv.x = 1)",
            "t [user STRING; end TIMESTAMP(3); l TIMESTAMP(3) WITH TIME ZONE; z TIMESTAMP(3) WITH TIME ZONE; r STRUCT<a INT, d DATE>; m Map(STRING, BIGINT); g ARRAY<DATE>; x DECIMAL(10,2); b BYTES; day = CAST(end AS DATE); W end - 5s; path:a.csv; csv.header-row:true; csv.x:1]",
        ),
        (
            "SELECT a FROM t EMIT ON WINDOW CLOSE LIMIT 3",
            "SELECT a FROM t LIMIT 3",
        ),
        (
            "SELECT a FROM t LIMIT 3 EMIT FINAL",
            "SELECT a FROM t LIMIT 3",
        ),
    ]);
    refuse(&[
        ("", "Syntax at `?`: the query is empty"),
        (
            "SELCT 1",
            "Syntax at `SELCT`: no statement begins with `SELCT` (did you mean `SELECT`?)",
        ),
        (
            "SELECT a FORM t",
            "Syntax at `FORM`: unknown word `FORM` (did you mean `FROM`?)",
        ),
        (
            "SELECT a FROM t GRUOP BY x",
            "Syntax at `GRUOP`: unknown word `GRUOP` (did you mean `GROUP`?)",
        ),
        (
            "SELECT a FROM t WHER x = 1",
            "Syntax at `WHER`: unknown word `WHER` (did you mean `WHERE`?)",
        ),
        (
            "SELECT case FROM t",
            "Syntax at `t`: expected WHEN, found `t`\n  = help: a column of that name is written \"case\"",
        ),
        (
            "SELECT a, FROM t",
            "Syntax at `FROM`: expected an expression, found `FROM`\n  = help: take the comma",
        ),
        (
            "SELECT a FROM t GROUP a",
            "Syntax at `GROUP`: `GROUP` stands behind a complete statement",
        ),
        ("SELECT a FROM t FOR UPDATE", "Unsupported at `FOR`: "),
        ("SELECT a FROM TABLE t", "Syntax at `TABLE`: "),
        (
            "SELECT 2nd FROM t",
            "Syntax at `2nd`: `nd` is no unit of time",
        ),
        (
            "SELECT lower(k), count(*) FROM t GROUP BY ALL; SELECT session(1m), lower(k) FROM t GROUP BY ALL",
            "Syntax at `lower(k)`: GROUP BY ALL leaves open",
        ),
        (
            "CREATE TABEL t (a INT)",
            "Syntax at `TABEL`: unknown word `TABEL` (did you mean `TABLE`?)",
        ),
        (
            "SELECT MAP['a', 1]",
            "Syntax at `,`: expected `:`, found `,`",
        ),
        (
            "SELECT a FROM t t2 t3",
            "Syntax at `t3`: `t3` stands behind a complete statement",
        ),
        ("SELECT a FROM t )", "Syntax at `)`: `)` closes nothing"),
        ("SELECT (a FROM t", "Syntax at `(`: `(` is never closed"),
        (
            "SELECT a FROM t EMIT CHANGES",
            "Unsupported at `EMIT CHANGES`: EMIT CHANGES is not built yet",
        ),
        (
            "SELECT a FROM t JOIN u ON a = b",
            "Unsupported at `JOIN`: joins are not built yet",
        ),
        (
            "SELECT a FROM t, u",
            "Unsupported at `,`: joins are not built yet",
        ),
        (
            "SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t",
            "Unsupported at `ROW_NUMBER`: ",
        ),
        (
            "SELECT sum(a) OVER (ORDER BY a) FROM t",
            "Unsupported at `OVER`: ",
        ),
        ("EXPLAIN VERBOSE SELECT 1", "Unsupported at `VERBOSE`: "),
        ("BEGIN TRANSACTION", "Unsupported at `BEGIN TRANSACTION`: "),
        (
            "BEGIN STATEMENT SET; INSERT INTO a SELECT 1",
            "Syntax at `BEGIN STATEMENT SET`: ",
        ),
        ("BEGIN STATEMENT SET; SELECT 1; END", "Syntax at `SELECT`: "),
        (
            "BEGIN STATEMENT SET; END",
            "Syntax at `BEGIN STATEMENT SET`: ",
        ),
        (
            "INSERT OVERWRITE a SELECT 1",
            "Unsupported at `OVERWRITE`: ",
        ),
        ("INSERT INTO a", "Syntax at `"),
        ("INSERT INTO a (b c) SELECT 1", "Syntax at `c`: "),
        ("COPY a FROM 'b'", "Syntax at `"),
        ("COPY (SELECT 1) FROM 'b'", "Unsupported at `FROM`: "),
        ("COPY (SELECT 1) TO b", "Syntax at `b`: "),
        (
            "CREATE TABLE t (a INT METADATA)",
            "Unsupported at `METADATA`: ",
        ),
        (
            "CREATE TABLE t (a INT, WATERMARK FOR a AS a + 5s)",
            "Syntax at `a + 5s`: a watermark stays behind its column",
        ),
        (
            "CREATE TABLE t (a INT, WATERMARK FOR a AS b)",
            "Syntax at `b`: a watermark is its column, or its column less an interval",
        ),
        (
            "SELECT INTERVAL '5' SECNOD",
            "Syntax at `INTERVAL '5' SECNOD`: `SECNOD` is no unit of time (did you mean `second`?)",
        ),
        (
            "SELECT * FROM a WINDOW TUMBLING (SIZE 1 MINUTE)",
            "Syntax at `WINDOW`: a window is a call here",
        ),
    ]);
}

#[test]
fn inserts() {
    check(&[
        ("INSERT INTO a SELECT 1", "insert a()[] SELECT 1 AS \"1\""),
        (
            "INSERT INTO 'a.csv' SELECT 1; INSERT INTO b (x, y) (SELECT 1, 2)",
            "insert 'a.csv'()[] SELECT 1 AS \"1\" & insert b(x,y)[] (SELECT 1 AS \"1\", 2 AS \"2\")",
        ),
        (
            "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END; INSERT INTO c SELECT 3",
            "insert a()[] SELECT 1 AS \"1\" & insert b()[] SELECT 2 AS \"2\"; insert c()[] SELECT 3 AS \"3\"",
        ),
        (
            "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END",
            "insert a()[] SELECT 1 AS \"1\"",
        ),
        (
            "INSERT INTO a SELECT 1; SET delay = '1s'; INSERT INTO b SELECT 2",
            "insert a()[] SELECT 1 AS \"1\"; set delay=1s; insert b()[] SELECT 2 AS \"2\"",
        ),
        (
            "COPY (SELECT 1) TO 'a.csv' (FORMAT csv, HEADER false)",
            "insert 'a.csv'()[format=csv,header=false] SELECT 1 AS \"1\"",
        ),
        ("COPY t TO 'a.csv'", "insert 'a.csv'()[] SELECT * FROM t"),
        (
            "EXPLAIN ANALYZE SELECT a FROM t; EXPLAIN (FORMAT MERMAID) SELECT a FROM t",
            "explain Analyze SELECT a FROM t; explain Mermaid SELECT a FROM t",
        ),
        (
            "EXPLAIN INSERT INTO a SELECT 1",
            "explain Tree SELECT 1 AS \"1\"",
        ),
    ]);
}

#[test]
fn windows_in_group_by() {
    let call = "TUMBLE(\"DATA\" => t, \"TIMECOL\" => ts, \"SIZE\" => INTERVAL '60 seconds')";
    let short = "TUMBLE(\"DATA\" => t, \"SIZE\" => INTERVAL '60 seconds')";
    let both = "GROUP BY window_start, window_end";
    let session = "SESSION(\"DATA\" => t, \"KEYS\" => (k, g), \"TIMECOL\" => ts, \"GAP\" => '5m')";
    for (text, expected) in [
        (
            "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), TUMBLE_END(ts, 1m) AS e, k FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), k HAVING tumble_rowtime(ts, 1m) > e ORDER BY TUMBLE_END(ts, 1m)",
            format!("SELECT window_start AS \"TUMBLE_START(ts, INTERVAL '1' MINUTE)\", window_end AS e, k FROM {call} {both}, k HAVING window_time > e ORDER BY window_end"),
        ),
        (
            "SELECT tumble_start(ts, '60s') AS s FROM t AS x GROUP BY tumble(x.TS, 1m)",
            format!("SELECT window_start AS s FROM {} AS x {both}", call.replace("ts", "TS")),
        ),
        ("SELECT window_start FROM t GROUP BY tumble(1m)", format!("SELECT window_start FROM {short} {both}")),
        (
            "SELECT window.start, window.end AS e, window FROM t GROUP BY tumble(interval '1 minute') AS window, k",
            format!("SELECT window_start AS start, window_end AS e, window_start AS window FROM {short} {both}, k"),
        ),
        (
            "SELECT tumble(1m) AS window, count(*) AS n FROM t GROUP BY window",
            format!("SELECT window_start AS window, count(*) AS n FROM {short} {both}"),
        ),
        (
            "SELECT tumble(1m) AS w, count(*) AS n FROM t GROUP BY 1",
            format!("SELECT window_start AS w, count(*) AS n FROM {short} {both}"),
        ),
        (
            "SELECT tumble(1m) AS w, k, count(*) AS n FROM t GROUP BY ALL",
            format!("SELECT window_start AS w, k, count(*) AS n FROM {short} GROUP BY ALL"),
        ),
        (
            "SELECT x.k AS g2 FROM (SELECT * FROM t) AS x GROUP BY HOP(x.ts, 1m, '5m'), x.k",
            "SELECT x.k AS g2 FROM HOP(\"DATA\" => (SELECT * FROM t), \"TIMECOL\" => ts, \"SLIDE\" => INTERVAL '60 seconds', \"SIZE\" => '5m') AS x GROUP BY window_start, window_end, x.k".to_owned(),
        ),
        (
            "SELECT k, g, session_start() AS s FROM t GROUP BY k, SESSION(ts, '5m'), 2",
            format!("SELECT k, g, window_start AS s FROM {session} GROUP BY k, window_start, window_end, 2"),
        ),
        (
            "SELECT window_start FROM 'a b.csv' GROUP BY cumulate('1m', '1h') LIMIT 3 BY window_start",
            "SELECT window_start FROM CUMULATE(\"DATA\" => 'a b.csv', \"STEP\" => '1m', \"SIZE\" => '1h') GROUP BY window_start, window_end LIMIT 3 BY window_start".to_owned(),
        ),
    ] {
        assert_eq!(normal(text, &[]), expected, "{text}");
        assert_eq!(normal(&expected, &[]), expected, "printed: {text}");
    }
    refuse(&[
        (
            "SELECT count(*) FROM t GROUP BY HOP(ts, 5m, 1m)",
            "Plan at `HOP(ts, 5m, 1m)`: HOP takes slide before size",
        ),
        (
            "SELECT TUMBLE_START(ts, 2m) FROM t GROUP BY TUMBLE(ts, 1m)",
            "Syntax at `TUMBLE_START(ts, 2m)`: TUMBLE_START names another window than GROUP BY",
        ),
        (
            "SELECT TUMBLE_START(ts, 2m) FROM t",
            "Syntax at `TUMBLE_START(ts, 2m)`: TUMBLE_START needs its window",
        ),
        (
            "SELECT TUMBLE(ts, 2m) FROM t",
            "Syntax at `TUMBLE(ts, 2m)`: TUMBLE stands in GROUP BY or FROM",
        ),
        (
            "SELECT count(*) FROM t GROUP BY COUNT_WINDOW(5)",
            "Syntax at `COUNT_WINDOW(5)`: COUNT_WINDOW stands in FROM",
        ),
        (
            "SELECT 1 FROM t GROUP BY TUMBLE(ts, 1m), HOP(ts, 1m, 2m)",
            "Syntax at `HOP(ts, 1m, 2m)`: a query groups by one window",
        ),
        (
            "SELECT 1 FROM TUMBLE(t, 1m) GROUP BY TUMBLE(1m)",
            "Syntax at `TUMBLE(1m)`: the relation in FROM has a window already",
        ),
        (
            "SELECT 1 FROM t GROUP BY TUMBLE(ts + 1s, 1m)",
            "Syntax at `ts + 1s`",
        ),
        (
            "SELECT 1 FROM t GROUP BY TumblingWindow(minute, 1)",
            "Syntax at `TumblingWindow`: `TUMBLINGWINDOW` has another name here",
        ),
    ]);
}

#[test]
fn parameters_are_values() {
    let parameters: Vec<(String, String)> = [
        ("n", "5"),
        ("neg", "-1.5"),
        ("t", "true"),
        ("who", "x' OR 1"),
        ("size", "1m"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (text, expected) in [
        (
            "SELECT :n AS a, :neg AS b, :t AS c, x::int AS d FROM t WHERE u = :who",
            "SELECT 5 AS a, (-1.5) AS b, true AS c, x::INT AS d FROM t WHERE u = 'x'' OR 1'",
        ),
        (
            "SELECT a FROM TUMBLE(t, ts, :size)",
            "SELECT a FROM TUMBLE(\"DATA\" => t, \"TIMECOL\" => ts, \"SIZE\" => '1m')",
        ),
        ("SET delay = :size", "set delay=1m"),
        ("SELECT :size FROM t", "SELECT '1m' AS \":size\" FROM t"),
        (
            "SELECT :sise",
            "Syntax at `:sise`: parameter `:sise` has no value (did you mean `:size`?)\n  = parameters: n, neg, t, who, size\n  = help: give it one: `-p sise=VALUE`",
        ),
    ] {
        assert_eq!(
            normal(text, &parameters).to_lowercase(),
            expected.to_lowercase()
        );
    }
}

#[test]
fn bombs_are_refused_at_once() {
    let started = std::time::Instant::now();
    for text in [
        format!("SELECT 1{}", " + 1".repeat(200_000)),
        format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("SELECT {}", "CAST(".repeat(900)),
        format!(
            "SELECT {}1 +{}",
            "CAST(".repeat(900),
            " AS INT)".repeat(900)
        ),
        format!(
            "{}SELECT 1 +{}",
            "SELECT * FROM ((".repeat(49),
            "))".repeat(49)
        ),
        format!("SELECT {}1", "CASE WHEN ".repeat(950)),
        format!("SELECT {}1 +{}", "f(a => ".repeat(900), ")".repeat(900)),
        format!("SELECT x::{}INT", "ARRAY<".repeat(900)),
        "x".repeat(2 << 20),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert!(parse(&text, &[]).is_err(), "{shown}");
    }
    // A debug build on a loaded machine; the promise of 100 ms each is for releases.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    for text in [
        format!("SELECT 1{}", " + 1".repeat(950)),
        format!("SELECT {}1{}", "(".repeat(950), ")".repeat(950)),
        format!("SELECT x IN (1{}) FROM t", ", 1".repeat(50_000)),
        format!(
            "SELECT {}1{}",
            "CASE WHEN a THEN ".repeat(450),
            " END".repeat(450)
        ),
        format!("SELECT {}a FROM t", "NOT ".repeat(950)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(450)),
        format!(
            "SELECT * FROM {}t{}",
            "(SELECT * FROM ".repeat(48),
            ")".repeat(48)
        ),
        format!("SELECT {}1{}", "f(".repeat(950), ")".repeat(950)),
    ] {
        let shown: String = text.chars().take(60).collect();
        if let Err(error) = parse(&text, &[]) {
            panic!("{shown}: {error}");
        }
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    const SOUP: &str = "SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT TUMBLE HOP SESSION COUNT_WINDOW TABLE DESCRIPTOR ( ) ( ) , , . ; => = < > - + * // DIV 'a' '1m' \"q\" 1 5s 1h30m t ts k AS END CASE WHEN THEN ELSE INTERVAL SECOND TO MINUTE EMIT FINAL CHANGES CREATE VIEW WITH WATERMARK FOR AND OR NOT IS NULL [ ] { } :p :: PARTITION TUMBLE_START window start end TIMESTAMP_LTZ ROW ARRAY MAP SET DESC EXPLAIN VALUES UNION ALL";

    fn soup() -> impl Strategy<Value = String> {
        let words: Vec<&'static str> = SOUP.split(' ').collect();
        let begin = prop::sample::select(vec![
            "SELECT a FROM",
            "SELECT",
            "CREATE TABLE t (",
            "FROM",
            "SELECT 1 FROM TUMBLE(",
            "SELECT 1 FROM t GROUP BY TUMBLE(",
            "",
        ]);
        (
            begin,
            prop::collection::vec(prop::sample::select(words), 0..16),
        )
            .prop_map(|(begin, words)| format!("{begin} {}", words.join(" ")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn soups_are_read_or_refused(text in soup()) {
            match parse(&text, &[]) {
                Ok(_) => {}
                Err(error) => if let Some(span) = error.span() {
                    prop_assert!(text.get(span.start..span.end).is_some(), "{text}: {span:?}");
                }
            }
        }

        #[test]
        fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let _ = parse(&text, &[]);
            let _ = parse(&format!("SELECT {text}"), &[]);
        }
    }
}
