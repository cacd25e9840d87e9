"""A site cuts its release before it is stored, with dice of its own, and its policy decides how much may leave."""

import pytest
import torch

from client.bases import Base, Bases
from client.dice import read_dice
from client.door import Door, scaling_of
from client.keeper import Keeper
from client.recipes import describe
from client.tuning import seed_of
from common.networks import Acceleration
from common.synthesizers import Fitting
from common.synthesizers.methods import eskimez
from common.training import distillation
from common.training.phases import Surroundings
from common.wire import (
    HEADER_LIMIT,
    Code,
    Limits,
    Precision,
    Refusal,
    Release,
    decode,
    distilled_weights,
    encode,
    released_weights,
    restored_weights,
)

LONG = 250.0
SMALL = {"rank": 4, "precision": Precision.INT8}
DISTILLED = {"rank": 2, "precision": Precision.INT8, "distilled": True}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(distillation, "STEPS", 6)


@pytest.fixture
def accepting(with_policy, site):
    """The site under a policy that accepts these tunings' recipes."""

    def make(*requests, rules=""):
        digests = ", ".join(f'"{request.tuning.recipe.digest}"' for request in requests)
        return with_policy(site, f"recipes = [{digests}]\n{rules}")

    return make


def plain(site, request):
    """The same release from the plain functions, with no keeper around them."""
    tuning, door = request.tuning, Door(site)
    seed = seed_of(tuning, read_dice(site.secret), door)
    base = Bases(site.state).find(tuning.base).weights
    around = Surroundings(Acceleration.of(site.runtime))

    features, scaling = door.features_in(tuning.space), scaling_of(tuning.space, tuning.scaling)

    def examples(balanced):
        return features.examples(scaling, seed, balanced=balanced)

    fitting = Fitting(examples, base, tuning.labels, tuning.space, seed, around)
    smaller = distilled_weights(tuning, tuning.method.fit(fitting, tuning.own), base, (), seed, around)
    return released_weights(tuning, smaller, base, seed)


@pytest.mark.parametrize("form", [SMALL, {"rank": 2, "precision": Precision.FP16}, DISTILLED], ids=str)
def test_a_keepers_release_is_that_of_the_plain_functions_bit_for_bit(accepting, ask_to_tune, said, form):
    request = ask_to_tune(**form)
    site = accepting(request)
    told = said(Keeper(site), request, LONG)
    assert isinstance(told, Release)
    assert encode(told) == encode(told.model_copy(update={"released": plain(site, request)}))


def test_nothing_larger_than_what_leaves_is_kept(accepting, ask_to_tune, said):
    request = ask_to_tune(**SMALL)
    site = accepting(request)
    said(Keeper(site), request, LONG)
    (release,) = site.state.glob("tunings/*/release/tensors.safetensors")
    assert release.stat().st_size < len(encode(request)) / 10


def test_a_small_release_is_near_the_whole_one_of_the_same_tuning(accepting, ask_to_tune, said):
    whole, small = ask_to_tune(), ask_to_tune(rank=64, precision=Precision.FP16)
    keeper = Keeper(accepting(whole, small))
    first, second = (said(keeper, request, LONG) for request in (whole, small))
    restored = restored_weights(small.tuning, second.released, whole.base)
    for name, value in restored.items():
        torch.testing.assert_close(value, first.released[name].float(), rtol=2e-3, atol=2e-3)


def test_what_was_distilled_is_not_what_was_merely_cut(accepting, ask_to_tune, said, monkeypatch):
    monkeypatch.setattr(
        eskimez, "distilled", lambda whole, *given: {name: 1.1 * value for name, value in whole.items()}
    )
    distilled, cut = ask_to_tune(**DISTILLED), ask_to_tune(**DISTILLED | {"distilled": False})
    keeper = Keeper(accepting(distilled, cut))
    first, second = (said(keeper, request, LONG) for request in (distilled, cut))
    assert {name: value.shape for name, value in first.released.items()} == {
        name: value.shape for name, value in second.released.items()
    }
    assert any(not torch.equal(value, second.released[name]) for name, value in first.released.items())


def test_a_distilled_release_is_a_recipe_of_its_own(accepting, ask_to_tune, said):
    distilled, cut = ask_to_tune(**DISTILLED), ask_to_tune(**DISTILLED | {"distilled": False})
    assert said(Keeper(accepting(cut)), distilled).code is Code.RECIPE_FORBIDDEN


def test_a_form_that_was_not_accepted_is_refused(keeper, ask_to_tune, said):
    assert said(keeper, ask_to_tune(**SMALL)).code is Code.RECIPE_FORBIDDEN


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("", None),
        ('precisions = ["fp16"]', Code.PRECISION_FORBIDDEN),
        ("[bounds]\nrelease_rank = [1, 3]", Code.OUT_OF_BOUNDS),
        ("[bounds]\nrelease_rank = [1, 4]", None),
    ],
)
def test_bounds_and_number_formats_hold_for_an_accepted_form(accepting, ask_to_tune, said, rules, code):
    request = ask_to_tune(**SMALL)
    assert getattr(said(Keeper(accepting(request, rules=rules)), request, LONG), "code", None) is code


def test_a_bound_on_the_rank_refuses_a_whole_release(accepting, ask_to_tune, said):
    request = ask_to_tune()
    keeper = Keeper(accepting(request, rules="[bounds]\nrelease_rank = [1, 4]"))
    assert said(keeper, request).code is Code.OUT_OF_BOUNDS


def test_a_rank_that_no_layer_has_is_refused_by_name(accepting, ask_to_tune):
    request = ask_to_tune(rank=65)
    site = accepting(request)
    Bases(site.state).keep(Base(request.base, request.tuning.scaling))
    answer = Keeper(site).answer(encode(request))
    assert decode(answer, Refusal, Limits(HEADER_LIMIT)).code is Code.FORM


def test_a_steward_reads_the_form_in_words(ask_to_tune):
    told = describe(ask_to_tune(**SMALL).tuning.recipe)[1]
    assert told.endswith(
        "the tuned generator, 4 directions of each layer's difference to public networks, in 8 bits, and nothing else "
        "of the tuning"
    )


def test_a_steward_reads_that_a_release_is_distilled_and_reads_no_speech_for_it(ask_to_tune):
    distilled, cut = ("\n".join(describe(ask_to_tune(**form).tuning.recipe)) for form in (DISTILLED, SMALL))
    assert "these directions are trained to make what the whole makes; that reads no speech" in distilled
    assert "trained to make" not in cut
