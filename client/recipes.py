"""Recipes in words: those of the shipped presets, and what is unusual about another.

Owns what a steward reads before accepting one. Must not know what a policy grants.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from client.bounds import Bounds, recipe_numbers, values_of
from common.augmentation import STAYS
from common.config.loading import PRESETS, load_config
from common.config.tree import Config
from common.features.spaces import space_made
from common.settings import MADE_OF_ONE
from common.spaces import Vectors
from common.synthesizers import synthesizer
from common.synthesizers.synthesizer import Privacy
from common.wire import Precision, Recipe
from common.wire.terms import asked_form


def recipe_of(config: Config) -> Recipe:
    """What a configuration asks of a site."""
    method = synthesizer(config.methods.synthesizer)
    return Recipe(
        synthesizer=method.name,
        settings=method.settings_of(config).model_dump(mode="json"),
        space=space_made(config),
        **asked_form(config.finetuning.released_as, config.release),
        distilled=config.release.distilled,
        summed=config.release.summed,
        augmentation=config.methods.augmentation,
        made_of_one=config.methods.made_of_one if config.methods.augmentation != "none" else MADE_OF_ONE,
    )


def sets_one(tree: Mapping[str, Any], config: Config) -> bool:
    """Whether a file's tree tells anything of the recipe of its configuration, which else is made of defaults."""
    named = tree.get("methods", {}).keys() & {"synthesizer", "augmentation"}
    return bool(named) or any(tree.get(section) for section in _sections_of(config))


def _sections_of(config: Config) -> frozenset[str]:
    """The sections of a configuration of which its recipe is made, beside its methods."""
    method = synthesizer(config.methods.synthesizer)
    space = {"vectors"} if isinstance(space_made(config), Vectors) else set()
    return frozenset({"finetuning", "release", *method.Settings.model_fields, *space})


@lru_cache(maxsize=1)
def preset_recipes() -> dict[str, str]:
    """Digest to preset, for the recipes that come with this installation."""
    return {recipe_of(load_config(preset)).digest: preset for preset in PRESETS}


def describe(recipe: Recipe) -> list[str]:
    """A recipe in plain words: the synthesizer, then every setting with its meaning."""
    method = synthesizer(recipe.synthesizer)
    leaves = f"{method.released}, {form_in_words(recipe)}, and nothing else of the tuning"
    if recipe.summed:
        leaves = f"numbers under masks that fall in a sum over sites alone; of the sum is made: {leaves}"
    lines = [f"synthesizer: {method.name} ({method.paper}): {method.about}", f"what leaves: {leaves}"]
    if promised := promise_of(recipe):
        lines.append(f"differential privacy: {promised}; a site's budget pays for it once and for ever")
    if recipe.distilled:
        lines.append("after the tuning these directions are trained to make what the whole makes; that reads no speech")
    if recipe.augmentation != "none":
        lines.append(
            f"before the fit: {recipe.augmentation}, at most {recipe.made_of_one} made of one recording on average; "
            f"{STAYS[recipe.augmentation]}, so none of it leaves but through the fit"
        )
    return lines + [f"{place} = {value}" for place, value in _flat(recipe.settings)]


def form_in_words(recipe: Recipe) -> str:
    """The form of a release."""
    if recipe.form.is_whole:
        return f"in {recipe.precision.value}"
    kept = "" if recipe.rank == "full" else f"{recipe.rank} directions of each layer's difference to public networks, "
    return f"{kept}in {'8 bits' if recipe.form.eight_bit else recipe.precision.value}"


def promise_of(recipe: Recipe) -> Privacy | None:
    """Of differential privacy; settings that could not be run promise nothing."""
    method = synthesizer(recipe.synthesizer)
    try:
        return method.privacy(method.Settings.model_validate(recipe.settings))
    except ValidationError:
        return None


def _flat(settings: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        here = f"{place}.{name}" if place else name
        if isinstance(value, Mapping):
            yield from _flat(value, here)
        else:
            yield here, value


def unusual(recipe: Recipe, bounds: Bounds) -> list[str]:
    """What a steward should think about, a line each; the shipped presets have none of it under the default bounds."""
    presets = [recipe_numbers(recipe_of(load_config(preset))) for preset in PRESETS]
    numbers = recipe_numbers(recipe)
    lines = [] if numbers else [f"{recipe.synthesizer} tells no numbers of its own: no bounds hold for its settings"]
    for name, told in numbers.items():
        known = [value for preset in presets if name in preset for value in values_of(preset[name])]
        shipped = f"have {min(known):g} to {max(known):g}" if known else "have no such number"
        for value in values_of(told):
            if outside := bounds.outside({name: value}):
                lines.append(f"{outside[0]}: the bounds of this site refuse it")
            elif not known or not min(known) <= value <= max(known):
                lines.append(f"{name} is {value:g}; the shipped presets {shipped}")
    if recipe.precision is Precision.FP32:
        lines.append("fp32 weights carry more of the data than 16 bits do")
    return lines
