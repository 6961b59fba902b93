"""How long a result takes after the row that closes its window, at steady rates of input.

    python3 benches/latency/latency.py

Rows have the times of a schedule and are written when they are due, a block each millisecond, whether or not
the program keeps up. README.md beside this file says what the figures hold.
"""

import argparse
import datetime
import json
import os
import sys

from paced import Schedule, run

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "benches", "compare"))

import machine  # noqa: E402
from report import as_json, table  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rates", default="1000,100000,1000000", help="rows in a second [1000,100000,1000000]")
    parser.add_argument("--seconds", type=int, default=30, help="for each rate [30]")
    parser.add_argument("--window-ms", type=int, default=20, help="size of the windows [20]")
    parser.add_argument("--tumble", default=os.path.join(ROOT, "target/release/tumble"), help="the program")
    parser.add_argument("--flags", default="", help="more flags for it, such as '--threads 1'")
    parser.add_argument("--runs", default=os.path.join(ROOT, "benches/runs"), help="where the run is stored")
    name = f"{datetime.date.today().isoformat()}-latency"
    parser.add_argument("--name", default=name, help="its name [the date and -latency]")
    return parser.parse_args()


def commands(options):
    """What is measured: (name, command, whether each line tells a window)."""
    query = (
        "SELECT window_start, count(*) AS requests, max(latency_ms) AS highest "
        f"FROM TUMBLE(stdin, ts, '{options.window_ms}ms') GROUP BY window_start"
    )
    yield "tumble", [options.tumble, *options.flags.split(), "-H", "--delay", "0s", query], True
    # Does nothing but to find and repeat the same rows: what the pipes, the system and this script cost.
    yield "grep (the floor)", ["grep", "--line-buffered", "-F", Schedule.EDGE.decode()], False


def main():
    options = arguments()
    measured = []
    for rate in map(int, options.rates.split(",")):
        schedule = Schedule(rate, options.seconds, options.window_ms)
        for name, command, tells_windows in commands(options):
            figures = run(command, schedule, tells_windows)
            measured.append({"tool": name, "rate": rate, **figures})
            print("  ".join(row_of(measured[-1])), flush=True)
    result = {
        "date": options.name,
        "machine": machine.describe(),
        "settings": {"seconds": options.seconds, "window_ms": options.window_ms},
        "latency": measured,
    }
    os.makedirs(options.runs, exist_ok=True)
    path = os.path.join(options.runs, options.name)
    text = markdown(result)
    with open(path + ".json", "w", encoding="utf-8") as file:
        file.write(as_json(result))
    with open(path + ".md", "w", encoding="utf-8") as file:
        file.write(text)
    print()
    print(text)
    wrong = [item["wrong"] for item in measured if item["wrong"]]
    if wrong:
        sys.exit(f"results are wrong: {json.dumps(wrong)}")


HEADS = [
    "rows/s",
    "",
    "windows",
    "from the write: p50, p99, max (ms)",
    "from when it was due: p50, p99, max (ms)",
    "writer late: p99, max (ms)",
    "CPU of the tool",
]


def row_of(item):
    def three(values):
        return ", ".join(f"{values[name]:.3f}" for name in ("p50", "p99", "max"))

    return [
        f"{item['rate']:,}",
        item["tool"],
        str(item["windows"]),
        three(item["from_write_ms"]),
        three(item["from_due_ms"]),
        f"{item['writer_late_ms']['p99']:.3f}, {item['writer_late_ms']['max']:.3f}",
        f"{100 * item['cpu_share']:.1f} %",
    ]


def markdown(result):
    about, settings = result["machine"], result["settings"]
    where = ", a virtual machine" if about["virtual"] else ""
    return f"""# Latency of {result["date"].removesuffix("-latency")}

{about["processor"]}, {about["cores"]} cores, {about["memory_gib"]} GiB, {about["system"]}{where}.
Windows of {settings["window_ms"]} ms without delay, {settings["seconds"]} s at each rate; \
writer, tool and reader share the cores.

{table([HEADS, *map(row_of, result["latency"])])}
"""


if __name__ == "__main__":
    main()
