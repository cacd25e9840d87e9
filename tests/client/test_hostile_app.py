"""Flower ships the app from the server's side: here it is a thief. Nothing comes out, and each attempt is written down.

All that such an app has is what the relay has: the path of a socket.
"""

import dataclasses
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from client.ledger import entries, verify
from client.service import RemoteKeeper
from common.synthesizers import SYNTHESIZERS
from common.wire import Ask, Code, Collect, Refusal, decode, encode
from common.wire.codec import Limits
from common.wire.messages import PROTOCOL

MARK = "PATIENT-7"
LONG = 250.0
HEAD = b"HTTP/1.0 "


def spoken(path, data):
    """All that comes back for bytes that may be no HTTP at all."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(LONG)
        connection.connect(str(path))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(2**16), b""))


def posted(path, body):
    return spoken(path, b"POST /answer HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def message(**words):
    """A message of the thief's own making, in the right frame."""
    header = json.dumps({"__metadata__": {"eyesoff": json.dumps(words, sort_keys=True, separators=(",", ":"))}})
    text = json.dumps(json.loads(header), separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def targets(*lines):
    return lambda path, requests: b"".join(spoken(path, line.encode() + b"\r\n\r\n") for line in lines)


def messages(*bodies):
    return lambda path, requests: b"".join(posted(path, body) for body in bodies)


ATTEMPTS = {
    "read a file by its path": targets(
        f"GET /{MARK}-0.wav HTTP/1.1", "GET /recordings.csv HTTP/1.1", "GET file:///recordings.csv HTTP/1.1"
    ),
    "climb out of the folder": targets(f"GET /../../{MARK}-0.wav HTTP/1.1", "GET /status/../ledger.jsonl HTTP/1.1"),
    "read the keeper's own files": targets("GET /state/keeper.log HTTP/1.1", "GET /tunings HTTP/1.1"),
    "use another method": targets("PUT /answer HTTP/1.1", "DELETE /answer HTTP/1.1", "TRACE /status HTTP/1.1"),
    "ask for utterances": messages(
        *(
            message(kind=kind, protocol=PROTOCOL, run="r")
            for kind in ("utterances", "read", "features", "manifest", "ledger")
        )
    ),
    "ask for more beside what is asked": messages(
        message(kind="ask", protocol=PROTOCOL, run="r", include="utterances"),
        message(kind="ask", protocol=PROTOCOL, run="r", utterances=[0, 1]),
    ),
    "name a path in a field": messages(
        message(kind="ask", protocol=PROTOCOL, run=f"../{MARK}-0.wav"),
        message(kind="ask", protocol=PROTOCOL, run="/etc/passwd"),
    ),
    "send code": messages(
        b"\x80\x04cos\nsystem\n(S'id'\ntR.", message(kind="__import__('os')", protocol=PROTOCOL, run="r")
    ),
    "send an answer instead of a request": messages(
        message(kind="refusal", protocol=PROTOCOL, run=None, session=None, code="failed", stage="tune")
    ),
    "append bytes to a request": lambda path, requests: posted(path, encode(requests["ask"]) + bytes(64)),
    "have speakers told apart": lambda path, requests: posted(path, encode(requests["speakers"])),
    "have a million steps": lambda path, requests: posted(path, encode(requests["million"])),
    "collect what was never tuned": lambda path, requests: posted(path, encode(requests["collect"])),
    "send weights that are no numbers": lambda path, requests: posted(
        path, encode(requests["tune"])[:-4] + b"\xff\xff\xff\xff"
    ),
}


@pytest.fixture(scope="module")
def requests(ask_to_tune, ask_to_score):
    return {
        "ask": Ask(run="run-1"),
        "tune": ask_to_tune(iterations=6),
        "million": ask_to_tune(iterations=1_000_000),
        "collect": Collect(tuning=ask_to_tune(iterations=7).tuning),
        "speakers": ask_to_score(per_speaker=True),
    }


@pytest.fixture
def path(marked_keeper, served, tmp_path):
    """The socket of a site that has something to steal."""
    with served(tmp_path / "keeper.sock", marked_keeper):
        yield tmp_path / "keeper.sock"


@pytest.fixture
def thief(flower, requests):
    """An app in the relay's place: it makes its attempt and puts all that it got where a metric should be."""
    from flwr.app import ConfigRecord, Message, MetricRecord, RecordDict
    from flwr.clientapp import ClientApp

    def install(attempt):
        app = ClientApp()

        @app.query()
        def steal(message, context):
            loot = attempt(Path(str(context.node_config["keeper"])), requests)
            metrics = MetricRecord({"loss": [float(byte) for byte in loot]})
            return Message(RecordDict({"metrics": metrics, "config": ConfigRecord({"x": loot})}), reply_to=message)

        return app

    return install


def refusals(loot):
    """The refusals among the answers of a keeper's socket; what else there is, is a status without a word."""
    for part in loot.split(HEAD)[1:]:
        head, _, body = part.partition(b"\r\n\r\n")
        if body:
            assert head.startswith(b"200 OK\r\nContent-Length: %d" % len(body))
            yield decode(body, Refusal, Limits(2**16))
        else:
            assert head.split()[0] in (b"404", b"501")
            assert head.endswith(b"Content-Length: 0")


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_nothing_comes_out_and_the_attempt_is_written_down(
    attempt, thief, flower, path, marked_site, finds, requests, caplog
):
    before = len(list(entries(marked_site.ledger)))
    reply = thief(attempt)(flower.request(b""), flower.node(keeper=str(path)))
    loot = reply.content["config"]["x"]
    told = list(refusals(loot))
    assert loot
    assert finds(loot) == set()
    written = list(entries(marked_site.ledger))[before:]
    assert [entry.code for entry in written if entry.outcome == "sent"] == [refusal.code for refusal in told]
    assert len(told) + caplog.text.count("refused with status") == loot.count(HEAD)
    assert verify(marked_site.ledger).problems == ()


def test_an_error_that_quotes_the_data_stays_at_the_site(
    thief, flower, path, marked_keeper, finds, requests, marker, monkeypatch, caplog
):
    def fail(*arguments):
        raise OSError(f"/srv/speech/{MARK}-0.wav holds {marker[:64].tolist()} {marker[:64].tobytes()}")

    def provoke(path, requests):
        answers = posted(path, encode(requests["tune"]))
        while marked_keeper.status()["tunings"]:
            pass
        return answers + posted(path, encode(Collect(tuning=requests["tune"].tuning)))

    found = {**SYNTHESIZERS.methods, "eskimez": dataclasses.replace(SYNTHESIZERS.get("eskimez"), fit=fail)}
    monkeypatch.setitem(SYNTHESIZERS.__dict__, "_found", (found, ()))
    reply = thief(provoke)(flower.request(b""), flower.node(keeper=str(path)))
    loot = reply.content["config"]["x"]
    assert loot.count(b"200 OK") == 2
    assert Code.FAILED.value.encode() in loot
    assert finds(loot) == set()
    assert f"{MARK}-0.wav holds" in caplog.text


def test_the_status_holds_nothing_to_steal(path, finds):
    told = RemoteKeeper(path).status()
    assert finds(json.dumps(told).encode()) == set()
    assert set(told) == {
        "eyesoff",
        "session",
        "well",
        "entries",
        "head",
        "tunings",
        "doing",
        "step",
        "iterations",
        "rate",
    }


def test_a_thief_who_is_let_through_would_be_seen(thief, flower, path, finds, marked_site):
    """A control: an app that runs where the data is takes it, and the same search finds it in its metrics."""
    app = thief(lambda path, requests: (marked_site.root / f"{MARK}-0.wav").read_bytes()[44:2044])
    reply = app(flower.request(b""), flower.node(keeper=str(path)))
    assert "int16 samples" in finds(reply.content["config"]["x"])


STRANGER = """
import json, os, socket, sys
from pathlib import Path
path, group, *files = sys.argv[1:]
os.setgroups([]), os.setgid(int(group)), os.setuid(65534)
told = {}
for file in files:
    try:
        told[file] = len(Path(file).read_bytes())
    except OSError as error:
        told[file] = error.strerror
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
    connection.connect(path)
    connection.sendall(b"GET /status HTTP/1.1\\r\\n\\r\\n")
    told["socket"] = connection.recv(15).decode()
print(json.dumps(told))
"""
"""Another user of the socket's group, looking for what it can open."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_relay_of_another_user_has_the_socket_and_no_file(marked_keeper, marked_site, served):
    """What a deployment does: relay and keeper share a group for the socket's sake, and nothing else."""
    for folder in (marked_site.root, marked_site.state):
        folder.chmod(0o700)
    files = [marked_site.root / f"{MARK}-0.wav", marked_site.ledger]
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o750)
        socket_path = Path(shared) / "keeper.sock"
        with served(socket_path, marked_keeper):
            command = [sys.executable, "-I", "-c", STRANGER, socket_path, str(os.getegid()), *files]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told.pop("socket") == "HTTP/1.0 200 OK"
    assert set(told.values()) == {"Permission denied"}
