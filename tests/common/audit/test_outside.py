"""From outside, releases that copy tell their sessions, and releases that saw nobody tell none."""

import numpy as np
import pytest

from common.audit.outside import from_outside
from common.audit.twins import Audit
from common.audit.verdict import Limits
from common.errors import UserError
from tests.common.audit.conftest import augmenting, blind

SESSIONS = tuple("abcd")


@pytest.fixture
def outside(utterances_of):
    def make(synthesizer, releases="abc"):
        utterances = utterances_of(80)
        owners = [SESSIONS[number % 20 // 5] for number in range(80)]
        audit = Audit(utterances, lambda values: values.numpy(), Limits(samples=1024), 0)
        fit = synthesizer(utterances)
        own = {name: np.flatnonzero(np.array(owners) == name) for name in releases}
        return from_outside(audit, {name: fit(0, chosen) for name, chosen in own.items()}, owners)

    return make


def test_copies_tell_every_session(outside):
    told = outside(augmenting("copying"))
    assert told.found.low > 0.95
    assert min(told.each.values()) > 0.95
    assert (told.members, told.strangers) == (60, 20)


def test_what_saw_nobody_tells_no_session(outside):
    told = outside(blind)
    assert told.found.low < 0.5 < told.found.high
    assert max(told.each.values()) < 0.75


def test_one_release_has_nothing_to_stand_beside(outside):
    with pytest.raises(UserError, match="1 release"):
        outside(blind, "a")
