"""Counts and nothing else come of a scoring, and they are those that a recognizer trained here would get."""

import numpy as np
import pytest
import torch

from client import scoring
from client.door import Door
from client.scoring import counts_of, score
from common.config.tree import FeatureConfig

LONG = 250.0


@pytest.fixture
def door(site):
    return Door(site)


def test_predictions_are_counted_by_truth_and_guess(door):
    true = np.array([door.manifest.label_index(utterance) for utterance in door.manifest.utterances])
    assert counts_of(door, true, per_speaker=False) == (tuple(map(tuple, np.eye(4, dtype=int) * 6)),)
    assert counts_of(door, np.full(24, 3), per_speaker=False) == (((0, 0, 0, 6),) * 4,)


def test_speakers_come_without_names_in_an_order_that_tells_none(door):
    speakers = np.array([utterance.speaker for utterance in door.manifest.utterances])
    for guessed in ("03", "08"):
        predicted = np.where(speakers == guessed, 0, 1)
        told = counts_of(door, predicted, per_speaker=True)
        assert told == (((0, 3, 0, 0),) * 4, ((3, 0, 0, 0),) * 4)


def test_a_recognizer_is_tried_on_every_utterance(door, site, ask_to_score):
    (matrix,) = score(ask_to_score(), door, site.runtime, LONG)
    assert [sum(row) for row in matrix] == [6, 6, 6, 6]


def test_it_tells_apart_as_many_bands_as_the_server_says(door, site, ask_to_score, monkeypatch):
    told = []

    def predict(recognizer, features, manifest, scaling, config, stop):
        told.append(recognizer.bands)
        return torch.zeros(len(manifest), 4).numpy()

    monkeypatch.setattr(scoring, "predict", predict)
    for bands in (128, 32):
        asked = ask_to_score(bands=bands)
        score(asked, door, site.runtime, LONG)
    assert told == [128, 32]


def test_utterances_are_filled_as_the_site_fills_them(site, ask_to_score, monkeypatch):
    seen = []

    def predict(recognizer, features, manifest, scaling, config, stop):
        seen.append((config.features, config.recognizer.window_hop, scaling.low))
        return torch.zeros(len(manifest), 4).numpy()

    monkeypatch.setattr(scoring, "predict", predict)
    features = FeatureConfig(padding="silence")
    score(ask_to_score(), Door(site.model_copy(update={"features": features})), site.runtime, LONG)
    assert seen == [(features, 32, -16.0)]
