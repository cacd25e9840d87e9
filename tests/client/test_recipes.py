"""A steward reads in plain words what a recipe asks for, and is told what of it is unusual."""

from dataclasses import replace

import pytest

from client.bounds import Bounds
from client.recipes import describe, preset_recipes, recipe_of, unusual
from common.config.loading import PRESETS, load_config
from common.synthesizers import SYNTHESIZERS, synthesizer
from common.wire import Precision


@pytest.fixture(scope="module")
def demo():
    return recipe_of(load_config("demo"))


def changed(recipe, section, **settings):
    part = recipe.settings[section] | settings
    return recipe.model_copy(update={"settings": recipe.settings | {section: part}})


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
    assert recipe_of(load_config("demo", ['corpus.emotions=["sad", "happy"]'])).digest == demo.digest


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
        "generator_rate is 0.00021; the shipped presets have 1e-06 to 0.0002"
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


def test_each_of_two_stages_is_named(demo):
    earlier = recipe_of(load_config("demo", ["methods.synthesizer=chatziagapi"]))
    lines = unusual(changed(earlier, "chatziagapi", autoencoder_iterations=1, iterations=10**6), Bounds())
    assert [line.split(",")[0] for line in lines if line.startswith("steps")] == ["steps is 1", "steps is 1e+06"]


def test_a_synthesizer_that_tells_no_numbers_is_named(demo, monkeypatch):
    assert not any("tells no numbers" in line for line in unusual(demo, Bounds()))
    silent = replace(synthesizer("eskimez"), numbers=lambda settings: {})
    monkeypatch.setitem(SYNTHESIZERS.__dict__, "_found", ({**SYNTHESIZERS.methods, silent.name: silent}, ()))
    assert unusual(demo, Bounds()) == ["eskimez tells no numbers of its own: no bounds hold for its settings"]


SETTINGS = [
    (method.name, section, name)
    for method in SYNTHESIZERS
    for section, settings in method.Settings().model_dump(mode="json").items()
    for name in settings
]


@pytest.mark.parametrize(("method", "section", "setting"), SETTINGS, ids=lambda word: word)
def test_no_setting_changes_without_its_words(method, section, setting):
    """Of whichever synthesizer."""
    recipe = recipe_of(load_config("demo", [f"methods.synthesizer={method}"]))
    match recipe.settings[section][setting]:
        case bool() as known:
            other = not known
        case list():
            other = ["colour"]
        case str():
            other = "fp32"
        case known:
            other = known * 2 + 1
    told = describe(changed(recipe, section, **{setting: other}))
    assert f"{section}.{setting} = {other}" in told
    assert set(told) - set(describe(recipe)) == {f"{section}.{setting} = {other}"}


def test_a_promise_of_privacy_is_told_with_epsilon_delta_unit_and_mechanism():
    settings = ["methods.synthesizer=gaussian", "methods.recognizer=svm"]
    promised = recipe_of(load_config("demo", [*settings, "gaussian.epsilon=4.0"]))
    line = (
        "differential privacy: epsilon 4 at delta 1e-05, for one utterance added or removed, by Gaussian noise on sums "
        "of clipped vectors; a site's budget pays for it once and for ever"
    )
    assert line in describe(promised)
    assert "differential privacy" not in "".join(describe(recipe_of(load_config("demo", settings))))


def test_all_that_a_recipe_asks_for_is_told_in_words(demo):
    first, leaves, *settings = describe(demo)
    assert first.startswith("synthesizer: eskimez (Eskimez et al., Interspeech 2020): A conditional GAN")
    assert leaves == "what leaves: the tuned generator, in fp16, and nothing else of the tuning"
    assert len(settings) == sum(map(len, demo.settings.values()))
    for line in (
        "network.width = 0.0625",
        "network.noise = 128",
        "optimizer.beta2 = 0.99",
        "finetuning.iterations = 120",
        "finetuning.batch = 16",
        "finetuning.generator_learning_rate = 0.0002",
        "finetuning.condition_gain = 12.0",
        "finetuning.likeness = []",
    ):
        assert line in settings


def test_what_another_asks_for_is_told_likewise(demo):
    held = changed(demo, "finetuning", likeness=["colour", "rhythm"], even_start=True)
    told = describe(held.model_copy(update={"precision": Precision.BF16}))
    assert "finetuning.likeness = ['colour', 'rhythm']" in told
    assert "finetuning.even_start = True" in told
    assert any("in bf16" in line for line in told)


def test_another_synthesizer_says_what_it_is_and_what_leaves():
    recipe = recipe_of(load_config("demo", ["methods.synthesizer=chatziagapi"]))
    first, leaves, *settings = describe(recipe)
    assert first.startswith("synthesizer: chatziagapi (Chatziagapi et al., Interspeech 2019)")
    assert "mean and covariance of each emotion's codes" in leaves
    assert f"chatziagapi.code = {recipe.settings['chatziagapi']['code']}" in settings
    assert recipe.digest not in preset_recipes()
