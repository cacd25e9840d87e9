"""A site's policy file is read strictly, and all its mistakes are told together."""

import pytest

from client.policy import Policy, load_policy
from common.errors import UserError
from common.wire import Precision


def test_without_a_file_the_default_holds():
    policy = load_policy(None)
    assert policy == Policy()
    assert not policy.tell_counts
    assert not policy.per_speaker
    assert policy.minimum_speakers == 2


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('steps = 500\nprecisions = ["fp16"]\nallow = ["release"]\n')
    policy = load_policy(path)
    assert policy.steps == 500
    assert policy.precisions == (Precision.FP16,)
    assert policy.allow == ("release",)
    assert policy.batch == Policy().batch


def test_every_mistake_is_told_with_its_place(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('allow = ["release", "waveforms"]\nsteps = 0\nminimum_speaker = 3\ntell_counts = "sometimes"\n')
    with pytest.raises(UserError) as caught:
        load_policy(path)
    told = str(caught.value).splitlines()
    assert told[0] == f"{path}: 4 mistakes"
    assert [line.split(":")[0].strip(" -") for line in told[1:]] == [
        "allow.1",
        "steps",
        "tell_counts",
        "minimum_speaker",
    ]
    assert "minimum_speakers" in told[4]  # the names that exist are listed


@pytest.mark.parametrize(("text", "told"), [("steps = ", "not valid TOML"), (None, "no such policy")])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text, told):
    path = tmp_path / "policy.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=f"{told}: .*policy.toml"):
        load_policy(path)
