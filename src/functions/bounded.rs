//! `lpad`, `rpad` and `repeat` as DataFusion's, but that no value makes a text of gigabytes.
//!
//! ```text
//!   repeat('ab', 1000000000)     NULL, and counted: 2,000,000,000 bytes are over the limit
//! ```
//!
//! Invariant: a text that is made has at most [`MOST_BYTES`] bytes for each byte of a character that fills it.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute;
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::{Result, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};

use super::theirs::as_theirs;

/// As long as a record may be by default.
const MOST_BYTES: i64 = 16 << 20;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    theirs: Arc<ScalarUDF>,
    /// The length is that of the first argument, so often; else it is so many characters.
    is_times: bool,
}

/// The functions.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let lengths = [
        (datafusion_functions::unicode::lpad(), false),
        (datafusion_functions::unicode::rpad(), false),
        (datafusion_functions::string::repeat(), true),
    ];
    let bounded = lengths.map(|(theirs, is_times)| Bounded { theirs, is_times });
    bounded.map(|one| Arc::new(ScalarUDF::from(one))).into()
}

impl Bounded {
    /// Fails if a row asks for too long a text.
    fn check(&self, args: &ScalarFunctionArgs) -> Result<()> {
        let [text, count, ..] = args.args.as_slice() else {
            return Ok(());
        };
        let count = count.to_array(args.number_rows)?;
        let count = compute::cast(&count, &DataType::Int64)?;
        let lengths = match self.is_times {
            true => Some(compute::cast(
                &compute::kernels::length::length(&text.to_array(args.number_rows)?)?,
                &DataType::Int64,
            )?),
            false => None,
        };
        let lengths = lengths
            .as_ref()
            .map(|lengths| lengths.as_primitive::<Int64Type>());
        let counts = count.as_primitive::<Int64Type>();
        for row in 0..counts.len() {
            let one = lengths.map_or(1, |lengths| lengths.value(row).max(1));
            if counts.is_valid(row) && counts.value(row).saturating_mul(one) > MOST_BYTES {
                return exec_err!("a text of more than {MOST_BYTES} bytes");
            }
        }
        Ok(())
    }
}

impl ScalarUDFImpl for Bounded {
    as_theirs!();

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&args)?;
        self.theirs.invoke_with_args(args)
    }
}
