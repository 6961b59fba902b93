//! Queries that run together: what they read becomes one list, and each table in it is read once.
//!
//! ```text
//!   query 0: read t [a, b] ─┐        sources: t [a, b, c]      query 0: read 0 [a, b]
//!   query 1: read t [a, c] ─┴►                                 query 1: read 0 [a, c]
//! ```
//!
//! Invariants: a table has one watermark, that of the queries which use event time; a row that has no time
//! takes no part in any of them. The operators of a query stay as they are: only its reads are renumbered.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};

use super::stream_plan::{SourcePlan, StreamPlan, StreamQuery};
use crate::catalog::{ColumnSource, Table};
use crate::data::type_name;
use crate::error::{Error, Result};
use crate::exec::expression::Expression;
use crate::exec::watermark::WatermarkSpec;

/// The sources of all queries, each table once; the reads of the queries then count in this list.
///
/// # Errors
/// Two queries want a table under two watermarks, or a column as two types.
pub fn share(queries: &mut [StreamQuery]) -> Result<Vec<SourcePlan>> {
    let mut shared: Vec<SourcePlan> = Vec::new();
    for number in 0..queries.len() {
        let sources = std::mem::take(&mut queries[number].sources);
        let mut moves: Vec<(usize, Vec<usize>)> = Vec::with_capacity(sources.len());
        for source in sources {
            let known = (shared.iter()).position(|known| known.table.name == source.table.name);
            let Some(place) = known else {
                let columns: Vec<usize> = (0..source.schema.fields().len()).collect();
                moves.push((shared.len(), columns));
                shared.push(source);
                continue;
            };
            let both = merge(&shared[place], &source)?;
            let columns = places(&shared[place], &both)?;
            let mut others = vec![(0, Vec::new()); shared.len()];
            for (other, entry) in others.iter_mut().enumerate() {
                let width = shared[other].schema.fields().len();
                *entry = (other, (0..width).collect());
            }
            others[place].1 = columns;
            for before in &mut queries[..number] {
                renumber(&mut before.root, &others)?;
            }
            // What this query has moved so far stands in the list as it was.
            for (moved, columns) in &mut moves {
                let now = &others[*moved].1;
                *columns = columns.iter().map(|column| now[*column]).collect();
            }
            moves.push((place, places(&source, &both)?));
            shared[place] = both;
        }
        renumber(&mut queries[number].root, &moves)?;
    }
    Ok(shared)
}

/// Leads reads to where their sources and columns are now.
fn renumber(plan: &mut StreamPlan, moves: &[(usize, Vec<usize>)]) -> Result<()> {
    if let StreamPlan::Read {
        source, columns, ..
    } = plan
    {
        let lost = || Error::internal("a read of no source");
        let (number, places) = moves.get(*source).ok_or_else(lost)?;
        for column in columns.iter_mut() {
            *column = places.get(*column).copied().ok_or_else(lost)?;
        }
        *source = *number;
    }
    for input in plan.inputs_mut() {
        renumber(input, moves)?;
    }
    Ok(())
}

/// Per column of a source: its place in another that has all of them.
fn places(from: &SourcePlan, to: &SourcePlan) -> Result<Vec<usize>> {
    let fields = from.schema.fields().iter();
    fields
        .map(|field| Ok(to.schema.index_of(field.name())?))
        .collect()
}

