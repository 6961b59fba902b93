"""Writes rows by a schedule into a program and notes when its results come out: one loop, one thread.

    due:      0 ms      1 ms      2 ms     …   20 ms (the first row of it closes the window 0 – 20)
    written:  [block]   [block]   [block]      [block]
    read:                                          [line of the window 0 – 20]
                                               |--| latency

Rows of one millisecond are one block. A block that the pipe does not take whole is finished before the next;
what is due keeps its time, so a program that stalls is charged with all of it.
"""

import ctypes
import datetime
import fcntl
import gc
import os
import select
import subprocess
import time

START = datetime.datetime(2026, 1, 1)
PIPE_BYTES = 1 << 20
# Measuring begins when types are guessed and caches are warm.
WARM_UP_S = 1
PR_SET_TIMERSLACK = 29


class Schedule:
    """The rows: `rate` in a second for some seconds, with a window each `window_ms`."""

    # Stands in the first row of each window, the one that closes the window before.
    EDGE = b"edge"

    def __init__(self, rate, seconds, window_ms):
        self.rows_per_ms = max(1, rate // 1000)
        self.window_ms = window_ms
        self.ticks = 1000 * (seconds + WARM_UP_S) + 1
        # It is not full: the end of the input closes it.
        self.last_window = (self.ticks - 1) // window_ms
        self.tails = [b",web-%03d,200,%d.%d\n" % (row % 200, row % 90, row % 10) for row in range(self.rows_per_ms)]
        self.edge_tails = [b"," + self.EDGE + b",200,1.5\n", *self.tails[1:]]

    def is_edge(self, tick):
        return tick % self.window_ms == 0

    def block(self, tick):
        """The rows that are due at `tick` ms; the first block has the names in front."""
        moment = START + datetime.timedelta(milliseconds=tick)
        text = moment.isoformat(timespec="milliseconds").encode()
        tails = self.edge_tails if self.is_edge(tick) else self.tails
        header = b"ts,host,status,latency_ms\n" if tick == 0 else b""
        return header + text + text.join(tails)

    def line_of(self, window):
        """What tumble's line of the n-th window begins with: its start and its rows."""
        moment = START + datetime.timedelta(milliseconds=window * self.window_ms)
        text = moment.isoformat(timespec="milliseconds")
        return f"{text},{self.rows_per_ms * self.window_ms},".encode()


class Loop:
    """The state of one measurement."""

    def __init__(self, process, schedule, tells_windows):
        self.process = process
        self.schedule = schedule
        self.tells_windows = tells_windows
        self.into = process.stdin.fileno()
        self.out = process.stdout.fileno()
        self.written = {}
        self.due = {}
        self.seen = []
        self.late = []
        self.wrong = []
        self.rest = b""

    def write_all(self):
        """Writes block after block when it is due, reading between."""
        block = self.schedule.block(0)
        start = time.perf_counter() + 0.05
        for tick in range(self.schedule.ticks):
            due = start + tick / 1000
            self.read_until(due)
            if self.schedule.is_edge(tick):
                self.due[tick // self.schedule.window_ms] = due
                self.written[tick // self.schedule.window_ms] = time.perf_counter()
            self.late.append(time.perf_counter() - due)
            self.write(block)
            block = self.schedule.block(tick + 1)
        os.set_blocking(self.into, True)
        self.process.stdin.close()
        # Without the windows that only the end of input closes.
        self.read_until(time.perf_counter() + 1)

    def write(self, block):
        rest = memoryview(block)
        while rest:
            try:
                rest = rest[os.write(self.into, rest) :]
            except BlockingIOError:
                ready, _, _ = select.select([self.out], [self.into], [])
                if ready:
                    self.read()

    def read_until(self, moment):
        while (left := moment - time.perf_counter()) > 0:
            ready, _, _ = select.select([self.out], [], [], left)
            if ready and not self.read():
                return

    def read(self):
        """Takes the lines that are there; False at the end."""
        text = os.read(self.out, 1 << 16)
        now = time.perf_counter()
        *lines, self.rest = (self.rest + text).split(b"\n")
        for line in lines:
            self.seen.append(now)
            window = len(self.seen) - 1
            if not self.tells_windows or window == self.schedule.last_window:
                continue
            if not line.startswith(self.schedule.line_of(window)):
                self.wrong.append(line.decode())
        return bool(text)

    def samples(self):
        """(from the write, from when it was due) in seconds, of each window after the warm-up."""
        # tumble's first line is closed by the second edge; grep's first line is the first edge.
        ahead = 1 if self.tells_windows else 0
        first = 1000 * WARM_UP_S // self.schedule.window_ms
        for window in range(first, len(self.seen)):
            edge = window + ahead
            if edge in self.written:
                yield self.seen[window] - self.written[edge], self.seen[window] - self.due[edge]


def run(command, schedule, tells_windows):
    """Runs `command` over the schedule; returns the figures."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    fcntl.fcntl(process.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    os.set_blocking(process.stdin.fileno(), False)
    # Sleeps end within a microsecond, not within fifty.
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    loop = Loop(process, schedule, tells_windows)
    gc.disable()
    try:
        loop.write_all()
    finally:
        gc.enable()
        process.stdout.close()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    samples = list(loop.samples())
    expected = schedule.ticks // schedule.window_ms - 1000 * WARM_UP_S // schedule.window_ms
    if len(samples) < expected:
        loop.wrong.append(f"{len(samples)} windows instead of {expected}")
    return {
        "windows": len(samples),
        "from_write_ms": spread([sample[0] for sample in samples]),
        "from_due_ms": spread([sample[1] for sample in samples]),
        "writer_late_ms": spread(loop.late[1000 * WARM_UP_S :]),
        "cpu_share": (used.ru_utime + used.ru_stime) / (schedule.ticks / 1000),
        "wrong": loop.wrong[:3],
    }


def spread(values):
    """Middle, nearly worst and worst, in ms."""
    values = sorted(values) or [float("nan")]

    def at(share):
        return round(1000 * values[min(len(values) - 1, int(share * len(values)))], 4)

    return {"p50": at(0.5), "p99": at(0.99), "max": at(1)}
