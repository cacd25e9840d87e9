"""Cycle-GANs from public speech to each emotion (Shilandari et al. 2022), under the Wasserstein divergence or not.

For each emotion a network turns a vector of public, unlabelled speech into one of that emotion, and another turns it
back; critics tell both from real ones. What leaves is the network towards the emotion: a sample is public speech made
over, so that variety comes from speech that is everybody's.

Owns the losses. Must not know where vectors of the site come from. As a vector has no patches, the paper's residual
network is one of two hidden layers that makes a difference to its input. Both directions of all emotions lie in one
stack, towards the emotions first.

Mended misprints: in the paper's (8) a row is taken from what comes back, not from what went in; in (10) the slope's
norm has a power, not an index; (12) is about an encoder that is not there.

Rate and steps were chosen on four sessions of EMO-DB, each left out in turn while a linear SVM was trained on samples
of the others' fits (one seed); the fifth was not looked at. 200 steps at 2e-4 were worse than 120 at 1e-3 by more than
the noise of such a score. Stored runs on EMO-DB are no test of this choice.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from common.networks.memory import dense_memory
from common.networks.penalty import wasserstein_divergence
from common.networks.perceptron import Perceptron
from common.settings import Count, OptimizerConfig, Positive, Rate, Section
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Cost, Fitting, Sampler, Synthesizer, Weights
from common.synthesizers.vectors import (
    Material,
    Members,
    StackSampler,
    numbers_of,
    put_back,
    release_of,
    released_shapes,
    some_of,
)
from common.training.adam import Adam
from common.training.draws import Chance, Draw, uniform
from common.training.phases import Game, Phase, play
from common.training.recording import Metrics
from common.training.standard import Standard

CLASSIFIER, START, STAGE, RELEASED = "cyclegan-classifier", "cyclegan-start", "cyclegan", "generators"
LEAK, SMOOTH = 0.2, 0.9
"""Slope of the leaky ReLU below zero; what a discriminator is told of the real, one-sided (Salimans et al. 2016)."""
TURNS = 2
"""The generators move so many times as often as the critics."""


class CycleganConfig(Section):
    """What the paper leaves open is as in Yi & Mak 2020."""

    divergence: Literal["wasserstein", "cross-entropy"] = Field(
        "wasserstein", description="between made and real examples, or cross-entropy as in a plain GAN"
    )
    hidden: Positive = Field(128, le=8192, description="units in a layer; printed: 800, which takes six times as long")
    iterations: Count = Field(120, description="of the game; open in the paper")
    start: Count = Field(20, description="steps on the cycle alone before it; a network begins near to its input")
    classifier: Count = Field(100, description="steps of the classifier, which then stands still")
    batch: Positive = Field(64, description="rows in a step, of each emotion")
    learning_rate: Rate = Field(1e-3, description="printed: 2e-4")
    halve_every: Count = Field(0, description="steps after which the rate halves; 0: it stays")
    cycle: float = Field(1.0, ge=0, le=1000, description="weight of coming back to where one began; more is unstable")
    classification: float = Field(1.0, ge=0, le=100, description="weight of the classifier's word; open in the paper")
    penalty: float = Field(10.0, ge=0, le=1000, description="weight of the critics' slope; open in the paper")
    power: float = Field(5.0, ge=1, le=12, description="to which the slope is raised; open in the paper")


class Settings(Section):
    """Of Adam, and of the game."""

    optimizer: OptimizerConfig = OptimizerConfig()
    cyclegan: CycleganConfig = CycleganConfig()


def public_rows(space: Space) -> Tensor:
    """Vectors of public speech, in deviations from their own mean: wherever a sample is drawn, they are there."""
    assert isinstance(space, Vectors)  # noqa: S101 - for mypy: it claims no other
    from common.features.public import public_vectors  # which reads them: a fit of another method need not

    rows = public_vectors(space.set)
    return Standard.of(rows).apply(rows)


def translators(own: CycleganConfig, size: int, copies: int, seed: int = 0) -> Perceptron:
    """What each adds to its input."""
    return Perceptron((size, own.hidden, own.hidden, size), seed=seed, leak=LEAK, copies=copies)


def critics(own: CycleganConfig, size: int, copies: int, seed: int = 0) -> Perceptron:
    """Of both sides of all emotions."""
    return Perceptron((size, own.hidden, own.hidden, 1), seed=seed, leak=LEAK, copies=copies)


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    own, material = settings.cyclegan, Material.of(fitting, STAGE)
    members, size, classes = material.members(), material.rows.shape[1], fitting.classes
    whole = translators(own, size, 2 * classes, material.seed(STAGE, "translators"))
    both = torch.cat((members.present, members.present + classes))
    game = Cycle(
        material=material,
        members=members,
        public=public_rows(fitting.space).to(material.device),
        classifier=_classifier(material, own, settings.optimizer),
        translators=some_of(whole, both).to(material.device),
        critics=critics(own, size, len(both), material.seed(STAGE, "critics")).to(material.device),
        own=own,
        optimizer=settings.optimizer,
    )
    game.begin()
    game.play()
    towards = some_of(put_back(whole, both, game.translators), torch.arange(classes))
    return release_of({RELEASED: towards}, material.standard)


def _classifier(material: Material, own: CycleganConfig, optimizer: OptimizerConfig) -> Perceptron:
    """Trained on the site's rows; it then stands still, and says of made ones which emotion they have."""
    classes, weights = material.fitting.classes, material.weights()
    seed = material.seed(STAGE, "classifier")
    network = Perceptron((material.rows.shape[1], own.hidden, classes), seed=seed, leak=LEAK).to(material.device)

    def loss(draw: Draw, outputs: Tensor) -> Metrics:
        return {"loss": functional.cross_entropy(outputs, draw["labels"], weights)}

    def make(draw: Draw) -> Tensor:
        outputs: Tensor = network(material.rows[draw["values"]])
        return outputs

    phase = Phase("classifier", Adam(network.parameters(), own.learning_rate, optimizer), loss)
    draw = material.dealer(CLASSIFIER, own.batch, {}).draw
    play(Game(CLASSIFIER, {"classifier": network}, draw, make, [phase]), own.classifier, material.fitting.around)
    return network.requires_grad_(False)


