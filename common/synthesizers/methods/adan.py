"""ADAN (Yi & Mak 2020): a GAN in the codes of an autoencoder that a classifier shapes.

An encoder E and a decoder R learn to write vectors down in few numbers; a classifier C holds these codes apart by
emotion; a generator G makes codes from noise and a wanted emotion, and a discriminator D tells its codes from E's. What
leaves is G and R. E, C and D have seen vectors of the site, and stay.

Owns the losses and their order (the paper's appendix). Must not know where vectors come from, nor what is done with
the result. `wadan` is the same game under another loss of D and G.

Most steps go to G and D, which are small: `autoencoder_every`. D is shown its codes under noise, for it would know a
session's seventy by heart, and G descends the form that does not saturate.

Rates and noise were chosen on four sessions of EMO-DB, each left out in turn while a linear SVM was trained on samples
of the others' fits (one seed); the fifth was not looked at. Less noise, the printed rate and 5e-4 were worse for ADAN
by more than the noise of such a score; for WADAN 1e-4 was. Stored runs on EMO-DB are no test of these choices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from common.networks.memory import dense_memory
from common.networks.perceptron import Perceptron
from common.settings import Count, OptimizerConfig, Positive, Rate, Section
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Cost, Fitting, Sampler, Shapes, Synthesizer, Weights
from common.synthesizers.vectors import ChainSampler, Material, as_in, numbers_of, one_hot, release_of, released_shapes
from common.training.adam import Adam
from common.training.draws import Chance, Draw, normal
from common.training.phases import Game, Phase, play
from common.training.recording import Metrics

STAGE = "adan"


class AdversarialAutoencoderConfig(Section):
    """What ADAN and WADAN have in common."""

    code: Positive = Field(100, le=4096, description="numbers in a code, M")
    noise: Positive = Field(100, le=4096, description="numbers in a latent")
    hidden: Positive = Field(800, le=8192, description="units in a layer of encoder and decoder")
    inner: Positive = Field(100, le=8192, description="units in a layer of generator, discriminator and classifier")
    iterations: Count = Field(3_600, description="of the game; below about 3,000 it has hardly begun")
    batch: Positive = 128
    learning_rate: Rate = Field(3e-4, description="of generator, discriminator and classifier; printed: 1e-4")
    autoencoder_rate: Rate = Field(3e-4, description="of encoder and decoder; printed: 1e-4")
    autoencoder_every: Positive = Field(
        10, description="encoder, decoder and classifier move in the first of so many steps; printed: in each"
    )
    classification: float = Field(
        1.0, ge=0, le=100, description="weight of the classifier's word in the generator's loss, alpha"
    )


class AdanConfig(AdversarialAutoencoderConfig):
    """Of ADAN alone."""

    saturating: bool = Field(
        False, description="whether the generator descends log(1 - D), as printed, instead of -log D"
    )
    instance_noise: float = Field(
        1.7,
        ge=0,
        le=4,
        description="of all codes that the discriminator is shown, in their own deviation: with less it knows the few "
        "real ones by heart, and the generator goes where it is blind; printed: none",
    )


class Settings(Section):
    """Of Adam, and of the game."""

    optimizer: OptimizerConfig = OptimizerConfig()
    adan: AdanConfig = AdanConfig()


@dataclass(frozen=True)
class Networks:
    """The five of them."""

    encoder: Perceptron
    decoder: Perceptron
    classifier: Perceptron
    generator: Perceptron
    discriminator: Perceptron

    @classmethod
    def fresh(
        cls, size: int, classes: int, own: AdversarialAutoencoderConfig, seed: Callable[[str], int] = lambda name: 0
    ) -> "Networks":
        """Two hidden layers each (section III)."""
        wide, inner = (own.hidden, own.hidden), (own.inner, own.inner)
        return cls(
            encoder=Perceptron((size, *wide, own.code), seed=seed("encoder")),
            decoder=Perceptron((own.code, *wide, size), seed=seed("decoder")),
            classifier=Perceptron((own.code, *inner, classes), seed=seed("classifier")),
            generator=Perceptron((own.noise + classes, *inner, own.code), seed=seed("generator")),
            discriminator=Perceptron((own.code, *inner, 1), seed=seed("discriminator")),
        )

    def released(self) -> dict[str, Perceptron]:
        """Those that leave, in the order in which a sample passes through them."""
        return {"generator": self.generator, "decoder": self.decoder}


class Codes:
    """What the encoder makes of every row, until it moves: it stands still in most steps, and a site has few rows."""

    def __init__(self, encoder: Perceptron, rows: Tensor) -> None:
        self._encoder, self._rows = encoder, rows
        self._known: tuple[Tensor, Tensor] | None = None

    def of(self, numbers: Tensor) -> Tensor:
        """Of rows by their numbers; no gradient goes on to the encoder."""
        return self._all()[0][numbers]

    @property
    def deviation(self) -> Tensor:
        """Of a number of a code, all alike."""
        return self._all()[1]

    @torch.no_grad()
    def _all(self) -> tuple[Tensor, Tensor]:
        if self._known is None:
            codes = self._encoder(self._rows)
            self._known = codes, codes.var(dim=0, correction=0).mean().sqrt()
        return self._known

    def forget(self) -> None:
        """The encoder is about to move."""
        self._known = None


Loss = Callable[[Draw, Tensor, Tensor], Tensor]
"""Of a discriminator: draw, codes of real rows, codes that were made."""
Wish = Callable[[Draw, Tensor], Tensor]
"""Of a generator: draw, codes that were made."""
Losses = Callable[[Perceptron, Codes], tuple[Loss, Wish]]
"""Of a discriminator, and of whoever wants to be taken for real by it."""


def train(
    material: Material,
    own: AdversarialAutoencoderConfig,
    optimizer: OptimizerConfig,
    stage: str,
    chances: Mapping[str, Chance],
    losses: Losses,
) -> Networks:
    """The game of the appendix: C, D, then R and E together, then G, one step of Adam each."""
    classes = material.fitting.classes
    nets = Networks.fresh(material.rows.shape[1], classes, own, lambda name: material.seed(stage, name))
    for network in vars(nets).values():
        network.to(material.device)
    codes, weights, labels = Codes(nets.encoder, material.rows), material.weights(), material.labels.to(material.device)
    discriminator_loss, generator_wish = losses(nets.discriminator, codes)
    everyone = torch.arange(len(material.rows), device=material.device)

    def make(draw: Draw) -> Tensor:
        made: Tensor = nets.generator(torch.cat((draw["latents"], one_hot(draw["wanted"], classes)), dim=1))
        return made

    def of_classifier(draw: Draw, made: Tensor) -> Metrics:
        outputs = nets.classifier(codes.of(draw["values"]))
        right = (outputs.argmax(dim=1) == draw["labels"]).float().mean()
        return {"loss": functional.cross_entropy(outputs, draw["labels"], weights), "right": right}

    def of_discriminator(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": discriminator_loss(draw, codes.of(draw["values"]), made.detach())}

    def of_autoencoder(draw: Draw, made: Tensor) -> Metrics:
        """(12) and (13) in one backward: the classifier's word reaches the encoder alone."""
        numbers = draw["values"] if len(draw["values"]) < len(everyone) else everyone
        rows, codes_now = material.rows[numbers], nets.encoder(material.rows[numbers])
        apart = functional.mse_loss(nets.decoder(codes_now), rows)
        told = functional.cross_entropy(nets.classifier(codes_now), labels[numbers], weights)
        codes.forget()
        return {"loss": apart + told, "apart": apart}

    def of_generator(draw: Draw, made: Tensor) -> Metrics:
        told = functional.cross_entropy(nets.classifier(made), draw["wanted"])
        return {"loss": generator_wish(draw, made) + own.classification * told, "told": told}

    def phase(name: str, networks: tuple[Perceptron, ...], loss: Callable[[Draw, Tensor], Metrics]) -> Phase:
        parameters = [parameter for network in networks for parameter in network.parameters()]
        rare = name in ("autoencoder", "classifier")
        rate = own.autoencoder_rate if name == "autoencoder" else own.learning_rate
        return Phase(name, Adam(parameters, rate, optimizer), loss, every=own.autoencoder_every if rare else 1)

    all_chances = {"latents": normal(own.noise), "wanted": as_in(material.labels), **chances}
    phases = [
        phase("classifier", (nets.classifier,), of_classifier),
        phase("discriminator", (nets.discriminator,), of_discriminator),
        phase("autoencoder", (nets.decoder, nets.encoder), of_autoencoder),
        phase("generator", (nets.generator,), of_generator),
    ]
    draw = material.dealer(stage, own.batch, all_chances).draw
    play(Game(stage, vars(nets), draw, make, phases, replayable=False), own.iterations, material.fitting.around)
    material.tell_encoder(stage, nets.encoder)
    return nets


