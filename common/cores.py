"""How many processors this process may use.

Owns that number. Must not know what for.
"""

import math
import os
from pathlib import Path


def usable_cores(container: Path = Path("/sys/fs/cgroup")) -> int:
    """Those it is allowed to run on and has the time of: a batch system or a container may grant a few of many."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = container / "cpu.max"
    granted, _, period = quota.read_text().partition(" ") if quota.is_file() else ("max", "", "")
    return cores if granted == "max" else min(cores, math.ceil(int(granted) / int(period)))
