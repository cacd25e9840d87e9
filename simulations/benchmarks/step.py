"""How much faster a training step is than a plain one, and what share of the machine it uses.

Owns the alternation of the two, the clock and the count of arithmetic. Must not train anything that is kept. Ours is
the code of `common.training`; it asks after every step whether to stop, and there the plain loop takes its turn, so
that both meet the same noise. Each has its own way with memory: ours keeps what it frees, as it does when it trains,
the plain loop has what a process has by default; the first step of a turn, which pays for the change, is not counted.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from common.config.tree import Config
from common.networks import Acceleration, Discriminator, Generator
from common.networks.allocation import freed_memory_returned
from common.networks.discriminator import CHANNELS
from common.networks.generator import scaled
from common.networks.layers import Convolution, Layer
from common.networks.memory import FLOAT
from common.recognizers.methods import cnn
from common.recognizers.methods.cnn import STAGE as RECOGNIZER
from common.seeds import derive_seed, torch_stream
from common.space import SIDE
from common.spaces import PATCHES
from common.synthesizers.methods import eskimez
from common.synthesizers.methods.eskimez import FINETUNING
from common.training.draws import Dealer, normal, one_of, uniform
from common.training.phases import Surroundings
from common.training.reporters import Reporter
from common.training.stages import ADVERSARIAL, AUTOENCODER, Pair, train_adversarial, train_autoencoder
from simulations.benchmarks.plain import (
    Losses,
    Step,
    plain_adversarial,
    plain_autoencoder,
    plain_finetuning,
    plain_recognizer,
)

WARM_UP = 2
"""Turns of each that are not counted: code is first loaded in them."""
TURN = {"cpu": 2, "cuda": 10}
"""Steps in a turn, of which all but the first count; a GPU would stand idle if it were waited for after each."""

SHOWN_AS = {AUTOENCODER: "autoencoder", ADVERSARIAL: "wgan_gp", FINETUNING: "finetune", RECOGNIZER: "recognizer"}
"""The paper's names for the stages."""
PEAK_SIDE = {"cpu": 1024, "cuda": 8192}
PEAK_TRIES = 10


@dataclass(frozen=True)
class Noise:
    """One batch of noise with labels, again and again: reading data is no part of what is measured."""

    values: Tensor
    labels: Tensor

    @classmethod
    def of(cls, batch: int, classes: int) -> "Noise":
        """In [-1, 0], for speech lies below the middle of its range: a stage that does not learn that shows."""
        stream = torch_stream("bench", "step")
        patches = torch.rand(batch, 1, SIDE, SIDE, generator=stream) - 1
        return cls(patches, torch.randint(classes, (batch,), generator=stream))

    def batch(self, step: int, size: int, stream: str) -> "Noise":
        """Every step's batch."""
        return self


@dataclass(frozen=True)
class Course:
    """One stage, to be run both ways from the same first weights.

    Args:
        stage: its name.
        ours: trains in given surroundings.
        plain: makes the plain step.
        passes: times that a batch goes through generator and discriminator in a step of ours, each of forward,
            gradient of the images and gradient of the weights counted as one.
    """

    stage: str
    ours: Callable[[Surroundings], object]
    plain: Callable[[], Step]
    passes: tuple[int, int]


