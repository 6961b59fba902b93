"""DataFusion: tables with a schema of string views, one partition for a thread, results written as CSV."""

import sys

QUERIES = {
    "A": """
        SELECT date_trunc('minute', ts), status, count(*), avg(latency_ms), max(latency_ms)
        FROM input GROUP BY 1, 2""",
    "B": """
        SELECT date_trunc('minute', ts), host, status, count(*), sum(bytes) FROM input GROUP BY 1, 2, 3""",
    # Minutes first; each is then part of five windows.
    "C": """
        SELECT start, host, sum(n), sum(total) / sum(n) FROM (
            SELECT unnest(make_array(
                minute, minute - INTERVAL '1 minute', minute - INTERVAL '2 minutes',
                minute - INTERVAL '3 minutes', minute - INTERVAL '4 minutes')) AS start, host, n, total
            FROM (
                SELECT date_trunc('minute', ts) AS minute, host, count(*) AS n, sum(latency_ms) AS total
                FROM input GROUP BY 1, 2))
        GROUP BY 1, 2""",
    "D": """
        SELECT "user", min(ts), max(ts) + INTERVAL '30 seconds', count(*), sum(bytes) FROM (
            SELECT *, sum(fresh) OVER (
                PARTITION BY "user" ORDER BY ts ROWS UNBOUNDED PRECEDING) AS session FROM (
                SELECT "user", ts, bytes, CASE
                    WHEN ts - lag(ts) OVER (PARTITION BY "user" ORDER BY ts) <= INTERVAL '30 seconds' THEN 0
                    ELSE 1 END AS fresh
                FROM input))
        GROUP BY "user", session""",
}


def main(words):
    import pyarrow as pa
    from datafusion import SessionConfig, SessionContext

    if words == ["start"]:
        print(SessionContext().sql("SELECT 1").collect()[0].column(0)[0])
        return
    query, form, data, threads, output = words
    context = SessionContext(SessionConfig().with_target_partitions(int(threads)))
    columns = pa.schema(
        [
            ("ts", pa.timestamp("ms")),
            ("host", pa.string_view()),
            ("path", pa.string_view()),
            ("status", pa.int16()),
            ("bytes", pa.int64()),
            ("latency_ms", pa.float64()),
            ("user", pa.string_view()),
        ]
    )
    if form == "csv":
        context.register_csv("input", data, schema=columns, has_header=True)
    else:
        context.register_json("input", data, schema=columns, file_extension=".ndjson")
    context.sql(QUERIES[query]).write_csv(output)


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    from .peer import PythonPeer

    class DataFusion(PythonPeer):
        name = "DataFusion"
        # pyarrow describes the schema.
        packages = ("datafusion", "pyarrow")
        script = __file__
        variables = ("TOKIO_WORKER_THREADS",)
