"""A private Gaussian: nothing but the mechanism touches speech, and what is promised is what is paid for."""

import math

import numpy as np
import pytest
import torch

from common.errors import UserError
from common.features.public import public_standard, public_vectors
from common.networks.acceleration import Acceleration
from common.privacy.accountant import signal_for
from common.privacy.moments import Moments, deviations
from common.privacy.summation import from_grid, to_grid
from common.settings import RuntimeConfig
from common.spaces import PATCHES, Vectors
from common.synthesizers import SYNTHESIZERS, private
from common.synthesizers.methods.gaussian import SYNTHESIZER, GaussianConfig, Settings
from common.synthesizers.private import COVARIANCE, MEANS, public_space
from common.synthesizers.synthesizer import Fitting
from common.training.phases import Surroundings

LABELS = "neutral", "angry", "sad", "happy"
SET = "functionals"
SIZE = len(public_vectors(SET)[0])
SPACE = Vectors(set=SET, size=SIZE, scale="public")


class Rows:
    """A finite source."""

    def __init__(self, values, labels):
        self.values, self.labels = values, labels

    def batch(self, step, size, stream):
        return self

    def everything(self):
        return self


def speech(seed=0, count=80, loud=1.0):
    """Vectors of emotions that lie apart along the public directions."""
    stream = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    own = public_space(SET, 16)
    turned = 2 * np.eye(16)[labels] + stream.normal(size=(count, 16))
    values = own.centre + loud * turned @ own.directions + 0.3 * stream.normal(size=(count, SIZE))
    return Rows(torch.from_numpy(values).float(), torch.from_numpy(labels))


@pytest.fixture
def fit():
    def make(source, *, space=SPACE, seed=0, **changed):
        settings = Settings(gaussian=GaussianConfig(**{"epsilon": 4.0, **changed}))
        around = Surroundings(Acceleration.of(RuntimeConfig()))
        return SYNTHESIZER.fit(Fitting(lambda balanced: source, {}, LABELS, space, seed, around), settings), settings

    return make


def alike(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("noised", ["means", "covariance"])
class TestTouch:
    """Where a fit reads speech."""

    def test_nothing_but_the_mechanism_touches_speech(self, fit, noised, monkeypatch):
        """With the same noised moments, a release is the same to the last bit, whatever was said."""
        squares = np.eye(16) * 90 if noised == "covariance" else None
        told = Moments(np.full(4, 20.0), 20 * np.eye(4, 16), squares)
        monkeypatch.setattr(private, "moments", lambda *given: told)
        one, other = (fit(source, noised=noised)[0] for source in (speech(0), speech(1, 60, loud=50.0)))
        assert alike(one, other)

    def test_without_that_stand_in_another_word_is_another_release(self, fit, noised):
        one, other = (fit(source, noised=noised)[0] for source in (speech(0), speech(1)))
        assert not alike(one, other)

    def test_a_loud_utterance_moves_a_sum_by_the_norm_and_no_farther(self, fit, noised, monkeypatch):
        exact, seen = private.moments, []
        monkeypatch.setattr(private, "moments", lambda *given: seen.append(exact(*given)) or seen[-1])
        quiet, loud = speech(0), speech(0)
        loud.values[3] *= 1e6
        for source in (quiet, loud):
            fit(source, noised=noised)
        moved = np.linalg.norm(seen[1].sums - seen[0].sums)
        assert 0 < moved <= 2 * public_space(SET, 16).clip + 1e-6

    def test_it_is_drawn_from_its_own_shapes(self, fit, noised):
        released, settings = fit(speech(), noised=noised, epsilon=50.0, covariance="each", rank=3)
        shapes = SYNTHESIZER.shapes(settings, SPACE, 4)
        assert {name: tuple(value.shape) for name, value in released.items()} == shapes
        sampler = SYNTHESIZER.sampler(released, settings, SPACE, 4, torch.device("cpu"))
        wanted = torch.arange(4).repeat(200)
        made = public_space(SET, 16).turned(sampler.sample(wanted, torch.Generator().manual_seed(0)))
        means = np.stack([made[wanted.numpy() == emotion].mean(axis=0) for emotion in range(4)])
        assert means[:, :4].argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("shares", [MEANS, COVARIANCE])
def test_noise_has_the_deviation_that_was_asked_for(fit, shares, monkeypatch):
    noised = "covariance" if shares.squares else "means"
    told, honest = [], private.noised
    monkeypatch.setattr(private, "noised", lambda *given: told.append((given[0], honest(*given))) or told[-1][1])
    source = speech(count=40)
    for seed in range(60):
        fit(source, seed=seed, noised=noised)
    counts = np.array([noisy.counts - exact.counts for exact, noisy in told])
    sums = np.array([noisy.sums - exact.sums for exact, noisy in told])
    wanted = deviations(signal_for(4.0, 1e-5), public_space(SET, 16).clip, shares)
    assert counts.std() == pytest.approx(wanted[0], rel=0.15)
    assert sums.std() == pytest.approx(wanted[1], rel=0.05)


def test_noise_is_of_the_sites_own_dice(fit):
    source = speech()
    assert alike(fit(source, seed=1)[0], fit(source, seed=1)[0])
    assert not alike(fit(source, seed=1)[0], fit(source, seed=2)[0])


@pytest.mark.parametrize("other", [{"epsilon": 2.0}, {"delta": 1e-6}, {"directions": 15}, {"noised": "covariance"}])
def test_two_recipes_of_one_run_do_not_share_their_noise(fit, other, monkeypatch):
    """Else one would be the other's noise at another size, and two releases would give away what is under it."""
    told, honest = [], private.noised
    monkeypatch.setattr(private, "noised", lambda *given: told.append((given[0], honest(*given))) or told[-1][1])
    for changed in ({}, other):
        fit(speech(), seed=1, **changed)
    one, another = ((noisy.sums - exact.sums)[:, :15].ravel() for exact, noisy in told)
    assert abs(np.corrcoef(one, another)[0, 1]) < 0.5


@pytest.mark.parametrize(
    ("space", "word"),
    [(SPACE.model_copy(update={"scale": "session"}), "session"), (SPACE.model_copy(update={"scale": "raw"}), "raw")],
)
def test_units_of_the_sites_own_speech_are_refused(fit, space, word):
    with pytest.raises(UserError, match=f"units of public speech alone: {word}"):
        fit(speech(), space=space)


def test_patches_are_refused(fit):
    with pytest.raises(UserError, match="units of public speech alone: patches"):
        fit(speech(), space=PATCHES)


def test_delta_above_one_in_so_many_utterances_is_refused(fit):
    with pytest.raises(UserError, match="not below one in 10000 utterances"):
        fit(speech(count=10_000), delta=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"epsilon": 0}, {"epsilon": math.inf}, {"epsilon": -1}, {"delta": 0}, {"delta": 0.1}]
)
def test_what_means_no_privacy_is_no_setting(wrong):
    with pytest.raises(ValueError, match="epsilon" if "epsilon" in wrong else "delta"):
        GaussianConfig(**wrong)


