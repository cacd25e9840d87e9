"""Who is told how a stage goes: a file of rows, TensorBoard, a progress bar, a folder of pictures.

Owns the form of a report. Must not know what a metric means, nor change a result.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from torch import Tensor

from common.files import atomic_write
from common.training.pictures import save_picture

Encode = Callable[[Tensor], Tensor]
"""Examples [n, *shape] -> codes [n, size]."""


class Reporter:
    """Hears everything and says nothing; others override what they care for."""

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """A stage starts at step `first`, later than 0 when it is resumed."""

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Means since the last record."""

    def show(self, stage: str, step: int, patches: Tensor, columns: int) -> None:
        """Patches worth a look."""

    def encoder(self, stage: str, encode: Encode) -> None:
        """What a fit's encoder makes of examples, for whoever holds the examples themselves; it is released nowhere."""

    def close(self) -> None:
        """Nothing more will come."""


class Together(Reporter):
    """Several reporters that hear the same."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = tuple(reporters)

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.begin(stage, first, iterations)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.record(stage, step, metrics)

    def show(self, stage: str, step: int, patches: Tensor, columns: int) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.show(stage, step, patches, columns)

    def encoder(self, stage: str, encode: Encode) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.encoder(stage, encode)

    def close(self) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.close()


class JsonLines(Reporter):
    """One JSON object a record; a resumed stage drops the rows that it is about to write again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Forget what lies beyond the snapshot."""
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if _is_row(line) and not _lies_beyond(json.loads(line), stage, first)]
        atomic_write(self._path, "".join(kept).encode())

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Append a row."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"stage": stage, "step": step, **metrics}) + "\n")


def _is_row(line: str) -> bool:
    """False for the last line of a run that died while writing it."""
    return line.endswith("}\n")


def _lies_beyond(row: Mapping[str, Any], stage: str, step: int) -> bool:
    return bool(row["stage"] == stage and row["step"] > step)


class TensorBoard(Reporter):
    """Curves for `tensorboard --logdir`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """A folder a stage; events beyond a snapshot are hidden."""
        # TensorBoard takes a second to import, which a command that only asks for help should not pay.
        from torch.utils.tensorboard import SummaryWriter

        self.close()
        self._writer = SummaryWriter(self._folder / stage, purge_step=first or None)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """One point a metric."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.close()


class Pictures(Reporter):
    """A PNG for each snapshot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def show(self, stage: str, step: int, patches: Tensor, columns: int) -> None:
        """Save it under the stage's and the step's name."""
        save_picture(self._folder / f"{stage}-{step:08d}.png", patches, columns)


class Pace:
    """How fast a stage goes, since it began here."""

    def __init__(self, first: int, iterations: int, clock: Callable[[], float]) -> None:
        self._first, self._iterations, self._clock = first, iterations, clock
        self._began = clock()

    def line(self, stage: str, step: int, metrics: Mapping[str, float]) -> str:
        """One status line: where, how fast, how long still, what came out."""
        rate = (step - self._first) / max(self._clock() - self._began, 1e-9)
        left = duration((self._iterations - step) / rate) if rate else "?"
        numbers = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        return f"{stage} {step}/{self._iterations}  {rate:.2f} it/s  {left} left  {numbers}"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration(3725)
    '1:02:05'
    """
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


class StatusLines(Reporter):
    """A status line a record, for a log file or a console that is no terminal."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._pace = Pace(0, 0, clock)

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Start the clock."""
        self._pace = Pace(first, iterations, self._clock)
        self._write(f"{stage}: from step {first} to {iterations}")

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Write the line."""
        self._write(self._pace.line(stage, step, metrics))


class ProgressBar(Reporter):
    """A bar a stage on a terminal, with the status line behind it."""

    def __init__(self, console: Console) -> None:
        moving = SpinnerColumn(), TimeElapsedColumn()  # a step, or what comes before the first, may take long
        self._progress = Progress(BarColumn(bar_width=24), *moving, TextColumn("{task.description}"), console=console)
        self._task: TaskID | None = None
        self._pace = Pace(0, 0, time.monotonic)

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """A fresh bar."""
        self._progress.start()
        self._pace = Pace(first, iterations, time.monotonic)
        self._task = self._progress.add_task(stage, total=iterations, completed=first)

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Move the bar."""
        if self._task is not None:
            line = self._pace.line(stage, step, metrics)
            self._progress.update(self._task, completed=step, description=line)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()