def _losses(own: AdanConfig) -> Losses:
    """(10), and (14) as printed or in the form that does not saturate."""

    def of(discriminator: Perceptron, codes: Codes) -> tuple[Loss, Wish]:
        def noisy(shown: Tensor, draw: Draw, name: str) -> Tensor:
            return shown + own.instance_noise * codes.deviation * draw[name] if own.instance_noise else shown

        def loss(draw: Draw, real: Tensor, made: Tensor) -> Tensor:
            return of_two(discriminator(noisy(real, draw, "on real")), discriminator(noisy(made, draw, "on fake")))

        def wish(draw: Draw, made: Tensor) -> Tensor:
            return taken_for_real(discriminator(noisy(made, draw, "on believed")), saturating=own.saturating)

        return loss, wish

    return of


def of_two(of_real: Tensor, of_fake: Tensor) -> Tensor:
    """Binary cross-entropy of a discriminator: one for the first, zero for the second."""
    return functional.softplus(-of_real).mean() + functional.softplus(of_fake).mean()


def taken_for_real(of_fake: Tensor, *, saturating: bool = False) -> Tensor:
    """What a generator descends: -log D, or log(1 - D), whose slope is gone where the fake is told at once."""
    return -functional.softplus(of_fake).mean() if saturating else functional.softplus(-of_fake).mean()


