"""How a campaign goes, as lines in a file that a terminal, here or elsewhere, can follow.

Owns the form of a line. Must not know what follows from one.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError
from common.settings import Logger
from common.training.loggers import loggers_for
from common.training.reporters import Reporter, Together
from common.wire import Working
from server.correspondence import Failure
from server.intake import Aside

TENSORBOARD = "tensorboard"


class EventFile:
    """A campaign's watcher that writes down all it hears, and passes curves on to loggers."""

    def __init__(self, path: Path, loggers: Sequence[Logger] = ()) -> None:
        self._path, self._loggers = path, loggers
        if path.exists() and not path.read_bytes().endswith(b"\n"):  # the last run was killed in the middle of a line
            with path.open("a", encoding="utf-8") as stream:
                stream.write("\n")

    @contextmanager
    def during(self, what: str, *stops: type[Exception]) -> Iterator[None]:
        """While the block runs a run of this kind is at work; what is raised of `stops` is no failure."""
        self.write(event="begun", what=what)
        how, line = "done", ""
        try:
            yield
        except Exception as error:
            how, line = ("stopped", "") if isinstance(error, stops) else ("failed", " ".join(str(error).split()))
            raise
        except BaseException:  # Ctrl-C, or SIGTERM
            how = "stopped"
            raise
        finally:
            self.write(event="ended", what=what, how=how, line=line)

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self.write(event="stage", stage=name, total=total)

    def done(self, name: str, unit: str) -> None:
        """A unit is done."""
        self.write(event="done", stage=name, unit=unit)

    def working(self, session: str, working: Working) -> None:
        """A client is at work."""
        self.write(event="working", unit=session, step=working.step, iterations=working.iterations, rate=working.rate)

    def failed(self, failure: Failure) -> None:
        """A client failed."""
        self.write(event="failed", stage=failure.stage, unit=failure.session or failure.client, line=str(failure))

    def put_aside(self, aside: Aside) -> None:
        """A release is not trained on."""
        self.write(event="put aside", unit=aside.session, line=str(aside))

    def training(self, name: str) -> Reporter:
        """Whoever tells how the training of a recognizer goes."""
        further = loggers_for(self._loggers, self._path.with_name(TENSORBOARD), name)
        return Together([TrainingEvents(self, name), further])

    def write(self, **event: object) -> None:
        """Append one line."""
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"time": time.time(), **event}) + "\n")
        except OSError as error:
            raise UserError("cannot write", where=self._path, remedy=error.strerror) from None


class TrainingEvents(Reporter):
    """Steps of one training among the events, a line a second at the most."""

    def __init__(self, events: EventFile, unit: str) -> None:
        self._events, self._unit = events, unit
        self._first, self._iterations = 0, 0
        self._began = self._written = time.monotonic()

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Start the clock."""
        self._first, self._iterations, self._began = first, iterations, time.monotonic()

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Where it is, how fast, and what came out."""
        now = time.monotonic()
        if step < self._iterations and now - self._written < 1:
            return
        self._written = now
        rate = round((step - self._first) / max(now - self._began, 1e-3), 3)
        self._events.write(
            event="training", unit=self._unit, step=step, iterations=self._iterations, rate=rate, **metrics
        )
