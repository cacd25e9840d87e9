"""How a campaign is handed in, as far as that needs no server."""

import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from client.service import LONGEST_ANSWER
from common.errors import UserError
from server.roster import read_holders
from simulations.deployment.campaign import run_deployed
from simulations.federation import flower
from simulations.federation.campaign import order
from simulations.federation.submission import Connection


@pytest.fixture
def asked(monkeypatch):
    """What `flwr` is asked to run with; it takes nothing."""
    words = []

    def ask(self, told):
        words.append(told[-1])
        return {}

    monkeypatch.setattr(Connection, "ask", ask)
    return words


def lost_after(settings):
    return float(settings.split("lost-after=")[1])


def test_a_request_to_a_site_counts_as_lost_later_than_the_latest_answer(asked, config, weights, tmp_path):
    link = Connection("fed.example.org:8000", {}, tmp_path / "log")
    with pytest.raises(UserError, match="did not take the run"):
        run_deployed(link, tmp_path / "run", config, weights, expected=2)
    assert lost_after(asked[0]) > LONGEST_ANSWER


def test_the_campaign_is_told_whose_key_is_for_which_session(asked, config, weights, tmp_path):
    link = Connection("fed.example.org:8000", {}, tmp_path / "log")
    for resume, holders in ((False, None), (True, {"11": "clinic"}), (True, {"11": "clinic", "12": "lab"})):
        with pytest.raises(UserError, match="did not take the run"):
            run_deployed(link, tmp_path / "run", config, weights, expected=2, resume=resume, holders=holders)
        assert read_holders(tmp_path / "run") == holders


def test_a_request_to_a_simulated_client_which_tunes_before_it_answers_is_never(
    asked, config, weights, tmp_path, monkeypatch
):
    simulation = order(config, tmp_path / "run", weights)
    monkeypatch.setattr(flower, "superlink", lambda folder: Link(tmp_path))
    with pytest.raises(UserError, match="did not take the run"):
        simulation.start("ray", lambda: None)
    assert lost_after(asked[0]) == 0


class Link:
    """A SuperLink that is there for as long as a block."""

    def __init__(self, folder):
        self.connection = Connection("127.0.0.1:8000", {}, folder / "log")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass
