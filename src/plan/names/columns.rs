//! Looking up a column in what FROM offers: exact, then ignoring case, then by letters and digits alone.

use arrow::datatypes::DataType;
use sqlparser::ast::{Expr, Ident, Spanned};
use sqlparser::tokenizer;

use super::Resolver;
use crate::catalog::{ColumnSource, TableColumn, place_of_name};
use crate::data::Metadata;
use crate::error::{Error, Result, Span};

/// Which bound of a window a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `window_start`
    Start,
    /// `window_end`
    End,
    /// `window_time`
    Time,
}

/// A column that FROM offers.
#[derive(Debug, Clone)]
pub struct RelationColumn {
    /// Its name.
    pub name: String,
    /// The relation that DataFusion knows it by.
    pub qualifier: String,
    /// The bound of a window that it is.
    pub bound: Option<Bound>,
    /// True for the column that windows use when none is named.
    pub is_time: bool,
    /// True for metadata of records that no table declares, and for paths into values: no part of `*`, found by
    /// their own names alone.
    pub is_hidden: bool,
}

impl RelationColumn {
    /// A column of no special kind.
    pub fn plain(name: &str) -> Self {
        RelationColumn {
            name: name.to_string(),
            qualifier: String::new(),
            bound: None,
            is_time: false,
            is_hidden: false,
        }
    }

    /// True for a path into values that a query met.
    fn is_path(&self) -> bool {
        self.is_hidden && self.name.contains(['.', '['])
    }

    /// The column of a UNION ALL of this one and `other`.
    pub(super) fn united(mut self, other: &RelationColumn) -> Self {
        self.bound = self.bound.filter(|bound| other.bound == Some(*bound));
        self.is_time &= other.is_time;
        self.is_hidden = false;
        self
    }
}

/// What FROM offers.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// How messages call it; columns may be qualified with it.
    pub name: String,
    /// Its columns.
    pub columns: Vec<RelationColumn>,
    /// The table that it is, if it is one.
    pub table: Option<usize>,
    /// Columns that look like times, for the message when none was chosen.
    pub time_candidates: Vec<String>,
    /// Columns by which the sessions of this relation are formed; `None` if it has no sessions.
    pub session_keys: Option<usize>,
}

impl Relation {
    pub(super) fn new(name: &str, columns: Vec<RelationColumn>) -> Self {
        Relation {
            name: name.to_string(),
            columns,
            table: None,
            time_candidates: Vec::new(),
            session_keys: None,
        }
    }

    /// True if a bare name can mean a column: a bound hides a column of its name. `among` are those that count.
    fn is_visible(&self, column: &RelationColumn, among: &dyn Fn(&RelationColumn) -> bool) -> bool {
        let of_window = |column: &RelationColumn| column.qualifier == super::WINDOW_QUALIFIER;
        let hides =
            |other: &RelationColumn| of_window(other) && other.name == column.name && among(other);
        column.bound.is_some() || of_window(column) || !self.columns.iter().any(hides)
    }

    /// The number of the column called `name`: `Ok(None)` if there is none, `Err` with both if two are.
    pub(super) fn find_bare(&self, name: &str) -> Result<Option<usize>, [String; 2]> {
        self.find_bare_of(name, &|_| true)
    }

