"""What a site is told before it starts: each check with a case that passes and one that fails."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client.site import load_site
from simulations.deployment.certificates import issue, new_authority, read_authority
from simulations.deployment.checks import (
    certificate,
    check_server,
    check_site,
    clock,
    data,
    gpu,
    labels,
    pair,
    policy,
    port_free,
    private,
    server_seen_from_here,
)
from simulations.deployment.creation import create, sites_elsewhere
from simulations.deployment.keys import new_pair
from simulations.deployment.layout import Layout
from simulations.inspection.finding import Finding

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def layout(config, tmp_path):
    layout = Layout(tmp_path / "d")
    create(layout, ["localhost"], 8443, sites_elsewhere(config, ["clinic"]), days=90, renew=False)
    return layout


def reissue(layout, **when):
    server = layout.proxy
    authority = read_authority(layout.authority_key, layout.authority_certificate)
    issue(authority, ["localhost"], server.key("proxy"), server.certificate("proxy"), **when)
    return certificate(server.certificate("proxy"), "proxy", authority=server.authority, host="localhost")


def test_a_certificate_is_good_warned_of_or_refused_by_its_dates(layout):
    assert reissue(layout).sign == "ok"
    assert reissue(layout, days=9).sign == "warn"
    expired = reissue(layout, days=2, now=NOW - 5 * DAY)
    assert (expired.sign, "expired on" in expired.seen, "--renew" in expired.remedy) == ("fail", True, True)
    early = reissue(layout, now=NOW + 5 * DAY)
    assert (early.sign, "not valid before" in early.seen, "clock" in early.remedy) == ("fail", True, True)


def test_a_certificate_for_another_host_or_from_another_authority_is_refused(layout, tmp_path):
    proxy = layout.proxy.certificate("proxy")
    assert certificate(proxy, "proxy", host="fed.example.org").sign == "fail"
    new_authority(tmp_path / "other.key", tmp_path / "other.crt")
    assert "not made by the authority" in certificate(proxy, "proxy", authority=tmp_path / "other.crt").seen
    (tmp_path / "text").write_text("text")
    assert certificate(tmp_path / "text", "proxy").sign == "fail"


def test_a_key_that_others_may_read_that_is_missing_or_of_another_pair_is_refused(layout, tmp_path):
    site = layout.site("clinic")
    assert pair(site.key, site.public_key).sign == "ok"
    site.key.chmod(0o640)
    opened = pair(site.key, site.public_key)
    assert (opened.sign, "chmod 600" in opened.remedy) == ("fail", True)
    site.key.chmod(0o600)
    new_pair(tmp_path / "other", tmp_path / "other.pub")
    assert "not the two halves" in pair(site.key, tmp_path / "other.pub").seen
    assert pair(tmp_path / "nowhere", site.public_key).sign == "fail"
    assert private(tmp_path / "nowhere", "secret").sign == "fail"
    site.key.write_text("garbled")
    assert pair(site.key, site.public_key).sign == "fail"


def test_a_data_mount_that_is_empty_missing_or_writable_is_told(tmp_path):
    speech = tmp_path / "speech"
    assert "missing" in data(speech).seen
    speech.mkdir()
    assert (data(speech).sign, data(speech).seen.split(":")[0]) == ("fail", "empty")
    (speech / "recordings.csv").touch()
    assert data(speech, lambda _: True).sign == "warn"
    assert data(speech, lambda _: False).sign == "ok"
    assert data(speech / "recordings.csv", lambda _: False).sign == "ok"


@pytest.fixture
def spoken(layout, make_speech, tmp_path):
    """A function that gives a site a table whose labels are renamed; the answer is what is found of them."""
    root = make_speech(tmp_path / "speech")
    text = (root / "recordings.csv").read_text()

    def look(*, rules="", options=(), **names):
        renamed = text
        for label, name in names.items():
            renamed = renamed.replace(f",{label},", f",{name},")
        (root / "recordings.csv").write_text(renamed)
        site = load_site(layout.site("clinic").site)
        site.policy.write_text(rules)
        return labels(site.model_copy(update={"root": root, "options": options}))

    return look


def test_labels_that_the_keeper_knows_are_all_well(spoken):
    found = spoken()
    assert (found.sign, found.figures) == ("ok", {"used": 40, "dropped": 0})
    assert found.seen.startswith("the keeper would use 40 recordings: neutral 10")


def test_recordings_that_the_keeper_would_drop_are_told_with_the_map_that_saves_them(spoken):
    found = spoken(angry="anger", sad="sadness", happy="joyful")
    assert (found.sign, found.figures) == ("warn", {"used": 10, "dropped": 30})
    assert "it would leave out 30: 10 unknown emotion 'anger'" in found.seen
    assert found.remedy == 'map labels in the site file: options = ["anger=angry", "joyful=...", "sadness=sad"]'
    options = ("anger=angry", "joyful=happy", "sadness=sad")
    assert spoken(angry="anger", sad="sadness", happy="joyful", options=options).sign == "ok"


def test_labels_of_which_nothing_is_left_or_too_little_fail(spoken):
    assert spoken(neutral="n", angry="a", sad="s", happy="h").sign == "fail"
    few = spoken(rules="minimum_utterances = 11")
    assert (few.sign, "it would refuse everything" in few.seen) == ("fail", True)
    assert spoken(rules="minimum_utterances = 10").sign == "ok"
    assert spoken(rules="stepps = 1").sign == "fail"


@pytest.mark.parametrize("date", ["", "soon"])
def test_a_server_that_tells_no_time_is_a_doubt_and_no_accident(date):
    assert clock(date, NOW).sign == "warn"
    assert clock(format_datetime(NOW.replace(tzinfo=None)), NOW).sign == "ok"


def test_a_clock_that_is_wrong_by_a_day_is_told_with_its_direction():
    assert clock(format_datetime(NOW), NOW).sign == "ok"
    ahead, behind = clock(format_datetime(NOW - DAY), NOW), clock(format_datetime(NOW + DAY), NOW)
    assert (ahead.sign, ahead.seen) == ("fail", "1 day, 0:00:00 ahead of the server's")
    assert (behind.sign, behind.seen) == ("fail", "1 day, 0:00:00 behind the server's")


def test_a_port_in_use_is_told():
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        taken = port_free("127.0.0.1", server.server_port, "proxy port")
        assert (taken.sign, str(server.server_port) in taken.remedy) == ("fail", True)
    assert port_free("127.0.0.1", 0, "proxy port").sign == "ok"


def test_a_gpu_that_the_site_file_wants_must_be_there(layout):
    site = load_site(layout.site("clinic").site)
    wants = site.model_copy(update={"runtime": site.runtime.model_copy(update={"device": "cuda"})})
    none, one = Finding("gpu", "ok", "none"), Finding("gpu", "ok", "one", figures={"gpus": 1})
    assert [gpu(site, lambda: none).sign, gpu(wants, lambda: none).sign, gpu(wants, lambda: one).sign] == [
        "ok",
        "fail",
        "ok",
    ]


def test_a_policy_is_told_in_a_line_and_a_wrong_one_is_refused(layout):
    files = layout.site("clinic")
    assert policy(load_site(files.site)).seen.startswith("lets out description, release, scored; 8 tunings")
    files.policy.write_text("stepps = 1\n")
    assert policy(load_site(files.site)).sign == "fail"


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def served(layout):
    """A server with the proxy's certificate; the answer is its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Healthy)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(layout.proxy.certificate("proxy"), layout.proxy.key("proxy"))
    server.socket = identity.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_server_is_seen_and_its_clock_compared(layout, served, tmp_path):
    authority = layout.site("clinic").authority
    seen = server_seen_from_here("localhost", served, authority)
    assert [finding.sign for finding in seen] == ["ok", "ok"]
    later = server_seen_from_here("localhost", served, authority, NOW + DAY)
    assert [finding.sign for finding in later] == ["ok", "fail"]
    new_authority(tmp_path / "other.key", tmp_path / "other.crt")
    (stranger,) = server_seen_from_here("localhost", served, tmp_path / "other.crt")
    assert (stranger.sign, "not whom ca.crt vouches for" in stranger.seen) == ("fail", True)


