"""Bounds, illegal combinations, and what the identity hash does and does not see."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.config import Config
from common.config.tree import DEFAULTS
from common.settings import RecognizerConfig, Section, hash_identity

DEFAULTS_FILE = Path(__file__).with_name("defaults.json")


def leaves(section: Section, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from leaves(value, (*place, name))
        else:
            yield (*place, name), value


def changed(config: Config, place: tuple[str, ...], value: Any) -> Config:
    """A copy with one leaf exchanged, bounds unchecked: the hash must see the leaf whatever it holds."""
    *sections, name = place
    parents: list[Section] = [config]
    for section in sections:
        parents.append(getattr(parents[-1], section))
    copy = parents.pop().model_copy(update={name: value})
    while parents:
        copy = parents.pop().model_copy(update={sections.pop(): copy})
    assert isinstance(copy, Config)
    return copy


NOT_IN_THE_HASH = ("name", "compare", "campaign", "runtime")
RESULT = [place for place, _ in leaves(Config()) if place[0] not in NOT_IN_THE_HASH]
COMPUTATION = [place for place, _ in leaves(Config()) if place[0] in NOT_IN_THE_HASH]


@pytest.mark.parametrize("place", COMPUTATION, ids=".".join)
def test_how_a_result_is_computed_is_not_in_its_hash(place: tuple[str, ...]) -> None:
    assert changed(Config(), place, "another").identity_hash() == Config().identity_hash()


def test_the_same_identity_draws_the_same_samples_whatever_it_is_called() -> None:
    assert changed(Config(), ("name",), "mine").campaign_name() == Config().campaign_name()


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("place", RESULT, ids=".".join)
def test_every_setting_that_defines_a_result_is_in_its_hash(place: tuple[str, ...]) -> None:
    assert changed(Config(), place, "another").identity_hash() != Config().identity_hash()


def test_a_setting_that_comes_later_renames_nothing() -> None:
    class Recognizing(RecognizerConfig):
        later: int = 3

    class Whole(Config):
        recognizer: Recognizing = Recognizing()
        another: int = 1

    assert Whole().identity_hash() == Config().identity_hash()
    changed = {"recognizer": {"iterations": 7}}
    assert Whole.model_validate(changed).identity_hash() == Config.model_validate(changed).identity_hash()
    assert Whole(another=2).identity_hash() != Config().identity_hash()


def test_a_default_that_changes_is_told_to_the_hash() -> None:
    """Where this fails: raise DEFAULTS in the tree, and write the file anew."""
    kept = json.loads(DEFAULTS_FILE.read_text())
    now = {".".join(place): value for place, value in leaves(Config()) if place[0] not in NOT_IN_THE_HASH}
    plain = json.loads(json.dumps(now, default=str))
    assert kept["defaults"] == DEFAULTS
    assert {name: plain.get(name) for name in kept["settings"]} == kept["settings"]


@given(st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()))
def test_the_hash_does_not_depend_on_the_order_of_keys(identity: dict[str, Any]) -> None:
    assert hash_identity(identity) == hash_identity(dict(reversed(identity.items())))


def test_the_tree_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().network.width = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ({"features": {"window": 800}}, "window .800. is longer than fft"),
        ({"features": {"hop": 600}}, "speech would be skipped"),
        ({"features": {"mel_scale": "htk"}}, "Extra inputs are not permitted"),
        ({"features": {"sample_rate": 8000}}, "Extra inputs are not permitted"),
        ({"network": {"width": 0.01}}, "a fraction of a channel"),
        ({"corpus": {"emotions": ["sad", "happy", "sad"]}}, "one class is named twice"),
        ({"corpus": {"emotions": ["sad"]}}, "at least 2 items"),
        ({"corpus": {"options": ["anger=sad", "anger=angry"]}}, "one option is given twice: anger"),
        ({"pretraining": {"autoencoder": {"learning_rate": 0}}}, "greater than 0"),
        ({"finetuning": {"generator_learning_rate": float("nan")}}, "finite number|greater than 0"),
        ({"campaign": {"tune_seconds": float("inf")}}, "finite number"),
        ({"corpus": {"emotions": ["Sad", "no agreement"]}}, "should match pattern"),
        ({"recognizer": {"augmentation": ["mirror"]}}, "'gain' or 'tilt'"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"runtime": {"device": "tpu"}}, "should match pattern"),
        ({"netwrok": {}}, "Extra inputs are not permitted"),
    ],
)
def test_an_illegal_setting_or_combination_is_refused(tree: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Config.model_validate(tree)


def test_what_an_older_version_wrote_of_features_is_read_if_it_says_what_is_fixed_now() -> None:
    older = {"sample_rate": 16000, "mels": 128, "mel_scale": "slaney", "patch_frames": 128, "padding": "repeat"}
    assert Config.model_validate({"features": {"hop": 200, "scaling": "public"} | older}).features.hop == 200


def test_a_corpus_as_it_is_has_the_name_that_it_had_before_there_was_a_skew() -> None:
    assert Config().corpus.model_dump(mode="json").keys() == {"name", "options", "emotions"}
    skewed = Config.model_validate({"corpus": {"skew": 1, "skew_seed": 3}})
    assert skewed.corpus.model_dump(mode="json")["skew"] == 1.0
    assert Config.model_validate(skewed.model_dump()) == skewed
    reseeded = changed(skewed, ("corpus", "skew_seed"), 4)
    names = {one.campaign_name() for one in (Config(), skewed, reseeded)}
    assert len(names) == 3


@pytest.mark.parametrize("skew", [0, -1.0, "some", float("inf")])
def test_a_skew_that_is_none_is_refused(skew: object) -> None:
    with pytest.raises(ValidationError, match=r"corpus\.skew"):
        Config.model_validate({"corpus": {"skew": skew}})
