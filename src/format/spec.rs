//! What a decoder shall make of an input: the columns that the query reads, with types and spellings.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::time::{TimeFormat, Zone};

/// The longest record, if `--max-record` does not say.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 16 << 20;

/// The columns of a decoder.
#[derive(Debug, Clone)]
pub struct DecodeSpec {
    /// The columns that the query reads, in its order.
    pub columns: Vec<ReadColumn>,
    /// Columns whose values only have to fit: the others of the table under `--strict`, else none.
    pub checked: Vec<ReadColumn>,
    /// True if the columns are all that was guessed: records with other keys are told.
    pub tells_keys: bool,
    /// The zone of `--tz`: of texts that name none, and of the clock that an instant shows.
    pub zone: Zone,
}

impl DecodeSpec {
    /// The columns that a decoder makes.
    pub fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| {
            // Any field of a source may be missing.
            let field = column.field.as_ref().clone();
            field.with_name(&column.name).with_nullable(true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The same where paths have been followed: their spellings are left for messages.
    pub(in crate::format) fn without_paths(&self) -> DecodeSpec {
        let mut spec = self.clone();
        for column in spec.columns.iter_mut().chain(&mut spec.checked) {
            column.source = column.spelling();
            column.path.clear();
            column.inside.clear();
        }
        spec
    }

    /// The same for fields without keys of their own: all of a path lies inside of what is read.
    pub(in crate::format) fn steps_only(&self) -> DecodeSpec {
        let mut spec = self.clone();
        for column in spec.columns.iter_mut().chain(&mut spec.checked) {
            let keys = column.path.drain(..).map(PathStep::Key);
            column.inside = keys.chain(std::mem::take(&mut column.inside)).collect();
        }
        spec
    }
}

/// A column and where its values come from.
#[derive(Debug, Clone)]
pub struct ReadColumn {
    /// Its name in the query's schema.
    pub name: String,
    /// Its spelling in the source: a name of the header, a key.
    pub source: String,
    /// Keys below `source`, for a value inside nested objects; empty for all others.
    pub path: Vec<String>,
    /// Steps behind those keys, from the first that counts elements on.
    pub inside: Vec<PathStep>,
    /// Its type. Name and nullability do not matter.
    pub field: FieldRef,
    /// How its times are written, for a TIMESTAMP; `None` is `Auto`.
    pub time: Option<TimeFormat>,
    /// True for the time attribute that the query uses: an unreadable time is NULL there, not a reject.
    pub is_time_attribute: bool,
    /// True for a DOUBLE that was guessed from a pipe: an integer that it would round is a reject.
    pub exact_integers: bool,
    /// True for ROWs that were guessed: values with keys that they do not name are told.
    pub tells_keys: bool,
}

impl ReadColumn {
    /// A column of that name in query and source, without peculiarities.
    pub fn new(name: impl Into<String>, field: FieldRef) -> Self {
        let name = name.into();
        ReadColumn {
            source: name.clone(),
            name,
            path: Vec::new(),
            inside: Vec::new(),
            field,
            time: None,
            is_time_attribute: false,
            exact_integers: false,
            tells_keys: false,
        }
    }

    /// The spelling in the source with the path below it, `a.b.c`.
    pub fn spelling(&self) -> String {
        let keys = std::iter::once(&self.source).chain(&self.path);
        let mut spelling = keys.map(String::as_str).collect::<Vec<_>>().join(".");
        for step in &self.inside {
            step.spell(&mut spelling);
        }
        spelling
    }

    /// Reads what `steps` lead to inside the value of this column.
    pub fn step_inside(&mut self, steps: &[PathStep]) {
        for step in steps {
            match step {
                PathStep::Key(key) if self.inside.is_empty() => self.path.push(key.clone()),
                step => self.inside.push(step.clone()),
            }
        }
    }
}

/// A step into a nested value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// To the value of a key.
    Key(String),
    /// To the element of that number, from 1.
    Element(u64),
}

impl PathStep {
    /// Puts the step behind the spelling of what it is taken in.
    pub fn spell(&self, spelling: &mut String) {
        match self {
            PathStep::Key(key) => spelling.extend([".", key]),
            PathStep::Element(number) => spelling.push_str(&format!("[{number}]")),
        }
    }
}
