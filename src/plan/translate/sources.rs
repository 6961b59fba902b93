//! The tables of a query: each is read once, with the columns that anybody needs, under one watermark.
//!
//! ```text
//!   SELECT … FROM TUMBLE(t, a, …)  UNION ALL  SELECT … FROM TUMBLE(t, a, …) WHERE b > 0
//!        └─ Read t [a]                             └─ Read t [a, b]
//!   source t: read a, b · watermark a - 5s
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_expr::TableScan;

use super::relation::{Relation, Role, TimeOf};
use crate::catalog::{ColumnSource, Table};
use crate::error::{Error, Result, Span};
use crate::exec::expression::Expression;
use crate::exec::watermark::WatermarkSpec;
use crate::plan::names::{Carried, Resolved};
use crate::plan::stream_plan::{SourcePlan, StreamPlan};
use crate::plan::{PlanSettings, computed, context};
use crate::time::{Interval, Unit};

/// Rows of one microsecond belong together, so the watermark stays just before them: a window closes with the
/// first row behind it.
const ARRIVAL_DELAY: i64 = 1;

pub(super) struct Sources<'a> {
    settings: &'a PlanSettings,
    tables: Vec<Used>,
    /// The column, by table and number, that stands for others and is none.
    stand_in: Option<(usize, usize)>,
}

struct Used {
    table: Arc<Table>,
    /// Columns that the query needs, by number in the table.
    columns: BTreeSet<usize>,
    /// The time column that its windows use.
    time: Option<usize>,
    /// Expressions of computed columns, by number in the table.
    computed: Vec<Option<Expression>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(
        resolved: &Resolved,
        settings: &'a PlanSettings,
        registry: &context::Registry,
    ) -> Result<Self> {
        let mut tables = Vec::new();
        for table in &resolved.tables {
            let mut computed = Vec::with_capacity(table.columns.len());
            for (number, column) in table.columns.iter().enumerate() {
                computed.push(match &column.source {
                    ColumnSource::Field(_)
                    | ColumnSource::Path(..)
                    | ColumnSource::Metadata { .. } => None,
                    ColumnSource::Computed { expr, .. } => {
                        Some(computed::bind(table, number, expr, registry, settings)?.0)
                    }
                });
            }
            tables.push(Used {
                table: Arc::clone(table),
                columns: BTreeSet::new(),
                time: None,
                computed,
            });
        }
        let stand_in = resolved.carried.as_ref();
        Ok(Sources {
            settings,
            tables,
            stand_in: stand_in.map(|carried| (carried.table, carried.stand_in)),
        })
    }

    /// Reads the columns that are only handed on; returns their fields.
    pub(super) fn carry(&mut self, carried: &Carried) -> Vec<FieldRef> {
        let used = &mut self.tables[carried.table];
        for column in &carried.columns {
            used.need(*column);
        }
        // Nobody behind the plan shall take it for one.
        Arc::make_mut(&mut used.table)
            .columns
            .truncate(carried.stand_in);
        let described = carried
            .columns
            .iter()
            .map(|column| &used.table.columns[*column]);
        described
            .map(|column| field(&column.name, &column.data_type))
            .collect()
    }

    /// A scan of some columns of a table.
    pub(super) fn scan(&mut self, scan: &TableScan) -> Result<Relation> {
        let name = scan.table_name.table();
        let source = (self.tables.iter().position(|used| used.table.name == name))
            .ok_or_else(|| Error::internal(format!("a scan of `{name}`")))?;
        let used = &mut self.tables[source];
        let needs_time = used.table.merged || used.table.since.is_some();
        if let Some(time) = used.table.time.clone().filter(|_| needs_time) {
            used.need(time.column);
        }
        let columns: Vec<usize> = match &scan.projection {
            Some(columns) => columns.clone(),
            None => (0..used.table.columns.len()).collect(),
        };
        let mut fields: Vec<FieldRef> = Vec::new();
        let mut roles = Vec::new();
        for &column in &columns {
            if self.stand_in != Some((source, column)) {
                used.need(column);
            }
            let described = &used.table.columns[column];
            fields.push(field(&described.name, &described.data_type));
            roles.push(match described.data_type {
                DataType::Timestamp(..) => Role::Time(TimeOf::Source(source, column)),
                _ => Role::None,
            });
        }
        let plan = StreamPlan::Read {
            source,
            columns,
            schema: Arc::new(Schema::new(fields)),
        };
        Ok(Relation {
            roles,
            ..Relation::plain(plan)
        })
    }

