"""Scaling goes there and back, and never leaves [-1, 1]."""

import json
from dataclasses import asdict
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.features.scaling import Scaling

levels = st.floats(-40, 20, width=32)
scalings = st.tuples(levels, st.floats(0.5, 40)).map(lambda pair: Scaling(pair[0], pair[0] + pair[1]))
log_mels = st.lists(levels, min_size=1, max_size=20).map(torch.tensor)


@given(scalings, log_mels)
def test_the_way_back_gives_what_went_in_as_far_as_the_extremes_reach(scaling, log_mel):
    back = scaling.invert(scaling.apply(log_mel))
    torch.testing.assert_close(back, log_mel.clamp(scaling.low, scaling.high), atol=1e-4, rtol=0)


@given(scalings, log_mels)
def test_what_was_scaled_lies_within_one_and_keeps_its_order(scaling, log_mel):
    scaled = scaling.apply(log_mel.sort().values)
    assert scaled.abs().max() <= 1
    assert (scaled.diff() >= 0).all()


@given(scalings)
def test_the_extremes_become_minus_one_and_one(scaling):
    ends = scaling.apply(torch.tensor([scaling.low, scaling.high]))
    torch.testing.assert_close(ends, torch.tensor([-1.0, 1.0]))


@given(log_mels)
def test_scaling_leaves_its_input_alone(log_mel):
    before = log_mel.clone()
    Scaling(-16.0, 4.0).apply(log_mel)
    assert torch.equal(log_mel, before)


@given(scalings)
def test_it_travels_as_plain_data(scaling):
    assert Scaling(**json.loads(json.dumps(asdict(scaling)))) == scaling


@pytest.fixture
def corpora() -> list[list[np.ndarray]]:
    chance = np.random.default_rng(0)
    return [[chance.uniform(-12, -2 + loud, (128, 9)).astype(np.float16) for _ in range(4)] for loud in (0, 5)]


def test_extremes_are_those_of_all_utterances(corpora):
    scaling = Scaling.of(corpora[0])
    assert (scaling.low, scaling.high) == (np.min(corpora[0]), np.max(corpora[0]))


def test_extremes_of_one_corpus_know_nothing_of_another_and_pooled_ones_do(corpora):
    quiet, loud = corpora
    assert Scaling.of(quiet).high < Scaling.of(loud).high
    assert Scaling.of(chain(quiet, loud)).high == Scaling.of(loud).high


def test_arrays_that_may_not_be_written_are_scaled_without_a_warning(recwarn):
    log_mel = np.zeros((128, 3), np.float16)
    log_mel.flags.writeable = False
    assert Scaling(-1.0, 1.0).apply(log_mel).dtype == torch.float32
    assert not recwarn.list


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_scaling_without_a_width_is_refused(low, high):
    with pytest.raises(UserError, match="no width"):
        Scaling(low, high)


def test_no_speech_has_no_extremes():
    with pytest.raises(UserError, match="no speech"):
        Scaling.of([])
