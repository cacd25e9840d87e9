"""Who is answered, and with what: this machine's own browser, and nobody else."""

import base64
import hashlib
import http.client
import json
import re
import socket

import pytest

from common.errors import UserError
from simulations.comparison.telling import REAL_SPEECH
from simulations.comparison.units import KINDS
from simulations.inspection.entries import KINDS as MESSAGES
from simulations.live.serving import LOOPBACK, OTHERS, Server, page


@pytest.fixture
def ask(served):
    """A function that asks a server that tells `{"now": 1}`, or what is given; the answer is status, headers, text."""

    def request(path="/", method="GET", host=None, look=lambda: {"now": 1}):
        server = served(look)
        line = http.client.HTTPConnection(LOOPBACK, server.server_port, timeout=10)
        line.putrequest(method, path, skip_host=True)
        line.putheader("Host", f"127.0.0.1:{server.server_port}" if host is None else host)
        line.endheaders()
        answer = line.getresponse()
        told = answer.status, answer.headers, answer.read().decode()
        line.close()
        return told

    return request


def test_the_data_is_json(ask):
    status, headers, text = ask("/run.json")
    assert (status, headers["Content-Type"], json.loads(text)) == (200, "application/json", {"now": 1})


def test_a_number_that_json_has_no_word_for_is_none(ask):
    _, _, text = ask("/run.json", look=lambda: {"curve": [[1, float("nan")], (2, float("inf"))]})
    assert json.loads(text) == {"curve": [[1, None], [2, None]]}


def test_the_policy_lets_the_pages_own_script_and_style_run_and_nothing_else(ask):
    status, headers, page = ask("/")
    assert status == 200
    rules = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_the_page_names_no_address_but_its_own_and_sets_no_markup(ask):
    _, _, page = ask("/")
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("table", "names"),
    [("STAGES", ["ask", *KINDS, f'"{REAL_SPEECH}"']), ("KINDS", [*MESSAGES])],
    ids=["stages", "kinds"],
)
def test_all_that_is_named_has_words(table, names):
    (words,) = re.findall(rf"const {table} = \{{(.*?)\}};", page()[0].decode(), flags=re.DOTALL)
    assert [name for name in names if f' {name}: "' not in words] == []


@pytest.mark.parametrize("method", [*OTHERS, "POST"])
def test_nothing_but_get_is_answered(ask, method):
    status, headers, _ = ask("/", method)
    assert (status, headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost", "", "127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/", "/run.json"])
def test_a_request_that_names_another_host_is_told_nothing(ask, host, path):
    status, _, text = ask(path, host=host, look=lambda: pytest.fail("the run was read"))
    assert status == 421
    assert "<html" not in text


def test_a_request_without_a_host_is_told_nothing(served):
    server = served(lambda: {"now": 1})
    with socket.create_connection((LOOPBACK, server.server_port), timeout=10) as line:
        line.sendall(b"GET /run.json HTTP/1.0\r\n\r\n")
        assert b" 421 " in line.recv(100)


@pytest.mark.parametrize("path", ["/../etc/passwd", "/events.jsonl", "/run.json?x", "/%2e%2e/"])
def test_no_other_path_is_there(ask, path):
    assert ask(path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/run.json", "/nowhere"])
def test_no_answer_may_be_kept_framed_or_read_from_elsewhere(ask, path):
    _, headers, _ = ask(path)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_what_cannot_be_read_is_told_as_a_line(ask):
    def look():
        raise UserError("the bank is damaged")

    status, _, text = ask("/run.json", look=look)
    assert (status, json.loads(text)) == (500, {"error": "the bank is damaged"})


def test_it_listens_on_loopback_alone(served):
    assert served(dict).server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_a_mistake_with_a_remedy(served):
    taken = served(dict).server_port
    with pytest.raises(UserError, match="choose another --port"):
        Server(dict, taken)
