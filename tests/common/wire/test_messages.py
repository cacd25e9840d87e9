"""The schema: bounds of fields, and which reply answers which request."""

import json

import pytest
from pydantic import ValidationError, create_model

from common.recognizers import RECOGNIZERS
from common.settings import hash_identity
from common.spaces import Vectors
from common.synthesizers import SYNTHESIZERS
from common.wire import (
    PROTOCOL,
    REQUESTS,
    Ask,
    Card,
    Collect,
    Description,
    Extremes,
    Masked,
    Noted,
    Opened,
    Precision,
    Refusal,
    Release,
    Scored,
    Shared,
    Stage,
    Tuning,
    Working,
    identity,
    is_answer,
    subject,
)
from common.wire.codes import Code

FACTS = {"run": "run-1", "session": "03+08", "features": "0123456789ab", "eyesoff": "0.1.0", "torch": "2.11.0+cpu"}
WORKING = Working(run="run-1", session="03+08", stage=Stage.TUNE, step=0, iterations=10, rate=0.0)
REPLIES = (Description, Working, Release, Scored, Noted, Opened, Masked, Shared, Refusal)
KINDS = (*REQUESTS, *REPLIES)


def with_setting(terms, section, name, value):
    """A tuning or a scoring in which one setting of its method is another."""
    return terms.model_copy(update={"settings": terms.settings | {section: terms.settings[section] | {name: value}}})


def description(**changed):
    fields = {"labels": ("neutral", "angry"), "utterances": (3, 4), "speakers": 2}
    return Description.model_validate(FACTS | fields | changed)


def test_a_description_may_keep_its_counts_to_itself():
    assert description(utterances=None, speakers=None).utterances is None


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": ("neutral",)},
        {"labels": ("neutral", "Said by Anna")},
        {"labels": ("neutral", "x" * 25)},
        {"utterances": (1, 2, 3)},
        {"utterances": (-1, 2)},
        {"speakers": 10**9},
        {"torch": "2.11 on a machine in Ulm"},
        {"features": "0123456789AB"},
    ],
    ids=str,
)
def test_a_description_out_of_bounds_does_not_come_to_be(changed):
    with pytest.raises(ValidationError):
        description(**changed)


@pytest.mark.parametrize(
    "counts",
    [
        (),
        (((1, 2), (3, 4)),),
        (((1,) * 4,) * 3,),
        (((1,) * 4,) * 3 + ((1,) * 5,),),
        (((-1,) * 4,) * 4,),
        (((10**8,) * 4,) * 4,),
    ],
    ids=["none", "2x2", "3x4", "ragged", "negative", "huge"],
)
def test_counts_that_are_no_confusion_do_not_come_to_be(score, counts):
    with pytest.raises(ValidationError):
        Scored(scoring=score.scoring, epsilon=None, counts=counts)


