"""Looking for latents finds what a generator holds and never hands out, and says so where it can find nothing."""

import numpy as np
import pytest
import torch

from common.audit import reconstruction
from common.audit.reconstruction import Decoder, Targets, least_distances
from common.audit.twins import Audit
from common.audit.verdict import Limits
from common.networks import Generator, release_weights
from common.seeds import numpy_stream, torch_stream
from common.settings import NetworkConfig
from common.synthesizers.methods.eskimez import ConditionalSampler
from tests.common.audit.conftest import Draws, drawn

SIZE, HELD = 64, 24


class Weighs(Draws):
    """Hands out what it never saw; what it can make is any sum of the rows that it holds."""

    def __init__(self, rows):
        super().__init__(lambda wanted, seed: drawn(wanted, numpy_stream(seed)))
        self.rows, self.latent = rows, len(rows)

    def made(self, latents, wanted):
        return latents @ self.rows


@pytest.fixture(scope="module")
def audited(utterances_of):
    """The verdict by both scores; `holds` gives the rows of a twin, of all rows and of its members' numbers."""

    def audit(holds, seed=1):
        own = utterances_of(68, 68, seed)
        rows = torch.randn(len(own), SIZE, generator=torch_stream(seed, "windows"))
        targets = Targets(rows, np.arange(len(own)), own.labels)
        attack = Audit(own, lambda values: values.numpy(), Limits(samples=1024), seed, targets)
        return attack.run(lambda number, chosen: Weighs(holds(rows, chosen)))

    return audit


def members(rows, chosen):
    """A memoriser: whatever it was fitted to lies among what it can make."""
    return rows[chosen]


def public(rows, chosen):
    """What everybody has."""
    return torch.randn(HELD, SIZE, generator=torch_stream("public rows"))


def test_what_a_generator_holds_and_never_hands_out_is_seen_by_reconstruction_alone(audited):
    verdict = audited(members)
    assert verdict.word == "refuse"
    assert verdict.by_score["density"] < 0.6
    assert verdict.by_score["reconstruction"] > 0.9
    assert any("by each attack" in line for line in verdict.lines())


def test_what_holds_nobody_is_released_by_both(audited):
    verdict = audited(public)
    assert verdict.word == "release", verdict
    assert set(verdict.by_score) == {"density", "reconstruction"}
    assert verdict.noticed <= 0.05
    assert verdict.recovered < 0.5


@pytest.mark.parametrize("holds", [members, public])
def test_where_its_own_samples_are_not_found_again_its_silence_tells_nothing(audited, monkeypatch, holds):
    monkeypatch.setattr(reconstruction, "STEPS", 0)
    verdict = audited(holds)
    assert (verdict.word, verdict.recovered) == ("cannot-tell", 1.0)
    assert "does not find a twin's own samples again" in verdict.reasons[-1]


def test_windows_of_one_utterance_are_one_score():
    rows = torch.eye(4)
    targets = Targets(rows, np.array([0, 0, 1, 1]), np.array([0, 1]))
    told = targets.scores(Weighs(rows[:1]))
    _, least = least_distances(Weighs(rows[:1]), rows, torch.zeros(4))
    assert told == pytest.approx([-float(least[:2].mean()), -float(least[2:].mean())])
    assert told[0] > told[1]


def test_no_result_hangs_on_how_many_are_looked_for_at_once(monkeypatch):
    rows = torch.randn(9, SIZE, generator=torch_stream(0))
    together = least_distances(Weighs(rows[:3]), rows, torch.zeros(9))[1]
    monkeypatch.setattr(reconstruction, "AT_ONCE", 2)
    apart = least_distances(Weighs(rows[:3]), rows, torch.zeros(9))[1]
    # Some processors round a product of two rows otherwise than one of nine. Where a row can be made exactly, each step
    # turns round, and what is left differs by a thousandth. If two rows shared a latent, it would differ by a half.
    torch.testing.assert_close(apart, together, atol=0.005, rtol=0)


@pytest.fixture(scope="module")
def sampler():
    network = NetworkConfig(width=1 / 64, noise=8)
    weights = {name: 1.8 * value for name, value in release_weights(Generator(network, seed=0)).items()}
    return ConditionalSampler(weights, network, 4)


class TestNetworks:
    """A released generator, of which latents are looked for through all its layers."""

    def test_it_makes_what_it_samples(self, sampler):
        assert isinstance(sampler, Decoder)
        latents = torch.randn(3, sampler.latent, generator=torch_stream(0))
        wanted = torch.tensor([0, 3, 1])
        assert torch.equal(sampler.made(latents, wanted), sampler.decode(latents, wanted))

    def test_its_own_samples_are_found_again_and_pictures_that_it_cannot_make_are_not(self, sampler, monkeypatch):
        monkeypatch.setattr(reconstruction, "OWN", 4)
        grain = torch.randn(4, 1, 128, 128, generator=torch_stream("grain")).sign()  # too fine for eight numbers
        targets = Targets(grain, np.arange(4), np.arange(4))
        assert targets.recovered(sampler, seed=1) < 0.5
        first, least = least_distances(sampler, targets.values, torch.arange(4))
        assert float((least / first).min()) > 0.9
