"""A relay with a user of its own asks its keeper, and can change nothing that is the keeper's."""

import multiprocessing
import os
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.history import Record
from client.ledger import Ledger
from client.service import KeeperServer, RemoteKeeper
from common.files import locked

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two users")
KEEPER, RELAY, DOOR = 10002, 10001, 10003
"""As in containers/Dockerfile."""
FORK = multiprocessing.get_context("fork")


class Echo:
    """A keeper that says what it was told."""

    largest = 2**20

    def answer(self, data, patience=0.0):
        return bytes(data)


@contextmanager
def another_user(user, group, act, *arguments, groups=()):
    """Somebody else's process, and a pipe to it."""
    here, there = FORK.Pipe()

    def become():
        here.close()
        os.setgroups(groups)
        os.setgid(group)
        os.setuid(user)
        act(there, *arguments)

    process = FORK.Process(target=become)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(60)
        process.kill()


def keep(pipe, home):
    """Serve until the other end is closed."""
    os.umask(0o077)
    (home / "state").mkdir()
    Ledger(home / "state" / "ledger.jsonl").append(Record(time=datetime.now(UTC), outcome="sent"))
    with (
        locked(home / "state" / "keeper.lock", wait=False),
        KeeperServer(home / "run" / "keeper.sock", Echo()) as server,
    ):
        server.timeout = 0.05
        pipe.send("serving")
        server.serve_until(lambda: pipe.poll())


def probe(pipe, home):
    """Ask, then try whatever would change or read something of the keeper's; tell what succeeded."""
    done, run, state = [], home / "run", home / "state"
    if RemoteKeeper(run / "keeper.sock").answer(b"hello") == b"hello":
        done.append("asked")
    attempts = {
        "made a file": lambda: (run / "x").touch(),
        "made a lock": lambda: (run / "keeper.sock.lock").symlink_to(state / "ledger.jsonl"),
        "took the socket away": lambda: (run / "keeper.sock").unlink(),
        "moved the socket": lambda: (run / "keeper.sock").rename(run / "other.sock"),
        "moved the folder": lambda: run.rename(home / "other"),
        "opened the folder": lambda: run.chmod(0o777),
        "opened the socket": lambda: (run / "keeper.sock").chmod(0o777),
        "read the ledger": lambda: (state / "ledger.jsonl").read_bytes(),
        "wrote the ledger": lambda: (state / "ledger.jsonl").open("ab"),
        "took the lock": lambda: (state / "keeper.lock").open("ab"),
        "looked into the state": lambda: list(state.iterdir()),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        done.append(name)
    pipe.send(done)


@pytest.fixture
def home():
    """The keeper's, which everybody may enter."""
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    os.chown(home, KEEPER, DOOR)
    yield home
    shutil.rmtree(home)


def attempts_of(home, user, groups):
    with another_user(KEEPER, DOOR, keep, home) as keeper:
        assert keeper.recv() == "serving"
        with another_user(user, user, probe, home, groups=groups) as relay:
            return relay.recv()


def test_a_stranger_in_the_sockets_group_asks_and_does_nothing_else(home):
    assert attempts_of(home, RELAY, [DOOR]) == ["asked"]


def test_one_with_the_keepers_user_could_do_everything(home):
    assert "took the socket away" in attempts_of(home, KEEPER, [DOOR])
