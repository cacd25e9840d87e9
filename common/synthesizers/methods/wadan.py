"""WADAN (Yi & Mak 2020): ADAN whose discriminator is a critic under the Wasserstein divergence.

Owns that loss and its two constants. Must not know more: networks, order and release are those of `adan`.

Two misprints of the paper are mended. In its (17) the norm of the slope has a power, not an index (Wu et al. 2018); in
its Algorithm 1 a point between real and made lies between codes, not between a vector and a code. Its signs stand: the
critic puts the real low and the made high, and the generator descends.
"""

from pydantic import Field
from torch import Tensor

from common.networks.penalty import wasserstein_divergence
from common.networks.perceptron import Perceptron
from common.settings import OptimizerConfig, Section
from common.spaces import Vectors
from common.synthesizers.methods import adan
from common.synthesizers.methods.adan import AdversarialAutoencoderConfig, Codes, Loss, Losses, Wish
from common.synthesizers.synthesizer import Fitting, Synthesizer
from common.synthesizers.vectors import Material, numbers_of, release_of
from common.training.draws import Draw, uniform

STAGE = "wadan"


class WadanConfig(AdversarialAutoencoderConfig):
    """Of WADAN alone."""

    penalty: float = Field(10.0, ge=0, le=1000, description="weight of the critic's slope, lambda")
    power: float = Field(5.0, ge=1, le=12, description="to which the slope is raised, p")


class Settings(Section):
    """Of Adam, and of the game."""

    optimizer: OptimizerConfig = OptimizerConfig()
    wadan: WadanConfig = WadanConfig()


def losses(own: WadanConfig) -> Losses:
    """(17) and (18)."""

    def of(critic: Perceptron, codes: Codes) -> tuple[Loss, Wish]:
        def loss(draw: Draw, real: Tensor, made: Tensor) -> Tensor:
            between = real + draw["mixture"] * (made - real)
            return wasserstein_divergence(critic, real, made, between, own.penalty, own.power)

        return loss, lambda draw, made: critic(made).mean()

    return of


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    own, material = settings.wadan, Material.of(fitting, STAGE)
    networks = adan.train(material, own, settings.optimizer, STAGE, {"mixture": uniform(1)}, losses(own))
    return release_of(networks.released(), material.standard)


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Yi and Mak, IEEE TNNLS 2020",
    about="ADAN under the Wasserstein divergence.",
    released="the generator of codes and the decoder of the autoencoder",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=lambda settings, space, classes: adan.cost(settings.wadan, space, classes),
    fit=_fit,
    shapes=lambda settings, space, classes: adan.shapes(settings.wadan, space, classes),
    sampler=lambda weights, settings, space, classes, device: adan.sampler(
        weights, settings.wadan, space, classes, device
    ),
    numbers=lambda settings: numbers_of(settings.wadan, settings.optimizer),
    stages=(STAGE,),
)
