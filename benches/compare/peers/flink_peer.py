"""Flink: one process with a local cluster of as many slots as threads, window functions over a bounded file.

It streams, with a watermark of 5 s and reused objects, as tumble does. The process of Python that starts the
one of Java waits for it, so both count.
"""

import os
import shutil
import sys

COLUMNS = "`host` STRING, `path` STRING, `status` INT, `bytes` BIGINT, `latency_ms` DOUBLE, `user` STRING"

# Flink's csv reads times only with a blank in the middle, and cannot skip a header.
FORMATS = {
    "csv": (
        "`text` STRING, " + COLUMNS + ", `ts` AS TO_TIMESTAMP(`text`, 'yyyy-MM-dd''T''HH:mm:ss.SSS')",
        "'format' = 'csv'",
    ),
    "ndjson": (
        "`ts` TIMESTAMP(3), " + COLUMNS,
        "'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601'",
    ),
}

TUMBLE = "TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' MINUTE)"
HOP = "HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTES)"
SESSION = "SESSION(TABLE events PARTITION BY `user`, DESCRIPTOR(ts), INTERVAL '30' SECONDS)"

# (columns of the result, query)
QUERIES = {
    "A": (
        "w TIMESTAMP(3), s INT, n BIGINT, a DOUBLE, m DOUBLE",
        "SELECT window_start, `status`, count(*), avg(latency_ms), max(latency_ms) "
        f"FROM {TUMBLE} GROUP BY window_start, window_end, `status`",
    ),
    "B": (
        "w TIMESTAMP(3), h STRING, s INT, n BIGINT, t BIGINT",
        "SELECT window_start, `host`, `status`, count(*), sum(`bytes`) "
        f"FROM {TUMBLE} GROUP BY window_start, window_end, `host`, `status`",
    ),
    "C": (
        "w TIMESTAMP(3), h STRING, n BIGINT, a DOUBLE",
        "SELECT window_start, `host`, count(*), avg(latency_ms) "
        f"FROM {HOP} GROUP BY window_start, window_end, `host`",
    ),
    "D": (
        "u STRING, w TIMESTAMP(3), e TIMESTAMP(3), n BIGINT, t BIGINT",
        "SELECT `user`, window_start, window_end, count(*), sum(`bytes`) "
        f"FROM {SESSION} GROUP BY window_start, window_end, `user`",
    ),
}


def main(words):
    from pyflink.java_gateway import get_gateway
    from pyflink.table import EnvironmentSettings, TableEnvironment

    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    if words == ["start"]:
        table.execute_sql("SELECT 1").print()
    else:
        insert(table, *words)
    get_gateway().shutdown()
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def insert(table, query, form, data, threads, output):
    settings = {
        "parallelism.default": threads,
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
    }
    for name, value in settings.items():
        table.get_config().set(name, value)
    columns, options = FORMATS[form]
    result, sql = QUERIES[query]
    table.execute_sql(
        f"CREATE TABLE events ({columns}, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) "
        f"WITH ('connector' = 'filesystem', 'path' = '{data}', {options})"
    )
    table.execute_sql(
        f"CREATE TABLE results ({result}) "
        f"WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv')"
    )
    table.execute_sql(f"INSERT INTO results {sql}").wait()


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    from .peer import PythonPeer

    def without_header(path):
        """A copy of the file without its first line, made once and not measured."""
        copy = path.removesuffix(".csv") + "-without-header.csv"
        if not os.path.exists(copy):
            with open(path, "rb") as whole, open(copy + ".part", "wb") as rest:
                whole.readline()
                shutil.copyfileobj(whole, rest, 1 << 20)
            os.rename(copy + ".part", copy)
        return copy

    class Flink(PythonPeer):
        name = "Flink"
        kind = "stream"
        environment = "flink"
        packages = ("apache-flink",)
        script = __file__

        def missing(self, tools):
            if not shutil.which("java"):
                return "Java 17: apt-get install openjdk-17-jre-headless"
            return super().missing(tools)

        def job(self, tools, query, form, data, threads, output):
            data = without_header(data) if form == "csv" else data
            return super().job(tools, query, form, data, threads, output)

        def environment_for(self, threads):
            return {"JAVA_TOOL_OPTIONS": f"-XX:ActiveProcessorCount={threads}"}
