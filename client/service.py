"""A keeper as a process of its own, and the way to it: HTTP over a Unix socket that only two processes share.

Owns the socket on both ends. Must not know what the bytes say: they go in and out as they are. There is no network
here, so a keeper can run where there is none. The relay is a stranger: it can connect, and change nothing in the
socket's folder.
"""

import http.client
import json
import logging
import math
import os
import socket
import socketserver
import stat
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

from client.flood import TurnedAway
from common.errors import UserError

log = logging.getLogger(__name__)

ANSWER, STATUS, METRICS = "/answer", "/status", "/metrics"
PATIENCE = "X-Patience-Seconds"
LONGEST_PATIENCE = 60.0
LONGEST_ANSWER = 3600.0
"""Seconds beyond its patience that an asker grants a keeper that is there: a scoring is answered when it is done."""
LONGEST_SILENCE = 60.0
"""Seconds after which either side gives up a connection in the midst of a message, and a relay one to open."""
AT_ONCE = 4
"""Connections that are served together; more are closed, for each may hold a request of more than a gigabyte."""
PIECE = 2**20
LONGEST_NUMBER = 18
"""Digits of a length; Python itself refuses to read numbers of some thousands."""
LONGEST_STATUS = 2**16
"""Bytes that a keeper may say of itself."""
SHARED, ENTERED = 0o660, 0o750
"""Whose the socket and its folder are: the keeper's and its group's, to which the relay belongs."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Busy(UserError):  # noqa: N818 - it is no mistake
    """A keeper is there, and closed the connection without a word: all its places are taken, or it stopped just now."""


class Answering(Protocol):
    """A keeper, near or far."""

    def answer(self, data: bytes | memoryview, patience: float = 0.0) -> bytes:
        """The bytes that leave in answer to the bytes that came."""
        ...


class Served(Answering, Protocol):
    """A keeper, near."""

    @property
    def largest(self) -> int:
        """Bytes of the largest request that it reads."""
        ...

    def turn_away(self, size: int) -> bytes:
        """The bytes that leave in answer to a larger one."""
        ...

    def status(self) -> dict[str, object]:
        """What it says of itself."""
        ...

    def metrics(self) -> str:
        """Its counts, in Prometheus' text format."""
        ...


class RemoteKeeper:
    """The keeper behind a socket, as the relay sees it."""

    def __init__(self, path: Path, longest: float = LONGEST_ANSWER) -> None:
        self._path, self._longest = path, longest

    def answer(self, data: bytes | memoryview, patience: float = 0.0) -> bytes:
        """Carry the bytes there and back."""
        return self._ask("POST", ANSWER, data, patience)

    def status(self) -> dict[str, Any]:
        """What the keeper says of itself."""
        try:
            told = json.loads(self._ask("GET", STATUS, b"", 0.0, LONGEST_STATUS))
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise UserError("what answers here is no keeper", where=self._path, remedy="choose another path")
        return told

    def metrics(self) -> str:
        """The keeper's counts, in Prometheus' text format."""
        return self._ask("GET", METRICS, b"", 0.0, LONGEST_STATUS).decode("ascii", errors="replace")

    def _ask(
        self, method: str, target: str, body: bytes | memoryview, patience: float, most: int | None = None
    ) -> bytes:
        connection = _UnixConnection(self._path, patience + self._longest)
        try:
            connection.request(method, target, body, {PATIENCE: str(patience)})
            response = connection.getresponse()
            content = response.read(most)
        except (ConnectionResetError, BrokenPipeError):
            remedy = f"it closed the connection: it serves {AT_ONCE} at once, or was stopped just now; ask again"
            raise Busy("the keeper does not answer", where=self._path, remedy=remedy) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            remedy = f"{why.lower()}; is `eyesoff keeper serve` running at the site, and may this user use its socket?"
            raise UserError("the keeper does not answer", where=self._path, remedy=remedy) from None
        finally:
            connection.close()
        if response.status != HTTPStatus.OK:
            remedy = "its own log says why"
            raise UserError(f"the keeper answered with status {response.status}", where=self._path, remedy=remedy)
        return content


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, longest: float) -> None:
        super().__init__("keeper")
        self._path, self._longest = path, longest

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(min(self._longest, LONGEST_SILENCE))
        self.sock.connect(str(self._path))
        self.sock.settimeout(self._longest)


class KeeperServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves one keeper on one socket, which nobody else can take while it lives."""

    daemon_threads = True
    timeout = 0.5
    """Seconds until a wish to stop is noticed."""

    def __init__(self, path: Path, keeper: Served) -> None:
        self.keeper = keeper
        self._places = threading.BoundedSemaphore(AT_ONCE)
        _take(path)
        try:
            super().__init__(str(path), _Handler)
            _share(path)
        except OSError as error:
            raise UserError("cannot open the socket", where=path, remedy=error.strerror or str(error)) from None

    def serve_until(self, stop: Callable[[], bool]) -> None:
        """Answer whoever comes, each in a thread of its own."""
        while not stop():
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is a place for one more."""
        free = self._places.acquire(blocking=False)
        if not free:
            log.warning("a connection is closed: %d are served already", AT_ONCE)
        return free

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, then give up its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell the site's log what broke a connection; the others go on."""
        log.warning("a connection broke", exc_info=True)

    def server_close(self) -> None:
        """Close, and take the socket file away."""
        super().server_close()
        Path(str(self.server_address)).unlink(missing_ok=True)


def _take(path: Path) -> None:
    """See that the socket's folder is the keeper's alone, and clear away the socket that a killed keeper left."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(ENTERED)
        folder = path.parent.stat()
    except OSError as error:
        raise UserError("cannot open the socket's folder", where=path.parent, remedy=error.strerror) from None
    if folder.st_uid != os.geteuid() or folder.st_mode & OTHERS_WRITE:
        remedy = f"the keeper's user alone may write there (chown {os.geteuid()}, chmod 750): a relay only connects"
        raise UserError("the socket's folder can be written by somebody else", where=path.parent, remedy=remedy)
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise UserError("something else has the socket's name", where=path, remedy="choose another path")
    if _is_served(path):
        raise UserError("another keeper serves this socket", where=path, remedy="stop it first")
    path.unlink()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # one whose queue is full is there
            return True
        return True


def _share(path: Path) -> None:
    """Let the group of the folder connect, to which the relay belongs, though it need not be the keeper's first."""
    path.chmod(SHARED)
    group = path.parent.stat().st_gid
    if path.stat().st_gid != group:
        os.chown(path, -1, group)


class _Handler(BaseHTTPRequestHandler):
    """Three targets and nothing else; what goes wrong is told as a status without a word."""

    server: KeeperServer
    timeout = LONGEST_SILENCE

    def do_POST(self) -> None:
        """A message in, a message out."""
        length = self.headers.get("Content-Length", "")
        if self.path != ANSWER:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif not length.isdecimal():
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > LONGEST_NUMBER:
            self.send_error(HTTPStatus.BAD_REQUEST)
        else:
            self._give(lambda: self._answer(int(length)))

    def do_GET(self) -> None:
        """What the keeper says of itself."""
        keeper = self.server.keeper
        if self.path == STATUS:
            self._give(lambda: json.dumps(keeper.status()).encode())
        elif self.path == METRICS:
            self._give(lambda: keeper.metrics().encode())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _give(self, make: Callable[[], bytes]) -> None:
        try:
            answer = make()
        except TurnedAway:
            self._send(HTTPStatus.TOO_MANY_REQUESTS)
        except Exception:
            log.exception("no answer could be made")
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            self._send(HTTPStatus.OK, answer)

    def _answer(self, length: int) -> bytes:
        keeper = self.server.keeper
        if length <= keeper.largest:
            return keeper.answer(self.rfile.read(length), _patience(self.headers.get(PATIENCE, "0")))
        while length > 0 and (piece := self.rfile.read(min(length, PIECE))):  # for a sender hears only when it has sent
            length -= len(piece)
        return keeper.turn_away(int(self.headers["Content-Length"]))

    def _send(self, status: HTTPStatus, body: bytes = b"") -> None:
        """Status, length and body; the usual headers would tell the time and the Python."""
        self.request_version = self.protocol_version  # what was no request at all has none
        try:
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError as error:
            log.warning("the relay went away before its answer (%s)", type(error).__name__)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request to a keeper; the usual page would quote it."""
        log.warning("refused with status %d: %s", code, ascii(self.requestline[:200]))
        self.close_connection = True
        self._send(HTTPStatus(code))

    def log_message(self, format: str, *args: object) -> None:
        """One line in the site's own log."""
        log.warning("%s", ascii(format % args))


def _patience(text: str) -> float:
    """Seconds within bounds, whatever was asked for."""
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_PATIENCE)
