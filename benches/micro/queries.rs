//! The operators of the queries A to D of the comparison, with the types that planning gives them.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion_expr::AggregateUDF;
use datafusion_functions_aggregate::average::avg_udaf;
use datafusion_functions_aggregate::count::count_udaf;
use datafusion_functions_aggregate::min_max::max_udaf;
use datafusion_functions_aggregate::sum::sum_udaf;
use tumble::exec::Operator;
use tumble::exec::aggregate::{AggregateSpec, Argument};
use tumble::exec::window::{
    SessionOperator, SessionSpec, WindowAggregateOperator, WindowAggregateSpec,
    WindowAssignOperator, WindowAssignSpec, WindowSource,
};
use tumble::time::{Interval, Unit, WindowSpec};

use super::events::{BYTES, DELAY, HOST, LATENCY, STATUS, TS, USER, field, schema, time_type};

const ZERO: i64 = 0;
const MINUTE: i64 = 60;

fn tumble() -> WindowSpec {
    WindowSpec::Tumble {
        size: Interval::from_seconds(MINUTE),
        offset: Interval::from_seconds(ZERO),
    }
}

fn hop() -> WindowSpec {
    WindowSpec::Hop {
        slide: Interval::from_seconds(MINUTE),
        size: Interval::from_seconds(5 * MINUTE),
        offset: Interval::from_seconds(ZERO),
    }
}

fn bounds() -> Vec<FieldRef> {
    ["window_start", "window_end", "window_time"]
        .map(|name| field(name, time_type()))
        .to_vec()
}

fn call(function: Arc<AggregateUDF>, column: Option<usize>, output: DataType) -> AggregateSpec {
    let input = schema();
    let display = function.name().to_string();
    AggregateSpec {
        function,
        arguments: column.map(Argument::Column).into_iter().collect(),
        argument_fields: (column.iter())
            .map(|column| Arc::clone(&input.fields()[*column]))
            .collect(),
        filter: None,
        distinct: false,
        ignore_nulls: false,
        order_by: Vec::new(),
        output: field(&display, output),
        display,
    }
}

fn count() -> AggregateSpec {
    call(count_udaf(), None, DataType::Int64)
}

/// The fields of some columns.
fn fields(columns: &[usize]) -> Vec<FieldRef> {
    let input = schema();
    columns
        .iter()
        .map(|column| Arc::clone(&input.fields()[*column]))
        .collect()
}

fn result(keys: &[usize], aggregates: &[AggregateSpec]) -> SchemaRef {
    let mut all = bounds();
    all.extend(fields(keys));
    all.extend(aggregates.iter().map(|call| Arc::clone(&call.output)));
    Arc::new(Schema::new(all))
}

fn windows(
    window: WindowSpec,
    keys: &[usize],
    aggregates: Vec<AggregateSpec>,
) -> Box<dyn Operator> {
    let spec = WindowAggregateSpec {
        source: WindowSource::Assigned {
            window,
            time_column: TS,
            unit: Unit::Microsecond,
            zone: None,
        },
        delay: DELAY,
        keys: keys.to_vec(),
        key_fields: fields(keys),
        schema: result(keys, &aggregates),
        aggregates,
    };
    Box::new(WindowAggregateOperator::new(spec).expect("an operator"))
}

/// The operator of a query before its first row.
pub fn operator(query: &str) -> Box<dyn Operator> {
    let average = || call(avg_udaf(), Some(LATENCY), DataType::Float64);
    let bytes = || call(sum_udaf(), Some(BYTES), DataType::Int64);
    match query {
        "A" => {
            let highest = call(max_udaf(), Some(LATENCY), DataType::Float64);
            windows(tumble(), &[STATUS], vec![count(), average(), highest])
        }
        "B" => windows(tumble(), &[HOST, STATUS], vec![count(), bytes()]),
        "C" => windows(hop(), &[HOST], vec![count(), average()]),
        _ => sessions(vec![count(), bytes()]),
    }
}

fn sessions(aggregates: Vec<AggregateSpec>) -> Box<dyn Operator> {
    let spec = SessionSpec {
        gap: 30_000_000,
        time_column: TS,
        delay: DELAY,
        partition: vec![USER],
        partition_fields: fields(&[USER]),
        keys: Vec::new(),
        key_fields: Vec::new(),
        schema: result(&[USER], &aggregates),
        aggregates,
    };
    Box::new(SessionOperator::new(spec).expect("an operator"))
}

/// Rows with their windows, one row for each window.
pub fn assign(window: &str) -> Box<dyn Operator> {
    let mut all = schema().fields().to_vec();
    all.extend(bounds());
    let spec = WindowAssignSpec {
        window: match window {
            "HOP" => hop(),
            _ => tumble(),
        },
        time_column: TS,
        unit: Unit::Microsecond,
        zone: None,
        schema: Arc::new(Schema::new(all)),
    };
    Box::new(WindowAssignOperator::new(spec).expect("an operator"))
}
