"""A polite end."""

import os
import signal

import pytest

from common.training.interruption import stoppable, tidied_up


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


def test_a_termination_runs_through_what_tidies_up():
    before, tidied = signal.getsignal(signal.SIGTERM), []
    with pytest.raises(SystemExit) as left, tidied_up():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # a second one does not cut it
            tidied.append("processes")
    assert (left.value.code, tidied) == (143, ["processes"])
    assert signal.getsignal(signal.SIGTERM) == before
