"""The input: events from `tumble generate access-log`, made once and kept."""

import os
import subprocess


def make(tumble, folder, form, rows):
    """The path of the file with `rows` events, which is made if it is not there."""
    path = os.path.join(folder, f"access-{rows}.{form}")
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    print(f"making {os.path.basename(path)}", flush=True)
    part = path + ".part"
    with open(part, "wb") as file:
        command = [tumble, "generate", "access-log", "--rows", str(rows), "--format", form]
        subprocess.run(command, stdout=file, check=True)
    os.rename(part, path)
    return path


def warm(path):
    """Reads a file once, so that it comes from memory afterwards."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass
