"""Which space a run is in, and the features of speech there.

Owns the choice between patches and vectors, which follows from the methods. Must not know what a method does.
"""

from typing import Protocol

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.building import Progress
from common.features.cache import Features, features_for
from common.features.vectors import VectorFeatures, identity_of_vectors, space_of_vectors, vectors_for
from common.settings import FeatureConfig, MethodsConfig, RuntimeConfig, VectorConfig, hash_identity
from common.spaces import PATCHES, Patches, Space, Vectors

SpeechFeatures = Features | VectorFeatures
WORDS: dict[type[Patches] | type[Vectors], str] = {Patches: "patches", Vectors: "vectors"}


class FeatureSettings(Protocol):
    """How speech becomes examples, in either space; a configuration and a site both say it."""

    @property
    def features(self) -> FeatureConfig:
        """Of patches."""
        ...

    @property
    def vectors(self) -> VectorConfig:
        """Of vectors."""
        ...


class MethodSettings(FeatureSettings, Protocol):
    """And which methods read them."""

    @property
    def methods(self) -> MethodsConfig:
        """A synthesizer and a recognizer."""
        ...


def space_of(config: MethodSettings) -> Space:
    """The space of a configuration's synthesizer and recognizer, which have one in common."""
    from common.recognizers import recognizer  # registries stand above features
    from common.synthesizers import synthesizer

    reads, makes = recognizer(config.methods.recognizer), synthesizer(config.methods.synthesizer)
    kinds = reads.spaces & makes.spaces
    if not kinds:
        raise UserError(
            f"the recognizer {reads.name} reads {_words(reads.spaces)}, the synthesizer {makes.name} makes "
            f"{_words(makes.spaces)}",
            where=f"methods.recognizer = {reads.name}, methods.synthesizer = {makes.name}",
            remedy="set one of them to a method of the other's kind: `eyesoff synthesizers` lists them",
        )
    return space_of_kinds(kinds, config)


def space_made(config: MethodSettings) -> Space:
    """The space of what a configuration's synthesizer makes, whoever reads it."""
    from common.recognizers import recognizer
    from common.synthesizers import synthesizer

    makes, reads = synthesizer(config.methods.synthesizer).spaces, recognizer(config.methods.recognizer).spaces
    return space_of_kinds(makes & reads or makes, config)


def space_of_kinds(kinds: frozenset[type[Patches] | type[Vectors]], settings: FeatureSettings) -> Space:
    """Patches, where a method takes both."""
    return PATCHES if Patches in kinds else space_of_vectors(settings.vectors)


def identity_in(space: Space, settings: FeatureSettings) -> str:
    """Names how speech becomes examples of a space."""
    if isinstance(space, Vectors):
        return identity_of_vectors(settings.vectors)
    return hash_identity(settings.features.model_dump(mode="json"))


def features_in(
    space: Space,
    manifest: Manifest,
    settings: FeatureSettings,
    runtime: RuntimeConfig,
    progress: Progress | None = None,
    *,
    skip_bad: bool = False,
) -> SpeechFeatures:
    """The features of a manifest in a space, from the cache or extracted into it."""
    if isinstance(space, Vectors):
        return vectors_for(manifest, settings.vectors, runtime, progress, space=space, skip_bad=skip_bad)
    return features_for(manifest, settings.features, runtime, progress, skip_bad=skip_bad)


def _words(kinds: frozenset[type[Patches] | type[Vectors]]) -> str:
    return " and ".join(sorted(WORDS[kind] for kind in kinds))
