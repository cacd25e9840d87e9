"""A keeper as a process of its own, and the way to it: HTTP over a Unix socket that only two processes share.

Owns the socket on both ends. Must not know what the bytes say: they go in and out as they are. There is no network
here, so a keeper can run where there is none.
"""

import http.client
import json
import logging
import socket
import socketserver
import stat
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

from common.errors import UserError

log = logging.getLogger("eyesoff.keeper")

PATIENCE = "X-Patience-Seconds"
LONGEST_PATIENCE = 60.0
SPARE = 30.0
"""Seconds beyond its patience that an asker grants a keeper: checking and writing down takes time too."""


class Answering(Protocol):
    """A keeper, near or far."""

    def answer(self, data: bytes, patience: float = 0.0) -> bytes:
        """The bytes that leave in answer to the bytes that came."""
        ...


class RemoteKeeper:
    """The keeper behind a socket, as the relay sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def answer(self, data: bytes, patience: float = 0.0) -> bytes:
        """Carry the bytes there and back."""
        return self._ask("POST", "/answer", data, patience)

    def status(self) -> dict[str, Any]:
        """What the keeper says of itself to people at the site."""
        told: dict[str, Any] = json.loads(self._ask("GET", "/status", b"", 0.0))
        return told

    def _ask(self, method: str, target: str, body: bytes, patience: float) -> bytes:
        connection = _UnixConnection(self._path, timeout=patience + SPARE)
        try:
            connection.request(method, target, body, {PATIENCE: str(patience)})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise UserError(
                "the keeper does not answer",
                where=self._path,
                remedy=f"start it at the site with `eyesoff keeper serve` ({type(error).__name__})",
            ) from None
        finally:
            connection.close()
        if response.status != HTTPStatus.OK:
            raise UserError(f"the keeper answered with status {response.status}", where=self._path)
        return content


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("keeper", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class KeeperServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves one keeper on one socket until it is shut down."""

    daemon_threads = True

    def __init__(self, path: Path, keeper: Answering, status: Any, largest: int) -> None:
        self.keeper, self.status, self.largest = keeper, status, largest
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_second_keeper(path)
        super().__init__(str(path), _Handler)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)

    def server_close(self) -> None:
        """Close, and take the socket file away."""
        super().server_close()
        Path(str(self.server_address)).unlink(missing_ok=True)


def _refuse_second_keeper(path: Path) -> None:
    """A socket file that nobody answers is a killed keeper's and goes; one that answers is another keeper's."""
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise UserError("another keeper already serves this socket", where=path, remedy="stop it first")


class _Handler(BaseHTTPRequestHandler):
    """Two targets and nothing else; what goes wrong is told as a status, never as a text."""

    server: KeeperServer

    def do_POST(self) -> None:
        """A message in, a message out."""
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/answer" or length > self.server.largest:
            self._send(HTTPStatus.NOT_FOUND if self.path != "/answer" else HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"")
            return
        try:
            patience = min(float(self.headers.get(PATIENCE, 0)), LONGEST_PATIENCE)
            answer = self.server.keeper.answer(self.rfile.read(length), patience)
        except Exception:
            log.exception("no answer could be made")
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, b"")
            return
        self._send(HTTPStatus.OK, answer)

    def do_GET(self) -> None:
        """The status, for people at the site."""
        if self.path == "/status":
            self._send(HTTPStatus.OK, json.dumps(self.server.status()).encode())
        else:
            self._send(HTTPStatus.NOT_FOUND, b"")

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """A Unix socket has no address."""
        return "relay"

    def log_message(self, format: str, *args: object) -> None:
        """One line a request in the site's own log."""
        log.debug(format, *args)
