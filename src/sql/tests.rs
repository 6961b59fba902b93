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
                StatementKind::CreateView(view) => format!("{}: {}", view.name, view.query),
                StatementKind::CreateTable(table) => create(table),
                StatementKind::Explain(query) => format!("explain {}", query.query),
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
            "SELECT DISTINCT a IS DISTINCT FROM b, (SELECT 1+1) FROM t",
            "SELECT DISTINCT a IS DISTINCT FROM b AS \"a IS DISTINCT FROM b\", (SELECT 1 + 1 AS \"1+1\") AS \"(SELECT 1+1)\" FROM t",
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
            "explain SELECT a FROM t; describe SELECT * FROM t; describe SELECT a FROM t",
        ),
        (
            "CREATE VIEW v AS SELECT a+1 FROM t",
            "v: SELECT a + 1 AS \"a+1\" FROM t",
        ),
        (
            "CREATE TABLE t (user STRING, end TIMESTAMP(3), l TIMESTAMP_LTZ(3), z TIMESTAMP(3) WITH LOCAL TIME ZONE, r ROW<a INT, d DATE>, m MAP<STRING, BIGINT>, g ARRAY<DATE>, x DECIMAL(10, 2) NOT NULL, b BYTES, day AS CAST(end AS DATE), PRIMARY KEY (user) NOT ENFORCED, WATERMARK FOR end AS end - INTERVAL '5' SECOND) WITH (path = 'a.csv', 'csv.header-row' = 'true', csv.x = 1)",
            "t [user STRING; end TIMESTAMP(3); l TIMESTAMP(3) WITH TIME ZONE; z TIMESTAMP(3) WITH TIME ZONE; r STRUCT<a INT, d DATE>; m MAP<STRING, BIGINT>; g ARRAY<DATE>; x DECIMAL(10,2); b BYTES; day = CAST(end AS DATE); W end - 5s; path:a.csv; csv.header-row:true; csv.x:1]",
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
        ("SELECT group FROM t", "Syntax at `group`: "),
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
        ("INSERT INTO a SELECT 1", "Unsupported at `INSERT INTO`: "),
        ("EXPLAIN ANALYZE SELECT 1", "Unsupported at `ANALYZE`: "),
        ("BEGIN STATEMENT SET", "Unsupported at `BEGIN STATEMENT`: "),
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
