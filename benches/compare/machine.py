"""The machine that the figures are from: processor, cores, memory, system."""

import os
import platform


def describe():
    return {
        "processor": first_value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "virtual": "hypervisor" in (first_value("/proc/cpuinfo", "flags") or ""),
        "load_before": os.getloadavg()[0],
    }


def first_value(path, name):
    """The value behind the first `name :` of a file."""
    try:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == name:
                    return value.strip()
    except OSError:
        pass
    return None
