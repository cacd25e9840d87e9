"""Every number that a server may choose has a floor and a lid, and the shipped presets lie between them."""

import pytest
from pydantic import ValidationError

from client.bases import read_base, shipped_bases
from client.bounds import Bounds, recipe_numbers, scoring_numbers, tuning_numbers
from client.recipes import recipe_of
from common.config.loading import PRESETS, load_config
from common.synthesizers import SYNTHESIZERS

LOOKS = {"variety", "saturation", "gradient"}
"""What a look at a base tells."""
OF_VECTORS = {"code", "hidden", "descent_rate"}
"""What synthesizers of vectors alone have."""
ELSEWHERE = {"scaling_low", "scaling_high", "window_hop"} | LOOKS | OF_VECTORS
"""What is no part of a recipe of patches."""
NO_NUMBERS = {
    "network": set(),
    "optimizer": set(),
    "finetuning": {"even_start", "likeness", "released_as"},
}
"""Settings of a recipe that are words or choices."""
STEPS = {"width": 0.25, "leak": 0.25, "beta1": 0.25, "beta2": 0.005, "average": 0.25} | dict.fromkeys(
    ("generator_learning_rate", "discriminator_learning_rate"), 1e-3
)
"""By how much a number is changed, for it to be one still."""


@pytest.mark.parametrize("method", list(SYNTHESIZERS), ids=lambda method: method.name)
def test_each_synthesizer_tells_its_numbers_by_the_names_of_the_bounds(method):
    settings = method.settings_of(load_config("small"))
    assert method.numbers(settings)
    assert method.numbers(settings).keys() <= Bounds.model_fields.keys()
    assert Bounds().outside(method.numbers(settings)) == []


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_lies_within_the_default_bounds(preset):
    assert Bounds().outside(recipe_numbers(recipe_of(load_config(preset)))) == []


def test_the_scaling_of_each_shipped_base_lies_within_them():
    for folder in shipped_bases().values():
        scaling = read_base(folder).scaling
        assert Bounds().outside({"scaling_low": scaling.low, "scaling_high": scaling.high}) == []


@pytest.mark.parametrize("name", Bounds.model_fields)
def test_floor_and_lid_are_granted_and_what_passes_them_is_named(name):
    floor, lid = getattr(Bounds(), name)
    step = abs(lid) * 1e-6 + 1e-9
    assert Bounds().outside({name: floor}) == Bounds().outside({name: lid}) == []
    for value in (floor - step, lid + step, float("nan"), float("inf"), float("-inf")):
        (line,) = Bounds().outside({name: value})
        assert line == f"{name} is {value:g}, not within {floor:g} to {lid:g}"


def test_every_number_that_passes_is_named():
    lines = Bounds().outside({"steps": 1, "batch": 16, "beta1": 0})
    assert [line.split()[0] for line in lines] == ["steps", "beta1"]


def test_no_number_of_a_recipe_is_without_bounds():
    """A setting that is added to the tree must be bounded here too."""
    recipe = recipe_of(load_config("demo"))
    settings = [name for section, words in NO_NUMBERS.items() for name in recipe.settings[section] if name not in words]
    assert len(recipe_numbers(recipe)) == len(settings)
    assert recipe_numbers(recipe).keys() | ELSEWHERE == Bounds.model_fields.keys()


@pytest.mark.parametrize("section", NO_NUMBERS)
def test_each_number_is_read_from_the_recipe(section):
    """Changed in the recipe, it is changed among the numbers, and nothing else is."""
    recipe = recipe_of(load_config("demo"))
    part = recipe.settings[section]
    before = recipe_numbers(recipe)
    moved = []
    for name in part.keys() - NO_NUMBERS[section]:
        step = STEPS.get(name, 1)
        changed = part | {name: part[name] + step}
        after = recipe_numbers(recipe.model_copy(update={"settings": recipe.settings | {section: changed}}))
        moved += [key for key in after if after[key] != before[key]]
        assert sum(after[key] - before[key] for key in after) == pytest.approx(step)
    assert len(moved) == len(set(moved)) == len(part.keys() - NO_NUMBERS[section])


def test_a_tunings_scaling_and_a_scorings_hop_are_bounded(tune, score):
    numbers = tuning_numbers(tune.tuning)
    assert (numbers["scaling_low"], numbers["scaling_high"]) == (-16.0, 5.5)
    assert numbers.keys() | {"window_hop"} | LOOKS | OF_VECTORS == Bounds.model_fields.keys()
    assert scoring_numbers(score.scoring) == {"width": 1 / 64, "window_hop": 32}
    closer = score.scoring.settings | {"recognizer": score.scoring.settings["recognizer"] | {"window_hop": 1}}
    assert Bounds().outside(scoring_numbers(score.scoring.model_copy(update={"settings": closer})))
    assert tuning_numbers(tune.tuning.model_copy(update={"scaling": None})) == recipe_numbers(tune.tuning.recipe)


@pytest.mark.parametrize(
    "bounds",
    [
        {"batch": (16, 15)},
        {"beta1": (float("nan"), 0.9)},
        {"beta1": (0.3, float("nan"))},
        {"steps": (100, float("inf"))},
        {"steps": (100,)},
        {"steps": 100},
        {"steps": ("few", "many")},
        {"step": (1, 2)},
    ],
    ids=str,
)
def test_bounds_that_make_no_sense_are_refused(bounds):
    with pytest.raises(ValidationError):
        Bounds(**bounds)


def test_a_floor_may_be_its_own_lid():
    assert Bounds(steps=(120, 120)).outside({"steps": 120}) == []
    assert Bounds(steps=(120, 120)).outside({"steps": 121})
