//! Windows in GROUP BY become windows in FROM.
//!
//! ```text
//!  SELECT TUMBLE_START(ts, 1m), k FROM t GROUP BY TUMBLE(ts, 1m), k
//!  SELECT window_start AS "TUMBLE_START(ts, 1m)", k FROM TUMBLE(DATA => t, TIMECOL => ts, SIZE => …)
//!  GROUP BY window_start, window_end, k
//! ```

use sqlparser::ast::{Query, SetExpr};

use super::item_names::ItemNames;
use crate::error::Result;

/// Rewrites the SELECTs of a query, not those of its inner queries.
pub(super) fn rewrite_query(query: &mut Query, names: &ItemNames, text: &str) -> Result<()> {
    rewrite_body(&mut query.body, names, text)
}

fn rewrite_body(body: &mut SetExpr, names: &ItemNames, text: &str) -> Result<()> {
    match body {
        SetExpr::Select(select) => {
            names.give(select, text);
            Ok(())
        }
        SetExpr::SetOperation { left, right, .. } => {
            rewrite_body(left, names, text)?;
            rewrite_body(right, names, text)
        }
        _ => Ok(()),
    }
}
