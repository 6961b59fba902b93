//! A translated relation: its plan, and what streaming knows of each of its columns.

use arrow::datatypes::FieldRef;
use datafusion_common::DFSchema;
use datafusion_expr::Expr;

use crate::error::Span;
use crate::plan::stream_plan::StreamPlan;
use crate::sql::WindowArguments;

/// What a column is to event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing special.
    None,
    /// A time attribute.
    Time(TimeOf),
    /// The start of the row's window.
    Start,
    /// The end of the row's window.
    End,
}

/// Whose time a time attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeOf {
    /// A column of a table: source and column by number.
    Source(usize, usize),
    /// Columns of several tables under one UNION ALL, by the number of the list of them.
    Several(usize),
    /// The `window_time` of a window.
    Window,
}

impl Role {
    /// The role among rows that wait until a window closes: times of sources are behind the watermark then.
    pub(super) fn until_closed(self) -> Role {
        match self {
            Role::Time(TimeOf::Source(..) | TimeOf::Several(_)) => Role::None,
            other => other,
        }
    }
}

/// A translated relation.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Where its rows come from; with a pending window, what the window reads.
    pub plan: StreamPlan,
    /// Per column of what can be seen: its role.
    pub roles: Vec<Role>,
    /// Its rows are closed windows, which come out in the order of their ends.
    pub closed: bool,
    /// They come out in the order of their starts, too.
    pub tumbling: bool,
    /// A window whose bounds are no columns yet.
    pub pending: Option<Pending>,
}

/// A window over a relation whose bounds are no columns yet.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// Kind and sizes.
    pub arguments: WindowArguments,
    /// The call in the text.
    pub span: Span,
    /// The time column of the plan; `None` for count windows.
    pub time: Option<usize>,
    /// Whose time that is.
    pub time_of: Option<TimeOf>,
    /// Key columns of the plan, for sessions and count windows.
    pub partition: Vec<usize>,
    /// What can be seen, in order.
    pub visible: Vec<Visible>,
    /// Their names and types.
    pub fields: Vec<FieldRef>,
    /// Conditions on bounds, each with the names that it was written for; they hold for whole windows.
    pub conditions: Vec<(Expr, DFSchema, Vec<Visible>)>,
}

/// A column of a relation with a pending window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visible {
    /// A column of the plan.
    Base(usize),
    /// `window_start`
    Start,
    /// `window_end`
    End,
    /// `window_time`
    Time,
}

impl Relation {
    /// A relation without times.
    pub(super) fn plain(plan: StreamPlan) -> Self {
        let width = plan.schema().fields().len();
        Relation {
            plan,
            roles: vec![Role::None; width],
            closed: false,
            tumbling: false,
            pending: None,
        }
    }
}
