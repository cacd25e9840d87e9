"""Methods are found by name, and one that another package breaks is named while the others work."""

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest
from pydantic import create_model

from common import registry as registry_module
from common.config import Config
from common.errors import UserError
from common.registry import Registry
from common.sections import SHARED
from common.settings import NetworkConfig, Section


@dataclass(frozen=True)
class Colour:
    """A method of these tests."""

    name: str


RED = Colour("red")
OTHER = Colour("another name")


@pytest.fixture
def colours(tmp_path, monkeypatch):
    """A registry of one own method, green, and of whatever entry points a test names."""
    package = tmp_path / "colours_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "green.py").write_text(f"import sys\nCOLOUR = sys.modules[{__name__!r}].Colour('green')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])

    def make(**points):
        found = [EntryPoint(name, value, "eyesoff.colours") for name, value in points.items()]
        monkeypatch.setattr(registry_module, "entry_points", lambda group: found)
        return Registry("colour", "colours_of_a_test", "COLOUR", "eyesoff.colours", Colour)

    return make


def test_own_methods_come_first_and_others_are_added(colours):
    found = colours(red=f"{__name__}:RED")
    assert [one.name for one in found] == ["green", "red"]
    assert found.get("red") is RED
    assert "red" in found
    assert "blue" not in found
    assert found.broken == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("lost", "no_such_package:THING", "ModuleNotFoundError"),
        ("red", f"{__name__}:OTHER", "it calls itself another name"),
        ("green", f"{__name__}:GREEN", "the name is taken"),
        ("pytest", "pytest:fixture", "is no Colour"),
    ],
)
def test_a_broken_method_is_named_and_the_others_work(colours, name, value, reason, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "GREEN", Colour("green"), raising=False)
    found = colours(**{name: value})
    assert found.get("green") == Colour("green")
    (broken,) = found.broken
    assert broken.name == name
    assert reason in broken.reason


def test_a_name_that_nobody_has_is_told_with_those_that_there_are(colours):
    with pytest.raises(UserError, match="no such colour: blue; there are green"):
        colours().get("blue")


def test_a_name_that_cannot_be_loaded_is_told_with_the_reason(colours):
    with pytest.raises(UserError, match="it cannot be loaded: ModuleNotFoundError"):
        colours(lost="no_such_package:THING").get("lost")


class Own(Section):
    """A section of a method."""

    shade: int = 3


class Another(Section):
    """Another one."""


def settings_with(**sections):
    """Settings of a method that are made of these sections."""
    return create_model("Settings", __base__=Section, **{name: (kind, kind()) for name, kind in sections.items()})


@dataclass(frozen=True)
class Dyed(Colour):
    """A method with settings."""

    Settings: type[Section]


@pytest.mark.parametrize(
    ("sections", "taken"),
    [
        ({"network": Own}, "network"),
        ({"runtime": Own}, "runtime"),
        ({"seed": Own}, "seed"),
        ({"hue": Another}, "hue"),
        ({"network": NetworkConfig}, None),
        ({"hue": Own}, None),
        ({"blue": Another}, None),
    ],
    ids=str,
)
def test_a_section_with_the_name_of_another_one_is_refused_and_the_same_one_is_shared(
    colours, monkeypatch, sections, taken
):
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "AMBER", Dyed("amber", settings_with(hue=Own)), raising=False)
    monkeypatch.setattr(module, "BLUE", Dyed("blue", settings_with(**sections)), raising=False)
    found = colours(amber=f"{__name__}:AMBER", blue=f"{__name__}:BLUE")
    assert "amber" in found
    assert ("blue" in found) == (taken is None)
    if taken:
        assert found.broken[0].reason == f"ValueError: its section [{taken}] has the name of another one"


def test_every_section_of_a_configuration_is_known_as_shared():
    assert {name: type(value) for name, value in Config() if isinstance(value, Section)} == SHARED
