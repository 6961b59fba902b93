"""awk (gawk and mawk): fields by one separator, the minute as the first 16 letters of the time.

JSON is cut at its quotes, so it must look exactly like the generator's: that favours awk.
"""

import shutil

from .peer import Job, Peer, output_of

# Format: (separator, skipped, field of: time, host, status, bytes, latency).
PLACES = {
    "csv": (",", "NR > 1 ", "$1", "$2", "$4", "$5", "$6"),
    "ndjson": (
        '"',
        "",
        "$4",
        "$8",
        'substr($15, 2, 3)',
        "substr($17, 2) + 0",
        "substr($19, 2) + 0",
    ),
}

# What stands in the texts is replaced by the place of the field.
PROGRAMS = {
    "A": """SKIP { key = substr(TIME, 1, 16) "," STATUS; value = LATENCY; n[key]++; total[key] += value
               if (value > highest[key]) highest[key] = value }
        END { for (key in n) printf "%s,%d,%.17g,%.17g\\n", key, n[key], total[key] / n[key], highest[key] }""",
    "B": """SKIP { key = substr(TIME, 1, 16) "," HOST "," STATUS; n[key]++; total[key] += BYTES }
        END { for (key in n) printf "%s,%d,%d\\n", key, n[key], total[key] }""",
}

NAMES = ("SKIP ", "TIME", "HOST", "STATUS", "BYTES", "LATENCY")


class Awk(Peer):
    kind = "text"
    queries = "AB"
    flags = ()

    def missing(self, tools):
        return None if shutil.which(self.name) else f"apt-get install {self.name}"

    def job(self, tools, query, form, data, threads, output):
        separator, *places = PLACES[form]
        program = PROGRAMS[query.name]
        for name, place in zip(NAMES, places):
            program = program.replace(name, place)
        return Job([self.name, *self.flags, "-F", separator, program, data], {"LC_ALL": "C"})

    def start(self, tools, threads):
        return Job([self.name, "BEGIN { print 1 }"], {"LC_ALL": "C"})


class Gawk(Awk):
    name = "gawk"
    # Bytes, not letters.
    flags = ("-b",)

    def version(self, tools):
        return output_of(["gawk", "--version"])


class Mawk(Awk):
    name = "mawk"

    def version(self, tools):
        return output_of(["mawk", "-W", "version"])
