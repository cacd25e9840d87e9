"""A finished release is audited at its site before it leaves: once, resumably, and a steward has the last word."""

import json
from pathlib import Path

import pytest

from client import audits
from client.activity import AUDIT, VERDICT
from client.audits import AuditFolder
from client.inbox import answer, inbox
from client.keeper import Keeper
from client.ledger import entries, verify
from client.tuning import Clock
from common.audit.twins import Audit
from common.errors import UserError
from common.training.phases import Interrupted
from common.wire import Code, Collect, Precision, Release, Stage, Working
from tests.client.audited import LIMITS, LONG, Copies, Decodes, Noise, folder_of, outcomes


class TestAlways:
    """As it was before there were audits."""

    def test_nothing_is_audited_and_the_card_says_so(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "always")
        told = said(keeper, request, LONG)
        assert isinstance(told, Release)
        assert told.card.audit == "none"
        assert not (folder_of(site).path / AUDIT).exists()
        assert "audited" not in outcomes(site)

    def test_a_steward_cannot_keep_back_what_the_policy_lets_go(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "always")
        said(keeper, request, LONG)
        with pytest.raises(UserError, match="lets every release go"):
            answer(site, inbox(site)[0].name, "kept-back")


class TestAudited:
    """The audit decides, and a steward where it does not say release."""

    def test_latents_are_looked_for_where_samples_follow_from_them(self, keeper_of, said, monkeypatch):
        monkeypatch.setattr("common.audit.reconstruction.STEPS", 20)
        keeper, request, site = keeper_of(Decodes, "audited")
        said(keeper, request, LONG)
        (noted,) = [entry for entry in entries(site.ledger) if entry.outcome == "audited"]
        assert set(json.loads(noted.words)["by_score"]) == {"density", "reconstruction"}

    def test_what_has_seen_nobody_leaves_with_the_word_on_its_card(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "audited")
        told = said(keeper, request, LONG)
        assert isinstance(told, Release), told
        assert told.card.audit == "release"
        (noted,) = [entry for entry in entries(site.ledger) if entry.outcome == "audited"]
        words = json.loads(noted.words)
        assert (words["attempt"], words["word"]) == (1, "release")
        assert verify(site.ledger).problems == ()
        assert [path.name for path in (folder_of(site).path / AUDIT).iterdir() if path.is_dir()] == []

    def test_what_copies_is_held_and_the_server_is_told_no_more(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "audited")
        told = said(keeper, request, LONG)
        assert told.code is Code.HELD
        (waiting,) = inbox(site)
        assert waiting.verdict.word == "refuse", waiting.verdict
        text = "\n".join(waiting.lines())
        assert "the audit says refuse" in text
        assert "members are told from outsiders" in text
        assert "sent" in outcomes(site)

    def test_a_steward_may_let_it_go_all_the_same_and_the_card_says_who_did(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "audited")
        said(keeper, request, LONG)
        answer(site, inbox(site)[0].name, "approved")
        told = said(keeper, Collect(tuning=request.tuning), LONG)
        assert told.card.audit == "approved"
        approved = [entry for entry in entries(site.ledger) if entry.outcome == "approved"]
        assert [entry.sha256 for entry in approved] == [inbox(site)[0].release]
        assert verify(site.ledger).problems == ()

    def test_a_steward_may_keep_back_what_the_audit_lets_go(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "audited")
        assert isinstance(said(keeper, request, LONG), Release)
        answer(site, inbox(site)[0].name, "kept-back")
        assert said(keeper, Collect(tuning=request.tuning), LONG).code is Code.HELD

    def test_who_cannot_tell_holds(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "audited", LIMITS.replace("speakers = 1", "speakers = 8"))
        assert said(keeper, request, LONG).code is Code.HELD
        assert inbox(site)[0].verdict.word == "cannot-tell"


class TestInterruptions:
    """An audit goes on where it was, and ends once."""

    def test_killed_after_two_twins_it_fits_the_others_alone_and_says_the_same(self, keeper_of, said, monkeypatch):
        keeper, request, site = keeper_of(Copies, "audited")
        honest, fitted = Audit.scores_of, []

        def dies(self, number, fit):
            if number == 2 and len(fitted) == 2:
                raise Interrupted("audit", 2)
            fitted.append(number)
            return honest(self, number, fit)

        monkeypatch.setattr(Audit, "scores_of", dies)
        told = said(keeper, request, LONG)
        assert isinstance(told, Working)
        assert (told.stage, told.step, told.iterations) == (Stage.AUDIT, 2, 4)
        monkeypatch.setattr(Audit, "scores_of", lambda *asked: fitted.append(asked[1]) or honest(*asked))
        again = Keeper(site)
        again.resume()
        assert said(again, Collect(tuning=request.tuning), LONG).code is Code.HELD
        assert fitted == [0, 1, 2, 3]
        stored = json.loads((folder_of(site).path / AUDIT / VERDICT).read_text())
        (folder_of(site).path / AUDIT / VERDICT).unlink()
        said(Keeper(site), request, LONG)
        assert json.loads((folder_of(site).path / AUDIT / VERDICT).read_text()) == stored
        assert fitted == [0, 1, 2, 3, 0, 1, 2, 3]
        assert outcomes(site).count("audited") == 1

    def test_a_verdict_is_fixed_whatever_the_limits_become(self, keeper_of, said, with_policy):
        keeper, request, site = keeper_of(Copies, "audited")
        said(keeper, request, LONG)
        text = Path(site.policy).read_text().replace("auc = 0.85", "auc = 0.999")
        site.policy.write_text(text.replace("twins = 4", "twins = 5"))
        assert said(Keeper(site), request, LONG).code is Code.HELD
        assert inbox(site)[0].verdict.word == "refuse"

    def test_an_audit_that_takes_too_long_cannot_tell(self, keeper_of, said, monkeypatch):
        class Slow(Clock):
            seconds = 1e9

        keeper, request, site = keeper_of(Noise, "audited", LIMITS + "minutes = 3\n")

        def stopped(self, number, fit):
            raise Interrupted("tiny", 1)

        monkeypatch.setattr(audits, "Clock", Slow)
        monkeypatch.setattr(Audit, "scores_of", stopped)
        assert said(keeper, request, LONG).code is Code.HELD
        assert inbox(site)[0].verdict.reasons == ("it took longer than the 3 min of your policy (audit.minutes)",)

    def test_a_damaged_verdict_counts_for_nothing(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "audited")
        assert isinstance(said(keeper, request, LONG), Release)
        (folder_of(site).path / AUDIT / VERDICT).write_text("{")
        assert AuditFolder(folder_of(site)).fixed("0" * 64) is None
        assert isinstance(said(keeper, request, LONG), Release)  # after another audit, to the same end

    def test_attempts_are_counted(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "audited")
        said(keeper, request, LONG)
        other = request.model_copy(update={"tuning": request.tuning.model_copy(update={"run": "run-9"})})
        said(keeper, other, LONG)  # the same work, given again
        coarse = request.model_copy(update={"tuning": request.tuning.model_copy(update={"precision": Precision.BF16})})
        recipes = f'"{request.tuning.recipe.digest}", "{coarse.tuning.recipe.digest}"'
        site.policy.write_text(site.policy.read_text().replace(f'"{request.tuning.recipe.digest}"', recipes))
        said(Keeper(site), coarse, LONG)
        attempts = [json.loads(entry.words)["attempt"] for entry in entries(site.ledger) if entry.outcome == "audited"]
        assert attempts == [1, 2]
