"""The paper's two unlabelled stages (section 3.2), each as short as its paragraph, and what all three share.

Owns losses and what a stage carries over. Must not know where patches come from, nor what is done with the result.
What a stage is given stays as it was; what it returns is new. The third stage, which sees emotional speech, is
`common.synthesizers.methods.eskimez`.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from common.networks import Discriminator, Generator, exchange_head, learned_weights
from common.networks.penalty import scores_and_penalty
from common.seeds import derive_seed, torch_stream
from common.settings import AdversarialConfig, AutoencoderConfig, FinetuningConfig, NetworkConfig, OptimizerConfig
from common.training.adam import Adam
from common.training.averaging import Average
from common.training.draws import Chance, Dealer, Draw, Examples, normal, uniform
from common.training.phases import Game, Phase, Surroundings, play
from common.training.recording import Metrics

AUTOENCODER, ADVERSARIAL = "autoencoder", "adversarial"
SHOWN = 8
"""Patches in a row of a stage's picture."""


@dataclass(frozen=True)
class Pair:
    """A generator and the discriminator it was trained against; in the autoencoder, decoder and encoder."""

    generator: Generator
    discriminator: Discriminator

    @classmethod
    def fresh(cls, network: NetworkConfig, classes: int, seed: int) -> "Pair":
        """Untrained networks, the same for the same seed."""
        seed = derive_seed(seed, "networks")
        return cls(Generator(network, classes=classes, seed=seed), Discriminator(network, 1, seed=seed))

    def for_stage(self, stage: str, outputs: int, seed: int, around: Surroundings) -> "Pair":
        """A copy on the training device whose discriminator has a fresh head; everything else is carried over."""
        head_seed = derive_seed(seed, stage, "head")
        return Pair(
            around.acceleration.prepare(copy.deepcopy(self.generator)),
            around.acceleration.prepare(exchange_head(self.discriminator, outputs, head_seed)),
        )

    def named(self) -> dict[str, Generator | Discriminator]:
        """Both, as a checkpoint names them."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def learned(self) -> dict[str, Tensor]:
        """All that training made of both, as the base of a tuning."""
        return {
            f"{name}.{key}": value
            for name, network in self.named().items()
            for key, value in learned_weights(network.state_dict()).items()
        }


def train_autoencoder(
    pair: Pair,
    patches: Examples,
    settings: AutoencoderConfig,
    optimizer: OptimizerConfig,
    seed: int,
    around: Surroundings,
) -> Pair:
    """Reconstruction under L1 alone: the discriminator encodes, the generator decodes, the condition is zero."""
    pair = pair.for_stage(AUTOENCODER, pair.generator.noise, seed, around)
    parameters = [*pair.generator.parameters(), *pair.discriminator.parameters()]
    dealer = dealer_for(patches, AUTOENCODER, settings.batch, {}, seed, around)
    example = patches.batch(0, SHOWN, "picture").values.to(around.acceleration.device)

    def decode(real: Tensor) -> Tensor:
        code = pair.discriminator(real)
        return generate(pair.generator, code, code.new_zeros(len(code), pair.generator.classes))

    def loss(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": functional.l1_loss(made, draw["values"])}

    @torch.no_grad()
    def picture() -> tuple[Tensor, int]:
        return torch.cat((example, decode(example))), SHOWN

    adam = Adam(parameters, settings.learning_rate, optimizer)
    game = Game(
        AUTOENCODER,
        pair.named(),
        dealer.draw,
        make=lambda draw: decode(draw["values"]),
        phases=[Phase("autoencoder", adam, loss)],
        picture=picture,
    )
    play(game, settings.iterations, around)
    return pair


def train_adversarial(
    pair: Pair,
    patches: Examples,
    settings: AdversarialConfig,
    optimizer: OptimizerConfig,
    seed: int,
    around: Surroundings,
) -> Pair:
    """WGAN-GP: one output tells real from fake; equal steps, unequal rates; the condition is still zero."""
    pair = pair.for_stage(ADVERSARIAL, 1, seed, around)
    generator, critic = pair.generator, pair.discriminator
    average = Average(generator, settings.average) if settings.average else None

    def make(draw: Draw) -> Tensor:
        latents = draw["latents"]
        return generate(generator, latents, latents.new_zeros(len(latents), generator.classes))

    def critic_loss(draw: Draw, made: Tensor) -> Metrics:
        fake, real = made.detach(), draw["values"]
        between = torch.lerp(fake, real, draw["mix"])
        scores, penalty = scores_and_penalty(critic, torch.cat((fake, real)), between)
        fake_score, real_score = scores.float().flatten().chunk(2)
        distance = real_score.mean() - fake_score.mean()
        return {"loss": settings.penalty * penalty - distance, "distance": distance, "penalty": penalty}

    def generator_loss(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": -critic(made).float().mean()}

    chances = {"latents": normal(generator.noise), "mix": uniform(1, 1, 1)}
    condition = torch.zeros(SHOWN, generator.classes)
    game = Game(
        ADVERSARIAL,
        pair.named(),
        dealer_for(patches, ADVERSARIAL, settings.batch, chances, seed, around).draw,
        make,
        two_phases(pair, critic_loss, generator_loss, settings, optimizer),
        average,
        picture=fixed_latents(generator, average, condition, seed, around),
    )
    play(game, settings.iterations, around)
    return Pair(average.network() if average else generator, critic)


def generate(generator: Generator, latents: Tensor, condition: Tensor) -> Tensor:
    """Patches in fp32, whatever the forward was computed in."""
    patches: Tensor = generator(latents, condition)
    return patches.float()


Loss = Callable[[Draw, Tensor], Metrics]


def two_phases(
    pair: Pair,
    discriminator_loss: Loss,
    generator_loss: Loss,
    settings: AdversarialConfig | FinetuningConfig,
    optimizer: OptimizerConfig,
) -> list[Phase]:
    """The discriminator moves first, then the generator, once each; their rates differ."""
    trained = [parameter for parameter in pair.discriminator.parameters() if parameter.requires_grad]
    return [
        Phase("discriminator", Adam(trained, settings.discriminator_learning_rate, optimizer), discriminator_loss),
        Phase(
            "generator",
            Adam(pair.generator.parameters(), settings.generator_learning_rate, optimizer),
            generator_loss,
        ),
    ]


def dealer_for(
    patches: Examples, stage: str, batch: int, chances: Mapping[str, Chance], seed: int, around: Surroundings
) -> Dealer:
    """Draws a stage's steps."""
    return Dealer(patches, stage, seed, batch, chances, around.share, around.acceleration.device)


def fixed_latents(
    generator: Generator,
    average: Average | None,
    condition: Tensor,
    seed: int,
    around: Surroundings,
) -> Callable[[], tuple[Tensor, int]]:
    """The same latents at every snapshot, so that pictures can be compared; one row of them a condition."""
    stream = torch_stream(seed, "picture")
    device = around.acceleration.device
    rows = len(condition) // SHOWN
    latents = torch.randn(SHOWN, generator.noise, generator=stream).repeat(rows, 1).to(device)
    condition = condition.to(device)

    @torch.no_grad()
    def picture() -> tuple[Tensor, int]:
        shown = average.network() if average else generator
        return generate(shown, latents, condition), SHOWN

    return picture
