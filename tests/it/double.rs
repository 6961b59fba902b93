//! A stand-in for the library until it is there: answers only what the reference knows, by the reference.
//!
//! It proves that the harnesses run, cut input, compare and reduce. `program.rs` names what it replaces.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use tumble::error::Error;
pub use tumble::error::Result;

use crate::reference::{query, rules, table};

/// Where bytes come from.
pub trait ByteSource: Send {
    /// Appends what is there; 0 is the end.
    fn read(&mut self, into: &mut Vec<u8>) -> Result<usize>;
}

/// What a session needs from whoever runs it.
pub trait Host {
    fn begin(&mut self, schema: &SchemaRef) -> Result<()>;
    fn rows(&mut self, rows: &RecordBatch) -> Result<()>;
    fn flush(&mut self) -> Result<()>;
    fn end(&mut self) -> Result<()>;
    fn stdin(&mut self) -> Option<Box<dyn ByteSource>>;
}

/// Flags by name.
#[derive(Default)]
pub struct Options(Vec<(String, String)>);

impl Options {
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.0.push((name.to_string(), value.to_string()));
        Ok(())
    }
}

/// What happened to the rows that took no part.
pub struct Summary {
    pub late: u64,
    pub untimed: u64,
}

/// Runs scripts.
pub struct Session(Options);

impl Session {
    pub fn new(options: Options) -> Self {
        Session(options)
    }

    pub fn execute(&mut self, sql: &str, host: &mut dyn Host) -> Result<Summary> {
        let (ddl, select) = sql
            .split_once(";\n")
            .ok_or_else(|| Error::syntax("no script"))?;
        let select = select.trim_end().trim_end_matches(';');
        let query = query::Query::read(select)
            .ok_or_else(|| Error::unsupported("not supported: this query"))?;
        let number = |name: &str, other: i64| {
            let value = self.0.0.iter().find(|(known, _)| known == name);
            value.map_or(other, |(_, text)| {
                text.trim_end_matches("ms").parse().unwrap_or(other)
            })
        };
        let declared = ddl
            .split_once("AS ts - ")
            .and_then(|(_, rest)| rest.split_once(" SECOND"));
        let declared =
            declared.and_then(|(text, _)| query::read_interval(&format!("{text} SECOND")));
        let settings = match declared {
            Some(delay) => rules::Settings { delay, max_jump: 0 },
            None => rules::Settings {
                delay: number("delay", 5000),
                max_jump: number("max-jump", 86_400_000),
            },
        };
        let mut bytes = Vec::new();
        let mut stdin = host.stdin().ok_or_else(|| Error::usage("no stdin"))?;
        while stdin.read(&mut bytes)? > 0 {}
        let rows: Option<Vec<table::Row>> = (String::from_utf8_lossy(&bytes).lines())
            .map(|line| table::Row::from_json(&serde_json::from_str(line).ok()?))
            .collect();
        let rows = rows.ok_or_else(|| Error::data("no JSON"))?;
        let answer = rules::answer(&query, &settings, &rows);
        let fields: Vec<Field> = query
            .columns()
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8, true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        host.begin(&schema)?;
        let column = |n: usize| {
            let cells = answer.rows.iter().map(|row| Some(row[n].csv()));
            Arc::new(cells.collect::<StringArray>()) as ArrayRef
        };
        let columns = (0..schema.fields().len()).map(column).collect();
        host.rows(&RecordBatch::try_new(schema, columns)?)?;
        host.flush()?;
        host.end()?;
        Ok(Summary {
            late: answer.late,
            untimed: answer.untimed,
        })
    }
}

/// Rows as csv: the double's cells are csv already.
#[derive(Default)]
pub struct CsvText(String);

impl CsvText {
    pub fn begin(&mut self, schema: &SchemaRef) -> Result<()> {
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        self.0 += &(names.join(",") + "\n");
        Ok(())
    }

    pub fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        for row in 0..rows.num_rows() {
            let cell = |column: &ArrayRef| -> String {
                let texts = column.as_any().downcast_ref::<StringArray>();
                texts.map_or(String::new(), |texts| texts.value(row).to_string())
            };
            let cells: Vec<String> = rows.columns().iter().map(cell).collect();
            self.0 += &(cells.join(",") + "\n");
        }
        Ok(())
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// The names of the registered aggregates.
pub fn aggregates() -> Vec<String> {
    ["count", "sum", "avg", "min", "max"]
        .map(str::to_string)
        .to_vec()
}
