"""Runs jobs under `measure.py` and keeps their figures."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Failed(Exception):
    """A job did not end well."""


class Runner:
    """Runs jobs one after the other; their outputs and messages go to `folder`."""

    def __init__(self, folder, limit_s):
        self.folder = folder
        self.limit_s = limit_s
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        """The path of an output of this name, which is not there yet."""
        path = os.path.join(self.folder, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)
        return path

    def run(self, job, output):
        """Runs a job; stdout goes to `output` unless the job makes a file or a folder of that name."""
        printed = output + ".stdout"
        errors = output + ".stderr"
        script = os.path.join(HERE, "measure.py")
        command = [sys.executable, "-I", "-S", script, printed, errors, job.source, *job.command]
        process = subprocess.Popen(
            command,
            env={**os.environ, **job.environment},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=self.limit_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failed(f"took longer than {self.limit_s:.0f} s") from None
            raise
        took = json.loads(told)
        if took["exit"] != 0:
            with open(errors, encoding="utf-8", errors="replace") as file:
                last = file.read().strip().splitlines()[-1:]
            raise Failed(f"exit code {took['exit']}: {' '.join(last)}")
        if not os.path.exists(output):
            os.rename(printed, output)
        return took


class Figures:
    """What some runs of the same job took."""

    def __init__(self):
        self.runs = []

    def add(self, took):
        self.runs.append(took)

    def as_dict(self):
        def column(name, scale=1.0):
            return [round(run[name] * scale, 5) for run in self.runs]

        return {
            "wall_s": column("wall_s"),
            "cpu_s": column("cpu_s"),
            "peak_mib": column("peak_kib", 1 / 1024),
        }


def median(values):
    return statistics.median(values) if values else None