@dataclass
class Alternation(Reporter):
    """Lets the plain loop take its turn whenever ours asks whether to stop, and holds the clock for both."""

    plain: Step
    dealer: Dealer
    turn: int
    largest: int
    ours_seconds: list[float] = field(default_factory=list)
    plain_seconds: list[float] = field(default_factory=list)
    ours_losses: list[Losses] = field(default_factory=list)
    plain_losses: list[Losses] = field(default_factory=list)
    _steps: int = 0
    _since: float = 0.0

    def begin(self, stage: str, first: int, iterations: int) -> None:
        """Ours is about to take its first step."""
        self._since = self._now()

    def record(self, stage: str, step: int, metrics: Mapping[str, float]) -> None:
        """Ours tells its losses."""
        self.ours_losses.append(dict(metrics))

    def stop(self) -> bool:
        """Never; but at the end of a turn the plain loop takes as many steps."""
        self._steps += 1
        if self._steps % self.turn == 0:
            self.ours_seconds.append((self._now() - self._since) / max(1, self.turn - 1))
            with freed_memory_returned(self.largest):
                self.plain_seconds.append(self._plain_turn())
            self._since = self._now()
        elif self._steps % self.turn == 1:
            self._since = self._now()
        return False

    def _plain_turn(self) -> float:
        first, start = self._steps - self.turn, self._now()
        for step in range(first, self._steps):
            self.plain_losses.append(self.plain(self.dealer.draw(step)))
            if step == first and self.turn > 1:
                start = self._now()
        return (self._now() - start) / max(1, self.turn - 1)

    def _now(self) -> float:
        if self.dealer.device.type == "cuda":
            torch.cuda.synchronize(self.dealer.device)
        return time.perf_counter()


def courses(config: Config, patches: Noise, around: Surroundings) -> list[Course]:
    """The paper's stages and the recognizer; `config` names the batch and the iterations."""
    seed = config.seed
    pair = Pair.fresh(config.network, config.corpus.classes, seed)
    tuning, reading = eskimez.SYNTHESIZER.settings_of(config), cnn.RECOGNIZER.settings_of(config)
    classes, pretraining, adam = config.corpus.classes, config.pretraining, config.optimizer
    recognizer = cnn.untrained(reading, classes, seed=derive_seed(seed, RECOGNIZER, "networks"))

    def prepared(stage: str, outputs: int) -> Pair:
        return pair.for_stage(stage, outputs, seed, around)

    return [
        Course(
            AUTOENCODER,
            lambda around: train_autoencoder(pair, patches, pretraining.autoencoder, adam, seed, around),
            lambda: plain_autoencoder(prepared(AUTOENCODER, config.network.noise), config),
            passes=(3, 3),
        ),
        Course(
            ADVERSARIAL,
            lambda around: train_adversarial(pair, patches, pretraining.adversarial, adam, seed, around),
            lambda: plain_adversarial(prepared(ADVERSARIAL, 1), config),
            passes=(3, 12),  # real 3, fake 3, penalty 4, and 2 to teach the generator
        ),
        Course(
            FINETUNING,
            lambda around: eskimez.finetune(pair, patches, tuning, seed, around),
            lambda: plain_finetuning(prepared(FINETUNING, config.corpus.classes + 1), config),
            passes=(3, 8),
        ),
        Course(
            RECOGNIZER,
            lambda around: cnn.train(patches, reading, PATCHES, classes, seed, around),
            lambda: plain_recognizer(around.acceleration.prepare(recognizer), config),
            passes=(0, 3),
        ),
    ]


def _to_nobody(stage: str, figures: Mapping[str, float]) -> None:
    pass


def bench_step(
    config: Config, batch: int = 32, steps: int = 10, tell: Callable[[str, Mapping[str, float]], object] = _to_nobody
) -> dict[str, Any]:
    """Every stage both ways in turn; `stages` maps each to its ratio, rate and share of the machine's peak.

    Args:
        config: width, rates and runtime; its batches and iterations are replaced.
        batch: patches in a step.
        steps: turns of each that are counted, of one counted step on a processor and more on a GPU.
        tell: is called with each stage's figures as soon as it has been timed.
    """
    # However short: a stage that is trained has many steps.
    acceleration = replace(Acceleration.of(config.runtime), tries_from=0)
    with acceleration.entered():
        return _figures(config, batch, steps, tell, acceleration)


