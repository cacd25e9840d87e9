"""The paper's three stages (section 3.2), each as short as its paragraph.

Owns losses and what a stage carries over. Must not know where patches come from, nor what is done with the result.
What a stage is given stays as it was; what it returns is new.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from common.config.tree import AdversarialConfig, Config, FinetuningConfig
from common.networks import Discriminator, Generator, exchange_head
from common.networks.penalty import scores_and_penalty
from common.seeds import derive_seed, torch_stream
from common.training.adam import Adam
from common.training.averaging import Average
from common.training.draws import Chance, Dealer, Draw, Patches, Tape, normal, one_of, require_labels, uniform
from common.training.likeness import energy_distance
from common.training.phases import Game, Phase, Surroundings, play
from common.training.recording import Metrics

AUTOENCODER, ADVERSARIAL, FINETUNING = "autoencoder", "adversarial", "finetuning"
NOISES = ON_REAL, ON_FAKE, ON_BELIEVED = "noise on real", "noise on fake", "noise on believed"
"""Names of the noise over what a discriminator is shown: real, fake to be told apart, fake to be believed."""
SHOWN = 8
"""Patches in a row of a stage's picture."""


@dataclass(frozen=True)
class Pair:
    """A generator and the discriminator it was trained against; in the autoencoder, decoder and encoder."""

    generator: Generator
    discriminator: Discriminator

    @classmethod
    def fresh(cls, config: Config) -> "Pair":
        """Untrained networks, the same for the same seed."""
        seed = derive_seed(config.seed, "networks")
        return cls(Generator(config.network, seed=seed), Discriminator(config.network, 1, seed=seed))

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


