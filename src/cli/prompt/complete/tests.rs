use super::*;

struct Desk {
    functions: Vec<Signature>,
}

impl Desk {
    fn new() -> Self {
        let function = |call: &str| Signature {
            name: call.split('(').next().unwrap_or(call).to_owned(),
            call: call.to_owned(),
            about: String::new(),
        };
        let calls = [
            "count(x)",
            "count_if(condition)",
            "corr(y, x)",
            "date_trunc(precision, expression)",
            "TUMBLE(table, time, size [, offset])",
        ];
        Desk {
            functions: calls.into_iter().map(function).collect(),
        }
    }
}

impl Known for Desk {
    fn relations(&self) -> Vec<(String, Vec<String>)> {
        let columns = |names: &[&str]| names.iter().map(|name| String::from(*name)).collect();
        vec![
            (
                String::from("orders"),
                columns(&["ts", "customer", "Country", "select"]),
            ),
            (String::from("Old orders"), columns(&["id"])),
        ]
    }

    fn query_of(&self, name: &str) -> Option<String> {
        let query = match name {
            "stamps" => "SELECT *, o.customer, o.total * 2 AS twice FROM 'a.csv'",
            "again" => "WITH s AS (SELECT * FROM stamps) SELECT s.* FROM s",
            "endless" => "SELECT * FROM endless",
            _ => return None,
        };
        Some(String::from(query))
    }

    fn columns_of_path(&self, path: &str) -> Vec<String> {
        match path {
            "a.csv" => vec![String::from("status"), String::from("stamp")],
            _ => Vec::new(),
        }
    }

    fn functions(&self) -> &[Signature] {
        &self.functions
    }

    fn settings(&self) -> Vec<&'static str> {
        vec!["delay", "max-jump", "max-record"]
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let names: &[&str] = match folder {
            "" => &["a.csv", "it's.csv", "logs/", ".hidden"],
            "logs/" => &["app.log", "app.log.1.gz"],
            _ => &[],
        };
        names.iter().map(|name| String::from(*name)).collect()
    }

    fn topics(&self) -> Vec<&'static str> {
        vec!["tumble", "tables", "hop"]
    }
}

/// `▮` is the cursor. Expected: what could stand in the place of what was begun.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let cursor = text.find('▮').expect("a cursor");
    let text = text.replace('▮', "");
    let (start, found) = complete(&text, cursor, &Desk::new());
    let texts: Vec<&str> = found.iter().map(|found| found.text.as_str()).collect();
    assert_eq!(texts, expected, "{}", &text[start..cursor]);
    let typed = text[start..cursor].trim_start_matches('"').to_lowercase();
    for candidate in texts {
        let candidate = candidate.trim_start_matches('"').to_lowercase();
        assert!(candidate.starts_with(&typed), "{candidate}");
    }
}

#[test]
fn statements_begin() {
    check("SEL▮", &["SELECT"]);
    check("sel▮", &["select"]);
    check("Sel▮", &["SELECT"]);
    check("SELECT 1; CREATE▮", &["CREATE TABLE", "CREATE VIEW"]);
    check("zz▮", &[]);
}

#[test]
fn tables_follow_from() {
    check("SELECT * FROM or▮", &["orders"]);
    check("SELECT * FROM ▮", &["orders", "\"Old orders\"", "TUMBLE("]);
    check("select * from tu▮", &["tumble("]);
    check("SELECT * FROM TUMBLE(▮", &["orders", "\"Old orders\""]);
    check("SELECT * FROM \"Ol▮", &["\"Old orders\""]);
    check("DESCRIBE or▮", &["orders"]);
    check("INSERT INTO or▮", &["orders"]);
}