def _figures(
    config: Config,
    batch: int,
    steps: int,
    tell: Callable[[str, Mapping[str, float]], object],
    acceleration: Acceleration,
) -> dict[str, Any]:
    turn = TURN[acceleration.device.type]
    config = shaped(config, batch, (steps + WARM_UP) * turn)
    patches = Noise.of(batch, config.corpus.classes)
    around = Surroundings(acceleration)
    peak = matrix_peak(acceleration)
    stages = {}
    for course in courses(config, patches, around):
        alternation = alternate(course, config, patches, around, turn)
        operations = batch * sum(
            times * count for times, count in zip(course.passes, forward_operations(config), strict=True)
        )
        stages[SHOWN_AS[course.stage]] = summary(
            alternation.ours_seconds[WARM_UP:], alternation.plain_seconds[WARM_UP:], operations, peak
        )
        tell(SHOWN_AS[course.stage], stages[SHOWN_AS[course.stage]])
    return {
        "width": config.network.width,
        "batch": batch,
        "steps": steps * (turn - 1),
        "device": acceleration.device_name,
        "threads": torch.get_num_threads(),
        "precision": acceleration.precision,
        "peak_flops": peak,
        "stages": stages,
    }


def alternate(course: Course, config: Config, patches: Noise, around: Surroundings, turn: int) -> Alternation:
    """Run a course both ways in turn; `around` gains the alternation as its reporter and its stop."""
    network, device = config.network, around.acceleration.device
    chances = {
        "latents": normal(network.noise),
        "wanted": one_of(range(config.corpus.classes)),
        "mix": uniform(1, 1, 1),
    }
    dealer = Dealer(patches, course.stage, config.seed, len(patches.labels), chances, around.share, device)
    first_pictures = patches.values.numel() * scaled(CHANNELS[1], config.network.width)
    alternation = Alternation(course.plain(), dealer, turn, largest=FLOAT * first_pictures)
    course.ours(replace(around, reporter=alternation, stop=alternation.stop, report_every=turn))
    return alternation


def summary(ours: Sequence[float], plain: Sequence[float], operations: float, peak: float) -> dict[str, float]:
    """Medians over turns; the ratio is taken turn by turn, so that what slows both does not count."""
    ratios = [slow / fast for slow, fast in zip(plain, ours, strict=True)]
    seconds = statistics.median(ours)
    return {
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "iterations_per_second": 1 / seconds,
        "share_of_peak": operations / seconds / peak,
    }


def shaped(config: Config, batch: int, iterations: int) -> Config:
    """The configuration with every stage of this size, and without what a plain step does not do."""
    tree = config.model_dump()
    pretraining, tuning = tree["pretraining"], tree["finetuning"]
    for stage in (pretraining["autoencoder"], pretraining["adversarial"], tuning, tree["recognizer"]):
        stage |= {"batch": batch, "iterations": iterations}
    pretraining["adversarial"]["average"] = tuning["average"] = 0.0
    tuning |= {"likeness": (), "instance_noise": 0.0}
    tree["recognizer"] |= {"augmentation": (), "bands": SIDE}
    return Config.model_validate(tree)


def matrix_peak(acceleration: Acceleration) -> float:
    """Operations a second of a square matrix product in the precision that training uses: the best of several."""
    device, side = acceleration.device, PEAK_SIDE[acceleration.device.type]
    kind = torch.bfloat16 if acceleration.bf16 else torch.float32
    left = torch.rand(side, side, device=device, dtype=kind)
    best = math.inf
    for _ in range(PEAK_TRIES):
        start = time.perf_counter()
        product = left @ left
        float(product[0, 0])  # waits for the device
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def forward_operations(config: Config) -> tuple[float, float]:
    """Additions and multiplications of one patch through generator and discriminator, counted from the shapes.

    An upsampled convolution counts as merged with its upsampling: four taps an output pixel, not nine.
    """
    with torch.device("meta"):
        generator, discriminator = Generator(config.network), Discriminator(config.network, 1)
    sides = iter((8, 8, 16, 16, 32, 32, 64, 64, 128, 128, 64, 64, 32, 32, 16, 16, 8))
    counts = []
    for network in (generator, discriminator):
        total = 0.0
        for layer in network.modules():
            if isinstance(layer, Convolution):
                taps = 4 / 9 if layer.upsampled else 1
                total += 2 * layer.weight.numel() * taps * next(sides) ** 2
            elif isinstance(layer, Layer):
                total += 2 * layer.weight.numel()
        counts.append(total)
    return counts[0], counts[1]
