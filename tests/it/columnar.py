# Compares Parquet and Arrow files of tumble with what pyarrow and DuckDB read in them, and writes files for tumble.
#
#   columnar.py read FOLDER           all.parquet, all.arrow, all.arrows, list.parquet of tumble hold the expected values
#   columnar.py write FOLDER          peer-*.parquet, peer-*.arrow, peer-*.arrows with the same values and more
import datetime as dt
import decimal
import sys

import duckdb
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

UTC = dt.timezone.utc
D = decimal.Decimal

# Of each column of tumble's file: its name, its type here, and its values.
ALL = [
    ("bo", pa.bool_(), [True, None, False]),
    ("i8", pa.int8(), [-128, None, 127]),
    ("i16", pa.int16(), [-32768, None, 32767]),
    ("i32", pa.int32(), [-2147483648, None, 2147483647]),
    ("i64", pa.int64(), [-9223372036854775808, None, 9223372036854775807]),
    ("u8", pa.uint8(), [0, None, 255]),
    ("u16", pa.uint16(), [0, None, 65535]),
    ("u32", pa.uint32(), [0, None, 4294967295]),
    ("u64", pa.uint64(), [0, None, 18446744073709551615]),
    ("f", pa.float32(), [0.5, None, -1.25]),
    ("d", pa.float64(), [0.1, None, 1e300]),
    ("de", pa.decimal128(20, 4), [D("12345.6789"), None, D("-0.0001")]),
    ("de38", pa.decimal128(38, 2), [D("123456789012345678901234567890123456.78"), None, D("0.00")]),
    ("s", pa.string(), ['say "hi", ü', None, ""]),
    ("by", pa.binary(), [b"ab", None, b""]),
    ("da", pa.date32(), [dt.date(2026, 1, 1), None, dt.date(1960, 2, 29)]),
    ("ti", pa.time64("us"), [dt.time(1, 2, 3, 456789), None, dt.time(0)]),
    ("t3", pa.timestamp("ms"), [dt.datetime(2026, 1, 1, 12, 0, 0, 5000), None, dt.datetime(1960, 1, 1, 0, 0, 0, 1000)]),
    ("t6", pa.timestamp("us"), [dt.datetime(2026, 1, 1, 12, 0, 0, 5), None, dt.datetime(1960, 1, 1, 0, 0, 0, 1)]),
    ("z6", pa.timestamp("us", "UTC"), [dt.datetime(2026, 1, 1, 11, 0, 0, 5, UTC), None, dt.datetime(1960, 1, 1, tzinfo=UTC)]),
]
NANOSECONDS = [1767268800000000007, None, -315619199999999999]
LIST = [[1, None, 3], None, [-1]]


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what}:\n  found    {found!r}\n  expected {expected!r}")


def check_table(file, table):
    for name, data_type, values in ALL:
        expect(f"{file}: type of {name}", table.schema.field(name).type, data_type)
        expect(f"{file}: {name}", table[name].to_pylist(), values)
    expect(f"{file}: t9", table["t9"].cast(pa.int64()).to_pylist(), NANOSECONDS)


def read(folder):
    check_table("all.parquet", pq.read_table(f"{folder}/all.parquet"))
    with ipc.open_file(f"{folder}/all.arrow") as file:
        check_table("all.arrow", file.read_all())
    with ipc.open_stream(f"{folder}/all.arrows") as stream:
        table = stream.read_all()
    check_table("all.arrows", table)
    duck = duckdb.connect()
    duck.execute("SET TimeZone = 'UTC'")
    for source in [f"read_parquet('{folder}/all.parquet')", "table_of_arrow"]:
        table_of_arrow = table  # Found by its name.
        for name, _, values in ALL:
            found = duck.execute(f'SELECT "{name}" FROM {source}').fetchall()
            if name == "z6":
                found = duck.execute(f"SELECT epoch_us({name}) FROM {source}").fetchall()
                values = [None if value is None else round(value.timestamp() * 1_000_000) for value in values]
            expect(f"DuckDB, {source}: {name}", [value for (value,) in found], values)
        found = duck.execute(f"SELECT epoch_ns(t9) FROM {source}").fetchall()
        expect(f"DuckDB, {source}: t9", [value for (value,) in found], NANOSECONDS)
    expect("list.parquet", pq.read_table(f"{folder}/list.parquet")["li"].to_pylist(), LIST)
    found = duck.execute(f"SELECT li FROM read_parquet('{folder}/list.parquet')").fetchall()
    expect("DuckDB, list.parquet", [value for (value,) in found], LIST)


def write(folder):
    columns = {name: pa.array(values, data_type) for name, data_type, values in ALL}
    columns |= {
        "t9": pa.array(NANOSECONDS, pa.timestamp("ns")),
        "li": pa.array(LIST, pa.list_(pa.int64())),
        "bi": pa.array([b"\x00\xff", None, b""], pa.large_binary()),
        "fi": pa.array([b"ab", None, b"cd"], pa.binary(2)),
        "ls": pa.array(["a", None, "b"], pa.large_string()),
        "sv": pa.array(["a longer text than twelve", None, "b"], pa.string_view()),
        "di": pa.array(["x", None, "y"]).dictionary_encode(),
        "f16": pa.array([0.5, None, -2.0], pa.float16()),
        "d256": pa.array([D("123456789012345678901234567890123456789012.5"), None, D("-2.5")], pa.decimal256(50, 1)),
        "d32": pa.array([D("1.5"), None, D("-2.5")], pa.decimal128(4, 1)),
        "d64": pa.array([dt.date(2026, 1, 1), None, dt.date(1960, 1, 1)], pa.date64()),
        "t32": pa.array([dt.time(1, 2, 3), None, dt.time(0)], pa.time32("s")),
        "ts": pa.array([1, None, -1], pa.timestamp("s")),
        "zb": pa.array([1_000, None, -1], pa.timestamp("ms", "Europe/Berlin")),
        "st": pa.array([{"id": 1, "name": "q"}, None, {"id": None, "name": "z"}]),
        "ma": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        "nu": pa.nulls(3),
    }
    table = pa.table(columns)
    for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
        pq.write_table(table, f"{folder}/peer-{codec}.parquet", compression=codec, row_group_size=2)
    pq.write_table(table, f"{folder}/peer-pages.parquet", data_page_version="2.0", use_dictionary=False, store_schema=False)
    for codec in [None, "zstd", "lz4"]:
        options = ipc.IpcWriteOptions(compression=codec)
        with ipc.new_file(f"{folder}/peer-{codec}.arrow", table.schema, options=options) as file:
            file.write_table(table)
        with ipc.new_stream(f"{folder}/peer-{codec}.arrows", table.schema, options=options) as stream:
            stream.write_table(table, max_chunksize=2)
    duckdb.connect().execute(
        f"COPY (SELECT n::INTEGER AS n, 'row ' || n AS s, n / 4 AS x, TIMESTAMP '2026-01-01' + to_seconds(n) AS ts, "
        f"{{'a': n}} AS st FROM range(300000) AS t(n)) TO '{folder}/duck.parquet' (FORMAT parquet)"
    )


if sys.argv[1] == "read":
    read(sys.argv[2])
else:
    write(sys.argv[2])
