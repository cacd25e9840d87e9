"""Whoever lets sessions be normalised by themselves is warned where some of them lack emotions."""

from pathlib import Path

import pytest

from common.config import load_config
from common.corpora.manifest import Manifest, Utterance
from common.features.spaces import space_of
from common.settings import EMOTIONS
from simulations.trials import skew_warning


def corpus(**sessions):
    spoken = [
        Utterance(f"{session}{number}", session, session, 1.0, emotion)
        for session, emotions in sessions.items()
        for number, emotion in enumerate(emotions)
    ]
    return Manifest("few", Path(), EMOTIONS, tuple(spoken))


SKEWED = corpus(one=EMOTIONS, other=("sad", "sad"))


def warned(manifest, overrides=()):
    config = load_config("best", overrides)
    return skew_warning(space_of(config), config.features, manifest)


PATCHES = ["methods.synthesizer=eskimez", "methods.recognizer=cnn"]


@pytest.mark.parametrize("overrides", [[], [*PATCHES, "features.normalisation=session"]], ids=["vectors", "patches"])
def test_a_session_that_lacks_emotions_is_named(overrides):
    assert warned(SKEWED, overrides).startswith("other holds not every emotion: normalising")


@pytest.mark.parametrize(
    ("overrides", "manifest"),
    [
        ([], corpus(one=EMOTIONS, other=EMOTIONS)),
        (["vectors.normalisation=training"], SKEWED),
        (PATCHES, SKEWED),
    ],
    ids=["even", "by the training part", "patches"],
)
def test_where_nothing_is_hidden_nobody_is_warned(overrides, manifest):
    """A control."""
    assert warned(manifest, overrides) is None