def train_autoencoder(pair: Pair, patches: Patches, config: Config, seed: int, around: Surroundings) -> Pair:
    """Reconstruction under L1 alone: the discriminator encodes, the generator decodes, the condition is zero."""
    settings = config.pretraining.autoencoder
    pair = pair.for_stage(AUTOENCODER, config.network.noise, seed, around)
    parameters = [*pair.generator.parameters(), *pair.discriminator.parameters()]
    dealer = _dealer(patches, AUTOENCODER, settings.batch, {}, seed, around)
    example = patches.batch(0, SHOWN, "picture").patches.to(around.acceleration.device)

    def decode(real: Tensor) -> Tensor:
        code = pair.discriminator(real)
        return _generate(pair.generator, code, code.new_zeros(len(code), config.network.classes))

    def loss(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": functional.l1_loss(made, draw["patches"])}

    @torch.no_grad()
    def picture() -> tuple[Tensor, int]:
        return torch.cat((example, decode(example))), SHOWN

    optimizer = Adam(parameters, settings.learning_rate, config.optimizer)
    game = Game(
        AUTOENCODER,
        pair.named(),
        dealer.draw,
        make=lambda draw: decode(draw["patches"]),
        phases=[Phase("autoencoder", optimizer, loss)],
        picture=picture,
    )
    play(game, settings.iterations, around)
    return pair


def train_adversarial(pair: Pair, patches: Patches, config: Config, seed: int, around: Surroundings) -> Pair:
    """WGAN-GP: one output tells real from fake; equal steps, unequal rates; the condition is still zero."""
    settings = config.pretraining.adversarial
    pair = pair.for_stage(ADVERSARIAL, 1, seed, around)
    generator, critic = pair.generator, pair.discriminator
    average = Average(generator, settings.average) if settings.average else None

    def make(draw: Draw) -> Tensor:
        latents = draw["latents"]
        return _generate(generator, latents, latents.new_zeros(len(latents), config.network.classes))

    def critic_loss(draw: Draw, made: Tensor) -> Metrics:
        fake, real = made.detach(), draw["patches"]
        between = torch.lerp(fake, real, draw["mix"])
        scores, penalty = scores_and_penalty(critic, torch.cat((fake, real)), between)
        fake_score, real_score = scores.float().flatten().chunk(2)
        distance = real_score.mean() - fake_score.mean()
        return {"loss": settings.penalty * penalty - distance, "distance": distance, "penalty": penalty}

    def generator_loss(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": -critic(made).float().mean()}

    chances = {"latents": normal(config.network.noise), "mix": uniform(1, 1, 1)}
    condition = torch.zeros(SHOWN, config.network.classes)
    game = Game(
        ADVERSARIAL,
        pair.named(),
        _dealer(patches, ADVERSARIAL, settings.batch, chances, seed, around).draw,
        make,
        _phases(pair, critic_loss, generator_loss, settings, config),
        average,
        picture=_fixed_latents(generator, average, condition, config, seed, around),
    )
    play(game, settings.iterations, around)
    return Pair(average.network() if average else generator, critic)


def finetune(pair: Pair, patches: Patches, config: Config, seed: int, around: Surroundings) -> Pair:
    """Emotions: the condition is one-hot, and K + 1 outputs name the emotion of the real or call it fake.

    The generator descends the cross-entropy of being taken for the emotion it was asked for.
    """
    settings = config.finetuning
    classes = config.network.classes
    require_labels(patches, FINETUNING)
    pair = pair.for_stage(FINETUNING, classes + 1, seed, around)
    generator, discriminator = pair.generator, pair.discriminator
    generator.gain = settings.condition_gain
    if settings.even_start:
        generator.forget_conditions()
    average = Average(generator, settings.average) if settings.average else None
    chances: dict[str, Chance] = {"latents": normal(config.network.noise), "wanted": one_of(classes)}
    if settings.instance_noise:
        device = around.acceleration.device
        chances |= {one: Tape(settings.batch, device, torch_stream(seed, FINETUNING, one)) for one in NOISES}

    def make(draw: Draw) -> Tensor:
        return _generate(generator, draw["latents"], functional.one_hot(draw["wanted"], classes).float())

    def show(shown: Tensor, draw: Draw, noise: str) -> Tensor:
        return shown + settings.instance_noise * draw[noise] if settings.instance_noise else shown

    def discriminator_loss(draw: Draw, made: Tensor) -> Metrics:
        real, fake = show(draw["patches"], draw, ON_REAL), show(made.detach(), draw, ON_FAKE)
        outputs = discriminator(torch.cat((real, fake))).float()
        targets = torch.cat((draw["labels"], torch.full_like(draw["labels"], classes)))
        loss = functional.cross_entropy(outputs, targets)
        right = (outputs.argmax(dim=1) == targets).float().chunk(2)
        return {"loss": loss, "real_right": right[0].mean(), "fake_right": right[1].mean()}

    def generator_loss(draw: Draw, made: Tensor) -> Metrics:
        loss = functional.cross_entropy(discriminator(show(made, draw, ON_BELIEVED)).float(), draw["wanted"])
        if not settings.likeness:
            return {"loss": loss}
        apart = energy_distance(draw["patches"], draw["labels"], made, draw["wanted"], settings.likeness)
        return {"loss": loss + apart, "apart": apart}

    condition = torch.eye(classes).repeat_interleave(SHOWN, dim=0)
    game = Game(
        FINETUNING,
        pair.named(),
        _dealer(patches, FINETUNING, settings.batch, chances, seed, around).draw,
        make,
        _phases(pair, discriminator_loss, generator_loss, settings, config),
        average,
        picture=_fixed_latents(generator, average, condition, config, seed, around),
    )
    play(game, settings.iterations, around)
    return Pair(average.network() if average else generator, discriminator)


def _generate(generator: Generator, latents: Tensor, condition: Tensor) -> Tensor:
    """Patches in fp32, whatever the forward was computed in."""
    patches: Tensor = generator(latents, condition)
    return patches.float()


Loss = Callable[[Draw, Tensor], Metrics]


def _phases(
    pair: Pair,
    discriminator_loss: Loss,
    generator_loss: Loss,
    settings: AdversarialConfig | FinetuningConfig,
    config: Config,
) -> list[Phase]:
    """The discriminator moves first, then the generator, once each; their rates differ."""
    judge = Adam(pair.discriminator.parameters(), settings.discriminator_learning_rate, config.optimizer)
    forger = Adam(pair.generator.parameters(), settings.generator_learning_rate, config.optimizer)
    return [
        Phase("discriminator", judge, discriminator_loss),
        Phase("generator", forger, generator_loss),
    ]


def _dealer(
    patches: Patches, stage: str, batch: int, chances: Mapping[str, Chance], seed: int, around: Surroundings
) -> Dealer:
    return Dealer(patches, stage, seed, batch, chances, around.share, around.acceleration.device)


def _fixed_latents(
    generator: Generator,
    average: Average | None,
    condition: Tensor,
    config: Config,
    seed: int,
    around: Surroundings,
) -> Callable[[], tuple[Tensor, int]]:
    """The same latents at every snapshot, so that pictures can be compared; one row of them a condition."""
    stream = torch_stream(seed, "picture")
    device = around.acceleration.device
    rows = len(condition) // SHOWN
    latents = torch.randn(SHOWN, config.network.noise, generator=stream).repeat(rows, 1).to(device)
    condition = condition.to(device)

    @torch.no_grad()
    def picture() -> tuple[Tensor, int]:
        shown = average.network() if average else generator
        return _generate(shown, latents, condition), SHOWN

    return picture
