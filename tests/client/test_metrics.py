"""A keeper's counts are Prometheus' text, move with what is asked, and tell nothing of the speech."""

import re

import pytest

from client.keeper import Keeper
from client.metrics import exposition
from client.policy import Policy
from client.standing import history_of, quotas

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([^"\\]*)"\})? (-?[0-9.]+(?:e[+-]\d+)?)')
STATUS = {"eyesoff": "0.1.0", "well": True, "tunings": 2, "entries": 1234567}


def parsed(text):
    """Name and label to value; raises where it is not the text format."""
    assert text.endswith("\n")
    found, told = {}, set()
    for line in text.splitlines():
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            assert word in ("HELP", "TYPE")
            assert rest
            told.add((word, name))
            continue
        matched = SAMPLE.fullmatch(line)
        assert matched, line
        name, _, label, value = matched.groups()
        assert {("HELP", name), ("TYPE", name)} <= told
        assert (name, label) not in found
        found[name, label] = float(value)
    return found


def test_counts_are_spelled_as_prometheus_reads_them(clock):
    told = parsed(exposition(STATUS, quotas(history_of([], clock()), {}, Policy())))
    assert told["eyesoff_keeper_well", None] == 1
    assert told["eyesoff_tunings", None] == 2
    assert told["eyesoff_ledger_entries", None] == 1_234_567
    assert told["eyesoff_quota_limit", "releases_in_all"] == 20
    assert told["eyesoff_quota_used", "epsilon_in_all"] == 0


@pytest.mark.parametrize("text", ["a 1\n", "# HELP a b\n# TYPE a gauge\na x\n", "# HELP a b\n# TYPE a gauge\na 1"])
def test_what_is_not_the_format_is_found(text):
    with pytest.raises(AssertionError):
        parsed(text)


def test_a_keeper_that_is_not_well_says_so_and_no_more():
    told = parsed(exposition(STATUS | {"well": False, "entries": None}, ()))
    assert told["eyesoff_keeper_well", None] == 0
    assert not any("quota" in name or "ledger" in name for name, _ in told)


def test_counts_move_with_what_is_asked_and_reading_them_writes_nothing(site):
    keeper = Keeper(site)
    before = parsed(keeper.metrics())
    keeper.answer(b"nothing of the kind")
    entries = site.ledger.read_bytes()
    after = parsed(keeper.metrics())
    assert site.ledger.read_bytes() == entries
    assert (before["eyesoff_quota_used", "refusals_a_day"], after["eyesoff_quota_used", "refusals_a_day"]) == (0, 1)
    assert after["eyesoff_ledger_entries", None] == before["eyesoff_ledger_entries", None] + 2


def test_nothing_of_the_speech_is_among_them(site):
    told = Keeper(site).metrics()
    samples = "\n".join(line for line in told.splitlines() if line[0] != "#")
    assert {name for name, _ in parsed(told)} == {
        "eyesoff_keeper_info",
        "eyesoff_keeper_well",
        "eyesoff_tunings",
        "eyesoff_ledger_entries",
        "eyesoff_quota_used",
        "eyesoff_quota_limit",
    }
    for word in (*site.emotions, site.session, "audit", "verdict", "speaker", str(site.root)):
        assert word not in samples


def test_a_ledger_that_cannot_be_read_is_a_keeper_that_is_not_well(site):
    keeper = Keeper(site)
    keeper.answer(b"nothing of the kind")
    site.ledger.write_bytes(b"")
    assert parsed(keeper.metrics())["eyesoff_keeper_well", None] == 0
