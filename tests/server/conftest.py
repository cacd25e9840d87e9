"""Clients that live in the test: honest ones that answer at once, and whatever a test makes of them."""

import hashlib
from functools import cache

import pytest
import torch

from common.config import CampaignConfig, Config
from common.features.scaling import Scaling
from common.networks import Generator, release_weights
from common.seeds import torch_stream
from common.settings import hash_identity
from common.training.pretrained import Pretrained
from common.training.reporters import Reporter
from common.training.stages import Pair
from common.version import VERSION
from common.wire import (
    REQUESTS,
    Ask,
    Card,
    Code,
    Description,
    Limits,
    Noted,
    Notice,
    Refusal,
    Release,
    Score,
    Scored,
    Stage,
    Tune,
    Working,
    decode,
    encode,
)
from server.campaign import Campaign
from server.clients import Answer
from server.plans import everyone

LOUD, OWN = 1.8, 0.02


@cache
def _silent(network):
    return release_weights(Generator(network, seed=0))


def voice_of(session, network):
    """A generator that passes for a tuned one: all start from the same weights, and each goes a little way of its own.

    Untrained, the spectral norm leaves a network with hardly any voice.
    """
    chance = torch_stream(session, "voice")
    return {n: LOUD * w * (1 + OWN * torch.randn(w.shape, generator=chance)) for n, w in _silent(network).items()}


class FakeClient:
    """Says what an honest site would say; `tricks` maps a kind of request to what it does instead, in turn.

    A trick is a `Code` to refuse with, a step to be at work at, bytes to answer, the name of a failure on the way, a
    function of the request and the honest answer, or None for being honest. The last one lasts.
    """

    def __init__(self, session, config, tricks=None, /, **described):
        self.session, self.described = session, described
        self.known = (True,) * 4
        self.features = hash_identity(config.features.model_dump(mode="json"))
        self.tricks = {kind: list(line) for kind, line in (tricks or {}).items()}
        self.heard, self.shipped = [], []

    def answer(self, data):
        request = decode(data, REQUESTS, Limits(2**30))
        self.heard.append(request.kind)
        if isinstance(request, Tune):
            self.shipped.append(request.shipped)
        line = self.tricks.get(request.kind, [None])
        trick = line.pop(0) if len(line) > 1 else line[0]
        match trick:
            case None:
                return encode(self.say(request))
            case Code():
                return encode(Refusal(run=None, code=trick, stage=Stage.ADMIT))
            case int():
                about = {"run": request.tuning.run, "session": self.session, "stage": Stage.TUNE}
                return encode(Working(**about, step=trick, iterations=2, rate=1.0))
            case bytes() | str():
                return trick
            case _:
                return trick(request, self.say(request))

    def say(self, request):
        if isinstance(request, Ask):
            known = {"session": self.session, "labels": ("neutral", "angry", "sad", "happy"), "features": self.features}
            known |= {"utterances": None, "speakers": None, "eyesoff": VERSION, "torch": "2.11.0"}
            return Description(run=request.run, **(known | self.described))
        if isinstance(request, Notice):
            return Noted(run=request.run, session=request.session)
        if isinstance(request, Score):
            return Scored(scoring=request.scoring, epsilon=None, counts=self.counts(request.scoring))
        voice = voice_of(request.tuning.session, request.tuning.own.network)
        return Release(card=Card(tuning=request.tuning, known=self.known, utterances=None, seconds=1), released=voice)

    def counts(self, scoring):
        """What depends on the recognizer and the session alone; two speakers if they may be told apart."""
        digest = hashlib.sha256(f"{scoring.weights}{self.session}".encode()).digest()
        rows = [tuple(digest[start : start + 4]) for start in range(0, 32, 4)]
        return (tuple(rows[:4]), tuple(rows[4:])) if scoring.per_speaker else (tuple(rows[:4]),)


class FakeClients:
    """Clients by name; answers come in the order of `arrival`, which is given the names that were written to."""

    def __init__(self, clients, arrival=list):
        self.clients, self.arrival = clients, arrival
        self.waited = []

    def names(self, at_least, seconds):
        self.waited.append(at_least)
        return tuple(self.clients)

    def exchange(self, payloads, seconds):
        while payloads:
            sent = {client: payloads.pop(client)() for client in list(payloads)}
            for client in self.arrival(sent):
                given = self.clients[client].answer(sent[client])
                yield Answer(client, failure=given) if isinstance(given, str) else Answer(client, bytes(given))


class Watcher:
    """Hears everything; raises at the event whose number it is told."""

    def __init__(self, dies_at=0):
        self.events, self.dies_at = [], dies_at

    def hear(self, *event):
        self.events.append(event)
        if len(self.events) == self.dies_at:
            raise KeyboardInterrupt

    def stage(self, name, total):
        self.hear("stage", name, total)

    def done(self, name, unit):
        self.hear("done", name, unit)

    def working(self, session, working):
        self.hear("working", session, working.step)

    def failed(self, failure):
        self.hear("failed", str(failure))

    def put_aside(self, aside):
        self.hear("put aside", aside.session, aside.check)

    def training(self, name):
        self.hear("training", name)
        return Reporter()


@pytest.fixture(scope="session")
def config():
    """The smallest campaign there is."""
    return Config.model_validate(
        {
            "network": {"width": 1 / 64, "noise": 8},
            "finetuning": {"iterations": 2, "batch": 2},
            "sampling": {"per_emotion": 6},
            "recognizer": {"iterations": 2, "batch": 2, "learning_rate": 1e-3},
            "runtime": {"device": "cpu", "precision": "fp32", "threads": 1},
        }
    )


@pytest.fixture(scope="session")
def base(config):
    return Pretrained(Pair.fresh(config.network, config.corpus.classes, config.seed), Scaling(-16.0, 4.0), {})


@pytest.fixture(scope="session")
def client_of(config):
    """A client of the smallest campaign."""

    def make(session, tricks=None, /, **described):
        return FakeClient(session, config, tricks, **described)

    return make


@pytest.fixture(scope="session")
def clients_of(client_of):
    """Honest clients named 0, 1, .., of sessions A, B, ..; `others` take the place of some, or come in addition."""

    def make(count, *, arrival=list, **others):
        honest = {str(number): client_of(chr(ord("A") + number)) for number in range(count)}
        others = {name.removeprefix("c"): client for name, client in others.items()}
        return FakeClients(honest | others, arrival)

    return make


@pytest.fixture
def watcher():
    return Watcher()


@pytest.fixture
def campaign_of(tmp_path, config, base):
    """A campaign in a folder of its own; the plan is `everyone`, for it trains one recognizer only."""

    def make(clients, watcher=None, *, plan=everyone, folder="run", base=base, also=(), **settings):
        told = {name: settings.pop(name) for name in ("per_speaker", "holders") if name in settings}
        changed = config.model_copy(update={"campaign": CampaignConfig(**settings), **dict(also)})
        return Campaign("run", tmp_path / folder, changed, base, clients, watcher or Watcher(), plan, **told)

    return make


@pytest.fixture
def dying_watcher():
    """One that ends the campaign at its event of this number."""
    return Watcher
