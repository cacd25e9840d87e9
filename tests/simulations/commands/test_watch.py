"""`eyesoff watch` from the outside."""

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from server.events import EventFile
from server.run import EVENTS
from simulations.cli import main


def leave(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(["watch", *map(str, words)])
    return left.value.code, *capsys.readouterr()


def test_a_run_that_does_not_exist_is_one_line(tmp_path, capsys):
    status, out, err = leave([tmp_path / "nowhere"], capsys)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "no such run" in err


def test_what_the_page_would_show_is_told_as_json(tmp_path, capsys):
    with EventFile(tmp_path / EVENTS).during("comparison"):
        pass
    status, out, _ = leave([tmp_path, "--json"], capsys)
    assert status == 0
    assert [(run["what"], run["state"]) for run in json.loads(out)["runs"]] == [("comparison", "done")]


def test_a_page_is_served_until_somebody_asks_for_a_stop(tmp_path):
    EventFile(tmp_path / EVENTS).stage("tune", 5)
    words = [sys.executable, "-m", "simulations.cli", "watch", str(tmp_path)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as page:
        address = page.stdout.readline().split()[1]
        with urllib.request.urlopen(f"{address}run.json", timeout=30) as answer:  # noqa: S310 - our own
            told = json.load(answer)
        page.send_signal(signal.SIGINT)
        status = page.wait(30)
    assert told["runs"][0]["stages"] == [{"name": "tune", "done": 0, "total": 5}]
    assert status == 130
