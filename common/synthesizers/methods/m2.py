"""M2 (Sahu et al.): M1 with a second discriminator, which tells rows that the decoder makes from real ones.

Owns no more than that choice; all else is `m1`, its numbers too. On training sessions of EMO-DB that were held out, 200
steps at twice the rates read worse than these 400, and half the width reads alike (one seed).
"""

from torch import Tensor

from common.settings import OptimizerConfig, Section
from common.spaces import Vectors
from common.synthesizers.methods import m1
from common.synthesizers.methods.m1 import RELEASED, MixtureConfig
from common.synthesizers.synthesizer import Fitting, Synthesizer
from common.synthesizers.vectors import Material, numbers_of, release_of

STAGE = "m2"


class Settings(Section):
    """Of Adam, and of the games."""

    optimizer: OptimizerConfig = OptimizerConfig()
    m2: MixtureConfig = MixtureConfig()


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    material = Material.of(fitting, STAGE)
    decoder = m1.train(material, settings.m2, settings.optimizer, STAGE, second=True)
    return release_of({RELEASED: decoder}, material.standard)


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Sahu et al., 2018 and 2020",
    about="M1 whose decoder also has to deceive a discriminator of vectors.",
    released="the decoder of the autoencoder",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=lambda settings, space, classes: m1.mixture_cost(settings.m2, space, classes, second=True),
    fit=_fit,
    shapes=lambda settings, space, classes: m1.mixture_shapes(settings.m2, space, classes),
    sampler=lambda weights, settings, space, classes, device: m1.mixture_sampler(
        weights, settings.m2, space, classes, device
    ),
    numbers=lambda settings: numbers_of(settings.m2, settings.optimizer),
    stages=(STAGE,),
)
