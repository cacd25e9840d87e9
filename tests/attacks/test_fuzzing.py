"""No message makes a keeper stumble: whatever comes, a reply of this protocol goes."""

import json
import logging
import os
from collections import Counter

import pytest

from client.keeper import Keeper
from common.networks import Discriminator
from common.settings import EMOTIONS, FinetuningConfig, NetworkConfig
from common.training.stages import Pair
from common.wire import Ask, Code, Collect, encode
from tests.attacks.clinic import accepting, open_bounds, score_request, site, tune_request
from tests.attacks.fuzzing import Fuzzer, taken_apart

NETWORK = NetworkConfig(width=1 / 64)
MANY = 10**9
SOME, ALL = 500, 100_000


@pytest.fixture
def errors():
    """What the site's log calls an error: none of it is a message's business."""
    heard = []

    class Listener(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.ERROR:
                heard.append(record.getMessage())

    log, listener = logging.getLogger("client"), Listener()
    before = log.level, log.propagate
    log.addHandler(listener)
    log.propagate = False
    log.setLevel(logging.ERROR)
    yield heard
    log.removeHandler(listener)
    log.setLevel(before[0])
    log.propagate = before[1]


@pytest.fixture
def sound():
    """One message of each kind that a keeper answers; those without weights first."""
    tune = tune_request(Pair.fresh(NETWORK, len(EMOTIONS), seed=0), NETWORK, FinetuningConfig(iterations=10, batch=2))
    score = score_request(Discriminator(NETWORK, len(EMOTIONS)), "run-1", "fold")
    return tune, (Ask(run="run-1"), Collect(tuning=tune.tuning), tune, score)


@pytest.fixture
def keeper(speech, tmp_path, sound, monkeypatch):
    """A keeper with room for everything that trains nothing: all up to the queue is real."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # the ledger is written all the same, only sooner
    monkeypatch.setattr("client.keeper.score", lambda request, *_: (((0,) * len(EMOTIONS),) * len(EMOTIONS),))
    wide = dict.fromkeys(("tunings_a_day", "scorings_a_day", "releases_in_all", "scorings_in_all"), MANY)
    wide |= {"refusals_a_day": MANY, "mebibytes_a_day": MANY, "minimum_test_utterances": 1}
    keeper = Keeper(site(speech, tmp_path, accepting(sound[0], bounds=open_bounds(), **wide)))
    monkeypatch.setattr(keeper._queue, "add", lambda folder: None)
    monkeypatch.setattr(keeper._queue, "wait", lambda *_: None)
    return keeper


def answers(keeper, sound, count, seed):
    """What a keeper says to changed messages, by kind and word."""
    fuzzer = Fuzzer(tuple(map(encode, sound)), without_weights=2, seed=seed)
    told = Counter()
    for message in fuzzer.messages(count):
        header, _ = taken_apart(keeper.answer(message))
        words = json.loads(header["__metadata__"]["eyesoff"])
        told[words["kind"], words.get("code")] += 1
    return told


def test_sound_messages_are_granted(keeper, sound):
    kinds = [
        json.loads(taken_apart(keeper.answer(encode(request)))[0]["__metadata__"]["eyesoff"]) for request in sound[1]
    ]
    assert [words.get("code") for words in kinds] == [None, Code.NOT_BEGUN, None, Code.NOT_IN_THAT_RUN]


@pytest.mark.parametrize(
    ("count", "seed"), [(SOME, 0), pytest.param(ALL, 1, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_changed_ones_get_a_reply_and_none_is_an_accident(keeper, sound, errors, count, seed, note):
    told = answers(keeper, sound[1], count, seed)
    assert sum(told.values()) == count
    assert not errors
    assert not told["refusal", Code.FAILED]
    assert len({code for kind, code in told if kind == "refusal"}) > 10, "changes of one sort alone show little"
    note("keeper: mutated messages", on=f"{count} answered, {len(told)} different answers, no accident")
