"""chdb, which is ClickHouse in a process: typed columns, results written by INTO OUTFILE.

Sessions split the sorted array of each user: quicker there than window functions.
"""

import sys

STRUCTURE = (
    "ts DateTime64(3, \\'UTC\\'), host String, path String, status UInt16, bytes UInt64, "
    "latency_ms Float64, user String"
)

FORMATS = {"csv": "CSVWithNames", "ndjson": "JSONEachRow"}

QUERIES = {
    "A": """
        SELECT toStartOfMinute(ts) AS minute, status, count(), avg(latency_ms), max(latency_ms)
        FROM input GROUP BY minute, status""",
    "B": """
        SELECT toStartOfMinute(ts) AS minute, host, status, count(), sum(bytes)
        FROM input GROUP BY minute, host, status""",
    # Minutes first; each is then part of five windows.
    "C": """
        SELECT minute - INTERVAL arrayJoin([0, 1, 2, 3, 4]) MINUTE AS window, host, sum(n), sum(total) / sum(n)
        FROM (
            SELECT toStartOfMinute(ts) AS minute, host, count() AS n, sum(latency_ms) AS total
            FROM input GROUP BY minute, host)
        GROUP BY window, host""",
    "D": """
        SELECT user, part[1].1, part[-1].1 + INTERVAL 30 SECOND, length(part), arraySum(row -> row.2, part)
        FROM (
            SELECT user, arrayJoin(arraySplit(
                (row, gap) -> gap > 30000, rows,
                arrayDifference(arrayMap(row -> toUnixTimestamp64Milli(row.1), rows)))) AS part
            FROM (
                SELECT user, arraySort(row -> row.1, groupArray((ts, bytes))) AS rows
                FROM input GROUP BY user))""",
}


def main(words):
    import chdb

    if words == ["start"]:
        print(chdb.query("SELECT 1", "CSV"), end="")
        return
    query, form, data, threads, output = words
    source = f"file('{data}', '{FORMATS[form]}', '{STRUCTURE}')"
    sql = QUERIES[query].replace("FROM input", f"FROM {source}")
    chdb.query(
        f"{sql} INTO OUTFILE '{output}' TRUNCATE FORMAT CSV "
        f"SETTINGS max_threads = {threads}, date_time_input_format = 'best_effort'"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    from .peer import PythonPeer

    class Chdb(PythonPeer):
        name = "chdb"
        packages = ("chdb",)
        script = __file__
