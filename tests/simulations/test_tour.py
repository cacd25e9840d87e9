"""Each tour can be typed, is told without a terminal, and runs to its end where it is asked to."""

import pytest

from simulations import cli
from simulations import tour as tours
from simulations.tour import TOURS, Step, Tour
from tests.test_readme import lines_of, type_it

STEPS = [(name, step) for name, tour in TOURS.items() for step in tour.steps]


def leave(words, capfd):
    with pytest.raises(SystemExit) as left:
        cli.main(["tour", *map(str, words)])
    return left.value.code, *capfd.readouterr()


@pytest.fixture
def short(monkeypatch):
    """A tour of three commands, of which the second fails."""
    steps = (Step("One.", "eyesoff --version"), Step("Two.", "eyesoff bank"), Step("Three.", "eyesoff --version"))
    monkeypatch.setattr(
        tours, "TOURS", {"short": Tour("Short.", steps, "docs"), "good": Tour("Good.", steps[:1], "docs")}
    )


def test_there_is_one_for_each_kind_of_user(capfd):
    status, told, _ = leave([], capfd)
    assert status == 0
    assert [line.split(":")[0] for line in told.splitlines()][:-1] == list(TOURS)
    assert list(TOURS) == ["newcomer", "researcher", "engineer", "steward", "modeller"]


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_step_is_a_command_that_can_be_typed_and_few_words(name, step):
    type_it(step.command)
    assert 1 <= step.says.count(".") <= 3


@pytest.mark.parametrize("name", TOURS)
def test_without_a_terminal_every_step_is_printed_and_nothing_is_cut(name, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    status, told, _ = leave([name], capfd)
    assert status == 0
    assert [line.strip() for line in told.splitlines() if line.startswith("   ")] == [
        step.command for step in TOURS[name].steps
    ]


def test_the_page_shows_the_same_commands():
    shown = lines_of(tours.page())
    assert set(shown) == {step.command for _, step in STEPS} | {f"eyesoff tour {name} --run" for name in TOURS}


@pytest.mark.parametrize("words", [["pilot"], ["newcomer", "--in", "there"]])
def test_a_mistake_is_one_line_with_a_remedy(words, capfd):
    status, told, complaint = leave(words, capfd)
    assert (status, told, complaint.count("\n")) == (2, "", 1)
    assert "choose one of newcomer" in complaint or "add --run" in complaint


def test_a_tour_ends_at_the_first_command_that_fails(short, tmp_path, capfd):
    status, told, complaint = leave(["short", "--run", "--in", tmp_path / "new"], capfd)
    assert status == 2
    assert "1 of 3. One." in told
    assert "eyesoff 0." in told
    assert "Three." not in told
    assert complaint.endswith("the tour ends here: this command left with status 2\n")
    assert (tmp_path / "new").is_dir()


def test_a_tour_that_comes_to_its_end_says_where_all_lies(short, tmp_path, capfd):
    status, told, _ = leave(["good", "--run", "--in", tmp_path], capfd)
    assert status == 0
    assert told.splitlines()[-1] == f"That was the tour. What it made lies in {tmp_path}. Go on with docs."


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_command_of_every_tour_runs(tmp_path):
    for step in dict.fromkeys(step for _, step in STEPS):
        assert tours.run_step(step, tmp_path) == 0, step.command
