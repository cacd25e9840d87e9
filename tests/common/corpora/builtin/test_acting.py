"""Emotions differ on average and overlap in every speaker; the cast is five men and five women."""

from collections import Counter
from dataclasses import asdict, astuple

import numpy as np
import pytest

from common.corpora.builtin.acting import SESSIONS, cast, draw_delivery
from common.seeds import numpy_stream
from common.settings import EMOTIONS

DRAWS = 60


@pytest.fixture(scope="module")
def drawn():
    """Deliveries as [setting][emotion, speaker, draw]."""
    actors = cast(0)
    table = np.array(
        [
            [
                [astuple(draw_delivery(actor, emotion, numpy_stream(actor.name, emotion, n))) for n in range(DRAWS)]
                for actor in actors
            ]
            for emotion in EMOTIONS
        ]
    )
    names = list(asdict(draw_delivery(actors[0], "neutral", numpy_stream("names"))))
    return {name: table[..., number] for number, name in enumerate(names)}


def test_each_session_has_a_woman_and_a_man_of_its_own():
    actors = cast(0)
    assert len({actor.name for actor in actors}) == 10
    assert Counter((actor.session, actor.sex) for actor in actors) == {
        (session, sex): 1 for session in SESSIONS for sex in ("female", "male")
    }


def test_women_speak_higher_and_through_shorter_tracts_than_men():
    for seed in range(5):
        women = [actor.body for actor in cast(seed) if actor.sex == "female"]
        men = [actor.body for actor in cast(seed) if actor.sex == "male"]
        assert min(body.pitch for body in women) > max(body.pitch for body in men)
        assert min(body.formant_scale for body in women) > max(body.formant_scale for body in men)


def test_a_seed_is_a_cast():
    assert [actor.body for actor in cast(3)] == [actor.body for actor in cast(3)]
    assert cast(3)[0].body != cast(4)[0].body


@pytest.mark.parametrize(
    ("setting", "order"),
    [
        ("pitch", ("sad", "neutral", "angry", "happy")),
        ("range", ("sad", "neutral", "angry", "happy")),
        ("finale", ("angry", "neutral", "happy")),
        ("slope", ("angry", "neutral", "happy")),
        ("tempo", ("sad", "neutral", "angry")),
        ("level", ("sad", "neutral", "happy", "angry")),
        ("brightness", ("sad", "neutral", "happy", "angry")),
        ("breath", ("angry", "neutral", "sad")),
        ("pauses", ("angry", "neutral", "sad")),
    ],
)
def test_emotions_order_a_setting_on_average(drawn, setting, order):
    means = [drawn[setting][EMOTIONS.index(emotion)].mean() for emotion in order]
    assert means == sorted(means)
    assert means[-1] - means[0] > 0.5 * drawn[setting][0].std()


@pytest.mark.parametrize(
    ("one", "other"), [("angry", "neutral"), ("sad", "neutral"), ("happy", "neutral"), ("happy", "angry")]
)
def test_no_setting_alone_tells_neighbouring_emotions_apart(drawn, one, other):
    for values in drawn.values():
        first, second = (values[EMOTIONS.index(emotion)].ravel()[:, None] for emotion in (one, other))
        area = (first > second.T).mean() + 0.5 * (first == second.T).mean()
        assert 0.02 < area < 0.98


def test_speakers_have_their_own_way_with_an_emotion(drawn):
    """Positive control of the overlap: speakers' means differ by more than chance leaves."""
    for values in drawn.values():
        between = values.mean(axis=2).std(axis=1)
        chance = values.std(axis=2).mean(axis=1) / np.sqrt(DRAWS)
        assert (between > 1.5 * chance).all()
