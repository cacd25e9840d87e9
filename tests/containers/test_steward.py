"""What the steward's page says in figures is what the program does."""

import re
from pathlib import Path

from client.policy import Policy
from common.config import load_config
from common.spaces import PATCHES
from common.synthesizers import synthesizer
from common.wire import HEADER_LIMIT, Precision
from tests.test_readme import lines_of, type_it

FOLDER = Path(__file__).parents[2] / "containers"
PAGE = (FOLDER / "STEWARD.md").read_text(encoding="utf-8")


def test_a_release_has_the_size_and_the_tensors_that_the_page_names():
    megabytes, tensors = re.search(
        r"^\| release \| (\d+\.\d) MB \|.* (\d+) tensors in 16 bits", PAGE, re.MULTILINE
    ).groups()
    config = load_config("demo")
    method = synthesizer(config.methods.synthesizer)
    shapes = method.shapes(method.settings_of(config), PATCHES, config.corpus.classes)
    assert len(shapes) == int(tensors)
    size = sum(Precision.FP16.size(shape) for shape in shapes.values())
    assert f"{size / 1e6:.1f}" == f"{(size + HEADER_LIMIT) / 1e6:.1f}" == megabytes


def test_its_commands_can_be_typed():
    lines = lines_of(PAGE)
    assert len(lines) > 10
    for line in lines:
        type_it(line)


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 1
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_it_names_every_rule_of_a_policy_that_a_steward_decides():
    wanted = set(Policy.model_fields) - {"audit"}
    assert {rule for rule in wanted if f"`{rule}`" not in PAGE} == set()
    assert "`keep_recordings`" not in PAGE


def test_a_word_is_explained_before_the_sections_that_use_it():
    words = re.findall(r"^\| ([a-z ]+) \| ", PAGE.partition("## Words")[2].partition("## What leaves")[0], re.MULTILINE)
    assert words[1:] == sorted(words[1:])
    explained = PAGE.partition("## What leaves")[0]
    for word in ("keeper", "relay", "server", "audit", "base", "generator", "ledger", "policy", "recipe", "release"):
        assert re.search(rf"\*\*{word}\*\*|^\| {word} \| ", explained, re.MULTILINE), word
