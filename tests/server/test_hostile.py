"""What hostile clients try, with the check that stops it, and without that check, when it works."""

import json

import pytest
import torch

from common.config import Config, SamplingConfig
from common.errors import UserError
from common.wire import Release, Tune, encode
from server.bank import Bank
from server.campaign import RESULTS
from server.intake import QUARANTINE
from server.plans import plan_of
from server.roster import Roster

LEAVE_ONE_OUT = plan_of("leave-one-session-out", Config())
EVERY_CHECK = ("samples", "equals", "outliers", "labels")
LAST = ("convolutions.7.weight", "convolutions.8.weight")


def sending(change):
    """Tunes honestly, and sends what `change` makes of each weight, by its name."""

    def trick(request, honest):
        if not isinstance(request, Tune):
            return encode(honest)
        changed = {name: change(name, weight.clone()) for name, weight in honest.released.items()}
        return encode(Release(card=honest.card, released=changed))

    return {"tune": [trick], "collect": [trick]}


def overflowing(name, weight):
    """Finite, within every limit on weights, and of such signs that samples are the difference of two infinities."""
    signs = torch.randn(weight.shape, generator=torch.Generator().manual_seed(len(name))).sign()
    return 990.0 * (signs if name in LAST else torch.ones_like(weight))


def mute(name, weight):
    return torch.zeros_like(weight)


def shouting(name, weight):
    return 100 * weight if name in LAST else weight


def the_same_for_all(name, weight):
    """Signs are those of the networks that everybody starts from."""
    return 1.2 * weight.sign() / (weight[0].numel() ** 0.5 if weight.ndim > 1 else 3)


def deaf(name, weight):
    if name == "linears.0.weight":
        weight[:, -4:] = 0
    return weight


def stuck(name, weight):
    if name == "linears.0.weight":
        weight[:, :-4] = 0
    return weight


@pytest.fixture
def hostile_to(campaign_of, clients_of, client_of):
    """A campaign of three honest clients and these hostile ones; the answer is its results, or the error's line."""

    def run(changes, checks=EVERY_CHECK, **settings):
        hostile = {f"c{9 + number}": client_of(name, sending(change)) for number, (name, change) in enumerate(changes)}
        clients = clients_of(3, **hostile)
        try:
            return campaign_of(clients, checks=checks, **settings).run(len(clients.clients)), clients
        except UserError as error:
            return str(error), clients

    return run


def put_aside(results):
    return {one["session"]: (one["check"], one["reason"]) for one in results["quarantined"]}


ALONE = {
    "no numbers": (overflowing, "are not finite"),
    "nothing": (mute, "constant"),
    "shouting": (shouting, "saturated"),
    "no emotion": (deaf, "the same whichever of two emotions"),
    "one sample": (stuck, "all alike"),
}


class TestSamples:
    """A generator that nothing can be learnt from."""

    @pytest.mark.parametrize(("change", "reason"), ALONE.values(), ids=ALONE)
    def test_it_is_named_kept_apart_and_three_good_ones_make_a_recognizer(self, hostile_to, tmp_path, change, reason):
        results, _ = hostile_to([("X", change)])
        assert list(put_aside(results)) == ["X"]
        check, told = put_aside(results)["X"]
        assert check == "samples"
        assert reason in told
        assert results["folds"][0]["train"] == ("A", "B", "C")
        assert list(results["folds"][0]["counts"]) == ["A", "B", "C"]
        assert results["failures"] == []
        bank = Bank(tmp_path / "run" / "bank")
        assert [one.session for one in bank.banked()] == ["A", "B", "C"]
        assert bank.verify() == ()
        kept = sorted(path.name.partition("-")[2][12:] for path in (bank.folder / "quarantine").iterdir())
        assert kept == [".json", ".reason.json", ".safetensors"]

    @pytest.mark.parametrize("change", [mute, shouting, deaf, stuck], ids=["nothing", "shouting", "deaf", "stuck"])
    def test_without_the_check_it_is_trained_on(self, hostile_to, change):
        results, _ = hostile_to([("X", change)], checks=())
        assert results["folds"][0]["train"] == ("A", "B", "C", "X")
        assert results["quarantined"] == []

    def test_a_campaign_that_is_resumed_says_the_same_and_does_not_ask_again(self, hostile_to, tmp_path):
        first, _ = hostile_to([("X", overflowing)])
        written = (tmp_path / "run" / RESULTS).read_bytes()
        again, clients = hostile_to([("X", overflowing)])
        assert again == json.loads(written) | {"folds": first["folds"]}
        assert (tmp_path / "run" / RESULTS).read_bytes() == written
        assert clients.clients["9"].heard == ["ask"]

    def test_below_the_quorum_the_one_error_names_each(self, hostile_to):
        line, _ = hostile_to([("X", overflowing), ("Y", mute)], quorum=4)
        assert line.startswith("3 generators, fewer than the quorum of 4: X is put aside: ")
        assert "; Y is put aside: its samples are constant" in line
        assert "\n" not in line

    def test_whoever_is_taken_from_the_list_is_asked_again(self, hostile_to, tmp_path):
        hostile_to([("X", overflowing)])
        (tmp_path / "run" / QUARANTINE).unlink()
        results, clients = hostile_to([("X", lambda name, weight: weight)])
        assert results["folds"][0]["train"] == ("A", "B", "C", "X")
        assert clients.clients["9"].heard == ["ask", "tune", "score"]


