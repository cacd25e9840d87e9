"""Sessions whose microphones differ look alike once each has the mean spectrum of public speech."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from common.errors import UserError
from common.features.cache import features_for
from common.features.public import FOLDER, SPECTRUM, make_public_spectrum, public_spectrum
from common.features.scaling import Scaling
from common.features.spectrum import mean_spectrum, with_offset
from common.settings import FeatureConfig
from common.space import SIDE

OWN = FeatureConfig(normalisation="session")
WIDE = Scaling(-1e3, 1e3)  # of which nothing is clamped


@pytest.fixture
def features(manifest, runtime):
    """Two sessions, four recordings each."""
    utterances = (replace(one, session=("one", "two")[n // 4]) for n, one in enumerate(manifest.utterances))
    return features_for(replace(manifest, utterances=tuple(utterances)), OWN, runtime)


def levels(utterances):
    """Log-mels that scaled ones were made of."""
    return [WIDE.invert(one) for one in utterances]


def test_each_session_has_the_mean_spectrum_of_public_speech(features):
    every = [one.numpy() for one in levels(features.utterances(WIDE))]
    for session in (every[:4], every[4:]):
        np.testing.assert_allclose(mean_spectrum(session), public_spectrum(OWN), atol=1e-2)


def test_what_a_microphone_adds_to_each_band_is_taken_away(features):
    colour = np.linspace(-2, 3, SIDE, dtype=np.float32)
    recoloured = [(one + colour[:, None]).astype(np.float32) for one in features]
    expected, found = (mean_spectrum(some) for some in (list(features), recoloured))
    np.testing.assert_allclose(found - expected, colour, atol=0.1)
    first, other = with_offset(features[0], -expected), with_offset(recoloured[0], -found)
    assert float((first - other).abs().max()) < 0.1


def test_silence_is_no_part_of_the_mean(features):
    quiet = [np.concatenate([one, np.full((SIDE, 100), -16, np.float16)], axis=1) for one in features]
    np.testing.assert_array_equal(mean_spectrum(quiet), mean_spectrum(features))


def test_patches_are_cut_from_what_recognizers_hear(features):
    batch = features.examples(WIDE, 0, balanced=False).batch(0, 16)
    plain = replace(features, config=FeatureConfig()).examples(WIDE, 0, balanced=False).batch(0, 16)
    assert torch.equal(batch.labels, plain.labels)
    offsets = (batch.values - plain.values).mean(dim=3) * 1e3
    known = torch.from_numpy(features.offsets)
    assert all(float((known - one[0]).abs().amax(dim=1).min()) < 1e-2 for one in offsets)


def test_a_part_is_made_alike_by_what_it_has(features):
    short = features.manifest.utterances[0].path
    part = features.of(features.manifest.where(lambda one: one.path == short))
    (alone,) = levels(part.utterances(WIDE))
    np.testing.assert_allclose(mean_spectrum([alone.numpy()]), public_spectrum(OWN), atol=1e-2)
    assert not np.allclose(part.offsets[0], features.offsets[0], atol=0.05)


def test_the_papers_patches_are_moved_by_nothing_and_named_as_before(manifest, runtime):
    plain = features_for(manifest, FeatureConfig(), runtime)
    assert plain.offsets is None
    assert plain.key == features_for(manifest, OWN, runtime).key, "extracted once for both"
    assert "normalisation" not in FeatureConfig().model_dump()
    assert OWN.model_dump()["normalisation"] == "session"


def test_other_windows_than_those_of_the_public_spectrum_are_refused():
    with pytest.raises(UserError, match=r"no mean spectrum.*features\.normalisation = public"):
        public_spectrum(FeatureConfig(hop=128, normalisation="session"))


def test_the_public_spectrum_falls_as_voices_do_and_can_be_made_again(manifest, runtime, tmp_path):
    shipped = public_spectrum(OWN)
    assert shipped.shape == (SIDE,)
    assert shipped[:40].mean() > shipped[-40:].mean() + 2
    assert (FOLDER / SPECTRUM).is_dir()
    assert make_public_spectrum(manifest, FeatureConfig(), runtime, tmp_path / "made") == 2
