"""The paper's synthesizer (Eskimez et al. 2020): a pre-trained pair is tuned, and its generator is released.

Stage three of section 3.2: one-hot conditions against a K+1 softmax. A generator that was pre-trained and not yet tuned
is asked for no emotion: class -1, whose condition is zero.

Owns the tuning's losses, and how latents and conditions become patches. Must not know where patches come from, nor what
is done with the result.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.networks import Discriminator, Generator, exchange_head, generator_shapes, load_learned
from common.networks.acceleration import prepare
from common.networks.generator import release_weights
from common.networks.memory import TUNING_SHOWS, pair_memory
from common.seeds import torch_stream
from common.settings import FinetuningConfig, NetworkConfig, OptimizerConfig, Section
from common.space import SIDE
from common.spaces import Patches, Space
from common.synthesizers.synthesizer import Cost, Distilling, Fitting, Numbers, Shapes, Synthesizer, Weights
from common.training.adam import EPSILON
from common.training.averaging import Average
from common.training.distillation import distilled
from common.training.draws import Chance, Draw, Examples, Tape, normal, one_of, require_labels
from common.training.likeness import energy_distance
from common.training.phases import Game, Surroundings, play
from common.training.recording import Metrics
from common.training.stages import SHOWN, Loss, Pair, dealer_for, fixed_latents, generate, two_phases

FINETUNING = "finetuning"
NOISES = ON_REAL, ON_FAKE, ON_BELIEVED = "noise on real", "noise on fake", "noise on believed"
"""Names of the noise over what a discriminator is shown: real, fake to be told apart, fake to be believed."""
AT_ONCE = 64
"""Patches in one forward: few enough for a small machine, and the same everywhere, since sums depend on it."""
LOOKED_AT = 16
"""Patches of noise with which a base is looked at."""
FAINT, FAINT_TO_USUAL = 0.01, 200.0
"""In a gradient that nobody shaped, one weight in a hundred has less than a two-hundredth of the root mean square."""
SATURATED = 0.999
"""From where on a value is at the end of its range."""


class Settings(Section):
    """Of the networks, of Adam, and of the tuning."""

    network: NetworkConfig = NetworkConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    finetuning: FinetuningConfig = FinetuningConfig()


def finetune(
    pair: Pair,
    patches: Examples,
    settings: Settings,
    seed: int,
    around: Surroundings,
    known: Sequence[int] | None = None,
) -> Pair:
    """Emotions: the condition is one-hot, and K + 1 outputs name the emotion of the real or call it fake.

    The generator descends the cross-entropy of being taken for the emotion it was asked for: one of the known, which
    are all where none are named. Of another one nobody could tell it anything, and its condition stays as it began.
    """
    tuning, classes = settings.finetuning, pair.generator.classes
    require_labels(patches, FINETUNING)
    pair = pair.for_stage(FINETUNING, classes + 1, seed, around)
    generator, discriminator = pair.generator, pair.discriminator
    generator.gain = tuning.condition_gain
    if tuning.even_start:
        generator.forget_conditions()
    average = Average(generator, tuning.average) if tuning.average else None
    chances: dict[str, Chance] = {"latents": normal(generator.noise), "wanted": one_of(known or range(classes))}
    if tuning.instance_noise:
        device = around.acceleration.device
        chances |= {one: Tape(tuning.batch, device, torch_stream(seed, FINETUNING, one)) for one in NOISES}

    def make(draw: Draw) -> Tensor:
        return generate(generator, draw["latents"], functional.one_hot(draw["wanted"], classes).float())

    condition = torch.eye(classes).repeat_interleave(SHOWN, dim=0)
    game = Game(
        FINETUNING,
        pair.named(),
        dealer_for(patches, FINETUNING, tuning.batch, chances, seed, around).draw,
        make,
        two_phases(pair, *_finetuning_losses(discriminator, tuning, classes), tuning, settings.optimizer),
        average,
        picture=fixed_latents(generator, average, condition, seed, around),
    )
    play(game, tuning.iterations, around)
    return Pair(average.network() if average else generator, discriminator)


def _finetuning_losses(discriminator: Discriminator, tuning: FinetuningConfig, classes: int) -> tuple[Loss, Loss]:
    """Of the discriminator and of the generator."""

    def show(shown: Tensor, draw: Draw, noise: str) -> Tensor:
        return shown + tuning.instance_noise * draw[noise] if tuning.instance_noise else shown

    def discriminator_loss(draw: Draw, made: Tensor) -> Metrics:
        real, fake = show(draw["values"], draw, ON_REAL), show(made.detach(), draw, ON_FAKE)
        outputs = discriminator(torch.cat((real, fake))).float()
        targets = torch.cat((draw["labels"], torch.full_like(draw["labels"], classes)))
        loss = functional.cross_entropy(outputs, targets)
        right = (outputs.argmax(dim=1) == targets).float().chunk(2)
        return {"loss": loss, "real_right": right[0].mean(), "fake_right": right[1].mean()}

    def generator_loss(draw: Draw, made: Tensor) -> Metrics:
        loss = functional.cross_entropy(discriminator(show(made, draw, ON_BELIEVED)).float(), draw["wanted"])
        if not tuning.likeness:
            return {"loss": loss}
        apart = energy_distance(draw["values"], draw["labels"], made, draw["wanted"], tuning.likeness)
        return {"loss": loss + apart, "apart": apart}

    return discriminator_loss, generator_loss


def pair_of(base: Weights, network: NetworkConfig, classes: int) -> Pair:
    """The networks of a base; the vectors of their norms are found here, whatever came with them."""
    pair = Pair(Generator(network, classes=classes), Discriminator(network, 1))
    for name, one in pair.named().items():
        prefix = f"{name}."
        load_learned(one, {key.removeprefix(prefix): value for key, value in base.items() if key.startswith(prefix)})
    return pair


class ConditionalSampler:
    """A generator as it was released: its weights carry their spectral norm folded in."""

    def __init__(
        self, weights: Weights, network: NetworkConfig, classes: int, device: torch.device | None = None
    ) -> None:
        self._device = device or torch.device("cpu")
        self.latent, self._classes = network.noise, classes
        with torch.device("meta"):
            generator = Generator(network, classes=classes, normalized=False)
        generator.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
        self._generator = prepare(generator, self._device).requires_grad_(False)

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Patches of the wanted emotions; latents are drawn on the CPU so that every device sees the same."""
        latents = latent_scale * torch.randn(len(wanted), self.latent, generator=stream)
        return self.decode(latents, wanted)

    def decode(self, latents: Tensor, wanted: Tensor) -> Tensor:
        """Patches [n, 1, 128, 128] of given latents [n, N_z], which may repeat under several emotions."""
        return torch.cat(list(self._forwards(latents, wanted)))

    def made(self, latents: Tensor, wanted: Tensor) -> Tensor:
        """The same of a few, differentiable in the latents."""
        conditions = functional.one_hot(wanted + 1, 1 + self._classes)[:, 1:].float()
        patches: Tensor = self._generator(latents.to(self._device), conditions.to(self._device))
        return patches.float().cpu()

    @torch.inference_mode()
    def _forwards(self, latents: Tensor, wanted: Tensor) -> Iterator[Tensor]:
        for latent, classes in zip(latents.split(AT_ONCE), wanted.split(AT_ONCE), strict=True):
            yield self.made(latent, classes)


