"""A polite end."""

import os
import signal

import pytest

from common.training.interruption import stoppable


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_asks_for_a_stop_and_gives_the_status(number, status):
    before = signal.getsignal(number)
    with stoppable() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert stop.status == status
        assert signal.getsignal(number) == signal.SIG_DFL
    assert signal.getsignal(number) == before
