"""One unit at work: what it stands on, where it puts things, who hears of it, when it must stop.

Owns what every kind of unit shares. Must not know what any of them computes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.config import Config
from common.networks.acceleration import Acceleration
from common.training.checkpoint import Snapshots
from common.training.loggers import loggers_for
from common.training.phases import Surroundings
from common.training.reporters import JsonLines, Reporter, Together
from server.events import TENSORBOARD
from simulations.comparison.setting import Setting
from simulations.comparison.store import METRICS, SNAPSHOTS, Store
from simulations.comparison.units import Unit

KEPT = 10
"""Snapshots over a training: what a kill costs at the most is a tenth of it."""
REPORT_EVERY = 10


@dataclass(frozen=True)
class Job:
    """A unit, and all that its work may touch."""

    unit: Unit
    setting: Setting
    store: Store
    reporter: Reporter
    stop: Callable[[], bool]

    @property
    def config(self) -> Config:
        """Of this unit's seed, and turned as its ablation has it."""
        return self.unit.config

    @property
    def folder(self) -> Path:
        """Where it puts things."""
        return self.store.where(self.unit)

    def around(self, acceleration: Acceleration, steps: int) -> Surroundings:
        """For a training of so many steps in this folder: resumed from its snapshots, its curves kept."""
        setting = self.setting
        further = loggers_for(self.config.runtime.loggers, self.folder / TENSORBOARD, str(self.unit))
        return Surroundings(
            acceleration,
            reporter=Together([JsonLines(self.folder / METRICS), further, self.reporter]),
            snapshots=Snapshots(self.folder / SNAPSHOTS, self.unit.identity, setting.manifest.labels, setting.scaled),
            report_every=REPORT_EVERY,
            snapshot_every=max(steps // KEPT, 1),
            stop=self.stop,
        )
