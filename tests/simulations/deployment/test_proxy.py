"""The door to the SuperLink: what passes, what does not, and that whoever is refused is written down.

It stands here, not beside the server's tests, for it takes the deployment's certificates.
"""

import http.client
import logging
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from common.errors import UserError
from server import proxy
from server.proxy import FLEET, LARGEST, open_proxy
from simulations.deployment.certificates import issue, new_authority

PULL = "/v1/fleet/pull-messages"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    authority = new_authority(folder / "ca.key", folder / "ca.crt")
    for name in ("proxy", "superlink"):
        issue(authority, ["localhost", "127.0.0.1"], folder / f"{name}.key", folder / f"{name}.crt")
    new_authority(folder / "other.key", folder / "other.crt")
    return folder


class _SuperLink(BaseHTTPRequestHandler):
    """Answers with what it was asked, and remembers it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers.items()), body))
        status = 401 if b"refuse" in body else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("flwr-version", "1.41")
        self.send_header("set-cookie", "secret")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.seen.append((self.path, {}, b""))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def superlink(files):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SuperLink)
    server.daemon_threads, server.seen = True, []
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(files / "superlink.crt", files / "superlink.key")
    server.socket = identity.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield server


@pytest.fixture(scope="module")
def port(files, superlink):
    identity, behind = (files / "proxy.crt", files / "proxy.key"), ("127.0.0.1", superlink.server_port)
    with serving(open_proxy(("127.0.0.1", 0), *identity, behind, files / "ca.crt")) as opened:
        yield opened.server_address[1]


@pytest.fixture
def ask(port, files, superlink):
    superlink.seen.clear()
    trust = ssl.create_default_context(cafile=files / "ca.crt")

    def asked(method, path, body=None, headers=()):
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=trust)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    return asked


@pytest.mark.parametrize("path", sorted(FLEET))
def test_a_fleet_path_passes_with_its_body_and_flowers_headers_alone(path, ask, superlink):
    headers = {"flwr-public-key": "k", "Content-Type": "application/x-protobuf", "Authorization": "no", "Cookie": "no"}
    status, body, answered = ask("POST", path, b"body", headers)
    assert (status, body, answered["flwr-version"]) == (200, b"body", "1.41")
    assert "set-cookie" not in {name.lower() for name in answered}
    ((seen, told, carried),) = superlink.seen
    assert (seen, carried, told["flwr-public-key"]) == (path, b"body", "k")
    assert not {"Authorization", "Cookie"} & set(told)


def test_health_passes(ask, superlink):
    assert ask("GET", "/health")[0] == 200
    assert [path for path, _, _ in superlink.seen] == ["/health"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/control/start-run"),
        ("POST", "/v1/runtime/acquire-task"),
        ("POST", "/v1/fleet/../control/start-run"),
        ("POST", "/v1/fleet/%2e%2e/control/start-run"),
        ("POST", "/v1/fleet/pull-messages/"),
        ("POST", "/v1/fleet/pull-messages?x=/v1/control/start-run"),
        ("POST", "//v1/control/start-run"),
        ("POST", "https://superlink/v1/control/start-run"),
        ("GET", PULL),
        ("GET", "/docs"),
        ("POST", "/health"),
        ("PUT", PULL),
        ("CONNECT", "superlink:8000"),
    ],
)
def test_anything_else_is_refused_written_down_and_never_reaches_the_superlink(method, path, ask, superlink, caplog):
    with caplog.at_level(logging.WARNING):
        status, body, _ = ask(method, path, b"a body" if method != "GET" else None)
    assert (status in (404, 501), body, superlink.seen) == (True, b"", [])
    assert "refused 127.0.0.1" in caplog.text
    assert "a body" not in caplog.text


def test_a_request_that_is_too_large_or_of_no_length_is_refused_unread(ask, superlink):
    assert ask("POST", PULL, None, {"Content-Length": str(LARGEST + 1)})[0] == 413
    assert ask("POST", PULL, iter([b"x"]), {"Transfer-Encoding": "chunked"})[0] == 411
    assert ask("POST", PULL, None, {"Content-Length": "-1"})[0] == 411
    assert ask("POST", PULL, None, {"Content-Length": "9" * 5000})[0] == 413
    assert superlink.seen == []


def test_a_large_body_passes_whole(ask):
    body = bytes(range(256)) * 4096 * 6
    assert ask("POST", "/v1/fleet/push-object", body)[1] == body


def test_what_the_superlink_refuses_is_passed_on_and_written_down(ask, caplog):
    with caplog.at_level(logging.WARNING):
        assert ask("POST", "/v1/fleet/register-node", b"refuse me")[0] == 401
    assert "the SuperLink refused /v1/fleet/register-node with 401" in caplog.text
    assert "refuse me" not in caplog.text


def until(condition):
    for _ in range(1200):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError


def test_plain_text_and_another_authoritys_clients_are_written_down(port, files, caplog):
    with caplog.at_level(logging.WARNING):
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\n\r\n")
            plain.settimeout(60)
            with suppress(ConnectionResetError):
                assert b"200" not in plain.recv(100)
        until(lambda: "no TLS handshake (http request)" in caplog.text)
        connection = http.client.HTTPSConnection(
            "localhost", port, timeout=60, context=ssl.create_default_context(cafile=files / "other.crt")
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/health")
        until(lambda: "unknown ca" in caplog.text)


def test_a_site_that_goes_away_halfway_is_named_and_the_superlink_is_not_blamed(port, files, caplog):
    trust = ssl.create_default_context(cafile=files / "ca.crt")
    with caplog.at_level(logging.WARNING):
        with trust.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as site:
            site.sendall(f"POST {PULL} HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf".encode())
        until(lambda: "127.0.0.1 went away in the midst of its request" in caplog.text)
    assert "SuperLink does not answer" not in caplog.text


def test_whoever_dawdles_keeps_nobody_waiting(port, ask):
    with socket.create_connection(("127.0.0.1", port)):  # says nothing, not even hello
        assert ask("GET", "/health")[0] == 200


@pytest.fixture
def opened(files, superlink):
    """A proxy of the test's own."""
    identity, behind = (files / "proxy.crt", files / "proxy.key"), ("127.0.0.1", superlink.server_port)

    def open_one(address="127.0.0.1"):
        return serving(open_proxy((address, 0), *identity, behind, files / "ca.crt"))

    return open_one


