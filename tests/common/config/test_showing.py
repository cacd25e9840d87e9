"""What `config show` prints reads back as the same tree."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config import PRESETS, Config, load_config
from common.config.showing import about_section, as_toml
from common.settings import Section

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_being_shown_and_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "shown.toml"
    path.write_text(as_toml(load_config(name)), encoding="utf-8")
    assert load_config(path) == load_config(name)
    assert load_config(path).identity_hash() == load_config(name).identity_hash()


def test_the_sections_of_the_chosen_methods_are_shown_at_their_defaults_too() -> None:
    assert {"[gaussian]", "[svm]"} <= set(as_toml(load_config("best")).splitlines())
    assert "[gaussian]" not in as_toml(load_config("demo"))


def test_a_method_that_is_not_here_brings_no_section() -> None:
    assert "[gone]" not in as_toml(load_config("best", ["methods.synthesizer=gone"]))


@given(
    root=TEXT,
    rate=st.floats(0, 1, exclude_min=True),
    decay=st.floats(0, 1, exclude_max=True),
    emotions=st.lists(st.from_regex(r"[a-z][a-z_]{0,23}", fullmatch=True), min_size=2, max_size=16, unique=True),
)
def test_any_tree_survives_being_shown_and_read(
    root: str, rate: float, decay: float, emotions: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = Config.model_validate(
        {
            "runtime": {"corpus_root": root},
            "finetuning": {"generator_learning_rate": rate, "average": decay},
            "corpus": {"emotions": emotions},
        }
    )
    path = tmp_path_factory.getbasetemp() / "shown.toml"
    path.write_text(as_toml(config), encoding="utf-8", newline="")
    assert load_config(path) == config


def test_the_identity_hash_stands_in_the_first_line() -> None:
    config = load_config("small")
    assert config.identity_hash() in as_toml(config).splitlines()[0]


def test_every_description_stands_beside_its_setting() -> None:
    shown = " ".join(as_toml(Config()).replace("# ", "").split())
    described = [
        field.description
        for section in (Config().features, Config().finetuning, Config().runtime)
        for field in type(section).model_fields.values()
        if field.description
    ]
    assert described
    assert all(description in shown for description in described)


def test_a_section_of_another_package_may_say_nothing_of_itself() -> None:
    class Silent(Section):
        noise: float = 1

    class Told(Section):
        """First line.

        And more.
        """

    assert about_section(Silent()) == ""
    assert about_section(Told()) == "First line."