def test_as_many_directions_as_public_vectors_are_refused():
    with pytest.raises(UserError, match="public directions are more than"):
        public_space(SET, len(public_vectors(SET)))


def test_public_vectors_are_of_unit_size_along_the_directions():
    own = public_space(SET, 16)
    turned = own.turned(public_standard(SET).apply(public_vectors(SET)))
    assert turned.std(axis=0, ddof=1) == pytest.approx(np.ones(16), abs=1e-3)
    assert (np.linalg.norm(turned, axis=1) > own.clip).mean() < 0.1


def test_without_epsilon_nothing_is_promised_and_nothing_is_noised(fit):
    one, other = (fit(speech(), seed=seed, epsilon="none")[0] for seed in (1, 2))
    assert alike(one, other)
    assert SYNTHESIZER.privacy(Settings()) is None
    promised = SYNTHESIZER.privacy(Settings(gaussian=GaussianConfig(epsilon=2.0)))
    assert str(promised) == (
        "epsilon 2 at delta 1e-05, for one utterance added or removed, by Gaussian noise on sums of clipped vectors"
    )


def test_a_synthesizer_without_a_mechanism_promises_nothing_and_knows_no_such_setting():
    for method in SYNTHESIZERS:
        if method.name != "gaussian":
            assert method.privacy(method.Settings()) is None
            assert "epsilon" not in str(method.Settings.model_json_schema())


SITES = 5


def brought(source, seed, *, hiding=1, **changed):
    own = Settings(gaussian=GaussianConfig(**changed))
    around = Surroundings(Acceleration.of(RuntimeConfig()))
    return SYNTHESIZER.sums.brought(Fitting(lambda balanced: source, {}, LABELS, SPACE, seed, around), own, hiding), own


@pytest.mark.parametrize("noised", ["means", "covariance"])
def test_one_site_alone_in_a_sum_is_the_release_of_that_site(fit, noised):
    released, settings = fit(speech(), noised=noised)
    numbers, _ = brought(speech(), 0, epsilon=4.0, noised=noised)
    assert len(numbers) == SYNTHESIZER.sums.size(settings, 4)
    assert alike(SYNTHESIZER.sums.released(numbers, settings, SPACE, 4), released)


@pytest.mark.parametrize("noised", ["means", "covariance"])
def test_sums_of_sites_without_noise_are_the_sum_of_all_speech_to_the_last_bit_in_fixed_point(noised):
    parts = [speech(seed) for seed in range(SITES)]
    each = [to_grid(brought(part, 0, noised=noised)[0], SITES) for part in parts]
    again = sum(reversed(each), start=np.zeros_like(each[0]))
    assert np.array_equal(sum(each, start=np.zeros_like(each[0])), again)
    whole = Rows(torch.cat([part.values for part in parts]), torch.cat([part.labels for part in parts]))
    assert np.allclose(from_grid(again), brought(whole, 0, noised=noised)[0], atol=1e-6)


def test_the_noise_of_a_sum_is_that_of_one_mechanism_where_as_many_stay_as_must():
    """With three of five sites there is exactly enough of it, with all of them more."""
    counted, along, _ = deviations(signal_for(4.0, 1e-5), public_space(SET, 16).clip, MEANS)
    units = np.repeat([counted, along], [4, 64])
    source, hiding = speech(count=8), 3
    exact, _ = brought(source, 0)
    drawn = np.array([brought(source, seed, hiding=hiding, epsilon=4.0)[0] - exact for seed in range(300)]) / units
    assert drawn.reshape(-1, hiding, len(units)).sum(axis=1).std() == pytest.approx(1, rel=0.04)
    assert drawn.std() * SITES**0.5 > 1.2


def test_two_sizes_of_a_sum_do_not_share_their_noise():
    exact, _ = brought(speech(), 0)
    one, other = (brought(speech(), 0, hiding=hiding, epsilon=4.0)[0] - exact for hiding in (2, 3))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.5
