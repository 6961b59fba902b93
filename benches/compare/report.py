"""A run as JSON and as Markdown."""

import json
import re

from peers.peer import Job
from queries import QUERIES
from runner import median

TITLES = {"csv": "CSV", "ndjson": "NDJSON"}

WC = "`wc -l`"
RECORDS = "SELECT count(*) FROM input"
VALUES = "SELECT count(ts), count(status), max(latency_ms) FROM input"


def reading_jobs(own, one_thread, tools, path):
    """What is measured beside `wc -l`: (what, job)."""
    yield WC, Job(["wc", "-l", path])
    for tool in [own, *one_thread]:
        yield f"{tool}: `count(*)`, records cut and counted", tool.sql(tools, RECORDS, path)
        yield f"{tool}: the columns of A decoded, no windows", tool.sql(tools, VALUES, path)


def as_json(result):
    """JSON with a line for each list of figures."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([-0-9.,\s]+?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def markdown(result):
    parts = [heading(result)]
    for form, size in result["settings"]["bytes"].items():
        cells = [cell for cell in result["cells"] if cell["format"] == form]
        if cells:
            parts += [f"## {TITLES[form]} ({size / 1e6:.0f} MB)", times(cells), memory(cells)]
    parts += ["## Reading alone", reading(result), "## Start", start(result), "## Outputs", outputs(result)]
    return "\n\n".join(parts) + "\n"


def heading(result):
    machine, settings = result["machine"], result["settings"]
    where = ", a virtual machine" if machine["virtual"] else ""
    versions = ", ".join(f"{tool} {short(version)}" for tool, version in result["versions"].items())
    queries = "\n".join(f"- {query.name}: {query.title}" for query in QUERIES.values())
    return f"""# Comparison of {result["date"]}

{settings["rows"]:,} events of `tumble generate access-log`, files in the page cache, whole processes.
{machine["processor"]}, {machine["cores"]} cores, {machine["memory_gib"]} GiB, {machine["system"]}{where}.
Peers with {settings["threads"]} threads; medians of {settings["rounds"]} runs \
({settings["slow_rounds"]} of the slow ones), in turn with tumble's.

{queries}

{versions}."""


def short(version):
    """The number in a line that tells a version."""
    found = re.search(r"\d+(\.\d+)+\S*", version or "")
    return found[0].rstrip(",") if found else "?"


def middle(cell, name):
    return median(cell[name])


def find(cells, tool, query):
    return next((cell for cell in cells if cell["tool"] == tool and cell["query"] == query), None)


def tool_names(cells):
    return list(dict.fromkeys(cell["tool"] for cell in cells))


def seconds(value):
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def times(cells):
    """Wall and CPU seconds, and how many times ours they are."""
    queries = sorted({cell["query"] for cell in cells})
    rows = [["wall s / CPU s (× tumble)", *queries]]
    for tool in tool_names(cells):
        rows.append([tool, *[time_text(cells, tool, query) for query in queries]])
    rows.append(["**fastest batch peer / tumble**", *[fastest(cells, query) for query in queries]])
    return table(rows)


def time_text(cells, tool, query):
    cell, own = find(cells, tool, query), find(cells, "tumble", query)
    if cell is None:
        return "–"
    wall, cpu = middle(cell, "wall_s"), middle(cell, "cpu_s")
    text = f"{seconds(wall)} / {seconds(cpu)}"
    if cell is not own:
        text += f" ({ratio(wall / middle(own, 'wall_s'))} / {ratio(cpu / middle(own, 'cpu_s'))})"
    return text if cell["equal"] else text + " **differs**"


def ratio(value):
    return f"{value:.0f}×" if value >= 9.95 else f"{value:.1f}×"


def fastest(cells, query):
    """The smallest figure of the batch peers over ours, for wall and for CPU."""
    own = find(cells, "tumble", query)
    batch = [cell for cell in cells if cell["kind"] == "batch" and cell["query"] == query]
    if own is None or not batch:
        return "–"
    found = []
    for name in ("wall_s", "cpu_s"):
        found.append(ratio(min(middle(cell, name) for cell in batch) / middle(own, name)))
    return f"**{' / '.join(found)}**"


def memory(cells):
    """Peak memory."""
    queries = sorted({cell["query"] for cell in cells})
    rows = [["peak memory, MiB", *queries]]
    for tool in tool_names(cells):
        found = [find(cells, tool, query) for query in queries]
        rows.append([tool, *[f"{middle(cell, 'peak_mib'):.0f}" if cell else "–" for cell in found]])
    return table(rows)


def reading(result):
    """Speeds beside `wc -l`: reading alone, and the whole of query A."""
    rows = [["", "format", "wall s", "CPU s", "× `wc -l` (wall)", "GB/s (wall)"]]
    for form, size in result["settings"]["bytes"].items():
        items = [item for item in result["reading"] if item["format"] == form]
        base = next(median(item["wall_s"]) for item in items if item["what"] == WC)
        for cell in result["cells"]:
            if (cell["kind"], cell["query"], cell["format"]) == ("own", "A", form):
                items.append({**cell, "what": f"{cell['tool']}: all of query A"})
        for item in items:
            wall, cpu = middle(item, "wall_s"), middle(item, "cpu_s")
            figures = [seconds(wall), seconds(cpu), f"{wall / base:.1f}", f"{size / 1e9 / wall:.2f}"]
            rows.append([item["what"], TITLES[form], *figures])
    return table(rows)


def start(result):
    rows = [["`SELECT 1` or the like", "wall ms", "CPU ms", "peak memory, MiB"]]
    for item in result["start"]:
        wall, cpu = 1000 * median(item["wall_s"]), 1000 * median(item["cpu_s"])
        rows.append([item["tool"], f"{wall:.1f}", f"{cpu:.1f}", f"{median(item['peak_mib']):.0f}"])
    return table(rows)


def outputs(result):
    cells = result["cells"]
    wrong = [cell for cell in cells if not cell["equal"]]
    checked = len(cells) - len(wrong)
    lines = [f"{checked} of {len(cells)} outputs hold tumble's rows (doubles to nine digits); no row was late."]
    for cell in wrong:
        lines.append(f"- {cell['tool']}, {cell['query']} {cell['format']}: {cell['different']} of {cell['rows']} rows differ.")
    sizes = {cell["query"]: cell["rows"] for cell in cells if cell["tool"] == "tumble"}
    lines.append("Rows of the results: " + ", ".join(f"{name} {rows:,}" for name, rows in sorted(sizes.items())) + ".")
    return "\n".join(lines)


def table(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