def gradient_over_epsilon(pair: Pair) -> float:
    """How large a first step's gradient is over noise, in units of Adam's epsilon; of the layer where it is least.

    Adam divides a gradient by its own size and epsilon. Far above epsilon a step tells signs alone; networks made so
    that their gradients fall below it hand over the gradient itself, and with it what it was computed from.
    """
    classes = pair.generator.classes
    stream = torch_stream(0, "looking at a base")
    noise = 2 * torch.rand(LOOKED_AT, 1, SIDE, SIDE, generator=stream) - 1
    wanted = torch.arange(LOOKED_AT) % classes
    generator, discriminator = copy.deepcopy(pair.generator), exchange_head(pair.discriminator, classes + 1, 0)
    latents = torch.randn(LOOKED_AT, generator.noise, generator=stream)
    made = generator(latents, functional.one_hot(wanted, classes).float())
    targets = torch.cat((wanted, torch.full_like(wanted, classes)))
    functional.cross_entropy(discriminator(torch.cat((noise, made.detach()))), targets).backward()
    least = _sizes(discriminator)
    discriminator.zero_grad()
    functional.cross_entropy(discriminator(made), wanted).backward()
    sizes = torch.stack([*least, *_sizes(generator)])
    return float(sizes.min()) / EPSILON  # of which one that is no number makes none


