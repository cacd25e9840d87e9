"""`eyesoff model` from the outside."""

import json

import pytest

from common.features.vectors import space_of_vectors
from common.recognizers import recognizer
from common.recognizers.card import ModelCard, extractor_of
from common.recognizers.model import Model, save_model
from common.settings import EMOTIONS, VectorConfig
from simulations import cli

SPACE = space_of_vectors(VectorConfig())


@pytest.fixture
def folder(tmp_path):
    """A support vector machine that hears the same in everything."""
    import torch

    method = recognizer("svm")
    settings = method.Settings()
    weights = {name: torch.zeros(shape) for name, shape in method.shapes(settings, SPACE, len(EMOTIONS)).items()}
    card = ModelCard(
        extractor=extractor_of(SPACE, VectorConfig()),
        recognizer="svm",
        settings=settings.model_dump(mode="json"),
        labels=EMOTIONS,
        space=SPACE,
        trained_on="nothing",
    )
    save_model(tmp_path / "model", Model(card, weights))
    return tmp_path / "model"


@pytest.fixture
def run(capsys):
    def run(*words):
        with pytest.raises(SystemExit) as left:
            cli.main(["model", *map(str, words)])
        return left.value.code or 0, *capsys.readouterr()

    return run


def test_show_is_its_page_or_its_card(run, folder):
    assert run("show", folder) == (0, (folder / "README.md").read_text(), "")
    status, told, _ = run("show", folder, "--json")
    assert (status, json.loads(told)["recognizer"]) == (0, "svm")


def test_export_names_what_it_wrote(run, folder, tmp_path):
    status, told, _ = run("export", folder, tmp_path / "emotions")
    assert status == 0
    assert told.splitlines()[0] == f"program: {tmp_path / 'emotions.pt2'}"
    assert (tmp_path / "emotions.json").exists()


def test_what_is_no_model_is_one_line(run, tmp_path):
    status, told, complaint = run("export", tmp_path, tmp_path / "emotions")
    assert (status, told, complaint.count("\n")) == (2, "", 1)
