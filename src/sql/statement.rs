//! The statements that the parser hands to the session and the planner.

use sqlparser::ast;

use crate::error::Span;
use crate::time::Interval;

/// One statement of a script.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// Where it stands in the script, without its semicolon.
    pub span: Span,
}

/// What a statement says.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// `SELECT …`, `WITH …`, `VALUES …`.
    Query(QueryStatement),
    /// `INSERT INTO` statements one behind the other, which run together over one read of their sources.
    Inserts(Vec<Insert>),
    /// `CREATE TABLE name (…) WITH (…)`.
    CreateTable(CreateTable),
    /// `CREATE VIEW name AS SELECT …`.
    CreateView(CreateView),
    /// `DROP TABLE` or `DROP VIEW`.
    Drop {
        /// The name.
        name: ast::Ident,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `SET delay = '5s'`: what a flag of that name sets.
    Set {
        /// The flag, without dashes; `-` and `_` are the same.
        name: String,
        /// Its value as text, without quotes.
        value: String,
        /// Where name and value stand.
        span: Span,
    },
    /// `EXPLAIN SELECT …`.
    Explain(QueryStatement, ExplainAs),
    /// `DESCRIBE name` or `DESCRIBE SELECT …` (the latter with the query).
    Describe(QueryStatement),
    /// `SHOW TABLES`.
    ShowTables,
}

/// What EXPLAIN shows of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainAs {
    /// Its operators, with what matters for a stream.
    Tree,
    /// The same as a Mermaid flowchart.
    Mermaid,
    /// It runs, its rows are dropped, and the tree says what each operator did.
    Analyze,
}

/// A query with the clauses that sqlparser has no place for.
#[derive(Debug, Clone)]
pub struct QueryStatement {
    /// The query in normal form. `LIMIT n BY …` stays in its `limit_clause`.
    pub query: Box<ast::Query>,
    /// What its `EMIT` clause asks for.
    pub emit: Emit,
}

/// `INSERT INTO sink (columns) query`, or `COPY (query) TO 'file' (options)`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table that is written, or a path in single quotes.
    pub target: ast::Ident,
    /// Where that stands.
    pub target_span: Span,
    /// The columns of it that the query gives; empty for all.
    pub columns: Vec<ast::Ident>,
    /// What COPY says about the file.
    pub options: Vec<TableOption>,
    /// Where the rows come from.
    pub query: QueryStatement,
}

/// When rows come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Emit {
    /// One row per window and group, when the window closes (`EMIT ON WINDOW CLOSE`, `EMIT FINAL`, nothing).
    #[default]
    OnWindowClose,
}

/// `CREATE TABLE name (columns, WATERMARK FOR …) WITH (path = '…', …)`.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// The name.
    pub name: ast::Ident,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The columns; empty if they are to be guessed.
    pub columns: Vec<Column>,
    /// `WATERMARK FOR ts AS ts - INTERVAL '5' SECOND`.
    pub watermark: Option<WatermarkClause>,
    /// The options of `WITH (…)`, keys in lower case.
    pub options: Vec<TableOption>,
}

/// A column of a `CREATE TABLE`.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name.
    pub name: ast::Ident,
    /// Read from the source or computed from other columns.
    pub kind: ColumnKind,
}

/// Where the values of a column come from.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "a statement has few columns, and no copies are made"
)]
pub enum ColumnKind {
    /// `name TYPE`: read from the source.
    Physical(ast::DataType),
    /// `name AS expression`.
    Computed(ast::Expr),
}

/// `WATERMARK FOR column AS column - INTERVAL …`.
#[derive(Debug, Clone)]
pub struct WatermarkClause {
    /// The time column, or the dotted path to it in a ROW.
    pub column: ast::Ident,
    /// How far the watermark stays behind it; zero for `AS column`.
    pub delay: Interval,
}

/// One `key = value` of `WITH (…)`.
#[derive(Debug, Clone)]
pub struct TableOption {
    /// The key, in lower case.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// Where both stand.
    pub span: Span,
}

/// `CREATE VIEW name (columns) AS query`.
#[derive(Debug, Clone)]
pub struct CreateView {
    /// The name.
    pub name: ast::Ident,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// New names for the query's columns; empty for its own.
    pub columns: Vec<ast::Ident>,
    /// The query.
    pub query: Box<ast::Query>,
}

/// A window over a relation: `TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)` in any spelling.
#[derive(Debug, Clone)]
pub struct WindowCall {
    /// Sizes and offsets.
    pub arguments: WindowArguments,
    /// What it reads: a table, view or CTE by name, a quoted path, or a subquery.
    pub input: ast::TableFactor,
    /// The time column; `None` if it is left to the table.
    pub time_column: Option<ast::Ident>,
    /// `PARTITION BY` of SESSION and COUNT_WINDOW; column names or expressions.
    pub partition_by: Vec<ast::Expr>,
    /// The alias of the call.
    pub alias: Option<ast::TableAlias>,
    /// The call in the text.
    pub span: Span,
}

/// The kind of a window with its sizes, all checked: sizes are positive, `slide <= size`, `step <= size`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowArguments {
    /// Windows of `size`, one after the other.
    Tumble {
        /// Length of a window.
        size: Interval,
        /// Moves all bounds; any sign.
        offset: Interval,
    },
    /// Windows of `size`, one every `slide`.
    Hop {
        /// Distance of two starts.
        slide: Interval,
        /// Length of a window.
        size: Interval,
        /// Moves all bounds; any sign.
        offset: Interval,
    },
    /// Windows that grow by `step` up to `size`.
    Cumulate {
        /// Growth.
        step: Interval,
        /// Length of the longest window.
        size: Interval,
        /// Moves all bounds; any sign.
        offset: Interval,
    },
    /// Rows at most `gap` apart.
    Session {
        /// The longest pause inside a session.
        gap: Interval,
    },
    /// Every `size` rows, moved on by `slide` rows.
    Count {
        /// Rows in a window.
        size: u64,
        /// Rows between two starts.
        slide: u64,
    },
}