@dataclass(frozen=True)
class Cycle:
    """Both games. A side is what the networks of an emotion translate from: first public speech, then the site's."""

    material: Material
    members: Members
    public: Tensor
    classifier: Perceptron
    translators: Perceptron
    critics: Perceptron
    own: CycleganConfig
    optimizer: OptimizerConfig

    def begin(self) -> None:
        """On the cycle alone."""

        def loss(draw: Draw, made: Tensor) -> Metrics:
            return {"loss": self.returned(draw, made)}

        phase = Phase("start", self._adam(self.translators), loss)
        self._play(START, {"translators": self.translators}, [phase], self.own.start)

    def play(self) -> None:
        """Critics, then both directions together."""
        networks = {"translators": self.translators, "critics": self.critics}
        phases = [
            Phase("critics", self._adam(self.critics), self.of_critics, self._rate, every=TURNS),
            Phase("generators", self._adam(self.translators), self.of_translators, self._rate),
        ]
        self._play(STAGE, networks, phases, self.own.iterations)

    def sides(self, draw: Draw) -> Tensor:
        """[2 * emotions, batch, size]: what goes in."""
        public = self.public[draw["public"].view(len(self.members), -1)]
        return torch.cat((public, self.material.rows[self.members.pick(draw["picked"])]))

    def translated(self, rows: Tensor) -> Tensor:
        """What comes out, [2 * emotions, batch, size]: rows of the other side."""
        changed: Tensor = rows + self.translators(rows)
        return changed

    def returned(self, draw: Draw, made: Tensor) -> Tensor:
        """(8): how far from where it began a row comes back; a mean over numbers, else its weight would hang on d."""
        return functional.mse_loss(other_side_first(self.translated(other_side_first(made))), self.sides(draw))

    def of_critics(self, draw: Draw, made: Tensor) -> Metrics:
        """(12) as meant, or (4): the real of the side that a row was turned into."""
        real, made = other_side_first(self.sides(draw)), made.detach()
        if self.own.divergence == "cross-entropy":
            of_real, of_made = self.critics(torch.cat((real, made), dim=1)).chunk(2, dim=1)
            target = torch.full_like(of_real, SMOOTH)
            told = functional.binary_cross_entropy_with_logits(of_real, target)
            return {"loss": told + functional.softplus(of_made).mean()}
        mixture = torch.cat((draw["mixture"], draw["other mixture"])).view(len(real), -1, 1)
        between = real + mixture * (made - real)
        return {"loss": wasserstein_divergence(self.critics, real, made, between, self.own.penalty, self.own.power)}

    def of_translators(self, draw: Draw, made: Tensor) -> Metrics:
        """(11), (13) and (14) as meant: believed, back where it began, and of the emotion that it was made for."""
        scores = self.critics(made)
        wished = scores.mean() if self.own.divergence == "wasserstein" else functional.softplus(-scores).mean()
        returned, present = self.returned(draw, made), self.members.present.to(made.device)
        heard = self.classifier(made[: len(present)]).flatten(0, 1)
        told = functional.cross_entropy(heard, present.repeat_interleave(made.shape[1]))
        loss = wished + self.own.cycle * returned + self.own.classification * told
        return {"loss": loss, "returned": returned, "told": told}

    def _rate(self, step: int) -> float:
        every = self.own.halve_every
        return self.own.learning_rate * (0.5 ** (step // every) if every else 1.0)

    def _adam(self, network: Perceptron) -> Adam:
        return Adam(network.parameters(), self.own.learning_rate, self.optimizer)

    def _play(self, stage: str, networks: dict[str, Perceptron], phases: list[Phase], steps: int) -> None:
        chances = {
            "public": _numbers_below(len(self.public)),
            "picked": uniform(),
            "mixture": uniform(),
            "other mixture": uniform(),
        }
        draw = self.material.dealer(stage, self.own.batch * len(self.members), chances).draw
        game = Game(stage, networks, draw, lambda draw: self.translated(self.sides(draw)), phases)
        play(game, steps, self.material.fitting.around)


def other_side_first(rows: Tensor) -> Tensor:
    """The two halves of a stack in the other order: a row that went over is now on the other side."""
    return torch.cat(tuple(reversed(rows.chunk(2))))


def _numbers_below(count: int) -> Chance:
    return lambda rows, stream: torch.randint(count, (rows,), generator=stream)


def _sampler(weights: Weights, settings: Settings, space: Space, classes: int, device: torch.device) -> Sampler:
    """Public speech by chance, farther from its mean or nearer, made over."""
    public = public_rows(space)
    stack = {RELEASED: translators(settings.cyclegan, space.shape[0], classes)}

    def drawn(count: int, stream: torch.Generator, scale: float) -> Tensor:
        return scale * public[torch.randint(len(public), (count,), generator=stream)]

    return StackSampler(weights, stack, drawn, device, residual=True)


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own, size = settings.cyclegan, space.shape[0]
    with torch.device("meta"):
        networks = [translators(own, size, 2 * classes), critics(own, size, 2 * classes)]
    steps = own.classifier + own.start + own.iterations
    return Cost(steps, dense_memory(networks, 8 * own.batch * classes * (3 * size + 6 * own.hidden)))


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Shilandari et al., 2022",
    about="Networks that turn vectors of public speech into each emotion, and others that turn them back.",
    released="for each emotion, the network that turns public speech into it",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=_cost,
    fit=_fit,
    shapes=lambda settings, space, classes: released_shapes(
        lambda: {RELEASED: translators(settings.cyclegan, space.shape[0], classes)}, space
    ),
    sampler=_sampler,
    numbers=lambda settings: numbers_of(settings.cyclegan, settings.optimizer),
    stages=(CLASSIFIER, START, STAGE),
)
