"""A run as its events tell it, and a page that serves it."""

import threading

import pytest

from common.wire import Stage, Working
from server.correspondence import Failure
from server.events import EventFile
from server.intake import Aside
from server.run import EVENTS
from simulations.live.picture import Picture
from simulations.live.serving import Server


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def events(run):
    return EventFile(run / EVENTS)


@pytest.fixture
def busy(run, events):
    """A run in the midst of its work, with everything that can be told."""
    events.write(event="begun", what="simulation")
    events.stage("ask", 2)
    events.done("ask", "A")
    events.done("ask", "B")
    events.stage("tune", 2)
    events.done("tune", "A")
    events.working("B", Working(run="run", session="B", stage=Stage.TUNE, step=3, iterations=9, rate=1.5))
    events.failed(Failure("1", "B", "tune", "<b>no answer</b>"))
    events.put_aside(Aside(session="C", check="samples", reason="constant", name="C-0", weights="0"))
    events.write(event="left", unit="A", kind="release", bytes=1200)
    for step in (10, 20):
        events.write(event="training", unit="everyone", step=step, iterations=40, rate=2.0, loss=1 / step)
    return run


@pytest.fixture
def served():
    """A function that serves a function's answer, and the servers end with the test."""
    servers = []

    def serve(look):
        server = Server(look)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def page_of(served):
    """A function that serves runs as `eyesoff watch` does."""

    def serve(*runs, now=0.0):
        pictures = [Picture(run) for run in runs]
        return served(lambda: {"now": now, "runs": [picture.look() for picture in pictures]})

    return serve
