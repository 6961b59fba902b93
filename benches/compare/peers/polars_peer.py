"""polars: lazy scans with a schema, the streaming engine, times parsed by a given format, results by sink_csv.

`polars-text` is the same without times: its minute is the first 16 letters of the text, parsed after grouping.
That is no window over time (nothing looks at the value), but it is quicker, so it is shown beside the other.
"""

import sys

FORMAT = "%Y-%m-%dT%H:%M:%S%.3f"


def frame(pl, form, data):
    columns = {
        "ts": pl.String,
        "host": pl.String,
        "path": pl.String,
        "status": pl.Int64,
        "bytes": pl.Int64,
        "latency_ms": pl.Float64,
        "user": pl.String,
    }
    if form == "csv":
        return pl.scan_csv(data, schema=columns)
    return pl.scan_ndjson(data, schema=columns)


def answer(pl, query, rows, is_text):
    if is_text:
        minute = pl.col("ts").str.head(16).alias("minute")
        window = pl.col("minute").str.to_datetime("%Y-%m-%dT%H:%M", time_unit="ms")
    else:
        rows = rows.with_columns(pl.col("ts").str.to_datetime(FORMAT, time_unit="ms"))
        minute = (pl.col("ts").dt.epoch("ms") // 60_000).alias("minute")
        window = (pl.col("minute") * 60_000).cast(pl.Datetime("ms"))
    count = pl.len().alias("requests")
    if query == "A":
        values = (count, pl.mean("latency_ms").alias("average"), pl.max("latency_ms").alias("highest"))
        found = rows.group_by(minute, "status").agg(*values)
        return found.select(window, "status", "requests", "average", "highest")
    if query == "B":
        found = rows.group_by(minute, "host", "status").agg(count, pl.sum("bytes"))
        return found.select(window, "host", "status", "requests", "bytes")
    if query == "C":
        # Minutes first; each is then part of five windows.
        minutes = rows.group_by(minute, "host").agg(count, pl.sum("latency_ms").alias("total"))
        windows = minutes.with_columns(minute=pl.concat_list([pl.col("minute") - before for before in range(5)]))
        found = windows.explode("minute").group_by("minute", "host").agg(pl.sum("requests"), pl.sum("total"))
        return found.select(window, "host", "requests", pl.col("total") / pl.col("requests"))
    gap = pl.duration(seconds=30)
    fresh = (pl.col("ts") - pl.col("ts").shift() > gap).fill_null(True)
    sessions = rows.select("user", "ts", "bytes").sort("ts").with_columns(session=fresh.cum_sum().over("user"))
    values = (pl.min("ts").alias("first"), pl.max("ts").alias("last") + gap, count, pl.sum("bytes"))
    return sessions.group_by("user", "session").agg(*values).drop("session")


def main(words):
    import polars as pl

    if words == ["start"]:
        print(pl.select(pl.lit(1)).item())
        return
    is_text = words[0] == "text"
    query, form, data, _, output = words[1:] if is_text else words
    found = answer(pl, query, frame(pl, form, data), is_text)
    found.sink_csv(output, include_header=False, engine="streaming")


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    from .peer import Job, PythonPeer

    class Polars(PythonPeer):
        name = "polars"
        packages = ("polars",)
        script = __file__
        variables = ("POLARS_MAX_THREADS",)

    class PolarsText(Polars):
        name = "polars-text"
        kind = "aside"
        queries = "AB"

        def job(self, tools, query, form, data, threads, output):
            job = super().job(tools, query, form, data, threads, output)
            python, script, *words = job.command
            return Job([python, script, "text", *words], job.environment)
