"""A keeper answers a handful of typed calls, says no by name to everything else, and outlives whoever asks."""

import logging
import shutil
import threading
import time

import pytest

from client import keeper as keeper_module
from client.activity import TUNINGS, activity
from client.bases import BASES, read_base
from client.dice import Dice, read_dice, write_secret
from client.keeper import Keeper
from client.ledger import entries, verify
from client.policy import Policy
from client.tuning import DONE, SNAPSHOTS, Clock
from common.config.loading import load_config
from common.errors import UserError
from common.synthesizers import synthesizer
from common.training.checkpoint import TENSORS
from common.training.pretrained import shipped_weights
from common.wire import (
    Ask,
    Code,
    Collect,
    Description,
    Noted,
    Notice,
    Release,
    Stage,
    Working,
    encode,
    weights_digest,
)

LONG = 250.0
ASK = Ask(run="run-1")
NOTICE = Notice(run="run-1", session="03+08")


def named(request):
    """The same request without its networks."""
    return request.model_copy(update={"shipped": False, "base": {}})


class TestDescribing:
    """What a site says of itself."""

    def test_under_the_default_policy_no_count_is_told(self, keeper, said):
        told = said(keeper, ASK)
        assert isinstance(told, Description)
        assert (told.session, told.labels) == ("03+08", ("neutral", "angry", "sad", "happy"))
        assert (told.utterances, told.speakers) == (None, None)

    def test_a_policy_that_tells_counts_tells_them(self, site, said, with_policy):
        told = said(Keeper(with_policy(site, "tell_counts = true")), ASK)
        assert (told.utterances, told.speakers) == ((6, 6, 6, 6), 2)

    def test_a_policy_that_tells_nothing_refuses_by_name(self, site, said, with_policy):
        told = said(Keeper(with_policy(site, 'allow = ["release"]')), ASK)
        assert (told.code, told.stage) == (Code.KIND_FORBIDDEN, Stage.ADMIT)


class TestNotices:
    """Somebody else says to be this site."""

    def test_it_stands_in_the_sites_own_log_and_ledger(self, keeper, site, said, caplog):
        assert said(keeper, NOTICE) == Noted(run="run-1", session="03+08")
        assert "another client says to be 03+08 too; ask the server's people who it is" in caplog.text
        noted = [(entry.outcome, entry.kind) for entry in entries(site.ledger)]
        assert noted == [("admitted", "notice"), ("sent", "noted")]
        assert '"word":"name-disputed"' in next(entries(site.ledger)).words
        assert verify(site.ledger).problems == ()

    def test_of_another_session_it_is_none_of_this_sites_business(self, keeper, said, caplog):
        told = said(keeper, NOTICE.model_copy(update={"session": "10+09"}))
        assert told.code is Code.UNKNOWN_SESSION
        assert "another client" not in caplog.text


