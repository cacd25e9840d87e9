"""How many processors this process may use.

Owns that number. Must not know what for.
"""

import os


def usable_cores() -> int:
    """Those it is allowed to run on, which a batch system or a container may have cut to a few of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
