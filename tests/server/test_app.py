"""The nodes of a grid as the campaign's clients: whatever becomes of a letter, there is an answer in time."""

import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from server import app
from server.app import FlowerClients


class SilentGrid:
    """Takes messages and never has an answer."""

    def __init__(self):
        self.pushed = []

    def push_messages(self, messages):
        self.pushed += messages
        return [str(len(self.pushed))]

    def pull_messages(self, numbers):
        return []


@pytest.fixture
def grid(monkeypatch):
    monkeypatch.setattr(app, "_envelope", lambda client, letter: (client, letter))
    monkeypatch.setattr(app, "POLL_SECONDS", 0.01)
    return SilentGrid()


def test_a_letter_that_is_lost_is_told_long_before_the_rounds_end(grid, monkeypatch):
    monkeypatch.setattr(app, "LONGEST_WAY", 0.05)
    (answer,) = FlowerClients(grid).exchange({"7": lambda: b"letter"}, 3600)
    assert (answer.client, "lost on its way" in answer.failure) == ("7", True)


def test_at_the_rounds_end_everybody_who_was_silent_is_named(grid):
    answers = list(FlowerClients(grid).exchange({"7": lambda: b"one", "8": lambda: b"two"}, 0.05))
    assert [(answer.client, answer.failure) for answer in answers] == [
        ("7", "no answer within 0.05 seconds"),
        ("8", "no answer within 0.05 seconds"),
    ]
    assert grid.pushed == [("7", b"one"), ("8", b"two")]
