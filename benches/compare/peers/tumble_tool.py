"""tumble itself, as a user would call it: nothing is declared, format and types are guessed."""

import os

from .peer import Job, Peer, output_of


class Tumble(Peer):
    """With `threads` given it asks for that many; else it is left to choose."""

    kind = "own"
    shape = "named-csv"

    def __init__(self, threads=None):
        self.threads = threads
        self.name = "tumble" if threads is None else f"tumble, {threads} thread{'s' if threads > 1 else ''}"

    def missing(self, tools):
        if not os.path.exists(tools.tumble):
            return f"cargo build --release (no {tools.tumble})"
        if self.threads is not None and not self.knows_threads(tools):
            return "this tumble has no --threads"
        return None

    def knows_threads(self, tools):
        from subprocess import run

        return "--threads" in run([tools.tumble, "--help"], capture_output=True, text=True).stdout

    def version(self, tools):
        return output_of([tools.tumble, "--version"])

    def words(self, tools):
        flags = [] if self.threads is None else ["--threads", str(self.threads)]
        return [tools.tumble, *flags]

    def job(self, tools, query, form, data, threads, output):
        return Job([*self.words(tools), query.sql, data])

    def sql(self, tools, sql, *files):
        """Any other query."""
        return Job([*self.words(tools), sql, *files])

    def start(self, tools, threads):
        return self.sql(tools, "SELECT 1")
