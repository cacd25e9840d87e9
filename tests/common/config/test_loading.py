"""From a name or a file and overrides to a tree, or to all its mistakes."""

from pathlib import Path

import pytest

from common.config import load_config
from common.errors import UserError, UserErrors


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_a_file_with_five_mistakes_gets_five_lines_each_with_its_place(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        seed = "soon"
        colour = 1
        [features]
        hop = 600
        [network]
        width = 7
        [finetuning]
        iterations = -1
        """,
    )
    with pytest.raises(UserErrors) as caught:
        load_config(path)
    places = {problem.split(":")[0] for problem in caught.value.problems}
    assert places == {"seed", "colour", "features", "network.width", "finetuning.iterations"}
    heading, *lines = str(caught.value).splitlines()
    assert (heading, len(lines)) == (f"{path}: 5 mistakes", 5)


def test_mistakes_in_a_file_and_in_overrides_are_told_together(tmp_path: Path) -> None:
    path = write(tmp_path, "colour = 1")
    with pytest.raises(UserErrors) as caught:
        load_config(path, ["network.width", "network.noise=0"])
    syntax, noise, colour = caught.value.problems
    assert syntax == "--set network.width: write it as section.key=value"
    assert colour == "colour: no such setting; `eyesoff config show` lists them all"
    assert noise.startswith("network.noise: ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("finetuning.iteration", "finetuning.iterations"), ("sed", "seed"), ("gausian.epsilon", "gaussian")],
)
def test_a_setting_that_is_nearly_right_is_named(typed: str, meant: str) -> None:
    with pytest.raises(UserErrors, match=rf"no such setting; did you mean {meant}\?"):
        load_config("demo", [f"{typed}=1"])


@pytest.mark.parametrize(
    "place", ["seed", "pretraining.adversarial.penalty", "release.rank", "corpus.skew", "gaussian.epsilon"]
)
def test_true_is_no_number(place: str) -> None:
    with pytest.raises(UserErrors, match=r"must be a (whole )?number") as caught:
        load_config("demo", [f"{place}=true", "colour=1"])
    told = {problem.split(":")[0]: problem for problem in caught.value.problems}
    assert told.keys() == {place, "colour"}
    assert "given: 'true'" in told[place]


def test_true_is_what_a_switch_may_be() -> None:
    assert load_config("demo", ["release.eight_bit=true"]).release.eight_bit


def test_an_override_reaches_a_nested_setting_and_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[pretraining.adversarial]\npenalty = 3.0")
    config = load_config(path, ["pretraining.adversarial.penalty=4", "pretraining.adversarial.batch=8"])
    assert (config.pretraining.adversarial.penalty, config.pretraining.adversarial.batch) == (4.0, 8)


@pytest.mark.parametrize("value", ["emodb", '"emodb"', " emodb "])
def test_a_word_needs_no_quotes_in_an_override(value: str) -> None:
    assert load_config("demo", [f"corpus.name={value}"]).corpus.name == "emodb"


def test_an_override_may_hold_an_equals_sign_a_list_or_a_truth_value() -> None:
    overrides = ["corpus.name=a=b", 'recognizer.augmentation=["tilt"]', "finetuning.even_start=true"]
    config = load_config("demo", overrides)
    assert config.corpus.name == "a=b"
    assert (config.recognizer.augmentation, config.finetuning.even_start) == (("tilt",), True)


def test_a_setting_cannot_be_overridden_as_if_it_were_a_section(tmp_path: Path) -> None:
    with pytest.raises(UserErrors, match="width is a setting, not a section"):
        load_config("demo", ["network.width.of=1"])


def test_a_file_that_is_not_there_is_named_with_the_presets() -> None:
    with pytest.raises(UserError, match=r"nowhere.toml; name a TOML file or one of the presets demo, small, emodb"):
        load_config("nowhere.toml")


def test_a_file_that_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not valid TOML: .*mine.toml; .*line 2"):
        load_config(write(tmp_path, "seed = 1\nseed = soon\n"))


def test_a_folder_or_binary_file_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "binary.toml"):
        with pytest.raises(UserError, match="cannot read the configuration"):
            load_config(path)


def test_an_empty_file_is_the_default_tree(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "")).network.width == 1.0


def test_a_distilled_release_takes_a_rank() -> None:
    with pytest.raises(UserErrors, match=r"set release\.rank, such as 4") as caught:
        load_config("emodb", ["release.distilled=true"])
    assert len(caught.value.problems) == 1
    assert load_config("emodb", ["release.distilled=true", "release.rank=4"]).release.distilled
