"""`eyesoff keeper`; what a killed or stopped one leaves behind is shown in tests/client/test_serving.py."""

import json
import logging
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest

from client.dice import write_secret
from client.history import Record
from client.journal import LOG
from client.ledger import GENESIS, Ledger
from client.service import AT_ONCE, KeeperServer, RemoteKeeper
from common.errors import UserError
from common.files import locked
from simulations import cli

HEAD = "ab" * 32
IDLE = {
    "eyesoff": "0.1.0",
    "session": "03+08",
    "well": True,
    "entries": 1234,
    "head": HEAD,
    "tunings": 0,
    "step": 0,
    "iterations": 0,
    "rate": 0.0,
}


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["keeper", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


@pytest.fixture(autouse=True)
def process():
    """What a process of its own would take with it: its umask and its log on the terminal."""
    umask, handlers, level = os.umask(0o022), logging.root.handlers[:], logging.root.level
    yield
    os.umask(umask)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def socket_path(tmp_path):
    return tmp_path / "keeper.sock"


@contextmanager
def telling(path, status):
    """A keeper at a socket that says this of itself."""

    class Keeper:
        largest = 0

        def metrics(self):
            return f"eyesoff_tunings {status['tunings']}\n"

        def status(self):
            return status

    with KeeperServer(path, Keeper()) as server:
        over = threading.Event()
        thread = threading.Thread(target=server.serve_until, args=(over.is_set,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (IDLE, "no tuning at work"),
        (IDLE | {"tunings": 1, "iterations": 700}, "tuning, step 0 of 700"),
        (
            IDLE | {"tunings": 3, "step": 120, "iterations": 700, "rate": 2.0},
            "tuning, step 120 of 700, 2.00 steps a second, 0:04:50 left, 2 more waiting",
        ),
        (IDLE | {"tunings": 1, "doing": "distilling", "iterations": 600}, "distilling, step 0 of 600"),
    ],
)
def test_status_is_one_line(capsys, socket_path, status, line):
    with telling(socket_path, status):
        told = f"keeper of 03+08 (eyesoff 0.1.0): {line}; ledger: 1234 entries, head {HEAD}\n"
        assert run(capsys, "status", "--socket", socket_path) == (0, told, "")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_keeper_that_can_answer_nothing_is_not_well_and_says_so(capsys, socket_path, form):
    with telling(socket_path, IDLE | {"well": False, "entries": None, "head": None}):
        status, told, _ = run(capsys, "status", "--socket", socket_path, *form)
    assert status == 1
    assert ('"well": false' if form else "it can answer nothing, and keeper.log") in told


def test_status_as_json_is_one_object(capsys, socket_path):
    with telling(socket_path, IDLE):
        assert json.loads(run(capsys, "status", "--socket", socket_path, "--json")[1]) == IDLE


def test_metrics_are_printed_or_written_whole_for_a_collector_to_read(capsys, socket_path, tmp_path):
    file = tmp_path / "eyesoff.prom"
    with telling(socket_path, IDLE):
        assert run(capsys, "metrics", "--socket", socket_path) == (0, "eyesoff_tunings 0\n", "")
        assert run(capsys, "metrics", "--socket", socket_path, "--to", file) == (0, "", "")
    assert file.read_text() == "eyesoff_tunings 0\n"
    status, _, err = run(capsys, "metrics", "--socket", socket_path, "--to", file)
    assert (status, err.count("\n")) == (2, 1)
    assert file.read_text().splitlines()[-1] == "eyesoff_keeper_well 0"  # an alarm on an old 1 would stay silent


def test_a_relay_that_holds_every_connection_cannot_make_a_well_keeper_look_unwell(capsys, socket_path, tmp_path):
    file = tmp_path / "eyesoff.prom"
    file.write_text("eyesoff_keeper_well 1\n")
    with telling(socket_path, IDLE), ExitStack() as held:
        for _ in range(AT_ONCE):
            connection = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.connect(str(socket_path))
        status, _, err = run(capsys, "metrics", "--socket", socket_path, "--to", file)
    assert (status, err.count("\n"), "closed the connection" in err) == (2, 1, True)
    assert file.read_text() == "eyesoff_keeper_well 1\n"


def test_the_status_of_a_keeper_that_is_not_there_is_a_line_and_status_2(capsys, socket_path):
    status, out, err = run(capsys, "status", "--socket", socket_path)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"error: the keeper does not answer: {socket_path}; no such file or directory")


