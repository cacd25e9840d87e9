"""Sets of features: the platform's own, and those of other people's extractors behind optional extras.

Owns which there are and how a setting names one. Must not know what is made of a vector.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from common.errors import UserError
from common.features.sets.feature_set import FeatureSet
from common.settings import Options, option_words

__all__ = ["FAMILIES", "FeatureSet", "feature_set", "licence_of"]

RESEARCH_ONLY = "audEERING Research License: research only, also for what is trained on its features"


def _own(which: str, options: Mapping[str, str]) -> FeatureSet:
    from common.features.functionals import NAMES, VERSION, functionals

    _refuse_options("functionals", options)
    if which:
        raise UserError("functionals are one set", where=which, remedy="set vectors.set = functionals")
    return FeatureSet("functionals", str(VERSION), "Apache-2.0", NAMES, functionals)


def _smile(which: str, options: Mapping[str, str]) -> FeatureSet:
    from common.features.sets.smile import smile_set

    return smile_set(which, options)


def _frozen(which: str, options: Mapping[str, str]) -> FeatureSet:
    from common.features.sets.frozen import frozen_set

    return frozen_set(which, options)


FAMILIES: Mapping[str, Callable[[str, Mapping[str, str]], FeatureSet]] = {
    "functionals": _own,
    "opensmile": _smile,
    "ssl": _frozen,
}
"""What stands before the colon of a set's name, and who makes it."""


LICENCES = {
    "functionals": "Apache-2.0",
    "opensmile": RESEARCH_ONLY,
    "ssl": "of the encoder, as its own card has it",
}


def licence_of(name: str) -> str:
    """Of what makes a set's numbers, by its name in a space; it follows what is trained on them.

    >>> licence_of("opensmile.IS11.0123456789ab")
    'audEERING Research License: research only, also for what is trained on its features'
    """
    return LICENCES.get(name.partition(".")[0], "unknown here")


@lru_cache(maxsize=8)
def feature_set(name: str, options: Options = ()) -> FeatureSet:
    """The set that settings name."""
    family, _, which = name.partition(":")
    if family not in FAMILIES:
        raise UserError("no such set of features", where=name, remedy=f"there are {', '.join(FAMILIES)}")
    return FAMILIES[family](which, option_words(options))


def _refuse_options(name: str, options: Mapping[str, str]) -> None:
    if options:
        raise UserError(f"{name} has no options", where=", ".join(options), remedy="leave vectors.options empty")
