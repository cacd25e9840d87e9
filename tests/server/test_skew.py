"""Sites that hold what they hold: a campaign goes on with them and draws an emotion from who knows it."""

import pytest

from common.config import Config
from common.errors import UserError
from common.wire import Code, encode
from server.bank import Bank
from server.bootstrap import bootstrap
from server.plans import plan_of
from server.recognizers import Recognizers
from server.requests import Requests

LEAVE_ONE_OUT = plan_of("leave-one-session-out", Config())
ALL = (True, True, True, True)


@pytest.fixture
def knowing(client_of):
    """A client that knows these emotions only."""

    def make(session, known, tricks=None):
        client = client_of(session, tricks)
        client.known = known
        return client

    return make


@pytest.fixture
def bank_of(tmp_path, config, base, knowing):
    def make(*known):
        bank, requests = Bank(tmp_path / "bank"), Requests("run", config, base, per_speaker=False)
        for session, one in zip("ABCDE", known, strict=False):
            bank.add(knowing(session, one).say(requests.tune("0", session).request))
        return bank

    return make


def test_a_campaign_of_skewed_sites_ends_and_puts_none_of_them_aside(campaign_of, clients_of, knowing):
    known = [(True, False, False, False), (False, True, True, False), (False, False, True, True), ALL, ALL]
    skewed = {f"c{number}": knowing("ABCDE"[number], one) for number, one in enumerate(known)}
    results = campaign_of(clients_of(0, **skewed), plan=LEAVE_ONE_OUT).run(5)
    assert results["sessions"] == list("ABCDE")
    assert results["quarantined"] == results["failures"] == []


def test_a_site_without_any_emotion_of_the_run_is_named_and_the_others_are_a_quorum(campaign_of, clients_of, client_of):
    silent = client_of("C", {"ask": [Code.NO_SPEECH]})
    results = campaign_of(clients_of(2, c2=silent)).run(3)
    assert results["sessions"] == ["A", "B"]
    assert [failure["reason"].split(" (")[0] for failure in results["failures"]] == ["refused at admit: no-speech"]
    assert silent.heard == ["ask"]


def test_an_emotion_that_no_site_holds_is_one_error(campaign_of, clients_of, knowing):
    lacking = {f"c{number}": knowing(session, (True, True, False, True)) for number, session in enumerate("ABC")}
    with pytest.raises(UserError, match="no site holds speech that is sad") as raised:
        campaign_of(clients_of(0, **lacking), plan=LEAVE_ONE_OUT).run(3)
    assert "\n" not in str(raised.value)


def test_an_emotion_that_one_site_alone_holds_is_enough(campaign_of, clients_of, knowing):
    lacking = {f"c{number}": knowing(session, (True, True, False, True)) for number, session in enumerate("AB")}
    results = campaign_of(clients_of(0, **lacking, c2=knowing("C", ALL)), plan=LEAVE_ONE_OUT).run(3)
    assert [fold["name"] for fold in results["folds"]] == list("ABC")


def test_a_bank_that_lacks_an_emotion_is_one_error(bank_of, config, tmp_path):
    bank = bank_of((True, True, False, True), (True, False, False, True))
    with pytest.raises(UserError, match="no site holds speech that is sad"):
        bootstrap(config, bank, tmp_path / "run", None, lambda: False)


def test_a_pool_of_skewed_sites_has_room_for_what_it_draws_and_for_no_sample_more(bank_of, config, tmp_path):
    """Six an emotion: of the first one three from each of two, of the others six from the one that knows them."""
    bank = bank_of(ALL, (True, False, False, False))
    recognizers = Recognizers(tmp_path / "run", config, bank)
    exactly = (3 + 3 * 6 + 3) * 2 * 128 * 128 / 1e9

    def granting(gigabytes):
        campaign = config.campaign.model_copy(update={"pool_gigabytes": gigabytes})
        return Recognizers(tmp_path / "run", config.model_copy(update={"campaign": campaign}), bank)

    granting(exactly * 1.001).require_room([bank.banked()])
    with pytest.raises(UserError, match="the pool would fill"):
        granting(exactly * 0.999).require_room([bank.banked()])
    recognizers.train("everyone", bank.banked())
    drawn = sorted(file.stat().st_size / (2 * 128 * 128) for file in (tmp_path / "run" / "pool").iterdir())
    assert drawn == [3, 3 + 3 * 6]


def test_noise_on_an_emotion_that_a_site_does_not_hold_is_left_out_of_its_counts(campaign_of, clients_of, knowing):
    noised = ((9, 1, 0, 2), (3, -2, 1, 4), (1, 0, 5, -1), (0, 0, 2, 6))

    def scored(epsilon, counts):
        return lambda request, honest: encode(honest.model_copy(update={"epsilon": epsilon, "counts": (counts,)}))

    known = (True, False, True, True)
    noisy = knowing("A", known, {"score": [scored(0.26, noised)]})
    exact = knowing("B", known, {"score": [scored(None, tuple(tuple(map(abs, row)) for row in noised))]})
    results = campaign_of(clients_of(0, c0=noisy, c1=exact, c2=knowing("C", ALL)), plan=LEAVE_ONE_OUT).run(3)
    first, second, _ = (fold["counts"] for fold in results["folds"])
    assert first["A"] == [[[9, 1, 0, 2], [0, 0, 0, 0], [1, 0, 5, -1], [0, 0, 2, 6]]]
    assert second["B"] == [[[9, 1, 0, 2], [3, 2, 1, 4], [1, 0, 5, 1], [0, 0, 2, 6]]]
