"""The four queries: what they ask, what their results hold, and how tumble is asked.

Every peer writes its rows in the order of `columns`, in any order of rows.
The first `keys` columns identify a row; the others are compared by their kind.
"""

from dataclasses import dataclass

# The columns of `tumble generate access-log`, in the order of the CSV file.
COLUMNS = ("ts", "host", "path", "status", "bytes", "latency_ms", "user")

FORMATS = ("csv", "ndjson")


@dataclass(frozen=True)
class Query:
    """A query of the comparison."""

    name: str
    title: str
    # (name, kind): kinds are time, text, integer, double.
    columns: tuple
    keys: int
    # What of the input it needs.
    reads: tuple
    sql: str


A = Query(
    "A",
    "TUMBLE 1 min by status: count, avg, max",
    (
        ("window_start", "time"),
        ("status", "integer"),
        ("requests", "integer"),
        ("average", "double"),
        ("highest", "double"),
    ),
    2,
    ("ts", "status", "latency_ms"),
    "SELECT window_start, status, count(*) AS requests, avg(latency_ms) AS average, max(latency_ms) AS highest "
    "FROM TUMBLE(input, ts, '1 minute') GROUP BY window_start, status",
)

B = Query(
    "B",
    "TUMBLE 1 min by host, status: count, sum",
    (
        ("window_start", "time"),
        ("host", "text"),
        ("status", "integer"),
        ("requests", "integer"),
        ("bytes", "integer"),
    ),
    3,
    ("ts", "host", "status", "bytes"),
    "SELECT window_start, host, status, count(*) AS requests, sum(bytes) AS bytes "
    "FROM TUMBLE(input, ts, '1 minute') GROUP BY window_start, host, status",
)

C = Query(
    "C",
    "HOP 5 min / 1 min by host: count, avg",
    (
        ("window_start", "time"),
        ("host", "text"),
        ("requests", "integer"),
        ("average", "double"),
    ),
    2,
    ("ts", "host", "latency_ms"),
    "SELECT window_start, host, count(*) AS requests, avg(latency_ms) AS average "
    "FROM HOP(input, ts, '1 minute', '5 minutes') GROUP BY window_start, host",
)

D = Query(
    "D",
    "SESSION 30 s by user: count, sum",
    (
        ("user", "text"),
        ("window_start", "time"),
        ("window_end", "time"),
        ("requests", "integer"),
        ("bytes", "integer"),
    ),
    2,
    ("ts", "bytes", "user"),
    "SELECT user, window_start, window_end, count(*) AS requests, sum(bytes) AS bytes "
    "FROM SESSION(TABLE input PARTITION BY user, DESCRIPTOR(ts), INTERVAL '30' SECONDS) "
    "GROUP BY user, window_start, window_end",
)

QUERIES = {query.name: query for query in (A, B, C, D)}
