"""Bars count on a terminal and keep silent elsewhere."""

import re
import time

from simulations.progress import bars, busy


def test_nothing_is_written_where_nobody_watches(capfd) -> None:
    with bars() as open_bar:
        count = open_bar("speech")
        count(1, 2)
        count(2, 2)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_title_and_count(capfd, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with bars() as open_bar:
        open_bar("speech")(1, 2)
    out, err = capfd.readouterr()
    assert out == ""
    assert "speech" in err
    assert "1/2" in err


def test_work_that_cannot_be_counted_moves_by_itself_and_leaves_standard_output_alone(capfd, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with busy("starting"):
        print("a table")
        time.sleep(1.2)
    out, err = capfd.readouterr()
    assert out == "a table\n"
    assert "starting" in err
    assert {"0:00:00", "0:00:01"} <= set(re.findall(r"0:00:0\d", err))


def test_nobody_is_told_of_it_where_nobody_watches(capfd) -> None:
    with busy("starting"):
        pass
    assert capfd.readouterr() == ("", "")
