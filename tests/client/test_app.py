"""The relay carries bytes and knows nothing; what goes wrong leaves as a number and fixed words."""

import shutil
import socket

import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from flwr.app import ArrayRecord, MetricRecord, RecordDict

from client.app import FIELD, RECORD, app
from client.journal import LOG
from client.site import Site
from common.wire import Ask, Description, Release, decode_reply, encode

QUOTED = "/srv/speech/patient-7.wav"


def reason(reply):
    """All that an error says: it holds no content."""
    assert reply.has_error()
    assert not reply.has_content()
    return reply.error.code, reply.error.reason


@pytest.mark.parametrize("kind", ["query", "train", "evaluate"])
def test_a_request_goes_to_the_keeper_and_its_answer_back_as_they_are(flower, keeper, served, tmp_path, kind):
    request = Ask(run="run-1")
    with served(tmp_path / "keeper.sock", keeper):
        reply = app(flower.request(encode(request), kind), flower.node(keeper=str(tmp_path / "keeper.sock")))
    assert list(reply.content) == [RECORD]
    assert list(reply.content[RECORD]) == [FIELD]
    assert isinstance(decode_reply(reply.content[RECORD][FIELD].numpy().tobytes(), request), Description)


def test_a_keeper_that_is_not_there_is_an_error_in_fixed_words(flower, tmp_path, caplog):
    path = tmp_path / "secret-place" / "keeper.sock"
    told = reason(app(flower.request(b"x"), flower.node(keeper=str(path))))
    assert told == (100, "the site's keeper cannot be reached")
    assert "secret-place" in caplog.text


def test_a_keeper_that_hangs_up_is_the_same_error(flower, tmp_path):
    path = tmp_path / "keeper.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as killed:
        killed.bind(str(path))
    assert reason(app(flower.request(b"x"), flower.node(keeper=str(path))))[0] == 100


def test_no_text_of_an_error_travels(flower, tmp_path, monkeypatch, caplog):
    def fail(*arguments):
        raise ValueError(QUOTED)

    monkeypatch.setattr("client.app.RemoteKeeper", fail)
    code, words = reason(app(flower.request(b"x"), flower.node(keeper="keeper.sock")))
    assert (code, words) == (101, "the relay failed; its own log says why")
    assert QUOTED in caplog.text


@pytest.mark.parametrize(
    "content",
    [RecordDict(), RecordDict({RECORD: MetricRecord({FIELD: 1.0})}), RecordDict({RECORD: ArrayRecord()})],
    ids=["nothing", "a metric", "no array"],
)
def test_what_is_no_message_is_an_error_in_fixed_words(flower, content):
    assert reason(app(flower.message(content), flower.node(keeper="keeper.sock")))[0] == 101


def test_a_site_that_names_no_keeper_gets_none_from_the_servers_settings(flower, tmp_path):
    """Where there is no simulation, a run's directory is a path that the server chose."""
    assert reason(app(flower.request(encode(Ask(run="run-1"))), flower.node(tmp_path)))[0] == 100


class TestSimulation:
    """Server and clients are one person's: the keeper is made here, of the run's own files."""

    @pytest.fixture
    def run(self, speech, tmp_path, with_policy):
        folder = tmp_path / "sites" / "03+08"
        with_policy(Site(session="03+08", root=speech, state=folder / "state"))
        (folder / "site.toml").write_text(f'session = "03+08"\nroot = "{speech}"\npolicy = "policy.toml"\n')
        return tmp_path

    def test_a_tuning_is_waited_for_to_its_end(self, flower, run, ask_to_tune):
        request = ask_to_tune()
        reply = app(
            flower.request(encode(request), "train"), flower.node(run, **{"partition-id": 0, "num-partitions": 1})
        )
        answer = decode_reply(reply.content[RECORD][FIELD].numpy().tobytes(), request)
        assert isinstance(answer, Release)

    def test_what_goes_wrong_stands_in_the_sites_own_log(self, flower, run, caplog):
        (run / "sites" / "03+08" / "policy.toml").write_text("stepps = 1")
        reply = app(flower.request(b"x"), flower.node(run, **{"partition-id": 0}))
        assert reason(reply)[0] == 100
        assert "stepps" in (run / "sites" / "03+08" / "state" / LOG).read_text()

    def test_a_client_without_a_site_is_an_error(self, flower, run):
        shutil.rmtree(run / "sites")
        assert reason(app(flower.request(b"x"), flower.node(run, **{"partition-id": 0})))[0] == 100