def test_a_mistake_in_the_site_file_is_told_before_anything_is_begun(capsys, site_file, socket_path):
    site_file.write_text('session = "03+08"\nrooot = "speech"\n')
    status, _, err = run(capsys, "serve", "--site", site_file, "--socket", socket_path)
    assert status == 2
    assert "rooot" in err
    assert not (site_file.parent / "state").exists()


def test_it_serves_until_it_is_asked_to_stop_and_warns_of_folders_that_are_open_to_all(capsys, site_file, socket_path):
    def stop():
        while True:
            try:
                RemoteKeeper(socket_path).status()
            except UserError:
                time.sleep(0.01)
            else:
                return os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    stopping.start()
    assert run(capsys, "serve", "--site", site_file, "--socket", socket_path)[0] == 0
    stopping.join()
    log = (site_file.parent / "state" / LOG).read_text()
    assert f"any user of this machine can look into {site_file.parent / 'speech'}" in log
    assert "keeper of 03+08: serving on" in log
    assert f"ledger: 0 entries, head {GENESIS}" in log
    assert "stopped as asked" in log


def test_a_second_keeper_on_the_socket_is_refused(capsys, site_file, socket_path):
    with telling(socket_path, IDLE):
        status, _, err = run(capsys, "serve", "--site", site_file, "--socket", socket_path)
        assert status == 2
        assert f"error: another keeper serves this socket: {socket_path}; stop it first" in err
        assert RemoteKeeper(socket_path).status() == IDLE


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to(path.with_name("ledger.jsonl")), "it is a link"),
        (os.mkfifo, "it is no plain file"),
        (lambda path: path.mkdir(), "is a directory"),
    ],
    ids=["link", "pipe", "folder"],
)
@pytest.mark.parametrize("name", ["keeper.lock", LOG])
def test_what_is_no_file_in_the_place_of_lock_or_log_is_named_and_harms_nothing(
    capsys, site_file, socket_path, make, why, name
):
    state = site_file.parent / "state"
    state.mkdir()
    (state / "ledger.jsonl").write_text("speech")
    make(state / name)
    status, _, err = run(capsys, "serve", "--site", site_file, "--socket", socket_path)
    assert (status, err.count("\n")) == (2, 1)
    assert f"{state / name}; {why}".lower() in err.lower()
    assert (state / "ledger.jsonl").read_text() == "speech"


def test_a_log_of_json_ends_with_json(capsys, caplog, site_file, socket_path):
    words = "--site", site_file, "--socket", socket_path, "--log", "json"
    with locked(site_file.parent / "state" / "keeper.lock"):
        status, _, err = run(capsys, "serve", *words)
    assert status == 2
    assert "error: another process" not in err  # a plain line
    assert "error: another process is at work here" in caplog.messages[-1]
    site_file.write_text("rooot = 1")
    assert run(capsys, "serve", *words)[0] == 2
    assert "rooot" in caplog.messages[-1]


def test_a_second_keeper_of_one_state_is_refused(capsys, site_file, socket_path):
    with locked(site_file.parent / "state" / "keeper.lock"):
        status, _, err = run(capsys, "serve", "--site", site_file, "--socket", socket_path)
    assert status == 2
    assert "another process is at work here" in err
    assert not socket_path.exists()


def test_a_keeper_whose_ledger_lost_its_end_does_not_start(capsys, site_file, socket_path):
    path = site_file.parent / "state" / "ledger.jsonl"
    for _ in range(2):
        Ledger(path).append(Record(time=datetime.now(UTC), outcome="admitted"))
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    write_secret(path.with_name("secret"))
    status, _, err = run(capsys, "serve", "--site", site_file, "--socket", socket_path)
    assert (status, err.count("\n")) == (2, 1)
    assert f"eyesoff ledger accept {path}" in err
    assert not socket_path.exists()
