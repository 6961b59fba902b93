//! Names as SQL takes them, with quotes where they need some.

/// Names that SQL does not give up: they need quotes.
const RESERVED: [&str; 44] = [
    "all", "and", "any", "as", "asc", "between", "by", "case", "cast", "create", "cross", "desc",
    "distinct", "drop", "else", "emit", "exists", "false", "from", "full", "group", "having", "in",
    "inner", "insert", "into", "is", "join", "left", "like", "limit", "not", "null", "on", "or",
    "order", "right", "select", "table", "then", "true", "union", "when", "where",
];

/// A name as SQL takes it: in double quotes unless it is a plain word.
pub fn quoted_name(name: &str) -> String {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_plain = starts_well && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let lower = name.to_ascii_lowercase();
    if is_plain && !RESERVED.contains(&lower.as_str()) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}