class TestTuning:
    """From a request to a release, whoever waits for it."""

    def test_a_relay_that_waits_gets_the_generator_and_its_papers(self, keeper, said, ask_to_tune):
        request = ask_to_tune()
        told = said(keeper, request, LONG)
        assert isinstance(told, Release)
        assert (told.card.tuning, told.card.utterances) == (request.tuning, None)

    def test_a_relay_that_goes_away_and_asks_again_gets_the_finished_release(self, keeper, said, ask_to_tune):
        request, collect = ask_to_tune(), Collect(tuning=ask_to_tune().tuning)
        told = said(keeper, request)
        assert isinstance(told, Working)
        assert (told.iterations, told.session) == (2, "03+08")
        first = said(keeper, collect, LONG)
        again = said(keeper, request)
        assert isinstance(first, Release)
        assert weights_digest(first.weights()) == weights_digest(again.weights())

    def test_a_keeper_that_was_started_again_hands_it_over_as_well(self, keeper, site, said, ask_to_tune):
        first = said(keeper, ask_to_tune(), LONG)
        again = said(Keeper(site), Collect(tuning=ask_to_tune().tuning))
        assert encode(again) == encode(first)

    def test_a_keeper_that_was_started_again_goes_on_by_itself_with_all_that_was_asked(
        self, keeper, site, said, ask_to_tune, monkeypatch
    ):
        monkeypatch.setattr(keeper_module, "tune", lambda *arguments: None)  # as if killed before the first step
        requests = [ask_to_tune(iterations=steps) for steps in (1, 2)]
        for request in requests:
            assert isinstance(said(keeper, request), Working)
        monkeypatch.undo()
        keeper.stop(LONG)
        restarted = Keeper(site)
        restarted.resume()
        assert restarted.status()["tunings"] == 2
        for request in requests:
            assert isinstance(said(restarted, Collect(tuning=request.tuning), LONG), Release)

    def test_it_answers_others_while_one_waits_for_a_tuning(self, keeper, said, ask_to_tune, monkeypatch):
        monkeypatch.setattr(keeper_module, "tune", lambda folder, door, runtime, grant, stop: stop_asked(stop))
        waiting = threading.Thread(target=said, args=(keeper, ask_to_tune(), float("inf")))
        waiting.start()
        while not keeper.status()["tunings"]:
            pass
        assert isinstance(said(keeper, ASK), Description)
        assert isinstance(said(keeper, ask_to_tune(iterations=9)), Working)
        assert keeper.status()["tunings"] == 2
        keeper.stop(LONG)
        waiting.join(LONG)
        assert not waiting.is_alive()

    def test_what_failed_is_told_as_a_word_and_tried_again_when_it_is_asked_for_anew(
        self, keeper, said, ask_to_tune, monkeypatch, caplog
    ):
        def fail(*arguments):
            raise OSError("/srv/speech/patient-7.wav")

        collect = Collect(tuning=ask_to_tune().tuning)
        with monkeypatch.context() as failing:
            failing.setattr(keeper_module, "tune", fail)
            assert said(keeper, ask_to_tune(), LONG).code is Code.FAILED
            assert said(keeper, collect).code is Code.FAILED
        assert "patient-7" in caplog.text
        assert said(keeper, collect).code is Code.FAILED
        assert isinstance(said(keeper, ask_to_tune(), LONG), Release)

    def test_a_damaged_release_is_made_again_from_the_same_draws(self, keeper, site, said, ask_to_tune):
        first = said(keeper, ask_to_tune(), LONG)
        (tensors,) = (site.state / TUNINGS).glob(f"*/{DONE}/{TENSORS}")
        tensors.write_bytes(b"half")
        again = said(keeper, Collect(tuning=ask_to_tune().tuning), LONG)
        assert weights_digest(again.weights()) == weights_digest(first.weights())

    def test_a_release_is_given_again_and_not_made_again_to_another_run(
        self, keeper, site, said, ask_to_tune, monkeypatch
    ):
        first = said(keeper, ask_to_tune(), LONG)
        monkeypatch.setattr(keeper_module, "tune", lambda *arguments: pytest.fail("made again"))
        for asked in (ask_to_tune(run="run-2"), Collect(tuning=ask_to_tune(run="run-3").tuning)):
            told = said(keeper, asked)
            assert isinstance(told, Release)
            assert told.card.tuning == asked.tuning
            assert weights_digest(told.weights()) == weights_digest(first.weights())
        assert len(list((site.state / TUNINGS).iterdir())) == 1

    def test_another_recipe_is_another_release(self, keeper, site, said, ask_to_tune):
        """A control."""
        first, second = (said(keeper, ask_to_tune(iterations=steps), LONG) for steps in (1, 2))
        assert weights_digest(first.weights()) != weights_digest(second.weights())
        assert len(list((site.state / TUNINGS).iterdir())) == 2

    def test_of_other_speech_a_release_is_made_anew(self, speech, site, said, ask_to_tune, tmp_path):
        own = site.model_copy(update={"root": shutil.copytree(speech, tmp_path / "speech")})
        first = said(Keeper(own), ask_to_tune(), LONG)
        for path in own.root.glob("*.wav"):  # whichever it draws, it is another
            shutil.copy(speech / f"{(int(path.stem) + 1) % 24:02d}.wav", path)
        second = said(Keeper(own), ask_to_tune(), LONG)
        assert weights_digest(first.weights()) != weights_digest(second.weights())

    def test_networks_that_the_site_lacks_are_asked_for_and_from_then_on_are_there(self, keeper, said, ask_to_tune):
        told = said(keeper, named(ask_to_tune()))
        assert (told.code, told.stage) == (Code.BASE_NEEDED, Stage.TUNE)
        assert keeper.status()["tunings"] == 0
        sent = said(keeper, ask_to_tune(), LONG)
        assert isinstance(sent, Release)
        assert isinstance(said(keeper, named(ask_to_tune(iterations=3)), LONG), Release)

    def test_networks_that_were_named_give_the_generator_of_those_that_were_sent(
        self, keeper, said, ask_to_tune, tmp_path, site
    ):
        sent = said(keeper, ask_to_tune(), LONG)
        shutil.rmtree(site.state / TUNINGS)
        assert weights_digest(said(keeper, named(ask_to_tune()), LONG).weights()) == weights_digest(sent.weights())

    def test_networks_that_come_with_eyesoff_need_not_be_sent(self, site, said, ask_to_tune, monkeypatch, with_policy):
        """What a tuning of the demo preset names, under the lists of the default policy."""
        monkeypatch.setattr(keeper_module, "tune", lambda folder, door, runtime, grant, stop: stop_asked(stop))
        config, base = load_config("demo"), read_base(shipped_weights("demo"))
        lists = f"bases = {list(Policy().bases)}\nrecipes = {list(Policy().recipes)}"
        keeper = Keeper(with_policy(site, lists))
        settings = synthesizer("eskimez").settings_of(config).model_dump(mode="json")
        asked = ask_to_tune(settings=settings, scaling=base.scaling, weights=weights_digest({"base": base.weights}))
        assert isinstance(said(keeper, named(asked)), Working)
        keeper.stop(LONG)

    def test_what_takes_too_long_is_told_by_name_and_is_not_begun_afresh_by_asking_again(
        self, site, said, ask_to_tune, with_policy, monkeypatch
    ):
        monkeypatch.setattr(Clock, "seconds", property(lambda clock: 61.0))
        keeper = Keeper(with_policy(site, "minutes_a_request = 1"))
        for asked in (ask_to_tune(), Collect(tuning=ask_to_tune().tuning), ask_to_tune()):
            assert said(keeper, asked, LONG).code is Code.TOO_LONG
        assert isinstance(said(Keeper(with_policy(site, "minutes_a_request = 2")), ask_to_tune(), LONG), Release)

    def test_the_time_that_one_took_is_not_forgotten_when_it_gives_way(
        self, site, said, ask_to_tune, with_policy, monkeypatch
    ):
        """Else two tunings that take turns would hold a keeper for ever."""
        keeper = Keeper(with_policy(site, "minutes_a_request = 1"))
        with monkeypatch.context() as slow:
            slow.setattr(Clock, "seconds", property(lambda clock: 61.0))
            assert said(keeper, ask_to_tune(), LONG).code is Code.TOO_LONG
        assert isinstance(said(keeper, ask_to_tune(iterations=1), LONG), Release)
        for asking in (keeper, Keeper(with_policy(site, "minutes_a_request = 1"))):
            assert said(asking, ask_to_tune(), LONG).code is Code.TOO_LONG
        assert activity(site.state).steps == 2

    def test_what_failed_gives_way_to_what_is_asked_next(self, keeper, site, said, ask_to_tune, monkeypatch):
        def fail(folder, *arguments):
            (folder.path / SNAPSHOTS).mkdir()
            raise OSError("the power went")

        with monkeypatch.context() as failing:
            failing.setattr(keeper_module, "tune", fail)
            for steps in (1, 2):
                assert said(keeper, ask_to_tune(iterations=steps), LONG).code is Code.FAILED
                (kept,) = (site.state / TUNINGS).iterdir()
        assert isinstance(said(keeper, ask_to_tune(iterations=3), LONG), Release)
        assert not kept.exists()
        assert said(keeper, Collect(tuning=ask_to_tune(iterations=2).tuning)).code is Code.FAILED

    def test_what_is_finished_or_waits_gives_way_to_nothing(self, keeper, site, said, ask_to_tune, monkeypatch):
        """A control."""
        first = said(keeper, ask_to_tune(iterations=1), LONG)
        monkeypatch.setattr(keeper_module, "tune", lambda folder, door, runtime, grant, stop: stop_asked(stop))
        for steps in (2, 3):
            said(keeper, ask_to_tune(iterations=steps))
        assert len(list((site.state / TUNINGS).glob("*/asked.json"))) == 3
        again = said(keeper, ask_to_tune(iterations=1))
        assert weights_digest(again.weights()) == weights_digest(first.weights())

    def test_a_disk_for_its_work_that_is_full_begins_nothing_and_gives_what_is_finished(
        self, keeper, site, said, ask_to_tune, with_policy
    ):
        finished = said(keeper, ask_to_tune(), LONG)
        full = Keeper(with_policy(site, "gibibytes_of_state = 1e-6"))
        told = said(full, ask_to_tune(iterations=3))
        assert (told.code, told.stage) == (Code.STATE_FULL, Stage.TUNE)
        assert full.status()["tunings"] == 0
        assert len(list((site.state / TUNINGS).iterdir())) == 1
        again = said(full, ask_to_tune())
        assert weights_digest(again.weights()) == weights_digest(finished.weights())

    def test_collecting_what_was_never_asked_for_is_refused(self, keeper, said, ask_to_tune):
        assert said(keeper, Collect(tuning=ask_to_tune().tuning)).code is Code.NOT_BEGUN

    def test_nothing_new_is_begun_when_the_day_is_spent(self, site, said, ask_to_tune, with_policy):
        keeper = Keeper(with_policy(site, "tunings_a_day = 0"))
        assert said(keeper, ask_to_tune()).code is Code.TUNINGS_SPENT
        assert keeper.status()["tunings"] == 0

    def test_everything_that_left_stands_in_the_ledger(self, keeper, site, said, ask_to_tune):
        said(keeper, ask_to_tune(), LONG)
        said(keeper, ASK)
        assert verify(site.ledger).problems == ()
        told = [(entry.outcome, entry.kind) for entry in entries(site.ledger)]
        assert told == [("admitted", "tune"), ("sent", "release"), ("sent", "description")]


