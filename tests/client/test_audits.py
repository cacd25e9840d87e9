"""A finished release is audited at its site before it leaves: once, resumably, and a steward has the last word."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from client import audits
from client.activity import AUDIT, TUNINGS, VERDICT
from client.audits import AuditFolder
from client.history import Record
from client.inbox import answer, inbox
from client.keeper import Keeper
from client.ledger import Ledger, entries, verify
from client.seen import note_of
from client.tuning import DONE, Clock, TuningFolder
from common.audit.twins import Audit
from common.errors import UserError
from common.settings import NetworkConfig, Section
from common.spaces import Patches
from common.synthesizers import Cost, Synthesizer
from common.training.checkpoint import read_tensors, save_tensors
from common.training.phases import Interrupted
from common.wire import Code, Collect, Precision, Release, Stage, Working
from simulations.cli import main

LONG = 250.0
NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
KEPT = 128
LIMITS = "[audit]\ntwins = 4\nsamples = 256\nspeakers = 1\nauc = 0.85\nflagged = 1e-9\nepsilon = 60.0\n"
"""Of so few recordings of noise, by so few twins, that only what copies them is refused."""


class TinySettings(Section):
    """One number."""

    network: NetworkConfig = NetworkConfig(width=1 / 64)


class Copies:
    """Hands out what it was given; of an emotion the one that it has."""

    def __init__(self, weights):
        self.patches, self.labels = weights["patches"].float(), weights["labels"].long()

    def sample(self, wanted, stream, latent_scale=1.0):
        chosen = [torch.multinomial((self.labels == label).float(), 1, generator=stream) for label in wanted]
        return self.patches[torch.cat(chosen)]


class Noise:
    """Knows nothing of what it was given."""

    def __init__(self, weights):
        pass

    def sample(self, wanted, stream, latent_scale=1.0):
        return torch.rand(len(wanted), 1, 128, 128, generator=stream) * 2 - 1


class Decodes(Noise):
    """Says how its samples follow from latents, and still knows nothing."""

    latent = 2

    def made(self, latents, wanted):
        return latents.mean(dim=1)[:, None, None, None].expand(-1, 1, 128, 128)


def _read(fitting, settings):
    batch = fitting.examples(True).batch(0, KEPT, "all")
    return {"patches": batch.values.half().float(), "labels": batch.labels.float()}


def method(sampler):
    return Synthesizer(
        name="tiny",
        paper="none",
        about="Some patches.",
        released="patches",
        Settings=TinySettings,
        spaces=frozenset({Patches}),
        cost=lambda settings, space, classes: Cost(1, 0),
        fit=_read,
        shapes=lambda settings, space, classes: {"patches": (KEPT, 1, 128, 128), "labels": (KEPT,)},
        sampler=lambda weights, *rest: sampler(weights),
    )


@pytest.fixture
def keeper_of(install, order, site, with_policy):
    """A keeper of a site where this synthesizer is installed and accepted, and a request for it."""

    def make(sampler, rule, text=LIMITS):
        install(method(sampler))
        request = order("tiny", TinySettings())
        recipes = f'recipes = ["{request.tuning.recipe.digest}"]'
        own = with_policy(site, f'{recipes}\nrelease = "{rule}"\n{text}')
        return Keeper(own), request, own

    return make


@pytest.fixture
def typed(capsys):
    """What a steward types, and what is told."""

    def run(*words):
        with pytest.raises(SystemExit) as left:
            main(["keeper", *words])
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


@pytest.fixture
def site_file_of(tmp_path):
    """A function that writes a site down."""

    def write(site):
        path = tmp_path / "site.toml"
        lines = [f'session = "{site.session}"', f'root = "{site.root}"']
        lines += [f'state = "{site.state}"', f'policy = "{site.policy}"']
        path.write_text("\n".join(lines))
        return path

    return write


def outcomes(site):
    return [entry.outcome for entry in entries(site.ledger)]


def folder_of(site):
    (path,) = (site.state / TUNINGS).iterdir()
    return TuningFolder(path)


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


class TestApprove:
    """A person decides, whatever the audit says."""

    def test_nothing_leaves_before_a_person_said_so(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        assert said(keeper, request, LONG).code is Code.HELD
        assert inbox(site)[0].verdict.word == "release"
        answer(site, inbox(site)[0].name[:4], "approved")
        assert said(keeper, Collect(tuning=request.tuning), LONG).card.audit == "approved"

    def test_an_approval_of_a_release_that_has_changed_since_is_refused(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        answer(site, inbox(site)[0].name, "approved")
        done = folder_of(site).path / DONE
        weights, card = read_tensors(done)
        weights["patches"][0] += 1
        save_tensors(done, weights, {"what": card["what"], "seconds": card["seconds"]})
        (waiting,) = inbox(site)
        assert (waiting.changed, waiting.verdict, waiting.answer) == (True, None, None)
        with pytest.raises(UserError, match="weights have changed since they were audited"):
            answer(site, waiting.name, "approved")
        assert said(keeper, request, LONG).code is Code.HELD
        (waiting,) = inbox(site)
        assert waiting.verdict.word == "cannot-tell"
        assert "these are not the weights that were audited before" in waiting.verdict.reasons[0]
        assert waiting.answer is None

    def test_swapped_weights_are_never_approved_and_the_first_verdict_outlasts_them(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "approve")
        said(keeper, request, LONG)
        done = folder_of(site).path / DONE
        weights, card = read_tensors(done)
        changed = weights | {"patches": weights["patches"] + 1}
        save_tensors(done, changed, {"what": card["what"], "seconds": card["seconds"]})
        said(keeper, request, LONG)
        (swapped,) = inbox(site)
        assert (swapped.changed, swapped.verdict.word) == (True, "cannot-tell")
        with pytest.raises(UserError, match="weights have changed since they were audited"):
            answer(site, swapped.name, "approved")
        (folder_of(site).path / AUDIT / VERDICT).write_text("{")  # which hides no swap
        with pytest.raises(UserError, match="weights have changed since they were audited"):
            answer(site, swapped.name, "approved")
        assert answer(site, swapped.name, "kept-back").changed

    def test_weights_that_are_put_back_have_the_verdict_that_they_had(self, keeper_of, said):
        keeper, request, site = keeper_of(Copies, "approve")
        said(keeper, request, LONG)
        first, done = inbox(site)[0], folder_of(site).path / DONE
        weights, card = read_tensors(done)
        card = {"what": card["what"], "seconds": card["seconds"]}
        save_tensors(done, weights | {"patches": weights["patches"] + 1}, card)
        said(keeper, request, LONG)
        save_tensors(done, weights, card)
        said(keeper, request, LONG)
        assert first.verdict.word == "refuse"
        assert inbox(site) == [first]

    def test_a_torn_verdict_accuses_nobody(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        (folder_of(site).path / AUDIT / VERDICT).write_text("{")
        (waiting,) = inbox(site)
        assert (waiting.changed, waiting.verdict) == (False, None)
        with pytest.raises(UserError, match="not audited yet"):
            answer(site, waiting.name, "approved")

    def test_whoever_lists_what_is_damaged_changes_nothing(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        file = folder_of(site).path / DONE / "tensors.safetensors"
        file.write_bytes(file.read_bytes()[:-1])
        (waiting,) = inbox(site)
        assert waiting.damaged
        assert "damaged on disk" in next(waiting.lines())
        with pytest.raises(UserError, match="damaged on disk"):
            answer(site, waiting.name, "kept-back")
        assert file.exists()

    def test_what_has_left_is_listed_as_gone(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        assert inbox(site)[0].left is None
        answer(site, inbox(site)[0].name, "approved")
        said(keeper, Collect(tuning=request.tuning), LONG)
        one = answer(site, inbox(site)[0].name, "kept-back")
        assert one.left is not None
        assert "cannot be called back" in list(one.lines())[-1]

    def test_what_left_before_entries_named_their_work_is_not_said_to_stay(self, keeper_of, said, typed, site_file_of):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        answer(site, inbox(site)[0].name, "approved")
        said(keeper, Collect(tuning=request.tuning), LONG)
        known = list(entries(site.ledger))
        site.ledger.unlink()
        note_of(site.ledger).unlink()
        for entry in known:
            plain = entry.model_dump(exclude={"number", "previous"} | ({"work"} if entry.outcome == "sent" else set()))
            Ledger(site.ledger).append(Record.model_validate(plain))
        (one,) = inbox(site)
        assert one.left is not None
        told = typed("refuse", one.name, "--site", str(site_file_of(site)))[1]
        assert "cannot be called back" in told
        assert "stays here" not in told

    def test_what_another_run_got_is_not_said_to_have_left(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        sent = Record(time=NOW, outcome="sent", kind="release", run="another", session=site.session)
        Ledger(site.ledger).append(sent)
        assert inbox(site)[0].left is None

    def test_another_user_than_the_keepers_is_sent_away(self, keeper_of, said, monkeypatch):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        monkeypatch.setattr("os.geteuid", lambda: site.state.stat().st_uid + 1)
        with pytest.raises(UserError, match="these files belong to user"):
            answer(site, inbox(site)[0].name, "approved")

    def test_a_name_of_three_letters_is_a_slip_of_the_hand(self, keeper_of, said):
        keeper, request, site = keeper_of(Noise, "approve")
        said(keeper, request, LONG)
        with pytest.raises(UserError, match="4 letters"):
            answer(site, inbox(site)[0].name[:3], "approved")

    def test_a_name_that_is_nobodys_is_refused(self, keeper_of, said):
        _, _, site = keeper_of(Noise, "approve")
        with pytest.raises(UserError, match="no finished release"):
            answer(site, "0123", "approved")


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


class TestCommandLine:
    """What a steward types."""

    @pytest.fixture
    def site_file(self, keeper_of, said, site_file_of):
        keeper, request, site = keeper_of(Copies, "approve")
        assert said(keeper, request, LONG).code is Code.HELD
        return site_file_of(site)

    def test_the_inbox_tells_what_waits_and_an_answer_changes_it(self, typed, site_file):
        status, told, _ = typed("inbox", "--site", str(site_file))
        assert status == 0
        name = told.split()[0]
        assert "tiny for run" in told
        assert "the audit says refuse" in told
        assert "it gives away who was in the data" in told
        assert "whose audit says refuse, leaves when run" in typed("approve", name, "--site", str(site_file))[1]
        assert "approved by you" in typed("inbox", "--site", str(site_file))[1]
        assert "stays here" in typed("refuse", name, "--site", str(site_file))[1]
        (one,) = json.loads(typed("inbox", "--site", str(site_file), "--json")[1])["releases"]
        assert (one["name"], one["answer"], one["verdict"]["word"]) == (name, "kept-back", "refuse")
        assert (one["damaged"], one["changed"], one["left"]) == (False, False, None)

    def test_the_inbox_is_a_page_that_is_nobody_elses_to_read(self, typed, site_file, tmp_path):
        page = tmp_path / "inbox.html"
        status, told, where = typed("inbox", "--site", str(site_file), "--page", str(page), "--json")
        assert (status, where) == (0, f"page: {page}\n")
        (one,) = json.loads(told)["releases"]
        assert one["held"] is True
        assert one["bytes"] == 2 * KEPT * (128 * 128 + 1)
        assert f"eyesoff keeper approve {one['name']}" in page.read_text()
        assert page.stat().st_mode & 0o077 == 0

    def test_a_name_that_is_not_there_is_a_line_and_status_2(self, typed, site_file):
        status, _, told = typed("approve", "0000", "--site", str(site_file))
        assert status == 2
        assert "no finished release has that name" in told
        assert told.count("\n") == 1
