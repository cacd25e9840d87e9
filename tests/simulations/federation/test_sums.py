"""Sums with real keepers in one process: the release is that of the numbers behind the doors, and nothing else left."""

import json

import pytest
import torch

from client.dice import read_dice
from client.door import Door
from client.ledger import entries, verify
from client.simulated import SITE, SITES
from client.site import load_site
from client.tuning import Grant, brought
from common.config.loading import changed
from common.features.spaces import space_of
from common.privacy.summation import from_grid, to_grid
from common.settings import RuntimeConfig
from common.synthesizers import synthesizer
from common.wire import Summing
from server.bank import Bank
from server.run import run_campaign
from simulations.federation.campaign import order
from simulations.federation.serial import SerialClients

SESSIONS = [f"Session{number}" for number in range(1, 6)]
SUMMED = [
    "methods.synthesizer=gaussian",
    "methods.recognizer=nearest-mean",
    "vectors.set=functionals",
    "vectors.normalisation=public",
    "release.summed=true",
]


class Followed(SerialClients):
    """Every answer is kept, as whoever is the server could keep it."""

    def __init__(self, run):
        super().__init__(run)
        self.received = []

    def exchange(self, payloads, seconds):
        for answer in super().exchange(payloads, seconds):
            self.received.append(answer.data)
            yield answer


@pytest.fixture(scope="module", params=["none", pytest.param("8.0", marks=pytest.mark.slow)], ids=["exact", "private"])
def finished(request, config, weights, tmp_path_factory):
    """A campaign of one sum over five sites, and its configuration."""
    own = changed(config, [*SUMMED, f"gaussian.epsilon={request.param}"], "the test")
    run = tmp_path_factory.mktemp("summed") / "run"
    order(own, run, weights, plan="everyone")
    clients = Followed(run)
    run_campaign(run, clients)
    return own, run, clients.received


def behind_the_doors(run, card):
    """What each site has brought, by session, as nobody but the site can know it."""
    found = {}
    for session in SESSIONS:
        site = load_site(run / SITES / session / SITE)
        tuning = card.tuning.model_copy(update={"session": session})
        summing = Summing(tuning=tuning, name="everyone", sites=tuple(SESSIONS))
        grant = Grant(None, read_dice(site.secret), None, 60.0)
        found[session] = brought(summing, Door(site), RuntimeConfig(threads=1), grant)
    return found


def test_the_summed_release_through_keepers_is_that_of_one_process_to_the_last_bit(finished):
    config, run, received = finished
    (banked,) = Bank(run / "bank").banked()
    assert (banked.session, list(banked.card.sites)) == ("sum-everyone", SESSIONS)
    numbers = behind_the_doors(run, banked.card)
    total = from_grid(sum(to_grid(one, len(SESSIONS)) for one in numbers.values()))
    gaussian = synthesizer("gaussian")
    made = gaussian.sums.released(total, gaussian.settings_of(config), space_of(config), config.corpus.classes)
    weights = Bank(run / "bank").load(banked).released
    assert weights.keys() == made.keys()
    assert all(torch.equal(weights[name], made[name].half()) for name in made)
    for own in numbers.values():
        assert not seen(own, received)
        assert seen(own, [*received, to_grid(own, len(SESSIONS)).tobytes()])  # a control


def seen(own, received):
    """Whether one of a site's numbers stands in what came from the sites; whole ones would by chance."""
    spoken = [number.tobytes() for number in to_grid(own, len(SESSIONS)) if number % 2**16]
    assert len(spoken) > 20
    return any(number in data for number in spoken for data in received)


def test_each_site_has_written_down_what_left_and_scored_what_came_of_it(finished):
    config, run, _ = finished
    for session in SESSIONS:
        ledger = load_site(run / SITES / session / SITE).ledger
        assert verify(ledger).problems == ()
        sent = [entry.kind for entry in entries(ledger) if entry.outcome == "sent"]
        assert sent == ["description", "opened", "masked", "shared", "scored"]
        (admitted,) = (entry for entry in entries(ledger) if entry.kind == "add-to-sum")
        assert (admitted.signal > 0) is (config.added.get("gaussian") is not None and "8.0" in str(config.added))
    (fold,) = json.loads((run / "campaign.json").read_text())["folds"]
    assert fold["counts"].keys() == {*SESSIONS}
