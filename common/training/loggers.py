"""Where the curves of a training go beside the run's own files: TensorBoard, MLflow, Weights & Biases.

Owns which there are, and that none of them can end or delay a training. Must not know what is trained. No client has
one: a loss tells about its data.

A logger is a `Reporter` that is made for one training. The packages of two are extras, imported when a training begins.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.settings import Logger
from common.training.reporters import Reporter, TensorBoard, Together

log = logging.getLogger(__name__)

PROJECT = "eyesoff"
PACKAGES: Mapping[Logger, str] = {"mlflow": "mlflow", "wandb": "wandb"}
PATIENCE = "5"
"""Seconds that a server may take to answer."""
_away: set[str] = set()
"""Loggers that failed in this process: each is told of once, and left alone from then on."""


def require_loggers(names: Sequence[Logger]) -> None:
    """Refuse, before anything is computed, a logger whose package is not installed."""
    for name in names:
        if name in PACKAGES and find_spec(PACKAGES[name]) is None:
            raise UserError(f"{name} is not installed here", where="runtime.loggers", remedy=f"install eyesoff[{name}]")


def loggers_for(names: Sequence[Logger], folder: Path, title: str) -> Reporter:
    """Those that are named, for one training of this title; TensorBoard's files go into the folder."""
    made: Mapping[Logger, Callable[[], Reporter]] = {
        "tensorboard": lambda: TensorBoard(folder / title.replace("/", "-")),
        "mlflow": lambda: MLflow(title),
        "wandb": lambda: WandB(title),
    }
    return Together([Guarded(name, made[name]()) for name in names])


class Guarded(Reporter):
    """A logger that may fail: that is one line of warning, and the training goes on."""

    def __init__(self, name: str, logger: Reporter) -> None:
        self._name, self._logger, self._iterations, self._open = name, logger, 0, False

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Open it, unless it failed before."""
        self.close()
        self._iterations, self._open = iterations, self._name not in _away
        self._try(lambda: self._logger.begin(stage, first, iterations))

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Pass it on; the last step closes it, for nobody else may."""
        self._try(lambda: self._logger.record(stage, step, metrics))
        if step >= self._iterations:
            self.close()

    def close(self) -> None:
        """Write what is waiting, once."""
        self._try(self._logger.close)
        self._open = False

    def _try(self, work: Callable[[], object]) -> None:
        if not self._open:
            return
        try:
            work()
        except Exception as error:  # whatever a package of others raises
            self._open = False
            if self._name not in _away:
                _away.add(self._name)
                told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                log.warning("%s takes nothing, and the training goes on without it: %s", self._name, told)


class MLflow(Reporter):
    """A run a stage, at MLFLOW_TRACKING_URI."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._client: Any = None
        self._run = ""

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """A new run; one that was cut has another before it."""
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", PATIENCE)
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient()
        known = self._client.get_experiment_by_name(PROJECT)
        number = self._client.create_experiment(PROJECT) if known is None else known.experiment_id
        self._run = self._client.create_run(number, run_name=f"{self._title}: {stage}").info.run_id

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """One point a metric."""
        for name, value in metrics.items():
            self._client.log_metric(self._run, name, value, step=step)

    def close(self) -> None:
        """Say that it is over."""
        self._client.set_terminated(self._run)


class WandB(Reporter):
    """A run a stage, where `wandb login` or WANDB_MODE says."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._run: Any = None

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """A new run; one that was cut has another before it."""
        os.environ.setdefault("WANDB_SILENT", "true")
        os.environ.setdefault("WANDB_INIT_TIMEOUT", PATIENCE)
        import wandb

        self._run = wandb.init(project=PROJECT, name=f"{self._title}: {stage}", reinit=True)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """One point a metric."""
        self._run.log(dict(metrics), step=step)

    def close(self) -> None:
        """Send what is waiting."""
        self._run.finish()
