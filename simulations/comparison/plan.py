"""What a comparison will cost, before it starts and while it runs.

Owns the prices of units: from units that are done, and where there are none, from a short measurement. Must not know
how a unit is computed beyond its steps.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch

from common.config import Config
from common.features.patches import Batch
from common.networks.acceleration import Acceleration
from common.networks.memory import available_memory, require_memory
from common.recognizers import recognizer
from common.seeds import torch_stream
from common.settings import MethodsConfig
from common.space import SIDE
from common.spaces import PATCHES, Vectors
from common.synthesizers import Fitting, synthesizer
from common.training.phases import Interrupted, Surroundings
from common.training.reporters import Reporter, duration
from simulations.comparison.setting import Setting
from simulations.comparison.store import Store
from simulations.comparison.units import KINDS, Unit
from simulations.federation.resources import Machine, tuner_memory

GUESSES = {"sum": 1.0, "score": 2.0, "quality": 4.0, "audit": 10.0}
"""Seconds of a unit without training steps, until one has been timed."""
OF_VECTORS = {"tune": 0.01, "fit": 0.01, "train": 3.0}
"""The same of vectors, a training step or a unit without any: too little to be measured first."""
AUDIT = 1_100.0
"""What an audit of patches costs beside its twins, in steps of a tuning: it looks for each recording in each twin."""
DRAWING = 0.012
"""What drawing a sample costs, in steps of the recognizer's training: a forward of one network for one patch."""


def workers_for(config: Config, wanted: int | None) -> int:
    """As many processes as there are cores and memory for, unless a number is wanted."""
    if wanted is not None:
        return wanted
    machine = Machine.here(config)
    device = Acceleration.of(config.runtime).device
    return max(1, min(machine.cores, available_memory(device) // tuner_memory(config)))


@dataclass(frozen=True)
class Prices:
    """Seconds a training step, or a unit where it has none, by kind and subject or by kind alone."""

    known: Mapping[tuple[str, str], float]
    measured: Mapping[str, float]

    @classmethod
    def of(cls, units: Sequence[Unit], setting: Setting, store: Store) -> "Prices":
        """From what is done here; measured only if something is new and has no example."""
        known = store.rates()
        new = {(unit.kind, unit.subject) for unit in units if unit.steps and store.card(unit) is None}
        if new - set(known):
            return cls(known, GUESSES | measure(setting))
        steps = [rate for (kind, _), rate in known.items() if kind == "twin" and not isinstance(setting.space, Vectors)]
        return cls(known, GUESSES | ({"audit": AUDIT * max(steps)} if steps else {}))

    def of_unit(self, unit: Unit) -> float:
        """Predicted seconds of processor; what has no steps takes as long as another of its kind."""
        alike = [rate for (kind, _), rate in self.known.items() if kind == unit.kind and not unit.steps]
        usual = max(alike, default=self.measured.get(unit.kind, 0.0))
        return self.known.get((unit.kind, unit.subject), usual) * max(unit.steps, 1)


def measure(setting: Setting) -> dict[str, float]:
    """Seconds of a step of the campaign's synthesizer and recognizer, on the threads that a unit has."""
    config = setting.config
    if isinstance(setting.space, Vectors):
        return dict(OF_VECTORS)
    finetuning = config.finetuning.model_copy(update={"iterations": 2})
    short = config.model_copy(update={"finetuning": finetuning})
    acceleration, labels = Acceleration.of(config.runtime), config.corpus.emotions
    noise = _Noise(len(labels))
    one, method = synthesizer(MethodsConfig().synthesizer), recognizer(config.methods.recognizer)
    tuning, training = _Stopwatch(), _Stopwatch()
    settings, own = one.settings_of(short), method.settings_of(short)
    require_memory(f"a fit of {one.name}", one.cost(settings, PATCHES, len(labels)).bytes, acceleration.device)
    around = Surroundings(acceleration, reporter=tuning, report_every=1)
    one.fit(Fitting(lambda balanced: noise, setting.pretrained.pair.learned(), labels, PATCHES, 0, around), settings)
    cost = method.cost(own, PATCHES, len(labels))
    require_memory(f"training the recognizer {method.name}", cost.bytes, acceleration.device)
    around = Surroundings(acceleration, reporter=training, report_every=1, stop=training.enough)
    with suppress(Interrupted):
        method.train(noise, own, PATCHES, len(labels), 0, around)
    samples = config.sampling.per_emotion * len(labels)
    drawing = DRAWING * samples / max(config.recognizer.iterations, 1)
    prices = {**dict.fromkeys(("tune", "fit", "twin"), tuning.step), "train": training.step * (1 + drawing)}
    return prices | {"audit": AUDIT * tuning.step}


@dataclass(frozen=True)
class _Noise:
    classes: int

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """Something of the right shape."""
        chance = torch_stream("measure", step)
        patches = torch.rand(size, 1, SIDE, SIDE, generator=chance)
        return Batch(patches, torch.randint(self.classes, (size,), generator=chance))


class _Stopwatch(Reporter):
    """Times the last step, since the first one warms up; of a single step that is all there is."""

    def __init__(self) -> None:
        self.step, self._last, self._steps = 0.0, time.perf_counter(), 0

    def record(self, stage: str, step: int, metrics: object) -> None:
        """A step is over."""
        now = time.perf_counter()
        self.step, self._last, self._steps = now - self._last, now, self._steps + 1

    def enough(self) -> bool:
        """Whether a step was timed after the first."""
        return self._steps > 1


def plan_lines(units: Sequence[Unit], store: Store, prices: Prices, workers: int) -> list[str]:
    """How many units of each kind, how many of them are here already, and how long the others will take."""
    new = [unit for unit in units if store.card(unit) is None]
    total, left = Counter(unit.kind for unit in units), Counter(unit.kind for unit in new)
    parts = [f"{kind} {total[kind]} ({left[kind]} new)" for kind in KINDS if total[kind]]
    seconds = sum(map(prices.of_unit, new)) / max(workers, 1)
    where = f"in {workers} process{'es' * (workers > 1)}" if workers else "in this process"
    time_ = f"about {duration(seconds)} {where}" if new else "nothing to compute"
    return [f"{len(units)} units: {', '.join(parts)}", time_]
