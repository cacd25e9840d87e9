"""One page and its data, read-only, for this machine alone.

Owns what is answered and what is refused. Must not know what a run is.

It listens on the loopback address only, answers GET only, and only where the request names that address itself: a page
from elsewhere whose name was made to point here (DNS rebinding) names another one. The page's policy forbids it to load
or to send anything elsewhere.
"""

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from common.errors import UserError
from simulations.report import palette

HERE = Path(__file__).parent
LOOPBACK, NAMES = "127.0.0.1", ("127.0.0.1", "localhost")
PAGE, DATA = "/", "/run.json"
SECONDS = 10.0
"""That a request may take to arrive."""
OTHERS = ("HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT")


class Server(ThreadingHTTPServer):
    """Listens when it is made, on a free port unless one is named."""

    daemon_threads = True

    def __init__(self, look: Callable[[], Mapping[str, Any]], port: int = 0) -> None:
        self.look = look
        try:
            super().__init__((LOOPBACK, port), Handler)
        except OSError as error:
            remedy = f"{error.strerror}; choose another --port"
            raise UserError("cannot listen", where=f"{LOOPBACK}:{port}", remedy=remedy) from None

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def is_named(self, host: str | None) -> bool:
        """Whether a request means this server, by the address that it names."""
        return host in {f"{name}:{self.server_port}" for name in NAMES}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = SECONDS
    server_version, sys_version = "eyesoff", ""

    def do_GET(self) -> None:
        """The page or its data."""
        if not self.server.is_named(self.headers.get("Host")):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, f"ask {self.server.address}")
        elif self.path == PAGE:
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", page()[0])
        elif self.path == DATA:
            self._tell()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def _tell(self) -> None:
        try:
            told = json.dumps(finite(self.server.look()), allow_nan=False)
        except (UserError, OSError) as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._answer(HTTPStatus.OK, "application/json", told.encode())

    def _refuse_method(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "this page is only read")

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self.close_connection = True  # what else the request holds stays unread
        self._answer(status, "application/json", json.dumps({"error": reason}).encode())

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": page()[1],
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing: a page that asks every second would fill the screen."""


for _method in OTHERS:
    setattr(Handler, f"do_{_method}", Handler._refuse_method)


@cache
def page() -> tuple[bytes, str]:
    """The page, and the policy that lets its own script and style run and nothing else."""
    style, script, frame = (_read(name) for name in ("page.css", "page.js", "page.html"))
    style = style.replace("LIGHT", palette.variables(dark=False)).replace("DARK", palette.variables(dark=True))
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return frame.replace("STYLE", style).replace("SCRIPT", script).encode(), policy


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def finite(told: Any) -> Any:
    """The same without numbers that JSON has no word for.

    >>> finite({"loss": [1.0, float("nan")]})
    {'loss': [1.0, None]}
    """
    if isinstance(told, Mapping):
        return {name: finite(one) for name, one in told.items()}
    if isinstance(told, list | tuple):
        return [finite(one) for one in told]
    return None if isinstance(told, float) and not math.isfinite(told) else told
