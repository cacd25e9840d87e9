"""A site's gate on a clock that the test winds."""

from datetime import UTC, datetime, timedelta

import pytest

from client.gate import Gate
from client.ledger import Ledger
from client.policy import Policy
from client.rules import Holdings


class Clock:
    """Stands still until it is wound."""

    def __init__(self):
        self.now = datetime(2030, 1, 31, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def wind(self, **time):
        self.now += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "site" / "ledger.jsonl")


@pytest.fixture
def holdings(tune):
    tuning = tune.tuning
    return Holdings(tuning.session, tuning.labels, tuning.features, utterances=(9, 8, 7, 6), speakers=(2, 2, 2, 2))


@pytest.fixture
def gate_of(ledger, holdings, clock):
    """A gate whose policy differs from the default in what is given."""

    def make(*, audits=(), held=holdings, **policy):
        return Gate(Policy(**policy), held, ledger, clock=clock, audits=audits)

    return make