    /// Notes that a window uses a column as the time of its table; returns the delay of its watermark.
    ///
    /// # Errors
    /// The table has another time: declared, or used by another window.
    pub(super) fn use_time(&mut self, source: usize, column: usize, span: Span) -> Result<i64> {
        let used = &mut self.tables[source];
        let name = |column: usize| used.table.columns[column].name.as_str();
        let declared = used
            .table
            .time
            .as_ref()
            .filter(|time| time.declared_delay.is_some());
        if let Some(declared) = declared
            && declared.column != column
        {
            return Err(
                Error::plan(format!("`{}` is no time attribute", name(column)))
                    .at(span)
                    .note(format!(
                        "the watermark of `{}` is declared for `{}`",
                        used.table.name,
                        name(declared.column)
                    ))
                    .help(format!("use `{}` in the window", name(declared.column))),
            );
        }
        if let Some(time) = used.time
            && time != column
        {
            return Err(Error::plan(format!(
                "two windows over `{}` use two times, `{}` and `{}`",
                used.table.name,
                name(time),
                name(column)
            ))
            .at(span)
            .help("a source has one watermark: use one time column, or write two statements"));
        }
        used.time = Some(column);
        used.need(column);
        self.delay(source, column)
    }

    /// The delay of a source's watermark in steps of its time column.
    fn delay(&self, source: usize, column: usize) -> Result<i64> {
        let table = &self.tables[source].table;
        let declared = table.time.as_ref().and_then(|time| time.declared_delay);
        if table.is_arrival(column) {
            let declared = declared.map(|delay| in_units(&delay, table, column));
            return Ok(declared.transpose()?.unwrap_or(0).max(ARRIVAL_DELAY));
        }
        in_units(&declared.unwrap_or(self.settings.delay), table, column)
    }

    /// True if all plans read the same source and keep no rows back.
    pub(super) fn are_same(&self, plans: &[&StreamPlan]) -> bool {
        let mut sources = plans.iter().map(|plan| source_of_rows(plan));
        match sources.next() {
            Some(Some(first)) => sources.all(|source| source == Some(first)),
            _ => false,
        }
    }

    /// True if rows of one of the plans never end by themselves. A LIMIT ends what comes through it.
    pub(super) fn any_is_endless(&self, plans: &[&StreamPlan]) -> bool {
        plans.iter().any(|plan| match plan {
            StreamPlan::Read { source, .. } => self.tables[*source].table.endless,
            StreamPlan::Limit(_, spec) if spec.limit.is_some() => false,
            other => self.any_is_endless(&other.inputs()),
        })
    }

    /// The sources with the columns that are needed, and the plan with their numbers.
    pub(super) fn finish(mut self, mut root: StreamPlan) -> Result<(Vec<SourcePlan>, StreamPlan)> {
        // Tables that the optimizer found unneeded are not opened.
        let mut numbers = vec![None; self.tables.len()];
        let mut plans = Vec::new();
        let mut places = Vec::new();
        let read = sources_of(&root);
        for (number, used) in self.tables.iter().enumerate() {
            if !read.contains(&number) {
                places.push(Vec::new());
                continue;
            }
            let (plan, place) = self.source_plan(number, used)?;
            numbers[number] = Some(plans.len());
            plans.push(plan);
            places.push(place);
        }
        renumber(&mut root, &numbers, &places)?;
        self.tables.clear();
        Ok((plans, root))
    }

