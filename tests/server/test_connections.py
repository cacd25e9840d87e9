"""Places for connections, and the time that each has."""

import socket
import threading

import pytest

from server.connections import Connections


def test_no_address_can_have_all_places():
    places = Connections(4, 2)
    assert [places.take("192.0.2.1") for _ in range(2)] == [None, None]
    assert "from there" in places.take("192.0.2.1")
    assert places.take("192.0.2.2") is None
    assert places.take("192.0.2.3") is None
    assert places.take("192.0.2.4") == "4 connections are open already"
    places.leave("192.0.2.1")
    assert places.take("192.0.2.1") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_whoever_has_many_addresses_of_a_kind_counts_as_one(one, other, same):
    places = Connections(9, 1)
    assert places.take(one) is None
    assert (places.take(other) is not None) == same


def test_a_connection_whose_time_is_over_ends_although_it_is_never_silent():
    places, (here, there) = Connections(1, 1), socket.socketpair()
    with here, there, places.timed(here, 0.0):
        threading.Timer(0.1, places.end_late).start()
        with pytest.raises(BrokenPipeError):
            for _ in range(1000):
                there.sendall(b"x")
                here.recv(1)
                threading.Event().wait(0.005)


def test_a_connection_that_is_allowed_more_goes_on():
    places, (here, there) = Connections(1, 1), socket.socketpair()
    with here, there, places.timed(here, 0.0):
        places.allow(here, 60.0)
        places.end_late()
        there.sendall(b"x")
        assert here.recv(1) == b"x"


def test_a_connection_that_is_closed_is_not_thought_of_again():
    places, (here, there) = Connections(1, 1), socket.socketpair()
    with there, places.timed(here, 0.0):
        here.close()
        places.end_late()
    assert not places._deadlines
