"""Miller: only the columns that are needed, the minute as the first 16 letters of the time."""

import shutil

from .peer import Job, Peer, output_of

INPUT = {"csv": "--icsvlite", "ndjson": "--ijsonl"}

MINUTE = ["put", "$ts = substr($ts, 0, 15)", "then"]

VERBS = {
    "A": ["cut", "-f", "ts,status,latency_ms", "then", *MINUTE]
    + ["stats1", "-a", "count,mean,max", "-f", "latency_ms", "-g", "ts,status"],
    "B": ["cut", "-f", "ts,host,status,bytes", "then", *MINUTE]
    + ["stats1", "-a", "count,sum", "-f", "bytes", "-g", "ts,host,status"],
}


class Miller(Peer):
    name = "Miller"
    kind = "text"
    queries = "AB"

    def missing(self, tools):
        return None if shutil.which("mlr") else "apt-get install miller"

    def version(self, tools):
        return output_of(["mlr", "--version"])

    def job(self, tools, query, form, data, threads, output):
        flags = [INPUT[form], "--ocsv", "--headerless-csv-output"]
        return Job(["mlr", *flags, *VERBS[query.name], data], {"GOMAXPROCS": str(threads)})

    def start(self, tools, threads):
        return Job(["mlr", "-n", "put", "end { print 1 }"])
