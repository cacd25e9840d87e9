"""A campaign's folds are those of a protocol that cuts by sessions' names, or production's one."""

from dataclasses import replace

import pytest

from common.config import Config
from common.errors import UserError
from common.protocols import PROTOCOLS, Cut, protocol
from server.plans import EVERYONE, plan_names, plan_of

LEAVE_ONE_OUT = "leave-one-session-out"


def test_a_protocol_leaves_each_session_out_once():
    assert plan_of(LEAVE_ONE_OUT, Config())(("a", "b", "c"))[0] == Cut("a", ("b", "c"), ("a",))


def test_a_protocol_is_followed_as_it_is_configured():
    halves = plan_of(LEAVE_ONE_OUT, Config.model_validate({"folds": {"number": 2}}))
    assert [cut.test for cut in halves(("a", "b", "c", "d"))] == [("a", "c"), ("b", "d")]


def test_production_trains_on_everyone():
    assert plan_of(EVERYONE, Config())(("a", "b")) == (Cut(EVERYONE, ("a", "b"), ("a", "b")),)


def test_a_protocol_that_cuts_through_sessions_is_no_plan(monkeypatch):
    secret = replace(protocol(LEAVE_ONE_OUT), name="by-words", cuts=None)
    monkeypatch.setitem(PROTOCOLS.__dict__, "_found", ({**PROTOCOLS.methods, secret.name: secret}, ()))
    assert secret.name not in plan_names()
    with pytest.raises(UserError, match=f"no such plan: by-words; there are .*{LEAVE_ONE_OUT}.*, {EVERYONE}"):
        plan_of(secret.name, Config())
