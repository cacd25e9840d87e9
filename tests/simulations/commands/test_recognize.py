"""`eyesoff recognize` from the outside."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from common.config import NetworkConfig
from common.features.scaling import Scaling
from common.features.vectors import space_of_vectors
from common.networks import learned_weights
from common.recognizers import recognizer
from common.recognizers.card import ModelCard, extractor_of
from common.recognizers.methods.cnn import RECOGNIZER, untrained
from common.recognizers.model import Model, save_model
from common.settings import EMOTIONS, VectorConfig
from common.spaces import PATCHES
from simulations import cli


@pytest.fixture
def model(tmp_path):
    """Untrained, of the smallest width; loud, so that its answers differ."""
    settings = RECOGNIZER.Settings(network=NetworkConfig(width=1 / 64))
    stream = torch.Generator().manual_seed(0)
    shapes = {name: value.shape for name, value in learned_weights(untrained(settings, 4).state_dict()).items()}
    weights = {name: torch.randn(shape, generator=stream) for name, shape in shapes.items()}
    card = ModelCard(
        extractor=extractor_of(PATCHES, VectorConfig()),
        recognizer="cnn",
        settings=settings.model_dump(mode="json"),
        labels=EMOTIONS,
        space=PATCHES,
        scaling=Scaling(-16.0, 4.0),
        trained_on="nothing",
    )
    save_model(tmp_path / "model", Model(card, weights))
    return tmp_path / "model"


@pytest.fixture
def comparing(tmp_path):
    """A model of vectors that compares a recording with others of its session."""
    vectors = VectorConfig(normalisation="session")
    one, space = recognizer("svm"), space_of_vectors(vectors)
    stream = torch.Generator().manual_seed(0)
    shapes = one.shapes(one.Settings(), space, len(EMOTIONS))
    card = ModelCard(
        extractor=extractor_of(space, vectors),
        recognizer=one.name,
        settings=one.Settings().model_dump(mode="json"),
        labels=EMOTIONS,
        space=space,
        scaling=None,
        trained_on="nothing",
    )
    weights = {name: torch.randn(shape, generator=stream) for name, shape in shapes.items()}
    save_model(tmp_path / "comparing", Model(card, weights))
    return tmp_path / "comparing"


@pytest.fixture
def recordings(tmp_path):
    """One that is fine, one of another rate, one that is silent, one of 50 ms, one that is no sound."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    noise = 0.1 * np.random.default_rng(0).standard_normal(48_000)
    soundfile.write(folder / "a.wav", noise, 16_000)
    soundfile.write(folder / "b.wav", noise[:16_000], 8_000)
    soundfile.write(folder / "c.wav", np.zeros(16_000), 16_000)
    soundfile.write(folder / "d.wav", noise[:800], 16_000)
    (folder / "e.wav").write_text("no sound")
    return folder


@pytest.fixture
def recognize(capsys):
    """The answer is its status, standard output and standard error."""

    def run(*words):
        with pytest.raises(SystemExit) as left:
            cli.main(["recognize", *map(str, words), "--device", "cpu"])
        return left.value.code or 0, *capsys.readouterr()

    return run


def test_a_recording_is_a_line_with_every_emotion_the_most_probable_first(recognize, model, recordings):
    status, told, complaint = recognize(model, recordings / "a.wav")
    assert (status, complaint, told.count("\n")) == (0, "", 1)
    path, _, heard = told.strip().partition(": ")
    assert path == str(recordings / "a.wav")
    emotion, _, odds = heard.partition(" (")
    assert odds.startswith(emotion)
    assert all(label in odds for label in EMOTIONS)


def test_what_cannot_be_heard_is_named_the_others_go_on_and_the_status_is_2(recognize, model, recordings):
    status, told, complaint = recognize(model, recordings)
    assert status == 2
    assert [line.partition(": ")[0] for line in told.splitlines()] == [f"{recordings}/{name}.wav" for name in "ab"]
    said = dict(line.removeprefix("error: ").split(": ", 1) for line in complaint.splitlines())
    assert said[f"{recordings}/b.wav"].startswith("recorded at 8000 Hz")
    assert said[f"{recordings}/c.wav"] == "it is silent"
    assert said[f"{recordings}/d.wav"].startswith("it lasts 0.05 s")
    assert said[f"{recordings}/e.wav"].startswith("cannot be decoded")


