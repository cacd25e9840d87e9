"""A simulation small enough for a test: five sessions of eight recordings, networks of one channel, two steps."""

import pytest

from common.config import Config
from common.features.scaling import Scaling
from common.training.pretrained import save_pretrained
from common.training.stages import Pair
from server.pretraining import pretraining_identity

FEW = ("Session1", "Session2", "Session3")


@pytest.fixture(scope="session")
def speech(make_speech, tmp_path_factory):
    return make_speech(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="session")
def config(speech, tmp_path_factory):
    rates = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3}
    return Config.model_validate(
        {
            "corpus": {"name": "table"},
            "network": {"width": 1 / 64, "noise": 8},
            "finetuning": {"iterations": 2, "batch": 2, "condition_gain": 12.0, **rates},
            "chatziagapi": {"code": 4, "autoencoder_iterations": 2, "iterations": 2, "batch": 2},
            "sampling": {"per_emotion": 6},
            "recognizer": {"iterations": 2, "batch": 2, "learning_rate": 1e-3},
            "runtime": {
                "corpus_root": str(speech),
                "cache": str(tmp_path_factory.mktemp("cache")),
                "device": "cpu",
                "precision": "fp32",
                "threads": 1,
                "workers": 1,
            },
        }
    )


@pytest.fixture(scope="session")
def three_sessions(make_speech, tmp_path_factory):
    folder = make_speech(tmp_path_factory.mktemp("speech"))
    heading, *rows = (folder / "recordings.csv").read_text().splitlines()
    kept = [row for row in rows if row.split(",")[2] in FEW]
    (folder / "recordings.csv").write_text("\n".join([heading, *kept]))
    return folder


@pytest.fixture(scope="session")
def of_three_sessions(config, three_sessions):
    return config.model_copy(update={"runtime": config.runtime.model_copy(update={"corpus_root": str(three_sessions)})})


@pytest.fixture(scope="session")
def weights(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save_pretrained(
        folder,
        Pair.fresh(config.network, config.corpus.classes, config.seed),
        Scaling(-16.0, 4.0),
        pretraining_identity(config),
        {},
    )
    return folder


@pytest.fixture
def blank_figures(monkeypatch):
    """Reports have their figures, and none is drawn: to draw them takes longer than all that is told in words."""
    monkeypatch.setattr("simulations.report.drawing._vector", lambda *_: '<svg viewBox="0 0 1 1"></svg>')
    monkeypatch.setattr("simulations.report.drawing._raster", lambda _: b"")
