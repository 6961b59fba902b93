//! Text to statements: our SQL is sqlparser's generic one with the clauses of streaming in it.
//!
//! ```text
//!  text ──► limits ──► tokens ──► parameters, window clauses ──► sqlparser ──► statements ──► normal form
//!           (bombs)               made parsable                                (one spelling of each thing)
//! ```
//!
//! After this folder every window is a call in FROM that [`window_call`] reads, whatever its spelling was;
//! every select item that is no plain column has an alias (its text as typed); places are byte ranges of
//! the text. The one spelling of a window is `TUMBLE("DATA" => t, "TIMECOL" => ts, "SIZE" => INTERVAL '60 seconds')`,
//! a `TableFactor::Table` with named arguments; every interval is `INTERVAL 'text'` without units outside;
//! `//` and `DIV` are both `BinaryOperator::DuckIntegerDivide`; an identifier's place is [`span_of`] its span.
//!
//! Trees are at most 1,000 deep, and yet copying one takes more stack than a small thread has: passes over
//! them run on a large stack, as [`parse`] does. Knows no tables and no types: text is accepted or rejected without a catalog.

mod create_table;
mod dialect;
mod explain;
mod group_window;
mod insert;
mod item_names;
mod keywords;
mod limits;
mod messages;
mod parameters;
mod pieces;
mod query;
mod refusals;
mod script;
mod stack;
mod statement;
mod tokens;
mod window_call;
mod window_columns;
mod window_text;
mod words;

pub use keywords::{KEYWORDS, STATEMENT_WORDS, WINDOW_WORDS, is_keyword};
pub use limits::LONGEST_TEXT_BYTES;
pub use pieces::{Ending, Piece, PieceKind, Unfinished, endings, pieces};
pub use script::{parse, parse_on};
pub use stack::Stack;

pub use statement::{
    Column, ColumnKind, CreateTable, CreateView, Emit, ExplainAs, Insert, QueryStatement,
    Statement, StatementKind, TableOption, WatermarkClause, WindowArguments, WindowCall,
};
pub use tokens::span_of;
pub use window_call::window_call;

#[cfg(test)]
mod tests;
