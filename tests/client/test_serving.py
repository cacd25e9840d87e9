"""`eyesoff keeper serve` as the process that it is: killed, stopped, without a network and without Flower."""

import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from client.activity import TUNINGS
from client.bases import Bases
from client.dice import read_dice
from client.door import Door
from client.journal import LOG
from client.ledger import entries, verify
from client.policy import load_policy
from client.service import RemoteKeeper
from client.site import Site
from client.tuning import SNAPSHOTS, Grant, TuningFolder, tune
from common.errors import UserError
from common.wire import Collect, Release, Working, decode_reply, encode

LONG = 250.0
STEPS, MANY = 20, 50_000

ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("flwr", "ray"):
            raise ImportError(f"{name} is not to be had here")

def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError("a name is looked up")
    if event in ("socket.connect", "socket.bind") and isinstance(arguments[1], tuple):
        raise RuntimeError("a network is used")

sys.meta_path.insert(0, Blocked())
sys.addaudithook(watch)
from simulations.cli import main
main()
"""
"""The command line where there is neither network nor Flower nor Ray; any use of one ends the process."""


@pytest.fixture
def own(speech, tmp_path, with_policy, ask_to_tune):
    """A site whose policy grants few steps and many."""
    recipes = [ask_to_tune(iterations=steps).tuning.recipe.digest for steps in (STEPS, MANY)]
    return with_policy(Site(session="03+08", root=speech, state=tmp_path / "site" / "state"), f"recipes = {recipes}")


@pytest.fixture
def site_file(own):
    path = own.policy.with_name("site.toml")
    path.write_text(f'session = "{own.session}"\nroot = "{own.root}"\npolicy = "{own.policy.name}"\n')
    return path


@pytest.fixture
def state(own):
    return own.state


@pytest.fixture
def socket_path(tmp_path):
    return tmp_path / "keeper.sock"


@pytest.fixture
def started(site_file, socket_path):
    """A keeper in a process of its own, once it serves; it does not outlive the block."""

    @contextmanager
    def start():
        command = [
            sys.executable,
            "-c",
            ALONE,
            "keeper",
            "serve",
            "--site",
            str(site_file),
            "--socket",
            str(socket_path),
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                await_service(process, socket_path)
                yield process
            finally:
                process.kill()

    return start


def await_service(process, path):
    for line in process.stderr:
        if "serving on" in line:
            return
    raise AssertionError(f"the keeper of {path} ended with {process.wait()}")


def await_snapshot(state):
    deadline = time.monotonic() + LONG
    while not list((state / TUNINGS).glob(f"*/{SNAPSHOTS}/*/[0-9]*")):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def said(path, request, patience=0.0):
    return decode_reply(RemoteKeeper(path).answer(encode(request), patience), request)


def awaited(path, request):
    """The release, asked for again and again as a server does."""
    deadline = time.monotonic() + LONG
    while isinstance(told := said(path, request, 10.0), Working):
        assert time.monotonic() < deadline
    return told


def test_killed_in_the_midst_of_a_tuning_it_goes_on_by_itself_to_the_same_generator(
    started, state, own, socket_path, ask_to_tune, tmp_path
):
    request = ask_to_tune(iterations=STEPS)
    collect = Collect(tuning=request.tuning)
    with started() as process:
        assert isinstance(said(socket_path, request), Working)
        await_snapshot(state)
        process.kill()
    (folder,) = map(TuningFolder, (state / TUNINGS).iterdir())
    assert not folder.is_finished
    assert socket_path.is_socket()  # left by the one that was killed
    with started():
        told = awaited(socket_path, collect)
    undisturbed = TuningFolder(tmp_path / "undisturbed")
    undisturbed.keep(request.tuning)
    grant = Grant(Bases(state), read_dice(own.secret), load_policy(own.policy).bounds, LONG)
    tune(undisturbed, Door(own), own.runtime, grant, lambda: False)
    weights, _ = undisturbed.finished()
    expected = Release(card=told.card, released=weights)
    assert encode(told) == encode(expected)
    assert verify(state / "ledger.jsonl").problems == ()


@pytest.mark.slow
def test_asked_to_stop_it_keeps_its_step_and_leaves_with_status_0(started, state, socket_path, ask_to_tune):
    with started() as process:
        said(socket_path, ask_to_tune(iterations=MANY))
        told = RemoteKeeper(socket_path).status()
        assert (told["session"], told["tunings"]) == ("03+08", 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0
    assert not socket_path.exists()
    log = (state / LOG).read_text()
    assert "stopped as asked" in log
    assert log.count("stopped as asked after step") == bool(list((state / TUNINGS).glob(f"*/{SNAPSHOTS}/*/*")))
    with pytest.raises(UserError, match="the keeper does not answer"):
        RemoteKeeper(socket_path).status()
    kept = [state, *(path for path in state.rglob("*") if path.is_file())]
    assert not any(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) for path in kept)
    assert [entry.kind for entry in entries(state / "ledger.jsonl")] == ["tune", "working"]
