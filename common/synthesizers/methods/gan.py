"""A plain GAN for each emotion (Yi & Mak 2020, III-A): it knows no labels, so there are as many as emotions.

Owns the game of one pair an emotion, all pairs in one stack. Must not know where vectors come from. The paper leaves
open how a GAN without labels makes labelled samples; one an emotion is the plain answer. An emotion that the site lacks
has a pair that nothing moves.

Of 600 steps at 1e-4, 600 at 5e-4 and 300 at 5e-4, the last read as well as any on training sessions of EMO-DB that
were held out (`--protocol held-out-session`, one seed), in half the time: that is the default. All read badly, and 400
units in a layer worse than 800.
"""

import torch
from pydantic import Field
from torch import Tensor

from common.networks.memory import dense_memory
from common.networks.perceptron import Perceptron
from common.settings import Count, OptimizerConfig, Positive, Rate, Section
from common.spaces import Space, Vectors
from common.synthesizers.methods.adan import of_two, taken_for_real
from common.synthesizers.synthesizer import Cost, Fitting, Synthesizer, Weights
from common.synthesizers.vectors import (
    Material,
    StackSampler,
    normal_rows,
    numbers_of,
    put_back,
    release_of,
    released_shapes,
    some_of,
)
from common.training.adam import Adam
from common.training.draws import Draw, normal, uniform
from common.training.phases import Game, Phase, play
from common.training.recording import Metrics

STAGE, RELEASED = "gan", "generators"


class GanConfig(Section):
    """Sizes are open in the paper, but for those of its other networks."""

    noise: Positive = Field(100, le=4096, description="numbers in a latent")
    hidden: Positive = Field(800, le=8192, description="units in a layer of a generator; open in the paper")
    inner: Positive = Field(100, le=8192, description="units in a layer of a discriminator; open in the paper")
    iterations: Count = Field(300, description="open in the paper")
    batch: Positive = Field(128, description="rows in a step, shared evenly among the emotions")
    learning_rate: Rate = Field(5e-4, description="open in the paper")


class Settings(Section):
    """Of Adam, and of the game."""

    optimizer: OptimizerConfig = OptimizerConfig()
    gan: GanConfig = GanConfig()


def _generators(own: GanConfig, size: int, classes: int, seed: int = 0) -> Perceptron:
    return Perceptron((own.noise, own.hidden, own.hidden, size), seed=seed, copies=classes)


def _discriminators(own: GanConfig, size: int, classes: int, seed: int = 0) -> Perceptron:
    return Perceptron((size, own.inner, own.inner, 1), seed=seed, copies=classes)


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    own, material, classes = settings.gan, Material.of(fitting, STAGE), fitting.classes
    size, members = material.rows.shape[1], material.members()
    everyone = _generators(own, size, classes, material.seed(STAGE, "generators"))
    judges = _discriminators(own, size, classes, material.seed(STAGE, "discriminators"))
    generators = some_of(everyone, members.present).to(material.device)
    discriminators = some_of(judges, members.present).to(material.device)

    def make(draw: Draw) -> Tensor:
        made: Tensor = generators(draw["latents"].unflatten(0, (len(members), -1)))
        return made

    def of_discriminators(draw: Draw, made: Tensor) -> Metrics:
        real = material.rows[members.pick(draw["picked"])]
        outputs = discriminators(torch.cat((real, made.detach()), dim=1))
        return {"loss": of_two(*outputs.chunk(2, dim=1))}

    def of_generators(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": taken_for_real(discriminators(made))}

    batch = max(own.batch // len(members), 1) * len(members)
    draw = material.dealer(STAGE, batch, {"latents": normal(own.noise), "picked": uniform()}).draw
    phases = [
        Phase(name, Adam(network.parameters(), own.learning_rate, settings.optimizer), loss)
        for name, network, loss in (
            ("discriminator", discriminators, of_discriminators),
            ("generator", generators, of_generators),
        )
    ]
    networks = {"generators": generators, "discriminators": discriminators}
    play(Game(STAGE, networks, draw, make, phases), own.iterations, fitting.around)
    return release_of({RELEASED: put_back(everyone, members.present, generators)}, material.standard)


def _sampler(weights: Weights, settings: Settings, space: Space, classes: int, device: torch.device) -> StackSampler:
    own = settings.gan
    return StackSampler(weights, {RELEASED: _generators(own, space.shape[0], classes)}, normal_rows(own.noise), device)


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own, size = settings.gan, space.shape[0]
    with torch.device("meta"):
        networks = [_generators(own, size, classes), _discriminators(own, size, classes)]
    return Cost(own.iterations, dense_memory(networks, 4 * own.batch * (2 * own.hidden + 2 * own.inner + 2 * size)))


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Yi and Mak, IEEE TNNLS 2020, after Goodfellow et al. 2014",
    about="A plain GAN of vectors for each emotion.",
    released="the generator of each emotion",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=_cost,
    fit=_fit,
    shapes=lambda settings, space, classes: released_shapes(
        lambda: {RELEASED: _generators(settings.gan, space.shape[0], classes)}, space
    ),
    sampler=_sampler,
    numbers=lambda settings: numbers_of(settings.gan, settings.optimizer),
    stages=(STAGE,),
)
