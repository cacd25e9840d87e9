"""Methods are found by name, and one that another package breaks is named while the others work."""

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from common import registry as registry_module
from common.errors import UserError
from common.registry import Registry


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
