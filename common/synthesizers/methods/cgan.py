"""A conditional GAN (Yi & Mak 2020, III-B, after Mirza & Osindero 2014): the wanted emotion beside the noise.

Owns its losses. Must not know where vectors come from. It may fail: the paper itself finds that it collapses, and so do
we. It stands beside the others for that comparison.
"""

import torch
from pydantic import Field
from torch import Tensor

from common.networks.memory import dense_memory
from common.networks.perceptron import Perceptron
from common.settings import Count, OptimizerConfig, Positive, Rate, Section
from common.spaces import Space, Vectors
from common.synthesizers.methods.adan import of_two, taken_for_real
from common.synthesizers.synthesizer import Cost, Fitting, Sampler, Shapes, Synthesizer, Weights
from common.synthesizers.vectors import ChainSampler, Material, as_in, numbers_of, one_hot, release_of, released_shapes
from common.training.adam import Adam
from common.training.draws import Draw, normal
from common.training.phases import Game, Phase, play
from common.training.recording import Metrics

STAGE, RELEASED = "cgan", "generator"


class CganConfig(Section):
    """Sizes are open in the paper, but for those of its other networks."""

    noise: Positive = Field(100, le=4096, description="numbers in a latent")
    hidden: Positive = Field(800, le=8192, description="units in a layer of the generator; open in the paper")
    inner: Positive = Field(100, le=8192, description="units in a layer of the discriminator; open in the paper")
    iterations: Count = Field(600, description="open in the paper")
    batch: Positive = 128
    learning_rate: Rate = 1e-4


class Settings(Section):
    """Of Adam, and of the game."""

    optimizer: OptimizerConfig = OptimizerConfig()
    cgan: CganConfig = CganConfig()


def _generator(own: CganConfig, size: int, classes: int, seed: int = 0) -> Perceptron:
    return Perceptron((own.noise + classes, own.hidden, own.hidden, size), seed=seed)


def _discriminator(own: CganConfig, size: int, classes: int, seed: int = 0) -> Perceptron:
    return Perceptron((size + classes, own.inner, own.inner, 1), seed=seed)


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    """(5) and (6): both networks are told the emotion."""
    own, material, classes = settings.cgan, Material.of(fitting, STAGE), fitting.classes
    size = material.rows.shape[1]
    generator = _generator(own, size, classes, material.seed(STAGE, "generator")).to(material.device)
    discriminator = _discriminator(own, size, classes, material.seed(STAGE, "discriminator")).to(material.device)

    def make(draw: Draw) -> Tensor:
        made: Tensor = generator(torch.cat((draw["latents"], one_hot(draw["wanted"], classes)), dim=1))
        return made

    def judged(rows: Tensor, labels: Tensor) -> Tensor:
        outputs: Tensor = discriminator(torch.cat((rows, one_hot(labels, classes)), dim=1))
        return outputs

    def of_discriminator(draw: Draw, made: Tensor) -> Metrics:
        real = judged(material.rows[draw["values"]], draw["labels"])
        return {"loss": of_two(real, judged(made.detach(), draw["wanted"]))}

    def of_generator(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": taken_for_real(judged(made, draw["wanted"]))}

    draw = material.dealer(STAGE, own.batch, {"latents": normal(own.noise), "wanted": as_in(material.labels)}).draw
    phases = [
        Phase(name, Adam(network.parameters(), own.learning_rate, settings.optimizer), loss)
        for name, network, loss in (
            ("discriminator", discriminator, of_discriminator),
            ("generator", generator, of_generator),
        )
    ]
    networks = {"generator": generator, "discriminator": discriminator}
    play(Game(STAGE, networks, draw, make, phases), own.iterations, fitting.around)
    return release_of({RELEASED: generator}, material.standard)


def _sampler(weights: Weights, settings: Settings, space: Space, classes: int, device: torch.device) -> Sampler:
    own = settings.cgan

    def latent(rows: Tensor, wanted: Tensor) -> Tensor:
        return torch.cat((rows, one_hot(wanted, classes)), dim=1)

    return ChainSampler(weights, {RELEASED: _generator(own, space.shape[0], classes)}, latent, own.noise, device)


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    return released_shapes(lambda: {RELEASED: _generator(settings.cgan, space.shape[0], classes)}, space)


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own, size = settings.cgan, space.shape[0]
    with torch.device("meta"):
        networks = [_generator(own, size, classes), _discriminator(own, size, classes)]
    return Cost(own.iterations, dense_memory(networks, 4 * own.batch * (2 * own.hidden + 2 * own.inner + 2 * size)))


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Yi and Mak, IEEE TNNLS 2020, after Mirza and Osindero 2014",
    about="A conditional GAN of vectors: the wanted emotion beside the noise.",
    released="the generator",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=_cost,
    fit=_fit,
    shapes=_shapes,
    sampler=_sampler,
    numbers=lambda settings: numbers_of(settings.cgan, settings.optimizer),
    stages=(STAGE,),
)
