"""Installs the peers: libraries for Python into virtual environments, angle-grinder by cargo.

Flink has an environment of its own because it wants older libraries. What the system's package manager holds
(Miller, gawk, mawk, Java) is left to the reader: a message says what is missing.
"""

import os
import shutil
import subprocess
import sys

from peers.ag_peer import Ag
from peers.peer import PythonPeer


def install(peers, tools):
    """Installs what is missing of `peers` and can be installed."""
    for peer in peers:
        if isinstance(peer, PythonPeer) and peer.missing(tools):
            python = tools.python(peer.environment)
            if not os.path.exists(python):
                folder = os.path.join(tools.folder, peer.environment)
                run(sys.executable, "-m", "venv", folder)
            # Flink's dependencies are built with setuptools.
            run(python, "-m", "pip", "install", "setuptools", "wheel", *peer.packages)
        if isinstance(peer, Ag) and peer.missing(tools) and shutil.which("cargo"):
            root = os.path.join(tools.folder, "cargo")
            run("cargo", "install", "ag", "--locked", "--root", root)


def run(*command):
    print("+", *command, flush=True)
    done = subprocess.run(command)
    if done.returncode != 0:
        print(f"  failed with {done.returncode}: that peer will be skipped", flush=True)
