"""Recipes in words: those of the shipped presets, and what is unusual about another.

Owns what a steward reads before accepting one. Must not know what a policy grants.
"""

from functools import lru_cache

from client.bounds import Bounds, recipe_numbers
from common.config.loading import PRESETS, load_config
from common.config.tree import Config
from common.wire import Precision, Recipe


def recipe_of(config: Config) -> Recipe:
    """What a configuration asks of a site."""
    tuning = config.finetuning
    return Recipe(
        network=config.network,
        optimizer=config.optimizer,
        finetuning=tuning,
        precision=Precision[tuning.released_as.upper()],
    )


@lru_cache(maxsize=1)
def preset_recipes() -> dict[str, str]:
    """Digest to preset, for the recipes that come with this installation."""
    return {recipe_of(load_config(preset)).digest: preset for preset in PRESETS}


def describe(recipe: Recipe) -> list[str]:
    """A recipe in plain words, a line a fact."""
    network, tuning = recipe.network, recipe.finetuning
    likeness = f"{', '.join(tuning.likeness)} (weight {tuning.likeness_weight:g})" if tuning.likeness else "none"
    return [
        f"synthesizer: {recipe.synthesizer}, at {network.width:g} of the paper's width; a latent of {network.noise} "
        f"numbers, conditions times {network.condition_gain:g}, leak {network.leak:g}",
        f"training: {tuning.iterations} steps of {tuning.batch} utterances, emotions drawn "
        + ("evenly" if tuning.balanced else "as often as they occur"),
        f"learning rates: generator {tuning.generator_learning_rate:g}, "
        f"discriminator {tuning.discriminator_learning_rate:g}; Adam with betas "
        f"{recipe.optimizer.beta1:g} and {recipe.optimizer.beta2:g}",
        f"noise before the discriminator: {tuning.instance_noise:g}; average of the generator: {tuning.average:g}",
        f"gradient penalty: {tuning.penalty:g}; changes to what the discriminator is shown: "
        + (", ".join(tuning.augmentation) or "none"),
        f"layers of the discriminator left as they came: {tuning.frozen_layers}; the condition's weights begin "
        + ("at zero" if tuning.even_start else "by chance"),
        f"statistics that the generator is held to: {likeness}",
        f"what leaves: the tuned generator's weights in {recipe.precision.value}, and nothing else of the tuning",
    ]


def unusual(recipe: Recipe, bounds: Bounds) -> list[str]:
    """What a steward should think about, a line each; the shipped presets have none of it under the default bounds."""
    presets = [recipe_numbers(recipe_of(load_config(preset))) for preset in PRESETS]
    lines = []
    for name, value in recipe_numbers(recipe).items():
        known = [preset[name] for preset in presets]
        if outside := bounds.outside({name: value}):
            lines.append(f"{outside[0]}: the bounds of this site refuse it")
        elif not min(known) <= value <= max(known):
            lines.append(f"{name} is {value:g}; the shipped presets have {min(known):g} to {max(known):g}")
    if recipe.precision is Precision.FP32:
        lines.append("fp32 weights carry more of the data than 16 bits do")
    if not recipe.finetuning.balanced:
        lines.append("emotions are drawn as often as they occur, so the release tells something of how many there are")
    if recipe.finetuning.even_start and recipe.finetuning.frozen_layers:
        lines.append("frozen layers with an even start keep the networks closer to what the server chose")
    return lines
