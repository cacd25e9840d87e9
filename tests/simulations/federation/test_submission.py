"""What `flwr` says is told in a line, and that nobody listens is told as that."""

import socket
import subprocess

import pytest

from common.errors import UserError
from simulations.deployment.registry import Registry
from simulations.federation.submission import Connection


@pytest.fixture
def answering(monkeypatch, tmp_path):
    """A function from what `flwr` prints and an address to a connection."""

    def make(printed: str, address: str) -> Connection:
        done = subprocess.CompletedProcess([], 0, stdout=printed, stderr="")
        monkeypatch.setattr("simulations.federation.submission.subprocess.run", lambda *words, **options: done)
        return Connection(address, {}, tmp_path / "log")

    return make


@pytest.fixture
def free() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def busy():
    """One where somebody does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


REFUSED = '{"success": false, "error-message": "An unexpected error occurred while reading the configuration file"}'


@pytest.mark.parametrize("printed", [REFUSED, "no JSON"])
def test_where_nobody_listens_that_is_what_is_told(answering, free, tmp_path, printed):
    with pytest.raises(UserError, match=rf"nobody listens: {free}; start the server first") as caught:
        Registry(answering(printed, free), tmp_path / "book.json").nodes()
    assert "\n" not in str(caught.value)


def test_where_somebody_does_flowers_own_words_are(answering, busy, tmp_path):
    with pytest.raises(UserError, match=rf"the SuperLink refused: {busy}; An unexpected error"):
        Registry(answering(REFUSED, busy), tmp_path / "book.json").nodes()
    with pytest.raises(UserError, match=r"`flwr list` failed: .*; no JSON"):
        answering("no JSON", busy).ask(["list"])
