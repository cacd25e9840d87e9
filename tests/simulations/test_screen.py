"""Nothing on a terminal stands still for five seconds, from the first word of a command to its last."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from itertools import pairwise

import pytest

LONGEST = 5.0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n\s]+")
TINY = ("finetuning.iterations=30", "recognizer.iterations=30", "sampling.per_emotion=32", "runtime.threads=1")


def changes(words, **environment):
    """Each moment at which what stands on a terminal became another, from the start to the end of a command."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", **environment}
    moments, shown, window = [time.monotonic()], "", ""
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=settings) as command:
        os.close(theirs)
        while True:
            ready, _, _ = select.select([ours], [], [], 0.25)
            try:
                window += os.read(ours, 65536).decode(errors="replace") if ready else ""
            except OSError:  # the other end is closed
                break
            now = ESCAPES.sub("", window)
            if not ready or len(window) > 4096:
                window = ""
            if now and now != shown:
                shown = now
                moments.append(time.monotonic())
            if not ready and command.poll() is not None:
                break
        os.close(ours)
        assert command.wait() == 0
    return [*moments, time.monotonic()]


def longest_pause(moments):
    return max(after - before for before, after in pairwise(moments))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_serial_simulation_on_a_terminal_always_moves(tmp_path):
    overrides = [word for setting in TINY for word in ("--set", setting)]
    words = [sys.executable, "-m", "simulations.cli", "simulate", "--preset", "demo", "--backend", "serial", *overrides]
    moments = changes([*words, "--run", str(tmp_path / "run")], XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert longest_pause(moments) < LONGEST


@pytest.mark.slow
def test_a_command_that_is_silent_for_longer_is_found():
    waits = "import time; print('starting', flush=True); time.sleep(6); print('done')"
    assert longest_pause(changes([sys.executable, "-c", waits])) > LONGEST
