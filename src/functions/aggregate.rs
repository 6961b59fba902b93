//! An aggregate function of ours as DataFusion's planner sees it: a name, what types it takes, what it gives.
//!
//! It only plans. The states that compute it are in `exec::aggregate`, chosen by the name.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Result, internal_err};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

/// The types that the arguments are cast to; an error if they cannot be.
pub(super) type Coerce = fn(name: &str, types: &[DataType]) -> Result<Vec<DataType>>;
/// The type of the result, from coerced types.
pub(super) type ResultType = fn(types: &[DataType]) -> Result<DataType>;

/// An aggregate function of ours.
#[derive(Debug)]
pub(super) struct Aggregate {
    name: &'static str,
    aliases: Vec<String>,
    signature: Signature,
    coerce: Coerce,
    result: ResultType,
    within_group: bool,
    empty: Empty,
    inner: Option<Arc<AggregateUDF>>,
}

/// The value over no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    Null,
    Zero,
}

impl Aggregate {
    /// A function with one name that is NULL over no rows.
    pub(super) fn new(name: &'static str, coerce: Coerce, result: ResultType) -> Self {
        Aggregate {
            name,
            aliases: Vec::new(),
            signature: Signature::user_defined(Volatility::Immutable),
            coerce,
            result,
            within_group: false,
            empty: Empty::Null,
            inner: None,
        }
    }

    /// Further names.
    pub(super) fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.to_owned());
        self
    }

    /// Can be written `f(q) WITHIN GROUP (ORDER BY x)`, which means `f(x, q)`.
    pub(super) fn within_group(mut self) -> Self {
        self.within_group = true;
        self
    }

    /// Counts: 0 over no rows.
    pub(super) fn counts(mut self) -> Self {
        self.empty = Empty::Zero;
        self
    }

    /// Runs on another function's accumulator over the rows in order.
    pub(super) fn runs_on(mut self, inner: Arc<AggregateUDF>) -> Self {
        self.inner = Some(inner);
        self
    }

    /// As DataFusion takes it.
    pub(super) fn function(self) -> Arc<AggregateUDF> {
        Arc::new(AggregateUDF::from(self))
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Aggregate {}

impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.coerce)(self.name, types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.result)(types)
    }

    fn is_nullable(&self) -> bool {
        self.empty == Empty::Null
    }

    /// Not reached for functions of ours: `exec::aggregate::create` has an arm for each of them, and a test
    /// that creates them all. Only those that run on another function's accumulator come here.
    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match &self.inner {
            Some(inner) => inner.accumulator(args),
            None => internal_err!("{} has no accumulator", self.name),
        }
    }

    fn supports_within_group_clause(&self) -> bool {
        self.within_group
    }

    fn default_value(&self, data_type: &DataType) -> Result<datafusion_common::ScalarValue> {
        match self.empty {
            Empty::Null => datafusion_common::ScalarValue::try_from(data_type),
            Empty::Zero => datafusion_common::ScalarValue::new_zero(data_type),
        }
    }
}
