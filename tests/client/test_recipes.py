"""A steward reads in plain words what a recipe asks for, and is told what of it is unusual."""

import pytest

from client.bounds import Bounds
from client.recipes import describe, preset_recipes, recipe_of, unusual
from common.config.loading import PRESETS, load_config
from common.settings import FinetuningConfig
from common.wire import Precision


@pytest.fixture(scope="module")
def demo():
    return recipe_of(load_config("demo"))


def changed(recipe, section, **settings):
    part = getattr(recipe, section).model_copy(update=settings)
    return recipe.model_copy(update={section: part})


@pytest.mark.parametrize("preset", PRESETS)
def test_the_shipped_presets_have_nothing_unusual(preset):
    assert unusual(recipe_of(load_config(preset)), Bounds()) == []


def test_each_preset_has_a_digest_of_its_own():
    assert list(preset_recipes().values()) == list(PRESETS)
    assert preset_recipes()[recipe_of(load_config("small")).digest] == "small"


def test_what_a_server_keeps_to_itself_changes_no_recipe(demo):
    """How it samples, trains and computes is not the site's matter; neither are the site's own labels."""
    config = load_config("demo", ["seed=7", "sampling.per_emotion=9", "recognizer.iterations=3", "runtime.threads=2"])
    assert recipe_of(config).digest == demo.digest
    assert changed(demo, "network", emotions=("sad", "happy")).digest == demo.digest


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("finetuning", "generator_learning_rate", 2.0001e-4),
        ("finetuning", "iterations", 121),
        ("finetuning", "batch", 17),
        ("finetuning", "likeness", ("colour",)),
        ("finetuning", "even_start", True),
        ("finetuning", "condition_gain", 12.0001),
        ("optimizer", "beta2", 0.9900001),
    ],
)
def test_a_recipe_one_digit_off_is_another(demo, section, setting, value):
    assert changed(demo, section, **{setting: value}).digest not in preset_recipes()


def test_a_number_that_no_preset_has_is_named_beside_theirs(demo):
    assert unusual(changed(demo, "finetuning", generator_learning_rate=2.1e-4), Bounds()) == [
        "generator_rate is 0.00021; the shipped presets have 2e-06 to 0.0002"
    ]


def test_a_number_that_the_sites_bounds_refuse_is_named_with_them(demo):
    few = changed(demo, "finetuning", iterations=1)
    assert unusual(few, Bounds()) == ["steps is 1, not within 100 to 50000: the bounds of this site refuse it"]
    assert unusual(few, Bounds(steps=(1, 200))) == ["steps is 1; the shipped presets have 120 to 20000"]
    assert unusual(demo, Bounds(steps=(500, 900))) == [
        "steps is 120, not within 500 to 900: the bounds of this site refuse it"
    ]


def test_a_choice_that_tells_more_of_the_data_is_named(demo):
    recipe = demo.model_copy(update={"precision": Precision.FP32})
    assert unusual(recipe, Bounds()) == ["fp32 weights carry more of the data than 16 bits do"]


SETTINGS = [
    *(("network", name) for name in ("width", "noise", "leak")),
    *(("optimizer", name) for name in ("beta1", "beta2")),
    *(("finetuning", name) for name in FinetuningConfig.model_fields if name != "released_as"),
]


@pytest.mark.parametrize(("section", "setting"), SETTINGS, ids=lambda word: word)
def test_no_setting_changes_without_its_words(demo, section, setting):
    """A setting that is added to the tree must be told here too."""
    known = getattr(getattr(demo, section), setting)
    match known:
        case bool():
            other = not known
        case tuple():
            other = ("colour",)
        case _:
            other = known * 2 + 1
    assert describe(changed(demo, section, **{setting: other})) != describe(demo)


def test_all_that_a_recipe_asks_for_is_told_in_words(demo):
    assert describe(demo) == [
        "synthesizer: conditional, at 0.0625 of the paper's width; a latent of 128 numbers, conditions times 12, "
        "leak 0.2",
        "training: 120 steps of 16 utterances, emotions drawn evenly",
        "learning rates: generator 0.0002, discriminator 0.003; Adam with betas 0.5 and 0.99",
        "noise before the discriminator: 0; average of the generator: 0",
        "the condition's weights begin by chance",
        "statistics that the generator is held to: none",
        "what leaves: the tuned generator's weights in fp16, and nothing else of the tuning",
    ]


def test_what_another_asks_for_is_told_likewise(demo):
    held = changed(demo, "finetuning", likeness=("colour", "rhythm"), even_start=True)
    told = "\n".join(describe(held.model_copy(update={"precision": Precision.BF16})))
    assert "held to: colour, rhythm" in told
    assert "the condition's weights begin at zero" in told
    assert "weights in bf16" in told
