"""A release in a smaller form: told in the order, spelled in one way, and whole again beside its public networks."""

import json

import pytest
import safetensors.torch
import torch
from pydantic import ValidationError

from common.release import ReleaseConfig
from common.seeds import torch_stream
from common.settings import NetworkConfig
from common.spaces import Vectors
from common.synthesizers import synthesizer
from common.synthesizers.methods import eskimez
from common.synthesizers.methods.eskimez import SYNTHESIZER
from common.weights import ROWS, SCALES, Form
from common.wire import (
    Card,
    Code,
    Collect,
    Limits,
    Precision,
    Release,
    Tuning,
    WireError,
    decode,
    decode_reply,
    distilled_weights,
    encode,
    largest_reply,
    release_bytes,
    release_shapes,
    released_weights,
    restored_weights,
)
from common.wire.frame import spell
from common.wire.terms import asked_form, canonical

ROOM = Limits(2**24)
SMALL = {"rank": 4, "precision": Precision.INT8}
FORMS = [
    SMALL,
    {"rank": 2, "precision": Precision.FP16},
    {"rank": 64, "precision": Precision.FP32},
    {"precision": Precision.INT8},
]


@pytest.fixture(scope="module")
def small(tune, release):
    """A release in another form."""

    def make(**form):
        tuning = tune.tuning.model_copy(update=form)
        left = released_weights(tuning, release.released, tune.base, seed=1)
        return Release(card=release.card.model_copy(update={"tuning": tuning}), released=left)

    return make


@pytest.fixture(scope="module")
def gaussian(tune):
    method = synthesizer("gaussian")
    terms = {"synthesizer": "gaussian", "settings": method.Settings().model_dump(mode="json"), "weights": None}
    return tune.tuning.model_copy(update={**terms, "space": Vectors(set="tiny", size=8), "scaling": None})


def refused(call):
    with pytest.raises(WireError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_was_decoded_is_encoded_to_the_same_bytes(small, form):
    release = small(**form)
    data = encode(release)
    back = decode_reply(data, Collect(tuning=release.card.tuning))
    assert encode(back) == data
    assert len(data) <= largest_reply(Collect(tuning=release.card.tuning))
    assert {name: tuple(value.shape) for name, value in back.weights()["released"].items()} == {
        name.removeprefix("released."): shape for name, shape in release_shapes(release.card.tuning).items()
    }


def test_rows_are_bytes_on_the_way_and_their_scales_are_not(small):
    loaded = safetensors.torch.load(encode(small(**SMALL)))
    kinds = {name.endswith(ROWS): value.dtype for name, value in loaded.items()}
    assert kinds == {True: torch.int8, False: torch.float16}
    assert [name for name in loaded if not name.endswith(ROWS)] == [f"released.{SCALES}"]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_arrives_is_restored_as_where_it_was_made(small, tune, form):
    release = small(**form)
    tuning = release.card.tuning
    back = decode(encode(release), Release, ROOM)
    here, there = (restored_weights(tuning, one.released, tune.base) for one in (release, back))
    for name, value in here.items():
        torch.testing.assert_close(there[name], value, rtol=2e-3, atol=2e-3)
        assert tuning.precision is Precision.FP16 or torch.equal(there[name], value)


def test_all_directions_in_fp32_are_the_weights_within_rounding(small, tune, release):
    whole = restored_weights(tune.tuning.model_copy(update=FORMS[2]), small(**FORMS[2]).released, tune.base)
    for name, value in whole.items():
        torch.testing.assert_close(value, release.released[name], rtol=1e-5, atol=1e-5)


def test_rank_4_in_8_bits_is_at_most_25_kilobytes_at_a_sixteenth_of_the_papers_width(tune):
    settings = SYNTHESIZER.Settings(network=NetworkConfig(width=1 / 16)).model_dump(mode="json")
    tuning = tune.tuning.model_copy(update={**SMALL, "settings": settings})
    shapes = release_shapes(tuning)
    left = {name.removeprefix("released."): torch.ones(shape) for name, shape in shapes.items()}
    release = Release(card=Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=1), released=left)
    data = encode(release)
    assert release_bytes(tuning) < len(data) < 25_000
    assert len(data) < release_bytes(tuning.model_copy(update={"rank": "full", "precision": Precision.FP16})) / 40


def test_a_whole_release_is_spelled_as_before_there_were_forms(tune):
    assert "rank" not in json.loads(tune.words())["tuning"]
    assert "rank" not in json.loads(canonical(tune.tuning.recipe))
    words = Collect(tuning=tune.tuning).words()
    explicit = words.replace('"precision":"fp16",', '"precision":"fp16","rank":"full",')
    assert explicit != words
    assert refused(lambda: decode(spell(explicit, {}), Collect, ROOM)) is Code.NOT_CANONICAL


