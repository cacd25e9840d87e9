"""A steward reads finished releases with their audits, and has the last word on each."""

import json
import re
from datetime import UTC, datetime

import pytest

from client.activity import AUDIT, VERDICT
from client.history import Record
from client.inbox import answer, inbox
from client.ledger import Ledger, entries
from client.seen import note_of
from client.tuning import DONE
from common.errors import UserError
from common.training.checkpoint import read_tensors, save_tensors
from common.wire import Code, Collect
from simulations.cli import main
from tests.client.audited import KEPT, LONG, Copies, Noise, folder_of

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)


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
        assert (waiting.changed, waiting.verdict, waiting.held) == (False, None, False)
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
        assert f"eyesoff keeper approve {one['name']}" in re.sub(r"<[^>]+>", "", page.read_text())
        assert page.stat().st_mode & 0o077 == 0

    def test_a_name_that_is_not_there_is_a_line_and_status_2(self, typed, site_file):
        status, _, told = typed("approve", "0000", "--site", str(site_file))
        assert status == 2
        assert "no finished release has that name" in told
        assert told.count("\n") == 1