def test_csv_is_a_table_of_recordings_or_of_windows(recognize, model, recordings):
    status, told, _ = recognize(model, recordings / "a.wav", recordings / "b.wav", "--csv")
    rows = list(csv.DictReader(io.StringIO(told)))
    assert (status, len(rows)) == (0, 2)
    assert list(rows[0]) == ["path", "start", "end", "emotion", *EMOTIONS]
    assert (rows[0]["start"], rows[0]["end"]) == ("0.000", "3.000")
    assert sum(float(rows[0][label]) for label in EMOTIONS) == pytest.approx(1, abs=1e-3)
    _, told, _ = recognize(model, recordings / "a.wav", "--csv", "--windows")
    rows = list(csv.DictReader(io.StringIO(told)))
    assert (len(rows), rows[0]["start"], rows[-1]["end"]) == (3, "0.000", "3.000")


def test_json_is_one_object_that_names_what_failed(recognize, model, recordings):
    status, told, _ = recognize(model, recordings, "--json", "--windows")
    answer = json.loads(told)
    assert status == 2
    assert [one["path"] for one in answer["failed"]] == [f"{recordings}/{name}.wav" for name in "cde"]
    first = answer["recordings"][0]
    assert (first["seconds"], first["rate"], len(first["windows"])) == (3.0, 16_000, 3)
    assert list(first["probabilities"]) == list(EMOTIONS) == answer["labels"]
    assert first["emotion"] == max(first["probabilities"], key=first["probabilities"].get)


def test_a_lone_recording_is_compared_with_those_beside_it_which_get_no_line(recognize, comparing, tmp_path):
    beside = tmp_path / "beside"
    beside.mkdir()
    for number in range(8):
        noise = 0.1 * np.random.default_rng(number).standard_normal(16_000 + 1_000 * number)
        soundfile.write(beside / f"{number}.wav", noise, 16_000)
    alone = shutil.copy(beside / "3.wav", tmp_path / "new.wav")
    status, told, complaint = recognize(comparing, alone)
    assert (status, told) == (2, "")
    assert "1 usable recording" in complaint
    assert "name such a folder with --beside" in complaint
    status, told, complaint = recognize(comparing, alone, "--beside", beside)
    assert (status, complaint, told.count("\n")) == (0, "", 1)
    together = recognize(comparing, alone, beside)[1]
    assert told == together.splitlines(keepends=True)[0]


def test_two_forms_at_once_are_a_line(recognize, model, recordings):
    status, told, complaint = recognize(model, recordings, "--json", "--csv")
    assert (status, told, complaint) == (2, "", "error: --csv and --json both name a form; give one of them\n")


def test_a_model_that_is_none_is_one_line(recognize, recordings, tmp_path):
    status, told, complaint = recognize(tmp_path / "nowhere", recordings)
    assert (status, told, complaint.count("\n")) == (2, "", 1)
    assert complaint.startswith("error: no such model: ")


def test_a_recording_that_is_not_there_is_one_line(recognize, model, tmp_path):
    status, told, complaint = recognize(model, tmp_path / "none.wav")
    assert (status, told, complaint) == (2, "", f"error: {tmp_path / 'none.wav'}: no such file\n")


@pytest.mark.slow
def test_a_reader_that_wants_the_first_line_only_gets_it_and_no_stack(model, recordings):
    command = [sys.executable, "-m", "simulations.cli", "recognize", str(model), str(recordings / "a.wav")]
    process = subprocess.Popen(
        [*command, str(recordings / "b.wav")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    assert process.stdout.readline().startswith(str(recordings / "a.wav").encode())
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.wait(timeout=200)