def _sizes(network: nn.Module) -> list[Tensor]:
    """The root mean square of each layer's gradient, or less where a loud part of it would hide a faint one."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.ndim > 1]
    return [_size(gradient.flatten()) for gradient in gradients if gradient is not None]


def _size(gradient: Tensor) -> Tensor:
    faint = gradient.abs().kthvalue(max(round(FAINT * len(gradient)), 1)).values
    return torch.minimum(gradient.square().mean().sqrt(), FAINT_TO_USUAL * faint)


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    examples = fitting.examples(True)
    # Nobody else holds the pair, so that it goes when the tuning has its own copy: the base is in memory already.
    tuned = finetune(
        pair_of(fitting.base, settings.network, fitting.classes),
        examples,
        settings,
        fitting.seed,
        fitting.around,
        fitting.known,
    )
    return release_weights(tuned.generator)


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    tuning = settings.finetuning
    return Cost(tuning.iterations, pair_memory(settings.network, tuning.batch, TUNING_SHOWS, classes))


@cache  # each letter is held against them
def _shapes_of_pair(network: NetworkConfig, classes: int) -> Shapes:
    with torch.device("meta"):
        pair = Pair(Generator(network, classes=classes), Discriminator(network, 1))
    return MappingProxyType({name: tuple(value.shape) for name, value in pair.learned().items()})


def _base(settings: Settings, classes: int) -> Shapes:
    return _shapes_of_pair(settings.network, classes)


def reference(base: Weights, settings: NetworkConfig, classes: int) -> dict[str, Tensor]:
    """The generator that nobody tuned: of its condition's weights nothing is known, so they count as zero."""
    generator = pair_of(base, settings, classes).generator
    generator.forget_conditions()
    return release_weights(generator)


def _distil(whole: Distilling, settings: Settings) -> dict[str, Tensor]:
    given = whole.weights, whole.public, whole.form
    return distilled(*given, settings.network, whole.seed, whole.around, whole.held)


def _probe(base: Weights, settings: Settings, classes: int) -> Mapping[str, float]:
    """How the networks look to noise; those that training made look usual."""
    pair = pair_of(base, settings.network, classes)
    latents = torch.randn(LOOKED_AT, pair.generator.noise, generator=torch_stream(1, "looking at a base"))
    with torch.inference_mode():
        made = pair.generator(latents, torch.zeros(LOOKED_AT, classes))
    return {
        "variety": float(made.std(dim=0).mean()),
        "saturation": float((made.abs() > SATURATED).float().mean()),
        "gradient": gradient_over_epsilon(pair),
    }


def _numbers(settings: Settings) -> Numbers:
    network, optimizer, tuning = settings.network, settings.optimizer, settings.finetuning
    return {
        "steps": tuning.iterations,
        "batch": tuning.batch,
        "width": network.width,
        "latent": network.noise,
        "condition_gain": tuning.condition_gain,
        "leak": network.leak,
        "generator_rate": tuning.generator_learning_rate,
        "discriminator_rate": tuning.discriminator_learning_rate,
        "beta1": optimizer.beta1,
        "beta2": optimizer.beta2,
        "instance_noise": tuning.instance_noise,
        "average": tuning.average,
    }


SYNTHESIZER = Synthesizer(
    name="eskimez",
    paper="Eskimez et al., Interspeech 2020",
    about="A conditional GAN, pre-trained on public speech and tuned to emotional speech under one-hot conditions.",
    released="the tuned generator",
    Settings=Settings,
    spaces=frozenset({Patches}),
    cost=_cost,
    fit=_fit,
    shapes=lambda settings, space, classes: generator_shapes(settings.network, classes),
    sampler=lambda weights, settings, space, classes, device: ConditionalSampler(
        weights, settings.network, classes, device
    ),
    base=_base,
    reference=lambda base, settings, classes: reference(base, settings.network, classes),
    probe=_probe,
    numbers=_numbers,
    stages=(FINETUNING,),
    distil=_distil,
)
