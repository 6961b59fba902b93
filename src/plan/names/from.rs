//! FROM: tables, views, common table expressions, subqueries and window calls become relations.

use arrow::datatypes::{DataType, TimeUnit};
use sqlparser::ast::{self, Expr, Ident, TableFactor};

use super::columns::{Bound, Relation, RelationColumn, reference};
use super::{ResolvedWindow, Resolver, WINDOW_QUALIFIER, WINDOW_RELATION, quoted};
use crate::catalog::{TIME_NAMES, candidates_text, place_of_name};
use crate::error::{Error, Result, Span};
use crate::sql::{self, WindowArguments, WindowCall};

const JOINED_IN_A_TABLE: &str = "two columns become one in CREATE TABLE: ts AS to_timestamp(date || ' ' || time, '%d.%m.%Y %H:%M:%S')";
const JOINED_IN_A_SUBQUERY: &str =
    "the time that `date` and `time` of a file are together is `ts`, no part of `*`: SELECT *, ts";

impl Resolver<'_> {
    /// Resolves the relations of FROM in place; nothing offers no columns.
    pub(super) fn from(&mut self, from: &mut [ast::TableWithJoins]) -> Result<Relation> {
        match from {
            [] => Ok(Relation::new("a query without FROM", Vec::new())),
            [one] if one.joins.is_empty() => self.factor(&mut one.relation),
            _ => Err(Error::unsupported("joins are not built yet").help(
                "what works now: one relation in FROM, UNION ALL, FILTER (WHERE …) to set \
                 several aggregates side by side",
            )),
        }
    }

    fn factor(&mut self, factor: &mut TableFactor) -> Result<Relation> {
        if let Some(call) = sql::window_call(factor)? {
            return self.window(factor, call);
        }
        match factor {
            TableFactor::Table { name, .. } => {
                let [ast::ObjectNamePart::Identifier(name)] = name.0.as_slice() else {
                    return Err(Error::plan(format!("table `{name}` does not exist"))
                        .at_least(self.span(ast::Spanned::span(name)))
                        .help(format!("a path stands in single quotes: FROM '{name}'")));
                };
                let name = name.clone();
                self.table(factor, &name)
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let mut columns = self.query(subquery)?;
                let name = match alias {
                    Some(alias) => {
                        self.rename(&mut columns, &alias.columns, &alias.name)?;
                        alias.name.quote_style = Some('"');
                        for column in &mut alias.columns {
                            column.name.quote_style = Some('"');
                        }
                        alias.name.value.clone()
                    }
                    None => {
                        let name = String::from("subquery");
                        *alias = Some(plain_alias(&name));
                        name
                    }
                };
                qualify(&mut columns, &name);
                Ok(Relation::new(&name, columns))
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } if table_with_joins.joins.is_empty() => {
                let mut inner = table_with_joins.relation.clone();
                let relation = self.factor(&mut inner)?;
                *factor = inner;
                Ok(relation)
            }
            other => Err(Error::unsupported(format!("`{other}` cannot be read"))
                .help("FROM takes a table, a quoted path, a subquery or a window of one of them")),
        }
    }

    /// A name in FROM: a common table expression, a view or a table.
    fn table(&mut self, factor: &mut TableFactor, name: &Ident) -> Result<Relation> {
        let TableFactor::Table { alias, .. } = factor else {
            return Err(Error::internal("a table that is none"));
        };
        let mut alias = alias.take();
        let known = (self.scopes.iter().rev())
            .find_map(|scope| lookup_scope(scope, &name.value))
            .map(|(name, columns)| (name.clone(), columns.clone()));
        let mut relation = if let Some((exact, columns)) = known {
            let mut relation = Relation::new(&exact, columns);
            *factor = table_factor(quoted(&exact));
            relation.name = name.value.clone();
            relation
        } else if let Some(view) = self.catalog.view(&name.value).cloned() {
            let mut query = view.query.clone();
            super::paths::spell_out(&mut query)?;
            let mut columns = self.query(&mut query)?;
            let names: Vec<ast::TableAliasColumnDef> = (view.columns.iter())
                .map(|column| ast::TableAliasColumnDef::from_name(column.value.clone()))
                .collect();
            self.rename(&mut columns, &names, name)?;
            let view_alias = ast::TableAlias {
                columns: names,
                ..plain_alias(&name.value)
            };
            alias = alias.or(Some(view_alias));
            *factor = TableFactor::Derived {
                lateral: false,
                subquery: Box::new(query),
                alias: None,
                sample: None,
            };
            Relation::new(&name.value, columns)
        } else {
            self.base_table(factor, name)?
        };
        let mut alias = alias.unwrap_or_else(|| plain_alias(&name.value));
        self.rename(&mut relation.columns, &alias.columns, &alias.name)?;
        if !alias.columns.is_empty() {
            relation.table = None;
        }
        alias.name.quote_style = Some('"');
        for column in &mut alias.columns {
            column.name.quote_style = Some('"');
        }
        relation.name = alias.name.value.clone();
        qualify(&mut relation.columns, &relation.name);
        match factor {
            TableFactor::Table { alias: place, .. } | TableFactor::Derived { alias: place, .. } => {
                *place = Some(alias);
            }
            _ => {}
        }
        Ok(relation)
    }

    fn base_table(&mut self, factor: &mut TableFactor, name: &Ident) -> Result<Relation> {
        let Some(table) = self.catalog.table_of(name).cloned() else {
            let names = self.catalog.names();
            let error = Error::plan(format!("table `{}` does not exist", name.value))
                .at_least(self.span(name.span));
            if name.value.contains(['.', '/', '*']) {
                let quoted = format!("a path stands in single quotes: FROM '{}'", name.value);
                return Err(error.help(quoted));
            }
            let names = names.into_iter().chain(["stdin", "input"]);
            return Err(error.suggest(&name.value, names).help(
                "the FILE arguments and standard input are `stdin`; a path is read by quoting it: \
                 FROM 'app.log'; CREATE TABLE names one",
            ));
        };
        let number = match self
            .tables
            .iter()
            .position(|known| known.name == table.name)
        {
            Some(number) => number,
            None => {
                self.tables.push((*table).clone());
                self.tables.len() - 1
            }
        };
        // Not the catalog's: columns that this query made known count.
        let table = &self.tables[number];
        let columns = table
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| RelationColumn {
                is_time: table.time.as_ref().is_some_and(|time| time.column == index),
                is_hidden: column.is_hidden(),
                ..RelationColumn::plain(&column.name)
            })
            .collect();
        let mut relation = Relation::new(&name.value, columns);
        relation.table = Some(number);
        relation.time_candidates = table.time_candidates.clone();
        *factor = table_factor(quoted(&table.name));
        Ok(relation)
    }

    /// A window call: its input is resolved, and a placeholder stands in FROM.
    fn window(&mut self, factor: &mut TableFactor, call: WindowCall) -> Result<Relation> {
        let mut input = call.input.clone();
        let mut relation = self.factor(&mut input)?;
        let counts = matches!(call.arguments, WindowArguments::Count { .. });
        let mut partition_by = call.partition_by.clone();
        let keys: Vec<&Expr> = partition_by.iter().collect();
        self.meet_unseen(&keys, &mut relation, &[]);
        for key in &mut partition_by {
            self.expression(key, &relation, &[])?;
        }
        let time = if counts {
            None
        } else {
            let time = self.time_column(&mut relation, &call)?;
            Some(reference(&relation.columns[time]))
        };
        if matches!(call.arguments, WindowArguments::Session { .. }) {
            relation.session_keys = Some(partition_by.len());
        }
        for column in &mut relation.columns {
            column.is_time = false;
            column.bound = None;
        }
        let bound = |name: &str, bound| RelationColumn {
            name: name.to_string(),
            qualifier: WINDOW_QUALIFIER.to_string(),
            bound: Some(bound),
            is_time: bound == Bound::Time,
            is_hidden: false,
        };
        relation.columns.push(bound("window_start", Bound::Start));
        relation.columns.push(bound("window_end", Bound::End));
        if !counts {
            relation.columns.push(bound("window_time", Bound::Time));
        }
        if let Some(alias) = &call.alias {
            relation.name = alias.name.value.clone();
            if !alias.columns.is_empty() {
                return Err(
                    Error::unsupported("a window call takes a name, but no column names")
                        .at_least(self.span(alias.name.span))
                        .help("name the columns in SELECT with AS"),
                );
            }
        }
        self.windows.push(ResolvedWindow {
            arguments: call.arguments,
            input,
            time,
            partition_by,
            span: call.span,
        });
        *factor = table_factor(quoted(&format!(
            "{WINDOW_RELATION}{}",
            self.windows.len() - 1
        )));
        Ok(relation)
    }

    /// The time column of a window call: the one it names, else the one that the relation has.
    fn time_column(&mut self, relation: &mut Relation, call: &WindowCall) -> Result<usize> {
        let parts = call.time_column.as_ref().map(time_parts);
        if let Some(parts) = &parts {
            self.meet_metadata_name(parts, relation);
        }
        if let Some(parts) = parts.as_ref().filter(|parts| parts.len() > 1) {
            let name = ast::Expr::CompoundIdentifier(parts.clone());
            self.meet_unseen(&[&name], relation, &[]);
        }
        self.meet_time(relation, call);
        if let (Some(name), Some(parts)) = (&call.time_column, parts) {
            let span = self.span(name.span).or(Some(call.span));
            let found = self.find(relation, &parts, span).map_err(|error| {
                let mut times = relation.columns.iter().filter(|column| column.is_time);
                match times.next() {
                    Some(time) => error.help(format!("the time column is `{}`", time.name)),
                    None => error,
                }
            })?;
            self.refuse_bound(relation, found, span)?;
            return Ok(found);
        }
        let mut times = relation
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.is_time);
        match (times.next(), times.next()) {
            (Some((index, _)), None) => Ok(index),
            (Some((_, first)), Some((_, second))) => Err(Error::plan(format!(
                "the window needs one time column, and `{}` has `{}` and `{}`",
                relation.name, first.name, second.name
            ))
            .at(call.span)
            .help(format!(
                "name one: TUMBLE({}, {}, …)",
                relation.name, first.name
            ))),
            (None, _) => {
                let candidates = candidates_text(&relation.time_candidates);
                let names: Vec<&str> = (relation.columns.iter()).map(|c| c.name.as_str()).collect();
                let error = Error::plan(format!(
                    "no time column in `{}`; {candidates}",
                    relation.name
                ));
                let error = error
                    .at(call.span)
                    .note(format!("columns: {}", names.join(", ")));
                let has = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
                let error = match (has("date") && has("time"), relation.table) {
                    (false, _) => error,
                    (true, Some(_)) => error.help(JOINED_IN_A_TABLE),
                    (true, None) => error.help(JOINED_IN_A_SUBQUERY),
                };
                Err(error
                    .help("name it: --ts COLUMN, or as the second argument of the window")
                    .help("for windows of the time at which rows are read: --ts _arrival"))
            }
        }
    }

    /// A time column that an open-ended table has not shown yet is one all the same; an empty input has
    /// shown none, and any name will do.
    fn meet_time(&mut self, relation: &mut Relation, call: &WindowCall) {
        let Some(table) = relation.table else {
            return;
        };
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        if let Some(name) = &call.time_column
            && let Ok(found) = self.find(relation, &time_parts(name), None)
        {
            let name = &relation.columns[found].name;
            let columns = &mut self.tables[table].columns;
            for column in columns.iter_mut().filter(|c| c.unshown && c.name == *name) {
                column.data_type = time.clone();
            }
        }
        if call.time_column.is_none() && !relation.columns.iter().any(|column| column.is_time) {
            // Without a row, a name is all that tells.
            let columns = &mut self.tables[table].columns;
            let named = TIME_NAMES.iter().find_map(|wanted| {
                columns
                    .iter()
                    .position(|c| c.unshown && c.name.eq_ignore_ascii_case(wanted))
            });
            if let Some(place) = named {
                columns[place].data_type = time.clone();
                relation.columns[place].is_time = true;
            }
        }
        if !self.tables[table].open_ended {
            return;
        }
        let name = match &call.time_column {
            Some(name) if self.find(relation, &time_parts(name), None).is_err() => {
                name.value.clone()
            }
            None if relation.columns.is_empty() => String::from("ts"),
            _ => return,
        };
        self.add_unseen(table, &name, time, relation.columns.is_empty());
        relation.columns.push(RelationColumn {
            qualifier: relation.name.clone(),
            is_time: true,
            ..RelationColumn::plain(&name)
        });
    }

    fn refuse_bound(&self, relation: &Relation, found: usize, span: Option<Span>) -> Result<()> {
        match relation.columns[found].bound {
            Some(Bound::Start | Bound::End) => Err(Error::plan(format!(
                "`{}` is no time attribute",
                relation.columns[found].name
            ))
            .at_least(span)
            .label("use `window_time`")
            .help("the time of a window's row is `window_time`, the last instant in the window")),
            _ => Ok(()),
        }
    }
}

