"""The ledger's benchmark times as many appends as it says, in ledgers as long as it says."""

import itertools

from client.ledger import Ledger
from simulations.benchmarks import ledger as benchmark


def test_it_times_appends_to_a_short_day_and_to_a_long_one_in_turn(monkeypatch):
    appended, real = [], Ledger.append

    def append(self, record, judge=None):
        entry = real(self, record, judge)
        if judge is not None:
            appended.append((int(self.path.stem), entry.number))
        return entry

    monkeypatch.setattr(Ledger, "append", append)
    monkeypatch.setattr(benchmark.time, "perf_counter", itertools.count().__next__)
    figures = benchmark.bench_ledger(2, 6, rounds=2)
    assert appended == [(6, 7), (2, 3), (2, 4), (6, 8)]
    assert figures == {"rounds": 2, "entries": [2, 6], "milliseconds": [1000.0, 1000.0], "ratio": 1.0}
