"""A history's sums are those of a plain recount, whatever was written down and whatever the clock did."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from client.history import DAY, Entry, History

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
KINDS, WORKS = ("tune", "score", "release"), ("a", "b", "c")


def entry(number, time=NOON, **facts):
    return Entry(time=time, number=number, previous="0" * 64, **{"outcome": "sent", "kind": "release"} | facts)


@dataclass
class Recount:
    """Every entry kept, with the latest time that was told after it; nothing is kept as a sum."""

    entries: list[list] = field(default_factory=list)

    def add(self, new):
        self.entries.append([new, new.time])
        self.move_to(new.time)

    def move_to(self, now):
        for pair in self.entries:
            pair[1] = max(pair[1], now)

    @property
    def today(self):
        return [one for one, latest in self.entries if one.time > latest - DAY]

    def works(self, kind, entries):
        return {one.work or one.request for one in entries if (one.outcome, one.kind) == ("admitted", kind)}

    def told(self):
        ever = [one for one, _ in self.entries]
        return {
            "bytes": sum(one.bytes for one in self.today if one.outcome == "sent"),
            "refused": sum(one.outcome == "refused" for one in self.today),
            "today": {kind: self.works(kind, self.today) for kind in KINDS},
            "ever": {kind: self.works(kind, ever) for kind in KINDS},
            "released": {
                one.run: one.words
                for one in ever
                if (one.outcome, one.kind) == ("sent", "release") and one.run is not None
            },
        }


def told(history):
    return {
        "bytes": history.bytes_today,
        "refused": history.refused_today,
        "today": {kind: set(history.begun_today(kind)) for kind in KINDS},
        "ever": {kind: set(history.begun_in_all(kind)) for kind in KINDS},
        "released": dict(history.released),
    }


FACTS = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(("admitted", "refused", "sent", "healed")),
        "kind": st.sampled_from(KINDS),
        "run": st.none() | st.sampled_from(("run-1", "run-2")),
        "request": st.sampled_from(("", *WORKS)),
        "work": st.sampled_from(("", *WORKS)),
        "words": st.sampled_from(("one", "two")),
        "bytes": st.integers(0, 9),
    }
)
HOURS = st.integers(-30, 40)
"""How far the clock goes on from one event to the next, or is set back."""


@given(st.lists(st.tuples(HOURS, st.none() | FACTS), max_size=30))
def test_its_answers_are_those_of_a_plain_recount(events):
    history, recount, now = History(), Recount(), NOON
    for number, (hours, facts) in enumerate(events):
        now += timedelta(hours=hours)
        for one in (history, recount):
            one.move_to(now) if facts is None else one.add(entry(number, now, **facts))
        assert told(history) == recount.told()


def test_a_day_is_over_after_exactly_a_day():
    history = History()
    history.add(entry(1, bytes=7))
    history.move_to(NOON + DAY - timedelta(microseconds=1))
    assert history.bytes_today == 7
    history.move_to(NOON + DAY)
    assert history.bytes_today == 0


def test_work_that_was_begun_twice_is_one_piece_until_the_second_is_a_day_old():
    history = History()
    for number, hours in ((1, 0), (2, 20)):
        facts = {"outcome": "admitted", "kind": "tune", "request": str(number), "work": "same"}
        history.add(entry(number, NOON + timedelta(hours=hours), **facts))
    history.move_to(NOON + timedelta(hours=30))
    assert set(history.begun_today("tune")) == {"same"}
    history.move_to(NOON + timedelta(hours=44))
    assert set(history.begun_today("tune")) == set()
    assert set(history.begun_in_all("tune")) == {"same"}


def test_work_without_a_name_has_its_requests():
    history = History()
    history.add(entry(1, outcome="admitted", kind="score", request="asked"))
    assert set(history.begun_today("score")) == {"asked"}


def test_an_entry_of_a_clock_that_ran_ahead_holds_back_no_other():
    history = History()
    history.add(entry(1, NOON + timedelta(days=9), bytes=1))
    history.add(entry(2, NOON, bytes=20))
    history.move_to(NOON + DAY)
    assert history.bytes_today == 1


def test_the_last_release_of_a_run_is_the_one_that_is_known():
    history = History()
    for number, (run, words) in enumerate((("run-1", "old"), ("run-2", "other"), ("run-1", "new"), (None, "none"))):
        history.add(entry(number, run=run, words=words))
    history.add(entry(9, kind="refusal", run="run-1", words="refused"))
    assert dict(history.released) == {"run-1": "new", "run-2": "other"}
