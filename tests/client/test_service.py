"""A keeper's socket: answers go in and out as they are, and whatever else is tried there ends in a bare number."""

import os
import socket
import stat
import threading
import time

import pytest

from client import service
from client.flood import TurnedAway
from client.service import AT_ONCE, Busy, KeeperServer, RemoteKeeper
from common.errors import UserError

LONG = 250.0


class Echo:
    """A keeper that says what it was told, once it may."""

    largest = 2**20

    def __init__(self):
        self.told = {"session": "03+08", "tunings": 0}
        self.patience, self.may = [], threading.Event()
        self.may.set()

    def answer(self, data, patience=0.0):
        self.patience.append(patience)
        self.may.wait(LONG)
        if data == b"raise":
            raise OSError("/srv/speech/patient-7.wav")
        if data == b"too often":
            raise TurnedAway
        return bytes(data)

    def turn_away(self, size):
        return b"%d are too many" % size

    def status(self):
        if self.told is None:
            raise OSError("/srv/speech/patient-7.wav")
        return self.told

    def metrics(self):
        return "eyesoff_keeper_well 1\n"


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keeper.sock"


@pytest.fixture
def remote(path, echo, served):
    with served(path, echo) as remote:
        yield remote


def spoken(path, data, *, close=True):
    """All that comes back for bytes that may be no HTTP at all."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(LONG)
        connection.connect(str(path))
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(2**16), b""))


class TestAnswers:
    """Bytes in, bytes out."""

    @pytest.mark.parametrize("data", [b"", b"\0\xff\r\n\r\n", bytes(2**20)], ids=["none", "few", "many"])
    def test_bytes_come_back_as_the_keeper_made_them(self, remote, data):
        assert remote.answer(data) == data
        assert remote.answer(memoryview(data)) == data

    def test_status_comes_back_as_it_is(self, remote, echo):
        assert remote.status() == echo.status()

    def test_counts_come_back_as_they_are_and_cost_no_answer(self, remote, echo, path):
        assert remote.metrics() == echo.metrics()
        assert echo.patience == []
        assert spoken(path, b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n").startswith(b"HTTP/1.0 404")

    def test_nothing_leaves_but_a_status_a_length_and_the_answer(self, remote, path):
        request = b"POST /answer HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
        assert spoken(path, request) == b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    def test_several_are_answered_while_one_waits(self, remote, echo):
        echo.may.clear()
        waiting = threading.Thread(target=remote.answer, args=(b"slow",))
        waiting.start()
        assert remote.status() == echo.status()
        echo.may.set()
        waiting.join(LONG)

    def test_more_connections_than_places_are_closed_and_places_come_back(self, remote, echo, path):
        echo.may.clear()
        waiting = [threading.Thread(target=remote.answer, args=(b"slow",)) for _ in range(AT_ONCE)]
        for thread in waiting:
            thread.start()
        while len(echo.patience) < AT_ONCE:
            time.sleep(0.005)
        with pytest.raises(Busy, match="does not answer"):
            remote.answer(b"one too many")
        echo.may.set()
        for thread in waiting:
            thread.join(LONG)
        for _ in range(2 * AT_ONCE):
            assert remote.answer(b"again") == b"again"

    @pytest.mark.parametrize(
        ("asked", "granted"), [("7.5", 7.5), ("inf", 60.0), ("nan", 0.0), ("-1", 0.0), ("1e400", 60.0), ("soon", 0.0)]
    )
    def test_patience_is_bounded(self, remote, echo, path, asked, granted):
        request = f"POST /answer HTTP/1.1\r\nContent-Length: 1\r\n{service.PATIENCE}: {asked}\r\n\r\nx"
        assert spoken(path, request.encode()).endswith(b"\r\n\r\nx")
        assert echo.patience == [granted]


class TestRefusals:
    """What the socket says to what is no request, and what the site can read of it."""

    @pytest.mark.parametrize(
        ("request_line", "status"),
        [
            ("GET /etc/passwd HTTP/1.1", 404),
            ("GET /answer HTTP/1.1", 404),
            ("GET /../speech/patient-7.wav HTTP/1.1", 404),
            ("POST /status HTTP/1.1", 404),
            ("POST /answer HTTP/1.1", 411),
            ("POST /answer HTTP/1.1\r\nContent-Length: -1", 411),
            ("POST /answer HTTP/1.1\r\nContent-Length: many", 411),
            ("POST /answer HTTP/1.1\r\nContent-Length: " + 4301 * "1", 400),
            ("POST /answer HTTP/1.1\r\nContent-Length: " + 4301 * "0", 400),
            ("PUT /answer HTTP/1.1", 501),
            ("patient-7 patient-7 patient-7 patient-7", 400),
            ("GET /" + 70_000 * "x" + " HTTP/1.1", 414),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_is_no_request_gets_a_number_and_not_a_word(self, remote, path, request_line, status, caplog):
        told = spoken(path, request_line.encode() + b"\r\n\r\n")
        assert told.startswith(b"HTTP/1.0 %d " % status)
        assert told.endswith(b"Content-Length: 0\r\n\r\n")
        assert b"patient" not in told
        assert f"status {status}" in caplog.text

    def test_an_error_behind_the_socket_is_a_number_and_the_sites_log_says_why(self, remote, caplog):
        with pytest.raises(UserError, match="status 500") as raised:
            remote.answer(b"raise")
        assert "patient" not in str(raised.value)
        assert "patient-7" in caplog.text

    def test_a_status_that_cannot_be_told_is_a_number_as_well(self, remote, echo, caplog):
        echo.told = None
        with pytest.raises(UserError, match="status 500"):
            remote.status()
        assert "patient-7" in caplog.text

    @pytest.mark.parametrize("told", ["a word", 7, {"words": "x" * 2**16}, [{}]], ids=lambda _: "")
    def test_a_status_that_no_keeper_tells_is_not_believed(self, remote, echo, told):
        echo.told = told
        with pytest.raises(UserError, match="what answers here is no keeper") as raised:
            remote.status()
        assert len(str(raised.value)) < 1000

    def test_a_request_too_many_is_a_number_of_its_own(self, remote):
        with pytest.raises(UserError, match="status 429"):
            remote.answer(b"too often")
        assert remote.answer(b"next") == b"next"

    def test_a_request_that_is_too_large_is_turned_away_unread_and_by_name(self, remote, echo):
        assert remote.answer(bytes(echo.largest + 1)) == b"1048577 are too many"
        assert echo.patience == []

    def test_a_body_that_ends_early_is_passed_on_as_it_is(self, remote, path):
        told = spoken(path, b"POST /answer HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
        assert told.endswith(b"\r\n\r\nhalf")

    def test_a_connection_that_says_nothing_is_given_up(self, path, echo, served, monkeypatch):
        monkeypatch.setattr(service._Handler, "timeout", 0.05)
        with served(path, echo):
            assert spoken(path, b"POST /answer HTTP/1.1\r\nContent-Len", close=False) == b""

    def test_a_relay_that_goes_away_before_its_answer_harms_nobody(self, remote, echo, path, caplog):
        echo.may.clear()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(path))
            connection.sendall(b"POST /answer HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
            while not echo.patience:
                time.sleep(0.005)
        echo.may.set()
        while "the relay went away" not in caplog.text:
            time.sleep(0.005)
        assert remote.answer(b"next") == b"next"


class TestTheSocket:
    """Who may have it."""

    def test_it_is_its_owners_and_its_groups(self, remote, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660

    def test_a_folder_made_for_it_lets_the_group_in_and_strangers_not(self, tmp_path, echo, served):
        path = tmp_path / "run" / "keeper.sock"
        with served(path, echo):
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750

    def test_a_second_keeper_is_refused_and_the_first_goes_on(self, remote, path):
        with pytest.raises(UserError, match="another keeper serves this socket"):
            KeeperServer(path, Echo())
        assert remote.answer(b"still here") == b"still here"

    def test_the_socket_of_a_killed_keeper_is_taken_over(self, path, echo, served):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as killed:
            killed.bind(str(path))
        assert path.is_socket()
        with served(path, echo) as remote:
            assert remote.answer(b"new") == b"new"

    def test_it_goes_with_its_keeper_and_another_can_have_its_place(self, path, echo, served):
        for _ in range(2):
            with served(path, echo) as remote:
                assert remote.answer(b"x") == b"x"
            assert not path.exists()

    @pytest.mark.parametrize(
        "make",
        [
            lambda path: path.write_text("speech"),
            lambda path: path.symlink_to(path.with_name("elsewhere")),
            lambda path: path.symlink_to(path.with_name("nowhere")),
            os.mkfifo,
            lambda path: path.mkdir(),
        ],
        ids=["file", "link", "link to nothing", "pipe", "folder"],
    )
    def test_what_is_no_socket_in_its_place_is_named_and_left_alone(self, path, make):
        path.with_name("elsewhere").write_text("speech")
        make(path)
        before = path.lstat()
        with pytest.raises(UserError, match="something else has the socket's name") as raised:
            KeeperServer(path, Echo())
        assert len(str(raised.value).splitlines()) == 1
        assert path.lstat() == before
        assert path.with_name("elsewhere").read_text() == "speech"
        assert {one.name for one in path.parent.iterdir()} == {path.name, "elsewhere"}

    @pytest.mark.parametrize("mode", [0o770, 0o757, 0o1777, 0o720])
    def test_a_folder_that_others_may_write_is_refused(self, tmp_path, mode):
        folder = tmp_path / "run"
        folder.mkdir()
        folder.chmod(mode)
        with pytest.raises(UserError, match=r"the socket's folder can be written by somebody else: .*run; ") as raised:
            KeeperServer(folder / "keeper.sock", Echo())
        assert len(str(raised.value).splitlines()) == 1
        assert not list(folder.iterdir())

    def test_a_folder_of_another_user_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
        with pytest.raises(UserError, match="can be written by somebody else"):
            KeeperServer(tmp_path / "keeper.sock", Echo())

    @pytest.mark.parametrize("mode", [0o700, 0o750, 0o755])
    def test_a_folder_that_others_may_enter_serves(self, tmp_path, mode, echo, served):
        folder = tmp_path / "run"
        folder.mkdir()
        folder.chmod(mode)
        with served(folder / "keeper.sock", echo) as remote:
            assert remote.answer(b"x") == b"x"
            assert [one.name for one in folder.iterdir()] == ["keeper.sock"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root has groups to give away")
    def test_it_has_the_group_of_its_folder(self, tmp_path, echo, served):
        os.chown(tmp_path, -1, 10003)
        with served(tmp_path / "keeper.sock", echo):
            assert (tmp_path / "keeper.sock").stat().st_gid == 10003

    def test_a_path_that_cannot_be_a_socket_is_named(self, tmp_path):
        with pytest.raises(UserError, match="cannot open the socket"):
            KeeperServer(tmp_path / ("x" * 150), Echo())


class TestNobodyThere:
    """One line, within its time."""

    def test_a_keeper_that_was_never_started(self, path):
        with pytest.raises(UserError, match="the keeper does not answer") as raised:
            RemoteKeeper(path).answer(b"x")
        assert "eyesoff keeper serve" in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1

    def test_a_keeper_that_was_killed(self, path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as killed:
            killed.bind(str(path))
        with pytest.raises(UserError, match="connection refused"):
            RemoteKeeper(path).answer(b"x")

    def test_a_keeper_that_hangs(self, path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hanging:
            hanging.bind(str(path))
            hanging.listen()
            began = time.monotonic()
            with pytest.raises(UserError, match="timed out"):
                RemoteKeeper(path, longest=0.1).answer(b"x", 0.1)
            assert time.monotonic() - began < 10