/// The parts of the name of a time column: `meta.ts` is a path.
fn time_parts(name: &Ident) -> Vec<Ident> {
    if name.quote_style.is_some() {
        return vec![name.clone()];
    }
    let part = |value: &str| Ident {
        value: value.to_owned(),
        ..name.clone()
    };
    name.value.split('.').map(part).collect()
}

fn lookup_scope<'s>(
    scope: &'s std::collections::HashMap<String, Vec<RelationColumn>>,
    name: &str,
) -> Option<(&'s String, &'s Vec<RelationColumn>)> {
    let place = place_of_name(scope.keys().map(String::as_str), name)?;
    scope.iter().nth(place)
}

fn qualify(columns: &mut [RelationColumn], qualifier: &str) {
    for column in columns {
        column.qualifier = qualifier.to_string();
    }
}

fn plain_alias(name: &str) -> ast::TableAlias {
    ast::TableAlias {
        explicit: true,
        name: quoted(name),
        columns: Vec::new(),
        at: None,
    }
}

/// `FROM name`
pub(super) fn table_factor(name: Ident) -> TableFactor {
    TableFactor::Table {
        name: ast::ObjectName::from(vec![name]),
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// `SELECT * FROM name`
pub(in crate::plan) fn select_all(name: Ident) -> ast::Select {
    ast::Select {
        select_token: ast::helpers::attached_token::AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: vec![ast::SelectItem::Wildcard(
            ast::WildcardAdditionalOptions::default(),
        )],
        exclude: None,
        into: None,
        from: vec![ast::TableWithJoins {
            relation: table_factor(name),
            joins: Vec::new(),
        }],
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: ast::GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: ast::SelectFlavor::Standard,
    }
}

/// What to do where a bound of a window is named and there is no window.
pub(super) fn window_help(relation: &Relation, name: &str) -> Option<String> {
    let mut bounds = ["window_start", "window_end", "window_time"].into_iter();
    let is_bound = bounds.any(|bound| bound.eq_ignore_ascii_case(name));
    let has_window = relation.columns.iter().any(|column| column.bound.is_some());
    (is_bound && !has_window).then(|| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let name = match relation.name.bytes().all(is_plain) {
            true => relation.name.clone(),
            false => format!("'{}'", relation.name),
        };
        format!("a window makes it: FROM TUMBLE({name}, 1m) … GROUP BY window_start")
    })
}
