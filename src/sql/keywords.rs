//! The keywords that our SQL speaks, for who shows or completes them. What a word means where it stands is
//! [`super::words`]'s matter.

/// Words that a statement begins with.
pub const STATEMENT_WORDS: &[&str] = &[
    "SELECT",
    "WITH",
    "CREATE TABLE",
    "CREATE VIEW",
    "INSERT INTO",
    "EXPLAIN",
    "DESCRIBE",
    "SET",
    "SHOW TABLES",
    "DROP TABLE",
    "DROP VIEW",
    "COPY",
    "VALUES",
];

/// Words that make windows of a table in FROM.
pub const WINDOW_WORDS: &[&str] = &["TUMBLE", "HOP", "CUMULATE", "SESSION", "COUNT_WINDOW"];

/// All words, in alphabetical order.
pub const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "ARRAY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BIGINT",
    "BOOLEAN",
    "BY",
    "BYTES",
    "CASE",
    "CAST",
    "COPY",
    "COUNT_WINDOW",
    "CREATE",
    "CUMULATE",
    "DATE",
    "DECIMAL",
    "DESC",
    "DESCRIBE",
    "DESCRIPTOR",
    "DISTINCT",
    "DIV",
    "DOUBLE",
    "DROP",
    "ELSE",
    "EMIT",
    "END",
    "EXISTS",
    "EXPLAIN",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FLOAT",
    "FOR",
    "FROM",
    "GROUP",
    "HAVING",
    "HOP",
    "IF",
    "ILIKE",
    "IN",
    "INSERT",
    "INT",
    "INTERVAL",
    "INTO",
    "IS",
    "LIKE",
    "LIMIT",
    "MAP",
    "METADATA",
    "NOT",
    "NULL",
    "OFFSET",
    "OR",
    "ORDER",
    "PARTITION",
    "REPLACE",
    "ROW",
    "SELECT",
    "SESSION",
    "SET",
    "SHOW",
    "SMALLINT",
    "STATEMENT",
    "STRING",
    "TABLE",
    "TABLES",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "TO",
    "TRUE",
    "TRY_CAST",
    "TUMBLE",
    "UNION",
    "VALUES",
    "VIEW",
    "WATERMARK",
    "WHEN",
    "WHERE",
    "WITH",
    "WITHIN",
];

/// Whether a word is a keyword, in any case.
pub fn is_keyword(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    KEYWORDS.binary_search(&upper.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("select") && is_keyword("WATERMARK") && !is_keyword("status"));
        let of_statements = STATEMENT_WORDS.iter().flat_map(|words| words.split(' '));
        assert!(
            of_statements
                .chain(WINDOW_WORDS.iter().copied())
                .all(is_keyword)
        );
    }
}
