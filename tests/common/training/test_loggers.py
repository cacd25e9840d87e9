"""Curves go to whatever logger is named, and none of them can end a training."""

import logging
import pickle
import sys

import pytest

from common.errors import UserError
from common.training import loggers
from common.training.loggers import Guarded, loggers_for, require_loggers
from common.training.reporters import Reporter

MLFLOW = """
from types import SimpleNamespace
heard, away = [], False
class MlflowClient:
    def get_experiment_by_name(self, name):
        if away:
            raise ConnectionError("nobody listens\\nat the address")
        return None
    def create_experiment(self, name):
        heard.append(("experiment", name))
        return "7"
    def create_run(self, number, run_name):
        heard.append(("run", number, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    def log_metric(self, run, name, value, step):
        heard.append((run, name, value, step))
    def set_terminated(self, run):
        heard.append(("over", run))
"""
MLFLOW_SET = ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT")
WANDB = """
heard = []
class Run:
    def log(self, metrics, step):
        heard.append((metrics, step))
    def finish(self):
        heard.append("over")
def init(project, name, reinit):
    heard.append((project, name))
    return Run()
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """No logger has failed yet, and what is set for those of others goes with the test."""
    monkeypatch.setattr(loggers, "_away", set())
    for name in (
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
        "MLFLOW_HTTP_REQUEST_TIMEOUT",
        "WANDB_SILENT",
        "WANDB_INIT_TIMEOUT",
    ):
        monkeypatch.setenv(name, "1")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that installs a stand-in of a package; the answer is its module."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def install(name, source):
        (tmp_path / name).with_suffix(".py").parent.mkdir(parents=True, exist_ok=True)
        for parent in (tmp_path / name).parents:
            if parent != tmp_path and tmp_path in parent.parents:
                (parent / "__init__.py").touch()
        (tmp_path / name).with_suffix(".py").write_text(source)
        return __import__(name.replace("/", "."), fromlist=["heard"])

    yield install
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("mlflow", "wandb"):
            del sys.modules[name]


def train(reporter):
    reporter.begin("recognizer", 0, 20)
    reporter.record("recognizer", 10, {"loss": 0.5})
    reporter.record("recognizer", 20, {"loss": 0.25})


def test_mlflow_gets_a_run_its_points_and_an_end(tmp_path, installed):
    fake = installed("mlflow/tracking", MLFLOW)
    train(loggers_for(("mlflow",), tmp_path, "train real"))
    assert fake.heard == [
        ("experiment", "eyesoff"),
        ("run", "7", "train real: recognizer"),
        ("r1", "loss", 0.5, 10),
        ("r1", "loss", 0.25, 20),
        ("over", "r1"),
    ]


def test_weights_and_biases_gets_a_run_its_points_and_an_end(tmp_path, installed):
    fake = installed("wandb", WANDB)
    train(loggers_for(("wandb",), tmp_path, "train real"))
    assert fake.heard == [("eyesoff", "train real: recognizer"), ({"loss": 0.5}, 10), ({"loss": 0.25}, 20), "over"]


def test_tensorboard_writes_a_folder_a_training_and_stage(tmp_path):
    train(loggers_for(("tensorboard",), tmp_path, "train real/a"))
    (file,) = (tmp_path / "train real-a" / "recognizer").iterdir()
    assert "tfevents" in file.name
    assert b"loss" in file.read_bytes()


def test_a_logger_whose_server_is_away_is_one_line_and_the_training_goes_on(tmp_path, installed, caplog):
    fake = installed("mlflow/tracking", MLFLOW)
    fake.away = True
    with caplog.at_level(logging.WARNING):
        for title in ("one", "another"):
            train(loggers_for(("mlflow", "tensorboard"), tmp_path, title))
    assert [record.getMessage() for record in caplog.records] == [
        "mlflow takes nothing, and the training goes on without it: ConnectionError: nobody listens at the address"
    ]
    assert fake.heard == []
    assert (tmp_path / "another" / "recognizer").is_dir()


@pytest.mark.parametrize("at", ["record", "close"])
def test_a_server_that_goes_away_in_the_middle_is_one_line_too(at, caplog):
    class Failing(Reporter):
        pass

    def fail(*_):
        raise OSError("gone")

    failing = Failing()
    setattr(failing, at, fail)
    with caplog.at_level(logging.WARNING):
        train(Guarded("wandb", failing))
    assert len(caplog.records) == 1


def test_a_logger_that_is_not_installed_is_refused_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    require_loggers(("tensorboard",))
    with pytest.raises(UserError, match=r"wandb is not installed here: runtime.loggers; install eyesoff\[wandb\]"):
        require_loggers(("tensorboard", "wandb"))


def test_loggers_travel_to_the_process_that_trains(tmp_path):
    pickle.loads(pickle.dumps(loggers_for(("tensorboard", "mlflow", "wandb"), tmp_path, "one")))  # noqa: S301 - our own


def test_nobody_is_asked_where_no_logger_is_named(tmp_path):
    train(loggers_for((), tmp_path, "one"))
    assert list(tmp_path.iterdir()) == []
