"""Every number that a server may choose has a floor and a lid, and the shipped presets lie between them."""

import pytest
from pydantic import ValidationError

from client.bases import read_base, shipped_bases
from client.bounds import Bounds, recipe_numbers, scoring_numbers, tuning_numbers
from client.recipes import recipe_of
from common.config.loading import PRESETS, load_config
from common.spaces import PATCHES
from common.synthesizers import SYNTHESIZERS, synthesizer
from common.wire import Precision, Recipe

LOOKS = {"variety", "saturation", "gradient"}
"""What a look at a base tells."""
ELSEWHERE = {"scaling_low", "scaling_high", "window_hop", "release_rank", "epsilon", "made_of_one"} | LOOKS
"""What is no part of a recipe, or only of one that promises privacy or makes more of recordings."""
NUMBERS = [
    (method, section, name)
    for method in SYNTHESIZERS
    if method.reach == "anywhere"
    for section, settings in method.Settings().model_dump(mode="json").items()
    for name, value in settings.items()
    if isinstance(value, int | float) and not isinstance(value, bool)
]
"""Every number that a server may choose: synthesizer, section, setting."""


def each_of(told):
    """Of one or several."""
    return told if isinstance(told, tuple) else (told,)


def recipe_with(method, **sections):
    """A recipe of this synthesizer, as `demo` sets it but for these settings."""
    settings = method.settings_of(load_config("demo")).model_dump(mode="json")
    changed = {section: settings[section] | part for section, part in sections.items()}
    return Recipe(synthesizer=method.name, settings=settings | changed, space=PATCHES, precision=Precision.FP16)


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


@pytest.mark.parametrize(("method", "section", "name"), NUMBERS, ids=lambda one: getattr(one, "name", one))
def test_no_number_of_a_recipe_is_without_bounds(method, section, name):
    """Changed in the recipe, it is changed among what is bounded. A setting that is added must be bounded too."""
    before = recipe_with(method)
    known = before.settings[section][name]
    other = known + 1 if isinstance(known, int) else known / 2 or 0.25
    after = recipe_numbers(recipe_with(method, **{section: {name: other}}))
    pairs = [
        pair
        for key, told in recipe_numbers(before).items()
        for pair in zip(each_of(told), each_of(after[key]), strict=True)
    ]
    assert {new for old, new in pairs if new != old} == {other}


def test_no_bounds_are_of_nothing_that_is_asked_for():
    told = {name for method in SYNTHESIZERS for name in recipe_numbers(recipe_with(method))}
    told |= recipe_numbers(recipe_with(synthesizer("m1"), m1={"descent": "plain"})).keys()
    assert told | ELSEWHERE == Bounds.model_fields.keys()


def test_two_stages_lie_between_floor_and_lid_each():
    """The longer of them hides behind the shorter no more than the other way round."""
    method = synthesizer("chatziagapi")
    for stages in ({"iterations": 10**6}, {"autoencoder_iterations": 10**6}, {"iterations": 1}):
        (line,) = Bounds().outside(recipe_numbers(recipe_with(method, chatziagapi=stages)))
        assert line.startswith("steps is 1")
    rates = Bounds().outside(recipe_numbers(recipe_with(method, chatziagapi={"autoencoder_learning_rate": 0.01})))
    assert [line.split(" is ")[0] for line in rates] == ["generator_rate", "discriminator_rate"]


@pytest.mark.parametrize("name", ["secrets", "outside", "model_fields"])
def test_a_number_without_bounds_is_granted_no_value(name):
    """As a synthesizer from elsewhere may tell it."""
    assert Bounds().outside({name: 1.0, "batch": 16}) == [f"{name} has no bounds here, so no value of it is granted"]


def test_a_tunings_scaling_and_a_scorings_hop_are_bounded(tune, score):
    numbers = tuning_numbers(tune.tuning)
    assert (numbers["scaling_low"], numbers["scaling_high"]) == (-16.0, 5.5)
    assert scoring_numbers(score.scoring) == {"width": 1 / 64, "window_hop": 32}
    closer = score.scoring.settings | {"recognizer": score.scoring.settings["recognizer"] | {"window_hop": 1}}
    assert Bounds().outside(scoring_numbers(score.scoring.model_copy(update={"settings": closer})))
    unscaled, whole = tuning_numbers(tune.tuning.model_copy(update={"scaling": None})), numbers["release_rank"]
    assert unscaled == {**recipe_numbers(tune.tuning.recipe), "release_rank": whole}


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
