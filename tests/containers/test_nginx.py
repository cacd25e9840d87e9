"""nginx in the proxy's place lets the same through: read as text, and run where nginx is installed."""

import http.client
import re
import shutil
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from server.proxy import FLEET, FROM_ONE, HEALTH, LARGEST

pytest.importorskip("cryptography", reason="certificates are an extra")

from simulations.deployment.certificates import issue, new_authority
from simulations.federation.flower import free_port

TEXT = (Path(__file__).parents[2] / "containers" / "nginx.conf").read_text()
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
INSIDE = "superlink"


def passed(text):
    """The paths that a configuration lets through to the SuperLink, with their methods."""
    found = {}
    for where, body in re.findall(r"location ([^{]+) \{((?:[^{}]|\{[^{}]*\})*)\}", text):
        if "proxy_pass" not in body:
            continue
        method = re.search(r"limit_except (\w+) \{\s*deny all;", body)
        if exact := re.fullmatch(r"= (\S+)", where):
            paths = [exact[1]]
        elif group := re.fullmatch(r"~ \^(\S+)\(([a-z|-]+)\)\$", where):
            paths = [group[1] + name for name in group[2].split("|")]
        else:
            paths = [where]
        found |= dict.fromkeys(paths, method[1] if method else "any")
    return found


WANTED = {HEALTH: "GET"} | dict.fromkeys(FLEET, "POST")


def test_the_paths_and_methods_are_the_proxys():
    assert passed(TEXT) == WANTED


@pytest.mark.parametrize(
    ("old", "new"),
    [("get-fab|", ""), ("= /health", "/"), ("limit_except POST", "limit_except GET"), ("return 404", "proxy_pass x")],
)
def test_a_configuration_that_lets_through_less_or_more_is_found(old, new):
    assert old in TEXT
    assert passed(TEXT.replace(old, new)) != WANTED


def test_its_limits_are_the_proxys_and_it_judges_the_superlink():
    assert f"client_max_body_size {LARGEST >> 20}m;" in TEXT
    assert f"limit_conn addresses {FROM_ONE};" in TEXT
    for rule in ("proxy_ssl_verify on;", f"proxy_ssl_name {INSIDE};", 'proxy_set_header Authorization "";'):
        assert rule in TEXT
    assert not re.search(r"ssl_protocols[^;]*TLSv1(\.1)?\s", TEXT)


class _SuperLink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("flwr-version", "1.41")
        self.send_header("Set-Cookie", "secret")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the library asks for this name

    def log_message(self, *_):
        pass


@contextmanager
def superlink(folder, name):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SuperLink)
    server.daemon_threads, server.seen = True, []
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    server.socket = identity.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def nginx(folder, behind):
    port = free_port()
    text = TEXT.replace("/etc/eyesoff/proxy", str(folder)).replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    text = text.replace("listen 8443", f"listen 127.0.0.1:{port}").replace(
        "worker_processes auto", "worker_processes 1"
    )
    text = text.replace("/run/eyesoff-nginx.pid", str(folder / "pid"))
    text = text.replace("/var/log/eyesoff-nginx.log", str(folder / "log"))
    (folder / "nginx.conf").write_text(f"daemon off;\n{text}")
    process = subprocess.Popen([NGINX, "-e", str(folder / "log"), "-c", str(folder / "nginx.conf")])
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    authority = new_authority(folder / "ca.key", folder / "ca.crt")
    issue(authority, ["localhost"], folder / "proxy.key", folder / "proxy.crt")
    issue(authority, [INSIDE], folder / "superlink.key", folder / "superlink.crt")
    stranger = new_authority(folder / "other-ca.key", folder / "other-ca.crt")
    issue(stranger, [INSIDE], folder / "other.key", folder / "other.crt")
    return folder


def ask(files, port, method, path, headers=()):
    trust = ssl.create_default_context(cafile=files / "ca.crt")
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=trust)
        try:
            connection.request(method, path, b"body" if method == "POST" else None, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower() for name, _ in answer.getheaders()}
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


@pytest.mark.skipif(NGINX is None, reason="no nginx on this machine")
class TestRunning:
    """As sites and strangers meet it."""

    def test_the_fleets_paths_and_health_pass_without_what_is_nobodys_business(self, files):
        with superlink(files, "superlink") as server, nginx(files, server.server_port) as port:
            headers = {"flwr-public-key": "k", "Authorization": "no", "Cookie": "no"}
            for path in sorted(FLEET):
                status, body, told = ask(files, port, "POST", path, headers)
                assert (status, body, "flwr-version" in told, "set-cookie" in told) == (200, b"body", True, False)
            assert {path for path, _, _ in server.seen} == FLEET
            assert all(seen["flwr-public-key"] == "k" for _, seen, _ in server.seen)
            assert not any({"authorization", "cookie"} & set(seen) for _, seen, _ in server.seen)
            assert ask(files, port, "GET", HEALTH)[0] == 200

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/control/start-run"),
            ("POST", "/v1/fleet/../control/start-run"),
            ("POST", "/v1/fleet/pull-messages/../../control/start-run"),
            ("POST", "/v1/fleet/pull-messages/"),
            ("GET", "/v1/fleet/pull-messages"),
            ("POST", "/health"),
            ("GET", "/"),
        ],
    )
    def test_nothing_else_reaches_the_superlink(self, files, method, path):
        with superlink(files, "superlink") as server, nginx(files, server.server_port) as port:
            assert ask(files, port, method, path)[0] in (400, 403, 404, 405)
            assert server.seen == []

    def test_another_spelling_of_a_path_reaches_it_as_it_was_matched(self, files):
        with superlink(files, "superlink") as server, nginx(files, server.server_port) as port:
            assert ask(files, port, "POST", "/v1/control/%2e%2e/fleet/get%2Drun?x=1")[0] == 200
            assert [path for path, _, _ in server.seen] == ["/v1/fleet/get-run"]

    def test_a_superlink_of_another_authority_is_not_spoken_to(self, files):
        with superlink(files, "other") as server, nginx(files, server.server_port) as port:
            assert ask(files, port, "GET", HEALTH)[0] == 502
            assert server.seen == []
