"""The one door that sites have to the server: Flower's fleet paths and the health check, and nothing else.

This Flower serves its fleet, control and runtime interfaces on one port, and whoever reaches control can run code. So
sites reach this proxy alone. Owns which paths pass, how large a request may be and for how long anybody may dawdle.
Must not know what the bytes say; none of them is ever logged.

The standard library's server, not an ASGI one: those drop a failed TLS handshake without a word, and who knocks with
the wrong certificate is just what a steward wants to read in the log.
"""

import http.client
import logging
import shutil
import socket
import socketserver
import ssl
import sys
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from common.errors import UserError
from server.connections import Connections

log = logging.getLogger(__name__)

HEALTH = "/health"
FLEET = frozenset(
    f"/v1/fleet/{call}"
    for call in (
        "register-node",
        "activate-node",
        "deactivate-node",
        "unregister-node",
        "send-node-heartbeat",
        "pull-messages",
        "push-messages",
        "get-run",
        "get-fab",
        "push-object",
        "pull-object",
        "confirm-message-received",
    )
)
"""What a SuperNode of the pinned Flower asks for."""
FORWARDED = ("content-type", "accept", "user-agent")
FLOWERS_OWN = ("flwr-", "x-flwr-")
LARGEST = 64 * 2**20
"""Bytes of a request: Flower cuts what it sends into pieces of 5 MB."""
AT_ONCE, FROM_ONE = 256, 128
"""Connections that are open together, in all and from one address, behind which several sites may be."""
HANDSHAKE, PATIENCE, REQUEST = 10.0, 60.0, 900.0
"""Seconds for a handshake; for silence, or until a request is asked for; for one request with its answer."""
PIECE = 2**18


