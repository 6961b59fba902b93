"""The comparison in one command: data, peers, runs in turn, outputs checked, a table printed and stored.

    python3 benches/compare/compare.py --install

README.md beside this file says what is measured and how each peer is asked.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys

import data
import install
import machine
import report
from peers import PEERS, Tools, Tumble
from queries import FORMATS, QUERIES
from runner import Failed, Figures, Runner

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
START_ROUNDS = 11


def arguments():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=5_000_000, help="events [5000000]")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each batch tool [5]")
    parser.add_argument("--slow-rounds", type=int, default=3, help="runs of the slow ones [3]")
    parser.add_argument("--threads", type=int, default=cores, help="threads of each peer [the cores]")
    parser.add_argument("--queries", default="ABCD", help="letters of queries [ABCD]")
    parser.add_argument("--formats", default=",".join(FORMATS), help="[csv,ndjson]")
    parser.add_argument("--peers", default="", help="names of peers, with commas [all]")
    parser.add_argument("--install", action="store_true", help="install what is missing from PyPI and by cargo")
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is given up [900]")
    parser.add_argument("--tumble", default=os.path.join(ROOT, "target/release/tumble"), help="the program")
    parser.add_argument("--folder", default=os.path.join(ROOT, "target/compare"), help="for everything that is made")
    parser.add_argument("--data", help="where the input is kept [FOLDER/data]")
    parser.add_argument("--tools", help="where peers are installed [FOLDER/tools]")
    parser.add_argument("--runs", default=os.path.join(ROOT, "benches/runs"), help="where the run is stored")
    parser.add_argument("--name", default=datetime.date.today().isoformat(), help="its name [the date]")
    return parser.parse_args()


class Comparison:
    """One run of everything."""

    def __init__(self, options):
        self.options = options
        folder = options.folder
        self.tools = Tools(options.tools or os.path.join(folder, "tools"), os.path.abspath(options.tumble))
        self.runner = Runner(os.path.join(folder, "out"), options.limit)
        self.files = {}
        self.cells = []

    def available(self, tools, install_them):
        wanted = [name.strip().lower() for name in self.options.peers.split(",") if name.strip()]
        chosen = [peer for peer in tools if not wanted or peer.name.lower() in wanted]
        if install_them:
            install.install(chosen, self.tools)
        found = []
        for tool in chosen:
            if (how := tool.missing(self.tools)) is None:
                found.append(tool)
            else:
                print(f"skipping {tool}: {how}", flush=True)
        return found

    def run(self):
        options = self.options
        own = Tumble()
        if how := own.missing(self.tools):
            sys.exit(f"tumble is missing: {how}")
        self.own = own
        self.one_thread = [tool for tool in [Tumble(1)] if tool.missing(self.tools) is None]
        self.peers = self.available(PEERS, options.install)
        where = options.data or os.path.join(options.folder, "data")
        for form in options.formats.split(","):
            self.files[form] = data.make(self.tools.tumble, where, form, options.rows)
        result = {
            "date": options.name,
            "machine": machine.describe(),
            "versions": {str(tool): tool.version(self.tools) for tool in [own, *self.peers]},
            "settings": {
                "rows": options.rows,
                "threads": options.threads,
                "rounds": options.rounds,
                "slow_rounds": options.slow_rounds,
                "bytes": {form: os.path.getsize(path) for form, path in self.files.items()},
            },
            "start": self.start(),
            "reading": self.reading(),
            "cells": self.cells,
        }
        for form in self.files:
            for name in options.queries:
                self.cell(QUERIES[name], form)
                # What is there so far survives an interruption.
                self.store(result)
        return result

    def store(self, result):
        os.makedirs(self.options.runs, exist_ok=True)
        path = os.path.join(self.options.runs, self.options.name)
        with open(path + ".json", "w", encoding="utf-8") as file:
            file.write(report.as_json(result))
        with open(path + ".md", "w", encoding="utf-8") as file:
            file.write(report.markdown(result))

    def measured(self, figures, tool, job, output, note):
        """Runs a job and adds what it took; False if it failed."""
        try:
            took = self.runner.run(job, output)
        except Failed as error:
            print(f"  {note} {tool}: {error}", flush=True)
            return False
        figures.setdefault(tool, Figures()).add(took)
        print(f"  {note} {str(tool):18} {took['wall_s']:8.3f} s wall {took['cpu_s']:8.3f} s CPU", flush=True)
        return True

    def cell(self, query, form):
        """Runs a query over a format in all tools in turn, ours between each two of theirs."""
        options = self.options
        path = self.files[form]
        data.warm(path)
        print(f"{query.name} {form}: {query.title}", flush=True)
        figures, checks = {}, {}
        tools = [tool for tool in [*self.one_thread, *self.peers] if query.name in tool.queries]
        ours = self.runner.path("tumble")
        for number in range(max(options.rounds, options.slow_rounds)):
            for tool in list(tools):
                is_slow = tool.kind in ("text", "stream")
                if number >= (options.slow_rounds if is_slow else options.rounds):
                    continue
                note = f"{number + 1}"
                ours = self.runner.path("tumble")
                job = self.own.job(self.tools, query, form, path, options.threads, ours)
                if not self.measured(figures, self.own, job, ours, note):
                    return
                theirs = self.runner.path("peer")
                job = tool.job(self.tools, query, form, path, options.threads, theirs)
                if not self.measured(figures, tool, job, theirs, note):
                    tools.remove(tool)
                elif tool not in checks:
                    checks[tool] = self.check(query, ours, tool, theirs)
        checks[self.own] = self.nothing_left_out(query, path, ours)
        for tool, runs in figures.items():
            cell = {"query": query.name, "format": form, "tool": str(tool), "kind": tool.kind}
            self.cells.append({**cell, **runs.as_dict(), **checks[tool]})

    def check(self, query, ours, tool, theirs):
        """Compares outputs."""
        words = [query.name, ours, self.own.shape, theirs, tool.shape]
        command = [sys.executable, os.path.join(HERE, "outputs.py"), *words]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        equal = told["different"] == 0
        if not equal:
            print(f"    {tool} differs in {told['different']} of {told['rows']} rows:", *told["differences"], sep="\n    ")
        return {"rows": told["rows"], "equal": equal, "different": told["different"]}

    def nothing_left_out(self, query, path, ours):
        """No row was late or bad: else the peers, which know no lateness, would count more."""
        output = self.runner.path("strict")
        words = [*self.own.words(self.tools), "--strict", query.sql, path]
        with open(output, "wb") as file:
            done = subprocess.run(words, stdout=file, stderr=subprocess.PIPE)
        same = subprocess.run(["cmp", "-s", output, ours]).returncode == 0
        if done.returncode != 0 or not same:
            print(f"    --strict ended with {done.returncode}, the same bytes: {same}", flush=True)
        with open(ours, "rb") as file:
            rows = sum(1 for _ in file) - 1
        return {"rows": rows, "equal": done.returncode == 0 and same, "different": 0}

    def start(self):
        """How long each tool takes for next to nothing."""
        figures = {}
        tools = [self.own, *self.peers]
        for number in range(START_ROUNDS):
            for tool in list(tools):
                if tool.kind == "aside" or (tool.kind == "stream" and number >= self.options.slow_rounds):
                    continue
                output = self.runner.path("start")
                if not self.measured(figures, tool, tool.start(self.tools, self.options.threads), output, "start"):
                    tools.remove(tool)
        return [{"tool": str(tool), **runs.as_dict()} for tool, runs in figures.items()]

    def reading(self):
        """Reading alone, beside `wc -l`, which looks for the ends of lines and nothing else."""
        found = []
        for form, path in self.files.items():
            data.warm(path)
            figures = {}
            for _ in range(self.options.rounds):
                for what, job in report.reading_jobs(self.own, self.one_thread, self.tools, path):
                    self.measured(figures, what, job, self.runner.path("reading"), form)
            found += [{"format": form, "what": what, **runs.as_dict()} for what, runs in figures.items()]
        return found


def main():
    comparison = Comparison(arguments())
    result = comparison.run()
    comparison.store(result)
    print()
    print(report.markdown(result))
    if not all(cell["equal"] for cell in result["cells"]):
        sys.exit("outputs differ")


if __name__ == "__main__":
    main()