#[test]
fn columns_of_queries_are_known() {
    let all = ["status", "stamp", "customer", "twice"];
    check("SELECT v.▮ FROM stamps v", &all);
    check("SELECT v.▮ FROM again v", &all);
    check("SELECT v.▮ FROM endless v", &[]);
    check("SELECT tw▮ FROM again", &["twice"]);
    check("SELECT st▮ FROM stamps", &["status", "stamp", "string"]);
    let with = "WITH w AS (SELECT status AS s1, upper(stamp) s2, status + stamp FROM 'a.csv') ";
    check(&format!("{with}SELECT w.▮ FROM w"), &["s1", "s2"]);
    check(&format!("{with}SELECT x.▮ FROM w x"), &["s1", "s2"]);
    check(&format!("{with}SELECT * FROM w▮"), &["w"]);
    // Within it there is what it reads.
    check(
        "WITH w AS (SELECT stam▮ FROM 'a.csv') SELECT 1 FROM w",
        &["stamp"],
    );
    check(
        "WITH w (n1, n2) AS (SELECT 1, 2) SELECT w.▮ FROM w",
        &["n1", "n2"],
    );
    check(
        "WITH a AS (SELECT stamp FROM 'a.csv'), b AS (SELECT * FROM a) SELECT b.▮ FROM b",
        &["stamp"],
    );
    // A name that hides a table does not hide it from its own query.
    check(
        "WITH orders AS (SELECT ts, 1 AS one FROM orders) SELECT orders.▮ FROM orders",
        &["ts", "one"],
    );
    check(
        "SELECT window_s▮ FROM TUMBLE(stamps, stamp, '1m')",
        &["window_start"],
    );
}

#[test]
fn columns_are_those_of_the_tables() {
    check(
        "SELECT c▮ FROM orders",
        &[
            "customer",
            "Country",
            "corr(",
            "count(",
            "count_if(",
            "case",
            "cast",
            "count_window",
            "cumulate",
        ],
    );
    check("SELECT CU▮ FROM orders", &["customer", "CUMULATE"]);
    check("SELECT st▮ FROM 'a.csv'", &["status", "stamp", "string"]);
    check("SELECT ▮ FROM 'a.csv'", &["status", "stamp"]);
    // A statement that is no query has words of its own.
    check("BEGIN ST▮", &["STATEMENT", "STRING"]);
    check(
        "SELECT o.▮ FROM orders o, 'a.csv' x",
        &["ts", "customer", "Country", "\"select\""],
    );
    check(
        "SELECT x.st▮ FROM orders o, 'a.csv' x",
        &["status", "stamp"],
    );
    check(
        "SELECT window_e▮ FROM TUMBLE(orders, ts, '1m')",
        &["window_end"],
    );
    check(
        "SELECT status FROM 'a.csv' WHERE sta▮",
        &["status", "stamp"],
    );
    check("SELECT status FROM 'a.csv';\nSELECT sta▮ FROM orders", &[]);
}

#[test]
fn functions_show_their_arguments() {
    let (_, found) = complete("SELECT date_▮".trim_end_matches('▮'), 12, &Desk::new());
    assert_eq!(found[0].text, "date_trunc(");
    assert_eq!(found[0].shown, "date_trunc(precision, expression)");
    check("SELECT DATE_▮", &["DATE_TRUNC("]);
    check("SELECT count(*) FROM orders GROUP ▮", &["BY"]);
    check("select count(*) from orders group ▮", &["by"]);
}

#[test]
fn files_stand_in_quotes() {
    check("SELECT * FROM '▮", &["a.csv'", "it''s.csv'", "logs/"]);
    check(
        "SELECT * FROM 'logs/app▮",
        &["logs/app.log'", "logs/app.log.1.gz'"],
    );
    check("SELECT * FROM 'lo▮' WHERE", &["logs/"]);
    check("SELECT * FROM '.▮", &[".hidden'"]);
    check(".read a▮", &["a.csv"]);
    check(".schema 'a▮", &["a.csv'"]);
}

#[test]
fn commands_and_their_arguments() {
    check(".mo▮", &[".mode"]);
    check("\\t▮", &["\\timing"]);
    check(".mode c▮", &["chart", "csv"]);
    check(
        ".mode ▮",
        &[
            "table",
            "chart",
            "csv",
            "tsv",
            "ndjson",
            "json-array",
            "markdown",
            "arrow",
            "parquet",
            "line",
        ],
    );
    check(".timer ▮", &["on", "off"]);
    check(".help t▮", &["tumble", "tables"]);
    check(".schema o▮", &["orders", "\"Old orders\""]);
    check(".functions count_▮", &["count_if("]);
    check(".show max▮", &["max-jump", "max-record"]);
    check(".quit ▮", &[]);
    check("SELECT 1;\n.mode md▮", &[]);
}

#[test]
fn settings_follow_set() {
    check("SET ▮", &["delay", "max_jump", "max_record"]);
    check("SET de▮", &["delay"]);
}

#[test]
fn nothing_goes_on_in_comments_and_numbers() {
    check("SELECT 1 -- sel▮", &[]);
    check("SELECT 12▮", &[]);
    check("SELECT /* sel▮", &[]);
}