@dataclass(frozen=True)
class Upstream:
    """The SuperLink, and the authority that its certificate must come from."""

    host: str
    port: int
    trust: ssl.SSLContext

    def open(self) -> http.client.HTTPSConnection:
        """A connection of one's own."""
        return http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE, context=self.trust)


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves until it is told to stop; a thread a connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], identity: ssl.SSLContext, upstream: Upstream) -> None:
        self.identity, self.upstream = identity, upstream
        self.connections = Connections(AT_ONCE, FROM_ONE)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            remedy = f"{(error.strerror or str(error)).lower()}; stop whoever has the port, or choose another"
            raise UserError("cannot listen", where=f"{address[0]}:{address[1]}", remedy=remedy) from None

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is a place for one more."""
        why = self.connections.take(client_address[0])
        if why:
            log.warning("refused %s: %s", client_address[0], why)
        return why is None

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for it; where none can be started, its place is free again."""
        try:
            super().process_request(request, client_address)
        except Exception:
            self.connections.leave(client_address[0])
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, so that nobody waits for a stranger; then serve it."""
        try:
            request.settimeout(HANDSHAKE)
            try:
                secured = self.identity.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            except OSError as error:  # it is gone
                log.warning("refused %s: no TLS handshake (%s)", client_address[0], _reason(error))
                self.shutdown_request(request)
                return
            with self.connections.timed(secured, HANDSHAKE):
                self._serve(secured, client_address)
        finally:
            self.connections.leave(client_address[0])

    def _serve(self, secured: ssl.SSLSocket, client_address: Any) -> None:
        try:
            secured.do_handshake()
        except OSError as error:
            log.warning("refused %s: no TLS handshake (%s)", client_address[0], _reason(error))
            self.shutdown_request(secured)
            return
        super().process_request_thread(secured, client_address)

    def service_actions(self) -> None:
        """Called twice a second."""
        self.connections.end_late()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is no trouble of the others."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.info("the connection of %s broke (%s)", client_address[0], _reason(error))
        else:
            log.error("the connection of %s broke", client_address[0], exc_info=error)


class _SiteGoneError(Exception):
    """Whoever asked stopped halfway: no fault of the SuperLink's."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of one site."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "eyesoff", ""
    timeout = PATIENCE

    def handle_one_request(self) -> None:
        """Wait for a request as long as may be; whoever sends it byte by byte is not waited for any longer."""
        self.server.connections.allow(self.connection, PATIENCE)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Take what has one meaning alone, and give it its time."""
        if not super().parse_request():
            return False
        if not _is_plain(self.headers):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        self.server.connections.allow(self.connection, REQUEST)
        return True

    def do_GET(self) -> None:
        """The health check."""
        if self.path != HEALTH:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.BAD_REQUEST)
        else:
            self._forward(None)

    do_HEAD = do_GET  # noqa: N815 - the library asks for this name

    def do_POST(self) -> None:
        """A call of a SuperNode."""
        length = self.headers.get("Content-Length", "")
        if self.path not in FLEET:
            self._refuse(HTTPStatus.NOT_FOUND)
        elif "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > len(str(LARGEST)) or int(length) > LARGEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._forward(int(length))

    def _forward(self, length: int | None) -> None:
        """Carry the request up and its answer down, piece by piece."""
        connection = self.server.upstream.open()
        try:
            try:
                answer = self._ask(connection, length)
            except _SiteGoneError as error:
                log.warning("%s went away in the midst of its request (%s)", self.client_address[0], _reason(error))
                self.close_connection = True
                return
            except (OSError, http.client.HTTPException) as error:
                log.error("the SuperLink does not answer: %s", _reason(error))
                self._refuse(HTTPStatus.BAD_GATEWAY)
                return
            if answer.status >= HTTPStatus.BAD_REQUEST:
                log.warning("%s: the SuperLink refused %s with %d", self.client_address[0], self.path, answer.status)
            self._answer(answer)
        finally:
            connection.close()

    def _ask(self, connection: http.client.HTTPSConnection, length: int | None) -> http.client.HTTPResponse:
        connection.putrequest(self.command, self.path, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() in FORWARDED or name.lower().startswith(FLOWERS_OWN):
                connection.putheader(name, value)
        if length is not None:
            connection.putheader("Content-Length", str(length))
        connection.endheaders()
        left = length or 0
        while left > 0:
            piece = self._read(min(left, PIECE))
            left -= len(piece)
            connection.send(piece)
        return connection.getresponse()

    def _read(self, size: int) -> bytes:
        try:
            piece: bytes = self.rfile.read(size)
        except OSError as error:
            raise _SiteGoneError(_reason(error)) from None
        if not piece:
            raise _SiteGoneError("it ended")
        return piece

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("content-type", "date") or name.lower().startswith(FLOWERS_OWN):
                self.send_header(name, value)
        if answer.length is None:  # of a length that is not known, it ends where the connection does
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(answer.length))
        self.end_headers()
        shutil.copyfileobj(answer, self.wfile, PIECE)

    def _refuse(self, status: HTTPStatus) -> None:
        """Nothing of it reaches the SuperLink; its body is not read, so the connection ends."""
        log.warning("refused %s: %s %s with %d", self.client_address[0], self.command, ascii(self.path[:200]), status)
        self.close_connection = True
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request that this server knows."""
        self.command, self.path = self.command or "?", getattr(self, "path", "?")
        self.request_version = self.protocol_version
        self._refuse(HTTPStatus(code))

    def log_message(self, format: str, *args: Any) -> None:
        """Calls that pass are too many to log."""


def open_proxy(
    address: tuple[str, int], certificate: Path, key: Path, upstream: tuple[str, int], authority: Path
) -> Proxy:
    """A proxy that is ready to serve."""
    try:
        identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        identity.minimum_version = ssl.TLSVersion.TLSv1_2
        identity.load_cert_chain(certificate, key)
        trust = ssl.create_default_context(cafile=str(authority))
    except OSError as error:
        where = f"{certificate}, {key} or {authority}"
        raise UserError("cannot use the certificates", where=where, remedy=_reason(error)) from None
    return Proxy(address, identity, Upstream(*upstream, trust))


def _is_plain(headers: Message) -> bool:
    """No header that goes on in the next line, none that is none, one length at the most: read alike by everybody."""
    folded = any("\r" in value or "\n" in value for value in headers.values())
    return not folded and not headers.defects and len(headers.get_all("Content-Length", ())) < 2


def _reason(error: BaseException) -> str:
    words = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return f"{words or type(error).__name__}".lower().replace("_", " ")
