"""A flood of requests is counted, and neither fills the ledger nor keeps the granted ones out."""

from datetime import UTC, datetime, timedelta

import pytest

from client.flood import Flood, TurnedAway
from client.gate import Gate
from client.ledger import Ledger, entries, verify
from client.policy import Policy
from client.rules import Holdings
from common.config.tree import EMOTIONS
from common.wire import Ask, Code, Description, Refusal, decode_reply, encode

ASK = Ask(run="run-1")
DESCRIBED = Description(
    run="run-1",
    session="03+08",
    labels=EMOTIONS,
    features="0123456789ab",
    utterances=None,
    speakers=None,
    eyesoff="0.1.0",
    torch="2.11.0",
)


class TestCounting:
    """When the ledger hears of it."""

    def test_it_is_due_at_numbers_that_double_while_the_flood_lasts(self):
        flood, told = Flood(first=3), []
        for _ in range(100):
            if flood.add():
                told += [flood.take(over=False)]
        assert told == [3, 6, 12, 24, 48]
        assert flood.take(over=True) == 100 - sum(told)

    def test_the_next_flood_begins_anew(self):
        flood = Flood(first=2)
        assert [flood.add(), flood.add()] == [False, True]
        flood.take(over=False)
        flood.take(over=True)
        assert [flood.add(), flood.add()] == [False, True]

    def test_what_could_not_be_told_is_not_forgotten(self):
        flood = Flood(first=5)
        for _ in range(3):
            flood.add()
        flood.put_back(flood.take(over=True))
        assert flood.take(over=True) == 3
        assert flood.take(over=True) == 0


class TestAtTheGate:
    """Five refusals a day are written down."""

    @pytest.fixture
    def now(self):
        return [datetime(2030, 1, 31, 12, tzinfo=UTC)]

    @pytest.fixture
    def gate(self, ledger, now):
        counts = {"utterances": (9, 9, 9, 9), "speakers": (2, 2, 2, 2)}
        holdings = Holdings("03+08", EMOTIONS, "0123456789ab", **counts, speech="ab" * 32)
        return Gate(Policy(refusals_a_day=5), holdings, ledger, clock=lambda: now[0])

    @pytest.fixture
    def flooded(self, gate):
        for _ in range(5):
            refuse(gate)
        return gate

    def test_refusals_within_the_day_are_answered_and_written_down(self, gate, ledger):
        for _ in range(5):
            assert decode_reply(refuse(gate), ASK).code is Code.TRUNCATED
        assert [entry.outcome for entry in entries(ledger.path)] == 5 * ["refused", "sent"]

    def test_beyond_them_nothing_is_answered_and_the_ledger_grows_by_a_line_at_doubling_numbers(self, flooded, ledger):
        for _ in range(5 + 10 + 20 + 3):
            with pytest.raises(TurnedAway):
                refuse(flooded)
        told = [entry for entry in entries(ledger.path) if entry.outcome == "turned-away"]
        assert [entry.times for entry in told] == [5, 10, 20]
        assert len(list(entries(ledger.path))) == 10 + 3
        assert verify(ledger.path).problems == ()

    def test_what_is_granted_still_passes_and_brings_the_rest_of_the_count(self, flooded, ledger):
        for _ in range(3):
            with pytest.raises(TurnedAway):
                refuse(flooded)
        answer = flooded.answer(encode(ASK), lambda request: DESCRIBED)
        assert not isinstance(decode_reply(answer, ASK), Refusal)
        *_, sent, told = entries(ledger.path)
        assert (sent.kind, told.outcome, told.times) == ("description", "turned-away", 3)

    def test_the_next_day_has_refusals_again(self, flooded, now):
        now[0] += timedelta(hours=24)
        assert decode_reply(refuse(flooded), ASK).code is Code.TRUNCATED

    def test_a_restarted_keeper_does_not_begin_the_day_anew(self, flooded, ledger):
        flooded._ledger = Ledger(ledger.path)
        with pytest.raises(TurnedAway):
            refuse(flooded)

    def test_a_reply_that_is_held_back_is_turned_away_as_well(self, flooded):
        with pytest.raises(TurnedAway):
            flooded.answer(encode(ASK), lambda request: None)


def refuse(gate):
    return gate.answer(b"", lambda request: pytest.fail("handled"))