def test_confusions_come_by_speaker_only_where_that_was_asked(score):
    matrix = ((1,) * 4,) * 4
    asked = score.scoring.model_copy(update={"per_speaker": True})
    assert len(Scored(scoring=asked, epsilon=None, counts=(matrix, matrix)).counts) == 2
    with pytest.raises(ValidationError, match="by speaker"):
        Scored(scoring=score.scoring, epsilon=None, counts=(matrix, matrix))


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"known": (True, True, True)}, "3 numbers for 4 labels"),
        ({"known": (False,) * 4}, "no emotion is known"),
        ({"known": (True, True, False, True), "utterances": (5, 5, 5, 5)}, "not what there are utterances of"),
        ({"known": (True,) * 4, "utterances": (5, 5, 0, 5)}, "not what there are utterances of"),
    ],
    ids=str,
)
def test_a_card_that_contradicts_itself_does_not_come_to_be(release, told, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Card.model_validate(release.card.model_dump() | told)


def test_a_card_tells_the_emotions_that_may_be_asked_for(release):
    card = Card.model_validate(release.card.model_dump() | {"known": (True, False, True, False)})
    assert card.emotions == ("neutral", "sad")


def test_a_message_cannot_be_changed(release):
    with pytest.raises(ValidationError):
        release.card.tuning.run = "run-3"


def test_a_reply_answers_its_own_request(tune, release, score, scored):
    collect = Collect(tuning=tune.tuning)
    assert is_answer(release, tune)
    assert is_answer(release, collect)
    assert is_answer(WORKING, collect)
    assert is_answer(scored, score)
    assert is_answer(description(), Ask(run="run-1"))
    assert is_answer(Refusal(code=Code.MALFORMED, stage=Stage.RECEIVE), tune)


def test_a_reply_answers_no_other_request(tune, release, score, scored):
    assert not is_answer(release, score)
    assert not is_answer(scored, tune)
    assert not is_answer(WORKING.model_copy(update={"session": "10+09"}), tune)
    assert not is_answer(description(), Ask(run="run-2"))
    assert not is_answer(release, Collect(tuning=with_setting(tune.tuning, "network", "width", 1 / 32)))
    other = score.model_copy(update={"scoring": with_setting(score.scoring, "recognizer", "window_hop", 16)})
    assert not is_answer(scored, other)


def test_a_request_is_the_same_when_it_is_asked_again(tune):
    again = tune.model_copy(update={"base": dict(reversed(tune.base.items()))})
    assert identity(again) == identity(tune)
    assert identity(Collect(tuning=tune.tuning)) != identity(tune)


def test_every_message_says_what_it_is_about(tune, release, score, scored):
    for message in (tune, release, score, scored, WORKING, Collect(tuning=tune.tuning)):
        assert subject(message) == ("run-1", "03+08")
    assert subject(Ask(run="run-1")) == ("run-1", None)


def test_settings_are_named_by_themselves_alone(tune):
    elsewhere = tune.tuning.model_copy(update={"session": "10+09", "weights": "0" * 64})
    slower = with_setting(tune.tuning, "network", "width", 1 / 32)
    assert elsewhere.settings_hash == tune.tuning.settings_hash
    assert slower.settings_hash != tune.tuning.settings_hash


def test_a_recipe_is_all_its_settings_and_its_form_and_no_label_or_base(tune):
    digest = tune.tuning.recipe.digest
    for same in ({"run": "run-2"}, {"weights": "0" * 64}, {"scaling": Extremes(low=-42, high=8)}):
        assert tune.tuning.model_copy(update=same).recipe.digest == digest
    assert tune.tuning.model_copy(update={"labels": ("calm", "cross")}).recipe.digest == digest
    for section, name in (("network", "leak"), ("optimizer", "beta1"), ("finetuning", "condition_gain")):
        other = with_setting(tune.tuning, section, name, tune.tuning.settings[section][name] + 1e-9)
        assert other.recipe.digest != digest
    vectors = Vectors(set="openSMILE", size=88)
    for form in ({"precision": Precision.FP32}, {"space": vectors}, {"synthesizer": "vocoder"}):
        assert tune.tuning.model_copy(update=form).recipe.digest != digest


def test_a_base_is_its_weights_and_the_scaling_for_them(tune):
    base = tune.tuning.base
    assert tune.tuning.model_copy(update={"run": "run-2"}).base == base
    assert tune.tuning.model_copy(update={"weights": "0" * 64}).base != base
    assert tune.tuning.model_copy(update={"scaling": Extremes(low=-16.5, high=5.5)}).base != base
    assert tune.tuning.model_copy(update={"scaling": None}).base not in (None, base)
    assert tune.tuning.model_copy(update={"weights": None}).base is None


def test_terms_hand_out_their_method_and_its_settings(tune, score):
    assert tune.tuning.method is SYNTHESIZERS.get("eskimez")
    assert tune.tuning.own.finetuning.iterations == 10
    assert score.scoring.method is RECOGNIZERS.get("cnn")
    assert score.scoring.own.recognizer.window_hop == 32


def test_settings_are_told_whole_and_as_the_method_spells_them(tune):
    plain = tune.tuning.model_dump(mode="json")
    assert Tuning.model_validate(plain) == tune.tuning
    for network in ({}, tune.tuning.settings["network"] | {"noise": 100.0}):
        with pytest.raises(ValidationError, match="not spelled out as the method spells them"):
            Tuning.model_validate(plain | {"settings": plain["settings"] | {"network": network}})


@pytest.mark.parametrize("kind", KINDS)
def test_the_protocol_is_another_when_a_field_of_any_message_is(kind):
    schemas = {one.__name__: one.model_json_schema(mode="serialization") for one in KINDS}
    assert hash_identity(schemas) == PROTOCOL
    wider = create_model(kind.__name__, __base__=kind, note=(int, 0))
    assert hash_identity(schemas | {kind.__name__: wider.model_json_schema(mode="serialization")}) != PROTOCOL


def test_a_message_says_the_version_of_its_protocol(tune):
    assert json.loads(tune.words())["protocol"] == PROTOCOL


def test_every_code_is_one_word_with_a_meaning():
    for code in Code:
        assert code.value.replace("-", "").isalpha()
        assert code.value == code.value.lower()
        assert len(code.meaning) > 10
