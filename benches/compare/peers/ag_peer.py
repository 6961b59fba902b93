"""angle-grinder: fields by a pattern or by its JSON parser, the minute as the first 16 letters of the time."""

import os
import shutil

from .peer import Job, Peer, output_of

# The line with the names goes by a word of it.
FIELDS = {
    "csv": 'NOT latency_ms | parse "*,*,*,*,*,*,*" as ts, host, path, status, bytes, latency_ms, user',
    "ndjson": "* | json",
}

QUERIES = {
    "A": "count as n, avg(latency_ms) as average, max(latency_ms) as highest by minute, status",
    "B": "count as n, sum(bytes) as total by minute, host, status",
}


class Ag(Peer):
    name = "angle-grinder"
    kind = "text"
    queries = "AB"
    # Its other outputs round.
    shape = "json"

    def binary(self, tools):
        return shutil.which("agrind") or tools.cargo_binary("agrind")

    def missing(self, tools):
        if os.path.exists(self.binary(tools)):
            return None
        return f"cargo install ag, or run with --install (into {tools.folder})"

    def version(self, tools):
        return output_of([self.binary(tools), "--version"])

    def job(self, tools, query, form, data, threads, output):
        text = f"{FIELDS[form]} | substring(ts, 0, 16) as minute | {QUERIES[query.name]}"
        return Job([self.binary(tools), "--file", data, "--output", "json", text])

    def start(self, tools, threads):
        return Job([self.binary(tools), "* | count"])
