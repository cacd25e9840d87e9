"""Eyes off, shown byte for byte: whatever answers a message at a keeper's socket is a record that its ledger knows.

A marker is planted among the recordings. Neither its samples nor its features, in any number format and at any place,
are among the bytes that left; and the same search finds them where they are.
"""

import hashlib
import re
import socket
import threading
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import torch

from client.door import Door
from client.keeper import Keeper
from client.ledger import entries, verify
from client.service import RemoteKeeper
from common.wire import (
    HEADER_LIMIT,
    Ask,
    Collect,
    Description,
    Precision,
    Release,
    Scored,
    Working,
    decode_reply,
    encode,
    release_shapes,
)

LONG = 250.0
FRAME = re.compile(rb"HTTP/1\.0 200 OK\r\nContent-Length: (\d+)\r\n\r\n")


@contextmanager
def recorder(path, behind):
    """A proxy before a keeper's socket; the answer is what came out of each connection to it."""
    left = []
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def carry(source, target, record):
        while data := source.recv(2**16):
            record += data
            target.sendall(data)
        with suppress(OSError):  # it may have hung up first
            target.shutdown(socket.SHUT_WR)

    def accept():
        while True:
            try:
                relay, _ = listener.accept()
            except OSError:
                return
            with relay, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as keeper:
                keeper.connect(str(behind))
                left.append(bytearray())
                asking = threading.Thread(target=carry, args=(relay, keeper, bytearray()))
                asking.start()
                carry(keeper, relay, left[-1])
                asking.join()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield left
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def exchange(marked_site, served, ask_to_tune, ask_to_score, tmp_path_factory):
    """Every request that a server may make, in turn, and what left the socket in answer to each."""
    state = tmp_path_factory.mktemp("exchange")
    keeper = Keeper(marked_site.model_copy(update={"state": state}))
    path = state.with_suffix(".sock")
    tune = ask_to_tune(iterations=3)
    requests = [Ask(run="run-1"), tune, Collect(tuning=tune.tuning), ask_to_score()]
    with served(path, keeper), recorder(path.with_suffix(".tap"), path) as left:
        relay = RemoteKeeper(path.with_suffix(".tap"))
        relay.answer(encode(requests[0]))
        relay.answer(encode(requests[1]))
        while keeper.status()["tunings"]:
            keeper._queue.wait(keeper._queue.folders[0], LONG)
        relay.answer(encode(requests[2]))
        relay.answer(encode(requests[3]))
    return requests, left, state / "ledger.jsonl"


def bodies(left):
    """What stands behind the bare frame of each answer; there is nothing else in front of it or behind it."""
    for data in left:
        frame = FRAME.match(data)
        assert frame
        assert len(data) == frame.end() + int(frame[1])
        yield bytes(data[frame.end() :])


def test_what_left_is_the_declared_records_to_the_last_byte(exchange):
    requests, left, _ = exchange
    replies = [decode_reply(body, request) for body, request in zip(bodies(left), requests, strict=True)]
    assert [type(reply) for reply in replies] == [Description, Working, Release, Scored]
    assert [encode(reply) for reply in replies] == list(bodies(left))


def test_a_release_is_its_generator_and_what_little_stands_before_it(exchange):
    requests, left, _ = exchange
    description, _, release, scored = bodies(left)
    generator = sum(Precision.FP16.size(shape) for shape in release_shapes(requests[1].tuning).values())
    assert generator < len(release) <= generator + HEADER_LIMIT
    assert max(len(description), len(scored)) < 2000


def test_what_left_is_what_the_ledger_says_left(exchange):
    _, left, ledger = exchange
    written = [(entry.bytes, entry.sha256) for entry in entries(ledger) if entry.outcome == "sent"]
    assert written == [(len(body), hashlib.sha256(body).hexdigest()) for body in bodies(left)]
    assert verify(ledger).problems == ()


def test_neither_the_markers_samples_nor_its_features_nor_its_name_are_in_what_left(exchange, finds):
    _, left, ledger = exchange
    assert finds(b"".join(map(bytes, left))) == set()
    assert finds(ledger.read_bytes()) == set()


@pytest.mark.parametrize("kind", ["f2", "f4"])
@pytest.mark.parametrize("what", ["samples", "log-mels", "patches"])
def test_the_search_finds_a_generator_made_of_speech(exchange, finds, traces, kind, what):
    """A control: a release whose weights have every right to leave but that some are the marker's."""
    requests, left, _ = exchange
    honest = decode_reply(list(bodies(left))[2], requests[2])
    numbers = np.frombuffer(b"".join(sorted(traces[f"{kind} {what}"])[:4]), dtype=kind)
    bias = honest.released["linears.1.bias"].float().numpy().copy()
    bias[: len(numbers)] = numbers[: len(bias)]
    precision = Precision.FP16 if kind == "f2" else Precision.FP32
    tuning = honest.card.tuning.model_copy(update={"precision": precision})
    card = honest.card.model_copy(update={"tuning": tuning})
    leaking = Release(card=card, released=honest.released | {"linears.1.bias": torch.from_numpy(bias)})
    assert f"{kind} {what}" in finds(encode(leaking))


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_the_search_finds_the_recording_itself_at_any_alignment(finds, marker, marked_site, shift):
    """A control: the bytes of the file, and of the features as they lie in the site's cache."""
    assert "int16 samples" in finds(bytes(shift) + marker[500:540].tobytes())
    row = np.asarray(Door(marked_site).features[0])[64]
    assert "f2 log-mels" in finds(bytes(shift) + row.tobytes())
    assert "name" in finds(b'{"path": "/srv/PATIENT-7-0.wav"}')
