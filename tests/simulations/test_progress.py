"""Bars count on a terminal and keep silent elsewhere."""

from simulations.progress import bars


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
