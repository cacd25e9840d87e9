"""Floors and lids for every number that a server may choose: what not even an accepted recipe may pass.

Owns the numbers of a recipe and the bounds of a policy. Must not know which recipes a site has accepted.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from common.settings import Section
from common.synthesizers import synthesizer
from common.synthesizers.synthesizer import Numbers
from common.weights import largest_rank
from common.wire import Recipe, Scoring, Tuning


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lid {bounds[1]:g} is below the floor {bounds[0]:g}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]


class Bounds(Section):
    """Each a floor and a lid, both granted. The shipped presets lie within the default ones."""

    steps: Range = Field((100, 50_000), description="training steps; few of them copy what they saw")
    batch: Range = Field((16, 128), description="utterances in a step; a few could be told apart")
    width: Range = Field((0.01, 1), description="of the networks; 1 is the paper's")
    latent: Range = Field((16, 1024), description="numbers in a latent")
    preparation: Range = Field((0, 50_000), description="training steps before the game")
    every: Range = Field((0, 50_000), description="steps between two moves of a network, or two halvings of a rate")
    code: Range = Field((2, 4096), description="numbers in an autoencoder's code")
    radius: Range = Field((0.1, 100), description="of the circle on which the means of a mixture lie")
    hidden: Range = Field((16, 4096), description="units in a dense layer")
    weight: Range = Field((0, 1000), description="of one part of a loss beside the others")
    power: Range = Field((1, 12), description="to which a critic's slope is raised")
    momentum: Range = Field((0, 0.99), description="of plain gradient descent")
    condition_gain: Range = Field((0.5, 20), description="what a condition is multiplied by")
    leak: Range = Field((0.05, 0.5), description="slope of the leaky ReLU below zero")
    generator_rate: Range = Field((1e-7, 2e-3), description="the generator's learning rate")
    discriminator_rate: Range = Field((1e-7, 5e-3), description="the discriminator's learning rate")
    descent_rate: Range = Field((1e-7, 0.2), description="learning rate of plain gradient descent")
    beta1: Range = Field((0.3, 0.95), description="Adam's; at 0 a step is the gradient of its batch alone")
    beta2: Range = Field((0.9, 0.9999), description="Adam's, likewise")
    instance_noise: Range = Field((0, 2), description="deviation of the noise before the discriminator")
    average: Range = Field((0, 0.9999), description="decay of the averaged generator")
    dropout: Range = Field((0, 0.9), description="share of a layer's outputs that a step leaves out")
    rank: Range = Field((0, 64), description="directions of a covariance; many of few recordings span them")
    release_rank: Range = Field(
        (1, 4096), description="directions that leave of each layer; a whole release has all of its largest layer's"
    )
    shrinkage: Range = Field((0.02, 1), description="share of a covariance that is moved to its diagonal")
    epsilon: Range = Field((0, 8), description="of differential privacy that a release may ask for")
    delta: Range = Field((0, 1e-5), description="of the same")
    made_of_one: Range = Field((1, 8), description="what augmentation makes of one recording; many teach it by heart")
    scaling_low: Range = Field((-30, -5), description="log-mel level that becomes -1")
    scaling_high: Range = Field((-5, 20), description="log-mel level that becomes 1")
    window_hop: Range = Field((32, 32), description="frames between the windows of a scoring")
    variety: Range = Field((0.02, 1e12), description="deviation of what the networks make from latent to latent")
    saturation: Range = Field((0, 0.5), description="share of what the networks make at the ends of its range")
    gradient: Range = Field(
        (0.01, 1e12),
        description="of a first step over noise, in units of Adam's epsilon, in the layer where it is least; far below "
        "1 a step hands over the gradient itself",
    )

    def outside(self, numbers: Numbers) -> list[str]:
        """Each number that passes its bounds, or has none, in words."""
        return list(self._outside(numbers))

    def _outside(self, numbers: Numbers) -> Iterator[str]:
        for name, told in numbers.items():
            if name not in Bounds.model_fields:
                yield f"{name} has no bounds here, so no value of it is granted"
                continue
            floor, lid = getattr(self, name)
            for value in values_of(told):
                if not floor <= value <= lid:
                    yield f"{name} is {value:g}, not within {floor:g} to {lid:g}"


def values_of(told: float | tuple[float, ...]) -> tuple[float, ...]:
    """Each value of a number once."""
    return tuple(dict.fromkeys(told)) if isinstance(told, tuple) else (told,)


def recipe_numbers(recipe: Recipe) -> Numbers:
    """What a recipe asks for, by the names of the bounds, as its synthesizer tells them."""
    method = synthesizer(recipe.synthesizer)
    numbers = method.numbers(method.Settings.model_validate(recipe.settings))
    return numbers if recipe.augmentation == "none" else {**numbers, "made_of_one": recipe.made_of_one}


def tuning_numbers(tuning: Tuning) -> Numbers:
    """What a tuning asks for: its recipe's numbers, its scaling, and how much of each layer leaves."""
    scaling, own, classes = tuning.scaling, tuning.own, len(tuning.labels)
    told = {} if scaling is None else {"scaling_low": scaling.low, "scaling_high": scaling.high}
    if tuning.method.is_based(own, classes):
        form, shapes = tuning.form, tuning.method.shapes(own, tuning.space, classes)
        told["release_rank"] = form.rank or largest_rank(shapes)
    return {**recipe_numbers(tuning.recipe), **told}


def scoring_numbers(scoring: Scoring) -> Numbers:
    """What a scoring asks for."""
    return scoring.method.numbers(scoring.own)
