"""Recognizers of every mode: what each is trained on, and how it does on the session that was left out.

Owns the sources of training patches and the seeds of both. Must not know how a synthesizer was fitted.

Seeds are those of `eyesoff simulate`, so that its federated and its real scores are this comparison's too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from client.recipes import recipe_of
from common.config import Config
from common.corpora.manifest import Utterance
from common.features.patches import Batch
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.protocols import Filling
from common.recognizers import Predictor, Recognizer, recognizer
from common.recognizers.averaging import averaged
from common.recognizers.methods.dnn import RECOGNIZER as DENSE
from common.recognizers.trying import by_speaker
from common.seeds import derive_seed
from common.settings import SamplingConfig
from common.synthesizers import Sampler, synthesizer
from common.synthesizers.pool import KeptPool, Source, source_seed
from common.training.checkpoint import read_tensors, save_tensors
from common.training.draws import Examples, everything
from common.training.mixture import Rows, Together
from simulations.comparison.augmented import augmented, balanced, evenly
from simulations.comparison.fitting import with_synthesizer
from simulations.comparison.job import Job
from simulations.comparison.modes import REAL, Mode, mode_of
from simulations.comparison.predictions import save_told
from simulations.comparison.setting import Setting
from simulations.comparison.store import COUNTS, POOL, RELEASE
from simulations.comparison.store import RECOGNIZER as WEIGHTS
from simulations.comparison.units import Unit

FITTED = "tune", "fit", "sum"
"""Units that leave a synthesizer."""


@dataclass(frozen=True)
class HalfAndHalf:
    """Every batch half of one source and half of another."""

    one: Examples
    other: Examples

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The same batch for the same step and stream."""
        halves = self.one.batch(step, size - size // 2, stream), self.other.batch(step, size // 2, stream)
        values, labels = zip(*((half.values, half.labels) for half in halves), strict=True)
        return Batch(torch.cat(values), torch.cat(labels))


def train(job: Job) -> None:
    """From real speech, from samples, or from both."""
    config = job.config
    if rounds := mode_of(job.unit.subject, config).rounds:
        save_tensors(job.folder / WEIGHTS, _averaged(job, rounds), {"what": str(job.unit)})
        return
    method, classes = recognizer(config.methods.recognizer), config.corpus.classes
    settings = method.settings_of(config)
    acceleration = Acceleration.of(config.runtime)
    cost = method.cost(settings, job.setting.space, classes)
    require_memory(f"training the recognizer {method.name}", cost.bytes, acceleration.device)
    names = (REAL, job.unit.place) if job.unit.subject == REAL else ("recognizer", job.unit.fold)
    around = job.around(acceleration, cost.steps)
    examples = patches_of(job, acceleration.device)
    weights = method.train(examples, settings, job.setting.space, classes, derive_seed(config.seed, *names), around)
    save_tensors(job.folder / WEIGHTS, weights, {"what": str(job.unit)})


def _averaged(job: Job, rounds: int) -> dict[str, Tensor]:
    """The dense network, of a fold's training sessions as sites."""
    setting, config = job.setting, job.config
    train, method = setting.folds[job.unit.place].train, recognizer_of(mode_of(job.unit.subject, config), config)
    parts = (train.where(partial(_is_of, session)) for session in sorted(train.sessions))
    sites = [everything(setting.features.of(one).examples(None, 0, balanced=False)) for one in parts]
    seed, classes = derive_seed(config.seed, "averaging", job.unit.place), config.corpus.classes
    return averaged(sites, method.settings_of(config), setting.space, classes, rounds, seed=seed)


def _is_of(session: str, utterance: Utterance) -> bool:
    return utterance.session == session


def recognizer_of(mode: Mode, config: Config) -> Recognizer[Any]:
    """What a mode's score is of: the configured one, or the one that is averaged."""
    return DENSE if mode.rounds else recognizer(config.methods.recognizer)


def patches_of(job: Job, device: torch.device) -> Examples:
    """What a mode's recognizer learns from."""
    mode = mode_of(job.unit.subject, job.config)
    if mode.synthesizer is None and mode.augmentation is None:
        return real_speech(job)
    if mode.balances:
        return balanced(job, mode)
    if (filling := job.setting.folds[job.unit.place].filling) is not None:
        return _filled(job, filling, device)
    if mode.augmentation is not None:
        return augmented(job, mode.augmentation, evenly(job, job.config.sampling.per_emotion))
    pool = _pool(job, device, job.config.sampling)
    return HalfAndHalf(real_speech(job), pool) if mode.real else pool


def real_speech(job: Job) -> Examples:
    """Of the training sessions of a unit's fold, emotions alike."""
    return real_examples(job.setting, job.unit.place, job.config)


def real_examples(setting: Setting, fold: str, config: Config) -> Examples:
    """Of a fold's training sessions, emotions alike."""
    train = setting.features.of(setting.folds[fold].train)
    return train.examples(setting.scaling, derive_seed(config.seed, REAL, fold), balanced=True)


def _pool(job: Job, device: torch.device, sampling: SamplingConfig) -> KeptPool:
    config, sources = job.config, list(sources_of(job, device))
    return KeptPool.draw(job.folder / POOL, sources, sampling, job.setting.space, config.corpus.classes, config.seed)


def _filled(job: Job, filling: Filling, device: torch.device) -> Examples:
    """As many samples as a trial wants, beside its real speech or alone."""
    config, train = job.config, job.setting.folds[job.unit.place].train
    numbers = tuple(filling.samples.get(label, 0) for label in train.labels)
    seed = derive_seed(config.seed, REAL, job.unit.place)
    real = job.setting.features.of(train).examples(job.setting.scaling, seed, balanced=False)
    if not any(numbers):
        return real
    samples = _numbered(job, numbers, device)
    return Together(real, samples, (len(train), len(samples)), seed) if filling.real else samples


def _numbered(job: Job, numbers: tuple[int, ...], device: torch.device) -> KeptPool | Rows:
    """So many samples of each emotion."""
    if (augmentation := mode_of(job.unit.subject, job.config).augmentation) is not None:
        return augmented(job, augmentation, numbers)
    sampling = job.config.sampling.model_copy(update={"per_emotion": max(numbers)})
    return _pool(job, device, sampling).giving(numbers)


def sources_of(job: Job, device: torch.device) -> Iterator[Source]:
    """The synthesizers that a unit draws from; a client's are those of the campaign, drawn with its seeds.

    What was put aside is left out.
    """
    for unit in job.unit.needs:
        if unit.kind in FITTED and not job.store.aside(unit):
            place = (unit.fold if unit.kind == "tune" else f"{unit.kind}/{unit.fold}") + _draw_of(job)
            recipe = recipe_of(with_synthesizer(unit.config, unit.subject)).drawn_by
            seed = source_seed(job.config.seed, place, recipe)
            tuned = unit.kind == "tune"
            fitted_to = job.setting.part(unit.place, unit.trial) if tuned else job.setting.folds[unit.place].fitted
            yield Source(f"{unit.fold}-{unit.key}", seed, partial(open_sampler, job, unit, device), fitted_to.held)


def _draw_of(job: Job) -> str:
    """Another name for each draw of samples, where a protocol asks for several."""
    trial = job.setting.folds.get(job.unit.place)
    return f"/draw {trial.repeat}" if trial is not None and trial.filling and trial.repeat else ""


def open_sampler(job: Job, unit: Unit, device: torch.device) -> Sampler:
    """Of a fitted synthesizer."""
    weights, _ = read_tensors(job.store.where(unit) / RELEASE)
    one, config = synthesizer(unit.subject), job.config
    sampler: Sampler = one.sampler(weights, one.settings_of(config), job.setting.space, config.corpus.classes, device)
    return sampler


def score(job: Job) -> None:
    """Counts by speaker of the session that was left out."""
    setting = job.setting
    test = setting.folds[job.unit.place].test
    predictor = load_recognizer(job, job.unit.needs[0])
    told = predictor.utterances(setting.features.of(test).utterances(setting.scaling))
    confusions = by_speaker(told, test)
    save_told(job.folder, test, told)
    counts = {name: one.counts.tolist() for name, one in zip(test.speakers, confusions, strict=True)}
    atomic_json(job.folder / COUNTS, counts)


def load_recognizer(job: Job, unit: Unit) -> Predictor:
    """One that was trained, ready to be tried."""
    config = job.config
    method = recognizer_of(mode_of(unit.subject, config), config)
    weights, _ = read_tensors(job.store.where(unit) / WEIGHTS)
    acceleration = Acceleration.of(config.runtime)
    predictor: Predictor = method.predictor(
        weights, method.settings_of(config), job.setting.space, config.corpus.classes, acceleration
    )
    return predictor
