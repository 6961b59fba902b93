//! What a stream means for each operator: when rows come out, what is kept and until when.

use crate::data::Metadata;
use crate::exec::union::UnionOrder;
use crate::exec::window::WindowSource;
use crate::plan::stream_plan::{SourcePlan, StreamPlan, StreamQuery};
use crate::time::{Interval, Unit, WindowSpec, Zone};

/// What a stream means for the operator.
pub(super) fn facts(plan: &StreamPlan, query: &StreamQuery, zone: Zone) -> Vec<String> {
    match plan {
        StreamPlan::Read { source, .. } => source_facts(&query.sources[*source]),
        StreamPlan::WindowAggregate(_, spec) => window_facts(&spec.source, zone),
        StreamPlan::SessionAggregate(..) | StreamPlan::SessionRows(..) => vec![
            String::from(
                "closes: when the watermark reaches the last row of the session + gap - 1 unit",
            ),
            String::from("keeps: the open sessions of each key, until they close"),
        ],
        StreamPlan::CountAggregate(..) => vec![
            String::from("closes: with the row that fills it; needs no time"),
            String::from("keeps: the rows since the last window of each key, forever"),
        ],
        StreamPlan::Group(_, spec) => {
            let keeps = if spec.keys.is_empty() {
                "one state"
            } else {
                "one state per group"
            };
            vec![
                String::from("comes out: at the end of input"),
                format!("keeps: {keeps}, until the end of input"),
            ]
        }
        StreamPlan::Sort(_, spec) => vec![if spec.streaming {
            String::from("streams: sorts the rows of each closing window, keeps no more")
        } else {
            String::from("waits: for the end of input, and keeps all rows until then")
        }],
        StreamPlan::Assign(_, spec) => slices(&spec.window).into_iter().take(1).collect(),
        StreamPlan::Union {
            order: UnionOrder::ByWindow { .. },
            ..
        } => vec![String::from(
            "keeps: windows of a branch until the others have closed theirs",
        )],
        StreamPlan::Union {
            order: UnionOrder::InTurn,
            ..
        } => vec![String::from(
            "keeps: the rows of a branch until those before it have ended",
        )],
        StreamPlan::LimitBy(_, spec) => vec![if spec.by_window {
            String::from("keeps: one count per key of the closing windows")
        } else {
            String::from("keeps: one count per key, forever")
        }],
        StreamPlan::Rows(_)
        | StreamPlan::Filter { .. }
        | StreamPlan::Project { .. }
        | StreamPlan::Union { .. }
        | StreamPlan::Limit(..) => Vec::new(),
    }
}

fn window_facts(source: &WindowSource, zone: Zone) -> Vec<String> {
    let WindowSource::Assigned {
        window,
        unit,
        zone: clock,
        ..
    } = source
    else {
        return vec![
            String::from("closes: when the watermark reaches window_end - 1 unit"),
            String::from("keeps: one state per window and group, until the window closes"),
        ];
    };
    let mut facts = slices(window);
    facts.push(format!(
        "closes: when the watermark reaches window_end - {}",
        step(*unit)
    ));
    facts.push(String::from(
        "keeps: one state per slice and group, until the last window of the slice closes",
    ));
    if clock.is_some() {
        facts.push(format!(
            "clock: bounds are multiples of the local time of {zone}"
        ));
    }
    facts
}

fn source_facts(source: &SourcePlan) -> Vec<String> {
    let mut facts = Vec::new();
    match &source.watermark {
        Some(spec) => {
            let field = source.schema.field(spec.time_column);
            let unit = Unit::of(field.data_type()).unwrap_or(Unit::Microsecond);
            let interval = |steps: i64| {
                Interval::from_nanoseconds(i128::from(steps) * i128::from(unit.nanoseconds()))
            };
            let declared = source
                .table
                .time
                .as_ref()
                .is_some_and(|t| t.declared_delay.is_some());
            facts.push(format!(
                "time: {} ({})",
                field.name(),
                crate::data::type_name(field.data_type())
            ));
            if source.reads_clock_as_time() {
                facts.push(format!(
                    "watermark: the clock; windows close by it also while nothing comes ({} is when rows \
                     were read, so results differ from run to run)",
                    field.name()
                ));
                return facts;
            }
            let jumps = match spec.max_jump {
                Some(jump) => format!("; jumps over {} are held", interval(jump)),
                None if declared => String::from("; declared, so jumps are not held"),
                None => String::new(),
            };
            let delay = interval(spec.delay);
            facts.push(format!(
                "watermark: {} - {delay}, row by row, before any filter{jumps}",
                field.name()
            ));
            if let Some(timeout) = source.idle_timeout {
                facts.push(format!(
                    "clock: where nothing comes for {timeout}, the watermark goes to the newest {} and on with the \
                     clock, so results may differ from run to run",
                    field.name()
                ));
            }
        }
        None => facts.push(String::from(
            "watermark: none, the query uses no event time",
        )),
    }
    if source.metadata.contains(&Metadata::Arrival) {
        facts.push(String::from(
            "clock: _arrival is when rows were read, so results differ from run to run",
        ));
    }
    facts
}

fn slices(window: &WindowSpec) -> Vec<String> {
    match window {
        WindowSpec::Tumble { size, .. } => {
            vec![format!(
                "slices: {size}, one for each window; each row updates one"
            )]
        }
        WindowSpec::Hop { slide, size, .. } => {
            let windows = match (size.fixed_nanoseconds(), slide.fixed_nanoseconds()) {
                (Some(size), Some(slide)) if slide > 0 => {
                    let most = size / slide + i128::from(size % slide != 0);
                    let cut = if size % slide == 0 {
                        format!("{}", Interval::from_nanoseconds(slide))
                    } else {
                        String::from("cut at every start and end of a window")
                    };
                    format!("slices: {cut}; each row updates one and lies in up to {most} windows")
                }
                _ => String::from(
                    "slices: cut at every start and end of a window; each row updates one",
                ),
            };
            vec![
                windows,
                String::from("windows: merge their slices when they close"),
            ]
        }
        WindowSpec::Cumulate { step, size, .. } => vec![
            format!("slices: {step}; each row updates one"),
            format!("windows: merge their slices from the start when they close, up to {size}"),
        ],
    }
}

fn step(unit: Unit) -> &'static str {
    match unit {
        Unit::Millisecond => "1ms",
        Unit::Microsecond => "1us",
        Unit::Nanosecond => "1ns",
    }
}
