"""A small corpus balanced at its own place, in both spaces."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from common.augmentation.backgrounds import Behind
from common.augmentation.balancing import made_of, with_changes, without_some
from common.config import Config
from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.features.cache import features_for
from common.features.scaling import Scaling
from common.features.spectrum import with_offset
from common.features.vectors import vectors_for
from common.settings import FeatureConfig
from common.space import SAMPLE_RATE
from common.training.draws import everything

EMOTIONS = {"angry": 4, "sad": 1}
LABELS = tuple(EMOTIONS)
SCALING = Scaling(-16.0, 2.0)
SEED = 3


def spoken(hertz, seconds=0.6):
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    waves = sum(np.sin(2 * np.pi * hertz * number * times) / number for number in range(1, 6))
    return 0.1 * waves * (1 + 0.5 * np.sin(2 * np.pi * 3 * times))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    runtime = {"cache": str(tmp_path_factory.mktemp("cache")), "device": "cpu", "workers": 1}
    return Config.model_validate({"corpus": {"emotions": LABELS}, "runtime": runtime})


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    root, utterances = tmp_path_factory.mktemp("speech"), []
    for emotion, count in EMOTIONS.items():
        for number in range(count):
            path = f"{emotion}{number}.wav"
            soundfile.write(root / path, spoken(110 + 20 * number + 60 * (emotion == "sad")), SAMPLE_RATE)
            utterances.append(Utterance(path, "ann", "one", 0.6, emotion))
    return Manifest("few", root, LABELS, tuple(utterances))


@pytest.fixture(scope="module")
def vectors(manifest, config):
    return vectors_for(manifest, config.vectors, config.runtime)


@pytest.fixture(scope="module")
def patches(manifest, config):
    return features_for(manifest, config.features, config.runtime)


def classes(examples):
    return Counter(everything(examples).labels.tolist())


def changed(features, config, name, scaling=None, **words):
    return with_changes(features, config, scaling, name, Behind(config.runtime.noises), SEED, **words)


def test_each_emotion_is_as_frequent_as_the_most_frequent_one_and_the_clean_ones_are_the_recordings(vectors, config):
    found = changed(vectors, config, "sars")
    assert classes(found) == {0: 4, 1: 4}
    assert found.sizes == (2, 6)
    clean, made = everything(found.one).values, everything(found.other).values
    assert all(any(np.array_equal(row, real) for real in vectors.scaled.numpy()) for row in clean.numpy())
    assert not any(np.array_equal(row, real) for real in vectors.scaled.numpy() for row in made.numpy())


def test_a_change_is_small_beside_what_tells_recordings_apart(vectors, config):
    """Scaled as their session, changed recordings lie where real ones lie."""
    made = everything(changed(vectors, config, "sars").other).values
    assert made.abs().median() < 3


def test_the_same_seed_changes_alike_and_each_is_told_of(vectors, config):
    told = []
    one, other = (changed(vectors, config, "sa", look=lambda *so_far: told.append(so_far)) for _ in range(2))
    assert np.array_equal(everything(one).values, everything(other).values)
    assert told == [(1, 3), (2, 3), (3, 3)] * 2


def test_patches_are_cut_from_changed_recordings_too(patches, config):
    found = changed(patches, config, "sar", SCALING)
    batch = found.batch(0, 64, "train")
    assert batch.values.shape == (64, 1, 128, 128)
    assert found.sizes == (2, 6)
    assert 20 < int((batch.labels == 1).sum()) < 44


def test_changed_patches_are_moved_as_their_session_is(patches, config):
    settings = config.model_copy(update={"features": FeatureConfig(normalisation="session")})
    own = replace(patches, config=settings.features)
    plain, found = changed(patches, config, "sa", SCALING), changed(own, settings, "sa", SCALING)
    one, other = (examples.batch(0, 64, "train") for examples in (plain, found))
    inside = (one.values.abs() < 1) & (other.values.abs() < 1)  # where nothing is clamped
    offsets = torch.from_numpy(own.offsets[0])[None, None, :, None] * (2 / (SCALING.high - SCALING.low))
    assert float(inside.float().mean()) > 0.3
    assert float(((other.values - one.values - offsets).abs() * inside).max()) < 1e-2


def test_what_is_left_out_moves_nothing_that_stays(patches, config):
    own = replace(patches, config=FeatureConfig(normalisation="session"))
    left = without_some(own, SCALING, 1.0, SEED).batch(0, 8, "train").values
    every = [SCALING.apply(with_offset(one, offset)) for one, offset in zip(own, own.offsets, strict=True)]
    assert all(min(float((cut[0, :, :10] - one[:, :10]).abs().max()) for one in every) < 1e-5 for cut in left)


@pytest.mark.parametrize(("ratio", "left"), [(1.0, {0: 1, 1: 1}), (0.5, {0: 2, 1: 1})])
def test_undersampling_leaves_recordings_as_they_are_scaled_by_all_of_their_session(vectors, ratio, left):
    found = without_some(vectors, None, ratio, SEED)
    assert classes(found) == left
    rows = everything(found).values.numpy()
    assert all(any(np.array_equal(row, real) for real in vectors.scaled.numpy()) for row in rows)


def test_where_nothing_is_to_be_changed_nothing_is(manifest, config, vectors):
    even = manifest.where(lambda one: one.path in ("angry0.wav", "sad0.wav"))
    assert np.array_equal(everything(changed(vectors.of(even), config, "sar")).values, vectors.of(even).scaled)


def test_methods_of_vectors_make_what_is_wanted(vectors):
    made = made_of(vectors, "copying", np.array([1, 0, 1]), SEED)
    assert made.labels.tolist() == [1, 0, 1]
    assert np.allclose(made.values[0], vectors.scaled[4], atol=1e-5)


def test_without_a_folder_five_public_speakers_are_heard_and_their_name_is_not_that_of_noises(tmp_path):
    soundfile.write(tmp_path / "hum.wav", spoken(50), SAMPLE_RATE)
    public, own = Behind(), Behind(str(tmp_path))
    assert public.digest == Behind().digest != own.digest
    assert public.take(8000, np.random.default_rng(0)).any()


def test_a_folder_without_sound_is_told_only_where_a_plan_needs_it(vectors, config, tmp_path):
    silent = config.model_copy(update={"runtime": config.runtime.model_copy(update={"noises": str(tmp_path)})})
    assert classes(changed(vectors, silent, "sars")) == {0: 4, 1: 4}
    with pytest.raises(UserError, match=f"the folder of noises has no sound: {tmp_path}"):
        changed(vectors, silent, "sarb")