    fn source_plan(&self, number: usize, used: &Used) -> Result<(SourcePlan, Vec<Option<usize>>)> {
        let mut place = vec![None; used.table.columns.len()];
        let mut fields: Vec<FieldRef> = Vec::new();
        let (mut read, mut metadata_columns, mut computed_columns) = (vec![], vec![], vec![]);
        let mut metadata = Vec::new();
        for &column in &used.columns {
            match &used.table.columns[column].source {
                ColumnSource::Field(_) | ColumnSource::Path(..) => read.push(column),
                ColumnSource::Metadata { metadata: one, .. } => {
                    metadata.push(*one);
                    metadata_columns.push(column);
                }
                ColumnSource::Computed { .. } => computed_columns.push(column),
            }
        }
        let all = read.iter().chain(&metadata_columns);
        for &column in all.chain(&computed_columns) {
            place[column] = Some(fields.len());
            let described = &used.table.columns[column];
            fields.push(field(&described.name, &described.data_type));
        }
        let mut computed = Vec::new();
        for column in computed_columns {
            if let Some(expression) = &used.computed[column] {
                computed.push(expression.with_columns(&|column| place[column])?);
            }
        }
        let watermark = match used.time {
            None => None,
            Some(time) => Some(WatermarkSpec {
                time_column: place[time]
                    .ok_or_else(|| Error::internal("a time column that is not read"))?,
                delay: self.delay(number, time)?,
                max_jump: self.max_jump(&used.table, time)?,
            }),
        };
        let plan = SourcePlan {
            table: Arc::clone(&used.table),
            read,
            metadata,
            computed,
            schema: Arc::new(Schema::new(fields)),
            idle_timeout: self.idle_timeout(used),
            watermark,
        };
        Ok((plan, place))
    }

    /// What the table says, else the flag. The clock itself waits for no row.
    fn idle_timeout(&self, used: &Used) -> Option<Interval> {
        let time = used.time?;
        let timeout = used.table.idle_timeout.or(self.settings.idle_timeout);
        timeout.filter(|timeout| !timeout.is_zero() && !used.table.is_arrival(time))
    }

    /// Declared watermarks hold no row back.
    fn max_jump(&self, table: &Table, column: usize) -> Result<Option<i64>> {
        let declared = table
            .time
            .as_ref()
            .is_some_and(|time| time.declared_delay.is_some());
        // The clock does not jump: nothing came for so long.
        if declared || table.is_arrival(column) || self.settings.max_jump.is_zero() {
            return Ok(None);
        }
        Ok(Some(in_units(&self.settings.max_jump, table, column)?))
    }
}

impl Used {
    /// Adds a column, and those that it is computed from.
    fn need(&mut self, column: usize) {
        if !self.columns.insert(column) {
            return;
        }
        if let Some(expression) = &self.computed[column] {
            for column in expression.columns() {
                self.need(column);
            }
        }
    }
}

fn field(name: &str, data_type: &DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type.clone(), true))
}

fn in_units(interval: &Interval, table: &Table, column: usize) -> Result<i64> {
    let described = &table.columns[column];
    let unit = Unit::of(&described.data_type)
        .ok_or_else(|| Error::internal(format!("`{}` is no time column", described.name)))?;
    // A delay finer than the unit holds back by the next whole step.
    let nanoseconds = interval.fixed_nanoseconds().ok_or_else(|| {
        Error::plan(format!(
            "a delay of months ({interval}) has no fixed length"
        ))
        .help("write it in days: 30d")
    })?;
    let step = i128::from(unit.nanoseconds());
    let steps = nanoseconds.div_euclid(step) + i128::from(nanoseconds.rem_euclid(step) != 0);
    Ok(i64::try_from(steps).unwrap_or(i64::MAX))
}

/// The source whose rows a plan passes on one by one; `None` if it reads several or keeps rows.
fn source_of_rows(plan: &StreamPlan) -> Option<usize> {
    match plan {
        StreamPlan::Read { source, .. } => Some(*source),
        StreamPlan::Filter { input, .. }
        | StreamPlan::Project { input, .. }
        | StreamPlan::Assign(input, _) => source_of_rows(input),
        _ => None,
    }
}

fn sources_of(plan: &StreamPlan) -> BTreeSet<usize> {
    match plan {
        StreamPlan::Read { source, .. } => BTreeSet::from([*source]),
        other => other.inputs().into_iter().flat_map(sources_of).collect(),
    }
}

fn renumber(
    plan: &mut StreamPlan,
    numbers: &[Option<usize>],
    places: &[Vec<Option<usize>>],
) -> Result<()> {
    if let StreamPlan::Read {
        source, columns, ..
    } = plan
    {
        let lost = || Error::internal("a column that no source has");
        for column in columns.iter_mut() {
            *column = places[*source][*column].ok_or_else(lost)?;
        }
        *source = numbers[*source].ok_or_else(lost)?;
    }
    for input in plan.inputs_mut() {
        renumber(input, numbers, places)?;
    }
    Ok(())
}