def test_a_cut_is_spelled_as_before_there_were_distilled_ones_and_those_are_told(tune):
    distilled = Tuning.model_validate(tune.tuning.model_dump() | SMALL | {"distilled": True})
    assert "distilled" not in json.loads(canonical(tune.tuning.model_copy(update=SMALL).recipe))
    assert json.loads(canonical(distilled))["distilled"] is json.loads(canonical(distilled.recipe))["distilled"] is True
    assert decode(encode(Collect(tuning=distilled)), Collect, ROOM).tuning == distilled
    assert distilled.recipe.drawn_by == tune.tuning.recipe.digest


def test_only_where_it_is_asked_for_are_weights_distilled(tune, release, around, monkeypatch):
    told = []
    monkeypatch.setattr(eskimez, "distilled", lambda *given: told.append(given) or "distilled")
    cut, asked = (tune.tuning.model_copy(update=SMALL | {"distilled": asked}) for asked in (False, True))
    held = (True, False, True, True)
    same, other = (distilled_weights(one, release.released, tune.base, held, 1, around) for one in (cut, asked))
    assert (same is release.released, other) == (True, "distilled")
    ((*_, form, _, seed, _, known),) = told
    assert (form, known) == (asked.form, held)
    assert seed == 1  # by whose dice it is rounded when it leaves


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"rank": "full"}, "set release.rank"), ({"synthesizer": "gaussian"}, "gaussian cannot be distilled")],
)
def test_what_cannot_be_distilled_is_refused_in_one_line(tune, changed, why):
    settings = synthesizer(changed.get("synthesizer", "eskimez")).Settings().model_dump(mode="json")
    terms = tune.tuning.model_dump() | SMALL | {"distilled": True, "settings": settings} | changed
    with pytest.raises(ValidationError) as caught:
        Tuning.model_validate(terms)
    (mistake,) = caught.value.errors()
    assert why in mistake["msg"]
    assert "\n" not in mistake["msg"]


def test_a_form_is_another_recipe_and_draws_the_same_latents(tune):
    whole, cut = tune.tuning.recipe, tune.tuning.model_copy(update=SMALL).recipe
    assert cut.digest not in (whole.digest, tune.tuning.model_copy(update={**SMALL, "rank": 2}).recipe.digest)
    assert cut.drawn_by == whole.drawn_by == whole.digest


def test_the_form_that_a_person_sets_is_the_one_that_is_asked_for():
    assert asked_form("bf16", ReleaseConfig()) == {"precision": Precision.BF16, "rank": "full"}
    assert asked_form("bf16", ReleaseConfig(rank=4, eight_bit=True)) == SMALL


def test_a_rank_above_every_layers_is_refused_in_one_line(tune):
    code = refused(lambda: release_shapes(tune.tuning.model_copy(update={"rank": 65})))
    assert code is Code.FORM


def test_vectors_have_no_rank_and_may_leave_in_8_bits(gaussian):
    assert refused(lambda: release_shapes(gaussian.model_copy(update={"rank": 4}))) is Code.FORM
    tuning = gaussian.model_copy(update={"precision": Precision.INT8})
    shapes = tuning.method.shapes(tuning.own, tuning.space, 4)
    weights = {name: torch.randn(shape, generator=torch_stream(name)) for name, shape in shapes.items()}
    left = released_weights(tuning, weights, {}, seed=1)
    assert {f"released.{name}": tuple(value.shape) for name, value in left.items()} == release_shapes(tuning)
    for name, value in restored_weights(tuning, left, {}).items():
        torch.testing.assert_close(value, weights[name], rtol=0, atol=0.05)


def test_weights_that_only_show_when_they_are_restored_are_looked_at_there(small, tune):
    release = small(**SMALL)
    loud = release.released | {SCALES: torch.full_like(release.released[SCALES], 900.0)}
    back = decode(encode(release.model_copy(update={"released": loud})), Release, ROOM)
    assert refused(lambda: restored_weights(back.card.tuning, back.released, tune.base)) is Code.ABSURD_NORM
    wild = release.released | {SCALES: torch.full_like(release.released[SCALES], torch.inf)}
    assert refused(lambda: encode(release.model_copy(update={"released": wild}))) is Code.NOT_FINITE


def test_a_form_tells_whether_it_is_whole(tune):
    assert tune.tuning.form == Form()
    assert tune.tuning.model_copy(update=SMALL).form == Form(rank=4, eight_bit=True)
