//! Paths into nested values: `a.b`, `a['b']`, `items[1].price`, also chained.
//!
//! ```text
//!  items[1].price    of a table      a column of the table that reads that path alone
//!                    of a subquery   subscript(subscript("items", 1), 'price')
//! ```

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use sqlparser::ast::{self, AccessExpr, Expr, Ident, Spanned, Subscript, Value};

use super::Resolver;
use super::columns::{Relation, reference};
use crate::catalog::{ColumnSource, PathStep, place_of_name};
use crate::data::type_name;
use crate::error::{Error, Result, Span};
use crate::sql::span_of;

/// The quote of the part of a name that counts elements.
const BRACKET: char = '[';

/// Writes subscripts by keys and numbers as parts of names, and others as calls.
///
/// # Errors
/// An element before the first.
pub(super) fn spell_out(query: &mut ast::Query) -> Result<()> {
    let mut failed = Ok(());
    let _ = ast::visit_expressions_mut(query, |expr| {
        if let Expr::CompoundFieldAccess { root, access_chain } = expr {
            match spelt_out(root, access_chain) {
                Ok(Some(spelt)) => *expr = spelt,
                Ok(None) => {}
                Err(error) => {
                    failed = Err(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    });
    failed
}

fn spelt_out(root: &Expr, chain: &[AccessExpr]) -> Result<Option<Expr>> {
    let mut parts = match root {
        Expr::Identifier(name) => vec![name.clone()],
        Expr::CompoundIdentifier(parts) => parts.clone(),
        _ => Vec::new(),
    };
    let mut call = None;
    if parts.is_empty() {
        call = Some(root.clone());
    }
    for access in chain {
        let index = match access {
            AccessExpr::Dot(Expr::Identifier(name)) => {
                Expr::Value(Value::SingleQuotedString(name.value.clone()).with_span(name.span))
            }
            AccessExpr::Subscript(Subscript::Index { index }) => index.clone(),
            _ => return Ok(None),
        };
        match (&mut call, part_of(&index)?) {
            (None, Some(part)) => parts.push(part),
            (None, None) => {
                let name = Expr::CompoundIdentifier(std::mem::take(&mut parts));
                call = Some(subscript(name, index));
            }
            (Some(value), _) => call = Some(subscript(value.clone(), index)),
        }
    }
    Ok(Some(call.unwrap_or(Expr::CompoundIdentifier(parts))))
}

/// The part of a name that a constant subscript is.
fn part_of(index: &Expr) -> Result<Option<Ident>> {
    let before_first = || {
        let error = Error::plan(format!("there is no element {index}: the first one is 1"));
        Err(error
            .at_least(span_of(index.span()))
            .help("the last one of a is a[cardinality(a)]"))
    };
    let value = match index {
        Expr::Value(value) => value,
        Expr::UnaryOp {
            op: ast::UnaryOperator::Minus,
            expr,
        } if matches!(expr.as_ref(), Expr::Value(_)) => return before_first(),
        _ => return Ok(None),
    };
    match &value.value {
        Value::SingleQuotedString(key) => Ok(Some(Ident::with_quote_and_span(
            '"',
            value.span,
            key.clone(),
        ))),
        Value::Number(digits, _) => match digits.to_string().parse::<i64>() {
            Ok(number @ 1..) => {
                let part = Ident::with_quote_and_span(BRACKET, value.span, number.to_string());
                Ok(Some(part))
            }
            Ok(_) => before_first(),
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// True for a part of a name that counts elements.
pub(super) fn is_element(part: &Ident) -> bool {
    part.quote_style == Some(BRACKET)
}

fn step(part: &Ident) -> PathStep {
    match part.value.parse() {
        Ok(number) if is_element(part) => PathStep::Element(number),
        _ => PathStep::Key(part.value.clone()),
    }
}

/// `subscript(value, index)`
fn subscript(value: Expr, index: Expr) -> Expr {
    super::call("subscript", vec![value, index])
}

/// What the type of a column says of a path into its values.
enum Inside {
    /// Values of this type.
    Known(DataType),
    /// It is text, which may be JSON.
    Text,
    /// The step of this number leads nowhere in values of this type.
    Nowhere(usize, DataType),
}

/// What `steps` lead to in values of a type; gives keys the spelling of the type.
fn type_inside(data_type: &DataType, steps: &mut [PathStep]) -> Inside {
    let mut data_type = data_type.clone();
    for (number, step) in steps.iter_mut().enumerate() {
        let found = match (&data_type, &mut *step) {
            (DataType::Utf8View | DataType::Null, _) => return Inside::Text,
            (DataType::Struct(fields), PathStep::Key(key)) => {
                let names = fields.iter().map(|field| field.name().as_str());
                place_of_name(names, key).map(|place| {
                    key.clone_from(fields[place].name());
                    fields[place].data_type().clone()
                })
            }
            (DataType::List(item), PathStep::Element(_)) => Some(item.data_type().clone()),
            (DataType::Map(entries, _), PathStep::Key(_)) => match entries.data_type() {
                DataType::Struct(pair) => pair.get(1).map(|value| value.data_type().clone()),
                _ => None,
            },
            _ => None,
        };
        match found {
            Some(found) => data_type = found,
            None => return Inside::Nowhere(number, data_type),
        }
    }
    Inside::Known(data_type)
}

impl Resolver<'_> {
    /// What a path into a column of the table reads, and its type if that is known; `None` if the name is
    /// no such path.
    pub(super) fn path_inside(
        &self,
        table: usize,
        relation: &Relation,
        parts: &[Ident],
    ) -> Option<(ColumnSource, Option<DataType>)> {
        let (root, rest) = parts.split_first()?;
        let mut steps: Vec<PathStep> = rest.iter().map(step).collect();
        let Ok(Some(found)) = relation.find_bare(&root.value) else {
            let counts = rest.iter().any(is_element);
            return counts.then(|| (ColumnSource::Path(root.value.clone(), steps), None));
        };
        if steps.is_empty() {
            return None;
        }
        let name = &relation.columns[found].name;
        let known = &self.tables[table];
        let column = known.columns.iter().find(|column| column.name == *name)?;
        let data_type = match type_inside(&column.data_type, &mut steps) {
            Inside::Known(data_type) => Some(data_type),
            Inside::Text => None,
            // A key may come later.
            Inside::Nowhere(number, DataType::Struct(_))
                if known.open_ended && matches!(steps[number], PathStep::Key(_)) =>
            {
                None
            }
            Inside::Nowhere(..) => return None,
        };
        match &column.source {
            ColumnSource::Computed { .. } | ColumnSource::Metadata { .. } => None,
            ColumnSource::Field(_) => Some((ColumnSource::Path(name.clone(), steps), data_type)),
            ColumnSource::Path(root, before) => {
                let steps = before.iter().cloned().chain(steps).collect();
                Some((ColumnSource::Path(root.clone(), steps), data_type))
            }
        }
    }

    /// True for a path to a key that the sample has not shown in its ROW.
    pub(super) fn is_new_key(&self, table: usize, relation: &Relation, parts: &[Ident]) -> bool {
        let Some(nowhere) = self.nowhere(table, relation, parts) else {
            return false;
        };
        matches!(nowhere.3, DataType::Struct(_))
    }

    /// Column, steps, number of the step and type in which a path leads nowhere.
    fn nowhere(
        &self,
        table: usize,
        relation: &Relation,
        parts: &[Ident],
    ) -> Option<(String, Vec<PathStep>, usize, DataType)> {
        let (root, rest) = parts.split_first()?;
        let name = &relation.columns[relation.find_bare(&root.value).ok()??].name;
        let columns = &self.tables[table].columns;
        let column = columns.iter().find(|column| column.name == *name)?;
        let mut steps: Vec<PathStep> = rest.iter().map(step).collect();
        match type_inside(&column.data_type, &mut steps) {
            Inside::Nowhere(number, data_type) => {
                Some((column.name.clone(), steps, number, data_type))
            }
            Inside::Known(_) | Inside::Text => None,
        }
    }

    /// What to say of a path that leads nowhere.
    pub(super) fn leads_nowhere(
        &self,
        relation: &Relation,
        parts: &[Ident],
        span: Option<Span>,
    ) -> Option<Error> {
        let parts = relation.unqualified(parts);
        let (name, steps, number, data_type) = self.nowhere(relation.table?, relation, parts)?;
        let mut outer = name;
        for step in &steps[..number] {
            step.spell(&mut outer);
        }
        let shown = type_name(&data_type);
        let wrong = |message: String| Error::plan(message).at_least(span);
        Some(match (&data_type, &steps[number]) {
            (DataType::Struct(fields), PathStep::Key(key)) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                wrong(format!("`{outer}` has no `{key}`"))
                    .note(format!("it has: {}", names.join(", ")))
                    .suggest(key, names)
            }
            (DataType::Struct(_) | DataType::Map(..), PathStep::Element(_)) => {
                let kind = shown.split('<').next().unwrap_or_default();
                wrong(format!("`{outer}` is a {kind}, whose values have names"))
                    .help(format!("write {outer}.name or {outer}['name']"))
            }
            (DataType::List(_), PathStep::Key(_)) => {
                wrong(format!("`{outer}` is an ARRAY, whose elements are counted"))
                    .help(format!("write {outer}[1] for the first"))
            }
            _ => wrong(format!("nothing lies inside of `{outer}`, a {shown}")),
        })
    }

    /// The call that reads a path inside a column that comes from no record, or whose values are at hand.
    pub(super) fn subscripts(&self, relation: &Relation, parts: &[Ident]) -> Option<Expr> {
        for count in (1..parts.len()).rev() {
            if parts[..count].iter().any(is_element) {
                continue;
            }
            let Ok(found) = self.find(relation, &parts[..count], None) else {
                continue;
            };
            let name = &relation.columns[found].name;
            let known = relation.table.and_then(|table| {
                let columns = &self.tables[table].columns;
                columns.iter().find(|column| column.name == *name)
            });
            if known.is_some_and(|column| !column.data_type.is_nested()) {
                return None;
            }
            let column = reference(&relation.columns[found]);
            return Some(parts[count..].iter().fold(column, |value, part| {
                let index = match step(part) {
                    PathStep::Element(number) => Value::Number(number.to_string(), false),
                    PathStep::Key(key) => Value::SingleQuotedString(key),
                };
                subscript(value, Expr::Value(index.into()))
            }));
        }
        None
    }
}

/// `a.b[1].c`
pub(super) fn spelt(parts: &[Ident]) -> String {
    let mut name = String::new();
    for part in parts {
        if is_element(part) {
            name.push_str(&format!("[{}]", part.value));
            continue;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&part.value);
    }
    name
}