def healthy(one, files, source="127.0.0.1"):
    trust = ssl.create_default_context(cafile=files / "ca.crt")
    address = ("127.0.0.1", one.server_address[1])
    with trust.wrap_socket(
        socket.create_connection(address, 10, source_address=(source, 0)), server_hostname="localhost"
    ) as stream:
        stream.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
        return stream.recv(100).startswith(b"HTTP/1.1 200")


def test_more_connections_than_there_are_places_are_closed(opened, monkeypatch, caplog):
    monkeypatch.setattr(proxy, "AT_ONCE", 1)
    with (
        opened() as one,
        socket.create_connection(one.server_address),
        socket.create_connection(one.server_address) as second,
    ):
        second.settimeout(60)
        assert second.recv(1) == b""
        assert "connections are open already" in caplog.text


def test_idle_connections_from_one_address_leave_places_for_others(opened, files, caplog):
    with opened("0.0.0.0") as one, ExitStack() as held:  # noqa: S104 - on a machine that tests
        for _ in range(proxy.AT_ONCE):
            held.enter_context(socket.create_connection(("127.0.0.1", one.server_address[1])))
        until(lambda: "128 connections are open from there already" in caplog.text)
        assert healthy(one, files, source="127.0.0.2")
        with pytest.raises(OSError):  # the control: it is as full as that for whoever filled it
            healthy(one, files)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00"], ids=["nothing", "half a hello"])
def test_whoever_never_finishes_a_handshake_gives_its_place_back(opened, files, monkeypatch, said):
    monkeypatch.setattr(proxy, "AT_ONCE", 1)
    monkeypatch.setattr(proxy, "HANDSHAKE", 0.1)
    with opened() as one, socket.create_connection(one.server_address) as idle:
        idle.sendall(said)
        idle.settimeout(10)
        with suppress(ConnectionResetError):
            assert idle.recv(1) == b""
        until(lambda: one.connections.take("192.0.2.1") is None)


def test_whoever_sends_a_request_byte_by_byte_gives_its_place_back(opened, files, monkeypatch):
    monkeypatch.setattr(proxy, "PATIENCE", 1.0)
    trust = ssl.create_default_context(cafile=files / "ca.crt")
    with opened() as one:
        raw = socket.create_connection(one.server_address)
        with trust.wrap_socket(raw, server_hostname="localhost") as slow, pytest.raises(OSError):
            for _ in range(200):  # never silent for as long as a time-out of a socket waits
                slow.sendall(b"x")
                threading.Event().wait(0.05)


@pytest.mark.parametrize(
    "head",
    [
        "x-flwr-a: b\r\n POST /v1/control/start-run HTTP/1.1",
        "x-flwr-a: b\r\n\tgoes on",
        "x-flwr-a: b\rPOST /v1/control/start-run HTTP/1.1",
        "no header at all",
        "Content-Length: 4",
    ],
    ids=["obs-fold", "obs-fold by tab", "bare CR", "no header", "two lengths"],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(port, files, superlink, head, caplog):
    superlink.seen.clear()
    trust = ssl.create_default_context(cafile=files / "ca.crt")
    with trust.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as stream:
        stream.sendall(f"POST {PULL} HTTP/1.1\r\nContent-Length: 3\r\n{head}\r\n\r\nabc".encode())
        stream.settimeout(10)
        assert stream.recv(100).startswith(b"HTTP/1.1 400 ")
    assert superlink.seen == []
    assert "control" not in caplog.text


@pytest.mark.parametrize("head", ["Content-Length: 3", "Transfer-Encoding: chunked"])
def test_a_health_check_has_no_body(head, ask, superlink):
    name, value = head.split(": ")
    assert ask("GET", "/health", None, {name: value})[0] == 400
    assert superlink.seen == []


@pytest.mark.parametrize("authority", ["other.crt", "ca.crt"])
def test_a_superlink_that_is_gone_or_another_is_a_bad_gateway(authority, files, superlink, caplog):
    behind = ("127.0.0.1", superlink.server_port if authority == "other.crt" else 1)
    with serving(
        open_proxy(("127.0.0.1", 0), files / "proxy.crt", files / "proxy.key", behind, files / authority)
    ) as opened:
        trust = ssl.create_default_context(cafile=files / "ca.crt")
        connection = http.client.HTTPSConnection("localhost", opened.server_address[1], timeout=60, context=trust)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 502
        connection.close()
    assert "the SuperLink does not answer" in caplog.text


def test_a_port_in_use_is_told_in_one_line(port, files):
    with pytest.raises(UserError, match=rf"cannot listen: 127\.0\.0\.1:{port}; address already in use; stop whoever"):
        open_proxy(("127.0.0.1", port), files / "proxy.crt", files / "proxy.key", ("127.0.0.1", 1), files / "ca.crt")


def test_certificates_that_cannot_be_used_are_told(files):
    with pytest.raises(UserError, match="cannot use the certificates"):
        open_proxy(("127.0.0.1", 0), files / "nowhere.crt", files / "proxy.key", ("127.0.0.1", 1), files / "ca.crt")
