"""What a bare `flwr run` names: any setting of any preset, and one clear line where there is none."""

import pytest

from common.config import load_config
from common.config.unnamed import default_base, overrides_in, unnamed_config
from common.errors import UserErrors


def test_no_setting_is_the_preset():
    assert unnamed_config("demo", "") == load_config("demo")


def test_any_setting_of_a_preset_can_be_told():
    told = unnamed_config("best", 'seed=3; vectors.normalisation="training"\nruntime.cache=elsewhere;')
    assert told == load_config("best", ["seed=3", 'vectors.normalisation="training"', "runtime.cache=elsewhere"])


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ("", []),
        (" ; \n ", []),
        ("seed=3", ["seed=3"]),
        ('name="a;b";seed=1', ['name="a;b"', "seed=1"]),
        ("corpus.emotions=['sad', 'angry'] ; seed=1", ["corpus.emotions=['sad', 'angry']", "seed=1"]),
        ("runtime.cache=ann's", ["runtime.cache=ann's"]),
    ],
)
def test_semicolons_and_lines_part_settings_but_not_within_quotes(settings, parts):
    assert overrides_in(settings) == parts


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("num-server-rounds=3", "num-server-rounds: no such setting"),
        ("recognizer.iteration=3", "recognizer.iteration: no such setting"),
        ("seed", "settings seed: write it as section.key=value"),
        ("network.width.more=1", "settings network.width.more=1: width is a setting, not a section"),
    ],
)
def test_a_setting_that_is_none_is_one_line(settings, line):
    with pytest.raises(UserErrors, match="preset demo and what settings changes: 1 mistake") as caught:
        unnamed_config("demo", f"{settings}; recognizer.iterations=3")
    (problem,) = caught.value.problems
    assert problem.startswith(line)


def test_networks_are_those_of_the_sizes_and_vectors_need_none():
    assert default_base(load_config("demo")).name == "demo"
    assert default_base(load_config("best")).is_dir()
