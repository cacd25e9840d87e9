"""A steward's pages in a real browser fit a phone and a desk, light and dark; by hand with `make test-slow`."""

import json
from datetime import UTC, datetime

import pytest

from client.history import Record
from client.inbox import Waiting
from client.ledger import Ledger
from client.policy import Policy
from client.site import Site
from common.audit.verdict import Verdict
from common.wire import Code
from simulations.steward.inbox_page import build as inbox
from simulations.steward.month import month_of
from simulations.steward.month_page import build as month
from tests.simulations.report.test_browser import pytestmark, seen

__all__ = ["pytestmark", "seen"]

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
VERDICT = Verdict(
    word="refuse",
    reasons=("members are told from outsiders in at least 0.87 of pairs, of 0.60 allowed",),
    **{"auc": 0.9, "low": 0.87, "high": 0.92, "worst": 0.015, "epsilon": 2.97, "noticed": 0.005},
)


@pytest.fixture
def pages(tune, tmp_path):
    one = Waiting("b612a72f1353", tune.tuning, "ab" * 32, VERDICT, None, changed=False, held=True, size=1_178_000)
    site = Site(session="clinic", root=tmp_path, state=tmp_path / "state")
    ledger, facts = Ledger(site.ledger), {"time": NOW, "kind": "release", "run": "a-run-with-a-name-of-some-length"}
    words = json.dumps({"attempt": 1, **VERDICT.model_dump(mode="json")})
    for more in (
        {"outcome": "audited", "words": words, "sha256": "ab" * 32},
        {"outcome": "sent", "bytes": 1_178_946, "sha256": "ab" * 32},
        {"outcome": "refused", "code": Code.HELD},
    ):
        ledger.append(Record.model_validate(facts | more))
    return {
        "inbox": inbox([one], Policy(release="approve"), "clinic", tmp_path / "a-folder-of-some-length" / "site.toml"),
        "month": month(month_of(site, "2030-01", NOW)),
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["inbox", "month"])
def test_a_page_fits_its_window_in_silence(pages, seen, name, width, dark):
    found = seen(pages[name], width, dark=dark)
    assert found["width"] <= width
    assert found["squeezed"] == []
    assert found["ground"] == ("rgb(20, 23, 27)" if dark else "rgb(253, 253, 251)")
    assert (found["console"], found["asked"]) == ([], [])


def test_a_page_that_is_too_wide_is_found(pages, seen):
    wide = pages["month"].replace("</main>", '<p style="width: 600px">wide</p></main>')
    assert seen(wide, 390)["width"] > 390
