"""A method's own section of settings is read from the same file as all others."""

import pytest
from pydantic import Field

from common.config import Config, added
from common.config.showing import as_toml
from common.errors import UserErrors
from common.settings import Section


class Own(Section):
    """Of a method that was added."""

    steps: int = Field(3, ge=1, description="how many")
    rate: float = Field(0.5, gt=0)


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    monkeypatch.setattr(added, "section_kinds", lambda: {"own": Own})


def test_a_section_that_a_method_brings_is_read_and_part_of_the_identity():
    config = Config.model_validate({"own": {"steps": 5}})
    assert config.own == Own(steps=5)
    assert config.identity_hash() != Config().identity_hash()
    assert Config.model_validate(config.model_dump(mode="json")) == config
    assert config.model_copy(update={"seed": 1}).own == Own(steps=5)


def test_a_section_of_defaults_changes_no_identity():
    assert Config.model_validate({"own": {"steps": 3}}).identity_hash() == Config().identity_hash()


def test_it_is_written_out_with_its_descriptions_and_reads_back(tmp_path):
    from common.config import load_config

    config = Config.model_validate({"own": {"steps": 5}})
    path = tmp_path / "own.toml"
    path.write_text(as_toml(config))
    assert "[own]\n# how many\nsteps = 5" in path.read_text()
    assert load_config(path) == config


def test_every_mistake_is_named_with_its_place_whoever_brought_the_section(tmp_path):
    from common.config import load_config

    path = tmp_path / "own.toml"
    path.write_text("[own]\nsteps = 0\nbread = 1\n[other]\n[corpus]\nname = 3\n[network]\nwidth = 0.3\n")
    with pytest.raises(UserErrors) as raised:
        load_config(path)
    told = str(raised.value)
    for mistake in (
        "own.steps: Input should be greater",
        "own.bread: no such",
        "other: no such",
        "corpus.name",
        "width 0.3",
    ):
        assert mistake in told
    assert "5 mistakes" in told
