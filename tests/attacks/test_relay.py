"""What a relay may do to its keeper: the file system between them, floods, and a keeper that is kept busy or silent."""

import errno
import logging
import os
from contextlib import contextmanager

import pytest

import client.service
from client.bounds import Bounds
from client.keeper import Keeper
from client.ledger import Ledger, entries, verify
from client.service import KeeperServer
from common.config import NetworkConfig
from common.errors import UserError
from common.networks import Discriminator
from common.wire import Ask, Code
from tests.attacks.clinic import ANY, open_bounds, said, score_request, site

RELAY_WRITES, KEEPER_ALONE = 0o770, 0o750
FLOOD = 40
"""Requests that are no requests."""


@pytest.fixture(autouse=True)
def quiet():
    """A flood fills a log, too."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def keeper(speech, tmp_path):
    keeper = Keeper(site(speech, tmp_path))
    said(keeper, Ask(run="run-1"))
    return keeper


@pytest.fixture
def socket(tmp_path):
    """Where a keeper serves; beside it the relay has put a link to the ledger, under the name of a lock."""
    folder = tmp_path / "socket"
    folder.mkdir()
    (folder / "keeper.sock.lock").symlink_to(tmp_path / "state" / "ledger.jsonl")
    return folder / "keeper.sock"


def careless_lock(path):
    """The lock of the first release: beside the socket, through links, and what it names is emptied by opening it."""
    path.with_name(f"{path.name}.lock").open("w").close()


class TestALockThatIsALinkToTheLedger:
    """The relay puts it beside the socket, before the keeper is started again."""

    def test_empties_it_where_the_lock_lies_beside_the_socket(self, keeper, socket, tmp_path, monkeypatch, note):
        monkeypatch.setattr(client.service, "_take", careless_lock)
        KeeperServer(socket, keeper).server_close()
        left = verify(tmp_path / "state" / "ledger.jsonl")
        note("ledger: erased through the lock", off=f"{left.entries} entries left")
        assert left.entries == 0

    def test_leaves_it_as_it_is_where_the_folder_is_the_keepers_alone(self, keeper, socket, tmp_path):
        socket.parent.chmod(KEEPER_ALONE)
        before = (tmp_path / "state" / "ledger.jsonl").read_bytes()
        KeeperServer(socket, keeper).server_close()
        assert (tmp_path / "state" / "ledger.jsonl").read_bytes() == before

    def test_cannot_be_there_for_a_folder_that_the_relay_may_write_is_refused(self, keeper, socket, tmp_path, note):
        socket.parent.chmod(RELAY_WRITES)
        before = (tmp_path / "state" / "ledger.jsonl").read_bytes()
        with pytest.raises(UserError, match="can be written by somebody else") as refused:
            KeeperServer(socket, keeper)
        note("ledger: erased through the lock", on=refused.value.args[0].split(":")[0])
        assert (tmp_path / "state" / "ledger.jsonl").read_bytes() == before

    def test_a_ledger_that_was_emptied_all_the_same_is_missed(self, keeper, speech, tmp_path):
        os.truncate(tmp_path / "state" / "ledger.jsonl", 0)
        with pytest.raises(UserError, match="does not hold what was last written"):
            Keeper(site(speech, tmp_path))


class TestAFloodOfRefusals:
    """Requests that cost nothing, each written down."""

    @staticmethod
    def lines_after(keeper, folder):
        before = len(list(entries(folder / "state" / "ledger.jsonl")))
        for _ in range(FLOOD):
            try:
                keeper.answer(b"no request")
            except Exception as turned_away:
                assert type(turned_away).__name__ == "TurnedAway"
        return len(list(entries(folder / "state" / "ledger.jsonl"))) - before

    def test_is_written_down_word_by_word_where_it_is_not_counted(self, speech, tmp_path, note):
        keeper = Keeper(site(speech, tmp_path, {"refusals_a_day": 10 * FLOOD}))
        lines = self.lines_after(keeper, tmp_path)
        note("keeper: flood of refusals", off=f"{lines} lines for {FLOOD} requests")
        assert lines == 2 * FLOOD

    def test_gets_few_lines_where_the_day_has_seen_enough_and_what_is_granted_passes(self, speech, tmp_path, note):
        keeper = Keeper(site(speech, tmp_path, {"refusals_a_day": 4}))
        lines = self.lines_after(keeper, tmp_path)
        note("keeper: flood of refusals", on=f"{lines} lines for {FLOOD} requests, and what is granted passes")
        assert lines < FLOOD / 2
        assert said(keeper, Ask(run="run-2")).kind == "description"


class TestADiskThatIsFullForAMoment:
    """A line of the ledger gets as far as half of it."""

    @staticmethod
    @contextmanager
    def full(monkeypatch):
        """Every line gets as far as half of it while the block runs."""

        def half(ledger, stream, line):
            ledger._failed = True
            stream.write(line[: len(line) // 2])
            raise ledger._broken("cannot be written", remedy=os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "_put", half)
            yield

    def test_silences_a_keeper_for_good_where_only_a_start_heals_its_ledger(self, keeper, monkeypatch, note):
        def never(ledger, *_):
            raise ledger._broken("its last line is torn", remedy="start the keeper again")

        monkeypatch.setattr(Ledger, "_mend", never)
        with self.full(monkeypatch), pytest.raises(UserError):
            said(keeper, Ask(run="run-2"))
        with pytest.raises(UserError, match="torn"):
            said(keeper, Ask(run="run-3"))
        note("keeper: a disk full for a moment", off="no answer until it is started again")

    def test_silences_it_for_that_moment_and_its_health_says_so(self, keeper, monkeypatch, note):
        with self.full(monkeypatch):
            with pytest.raises(UserError):
                said(keeper, Ask(run="run-2"))
            assert not keeper.status()["well"]
        assert said(keeper, Ask(run="run-3")).kind == "description"
        assert keeper.status()["well"]
        note("keeper: a disk full for a moment", on="answers again at once; its health was red meanwhile")


class TestAScoringThatTakesDays:
    """A window at every frame, so that one granted scoring keeps the site busy."""

    @staticmethod
    def thirsty(hop):
        return score_request(Discriminator(NetworkConfig(width=1 / 64), 4), "run-1", "fold", hop=hop)

    def test_passes_the_bounds_where_they_are_open(self, speech, tmp_path, note):
        keeper = Keeper(site(speech, tmp_path, {"bounds": open_bounds(), "minimum_test_utterances": 1}))
        assert said(keeper, self.thirsty(1)).code is Code.NOT_IN_THAT_RUN, "the next rule, not this one"
        frames = [log_mel.shape[1] for log_mel in keeper._door.features]
        windows = {hop: sum(max(count - 128, 0) // hop + 1 for count in frames) for hop in (1, 32)}
        note("keeper: thirst", off=f"{windows[1]} windows where {windows[32]} do")
        assert windows[1] > 10 * windows[32]

    def test_is_refused_by_default(self, speech, tmp_path, note):
        keeper = Keeper(site(speech, tmp_path, {"minimum_test_utterances": 1}))
        refused = said(keeper, self.thirsty(1))
        note("keeper: thirst", on=refused.code.value)
        assert refused.code is Code.OUT_OF_BOUNDS
        assert said(keeper, self.thirsty(32)).code is Code.NOT_IN_THAT_RUN
        assert Bounds().window_hop != ANY
