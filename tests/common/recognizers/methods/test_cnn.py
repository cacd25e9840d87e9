"""The recognizer: it learns, its rate falls, and an utterance's answer is the mean of its windows'."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common.config.tree import Config
from common.corpora.manifest import Manifest, Utterance
from common.features.scaling import Scaling
from common.networks import Discriminator
from common.scoring import Confusion
from common.training import recognizer as subject
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted
from common.training.recognizer import new_recognizer, predict, rate_at, train_recognizer

SCALING = Scaling(-16.0, 4.0)


def changed(config, **settings):
    return config.model_copy(update={"recognizer": config.recognizer.model_copy(update=settings)})


def corpus(classes, lengths):
    """Utterances of which each is a band, and their log-mels."""
    labels = ("neutral", "angry", "sad", "happy")[:classes]
    utterances = [
        Utterance(f"{number:03d}.wav", "anna", "one", 1.0, labels[number % classes]) for number in range(len(lengths))
    ]
    noise = np.random.default_rng(0)
    log_mels = []
    for number, frames in enumerate(lengths):
        scaled = -0.8 + 0.1 * noise.normal(size=(128, frames))
        start = 32 * (number % classes)
        scaled[start : start + 16] += 1
        log_mels.append(SCALING.invert(torch.tensor(scaled)).numpy().astype(np.float16))
    return Manifest("bands", Path(), labels, tuple(utterances)), log_mels


def test_it_learns_to_tell_bands_apart_and_an_untrained_one_does_not(config, bands, around):
    able = changed(config, iterations=40, batch=8, learning_rate=5e-3, decay_every=100)
    manifest, log_mels = corpus(4, [100, 128, 150, 300] * 4)
    true = [manifest.label_index(utterance) for utterance in manifest.utterances]
    scores = []
    for iterations in (0, 40):
        trained = train_recognizer(bands, changed(able, iterations=iterations), 0, around)
        predicted = predict(trained, log_mels, manifest, SCALING, able).argmax(axis=1)
        scores.append(Confusion.of(manifest.labels, true, predicted).macro_f1)
    assert scores[0] < 0.5
    assert scores[1] > 0.9


def test_what_is_trained_on_few_bands_is_told_few_bands(config, bands, around):
    assert train_recognizer(bands, changed(config, bands=32), 0, around).bands == 32
    assert new_recognizer(changed(config, bands=16)).bands == 16


def test_probabilities_are_means_over_windows_and_do_not_depend_on_packing(config, monkeypatch):
    manifest, log_mels = corpus(4, [60, 128, 200, 700])
    recognizer = Discriminator(config.network, 4)
    packed = predict(recognizer, log_mels, manifest, SCALING, config)
    np.testing.assert_allclose(packed.sum(axis=1), 1, atol=1e-12)
    for size in (1, 5):
        monkeypatch.setattr(subject, "AT_ONCE", size)
        np.testing.assert_allclose(predict(recognizer, log_mels, manifest, SCALING, config), packed, atol=1e-6)
    patches = subject.windows(SCALING.apply(log_mels[2]), config.recognizer.window_hop)
    assert len(patches) == 4
    with torch.no_grad():
        mean = recognizer(patches).softmax(dim=1).mean(dim=0)
    np.testing.assert_allclose(packed[2], mean, atol=1e-6)


def test_the_rate_falls_tenfold_at_every_decay(config):
    settings = config.recognizer.model_copy(update={"learning_rate": 1e-5, "decay_every": 10_000})
    rates = [rate_at(step, settings) for step in (0, 9_999, 10_000, 29_999)]
    assert rates == pytest.approx([1e-5, 1e-5, 1e-6, 1e-7])


def test_the_falling_rate_reaches_the_optimizer(config, bands, around):
    """With a rate that falls to nothing after two steps, two steps and four give the same weights."""
    short, long = (
        train_recognizer(bands, changed(config, iterations=n, decay_factor=1e-30), 0, around) for n in (2, 4)
    )
    assert torch.equal(short.hidden.weight, long.hidden.weight)


def test_augmentation_changes_what_is_learned(config, bands, around):
    plain = train_recognizer(bands, config, 0, around)
    masked = train_recognizer(bands, changed(config, augmentation=("time_mask",)), 0, around)
    assert not torch.equal(plain.hidden.weight, masked.hidden.weight)


def test_a_cut_training_resumes_to_the_same_recognizer(config, bands, around, tmp_path):
    whole = train_recognizer(bands, config, 0, around)
    kept = Snapshots(tmp_path, config.identity(), config.network.emotions, {"low": -16.0, "high": 4.0})
    asked = iter(range(1, 10))
    with pytest.raises(Interrupted):
        train_recognizer(bands, config, 0, replace(around, snapshots=kept, stop=lambda: next(asked) == 3))
    resumed = train_recognizer(bands, config, 0, replace(around, snapshots=kept))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_the_head_has_one_output_an_emotion(bands, around, config):
    two = Config.model_validate(config.model_dump() | {"network": {"width": 1 / 64, "emotions": ["sad", "happy"]}})
    recognizer = train_recognizer(type(bands)(classes=2), two, 0, around)
    assert recognizer.head.bias.shape == (2,)
