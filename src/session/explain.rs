//! What EXPLAIN and DESCRIBE print.

use arrow::datatypes::Schema;

use super::Options;
use crate::data::type_name;
use crate::plan::{self, Planned};

/// The plan with the facts of streaming and the remarks on the query.
pub(super) fn with_facts(planned: &Planned, options: &Options) -> String {
    let mut text = plan::explain(&planned.query, options.zone);
    for note in planned.notes.iter().chain(&planned.unseen) {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// Names and types of result columns, one per line.
pub(super) fn columns(schema: &Schema) -> String {
    let width = schema
        .fields()
        .iter()
        .map(|field| field.name().chars().count())
        .max()
        .unwrap_or(0);
    schema
        .fields()
        .iter()
        .map(|field| {
            let name = field.name();
            let padding = width - name.chars().count();
            format!("{name}{:padding$}  {}\n", "", type_name(field.data_type()))
        })
        .collect()
}
