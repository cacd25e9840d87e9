"""How well it can be told who was in the speech, by what a mode releases of it: half-split twins, as a site has them.

Owns which speech each twin is fitted to and what is attacked. Must not know how an attack is scored (`common.audit`).

A site's release is audited on that site's speech; what is made of all sites together, on the speech of all. The server
of federated averaging sees a network of each site in every round, so those are attacked, each on its own site's speech.
Networks of patches take minutes a twin, so each twin is a unit, whole; an audit makes of it what the row would release.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.audit.coins import members
from common.audit.kept import kept
from common.audit.speech import Speech
from common.audit.twins import Audit
from common.features.patches import Batch
from common.features.spaces import SpeechFeatures
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.recognizers.averaging import each_round
from common.recognizers.methods.dnn import RECOGNIZER as DENSE
from common.scoring.confusion import Floats
from common.seeds import derive_seed
from common.synthesizers import Fitting, Sampler, synthesizer
from common.training.checkpoint import read_tensors, save_tensors
from common.training.draws import everything
from common.training.phases import Interrupted, Surroundings
from simulations.comparison.fitting import as_released, examples_of
from simulations.comparison.job import Job
from simulations.comparison.modes import Mode, mode_of
from simulations.comparison.store import ATTACK, RELEASE, SNAPSHOTS
from simulations.comparison.summing import around_of, by_site, summed_release
from simulations.comparison.units import EVERYBODY, LIMITS

Chosen = NDArray[np.int64]
"""Numbers of utterances."""


def audit(job: Job) -> None:
    """Of one mode and site, or of all sites; every mode meets the same coins."""
    mode, place = mode_of(job.unit.subject, job.config), job.unit.place
    speech = _speech_at(job)
    attack = _attack(job, speech)
    found = _of_networks(job, mode, speech, attack) if mode.rounds else _of_samples(job, mode, speech, attack)
    shared = {"place": place, "utterances": len(attack.utterances), "twins": len(attack.coins())}
    atomic_json(job.folder / ATTACK, shared | found)


def fit_twin(job: Job) -> None:
    """One twin's weights, as they are before a release makes them smaller."""
    number = int(job.unit.identity["settings"]["twin"])
    speech = _speech_at(job)
    part = speech.part(members(_attack(job, speech).coins()[number]))
    acceleration = Acceleration.of(job.config.runtime)
    one = synthesizer(job.unit.subject)
    cost = one.cost(one.settings_of(job.config), job.setting.space, job.config.corpus.classes)
    require_memory(f"a fit of {one.name}", cost.bytes, acceleration.device)
    around = job.around(acceleration, job.unit.steps)
    weights = _fitted(job, one.name, part, number, around)
    save_tensors(job.folder / RELEASE, weights, {"what": str(job.unit)})


def _speech_at(job: Job) -> Speech:
    place, setting = job.unit.place, job.setting
    part = setting.manifest if place == EVERYBODY else setting.part(place)
    return Speech(setting.features.of(part), setting.space, setting.scaling)


def _attack(job: Job, speech: Speech) -> Audit:
    seed = derive_seed(job.config.seed, "audit", job.unit.place)
    return Audit(speech.utterances, speech.place, LIMITS, seed, speech.targets)


def _of_samples(job: Job, mode: Mode, speech: Speech, attack: Audit) -> dict[str, Any]:
    """By all that a site's own audit looks at, with its verdict."""
    sampler = partial(_sampler, job, mode, speech)
    told = []
    for number in range(len(attack.coins())):
        if job.stop():
            raise Interrupted(job.unit.kind, number)
        path = job.folder / SNAPSHOTS / f"told-{number}"
        told.append(kept(path, lambda: attack.scores_of(number, sampler)))  # noqa: B023 - called at once
    verdict = attack.verdict(told)
    word = (attack.foregone() or verdict).word
    return verdict.model_dump(mode="json", exclude={"reasons"}) | {"word": word}


def _of_networks(job: Job, mode: Mode, speech: Speech, attack: Audit) -> dict[str, Any]:
    told = []
    for number, row in enumerate(attack.coins()):
        if job.stop():
            raise Interrupted(job.unit.kind, number)
        told.append(_by_networks(job, mode, speech, number, members(row)))
    return asdict(attack.findings(np.stack(told)))


def _sampler(job: Job, mode: Mode, speech: Speech, number: int, chosen: Chosen) -> Sampler:
    """Of what the row would release of these utterances."""
    name, config, space = str(mode.synthesizer), job.config, job.setting.space
    one, classes = synthesizer(name), config.corpus.classes
    if job.unit.needs:
        whole, _ = read_tensors(job.store.where(job.unit.needs[number]) / RELEASE)
        given = whole, _seed(job, number), around_of(job), speech.part(chosen).manifest.held
        weights: Mapping[str, Tensor] = as_released(job, name, *given)
    elif mode.where == "sum":
        weights = summed_release(job, one, one.settings_of(config), by_site(speech.part(chosen)), _seed(job, number))
    else:
        weights = _fitted(job, name, speech.part(chosen), number, around_of(job))
    sampler: Sampler = one.sampler(
        weights, one.settings_of(config), space, classes, Acceleration.of(config.runtime).device
    )
    return sampler


def _fitted(job: Job, name: str, part: SpeechFeatures, number: int, around: Surroundings) -> dict[str, Tensor]:
    one, labels, seed = synthesizer(name), job.config.corpus.emotions, _seed(job, number)
    settings = one.settings_of(job.config)
    base = job.setting.pretrained.pair.learned() if one.base(settings, len(labels)) else {}
    fitting = Fitting(examples_of(job, part, seed), base, labels, job.setting.space, seed, around, part.manifest.held)
    return dict(one.released_by(fitting, settings))


def _seed(job: Job, number: int) -> int:
    return derive_seed(job.config.seed, "audit", job.unit.place, "twin", number)


def _by_networks(job: Job, mode: Mode, speech: Speech, number: int, chosen: Chosen) -> Floats:
    """How sure a site's networks are of each of its utterances, in the mean over rounds."""
    settings, space, classes = DENSE.settings_of(job.config), job.setting.space, job.config.corpus.classes
    whole = everything(speech.features.examples(None, 0, balanced=False))
    owners = np.array([one.session for one in speech.features.manifest.utterances])
    inside = np.isin(np.arange(len(owners)), chosen)
    held = [np.flatnonzero(owners == session) for session in sorted(set(owners.tolist()))]
    sites = [Batch(whole.values[own[inside[own]]], whole.labels[own[inside[own]]]) for own in held]
    told = np.zeros(len(owners))
    acceleration = Acceleration.of(job.config.runtime)
    _, *rounds = each_round(sites, settings, space, classes, mode.rounds, seed=_seed(job, number))
    for one in rounds:
        for own, weights in zip(held, one.told, strict=True):
            network = DENSE.predictor(weights, settings, space, classes, acceleration)
            told[own] += _certainty(network.examples(whole.values[own]), whole.labels[own]) / mode.rounds
    return told


def _certainty(numbers: Tensor, labels: Tensor) -> Floats:
    """The logarithm of the odds of the emotion that was spoken."""
    logs = numbers.double().log_softmax(dim=1)
    spoken = torch.nn.functional.one_hot(labels, logs.shape[1]).bool()
    right, wrong = logs[spoken], logs.masked_fill(spoken, -torch.inf).logsumexp(dim=1)
    return np.asarray((right - wrong).numpy())
