"""Work that is done a core each is done once, wherever it is done, and its errors come out."""

import os
import signal
from functools import partial

import pytest

from common.config.tree import RuntimeConfig
from common.errors import UserError
from common.processes import side_by_side


def note(folder, piece, runtime):
    (folder / piece).write_text(f"{os.getpid()} {runtime.threads}")


def stumble(piece, runtime):
    raise UserError(f"{piece} has no speech", where="fold")


def die(piece, runtime):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_piece_is_done_and_told_once(tmp_path, threads):
    runtime = RuntimeConfig(device="cpu", threads=threads)
    assert sorted(side_by_side(partial(note, tmp_path), ["a", "b", "c"], runtime, of=3)) == ["a", "b", "c"]
    places = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
    assert sorted(places) == ["a", "b", "c"]
    assert {where == str(os.getpid()) for where, _ in places.values()} == {threads == 1}
    assert {threads for _, threads in places.values()} == {"1"}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_goes_wrong_with_a_piece_goes_wrong_here(threads):
    with pytest.raises(UserError, match="has no speech"):
        list(side_by_side(stumble, ["a", "b"], RuntimeConfig(device="cpu", threads=threads), of=2))


@pytest.mark.parametrize(("of", "threads"), [(1, "2"), (2, "1")])
def test_what_is_left_over_has_the_threads_that_it_would_have_had_beside_the_others(tmp_path, of, threads):
    list(side_by_side(partial(note, tmp_path), ["last"], RuntimeConfig(device="cpu", threads=2), of=of))
    assert (tmp_path / "last").read_text().split()[1] == threads


def test_a_process_that_is_killed_is_told_in_words():
    with pytest.raises(UserError, match=r"was killed, .*; lower runtime\.threads"):
        list(side_by_side(die, ["a", "b"], RuntimeConfig(device="cpu", threads=2), of=2))
