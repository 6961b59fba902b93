//! UNION ALL: in what order rows of the branches come, and whose time their times are.
//!
//! ```text
//!  closed windows      by window_end, window_start, branch     (their bounds stay, selected or not)
//!  one source          by row, branch
//!  several sources     one after the other; as they come where a window above puts them in order
//! ```

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};
use datafusion_common::DFSchema;
use datafusion_expr::Union;

use super::relation::{Relation, Role, TimeOf};
use super::{Translator, columns_of};
use crate::error::{Error, Result};
use crate::exec::expression::Expression;
use crate::exec::union::UnionOrder;
use crate::plan::stream_plan::StreamPlan;

impl Translator<'_> {
    pub(super) fn union(&mut self, union: &Union) -> Result<Relation> {
        let width = union.schema.fields().len();
        let mut branches = Vec::with_capacity(union.inputs.len());
        let outside = std::mem::replace(&mut self.keep_bounds, true);
        for input in &union.inputs {
            let relation = self.plan(input)?;
            branches.push(self.materialize(relation)?);
        }
        self.keep_bounds = outside;
        let bounds: Option<Vec<(usize, usize)>> = branches.iter().map(bounds).collect();
        if let Some(bounds) = bounds {
            return union_of_windows(branches, &bounds, &union.schema);
        }
        let plans: Vec<&StreamPlan> = branches.iter().map(|branch| &branch.plan).collect();
        let same = self.sources.are_same(&plans);
        let order = match same {
            true => UnionOrder::ByRow,
            // There is no end of which another branch could wait.
            false if self.sources.any_is_endless(&plans) => UnionOrder::AsTheyCome,
            false => UnionOrder::InTurn,
        };
        let roles = (0..width)
            .map(|column| self.united(&branches, column, same))
            .collect();
        let inputs: Vec<StreamPlan> = branches
            .into_iter()
            .map(|branch| visible(branch.plan, width))
            .collect();
        Ok(Relation {
            plan: StreamPlan::Union {
                schema: schema_of(&inputs, &union.schema)?,
                inputs,
                order,
            },
            roles,
            closed: false,
            tumbling: false,
            pending: None,
        })
    }

    /// The role of a column in all branches: a time, if it is one in each; over one source also a bound.
    fn united(&mut self, branches: &[Relation], column: usize, same: bool) -> Role {
        let first = branches
            .first()
            .map_or(Role::None, |branch| branch.roles[column]);
        if same && branches.iter().all(|branch| branch.roles[column] == first) {
            return first;
        }
        let mut sources: Vec<(usize, usize)> = Vec::new();
        for branch in branches {
            match branch.roles[column] {
                Role::Time(TimeOf::Source(source, column)) => sources.push((source, column)),
                Role::Time(TimeOf::Several(number)) => sources.extend(&self.times[number]),
                _ => return Role::None,
            }
        }
        sources.sort_unstable();
        sources.dedup();
        match sources.as_slice() {
            [] => Role::None,
            [(source, column)] => Role::Time(TimeOf::Source(*source, *column)),
            _ => {
                self.times.push(sources);
                Role::Time(TimeOf::Several(self.times.len() - 1))
            }
        }
    }
}

/// The columns of the bounds of closed windows.
fn bounds(relation: &Relation) -> Option<(usize, usize)> {
    let place = |wanted| relation.roles.iter().position(|role| *role == wanted);
    if !relation.closed {
        return None;
    }
    Some((place(Role::Start)?, place(Role::End)?))
}

/// Windows of all branches, merged by their bounds, which stand behind the columns.
fn union_of_windows(
    branches: Vec<Relation>,
    bounds: &[(usize, usize)],
    names: &DFSchema,
) -> Result<Relation> {
    let width = names.fields().len();
    let mut inputs = Vec::with_capacity(branches.len());
    let mut roles: Option<Vec<Role>> = None;
    for (branch, (start, end)) in branches.into_iter().zip(bounds) {
        let own = &branch.roles[..width];
        roles = Some(match roles {
            None => own.to_vec(),
            Some(known) => (known.iter().zip(own))
                .map(|(a, b)| if a == b { *a } else { Role::None })
                .collect(),
        });
        let schema = branch.plan.schema();
        let mut expressions = columns_of(&schema);
        expressions.truncate(width);
        let mut fields: Vec<FieldRef> = schema.fields().iter().take(width).cloned().collect();
        for bound in [start, end] {
            let field = &schema.fields()[*bound];
            expressions.push(Expression::Column(*bound, field.name().clone()));
            fields.push(Arc::clone(field));
        }
        inputs.push(StreamPlan::Project {
            input: Box::new(branch.plan),
            expressions,
            schema: Arc::new(Schema::new(fields)),
        });
    }
    let mut roles = roles.unwrap_or_default();
    roles.extend([Role::Start, Role::End]);
    Ok(Relation {
        plan: StreamPlan::Union {
            schema: schema_of(&inputs, names)?,
            inputs,
            order: UnionOrder::ByWindow {
                start_column: width,
                end_column: width + 1,
            },
        },
        roles,
        closed: true,
        // Windows of several sizes do not come in the order of their starts.
        tumbling: false,
        pending: None,
    })
}

/// The first columns of a plan: what DataFusion knows of.
pub(super) fn visible(plan: StreamPlan, width: usize) -> StreamPlan {
    let schema = plan.schema();
    if schema.fields().len() == width {
        return plan;
    }
    let mut expressions = columns_of(&schema);
    expressions.truncate(width);
    let fields: Vec<FieldRef> = schema.fields().iter().take(width).cloned().collect();
    StreamPlan::Project {
        input: Box::new(plan),
        expressions,
        schema: Arc::new(Schema::new(fields)),
    }
}

/// The columns of the first branch under the names of the union.
fn schema_of(inputs: &[StreamPlan], names: &DFSchema) -> Result<Arc<Schema>> {
    let first = inputs
        .first()
        .ok_or_else(|| Error::internal("a union of nothing"))?;
    let schema = first.schema();
    let name = |(place, field): (usize, &FieldRef)| match names.fields().get(place) {
        Some(name) => Arc::new(field.as_ref().clone().with_name(name.name())),
        None => Arc::clone(field),
    };
    Ok(Arc::new(Schema::new(
        schema
            .fields()
            .iter()
            .enumerate()
            .map(name)
            .collect::<Vec<_>>(),
    )))
}

/// Lets rows of several sources pass at once, for a window above that puts them in order by their times.
/// Fails where something between holds them back.
pub(super) fn pass_at_once(plan: &mut StreamPlan) -> Result<()> {
    match plan {
        StreamPlan::Filter { input, .. } | StreamPlan::Project { input, .. } => pass_at_once(input),
        StreamPlan::Union { inputs, order, .. } => {
            if *order == UnionOrder::InTurn {
                *order = UnionOrder::AsTheyCome;
            }
            inputs.iter_mut().try_for_each(pass_at_once)
        }
        StreamPlan::Read { .. } => Ok(()),
        other => Err(Error::internal(format!(
            "times of several sources above {other:?}"
        ))),
    }
}
