//! `EXPLAIN ANALYZE`: runs a query, drops its rows, and shows what each operator did.
//!
//! ```text
//! Project window_start, count(*)
//! │ did: 10 rows in, 10 out, 41us
//! └─ WindowAggregate TUMBLE 1m on ts: count(*)
//!    │ did: 600,000 rows in, 10 out, 12 late, 21.4ms, at most 3 KiB
//! ```
//!
//! Invariant: what is counted and left out is what the query itself would count and leave out.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{Host, ResultInfo, ResultSink, Session};
use crate::data::print::number::thousands;
use crate::error::Result;
use crate::exec::meter::Meters;
use crate::plan::{self, StreamQuery};
use crate::runtime::RowWriter;
use crate::sql::QueryStatement;
use crate::time::{self, Zone};

/// A query that is being measured.
pub(super) struct Analyzed {
    query: StreamQuery,
    zone: Zone,
    meters: Arc<Meters>,
}

impl Analyzed {
    /// The plan with what its operators have done so far.
    pub(super) fn tree(&self) -> String {
        plan::explain_measured(&self.query, self.zone, &self.meters)
    }
}

impl Session {
    /// Runs a query for what its operators do.
    pub(super) fn analyze(
        &mut self,
        statement: &QueryStatement,
        host: &mut dyn Host,
    ) -> Result<()> {
        let planned = self.plan(&statement.query, host)?;
        let mut queries = vec![self.announced(planned, host)];
        let sources = plan::share(&mut queries)?;
        let mut graph = plan::lower(&queries)?;
        let analyzed = Analyzed {
            query: StreamQuery {
                sources: sources.clone(),
                ..queries[0].clone()
            },
            zone: self.options.zone,
            meters: graph.meter(time::elapsed),
        };
        let (began, before) = (time::elapsed(), self.summary.rows_out);
        let nowhere: Vec<Box<dyn ResultSink>> = vec![Box::new(Nowhere)];
        self.run(&queries, &sources, graph, nowhere, Some(&analyzed), host)?;
        let seconds = time::elapsed().saturating_sub(began).as_secs_f64();
        let read: u64 = self.summary.records_of_sources.iter().sum();
        let text = format!(
            "{}ran for {seconds:.3}s: {} rows read, {} rows out\n",
            analyzed.tree(),
            thousands(read),
            thousands(self.summary.rows_out - before),
        );
        host.text(text.as_bytes())
    }
}

/// Where rows go that nobody wants.
struct Nowhere;

impl ResultSink for Nowhere {
    fn begin(&mut self, _schema: &SchemaRef, _info: &ResultInfo) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, _rows: &RecordBatch) -> Result<()> {
        Ok(())
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        None
    }

    fn text(&mut self, _text: &[u8]) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}
