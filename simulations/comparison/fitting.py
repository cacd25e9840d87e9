"""Fitting: a client's generator behind its door, or any synthesizer on a fold's training sessions.

Owns how speech is handed to either. Must not know what the samples are for.
"""

import csv
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from torch import Tensor

from client.bases import read_base
from client.journal import LOG, journal
from client.keeper import Keeper
from client.simulated import SITES, simulated_site, write_sites
from client.site import STATE
from common.augmentation.balancing import enriched
from common.config import Config
from common.corpora.manifest import Manifest
from common.corpora.parts import cells_of
from common.corpora.table import LAYOUT as TABLE
from common.errors import UserError
from common.features.spaces import SpeechFeatures
from common.files import atomic_json, atomic_write
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.seeds import derive_seed
from common.spaces import Vectors
from common.synthesizers import Fitting, synthesizer
from common.synthesizers.synthesizer import Distilling
from common.training.checkpoint import read_tensors, save_tensors
from common.training.draws import Examples
from common.training.phases import Interrupted, Surroundings
from common.training.reporters import Together
from common.weights import as_it_leaves
from common.wire import Precision, Refusal, Release, Reply, decode_reply, restored_weights
from common.wire.terms import asked_form, form_of
from server.checks import draw, fault_of
from server.correspondence import Question
from server.requests import Requests
from server.samplers import sampler_of
from simulations.comparison.codes import Encoder, keep_codes
from simulations.comparison.job import Job
from simulations.comparison.store import ASIDE, LEDGER, RELEASE, SITE
from simulations.comparison.units import Unit

POLL = 0.1
"""Seconds between looks at a keeper."""


def tune(job: Job) -> None:
    """As a campaign does it: its request, a keeper at a site of its own, the gate, the ledger, the bytes that leave.

    Of a campaign's checks it makes the one that a release passes or fails by itself.
    """
    if job.unit.needs:
        _cut(job, *job.unit.needs)
        return
    place = job.folder / SITE
    config = with_synthesizer(job.config, job.unit.subject)
    base = read_base(job.setting.base).digest
    write_sites(place, *_speech(job, config), base)
    site = simulated_site(place / SITES, 0)
    networks = None if isinstance(job.setting.space, Vectors) else job.setting.pretrained
    requests = Requests(config.campaign_name(), config, networks, per_speaker=True)
    with journal(site.state):
        release = _await_release(Keeper(site), requests, requests.tune("0", site.session), job)
    weights = restored_weights(release.card.tuning, release.released, requests.base)
    save_tensors(job.folder / RELEASE, weights, {"what": str(job.unit)})
    atomic_write(job.folder / LEDGER, site.ledger.read_bytes())
    sampler = sampler_of(release, requests.base)
    known = [number for number, knows in enumerate(release.card.known) if knows]
    if fault := fault_of(draw(sampler, known, config.seed, site.session), release.card.tuning.space):
        atomic_json(job.folder / ASIDE, {"reason": fault})


def _cut(job: Job, whole: Unit) -> None:
    """A release made smaller after it has left; what is put aside whole stays aside."""
    weights, _ = read_tensors(job.store.where(whole) / RELEASE)
    around = job.around(Acceleration.of(job.config.runtime), job.unit.steps)
    held = job.setting.part(job.unit.place, job.unit.trial).held
    seed = derive_seed(job.config.seed, "cut", job.unit.place)
    smaller = as_released(job, job.unit.subject, weights, seed, around, held)
    save_tensors(job.folder / RELEASE, smaller, {"what": str(job.unit)})
    if reason := job.store.aside(whole):
        atomic_json(job.folder / ASIDE, {"reason": reason})


def _speech(job: Job, config: Config) -> tuple[Config, Manifest]:
    """What the site holds: its session, or a table of what a trial leaves of it."""
    part = job.setting.part(job.unit.place, job.unit.trial)
    if not job.unit.trial:
        return config, part
    table = job.folder / SITE / "recordings.csv"
    heading = ("path", "emotion", "session", "speaker", "sex", "start", "end")
    rows = [
        (part.root.resolve() / u.file, u.emotion, u.session, u.speaker, u.sex or "", *cells_of(u.part))
        for u in part.utterances
    ]
    text = io.StringIO()
    csv.writer(text).writerows([heading, *rows])
    atomic_write(table, text.getvalue().encode())
    corpus = config.corpus.model_copy(update={"name": TABLE.name, "options": (), "skew": "none"})  # skewed already
    return config.model_copy(update={"corpus": corpus}), replace(part, corpus=TABLE.name, root=table, source=None)


