"""The real mode of a campaign whose speech is at hand, computed beside it.

Owns when its units are computed: while a core is idle, and what is left at the end. Must not know how.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console

from client.simulated import site_name
from common.networks.acceleration import Acceleration
from server.events import EventFile
from server.run import EVENTS
from simulations.comparison.doing import do
from simulations.comparison.modes import MODES, REAL
from simulations.comparison.plan import GUESSES, Prices, workers_for
from simulations.comparison.results import counts_of, failed
from simulations.comparison.running import UNITS, carry_out
from simulations.comparison.schema import Counts, Failed
from simulations.comparison.setting import Setting
from simulations.comparison.store import Store
from simulations.comparison.telling import REAL_SPEECH, Telling
from simulations.comparison.units import Unit, units_for
from simulations.comparison.workers import Processes
from simulations.federation.campaign import Simulation
from simulations.progress import bars


@dataclass(frozen=True)
class Beside:
    """The units of the real mode, and where they lie."""

    setting: Setting
    store: Store
    units: tuple[Unit, ...]
    alone: bool
    """Whether they are computed in this process."""

    @classmethod
    def of(cls, simulation: Simulation) -> "Beside":
        """Of every fold; each unit has one thread, as in a comparison."""
        config = simulation.config
        single = config.model_copy(update={"runtime": config.runtime.model_copy(update={"threads": 1})})
        setting = Setting(single, simulation.manifest, simulation.base)
        units = units_for(setting, [MODES[REAL]], list(setting.folds.values()), [config.seed])
        wanted = tuple(unit for unit in units if unit.kind in ("train", "score"))
        return cls(setting, Store(simulation.run / UNITS), wanted, alone=config.runtime.threads == 1)

    @contextmanager
    def begun(self) -> Iterator[Callable[[], None]]:
        """A process computes them with what the block leaves of the processors, if it calls the answer now and then.

        While Flower and Ray start, and while the last client tunes, a core has nothing to do. What is not done when the
        block ends is kept, and goes on from there.
        """
        runtime = self.setting.config.runtime
        waiting = self._missing()
        if self.alone or not waiting or Acceleration.of(runtime).device.type != "cpu":
            yield lambda: None  # an accelerator's memory is the clients'
            return
        self._read()  # once, before processes look for them
        told = self._told()
        worker = Processes(1, self.setting, self.store, do, yielding=True)

        def go_on() -> None:
            for state in worker.poll(patience=0.0):
                told.update(state)
            ready = (unit for unit in waiting if all(self.store.card(need) for need in unit.needs))
            if worker.idle() and (unit := next(ready, None)):
                waiting.remove(unit)
                worker.submit(unit)

        try:
            go_on()
            yield go_on
        finally:
            worker.close()

    def finish(self, console: Console) -> list[Failed]:
        """Compute what is missing; the answer is what failed."""
        config, missing = self.setting.config, len(self._missing())
        self._read()
        workers = 0 if self.alone or missing < 2 else min(workers_for(config, None), missing)
        prices, told = Prices({}, GUESSES), self._told()
        failures = carry_out(self.units, self.setting, self.store, workers, prices, console, tell=told.update)
        return failed(self.units, failures)

    def _read(self) -> None:
        with bars() as open_bar:
            self.setting.extract(open_bar("features"))

    def _told(self) -> Telling:
        return Telling(EventFile(self.store.folder.parent / EVENTS), self.units, self.store, stage=REAL_SPEECH)

    def _missing(self) -> list[Unit]:
        return [unit for unit in self.units if self.store.card(unit) is None]

    def counts(self) -> Counts:
        """By fold, as a campaign names it, and speaker."""
        done = [unit for unit in self.units if self.store.card(unit) is not None]
        table = counts_of(REAL, done, self.store)
        return {seed: {site_name(fold): found for fold, found in folds.items()} for seed, folds in table.items()}

    def spoken(self) -> dict[str, dict[str, list[int]]]:
        """Of each session, as a campaign names it, by speaker: how many utterances of each emotion."""
        said: dict[str, dict[str, list[int]]] = {}
        for name, fold in self.setting.folds.items():
            by_speaker = said[site_name(name)] = {one: [0] * len(fold.test.labels) for one in fold.test.speakers}
            for utterance in fold.test.utterances:
                by_speaker[utterance.speaker][fold.test.label_index(utterance)] += 1
        return said
