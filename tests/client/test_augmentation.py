"""A site makes more of its recordings before it fits, where a recipe asks for it and the policy accepts that recipe."""

import shutil
from collections import Counter

import pytest
import torch
from pydantic import ValidationError

from client.keeper import Keeper
from client.recipes import describe
from common.augmentation import STAYS
from common.features.vectors import identity_of_vectors, space_of_vectors
from common.settings import NetworkConfig, Section, VectorConfig
from common.spaces import PATCHES, Patches, Vectors
from common.synthesizers import Cost, Synthesizer
from common.synthesizers.methods.gaussian import SYNTHESIZER as GAUSSIAN
from common.training.draws import everything
from common.wire import Code, Limits, Refusal, Release, WireError, decode, encode
from common.wire.terms import canonical

LONG = 250.0
SPACE = space_of_vectors(VectorConfig())
OF_VECTORS = {"space": SPACE, "scaling": None, "features": identity_of_vectors(VectorConfig())}


class CountingSettings(Section):
    """One number."""

    network: NetworkConfig = NetworkConfig(width=1 / 64)


@pytest.fixture
def seen(install):
    """What a fit was shown of each emotion."""
    shown = []

    def fit(fitting, settings):
        if fitting.space == PATCHES:
            labels = fitting.examples(True).batch(0, 400, "all").labels
        else:
            labels = everything(fitting.examples(False)).labels
        shown.append(Counter(labels.tolist()))
        return {"w": torch.ones(2, 3)}

    install(
        Synthesizer(
            name="counting",
            paper="none",
            about="Six numbers.",
            released="six numbers",
            Settings=CountingSettings,
            spaces=frozenset({Patches, Vectors}),
            cost=lambda settings, space, classes: Cost(1, 0),
            fit=fit,
            shapes=lambda settings, space, classes: {"w": (2, 3)},
            sampler=lambda *arguments: None,
        )
    )
    return shown


@pytest.fixture
def holding(site, tmp_path):
    """A site with six recordings of each emotion, but so many of the second."""

    def make(count):
        shutil.copytree(site.root, tmp_path / "speech")
        table = tmp_path / "speech" / "recordings.csv"
        heading, *rows = table.read_text().splitlines()
        angry = [row for row in rows if ",angry," in row]
        table.write_text("\n".join([heading, *(row for row in rows if row not in angry[count:])]))
        return site.model_copy(update={"root": tmp_path / "speech"})

    return make


@pytest.fixture
def keeper_for(with_policy):
    def make(site, request):
        rules = f'recipes = ["{request.tuning.recipe.digest}"]\nminimum_utterances = 1\nminimum_speakers = 1'
        rules += "\n[bounds]\nmade_of_one = [1, 8]"
        return Keeper(with_policy(site, rules))

    return make


def code_of(keeper, request):
    return decode(keeper.answer(encode(request), LONG), Refusal, Limits(2**16)).code


@pytest.fixture
def asked(order, seen):
    def make(**terms):
        return order("counting", CountingSettings(), **OF_VECTORS | terms)

    return make


@pytest.mark.parametrize(
    ("terms", "angry"),
    [
        ({}, 2),
        ({"augmentation": "smote"}, 6),
        ({"augmentation": "copying", "made_of_one": 1}, 4),
        ({"augmentation": "sars"}, 6),
    ],
)
def test_emotions_are_alike_in_number_where_it_is_asked_for_and_no_more_is_made_of_one_than_said(
    holding, keeper_for, asked, said, seen, terms, angry
):
    request = asked(**terms)
    assert isinstance(said(keeper_for(holding(2), request), request, LONG), Release)
    assert seen == [{0: 6, 1: angry, 2: 6, 3: 6}]


def test_patches_are_made_of_changed_recordings_too(holding, keeper_for, order, ask_to_tune, said, seen):
    tuning = ask_to_tune().tuning
    terms = {"space": PATCHES, "scaling": tuning.scaling, "features": tuning.features, "augmentation": "sa"}
    request = order("counting", CountingSettings(), **terms)
    assert isinstance(said(keeper_for(holding(2), request), request, LONG), Release)
    assert min(seen[0].values()) > 70


def test_a_policy_accepts_it_with_the_recipe_and_bounds_how_much_is_made_of_one(holding, keeper_for, asked, seen):
    plain, much = asked(), asked(augmentation="noise", made_of_one=20)
    site = holding(2)
    assert code_of(keeper_for(site, plain), asked(augmentation="noise")) == Code.RECIPE_FORBIDDEN
    assert code_of(keeper_for(site, much), much) == Code.OUT_OF_BOUNDS
    assert seen == []


def test_smote_of_one_utterance_of_an_emotion_is_refused_in_a_word(holding, keeper_for, asked, said, seen):
    request = asked(augmentation="smote")
    reply = said(keeper_for(holding(1), request), request, LONG)
    assert reply.code == Code.TOO_FEW_UTTERANCES
    assert seen == []


def test_a_recipe_without_it_has_the_name_that_it_had_and_one_with_it_says_so_in_words(asked):
    plain, made = asked().tuning.recipe, asked(augmentation="smote", made_of_one=2).tuning.recipe
    assert "augmentation" not in canonical(plain)
    assert plain.digest != made.digest != asked(augmentation="smote", made_of_one=3).tuning.recipe.digest
    assert any("smote, at most 2 made of one recording" in line and STAYS["smote"] in line for line in _words(made))
    assert not any("made of one" in line for line in _words(plain))


def _words(recipe):
    return describe(recipe.model_copy(update={"synthesizer": "gaussian", "settings": {}}))


@pytest.mark.parametrize(
    "terms", [{"augmentation": "mixup"}, {"made_of_one": 2}, {"augmentation": "smote", "made_of_one": 0}]
)
def test_what_is_no_such_augmentation_is_no_request(asked, terms):
    with pytest.raises((ValidationError, WireError)):
        asked(**terms)


def test_privacy_of_one_utterance_is_not_promised_where_others_are_made_of_it(order):
    private = GAUSSIAN.Settings.model_validate({"gaussian": {"epsilon": 4.0}})
    public = {**OF_VECTORS, "space": space_of_vectors(VectorConfig(normalisation="public"))}
    assert order("gaussian", private, **public)
    with pytest.raises(ValidationError, match="promises privacy of one utterance"):
        order("gaussian", private, **public, augmentation="copying")
