"""`eyesoff config`."""

import json
import tomllib
from pathlib import Path

import pytest

from common.config import Config, load_config
from simulations import cli


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(["config", *arguments])
    return left.value.code, *capsys.readouterr()


def test_show_prints_a_file_that_check_accepts_with_the_same_hash(capsys, tmp_path: Path) -> None:
    status, shown, _ = run(capsys, "show", "--preset", "small", "--set", "seed=3")
    (tmp_path / "mine.toml").write_text(shown)
    identity = load_config("small", ["seed=3"]).identity_hash()
    assert (status, identity in shown.splitlines()[0]) == (0, True)
    assert run(capsys, "check", str(tmp_path / "mine.toml")) == (0, f"ok: {tmp_path / 'mine.toml'} ({identity})\n", "")


def test_show_takes_a_file(capsys, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("seed = 9")
    _, shown, _ = run(capsys, "show", "--config", str(tmp_path / "mine.toml"))
    assert tomllib.loads(shown)["seed"] == 9


def test_show_as_json_is_one_object_with_hash_and_tree(capsys) -> None:
    _, shown, _ = run(capsys, "show", "--json")
    answer = json.loads(shown)
    assert answer["identity"] == load_config("demo").identity_hash()
    assert Config.model_validate(answer["config"]) == load_config("demo")


def test_check_lists_five_mistakes_in_five_lines_and_leaves_with_2(capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('seed = -1\ncolour = 1\n[network]\nwidth = 7\nleak = "wide"\n[optimizer]\nbeta1 = 2\n')
    status, out, err = run(capsys, "check", str(path))
    heading, *lines = err.splitlines()
    assert (status, out, heading, len(lines)) == (2, "", f"error: {path}: 5 mistakes", 5)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["show", "--preset", "large"],
            "no such preset: large; choose one of demo, small, emodb, best",
        ),
        (["show", "--preset", "demo", "--config", "mine.toml"], "--preset and --config both name a configuration"),
        (["show", "--set", "seed"], "write it as section.key=value"),
        (["check", "nowhere.toml"], "no such configuration: nowhere.toml"),
    ],
)
def test_a_wrong_choice_is_told_and_leaves_with_2(arguments: list[str], complaint: str, capsys) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert complaint in err


NONSENSE = """
[methods]
synthesizer = "gausian"
recognizer = "svn"
protocol = "loso"
[vectors]
set = "functional"
[corpus]
name = "emo-db"
[pretraining]
options = ["subset=nothing"]
[compare]
modes = ["real", "reel"]
"""


def test_check_names_whatever_there_is_not_and_what_there_is(capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(NONSENSE)
    status, out, err = run(capsys, "check", str(path))
    heading, *lines = err.splitlines()
    assert (status, out, heading, len(lines)) == (2, "", f"error: {path}: 7 mistakes", 7)
    for place, there_is in [
        ("methods.synthesizer: no such synthesizer: gausian", "gaussian"),
        ("methods.recognizer: no such recognizer: svn", "svm"),
        ("methods.protocol: no such protocol: loso", "leave-one-session-out"),
        ("vectors.set: no such set of features: functional", "functionals"),
        ("corpus.name: no such corpus: emo-db", "emodb"),
        ("pretraining.options: subset=nothing", "train-clean-100"),
        ("compare: no such mode: reel", "federated"),
    ]:
        assert any(line.startswith(f"  - {place}") and there_is in line for line in lines), place


def test_check_tells_of_a_row_whose_settings_are_wrong(capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[compare]\nmodes = ["real", "odd"]\nrows = [["odd", "federated", "finetuning.iteration=1"]]')
    status, _, err = run(capsys, "check", str(path))
    assert status == 2
    assert "compare: finetuning.iteration: no such setting" in err


def test_show_names_a_method_that_there_is_not(capsys) -> None:
    status, out, err = run(capsys, "show", "--set", "methods.synthesizer=gausian")
    assert (status, out) == (2, "")
    assert "methods.synthesizer: no such synthesizer: gausian; there are adan" in err


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[finetuning]\n[pretraining.adversarial]\n"])
def test_a_file_that_sets_nothing_is_refused_in_a_line(text: str, capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    status, out, err = run(capsys, "check", str(path))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "it sets nothing, and so stands for every default, which is the paper's size" in err


def test_show_has_the_sections_of_the_chosen_methods(capsys) -> None:
    shown = tomllib.loads(run(capsys, "show", "--preset", "best", "--set", "svm.rounds=7")[1])
    assert (shown["svm"]["rounds"], "epsilon" in shown["gaussian"]) == (7, True)
    told = json.loads(run(capsys, "show", "--preset", "best", "--json")[1])
    assert {"svm", "gaussian"} <= told["config"].keys()
    assert Config.model_validate(told["config"]) == load_config("best")
