"""Flower, Ray and their silence: every sign, with made-up replies; and the bounded child process itself."""

import pytest

from simulations import telemetry
from simulations.inspection.federation import RAY, RAY_STARTED, Reply, ask, flower, ray, telemetry_switches

QUIET = Reply({"telemetry": False}, "", 1.25)
LOUD = Reply({"telemetry": True}, "", 1.25)
ABSENT = Reply(None, "ModuleNotFoundError: No module named 'flwr'", 0.1)
BROKEN = Reply(None, "ImportError: libstdc++.so.6: version not found", 0.1)


@pytest.mark.parametrize("question", [flower, ray])
@pytest.mark.parametrize(("reply", "sign"), [(QUIET, "ok"), (ABSENT, "warn"), (BROKEN, "fail"), (LOUD, "fail")])
def test_a_library_is_judged_by_its_reply(question, reply: Reply, sign: str) -> None:
    finding = question(lambda _: reply)
    assert finding.sign == sign
    assert (finding.remedy is None) == (sign == "ok")


def test_a_reply_tells_how_long_it_took() -> None:
    assert flower(lambda _: QUIET).seen == "imports in 1.2 s, its telemetry is off"


@pytest.mark.parametrize(("deep", "code"), [(False, RAY), (True, RAY_STARTED)])
def test_ray_is_started_only_when_asked(deep: bool, code: str) -> None:
    asked = []
    ray(lambda question: asked.append(question) or QUIET, deep=deep)
    assert asked == [code]


def test_a_switch_that_is_not_thrown_fails_with_the_line_to_type() -> None:
    finding = telemetry_switches({**telemetry.SWITCHES, "RAY_USAGE_STATS_ENABLED": "1"})
    assert (finding.sign, finding.seen) == ("fail", "not switched off: RAY_USAGE_STATS_ENABLED")
    assert finding.remedy == "start through `eyesoff`, or export RAY_USAGE_STATS_ENABLED=0"
    assert telemetry_switches(telemetry.SWITCHES).sign == "ok"


def test_a_child_process_answers() -> None:
    assert ask("answer = {'sum': 1 + 1}").answer == {"sum": 2}


def test_a_child_process_that_crashes_gives_its_last_line() -> None:
    assert ask("raise ImportError('no such symbol')").reason == "ImportError: no such symbol"
    assert ask("import os; os._exit(3)").reason == "exit status 3"


def test_a_child_process_that_hangs_is_not_waited_for() -> None:
    assert ask("import time; time.sleep(60)", seconds=0.2).reason == "no answer within 0.2 s"


@pytest.mark.slow
def test_ray_really_starts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in telemetry.SWITCHES.items():
        monkeypatch.setenv(name, value)
    assert ray(deep=True).sign == "ok"
