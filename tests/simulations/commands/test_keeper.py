"""`eyesoff keeper`; what a killed or stopped one leaves behind is shown in tests/client/test_serving.py."""

import json
import logging
import os
import signal
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile

from client.journal import LOG
from client.service import KeeperServer, RemoteKeeper
from common.errors import UserError
from simulations import cli

IDLE = {"eyesoff": "0.1.0", "session": "03+08", "tunings": 0, "step": 0, "iterations": 0, "rate": 0.0}


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


@pytest.fixture
def site_file(tmp_path):
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech" / "one.wav", np.random.default_rng(0).normal(size=4000) / 10, 16000)
    (tmp_path / "speech" / "recordings.csv").write_text("path,emotion,session\none.wav,sad,03+08\n")
    (tmp_path / "site.toml").write_text('session = "03+08"\nroot = "speech"\n')
    return tmp_path / "site.toml"


@contextmanager
def telling(path, status):
    """A keeper at a socket that says this of itself."""

    class Keeper:
        largest = 0

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
            "tuning, step 120 of 700, 2.00 steps a second, 0:04:50 left; 2 more waiting",
        ),
    ],
)
def test_status_is_one_line(capsys, socket_path, status, line):
    with telling(socket_path, status):
        assert run(capsys, "status", "--socket", socket_path) == (0, f"keeper of 03+08 (eyesoff 0.1.0): {line}\n", "")


def test_status_as_json_is_one_object(capsys, socket_path):
    with telling(socket_path, IDLE):
        assert json.loads(run(capsys, "status", "--socket", socket_path, "--json")[1]) == IDLE


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
    assert "stopped as asked" in log


def test_a_second_keeper_on_the_socket_is_refused(capsys, site_file, socket_path):
    with telling(socket_path, IDLE):
        status, _, err = run(capsys, "serve", "--site", site_file, "--socket", socket_path)
        assert status == 2
        assert f"error: another keeper serves this socket: {socket_path}; stop it first" in err
        assert RemoteKeeper(socket_path).status() == IDLE