def test_a_server_that_is_not_there_or_speaks_no_tls_is_told(layout):
    authority = layout.site("clinic").authority
    with ThreadingHTTPServer(("127.0.0.1", 0), _Healthy) as plain:
        threading.Thread(target=plain.serve_forever, daemon=True).start()
        (told,) = server_seen_from_here("localhost", plain.server_port, authority)
        assert "no TLS handshake" in told.seen
        plain.shutdown()
    (told,) = server_seen_from_here("localhost", plain.server_port, authority)
    assert "nobody answers" in told.seen
    (told,) = server_seen_from_here("nowhere.invalid", 8443, authority)
    assert told.sign == "fail"


def test_a_whole_site_and_a_whole_server_are_asked_everything(layout, served):
    layout.site("clinic").relay.joinpath(".env").write_text(
        f"EYESOFF_SERVER=localhost\nEYESOFF_PORT={served}\nEYESOFF_SITE=clinic\n"
    )
    signs = {finding.subject: finding.sign for finding in check_site(layout.site("clinic"))}
    assert signs["data"] == "fail"
    assert {signs[name] for name in ("settings", "authority", "key", "server", "clock", "site", "policy")} == {"ok"}
    settings = layout.site("clinic").relay / ".env"
    recordings = layout.folder / "recordings"
    recordings.mkdir()
    (recordings / "recordings.csv").write_text("path,emotion,session,speaker\n")
    settings.write_text(settings.read_text() + f"EYESOFF_SPEECH={recordings}\n")
    (told,) = (finding for finding in check_site(layout.site("clinic")) if finding.subject == "data")
    assert (told.sign, str(recordings) in told.seen) == ("ok", True)
    subjects = [finding.subject for finding in check_server(layout)]
    assert {"settings", "authority", "proxy", "superlink", "secret", "proxy port", "superlink port"} <= set(subjects)
