"""Recognizers of every mode: what each is trained on, and how it does on the session that was left out.

Owns the sources of training patches and the seeds of both. Must not know how a synthesizer was fitted.

Seeds are those of `eyesoff simulate`, so that its federated and its real scores are this comparison's too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from common.features.patches import Batch, PatchSource
from common.files import atomic_json
from common.networks import Discriminator
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.seeds import derive_seed
from common.synthesizers import Sampler, synthesizer
from common.training.checkpoint import read_tensors, save_tensors
from common.training.draws import Patches
from common.training.recognizer import RECOGNIZER, new_recognizer, train_recognizer
from server.pool import FreshPool, KeptPool, Source
from simulations.comparison.job import Job
from simulations.comparison.modes import MODES, REAL
from simulations.comparison.store import COUNTS, POOL, RELEASE
from simulations.comparison.store import RECOGNIZER as WEIGHTS
from simulations.comparison.units import Unit
from simulations.federation.real import real_patches
from simulations.federation.results import by_speaker


@dataclass(frozen=True)
class HalfAndHalf:
    """Every batch half of one source and half of another."""

    one: Patches
    other: Patches

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream."""
        halves = self.one.batch(step, size - size // 2, stream), self.other.batch(step, size // 2, stream)
        patches, labels = zip(*((half.patches, half.labels) for half in halves), strict=True)
        return Batch(torch.cat(patches), torch.cat(labels))


def train(job: Job) -> None:
    """From real speech, from samples, or from both."""
    config = job.config
    acceleration = Acceleration.from_runtime(config.runtime)
    require_memory(config.network, config.recognizer.batch, RECOGNIZER, acceleration.device)
    names = (REAL, job.unit.place) if job.unit.subject == REAL else (RECOGNIZER, job.unit.fold)
    around = job.around(acceleration, config.recognizer.iterations)
    patches = patches_of(job, acceleration.device)
    recognizer = train_recognizer(patches, config, derive_seed(config.seed, *names), around)
    save_tensors(job.folder / WEIGHTS, recognizer.state_dict(), {"what": str(job.unit)})


def patches_of(job: Job, device: torch.device) -> Patches:
    """What a mode's recognizer learns from."""
    mode = MODES[job.unit.subject]
    if mode.synthesizer is None:
        return real_speech(job)
    pool = _pool(job, device)
    return HalfAndHalf(real_speech(job), pool) if mode.real else pool


def real_speech(job: Job) -> PatchSource:
    """Of the training sessions of a unit's fold, emotions alike."""
    setting = job.setting
    return real_patches(setting.folds[job.unit.place], setting.features, setting.pretrained.scaling, job.config)


def _pool(job: Job, device: torch.device) -> Patches:
    config, sources = job.config, list(sources_of(job, device))
    if config.sampling.keep:
        return KeptPool.draw(job.folder / POOL, sources, config.sampling, config.network.classes, config.seed)
    return FreshPool(sources, config.sampling, config.network.classes, config.seed)


def sources_of(job: Job, device: torch.device) -> Iterator[Source]:
    """The synthesizers that a unit draws from; a client's are those of the campaign, drawn with its seeds.

    What was put aside is left out.
    """
    run = job.config.campaign_name()
    for unit in job.unit.needs:
        if unit.kind in ("tune", "fit") and not job.store.aside(unit):
            names = (unit.fold,) if unit.kind == "tune" else (unit.subject, unit.fold)
            seed = derive_seed(job.config.seed, run, *names, "pool")
            yield Source(f"{unit.fold}-{unit.key}", seed, partial(open_sampler, job, unit, device))


def open_sampler(job: Job, unit: Unit, device: torch.device) -> Sampler:
    """Of a fitted synthesizer."""
    weights, _ = read_tensors(job.store.where(unit) / RELEASE)
    return synthesizer(unit.subject).sampler(weights, job.config.network, device)


def score(job: Job) -> None:
    """Counts by speaker of the session that was left out."""
    setting, config = job.setting, job.config
    test = setting.folds[job.unit.place].test
    recognizer = load_recognizer(job, job.unit.needs[0])
    scaling = setting.pretrained.scaling
    confusions = by_speaker(recognizer, setting.features.of(test), test, scaling, config)
    counts = {name: one.counts.tolist() for name, one in zip(test.speakers, confusions, strict=True)}
    atomic_json(job.folder / COUNTS, counts)


def load_recognizer(job: Job, unit: Unit) -> Discriminator:
    """One that was trained, ready to be tried."""
    recognizer = new_recognizer(job.config)
    weights: dict[str, Tensor] = read_tensors(job.store.where(unit) / WEIGHTS)[0]
    recognizer.load_state_dict(weights)
    return Acceleration.from_runtime(job.config.runtime).prepare(recognizer)
