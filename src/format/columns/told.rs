//! What is told of a value that does not fit: what is wrong with it, and what would take it.
//!
//! ```text
//!   column `n`: "12x" is no BIGINT                                   --types n=STRING
//!   column `day`: "01.10.2026 10:42" is no time that can be read     --ts-format '%d.%m.%Y %H:%M'
//! ```
//!
//! Invariant: it depends on the value and the plan of its column alone.

use super::column_writer::ColumnPlan;
use super::number_text;
use super::rows::{RowMisfit, RowPlan};
use super::value_parsers::Misfit;
use crate::data::type_name;
use crate::format::Reject;
use crate::time::formats_of;

impl RowMisfit {
    /// What is told of it in a record of that number, on that line.
    pub(in crate::format) fn told(
        &self,
        plan: &RowPlan,
        (record, line): (u32, u64),
        text: &[u8],
    ) -> Reject {
        let (reason, help) = plan.columns[self.column].explain(self.misfit, &self.shown);
        Reject {
            record,
            line,
            reason,
            help: Some(help),
            text: text.to_vec(),
        }
    }
}

impl ColumnPlan {
    /// What to tell about a value, given as the message shows it, and what to do about it.
    fn explain(&self, misfit: Misfit, shown: &str) -> (String, String) {
        let source = &self.source;
        let name = type_name(&self.data_type);
        match misfit {
            Misfit::Inexact => {
                let fits = shown.trim_matches('"').parse::<i64>().is_ok();
                let wider = if fits { "BIGINT" } else { "STRING" };
                (
                    format!("column `{source}`: DOUBLE would round {shown}"),
                    format!("--types {source}={wider}"),
                )
            }
            Misfit::Unnamed => (
                format!("column `{source}`: {name} does not name all keys of {shown}"),
                format!("--types {source}=STRING"),
            ),
            Misfit::Untimed => (
                match &self.time_format {
                    Some(format) => {
                        format!("column `{source}`: {shown} is not written as '{format}'")
                    }
                    None => format!("column `{source}`: {shown} is no time that can be read"),
                },
                match formats_of(shown.trim_matches('"')).join("' or '") {
                    none if none.is_empty() => String::from("--ts-format says how it is written"),
                    formats => format!("--ts-format '{formats}'"),
                },
            ),
            Misfit::Type => {
                let wider = if self.data_type.is_integer()
                    && number_text::double(shown.trim_matches('"').as_bytes()).is_some()
                {
                    "DOUBLE"
                } else {
                    "STRING"
                };
                (
                    format!("column `{source}`: {shown} is no {name}"),
                    format!("--types {source}={wider}"),
                )
            }
        }
    }
}