def _chances(own: AdanConfig) -> dict[str, Chance]:
    names = ("on real", "on fake", "on believed") if own.instance_noise else ()
    return dict.fromkeys(names, normal(own.code))


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    own, material = settings.adan, Material.of(fitting, STAGE)
    networks = train(material, own, settings.optimizer, STAGE, _chances(own), _losses(own))
    return release_of(networks.released(), material.standard)


def shapes(own: AdversarialAutoencoderConfig, space: Space, classes: int) -> Shapes:
    """Of generator and decoder."""
    return released_shapes(lambda: Networks.fresh(space.shape[0], classes, own).released(), space)


def sampler(
    weights: Weights, own: AdversarialAutoencoderConfig, space: Space, classes: int, device: torch.device
) -> Sampler:
    """Noise and a wanted emotion through the generator, and its code through the decoder."""
    networks = Networks.fresh(space.shape[0], classes, own).released()

    def latent(rows: Tensor, wanted: Tensor) -> Tensor:
        return torch.cat((rows, one_hot(wanted, classes)), dim=1)

    return ChainSampler(weights, networks, latent, own.noise, device)


def cost(own: AdversarialAutoencoderConfig, space: Space, classes: int) -> Cost:
    """A step of a small dense network is far cheaper than one of the paper's tuning."""
    with torch.device("meta"):
        networks = vars(Networks.fresh(space.shape[0], classes, own)).values()
    between = 4 * own.batch * (4 * own.hidden + 8 * own.inner + 2 * space.shape[0])
    return Cost(own.iterations, dense_memory(list(networks), between))


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Yi and Mak, IEEE TNNLS 2020",
    about="A GAN in the codes of an autoencoder: its codes become vectors through the decoder.",
    released="the generator of codes and the decoder of the autoencoder",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=lambda settings, space, classes: cost(settings.adan, space, classes),
    fit=_fit,
    shapes=lambda settings, space, classes: shapes(settings.adan, space, classes),
    sampler=lambda weights, settings, space, classes, device: sampler(weights, settings.adan, space, classes, device),
    numbers=lambda settings: numbers_of(settings.adan, settings.optimizer),
    stages=(STAGE,),
)