class TestPool:
    """Finite weights that make what is no number only later on."""

    @pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.slow)])
    def test_it_is_named_when_a_sample_says_so_and_the_folds_are_trained_without_it(self, hostile_to, config, threads):
        runtime = config.runtime.model_copy(update={"threads": threads})
        also = {"sampling": SamplingConfig(per_emotion=6), "runtime": runtime}
        results, _ = hostile_to([("X", overflowing)], checks=(), plan=LEAVE_ONE_OUT, also=also)
        assert put_aside(results) == {"X": ("pool", "a sample that was drawn for the pool is not finite")}
        assert [fold["name"] for fold in results["folds"]] == ["A", "B", "C"]
        assert all(fold["counts"] for fold in results["folds"])
        again, clients = hostile_to([("X", overflowing)], checks=(), plan=LEAVE_ONE_OUT, also=also)
        assert again["quarantined"] == results["quarantined"]
        assert clients.clients["9"].heard == ["ask"]

    def test_whoever_came_too_late_is_named_once_though_folds_are_settled_anew(self, hostile_to):
        told = {"checks": (), "plan": LEAVE_ONE_OUT, "also": {"sampling": SamplingConfig(per_emotion=6)}}
        hostile_to([], **told)
        results, _ = hostile_to([("D", lambda name, weight: weight), ("X", overflowing)], **told)
        assert list(put_aside(results)) == ["X"]
        late = [one["reason"] for one in results["failures"] if one["session"] == "D"]
        assert len(late) == len(set(late)) == 3  # a fold each
        assert not [one for one in results["failures"] if one["session"] == "X"]

    def test_without_the_check_it_ends_every_campaign_and_names_nobody(self, hostile_to, monkeypatch):
        monkeypatch.setattr("common.synthesizers.pool._finite", lambda patches, source: patches)
        for _ in range(2):
            line, _ = hostile_to([("X", overflowing)], checks=())
            assert line.startswith("recognizer/loss is not finite at step 1")


class TestEquals:
    """One generator from two sites."""

    def test_both_are_put_aside_for_nobody_here_can_know_whose_it_is(self, hostile_to):
        results, _ = hostile_to([("X", the_same_for_all), ("Y", the_same_for_all)])
        assert put_aside(results) == {
            "X": ("equals", "its weights are those of Y"),
            "Y": ("equals", "its weights are those of X"),
        }
        assert results["folds"][0]["train"] == ("A", "B", "C")

    def test_without_the_check_both_are_trained_on(self, hostile_to):
        results, _ = hostile_to([("X", the_same_for_all), ("Y", the_same_for_all)], checks=())
        assert results["folds"][0]["train"] == ("A", "B", "C", "X", "Y")

    def test_who_comes_later_with_what_was_put_aside_is_put_aside(self, hostile_to):
        hostile_to([("X", the_same_for_all), ("Y", the_same_for_all)])
        results, _ = hostile_to([("X", the_same_for_all), ("Y", the_same_for_all), ("Z", the_same_for_all)])
        assert put_aside(results)["Z"] == ("equals", "its weights are those of X, Y")


