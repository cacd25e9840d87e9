"""The nodes of a grid as the campaign's clients: whatever becomes of a request, there is an answer in time."""

import time

import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from flwr.common.config import parse_config_args

from common.config.unnamed import KEY, unnamed_config
from server import app
from server.app import FlowerClients
from server.clients import Answer


class Grid:
    """Takes messages; of each it has the answer after so many seconds, or never."""

    def __init__(self, seconds=float("inf")):
        self.pushed, self._ready = [], {}
        self._seconds = seconds

    def push_messages(self, messages):
        self.pushed += messages
        number = str(len(self.pushed))
        self._ready[number] = time.monotonic() + self._seconds
        return [number]

    def pull_messages(self, numbers):
        return [number for number in numbers if time.monotonic() > self._ready[number]]


@pytest.fixture(autouse=True)
def _bare_messages(monkeypatch):
    monkeypatch.setattr(app, "_envelope", lambda client, payload: (client, payload))
    monkeypatch.setattr(app, "_opened", lambda client, reply: Answer(client, b"done"))
    monkeypatch.setattr(app, "POLL_SECONDS", 0.01)


def test_settings_of_any_preset_come_through_the_run_configuration_as_flower_reads_it():
    words = """preset="best" settings="seed=3; vectors.normalisation=training; corpus.emotions=['sad', 'angry']" """
    told = parse_config_args([words])
    config = unnamed_config(told["preset"], told[KEY])
    assert (config.seed, config.vectors.normalisation, config.corpus.emotions) == (3, "training", ("sad", "angry"))


def test_a_request_that_is_lost_is_told_long_before_the_rounds_end():
    (answer,) = FlowerClients(Grid(), lost_after=0.05).exchange({"7": lambda: b"request"}, 3600)
    assert (answer.client, "lost on its way" in answer.failure) == ("7", True)


def test_where_nothing_is_given_up_an_answer_may_take_the_whole_round():
    (answer,) = FlowerClients(Grid(seconds=0.2)).exchange({"7": lambda: b"request"}, 3600)
    assert (answer.client, answer.data, answer.failure) == ("7", b"done", "")


def test_at_the_rounds_end_everybody_who_was_silent_is_named():
    grid = Grid()
    answers = list(FlowerClients(grid).exchange({"7": lambda: b"one", "8": lambda: b"two"}, 0.05))
    assert [(answer.client, answer.failure) for answer in answers] == [
        ("7", "no answer within 0.05 seconds"),
        ("8", "no answer within 0.05 seconds"),
    ]
    assert grid.pushed == [("7", b"one"), ("8", b"two")]