/// One source for what two queries read of a table.
fn merge(one: &SourcePlan, other: &SourcePlan) -> Result<SourcePlan> {
    let table = merge_tables(one, other)?;
    let mut used = BTreeSet::new();
    for field in one.schema.fields().iter().chain(other.schema.fields()) {
        let column = table.column(field.name());
        used.insert(column.ok_or_else(|| Error::internal("a column that no table has"))?);
    }
    let name = |column: &usize| table.columns[*column].name.as_str();
    let expression = |column: &usize| {
        let found = computed(one, name(column)).map(|found| (one, found));
        found.or_else(|| computed(other, name(column)).map(|found| (other, found)))
    };
    let (computed_columns, rest): (Vec<usize>, Vec<usize>) =
        (used.into_iter()).partition(|column| expression(column).is_some());
    let known = |column: &usize| match table.columns[*column].source {
        ColumnSource::Metadata { metadata, .. } => Some(metadata),
        _ => None,
    };
    let (metadata_columns, read): (Vec<usize>, Vec<usize>) =
        rest.into_iter().partition(|column| known(column).is_some());
    let metadata = metadata_columns.iter().filter_map(known).collect();
    let field_of = |column: &usize| {
        let name = name(column);
        let field = one.schema.field_with_name(name);
        let field = field.or_else(|_| other.schema.field_with_name(name))?;
        Ok(Arc::new(field.clone()))
    };
    let fields: Result<Vec<FieldRef>> = (read.iter().chain(&metadata_columns))
        .chain(&computed_columns)
        .map(field_of)
        .collect();
    let schema = Arc::new(Schema::new(fields?));
    let mut expressions = Vec::with_capacity(computed_columns.len());
    for column in &computed_columns {
        if let Some((source, expression)) = expression(column) {
            let place = |column: usize| schema.index_of(source.schema.field(column).name()).ok();
            expressions.push(expression.with_columns(&place)?);
        }
    }
    let watermark = merge_watermarks(one, other, &schema)?;
    Ok(SourcePlan {
        table: Arc::new(table),
        read,
        metadata,
        computed: expressions,
        schema,
        idle_timeout: one.idle_timeout.or(other.idle_timeout),
        watermark,
    })
}

/// The expression of a computed column, if the source has it as one.
fn computed<'a>(source: &'a SourcePlan, name: &str) -> Option<&'a Expression> {
    let column = source.schema.index_of(name).ok()?;
    let before = source.read.len() + source.metadata.len();
    source.computed.get(column.checked_sub(before)?)
}

/// A table with the columns of both: of an open-ended one each query has seen its own.
fn merge_tables(one: &SourcePlan, other: &SourcePlan) -> Result<Table> {
    let mut table = Table::clone(&one.table);
    for field in other.schema.fields() {
        let wanted = (other.table.column(field.name()))
            .map(|column| &other.table.columns[column])
            .ok_or_else(|| Error::internal("a column that no table has"))?;
        let Some(column) = table.column(field.name()) else {
            table.columns.push(wanted.clone());
            continue;
        };
        let known = &mut table.columns[column];
        if known.data_type == wanted.data_type {
            continue;
        }
        if one.schema.field_with_name(field.name()).is_ok() {
            return Err(Error::plan(format!(
                "column `{}` of `{}` is {} in one statement and {} in another",
                field.name(),
                table.name,
                type_name(&known.data_type),
                type_name(&wanted.data_type),
            ))
            .note("statements that run together read a table once")
            .help("give its type with --types, or CAST it in one of them"));
        }
        *known = wanted.clone();
    }
    Ok(table)
}

fn merge_watermarks(
    one: &SourcePlan,
    other: &SourcePlan,
    schema: &Schema,
) -> Result<Option<WatermarkSpec>> {
    let of = |source: &SourcePlan| {
        let watermark = source.watermark.clone()?;
        let name = source.schema.field(watermark.time_column).name().clone();
        Some((name, watermark))
    };
    let (name, watermark) = match (of(one), of(other)) {
        (None, None) => return Ok(None),
        (Some(known), None) | (None, Some(known)) => known,
        (Some((name, watermark)), Some((other_name, _))) => {
            if name != other_name {
                return Err(Error::plan(format!(
                    "two statements over `{}` use two times, `{name}` and `{other_name}`",
                    one.table.name
                ))
                .note("statements that run together read a table once, and it has one watermark")
                .help("use one time column, or run tumble twice"));
            }
            (name, watermark)
        }
    };
    Ok(Some(WatermarkSpec {
        time_column: schema.index_of(&name)?,
        ..watermark
    }))
}
