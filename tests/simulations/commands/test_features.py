"""`eyesoff features` prints the names of a set in their order, and makes the public vectors that come with eyesoff."""

import json

import numpy as np
import pytest
import soundfile

from common.features.functionals import NAMES
from common.training.checkpoint import read_tensors
from simulations import cli


def run(capsys, *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(["features", *arguments])
    out, err = capsys.readouterr()
    return left.value.code or 0, out, err


def test_names_stand_in_their_order_below_what_they_are(capsys) -> None:
    status, out, _ = run(capsys, "list")
    heading, *names = out.splitlines()
    assert status == 0
    assert heading.startswith("set functionals, version 1, licence Apache-2.0, digest ")
    assert heading.endswith("size 1715")
    assert names == list(NAMES)


def test_the_same_as_data(capsys) -> None:
    _, out, _ = run(capsys, "list", "--json")
    assert json.loads(out)["names"] == list(NAMES)


def test_a_set_that_is_not_there_leaves_with_2(capsys) -> None:
    status, _, err = run(capsys, "list", "--set", "IS11")
    assert status == 2
    assert "no such set of features: IS11; there are functionals, opensmile, ssl" in err


def test_public_vectors_are_made_of_a_public_corpus(capsys, tmp_path) -> None:
    for speaker in ("19", "26"):
        folder = tmp_path / "LibriSpeech" / "train-clean-100" / speaker / "1"
        folder.mkdir(parents=True)
        waveform = 0.1 * np.sin(np.arange(80_000) / 20) * np.sin(np.arange(80_000) / 3000)
        soundfile.write(folder / f"{speaker}-1-0000.flac", waveform, 16_000)
    status, out, _ = run(capsys, "public", "--root", str(tmp_path / "LibriSpeech"), "--to", str(tmp_path / "made"))
    tensors, card = read_tensors(tmp_path / "made")
    assert (status, "2 vectors" in out) == (0, True)
    assert tensors["vectors"].shape == (2, len(NAMES))
    assert card["licence"] == "CC BY 4.0"
    where = ("--root", str(tmp_path / "LibriSpeech"), "--to", str(tmp_path / "mean"))
    status, out, _ = run(capsys, "public", "--set", "log-mel", *where)
    assert (status, "mean spectrum of 2 utterances" in out) == (0, True)
    assert read_tensors(tmp_path / "mean")[0]["log-mel"].shape == (128,)
