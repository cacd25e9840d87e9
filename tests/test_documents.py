"""The documentation: what it shows can be typed, what it links to is there, the reference says what the code says."""

import re
from pathlib import Path

import click
import pytest

from common.config import Config
from common.config.added import section_kinds
from common.recognizers import RECOGNIZERS
from common.synthesizers import SYNTHESIZERS
from simulations import documentation
from tests.test_readme import lines_of, type_it

ROOT = Path(__file__).parents[1]
PAGES = [page for folder in ("", "how-to", "notebooks") for page in sorted((ROOT / "docs" / folder).glob("*.md"))]
LINES = [(page.name, line) for page in PAGES for line in lines_of(page.read_text())]
GENERATED = {"commands", "settings", "methods", "tours", "security", "attacks", "steward", "extend", "changes"}


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_of_a_page_can_be_typed(page: str, line: str) -> None:
    type_it(line)


def test_examples_in_the_help_of_commands_can_be_typed() -> None:
    examples = lines_of(documentation.commands())
    assert len(examples) > 20
    for example in examples:
        type_it(example)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in link]
    made = [link for link in links if "generated/" in link]
    assert {Path(link).stem for link in made} <= GENERATED
    assert [link for link in links if link not in made and not (page.parent / link).exists()] == []


def test_each_page_can_be_reached_from_the_first() -> None:
    first = (ROOT / "docs" / "index.md").read_text()
    names = {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in PAGES} - {"index"}
    names |= {f"generated/{name}" for name in GENERATED}
    assert [name for name in names if not re.search(rf"^{name}$", first, re.MULTILINE)] == []


def test_no_page_names_a_place_on_somebodys_machine() -> None:
    assert [page.name for page in PAGES if re.search(r"/(home|root|work|Users)/", page.read_text())] == []


def test_the_glossary_has_every_word_of_the_house_and_of_a_report_in_order() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text()
    words = re.findall(r"^\| ([^|]+?) \|", page, re.MULTILINE)[1:]
    assert words == sorted(words, key=str.lower)
    house = re.findall(r"\*(\w+)\*", (ROOT / "CONTRIBUTING.md").read_text().split("## Words")[1].split("\n## ")[0])
    assert set(house) <= set(words)
    assert {"macro F1", "UAR", "accuracy", "floor", "baseline", "federated", "centralized", "interval"} <= set(words)


def test_every_setting_and_every_method_is_in_the_reference() -> None:
    settings, methods = documentation.settings(), documentation.methods()
    for name in (*Config.model_fields, *section_kinds()):
        assert f"## {name}\n" in settings or f"| `{name}` |" in settings
    for method in (*SYNTHESIZERS, *RECOGNIZERS):
        assert f"| `{method.name}` |" in methods


def test_every_command_is_in_the_reference() -> None:
    page = documentation.commands()
    for command in ("doctor", "simulate", "compare", "keeper serve", "bank verify", "ledger show"):
        assert f"## eyesoff {command}\n" in page
    assert "`--resume`" in page


def test_a_page_is_written_anew_only_where_it_changed(tmp_path: Path) -> None:
    documentation.write(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (tmp_path / "methods.md").write_text("old")
    documentation.write(tmp_path)
    changed = [path.name for path, time in times.items() if path.stat().st_mtime_ns != time]
    assert changed == ["methods.md"]
    assert "eskimez" in (tmp_path / "methods.md").read_text()


def test_a_command_that_is_not_there_is_found() -> None:
    with pytest.raises(click.UsageError):
        type_it("eyesoff sing --loud")
