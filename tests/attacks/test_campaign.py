"""What one hostile client can do to everybody's campaign: end it, poison it unseen, take another's name."""

import pytest
import torch

from common.config import Config
from common.errors import UserError
from common.wire import Release, Tune, encode
from tests.server import conftest as server

base, client_of, clients_of, campaign_of = server.base, server.client_of, server.clients_of, server.campaign_of

LARGEST = 990.0
"""Weights that the protocol lets pass: each is finite and below a thousand."""
CHECKED, UNCHECKED = {}, {"checks": ()}
"""A campaign as it is, and one whose every check is switched off."""


@pytest.fixture(scope="session")
def config():
    """Wide enough for a sum over large weights to overflow."""
    return Config.model_validate(
        {
            "network": {"width": 1 / 8, "noise": 128},
            "finetuning": {"iterations": 2, "batch": 2},
            "sampling": {"per_emotion": 6},
            "recognizer": {"iterations": 2, "batch": 8, "learning_rate": 1e-3},
            "runtime": {"device": "cpu", "precision": "fp32", "threads": 1},
        }
    )


def tuned_to(weights):
    """A client that does as it is told until it has tuned, and then sends what it likes."""

    def trick(request, honest):
        if not isinstance(request, Tune):
            return encode(honest)
        changed = {name: weights(name, value) for name, value in honest.released.items()}
        return encode(Release(card=honest.card, released=changed))

    return {"tune": [trick]}


def explosive(name, value):
    """Large weights of either sign: activations overflow, and what is infinite in two ways is no number."""
    return LARGEST * torch.randn(value.shape, generator=torch.Generator().manual_seed(len(name))).sign()


def silent(name, value):
    """A generator that makes the same picture whatever it is asked for."""
    return torch.zeros_like(value)


def told_of(results, session):
    """Why a session's release was put aside."""
    return [one["reason"] for one in results["quarantined"] if one["session"] == session]


class TestAGeneratorThatMakesNoNumbers:
    """Finite weights whose samples are not: one client would end everybody's campaign."""

    def test_is_put_aside_when_it_is_drawn_from_even_where_all_checks_are_off(
        self, campaign_of, clients_of, client_of, note
    ):
        clients = clients_of(3, c3=client_of("X", tuned_to(explosive)))
        results = campaign_of(clients, **UNCHECKED).run(4)
        assert told_of(results, "X") == ["a sample that was drawn for the pool is not finite"]
        assert results["folds"][0]["train"] == ("A", "B", "C")

    def test_ends_the_campaign_where_nobody_looks_at_samples(
        self, campaign_of, clients_of, client_of, note, monkeypatch
    ):
        monkeypatch.setattr("common.synthesizers.pool._finite", lambda patches, source: patches)
        clients = clients_of(3, c3=client_of("X", tuned_to(explosive)))
        with pytest.raises(UserError, match="not finite at step"):
            campaign_of(clients, **UNCHECKED).run(4)
        with pytest.raises(UserError, match="not finite at step"):
            campaign_of(clients, **UNCHECKED).run(4)
        note("campaign: ended by one client", off="ends, names nobody, and ends so again when it is resumed")

    def test_is_named_and_three_good_ones_still_make_a_recognizer(self, campaign_of, clients_of, client_of, note):
        clients = clients_of(3, c3=client_of("X", tuned_to(explosive)))
        results = campaign_of(clients, **CHECKED).run(4)
        note("campaign: ended by one client", on=f"goes on; X: {told_of(results, 'X')[0]}")
        assert results["folds"][0]["train"] == ("A", "B", "C")
        assert "not finite" in told_of(results, "X")[0]


class TestAPoisonedGenerator:
    """A generator that makes the same picture whatever it is asked for."""

    def test_is_trained_on_where_nobody_looks(self, campaign_of, clients_of, client_of, note):
        results = campaign_of(clients_of(3, c3=client_of("X", tuned_to(silent))), **UNCHECKED).run(4)
        note("campaign: a constant generator", off="trained on without a word")
        assert results["folds"][0]["train"] == ("A", "B", "C", "X")
        assert not results["quarantined"]

    def test_is_put_aside_and_named(self, campaign_of, clients_of, client_of, note):
        results = campaign_of(clients_of(3, c3=client_of("X", tuned_to(silent))), **CHECKED).run(4)
        note("campaign: a constant generator", on=f"put aside: {told_of(results, 'X')[0]}")
        assert results["folds"][0]["train"] == ("A", "B", "C")
        assert told_of(results, "X")


class TestOneGeneratorFromTwoSites:
    """A client with two names would count twice."""

    def test_counts_twice_where_nobody_looks(self, campaign_of, clients_of, client_of, config, note):
        results = campaign_of(self.clients(clients_of, client_of, config), **UNCHECKED).run(5)
        note("campaign: one generator from two sites", off="counts twice")
        assert results["folds"][0]["train"] == ("A", "B", "C", "X", "Y")

    def test_is_put_aside_twice_and_both_are_named(self, campaign_of, clients_of, client_of, config, note):
        results = campaign_of(self.clients(clients_of, client_of, config), **CHECKED).run(5)
        note("campaign: one generator from two sites", on=f"put aside: {told_of(results, 'X')[0]}")
        assert results["folds"][0]["train"] == ("A", "B", "C")
        assert told_of(results, "X")
        assert told_of(results, "Y")

    @staticmethod
    def clients(clients_of, client_of, config):
        same = server.voice_of("same", config.network)
        sent = tuned_to(lambda name, value: same[name].to(value.dtype))
        return clients_of(3, c3=client_of("X", sent), c4=client_of("Y", sent))