class TestStarting:
    """What a keeper finds when it starts."""

    def test_a_torn_ledger_is_healed_before_anything_leaves(self, keeper, site, said):
        said(keeper, ASK)
        with site.ledger.open("ab") as stream:
            stream.write(b'{"time": "20')
        assert isinstance(said(Keeper(site), ASK), Description)
        verification = verify(site.ledger)
        assert (verification.healed, verification.problems) == (1, ())

    def test_a_ledger_that_somebody_changed_keeps_it_from_starting(self, keeper, site, said):
        said(keeper, ASK)
        said(keeper, ASK)
        first, second = site.ledger.read_text().splitlines()
        site.ledger.write_text(first.replace("run-1", "run-2") + "\n" + second + "\n")
        with pytest.raises(UserError, match="cannot be trusted"):
            Keeper(site)

    def test_a_site_without_speech_keeps_it_from_starting(self, site, tmp_path):
        with pytest.raises(UserError):
            Keeper(site.model_copy(update={"root": tmp_path / "nothing"}))

    @pytest.mark.parametrize("policy", ["allow = []", "bases = []", "recipes = []", "bounds = {width = [0, 0.001]}"])
    def test_a_tuning_that_the_policy_no_longer_grants_is_not_gone_on_with(
        self, keeper, site, said, ask_to_tune, monkeypatch, caplog, policy, with_policy
    ):
        monkeypatch.setattr(keeper_module, "tune", lambda folder, door, runtime, grant, stop: stop_asked(stop))
        said(keeper, ask_to_tune())
        keeper.stop(LONG)
        narrowed = Keeper(with_policy(site, policy))
        narrowed.resume()
        assert narrowed.status()["tunings"] == 0
        assert "is not gone on with" in caplog.text
        assert not list((site.state / TUNINGS).iterdir())

    def test_the_secret_is_made_at_the_first_start_its_owners_alone_and_never_again(self, site, said):
        keeper = Keeper(site)
        first = site.secret.read_bytes()
        assert site.secret.stat().st_mode & 0o777 == 0o600
        said(keeper, ASK)
        Keeper(site)
        assert site.secret.read_bytes() == first
        site.secret.unlink()
        with pytest.raises(UserError, match="the site's secret is missing"):
            Keeper(site)
        assert not site.secret.exists()

    def test_a_secret_that_its_people_put_there_before_is_kept(self, site):
        write_secret(site.secret, b"a" * 32)
        Keeper(site)
        assert read_dice(site.secret) == Dice(b"a" * 32)

    def test_a_secret_that_others_can_read_keeps_it_from_starting(self, keeper, site):
        site.secret.chmod(0o644)
        with pytest.raises(UserError, match="others can read the site's secret"):
            Keeper(site)

    def test_two_sites_of_the_same_speech_release_different_weights(self, site, said, ask_to_tune, tmp_path):
        told = []
        for name, secret in (("one", None), ("two", None), ("three", b"a" * 32), ("four", b"a" * 32)):
            place = site.model_copy(update={"state": tmp_path / name})
            if secret:
                write_secret(place.secret, secret)
            told.append(weights_digest(said(Keeper(place), ask_to_tune(), LONG).weights()))
        assert len(set(told)) == 3
        assert told[2] == told[3]

    def test_networks_that_the_policy_no_longer_lists_are_let_go(self, keeper, site, said, ask_to_tune, with_policy):
        said(keeper, ask_to_tune(), LONG)
        for policy, kept in (("", 1), ("bases = []", 0)):
            Keeper(with_policy(site, policy)).resume()
            assert len(list((site.state / BASES).iterdir())) == kept

    def test_a_folder_of_a_tuning_that_cannot_be_read_is_passed_over(self, keeper, site, caplog):
        broken = site.state / TUNINGS / "broken"
        broken.mkdir(parents=True)
        (broken / "asked.json").write_text("{")
        with caplog.at_level(logging.INFO):
            keeper.resume()
        assert keeper.status()["tunings"] == 0


def test_the_status_tells_nothing_of_runs_paths_or_counts(keeper, said, ask_to_tune, monkeypatch):
    monkeypatch.setattr(keeper_module, "tune", lambda folder, door, runtime, grant, stop: stop_asked(stop))
    said(keeper, ask_to_tune())
    told = keeper.status()
    numbers = {"well", "entries", "tunings", "step", "iterations", "rate"}
    assert told.keys() == numbers | {"eyesoff", "session", "head", "doing"}
    assert (told["session"], told["doing"]) == ("03+08", "tuning")
    assert all(isinstance(told[key], int | float) for key in numbers)


def stop_asked(stop):
    """Work until a stop is asked for."""
    while not stop():
        time.sleep(0.005)
