"""DuckDB: all columns typed, the time in milliseconds divided, no order kept, results written by COPY."""

import sys

COLUMNS = {
    "ts": "TIMESTAMP",
    "host": "VARCHAR",
    "path": "VARCHAR",
    "status": "SMALLINT",
    "bytes": "BIGINT",
    "latency_ms": "DOUBLE",
    "user": "VARCHAR",
}

MINUTE = "epoch_ms(ts) // 60000"

QUERIES = {
    "A": f"""
        SELECT make_timestamp_ms(60000 * minute), * EXCLUDE (minute) FROM (
            SELECT {MINUTE} AS minute, status, count(*), avg(latency_ms), max(latency_ms)
            FROM input GROUP BY ALL)""",
    "B": f"""
        SELECT make_timestamp_ms(60000 * minute), * EXCLUDE (minute) FROM (
            SELECT {MINUTE} AS minute, host, status, count(*), sum(bytes) FROM input GROUP BY ALL)""",
    # Minutes first; each is then part of five windows.
    "C": f"""
        SELECT make_timestamp_ms(60000 * (minute - before)), host, sum(n)::BIGINT, sum(total) / sum(n) FROM (
            SELECT minute, host, n, total, unnest([0, 1, 2, 3, 4]) AS before FROM (
                SELECT {MINUTE} AS minute, host, count(*) AS n, sum(latency_ms) AS total
                FROM input GROUP BY ALL))
        GROUP BY minute - before, host""",
    "D": """
        SELECT "user", min(ts), max(ts) + INTERVAL 30 SECOND, count(*), sum(bytes) FROM (
            SELECT *, sum(fresh::INTEGER) OVER (
                PARTITION BY "user" ORDER BY ts ROWS UNBOUNDED PRECEDING) AS session FROM (
                SELECT "user", ts, bytes, coalesce(
                    ts - lag(ts) OVER (PARTITION BY "user" ORDER BY ts) > INTERVAL 30 SECOND, true) AS fresh
                FROM input))
        GROUP BY "user", session""",
}


def source(form, data):
    if form == "csv":
        return f"read_csv('{data}', header = true, auto_detect = false, delim = ',', columns = {COLUMNS})"
    return f"read_ndjson('{data}', columns = {COLUMNS})"


def main(words):
    import duckdb

    connection = duckdb.connect()
    if words == ["start"]:
        print(connection.execute("SELECT 1").fetchone()[0])
        return
    query, form, data, threads, output = words
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET preserve_insertion_order = false")
    sql = QUERIES[query].replace("FROM input", f"FROM {source(form, data)}")
    connection.execute(f"COPY ({sql}) TO '{output}' (FORMAT csv, HEADER false)")


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    from .peer import PythonPeer

    class DuckDb(PythonPeer):
        name = "DuckDB"
        packages = ("duckdb",)
        script = __file__
