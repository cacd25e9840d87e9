"""`eyesoff sample`."""

import pytest
import torch

from common.errors import UserError
from simulations import cli


@pytest.fixture
def run(capsys, tmp_path):
    def run(*words, out=tmp_path / "out"):
        with pytest.raises(SystemExit) as left:
            cli.main(["sample", *map(str, words), "--out", str(out)])
        return left.value.code, *capsys.readouterr()

    return run


def test_a_release_is_seen_and_heard(run, release_file, tmp_path):
    status, said, _ = run(release_file, "--emotion", "angry", "--number", 2, "--seed", 5, "--audio")
    assert status == 0
    stem = f"{release_file.stem}-seed5-angry"
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {f"{stem}.safetensors", f"{stem}.png", f"{stem}-001.wav", f"{stem}-002.wav"}
    assert said.splitlines()[0] == f"2 spectrograms: {tmp_path / 'out' / stem}.safetensors"
    assert f"2 as sound: {tmp_path / 'out' / stem}-001.wav to {stem}-002.wav" in said


def test_that_only_the_first_are_heard_is_said(run, release_file, monkeypatch):
    monkeypatch.setattr("simulations.sampling.HEARD", 1)
    said = run(release_file, "--emotion", "sad", "--number", 2, "--audio")[1]
    assert "the first 1 as sound" in said


def test_that_an_untuned_generator_knows_no_emotion_is_said(run, pretrained_folder, tmp_path):
    status, said, _ = run(pretrained_folder, "--number", 1)
    assert status == 0
    assert said.startswith("pre-trained and not tuned: emotions mean nothing to it yet")
    assert (tmp_path / "out" / "pretrained-seed0-unconditioned.safetensors").is_file()


def test_an_unknown_emotion_is_one_line_and_writes_nothing(run, release_file, tmp_path):
    status, _, told = run(release_file, "--emotion", "joyful")
    assert (status, told.count("\n")) == (2, 1)
    assert told.startswith("error: no such emotion: joyful")
    assert "neutral, angry, sad, happy" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["cut", "pickle"])
def test_a_file_that_cannot_be_read_is_one_line(damage, run, release_file, tmp_path):
    if damage == "cut":
        release_file.write_bytes(release_file.read_bytes()[:-1])
    else:
        torch.save({}, release_file)
    status, _, told = run(release_file)
    assert (status, told.count("\n")) == (2, 1)
    assert str(release_file) in told


def test_a_bank_is_kept_clean_of_samples(run, release_file):
    status, _, told = run(release_file, out=release_file.parent)
    assert (status, "--out is the bank itself" in told) == (2, True)
    assert len(list(release_file.parent.iterdir())) == 2


@pytest.mark.parametrize(
    "words", [("--number", 0), ("--number", 5000), ("--latent-scale", 0), ("--latent-scale", "nan"), ("--seed", -1)]
)
def test_a_number_out_of_its_bounds_is_refused(words, run, release_file):
    assert run(release_file, *words)[0] == 2


def test_the_form_of_a_training_set_is_refused_for_one_release(run, release_file, tmp_path):
    status, _, told = run(release_file, "--format", "parquet")
    assert (status, "--format is of a bank's samples" in told) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_bank_that_has_no_sound_is_refused_before_anything_is_written(run, release_file, tmp_path, monkeypatch):
    def refuse(space):
        raise UserError("vectors have no sound")

    monkeypatch.setattr("simulations.training_set.refuse_soundless", refuse)
    status, _, told = run(release_file.parent, "--audio")
    assert (status, "vectors have no sound" in told) == (2, True)
    assert not (tmp_path / "out").exists()
