"""Runs one process and says what it took: wall seconds, CPU seconds (user + system), peak memory.

The figures are the kernel's own, from wait4: CPU seconds and peak memory are those of the process and of the
children that it waited for; the peak is that of the largest process, not the sum.

    python3 measure.py OUTPUT ERRORS INPUT PROGRAM [ARGUMENT…]

writes one line of JSON. It is a program of its own because a child starts with the peak memory of the process
that forked it: this one imports next to nothing, so the floor is its own size (`floor_kib`), about 9 MB.
"""

import os
import sys
import time


def run(output, errors, source, command):
    """Runs `command` with these files as stdout, stderr and stdin; returns what it took."""
    opened = [
        os.open(source, os.O_RDONLY),
        os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ]
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        for number, file in enumerate(opened):
            os.dup2(file, number)
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
        os._exit(127)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - start
    return {
        "exit": os.waitstatus_to_exitcode(status),
        "wall_s": wall,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_kib": used.ru_maxrss,
        "floor_kib": own_kib(),
    }


def own_kib():
    """The peak memory of this process."""
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith("VmHWM"):
                return int(line.split()[1])
    return 0


def as_json(took):
    """JSON by hand: the module `json` would double the floor."""
    return "{" + ", ".join(f'"{name}": {value!r}' for name, value in took.items()) + "}"


if __name__ == "__main__":
    print(as_json(run(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])))
