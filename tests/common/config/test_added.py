"""A method's own section of settings is read from the same file as all others."""

from dataclasses import replace

import pytest
from pydantic import Field, create_model

from common.config import Config, added
from common.config.showing import as_toml
from common.errors import UserError, UserErrors
from common.recognizers import RECOGNIZERS
from common.settings import Section
from common.synthesizers import SYNTHESIZERS

SECTION_KINDS = added.section_kinds.__wrapped__


class Own(Section):
    """Of a method that was added."""

    steps: int = Field(3, ge=1, description="how many")
    rate: float = Field(0.5, gt=0)


class Another(Section):
    """Of another method."""


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
        "own.steps: must be 1 or more (given: 0)",
        "own.bread: no such",
        "other: no such",
        "corpus.name",
        "width 0.3",
    ):
        assert mistake in told
    assert "5 mistakes" in told


class TestTwoMethods:
    """Of two registries, whose sections have one name."""

    @pytest.fixture
    def install(self, monkeypatch):
        """Add methods with a section called `own` to two registries; the answer is a fresh look at the sections."""

        def make(first, second):
            for registry, kind, name in ((SYNTHESIZERS, first, "made"), (RECOGNIZERS, second, "heard")):
                settings = create_model("Settings", __base__=Section, own=(kind, kind()))
                method = replace(next(iter(registry)), name=name, Settings=settings)
                monkeypatch.setitem(registry.__dict__, "_found", ({**registry.methods, name: method}, ()))
            return SECTION_KINDS()

        return make

    def test_share_it_if_it_is_the_same(self, install):
        assert install(Own, Own)["own"] is Own
        assert "heard" in RECOGNIZERS

    def test_of_unlike_ones_the_second_cannot_be_used(self, install):
        assert install(Own, Another)["own"] is Own
        assert "made" in SYNTHESIZERS
        with pytest.raises(UserError, match=r"it cannot be loaded: ValueError: its section \[own\] has the name of an"):
            RECOGNIZERS.get("heard")
