"""A synthesizer of a sum over sites, and the round of secure summation in which it is taken, all in one process.

Owns who is site and who is server in it. Must not know what is summed (`Sums` of a synthesizer), nor how it is hidden.
"""

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from torch import Tensor

from client.simulated import site_name
from common.corpora.manifest import Utterance
from common.errors import UserError
from common.features.spaces import SpeechFeatures
from common.networks.acceleration import Acceleration
from common.privacy.sharing import SECRET
from common.privacy.summation import Collector, Round, Site, from_grid
from common.scoring.confusion import Floats
from common.seeds import derive_seed, numpy_stream
from common.settings import Section
from common.synthesizers import Fitting, Synthesizer, synthesizer
from common.training.checkpoint import save_tensors
from common.training.draws import Examples
from common.training.phases import Surroundings
from common.wire import Precision
from simulations.comparison.job import Job
from simulations.comparison.store import RELEASE


def add_up(job: Job) -> None:
    """Of a fold's training sessions."""
    one, config = synthesizer(job.unit.subject), job.config
    fold = job.setting.folds[job.unit.place]
    sites = by_site(job.setting.features.of(fold.fitted))
    weights = summed_release(job, one, one.settings_of(config), sites, derive_seed(config.seed, "sum", one.name))
    kind = Precision[config.finetuning.released_as.upper()].dtype
    weights = {name: value.to(kind) for name, value in weights.items()}
    save_tensors(job.folder / RELEASE, weights, {"what": str(job.unit)})


def summed_release(
    job: Job, one: Synthesizer[Any], settings: Section, sites: Mapping[str, SpeechFeatures], seed: int
) -> dict[str, Tensor]:
    """What the server makes of the sum; each site's noise is a part of what it takes if as many stay as must."""
    sums = one.sums
    if sums is None:
        raise UserError(f"{one.name} is not made of sums", remedy="choose another row")
    config, space = job.config, job.setting.space
    labels = config.corpus.emotions
    asked = Round(job.unit.place, tuple(sorted(map(site_name, sites))), sums.size(settings, len(labels)))
    brought = {}
    for session, speech in sites.items():
        own = derive_seed(seed, session)
        fitting = Fitting(partial(_examples, speech, own), {}, labels, space, own, around_of(job), speech.manifest.held)
        brought[site_name(session)] = sums.brought(fitting, settings, asked.threshold)
    return sums.released(total_of(asked, brought, seed), settings, space, len(labels))


def total_of(asked: Round, brought: Mapping[str, Floats], seed: int) -> Floats:
    """The four steps, with everybody there; masks come from the seed, and nothing of them is left in the sum."""
    stream = numpy_stream(seed, "summation")
    secrets: dict[str, dict[str, bytes]] = {name: {} for name in asked.sites}
    for one, other in combinations(asked.sites, 2):
        secrets[one][other] = secrets[other][one] = stream.bytes(SECRET)
    sites = [Site(asked, name, secrets[name], stream.bytes) for name in asked.sites]
    server = Collector(asked)
    for site in sites:
        server.opened(site.open())
    for site in sites:
        server.add(site.name, site.mask(brought[site.name], server.seals_for(site.name)))
    for site in sites:
        server.told(site.name, site.reveal(server.present))
    return np.asarray(from_grid(server.total()))


def by_site(speech: SpeechFeatures) -> dict[str, SpeechFeatures]:
    """Each session's own."""
    own = speech.manifest
    return {session: speech.of(own.where(partial(_is_of, session))) for session in own.sessions}


def _is_of(session: str, utterance: Utterance) -> bool:
    return utterance.session == session


def around_of(job: Job) -> Surroundings:
    """Of a fit that leaves no curve and no snapshot."""
    return Surroundings(Acceleration.of(job.config.runtime), stop=job.stop)


def _examples(speech: SpeechFeatures, seed: int, balanced: bool) -> Examples:
    return speech.examples(None, seed, balanced=balanced)
