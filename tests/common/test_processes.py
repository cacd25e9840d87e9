"""Work that is done a core each is done once, wherever it is done, and its errors come out."""

import os
from functools import partial

import pytest

from common.config.tree import RuntimeConfig
from common.errors import UserError
from common.processes import side_by_side


def note(folder, piece, runtime):
    (folder / piece).write_text(f"{os.getpid()} {runtime.threads}")


def stumble(piece, runtime):
    raise UserError(f"{piece} has no speech", where="fold")


@pytest.mark.parametrize("threads", [1, 2])
def test_every_piece_is_done_and_told_once(tmp_path, threads):
    runtime = RuntimeConfig(device="cpu", threads=threads)
    assert sorted(side_by_side(partial(note, tmp_path), ["a", "b", "c"], runtime)) == ["a", "b", "c"]
    places = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
    assert sorted(places) == ["a", "b", "c"]
    assert {where == str(os.getpid()) for where, _ in places.values()} == {threads == 1}
    assert {threads for _, threads in places.values()} == {"1"}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_goes_wrong_with_a_piece_goes_wrong_here(threads):
    with pytest.raises(UserError, match="has no speech"):
        list(side_by_side(stumble, ["a", "b"], RuntimeConfig(device="cpu", threads=threads)))