def _await_release(keeper: Keeper, requests: Requests, question: Question, job: Job) -> Release:
    reply = _exchange(keeper, question)
    while (following := requests.follow_tuning(question, reply)) is not None:
        _watch(keeper, job)
        reply = _exchange(keeper, following)
    if isinstance(reply, Release):
        return reply
    reason = reply.code.meaning if isinstance(reply, Refusal) else reply.kind
    place = job.folder.relative_to(job.store.folder) / SITE / SITES
    remedy = f"its log is {place}/*/{STATE}/{LOG} of the units"
    raise UserError(f"the client of session {job.unit.place} sent no generator", where=reason, remedy=remedy)


def _exchange(keeper: Keeper, question: Question) -> Reply:
    return decode_reply(keeper.answer(question.payload()), question.request)


def _watch(keeper: Keeper, job: Job) -> None:
    """Until the tuning has left the keeper's queue; one that is to stop keeps its last step."""
    while (status := keeper.status())["tunings"]:
        step = int(str(status["step"]))
        job.reporter.begin(job.unit.kind, step, job.unit.steps)
        if job.stop():
            keeper.stop()
            raise Interrupted(job.unit.kind, step)
        time.sleep(POLL)


def as_released(
    job: Job,
    name: str,
    weights: Mapping[str, Tensor],
    seed: int,
    around: Surroundings,
    held: tuple[bool, ...] = (),
) -> dict[str, Tensor]:
    """A synthesizer's weights with whatever is lost where a release is made smaller."""
    one, config, classes = synthesizer(name), job.config, job.config.corpus.classes
    form = form_of(**asked_form(config.finetuning.released_as, config.release))
    if form.is_whole:
        kind = Precision[config.finetuning.released_as.upper()].dtype
        return {name: value.to(kind) for name, value in weights.items()}
    settings = one.settings_of(config)
    base = job.setting.pretrained.pair.learned() if one.base(settings, classes) else {}
    reference = one.reference_of(base, settings, classes)
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    if misfit := form.misfit(shapes, based=bool(reference)):
        raise UserError(misfit, remedy="set release.rank otherwise")
    if config.release.distilled:
        weights = one.distilled(Distilling(weights, reference, form, seed, around, held), settings)
    return as_it_leaves(weights, reference, form, seed)


def with_synthesizer(config: Config, name: str) -> Config:
    """The configuration of a campaign of this synthesizer."""
    return config.model_copy(update={"methods": config.methods.model_copy(update={"synthesizer": name})})


def fit(job: Job) -> None:
    """A synthesizer on all training sessions of a fold together, released as a client would release it."""
    one, config, setting = synthesizer(job.unit.subject), job.config, job.setting
    settings, labels = one.settings_of(config), config.corpus.emotions
    acceleration = Acceleration.of(config.runtime)
    cost = one.cost(settings, setting.space, len(labels))
    require_memory(f"a fit of {one.name}", cost.bytes, acceleration.device)
    train = setting.features.of(setting.folds[job.unit.place].fitted)
    seed = derive_seed(config.seed, job.unit.subject, job.unit.fold, "fit")

    examples = examples_of(job, train, seed)
    base = setting.pretrained.pair.learned() if one.base(settings, len(labels)) else {}
    encoder, around = Encoder(), job.around(acceleration, job.unit.steps)
    around = replace(around, reporter=Together([around.reporter, encoder]))
    released = one.released_by(
        Fitting(examples, base, labels, setting.space, seed, around, train.manifest.held),
        settings,
    )
    weights = as_released(job, one.name, released, seed, around, train.manifest.held)
    save_tensors(job.folder / RELEASE, weights, {"what": str(job.unit)})
    if encoder.encode is not None:
        sampler = one.sampler(weights, settings, setting.space, len(labels), acceleration.device)
        keep_codes(job, encoder.encode, sampler)


def examples_of(job: Job, train: SpeechFeatures, seed: int) -> Callable[[bool], Examples]:
    """What a site's fit would read: speech as it is, or with more made of it first."""
    setting, methods = job.setting, job.config.methods
    if methods.augmentation == "none":
        return lambda balanced: train.examples(setting.scaling, seed, balanced=balanced)

    def look(done: int, total: int) -> None:
        if job.stop():
            raise Interrupted(methods.augmentation, done)

    about = setting.scaling, methods.augmentation, methods.made_of_one, setting.background
    made = enriched(train, setting.config, *about, seed, look)
    return lambda balanced: made