    /// The same among the columns for which `among` is true, as if there were no others.
    fn find_bare_of(
        &self,
        name: &str,
        among: &dyn Fn(&RelationColumn) -> bool,
    ) -> Result<Option<usize>, [String; 2]> {
        let lowercase = name.to_lowercase();
        let only_letters = letters(name);
        let steps: [&dyn Fn(&RelationColumn) -> bool; 3] = [
            &|column| column.name == name,
            // A path was met in one spelling, and a key of another spelling may lie beside it.
            &|column| {
                (column.is_time || !column.is_path()) && column.name.to_lowercase() == lowercase
            },
            &|column| !column.is_hidden && letters(&column.name) == only_letters,
        ];
        for same in steps {
            let columns = self.columns.iter().enumerate();
            let mut found = columns.filter(|(_, column)| {
                same(column) && among(column) && self.is_visible(column, among)
            });
            match (found.next(), found.next()) {
                (Some((index, _)), None) => return Ok(Some(index)),
                (Some((_, first)), Some((_, second))) => {
                    return Err([first.name.clone(), second.name.clone()]);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The metadata of records that `name` means here; none where a column is called so.
    fn metadata(&self, parts: &[Ident]) -> Option<Metadata> {
        self.table?;
        let name = match parts {
            [name] => &name.value,
            [qualifier, name] if self.is_qualifier(&qualifier.value) => &name.value,
            _ => return None,
        };
        let metadata = Metadata::of_name(name)?;
        let is_taken = |column: &RelationColumn| column.name.eq_ignore_ascii_case(name);
        (!self.columns.iter().any(is_taken)).then_some(metadata)
    }

    /// Adds a column of the table. Bounds stay behind those, as they are in the plan.
    fn insert_behind_table(&mut self, column: RelationColumn) {
        let of_window = |column: &RelationColumn| column.qualifier == super::WINDOW_QUALIFIER;
        let known = self.columns.iter().find(|column| column.bound.is_none());
        let qualifier = known.map_or_else(|| self.name.clone(), |column| column.qualifier.clone());
        let place = self.columns.iter().position(of_window);
        let place = place.unwrap_or(self.columns.len());
        self.columns.insert(
            place,
            RelationColumn {
                qualifier,
                ..column
            },
        );
    }

    /// A name without the relation that it may begin with.
    pub(super) fn unqualified<'p>(&self, parts: &'p [Ident]) -> &'p [Ident] {
        match parts {
            [qualifier, rest @ ..] if !rest.is_empty() && self.is_qualifier(&qualifier.value) => {
                rest
            }
            parts => parts,
        }
    }

    fn is_qualifier(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            || self
                .columns
                .iter()
                .any(|column| column.qualifier.eq_ignore_ascii_case(name))
    }
}

/// A name with every run of other characters read as `_`, leading ones dropped, in lower case.
fn letters(name: &str) -> String {
    let mut result = String::new();
    for char in name.chars() {
        if char.is_alphanumeric() {
            result.extend(char.to_lowercase());
        } else if !result.ends_with('_') && !result.is_empty() {
            result.push('_');
        }
    }
    result
}

/// Where an expression stands, by sqlparser's reckoning.
pub(super) fn span_of_expr(expr: &Expr) -> tokenizer::Span {
    expr.span()
}

impl Resolver<'_> {
    /// The number of the column that `parts` (`a`, `t.a`, `a.b.c`) means in `relation`.
    ///
    /// # Errors
    /// No such column, with the nearest name; two such columns, with both.
    pub(super) fn find(
        &self,
        relation: &Relation,
        parts: &[Ident],
        span: Option<Span>,
    ) -> Result<usize> {
        let two = |[first, second]: [String; 2]| {
            Error::plan(format!(
                "`{}` may be `{first}` or `{second}`",
                joined(parts)
            ))
            .at_least(span)
            .help(format!(
                "write \"{first}\" or \"{second}\", in double quotes"
            ))
        };
        if let [qualifier, rest @ ..] = parts
            && !rest.is_empty()
            && relation.is_qualifier(&qualifier.value)
        {
            let name = joined(rest);
            let is_own =
                |column: &RelationColumn| column.qualifier.eq_ignore_ascii_case(&qualifier.value);
            if relation.columns.iter().any(is_own)
                && let Some(found) = relation.find_bare_of(&name, &is_own).map_err(two)?
            {
                return Ok(found);
            }
            if let Some(found) = relation.find_bare(&name).map_err(two)? {
                return Ok(found);
            }
        }
        match relation.find_bare(&joined(parts)).map_err(two)? {
            Some(found) => Ok(found),
            None => Err(self.no_column(relation, parts, span)),
        }
    }

    fn no_column(&self, relation: &Relation, parts: &[Ident], span: Option<Span>) -> Error {
        let name = joined(parts);
        if let [only] = parts
            && only.quote_style == Some('"')
        {
            return Error::plan(format!("no column \"{name}\"; text is written '{name}'"))
                .at_least(span)
                .suggest(&name, names(relation))
                .note(columns_note(relation))
                .help("single quotes are for text, double quotes for names");
        }
        let message = format!("column `{name}` does not exist in `{}`", relation.name);
        let error = Error::plan(message)
            .at_least(span)
            .suggest(&name, names(relation))
            .note(columns_note(relation));
        if let Some(help) = super::from::window_help(relation, &name) {
            return error.help(help);
        }
        let table = relation.table.map(|table| &self.tables[table]);
        let taken_for = table.and_then(|table| table.taken_for);
        match taken_for.and_then(|taken_for| taken_for.help(&name)) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// Resolves every name in `expr`. A name that is no column may be one of `aliases`.
    pub(super) fn expression(
        &mut self,
        expr: &mut Expr,
        relation: &Relation,
        aliases: &[(String, Expr)],
    ) -> Result<()> {
        let mut failed = None;
        let _ = sqlparser::ast::visit_expressions_mut(expr, |expr| {
            match self.one(expr, relation, aliases) {
                Ok(()) => std::ops::ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    std::ops::ControlFlow::Break(())
                }
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn one(
        &mut self,
        expr: &mut Expr,
        relation: &Relation,
        aliases: &[(String, Expr)],
    ) -> Result<()> {
        let parts: Vec<Ident> = match expr {
            Expr::Identifier(name) => vec![name.clone()],
            Expr::CompoundIdentifier(parts) => parts.clone(),
            Expr::Function(function) => return Self::function(function),
            Expr::Cast { kind, .. } => {
                // No value stops a query: a cast that fails is NULL.
                *kind = sqlparser::ast::CastKind::TryCast;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let span = self.span(span_of_expr(expr));
        if let [name] = parts.as_slice()
            && !relation
                .columns
                .iter()
                .any(|column| column.name == name.value)
            && let Some((_, aliased)) = aliases.iter().find(|(alias, _)| *alias == name.value)
        {
            *expr = aliased.clone();
            return Ok(());
        }
        match self.find(relation, &parts, span) {
            Ok(found) => *expr = reference_at(&relation.columns[found], span_of_expr(expr)),
            Err(error) => {
                let name = joined(&parts);
                if let Some(error) = self.leads_nowhere(relation, &parts, span) {
                    return Err(error);
                }
                if let Some(call) = self.subscripts(relation, &parts) {
                    *expr = call;
                    return Ok(());
                }
                let names = aliases.iter().map(|(alias, _)| alias.as_str());
                match place_of_name(names, &name) {
                    Some(place) => *expr = aliases[place].1.clone(),
                    None => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn function(function: &mut sqlparser::ast::Function) -> Result<()> {
        let [sqlparser::ast::ObjectNamePart::Identifier(name)] = function.name.0.as_mut_slice()
        else {
            return Err(
                Error::plan(format!("function `{}` does not exist", function.name))
                    .help("functions have plain names, without dots"),
            );
        };
        // Whether it exists was asked before the tables were opened.
        name.value = name.value.to_lowercase();
        Ok(())
    }

    /// A column of which no value has been seen is what its use wants.
    fn take_type_from_use(&mut self, table: usize, name: &str, numeric: bool) {
        let columns = &mut self.tables[table].columns;
        let column = columns
            .iter_mut()
            .find(|column| column.name == name && column.unshown);
        if let Some(column) = column.filter(|_| numeric) {
            column.data_type = DataType::Float64;
            column.unshown = false;
        }
    }

    /// True if a dotted name begins with a known column, so that it is a path into its values.
    fn is_inside(&self, relation: &Relation, parts: &[Ident]) -> bool {
        let parts = match parts {
            [qualifier, rest @ ..] if rest.len() > 1 && relation.is_qualifier(&qualifier.value) => {
                rest
            }
            parts => parts,
        };
        parts.len() > 1 && matches!(relation.find_bare(&parts[0].value), Ok(Some(_)))
    }

    /// Makes the metadata of records known that `exprs` name.
    pub(super) fn meet_metadata(&mut self, exprs: &[&Expr], relation: &mut Relation) {
        for (parts, _) in exprs.iter().flat_map(|expr| super::uses::column_uses(expr)) {
            self.meet_metadata_name(&parts, relation);
        }
    }

    /// The same for one name.
    pub(super) fn meet_metadata_name(&mut self, parts: &[Ident], relation: &mut Relation) {
        let (Some(metadata), Some(table)) = (relation.metadata(parts), relation.table) else {
            return;
        };
        let columns = &mut self.tables[table].columns;
        columns.push(TableColumn::hidden(metadata, self.zone));
        let column = RelationColumn {
            is_hidden: true,
            ..RelationColumn::plain(metadata.name())
        };
        relation.insert_behind_table(column);
    }

    /// Makes the columns known that `exprs` use and the sample of an open-ended table lacks.
    pub(super) fn meet_unseen(
        &mut self,
        exprs: &[&Expr],
        relation: &mut Relation,
        known: &[String],
    ) {
        let Some(table) = relation.table else {
            return;
        };
        self.meet_metadata(exprs, relation);
        for expr in exprs {
            for (parts, numeric) in super::uses::column_uses(expr) {
                let name = joined(&parts);
                let is_alias = known.iter().any(|alias| alias.eq_ignore_ascii_case(&name));
                if let Ok(found) = self.find(relation, &parts, None) {
                    self.take_type_from_use(table, &relation.columns[found].name, numeric);
                    continue;
                }
                // A path is typed like the name that it gets.
                if is_alias && parts.len() == 1 {
                    continue;
                }
                // An ambiguous name is an error later, not a new column.
                if relation.find_bare(&name).is_err() {
                    continue;
                }
                // In a file only what lies inside a known column can be new.
                let inside = self.tables[table].nested && self.is_inside(relation, &parts);
                if !self.tables[table].open_ended && !inside {
                    continue;
                }
                let parts = relation.unqualified(&parts);
                let name = joined(parts);
                let path = self.path_inside(table, relation, parts);
                if path.is_none() && inside {
                    continue;
                }
                let (source, known) = path.unwrap_or((ColumnSource::Field(name.clone()), None));
                let data_type = known.unwrap_or(match numeric {
                    true => DataType::Float64,
                    false => DataType::Utf8View,
                });
                relation.insert_behind_table(RelationColumn {
                    is_hidden: matches!(source, ColumnSource::Path(..)),
                    ..RelationColumn::plain(&name)
                });
                let expected = inside && !self.is_new_key(table, relation, parts);
                self.add_column(table, &name, data_type, source, expected);
            }
        }
    }
}

/// A column as DataFusion finds it without doubt.
pub(super) fn reference(column: &RelationColumn) -> Expr {
    reference_at(column, tokenizer::Span::empty())
}

/// A column that stands at `span` in the text.
fn reference_at(column: &RelationColumn, span: tokenizer::Span) -> Expr {
    let mut name = super::quoted(&column.name);
    name.span = span;
    if column.qualifier.is_empty() {
        return Expr::Identifier(name);
    }
    let mut qualifier = super::quoted(&column.qualifier);
    qualifier.span = span;
    Expr::CompoundIdentifier(vec![qualifier, name])
}

/// `a.b.c`
pub(super) fn joined(parts: &[Ident]) -> String {
    super::paths::spelt(parts)
}

/// What a name may have meant.
fn names(relation: &Relation) -> impl Iterator<Item = &str> {
    let metadata = Metadata::ALL.into_iter().map(|one| -> &str { one.name() });
    let metadata = metadata.filter(|_| relation.table.is_some());
    shown(relation).chain(metadata)
}

fn shown(relation: &Relation) -> impl Iterator<Item = &str> {
    let shown = relation.columns.iter().filter(|column| !column.is_hidden);
    shown.map(|column| column.name.as_str())
}

fn columns_note(relation: &Relation) -> String {
    const SHOWN: usize = 30;
    let names: Vec<&str> = shown(relation).collect();
    let more = match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!(", and {more} more"),
        _ => String::new(),
    };
    format!(
        "columns: {}{more}",
        names[..names.len().min(SHOWN)].join(", ")
    )
}
