"""A campaign asks no more than it must, goes on without those who fail, names them, and survives being stopped."""

import json
import random

import pytest

from common.config import Config
from common.errors import UserError
from common.training.pretrained import Pretrained
from common.training.stages import Pair
from common.wire import Card, Code, Release, encode
from server.bank import Bank
from server.campaign import RESULTS
from server.outcome import read_found
from server.plans import plan_of

SILENCE = "no answer within 5 seconds"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Where the campaign lies that others are compared with."""
    return tmp_path_factory.mktemp("uninterrupted")


LEAVE_ONE_OUT = plan_of("leave-one-session-out", Config())


def results_of(campaign_folder):
    return (campaign_folder / RESULTS).read_bytes()


class TestTheSequence:
    """What is asked of whom, and what comes of it."""

    def test_leave_one_out_comes_from_one_tuning_a_client(self, campaign_of, clients_of, tmp_path):
        clients = clients_of(5)
        results = campaign_of(clients, plan=LEAVE_ONE_OUT).run(5)
        assert [client.heard for client in clients.clients.values()] == [["ask", "tune", "score"]] * 5
        assert clients.waited == [5]
        assert [fold["name"] for fold in results["folds"]] == list("ABCDE")
        for fold in results["folds"]:
            assert fold["train"] == tuple(name for name in "ABCDE" if name != fold["name"])
            assert list(fold["counts"]) == [fold["name"]]
        assert [one.session for one in Bank(tmp_path / "run" / "bank").banked()] == list("ABCDE")
        assert results["failures"] == []
        assert json.loads(results_of(tmp_path / "run")) == json.loads(json.dumps(results))

    def test_in_production_one_recognizer_is_scored_everywhere(self, campaign_of, clients_of):
        results = campaign_of(clients_of(3)).run(3)
        (fold,) = results["folds"]
        assert fold["train"] == fold["test"] == ("A", "B", "C")
        assert list(fold["counts"]) == ["A", "B", "C"]

    def test_results_do_not_depend_on_the_order_in_which_answers_arrive(self, campaign_of, clients_of, tmp_path):
        orders = {"as-sent": list, "reversed": lambda sent: list(sent)[::-1], "shuffled": shuffled}
        for name, arrival in orders.items():
            campaign_of(clients_of(3, arrival=arrival), plan=LEAVE_ONE_OUT, folder=name).run(3)
        one, *others = (results_of(tmp_path / name) for name in orders)
        assert others == [one, one]

    def test_the_pool_is_gone_when_all_are_trained(self, campaign_of, clients_of, tmp_path):
        campaign_of(clients_of(2)).run(2)
        assert not (tmp_path / "run" / "pool").exists()

    def test_confusions_come_by_speaker_where_a_site_lets_them(self, campaign_of, clients_of, client_of):
        forbids = client_of("B", {"score": [Code.SPEAKERS_FORBIDDEN, None]})
        results = campaign_of(clients_of(1, c1=forbids), per_speaker=True).run(2)
        counts = results["folds"][0]["counts"]
        assert {session: len(matrices) for session, matrices in counts.items()} == {"A": 2, "B": 1}
        assert results["failures"] == []
        assert forbids.heard == ["ask", "tune", "score", "score"]

    def test_counts_with_noise_are_kept_as_they_came_and_their_noise_beside_them(
        self, campaign_of, clients_of, client_of, tmp_path
    ):
        noised = ((-3, 1, 0, 2), (0, 9, 0, 0), (1, 0, 5, -1), (0, 0, 2, 6))

        def add_noise(request, honest):
            return encode(honest.model_copy(update={"epsilon": 0.26, "counts": (noised,)}))

        for _ in range(2):  # asked for once, then read again
            noisy = client_of("B", {"score": [add_noise]})
            (fold,) = campaign_of(clients_of(1, c1=noisy)).run(2)["folds"]
            assert fold["noise"] == {"A": None, "B": 0.26}
            assert fold["counts"]["B"] == [[list(row) for row in noised]]
        assert noisy.heard == ["ask"]
        assert read_found(tmp_path / "run" / RESULTS).folds[0].noise == {"A": None, "B": 0.26}

    def test_whoever_is_still_at_work_is_asked_until_it_is_done(self, campaign_of, clients_of, client_of, watcher):
        slow = client_of("B", {"tune": [1], "collect": [1, 1, None]})
        results = campaign_of(clients_of(1, c1=slow), watcher).run(2)
        assert slow.heard == ["ask", "tune", "collect", "collect", "collect", "score"]
        assert watcher.events.count(("working", "B", 1)) == 3
        assert results["sessions"] == ["A", "B"]

    def test_the_networks_are_sent_to_whoever_lacks_them_alone(self, campaign_of, clients_of, client_of):
        lacks = client_of("B", {"tune": [Code.BASE_NEEDED, None]})
        clients = clients_of(1, c1=lacks)
        results = campaign_of(clients).run(2)
        assert results["sessions"] == ["A", "B"]
        assert results["failures"] == []
        assert lacks.heard == ["ask", "tune", "tune", "score"]
        assert [client.shipped for client in clients.clients.values()] == [[False], [False, True]]

    def test_the_disk_is_looked_at_before_anything_is_drawn(self, campaign_of, clients_of, tmp_path):
        with pytest.raises(UserError, match=r"pool would fill 0\.0 GB, more than campaign\.pool_gigabytes"):
            campaign_of(clients_of(2), pool_gigabytes=1e-6).run(2)
        assert not (tmp_path / "run" / "pool").exists()


def shuffled(sent):
    return random.Random(3).sample(list(sent), len(sent))


class TestFailures:
    """One of four clients does not do its part."""

    @pytest.mark.parametrize(
        ("trick", "reason", "asked", "kept_apart"),
        [
            (SILENCE, SILENCE, 2, False),
            (lambda request, honest: encode(honest)[:-2] + b"\x00\x7e", "not-finite", 2, True),
            (Code.RECIPE_FORBIDDEN, "recipe-forbidden", 1, False),
        ],
        ids=["silent", "one NaN", "another recipe"],
    )
    def test_a_tuning_that_fails_is_named_and_the_others_go_on(
        self, campaign_of, clients_of, client_of, watcher, tmp_path, trick, reason, asked, kept_apart
    ):
        bad = client_of("D", {"tune": [trick]})
        results = campaign_of(clients_of(2, c3=bad), watcher).run(3)
        assert results["sessions"] == ["A", "B"]
        assert bad.heard == ["ask", *["tune"] * asked]
        assert len(results["failures"]) == asked
        for failure in results["failures"]:
            assert (failure["client"], failure["session"], failure["stage"]) == ("3", "D", "tune")
            assert reason in failure["reason"]
        assert sum(event[0] == "failed" for event in watcher.events) == asked
        rejected = (tmp_path / "run" / "bank" / "quarantine").glob("*.rejected")
        assert [path.name[0] for path in rejected] == ["D"] * kept_apart

    @pytest.mark.parametrize(
        ("trick", "reason", "asked"),
        [
            (SILENCE, SILENCE, 2),
            (b"rubbish " * 9, "malformed", 2),
            (Code.KIND_FORBIDDEN, "kind-forbidden", 1),
        ],
        ids=["silent", "rubbish", "refuses"],
    )
    def test_whoever_does_not_say_what_it_has_takes_no_part(
        self, campaign_of, clients_of, client_of, trick, reason, asked
    ):
        bad = client_of("C", {"ask": [trick]})
        results = campaign_of(clients_of(2, c2=bad)).run(3)
        assert results["sessions"] == ["A", "B"]
        assert bad.heard == ["ask"] * asked
        assert [failure["stage"] for failure in results["failures"]] == ["ask"] * asked
        assert reason in results["failures"][0]["reason"]

    @pytest.mark.parametrize(
        ("described", "reason"),
        [
            ({"labels": ("angry", "neutral", "sad", "happy")}, "label order angry, neutral, sad, happy is not neutral"),
            ({"features": "0123456789ab"}, "features 0123456789ab are not "),
        ],
        ids=["labels", "features"],
    )
    @pytest.mark.parametrize("arrival", [list, lambda sent: list(sent)[::-1]], ids=["in order", "reversed"])
    def test_whoever_does_not_fit_takes_no_part_and_is_not_asked_again(
        self, campaign_of, clients_of, client_of, described, reason, arrival
    ):
        bad = client_of("C", **described)
        results = campaign_of(clients_of(2, c2=bad, arrival=arrival)).run(3)
        assert results["sessions"] == ["A", "B"]
        assert bad.heard == ["ask"]
        ((failure),) = results["failures"]
        assert (failure["client"], failure["stage"]) == ("2", "ask")
        assert reason in failure["reason"]

    @pytest.mark.parametrize("trick", [SILENCE, b"rubbish " * 9, Code.FAILED])
    def test_counts_that_do_not_come_are_missing_and_named(self, campaign_of, clients_of, client_of, trick):
        bad = client_of("B", {"score": [trick]})
        results = campaign_of(clients_of(1, c1=bad), plan=LEAVE_ONE_OUT).run(2)
        assert [list(fold["counts"]) for fold in results["folds"]] == [["A"], []]
        assert [failure["stage"] for failure in results["failures"]] == ["score", "score"]

    @pytest.mark.parametrize("kind", ["ask", "tune", "score"])
    def test_whoever_fails_once_is_asked_again_and_takes_part(self, campaign_of, clients_of, client_of, tmp_path, kind):
        sound = campaign_of(clients_of(2), folder="sound").run(2)
        shaky = client_of("B", {kind: [Code.FAILED, None]})
        results = campaign_of(clients_of(1, c1=shaky)).run(2)
        assert results["sessions"] == sound["sessions"]
        assert results["folds"] == sound["folds"]
        assert len(results["failures"]) == 1


class TestQuorum:
    """How few are too few."""

    def test_fewer_than_the_quorum_end_in_one_line_that_names_every_failure(self, campaign_of, clients_of, client_of):
        others = {"c1": client_of("B", {"tune": [SILENCE]}), "c2": client_of("C", {"tune": [b"rubbish " * 9]})}
        with pytest.raises(UserError, match="1 generators, fewer than the quorum of 2") as caught:
            campaign_of(clients_of(1, **others)).run(3)
        line = str(caught.value)
        assert f"client 1 (B) at tune: {SILENCE}" in line
        assert "client 2 (C) at tune: its answer was turned away: malformed" in line
        assert "run again with --resume" in line
        assert "\n" not in line

    def test_what_several_clients_met_alike_is_told_once(self, campaign_of, clients_of, client_of):
        others = {f"c{name}": client_of(name, {"tune": [Code.TOO_LITTLE_SPEECH]}) for name in "BC"}
        with pytest.raises(UserError) as caught:
            campaign_of(clients_of(1, **others)).run(3)
        assert str(caught.value).count("B, C at tune: refused at admit: too-little-speech (the site holds too few") == 1
        assert str(caught.value).count("too-little-speech") == 1

    def test_no_client_at_all(self, campaign_of, clients_of):
        with pytest.raises(UserError, match=r"0 clients that fit.*client \? at ask: 0 of 2 clients came within 5 s"):
            campaign_of(clients_of(0), ask_seconds=5).run(2)

    def test_whoever_did_not_come_is_noted(self, campaign_of, clients_of):
        results = campaign_of(clients_of(2), ask_seconds=5).run(5)
        assert [failure["reason"] for failure in results["failures"]] == ["2 of 5 clients came within 5 seconds"]

    def test_one_generator_may_be_enough_in_production_but_leaves_nothing_to_leave_out(self, campaign_of, clients_of):
        assert campaign_of(clients_of(1), quorum=1).run(1)["folds"][0]["train"] == ("A",)
        with pytest.raises(UserError, match="leave-one-session-out needs two generators: A;"):
            campaign_of(clients_of(1), plan=LEAVE_ONE_OUT, folder="other", quorum=1).run(1)


class TestResume:
    """A campaign that was stopped, and goes on in its folder."""

    EVENTS = 14
    """Of a leave-one-out campaign of two."""

    def test_an_uninterrupted_campaign_has_as_many_events_as_the_next_test_stops_at(
        self, campaign_of, clients_of, watcher
    ):
        campaign_of(clients_of(2), watcher, plan=LEAVE_ONE_OUT).run(2)
        assert len(watcher.events) == self.EVENTS

    @pytest.mark.parametrize("event", range(1, EVENTS + 1))
    def test_killed_at_any_event_it_ends_alike_and_asks_for_nothing_twice(
        self, campaign_of, clients_of, dying_watcher, tmp_path, uninterrupted, event
    ):
        if not (uninterrupted / RESULTS).exists():
            campaign_of(clients_of(2), plan=LEAVE_ONE_OUT, folder=uninterrupted).run(2)
        clients = clients_of(2)
        with pytest.raises(KeyboardInterrupt):
            campaign_of(clients, dying_watcher(event), plan=LEAVE_ONE_OUT).run(2)
        assert not (tmp_path / "run" / RESULTS).exists()
        campaign_of(clients, plan=LEAVE_ONE_OUT).run(2)
        assert results_of(tmp_path / "run") == results_of(uninterrupted)
        for client in clients.clients.values():
            assert client.heard.count("tune") == 1
            assert client.heard.count("score") == 1

    def test_a_generator_is_used_though_its_client_is_gone(self, campaign_of, clients_of, dying_watcher):
        before = clients_of(3)
        with pytest.raises(KeyboardInterrupt):
            campaign_of(before, dying_watcher(9)).run(3)
        results = campaign_of(clients_of(2)).run(2)
        assert results["folds"][0]["train"] == ("A", "B", "C")
        assert list(results["folds"][0]["counts"]) == ["A", "B"]
        assert [failure["session"] for failure in results["failures"]] == ["C"]

    def test_whoever_comes_later_is_pooled_and_old_counts_do_not_stand_for_the_new_recognizer(
        self, campaign_of, clients_of
    ):
        whole = campaign_of(clients_of(3), folder="whole").run(3)
        before = campaign_of(clients_of(2)).run(2)
        after = campaign_of(clients_of(3)).run(3)
        assert before["folds"][0]["counts"]["A"] != after["folds"][0]["counts"]["A"]
        assert after["folds"] == whole["folds"]

    def test_a_fold_that_was_tested_keeps_its_score_and_its_recognizer_when_another_comes_later(
        self, campaign_of, clients_of
    ):
        """A site scores one recognizer of a fold: trained anew, it would have no score."""
        before = campaign_of(clients_of(2), plan=LEAVE_ONE_OUT).run(2)
        after = campaign_of(clients_of(3), plan=LEAVE_ONE_OUT).run(3)
        assert [fold["train"] for fold in before["folds"]] == [("B",), ("A",)]
        assert [fold["train"] for fold in after["folds"]] == [("B",), ("A",), ("A", "B")]
        assert [fold["counts"] for fold in after["folds"][:2]] == [fold["counts"] for fold in before["folds"]]
        assert list(after["folds"][2]["counts"]) == ["C"]
        told = {(one["session"], one["stage"], one["reason"]) for one in after["failures"]}
        assert told == {
            ("C", "train", f"it came after fold {fold} was given out to be tested, whose recognizer stays without it")
            for fold in "AB"
        }

    @pytest.mark.parametrize("lost", [True, False])
    def test_a_fold_that_was_given_out_keeps_its_recognizer_though_its_answer_was_lost(
        self, campaign_of, clients_of, client_of, lost
    ):
        """The site scored it and scores no other: asked again for the same one, it gives the same answer."""
        clients = clients_of(0, c0=client_of("A"), c1=client_of("B", {"score": [b"rubbish" if lost else None]}))
        before = campaign_of(clients, plan=LEAVE_ONE_OUT).run(2)
        assert (before["folds"][1]["counts"] == {}) == lost
        after = campaign_of(clients_of(3), plan=LEAVE_ONE_OUT).run(3)
        assert [fold["train"] for fold in after["folds"]] == [("B",), ("A",), ("A", "B")]
        assert [[*fold["counts"]] for fold in after["folds"]] == [["A"], ["B"], ["C"]]

    def test_a_fold_that_was_not_sent_yet_takes_in_whoever_comes_after_a_kill(self, campaign_of, clients_of):
        clients = clients_of(2)
        exchange = clients.exchange

        def killed(payloads, seconds):
            first = next(iter(payloads.values()))
            if first.__self__.request.kind != "score":
                return exchange(payloads, seconds)
            first()  # of two requests, the one that is sent
            raise KeyboardInterrupt

        clients.exchange = killed
        with pytest.raises(KeyboardInterrupt):
            campaign_of(clients, plan=LEAVE_ONE_OUT).run(2)
        after = campaign_of(clients_of(3), plan=LEAVE_ONE_OUT).run(3)
        assert [fold["train"] for fold in after["folds"]] == [("B",), ("A", "C"), ("A", "B")]
        assert [[*fold["counts"]] for fold in after["folds"]] == [["A"], ["B"], ["C"]]

    def test_what_a_site_holds_is_asked_for_once_done_without_and_taken_when_it_is_let_go(
        self, campaign_of, clients_of, client_of
    ):
        whole = campaign_of(clients_of(3), folder="whole").run(3)
        held = client_of("C", {"tune": [Code.HELD]})
        before = campaign_of(clients_of(2, c2=held)).run(3)
        assert before["folds"][0]["train"] == ("A", "B")
        (failure,) = before["failures"]
        assert (failure["session"], failure["reason"].split(" (")[0]) == ("C", "refused at admit: held")
        assert held.heard.count("tune") == 1
        after = campaign_of(clients_of(3)).run(3)
        assert after["folds"] == whole["folds"]

    def test_generators_that_were_tuned_otherwise_are_not_mixed_in(self, campaign_of, clients_of, base, config):
        campaign_of(clients_of(2)).run(2)
        other = Pretrained(Pair.fresh(config.network, config.corpus.classes, seed=1), base.scaling, {})
        clients = clients_of(2)
        with pytest.raises(UserError, match="this run's generators were tuned otherwise") as caught:
            campaign_of(clients, base=other).run(2)
        assert "weights: " in str(caught.value)
        assert [client.heard for client in clients.clients.values()] == [[], []]

    def test_a_generator_cut_in_half_is_named_and_asked_for_again_when_put_aside(
        self, campaign_of, clients_of, dying_watcher, tmp_path
    ):
        sound = campaign_of(clients_of(2), folder="sound").run(2)
        clients = clients_of(2)
        with pytest.raises(KeyboardInterrupt):
            campaign_of(clients, dying_watcher(6)).run(2)
        bank = Bank(tmp_path / "run" / "bank")
        weights = bank.files(bank.banked()[0])[1]
        weights.write_bytes(weights.read_bytes()[:1000])
        with pytest.raises(UserError, match="cut or grown") as caught:
            campaign_of(clients).run(2)
        assert str(weights) in str(caught.value)
        for finding in bank.verify():
            bank.put_aside(finding)
        assert campaign_of(clients).run(2)["folds"] == sound["folds"]
        assert [client.heard.count("tune") for client in clients.clients.values()] == [2, 1]

    def test_a_disk_that_fills_up_while_banking_ends_it_and_nothing_is_lost(
        self, campaign_of, clients_of, disk_with_room_for, tmp_path
    ):
        clients = clients_of(2)
        with disk_with_room_for(20_000), pytest.raises(UserError, match="cannot write"):
            campaign_of(clients).run(2)
        assert Bank(tmp_path / "run" / "bank").verify() == ()
        assert campaign_of(clients).run(2)["sessions"] == ["A", "B"]


def test_a_release_is_banked_before_the_next_answer_is_asked_for(campaign_of, clients_of, tmp_path):
    """What the server holds does not grow with the number of clients."""
    seen = []

    def arrival(sent):
        for client in sent:
            seen.append(len(Bank(tmp_path / "run" / "bank").banked()))
            yield client

    campaign_of(clients_of(3, arrival=arrival)).run(3)
    assert seen == [0, 0, 0, 0, 1, 2, 3, 3, 3]


def test_the_card_of_a_release_repeats_what_was_asked(campaign_of, clients_of, tmp_path, config):
    campaign_of(clients_of(2)).run(2)
    bank = Bank(tmp_path / "run" / "bank")
    for banked in bank.banked():
        release = bank.load(banked)
        assert isinstance(release, Release)
        assert isinstance(release.card, Card)
        assert release.card.tuning.own.finetuning == config.finetuning
    assert [banked.card.tuning.session for banked in bank.banked()] == ["A", "B"]
