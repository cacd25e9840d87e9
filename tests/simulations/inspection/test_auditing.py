"""A bank is audited beside the speech of its sites, or the trouble is named."""

import pytest

from common.config import Config
from common.errors import UserError
from server.bank import Bank
from simulations.inspection.auditing import audit_bank


def test_a_bank_without_these_sessions_is_named(tmp_path):
    with pytest.raises(UserError, match="no release is of these sessions"):
        audit_bank(Config(), Bank(tmp_path), ("03+08",), (), 256)


def test_a_corpus_that_lacks_a_session_is_named(release_file):
    with pytest.raises(UserError, match=r"sessions that the corpus lacks.*--corpus and --root"):
        audit_bank(Config(), Bank(release_file.parent), (), (), 256)
