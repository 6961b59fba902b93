"""What a peer must answer; everything the driver knows about a tool goes through this."""

import os
import subprocess
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """A process to be measured."""

    command: list
    # Added to the environment of the driver.
    environment: dict = field(default_factory=dict)
    # Read by the process as stdin.
    source: str = os.devnull


@dataclass(frozen=True)
class Tools:
    """Where the peers are installed: `folder` holds virtual environments and cargo's installs."""

    folder: str
    tumble: str

    def python(self, environment):
        return os.path.join(self.folder, environment, "bin", "python")

    def cargo_binary(self, name):
        return os.path.join(self.folder, "cargo", "bin", name)


class Peer:
    """A tool of the comparison."""

    name = ""
    # "batch" peers get as many threads as the flag says and count for "the fastest peer";
    # "stream" and "text" peers are slow: they run in fewer rounds.
    kind = "batch"
    queries = "ABCD"
    # What its output looks like: see outputs.py.
    shape = "csv"

    def missing(self, tools):
        """None, or how to get it."""
        raise NotImplementedError

    def version(self, tools):
        raise NotImplementedError

    def job(self, tools, query, form, data, threads, output):
        """The process that answers `query` over the file `data` and writes `output`, or None if it cannot.

        Where the tool writes to stdout, that is `output`; else it makes a file or a folder of that name.
        """
        raise NotImplementedError

    def start(self, tools, threads):
        """The smallest run that computes something, such as SELECT 1."""
        raise NotImplementedError

    def __str__(self):
        return self.name


class PythonPeer(Peer):
    """A library for Python: its script is run by the interpreter of its virtual environment.

    The script gets: QUERY FORMAT DATA THREADS OUTPUT, or the word `start`.
    """

    environment = "python"
    packages = ()
    script = ""
    variables = {}

    def missing(self, tools):
        python = tools.python(self.environment)
        if os.path.exists(python) and self.version(tools):
            return None
        return f"{' '.join(self.packages)} from PyPI: run with --install"

    def version(self, tools):
        script = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
        return output_of([tools.python(self.environment), "-c", script, self.packages[0]])

    def environment_for(self, threads):
        return {name: str(threads) for name in self.variables}

    def job(self, tools, query, form, data, threads, output):
        words = [query.name, form, data, str(threads), output]
        return Job([tools.python(self.environment), self.script, *words], self.environment_for(threads))

    def start(self, tools, threads):
        return Job([tools.python(self.environment), self.script, "start"], self.environment_for(threads))


def output_of(command):
    """The first line that a command prints, or None."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None
