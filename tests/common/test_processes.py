"""Work that is done a core each is done once, wherever it is done, and its errors come out."""

import inspect
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from common.errors import UserError
from common.processes import side_by_side
from common.settings import RuntimeConfig

PATIENCE = 250.0


def note(folder, piece, runtime):
    (folder / piece).write_text(f"{os.getpid()} {runtime.threads}")


def stumble(piece, runtime):
    raise UserError(f"{piece} has no speech", where="fold")


def die(piece, runtime):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_piece_is_done_and_told_once(tmp_path, threads):
    runtime = RuntimeConfig(device="cpu", threads=threads)
    assert sorted(side_by_side(partial(note, tmp_path), ["a", "b"], runtime, of=2)) == ["a", "b"]
    places = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
    assert sorted(places) == ["a", "b"]
    assert {where == str(os.getpid()) for where, _ in places.values()} == {threads == 1}
    assert {threads for _, threads in places.values()} == {"1"}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_goes_wrong_with_a_piece_goes_wrong_here(threads):
    with pytest.raises(UserError, match="has no speech"):
        list(side_by_side(stumble, ["a"], RuntimeConfig(device="cpu", threads=threads), of=2))


@pytest.mark.parametrize(("of", "threads"), [(1, "2"), pytest.param(2, "1", marks=pytest.mark.slow)])
def test_what_is_left_over_has_the_threads_that_it_would_have_had_beside_the_others(tmp_path, of, threads):
    list(side_by_side(partial(note, tmp_path), ["last"], RuntimeConfig(device="cpu", threads=2), of=of))
    assert (tmp_path / "last").read_text().split()[1] == threads


def test_a_process_that_is_killed_is_told_in_words():
    with pytest.raises(UserError, match=r"was killed, .*; lower runtime\.threads"):
        list(side_by_side(die, ["a"], RuntimeConfig(device="cpu", threads=2), of=2))


def sleep(folder, piece, runtime):
    (folder / piece).write_text(str(os.getpid()))
    time.sleep(600)


ASKER = """
import sys
from functools import partial
from pathlib import Path
from common.settings import RuntimeConfig
from common.processes import side_by_side
from common.training.interruption import tidied_up
from tests_of_processes import sleep
if __name__ == "__main__":
    with tidied_up():
        list(side_by_side(partial(sleep, Path(sys.argv[1])), ["a", "b"], RuntimeConfig(device="cpu", threads=2), of=2))
"""


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGKILL, -signal.SIGKILL), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_no_piece_outlives_whoever_asked_for_it(tmp_path, sign, status):
    (tmp_path / "tests_of_processes.py").write_text(f"import os, time\n{inspect.getsource(sleep)}")
    (tmp_path / "asker.py").write_text(ASKER)
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    asker = subprocess.Popen(
        [sys.executable, str(tmp_path / "asker.py"), str(tmp_path)], env=os.environ | {"PYTHONPATH": paths}
    )
    pieces = [tmp_path / name for name in "ab"]
    until(lambda: all(path.exists() and path.read_text() for path in pieces))
    asker.send_signal(sign)
    assert asker.wait(PATIENCE) == status
    until(lambda: not any(Path(f"/proc/{path.read_text()}").exists() for path in pieces))


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