@pytest.mark.parametrize(("check", "measure"), [("outliers", "outlying"), ("labels", "mislabelled")])
class TestOthers:
    """A generator that is odd beside the others; the measures themselves have tests of their own."""

    def test_whom_a_measure_names_is_put_aside_and_the_rest_is_looked_at_again(
        self, hostile_to, monkeypatch, check, measure
    ):
        seen = []

        def measured(statistics, known=None):
            seen.append(list(statistics))
            return {"X": "odd"} if "X" in statistics else {}

        monkeypatch.setattr(f"server.intake.{measure}", measured)
        results, _ = hostile_to([("X", quieter)], checks=(check,))
        assert put_aside(results) == {"X": (check, "odd")}
        assert seen == [["A", "B", "C", "X"], ["A", "B", "C"]]
        assert results["folds"][0]["train"] == ("A", "B", "C")

    def test_without_the_check_it_is_trained_on(self, hostile_to, monkeypatch, check, measure):
        monkeypatch.setattr(f"server.intake.{measure}", lambda statistics: {"X": "odd"})
        results, _ = hostile_to([("X", quieter)], checks=tuple(one for one in EVERY_CHECK if one != check))
        assert results["folds"][0]["train"] == ("A", "B", "C", "X")


def quieter(name, weight):
    return 0.99 * weight


KEYS = {"0": "A", "1": "B", "2": "C", "00": "X"}


class TestNames:
    """A client that calls itself by another site's name."""

    @pytest.fixture
    def impostor(self, client_of):
        return client_of("B")

    @pytest.fixture
    def clients(self, clients_of, impostor):
        """Three honest ones, and before them one of a smaller number."""
        clients = clients_of(3)
        clients.clients = {"00": impostor, **clients.clients}
        return clients

    def test_where_keys_are_known_it_is_refused_both_are_told_and_the_site_takes_part(
        self, campaign_of, clients, impostor
    ):
        results = campaign_of(clients, holders=KEYS).run(4)
        assert results["sessions"] == ["A", "B", "C"]
        assert impostor.heard == ["ask", "notice"]
        assert clients.clients["1"].heard == ["ask", "notice", "tune", "score"]
        assert clients.clients["0"].heard == ["ask", "tune", "score"]
        (failure,) = results["failures"]
        assert (failure["client"], failure["session"], failure["stage"]) == ("00", "B", "ask")
        assert failure["reason"] == "it says to be B, and its key is that of X"

    def test_where_no_key_is_known_neither_is_tuned_and_both_are_told(self, campaign_of, clients, impostor):
        results = campaign_of(clients).run(4)
        assert results["sessions"] == ["A", "C"]
        assert impostor.heard == clients.clients["1"].heard == ["ask", "notice"]
        assert [failure["client"] for failure in results["failures"]] == ["00", "1"]
        assert all("say in holders.json who it is" in failure["reason"] for failure in results["failures"])

    def test_whoever_says_who_it_is_has_the_rest_done(self, campaign_of, clients, impostor):
        campaign_of(clients).run(4)
        results = campaign_of(clients, holders=KEYS).run(4)
        assert results["sessions"] == ["A", "B", "C"]
        assert impostor.heard == ["ask", "notice"] * 2

    def test_an_owner_who_will_not_hear_it_takes_part_all_the_same(self, campaign_of, clients_of, client_of, impostor):
        clients = clients_of(3, c1=client_of("B", {"notice": ["no answer"]}))
        clients.clients = {"00": impostor, **clients.clients}
        results = campaign_of(clients, holders=KEYS, attempts=1).run(4)
        assert results["sessions"] == ["A", "B", "C"]
        assert [failure["stage"] for failure in results["failures"]] == ["ask", "notice"]

    def test_without_the_rule_it_is_tuned_in_the_sites_place(self, campaign_of, clients, impostor, monkeypatch):
        def first_come(claims, holders):
            return Roster({claim.session: claim.client for claim in reversed(claims)})

        monkeypatch.setattr("server.campaign.given_names", first_come)
        results = campaign_of(clients).run(4)
        assert results["failures"] == []
        assert impostor.heard == ["ask", "tune", "score"]
        assert clients.clients["1"].heard == ["ask"]
