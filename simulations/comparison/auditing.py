"""How well it can be told who was in the speech, by what a mode releases of it: half-split twins, as a site has them.

Owns which speech each twin is fitted to and what is attacked. Must not know how an attack is scored (`common.audit`).

A site's release is audited on that site's speech; what is made of all sites together, on the speech of all. The server
of federated averaging sees a network of each site in every round, so those are attacked, each on its own site's speech.
"""

from dataclasses import asdict
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.audit.coins import members
from common.audit.density import scores, squared_distances
from common.audit.speech import Speech
from common.audit.twins import Audit
from common.audit.verdict import Limits
from common.features.patches import Batch
from common.features.spaces import SpeechFeatures
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.recognizers.averaging import each_round
from common.recognizers.methods.dnn import RECOGNIZER as DENSE
from common.scoring.confusion import Floats
from common.seeds import derive_seed
from common.synthesizers import Fitting, synthesizer
from common.training.draws import Examples, everything
from common.training.phases import Interrupted
from simulations.comparison.job import Job
from simulations.comparison.modes import Mode, mode_of
from simulations.comparison.store import ATTACK
from simulations.comparison.summing import around_of, by_site, summed_release
from simulations.comparison.units import EVERYBODY

Chosen = NDArray[np.int64]
"""Numbers of utterances."""


def audit(job: Job) -> None:
    """Of one mode and site, or of all sites; every mode meets the same coins."""
    mode, place, setting = mode_of(job.unit.subject, job.config), job.unit.place, job.setting
    part = setting.manifest if place == EVERYBODY else setting.part(place)
    speech = Speech(setting.features.of(part), setting.space, setting.scaling)
    attack = Audit(speech.utterances, speech.place, Limits(), derive_seed(job.config.seed, "audit", place))
    of_twin = (
        partial(_by_networks, job, mode, speech) if mode.rounds else partial(_by_samples, job, mode, speech, attack)
    )
    told = []
    for number, row in enumerate(attack.coins()):
        if job.stop():
            raise Interrupted(job.unit.kind, number)
        told.append(of_twin(number, members(row)))
    atomic_json(job.folder / ATTACK, {"place": place, **asdict(attack.findings(np.stack(told)))})


def _by_samples(job: Job, mode: Mode, speech: Speech, attack: Audit, number: int, chosen: Chosen) -> Floats:
    """How likely each utterance is under what a twin makes."""
    one = synthesizer(str(mode.synthesizer))
    settings, labels = one.settings_of(job.config), job.config.corpus.emotions
    seed = derive_seed(job.config.seed, "audit", job.unit.place, "twin", number)
    part = speech.part(chosen)
    if mode.where == "sum":
        weights = summed_release(job, one, settings, by_site(part), seed)
    else:
        examples = partial(_examples, part, seed)
        ground = job.setting.space, seed, around_of(job), part.manifest.held
        weights = one.released_by(Fitting(examples, {}, labels, *ground), settings)
    device = Acceleration.of(job.config.runtime).device
    made = attack.draw(one.sampler(weights, settings, job.setting.space, len(labels), device), number)
    return scores(attack.utterances, squared_distances(attack.utterances, made), attack.utterances.unit())


def _by_networks(job: Job, mode: Mode, speech: Speech, number: int, chosen: Chosen) -> Floats:
    """How sure a site's networks are of each of its utterances, in the mean over rounds."""
    settings, space, classes = DENSE.settings_of(job.config), job.setting.space, job.config.corpus.classes
    whole = everything(speech.features.examples(None, 0, balanced=False))
    owners = np.array([one.session for one in speech.features.manifest.utterances])
    inside = np.isin(np.arange(len(owners)), chosen)
    held = [np.flatnonzero(owners == session) for session in sorted(set(owners.tolist()))]
    sites = [Batch(whole.values[own[inside[own]]], whole.labels[own[inside[own]]]) for own in held]
    told = np.zeros(len(owners))
    seed = derive_seed(job.config.seed, "audit", job.unit.place, "twin", number)
    acceleration = Acceleration.of(job.config.runtime)
    _, *rounds = each_round(sites, settings, space, classes, mode.rounds, seed=seed)
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


def _examples(part: SpeechFeatures, seed: int, balanced: bool) -> Examples:
    return part.examples(None, seed, balanced=balanced)
