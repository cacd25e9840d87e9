"""A training part that is balanced where its recordings are: filled up, changed, or with some left out.

Owns the way from a plan to examples of either space. Must not know who trains on them, nor a way's own rule.

Changed recordings are scaled as their own session is: what was changed moves no mean.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from common.augmentation.plans import PlanName, lacking, signal_plan, undersampled
from common.augmentation.sounds import Background, Sound, changed_sounds
from common.augmentation.vectors import METHODS
from common.corpora.audio import load
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.cache import Features
from common.features.extractor import LogMel
from common.features.patches import PatchSource
from common.features.scaling import Scaling, needed
from common.features.sets import feature_set
from common.features.silence import fault_of, trimmed
from common.features.spaces import FeatureSettings, SpeechFeatures
from common.features.spectrum import Spectrum
from common.features.vectors import VectorFeatures, VectorSource
from common.settings import AtSite
from common.threads import one_thread
from common.training.draws import Examples, everything
from common.training.mixture import Rows, Together
from common.training.standard import standard_for

PLANS: tuple[PlanName, ...] = get_args(PlanName)
Look = Callable[[int, int], object]
"""Is told how many are made, of how many."""


def enriched(
    features: SpeechFeatures,
    settings: FeatureSettings,
    scaling: Scaling | None,
    method: AtSite,
    most_of_one: int,
    background: Background,
    seed: int,
    look: Look = lambda done, total: None,
) -> Examples:
    """Speech with more made of it, until its emotions are alike in number or no more may be made of a recording."""
    if method in PLANS:
        return with_changes(features, settings, scaling, method, background, seed, look, most_of_one)
    if not isinstance(features, VectorFeatures):
        remedy = f"choose one of {', '.join(PLANS)}, or methods of vectors"
        raise UserError(f"{method} makes vectors, and this fit reads patches", remedy=remedy)
    classes = _classes(features.manifest)
    counts = np.bincount(classes, minlength=len(features.manifest.labels))
    wanted = [lacking(int(count), int(counts.max()), most_of_one) if count else 0 for count in counts]
    real = features.examples(scaling, seed, balanced=False)
    if not any(wanted):
        return real
    made = made_of(features, method, np.repeat(np.arange(len(counts)), wanted), seed)
    return Together(real, made, (len(classes), len(made)), seed)


def made_of(features: VectorFeatures, method: str, wanted: NDArray[np.int64], seed: int) -> Rows:
    """By a method of vectors, an example of each wanted class."""
    whole = everything(features.examples(None, 0, balanced=False))
    standard = standard_for(features.space, whole.values)
    rows = whole.values if standard is None else standard.apply(whole.values)
    names = features.manifest.labels
    made = METHODS[method](rows.numpy(), whole.labels.numpy(), wanted, names, seed=seed)
    values = torch.from_numpy(made).float()
    return Rows(values if standard is None else standard.undo(values), torch.from_numpy(wanted), seed)


def without_some(features: SpeechFeatures, scaling: Scaling | None, ratio: float, seed: int) -> Examples:
    """No class larger than the smallest one over the ratio."""
    return _kept(features, scaling, undersampled(_classes(features.manifest), ratio, seed=seed), seed)


def with_changes(
    features: SpeechFeatures,
    settings: FeatureSettings,
    scaling: Scaling | None,
    name: PlanName,
    background: Background,
    seed: int,
    look: Look = lambda done, total: None,
    most_of_one: int | None = None,
) -> Examples:
    """Each class as large as the largest, by changed recordings; `look` is told of each that was made."""
    plan = signal_plan(name, _classes(features.manifest), seed=seed, most_of_one=most_of_one)
    clean = _kept(features, scaling, plan.clean, seed)
    if not plan.changed:
        return clean
    sources = [one.source for one in plan.changed]
    trim = settings.vectors.trim if isinstance(features, VectorFeatures) else settings.features.trim
    sounds = changed_sounds(plan, partial(_recording, features.manifest, trim), background, seed=seed)
    made = _heard(features, settings, scaling, sources, _told(sounds, len(sources), look), seed)
    return Together(clean, made, (len(plan.clean), len(plan.changed)), seed)


def _classes(manifest: Manifest) -> NDArray[np.int64]:
    return np.array([manifest.label_index(one) for one in manifest.utterances])


def _kept(
    features: SpeechFeatures, scaling: Scaling | None, numbers: Sequence[int] | NDArray[np.int64], seed: int
) -> Examples:
    utterances = features.manifest.utterances
    part = replace(features.manifest, utterances=tuple(utterances[number] for number in numbers))
    if isinstance(features, VectorFeatures):
        return VectorSource(features.scaled[torch.from_numpy(np.array(numbers))], part, seed)
    return PatchSource(features.of(part), part, needed(scaling), seed, offsets=_offsets(features, numbers))


def _offsets(features: Features, numbers: Sequence[int] | NDArray[np.int64]) -> Spectrum | None:
    """Of these utterances, by all of their session."""
    return None if features.offsets is None else features.offsets[np.array(numbers, dtype=np.int64)]


def _recording(manifest: Manifest, trim: float, number: int) -> Sound:
    """As its features hear it: silence at the ends would be filled with noise."""
    one = manifest.utterances[number]
    return trimmed(load(manifest.root / one.file, one.part), trim)


def _told(sounds: Iterable[Sound], total: int, look: Look) -> Iterator[Sound]:
    for done, sound in enumerate(sounds, start=1):
        look(done, total)
        yield sound


def _heard(
    features: SpeechFeatures,
    settings: FeatureSettings,
    scaling: Scaling | None,
    sources: Sequence[int],
    sounds: Iterable[Sound],
    seed: int,
) -> Examples:
    """The features of sounds that lie in no file, each with the emotion and the session of its source."""
    utterances = features.manifest.utterances
    numbered = (replace(utterances[source], path=f"{place:09}") for place, source in enumerate(sources))
    manifest = replace(features.manifest, utterances=tuple(numbered))
    with threadpool_limits(1), one_thread():
        if isinstance(features, VectorFeatures):
            own = feature_set(settings.vectors.set, settings.vectors.options)
            rows = np.stack([own.extract(_usable(sound)) for sound in sounds])
            return VectorSource(features.scaled_as(rows, sources), manifest, seed)
        extractor = LogMel(settings.features)
        mels = [extractor(torch.from_numpy(sound)).to("cpu", torch.float16).numpy() for sound in sounds]
        return PatchSource(mels, manifest, needed(scaling), seed, offsets=_offsets(features, sources))


def _usable(sound: Sound) -> Sound:
    if fault := fault_of(sound):
        raise UserError(f"a changed recording is {fault}", remedy="leave its recording out, or set vectors.trim lower")
    return sound
