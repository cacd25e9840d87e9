"""The paper's recognizer: it learns, its rate falls, and an utterance's answer is the mean of its windows'."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common.corpora.manifest import Manifest, Utterance
from common.features.patches import windows
from common.features.scaling import Scaling
from common.networks import learned_weights
from common.recognizers.methods import cnn as subject
from common.recognizers.methods.cnn import RECOGNIZER, WindowPredictor, rate_at, untrained
from common.scoring import Confusion
from common.spaces import PATCHES
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted

SCALING = Scaling(-16.0, 4.0)


def changed(config, **settings):
    return config.model_copy(update={"recognizer": config.recognizer.model_copy(update=settings)})


@pytest.fixture
def train(bands, around):
    def trained(config, **changes):
        settings = RECOGNIZER.settings_of(config)
        return RECOGNIZER.train(bands, settings, PATCHES, config.corpus.classes, 0, replace(around, **changes))

    return trained


@pytest.fixture
def predictor_of(around):
    def made(weights, config):
        return WindowPredictor(
            weights, RECOGNIZER.settings_of(config), PATCHES, config.corpus.classes, around.acceleration
        )

    return made


def corpus(classes, lengths):
    """Utterances of which each is a band, and their scaled log-mels."""
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
        log_mels.append(SCALING.apply(SCALING.invert(torch.tensor(scaled)).numpy().astype(np.float16)))
    return Manifest("bands", Path(), labels, tuple(utterances)), log_mels


def test_it_learns_to_tell_bands_apart_and_an_untrained_one_does_does_not(config, train, predictor_of):
    able = changed(config, iterations=40, batch=8, learning_rate=5e-3, decay_every=100)
    manifest, log_mels = corpus(4, [100, 128, 150, 300] * 4)
    true = [manifest.label_index(utterance) for utterance in manifest.utterances]
    scores = []
    for iterations in (0, 40):
        trained = train(changed(able, iterations=iterations))
        predicted = predictor_of(trained, able).utterances(log_mels).argmax(axis=1)
        scores.append(Confusion.of(manifest.labels, true, predicted).macro_f1)
    assert scores[0] < 0.5
    assert scores[1] > 0.9


def test_what_is_trained_on_few_bands_is_told_few_bands(config, bands, train, predictor_of):
    patches = bands.batch(0, 8, "held out").values
    mixed = patches.view(8, 1, 32, 4, 128).flip(3).reshape(patches.shape)
    for count, deaf in ((32, True), (128, False)):
        few = changed(config, bands=count)
        predictor = predictor_of(train(few), few)
        told = torch.allclose(predictor.examples(patches), predictor.examples(mixed), atol=1e-5)
        assert told == deaf


def test_probabilities_are_means_over_windows_and_do_not_depend_on_packing(config, predictor_of, monkeypatch):
    _, log_mels = corpus(4, [60, 128, 200, 700])
    network = untrained(RECOGNIZER.settings_of(config), 4)
    predictor = predictor_of(learned_weights(network.state_dict()), config)
    packed = predictor.utterances(log_mels)
    np.testing.assert_allclose(packed.sum(axis=1), 1, atol=1e-12)
    patches = windows(log_mels[2], config.recognizer.window_hop)
    assert len(patches) == 4
    with torch.no_grad():
        mean = network(patches).softmax(dim=1).mean(dim=0)
    np.testing.assert_allclose(packed[2], mean, atol=1e-6)
    examples = predictor.examples(patches)
    torch.testing.assert_close(examples.softmax(dim=1).mean(dim=0), mean)
    for size in (1, 5):
        monkeypatch.setattr(subject, "AT_ONCE", size)
        np.testing.assert_allclose(predictor.utterances(log_mels), packed, atol=1e-6)
        torch.testing.assert_close(predictor.examples(patches), examples)


def test_a_trial_that_is_asked_to_stop_does(config, predictor_of):
    _, log_mels = corpus(4, [60, 128])
    predictor = predictor_of(learned_weights(untrained(RECOGNIZER.settings_of(config), 4).state_dict()), config)
    with pytest.raises(Interrupted):
        predictor.utterances(log_mels, lambda: True)


def test_the_rate_falls_tenfold_at_every_decay(config):
    settings = config.recognizer.model_copy(update={"learning_rate": 1e-5, "decay_every": 10_000})
    rates = [rate_at(step, settings) for step in (0, 9_999, 10_000, 29_999)]
    assert rates == pytest.approx([1e-5, 1e-5, 1e-6, 1e-7])


def test_the_falling_rate_reaches_the_optimizer(config, train):
    """With a rate that falls to nothing after two steps, two steps and four give the same weights."""
    short, long = (train(changed(config, iterations=n, decay_factor=1e-30)) for n in (2, 4))
    assert torch.equal(short["hidden.weight"], long["hidden.weight"])


def test_augmentation_changes_what_is_learned(config, train):
    plain, augmented = train(changed(config, augmentation=())), train(config)
    assert not torch.equal(plain["hidden.weight"], augmented["hidden.weight"])


def test_a_cut_training_resumes_to_the_same_recognizer(config, train, tmp_path):
    whole = train(config)
    kept = Snapshots(tmp_path, config.identity(), config.corpus.emotions, {"low": -16.0, "high": 4.0})
    asked = iter(range(1, 10))
    with pytest.raises(Interrupted):
        train(config, snapshots=kept, stop=lambda: next(asked) == 3)
    resumed = train(config, snapshots=kept)
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name])


def test_the_head_has_one_output_an_emotion(bands, around, config):
    settings = RECOGNIZER.settings_of(config)
    weights = RECOGNIZER.train(type(bands)(classes=2), settings, PATCHES, 2, 0, around)
    assert weights["head.bias"].shape == (2,)
